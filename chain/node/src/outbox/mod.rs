//! What blocks did, kept for ever: one journal of block records, one of the outbox tree's nodes.
//!
//! **Order of writes.** A block's record is durable *before* its state is applied ([`Outbox::append`] runs in
//! the hook right before that), so the records never lag behind the state: a crash in between leaves a record
//! whose block is executed again to the same record, which is then skipped. The nodes follow without a sync;
//! what a crash takes of them is made again from the records when the node opens, by the same function.

mod nodes;
mod record;

pub use record::{BlockRecord, Said};

use crate::consensus::{Digest, Runtime};
use crate::engine::BUFFER;
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error as CodecError, RangeCfg, Read, Write};
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::journal::contiguous::{Contiguous as _, fixed, variable};
use commonware_utils::NZU64;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::RwLock;
use zeugma_proof::tree::{Frontier, Hash, MissingNode, Node, inclusion};
use zeugma_types::{Decode as _, Encode as _, HashSuite, Height, LeafIndex, NetworkId, TreeSize};

use crate::state::leaf_of;

/// Longest record, in bytes: the transactions' digests and outcomes, the leaves with their bodies, the events of
/// a full block stay below it.
const MAX_RECORD: usize = 64 * 1024 * 1024;

/// Why the outbox could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The journals failed.
    #[error("outbox storage: {0}")]
    Storage(String),
    /// A record is missing between two blocks, or a record is not one of ours.
    #[error("the outbox is damaged: {0}")]
    Damaged(String),
}

/// The bytes of a record.
#[derive(Clone, Debug)]
struct Stored(Bytes);

impl Write for Stored {
    fn write(&self, out: &mut impl BufMut) {
        self.0.write(out);
    }
}

impl EncodeSize for Stored {
    fn encode_size(&self) -> usize {
        self.0.encode_size()
    }
}

impl Read for Stored {
    type Cfg = ();

    fn read_cfg(reader: &mut impl Buf, (): &()) -> Result<Self, CodecError> {
        Bytes::read_cfg(reader, &RangeCfg::from(..=MAX_RECORD)).map(Self)
    }
}

struct Journals<E: Runtime> {
    /// Block `h` at position `h - 1`.
    records: variable::Journal<E, Stored>,
    /// Nodes in the order of their completion.
    nodes: fixed::Journal<E, Digest>,
    tree: Frontier,
    transactions: u64,
}

/// The journals of one node. Clones share them.
pub(crate) struct Outbox<E: Runtime> {
    network: NetworkId,
    /// Empty only while an operation owns the journals; left empty by one that failed, and then for good.
    journals: Arc<RwLock<Option<Journals<E>>>>,
}

impl<E: Runtime> Clone for Outbox<E> {
    fn clone(&self) -> Self {
        Self { network: self.network, journals: Arc::clone(&self.journals) }
    }
}

fn storage(error: impl std::fmt::Display) -> Error {
    Error::Storage(error.to_string())
}

fn closed() -> Error {
    Error::Storage("closed by an earlier failure".into())
}

impl<E: Runtime> Outbox<E> {
    /// Opens the journals and brings the nodes up to the records.
    pub(crate) async fn open(
        context: &E,
        prefix: &str,
        network: NetworkId,
        cache: &CacheRef,
    ) -> Result<Self, Error> {
        let records = variable::Journal::init(
            context.child("records"),
            variable::Config {
                partition: format!("{prefix}-records"),
                items_per_section: NZU64!(1 << 14),
                compression: None,
                codec_config: (),
                page_cache: cache.clone(),
                write_buffer: BUFFER,
                replay_buffer: BUFFER,
            },
        )
        .await
        .map_err(storage)?;
        let nodes = fixed::Journal::init(
            context.child("nodes"),
            fixed::Config {
                partition: format!("{prefix}-outbox-nodes"),
                items_per_blob: NZU64!(1 << 18),
                page_cache: cache.clone(),
                write_buffer: BUFFER,
                replay_buffer: BUFFER,
            },
        )
        .await
        .map_err(storage)?;
        let tree = Frontier::new(HashSuite::Sha256);
        let mut journals = Journals { records, nodes, tree, transactions: 0 };
        journals = journals.catch_up(network).await?;
        Ok(Self { network, journals: Arc::new(RwLock::new(Some(journals))) })
    }

    /// The height of the last record.
    pub(crate) async fn height(&self) -> Result<Height, Error> {
        let guard = self.journals.read().await;
        Ok(Height::new(guard.as_ref().ok_or_else(closed)?.records.size()))
    }

    /// Makes the record of the next block durable. A record that is there already is left as it is. Gives the
    /// record as it is stored.
    pub(crate) async fn append(&self, mut record: BlockRecord) -> Result<BlockRecord, Error> {
        let mut guard = self.journals.write().await;
        let mut journals = guard.take().ok_or_else(closed)?;
        let (next, height) = (journals.records.size() + 1, record.height.get());
        if height < next {
            let stored = journals.record(height).await?;
            *guard = Some(journals);
            return Ok(stored);
        }
        if height > next || record.first_leaf != journals.tree.size().get() {
            let found = format!("block {height} with {} leaves before it", record.first_leaf);
            let size = journals.tree.size();
            return Err(Error::Damaged(format!(
                "needed block {next} with {size} leaves before it, found {found}"
            )));
        }
        record.first_transaction = journals.transactions;
        // The record first, and durable; then the nodes. A crash in between leaves nodes to be made again.
        let (records, _) =
            journals.records.append(&Stored(record.to_bytes().into())).await.map_err(storage)?;
        journals.records = records.commit().await.map_err(storage)?;
        journals = journals.grow(self.network, &record).await?;
        *guard = Some(journals);
        Ok(record)
    }

    /// The record of a block, if it is there.
    pub(crate) async fn record(&self, height: Height) -> Result<Option<BlockRecord>, Error> {
        let guard = self.journals.read().await;
        let journals = guard.as_ref().ok_or_else(closed)?;
        if height == Height::ZERO || height.get() > journals.records.size() {
            return Ok(None);
        }
        journals.record(height.get()).await.map(Some)
    }

    /// The inclusion path of a leaf in the tree of the first `size` leaves.
    pub(crate) async fn inclusion(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Option<Vec<Hash>>, Error> {
        let guard = self.journals.read().await;
        let journals = guard.as_ref().ok_or_else(closed)?;
        if index.get() >= size.get() || size > journals.tree.size() {
            return Ok(None);
        }
        // First pass: which nodes. They are read; the second pass computes.
        let missing = |MissingNode(node)| Error::Damaged(format!("no place for {node:?}"));
        let mut held = BTreeMap::new();
        for (place, node) in needed(index, size).map_err(missing)? {
            let digest = journals.nodes.read(place).await.map_err(storage)?;
            held.insert(node, bytes_of(&digest));
        }
        let path =
            inclusion(HashSuite::Sha256, index, size, &|node| held.get(&node).copied()).map_err(missing)?;
        Ok(Some(path))
    }
}

/// The nodes that an inclusion path is made from, by their places.
fn needed(index: LeafIndex, size: TreeSize) -> Result<BTreeMap<u64, Node>, MissingNode> {
    let wanted = std::cell::RefCell::new(BTreeMap::new());
    let noting = |node: Node| {
        wanted.borrow_mut().insert(nodes::position(node)?, node);
        Some([0; 32])
    };
    inclusion(HashSuite::Sha256, index, size, &noting)?;
    Ok(wanted.into_inner())
}

fn bytes_of(digest: &Digest) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

impl<E: Runtime> Journals<E> {
    async fn record(&self, height: u64) -> Result<BlockRecord, Error> {
        let stored = self.records.read(height - 1).await.map_err(storage)?;
        let record = BlockRecord::from_bytes(&stored.0)
            .map_err(|refusal| Error::Damaged(format!("record of block {height}: {refusal}")))?;
        if record.height.get() != height {
            return Err(Error::Damaged(format!("needed block {height}, found {}", record.height)));
        }
        Ok(record)
    }

    /// Appends the nodes that the leaves of `record` complete, but for those already there.
    async fn grow(mut self, network: NetworkId, record: &BlockRecord) -> Result<Self, Error> {
        let held = self.nodes.size();
        let mut place =
            nodes::completed(self.tree.size().get()).ok_or_else(|| Error::Damaged("size".into()))?;
        let mut fresh = Vec::new();
        for said in &record.said {
            let leaf = leaf_of(network, record.height, record.time, said);
            self.tree
                .append(*leaf.hash(HashSuite::Sha256).as_bytes(), |_, hash| {
                    if place >= held {
                        fresh.push(Digest::from(*hash));
                    }
                    place += 1;
                })
                .map_err(|refusal| Error::Damaged(refusal.to_string()))?;
        }
        for node in fresh {
            self.nodes = self.nodes.append(&node).await.map_err(storage)?.0;
        }
        self.transactions += record.transactions.len() as u64;
        Ok(self)
    }

    /// Brings the nodes up to the records, from the last record whose leaves the nodes hold whole.
    async fn catch_up(mut self, network: NetworkId) -> Result<Self, Error> {
        let last = self.records.size();
        // The last record that begins within what the nodes hold: blocks without leaves begin where the one
        // before them does, so the search is on a sequence that never falls.
        let held = self.nodes.size();
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let first = self.record(middle).await?.first_leaf;
            let needs = nodes::completed(first).ok_or_else(|| Error::Damaged("first leaf".into()))?;
            if needs <= held { low = middle } else { high = middle - 1 }
        }
        if low > 0 {
            let record = self.record(low).await?;
            let mut peaks = Vec::new();
            for node in nodes::peaks(record.first_leaf) {
                let place = nodes::position(node).ok_or_else(|| Error::Damaged("peak".into()))?;
                peaks.push(bytes_of(&self.nodes.read(place).await.map_err(storage)?));
            }
            self.tree = Frontier::restore(HashSuite::Sha256, TreeSize::new(record.first_leaf), peaks)
                .map_err(|refusal| Error::Damaged(refusal.to_string()))?;
            self.transactions = record.first_transaction;
            for height in low..=last {
                let record = self.record(height).await?;
                self = self.grow(network, &record).await?;
            }
        }
        Ok(self)
    }
}
