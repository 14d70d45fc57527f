//! A group key without a dealer: every member deals, every member confirms, or there is no key.
//!
//! # Guarantee
//!
//! An [`Outcome`] exists only when **all** members hold the same dealer logs of all, no log reveals a share,
//! and every member signed the digest of the transcript over them. A silent member stops the ceremony: nobody
//! is left out by a time-out. It is repeated under the next attempt number.
//!
//! # Order of events
//!
//! 1. *Deal*: each member sends each other its commitment and that member's share.
//! 2. *Acknowledge*: a member that has made a dealing durable signs it.
//! 3. *Log*: a dealer whom **all** acknowledged signs its log; so no share is ever revealed.
//! 4. *Confirm*: with the logs of all, each computes key and transcript and signs the transcript's digest.
//! 5. The outcome is there with the confirmations of all.
//!
//! Every message is sent again until its effect is seen, so loss and restarts cost time only.

mod actor;
mod ceremony;
mod dealer;
mod identity;
mod keyfile;
mod wire;

pub use actor::{Config, run};
pub use ceremony::{Ceremony, Error, Outcome, Record, Step, ceremony_id};
pub use dealer::insecure_dealer;
pub use identity::read_identity;
pub(crate) use keyfile::public_key;
pub use keyfile::{KeyFile, write_secret};
pub use wire::{Body, MAX_MESSAGE, Message};
