//! Transactions that were checked lately and do not wait: those of blocks that came before their gossip, and those
//! that are final.
//!
//! A signature is verified once, wherever its transaction comes from first. What is forgotten is verified again, so
//! nothing but cost depends on the bounds.

use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use zeugma_ledger::Checked;

/// Most transactions: a full block, and what arrives while it is decided.
const MAX: usize = 32_768;
/// Most bytes of them: four full blocks.
const MAX_BYTES: usize = 4 * crate::consensus::MAX_BLOCK_BYTES;

/// A checked transaction.
#[derive(Clone)]
struct Known {
    checked: Arc<Checked>,
    place: Place,
}

/// Where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a block that may become final or be passed over.
    Proposed,
    /// In a final block: its gossip says nothing new.
    Final,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Recent {
    held: HashMap<Bytes, Known>,
    order: VecDeque<Bytes>,
    bytes: usize,
}

impl Recent {
    /// The checked form of exactly these bytes.
    pub(crate) fn checked(&self, bytes: &Bytes) -> Option<Arc<Checked>> {
        self.held.get(bytes).map(|known| Arc::clone(&known.checked))
    }

    /// Whether these bytes are known to stand in a final block.
    pub(crate) fn is_final(&self, bytes: &Bytes) -> bool {
        self.held.get(bytes).is_some_and(|known| known.place == Place::Final)
    }

    /// Remembers a transaction, and forgets the oldest beyond the bounds.
    pub(crate) fn insert(&mut self, bytes: &Bytes, checked: Arc<Checked>, place: Place) {
        if let Some(known) = self.held.get_mut(bytes) {
            known.place = place;
            return;
        }
        // A copy: a slice would keep the message alive that it came in.
        let bytes = Bytes::copy_from_slice(bytes);
        self.bytes += bytes.len();
        self.order.push_back(bytes.clone());
        self.held.insert(bytes, Known { checked, place });
        while self.order.len() > MAX || self.bytes > MAX_BYTES {
            let Some(oldest) = self.order.pop_front() else { return };
            self.bytes -= oldest.len();
            self.held.remove(&oldest);
        }
    }

    /// Says that the bytes stand in a final block, if they are known.
    pub(crate) fn settle(&mut self, bytes: &Bytes) {
        if let Some(known) = self.held.get_mut(bytes) {
            known.place = Place::Final;
        }
    }
}
