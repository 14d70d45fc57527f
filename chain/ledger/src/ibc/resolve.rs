//! What becomes of packets we sent: acknowledged, or timed out. Each is resolved once.
//!
//! Order: the commitment is removed, then the event is told, then the application is called, and last the
//! packet on whose behalf it was sent is answered. Without the commitment there is nothing to resolve, so
//! no callback can come back to the same packet.
//!
//! A timeout needs an absence at a height whose own time is at or after the timeout: an absence from before
//! may have been followed by a receipt, and refunds nothing.

use super::client::{load_active, path_under, require_counterparty, state_at};
use super::packet::{Acknowledgements, Packet};
use super::receive::write_acknowledgements;
use super::record::Link;
use crate::app::{Answer, Router};
use crate::event::{Answered, Event, PacketAcknowledged, PacketTimedOut};
use crate::halt::Run;
use crate::outcome::Effect;
use crate::state::Slot;
use crate::tx::{Acknowledge, Timeout};
use crate::work::Work;
use alloc::vec::Vec;
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{Code, Refusal};

pub(crate) fn acknowledge(work: &mut Work<'_>, message: &Acknowledge) -> Run<Effect> {
    let packet = &message.packet;
    let client = &packet.source_client;
    if !is_open(work, packet)? {
        return Ok(Effect::AlreadyDone);
    }
    let acknowledgements = &message.acknowledgements;
    let given = acknowledgements.each().len();
    if !acknowledgements.is_error() && given != packet.payloads().len() {
        return Err(Refusal::new(Code::WrongAcknowledgement)
            .needed(packet.payloads().len())
            .found(given)
            .into());
    }
    let other = require_counterparty(work, client, &packet.destination_client)?;
    let loaded = load_active(work, client)?;
    let state = state_at(work, client, message.proof.height)?;
    let key = packet_path(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence);
    loaded.family.membership(
        loaded.bytes(),
        &state,
        &path_under(&other, &key)?,
        acknowledgements.commitment().as_bytes(),
        message.proof.proof.as_slice(),
    )?;

    forget(work, packet);
    let answered = if acknowledgements.is_error() { Answered::Error } else { Answered::Success };
    work.view.tell(Event::PacketAcknowledged(PacketAcknowledged {
        client: client.clone(),
        sequence: packet.sequence,
        answered,
    }));
    let answers: Vec<Answer> = match answered {
        Answered::Error => packet.payloads().iter().map(|_| Answer::Error).collect(),
        Answered::Success => {
            acknowledgements.each().iter().map(|one| Answer::Success(one.as_slice().into())).collect()
        }
    };
    resolve(work, packet, answers, Resolution::Acknowledged)
}

pub(crate) fn timeout(work: &mut Work<'_>, message: &Timeout) -> Run<Effect> {
    let packet = &message.packet;
    let client = &packet.source_client;
    if !is_open(work, packet)? {
        return Ok(Effect::AlreadyDone);
    }
    let other = require_counterparty(work, client, &packet.destination_client)?;
    let loaded = load_active(work, client)?;
    let state = state_at(work, client, message.proof.height)?;
    let then = loaded.family.state_time(&state)?.whole_seconds();
    #[cfg(feature = "planted")]
    let then = if work.families.plants(crate::PlantedBug::StaleAbsence) { packet.timeout } else { then };
    if then < packet.timeout {
        return Err(Refusal::new(Code::TimeoutNotReached)
            .needed(packet.timeout.get())
            .found(then.get())
            .into());
    }
    let key = packet_path(&packet.destination_client, PacketPath::Receipt, packet.sequence);
    let path = path_under(&other, &key)?;
    loaded.family.non_membership(loaded.bytes(), &state, &path, message.proof.proof.as_slice())?;

    forget(work, packet);
    work.view
        .tell(Event::PacketTimedOut(PacketTimedOut { client: client.clone(), sequence: packet.sequence }));
    let answers = packet.payloads().iter().map(|_| Answer::Error).collect();
    resolve(work, packet, answers, Resolution::TimedOut)
}

#[derive(Clone, Copy)]
enum Resolution {
    Acknowledged,
    TimedOut,
}

/// From here on there is nothing to resolve.
fn forget(work: &mut Work<'_>, packet: &Packet) {
    #[cfg(feature = "planted")]
    if work.families.plants(crate::PlantedBug::CommitmentKept) {
        return;
    }
    work.view.remove(Slot::Commitment(&packet.source_client, packet.sequence));
}

/// Whether the packet is one we sent that is not resolved yet.
fn is_open(work: &Work<'_>, packet: &Packet) -> Run<bool> {
    let (client, sequence) = (&packet.source_client, packet.sequence);
    let commitment = packet.commitment();
    match work.view.get(&Slot::Commitment(client, sequence).key())? {
        Some(held) if *held == *commitment.as_bytes() => return Ok(true),
        Some(_) => return Err(Refusal::new(Code::WrongPacket).found(*commitment.as_bytes()).into()),
        None => {}
    }
    // Resolved before, or never sent.
    let next = work.view.load::<zeugma_types::Sequence>(Slot::NextSend(client))?;
    match next.ok_or_else(|| super::client::unknown(client))? {
        next if sequence < next => Ok(false),
        next => Err(Refusal::new(Code::WrongPacket).needed(next.get()).found(sequence.get()).into()),
    }
}

/// Tells the applications, and answers the packet on whose behalf this one was sent.
fn resolve(
    work: &mut Work<'_>,
    packet: &Packet,
    answers: Vec<Answer>,
    resolution: Resolution,
) -> Run<Effect> {
    let own = Slot::Parent(&packet.source_client, packet.sequence);
    let behalf = work.view.load::<Link>(own)?;
    let mut translated = Vec::with_capacity(answers.len());
    for (payload, answer) in packet.payloads().iter().zip(answers) {
        let application = Router::of(&payload.source_port)?;
        let mut room = application.room(&mut work.view, work.block.context().time);
        translated.push(match resolution {
            Resolution::Acknowledged => {
                application.on_acknowledge(&mut room, packet, payload, behalf.as_ref(), answer)?
            }
            Resolution::TimedOut => application.on_timeout(&mut room, packet, payload, behalf.as_ref())?,
        });
    }
    let Some(parent) = behalf else { return Ok(Effect::Applied) };
    work.view.remove(own);
    work.view.remove(Slot::Pending(&parent.client, parent.sequence));
    let acknowledgements = match translated.pop() {
        Some(Answer::Success(bytes)) => {
            // What another chain answered may not be ours to repeat; then the answer is the error.
            crate::bounded::Bytes::new(bytes)
                .and_then(|bytes| Acknowledgements::new(Vec::from([bytes])))
                .unwrap_or_else(|_| Acknowledgements::error())
        }
        Some(Answer::Error) | None => Acknowledgements::error(),
    };
    write_acknowledgements(work, &parent.client, parent.sequence, &acknowledgements)?;
    Ok(Effect::Applied)
}
