//! Whole networks of the real node on the deterministic runtime, driven by a seed.
//!
//! 1. [`Plan::draw`]: weather, partitions, crashes, late joiners, blackouts and villains follow from the seed.
//! 2. [`run()`]: the network runs through the plan under a workload of the ledger's transactions, heals, and must go on.
//! 3. [`rules`]: what every honest node says is read through its handle and judged by rules in plain terms; the
//!    [`tap`] hears whether an honest validator ever signed against itself.
//! 4. [`twice`]: the same seed again must give the same history.
//!
//! Planted bugs show that each rule can fail: [`planted`] in the running network, under the plans of the gate's seeds,
//! and `tests/planted.rs` on forged answers.
#![forbid(unsafe_code)]

pub mod genesis;
mod lax;
pub mod network;
pub mod plan;
pub mod planted;
pub mod report;
pub mod rules;
mod run;
mod script;
pub mod suite;
pub mod tap;
pub mod view;
mod villain;
mod work;

pub use plan::Plan;
pub use planted::Planted;
pub use run::{Outcome, run, trust};
pub use script::Expect;
pub use suite::twice;
pub use work::Sent;
