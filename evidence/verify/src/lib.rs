//! Verification of evidence, without a clock and without I/O: the same bytes give the same answer for ever.
//!
//! | module | what | source |
//! |---|---|---|
//! | [`bundle`] | the evidence file | DESIGN, section 6 |
//! | [`policy`] | whose word counts, and how many of them it takes | |
//! | [`verify()`] | what a bundle shows, as a graded [`report`] | SPC online litigation rules, articles 16 to 18 |
//! | [`tsp`] | trusted time-stamps | RFC 3161, RFC 5816 |
//! | [`x509`] | X.509 certificates and revocation lists of time authorities | RFC 5280 |
//! | [`cose`] | receipts of other transparency services | RFC 9942, RFC 9052 |
//!
//! Everything is a function of bytes and of what the caller believes; what does not hold is refused with a
//! code of [`zeugma_types::refusal`]. `docs/byte-layout.md`, section 13, is the published form.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod ageing;
pub mod bundle;
pub mod cose;
mod der;
mod json;
pub mod policy;
pub mod report;
#[cfg(any(test, feature = "test-utils"))]
pub mod testkit;
pub mod tsp;
mod verify;
pub mod x509;

pub use bundle::{Bundle, MAX_BUNDLE};
pub use policy::Policy;
pub use report::{Language, Report};
pub use verify::{Question, Subject, verify};
