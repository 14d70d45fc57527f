//! Two networks follow each other by light client; one packet is answered, one is closed.

use super::{PATIENCE, Stage, unexpected};
use crate::clock;
use crate::devnet::Network;
use crate::failure::Failure;
use crate::route::{self, Paths};
use crate::submit::Sender;
use std::time::Duration;
use zeugma_client::ProofFile;
use zeugma_ledger::Message;
use zeugma_ledger::ibc::Packet;
use zeugma_types::{ClientId, Code, LeafPath, Span, UnixSeconds};

/// How long each believes the other's key after the youngest header it saw.
const TRUSTING: Span = Span::seconds(24 * 60 * 60);
/// Whole seconds until the timeout of the packet that is delivered, and of the one that is not.
const LONG: u64 = 600;
const SHORT: u64 = 6;

type Side<'s> = (&'s Sender<'s>, &'s Network);

/// Everything between A and B.
pub(super) fn play(stage: &Stage<'_>, a: Side<'_>, b: Side<'_>) -> Result<(), Failure> {
    let story = stage.story;
    let on_a = created(a.0.send(vec![route::create_client(b.0.client(), b.1.trust(), TRUSTING)?])?)?;
    let on_b = created(b.0.send(vec![route::create_client(a.0.client(), a.1.trust(), TRUSTING)?])?)?;
    a.0.send(vec![route::register_counterparty(&on_a, &on_b)])?;
    b.0.send(vec![route::register_counterparty(&on_b, &on_a)])?;
    story.line(&format!(
        "A follows B as {on_a}, B follows A as {on_b}: each verifies the other's certificates itself"
    ));

    story.chapter("A packet crosses and its answer comes back");
    let first = send(a, &on_a, LONG, b"The judgment of case 2026/118 is final.")?;
    story.line(&format!("A sends packet {} to B, to arrive within {LONG} s", first.sequence));
    let late = send(a, &on_a, SHORT, b"Please confirm today.")?;
    story
        .line(&format!("A sends packet {}, to arrive within {SHORT} s: nobody will carry it", late.sequence));
    answered(stage, a, b, &first)?;

    story.chapter("A packet that came too late is closed");
    closed(stage, a, b, &late)
}

fn created(done: crate::submit::Done) -> Result<ClientId, Failure> {
    route::created(&done.events)
}

fn send(from: Side<'_>, client: &ClientId, seconds: u64, body: &[u8]) -> Result<Packet, Failure> {
    let timeout = UnixSeconds::new(clock::now().whole_seconds().get().saturating_add(seconds));
    let message: Message = route::send(client, &from.0.key().account(), timeout, body)?;
    route::sent(&from.0.send(vec![message])?.events)
}

fn proof(stage: &Stage<'_>, at: Side<'_>, path: &LeafPath) -> Result<ProofFile, Failure> {
    route::proof(at.0.client(), path, None, PATIENCE, Some(stage.interrupt))
}

/// The packet is received at B, and its answer brought back to A.
fn answered(stage: &Stage<'_>, a: Side<'_>, b: Side<'_>, packet: &Packet) -> Result<(), Failure> {
    let (story, paths) = (stage.story, Paths::of(packet));
    let sent = proof(stage, a, &paths.commitment)?;
    let file = stage.keep_proof("packet.proof", &sent)?;
    stage.verify(&file, "trust.json")?;
    let received = b.0.send(route::receive(packet, &sent.proof)?)?;
    story.line(&format!(
        "B moves its light client to A's block {}, checks the packet's leaf under it, and receives: final in block {}",
        sent.proof.header.height, received.height
    ));
    let answer = route::answered(&received.events)?;
    if answer.is_error() {
        return Err(unexpected("B answered with an error"));
    }
    let said = proof(stage, b, &paths.acknowledgement)?;
    let file = stage.keep_proof("ack.proof", &said)?;
    stage.verify(&file, "trust-b.json")?;
    let settled = a.0.send(route::acknowledge(packet, &answer, &said.proof)?)?;
    require_settled(a, packet)?;
    story.line(&format!(
        "A has the answer, proved by B's own leaf: the packet is settled in block {}",
        settled.height
    ));
    Ok(())
}

/// The packet's time runs out; B closes it, and with the proof of that A settles it.
fn closed(stage: &Stage<'_>, a: Side<'_>, b: Side<'_>, packet: &Packet) -> Result<(), Failure> {
    let (story, paths) = (stage.story, Paths::of(packet));
    while clock::now().whole_seconds() < packet.timeout {
        stage.interrupt.pause(Duration::from_millis(100))?;
    }
    let sent = proof(stage, a, &paths.commitment)?;
    let claimed = loop {
        match b.0.send(route::claim_timeout(packet, &sent.proof)?) {
            // The block's time is its leader's: it may be a moment behind ours.
            Err(failure) if failure.code() == Some(Code::TimeoutNotReached) => {
                stage.interrupt.pause(Duration::from_millis(300))?;
            }
            claimed => break claimed?,
        }
    };
    story.line(&format!(
        "its time is over: B closes it in block {}, writes a tombstone where the receipt would stand, and says so",
        claimed.height
    ));
    let said = proof(stage, b, &paths.closed)?;
    let file = stage.keep_proof("closed.proof", &said)?;
    stage.verify(&file, "trust-b.json")?;
    match b.0.send(route::receive(packet, &sent.proof)?) {
        Ok(_) => return Err(unexpected("B received a packet that it had closed")),
        Err(failure) if failure.code() == Some(Code::PacketIsClosed) => {
            let code = Code::PacketIsClosed;
            story.line(&format!("whoever carries it now is refused: {} {}", code.number(), code.name()));
        }
        Err(failure) => return Err(failure),
    }
    let settled = a.0.send(route::timeout(packet, &said.proof)?)?;
    require_settled(a, packet)?;
    story.line(&format!("A takes the packet back on that proof alone: settled in block {}", settled.height));
    Ok(())
}

/// The sender no longer holds the packet's commitment.
fn require_settled(at: Side<'_>, packet: &Packet) -> Result<(), Failure> {
    let slots = at.0.client().packet(&packet.source_client, packet.sequence);
    let slots = slots.map_err(|error| Failure::client("the packet", error))?;
    if slots.commitment.is_some() {
        return Err(unexpected("a settled packet still has its commitment"));
    }
    Ok(())
}
