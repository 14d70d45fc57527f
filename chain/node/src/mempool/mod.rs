//! Transactions that wait for a block: a bounded pool, and its spreading among the validators.
//!
//! A transaction is parsed and its signature verified once, before it enters or when a block brings it, and
//! many of them side by side. The pool is memory only: what was submitted and is in no block when the node stops
//! must be submitted again.
//!
//! What cannot be admitted yet waits behind the others, for [`PATIENCE`] at most; then it is dropped, with the
//! reason for whoever asks. The order, and why nobody can keep others out by what they send, is in [`pool`].

mod class;
mod gossip;
mod look;
mod pool;
mod recent;
mod signatures;
#[cfg(test)]
mod tests;

pub(crate) use gossip::{Gossip, MAX_GOSSIP};
pub(crate) use pool::{Candidate, Limits, Pool, TransactionId};

use recent::{Place, Recent};

use bytes::Bytes;
use commonware_utils::sync::Mutex;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use zeugma_ledger::Checked;
use zeugma_types::{BlockTime, Refusal, Span};

/// How long a transaction waits, in block time, after the first block that could not admit it yet. A client that
/// wants it shorter gives the transaction a lapse.
pub(crate) const PATIENCE: Span = Span::seconds(300);
/// Refusals remembered for those who ask, of transactions that never reached a block.
const MAX_REFUSED: usize = 4_096;
/// Submitted transactions that wait to be spread; more are spread by the leader's block alone.
const MAX_SPREADING: usize = 8_192;

/// Whether what was verified is remembered beside the pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Yes,
    /// It enters the pool at once.
    No,
}

#[derive(Default)]
struct Refused {
    reasons: HashMap<TransactionId, Refusal>,
    order: VecDeque<TransactionId>,
}

struct Shared {
    pool: Mutex<Pool>,
    recent: Mutex<Recent>,
    threads: usize,
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
            recent: Mutex::default(),
            threads: signatures::threads(),
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
    fn keep(&self, candidate: Candidate) -> Result<bool, Refusal> {
        let new = self.0.pool.lock().insert(candidate)?;
        if new {
            self.0.arrived.notify_waiters();
        }
        Ok(new)
    }

    /// Keeps what another validator spread, as far as it is new and there is room: what does not fit is still
    /// held by the one who spread it.
    ///
    /// # Errors
    /// As [`Checked::new`], when one of them breaks a rule; then none of them is kept.
    pub(crate) fn spread(&self, transactions: Vec<Bytes>) -> Result<(), Refusal> {
        let fresh: Vec<Bytes> = {
            let recent = self.0.recent.lock();
            transactions.into_iter().filter(|bytes| !recent.is_final(bytes)).collect()
        };
        let candidates = self.check(&fresh, Keep::No)?;
        let mut new = false;
        {
            let mut pool = self.0.pool.lock();
            for candidate in candidates {
                new |= pool.insert(candidate).unwrap_or(false);
            }
        }
        if new {
            self.0.arrived.notify_waiters();
        }
        Ok(())
    }

    /// The checked form of each of these, or its refusal: what is submitted together is verified side by side. What
    /// waits here already is not verified again.
    pub(crate) fn each(&self, all: &[Bytes]) -> Vec<Result<Arc<Checked>, Refusal>> {
        let known: Vec<Option<Arc<Checked>>> = {
            let pool = self.0.pool.lock();
            all.iter().map(|bytes| pool.checked(bytes)).collect()
        };
        let unknown: Vec<&Bytes> =
            all.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(bytes, _)| bytes).collect();
        let mut checked = signatures::each(&unknown, self.0.threads).into_iter();
        let answers = known.into_iter().map(|known| match known {
            Some(checked) => Ok(checked),
            None => checked.next().expect("what is not known was checked"),
        });
        answers.collect()
    }

    /// The checked forms of a block's transactions: known ones are not verified again, the others side by side.
    ///
    /// # Errors
    /// As [`Checked::new`], of the first that is refused.
    pub(crate) fn checked(&self, transactions: &[Bytes]) -> Result<Vec<Candidate>, Refusal> {
        self.check(transactions, Keep::Yes)
    }

    fn check(&self, all: &[Bytes], keep: Keep) -> Result<Vec<Candidate>, Refusal> {
        let mut known: Vec<Option<Arc<Checked>>> = {
            let pool = self.0.pool.lock();
            all.iter().map(|bytes| pool.checked(bytes)).collect()
        };
        {
            let recent = self.0.recent.lock();
            for (bytes, known) in all.iter().zip(&mut known) {
                if known.is_none() {
                    *known = recent.checked(bytes);
                }
            }
        }
        let unknown: Vec<&Bytes> =
            all.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(bytes, _)| bytes).collect();
        let checked = signatures::check(&unknown, self.0.threads)?;
        if keep == Keep::Yes {
            let mut recent = self.0.recent.lock();
            for (bytes, checked) in unknown.into_iter().zip(&checked) {
                recent.insert(bytes, Arc::clone(checked), Place::Proposed);
            }
        }
        let mut checked = checked.into_iter();
        let candidates = all.iter().zip(known).map(|(bytes, known)| {
            let checked = known.or_else(|| checked.next()).expect("what is not known was checked");
            Candidate { bytes: bytes.clone(), checked }
        });
        Ok(candidates.collect())
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

    /// Returns once something is here that may be admitted and is not among `carried`.
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
    pub(crate) fn finalized<'a>(&self, block: impl Iterator<Item = (&'a TransactionId, &'a Bytes)>) {
        let (mut pool, mut recent) = (self.0.pool.lock(), self.0.recent.lock());
        for (id, bytes) in block {
            match pool.remove(id) {
                Some(candidate) => recent.insert(&candidate.bytes, candidate.checked, Place::Final),
                None => recent.settle(bytes),
            }
        }
    }

    /// Lets a transaction wait that could not be admitted yet at `now`, behind those that may be; drops it with
    /// the reason once it waited for [`PATIENCE`]. Says whether it was dropped.
    pub(crate) fn defer(&self, id: &TransactionId, now: BlockTime, why: Refusal) -> bool {
        let Some(since) = self.0.pool.lock().defer(id, now) else { return false };
        let over = since.after(PATIENCE).is_none_or(|end| now >= end);
        if over {
            self.refuse(id, why);
        }
        over
    }

    /// Drops a transaction that can never be admitted, or waited too long, and remembers why.
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
