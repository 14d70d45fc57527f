//! The `message` port: bytes from an account of one network to another network, kept as a digest.
//!
//! Two versions are read. [`VERSION`] is a message sent directly; its sender is the account that signed.
//! [`FORWARDED`](super::forward::VERSION_FORWARDED) is the same message brought by a hub, which says whence
//! it came. What is kept is the SHA-256 of what arrived, which is also the acknowledgement: the sender
//! learns that these bytes, and no others, were taken.

use super::forward::{self, Forwarded};
use super::{Application, Arrived, Received, Room, Sender, Taken, wrong_payload};
use crate::block::Context;
use crate::bounded::{Bytes, Maybe, record};
use crate::halt::Run;
use crate::ibc::{Link, Packet, Payload};
use crate::limits::{MAX_MESSAGE_BODY, MAX_SENDER};
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_types::{BlockTime, Code, Decode, Encode, Height, Refusal};

/// The port.
pub const PORT: &str = "message";
/// The version of a direct message.
pub const VERSION: &str = "zeugma-message-1";
/// The encoding: the one canonical encoding of this network.
pub const ENCODING: &str = "application/x-zeugma";

record! {
    /// A message.
    pub struct MessageBody {
        /// Who sends it: for an account of a Zeugma network, its 32 bytes.
        pub sender: Bytes<MAX_SENDER>,
        /// What is said.
        pub body: Bytes<MAX_MESSAGE_BODY>,
    }

    /// What is kept of a message that arrived, under [`received_key`].
    pub struct Kept {
        /// SHA-256 of the payload's value.
        pub digest: [u8; 32],
        /// Our height when it arrived.
        pub height: Height,
        /// Our time when it arrived.
        pub time: BlockTime,
        /// Whence a hub brought it.
        pub origin: Maybe<forward::Origin>,
    }
}

/// The key, in the application's room, of a message that arrived.
#[must_use]
pub fn received_key(packet: &Link, payload: u8) -> Vec<u8> {
    let client = packet.client.as_str();
    let mut key = Vec::from([u8::try_from(client.len()).expect("a client has at most 64 bytes")]);
    key.extend_from_slice(client.as_bytes());
    packet.sequence.encode(&mut key);
    key.push(payload);
    key
}

/// See the module.
pub(crate) struct MessagePort;

impl Application for MessagePort {
    fn port(&self) -> &'static str {
        PORT
    }

    fn number(&self) -> u8 {
        1
    }

    fn on_send(&self, _: &mut Room<'_, '_>, _: &Packet, payload: &Payload, sender: &Sender) -> Run<()> {
        let message = direct(payload)?;
        if message.sender.as_slice() != sender.account.as_bytes() {
            return Err(Refusal::new(Code::WrongSender).needed(*sender.account.as_bytes()).into());
        }
        Ok(())
    }

    fn on_recv(&self, room: &mut Room<'_, '_>, context: &Context, arrived: &Arrived<'_>) -> Run<Received> {
        let payload = arrived.payload;
        let origin = match payload.version.as_str() {
            VERSION => {
                direct(payload)?;
                None
            }
            forward::VERSION_FORWARDED => Some(forwarded(payload)?.origin),
            _ => return Err(wrong_payload("a version of the message port").into()),
        };
        let digest = sha256(&[payload.value.as_slice()]);
        let packet =
            Link { client: arrived.packet.destination_client.clone(), sequence: arrived.packet.sequence };
        let kept = Kept { digest, height: context.height, time: context.time, origin: Maybe(origin) };
        room.save(&received_key(&packet, arrived.place), &kept);
        Ok(Received::Taken(Taken::Acknowledged(digest.into())))
    }
}

fn direct(payload: &Payload) -> Result<MessageBody, Refusal> {
    if payload.version.as_str() != VERSION || payload.encoding.as_str() != ENCODING {
        return Err(wrong_payload(VERSION));
    }
    MessageBody::from_bytes(payload.value.as_slice())
}

fn forwarded(payload: &Payload) -> Result<Forwarded, Refusal> {
    if payload.source_port.as_str() != forward::PORT || payload.encoding.as_str() != ENCODING {
        return Err(wrong_payload("a message that a hub forwards"));
    }
    let forwarded = Forwarded::from_bytes(payload.value.as_slice())?;
    if forwarded.version.as_str() != VERSION || forwarded.encoding.as_str() != ENCODING {
        return Err(wrong_payload(VERSION));
    }
    let message = MessageBody::from_bytes(forwarded.value.as_slice())?;
    // The sender that the hub saw is the sender that the message names.
    if message.sender != forwarded.origin.sender {
        return Err(Refusal::new(Code::WrongSender));
    }
    Ok(forwarded)
}
