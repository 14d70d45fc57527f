//! Zeugma networks as processes, and real chains that they follow.
//!
//! Two networks of four `zeugma node` processes are shared by all scenarios; each scenario has its own foreign chain,
//! its own clients, and where it needs one its own watcher, a process of `zeugma relay run` with its own account. What
//! is done is done by the command, and what is read is read over the API that anybody has: nothing here links the
//! product.
//!
//! That the scenarios can fail is shown by watchers that are broken from outside (`planted`).
//!
//! The command is the one beside these tests, if no source that it is made of is younger; else cargo builds it.
//! `ZEUGMA_BIN` names another.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

mod chain;
mod expired;
mod followed;
mod frozen;
mod packets;
mod planted;
mod program;
mod twins;
mod watcher;
mod world;
