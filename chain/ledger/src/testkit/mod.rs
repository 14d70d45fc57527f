//! What the tests of this crate share: keys, an evidence log, another chain, and a network in memory.
#![allow(unreachable_pub, reason = "records are written by the crate's own macro, which makes them public")]

mod chain;
mod log;
mod world;

pub(crate) use chain::{Peer, TestFamily};
pub(crate) use log::{LogSigner, TestLog, encode_base64};
pub(crate) use world::{Fetching, World, key_of, message, packet, update};

use zeugma_crypto::ed25519::SecretKey;

/// A key of the tests; distinct numbers give distinct keys.
pub(crate) fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}
