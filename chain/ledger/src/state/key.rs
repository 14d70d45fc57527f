//! Where each record lies: the one table of keys.
//!
//! | first byte | then | record |
//! |---|---|---|
//! | 0x01 | | [`crate::gov::Parameters`] in force |
//! | 0x02 | account (32) | [`crate::account::Account`] |
//! | 0x03 | | [`crate::gov::Counters`] |
//! | 0x04 | | [`crate::gov::Schedule`] |
//! | 0x05 | number `u64` | [`crate::gov::Proposal`] |
//! | 0x10 | client | [`crate::ibc::ClientRecord`] |
//! | 0x11 | client, height `u64` | a trusted state, in the family's encoding |
//! | 0x12 | client | [`crate::ibc::Route`] |
//! | 0x13 | client | [`crate::ibc::Recovery`] |
//! | 0x20 | client | sequence of the next packet sent, `u64` |
//! | 0x21 | client, sequence `u64` | commitment of a packet sent and not yet resolved (32) |
//! | 0x22 | client, sequence `u64` | [`crate::ibc::Receipt`] |
//! | 0x23 | client, sequence `u64` | commitment of the acknowledgement written (32) |
//! | 0x24 | client, sequence `u64` | [`crate::ibc::Link`] to the packet whose outcome this one's acknowledgement awaits |
//! | 0x25 | client, sequence `u64` | [`crate::ibc::Link`] to the packet received for which this one was sent |
//! | 0x26 | client, sequence `u64` | [`crate::ibc::Held`]: a packet received that takes effect later |
//! | 0x27 | client | [`crate::ibc::HeldOf`]: all that is held on a route |
//! | 0x30 | application `u8`, its own bytes | the application's own |
//! | 0x40 | SHA-256 of the origin (32) | [`crate::evidence::Origin`] |
//! | 0x50 | kind `u8`, name | [`crate::registry::Entry`] |
//! | 0x60 | bucket `u8` | [`crate::standing::Bucket`] |
//!
//! A client and a name are written as one byte of length, then their bytes, so no key is the
//! beginning of another by accident of an identifier.

use crate::bounded::Text;
use crate::limits::MAX_NAME;
use alloc::vec::Vec;
use core::fmt;
use zeugma_types::{AccountId, ClientId, Encode, Height, Sequence};

/// A key of the state, at most [`Key::MAX`] bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// Longest key, in bytes: two tags, a client with its length, two numbers of 8 bytes.
    pub const MAX: usize = 2 + 1 + ClientId::MAX + 16;

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A place in the state, in words.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the table above says what each holds")]
pub enum Slot<'a> {
    Parameters,
    Account(&'a AccountId),
    Counters,
    Schedule,
    Proposal(u64),
    Client(&'a ClientId),
    ClientState(&'a ClientId, Height),
    Route(&'a ClientId),
    Recovery(&'a ClientId),
    NextSend(&'a ClientId),
    Commitment(&'a ClientId, Sequence),
    Receipt(&'a ClientId, Sequence),
    Acknowledgement(&'a ClientId, Sequence),
    Pending(&'a ClientId, Sequence),
    Parent(&'a ClientId, Sequence),
    Held(&'a ClientId, Sequence),
    HeldOf(&'a ClientId),
    Application(u8, &'a [u8]),
    Origin(&'a [u8; 32]),
    Registry(u8, &'a Text<MAX_NAME>),
    Standing(u8),
}

impl Slot<'_> {
    /// The key of this place.
    #[must_use]
    pub fn key(self) -> Key {
        let mut out = Vec::with_capacity(48);
        match self {
            Self::Parameters => out.push(0x01),
            Self::Account(account) => {
                out.push(0x02);
                account.encode(&mut out);
            }
            Self::Counters => out.push(0x03),
            Self::Schedule => out.push(0x04),
            Self::Proposal(number) => {
                out.push(0x05);
                number.encode(&mut out);
            }
            Self::Client(client) => put_client(&mut out, 0x10, client),
            Self::ClientState(client, height) => {
                put_client(&mut out, 0x11, client);
                height.encode(&mut out);
            }
            Self::Route(client) => put_client(&mut out, 0x12, client),
            Self::Recovery(client) => put_client(&mut out, 0x13, client),
            Self::NextSend(client) => put_client(&mut out, 0x20, client),
            Self::Commitment(client, sequence) => put_packet(&mut out, 0x21, client, sequence),
            Self::Receipt(client, sequence) => put_packet(&mut out, 0x22, client, sequence),
            Self::Acknowledgement(client, sequence) => put_packet(&mut out, 0x23, client, sequence),
            Self::Pending(client, sequence) => put_packet(&mut out, 0x24, client, sequence),
            Self::Parent(client, sequence) => put_packet(&mut out, 0x25, client, sequence),
            Self::Held(client, sequence) => put_packet(&mut out, 0x26, client, sequence),
            Self::HeldOf(client) => put_client(&mut out, 0x27, client),
            Self::Application(application, own) => {
                out.extend_from_slice(&[0x30, application]);
                out.extend_from_slice(own);
            }
            Self::Origin(origin) => {
                out.push(0x40);
                origin.encode(&mut out);
            }
            Self::Registry(kind, name) => {
                out.extend_from_slice(&[0x50, kind]);
                put_short(&mut out, name.as_str());
            }
            Self::Standing(bucket) => out.extend_from_slice(&[0x60, bucket]),
        }
        debug_assert!(out.len() <= Key::MAX, "applications keep their keys as short as ours");
        Key(out)
    }
}

fn put_short(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).expect("clients and names have at most 64 bytes"));
    out.extend_from_slice(text.as_bytes());
}

fn put_client(out: &mut Vec<u8>, tag: u8, client: &ClientId) {
    out.push(tag);
    put_short(out, client.as_str());
}

fn put_packet(out: &mut Vec<u8>, tag: u8, client: &ClientId, sequence: Sequence) {
    put_client(out, tag, client);
    sequence.encode(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn every_place_has_its_own_key_and_none_is_the_beginning_of_another() {
        let (a, b) = (ClientId::new("abcd").unwrap(), ClientId::new("abcde").unwrap());
        let (account, origin) = (AccountId::new([7; 32]), [7; 32]);
        let name = Text::new("abcd").unwrap();
        let mut keys = BTreeSet::new();
        let mut count = 0;
        let mut add = |slot: Slot<'_>| {
            keys.insert(slot.key());
            count += 1;
        };
        for slot in [Slot::Parameters, Slot::Counters, Slot::Schedule, Slot::Proposal(1), Slot::Standing(1)] {
            add(slot);
        }
        add(Slot::Account(&account));
        add(Slot::Origin(&origin));
        add(Slot::Registry(1, &name));
        for client in [&a, &b] {
            let one = Sequence::new(1);
            add(Slot::Client(client));
            add(Slot::ClientState(client, Height::new(1)));
            add(Slot::Route(client));
            add(Slot::Recovery(client));
            add(Slot::NextSend(client));
            add(Slot::Commitment(client, one));
            add(Slot::Receipt(client, one));
            add(Slot::Acknowledgement(client, one));
            add(Slot::Pending(client, one));
            add(Slot::Parent(client, one));
            add(Slot::Held(client, one));
            add(Slot::HeldOf(client));
            add(Slot::Application(1, client.as_str().as_bytes()));
        }
        assert_eq!(keys.len(), count);
        // Applications frame their own keys.
        for one in keys.iter().filter(|key| key.as_bytes()[0] != 0x30) {
            let longer = keys.iter().filter(|other| other.as_bytes().starts_with(one.as_bytes()));
            assert_eq!(longer.count(), 1, "{one:?}");
        }
    }
}
