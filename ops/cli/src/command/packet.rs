//! `zeugma packet trace`: the whole life of one packet, from the nodes of the networks that it crosses.
//!
//! Each step is what a node tells, with the leaf that proves it and the certified block that covers the leaf. What the
//! packet waits for follows from the steps and from the time alone, with the command that moves it on.

use super::remote::{Node, believing};
use crate::failure::{Failure, Rule};
use crate::output::{Output, Report, plain};
use crate::{clock, trust};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use zeugma_client::{Client, Standing, Under};
use zeugma_ledger::ibc::{Held, Link, Packet as Sent, error_acknowledgement};
use zeugma_ledger::registry::Kind;
use zeugma_ledger::{Event, Slot};
use zeugma_types::{BlockTime, ClientId, Decode, Height, LeafIndex, Sequence};

/// Blocks of one page of events.
const PAGE: u32 = 200;

/// One packet
#[derive(Debug, Subcommand)]
pub(crate) enum Packet {
    /// Its whole life: each step, its proof, what it waits for and until when
    Trace(Trace),
}

/// See [`Packet::Trace`].
#[derive(Debug, Args)]
pub(crate) struct Trace {
    #[command(flatten)]
    node: Node,
    /// The packet: the sending network's client of the receiver, a slash, its number, as zeugma-0/5
    #[arg(value_name = "CLIENT/SEQUENCE", value_parser = parse)]
    packet: Named,
    /// The API of a node of the network that receives it; without one its part is not known
    #[arg(long, value_name = "URL")]
    other: Option<String>,
    /// That network's trust file: its proofs are verified
    #[arg(long, value_name = "FILE", requires = "other")]
    other_trust: Option<PathBuf>,
}

#[derive(Clone, Debug)]
struct Named {
    client: ClientId,
    sequence: Sequence,
}

fn parse(text: &str) -> Result<Named, String> {
    let form = || "write it as CLIENT/SEQUENCE, as zeugma-0/5".to_owned();
    let (client, sequence) = text.rsplit_once('/').ok_or_else(form)?;
    let client = ClientId::new(client).map_err(|refusal| refusal.to_string())?;
    let sequence = sequence.parse().map_err(|_| form())?;
    Ok(Named { client, sequence: Sequence::new(sequence) })
}

/// One step of a packet, as a node told it.
#[derive(Clone, Debug)]
struct Step {
    side: &'static str,
    height: Height,
    time: BlockTime,
    what: String,
    /// The leaf that proves it.
    leaf: Option<LeafIndex>,
    /// The first certified block that covers the leaf, and whether its proof was verified here.
    certified: Option<(Height, bool)>,
}

/// What was seen of the packet so far.
#[derive(Clone, Debug, Default)]
struct Life {
    steps: Vec<Step>,
    packet: Option<Sent>,
    received: bool,
    answered: bool,
    closed: bool,
    resolved: bool,
    /// Until when it is held, and when it goes back.
    held: Option<Held>,
    /// The packet whose outcome is its answer.
    awaits: Option<Link>,
    /// What stands in its way.
    obstacle: Option<String>,
}

/// What a packet waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Waits {
    for_what: String,
    until: Option<BlockTime>,
    command: Option<String>,
}

impl Packet {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let Self::Trace(trace) = self;
        output.report(&trace.run()?);
        Ok(())
    }
}

impl Trace {
    fn run(&self) -> Result<Report, Failure> {
        let sender = self.node.client()?;
        let Named { client, sequence } = &self.packet;
        let mut life = Life::default();
        at_sender(&sender, client, *sequence, &mut life)?;
        let Some(packet) = life.packet.clone() else {
            let what = format!("it told of no packet {sequence} of client {client}");
            let todo = "check client and number; `zeugma query client` shows the client";
            return Err(Failure::own(Rule::NotThere, "the node", what, todo));
        };
        if let Some(url) = &self.other {
            let mut receiver = Client::new(url);
            if let Some(path) = &self.other_trust {
                receiver = believing(receiver, &trust::read(path)?);
            }
            at_receiver(&receiver, &packet, &mut life)?;
        }
        life.steps.sort_by_key(|step| step.time);
        let waits = waits(&life, &packet, self.other.is_some(), clock::now());
        Ok(report(&packet, &life, waits.as_ref()))
    }
}

/// Every event of a node that `pick` knows, with its block.
fn events(at: &Client, mut pick: impl FnMut(&Event, Height, BlockTime)) -> Result<(), Failure> {
    let mut from = Height::new(1);
    loop {
        let page = at.events(from, PAGE).map_err(|error| Failure::client("the events", error))?;
        for block in &page.blocks {
            block.events.iter().for_each(|told| pick(&told.event, block.height, block.time));
        }
        if page.next > page.tip || page.next <= from {
            return Ok(());
        }
        from = page.next;
    }
}

fn at_sender(sender: &Client, client: &ClientId, sequence: Sequence, life: &mut Life) -> Result<(), Failure> {
    events(sender, |event, height, time| {
        let step = |what: &str, leaf| {
            let what = what.to_owned();
            Step { side: "sender", height, time, what, leaf, certified: None }
        };
        match event {
            Event::PacketSent(sent)
                if sent.packet.source_client == *client && sent.packet.sequence == sequence =>
            {
                life.steps.push(step("sent", Some(sent.index)));
                life.packet = Some(sent.packet.clone());
            }
            Event::PacketAcknowledged(done) if done.client == *client && done.sequence == sequence => {
                life.steps.push(step(&format!("acknowledged: {}", done.answered.name()), None));
                life.resolved = true;
            }
            Event::PacketTimedOut(done) if done.client == *client && done.sequence == sequence => {
                life.steps.push(step("timed out: what it carried came back", None));
                life.resolved = true;
            }
            _ => {}
        }
    })?;
    certify(sender, &mut life.steps)
}

fn at_receiver(receiver: &Client, packet: &Sent, life: &mut Life) -> Result<(), Failure> {
    let (client, sequence) = (&packet.destination_client, packet.sequence);
    let mut steps = Vec::new();
    events(receiver, |event, height, time| {
        let step = |what: String, leaf| Step { side: "receiver", height, time, what, leaf, certified: None };
        match event {
            Event::PacketReceived(got) if got.client == *client && got.sequence == sequence => {
                steps.push(step("received".to_owned(), None));
                life.received = true;
            }
            Event::PayloadRefused(got) if got.client == *client && got.sequence == sequence => {
                steps.push(step(format!("refused by its application: {}", got.refusal), None));
            }
            Event::PacketHeld(got) if got.client == *client && got.sequence == sequence => {
                steps.push(step(format!("held until {}", clock::show(got.release_at)), None));
            }
            Event::HoldEnded(got) if got.client == *client && got.sequence == sequence => {
                let order =
                    got.order.0.map_or_else(String::new, |by| format!(" by order {}", hex::encode(by)));
                steps.push(step(format!("held no longer: {}{order}", got.end.name()), None));
            }
            Event::AcknowledgementWritten(got) if got.client == *client && got.sequence == sequence => {
                let error = error_acknowledgement();
                let refused = got.acknowledgements.iter().any(|one| one.as_slice() == error);
                let what = if refused { "answered: error" } else { "answered: success" };
                steps.push(step(what.to_owned(), Some(got.index)));
                life.answered = true;
            }
            Event::PacketClosed(got) if got.client == *client && got.sequence == sequence => {
                steps.push(step("closed: it can never be received".to_owned(), Some(got.index)));
                life.closed = true;
            }
            _ => {}
        }
    })?;
    certify(receiver, &mut steps)?;
    life.steps.append(&mut steps);
    life.held = record(receiver, Slot::Held(client, sequence))?;
    life.awaits = record(receiver, Slot::Pending(client, sequence))?;
    if !life.received {
        life.obstacle = obstacle(receiver, client)?;
    }
    Ok(())
}

fn record<T: Decode>(at: &Client, slot: Slot<'_>) -> Result<Option<T>, Failure> {
    let (_, bytes) = at.state(&slot.key()).map_err(|error| Failure::client("the packet", error))?;
    let read = bytes.map(|bytes| T::from_bytes(&bytes)).transpose();
    read.map_err(|refusal| Failure::refused("the packet", refusal))
}

/// The first certified block that covers each leaf.
fn certify(at: &Client, steps: &mut [Step]) -> Result<(), Failure> {
    for step in steps {
        let Some(leaf) = step.leaf else { continue };
        let found = at.proof(leaf, Under::First).map_err(|error| Failure::client("a proof", error))?;
        step.certified = found.map(|file| (file.proof.header.height, file.proven.is_some()));
    }
    Ok(())
}

/// Why the receiver would not take the packet now.
fn obstacle(receiver: &Client, client: &ClientId) -> Result<Option<String>, Failure> {
    let failed = |error| Failure::client("the receiver's client", error);
    let Some(found) = receiver.light_client(client).map_err(failed)? else {
        return Ok(Some(format!("the receiver has no client {client}")));
    };
    match found.status {
        Standing::Active => {}
        Standing::Frozen => return Ok(Some(format!("the receiver's client {client} is frozen"))),
        Standing::Expired => return Ok(Some(format!("the receiver's client {client} is expired"))),
    }
    let entry = receiver.registry(Kind::Halt, client.as_str()).map_err(failed)?;
    Ok(entry
        .and_then(|entry| entry.digest.0)
        .map(|order| format!("the route by {client} is halted by order {}", hex::encode(order))))
}

/// What the packet waits for, by what was seen of it and by the time.
fn waits(life: &Life, packet: &Sent, both: bool, now: BlockTime) -> Option<Waits> {
    let named = |verb: &str| {
        let at = if matches!(verb, "acknowledge" | "timeout") { "SENDER" } else { "RECEIVER" };
        let other = if at == "SENDER" { "RECEIVER" } else { "SENDER" };
        format!(
            "zeugma tx {verb} --client {} --sequence {} --node {at} --other {other} --other-trust FILE --key FILE",
            packet.source_client, packet.sequence
        )
    };
    let held = |verb: &str| {
        let (client, sequence) = (&packet.destination_client, packet.sequence);
        format!("zeugma tx {verb} --client {client} --sequence {sequence} --node RECEIVER --key FILE")
    };
    let timeout = clock::of_seconds(packet.timeout);
    let until = |for_what: &str, until, command: Option<String>| {
        Some(Waits { for_what: for_what.to_owned(), until, command })
    };
    if life.resolved {
        return None;
    }
    if !both {
        return until("what the receiver makes of it: name its node with --other", Some(timeout), None);
    }
    if life.answered {
        return until("a relayer to bring the answer back", None, Some(named("acknowledge")));
    }
    if life.closed {
        return until("a relayer to bring the closing back", None, Some(named("timeout")));
    }
    if let Some(hold) = &life.held {
        let (release, back) = (Some(hold.release_at), Some(clock::of_seconds(hold.timeout)));
        return if now < hold.release_at {
            until("the release time of what it brought", release, None)
        } else if back.is_some_and(|back| now < back) {
            until("anyone to release it; it goes back", back, Some(held("release-hold")))
        } else {
            until("anyone to say that its time is over: it goes back", None, Some(held("release-hold")))
        };
    }
    if let Some(next) = &life.awaits {
        let what =
            format!("the outcome of packet {}/{} that the receiver sent on", next.client, next.sequence);
        return until(&what, None, None);
    }
    if life.received {
        return until("the receiver's answer", None, None);
    }
    if now.whole_seconds() >= packet.timeout {
        return until("somebody to close it: its time is over", None, Some(named("claim-timeout")));
    }
    match &life.obstacle {
        Some(obstacle) => until(&format!("an obstacle to go: {obstacle}"), Some(timeout), None),
        None => until("a relayer to bring it", Some(timeout), Some(named("receive"))),
    }
}

fn report(packet: &Sent, life: &Life, waits: Option<&Waits>) -> Report {
    let mut text = format!(
        "packet {}/{} to {}, timeout {}\n",
        packet.source_client,
        packet.sequence,
        packet.destination_client,
        clock::show(clock::of_seconds(packet.timeout))
    );
    for step in &life.steps {
        let proof = match (step.leaf, step.certified) {
            (None, _) => String::new(),
            (Some(leaf), None) => format!("; leaf {leaf}, not certified yet"),
            (Some(leaf), Some((height, verified))) => {
                let word = if verified { ", proof verified" } else { "" };
                format!("; leaf {leaf}, certified in block {height}{word}")
            }
        };
        text.push_str(&format!(
            "{}  {:<8} block {:<6} {}{proof}\n",
            clock::show(step.time),
            step.side,
            step.height,
            plain(&step.what)
        ));
    }
    match waits {
        None => text.push_str("it has ended\n"),
        Some(waits) => {
            text.push_str(&format!("waits for: {}\n", plain(&waits.for_what)));
            if let Some(until) = waits.until {
                text.push_str(&format!("until: {}\n", clock::show(until)));
            }
            if let Some(command) = &waits.command {
                text.push_str(&format!("command: {command}\n"));
            }
        }
    }
    let steps: Vec<Value> = life
        .steps
        .iter()
        .map(|step| {
            json!({
                "at": step.side,
                "block": step.height.get(),
                "time": clock::show(step.time),
                "what": step.what,
                "leaf": step.leaf.map(LeafIndex::get),
                "certified_block": step.certified.map(|(height, _)| height.get()),
                "proof_verified": step.certified.is_some_and(|(_, verified)| verified),
            })
        })
        .collect();
    let json = json!({
        "client": packet.source_client.as_str(),
        "sequence": packet.sequence.get(),
        "to_client": packet.destination_client.as_str(),
        "timeout": clock::show(clock::of_seconds(packet.timeout)),
        "steps": steps,
        "ended": waits.is_none(),
        "waits_for": waits.map(|waits| waits.for_what.clone()),
        "waits_until": waits.and_then(|waits| waits.until).map(clock::show),
        "command": waits.and_then(|waits| waits.command.clone()),
    });
    Report { text, json }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_ledger::bounded::{Bytes, Text};
    use zeugma_ledger::ibc::{Payload, Port};
    use zeugma_types::UnixSeconds;

    fn packet() -> Sent {
        let payload = Payload {
            source_port: Port::new("message").unwrap(),
            destination_port: Port::new("message").unwrap(),
            version: Text::new("v").unwrap(),
            encoding: Text::new("e").unwrap(),
            value: Bytes::new(*b"x").unwrap(),
        };
        let (a, b) = (ClientId::new("zeugma-0").unwrap(), ClientId::new("zeugma-1").unwrap());
        Sent::new(Sequence::new(5), a, b, UnixSeconds::new(100), vec![payload]).unwrap()
    }

    #[test]
    fn what_a_packet_waits_for_follows_from_what_was_seen_and_from_the_time() {
        let at = |life: &Life, seconds: u64| waits(life, &packet(), true, BlockTime::new(seconds * 1_000));
        let what = |waits: Option<Waits>| waits.unwrap().for_what;
        let mut life = Life::default();
        assert!(at(&life, 99).unwrap().command.unwrap().starts_with("zeugma tx receive --client zeugma-0"));
        assert_eq!(at(&life, 99).unwrap().until, Some(BlockTime::new(100_000)));
        assert!(at(&life, 100).unwrap().command.unwrap().contains("claim-timeout"));
        life.obstacle = Some("the client is frozen".into());
        assert!(what(at(&life, 99)).contains("frozen"));
        life = Life { received: true, ..Life::default() };
        let (release_at, timeout) = (BlockTime::new(30_000), UnixSeconds::new(100));
        life.held = Some(Held { port: Port::new("transfer").unwrap(), release_at, timeout });
        assert_eq!(at(&life, 29).unwrap().until, Some(release_at));
        assert_eq!(at(&life, 29).unwrap().command, None);
        assert!(at(&life, 30).unwrap().command.unwrap().contains("release-hold --client zeugma-1"));
        assert_eq!(at(&life, 100).unwrap().until, None);
        life.held = None;
        life.awaits = Some(Link { client: ClientId::new("zeugma-2").unwrap(), sequence: Sequence::new(7) });
        assert!(what(at(&life, 50)).contains("zeugma-2/7"));
        life.answered = true;
        assert!(at(&life, 500).unwrap().command.unwrap().contains("acknowledge"));
        assert!(
            at(&Life { closed: true, ..Life::default() }, 500).unwrap().command.unwrap().contains("timeout")
        );
        life.resolved = true;
        assert_eq!(at(&life, 500), None);
        assert!(waits(&Life::default(), &packet(), false, BlockTime::new(0)).unwrap().command.is_none());
    }

    #[test]
    fn a_packet_is_named_by_client_and_number() {
        let named = parse("zeugma-0/5").unwrap();
        assert_eq!((named.client.as_str(), named.sequence.get()), ("zeugma-0", 5));
        for text in ["zeugma-0", "zeugma-0/", "/5", "zeugma-0/x", ""] {
            parse(text).unwrap_err();
        }
    }
}
