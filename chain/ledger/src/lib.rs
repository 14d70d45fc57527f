//! The relay chain's state machine, as pure steps: accounts and roles, IBC v2 with closing timeouts and
//! forwarding, anchored evidence logs, a registry of digests, governance.
//!
//! State is bytes under keys. A step reads from what the node has fetched, and either names the keys it
//! still needs or is done:
//!
//! ```text
//! step(block, transaction, reads) -> Need(keys) | Done { writes, leaves, events, outcome, cost }
//! ```
//!
//! It has no clock, no I/O, no randomness and no memory; the same block on the same state gives the same
//! bytes on every node, whatever was prefetched and in which order. What leaves the network is a leaf; the
//! node appends the leaves of a block to the outbox in their order.
//!
//! # How a node drives it
//!
//! ```
//! use zeugma_ledger::{Checked, Context, Execution, Families, Genesis, Ledger, PROGRAM, Place, Progress, Store};
//! # use zeugma_types::{Refusal, Epoch, Era, Height, TreeSize};
//! # fn run(genesis: &[u8], bodies: &[Vec<u8>], time: zeugma_types::BlockTime) -> Result<(), Refusal> {
//! // Once: the table of families, and the state of genesis.
//! let ledger = Ledger::new(Families::new(&[]));
//! let genesis = Genesis::read(genesis)?;
//! let mut state = Store::default();
//! state.apply(genesis.state());
//!
//! // A block: signatures first, in parallel if you like; a body with bytes that do not check is no body.
//! let transactions = bodies.iter().map(|bytes| Checked::new(bytes)).collect::<Result<Vec<_>, _>>()?;
//! let context = Context {
//!     network: genesis.network(), height: Height::new(1), time, era: Era::ZERO, epoch: Epoch::ZERO,
//!     outbox: TreeSize::ZERO, program: PROGRAM,
//! };
//! let mut execution = Execution::new(ledger, context, Place::Within, &transactions);
//! let mut keys = execution.hints();
//! loop {
//!     for key in keys {
//!         let value = state.get(&key).map(<[u8]>::to_vec);  // the node's own, asynchronous read
//!         execution.fetched(key, value);
//!     }
//!     match execution.advance() {
//!         Progress::Need(more) => keys = more,
//!         Progress::Done => break,
//!         Progress::Upgrade { needed } => panic!("stop cleanly: program {needed} is needed"),
//!         Progress::Corrupt(key) => panic!("stop: the store is not ours at {key:?}"),
//!     }
//! }
//! let executed = execution.finish();
//! // Then the hands: write `executed.writes`, append `executed.leaves` to the outbox, keep
//! // `executed.outcomes` beside the block, publish `executed.events`.
//! state.apply(executed.writes);
//! # Ok(()) }
//! ```
//!
//! A mempool asks [`Ledger::admit`] with a [`Block`] begun on the newest state, and orders by
//! [`Ledger::cost`]; a proposer fills a block up to [`Block::left`]. Views over single records (a client, an
//! account, the registry) decode the value under [`Slot::key`].
//!
//! Source: DESIGN sections 1, 2 and 4; IBC v2 as in [`ibc`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod account;
pub mod app;
mod block;
pub mod bounded;
pub mod cost;
pub mod event;
pub mod evidence;
mod execute;
mod families;
mod genesis;
pub mod gov;
mod halt;
mod hints;
pub mod ibc;
pub mod invariants;
pub mod limits;
pub mod outcome;
pub mod registry;
pub mod roles;
pub mod standing;
mod state;
mod step;
pub mod tx;
mod work;

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;

pub use block::{Block, Context, Edge, Ledger, PROGRAM, Place};
pub use event::Event;
pub use execute::{Executed, Execution, Progress};
pub use families::Families;
#[cfg(feature = "planted")]
pub use families::PlantedBug;
pub use genesis::{Founder, Genesis, Validator};
pub use outcome::{Effect, Outcome, Recorded};
pub use roles::{Action, Role, Roles};
pub use state::{Effects, Key, Overlay, Read, Reads, Said, Slot, Store, Writes};
pub use step::{Admission, Done, Step};
pub use tx::{Checked, Message, Transaction, account_of};
