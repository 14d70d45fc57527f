//! Ethereum as a foreign chain: the consensus light client, and proofs of its state and receipts.
//!
//! Guaranteed: a state is believed only when two thirds of the seats of a known sync committee signed a
//! header whose state names it as finalized, and the execution state is the one its body names. An account,
//! a storage slot or a receipt is shown to be there, or not, only by a proof whose every node was used.
//! Bytes that decode have one encoding.
//!
//! | module | what |
//! |---|---|
//! | [`ssz`], [`rlp`] | the two encodings, read strictly |
//! | [`fork`] | which rules hold when: the table of generalized indices |
//! | [`header`], [`committee`], [`container`] | what light clients exchange |
//! | [`light`] | the rules, one policy for bridges and one of the specification |
//! | [`trie`], [`account`], [`receipt`], [`block`] | the execution chain |
//! | [`profile`], [`state`], [`update`], [`verify`] | what a client keeps and is moved by |
//!
//! # What it shows, and what not
//!
//! A sync committee of 512 is drawn anew every 27 hours from all validators, and its members are not
//! slashed for signing a false header. What such a client shows is therefore worth what its signers lose
//! elsewhere; limits on value belong to the route.
//!
//! Source: consensus-specs `specs/*/light-client`; EIP-1186; the yellow paper, appendices B and D.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod account;
pub mod block;
pub mod committee;
pub mod container;
mod family;
pub mod fork;
pub mod header;
pub mod light;
pub mod profile;
pub mod receipt;
pub mod rlp;
pub mod ssz;
pub mod state;
#[cfg(feature = "test-utils")]
pub mod testnet;
pub mod trie;
pub mod update;
pub mod verify;

pub use family::Ethereum;
pub use profile::Profile;
pub use state::State;
pub use update::{Evidence, StoreProof, Update};
