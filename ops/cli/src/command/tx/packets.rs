//! Packets between two Zeugma networks, each step with the other network's proof.

use super::super::remote::Other;
use super::{Ask, Desk, parse_32, parse_client};
use crate::failure::Failure;
use crate::{clock, route};
use clap::Args;
use zeugma_client::{Client, ProofFile};
use zeugma_ledger::Message;
use zeugma_ledger::ibc::Packet;
use zeugma_ledger::tx::{RejectHold, ReleaseHold};
use zeugma_types::{ClientId, LeafPath, Sequence, UnixSeconds};

/// See [`Message::SendPacket`].
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Our client of the other network
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// Seconds from now until receiving is refused there
    #[arg(long, default_value_t = 60 * 60, value_name = "SECONDS")]
    timeout: u64,
    /// What is said
    #[arg(long)]
    text: String,
}

impl Ask for Send {
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let timeout = UnixSeconds::new(clock::now().whole_seconds().get().saturating_add(self.timeout));
        Ok(vec![route::send(&self.client, &desk.account, timeout, self.text.as_bytes())?])
    }
}

/// A packet and the other network.
#[derive(Debug, Args)]
struct Named {
    #[command(flatten)]
    other: Other,
    /// The sender's client of the receiver
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The packet's number under that client
    #[arg(long, value_name = "N")]
    sequence: u64,
}

impl Named {
    /// The packet, as the network that sent it tells it.
    fn packet(&self, sender: &Client) -> Result<Packet, Failure> {
        route::find_sent(sender, &self.client, Sequence::new(self.sequence))
    }
}

fn proof(desk: &Desk<'_>, at: &Client, path: &LeafPath) -> Result<ProofFile, Failure> {
    route::proof(at, path, None, desk.patience, None)
}

/// See [`Message::RecvPacket`].
#[derive(Debug, Args)]
pub(crate) struct Receive {
    #[command(flatten)]
    packet: Named,
}

impl Ask for Receive {
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let other = self.packet.other.client()?;
        let packet = self.packet.packet(&other)?;
        route::receive(&packet, &proof(desk, &other, &route::Paths::of(&packet).commitment)?.proof)
    }
}

/// See [`Message::ClaimTimeout`].
#[derive(Debug, Args)]
pub(crate) struct ClaimTimeout {
    #[command(flatten)]
    packet: Named,
}

impl Ask for ClaimTimeout {
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let other = self.packet.other.client()?;
        let packet = self.packet.packet(&other)?;
        route::claim_timeout(&packet, &proof(desk, &other, &route::Paths::of(&packet).commitment)?.proof)
    }
}

/// See [`Message::Acknowledge`].
#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    #[command(flatten)]
    packet: Named,
}

impl Ask for Acknowledge {
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let other = self.packet.other.client()?;
        let packet = self.packet.packet(desk.here)?;
        let answer = route::find_answer(&other, &packet)?;
        let proof = proof(desk, &other, &route::Paths::of(&packet).acknowledgement)?;
        route::acknowledge(&packet, &answer, &proof.proof)
    }
}

/// See [`Message::Timeout`].
#[derive(Debug, Args)]
pub(crate) struct Timeout {
    #[command(flatten)]
    packet: Named,
}

impl Ask for Timeout {
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let other = self.packet.other.client()?;
        let packet = self.packet.packet(desk.here)?;
        route::timeout(&packet, &proof(desk, &other, &route::Paths::of(&packet).closed)?.proof)
    }
}

/// A packet that is held here.
#[derive(Debug, Args)]
struct Held {
    /// This network's client under which it was received
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The packet's number under the sender's client; zeugma query holds lists what is held
    #[arg(long, value_name = "N")]
    sequence: u64,
}

/// See [`Message::ReleaseHold`].
#[derive(Debug, Args)]
pub(crate) struct Release {
    #[command(flatten)]
    held: Held,
}

impl Ask for Release {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let Held { client, sequence } = &self.held;
        let message = ReleaseHold { client: client.clone(), sequence: Sequence::new(*sequence) };
        Ok(vec![message.into()])
    }
}

/// See [`Message::RejectHold`].
#[derive(Debug, Args)]
pub(crate) struct Reject {
    #[command(flatten)]
    held: Held,
    /// The digest of the order that stands for it, 64 hexadecimal digits
    #[arg(long, value_name = "DIGEST", value_parser = parse_32)]
    order: [u8; 32],
}

impl Ask for Reject {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let Held { client, sequence } = &self.held;
        let (client, sequence) = (client.clone(), Sequence::new(*sequence));
        Ok(vec![RejectHold { client, sequence, order: self.order }.into()])
    }
}
