//! TLS with real X.509 certificates: who is let in, what is told to who is not, and new files without a dropped connection.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../common/certified.rs"]
mod certified;
mod doors;
mod grpc;
mod slow;
mod world;
