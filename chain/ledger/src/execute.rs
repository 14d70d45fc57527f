//! A whole block, resumable: what a node drives.
//!
//! [`Execution`] keeps its place between calls, so a key that is missing in the ninth transaction does not
//! run the first eight again. The node prefetches [`Execution::hints`], then calls
//! [`Execution::advance`] until it is done, each time having fetched the keys that were needed.

use crate::block::{Block, Context, Edge, Ledger, Place};
use crate::event::Event;
use crate::limits::STANDING_BUCKETS;
use crate::outcome::Outcome;
use crate::state::{Effects, Key, Overlay, Said, Slot, Writes};
use crate::step::{Done, Step};
use crate::tx::Checked;
use alloc::vec::Vec;
use zeugma_types::Cost;

/// How far an execution came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// These keys are needed: give each to [`Execution::fetched`], then go on.
    Need(Vec<Key>),
    /// The block is done: [`Execution::finish`].
    Done,
    /// The store holds bytes under this key that this program never wrote: stop the node.
    Corrupt(Key),
    /// From this height on a newer program is needed: stop the node cleanly.
    Upgrade {
        /// The version that is needed.
        needed: u32,
    },
}

/// What a block left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The new values of keys after the block.
    pub writes: Writes,
    /// What is said in the outbox, in this order.
    pub leaves: Vec<Said>,
    /// One outcome for each transaction, in their order.
    pub outcomes: Vec<Outcome>,
    /// For each event the transaction it belongs to, or `None` at the edges of the block.
    pub events: Vec<(Option<u32>, Event)>,
    /// Work of all transactions.
    pub cost: Cost,
}

enum At {
    Begin,
    Transaction { block: Block, next: usize },
    Done,
}

/// One block being executed.
pub struct Execution<'a> {
    ledger: Ledger<'a>,
    context: Context,
    place: Place,
    transactions: &'a [Checked],
    overlay: Overlay,
    at: At,
    executed: Executed,
}

impl<'a> Execution<'a> {
    /// Starts a block of these transactions.
    #[must_use]
    pub fn new(ledger: Ledger<'a>, context: Context, place: Place, transactions: &'a [Checked]) -> Self {
        let executed = Executed {
            writes: Writes::new(),
            leaves: Vec::new(),
            outcomes: Vec::with_capacity(transactions.len()),
            events: Vec::new(),
            cost: Cost::ZERO,
        };
        let overlay = Overlay::default();
        Self { ledger, context, place, transactions, overlay, at: At::Begin, executed }
    }

    /// The keys that the block names by its bytes alone, to be fetched at once, each key once.
    #[must_use]
    pub fn hints(&self) -> Vec<Key> {
        let mut keys: alloc::collections::BTreeSet<Key> =
            [Slot::Parameters.key(), Slot::Counters.key(), Slot::Schedule.key()].into();
        keys.extend(self.transactions.iter().flat_map(|each| self.ledger.hints(each)));
        if self.place == Place::Last {
            keys.extend((0..STANDING_BUCKETS).map(|bucket| Slot::Standing(bucket).key()));
        }
        keys.into_iter().collect()
    }

    /// Notes what the state before the block holds under `key`.
    pub fn fetched(&mut self, key: Key, value: Option<Vec<u8>>) {
        self.overlay.fetched(key, value);
    }

    /// Goes on as far as the keys that were fetched allow.
    #[must_use]
    pub fn advance(&mut self) -> Progress {
        loop {
            match core::mem::replace(&mut self.at, At::Done) {
                At::Begin => match self.ledger.begin_block(&self.context, &self.overlay) {
                    Edge::Done((block, effects)) => {
                        self.take(None, effects);
                        self.at = At::Transaction { block, next: 0 };
                    }
                    other => {
                        self.at = At::Begin;
                        return unfinished(other);
                    }
                },
                At::Transaction { mut block, next } => {
                    let Some(transaction) = self.transactions.get(next) else {
                        return self.end(block, next);
                    };
                    match self.ledger.step(&block, transaction, &self.overlay) {
                        Step::Done(Done { effects, outcome, cost }) => {
                            if block.advance(&effects, cost).is_err() {
                                return Progress::Corrupt(Slot::Counters.key());
                            }
                            self.executed.outcomes.push(outcome);
                            self.take(u32::try_from(next).ok(), effects);
                            self.at = At::Transaction { block, next: next + 1 };
                        }
                        Step::Need(keys) => {
                            self.at = At::Transaction { block, next };
                            return Progress::Need(keys);
                        }
                        Step::Corrupt(key) => return Progress::Corrupt(key),
                    }
                }
                At::Done => return Progress::Done,
            }
        }
    }

    /// What the block left: all of it once [`Progress::Done`] was said, and as far as it came before.
    #[must_use]
    pub fn finish(self) -> Executed {
        Executed { writes: self.overlay.into_writes(), ..self.executed }
    }

    fn end(&mut self, block: Block, next: usize) -> Progress {
        match self.ledger.end_block(&block, self.place, &self.overlay) {
            Edge::Done(effects) => {
                self.take(None, effects);
                self.executed.cost = block.spent();
                Progress::Done
            }
            other => {
                self.at = At::Transaction { block, next };
                unfinished(other)
            }
        }
    }

    fn take(&mut self, transaction: Option<u32>, effects: Effects) {
        let Effects { writes, leaves, events } = effects;
        self.overlay.apply(writes);
        self.executed.leaves.extend(leaves);
        self.executed.events.extend(events.into_iter().map(|event| (transaction, event)));
    }
}

fn unfinished<T>(edge: Edge<T>) -> Progress {
    match edge {
        Edge::Need(keys) => Progress::Need(keys),
        Edge::Corrupt(key) => Progress::Corrupt(key),
        Edge::Upgrade { needed } => Progress::Upgrade { needed },
        Edge::Done(_) => Progress::Corrupt(Slot::Parameters.key()),
    }
}
