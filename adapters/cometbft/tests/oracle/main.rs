//! The published crates judge the same blocks and proofs as we do, and agree.
//!
//! They are oracles: they read what we encode with their own decoders, and share no code with us.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod encodings;
mod light;
mod stores;
