//! The proof that one entry is in the log, as a text file: `.tlog-proof`.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! [extra <base64>]
//! index <decimal>
//! <hash in base64, from the leaf's sibling up>…
//!
//! <the checkpoint, a signed note>
//! ```
//!
//! The extra line is not authenticated. A proof of the SM3 tree has the first line `zeugma/tlog-proof-sm3@v1` and is
//! otherwise the same. It is a proof of logging; what times it carries are those of its cosignatures, each as good
//! as its cosigner.
//!
//! Source: C2SP `tlog-proof`.

use crate::base64;
use crate::checkpoint::{SignedCheckpoint, decimal};
use crate::note::{NoteBounds, VerifierKey};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_proof::body::LogView;
use zeugma_proof::tree::{Hash, MAX_INCLUSION, leaf_hash, verify_inclusion};
use zeugma_types::{Code, HashSuite, LeafIndex, Refusal};

/// Longest extra data, in bytes.
pub const MAX_EXTRA: usize = 16 * 1024;
/// Longest proof file, in bytes.
pub const MAX_LOG_PROOF: usize = 128 * 1024;

/// A proof file, read and not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// Which tree it is of.
    pub suite: HashSuite,
    /// Opaque data that nothing authenticates.
    pub extra: Option<Vec<u8>>,
    /// Where the entry stands.
    pub index: LeafIndex,
    /// From the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The signed note of the checkpoint.
    pub checkpoint: String,
}

impl LogProof {
    /// Reads a proof file.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::TooMany`] hashes, [`Code::BadLogProof`] with the part that is not of the form; what
    /// [`SignedCheckpoint::parse`] refuses.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_LOG_PROOF {
            return Err(Refusal::new(Code::TooLong).needed(MAX_LOG_PROOF).found(bytes.len()));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| bad("text"))?;
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| bad("an empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        let suite = match lines.next() {
            Some(first) if first == header(HashSuite::Sha256) => HashSuite::Sha256,
            Some(first) if first == header(HashSuite::Sm3) => HashSuite::Sm3,
            _ => return Err(bad("the line of its version")),
        };
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            None => None,
            Some(line) => Some(read_extra(&line["extra ".len()..])?),
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = LeafIndex::new(index.ok_or_else(|| bad("a decimal index"))?);
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_INCLUSION {
                return Err(Refusal::new(Code::TooMany).needed(MAX_INCLUSION));
            }
            path.push(base64::hash(line).ok_or_else(|| bad("a hash in base64"))?);
        }
        SignedCheckpoint::parse(checkpoint.as_bytes(), NoteBounds::USUAL)?;
        Ok(Self { suite, extra, index, path, checkpoint: checkpoint.into() })
    }

    /// The file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", header(self.suite));
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", base64::encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.path {
            text.push_str(&base64::encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// The checkpoint with its signatures.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::parse`].
    pub fn signed_checkpoint(&self) -> Result<SignedCheckpoint<'_>, Refusal> {
        SignedCheckpoint::parse(self.checkpoint.as_bytes(), NoteBounds::USUAL)
    }

    /// Checks that the log with this key and origin signed a tree in which `leaf` stands at the index, and returns
    /// that tree. Whoever wants witnesses asks [`SignedCheckpoint::require`] for each.
    ///
    /// # Errors
    /// What [`SignedCheckpoint::parse`] and [`SignedCheckpoint::require`] refuse, [`Code::WrongOrigin`],
    /// [`Code::IndexOutOfTree`], [`Code::PathLength`], [`Code::NotIncluded`].
    pub fn verify(&self, leaf: &[u8], origin: &str, key: &VerifierKey) -> Result<LogView, Refusal> {
        let signed = self.signed_checkpoint()?;
        signed.require_origin(origin)?;
        signed.require(key)?;
        let view = signed.claimed().view;
        let leaf = leaf_hash(self.suite, leaf);
        verify_inclusion(self.suite, &leaf, self.index, view.size, &self.path, &view.root)?;
        Ok(view)
    }
}

fn header(suite: HashSuite) -> &'static str {
    match suite {
        HashSuite::Sha256 => "c2sp.org/tlog-proof@v1",
        HashSuite::Sm3 => "zeugma/tlog-proof-sm3@v1",
    }
}

fn read_extra(text: &str) -> Result<Vec<u8>, Refusal> {
    let longest = MAX_EXTRA.div_ceil(3) * 4;
    if text.len() > longest {
        return Err(Refusal::new(Code::TooLong).needed(longest).found(text.len()));
    }
    base64::decode(text).ok_or_else(|| bad("extra data in base64"))
}

fn bad(needed: &'static str) -> Refusal {
    Refusal::new(Code::BadLogProof).needed(needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::LogSigner;
    use crate::testkit::signer;
    use alloc::vec;
    use proptest::prelude::*;
    use zeugma_proof::tree::node_hash;
    use zeugma_types::{TreeSize, UnixSeconds};

    /// A log of three leaves; the proof of the first.
    fn proof(suite: HashSuite) -> (LogProof, LogSigner) {
        let signer = signer("example.com/log", 1, true);
        let leaves = [b"a", b"b", b"c"].map(|leaf| leaf_hash(suite, leaf));
        let left = node_hash(suite, &leaves[0], &leaves[1]);
        let root = node_hash(suite, &left, &leaves[2]);
        let checkpoint = signer.sign(LogView { size: TreeSize::new(3), root }, UnixSeconds::new(5));
        let path = vec![leaves[1], leaves[2]];
        (LogProof { suite, extra: None, index: LeafIndex::ZERO, path, checkpoint }, signer)
    }

    fn code<T>(result: Result<T, Refusal>) -> Option<Code> {
        result.err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_proof_is_verified_from_its_text_in_each_suite() {
        for suite in HashSuite::ALL {
            let (mut proof, signer) = proof(*suite);
            for extra in [None, Some(vec![]), Some(vec![1, 2, 3])] {
                proof.extra = extra;
                let read = LogProof::parse(proof.to_text().as_bytes()).unwrap();
                assert_eq!(read, proof);
                let view = read.verify(b"a", signer.origin(), &signer.key()).unwrap();
                assert_eq!(view.size.get(), 3);
                read.verify(b"a", signer.origin(), &signer.second_key().unwrap()).unwrap();
            }
        }
    }

    #[test]
    fn another_leaf_index_log_or_suite_is_refused() {
        let (proof, signer) = proof(HashSuite::Sha256);
        let verify =
            |proof: &LogProof, leaf: &[u8], origin: &str| code(proof.verify(leaf, origin, &signer.key()));
        assert_eq!(verify(&proof, b"a", signer.origin()), None);
        assert_eq!(verify(&proof, b"b", signer.origin()), Some(Code::NotIncluded));
        assert_eq!(verify(&proof, b"a", "example.com/other"), Some(Code::WrongOrigin));
        let at = |index| LogProof { index: LeafIndex::new(index), ..proof.clone() };
        assert_eq!(verify(&at(1), b"a", signer.origin()), Some(Code::NotIncluded));
        assert_eq!(verify(&at(2), b"a", signer.origin()), Some(Code::PathLength));
        assert_eq!(verify(&at(3), b"a", signer.origin()), Some(Code::IndexOutOfTree));
        let other = LogProof { suite: HashSuite::Sm3, ..proof.clone() };
        assert_eq!(verify(&other, b"a", signer.origin()), Some(Code::NotIncluded));
        let stranger = self::signer("example.com/log", 2, false).key();
        assert_eq!(code(proof.verify(b"a", signer.origin(), &stranger)), Some(Code::UnknownSigner));
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_its_part() {
        let (proof, _) = proof(HashSuite::Sha256);
        let text = proof.to_text();
        let parse = |text: &str| code(LogProof::parse(text.as_bytes()));
        assert_eq!(parse(&text), None);
        for (from, to) in [
            ("tlog-proof@v1", "tlog-proof@v2"),
            ("index 0", "index 00"),
            ("index 0", "index"),
            ("index 0\n", ""),
            ("index 0", "extra AA=\nindex 0"),
            ("index 0", "index 0\nextra AAAA"),
            ("index 0", "Index 0"),
            ("index 0", "index 0\nAAAA"),
        ] {
            assert_eq!(parse(&text.replacen(from, to, 1)), Some(Code::BadLogProof), "{to:?}");
        }
        assert_eq!(parse("c2sp.org/tlog-proof@v1"), Some(Code::BadLogProof));
        assert_eq!(parse(&text.replace("\n\nexample", "\nexample")), Some(Code::BadLogProof));
        assert_eq!(parse(&text.replace("\n3\n", "\n03\n")), Some(Code::BadNote));
        let line = format!("{}\n", base64::encode(&[0; 32]));
        assert_eq!(
            parse(&text.replace("index 0\n", &format!("index 0\n{}", line.repeat(63)))),
            Some(Code::TooMany)
        );
        assert_eq!(parse(&"x".repeat(MAX_LOG_PROOF + 1)), Some(Code::TooLong));
        let extra = format!("extra {}\nindex 0", "A".repeat(MAX_EXTRA * 2));
        assert_eq!(parse(&text.replace("index 0", &extra)), Some(Code::TooLong));
    }

    proptest! {
        #[test]
        fn no_changed_byte_proves(place: prop::sample::Index, with: u8) {
            let (proof, signer) = proof(HashSuite::Sha256);
            let mut bytes = proof.to_text().into_bytes();
            let at = place.index(bytes.len());
            prop_assume!(bytes[at] != with);
            bytes[at] = with;
            let Ok(read) = LogProof::parse(&bytes) else { return Ok(()) };
            // What remains readable is refused, except where only the other signature line changed.
            let first = read.verify(b"a", signer.origin(), &signer.key()).is_ok();
            let second = read.verify(b"a", signer.origin(), &signer.second_key().unwrap()).is_ok();
            prop_assert!(!(first && second));
            prop_assert_eq!(read.to_text().into_bytes(), bytes);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = LogProof::parse(&bytes);
        }
    }
}
