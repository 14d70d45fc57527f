//! CometBFT as a foreign chain: a light client of our own, and proofs of its stores.
//!
//! Guaranteed: a state is believed only when more than two thirds of its validators signed its header,
//! each counted once, and the trusted state vouches for those validators: it announced their hash, or
//! more than the trust level of the validators it announced signed too. A key is shown to be there, or
//! not, only by ICS-23 proofs under specs written here. Bytes that decode have one encoding.
//!
//! | module | what |
//! |---|---|
//! | [`proto`] | the strict protobuf of everything below |
//! | [`time`], [`key`], [`validators`], [`header`], [`commit`], [`merkle`] | the chain's own types and hashes |
//! | [`profile`], [`state`], [`update`] | what a client keeps and is moved by |
//! | [`predicates`], [`verify`] | the rules, one function each, and their order |
//! | [`ics23`] | existence and absence in its stores |
//! | [`ibc`] | updates out of ibc-go's `Header` |
//!
//! # Versions
//!
//! One client follows 0.37, 0.38 and 1.0: what a light client reads is the same on the wire. What
//! differs, and where it shows:
//!
//! * **0.38** adds vote extensions (ABCI 2.0). They are signed apart, in `ExtendedCommit`, and are in no
//!   `Commit`; `CanonicalVote` is unchanged (`spec/core/data_structures.md`, 0.38).
//! * **1.0** renames the packages `tendermint.*` to `cometbft.*.v1` with the fields' numbers unchanged
//!   (`proto/cometbft/types/v1`), adds the keys `bls12381` and `secp256k1eth` (`crypto/v1/keys.proto`,
//!   fields 3 and 4), refused here by name, and may take block times from the proposer (PBTS,
//!   `spec/consensus/proposer-based-timestamp`): then two blocks can lie less than a millisecond apart,
//!   which [`time`] keeps apart.
//! * The block protocol is 11 in all three (`version/version.go`); a header with another is refused.
//! * JSON of the RPC differs in places; it is read by hands, not here.
//!
//! Source: CometBFT `spec/core`, `spec/light-client`; ICS-07; ICS-23.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod commit;
mod family;
pub mod header;
pub mod ibc;
pub mod ics23;
pub mod key;
pub mod merkle;
pub mod predicates;
pub mod profile;
pub mod proto;
pub mod state;
#[cfg(feature = "test-utils")]
pub mod testnet;
pub mod time;
pub mod update;
pub mod validators;
pub mod verify;

pub use commit::SignedHeader;
pub use family::CometBft;
pub use profile::{Profile, Store, TrustLevel};
pub use state::State;
pub use update::{Evidence, Update};
pub use verify::Rules;
