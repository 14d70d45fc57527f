//! The search index in fjall: rows of one tag stand beside each other.

use super::{SearchIndex, SearchRows, Tag};
use crate::store::deposit::Position;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use zeugma_types::{Code, Decode as _, Refusal};

const NEXT: &[u8] = b"next";
/// Memory for blocks and filters, in bytes.
const CACHE: u64 = 32 * 1024 * 1024;
/// Bytes of a row.
const ROW: usize = 28;

/// A search index on disk.
pub struct FjallSearch {
    path: PathBuf,
    database: Database,
    rows: Keyspace,
    state: Keyspace,
}

impl FjallSearch {
    /// Opens the index in this folder. One that cannot be opened is removed, and made anew from the segments.
    ///
    /// # Errors
    /// [`Code::StoreFailed`] when none can be made.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        match Self::at(path) {
            Ok(open) => Ok(open),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the search index cannot be opened; it is made anew");
                super::super::fjall::remove(path)?;
                Self::at(path).map_err(|error| failed(&error))
            }
        }
    }

    fn at(path: &Path) -> fjall::Result<Self> {
        let database = Database::builder(path).cache_size(CACHE).worker_threads(1).open()?;
        let (rows, state) = (
            database.keyspace("rows", KeyspaceCreateOptions::default)?,
            database.keyspace("state", KeyspaceCreateOptions::default)?,
        );
        Ok(Self { path: path.to_owned(), database, rows, state })
    }
}

fn failed(error: &fjall::Error) -> Refusal {
    Refusal::new(Code::StoreFailed).found(format!("search index: {error}"))
}

fn key(tag: &Tag, position: Position) -> [u8; ROW] {
    let mut key = [0; ROW];
    key[..16].copy_from_slice(&tag.0);
    key[16..20].copy_from_slice(&position.shard.to_be_bytes());
    key[20..].copy_from_slice(&position.index.to_be_bytes());
    key
}

impl SearchIndex for FjallSearch {
    fn next(&self) -> Result<u64, Refusal> {
        match self.state.get(NEXT).map_err(|error| failed(&error))? {
            None => Ok(0),
            Some(bytes) => u64::from_bytes(&bytes),
        }
    }

    fn find(&self, tag: &Tag, after: Option<Position>, most: usize) -> Result<Vec<Position>, Refusal> {
        let from = match after {
            None => Bound::Included(key(tag, Position { shard: 0, index: 0 })),
            Some(after) => Bound::Excluded(key(tag, after)),
        };
        let end = Bound::Included(key(tag, Position { shard: u32::MAX, index: u64::MAX }));
        let mut found = Vec::new();
        for row in self.rows.range((from, end)).take(most) {
            let key = row.key().map_err(|error| failed(&error))?;
            let (_, place) = key.split_at_checked(16).ok_or_else(|| Refusal::new(Code::Damaged))?;
            let (shard, index) = place.split_at_checked(4).ok_or_else(|| Refusal::new(Code::Damaged))?;
            found.push(Position { shard: u32::from_bytes(shard)?, index: u64::from_bytes(index)? });
        }
        Ok(found)
    }

    fn apply(&self, rows: &SearchRows) -> Result<(), Refusal> {
        let mut batch = self.database.batch();
        for (tag, position) in &rows.insert {
            batch.insert(&self.rows, &key(tag, *position)[..], &[][..]);
        }
        for (tag, position) in &rows.remove {
            batch.remove(&self.rows, &key(tag, *position)[..]);
        }
        if rows.next > 0 {
            batch.insert(&self.state, NEXT, &rows.next.to_be_bytes()[..]);
        }
        batch.commit().map_err(|error| failed(&error))
    }

    fn sync(&self) -> Result<(), Refusal> {
        self.database.persist(PersistMode::SyncAll).map_err(|error| failed(&error))
    }

    fn clear(&self) -> Result<(), Refusal> {
        for keyspace in [&self.state, &self.rows] {
            keyspace.clear().map_err(|error| failed(&error))?;
        }
        self.sync()
    }
}

impl std::fmt::Debug for FjallSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FjallSearch({})", self.path.display())
    }
}
