//! The watcher: a relayer that nobody has to trust.
//!
//! It keeps every client fresh at a third of its trusting period and on set changes, finds misbehaviour by comparing
//! endpoints and submits it, and delivers packets between two Zeugma networks: received, acknowledged, or closed by
//! timeout. What it says is proved to the chain; what it hears it proves for itself first. When it is down, time is
//! lost and nothing else.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | one TOML, its relations checked together |
//! | [`hub`], [`remote`] | what is asked of a Zeugma chain; the same over its API |
//! | [`queue`] | the durable queue: tasks, cursors, open packets, in one file |
//! | [`submit`] | one submitter a key: queued, signed, sent, final |
//! | [`client`] | one worker a client: refresh, set changes, misbehaviour |
//! | [`route`] | packets between two networks |
//! | [`check`] | a dry run: what is there, and what is wrong with it |
//! | [`metrics`], `listener` | what an operator sees |
//!
//! Decisions are functions of what was observed and of the time, in modules named `state`; I/O is around them. A
//! worker's `tick` does what is due and returns: whoever drives it owns the clock.
//!
//! A crash between any two steps loses nothing and repeats nothing on the chain: a transaction is persisted before it
//! is sent, is sent again under the same name, and is signed anew only when the old one can never be in a block.
#![forbid(unsafe_code)]

mod agent;
pub mod check;
pub mod client;
pub mod config;
mod error;
pub mod hub;
pub mod key;
mod listener;
pub mod metrics;
pub mod queue;
pub mod remote;
pub mod route;
pub mod submit;

pub use agent::{Agent, run};
pub use config::Config;
pub use error::Error;
