//! What the agent asks of a Zeugma chain, and how far it believes the answers: [`Hub`] gives what a node says; whoever
//! uses it proves it first.
//!
//! [`Hubs`] is several nodes of one chain: the first that works is asked, and the workers compare them.

use std::sync::{Arc, Mutex, PoisonError};
use zeugma_adapter_zeugma::Certified;
use zeugma_endpoint_cometbft::{Breaker, Jitter};
use zeugma_ledger::{Event, Key, Outcome, Slot};
use zeugma_proof::Proof;
use zeugma_types::{BlockTime, Decode, Height, LeafPath, NetworkId, Refusal};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A rule broke; the chain's own refusal.
    #[error("{hub} refused: {refusal}")]
    Refused {
        /// Which chain.
        hub: String,
        /// The rule.
        refusal: Box<Refusal>,
    },
    /// The node did not answer.
    #[error("{hub} did not answer: {why}")]
    Silent {
        /// Which chain.
        hub: String,
        /// What the system said.
        why: String,
    },
    /// The answer cannot be right.
    #[error("{hub} answered what cannot be: {why}")]
    Odd {
        /// Which chain.
        hub: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Under which header a leaf is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// The first certified header that covers it.
    First,
    /// The latest certified header.
    Latest,
}

/// Where a transaction stands, as a node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not in a block, and not waiting there.
    Unknown,
    /// Waiting there for a block.
    Waiting,
    /// Dropped there before it was in a block.
    Dropped(Refusal),
    /// In a final block.
    Final {
        /// The block.
        height: Height,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What a block told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The block.
    pub height: Height,
    /// Its time.
    pub time: BlockTime,
    /// Its events, in order.
    pub events: Vec<Event>,
}

/// A stretch of blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where to go on.
    pub next: Height,
    /// Blocks with events, ascending; the others below `next` have none.
    pub blocks: Vec<Told>,
}

/// A Zeugma chain, by the word of a node.
pub trait Hub: Send + Sync {
    /// What messages and metrics call it.
    fn name(&self) -> &str;

    /// The network.
    ///
    /// # Errors
    /// [`Error`], as for every question.
    fn network(&self) -> Result<NetworkId, Error>;

    /// The latest certified header, or none before the first.
    ///
    /// # Errors
    /// [`Error`].
    fn latest(&self) -> Result<Option<Certified>, Error>;

    /// The first certified header at or above a height.
    ///
    /// # Errors
    /// [`Error`].
    fn certified(&self, from: Height) -> Result<Option<Certified>, Error>;

    /// The proof of the latest leaf under a path, or none while no certified header covers one.
    ///
    /// # Errors
    /// [`Error`].
    fn proof(&self, path: &LeafPath, under: Under) -> Result<Option<Proof>, Error>;

    /// The bytes under a key of the state.
    ///
    /// # Errors
    /// [`Error`].
    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, Error>;

    /// What at most `limit` blocks from a height on told.
    ///
    /// # Errors
    /// [`Error`].
    fn events(&self, from: Height, limit: u32) -> Result<Page, Error>;

    /// Takes the canonical bytes of a transaction. The same one again is no error.
    ///
    /// # Errors
    /// [`Error`].
    fn submit(&self, transaction: &[u8]) -> Result<(), Error>;

    /// Where a transaction stands.
    ///
    /// # Errors
    /// [`Error`].
    fn fate(&self, id: &[u8; 32]) -> Result<Fate, Error>;
}

/// The record under a slot of a chain's state.
///
/// # Errors
/// [`Error`]; [`Error::Odd`] when the bytes do not decode.
pub fn load<T: Decode>(hub: &dyn Hub, slot: Slot<'_>) -> Result<Option<T>, Error> {
    let read = |bytes: Vec<u8>| {
        T::from_bytes(&bytes)
            .map_err(|refusal| Error::Odd { hub: hub.name().into(), why: refusal.to_string() })
    };
    hub.state(&slot.key())?.map(read).transpose()
}

/// Several nodes of one chain.
pub struct Hubs {
    name: String,
    list: Vec<(Arc<dyn Hub>, Mutex<Breaker>)>,
    clock: fn() -> BlockTime,
}

impl Hubs {
    /// The nodes of the chain that the configuration calls `name`, most preferred first; `clock` times their rests.
    #[must_use]
    pub fn new(name: &str, list: Vec<Arc<dyn Hub>>, clock: fn() -> BlockTime) -> Self {
        let list = list.into_iter().map(|hub| (hub, Mutex::default())).collect();
        Self { name: name.to_owned(), list, clock }
    }

    /// Every node.
    pub fn each(&self) -> impl Iterator<Item = &Arc<dyn Hub>> {
        self.list.iter().map(|(hub, _)| hub)
    }

    fn ask<T>(&self, question: impl Fn(&dyn Hub) -> Result<T, Error>) -> Result<T, Error> {
        let now = (self.clock)();
        let mut last = Error::Silent { hub: self.name.clone(), why: "every node of it rests".into() };
        for (hub, breaker) in &self.list {
            // A breaker is plain numbers: whole after any panic.
            let breaker = || breaker.lock().unwrap_or_else(PoisonError::into_inner);
            if !breaker().allows(now) {
                continue;
            }
            match question(&**hub) {
                Err(error @ (Error::Silent { .. } | Error::Odd { .. })) => {
                    breaker().failed(now, Jitter::random());
                    tracing::warn!(hub = self.name, %error, "a node is at fault");
                    last = error;
                }
                answer => {
                    breaker().succeeded();
                    return answer;
                }
            }
        }
        Err(last)
    }
}

impl Hub for Hubs {
    fn name(&self) -> &str {
        &self.name
    }

    fn network(&self) -> Result<NetworkId, Error> {
        self.ask(|hub| hub.network())
    }

    fn latest(&self) -> Result<Option<Certified>, Error> {
        self.ask(|hub| hub.latest())
    }

    fn certified(&self, from: Height) -> Result<Option<Certified>, Error> {
        self.ask(|hub| hub.certified(from))
    }

    fn proof(&self, path: &LeafPath, under: Under) -> Result<Option<Proof>, Error> {
        self.ask(|hub| hub.proof(path, under))
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        self.ask(|hub| hub.state(key))
    }

    fn events(&self, from: Height, limit: u32) -> Result<Page, Error> {
        self.ask(|hub| hub.events(from, limit))
    }

    fn submit(&self, transaction: &[u8]) -> Result<(), Error> {
        self.ask(|hub| hub.submit(transaction))
    }

    fn fate(&self, id: &[u8; 32]) -> Result<Fate, Error> {
        self.ask(|hub| hub.fate(id))
    }
}
