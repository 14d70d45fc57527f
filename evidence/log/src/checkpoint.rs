//! Checkpoints: what a log signs of its tree.
//!
//! ```text
//! <origin>\n<size>\n<root in base64>\n[extension lines\n]
//! ```
//!
//! A log signs with Ed25519, and adds an ML-DSA-44 cosignature with the time under its own origin. The second tree,
//! in SM3, signs a note of its own whose origin ends in `/sm3`.
//!
//! Source: C2SP `tlog-checkpoint`.

use crate::base64;
use crate::cosignature::{self, Signed};
use crate::note::{Note, NoteBounds, VerifierKey, bad, require_name, signature_line};
use alloc::format;
use alloc::string::String;
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_proof::body::LogView;
use zeugma_types::{Code, Refusal, TreeSize, UnixSeconds};

/// What the origin of a log's SM3 tree ends in.
pub const SECOND_TREE_SUFFIX: &str = "/sm3";

/// The origin of the second tree of the log named `origin`.
#[must_use]
pub fn second_origin(origin: &str) -> String {
    format!("{origin}{SECOND_TREE_SUFFIX}")
}

/// A tree head. By itself it says nothing of who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's origin.
    pub origin: String,
    /// Size and root of its tree.
    pub view: LogView,
    /// Extension lines, each with its newline; usually none.
    pub extensions: String,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    #[must_use]
    pub fn new(origin: &str, view: LogView) -> Self {
        Self { origin: origin.into(), view, extensions: String::new() }
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`Code::BadNote`] with the part that is not of the form.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut lines = text.splitn(4, '\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or_else(|| bad("an origin"))?;
        let size = lines.next().and_then(decimal).ok_or_else(|| bad("a decimal size"))?;
        let root = lines.next().and_then(base64::hash).ok_or_else(|| bad("a root of 32 bytes in base64"))?;
        let extensions = lines.next().ok_or_else(|| bad("lines"))?;
        let whole = extensions.is_empty() || extensions.ends_with('\n');
        if !whole || extensions.starts_with('\n') || extensions.contains("\n\n") {
            return Err(bad("extension lines that are not empty"));
        }
        let view = LogView { size: TreeSize::new(size), root };
        Ok(Self { origin: origin.into(), view, extensions: extensions.into() })
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let LogView { size, root } = &self.view;
        format!("{}\n{size}\n{}\n{}", self.origin, base64::encode(root), self.extensions)
    }

    /// Reads a note of the log with this key and verifies its signature.
    ///
    /// # Errors
    /// As [`Note::parse`] and [`Checkpoint::parse`]; [`Code::WrongOrigin`] for the note of another log;
    /// [`Code::UnknownSigner`] without a line of this key, [`Code::BadSignature`].
    pub fn open(note: &[u8], origin: &str, key: &VerifierKey, bounds: NoteBounds) -> Result<Self, Refusal> {
        let note = SignedCheckpoint::parse(note, bounds)?;
        note.require_origin(origin)?;
        note.require(key)?;
        Ok(note.checkpoint)
    }
}

/// A checkpoint with its signatures, none of which is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint<'a> {
    note: Note<'a>,
    checkpoint: Checkpoint,
}

impl<'a> SignedCheckpoint<'a> {
    /// Reads a note whose text is a checkpoint.
    ///
    /// # Errors
    /// As [`Note::parse`] and [`Checkpoint::parse`].
    pub fn parse(note: &'a [u8], bounds: NoteBounds) -> Result<Self, Refusal> {
        let note = Note::parse(note, bounds)?;
        let checkpoint = Checkpoint::parse(note.text)?;
        Ok(Self { note, checkpoint })
    }

    /// What the note claims. Believe it after [`SignedCheckpoint::require`] with the log's key.
    #[must_use]
    pub const fn claimed(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note.
    #[must_use]
    pub const fn note(&self) -> &Note<'a> {
        &self.note
    }

    /// # Errors
    /// [`Code::WrongOrigin`] when the checkpoint is of another log.
    pub fn require_origin(&self, origin: &str) -> Result<(), Refusal> {
        if self.checkpoint.origin == origin {
            return Ok(());
        }
        let found = self.checkpoint.origin.clone();
        Err(Refusal::new(Code::WrongOrigin).needed(String::from(origin)).found(found))
    }

    /// Verifies the first signature of this key.
    ///
    /// # Errors
    /// [`Code::UnknownSigner`] without a line of this key, [`Code::BadNote`] for a signature of another length,
    /// [`Code::OutOfRange`] for a time above 2^63 - 1, [`Code::BadSignature`].
    pub fn require(&self, key: &VerifierKey) -> Result<Signed, Refusal> {
        let unknown = || Refusal::new(Code::UnknownSigner).found(String::from(key.name()));
        let signature = self.note.signature_of(key).ok_or_else(unknown)?;
        cosignature::verify(key, self.note.text, &self.checkpoint, signature)
    }
}

/// Signs the checkpoints of one tree.
#[derive(Clone, Debug)]
pub struct LogSigner {
    origin: String,
    ed25519: ed25519::SecretKey,
    mldsa44: Option<mldsa44::SecretKey>,
}

impl LogSigner {
    /// The signer of the tree named `origin`.
    ///
    /// # Errors
    /// [`Code::TooLong`]; [`Code::BadIdentifier`] for an origin that is no key name, or that begins the text of a
    /// cosignature.
    pub fn new(
        origin: &str,
        ed25519: ed25519::SecretKey,
        mldsa44: Option<mldsa44::SecretKey>,
    ) -> Result<Self, Refusal> {
        require_name(origin)?;
        if origin == cosignature::HEADER {
            return Err(Refusal::new(Code::BadIdentifier).needed("an origin that is not `cosignature/v1`"));
        }
        Ok(Self { origin: origin.into(), ed25519, mldsa44 })
    }

    /// The origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key of the Ed25519 signature.
    #[must_use]
    pub fn key(&self) -> VerifierKey {
        let key = VerifierKey::ed25519(&self.origin, self.ed25519.public().as_bytes());
        key.expect("the origin was checked, and a public key of ours is no special point")
    }

    /// The key of the ML-DSA-44 cosignature, if the log has one.
    #[must_use]
    pub fn second_key(&self) -> Option<VerifierKey> {
        let key = self.mldsa44.as_ref()?.public().to_bytes();
        Some(VerifierKey::mldsa44(&self.origin, &key).expect("the origin was checked"))
    }

    /// The signed note of a tree head. The caller answers for its being consistent with all it signed before.
    #[must_use]
    pub fn sign(&self, view: LogView, at: UnixSeconds) -> String {
        let checkpoint = Checkpoint::new(&self.origin, view);
        let text = checkpoint.text();
        let signature = self.ed25519.sign_note(&text).expect("a root alone has more than 32 bytes");
        let mut note = format!("{text}\n{}", signature_line(&self.origin, self.key().id(), &signature));
        if let (Some(secret), Some(key)) = (&self.mldsa44, self.second_key()) {
            let signature = cosignature::sign_mldsa44(secret, &self.origin, &checkpoint, at);
            note.push_str(&signature_line(&self.origin, key.id(), &signature));
        }
        note
    }
}

/// A number without sign and leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    if plain && !leading { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Algorithm;
    use crate::testkit::signer;
    use proptest::prelude::*;

    fn view(size: u64) -> LogView {
        LogView { size: TreeSize::new(size), root: [7; 32] }
    }

    fn open(note: &str, signer: &LogSigner) -> Result<Checkpoint, Code> {
        Checkpoint::open(note.as_bytes(), signer.origin(), &signer.key(), NoteBounds::USUAL)
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_published_checkpoint_verifies_and_a_changed_one_does_not() {
        // Tessera's test data, size 15, with its published key.
        let note = "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n\u{2014} \
            example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n";
        let key = VerifierKey::parse(
            "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        )
        .unwrap();
        let open = |note: &str| {
            Checkpoint::open(note.as_bytes(), "example.com/log/testdata", &key, NoteBounds::USUAL)
        };
        assert_eq!(open(note).unwrap().view.size.get(), 15);
        assert_eq!(open(&note.replace("\n15\n", "\n14\n")).unwrap_err().code, Code::BadSignature);
        assert_eq!(open(&note.replace("rKbD", "sKbD")).unwrap_err().code, Code::BadSignature);
        assert_eq!(open(&note.replace("M9e0l", "M9e0m")).unwrap_err().code, Code::UnknownSigner);
    }

    #[test]
    fn the_log_signs_in_two_algorithms_under_its_one_name() {
        let signer = signer("example.com/behind-the-sofa", 1, true);
        let note = signer.sign(view(20_852_163), UnixSeconds::new(1_679_315_147));
        let parsed = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
        assert_eq!(parsed.note().signatures.len(), 2);
        assert_eq!(parsed.require(&signer.key()).unwrap(), Signed { at: None });
        let second = signer.second_key().unwrap();
        assert_eq!(second.algorithm(), Algorithm::MlDsa44);
        assert_eq!(parsed.require(&second).unwrap().at, Some(UnixSeconds::new(1_679_315_147)));
        assert_eq!(open(&note, &signer).unwrap().text(), parsed.note().text);
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_its_part() {
        let signer = signer("example.com/log", 1, false);
        let note = signer.sign(view(5), UnixSeconds::ZERO);
        assert_eq!(open(&note.replace("\n5\n", "\n05\n"), &signer), Err(Code::BadNote));
        assert_eq!(open(&note.replace("\n5\n", "\n+5\n"), &signer), Err(Code::BadNote));
        assert_eq!(open(&note.replace("\n5\n", "\n18446744073709551616\n"), &signer), Err(Code::BadNote));
        assert_eq!(open(&note.replace("\n5\n", "\n6\n"), &signer), Err(Code::BadSignature));
        assert_eq!(open(&note.replace("log\n5", "lag\n5"), &signer), Err(Code::WrongOrigin));
        assert_eq!(open(&note.replace("=\n\n", "=\nmore\n\n"), &signer), Err(Code::BadSignature));
        assert_eq!(open(&note.replace("=\n\n", "=\n\nmore\n\n"), &signer), Err(Code::BadNote));
        let stranger = note.replace("\u{2014} example.com/log", "\u{2014} example.com/lag");
        assert_eq!(open(&stranger, &signer), Err(Code::UnknownSigner));
        assert_eq!(open(&note, &super::tests::other()), Err(Code::UnknownSigner));
        for text in ["", "o\n", "o\n5\n", "\n5\n", "o\n5\nAAAA\n"] {
            assert_eq!(Checkpoint::parse(text).unwrap_err().code, Code::BadNote, "{text:?}");
        }
    }

    fn other() -> LogSigner {
        signer("example.com/log", 2, false)
    }

    #[test]
    fn an_origin_that_begins_a_cosignature_signs_nothing() {
        let new = |origin: &str| LogSigner::new(origin, crate::testkit::ed25519(1), None).map(drop);
        assert_eq!(new("cosignature/v1").unwrap_err().code, Code::BadIdentifier);
        assert_eq!(new("two words").unwrap_err().code, Code::BadIdentifier);
        assert_eq!(new(&"x".repeat(256)).unwrap_err().code, Code::TooLong);
    }

    #[test]
    fn extension_lines_are_read_and_signed() {
        let mut checkpoint = Checkpoint::new("example.com/log", view(5));
        checkpoint.extensions = "one\ntwo\n".into();
        assert_eq!(Checkpoint::parse(&checkpoint.text()).unwrap(), checkpoint);
        for bad in ["one", "\none\n", "one\n\n", "one\n\ntwo\n"] {
            let text = format!("{}{bad}", Checkpoint::new("o", view(5)).text());
            assert_eq!(Checkpoint::parse(&text).unwrap_err().code, Code::BadNote, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_changed_byte_of_a_note_opens(place: prop::sample::Index, with: u8) {
            let signer = signer("example.com/log", 1, false);
            let mut note = signer.sign(view(5), UnixSeconds::ZERO).into_bytes();
            let at = place.index(note.len());
            prop_assume!(note[at] != with);
            note[at] = with;
            prop_assert!(Checkpoint::open(&note, signer.origin(), &signer.key(), NoteBounds::USUAL).is_err());
        }

        #[test]
        fn a_text_that_is_read_is_written_back(text in "[a-z]{1,4}\n[0-9]{1,3}\n[A-Za-z0-9+/]{43}=\n([a-z]{0,2}\n){0,2}") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.text(), text);
            }
        }
    }
}
