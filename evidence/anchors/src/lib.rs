//! Trusted time from others: asks time authorities (RFC 3161) over HTTP, and believes no answer unverified.
//!
//! | module | what |
//! |---|---|
//! | [`authority`] | an authority as it is configured: its institution, its address, the X.509 certificate that is believed |
//! | [`client`] | one request and its answer: bounded in bytes and time, verified in full before it is kept |
//! | [`https`] | TLS under an agent, with named roots |
//! | [`revocation`] | OCSP answers and revocation lists about its chain, gathered when a time-stamp arrives |
//! | [`address`] | which addresses are asked for them |
//! | [`clock`] | how far an authority's time lies from ours |
//!
//! It is a hand: it knows the network and the clock. What an answer is worth, `zeugma_evidence_verify::tsp` decides,
//! the same function that judges the time-stamp in a bundle for ever after.
//!
//! Source: RFC 3161, sections 2.4 and 3.4; RFC 5816; RFC 6960, appendix A; RFC 5280, section 4.2.
#![forbid(unsafe_code)]

pub mod address;
pub mod authority;
pub mod client;
pub mod clock;
pub mod https;
pub mod revocation;
#[cfg(any(test, feature = "test-utils"))]
pub mod testkit;

pub use address::Reach;
pub use authority::Authority;
pub use client::{Answer, Client};
pub use clock::{Asked, Offset};
pub use https::Https;
pub use revocation::{Gatherer, Missing};
