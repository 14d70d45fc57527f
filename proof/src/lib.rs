//! The one proof: that a leaf was said by a Zeugma network.
//!
//! ```text
//! leaf  --RFC 9162 inclusion-->  outbox root  --in-->  header  --signed by-->  certificate
//! ```
//!
//! [`verify()`] takes the bytes of a proof and a [`Trust`], and gives a [`Proven`] leaf or a
//! [`zeugma_types::Refusal`]. It has no clock, no state and no I/O; the same bytes give the same
//! answer for ever. [`Proven::body`] is what stands behind the leaf's value, if the file carries it; who must
//! rely on a fact that can be revoked asks for a [`body::Standing`].
//!
//! The order of checks is normative and the same in every verifier: length bounds, decoding, network,
//! era, inclusion, signature, then path and value.
//!
//! Source: `docs/byte-layout.md`, of which this crate is the reference.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod body;
mod certificate;
mod committee;
mod file;
mod header;
mod institution;
mod leaf;
mod seal;
mod substitute;
#[cfg(any(test, feature = "test-utils"))]
pub mod testkit;
pub mod tree;
mod trust;
mod trust_file;
mod verify;

pub use certificate::Certificate;
pub use committee::{Committee, GROUP_KEY_LENGTH, GroupKey, KeyOrigin, MAX_MEMBERS, Member};
pub use file::{Endorsement, Inclusion, MAX_OPENING, MAX_PROOF, Proof};
pub use header::{Context, Header, MAX_ROOTS, Outbox, StateTarget};
pub use institution::{Institution, Institutions, Signatures};
pub use leaf::{Leaf, LeafFormat, MAX_LEAF};
pub use seal::Seal;
pub use substitute::Substitute;
pub use trust::{EraStanding, Pin, Reliance, Trust, TrustedEra};
pub use trust_file::{EraEntry, MAX_TRUST_FILE, Sunset, TrustFile};
pub use verify::{By, Expected, Proven, verify, verify_decoded, verify_expected};
