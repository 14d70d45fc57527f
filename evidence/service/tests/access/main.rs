//! Who may do what, who did what, and what the service does about those who ask too much: over HTTP on loopback.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod audit;
mod roles;
mod search;
mod world;
