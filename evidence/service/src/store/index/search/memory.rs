//! A search index in memory: for tests.

use super::{SearchIndex, SearchRows, Tag};
use crate::store::deposit::Position;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_types::Refusal;

/// A search index that is gone with the process.
#[derive(Debug, Default)]
pub struct MemorySearch(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    next: u64,
    rows: BTreeSet<(Tag, Position)>,
}

impl MemorySearch {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows it holds.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows().rows.len()
    }
}

impl SearchIndex for MemorySearch {
    fn next(&self) -> Result<u64, Refusal> {
        Ok(self.rows().next)
    }

    fn find(&self, tag: &Tag, after: Option<Position>, most: usize) -> Result<Vec<Position>, Refusal> {
        let from = match after {
            None => Bound::Included((*tag, Position { shard: 0, index: 0 })),
            Some(after) => Bound::Excluded((*tag, after)),
        };
        let end = Bound::Included((*tag, Position { shard: u32::MAX, index: u64::MAX }));
        Ok(self.rows().rows.range((from, end)).take(most).map(|(_, position)| *position).collect())
    }

    fn apply(&self, rows: &SearchRows) -> Result<(), Refusal> {
        let mut held = self.rows();
        held.rows.extend(rows.insert.iter().copied());
        for row in &rows.remove {
            held.rows.remove(row);
        }
        held.next = held.next.max(rows.next);
        Ok(())
    }

    fn sync(&self) -> Result<(), Refusal> {
        Ok(())
    }

    fn clear(&self) -> Result<(), Refusal> {
        *self.rows() = Rows::default();
        Ok(())
    }
}
