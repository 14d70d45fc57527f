//! The model of a packet's life, replayed on two ledgers that follow each other.
//!
//! The histories are of `tests/model/packet.qnt`, recorded by `cargo xtask model --record`; neither knows this code. A
//! line is one attempt: what was tried, whether the model took it, and where each packet is afterwards. Each ledger is
//! the other one's chain: what it holds under ICS-24 paths is mirrored into the store of the small chain that the
//! other one's light client follows, and only a step `learn` lets that client see it. Large packets are transfers of
//! which B holds what is above its threshold; the others are messages.

use crate::app::transfer::{Amount, Denom, SetDelay, TransferData};
use crate::bounded::{Bytes, List, Text};
use crate::event::{Answered, Event};
use crate::ibc::{Acknowledgements, Held, Packet, Payload, Port, Receipt};
use crate::outcome::Effect;
use crate::testkit::{Peer, World, message, packet, update};
use crate::tx::{
    Acknowledge, ClaimTimeout, Message, Propose, RecvPacket, RejectHold, ReleaseHold, SendPacket, Timeout,
};
use crate::{Role, Slot};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{BlockTime, ClientId, Encode, Height, Sequence, Span, UnixSeconds};

/// The number of the packet that is large in the model, from 0; and how long B holds it, in seconds.
const LARGE: usize = 2;
const DELAY: u64 = 4;
/// What a large packet brings, and the largest amount that is not held.
const AMOUNT: u64 = 60;
const THRESHOLD: u64 = 50;
/// The coin of a third chain, as A calls it, and as B does.
const COIN_AT_A: &str = "transfer/test-1/coin";
const COIN_AT_B: &str = "transfer/test-0/transfer/test-1/coin";

const HISTORIES: &str = include_str!("../../../../tests/vectors/model/packet.txt");

/// One side: its ledger, and what the other side's client may see of it.
struct Side {
    world: World,
    /// This side as a chain.
    chain: Peer,
    /// Our client of the other side.
    client: ClientId,
    /// When `chain` was sealed last.
    sealed: u64,
}

struct Pair {
    sides: [Side; 2],
    /// The model's second 0, in our milliseconds.
    zero: u64,
    timeouts: Vec<u64>,
    /// The packet of each number, once it is sent.
    sent: Vec<Option<Packet>>,
}

const A: usize = 0;
const B: usize = 1;

impl Pair {
    fn new(timeouts: Vec<u64>) -> Self {
        let mut worlds = [World::new(), World::new()];
        worlds.iter_mut().for_each(|world| drop(world.block(&[])));
        let chains = ["a", "b"].map(|name| Peer::new(name, Span::seconds(10_000_000), worlds[0].now()));
        let [of_b, of_a] = [worlds[A].follow(&chains[B], "test-0"), worlds[B].follow(&chains[A], "test-0")];
        let [world_a, world_b] = &mut worlds;
        fund(world_a);
        delay(world_b, &of_a);
        let zero = worlds.each_ref().map(|world| world.time).into_iter().max().unwrap() + 1_000_000;
        let zero = zero - zero % 1_000;
        let [world_a, world_b] = worlds;
        let [chain_a, chain_b] = chains;
        let side = |mut world: World, chain, client| {
            // The next block is the model's second 0.
            world.time = zero - 1_000;
            Side { world, chain, client, sealed: 0 }
        };
        let sent = timeouts.iter().map(|_| None).collect();
        Self { sides: [side(world_a, chain_a, of_b), side(world_b, chain_b, of_a)], zero, timeouts, sent }
    }

    fn timeout(&self, number: usize) -> UnixSeconds {
        UnixSeconds::new(self.zero / 1_000 + self.timeouts[number])
    }

    /// The packet of a number; one that was never sent, if somebody tries it before it is.
    fn packet(&self, number: usize) -> Packet {
        self.sent[number].clone().unwrap_or_else(|| {
            let timeout = self.timeout(number).get();
            packet(
                "test-0",
                &self.sides[B].client,
                50 + number as u64,
                timeout,
                message(b"nobody", b"nothing"),
            )
        })
    }

    /// What B answered a packet that it received, or would answer a message.
    fn answer(&self, packet: &Packet) -> Acknowledgements {
        let written = self.sides[B].world.events.iter().find_map(|event| match event {
            Event::AcknowledgementWritten(written) if written.sequence == packet.sequence => {
                Some(Acknowledgements::new(written.acknowledgements.clone().into_vec()).unwrap())
            }
            _ => None,
        });
        written.unwrap_or_else(|| Self::answer_to_message(packet))
    }

    fn answer_to_message(packet: &Packet) -> Acknowledgements {
        let digest = sha256(&[packet.payloads()[0].value.as_slice()]);
        Acknowledgements::new([Bytes::new(digest).unwrap()].into()).unwrap()
    }

    /// Tries a message at a side; whether it took effect.
    fn tries(&mut self, at: usize, role: Role, message: impl Into<Message>) -> bool {
        match self.sides[at].world.run(role, message) {
            crate::Outcome::Done { messages } => messages.as_slice() == [Effect::Applied],
            _ => false,
        }
    }

    fn attempt(&mut self, kind: &str, number: usize) -> bool {
        let packet = self.packet(number);
        let seen = |side: &Side| World::proof(&side.chain);
        match kind {
            "send" if self.sent[number].is_some() => {
                // A number is one packet; the ledger would send another. Time passes as in the model.
                self.sides[A].world.block(&[]);
                false
            }
            "send" => {
                let account = World::account(Role::Member);
                let payload = match number {
                    LARGE => large(),
                    _ => message(account.as_bytes(), format!("packet {number}").as_bytes()),
                };
                let client = self.sides[A].client.clone();
                let send = SendPacket {
                    client,
                    timeout: self.timeout(number),
                    payloads: List::new([payload].into()).unwrap(),
                };
                let before = self.sides[A].world.events.len();
                let taken = self.tries(A, Role::Member, send);
                self.sent[number] =
                    self.sides[A].world.events[before..].iter().find_map(|event| match event {
                        Event::PacketSent(sent) => Some(sent.packet.clone()),
                        _ => None,
                    });
                assert_eq!(taken, self.sent[number].is_some());
                taken
            }
            "receive" => {
                let proof = seen(&self.sides[A]);
                self.tries(B, Role::Relayer, RecvPacket { packet, proof })
            }
            "close" => {
                let proof = seen(&self.sides[A]);
                self.tries(B, Role::Relayer, ClaimTimeout { packet: packet.head(), proof })
            }
            "acknowledge" => {
                let (acknowledgements, proof) = (self.answer(&packet), seen(&self.sides[B]));
                self.tries(A, Role::Relayer, Acknowledge { packet, acknowledgements, proof })
            }
            "release" | "reject" => {
                let (client, sequence) = (packet.destination_client, packet.sequence);
                if kind == "release" {
                    return self.tries(B, Role::Member, ReleaseHold { client, sequence });
                }
                self.tries(B, Role::Guardian, RejectHold { client, sequence, order: [1; 32] })
            }
            "time-out" => {
                let proof = seen(&self.sides[B]);
                self.tries(A, Role::Relayer, Timeout { packet, proof })
            }
            other => panic!("the model knows an attempt {other}"),
        }
    }

    /// The client of `at` learns what the other side holds now.
    fn learn(&mut self, at: usize) {
        let other = &mut self.sides[1 - at];
        let now = other.world.time + 1_000;
        if now == other.sealed {
            // Nothing happened there since, not even a second.
            drop(self.sides[at].world.block(&[]));
            return;
        }
        other.sealed = now;
        other.chain.mirror(&held(&other.world, &other.client));
        other.chain.seal(BlockTime::new(now));
        let message = update(&self.sides[at].client.clone(), &self.sides[1 - at].chain);
        self.sides[at].world.ok(Role::Relayer, message);
    }

    /// Where each packet is, in the model's letters: at A, and in B's receipt slots.
    fn letters(&self) -> [String; 2] {
        let at_a = |packet: &Option<Packet>| {
            let Some(packet) = packet else { return 'U' };
            let world = &self.sides[A].world;
            let open = world.store.get(&Slot::Commitment(&self.sides[A].client, packet.sequence).key());
            let ended = world.events.iter().find_map(|event| match event {
                Event::PacketAcknowledged(done) if done.sequence == packet.sequence => {
                    Some(if done.answered == Answered::Success { 'A' } else { 'R' })
                }
                Event::PacketTimedOut(done) if done.sequence == packet.sequence => Some('R'),
                _ => None,
            });
            assert_eq!(open.is_some(), ended.is_none());
            ended.unwrap_or('O')
        };
        let at_b = |packet: &Option<Packet>| {
            let Some(packet) = packet else { return 'E' };
            let Side { world, client, .. } = &self.sides[B];
            match world.load(Slot::Receipt(client, packet.sequence)) {
                None => 'E',
                Some(Receipt::Received)
                    if world.load::<Held>(Slot::Held(client, packet.sequence)).is_some() =>
                {
                    'H'
                }
                Some(Receipt::Received) if self.answer(packet).is_error() => 'G',
                Some(Receipt::Received) => 'R',
                Some(Receipt::Closed) => 'C',
            }
        };
        [self.sent.iter().map(at_a).collect(), self.sent.iter().map(at_b).collect()]
    }
}

/// A large packet's payload.
fn large() -> Payload {
    let account = World::account(Role::Member).to_string();
    transferring(COIN_AT_A, &account, &account)
}

fn transferring(name: &str, sender: &str, receiver: &str) -> Payload {
    let data = TransferData {
        denom: Denom::new(name).unwrap(),
        amount: Amount::new(AMOUNT),
        sender: Text::new(sender).unwrap(),
        receiver: Text::new(receiver).unwrap(),
        memo: String::new(),
    };
    let port = || Port::new("transfer").unwrap();
    Payload {
        source_port: port(),
        destination_port: port(),
        version: Text::new("ics20-1").unwrap(),
        encoding: Text::new("application/x-solidity-abi").unwrap(),
        value: Bytes::new(data.to_abi()).unwrap(),
    }
}

/// The member gets coins of a third chain.
fn fund(world: &mut World) {
    let mut mint = Peer::new("mint", Span::seconds(10_000_000), world.now());
    let client = world.follow(&mint, "test-9");
    let receiver = World::account(Role::Member).to_string();
    let packet =
        packet("test-9", &client, 1, world.seconds() + 5_000, transferring("coin", "mint", &receiver));
    let path = packet_path(&packet.source_client, PacketPath::Commitment, packet.sequence);
    mint.put(&[b"ibc/", path.as_slice()].concat(), packet.commitment().as_bytes());
    world.update(&client, &mut mint);
    let proof = World::proof(&mint);
    world.ok(Role::Relayer, RecvPacket { packet, proof });
}

fn delay(world: &mut World, client: &ClientId) {
    let delay = SetDelay {
        client: client.clone(),
        denom: Denom::new(COIN_AT_B).unwrap(),
        threshold: Amount::new(THRESHOLD),
        delay: Span::seconds(DELAY),
    };
    world.ok(Role::Governor, Propose { change: delay.into(), activation: Height::ZERO });
    world.pass(1);
    world.pass(1);
}

/// What a ledger holds of packets, as another chain proves it: commitments, receipts, acknowledgements.
fn held(world: &World, client: &ClientId) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut held = Vec::new();
    for sequence in (1..60).map(Sequence::new) {
        let mut put = |of, value: Option<Vec<u8>>| {
            let path = packet_path(client, of, sequence);
            held.extend(value.map(|value| ([b"ibc/", path.as_slice()].concat(), value)));
        };
        let bytes = |slot: Slot<'_>| world.store.get(&slot.key()).map(<[u8]>::to_vec);
        put(PacketPath::Commitment, bytes(Slot::Commitment(client, sequence)));
        // A tombstone is no receipt: to another chain a closed path is absent, for ever.
        let receipt: Option<Receipt> = world.load(Slot::Receipt(client, sequence));
        put(PacketPath::Receipt, receipt.filter(|one| *one == Receipt::Received).map(|one| one.to_bytes()));
        put(PacketPath::Acknowledgement, bytes(Slot::Acknowledgement(client, sequence)));
    }
    held
}

/// Replays the histories; how often each kind of attempt was taken.
fn replay(histories: &str, change: impl Fn(&str, bool) -> bool) -> Result<Vec<(String, usize)>, String> {
    let mut taken_of: Vec<(String, usize)> = Vec::new();
    let mut pair: Option<Pair> = None;
    for (at, line) in histories.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["history", _, "timeouts", timeouts @ ..] = words.as_slice() {
            pair = Some(Pair::new(timeouts.iter().map(|second| second.parse().unwrap()).collect()));
            continue;
        }
        let [kind, which, taken, sent, slots] = words.as_slice() else { panic!("line {at}: {line}") };
        let pair = pair.as_mut().expect("a history begins with its timeouts");
        let which: usize = which.parse().unwrap();
        let found = match *kind {
            "pass-a" | "pass-b" => {
                pair.sides[usize::from(*kind == "pass-b")].world.time += 1_000 * which as u64;
                true
            }
            "learn-at-a" | "learn-at-b" => {
                pair.learn(usize::from(*kind == "learn-at-b"));
                true
            }
            kind => change(kind, pair.attempt(kind, which - 1)),
        };
        let [at_a, at_b] = pair.letters();
        if (found, at_a.as_str(), at_b.as_str()) != (*taken == "taken", *sent, *slots) {
            return Err(format!("line {}: {line}: the ledger: {found} {at_a} {at_b}", at + 1));
        }
        if found {
            match taken_of.iter_mut().find(|(known, _)| known == kind) {
                Some((_, count)) => *count += 1,
                None => taken_of.push(((*kind).into(), 1)),
            }
        }
    }
    Ok(taken_of)
}

#[test]
fn the_ledger_takes_and_refuses_what_the_model_takes_and_refuses() {
    let taken = replay(HISTORIES, |_, found| found).unwrap();
    for kind in ["send", "receive", "close", "release", "reject", "acknowledge", "time-out"] {
        let count = taken.iter().find(|(known, _)| known == kind).map_or(0, |(_, count)| *count);
        assert!(count >= 3, "{kind} was taken {count} times: {taken:?}");
    }
}

#[test]
fn a_ledger_that_says_otherwise_is_noticed() {
    for lie in ["receive", "close", "release", "reject", "acknowledge", "time-out"] {
        let error = replay(HISTORIES, |kind, found| found != (kind == lie)).unwrap_err();
        assert!(error.contains(lie), "{error}");
    }
}
