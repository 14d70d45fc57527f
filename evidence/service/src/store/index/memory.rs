//! An index in memory: for tests, which give it back to a store as it was at an earlier time.

use super::{Index, IndexRows, RequestRow};
use crate::store::deposit::Position;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use zeugma_types::Refusal;

/// An index that is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    now: Mutex<Rows>,
    /// As it was when it was synced last.
    synced: Mutex<Rows>,
}

#[derive(Clone, Debug, Default)]
struct Rows {
    next: u64,
    identities: HashMap<[u8; 32], Position>,
    requests: HashMap<[u8; 32], RequestRow>,
}

impl MemoryIndex {
    /// A copy of what it holds now.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::of(&self.rows())
    }

    /// A copy of what no power cut takes: what it held when it was synced last.
    #[must_use]
    pub fn copy_synced(&self) -> Self {
        Self::of(&self.synced.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn of(rows: &Rows) -> Self {
        Self { now: Mutex::new(rows.clone()), synced: Mutex::new(rows.clone()) }
    }

    /// How many identities it holds.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows().identities.len()
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index for MemoryIndex {
    fn next(&self) -> Result<u64, Refusal> {
        Ok(self.rows().next)
    }

    fn find(&self, identity: &[u8; 32]) -> Result<Option<Position>, Refusal> {
        Ok(self.rows().identities.get(identity).copied())
    }

    fn identities(&self, each: &mut dyn FnMut(&[u8; 32]) -> bool) -> Result<(), Refusal> {
        let rows = self.rows();
        for identity in rows.identities.keys() {
            if !each(identity) {
                break;
            }
        }
        Ok(())
    }

    fn request(&self, key: &[u8; 32]) -> Result<Option<RequestRow>, Refusal> {
        Ok(self.rows().requests.get(key).cloned())
    }

    fn apply(&self, rows: &IndexRows) -> Result<(), Refusal> {
        let mut held = self.rows();
        for identity in &rows.remove {
            held.identities.remove(identity);
        }
        held.identities.extend(rows.insert.iter().copied());
        held.requests.extend(rows.requests.iter().cloned());
        held.next = rows.next;
        Ok(())
    }

    fn sync(&self) -> Result<(), Refusal> {
        let rows = self.rows().clone();
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = rows;
        Ok(())
    }

    fn clear(&self) -> Result<(), Refusal> {
        *self.rows() = Rows::default();
        Ok(())
    }
}
