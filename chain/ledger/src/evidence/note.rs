//! Checkpoints as signed notes.
//!
//! ```text
//! <origin>\n<size>\n<root in base64>\n[extension lines\n]\n— <name> <base64 of key id (4) ‖ signature>\n
//! ```
//!
//! The signature of an Ed25519 log key is over the text up to and with the newline before the empty line;
//! its key id is the first four bytes of SHA-256 of the name, a newline, `0x01` and the key. Lines of other
//! keys (witnesses) are passed over; the log's own line must verify.
//!
//! Source: C2SP `signed-note` and `tlog-checkpoint`.

use super::LogKey;
use crate::limits::{MAX_NOTE, MAX_NOTE_LINES};
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::ed25519::{PublicKey, Rule};
use zeugma_crypto::hash::sha256;
use zeugma_proof::body::LogView;
use zeugma_proof::tree::Hash;
use zeugma_types::{Code, Refusal, TreeSize};

/// What the origin of a log's SM3 tree ends in.
pub const SECOND_TREE_SUFFIX: &str = "/sm3";

/// Signature type of an Ed25519 log key.
const ED25519: u8 = 1;

/// A checkpoint that its log signed: only [`Checkpoint::open`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's origin.
    pub origin: String,
    /// What it signed.
    pub view: LogView,
}

impl Checkpoint {
    /// Reads and verifies a note of the log named `origin` with this key.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::BadNote`] with the part that is not of the form,
    /// [`Code::WrongOrigin`], [`Code::UnknownSigner`] without a line of this key,
    /// [`Code::BadSignature`].
    pub fn open(note: &[u8], origin: &str, key: &LogKey) -> Result<Self, Refusal> {
        if note.len() > MAX_NOTE {
            return Err(Refusal::new(Code::TooLong).needed(MAX_NOTE).found(note.len()));
        }
        let note = core::str::from_utf8(note).map_err(|_| bad("text"))?;
        if note.chars().any(|each| each.is_control() && each != '\n') {
            return Err(bad("text without control characters"));
        }
        if note.matches('\n').count() > MAX_NOTE_LINES {
            return Err(Refusal::new(Code::TooMany).needed(MAX_NOTE_LINES));
        }
        let split = note.rfind("\n\n").ok_or_else(|| bad("an empty line before the signatures"))?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let checkpoint = Self::parse(text)?;
        if checkpoint.origin != origin {
            return Err(Refusal::new(Code::WrongOrigin)
                .needed(String::from(origin))
                .found(checkpoint.origin));
        }
        verify(text, signatures, origin, key)?;
        Ok(checkpoint)
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let mut lines = text.strip_suffix('\n').ok_or_else(|| bad("lines"))?.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or_else(|| bad("an origin"))?;
        let size = lines.next().and_then(decimal).ok_or_else(|| bad("a decimal size"))?;
        let root = lines.next().and_then(base64).ok_or_else(|| bad("a root in base64"))?;
        let root = Hash::try_from(root).map_err(|_| bad("a root of 32 bytes"))?;
        if lines.any(str::is_empty) {
            return Err(bad("extension lines that are not empty"));
        }
        Ok(Self { origin: origin.into(), view: LogView { size: TreeSize::new(size), root } })
    }
}

fn verify(text: &str, signatures: &str, name: &str, key: &LogKey) -> Result<(), Refusal> {
    let id = sha256(&[name.as_bytes(), b"\n", &[ED25519], &key.ed25519]);
    let signatures = signatures.strip_suffix('\n').ok_or_else(|| bad("signature lines"))?;
    let mut verified = Err(Refusal::new(Code::UnknownSigner).found(String::from(name)));
    for line in signatures.split('\n') {
        let line = line.strip_prefix("\u{2014} ").ok_or_else(|| bad("signature lines"))?;
        let (signer, encoded) = line.split_once(' ').ok_or_else(|| bad("a name and a signature"))?;
        let signature = base64(encoded).ok_or_else(|| bad("a signature in base64"))?;
        let Some((signer_id, signature)) = signature.split_first_chunk::<4>() else {
            return Err(bad("a signature with its key id"));
        };
        if signer != name || id.first_chunk() != Some(signer_id) {
            continue;
        }
        let signature = signature.try_into().map_err(|_| bad("a signature of 64 bytes"))?;
        PublicKey::parse_strict(&key.ed25519)?.verify(Rule::Strict, text.as_bytes(), signature)?;
        verified = Ok(());
        break;
    }
    verified
}

fn bad(needed: &'static str) -> Refusal {
    Refusal::new(Code::BadNote).needed(needed)
}

/// A number without sign and leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    if plain && !leading { text.parse().ok() } else { None }
}

/// Standard base64 with padding, in its one canonical form.
fn base64(text: &str) -> Option<Vec<u8>> {
    let (groups, []) = text.as_bytes().as_chunks::<4>() else { return None };
    let mut out = Vec::with_capacity(groups.len() * 3);
    for (at, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && at + 1 != groups.len()) {
            return None;
        }
        let mut bits = 0_u32;
        for byte in &group[..4 - padding] {
            bits = (bits << 6) | sextet(*byte)?;
        }
        bits <<= 6 * padding;
        let [_, one, two, three] = bits.to_be_bytes();
        let bytes = [one, two, three];
        // Bits that no byte takes are zero, or the text has a second form.
        if bytes[3 - padding..].iter().any(|byte| *byte != 0) {
            return None;
        }
        out.extend_from_slice(&bytes[..3 - padding]);
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{LogSigner, encode_base64};
    use alloc::format;
    use proptest::prelude::*;

    #[test]
    fn a_note_as_the_specification_prints_it_is_read_and_verified() {
        let log = LogSigner::new("example.com/behind-the-sofa", 1);
        let note = log.note(20_852_163, &[7; 32]);
        let open = Checkpoint::open(note.as_bytes(), &log.origin, &log.key()).unwrap();
        assert_eq!((open.view.size.get(), open.view.root), (20_852_163, [7; 32]));
        let witnessed = format!("{note}\u{2014} witness.example/w1 {}\n", encode_base64(&[9; 76]));
        Checkpoint::open(witnessed.as_bytes(), &log.origin, &log.key()).unwrap();
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_its_part() {
        let log = LogSigner::new("example.com/log", 1);
        let note = log.note(5, &[7; 32]);
        let open = |note: &str| Checkpoint::open(note.as_bytes(), &log.origin, &log.key()).unwrap_err().code;
        assert_eq!(open(&note.replace("\n5\n", "\n05\n")), Code::BadNote);
        assert_eq!(open(&note.replace("\n5\n", "\n6\n")), Code::BadSignature);
        assert_eq!(open(&note.replace("example.com/log\n5", "example.com/lag\n5")), Code::WrongOrigin);
        assert_eq!(open(note.trim_end()), Code::BadNote);
        assert_eq!(open(&note.replace("\n\n", "\n")), Code::BadNote);
        assert_eq!(
            open(&note.replace("\u{2014} example.com/log", "\u{2014} example.com/lag")),
            Code::UnknownSigner
        );
        let other = LogSigner::new("example.com/log", 2).key();
        let refused = Checkpoint::open(note.as_bytes(), &log.origin, &other).unwrap_err();
        assert_eq!(refused.code, Code::UnknownSigner);
    }

    #[test]
    fn base64_has_one_form() {
        assert_eq!(base64("AQID").as_deref(), Some([1, 2, 3].as_slice()));
        assert_eq!(base64("AQI=").as_deref(), Some([1, 2].as_slice()));
        for bad in ["AQI", "AQJ=", "AQ==AQ==", "A===", "AQI-", "AR=="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn base64_reads_what_was_written(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(base64(&encode_base64(&bytes)), Some(bytes));
        }

        #[test]
        fn no_note_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), place in 0_usize..200, with: u8) {
            let log = LogSigner::new("example.com/log", 1);
            let _ = Checkpoint::open(&bytes, &log.origin, &log.key());
            let mut note = log.note(5, &[7; 32]).into_bytes();
            let length = note.len();
            let changed = note[place % length] != with;
            note[place % length] = with;
            prop_assert!(!changed || Checkpoint::open(&note, &log.origin, &log.key()).is_err());
        }
    }
}
