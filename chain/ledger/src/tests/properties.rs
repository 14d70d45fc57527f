//! Random histories: whatever accounts ask for in whatever order, the invariants hold after every block, a
//! block gives the same whatever was fetched first, and no packet is ever both received and closed.

use crate::bounded::{Bytes, List, Text};
use crate::gov::Parameters;
use crate::ibc::{Acknowledgements, Packet};
use crate::registry::Kind;
use crate::testkit::{Fetching, Peer, World, key_of, message, packet, update};
use crate::tx::{
    Acknowledge, ClaimTimeout, FinishRecovery, Message, ProposeRecovery, RecvPacket, RevokeDigest,
    SendPacket, SetDigest, StoreProof, SubmitMisbehaviour, Timeout, UpdateClient,
};
use crate::{Event, Outcome, Place, Role, Transaction};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::{vec, vec::Vec};
use proptest::prelude::*;
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{ClientId, Decode, Encode, Height, Sequence, Span, UnixSeconds};

const THEIRS: &str = "zeugma-9";

/// One thing that happens, its numbers taken modulo what there is.
#[derive(Clone, Debug)]
enum Act {
    PeerCommits { sequence: u64, ahead: u64 },
    PeerReceives(u64),
    PeerAcknowledges(u64),
    PeerSeals,
    Update,
    UpdateSubstitute,
    UpdateKnown(u64),
    Send { ahead: u64 },
    Recv { sequence: u64, height: u64 },
    Claim { sequence: u64, height: u64 },
    Acknowledge { sequence: u64, height: u64 },
    Timeout { sequence: u64, height: u64 },
    Digest { kind: u8, set: bool },
    Freeze,
    Recover { finish: bool },
    Again(u64),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1_u64..4, 1_u64..60).prop_map(|(sequence, ahead)| Act::PeerCommits { sequence, ahead }),
        3 => (1_u64..4).prop_map(Act::PeerReceives),
        3 => (1_u64..4).prop_map(Act::PeerAcknowledges),
        2 => Just(Act::PeerSeals),
        8 => Just(Act::Update),
        2 => Just(Act::UpdateSubstitute),
        2 => (0_u64..6).prop_map(Act::UpdateKnown),
        3 => (1_u64..60).prop_map(|ahead| Act::Send { ahead }),
        5 => (1_u64..4, 0_u64..4).prop_map(|(sequence, height)| Act::Recv { sequence, height }),
        5 => (1_u64..4, 0_u64..4).prop_map(|(sequence, height)| Act::Claim { sequence, height }),
        5 => (1_u64..4, 0_u64..4).prop_map(|(sequence, height)| Act::Acknowledge { sequence, height }),
        5 => (1_u64..4, 0_u64..4).prop_map(|(sequence, height)| Act::Timeout { sequence, height }),
        1 => (1_u8..5, any::<bool>()).prop_map(|(kind, set)| Act::Digest { kind, set }),
        1 => Just(Act::Freeze),
        6 => any::<bool>().prop_map(|finish| Act::Recover { finish }),
        2 => (0_u64..8).prop_map(Act::Again),
        2 => (1_u64..40).prop_map(Act::Pass),
    ]
}

struct Run {
    world: World,
    peer: Peer,
    client: ClientId,
    theirs: BTreeMap<u64, Packet>,
    ours: BTreeMap<u64, Packet>,
    /// When each of our packets was received there, in the peer's own store.
    received_there: BTreeSet<u64>,
    refunded: BTreeSet<u64>,
    said: Vec<Transaction>,
    dealt: usize,
    /// Heights at which the client was updated.
    known: Vec<Height>,
}

impl Run {
    fn new() -> Self {
        let mut world = World::with(Parameters {
            families: List::new([900].into()).unwrap(),
            recovery_delay: Span::seconds(20),
            ..Parameters::default()
        });
        world.block(&[]);
        let peer = Peer::new("peer", Span::seconds(1_000_000), world.now());
        let client = world.follow(&peer, THEIRS);
        world.follow(&peer, "zeugma-8");
        Self {
            world,
            peer,
            client,
            theirs: BTreeMap::new(),
            ours: BTreeMap::new(),
            received_there: BTreeSet::new(),
            refunded: BTreeSet::new(),
            said: Vec::new(),
            dealt: 0,
            known: Vec::from([Height::new(1)]),
        }
    }

    fn put(&mut self, path: &[u8], value: &[u8]) {
        self.peer.put(&[b"ibc/", path].concat(), value);
    }

    fn proof(&self, back: u64) -> StoreProof {
        // A height the client knows, the newest first; or at last one that it may not know.
        let known = usize::try_from(back).ok().and_then(|back| self.known.iter().rev().nth(back));
        let height = known.copied().unwrap_or(self.peer.height());
        StoreProof { height, proof: Bytes::new(self.peer.proof(height)).unwrap() }
    }

    /// What the act asks of the ledger, if it does, and by whom.
    fn ask(&mut self, act: &Act) -> Option<(Role, Message)> {
        let relay = |message: Message| Some((Role::Relayer, message));
        match act {
            Act::PeerCommits { sequence, ahead } => {
                // A chain commits a sequence once.
                let timeout = self.world.seconds() + ahead;
                let packet = packet(
                    THEIRS,
                    &self.client,
                    *sequence,
                    timeout,
                    message(b"them", &sequence.to_be_bytes()),
                );
                if !self.theirs.contains_key(sequence) {
                    let path = packet_path(&packet.source_client, PacketPath::Commitment, packet.sequence);
                    let commitment = packet.commitment();
                    self.put(&path, commitment.as_bytes());
                    self.theirs.insert(*sequence, packet);
                }
                None
            }
            Act::PeerReceives(sequence) => {
                let packet = self.ours.get(sequence)?.clone();
                // An honest chain receives before the timeout by its own clock, which is ours here.
                if self.world.seconds() < packet.timeout.get() {
                    let path = packet_path(&packet.destination_client, PacketPath::Receipt, packet.sequence);
                    self.put(&path, &[1]);
                    self.received_there.insert(*sequence);
                }
                None
            }
            Act::PeerAcknowledges(sequence) => {
                let packet = self.ours.get(sequence)?.clone();
                if self.received_there.contains(sequence) {
                    let path =
                        packet_path(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence);
                    let commitment = taken().commitment();
                    self.put(&path, commitment.as_bytes());
                }
                None
            }
            Act::PeerSeals => {
                self.peer.seal(self.world.now());
                None
            }
            Act::Update => {
                self.peer.seal(self.world.now());
                self.known.push(self.peer.height());
                relay(update(&self.client, &self.peer).into())
            }
            Act::UpdateKnown(back) => {
                let older = Height::new(self.peer.height().get().saturating_sub(*back).max(1));
                let again = self.peer.sign(None, self.peer.state_at(older));
                let update = Bytes::new(again.to_bytes()).unwrap();
                relay(UpdateClient { client: self.client.clone(), update }.into())
            }
            Act::UpdateSubstitute => relay(update(&ClientId::new("test-1").unwrap(), &self.peer).into()),
            Act::Send { ahead } => {
                let payload = message(World::account(Role::Member).as_bytes(), b"hello");
                let timeout = UnixSeconds::new(self.world.seconds() + ahead);
                let payloads = List::new([payload].into()).unwrap();
                Some((Role::Member, SendPacket { client: self.client.clone(), timeout, payloads }.into()))
            }
            Act::Recv { sequence, height } => {
                let packet = self.theirs.get(sequence)?.clone();
                relay(RecvPacket { packet, proof: self.proof(*height) }.into())
            }
            Act::Claim { sequence, height } => {
                let packet = self.theirs.get(sequence)?.head();
                relay(ClaimTimeout { packet, proof: self.proof(*height) }.into())
            }
            Act::Acknowledge { sequence, height } => {
                let packet = self.ours.get(sequence)?.clone();
                relay(Acknowledge { packet, acknowledgements: taken(), proof: self.proof(*height) }.into())
            }
            Act::Timeout { sequence, height } => {
                let packet = self.ours.get(sequence)?.clone();
                relay(Timeout { packet, proof: self.proof(*height) }.into())
            }
            Act::Digest { kind, set } => {
                let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
                let name = Text::new("one").unwrap();
                let message = if *set {
                    SetDigest { kind, name, digest: [7; 32] }.into()
                } else {
                    RevokeDigest { kind, name }.into()
                };
                Some((Role::Operator, message))
            }
            Act::Freeze => {
                let trusted = Height::new(1);
                let evidence = Bytes::new(self.peer.equivocate(trusted)).unwrap();
                Some((Role::Freezer, SubmitMisbehaviour { client: self.client.clone(), evidence }.into()))
            }
            Act::Recover { finish } => {
                let subject = self.client.clone();
                let substitute = ClientId::new("test-1").unwrap();
                let message = if *finish {
                    FinishRecovery { subject }.into()
                } else {
                    ProposeRecovery { subject, substitute }.into()
                };
                Some((Role::Guardian, message))
            }
            Act::Again(_) | Act::Pass(_) => None,
        }
    }

    fn run(&mut self, act: &Act) {
        let transactions = match act {
            Act::Pass(seconds) => {
                self.world.time += seconds * 1_000;
                Vec::new()
            }
            Act::Again(back) => {
                let place = self.said.len().checked_sub(1 + usize::try_from(*back).unwrap());
                place.map(|place| self.said[place].clone()).into_iter().collect()
            }
            _ => match self.ask(act) {
                None => Vec::new(),
                Some((role, message)) => Vec::from([self.world.sign(key_of(role), [message].into())]),
            },
        };
        self.said.extend(transactions.iter().cloned());
        // Whatever is fetched first, the block is the same.
        let place = if self.world.height.is_multiple_of(7) { Place::Last } else { Place::Within };
        let hinted = self.world.execute(&transactions, place, Fetching::Hinted);
        for fetching in [Fetching::OneByOne, Fetching::Everything] {
            assert_eq!(self.world.execute(&transactions, place, fetching), hinted);
        }
        let before = self.world.outbox.clone();
        let outcomes = self.world.block_at(&transactions, place);
        assert!(self.world.outbox.starts_with(&before), "the outbox only grows");
        for outcome in &outcomes {
            assert_eq!(&Outcome::from_bytes(&outcome.to_bytes()).unwrap(), outcome);
        }
        self.learn();
    }

    /// Reads what happened from the events, and judges it by what the peer really did.
    fn learn(&mut self) {
        let events = self.world.events.split_off(self.dealt.min(self.world.events.len()));
        for event in &events {
            assert_eq!(&Event::from_bytes(&event.to_bytes()).unwrap(), event);
            match event {
                Event::PacketSent(sent) => {
                    self.ours.insert(sent.packet.sequence.get(), sent.packet.clone());
                }
                Event::PacketTimedOut(out) => {
                    let sequence = out.sequence.get();
                    assert!(!self.received_there.contains(&sequence), "refunded and received: {sequence}");
                    assert!(self.refunded.insert(sequence), "refunded twice: {sequence}");
                }
                _ => {}
            }
        }
        self.world.events.extend(events);
        self.dealt = self.world.events.len();
    }

    /// Over the whole history: each packet toward us was received at most once or closed at most once.
    fn judge(&self) {
        let mut received = BTreeSet::new();
        let mut closed = BTreeSet::new();
        for event in &self.world.events {
            match event {
                Event::PacketReceived(packet) => {
                    assert!(received.insert(packet.sequence), "received twice");
                    assert!(!closed.contains(&packet.sequence), "received after it was closed");
                }
                Event::PacketClosed(packet) => {
                    assert!(closed.insert(packet.sequence), "closed twice");
                    assert!(!received.contains(&packet.sequence), "closed after it was received");
                }
                _ => {}
            }
        }
        let sequences: BTreeSet<Sequence> = self.ours.values().map(|packet| packet.sequence).collect();
        assert_eq!(sequences.len(), self.ours.len());
    }
}

fn taken() -> Acknowledgements {
    Acknowledgements::new([Bytes::new(*b"taken").unwrap()].into()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_invariants(acts in prop::collection::vec(act(), 1..100)) {
        let mut run = Run::new();
        for act in &acts {
            run.run(act);
        }
        run.judge();
    }
}

/// A generator that never reaches the interesting places proves nothing.
#[test]
fn the_histories_reach_what_they_are_meant_to_test() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = prop::collection::vec(act(), 150..151);
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let mut run = Run::new();
        for act in strategy.new_tree(&mut runner).unwrap().current() {
            run.run(&act);
        }
        run.judge();
        seen.extend(run.world.events.iter().map(Event::name));
    }
    for name in [
        "packet-sent",
        "packet-received",
        "acknowledgement-written",
        "packet-acknowledged",
        "packet-timed-out",
        "packet-closed",
        "client-updated",
        "client-frozen",
        "recovery-proposed",
        "client-recovered",
        "registry-changed",
        "epoch-ended",
    ] {
        assert!(seen.contains(name), "{name} never happened in {seen:?}");
    }
}
