//! Packets toward us: received once, or closed once.
//!
//! One receipt slot decides. Receiving needs block time before the timeout, in whole seconds; closing needs
//! block time at or after it; so at no time are both possible, and whichever came first is final. A replay
//! of either is [`Effect::AlreadyDone`] and costs its sender only its bytes, so that a batch of a relayer
//! is not lost because another relayer was faster.

use super::client::{load_active, path_under, require_counterparty, require_open, state_at};
use super::hold;
use super::packet::{Acknowledgements, Packet, Payload};
use super::record::{Link, Receipt};
use super::send::send;
use crate::app::{Application, Arrived, Outgoing, Received, Router, Taken};
use crate::bounded::Bytes;
use crate::event::{AcknowledgementWritten, Event, PacketClosed, PacketReceived, PayloadRefused};
use crate::halt::{Halt, Run};
use crate::outcome::{Effect, Recorded};
use crate::standing::say;
use crate::state::{Said, Slot};
use crate::tx::{ClaimTimeout, RecvPacket, StoreProof};
use crate::work::Work;
use alloc::vec::Vec;
use zeugma_proof::body::Closed;
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{ClientId, Code, Encode, FinalityClass, Height, LeafPath, Refusal, Sequence, Value};

pub(crate) fn recv_packet(work: &mut Work<'_>, message: &RecvPacket) -> Run<Effect> {
    let packet = &message.packet;
    let (client, sequence) = (&packet.destination_client, packet.sequence);
    match work.view.load::<Receipt>(Slot::Receipt(client, sequence))? {
        Some(Receipt::Received) => return Ok(Effect::AlreadyDone),
        Some(Receipt::Closed) => return Err(Refusal::new(Code::PacketIsClosed).found(sequence.get()).into()),
        None => {}
    }
    let now = work.block.context().time.whole_seconds();
    if now >= packet.timeout {
        return Err(Refusal::new(Code::PacketTimedOut).needed(packet.timeout.get()).found(now.get()).into());
    }
    require_open(work, client)?;
    let finality = require_committed(
        work,
        client,
        &packet.source_client,
        sequence,
        packet.commitment(),
        &message.proof,
    )?;

    #[cfg(feature = "planted")]
    let written = !work.families.plants(crate::families::PlantedBug::ReceiptSkipped);
    #[cfg(not(feature = "planted"))]
    let written = true;
    if written {
        work.view.save(Slot::Receipt(client, sequence), &Receipt::Received);
    }
    work.view.tell(Event::PacketReceived(PacketReceived { client: client.clone(), sequence }));

    let mark = work.view.mark();
    match deliver(work, packet, message.proof.height, finality) {
        Ok(Some(acknowledgements)) => write_acknowledgements(work, client, sequence, &acknowledgements)?,
        Ok(None) => {}
        Err(Halt::Refused(refusal)) => {
            // The applications' effects go, the receipt stays: the sender gets the error and nothing hangs.
            work.view.rollback(mark);
            work.view.tell(Event::PayloadRefused(PayloadRefused {
                client: client.clone(),
                sequence,
                refusal: Recorded::from(&refusal),
            }));
            write_acknowledgements(work, client, sequence, &Acknowledgements::error())?;
        }
        Err(halt) => return Err(halt),
    }
    Ok(Effect::Applied)
}

pub(crate) fn claim_timeout(work: &mut Work<'_>, message: &ClaimTimeout) -> Run<Effect> {
    let packet = &message.packet;
    let (client, sequence) = (&packet.destination_client, packet.sequence);
    match work.view.load::<Receipt>(Slot::Receipt(client, sequence))? {
        Some(Receipt::Closed) => return Ok(Effect::AlreadyDone),
        Some(Receipt::Received) => {
            return Err(Refusal::new(Code::PacketReceived).found(sequence.get()).into());
        }
        None => {}
    }
    let now = work.block.context().time.whole_seconds();
    if now < packet.timeout {
        return Err(Refusal::new(Code::TimeoutNotReached)
            .needed(packet.timeout.get())
            .found(now.get())
            .into());
    }
    let commitment = packet.commitment();
    require_committed(work, client, &packet.source_client, sequence, commitment, &message.proof)?;

    // The tombstone first, then the leaf: nothing says what the slot does not hold.
    #[cfg(feature = "planted")]
    let written = !work.families.plants(crate::families::PlantedBug::TombstoneSkipped);
    #[cfg(not(feature = "planted"))]
    let written = true;
    if written {
        work.view.save(Slot::Receipt(client, sequence), &Receipt::Closed);
    }
    let said = Closed { client: client.clone(), sequence, commitment, timeout: packet.timeout };
    let index = say(&mut work.view, work.block.context(), &said)?;
    work.view.tell(Event::PacketClosed(PacketClosed {
        client: client.clone(),
        source_client: packet.source_client.clone(),
        sequence,
        timeout: packet.timeout,
        index,
    }));
    Ok(Effect::Applied)
}

/// The sender's chain holds this commitment.
fn require_committed(
    work: &Work<'_>,
    client: &ClientId,
    source: &ClientId,
    sequence: Sequence,
    commitment: Value,
    proof: &StoreProof,
) -> Run<FinalityClass> {
    let other = require_counterparty(work, client, source)?;
    let loaded = load_active(work, client)?;
    let state = state_at(work, client, proof.height)?;
    let path = path_under(&other, &packet_path(source, PacketPath::Commitment, sequence))?;
    loaded.family.membership(loaded.bytes(), &state, &path, commitment.as_bytes(), proof.proof.as_slice())?;
    Ok(loaded.now.finality)
}

/// Hands each payload to its application. `None` when the answer comes later.
fn deliver(
    work: &mut Work<'_>,
    packet: &Packet,
    height: Height,
    finality: FinalityClass,
) -> Run<Option<Acknowledgements>> {
    let payloads = packet.payloads();
    let mut answers = Vec::with_capacity(payloads.len());
    for (place, payload) in (0_u8..).zip(payloads) {
        let application = Router::of(&payload.destination_port)?;
        let arrived = Arrived { packet, place, payload, height, finality };
        let context = work.block.context();
        match application.on_recv(&mut application.room(&mut work.view, context.time), context, &arrived)? {
            Received::Taken(Taken::Acknowledged(bytes)) => answers.push(Bytes::new(bytes)?),
            Received::Taken(Taken::Later(outgoing)) => {
                require_alone(payloads)?;
                return send_on(work, &link_of(packet), application, outgoing).map(|()| None);
            }
            Received::Held { release_at } => {
                require_alone(payloads)?;
                return hold::keep(work, packet, &payload.destination_port, release_at).map(|()| None);
            }
        }
    }
    let acknowledgements = Acknowledgements::new(answers)?;
    if acknowledgements.is_error() {
        return Err(Refusal::new(Code::WrongAcknowledgement).found("the error as a success").into());
    }
    Ok(Some(acknowledgements))
}

fn require_alone(payloads: &[Payload]) -> Result<(), Refusal> {
    match payloads {
        [_] => Ok(()),
        _ => Err(Refusal::new(Code::WrongPayload).needed("one payload where the answer comes later")),
    }
}

/// A packet received, as others are linked to it.
pub(super) fn link_of(packet: &Packet) -> Link {
    Link { client: packet.destination_client.clone(), sequence: packet.sequence }
}

/// Sends a packet on behalf of one received; the outcome of the first is the answer to the second.
pub(super) fn send_on(
    work: &mut Work<'_>,
    received: &Link,
    application: &'static dyn Application,
    outgoing: Outgoing,
) -> Run<()> {
    let Outgoing { client, timeout, payload } = outgoing;
    if payload.source_port.as_str() != application.port() {
        return Err(Refusal::new(Code::WrongPayload).needed(application.port()).into());
    }
    let sent = send(work, &client, timeout, Vec::from([payload]))?;
    work.view.save(
        Slot::Pending(&received.client, received.sequence),
        &Link { client: client.clone(), sequence: sent.sequence },
    );
    work.view.save(Slot::Parent(&client, sent.sequence), received);
    Ok(())
}

/// Writes and says the answer to a packet received, once.
pub(super) fn write_acknowledgements(
    work: &mut Work<'_>,
    client: &ClientId,
    sequence: Sequence,
    acknowledgements: &Acknowledgements,
) -> Run<()> {
    let source_client = super::client::counterparty(work, client)?.client;
    let commitment = acknowledgements.commitment();
    work.view.save_bytes(Slot::Acknowledgement(client, sequence), commitment.to_bytes());
    let path = LeafPath::packet(client, PacketPath::Acknowledgement, sequence);
    let index = work.view.say(Said { path, value: commitment, opening: None })?;
    work.view.tell(Event::AcknowledgementWritten(AcknowledgementWritten {
        client: client.clone(),
        source_client,
        sequence,
        acknowledgements: acknowledgements.each().clone(),
        index,
    }));
    Ok(())
}
