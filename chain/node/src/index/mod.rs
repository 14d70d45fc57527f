//! Where to find things: a transaction by its digest, a leaf by its index or its path.
//!
//! The index follows the records of blocks and can be thrown away: what it lacks when the node opens is put in
//! again from the records, by the same function. It is made durable every [`SYNC_EVERY`] blocks. Transactions are many
//! and have a place of their own ([`transactions`]).
//!
//! A path can be said again (a client's status, an entry of the registry). The `n`-th leaf under a path is kept
//! under the path and `n`, and the latest is found by doubling steps, so nothing is ever overwritten.

#[cfg(test)]
mod tests;
mod transactions;

use transactions::Transactions;

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

/// Where a leaf stands: its block, and its index.
type LeafPlace = (u64, u64);

struct Archives<E: Runtime> {
    transactions: Transactions<E>,
    leaves: immutable::Archive<E, Digest, LeafPlace>,
    synced: Option<u64>,
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

/// The first height whose record holds a transaction that comes after `stored` others, or the one after `last`.
async fn holding<E: Runtime>(outbox: &Outbox<E>, stored: u64, last: u64) -> Result<u64, String> {
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let record = outbox.record(Height::new(middle)).await.map_err(storage)?;
        let end =
            record.map_or(u64::MAX, |record| record.first_transaction + record.transactions.len() as u64);
        if end > stored { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

impl<E: Runtime> Index<E> {
    /// Opens the archives and brings them up to the records.
    pub(crate) async fn open(
        context: &E,
        prefix: &str,
        cache: &CacheRef,
        outbox: &Outbox<E>,
    ) -> Result<Self, String> {
        let transactions = Transactions::open(context, prefix, cache).await?;
        let leaves = immutable::Archive::init(
            context.child("leaves"),
            crate::engine::archive(prefix, "leaves", cache, ((), ())),
        )
        .await
        .map_err(storage)?;
        let last = outbox.height().await.map_err(storage)?.get();
        let newest: Option<LeafPlace> = match leaves.last_index() {
            Some(index) => leaves.get(Identifier::Index(index)).await.map_err(storage)?,
            None => None,
        };
        let stored = transactions.stored().await?;
        let begin = holding(outbox, stored, last).await?;
        // The leaves are synced with the transactions: from so far below the newer of both, no leaf is missed, and
        // what is there already is passed over.
        let newest = newest.map_or(begin, |place| begin.max(place.0));
        let from = begin.min(newest.saturating_sub(SYNC_EVERY)).max(1);
        let mut archives = Archives { transactions, leaves, synced: None };
        for height in from..=last {
            if let Some(record) = outbox.record(Height::new(height)).await.map_err(storage)? {
                archives.transactions.put_from(&record, stored);
                archives = archives.put_leaves(&record).await?;
            }
        }
        let archives = archives.sync(last).await?;
        Ok(Self { archives: Arc::new(RwLock::new(Some(archives))) })
    }

    /// Takes note of a block's record. From now on it is found.
    pub(crate) async fn put(&self, record: &BlockRecord) -> Result<(), String> {
        let mut guard = self.archives.write().await;
        let mut archives = guard.take().ok_or_else(closed)?;
        archives.transactions.put(record);
        archives = archives.put_leaves(record).await?;
        *guard = Some(archives);
        Ok(())
    }

    /// Writes what earlier calls of [`Index::put`] noted, as much as is due after this block.
    pub(crate) async fn settle(&self, record: &BlockRecord) -> Result<(), String> {
        let mut guard = self.archives.write().await;
        let mut archives = guard.take().ok_or_else(closed)?;
        let height = record.height.get();
        archives.transactions = archives.transactions.settle(record.transactions.len()).await?;
        if archives.synced.is_none_or(|synced| height.saturating_sub(synced) >= SYNC_EVERY) {
            archives = archives.sync(height).await?;
        }
        *guard = Some(archives);
        Ok(())
    }

    /// The block of a transaction and its number there.
    pub(crate) async fn transaction(&self, id: &TransactionId) -> Result<Option<(Height, u32)>, String> {
        let guard = self.archives.read().await;
        let archives = guard.as_ref().ok_or_else(closed)?;
        let place = archives.transactions.find(id).await?;
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
    async fn put_leaves(mut self, record: &BlockRecord) -> Result<Self, String> {
        let height = record.height.get();
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
        self.transactions = self.transactions.sync().await?;
        self.leaves = self.leaves.sync().await.map_err(storage)?;
        self.synced = Some(height);
        Ok(self)
    }
}
