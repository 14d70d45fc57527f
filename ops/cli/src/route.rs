//! Packets between two Zeugma networks, carried by whoever has an account on both.
//!
//! One proof file carries everything: its header and certificate move the receiver's light client, its leaf
//! and inclusion path prove the packet, the answer or the closing under that header. Nothing is believed of
//! the node that gave it: the client of the API verifies it under the sender's trust file, and the receiving
//! network verifies it again by its own light client.

use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::families::NUMBER_OF_ZEUGMA;
use std::time::{Duration, Instant};
use zeugma_adapter_core::MerklePath;
use zeugma_adapter_zeugma::{Certified, LeafProof, Profile, State, Update};
use zeugma_client::{Client, ProofFile, Under};
use zeugma_ledger::app::message::{ENCODING, MessageBody, PORT, VERSION};
use zeugma_ledger::bounded::{Bytes, List, Text};
use zeugma_ledger::ibc::{Acknowledgements, Packet, Payload, Port};
use zeugma_ledger::tx::{
    Acknowledge, ClaimTimeout, CreateClient, RecvPacket, RegisterCounterparty, SendPacket, StoreProof,
    Timeout, UpdateClient,
};
use zeugma_ledger::{Event, Message};
use zeugma_proof::{Endorsement, Proof, TrustFile};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    AccountId, BlockTime, ClientId, Code, Encode as _, Height, LeafPath, Refusal, Sequence, Span, UnixSeconds,
};

/// How far the other network's clock may be ahead.
const DRIFT: Span = Span::seconds(10);
/// How often a proof that is not there yet is asked for again.
const LOOK: Duration = Duration::from_millis(100);
/// Blocks of one page of events.
const PAGE: u32 = 100;

fn refused(refusal: Refusal) -> Failure {
    Failure::refused("the message", refusal)
}

/// Starts a light client of the network of `other` at its latest certified header.
pub(crate) fn create_client(other: &Client, trust: &TrustFile, trusting: Span) -> Result<Message, Failure> {
    let certified = other.latest_certified().map_err(|error| Failure::client("the other network", error))?;
    let certified = certified.ok_or_else(|| {
        Failure::own(
            Rule::NotThere,
            "the other network",
            "it has no certified header yet",
            "wait for its first block",
        )
    })?;
    let present = trust.eras().last().expect("a trust file has an era");
    let state = State::of(&certified.header, present.committee.group_key.clone());
    let profile = Profile { network: trust.network, trusting_period: trusting, drift: DRIFT };
    Ok(Message::CreateClient(CreateClient {
        family: NUMBER_OF_ZEUGMA,
        profile: Bytes::new(profile.to_bytes()).map_err(refused)?,
        state: Bytes::new(state.to_bytes()).map_err(refused)?,
    }))
}

/// Names the other Zeugma network's client of us. Paths there have one empty prefix.
pub(crate) fn register_counterparty(client: &ClientId, counterparty: &ClientId) -> Message {
    let prefix = MerklePath::new(vec![Vec::new()]).expect("one element is a path");
    Message::RegisterCounterparty(RegisterCounterparty {
        client: client.clone(),
        counterparty: counterparty.clone(),
        prefix,
    })
}

/// Moves a client to the other network's latest certified header.
pub(crate) fn update_to_latest(client: &ClientId, other: &Client) -> Result<Message, Failure> {
    let certified = other.latest_certified().map_err(|error| Failure::client("the other network", error))?;
    let certified = certified.ok_or_else(|| {
        Failure::own(
            Rule::NotThere,
            "the other network",
            "it has no certified header yet",
            "wait for its first block",
        )
    })?;
    update(client, Certified { header: certified.header, certificate: certified.certificate })
}

fn update(client: &ClientId, target: Certified) -> Result<Message, Failure> {
    let update = Update { handovers: Vec::new(), target };
    Ok(Message::UpdateClient(UpdateClient {
        client: client.clone(),
        update: Bytes::new(update.to_bytes()).map_err(refused)?,
    }))
}

/// A message of an account, through the port `message`.
pub(crate) fn send(
    client: &ClientId,
    sender: &AccountId,
    timeout: UnixSeconds,
    body: &[u8],
) -> Result<Message, Failure> {
    let make = || {
        let value = MessageBody { sender: Bytes::new(sender.as_bytes().to_vec())?, body: Bytes::new(body)? };
        let payload = Payload {
            source_port: Port::new(PORT)?,
            destination_port: Port::new(PORT)?,
            version: Text::new(VERSION)?,
            encoding: Text::new(ENCODING)?,
            value: Bytes::new(value.to_bytes())?,
        };
        Ok(Message::SendPacket(SendPacket {
            client: client.clone(),
            timeout,
            payloads: List::new(vec![payload])?,
        }))
    };
    make().map_err(refused)
}

/// The packet among these events.
pub(crate) fn sent(events: &[Event]) -> Result<Packet, Failure> {
    let found = events.iter().find_map(|event| match event {
        Event::PacketSent(sent) => Some(sent.packet.clone()),
        _ => None,
    });
    found.ok_or_else(|| missing("PacketSent"))
}

/// The answer among these events.
pub(crate) fn answered(events: &[Event]) -> Result<Acknowledgements, Failure> {
    let found = events.iter().find_map(|event| match event {
        Event::AcknowledgementWritten(written) => Some(written.acknowledgements.clone()),
        _ => None,
    });
    let each = found.ok_or_else(|| missing("AcknowledgementWritten"))?;
    Acknowledgements::new(each.into_vec()).map_err(refused)
}

/// The client among these events.
pub(crate) fn created(events: &[Event]) -> Result<ClientId, Failure> {
    let found = events.iter().find_map(|event| match event {
        Event::ClientCreated(created) => Some(created.client.clone()),
        _ => None,
    });
    found.ok_or_else(|| missing("ClientCreated"))
}

fn missing(event: &str) -> Failure {
    let todo = "check that the node runs the same version of the program";
    Failure::own(Rule::Unexpected, "the node", format!("the transaction told no {event}"), todo)
}

/// Looks through what a node tells of all its blocks.
fn find<T>(at: &Client, pick: impl Fn(&Event) -> Option<T>, what: &str) -> Result<T, Failure> {
    let mut from = Height::new(1);
    loop {
        let page = at.events(from, PAGE).map_err(|error| Failure::client("the events", error))?;
        let mut told = page.blocks.iter().flat_map(|block| &block.events);
        if let Some(found) = told.find_map(|told| pick(&told.event)) {
            return Ok(found);
        }
        if page.next > page.tip || page.next <= from {
            return Err(Failure::own(
                Rule::NotThere,
                what,
                "no block tells of it",
                "check client and sequence",
            ));
        }
        from = page.next;
    }
}

/// The packet that `client` of the network at `at` sent as `sequence`. A node's word: its proof is another matter.
pub(crate) fn find_sent(at: &Client, client: &ClientId, sequence: Sequence) -> Result<Packet, Failure> {
    let pick = |event: &Event| match event {
        Event::PacketSent(sent)
            if sent.packet.source_client == *client && sent.packet.sequence == sequence =>
        {
            Some(sent.packet.clone())
        }
        _ => None,
    };
    find(at, pick, "the packet")
}

/// The answer to `packet` that the network at `at` wrote.
pub(crate) fn find_answer(at: &Client, packet: &Packet) -> Result<Acknowledgements, Failure> {
    let pick = |event: &Event| match event {
        Event::AcknowledgementWritten(written)
            if written.client == packet.destination_client && written.sequence == packet.sequence =>
        {
            Some(written.acknowledgements.clone())
        }
        _ => None,
    };
    let each = find(at, pick, "the acknowledgement")?;
    Acknowledgements::new(each.into_vec()).map_err(refused)
}

/// Where a packet's proofs stand.
pub(crate) struct Paths {
    /// Its commitment, at the sender.
    pub(crate) commitment: LeafPath,
    /// The commitment of its answer, at the receiver.
    pub(crate) acknowledgement: LeafPath,
    /// Its closing, at the receiver.
    pub(crate) closed: LeafPath,
}

impl Paths {
    /// The paths of `packet`.
    pub(crate) fn of(packet: &Packet) -> Self {
        let (source, destination) = (&packet.source_client, &packet.destination_client);
        Self {
            commitment: LeafPath::packet(source, PacketPath::Commitment, packet.sequence),
            acknowledgement: LeafPath::packet(destination, PacketPath::Acknowledgement, packet.sequence),
            closed: LeafPath::closed(destination, packet.sequence),
        }
    }
}

/// The proof of the latest leaf under `path`, once a certified header covers it. With `after`, under a header
/// whose time is not before it.
pub(crate) fn proof(
    at: &Client,
    path: &LeafPath,
    after: Option<BlockTime>,
    patience: Duration,
    interrupt: Option<&Interrupt>,
) -> Result<ProofFile, Failure> {
    let end = Instant::now() + patience;
    loop {
        let found = at.proof_of(path, Under::Latest).map_err(|error| Failure::client("the proof", error))?;
        match found {
            Some(found) if after.is_none_or(|after| found.proof.header.time >= after) => return Ok(found),
            _ if Instant::now() >= end => {
                let what = format!("no certified header covers {}", crate::path_text::show(path));
                return Err(Failure::own(Rule::TooSlow, "the proof", what, "ask later, or check the path"));
            }
            _ => match interrupt {
                Some(interrupt) => interrupt.pause(LOOK)?,
                None => std::thread::sleep(LOOK),
            },
        }
    }
}

/// The light client of the receiver moves to the header of `proof`; then the leaf is proved under it.
fn carried(client: &ClientId, proof: &Proof) -> Result<(Message, StoreProof), Failure> {
    let Endorsement::Certificate(certificate) = proof.endorsement else {
        return Err(refused(Refusal::new(Code::UnsupportedSuite)));
    };
    let update = update(client, Certified { header: proof.header.clone(), certificate })?;
    let leaf = LeafProof { leaf: proof.leaf.clone(), inclusion: proof.inclusion.clone() };
    let proof =
        StoreProof { height: proof.header.height, proof: Bytes::new(leaf.to_bytes()).map_err(refused)? };
    Ok((update, proof))
}

/// What the receiver is told: the sender's header, and the packet under it.
pub(crate) fn receive(packet: &Packet, proof: &Proof) -> Result<Vec<Message>, Failure> {
    let (update, proof) = carried(&packet.destination_client, proof)?;
    Ok(vec![update, Message::RecvPacket(RecvPacket { packet: packet.clone(), proof })])
}

/// What the receiver is told of a packet that came too late.
pub(crate) fn claim_timeout(packet: &Packet, proof: &Proof) -> Result<Vec<Message>, Failure> {
    let (update, proof) = carried(&packet.destination_client, proof)?;
    Ok(vec![update, Message::ClaimTimeout(ClaimTimeout { packet: packet.head(), proof })])
}

/// What the sender is told: the receiver's header, and the answer under it.
pub(crate) fn acknowledge(
    packet: &Packet,
    answer: &Acknowledgements,
    proof: &Proof,
) -> Result<Vec<Message>, Failure> {
    let (update, proof) = carried(&packet.source_client, proof)?;
    let acknowledgements = answer.clone();
    Ok(vec![update, Message::Acknowledge(Acknowledge { packet: packet.clone(), acknowledgements, proof })])
}

/// What the sender is told: the receiver's header, and the closing under it.
pub(crate) fn timeout(packet: &Packet, proof: &Proof) -> Result<Vec<Message>, Failure> {
    let (update, proof) = carried(&packet.source_client, proof)?;
    Ok(vec![update, Message::Timeout(Timeout { packet: packet.clone(), proof })])
}
