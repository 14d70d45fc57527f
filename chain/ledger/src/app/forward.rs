//! The `forward` port: a hub sends a message on, and says whence it came.
//!
//! A payload to this port asks the hub to send its value to a port behind another client. The hub never
//! repeats a foreign commitment as its own: it receives the packet, and sends one of its own, whose value is
//! [`Forwarded`]: the message, and its [`Origin`] with the **finality class** of the origin's client. A
//! sender cannot write that wrapper itself: it is made here only, and read only from this port.
//!
//! The second packet's outcome is the answer to the first: its acknowledgement is passed on, an error or a
//! timeout becomes the error acknowledgement. Its timeout is [`HOP_SECONDS`] earlier than the first's, so
//! timeouts shrink by hop and stay under a day. One hop: a forwarded message is not forwarded again.

use super::message::ENCODING;
use super::{Application, Arrived, Outgoing, Received, Room, Sender, Taken, wrong_payload};
use crate::block::Context;
use crate::bounded::{Bytes, Text, record};
use crate::halt::Run;
use crate::ibc::{Packet, Payload, Port};
use crate::limits::{HOP_SECONDS, MAX_PACKET, MAX_PAYLOAD_WORD, MAX_SENDER};
use zeugma_types::{ClientId, Code, Decode, Encode, FinalityClass, Height, Refusal, UnixSeconds};

/// The port.
pub const PORT: &str = "forward";
/// The version of a request to forward.
pub const VERSION: &str = "zeugma-forward-1";
/// The version of what is forwarded.
pub const VERSION_FORWARDED: &str = "zeugma-forwarded-1";

record! {
    /// A request to a hub.
    pub struct ForwardRequest {
        /// Who asks: for an account of a Zeugma network, its 32 bytes.
        pub sender: Bytes<MAX_SENDER>,
        /// The hub's client of the chain to send on to.
        pub next: ClientId,
        /// The port there.
        pub port: Port,
        /// The version of the message.
        pub version: Text<MAX_PAYLOAD_WORD>,
        /// The encoding of the message.
        pub encoding: Text<MAX_PAYLOAD_WORD>,
        /// The message.
        pub value: Bytes<MAX_PACKET>,
    }

    /// Whence a message came, as the hub knows it.
    pub struct Origin {
        /// The hub's client of the origin chain.
        pub client: ClientId,
        /// The origin chain's client of the hub.
        pub counterparty: ClientId,
        /// The origin chain's height under which the packet was proved.
        pub height: Height,
        /// Why that height is final.
        pub finality: FinalityClass,
        /// The application there that sent it, which vouches for the sender.
        pub port: Port,
        /// Who sent it.
        pub sender: Bytes<MAX_SENDER>,
    }

    /// A message and whence it came.
    pub struct Forwarded {
        /// Whence.
        pub origin: Origin,
        /// The version of the message.
        pub version: Text<MAX_PAYLOAD_WORD>,
        /// The encoding of the message.
        pub encoding: Text<MAX_PAYLOAD_WORD>,
        /// The message.
        pub value: Bytes<MAX_PACKET>,
    }
}

/// See the module.
pub(crate) struct ForwardPort;

impl Application for ForwardPort {
    fn port(&self) -> &'static str {
        PORT
    }

    fn number(&self) -> u8 {
        2
    }

    fn on_send(&self, _: &mut Room<'_, '_>, _: &Packet, payload: &Payload, sender: &Sender) -> Run<()> {
        // A wrapper can only come from `on_recv`, which does not pass here: its version is refused.
        let request = request(payload)?;
        if payload.destination_port.as_str() != PORT {
            return Err(wrong_payload("the forward port of a hub").into());
        }
        if request.sender.as_slice() != sender.account.as_bytes() {
            return Err(Refusal::new(Code::WrongSender).needed(*sender.account.as_bytes()).into());
        }
        Ok(())
    }

    fn on_recv(&self, _: &mut Room<'_, '_>, _: &Context, arrived: &Arrived<'_>) -> Run<Received> {
        let (packet, payload) = (arrived.packet, arrived.payload);
        let request = request(payload)?;
        if request.port.as_str() == PORT {
            return Err(wrong_payload("a port other than forward: one hop").into());
        }
        let forwarded = Forwarded {
            origin: Origin {
                client: packet.destination_client.clone(),
                counterparty: packet.source_client.clone(),
                height: arrived.height,
                finality: arrived.finality,
                port: payload.source_port.clone(),
                sender: request.sender,
            },
            version: request.version,
            encoding: request.encoding,
            value: request.value,
        };
        let timeout = packet.timeout.get().saturating_sub(HOP_SECONDS);
        let payload = Payload {
            source_port: Port::new(PORT)?,
            destination_port: request.port,
            version: Text::new(VERSION_FORWARDED)?,
            encoding: Text::new(ENCODING)?,
            value: Bytes::new(forwarded.to_bytes())?,
        };
        let outgoing = Outgoing { client: request.next, timeout: UnixSeconds::new(timeout), payload };
        Ok(Received::Taken(Taken::Later(outgoing)))
    }
}

fn request(payload: &Payload) -> Result<ForwardRequest, Refusal> {
    if payload.version.as_str() != VERSION || payload.encoding.as_str() != ENCODING {
        return Err(wrong_payload(VERSION));
    }
    ForwardRequest::from_bytes(payload.value.as_slice())
}
