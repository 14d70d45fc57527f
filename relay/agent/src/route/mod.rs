//! Packets between two Zeugma networks.
//!
//! Events are read by height from a durable cursor into records of open packets; what a record asks for becomes a
//! batch: one client update, and proofs that all stand under its header. Events are hints: a packet that was never
//! sent has no proof and goes nowhere. A batch of which one message is refused does nothing; that message rests, the
//! others go again without it, so no packet blocks its route.

mod batch;
pub mod state;

use crate::error::Error;
use crate::hub::{Hub, Told};
use crate::metrics::Metrics;
use crate::queue::{PacketWrite, Queue};
use state::{Answer, Record, Seen, Step};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeugma_ledger::Event;
use zeugma_ledger::ibc::Acknowledgements;
use zeugma_types::{BlockTime, ClientId, Decode as _, Encode as _, Height, Sequence};

/// Blocks of one page of events.
const PAGE: u32 = 200;
/// Most pages of one round: a route that is far behind still does its other work.
const PAGES: u32 = 20;

/// One end of a route: a network, and its client of the other.
#[derive(Clone)]
pub struct End {
    /// The network.
    pub hub: Arc<dyn Hub>,
    /// Its client of the other network.
    pub client: ClientId,
}

/// Bounds of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most messages, the client update among them.
    pub messages: usize,
    /// Most bytes of all messages.
    pub bytes: usize,
}

/// A route.
pub struct Route {
    name: String,
    ends: [End; 2],
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    bounds: Bounds,
}

/// The names of the two ends in cursors, records and metrics.
const SIDES: [&str; 2] = ["a", "b"];

impl Route {
    /// The route of this name between two ends.
    #[must_use]
    pub fn new(name: &str, ends: [End; 2], queue: Arc<Queue>, metrics: Arc<Metrics>, bounds: Bounds) -> Self {
        Self { name: name.to_owned(), ends, queue, metrics, bounds }
    }

    /// Reads what happened, and asks for what is to be done.
    ///
    /// # Errors
    /// [`Error`]; the next tick tries again. A network that is silent does not stop work toward the other.
    pub fn tick(&self, now: BlockTime) -> Result<(), Error> {
        let followed = [self.follow(0), self.follow(1)];
        let delivered = [self.deliver(0, 1, now), self.deliver(1, 0, now)];
        for side in [0, 1] {
            self.show(side)?;
        }
        followed.into_iter().chain(delivered).collect()
    }

    /// Where the records of packets sent from a side are.
    fn side(&self, side: usize) -> String {
        format!("{}/{}", self.name, SIDES[side])
    }

    fn records(&self, side: usize) -> Result<BTreeMap<u64, Record>, Error> {
        let stored = self.queue.packets(&self.side(side))?;
        let read = |(sequence, bytes): (u64, Vec<u8>)| {
            let record = Record::from_bytes(&bytes).map_err(Error::queue)?;
            Ok((sequence, record))
        };
        stored.into_iter().map(read).collect()
    }

    /// Reads the events of one end.
    fn follow(&self, side: usize) -> Result<(), Error> {
        let cursor = self.side(side);
        for _ in 0..PAGES {
            let from = self.queue.cursor(&cursor)?.unwrap_or(Height::new(1));
            let page = self.ends[side].hub.events(from, PAGE)?;
            if page.next <= from {
                return Ok(());
            }
            let writes = self.writes(side, &page.blocks)?;
            // Records and cursor in one step: a crash in between does not exist.
            self.queue.follow(&cursor, page.next, writes)?;
        }
        Ok(())
    }

    fn writes(&self, side: usize, blocks: &[Told]) -> Result<Vec<PacketWrite>, Error> {
        let events = blocks.iter().flat_map(|block| block.events.iter().map(|event| (block.time, event)));
        let seen: Vec<_> = events.filter_map(|(time, event)| self.seen(side, time, event)).collect();
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        let mut records = [self.records(0)?, self.records(1)?];
        let mut touched = BTreeMap::new();
        for (source, sequence, seen) in seen {
            let record = records[source].entry(sequence.get()).or_default();
            record.add(seen);
            let bytes = (!record.is_over()).then(|| record.to_bytes());
            touched.insert((self.side(source), sequence.get()), bytes);
        }
        Ok(touched.into_iter().collect())
    }

    /// What an event of one end says about a packet: of which side, and which.
    fn seen(&self, side: usize, time: BlockTime, event: &Event) -> Option<(usize, Sequence, Seen)> {
        let (own, other) = (&self.ends[side].client, &self.ends[1 - side].client);
        match event {
            Event::PacketSent(sent) => {
                let packet = &sent.packet;
                let ours = packet.source_client == *own && packet.destination_client == *other;
                ours.then(|| (side, packet.sequence, Seen::Sent(time, packet.clone())))
            }
            Event::PacketAcknowledged(done) if done.client == *own => {
                Some((side, done.sequence, Seen::Resolved))
            }
            Event::PacketTimedOut(done) if done.client == *own => Some((side, done.sequence, Seen::Resolved)),
            Event::PacketReceived(got) if got.client == *own => {
                Some((1 - side, got.sequence, Seen::Received))
            }
            Event::PacketHeld(held) if held.client == *own => {
                Some((1 - side, held.sequence, Seen::Held(held.release_at)))
            }
            Event::HoldEnded(ended) if ended.client == *own => {
                Some((1 - side, ended.sequence, Seen::HoldEnded))
            }
            Event::AcknowledgementWritten(written) if written.client == *own => {
                let each = written.acknowledgements.clone().into_vec();
                // A node that tells of an acknowledgement that cannot be has no proof of it either.
                let answer = Answer::Acknowledged(Acknowledgements::new(each).ok()?);
                Some((1 - side, written.sequence, Seen::Answered(answer)))
            }
            Event::PacketClosed(closed) if closed.client == *own => {
                Some((1 - side, closed.sequence, Seen::Answered(Answer::Closed)))
            }
            _ => None,
        }
    }

    /// What is to be done at `to` with proofs from `from`: packets sent there, and answers given there. Oldest first.
    fn due(&self, from: usize, to: usize, now: BlockTime) -> Result<Vec<(Step, String, Record)>, Error> {
        let mut due = Vec::new();
        for source in [from, to] {
            for (sequence, record) in self.records(source)? {
                let Some(step) = record.next(now) else { continue };
                if step.is_at_receiver() != (source == from) {
                    continue;
                }
                let claim = format!("{}/{}/{sequence}", step.name(), self.side(source));
                let hub = self.ends[to].hub.name();
                if self.queue.is_claimed(hub, &claim)? || self.queue.rests(hub, &claim, now)? {
                    continue;
                }
                due.push((step, claim, record));
            }
        }
        due.sort_by_key(|(_, _, record)| record.sent.as_ref().map(|(time, _)| *time));
        Ok(due)
    }

    fn show(&self, side: usize) -> Result<(), Error> {
        let records = self.records(side)?;
        let open = || records.values().filter_map(Record::open);
        let name = format!("{}/{}-to-{}", self.name, SIDES[side], SIDES[1 - side]);
        self.metrics.route(&name, open().map(|(time, _)| time).min(), open().count());
        Ok(())
    }
}
