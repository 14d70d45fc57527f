//! A client of a Zeugma node's API.
//!
//! It believes no endpoint: with a [`zeugma_proof::Trust`] every certificate and every proof is verified before it is
//! given, and what cannot be proved (status, events, records of the state) is marked as a node's word. It is
//! synchronous and speaks plain HTTP: a node listens on this machine, or behind a proxy that ends TLS.
//!
//! ```no_run
//! use std::time::Duration;
//! use zeugma_client::{Client, Fate, Under};
//! # fn run(transaction: &[u8], trust: zeugma_proof::Trust) -> Result<(), zeugma_client::Error> {
//! let client = Client::new("http://127.0.0.1:7780").with_token("secret").with_trust(trust);
//! let id = client.submit(transaction)?;
//! if let Fate::Final { height, outcome, .. } = client.wait(&id, Duration::from_secs(20))? {
//!     println!("{outcome:?} in block {height}");
//! }
//! for block in client.follow(None) {
//!     for told in block?.events {
//!         println!("{}", told.event.name());
//!     }
//! }
//! let proof = client.proof(zeugma_types::LeafIndex::new(0), Under::First)?;
//! # drop(proof);
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod answer;
mod client;
mod error;
mod follow;
mod http;
mod wire;

pub use answer::{
    Batch, Block, Certified, Events, Fate, Happened, InBlock, LightClient, NodeStatus, PacketSlots, Passed,
    Peer, ProofFile, SaidLeaf, Standing, Told, TransactionId, TrustedState,
};
pub use client::{Client, Under};
pub use error::Error;
pub use follow::Follow;
