//! Assets between chains. The oracle is the sum of what crossed each border, kept by the test in plain numbers.

use crate::app::transfer::{
    ABI, Amount, Denom, Escrow, Holding, JSON, TAKEN, TransferData, VERSION, escrow_key, held_key, supply_key,
};
use crate::bounded::{Bytes, List, Text};
use crate::ibc::{Acknowledgements, Packet, Payload, Port, error_acknowledgement};
use crate::testkit::{Peer, World, packet};
use crate::tx::{Acknowledge, RecvPacket, SendPacket, Timeout};
use crate::{Event, Role, Slot};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{AccountId, ClientId, Code, Decode, Span, UnixSeconds};

mod history;
mod holds;
mod limits;
mod orders;

/// A hub, and two chains that it follows.
struct Hub {
    world: World,
    peers: [(ClientId, Peer, &'static str); 2],
    received: [u64; 2],
}

const ONE: usize = 0;
const TWO: usize = 1;
/// What the first chain's coin is called here.
const COIN: &str = "transfer/test-0/coin";

fn hub() -> Hub {
    let mut world = World::new();
    world.block(&[]);
    let peers = ["hub-at-one", "hub-at-two"].map(|counterparty| {
        let peer = Peer::new(counterparty, Span::seconds(10_000_000), world.now());
        (world.follow(&peer, counterparty), peer, counterparty)
    });
    Hub { world, peers, received: [0; 2] }
}

fn denom(name: &str) -> Denom {
    Denom::new(name).unwrap()
}

fn member() -> AccountId {
    World::account(Role::Member)
}

fn data(name: &str, amount: u64, sender: &str, receiver: &str, memo: &str) -> TransferData {
    TransferData {
        denom: denom(name),
        amount: Amount::new(amount),
        sender: Text::new(sender).unwrap(),
        receiver: Text::new(receiver).unwrap(),
        memo: memo.into(),
    }
}

fn payload(data: &TransferData) -> Payload {
    Payload {
        source_port: Port::new("transfer").unwrap(),
        destination_port: Port::new("transfer").unwrap(),
        version: Text::new(VERSION).unwrap(),
        encoding: Text::new(ABI).unwrap(),
        value: Bytes::new(data.to_abi()).unwrap(),
    }
}

fn order(client: &ClientId, receiver: &str) -> String {
    format!(r#"{{"forward":{{"port":"transfer","channel":"{client}","receiver":"{receiver}"}}}}"#)
}

impl Hub {
    /// A packet that the chain committed is received; the answer, or none while it is awaited.
    fn receive_payload(&mut self, from: usize, payload: Payload) -> Option<Vec<u8>> {
        let timeout = self.world.seconds() + 5_000;
        let packet = self.arriving(from, timeout, payload);
        let before = self.world.events.len();
        self.bring(from, packet);
        self.answer_since(before)
    }

    /// The next packet of a chain, committed there.
    fn arriving(&mut self, from: usize, timeout: u64, payload: Payload) -> Packet {
        self.received[from] += 1;
        let (client, peer, counterparty) = &mut self.peers[from];
        let packet = packet(counterparty, client, self.received[from], timeout, payload);
        let path = packet_path(&packet.source_client, PacketPath::Commitment, packet.sequence);
        peer.put(&[b"ibc/", path.as_slice()].concat(), packet.commitment().as_bytes());
        packet
    }

    fn bring(&mut self, from: usize, packet: Packet) {
        let (client, peer, _) = &mut self.peers[from];
        self.world.update(&client.clone(), peer);
        let proof = World::proof(peer);
        self.world.ok(Role::Relayer, RecvPacket { packet, proof });
    }

    fn receive(&mut self, from: usize, data: &TransferData) -> Option<Vec<u8>> {
        self.receive_payload(from, payload(data))
    }

    /// A fresh amount of the first chain's coin for the member.
    fn fund(&mut self, amount: u64) {
        let answer = self.receive(ONE, &data("coin", amount, "alice", &member().to_string(), ""));
        assert_eq!(answer.as_deref(), Some(TAKEN));
    }

    fn sending(&self, to: usize, name: &str, amount: u64, sender: &str) -> SendPacket {
        SendPacket {
            client: self.peers[to].0.clone(),
            timeout: UnixSeconds::new(self.world.seconds() + 1_000),
            payloads: List::new([payload(&data(name, amount, sender, "bob", ""))].into()).unwrap(),
        }
    }

    fn send(&mut self, to: usize, name: &str, amount: u64) -> Packet {
        let message = self.sending(to, name, amount, &member().to_string());
        self.world.ok(Role::Member, message);
        self.sent()
    }

    fn sent(&self) -> Packet {
        let sent = self.world.events.iter().rev().find_map(|event| match event {
            Event::PacketSent(sent) => Some(sent.packet.clone()),
            _ => None,
        });
        sent.expect("a packet was sent")
    }

    fn answer_since(&self, before: usize) -> Option<Vec<u8>> {
        self.world.events[before..].iter().find_map(|event| match event {
            Event::AcknowledgementWritten(written) => {
                Some(written.acknowledgements.as_slice()[0].as_slice().into())
            }
            _ => None,
        })
    }

    /// The other chain answers a packet of ours; what that answers in turn.
    fn acknowledge(&mut self, by: usize, packet: Packet, given: Acknowledgements) -> Option<Vec<u8>> {
        let (client, peer, _) = &mut self.peers[by];
        let key = packet_path(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence);
        peer.put(&[b"ibc/", key.as_slice()].concat(), given.commitment().as_bytes());
        self.world.update(&client.clone(), peer);
        let proof = World::proof(peer);
        let before = self.world.events.len();
        self.world.ok(Role::Relayer, Acknowledge { packet, acknowledgements: given, proof });
        self.answer_since(before)
    }

    fn time_out(&mut self, by: usize, packet: Packet) -> Option<Vec<u8>> {
        self.world.pass(20_000);
        let (client, peer, _) = &mut self.peers[by];
        self.world.update(&client.clone(), peer);
        let proof = World::proof(peer);
        let before = self.world.events.len();
        self.world.ok(Role::Relayer, Timeout { packet, proof });
        self.answer_since(before)
    }

    fn amount<T: Decode>(&self, key: &[u8], amount: impl Fn(T) -> Amount) -> u64 {
        let amount = self.world.load::<T>(Slot::Application(3, key)).map_or(Amount::ZERO, amount);
        amount.to_string().parse().unwrap()
    }

    fn held(&self, name: &str) -> u64 {
        self.amount(&held_key(&member(), &denom(name)), |held: Holding| held.amount)
    }

    fn supply(&self, name: &str) -> u64 {
        self.amount(&supply_key(&denom(name)), |held: Holding| held.amount)
    }

    fn escrow(&self, at: usize, name: &str) -> u64 {
        self.amount(&escrow_key(&self.peers[at].0, &denom(name)), |escrow: Escrow| escrow.amount)
    }

    /// The whole room, to see that nothing moved.
    fn books(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let room = self.world.store.under(&[0x30, 3]);
        room.map(|(key, value)| (key.as_bytes().to_vec(), value.to_vec())).collect()
    }
}

fn taken() -> Acknowledgements {
    Acknowledgements::new([Bytes::new(TAKEN).unwrap()].into()).unwrap()
}

#[test]
fn a_coin_comes_in_goes_on_comes_back_and_goes_home() {
    let mut hub = hub();
    hub.fund(100);
    assert_eq!((hub.held(COIN), hub.supply(COIN)), (100, 100));

    let packet = hub.send(TWO, COIN, 60);
    assert_eq!((hub.held(COIN), hub.escrow(TWO, COIN), hub.supply(COIN)), (40, 60, 100));
    assert_eq!(hub.acknowledge(TWO, packet, taken()), None);
    assert_eq!((hub.held(COIN), hub.escrow(TWO, COIN)), (40, 60), "what was taken stays");

    // The second chain knows it through its client of us.
    let back = data(&format!("transfer/hub-at-two/{COIN}"), 25, "bob", &member().to_string(), "");
    assert_eq!(hub.receive(TWO, &back).as_deref(), Some(TAKEN));
    assert_eq!((hub.held(COIN), hub.escrow(TWO, COIN)), (65, 35));

    let packet = hub.send(ONE, COIN, 65);
    assert_eq!(
        TransferData::read(&packet.payloads()[0]).unwrap().denom,
        denom(COIN),
        "its home knows the way"
    );
    assert_eq!((hub.held(COIN), hub.supply(COIN), hub.escrow(ONE, COIN)), (0, 35, 0));
    hub.acknowledge(ONE, packet, taken());
}

#[test]
fn an_error_or_a_timeout_gives_back_to_the_sender_once() {
    for (to, timed_out) in [(ONE, false), (ONE, true), (TWO, false), (TWO, true)] {
        let mut hub = hub();
        hub.fund(100);
        let before = hub.books();
        let packet = hub.send(to, COIN, 70);
        assert_eq!(hub.held(COIN), 30);
        let again = packet.clone();
        if timed_out {
            hub.time_out(to, packet);
            hub.time_out(to, again);
        } else {
            hub.acknowledge(to, packet, Acknowledgements::error());
            hub.acknowledge(to, again, Acknowledgements::error());
        }
        assert_eq!(hub.books(), before, "{to} {timed_out}");
    }
}

/// What Binance's bridge and Hyperbridge paid out without its ever having come in.
#[test]
fn more_than_went_out_never_comes_back_whatever_the_other_chain_proves() {
    let mut hub = hub();
    hub.fund(100);
    let packet = hub.send(TWO, COIN, 60);
    hub.acknowledge(TWO, packet, taken());
    let before = hub.books();
    let receiver = member().to_string();
    for forged in [
        // More than is there.
        data(&format!("transfer/hub-at-two/{COIN}"), 61, "thief", &receiver, ""),
        // What is in the other chain's charge, and what never was in anyone's.
        data("transfer/hub-at-two/transfer/test-0/other", 1, "thief", &receiver, ""),
        data("transfer/hub-at-two/coin", 1, "thief", &receiver, ""),
        // What is at home with the claimant itself.
        data("transfer/hub-at-two/transfer/test-1/coin", 1, "thief", &receiver, ""),
        // The same, sent on.
        data(&format!("transfer/hub-at-two/{COIN}"), 61, "thief", "hub", &order(&hub.peers[ONE].0, "thief")),
    ] {
        assert_eq!(hub.receive(TWO, &forged).unwrap(), error_acknowledgement(), "{forged:?}");
        assert_eq!(hub.books(), before);
    }
    // The chain that is its home gets nothing out of what stands against the second.
    let stolen = data(&format!("transfer/hub-at-one/{COIN}"), 1, "thief", &receiver, "");
    assert_eq!(hub.receive(ONE, &stolen).unwrap(), error_acknowledgement());
    assert_eq!(hub.books(), before);
    // All that is there, and no more.
    let all = data(&format!("transfer/hub-at-two/{COIN}"), 60, "bob", &receiver, "");
    assert_eq!(hub.receive(TWO, &all).as_deref(), Some(TAKEN));
    assert_eq!(hub.receive(TWO, &all).unwrap(), error_acknowledgement());
}

#[test]
fn two_coins_of_one_name_from_two_chains_are_two_assets() {
    let mut hub = hub();
    hub.fund(5);
    let other = data("coin", 7, "carol", &member().to_string(), "");
    assert_eq!(hub.receive(TWO, &other).as_deref(), Some(TAKEN));
    assert_eq!((hub.held(COIN), hub.held("transfer/test-1/coin")), (5, 7));
}

#[test]
fn only_the_holder_sends_what_he_holds() {
    let mut hub = hub();
    hub.fund(10);
    let own = member().to_string();
    let relayer = World::account(Role::Relayer).to_string();
    let too_much = hub.sending(TWO, COIN, 11, &own);
    hub.world.refused(Role::Member, too_much, Code::NotEnough);
    let unknown = hub.sending(TWO, "coin", 1, &own);
    hub.world.refused(Role::Member, unknown, Code::NotEnough);
    let of_another = hub.sending(TWO, COIN, 1, &relayer);
    hub.world.refused(Role::Member, of_another, Code::WrongSender);
    let upper = hub.sending(TWO, COIN, 1, &own.to_uppercase());
    hub.world.refused(Role::Member, upper, Code::BadIdentifier);
    let mut marked = hub.sending(TWO, COIN, 1, &own);
    let forged = data(COIN, 1, &own, "bob", r#"{"zeugma":{"client":"test-0"}}"#);
    marked.payloads = List::new([payload(&forged)].into()).unwrap();
    hub.world.refused(Role::Member, marked, Code::WrongPayload);
    // Twice in one packet what is there once.
    let mut twice = hub.sending(TWO, COIN, 6, &own);
    let half = twice.payloads.as_slice()[0].clone();
    twice.payloads = List::new([half.clone(), half].into()).unwrap();
    hub.world.refused(Role::Member, twice, Code::NotEnough);
    assert_eq!(hub.held(COIN), 10);
}

#[test]
fn an_asset_is_sent_on_and_its_answer_is_the_answer_of_the_second_packet() {
    let mut hub = hub();
    let sent_on = data("coin", 9, "alice", "hub", &order(&hub.peers[TWO].0.clone(), "bob"));
    assert_eq!(hub.receive(ONE, &sent_on), None, "the answer comes later");
    assert_eq!((hub.supply(COIN), hub.escrow(TWO, COIN), hub.held(COIN)), (9, 9, 0));
    let packet = hub.sent();
    let next = TransferData::read(&packet.payloads()[0]).unwrap();
    assert_eq!((next.denom.as_str(), next.receiver.as_str(), next.sender.as_str()), (COIN, "bob", "alice"));
    let height = hub.peers[ONE].1.height();
    assert_eq!(
        next.memo,
        format!(
            r#"{{"zeugma":{{"client":"test-0","height":"{height}","finality":"committee-quorum","sender":"alice"}}}}"#
        )
    );
    assert_eq!(hub.acknowledge(TWO, packet, taken()).as_deref(), Some(TAKEN));

    // And home again by the same way.
    let name = format!("transfer/hub-at-two/{COIN}");
    let home = data(&name, 9, "bob", "hub", &order(&hub.peers[ONE].0.clone(), "alice"));
    assert_eq!(hub.receive(TWO, &home), None);
    let packet = hub.sent();
    assert_eq!(hub.acknowledge(ONE, packet, taken()).as_deref(), Some(TAKEN));
    assert_eq!(hub.books(), BTreeMap::new(), "nothing is left here of what came and went");
}

#[test]
fn what_cannot_be_taken_at_the_end_goes_back_to_the_beginning() {
    for (home, timed_out) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut hub = hub();
        hub.fund(50);
        let packet = hub.send(TWO, COIN, 30);
        hub.acknowledge(TWO, packet, taken());
        let before = hub.books();
        let (from, to, name) =
            if home { (TWO, ONE, format!("transfer/hub-at-two/{COIN}")) } else { (ONE, TWO, "coin".into()) };
        let sent_on = data(&name, 20, "alice", "hub", &order(&hub.peers[to].0.clone(), "bob"));
        assert_eq!(hub.receive(from, &sent_on), None);
        assert_ne!(hub.books(), before);
        let packet = hub.sent();
        let answer = if timed_out {
            hub.time_out(to, packet)
        } else {
            hub.acknowledge(to, packet, Acknowledgements::error())
        };
        assert_eq!(answer.unwrap(), error_acknowledgement());
        assert_eq!(hub.books(), before, "home {home}, timed out {timed_out}");
    }
}

#[test]
fn a_chain_that_gave_back_what_it_says_it_never_took_gets_no_second_refund() {
    let mut hub = hub();
    hub.fund(100);
    let packet = hub.send(TWO, COIN, 60);
    let back = data(&format!("transfer/hub-at-two/{COIN}"), 1, "bob", &member().to_string(), "");
    assert_eq!(hub.receive(TWO, &back).as_deref(), Some(TAKEN));
    let (client, peer, _) = &mut hub.peers[TWO];
    let key = packet_path(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence);
    let error = Acknowledgements::error();
    peer.put(&[b"ibc/", key.as_slice()].concat(), error.commitment().as_bytes());
    hub.world.update(&client.clone(), peer);
    let proof = World::proof(peer);
    let message = Acknowledge { packet, acknowledgements: error, proof };
    hub.world.refused(Role::Relayer, message, Code::MoreThanLocked);
    assert_eq!((hub.held(COIN), hub.escrow(TWO, COIN)), (41, 59));
}

#[test]
fn a_transfer_that_cannot_be_read_or_credited_is_answered_with_the_error_and_moves_nothing() {
    let receiver = member().to_string();
    let nowhere = ClientId::new("test-9").unwrap();
    let mut bad: Vec<Payload> = [
        data("coin", 1, "alice", "bob", ""),
        data("coin", 1, "alice", &receiver[..63], ""),
        data("coin", 1, "alice", &receiver.to_uppercase(), ""),
        data("coin", 1, "alice", &receiver, "{\"forward\":"),
        data("coin", 1, "alice", &receiver, r#"{"zeugma":{}}"#),
        data("coin", 1, "alice", &receiver, &order(&nowhere, "bob")),
        data(&"c".repeat(510), 1, "alice", &receiver, ""),
        TransferData { amount: Amount::ZERO, ..data("coin", 1, "alice", &receiver, "") },
    ]
    .iter()
    .map(payload)
    .collect();
    let good = data("coin", 1, "alice", &receiver, "");
    bad.push(Payload { version: Text::new("ics20-2").unwrap(), ..payload(&good) });
    bad.push(Payload { encoding: Text::new(JSON).unwrap(), ..payload(&good) });
    bad.push(Payload { source_port: Port::new("message").unwrap(), ..payload(&good) });
    let mut hub = hub();
    for payload in bad {
        let shown = format!("{payload:?}");
        assert_eq!(hub.receive_payload(ONE, payload).unwrap(), error_acknowledgement(), "{shown}");
        assert_eq!(hub.books(), BTreeMap::new());
    }
    // The largest amount is taken once; the next unit of it would wrap.
    let largest = TransferData { amount: Amount::MAX, ..good.clone() };
    assert_eq!(hub.receive(ONE, &largest).as_deref(), Some(TAKEN));
    assert_eq!(hub.receive(ONE, &good).unwrap(), error_acknowledgement());
}
