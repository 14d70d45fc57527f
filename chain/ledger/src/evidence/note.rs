//! Checkpoints as signed notes, under the bounds of this chain. What a note is, `zeugma-evidence-log` says.

use super::LogKey;
use crate::limits::{MAX_NOTE, MAX_NOTE_LINES};
use alloc::string::String;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::{NoteBounds, VerifierKey};
use zeugma_proof::body::LogView;
use zeugma_types::Refusal;

pub use zeugma_evidence_log::SECOND_TREE_SUFFIX;

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
    /// [`Code::TooLong`], [`Code::TooMany`] lines, [`Code::BadNote`] with the part that is not of the form,
    /// [`Code::WrongOrigin`], [`Code::UnknownSigner`] without a line of this key, [`Code::BadSignature`].
    ///
    /// [`Code::TooLong`]: zeugma_types::Code::TooLong
    /// [`Code::TooMany`]: zeugma_types::Code::TooMany
    /// [`Code::BadNote`]: zeugma_types::Code::BadNote
    /// [`Code::WrongOrigin`]: zeugma_types::Code::WrongOrigin
    /// [`Code::UnknownSigner`]: zeugma_types::Code::UnknownSigner
    /// [`Code::BadSignature`]: zeugma_types::Code::BadSignature
    pub fn open(note: &[u8], origin: &str, key: &LogKey) -> Result<Self, Refusal> {
        let signed = SignedCheckpoint::parse(note, NoteBounds { bytes: MAX_NOTE, lines: MAX_NOTE_LINES })?;
        signed.require_origin(origin)?;
        signed.require(&VerifierKey::ed25519(origin, &key.ed25519)?)?;
        Ok(Self { origin: origin.into(), view: signed.claimed().view })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{LogSigner, encode_base64};
    use alloc::format;
    use proptest::prelude::*;
    use zeugma_types::Code;

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

    proptest! {
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
