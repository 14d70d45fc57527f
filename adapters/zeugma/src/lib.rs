//! The light client of a Zeugma chain: one certificate a header, one key an era.
//!
//! - An update is a chain of hand-overs, often none, and a header certified by the key that the last
//!   of them named. It always starts from the client's latest state: nothing is accepted under a
//!   retired key, at any height.
//! - A value is proved by its leaf in the outbox of a trusted header.
//! - An absence is a closing act: the `Closed` leaf of the receipt, true under every later header.
//! - Two certified headers of one height, or of two heights whose times do not ascend, are
//!   misbehaviour. Threshold votes are not attributable: it shows that the committee signed twice, not
//!   which members did.
//!
//! Source: DESIGN, section 1; `docs/byte-layout.md`; ICS-02.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod family;
mod message;
mod profile;
mod state;

pub use family::Zeugma;
pub use message::{Certified, Evidence, LeafProof, Update};
pub use profile::Profile;
pub use state::State;
