//! The store: what it promises, on a simulated disk and on this one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod crash;
mod damage;
mod life;
mod model;
mod power;
mod world;
