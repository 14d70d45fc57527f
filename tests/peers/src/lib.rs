//! Real nodes of other chains, for the tests that follow them: built from source, started, driven, stopped.
//!
//! A [`Recipe`] fixes one program to the last dependency (`go.mod` and `go.sum` of our own, in `recipes/`);
//! [`Peer::install`] builds it once into a cache outside the clone. [`CometNetwork`] is a network of CometBFT validators,
//! [`Simd`] one Cosmos SDK chain with IBC and ICS-23 store proofs. Both answer over their public RPC ([`CometRpc`]) and
//! nothing else: what the tests learn about a chain, anybody could. [`TlogReader`], [`TesseraFsck`] and [`Omniwitness`]
//! read transparency logs, and so judge ours.
//!
//! Everything listens on 127.0.0.1, on ports claimed by [`ports`](Port); every process is ended by its own id, when its
//! owner is dropped, stopped, or dies in whatever way.
//!
//! ```no_run
//! use zeugma_peers::{CometNetwork, Options, Release};
//!
//! let network = CometNetwork::start(Release::V0_38, &[10, 10, 10, 10], &Options::default())?;
//! let change = network.change_power(1, 25)?;
//! network.rpc(0).wait_for_height(change.in_force)?;
//! println!("{}", network.rpc(0).validators(change.in_force)?);
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod bench;
mod comet;
mod genesis;
mod http;
mod install;
mod ports;
mod process;
mod recipe;
pub mod record;
mod rpc;
mod simd;
mod tlog;
mod tsa;
mod wait;

pub use comet::{Change, CometNetwork, Conflict, Options, Release, Setting, Twin, copy_tree};
pub use genesis::ValidatorKey;
pub use http::{Response, get, post};
pub use install::{Peer, cache_dir};
pub use ports::Port;
pub use process::Process;
pub use recipe::{
    COMETBFT_0_38, COMETBFT_1_0, GO_TSA, OMNIWITNESS, RECIPES, Recipe, SIMD, TESSERA, TESSERA_FSCK,
    TLOG_READER, WITNESS_CLIENT,
};
pub use rpc::{CometRpc, Included};
pub use simd::{Simd, SimdOptions, StoreQuery, balances_key};
pub use tlog::{KnownLog, Omniwitness, TesseraFsck, TlogReader, WitnessClient};
pub use tsa::GoTsa;
pub use wait::until;
