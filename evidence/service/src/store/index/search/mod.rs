//! The search index: which entries of a tenant have a digest, a case, a submitter.
//!
//! It follows the segments with a thread and a place of its own, behind everything: a deposit never waits for it, and it
//! says how far it is. A row is a tag and a position and nothing else, so rows say nothing without the record, and what is
//! found is read from the segments before it is shown. Erasing an entry takes its rows out and leaves one: that it
//! was this tenant's and is erased.
//!
//! ```text
//! row = tag [16] · shard u32 · index u64
//! tag = first 16 bytes of the framed SHA-256, purpose `SearchTag`, of kind u8 · tenant bytes · value bytes
//! ```

mod fjall;
pub(in crate::store) mod follow;
mod memory;

pub use fjall::FjallSearch;
pub use memory::MemorySearch;

use crate::store::deposit::{Position, Private};
use zeugma_crypto::hash::framed;
use zeugma_evidence_log::{Field, Record};
use zeugma_types::codec::put_bytes;
use zeugma_types::{Purpose, Refusal};

/// The custom field that holds the number of a case.
pub const CASE: &str = "case";

/// What rows are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(in crate::store) [u8; 16]);

/// What a tag stands for, within one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term<'a> {
    /// Every entry.
    All,
    /// A digest of the content, in whatever suite.
    Digest(&'a [u8; 32]),
    /// The number of a case.
    Case(&'a [u8]),
    /// A submitter's pseudonym.
    Submitter(&'a str),
    /// Every entry whose record was erased.
    Erased,
}

impl Tag {
    /// Of a term within a tenant.
    #[must_use]
    pub fn new(tenant: &str, term: Term<'_>) -> Self {
        let (kind, value): (u8, &[u8]) = match term {
            Term::All => (1, &[]),
            Term::Digest(digest) => (2, digest),
            Term::Case(case) => (3, case),
            Term::Submitter(submitter) => (4, submitter.as_bytes()),
            Term::Erased => (5, &[]),
        };
        let mut bytes = vec![kind];
        put_bytes(&mut bytes, tenant.as_bytes());
        put_bytes(&mut bytes, value);
        Self(*framed(Purpose::SearchTag, &[&bytes]).first_chunk().expect("a hash has 32 bytes"))
    }

    /// The tags of a record.
    fn of(tenant: &str, record: &Record) -> Vec<Self> {
        let mut tags = vec![Self::new(tenant, Term::All)];
        for field in record.fields() {
            let term = match field {
                Field::Sha256(digest) | Field::Sm3(digest) => Term::Digest(digest),
                Field::Submitter(submitter) => Term::Submitter(submitter),
                Field::Custom(custom) if custom.name == CASE => Term::Case(&custom.value),
                _ => continue,
            };
            tags.push(Self::new(tenant, term));
        }
        tags
    }
}

/// What frames change of the index, in one step.
#[derive(Clone, Debug, Default)]
pub struct SearchRows {
    /// Sequence of the first frame that is not in it; 0 leaves it as it is.
    pub next: u64,
    /// New rows.
    pub insert: Vec<(Tag, Position)>,
    /// Rows of what was erased.
    pub remove: Vec<(Tag, Position)>,
}

impl SearchRows {
    pub(in crate::store) fn add(&mut self, private: &Private, position: Position) {
        self.insert.extend(Tag::of(&private.tenant, &private.record).into_iter().map(|tag| (tag, position)));
    }

    pub(in crate::store) fn take_out(&mut self, private: &Private, position: Position) {
        self.remove.extend(Tag::of(&private.tenant, &private.record).into_iter().map(|tag| (tag, position)));
    }
}

/// A search index.
pub trait SearchIndex: Send + Sync {
    /// Sequence of the first frame that is not in it; 0 when it is empty.
    ///
    /// # Errors
    /// When it cannot be read.
    fn next(&self) -> Result<u64, Refusal>;
    /// Positions under a tag behind `after`, ascending, at most `most`.
    ///
    /// # Errors
    /// When it cannot be read.
    fn find(&self, tag: &Tag, after: Option<Position>, most: usize) -> Result<Vec<Position>, Refusal>;
    /// Applies rows, all of them or none. They are durable after [`SearchIndex::sync`], or later.
    ///
    /// # Errors
    /// When it cannot be written.
    fn apply(&self, rows: &SearchRows) -> Result<(), Refusal>;
    /// Makes what was applied durable.
    ///
    /// # Errors
    /// When it cannot be written.
    fn sync(&self) -> Result<(), Refusal>;
    /// Forgets everything.
    ///
    /// # Errors
    /// When it cannot be written.
    fn clear(&self) -> Result<(), Refusal>;
}
