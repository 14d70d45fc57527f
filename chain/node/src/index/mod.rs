//! Where to find things: a transaction by its digest, a leaf by its index or its path.
//!
//! The index follows the records of blocks and can be thrown away: what it lacks when the node opens is put in
//! again from the records, by the same function. It is made durable every [`SYNC_EVERY`] blocks.
//!
//! A path can be said again (a client's status, an entry of the registry). The `n`-th leaf under a path is kept
//! under the path and `n`, and the latest is found by doubling steps, so nothing is ever overwritten.

use crate::consensus::{Digest, Runtime};
use crate::mempool::TransactionId;
use crate::outbox::{BlockRecord, Outbox};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::{Archive as _, Identifier, immutable};
use std::sync::Arc;
use tokio::sync::RwLock;
use zeugma_types::{Encode as _, Height, LeafIndex, LeafPath};

/// Blocks between two syncs.
const SYNC_EVERY: u64 = 256;

/// Where a transaction stands: its block, and its number there.
type Place = (u64, u32);
/// Where a leaf stands: its block, and its index.
type LeafPlace = (u64, u64);

struct Archives<E: Runtime> {
    transactions: immutable::Archive<E, Digest, Place>,
    leaves: immutable::Archive<E, Digest, LeafPlace>,
    synced: u64,
}

/// See the module. Clones share the archives.
pub(crate) struct Index<E: Runtime> {
    archives: Arc<RwLock<Option<Archives<E>>>>,
}

impl<E: Runtime> Clone for Index<E> {
    fn clone(&self) -> Self {
        Self { archives: Arc::clone(&self.archives) }
    }
}

fn storage(error: impl std::fmt::Display) -> String {
    format!("index storage: {error}")
}

fn closed() -> String {
    "index storage: closed by an earlier failure".into()
}

fn path_key(path: &LeafPath, occurrence: u64) -> Digest {
    Sha256::hash(&[&path.to_bytes(), &occurrence.to_be_bytes()])
}

impl<E: Runtime> Index<E> {
    /// Opens the archives and brings them up to the records.
    pub(crate) async fn open(
        context: &E,
        prefix: &str,
        cache: &CacheRef,
        outbox: &Outbox<E>,
    ) -> Result<Self, String> {
        let transactions = immutable::Archive::init(
            context.child("transactions"),
            crate::engine::archive(prefix, "transactions", cache, ((), ())),
        )
        .await
        .map_err(storage)?;
        let leaves = immutable::Archive::init(
            context.child("leaves"),
            crate::engine::archive(prefix, "leaves", cache, ((), ())),
        )
        .await
        .map_err(storage)?;
        let last = outbox.height().await.map_err(storage)?.get();
        let newest: Option<Place> = match transactions.last_index() {
            Some(index) => transactions.get(Identifier::Index(index)).await.map_err(storage)?,
            None => None,
        };
        let newest_leaf: Option<LeafPlace> = match leaves.last_index() {
            Some(index) => leaves.get(Identifier::Index(index)).await.map_err(storage)?,
            None => None,
        };
        // The transactions are synced first, the leaves at most that many blocks later: from so far below the
        // newest of both, nothing is missed, and what is there already is passed over.
        let newest = newest.map_or(0, |place| place.0).max(newest_leaf.map_or(0, |place| place.0));
        let from = newest.saturating_sub(SYNC_EVERY).max(1);
        let mut archives = Archives { transactions, leaves, synced: last };
        for height in from..=last {
            if let Some(record) = outbox.record(Height::new(height)).await.map_err(storage)? {
                archives = archives.put(&record).await?;
            }
        }
        let archives = archives.sync(last).await?;
        Ok(Self { archives: Arc::new(RwLock::new(Some(archives))) })
    }

    /// Takes note of a block's record.
    pub(crate) async fn put(&self, record: &BlockRecord) -> Result<(), String> {
        let mut guard = self.archives.write().await;
        let mut archives = guard.take().ok_or_else(closed)?;
        archives = archives.put(record).await?;
        if record.height.get().saturating_sub(archives.synced) >= SYNC_EVERY {
            archives = archives.sync(record.height.get()).await?;
        }
        *guard = Some(archives);
        Ok(())
    }

    /// The block of a transaction and its number there.
    pub(crate) async fn transaction(&self, id: &TransactionId) -> Result<Option<(Height, u32)>, String> {
        let guard = self.archives.read().await;
        let archives = guard.as_ref().ok_or_else(closed)?;
        let place = archives.transactions.get(Identifier::Key(&Digest::from(*id))).await.map_err(storage)?;
        Ok(place.map(|(height, number)| (Height::new(height), number)))
    }

    /// The block of a leaf.
    pub(crate) async fn leaf(&self, index: LeafIndex) -> Result<Option<Height>, String> {
        let guard = self.archives.read().await;
        let archives = guard.as_ref().ok_or_else(closed)?;
        let place = archives.leaves.get(Identifier::Index(index.get())).await.map_err(storage)?;
        Ok(place.map(|(height, _)| Height::new(height)))
    }

    /// The latest leaf under a path.
    pub(crate) async fn latest(&self, path: &LeafPath) -> Result<Option<LeafIndex>, String> {
        let guard = self.archives.read().await;
        let archives = guard.as_ref().ok_or_else(closed)?;
        let Some(last) = archives.occurrences(path).await?.checked_sub(1) else { return Ok(None) };
        let place = archives.leaves.get(Identifier::Key(&path_key(path, last))).await.map_err(storage)?;
        Ok(place.map(|(_, index)| LeafIndex::new(index)))
    }
}

impl<E: Runtime> Archives<E> {
    async fn put(mut self, record: &BlockRecord) -> Result<Self, String> {
        let height = record.height.get();
        for (number, (id, _)) in (0_u32..).zip(&record.transactions) {
            let (index, key) = (record.first_transaction + u64::from(number), Digest::from(*id));
            // The first time counts: a transaction that stands again in a later block is not admitted there.
            if !self.transactions.has(Identifier::Key(&key)).await.map_err(storage)? {
                self.transactions =
                    self.transactions.put(index, key, &(height, number)).await.map_err(storage)?;
            }
        }
        for (index, said) in (record.first_leaf..).zip(&record.said) {
            if self.leaves.has(Identifier::Index(index)).await.map_err(storage)? {
                continue;
            }
            let key = path_key(&said.path, self.occurrences(&said.path).await?);
            self.leaves = self.leaves.put(index, key, &(height, index)).await.map_err(storage)?;
        }
        Ok(self)
    }

    /// How many leaves were said under `path`.
    async fn occurrences(&self, path: &LeafPath) -> Result<u64, String> {
        let (mut below, mut above) = (0_u64, 1_u64);
        // Doubling: `below` leaves are there, `above` may not be.
        while self.has(path, above - 1).await? {
            below = above;
            above = above.saturating_mul(2);
        }
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if self.has(path, middle - 1).await? { below = middle } else { above = middle }
        }
        Ok(below)
    }

    async fn has(&self, path: &LeafPath, occurrence: u64) -> Result<bool, String> {
        self.leaves.has(Identifier::Key(&path_key(path, occurrence))).await.map_err(storage)
    }

    async fn sync(mut self, height: u64) -> Result<Self, String> {
        self.transactions = self.transactions.sync().await.map_err(storage)?;
        self.leaves = self.leaves.sync().await.map_err(storage)?;
        self.synced = height;
        Ok(self)
    }
}
