//! Packets on their way: what was seen of each, attempts to move them on, and what may never be seen.

use crate::sums::Transfer;
use crate::told::Told;
use crate::world::{LEDGERS, Node, World};
use std::collections::BTreeMap;
use zeugma_ledger::app::transfer::TransferData;
use zeugma_ledger::event::HoldEnd;
use zeugma_ledger::ibc::{Acknowledgements, Packet};
use zeugma_types::ClientId;

/// One packet.
#[derive(Clone, Debug)]
pub struct Flight {
    /// The chain that sent it.
    pub from: usize,
    /// The chain it is for.
    pub to: usize,
    /// The packet.
    pub packet: Packet,
    /// Whether it was received.
    pub received: bool,
    /// Until when it is held, in milliseconds.
    pub held: Option<u64>,
    /// Whether it was ever held.
    pub was_held: bool,
    /// How it was answered.
    pub answer: Option<Acknowledgements>,
    /// Whether it was closed.
    pub closed: bool,
    /// Whether its sender's chain knows its end.
    pub ended: bool,
    /// The packet on whose behalf it was sent.
    pub behalf: Option<usize>,
    /// The user's transfer that it is.
    pub transfer: Option<usize>,
}

/// What can be tried with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Try {
    /// Show it to the chain it is for.
    Receive,
    /// Close it there.
    Close,
    /// Release it there.
    Release,
    /// Give it back there, by order.
    Reject,
    /// Bring its answer to its sender's chain.
    Acknowledge,
    /// Show its absence there.
    TimeOut,
}

impl Try {
    /// Everything that can be tried.
    pub const ALL: [Self; 6] =
        [Self::Receive, Self::Close, Self::Release, Self::Reject, Self::Acknowledge, Self::TimeOut];

    /// Whether it is tried where the packet goes.
    #[must_use]
    pub const fn is_there(self) -> bool {
        matches!(self, Self::Receive | Self::Close | Self::Release | Self::Reject)
    }
}

/// From which amount on a coin is held, and for how many milliseconds.
pub type Delays = BTreeMap<(usize, ClientId, usize), (i128, u64)>;

/// How much may cross net, the milliseconds in which it is free again, and what crossed since: time, amount outward,
/// and of that what was only undone.
#[derive(Clone, Debug)]
pub struct Bound {
    /// How much.
    pub capacity: i128,
    /// In how many milliseconds.
    pub refill: u64,
    /// What crossed.
    pub flows: Vec<(u64, i128, i128)>,
}

/// Everything that is on its way, and what the accountant must know of the orders in force.
#[derive(Clone, Default)]
pub struct Relay {
    /// Every packet, ended or not.
    pub flights: Vec<Flight>,
    /// Every transfer.
    pub transfers: Vec<Transfer>,
    /// Delays in force.
    pub delays: Delays,
    /// Limits in force.
    pub bounds: BTreeMap<(usize, ClientId, usize), Bound>,
    /// What happened, by name.
    pub counts: BTreeMap<&'static str, u64>,
}

fn number(node: usize) -> u8 {
    u8::try_from(node).expect("few chains")
}

/// The coin and the amount of a packet.
fn cargo(packet: &Packet) -> (usize, i128) {
    let data = TransferData::read(&packet.payloads()[0]).expect("only transfers are sent");
    let coin = usize::from(data.denom.as_str().ends_with("gold"));
    (coin, data.amount.to_string().parse().expect("a small amount"))
}

impl Relay {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Tries something with a packet, under what was shown when; whether it took effect.
    ///
    /// # Errors
    /// What may never be seen.
    pub fn attempt(
        &mut self,
        world: &mut World,
        what: Try,
        flight: usize,
        packet: &Packet,
        age: usize,
    ) -> Result<bool, String> {
        let Flight { from, to, answer, .. } = self.flights[flight].clone();
        let (at, of) = if what.is_there() { (to, from) } else { (from, to) };
        let known = world.known(at, of);
        let under = known[known.len() - 1 - age.min(known.len() - 1)].clone();
        let answer = answer.unwrap_or_else(Acknowledgements::error);
        let taken = match (&mut world.nodes[at], what) {
            (Node::Ledger(chain), Try::Receive) => chain.receive(number(at), packet, &under),
            (Node::Ledger(chain), Try::Close) => chain.close(number(at), packet, &under),
            (Node::Ledger(chain), Try::Release) => chain.release(number(at), packet),
            (Node::Ledger(chain), Try::Reject) => chain.reject(number(at), packet),
            (Node::Ledger(chain), Try::Acknowledge) => chain.acknowledge(number(at), packet, &answer, &under),
            (Node::Ledger(chain), Try::TimeOut) => chain.time_out(number(at), packet, &under),
            (Node::Bank(bank), Try::Receive) => bank.receive(packet, &under),
            (Node::Bank(bank), Try::Acknowledge) => bank.acknowledge(packet, &answer, &under),
            (Node::Bank(bank), Try::TimeOut) => bank.time_out(packet, &under),
            // A bank agrees on time and closes nothing; it holds nothing.
            (Node::Bank(_), Try::Close | Try::Release | Try::Reject) => false,
        };
        self.hear(world, at, Some(flight), None)?;
        Ok(taken)
    }

    /// Notes what a chain told: after an attempt with a packet, or after a user's transfer.
    ///
    /// # Errors
    /// What may never be seen.
    pub fn hear(
        &mut self,
        world: &mut World,
        at: usize,
        tried: Option<usize>,
        transfer: Option<Transfer>,
    ) -> Result<(), String> {
        let mut transfer = transfer;
        let now = world.nodes[at].time();
        for told in world.nodes[at].take_told() {
            self.note(world, (at, now), told, tried, &mut transfer)?;
        }
        Ok(())
    }

    fn note(
        &mut self,
        world: &World,
        (at, now): (usize, u64),
        told: Told,
        tried: Option<usize>,
        transfer: &mut Option<Transfer>,
    ) -> Result<(), String> {
        let never = |what: &str, flight: &Flight| {
            Err(format!(
                "{what}: {} to {}, sequence {}",
                flight.from,
                flight.to,
                flight.packet.sequence.get()
            ))
        };
        match told {
            Told::Sent(packet) => {
                let transfer = transfer.take().map(|sent| {
                    self.transfers.push(sent);
                    self.transfers.len() - 1
                });
                let behalf = if transfer.is_some() { None } else { tried };
                // Sent on at once: it entered and left in one step.
                if let Some(first) = behalf.filter(|first| !self.flights[*first].was_held) {
                    let first = self.flights[first].packet.clone();
                    self.entered(at, now, &first, None)?;
                }
                let (coin, amount) = cargo(&packet);
                self.crossed(at, &packet.source_client, coin, now, amount, 0)?;
                self.count(if transfer.is_some() { "sent" } else { "sent on" });
                let to = world.behind(at, &packet.source_client);
                self.flights.push(Flight {
                    from: at,
                    to,
                    packet,
                    received: false,
                    held: None,
                    was_held: false,
                    answer: None,
                    closed: false,
                    ended: false,
                    behalf,
                    transfer,
                });
            }
            Told::Received(client, sequence) => {
                let flight = self.toward(world, at, &client, sequence)?;
                let flight = &mut self.flights[flight];
                if flight.received || flight.closed {
                    return never("received again", flight);
                }
                flight.received = true;
            }
            Told::Answered(client, sequence, answer) => {
                let place = self.toward(world, at, &client, sequence)?;
                let flight = &mut self.flights[place];
                if flight.answer.is_some() {
                    return never("answered again", flight);
                }
                let refused = answer.is_error();
                flight.answer = Some(answer);
                let at_once = tried == Some(place) && !flight.was_held;
                let packet = flight.packet.clone();
                if at_once && !refused {
                    self.count("taken at once");
                    self.entered(at, now, &packet, None)?;
                } else if at_once {
                    self.count("refused");
                }
            }
            Told::Held(client, sequence, until) => {
                let place = self.toward(world, at, &client, sequence)?;
                self.flights[place].held = Some(until);
                self.flights[place].was_held = true;
                self.count("held");
                let packet = self.flights[place].packet.clone();
                self.entered(at, now, &packet, Some(until))?;
            }
            Told::HoldEnded(client, sequence, end) => {
                let place = self.toward(world, at, &client, sequence)?;
                let flight = &mut self.flights[place];
                let Some(until) = flight.held else { return never("let go and not held", flight) };
                flight.held = None;
                let late = now / 1_000 >= flight.packet.timeout.get();
                let packet = flight.packet.clone();
                match end {
                    HoldEnd::Released if now < until || late => return never("released out of time", flight),
                    HoldEnd::Lapsed if !late => return never("lapsed before its timeout", flight),
                    HoldEnd::Released => self.count("released"),
                    HoldEnd::Rejected => self.count("rejected"),
                    HoldEnd::Lapsed => self.count("lapsed"),
                    HoldEnd::Refused => self.count("given back"),
                }
                if end != HoldEnd::Released {
                    let (coin, amount) = cargo(&packet);
                    self.crossed(at, &packet.destination_client, coin, now, 0, amount)?;
                }
            }
            Told::Closed(client, sequence) => {
                let flight = self.toward(world, at, &client, sequence)?;
                let flight = &mut self.flights[flight];
                if flight.received || flight.closed {
                    return never("closed again, or once received", flight);
                }
                flight.closed = true;
                self.count("closed");
            }
            Told::Acknowledged(client, sequence, success) => {
                self.end(world, (at, now), &client, sequence, success)?;
                self.count(if success { "arrived" } else { "returned" });
            }
            Told::TimedOut(client, sequence) => {
                self.end(world, (at, now), &client, sequence, false)?;
                self.count("timed out");
            }
        }
        Ok(())
    }

    /// The packet toward a chain by its client, which somebody must have sent.
    fn toward(&self, world: &World, at: usize, client: &ClientId, sequence: u64) -> Result<usize, String> {
        let from = world.behind(at, client);
        let fits = |one: &Flight| one.to == at && one.from == from && one.packet.sequence.get() == sequence;
        let found = self.flights.iter().position(fits);
        found.ok_or_else(|| format!("{at} tells of packet {sequence} by {client}, which nobody sent"))
    }

    fn end(
        &mut self,
        world: &World,
        (at, now): (usize, u64),
        client: &ClientId,
        sequence: u64,
        success: bool,
    ) -> Result<(), String> {
        let to = world.behind(at, client);
        let fits = |one: &Flight| one.from == at && one.to == to && one.packet.sequence.get() == sequence;
        let place = self.flights.iter().position(fits);
        let place = place.ok_or_else(|| format!("{at} ends packet {sequence} by {client}, never sent"))?;
        let flight = &mut self.flights[place];
        if flight.ended {
            return Err(format!("ended again: {} to {}, sequence {sequence}", flight.from, flight.to));
        }
        flight.ended = true;
        let (packet, behalf, transfer) = (flight.packet.clone(), flight.behalf, flight.transfer);
        if let Some(transfer) = transfer {
            self.transfers[transfer].arrived = Some(success);
        }
        if !success {
            let (coin, amount) = cargo(&packet);
            self.crossed(at, &packet.source_client, coin, now, 0, amount)?;
            if let Some(first) = behalf {
                let first = self.flights[first].packet.destination_client.clone();
                self.crossed(at, &first, coin, now, 0, amount)?;
            }
        }
        Ok(())
    }

    /// A coin entered a ledger: at once, or to be held. Which of the two it had to be, plain numbers say.
    fn entered(&mut self, at: usize, now: u64, packet: &Packet, held: Option<u64>) -> Result<(), String> {
        let (coin, amount) = cargo(packet);
        let client = &packet.destination_client;
        self.crossed(at, client, coin, now, -amount, 0)?;
        let delay = self.delays.get(&(at, client.clone(), coin)).filter(|(most, _)| amount > *most);
        let expected = delay.map(|(_, delay)| now + delay);
        if held != expected {
            return Err(format!("{at}: {amount} held until {held:?}, and should be until {expected:?}"));
        }
        Ok(())
    }

    /// Within a refill no more crosses net than the level can be from one end to the other and refill once, and what
    /// was undone meanwhile.
    fn crossed(
        &mut self,
        at: usize,
        client: &ClientId,
        coin: usize,
        now: u64,
        outward: i128,
        undone: i128,
    ) -> Result<(), String> {
        if at >= LEDGERS {
            return Ok(());
        }
        let Some(bound) = self.bounds.get_mut(&(at, client.clone(), coin)) else { return Ok(()) };
        bound.flows.push((now, outward, undone));
        let (mut net, mut given_back) = (0_i128, 0_i128);
        for (then, outward, undone) in bound.flows.iter().rev() {
            if now - then > bound.refill {
                break;
            }
            net += outward;
            given_back += undone;
            if net.abs() > 3 * bound.capacity + given_back {
                return Err(format!("{at} by {client}: {net} crossed, of {} at a time", bound.capacity));
            }
        }
        Ok(())
    }
}
