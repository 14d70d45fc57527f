//! What is held, and how each hold ends. The oracle is the books before: an ending leaves them as if the amount had
//! arrived at once, or as if it had never arrived.

use super::{COIN, Hub, ONE, TWO, data, denom, hub, member, order, payload, taken};
use crate::app::transfer::{
    Amount, Hold, LISTED, Limit, SetDelay, SetLimit, TAKEN, asset_name, delay_key, hold_key, limit_key,
};
use crate::bounded::{Bytes, Text};
use crate::event::HoldEnd;
use crate::ibc::{Acknowledgements, Held, HeldOf, Packet, error_acknowledgement};
use crate::limits::{HOP_SECONDS, MAX_HELD};
use crate::outcome::Effect;
use crate::registry::Kind;
use crate::testkit::World;
use crate::tx::{
    ClaimTimeout, Propose, RecvPacket, RejectHold, ReleaseHold, RevokeDigest, SetDigest, SubmitMisbehaviour,
};
use crate::{Event, Outcome, Role, Slot};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, ClientId, Code, Height, Sequence, Span};

/// Above 50 of the coin, a thousand seconds, by the first chain's client.
const THRESHOLD: u64 = 50;
const DELAY: u64 = 1_000;

fn set(client: &ClientId, seconds: u64) -> SetDelay {
    SetDelay {
        client: client.clone(),
        denom: denom(COIN),
        threshold: Amount::new(THRESHOLD),
        delay: Span::seconds(seconds),
    }
}

fn delayed_by(hub: &mut Hub, at: usize) {
    let change = set(&hub.peers[at].0, DELAY);
    hub.world.ok(Role::Governor, Propose { change: change.into(), activation: Height::ZERO });
    hub.world.pass(1);
    hub.world.pass(1);
}

fn delayed() -> Hub {
    let mut hub = hub();
    delayed_by(&mut hub, ONE);
    hub
}

/// So much of the coin arrives for the member, or is sent on to the second chain; its packet times out 5,000 seconds
/// later.
fn arrive(hub: &mut Hub, amount: u64, on: bool) -> (Packet, Option<Vec<u8>>) {
    let timeout = hub.world.seconds() + 5_000;
    arrive_until(hub, amount, on, timeout)
}

fn arrive_until(hub: &mut Hub, amount: u64, on: bool, timeout: u64) -> (Packet, Option<Vec<u8>>) {
    let memo = if on { order(&hub.peers[TWO].0.clone(), "bob") } else { String::new() };
    let data = data("coin", amount, "alice", &member().to_string(), &memo);
    let packet = hub.arriving(ONE, timeout, payload(&data));
    let before = hub.world.events.len();
    hub.bring(ONE, packet.clone());
    (packet, hub.answer_since(before))
}

fn release(packet: &Packet) -> ReleaseHold {
    ReleaseHold { client: packet.destination_client.clone(), sequence: packet.sequence }
}

fn reject(packet: &Packet) -> RejectHold {
    let ReleaseHold { client, sequence } = release(packet);
    RejectHold { client, sequence, order: [9; 32] }
}

fn held(hub: &Hub, packet: &Packet) -> Option<Held> {
    hub.world.load(Slot::Held(&packet.destination_client, packet.sequence))
}

/// The answer that a release, or a rejection, gave; and how the hold ended.
fn ended(hub: &mut Hub, role: Role, message: impl Into<crate::Message>) -> (Option<Vec<u8>>, HoldEnd) {
    let before = hub.world.events.len();
    hub.world.ok(role, message);
    let end = hub.world.events[before..].iter().find_map(|event| match event {
        Event::HoldEnded(ended) => Some(ended.end),
        _ => None,
    });
    (hub.answer_since(before), end.expect("a hold ended"))
}

fn wait_until(hub: &mut Hub, time: BlockTime) {
    // The next block is a second later.
    hub.world.time = hub.world.time.max(time.get() - 1_000);
}

/// To the block of its release time.
fn wait(hub: &mut Hub, packet: &Packet) {
    let time = held(hub, packet).unwrap().release_at;
    wait_until(hub, time);
}

fn time_out(hub: &mut Hub, packet: &Packet) {
    wait_until(hub, BlockTime::new(packet.timeout.get() * 1_000));
}

#[test]
fn an_amount_above_the_threshold_is_held_and_anyone_releases_it_at_its_time() {
    let mut hub = delayed();
    let (_, at_once) = arrive(&mut hub, THRESHOLD, false);
    assert_eq!(at_once.as_deref(), Some(TAKEN));
    let (packet, answer) = arrive(&mut hub, THRESHOLD + 1, false);
    assert_eq!(answer, None, "the answer comes later");
    assert_eq!((hub.held(COIN), hub.supply(COIN)), (50, 101), "here, and nobody's");

    // Readable: by anyone, from the state.
    let held = held(&hub, &packet).unwrap();
    assert_eq!(held.release_at, BlockTime::new(hub.world.time + DELAY * 1_000));
    assert_eq!(held.timeout, packet.timeout);
    assert!(held.release_at.whole_seconds() < packet.timeout);
    let client = packet.destination_client.clone();
    let all: HeldOf = hub.world.load(Slot::HeldOf(&client)).unwrap();
    assert_eq!(all.packets.as_slice()[0].release_at, held.release_at);
    let hold: Hold = hub.world.load(Slot::Application(3, &hold_key(&client, packet.sequence))).unwrap();
    assert_eq!((hold.amount, hold.sender.as_str()), (Amount::new(51), "alice"));

    hub.world.refused(Role::Relayer, release(&packet), Code::HeldUntil);
    wait_until(&mut hub, BlockTime::new(held.release_at.get() - 1));
    hub.world.refused(Role::Anchorer, release(&packet), Code::HeldUntil);
    let (answer, end) = ended(&mut hub, Role::Anchorer, release(&packet));
    assert_eq!((answer.as_deref(), end), (Some(TAKEN), HoldEnd::Released));
    assert_eq!((hub.held(COIN), hub.supply(COIN)), (101, 101));
    assert_eq!(hub.world.load::<HeldOf>(Slot::HeldOf(&client)), None);
}

#[test]
fn a_hold_ends_once_however_often_it_is_asked() {
    let mut hub = delayed();
    for rejected in [false, true] {
        let (packet, _) = arrive(&mut hub, 60, false);
        wait(&mut hub, &packet);
        if rejected {
            ended(&mut hub, Role::Guardian, reject(&packet));
        } else {
            ended(&mut hub, Role::Member, release(&packet));
        }
        let (before, events) = (hub.books(), hub.world.outbox.len());
        for (role, message) in
            [(Role::Member, crate::Message::from(release(&packet))), (Role::Guardian, reject(&packet).into())]
        {
            let outcome = hub.world.run(role, message);
            let Outcome::Done { messages } = outcome else { panic!("{outcome:?}") };
            assert_eq!(messages.as_slice(), [Effect::AlreadyDone]);
        }
        // Nor does the packet come twice, while it is held or after.
        let proof = World::proof(&hub.peers[ONE].1);
        let again = hub.world.run(Role::Relayer, RecvPacket { packet: packet.clone(), proof });
        let Outcome::Done { messages } = again else { panic!("{again:?}") };
        assert_eq!(messages.as_slice(), [Effect::AlreadyDone]);
        assert_eq!((hub.books(), hub.world.outbox.len()), (before, events));
    }
    let never = ReleaseHold { client: hub.peers[ONE].0.clone(), sequence: Sequence::new(99) };
    hub.world.refused(Role::Member, never.clone(), Code::NotHeld);
    let unknown = ReleaseHold { client: ClientId::new("test-77").unwrap(), ..never };
    hub.world.refused(Role::Member, unknown, Code::NotHeld);
}

#[test]
fn who_may_halt_a_route_gives_back_what_is_held_before_and_after_its_release_time() {
    for (role, late) in [(Role::Guardian, false), (Role::Freezer, false), (Role::Guardian, true)] {
        let mut hub = delayed();
        let before = hub.books();
        let (packet, _) = arrive(&mut hub, 60, false);
        for nobody in [Role::Member, Role::Relayer, Role::Operator, Role::Governor, Role::Anchorer] {
            hub.world.refused(nobody, reject(&packet), Code::NotAllowed);
        }
        if late {
            wait(&mut hub, &packet);
        }
        let (answer, end) = ended(&mut hub, role, reject(&packet));
        assert_eq!(
            (answer.unwrap().as_slice(), end),
            (error_acknowledgement().as_slice(), HoldEnd::Rejected)
        );
        assert_eq!(hub.books(), before);
        let order = hub.world.events.iter().rev().find_map(|event| match event {
            Event::HoldEnded(ended) => Some(ended.order.0),
            _ => None,
        });
        assert_eq!(order, Some(Some([9; 32])), "the order stands beside it");
    }
}

#[test]
fn what_nobody_released_before_its_timeout_goes_back_and_never_both() {
    for on in [false, true] {
        let mut hub = delayed();
        let before = hub.books();
        let (packet, _) = arrive(&mut hub, 60, on);
        time_out(&mut hub, &packet);
        let (answer, end) = ended(&mut hub, Role::Member, release(&packet));
        assert_eq!((answer.unwrap().as_slice(), end), (error_acknowledgement().as_slice(), HoldEnd::Lapsed));
        assert_eq!(hub.books(), before);
    }
    // Until somebody says so it stays held: it was received, and cannot be closed.
    let mut hub = delayed();
    let (packet, _) = arrive(&mut hub, 60, false);
    time_out(&mut hub, &packet);
    let proof = World::proof(&hub.peers[ONE].1);
    let close = ClaimTimeout { packet: packet.head(), proof };
    hub.world.refused(Role::Relayer, close, Code::PacketReceived);
    // A second before, it was released.
    let mut hub = delayed();
    let (packet, _) = arrive(&mut hub, 60, false);
    wait_until(&mut hub, BlockTime::new(packet.timeout.get() * 1_000 - 1));
    assert_eq!(ended(&mut hub, Role::Member, release(&packet)).1, HoldEnd::Released);
}

#[test]
fn without_room_before_the_timeout_it_is_refused_and_goes_back_at_once() {
    for (on, room) in [(false, HOP_SECONDS), (true, 2 * HOP_SECONDS)] {
        for (short, expected) in [(1, Some(error_acknowledgement())), (0, None)] {
            let mut hub = delayed();
            let before = hub.books();
            // The client's update takes a block, the packet the next.
            let timeout = hub.world.seconds() + 2 + DELAY + room - short;
            let (packet, answer) = arrive_until(&mut hub, 60, on, timeout);
            assert_eq!(answer.as_deref(), expected.as_ref().map(<[u8; 32]>::as_slice), "{on} {short}");
            assert_eq!(hub.books() == before, short == 1);
            assert_eq!(held(&hub, &packet).is_none(), short == 1);
            let refused = hub.world.events.iter().find_map(|event| match event {
                Event::PayloadRefused(refused) => Some(refused.refusal.code),
                _ => None,
            });
            assert_eq!(refused, (short == 1).then_some(Code::NoRoomToHold));
        }
    }
    // What is not held needs no room.
    let mut hub = delayed();
    let soon = hub.world.seconds() + 5;
    assert_eq!(arrive_until(&mut hub, THRESHOLD, false, soon).1.as_deref(), Some(TAKEN));
}

#[test]
fn what_is_sent_on_waits_first_and_then_its_answer_is_that_of_the_second_packet() {
    for taken_there in [true, false] {
        let mut hub = delayed();
        let before = hub.books();
        let (first, answer) = arrive(&mut hub, 60, true);
        assert_eq!((answer, hub.escrow(TWO, COIN), hub.supply(COIN)), (None, 0, 60));
        wait(&mut hub, &first);
        let (answer, end) = ended(&mut hub, Role::Relayer, release(&first));
        assert_eq!((answer, end), (None, HoldEnd::Released));
        assert_eq!((hub.escrow(TWO, COIN), hub.supply(COIN), hub.held(COIN)), (60, 60, 0));
        let packet = hub.sent();
        assert_eq!(packet.timeout.get(), first.timeout.get() - HOP_SECONDS);
        if taken_there {
            assert_eq!(hub.acknowledge(TWO, packet, taken()).as_deref(), Some(TAKEN));
        } else {
            let answer = hub.acknowledge(TWO, packet, Acknowledgements::error());
            assert_eq!(answer.unwrap(), error_acknowledgement());
            assert_eq!(hub.books(), before);
        }
    }
}

#[test]
fn what_can_be_sent_on_no_more_goes_back_and_does_not_wait_for_its_own_timeout() {
    let mut hub = delayed();
    let before = hub.books();
    let (first, _) = arrive(&mut hub, 60, true);
    wait_until(&mut hub, BlockTime::new((first.timeout.get() - HOP_SECONDS) * 1_000));
    let (answer, end) = ended(&mut hub, Role::Relayer, release(&first));
    assert_eq!((answer.unwrap().as_slice(), end), (error_acknowledgement().as_slice(), HoldEnd::Refused));
    assert_eq!(hub.books(), before);
}

/// Every reason for which a release waits: how it begins, how it ends, and the code meanwhile.
struct Obstacle {
    name: &'static str,
    code: Code,
    on: bool,
    begin: fn(&mut Hub),
    end: Option<fn(&mut Hub)>,
}

fn halt(name: &str) -> SetDigest {
    SetDigest { kind: Kind::Halt, name: Text::new(name).unwrap(), digest: [7; 32] }
}

fn resume(name: &str) -> RevokeDigest {
    RevokeDigest { kind: Kind::Halt, name: Text::new(name).unwrap() }
}

fn list(name: &str) -> SetDigest {
    SetDigest { kind: Kind::AllowList, name: Text::new(name).unwrap(), digest: [8; 32] }
}

fn obstacles() -> Vec<Obstacle> {
    Vec::from([
        Obstacle {
            name: "the route is halted",
            code: Code::RouteHalted,
            on: false,
            begin: |hub| hub.world.ok(Role::Freezer, halt("test-0")),
            end: Some(|hub| hub.world.ok(Role::Governor, resume("test-0"))),
        },
        Obstacle {
            name: "the asset is frozen",
            code: Code::AssetFrozen,
            on: false,
            begin: |hub| hub.world.ok(Role::Freezer, halt(asset_name(&denom(COIN)).as_str())),
            end: Some(|hub| hub.world.ok(Role::Governor, resume(asset_name(&denom(COIN)).as_str()))),
        },
        Obstacle {
            name: "the asset is not listed any more",
            code: Code::AssetNotListed,
            on: false,
            begin: |hub| hub.world.ok(Role::Operator, list(LISTED)),
            end: Some(|hub| hub.world.ok(Role::Operator, list(asset_name(&denom(COIN)).as_str()))),
        },
        Obstacle {
            name: "its chain showed two histories",
            code: Code::ClientFrozen,
            on: false,
            begin: |hub| {
                let (client, peer, _) = &hub.peers[ONE];
                let evidence = Bytes::new(peer.equivocate(peer.height())).unwrap();
                let message = SubmitMisbehaviour { client: client.clone(), evidence };
                hub.world.ok(Role::Relayer, message);
            },
            end: None,
        },
        Obstacle {
            name: "the next route is halted",
            code: Code::RouteHalted,
            on: true,
            begin: |hub| hub.world.ok(Role::Freezer, halt("test-1")),
            end: Some(|hub| hub.world.ok(Role::Governor, resume("test-1"))),
        },
        Obstacle {
            name: "the limit of the next route is used up",
            code: Code::LimitReached,
            on: true,
            begin: |hub| {
                limited(hub, TWO, 80);
                hub.fund(50);
                hub.send(TWO, COIN, 50);
            },
            end: Some(|hub| hub.world.pass(600)),
        },
    ])
}

fn limited(hub: &mut Hub, at: usize, capacity: u64) {
    let client = hub.peers[at].0.clone();
    let (capacity, refill) = (Amount::new(capacity), Span::seconds(1_000));
    let change = SetLimit { client, denom: denom(COIN), capacity, refill };
    hub.world.ok(Role::Governor, Propose { change: change.into(), activation: Height::ZERO });
    hub.world.pass(1);
    hub.world.pass(1);
}

#[test]
fn while_an_order_stands_a_release_waits_and_the_timeout_ends_it_whatever_stands() {
    for Obstacle { name, code, on, begin, end } in obstacles() {
        for lifted in [true, false] {
            if lifted && end.is_none() {
                continue;
            }
            let mut hub = delayed();
            let (packet, answer) = arrive(&mut hub, 60, on);
            assert_eq!(answer, None, "{name}");
            wait(&mut hub, &packet);
            begin(&mut hub);
            let before = hub.books();
            hub.world.refused(Role::Relayer, release(&packet), code);
            assert!(hub.books() == before && held(&hub, &packet).is_some(), "{name}: it stays held");
            if let (true, Some(end)) = (lifted, end) {
                end(&mut hub);
                assert_eq!(ended(&mut hub, Role::Relayer, release(&packet)).1, HoldEnd::Released, "{name}");
                continue;
            }
            time_out(&mut hub, &packet);
            let supply = hub.supply(COIN);
            let (answer, end) = ended(&mut hub, Role::Relayer, release(&packet));
            assert_eq!(
                (answer.unwrap().as_slice(), end),
                (error_acknowledgement().as_slice(), HoldEnd::Lapsed),
                "{name}"
            );
            assert_eq!(hub.supply(COIN), supply - 60, "{name}");
        }
    }
}

#[test]
fn a_rejection_is_possible_while_any_order_stands() {
    for Obstacle { name, on, begin, .. } in obstacles() {
        let mut hub = delayed();
        let (packet, _) = arrive(&mut hub, 60, on);
        begin(&mut hub);
        let supply = hub.supply(COIN);
        let (_, end) = ended(&mut hub, Role::Guardian, reject(&packet));
        assert_eq!((end, hub.supply(COIN)), (HoldEnd::Rejected, supply - 60), "{name}");
    }
}

#[test]
fn an_account_that_is_frozen_is_credited_all_the_same() {
    let mut hub = delayed();
    let (packet, _) = arrive(&mut hub, 60, false);
    hub.world.ok(Role::Freezer, halt(crate::app::transfer::account_name(&member()).as_str()));
    wait(&mut hub, &packet);
    assert_eq!(ended(&mut hub, Role::Relayer, release(&packet)).1, HoldEnd::Released);
    assert_eq!(hub.held(COIN), 60, "what arrives for it is kept for it");
}

#[test]
fn what_is_held_counts_against_the_limit_of_its_route_and_giving_it_back_gives_back_the_limit() {
    let mut hub = delayed();
    limited(&mut hub, ONE, 100);
    hub.world.pass(5_000);
    let level = |hub: &Hub| {
        let key = limit_key(&hub.peers[ONE].0, &denom(COIN));
        let limit: Limit = hub.world.load(Slot::Application(3, &key)).unwrap();
        limit.level_at(hub.world.now())
    };
    assert_eq!(level(&hub), Amount::new(100));
    let (packet, _) = arrive(&mut hub, 90, false);
    assert_eq!(level(&hub), Amount::new(190));
    let (_, more) = arrive(&mut hub, 90, false);
    assert_eq!(more.unwrap(), error_acknowledgement(), "held or not, it came");
    ended(&mut hub, Role::Guardian, reject(&packet));
    assert_eq!(level(&hub), Amount::new(100));
}

#[test]
fn what_comes_back_is_held_too_and_cannot_come_back_twice() {
    let mut hub = hub();
    hub.fund(100);
    let sent = hub.send(TWO, COIN, 80);
    hub.acknowledge(TWO, sent, taken());
    delayed_by(&mut hub, TWO);
    let name = format!("transfer/hub-at-two/{COIN}");
    let back = data(&name, 60, "bob", &member().to_string(), "");
    let timeout = hub.world.seconds() + 5_000;
    let packet = hub.arriving(TWO, timeout, payload(&back));
    hub.bring(TWO, packet.clone());
    assert_eq!((hub.escrow(TWO, COIN), hub.held(COIN), hub.supply(COIN)), (20, 20, 100));
    assert_eq!(hub.receive(TWO, &back).unwrap(), error_acknowledgement(), "it is on its way back already");
    ended(&mut hub, Role::Freezer, reject(&packet));
    assert_eq!((hub.escrow(TWO, COIN), hub.held(COIN)), (80, 20));
}

#[test]
fn only_governance_sets_a_delay_and_what_is_held_keeps_its_time() {
    let mut hub = delayed();
    let client = hub.peers[ONE].0.clone();
    let propose = |seconds| Propose { change: set(&client, seconds).into(), activation: Height::ZERO };
    hub.world.refused(Role::Operator, propose(1), Code::NotAllowed);
    hub.world.refused(Role::Governor, propose(86_400), Code::BadParameters);
    let (packet, _) = arrive(&mut hub, 60, false);
    let before = held(&hub, &packet).unwrap();
    hub.world.ok(Role::Governor, propose(0));
    hub.world.pass(1);
    hub.world.pass(1);
    assert_eq!(hub.world.load::<SetDelay>(Slot::Application(3, &delay_key(&client, &denom(COIN)))), None);
    assert_eq!(held(&hub, &packet), Some(before));
    hub.world.refused(Role::Relayer, release(&packet), Code::HeldUntil);
    let (_, answer) = arrive(&mut hub, 60, false);
    assert_eq!(answer.as_deref(), Some(TAKEN), "nothing more is held");
}

#[test]
fn a_packet_of_several_payloads_cannot_be_held_and_goes_back_whole() {
    let mut hub = delayed();
    let receiver = member().to_string();
    let (small, large) = (data("coin", 1, "alice", &receiver, ""), data("coin", 60, "alice", &receiver, ""));
    hub.received[ONE] += 1;
    let (client, peer, counterparty) = &mut hub.peers[ONE];
    let packet = Packet::new(
        Sequence::new(hub.received[ONE]),
        ClientId::new(counterparty).unwrap(),
        client.clone(),
        zeugma_types::UnixSeconds::new(hub.world.seconds() + 5_000),
        [payload(&small), payload(&large)].into(),
    )
    .unwrap();
    let path = zeugma_types::leaf_path::packet_path(
        &packet.source_client,
        zeugma_types::leaf_path::PacketPath::Commitment,
        packet.sequence,
    );
    peer.put(&[b"ibc/", path.as_slice()].concat(), packet.commitment().as_bytes());
    let (books, before) = (hub.books(), hub.world.events.len());
    hub.bring(ONE, packet);
    assert_eq!(hub.answer_since(before).unwrap(), error_acknowledgement());
    assert_eq!(hub.books(), books);
}

#[test]
fn a_route_holds_so_many_and_refuses_the_next() {
    let mut hub = delayed();
    let longer = Propose { change: set(&hub.peers[ONE].0.clone(), 80_000).into(), activation: Height::ZERO };
    hub.world.ok(Role::Governor, longer);
    hub.world.pass(1);
    hub.world.pass(1);
    let timeout = hub.world.seconds() + 84_000;
    for _ in 0..MAX_HELD {
        assert_eq!(arrive_until(&mut hub, 60, false, timeout).1, None);
    }
    let (packet, answer) = arrive_until(&mut hub, 60, false, timeout);
    assert_eq!(answer.unwrap(), error_acknowledgement());
    let first = RejectHold { sequence: Sequence::new(1), ..reject(&packet) };
    ended(&mut hub, Role::Guardian, first);
    assert_eq!(arrive_until(&mut hub, 60, false, timeout).1, None);
}
