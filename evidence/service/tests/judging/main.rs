//! Rule packs behind the running service: what they find of each entry, what waits for them, and what a bundle carries.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod anchoring;
#[path = "../common/chain.rs"]
mod chain;
mod force;
mod held;
mod verdicts;
mod world;
