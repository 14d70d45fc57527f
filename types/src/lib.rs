//! The words every other room speaks: numbers with units, identifiers, digests that say what they
//! hash, signing purposes, the one canonical encoding, and the one table of refusal codes.
//!
//! Nothing here computes a hash or checks a signature (`zeugma-crypto` does), and nothing here reads
//! a clock, a file or a socket: this is the root of the pure ring. `docs/byte-layout.md` is the
//! published form of [`codec`], [`leaf_path`], [`purpose`] and [`refusal`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod codec;
pub mod digest;
pub mod finality;
pub mod id;
pub mod leaf_path;
pub mod purpose;
pub mod refusal;
pub mod suite;
pub mod units;

pub use codec::{Decode, Encode, Reader};
pub use digest::{
    BodyRoot, CommitteeDigest, HeaderDigest, LeafHash, NetworkId, OutboxRoot, StateRoot, TranscriptDigest,
    Value,
};
pub use finality::FinalityClass;
pub use id::{AccountId, ClientId};
pub use leaf_path::{LeafPath, Namespace};
pub use purpose::Purpose;
pub use refusal::{Code, Permanence, Refusal, Side};
pub use suite::{HashSuite, SealSuite};
pub use units::{
    BlockTime, Cost, Epoch, Era, Height, LeafIndex, Sequence, Span, TreeSize, UnixSeconds, View, Weight,
};
