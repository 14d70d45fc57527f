//! The index in fjall, a log-structured store: random keys cost no random writes.

use super::{Index, IndexRows, RequestRow};
use crate::store::deposit::Position;
use crate::store::frame::Span;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::path::{Path, PathBuf};
use zeugma_types::codec::put_list;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

const NEXT: &[u8] = b"next";
/// Rows that are held in memory until they are written, in bytes: what is read again from the journal at opening.
const MEMTABLE: u64 = 16 * 1024 * 1024;
/// Memory for blocks and filters, in bytes.
const CACHE: u64 = 128 * 1024 * 1024;
/// Longest stored answer: every item of a batch for itself.
const MAX_SPANS: usize = 1 << 16;

/// An index on disk.
pub struct FjallIndex {
    path: PathBuf,
    open: Open,
}

struct Open {
    database: Database,
    identities: Keyspace,
    requests: Keyspace,
    state: Keyspace,
}

impl FjallIndex {
    /// Opens the index in this folder. One that cannot be opened is removed, and made anew from the segments.
    ///
    /// # Errors
    /// [`Code::StoreFailed`] when none can be made.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let open = match Open::at(path) {
            Ok(open) => open,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the index cannot be opened; it is made anew");
                remove(path)?;
                Open::at(path).map_err(|error| failed(&error))?
            }
        };
        Ok(Self { path: path.to_owned(), open })
    }

    const fn held(&self) -> &Open {
        &self.open
    }
}

impl Open {
    fn at(path: &Path) -> fjall::Result<Self> {
        let database = Database::builder(path).cache_size(CACHE).worker_threads(1).open()?;
        let keyspace = |name: &str| {
            database.keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE))
        };
        let (identities, requests, state) =
            (keyspace("identities")?, keyspace("requests")?, keyspace("state")?);
        Ok(Self { database, identities, requests, state })
    }
}

pub(super) fn remove(path: &Path) -> Result<(), Refusal> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(crate::store::io_refusal(&error)),
        _ => Ok(()),
    }
}

fn failed(error: &fjall::Error) -> Refusal {
    Refusal::new(Code::StoreFailed).found(format!("index: {error}"))
}

fn position(bytes: &[u8]) -> Result<Position, Refusal> {
    let mut reader = Reader::new(bytes);
    let position = Position { shard: reader.u32()?, index: reader.u64()? };
    reader.finish()?;
    Ok(position)
}

impl Index for FjallIndex {
    fn next(&self) -> Result<u64, Refusal> {
        match self.held().state.get(NEXT).map_err(|error| failed(&error))? {
            None => Ok(0),
            Some(bytes) => u64::from_bytes(&bytes),
        }
    }

    fn find(&self, identity: &[u8; 32]) -> Result<Option<Position>, Refusal> {
        let found = self.held().identities.get(identity).map_err(|error| failed(&error))?;
        found.map(|bytes| position(&bytes)).transpose()
    }

    fn identities(&self, each: &mut dyn FnMut(&[u8; 32]) -> bool) -> Result<(), Refusal> {
        for row in self.held().identities.iter() {
            let key = row.key().map_err(|error| failed(&error))?;
            let identity =
                key.as_ref().try_into().map_err(|_| crate::store::damaged("a row of the index"))?;
            if !each(identity) {
                break;
            }
        }
        Ok(())
    }

    fn request(&self, key: &[u8; 32]) -> Result<Option<RequestRow>, Refusal> {
        let Some(bytes) = self.held().requests.get(key).map_err(|error| failed(&error))? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&bytes);
        let row = RequestRow { body: reader.array()?, spans: reader.list(MAX_SPANS, Span::decode)? };
        reader.finish()?;
        Ok(Some(row))
    }

    fn apply(&self, rows: &IndexRows) -> Result<(), Refusal> {
        let held = self.held();
        let mut batch = held.database.batch();
        for identity in &rows.remove {
            batch.remove(&held.identities, &identity[..]);
        }
        // In the order of the keys: neighbours are found in the same places of memory.
        let mut insert: Vec<_> = rows.insert.iter().collect();
        insert.sort_unstable_by_key(|(identity, _)| identity);
        for (identity, position) in insert {
            let mut value = [0; 12];
            value[..4].copy_from_slice(&position.shard.to_be_bytes());
            value[4..].copy_from_slice(&position.index.to_be_bytes());
            batch.insert(&held.identities, &identity[..], &value[..]);
        }
        for (key, row) in &rows.requests {
            let mut value = row.body.to_vec();
            put_list(&mut value, &row.spans, |out, span| span.encode(out));
            batch.insert(&held.requests, &key[..], value);
        }
        batch.insert(&held.state, NEXT, &rows.next.to_be_bytes()[..]);
        batch.commit().map_err(|error| failed(&error))
    }

    fn sync(&self) -> Result<(), Refusal> {
        self.held().database.persist(PersistMode::SyncAll).map_err(|error| failed(&error))
    }

    fn clear(&self) -> Result<(), Refusal> {
        let held = self.held();
        for keyspace in [&held.state, &held.requests, &held.identities] {
            keyspace.clear().map_err(|error| failed(&error))?;
        }
        held.database.persist(PersistMode::SyncAll).map_err(|error| failed(&error))
    }
}

impl std::fmt::Debug for FjallIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FjallIndex({})", self.path.display())
    }
}
