//! One history: users send, chains' clocks run, relayers try whatever they like, orders come and go; then the faults
//! end, honest relayers do their work, and the sums are drawn.

use crate::bank;
use crate::chain::{Account, Chain};
use crate::draw::Draw;
use crate::relay::{Bound, Flight, Relay, Try};
use crate::sums::{self, Held, Transfer};
use crate::world::{COINS, LEDGERS, NODES, Node, World};
use std::collections::BTreeMap;
use zeugma_ledger::PlantedBug;
use zeugma_ledger::app::transfer::{Amount, Denom, SetDelay, SetLimit, asset_name};
use zeugma_ledger::bounded::{List, Text};
use zeugma_ledger::ibc::Packet;
use zeugma_ledger::registry::Kind;
use zeugma_ledger::tx::{RevokeDigest, SendPacket, SetDigest};
use zeugma_types::{ClientId, Sequence, Span, UnixSeconds};

/// Acts of one history, before it comes to an end.
const ACTS: u64 = 60;
/// Rounds in which honest relayers must be done: a packet there and back, held, sent on, twice.
const ROUNDS: usize = 12;
/// Longest timeout, in seconds.
const TIMEOUT: u64 = 900;

/// Where each history begins: routes, and coins on two ledgers.
#[derive(Clone)]
pub struct Start {
    world: World,
    held: Held,
}

/// What happened in a history, by name.
pub type Counts = BTreeMap<&'static str, u64>;

struct History {
    world: World,
    relay: Relay,
    draw: Draw,
    halted: Vec<(usize, String)>,
}

impl Start {
    /// The world, with some of each coin sent out.
    ///
    /// # Panics
    /// When honest packets do not arrive.
    #[must_use]
    pub fn new() -> Self {
        let mut history =
            History { world: World::new(), relay: Relay::default(), draw: Draw::new(0), halted: Vec::new() };
        for (coin, (_, home)) in COINS.iter().enumerate() {
            for user in 0..World::users() {
                let to = history.world.neighbours(*home)[0].0;
                history.send((*home, user), coin, 300, &[to], user).expect("an honest transfer");
            }
        }
        history.finish().expect("honest packets arrive");
        let held = sums::held(&history.world);
        Self { world: history.world, held }
    }

    /// The history of a seed, with ledgers that have this bug.
    ///
    /// # Errors
    /// What the accountant found.
    pub fn run(&self, seed: u64, planted: Option<PlantedBug>) -> Result<Counts, String> {
        let (world, relay) = (self.world.clone(), Relay::default());
        let mut history = History { world, relay, draw: Draw::new(seed), halted: Vec::new() };
        if let Some(bug) = planted {
            history.world.plant(bug);
        }
        for _ in 0..history.draw.below(5) {
            history.some_delay()?;
        }
        for _ in 0..ACTS {
            history.act()?;
            sums::check_now(&history.world)?;
        }
        history.finish()?;
        sums::check_now(&history.world)?;
        sums::check_end(&history.world, &self.held, &history.relay.transfers)?;
        Ok(history.relay.counts)
    }
}

impl Default for Start {
    fn default() -> Self {
        Self::new()
    }
}

impl History {
    fn count(&mut self, what: &'static str) {
        *self.relay.counts.entry(what).or_default() += 1;
    }

    fn act(&mut self) -> Result<(), String> {
        match self.draw.below(100) {
            0..18 => self.some_transfer(),
            18..38 => {
                let viewer = self.draw.place(NODES);
                let near = self.world.neighbours(viewer);
                let of = near[self.draw.place(near.len())].0;
                self.world.learn(viewer, of);
                Ok(())
            }
            38..84 => self.some_attempt(),
            84..92 => {
                let node = self.draw.place(NODES);
                let millis = if self.draw.percent(15) {
                    self.draw.between(200_000, 1_000_000)
                } else {
                    self.draw.between(1, 60_000)
                };
                self.world.nodes[node].pass(millis);
                Ok(())
            }
            92..95 => self.some_delay(),
            95..97 => self.some_limit(),
            _ => self.some_order(),
        }
    }

    fn some_transfer(&mut self) -> Result<(), String> {
        let held: Vec<_> = sums::held(&self.world).into_iter().collect();
        let (((at, user), coin), most) = held[self.draw.place(held.len())];
        let amount = i128::from(self.draw.between(1, 120)).min(most);
        let near = self.world.neighbours(at);
        let mut way = vec![near[self.draw.place(near.len())].0];
        // Sent on by a ledger to another of its neighbours.
        let next: Vec<usize> =
            self.world.neighbours(way[0]).iter().map(|end| end.0).filter(|one| *one != at).collect();
        if way[0] < LEDGERS && !next.is_empty() && self.draw.percent(45) {
            way.push(next[self.draw.place(next.len())]);
        }
        let to = u8::try_from(self.draw.place(usize::from(World::users()) + 1)).expect("few users");
        let amount = u64::try_from(amount).expect("an amount above zero");
        self.send((at, user), coin, amount, &way, to)
    }

    /// A user sends a coin by the chains named to a user of the last; to nobody, if there is no such user.
    fn send(
        &mut self,
        (at, user): (usize, u8),
        coin: usize,
        amount: u64,
        way: &[usize],
        to: u8,
    ) -> Result<(), String> {
        let last = *way.last().expect("a way leads somewhere");
        let known = to < World::users();
        let name = if known { World::user_at(last, to) } else { "nobody".to_owned() };
        let (receiver, memo) = match way {
            [_] => (name, String::new()),
            [hub, next, ..] => {
                let client = World::client(*hub, *next);
                let order = format!(
                    r#"{{"forward":{{"port":"transfer","channel":"{client}","receiver":"{name}"}}}}"#
                );
                ("hub".to_owned(), order)
            }
            [] => return Ok(()),
        };
        let timeout = self.world.nodes[at].time() / 1_000 + self.draw.between(20, TIMEOUT);
        // A bank takes its own coin only.
        let taken_there = known && (last < LEDGERS || COINS[coin].1 == last);
        let transfer = Transfer {
            from: (at, user),
            to: taken_there.then_some((last, to)),
            coin,
            amount: i128::from(amount),
            arrived: None,
        };
        let client = World::client(at, way[0]);
        match &mut self.world.nodes[at] {
            Node::Bank(bank) => {
                bank.send(user, amount, &receiver, &memo, timeout);
            }
            Node::Ledger(chain) => {
                let number = u8::try_from(at).expect("few chains");
                let sender = Chain::account(number, user).to_string();
                let payload = bank::payload(&World::name_at(coin, at), amount, &sender, &receiver, &memo);
                let (timeout, payloads) = (UnixSeconds::new(timeout), List::new(vec![payload]));
                let payloads = payloads.map_err(|refusal| refusal.to_string())?;
                chain.tries(number, Account::User(user), SendPacket { client, timeout, payloads });
            }
        }
        self.relay.hear(&mut self.world, at, None, Some(transfer))
    }

    fn some_attempt(&mut self) -> Result<(), String> {
        if self.relay.flights.is_empty() {
            return Ok(());
        }
        let open: Vec<usize> =
            (0..self.relay.flights.len()).filter(|one| !self.relay.flights[*one].ended).collect();
        let place = if open.is_empty() || self.draw.percent(10) {
            self.draw.place(self.relay.flights.len())
        } else {
            open[self.draw.place(open.len())]
        };
        let flight = self.relay.flights[place].clone();
        // Somebody waits for the release.
        if let Some(until) = flight.held
            && self.draw.percent(40)
        {
            self.wait(flight.to, until);
        }
        let what = if self.draw.percent(30) {
            Try::ALL[self.draw.place(Try::ALL.len())]
        } else {
            self.sensible(&flight)
        };
        let age = if self.draw.percent(70) { 0 } else { self.draw.place(6) };
        if self.draw.percent(12) {
            return self.forgery(what, place, &flight, age);
        }
        let (at, of) = if what.is_there() { (flight.to, flight.from) } else { (flight.from, flight.to) };
        if age == 0 && self.draw.percent(60) {
            self.world.learn(at, of);
        }
        self.relay.attempt(&mut self.world, what, place, &flight.packet, age).map(drop)
    }

    /// A chain's clock comes to a time, in milliseconds, unless it is over.
    fn wait(&mut self, node: usize, until: u64) {
        let missing = until.saturating_sub(self.world.nodes[node].time());
        self.world.nodes[node].pass(missing);
    }

    /// What an honest relayer would do next.
    fn sensible(&self, flight: &Flight) -> Try {
        let there = self.world.nodes[flight.to].time();
        match flight {
            Flight { answer: Some(_), .. } => Try::Acknowledge,
            Flight { closed: true, .. } => Try::TimeOut,
            Flight { held: Some(_), .. } => Try::Release,
            Flight { received: true, .. } => Try::Acknowledge,
            // A bank closes nothing: its absence is enough.
            _ if there / 1_000 < flight.packet.timeout.get() => Try::Receive,
            _ if flight.to < LEDGERS => Try::Close,
            _ => Try::TimeOut,
        }
    }

    /// A packet that nobody sent, with the proof of one that somebody sent: never taken.
    fn forgery(&mut self, what: Try, place: usize, flight: &Flight, age: usize) -> Result<(), String> {
        if matches!(what, Try::Release | Try::Reject) {
            return Ok(());
        }
        let packet = &flight.packet;
        let mut payload = packet.payloads()[0].clone();
        let (mut sequence, mut timeout) = (packet.sequence.get(), packet.timeout.get());
        let mut source = packet.source_client.clone();
        match self.draw.below(4) {
            0 => payload = bank::payload("coin", 999_999, "thief", "thief", ""),
            1 => sequence += 50,
            2 => timeout += 10_000,
            _ => source = ClientId::new("mirror-9").expect("a name"),
        }
        let (destination, timeout) = (packet.destination_client.clone(), UnixSeconds::new(timeout));
        let forged = Packet::new(Sequence::new(sequence), source, destination, timeout, vec![payload]);
        let forged = forged.map_err(|refusal| refusal.to_string())?;
        self.count("forged");
        if self.relay.attempt(&mut self.world, what, place, &forged, age)? {
            return Err(format!("taken: {what:?} of a packet that nobody sent: {forged:?}"));
        }
        Ok(())
    }

    /// A ledger, its client of a neighbour, and a coin that crosses there.
    fn somewhere(&mut self) -> (usize, ClientId, usize) {
        let node = self.draw.place(LEDGERS);
        let near = self.world.neighbours(node);
        (node, near[self.draw.place(near.len())].1.clone(), self.draw.place(COINS.len()))
    }

    fn ledger(&mut self, node: usize) -> Option<(u8, &mut Chain)> {
        match &mut self.world.nodes[node] {
            Node::Ledger(chain) => Some((u8::try_from(node).ok()?, chain)),
            Node::Bank(_) => None,
        }
    }

    fn some_delay(&mut self) -> Result<(), String> {
        let (node, client, coin) = self.somewhere();
        let threshold = self.draw.between(1, 50);
        let seconds = if self.draw.percent(20) { 0 } else { self.draw.between(1, 150) };
        let denom = Denom::new(&World::name_at(coin, node)).map_err(|refusal| refusal.to_string())?;
        let set = SetDelay {
            client: client.clone(),
            denom,
            threshold: Amount::new(threshold),
            delay: Span::seconds(seconds),
        };
        if let Some((number, chain)) = self.ledger(node) {
            chain.change(number, set.into());
        }
        let key = (node, client, coin);
        if seconds == 0 {
            self.relay.delays.remove(&key);
        } else {
            self.relay.delays.insert(key, (i128::from(threshold), seconds * 1_000));
        }
        Ok(())
    }

    fn some_limit(&mut self) -> Result<(), String> {
        let (node, client, coin) = self.somewhere();
        let capacity = self.draw.between(15, 120);
        let seconds = self.draw.between(100, 1_500);
        let denom = Denom::new(&World::name_at(coin, node)).map_err(|refusal| refusal.to_string())?;
        let set = SetLimit {
            client: client.clone(),
            denom,
            capacity: Amount::new(capacity),
            refill: Span::seconds(seconds),
        };
        if let Some((number, chain)) = self.ledger(node) {
            chain.change(number, set.into());
        }
        let bound = Bound { capacity: i128::from(capacity), refill: seconds * 1_000, flows: Vec::new() };
        self.relay.bounds.insert((node, client, coin), bound);
        Ok(())
    }

    /// A route or an asset is halted, or let go again.
    fn some_order(&mut self) -> Result<(), String> {
        if !self.halted.is_empty() && self.draw.percent(60) {
            let place = self.draw.place(self.halted.len());
            let (node, name) = self.halted.swap_remove(place);
            self.resume(node, &name);
            return Ok(());
        }
        let (node, client, coin) = self.somewhere();
        let name = if self.draw.percent(50) {
            client.as_str().to_owned()
        } else {
            let denom = Denom::new(&World::name_at(coin, node)).map_err(|refusal| refusal.to_string())?;
            asset_name(&denom).as_str().to_owned()
        };
        let text = Text::new(&name).map_err(|refusal| refusal.to_string())?;
        if let Some((number, chain)) = self.ledger(node) {
            chain.must(number, SetDigest { kind: Kind::Halt, name: text, digest: [7; 32] });
        }
        self.count("orders");
        self.halted.push((node, name));
        Ok(())
    }

    fn resume(&mut self, node: usize, name: &str) {
        let name = Text::new(name).expect("it was a name");
        if let Some((number, chain)) = self.ledger(node) {
            chain.must(number, RevokeDigest { kind: Kind::Halt, name });
        }
    }

    /// Orders are lifted and time passes; honest relayers come to an end with every packet, in so many rounds.
    fn finish(&mut self) -> Result<(), String> {
        for (node, name) in std::mem::take(&mut self.halted) {
            self.resume(node, &name);
        }
        for round in 0..ROUNDS {
            if self.relay.flights.iter().all(|flight| flight.ended) {
                break;
            }
            // From the second half on every timeout is over, so what nobody can take goes back.
            if round == ROUNDS / 2 {
                let latest = self.world.nodes.iter().map(Node::time).max().unwrap_or(0);
                for node in &mut self.world.nodes {
                    node.pass(latest - node.time() + 2 * TIMEOUT * 1_000);
                }
            }
            for viewer in 0..NODES {
                for (of, _) in self.world.neighbours(viewer) {
                    self.world.learn(viewer, of);
                }
            }
            for place in 0..self.relay.flights.len() {
                let flight = self.relay.flights[place].clone();
                if !flight.ended {
                    if let Some(until) = flight.held {
                        self.wait(flight.to, until);
                    }
                    let what = self.sensible(&flight);
                    self.relay.attempt(&mut self.world, what, place, &flight.packet, 0)?;
                }
            }
        }
        for (at, node) in self.world.nodes.iter().enumerate() {
            match node {
                Node::Ledger(chain) if !chain.unfinished().is_empty() => {
                    return Err(format!("{at} has not ended: {:?}", chain.unfinished()));
                }
                Node::Bank(bank) if bank.unfinished() > 0 => {
                    return Err(format!("{at} has not ended: {} packets", bank.unfinished()));
                }
                Node::Ledger(_) | Node::Bank(_) => {}
            }
        }
        Ok(())
    }
}
