//! What blocks did that are executed here and not final yet: their records, by digest.
//!
//! It holds no more blocks than the engine holds speculative states, and both lose what is not above the last
//! final height.

use crate::consensus::Digest;
use crate::mempool::TransactionId;
use crate::outbox::BlockRecord;
use commonware_utils::sync::Mutex;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use zeugma_types::Height;

struct Executed {
    parent: Digest,
    record: Arc<BlockRecord>,
}

/// A shared table.
#[derive(Clone, Default)]
pub(crate) struct Pending(Arc<Mutex<BTreeMap<Digest, Executed>>>);

impl Pending {
    pub(crate) fn insert(&self, digest: Digest, parent: Digest, record: BlockRecord) {
        self.0.lock().insert(digest, Executed { parent, record: Arc::new(record) });
    }

    /// What the block did.
    pub(crate) fn record(&self, digest: Digest) -> Option<BlockRecord> {
        self.0.lock().get(&digest).map(|executed| BlockRecord::clone(&executed.record))
    }

    /// The height of a block that is executed here and not final yet.
    pub(crate) fn height(&self, digest: Digest) -> Option<Height> {
        self.0.lock().get(&digest).map(|executed| executed.record.height)
    }

    /// The transactions of the blocks from `tip` down to the last final one.
    pub(crate) fn carried(&self, tip: Digest) -> HashSet<TransactionId> {
        let table = self.0.lock();
        let (mut at, mut carried) = (tip, HashSet::new());
        while let Some(executed) = table.get(&at) {
            carried.extend(executed.record.ids());
            at = executed.parent;
        }
        carried
    }

    /// Forgets the block that became final and all that are not above it.
    pub(crate) fn finalized(&self, digest: Digest, height: Height) {
        let mut table = self.0.lock();
        table.remove(&digest);
        table.retain(|_, executed| executed.record.height > height);
    }
}
