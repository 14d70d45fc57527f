//! Transactions that wait for a block: a bounded pool, and its spreading among the validators.
//!
//! A transaction is parsed and its signature verified once, before it enters. The pool is memory only: what
//! was submitted and is in no block when the node stops must be submitted again.

mod gossip;
mod pool;

pub(crate) use gossip::{Gossip, MAX_GOSSIP};
pub(crate) use pool::{Candidate, Limits, Pool, TransactionId};

use bytes::Bytes;
use commonware_utils::sync::Mutex;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use zeugma_ledger::Checked;
use zeugma_types::Refusal;

/// Refusals remembered for those who ask, of transactions that never reached a block.
const MAX_REFUSED: usize = 4_096;
/// Submitted transactions that wait to be spread; more are spread by the leader's block alone.
const MAX_SPREADING: usize = 8_192;

#[derive(Default)]
struct Refused {
    reasons: HashMap<TransactionId, Refusal>,
    order: VecDeque<TransactionId>,
}

struct Shared {
    pool: Mutex<Pool>,
    refused: Mutex<Refused>,
    arrived: Notify,
    spreading: mpsc::Sender<Bytes>,
}

/// A handle on the pool.
#[derive(Clone)]
pub(crate) struct Mempool(Arc<Shared>);

impl Mempool {
    /// An empty pool, and what is to be spread.
    pub(crate) fn new(limits: Limits) -> (Self, mpsc::Receiver<Bytes>) {
        let (spreading, receiver) = mpsc::channel(MAX_SPREADING);
        let shared = Shared {
            pool: Mutex::new(Pool::new(limits)),
            refused: Mutex::new(Refused::default()),
            arrived: Notify::new(),
            spreading,
        };
        (Self(Arc::new(shared)), receiver)
    }

    /// Keeps a transaction that a client submitted here, and spreads it.
    ///
    /// # Errors
    /// As [`Pool::insert`].
    pub(crate) fn submit(&self, candidate: Candidate) -> Result<(), Refusal> {
        let bytes = candidate.bytes.clone();
        if self.keep(candidate)? {
            // With the queue full, our own turn to lead still brings it.
            let _ = self.0.spreading.try_send(bytes);
        }
        Ok(())
    }

    /// Keeps a transaction. Says whether it is new.
    pub(crate) fn keep(&self, candidate: Candidate) -> Result<bool, Refusal> {
        let new = self.0.pool.lock().insert(candidate)?;
        if new {
            self.0.arrived.notify_waiters();
        }
        Ok(new)
    }

    /// The checked form of these bytes: from the pool, or by checking them now.
    ///
    /// # Errors
    /// As [`Checked::new`].
    pub(crate) fn checked(&self, bytes: &Bytes) -> Result<Arc<Checked>, Refusal> {
        let known = self.0.pool.lock().checked(bytes);
        match known {
            Some(checked) => Ok(checked),
            None => Checked::new(bytes).map(Arc::new),
        }
    }

    pub(crate) fn contains(&self, id: &TransactionId) -> bool {
        self.0.pool.lock().contains(id)
    }

    /// What goes into a block on a chain that `carried` these.
    pub(crate) fn choose(
        &self,
        carried: &HashSet<TransactionId>,
        most: usize,
        bytes: usize,
    ) -> Vec<Candidate> {
        self.0.pool.lock().choose(carried, most, bytes)
    }

    /// Returns once something is here that is not among `carried`.
    pub(crate) async fn ready(&self, carried: &HashSet<TransactionId>) {
        loop {
            let arrived = self.0.arrived.notified();
            tokio::pin!(arrived);
            // Registered before the look, so that an arrival in between is not missed.
            arrived.as_mut().enable();
            if self.0.pool.lock().has_beyond(carried) {
                return;
            }
            arrived.await;
        }
    }

    /// Forgets transactions that a final block holds.
    pub(crate) fn finalized<'a>(&self, ids: impl Iterator<Item = &'a TransactionId>) {
        let mut pool = self.0.pool.lock();
        for id in ids {
            pool.remove(id);
        }
    }

    /// Drops a transaction that can never be admitted, and remembers why.
    pub(crate) fn refuse(&self, id: &TransactionId, why: Refusal) {
        self.0.pool.lock().remove(id);
        let mut refused = self.0.refused.lock();
        if refused.reasons.insert(*id, why).is_none() {
            refused.order.push_back(*id);
            if refused.order.len() > MAX_REFUSED
                && let Some(oldest) = refused.order.pop_front()
            {
                refused.reasons.remove(&oldest);
            }
        }
    }

    /// Why a transaction was dropped here.
    pub(crate) fn refusal(&self, id: &TransactionId) -> Option<Refusal> {
        self.0.refused.lock().reasons.get(id).cloned()
    }

    /// Transactions and bytes that wait.
    pub(crate) fn size(&self) -> (usize, usize) {
        let pool = self.0.pool.lock();
        (pool.len(), pool.bytes())
    }
}
