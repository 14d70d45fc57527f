//! Searching: what the index finds is read from the segments, and shown if it is what was asked.

use super::deposit::Position;
use super::index::search::{Tag, Term};
use super::open::Log;
use super::read::Stored;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use zeugma_evidence_log::{Field, Record};
use zeugma_types::{Code, Refusal};

/// Rows looked at for one page: those that a second criterion drops count too.
const LOOKED_AT: usize = 1_000;
/// Rows asked of the index at a time.
const AT_A_TIME: usize = 128;

/// What is searched for, all of it, within one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// A digest of the content.
    pub digest: Option<[u8; 32]>,
    /// The number of a case.
    pub case: Option<String>,
    /// A submitter's pseudonym.
    pub submitter: Option<String>,
}

/// An entry that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it stands.
    pub position: Position,
    /// As it is kept.
    pub stored: Stored,
}

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct Page {
    /// In the order of their positions.
    pub found: Vec<Found>,
    /// Behind which position the next page begins; `None` behind the last.
    pub after: Option<Position>,
    /// Whether the index had everything that was durable when it was asked.
    pub complete: bool,
}

impl Query {
    /// The term that is found by: the one that fewest entries have. The others are compared.
    fn term(&self) -> Term<'_> {
        match self {
            Self { digest: Some(digest), .. } => Term::Digest(digest),
            Self { case: Some(case), .. } => Term::Case(case.as_bytes()),
            Self { submitter: Some(submitter), .. } => Term::Submitter(submitter),
            _ => Term::All,
        }
    }

    fn fits(&self, record: &Record) -> bool {
        let any = |fits: &dyn Fn(&Field) -> bool| record.fields().iter().any(fits);
        let digest = self.digest.is_none_or(|asked| {
            any(&|field| matches!(field, Field::Sha256(digest) | Field::Sm3(digest) if *digest == asked))
        });
        let case = self.case.as_ref().is_none_or(|asked| {
            any(&|field| {
                matches!(field, Field::Custom(custom)
                    if custom.name == super::CASE && custom.value == asked.as_bytes())
            })
        });
        let submitter = self
            .submitter
            .as_ref()
            .is_none_or(|asked| any(&|field| matches!(field, Field::Submitter(found) if found == asked)));
        digest && case && submitter
    }
}

impl Log {
    /// Entries of a tenant behind a position, at most `most` of them. Waits for the index until it has all that is durable, or
    /// so long.
    ///
    /// # Errors
    /// [`Code::IndexBehind`] without a search index; [`Code::StoreFailed`], [`Code::Damaged`].
    pub fn search(
        &self,
        tenant: &str,
        query: &Query,
        after: Option<Position>,
        (most, longest): (usize, Duration),
    ) -> Result<Page, Refusal> {
        let searching = self.shared.searching.as_ref().ok_or_else(|| Refusal::new(Code::IndexBehind))?;
        let complete = self.wait_searchable(longest);
        let tag = Tag::new(tenant, query.term());
        let (mut found, mut last, mut looked_at) = (Vec::new(), after, 0);
        loop {
            let positions = searching.index.find(&tag, last, AT_A_TIME)?;
            let more = positions.len() == AT_A_TIME;
            for position in positions {
                if found.len() == most || looked_at == LOOKED_AT {
                    return Ok(Page { found, after: last, complete });
                }
                (last, looked_at) = (Some(position), looked_at + 1);
                match self.stored(position) {
                    // A row says where to look, and the record what is there.
                    Ok(stored) if stored.tenant == tenant && query.fits(&stored.record) => {
                        found.push(Found { position, stored });
                    }
                    Ok(_) => {}
                    Err(refusal) if refusal.code == Code::RecordErased => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            if !more {
                return Ok(Page { found, after: None, complete });
            }
        }
    }

    /// Positions of a tenant under a term behind a position, as the index has them now.
    ///
    /// # Errors
    /// [`Code::IndexBehind`] without a search index; [`Code::StoreFailed`].
    pub fn positions(
        &self,
        tenant: &str,
        term: Term<'_>,
        after: Option<Position>,
        most: usize,
    ) -> Result<Vec<Position>, Refusal> {
        let searching = self.shared.searching.as_ref().ok_or_else(|| Refusal::new(Code::IndexBehind))?;
        searching.index.find(&Tag::new(tenant, term), after, most)
    }

    /// Whether an erased entry was this tenant's. Without a search index nobody knows.
    ///
    /// # Errors
    /// [`Code::StoreFailed`].
    pub fn erased_of(&self, tenant: &str, position: Position) -> Result<bool, Refusal> {
        let Some(searching) = self.shared.searching.as_ref() else { return Ok(false) };
        let after = match position.index.checked_sub(1) {
            Some(index) => Some(Position { shard: position.shard, index }),
            None => position.shard.checked_sub(1).map(|shard| Position { shard, index: u64::MAX }),
        };
        let tag = Tag::new(tenant, Term::Erased);
        Ok(searching.index.find(&tag, after, 1)?.first() == Some(&position))
    }

    /// Whether the search index has everything that was durable when this was called, waiting so long for it.
    #[must_use]
    pub fn wait_searchable(&self, longest: Duration) -> bool {
        let (start, end) = (Instant::now(), self.shared.durable.load(Ordering::Acquire));
        let Some(searching) = self.shared.searching.as_ref() else { return false };
        while searching.indexed.load(Ordering::Acquire) < end {
            if start.elapsed() > longest {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }
}
