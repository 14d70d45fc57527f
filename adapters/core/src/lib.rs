//! The seam between the relay chain and every other chain.
//!
//! A family of chains implements [`Family`]: pure predicates over bytes, with the time as an
//! argument. [`Client`] is the one state machine around them (status, expiry, freezing, the order of
//! stored states) and is the same for all families. [`Adapter`] is the same seam with the types
//! erased, for the ledger's table of families.
//!
//! Split by trust: nothing here fetches or delivers. What a hand brings is an argument, and is
//! believed only as far as [`Family`] proves it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "testkit"))]
extern crate std;

mod adapter;
mod client;
mod family;
mod path;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use adapter::{Adapter, Described, Erased, Of, Transition};
pub use client::{Client, Frozen, MAX_STORED, Status, Stored, Updated};
pub use family::{Family, Misbehaviour};
pub use path::MerklePath;
