//! The graded report: what a bundle shows, by whom, and what it does not show.
//!
//! Its canonical bytes follow from the arguments of the verification alone. The words are rendered from one
//! table, with times in UTC; nothing depends on a clock, a locale or a machine.

mod render;
mod words;

pub use words::{Authenticity, Integrity, Language, Word};

use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{BlockTime, Code, Encode};

/// A point in time, with whose word it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time stated.
    pub at: BlockTime,
    /// How exact it says that is, in microseconds.
    pub accuracy: Option<u64>,
    /// Who states it.
    pub by: String,
}

/// One sentence with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The sentence.
    pub word: Word,
    /// Whose word it is; empty if it is arithmetic.
    pub by: String,
    /// When, where a time belongs to it.
    pub at: Option<BlockTime>,
    /// What it is about: a field, an algorithm, a rule.
    pub detail: String,
    /// The rule that broke, where one did.
    pub code: Option<Code>,
}

impl Line {
    /// A sentence alone.
    #[must_use]
    pub const fn new(word: Word) -> Self {
        Self { word, by: String::new(), at: None, detail: String::new(), code: None }
    }

    pub(crate) fn by(mut self, who: &str) -> Self {
        self.by = who.into();
        self
    }

    pub(crate) const fn at(mut self, at: BlockTime) -> Self {
        self.at = Some(at);
        self
    }

    pub(crate) fn about(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) const fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }
}

/// What a bundle shows. Only [`crate::verify()`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// SHA-256 of the bundle's bytes.
    pub bundle: [u8; 32],
    /// Fingerprint of the trust file.
    pub trust: [u8; 32],
    /// Digest of the policy.
    pub policy: [u8; 32],
    /// The time for which it was judged.
    pub time: BlockTime,
    /// Whether the content is unchanged since it was logged.
    pub integrity: Integrity,
    /// What speaks for the content before. Legality and relevance are the court's; findings are listed.
    pub authenticity: Authenticity,
    /// When the service says it took the entry.
    pub received: Option<Moment>,
    /// When the log and its witnesses say that the checkpoint with the entry was there.
    pub logged: Vec<Moment>,
    /// When the network and the time authorities say that they saw the checkpoint.
    pub anchored: Vec<Moment>,
    /// What is shown.
    pub shown: Vec<Line>,
    /// What is not.
    pub not_shown: Vec<Line>,
}

impl Encode for Moment {
    fn encode(&self, out: &mut Vec<u8>) {
        self.at.encode(out);
        put_option(out, self.accuracy.as_ref(), |out, accuracy| accuracy.encode(out));
        put_bytes(out, self.by.as_bytes());
    }
}

impl Encode for Line {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.word as u16).encode(out);
        put_bytes(out, self.by.as_bytes());
        put_option(out, self.at.as_ref(), |out, at| at.encode(out));
        put_bytes(out, self.detail.as_bytes());
        put_option(out, self.code.as_ref(), |out, code| code.number().encode(out));
    }
}

impl Encode for Report {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"ZGREPRT1");
        self.bundle.encode(out);
        self.trust.encode(out);
        self.policy.encode(out);
        self.time.encode(out);
        out.push(self.integrity as u8);
        out.push(self.authenticity as u8);
        put_option(out, self.received.as_ref(), |out, moment| moment.encode(out));
        put_list(out, &self.logged, |out, moment| moment.encode(out));
        put_list(out, &self.anchored, |out, moment| moment.encode(out));
        put_list(out, &self.shown, |out, line| line.encode(out));
        put_list(out, &self.not_shown, |out, line| line.encode(out));
    }
}
