//! What is held: an amount that arrived and is neither an account's nor gone on, in an escrow of its own.
//!
//! It came in through its client and counts as what came in ([`super::book`]); one record holds it until it is settled
//! or given back. When it may be which, [`crate::ibc`] decides; here nothing moves but by those two ways.

use super::amount::Amount;
use super::book;
use super::data::MAX_ADDRESS;
use super::denom::Denom;
use super::limit::{Cause, Way};
use super::order;
use crate::app::{Outgoing, Room, Taken};
use crate::bounded::{Text, choice, record};
use crate::halt::Run;
use crate::ibc::{Link, Payload};
use alloc::vec::Vec;
use zeugma_types::{AccountId, ClientId, Encode as _, Sequence, UnixSeconds};

record! {
    /// An amount that is held.
    pub struct Hold {
        /// The client by which it came.
        pub client: ClientId,
        /// The sequence of its packet.
        pub sequence: Sequence,
        /// The asset, by its name here.
        pub denom: Denom,
        /// How much; never zero.
        pub amount: Amount,
        /// Who sent it, in the words of the sender's chain.
        pub sender: Text<MAX_ADDRESS>,
        /// What becomes of it when it is released.
        pub then: Then,
    }

    /// See [`Then::Credit`].
    pub struct Credited {
        /// Who gets it.
        pub account: AccountId,
    }

    /// See [`Then::SendOn`].
    pub struct Onward {
        /// Our client of the next chain.
        pub client: ClientId,
        /// The next packet's timeout.
        pub timeout: UnixSeconds,
        /// The next packet's payload.
        pub payload: Payload,
    }
}

choice! {
    /// What becomes of an amount that arrived.
    pub enum Then {
        /// An account gets it.
        Credit(Credited) = 1, "credit";
        /// It goes on to the next chain.
        SendOn(Onward) = 2, "send-on";
    }
}

/// The first byte of these records in the application's room.
pub(super) const HOLD: u8 = 6;

/// The key, in the application's room, of what a packet brought and is held.
#[must_use]
pub fn hold_key(client: &ClientId, sequence: Sequence) -> Vec<u8> {
    let name = client.as_str().as_bytes();
    let mut key = Vec::from([HOLD, u8::try_from(name.len()).expect("a client has at most 64 bytes")]);
    key.extend_from_slice(name);
    sequence.encode(&mut key);
    key
}

/// Holds what entered.
pub(super) fn keep(room: &mut Room<'_, '_>, hold: &Hold) {
    room.save(&hold_key(&hold.client, hold.sequence), hold);
}

/// What entered goes where it was to go.
///
/// # Errors
/// As [`book::credit`] and [`book::cross`].
pub(super) fn settle(room: &mut Room<'_, '_>, denom: &Denom, amount: Amount, then: Then) -> Run<Taken> {
    match then {
        Then::Credit(to) => {
            book::credit(room, &to.account, denom, amount)?;
            Ok(Taken::Acknowledged(super::TAKEN.into()))
        }
        Then::SendOn(Onward { client, timeout, payload }) => {
            book::cross(room, &client, denom, amount, (Way::Out, Cause::Moved))?;
            Ok(Taken::Later(Outgoing { client, timeout, payload }))
        }
    }
}

/// Settles what is held. An order against the asset, and a list that it left meanwhile, keep it where it is.
///
/// # Errors
/// `AssetFrozen`, `AssetNotListed`; as [`settle`].
pub(super) fn release(room: &mut Room<'_, '_>, held: &Link) -> Run<Taken> {
    let hold = take(room, held)?;
    order::require_free(room, &hold.denom)?;
    if hold.denom.is_home_at(&hold.client) {
        order::require_listed(room, &hold.denom)?;
    }
    settle(room, &hold.denom, hold.amount, hold.then)
}

/// What is held goes out the way it came, as if it had not come.
pub(super) fn give_back(room: &mut Room<'_, '_>, held: &Link) -> Run<()> {
    let hold = take(room, held)?;
    book::cross(room, &hold.client, &hold.denom, hold.amount, (Way::Out, Cause::Undone))
}

fn take(room: &mut Room<'_, '_>, held: &Link) -> Run<Hold> {
    let key = hold_key(&held.client, held.sequence);
    let hold = room.owned(&key)?;
    room.remove(&key);
    Ok(hold)
}
