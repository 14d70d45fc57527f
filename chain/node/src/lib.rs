//! The relay chain's node: consensus, state, outbox, mempool, key generation, storage and network, over the pure
//! rules of `zeugma-ledger`.
//!
//! ```text
//! clients --> mempool --> application (propose, process) --> state, by the ledger's step
//!                             |                                |
//!                         consensus: one simplex an epoch     root in the header
//!                             |
//!                         final block --> outbox (records, tree) --> index --> NodeHandle (status, proofs, streams)
//! ```
//!
//! # For the command line
//!
//! | command | call |
//! |---|---|
//! | `zeugma node CONFIG` | [`NodeConfig::read`], then [`run`] with what serves and waits for the signal to end |
//! | `zeugma dkg CONFIG` | [`NodeConfig::read`], then [`generate`]; it writes `node.share` with mode 0600 |
//! | `zeugma keys` | [`dkg::write_secret`]; [`dkg::read_identity`] reads its file, and 64 hexadecimal digits |
//! | `zeugma devnet --insecure-dealer` | [`dkg::insecure_dealer`], then [`dkg::KeyFile::write`] for each validator |
//! | trust files | [`dkg::KeyFile::committee`] gives the `zeugma_proof::Committee` of the era |
//!
//! Simulations start whole networks with [`engine::start`], the one way a node begins.
#![forbid(unsafe_code)]

pub mod api;
mod application;
mod config;
pub mod consensus;
pub mod dkg;
pub mod engine;
mod handle;
mod index;
mod mempool;
mod metrics;
mod outbox;
mod peers;
mod run;
mod state;
mod stream;
mod traces;
mod verifying;

pub use config::{Files, MempoolBounds, Network, NodeConfig, Peer, Storage, Tell, Threads};
pub use handle::{Certified, Entered, Error, FinalBlock, NodeHandle, Status, Under, Values};
pub use outbox::{BlockRecord, Said};
pub use peers::PeerStatus;
pub use run::{Generated, generate, run};
pub use stream::Finalized;

use commonware_utils::{TryCollect as _, ordered::Set};
use consensus::PublicKey;
use zeugma_ledger::Genesis;

/// The validators of a genesis, in the order of their indices.
///
/// # Errors
/// In words, when a key is not an Ed25519 key.
pub fn members(genesis: &Genesis) -> Result<Set<PublicKey>, String> {
    let keys = genesis.validators.iter().map(|validator| dkg::public_key(&validator.key));
    let keys: Vec<PublicKey> = keys.collect::<Result<_, _>>()?;
    keys.into_iter().try_collect().map_err(|_| "a validator stands in the genesis twice".into())
}
