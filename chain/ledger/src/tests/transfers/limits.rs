use super::{COIN, Hub, ONE, TWO, data, denom, hub, member, order};
use crate::app::transfer::{Amount, Limit, SetLimit, TAKEN, limit_key};
use crate::ibc::{Acknowledgements, error_acknowledgement};
use crate::tx::Propose;
use crate::{Role, Slot};
use alloc::format;
use alloc::string::ToString as _;
use zeugma_types::{Code, Height, Span};

/// A limit of 50 a thousand seconds on what of the coin crosses by the second chain's client.
fn limited(hub: &mut Hub) {
    let client = hub.peers[TWO].0.clone();
    let set =
        SetLimit { client, denom: denom(COIN), capacity: Amount::new(50), refill: Span::seconds(1_000) };
    hub.world.ok(Role::Governor, Propose { change: set.into(), activation: Height::ZERO });
    hub.world.pass(1);
    hub.world.pass(1);
}

#[test]
fn a_limit_stops_what_is_too_much_at_once_and_lets_it_go_later() {
    let mut hub = hub();
    hub.fund(200);
    limited(&mut hub);
    let own = member().to_string();
    hub.send(TWO, COIN, 50);
    let more = hub.sending(TWO, COIN, 30, &own);
    hub.world.refused(Role::Member, more, Code::LimitReached);
    hub.send(ONE, COIN, 30);
    // What arrives to be sent on meets the same limit, and goes back to where it came from.
    let order = order(&hub.peers[TWO].0.clone(), "bob");
    let before = hub.books();
    assert_eq!(hub.receive(ONE, &data("coin", 30, "alice", "hub", &order)).unwrap(), error_acknowledgement());
    assert_eq!(hub.books(), before);
    hub.world.pass(700);
    hub.send(TWO, COIN, 30);
    // And the other way: what comes back is bounded, too.
    hub.world.pass(5_000);
    let name = format!("transfer/hub-at-two/{COIN}");
    assert_eq!(hub.receive(TWO, &data(&name, 51, "bob", &own, "")).unwrap(), error_acknowledgement());
    assert_eq!(hub.receive(TWO, &data(&name, 50, "bob", &own, "")).as_deref(), Some(TAKEN));
}

/// Catalogue of negative cases, 23: balance and limiter return to the start.
#[test]
fn an_error_and_a_timeout_give_back_the_limit_too() {
    for timed_out in [false, true] {
        for sent_on in [false, true] {
            let mut hub = hub();
            hub.fund(200);
            limited(&mut hub);
            hub.world.pass(1);
            let client = hub.peers[TWO].0.clone();
            let level = |hub: &Hub| {
                let limit: Limit =
                    hub.world.load(Slot::Application(3, &limit_key(&client, &denom(COIN)))).unwrap();
                limit.level_at(hub.world.now())
            };
            let packet = if sent_on {
                let order = order(&client, "bob");
                assert_eq!(hub.receive(ONE, &data("coin", 50, "alice", "hub", &order)), None);
                hub.sent()
            } else {
                hub.send(TWO, COIN, 50)
            };
            assert_eq!(level(&hub), Amount::ZERO);
            if timed_out {
                hub.time_out(TWO, packet);
            } else {
                hub.acknowledge(TWO, packet, Acknowledgements::error());
            }
            assert_eq!((level(&hub), hub.held(COIN)), (Amount::new(50), 200));
        }
    }
}

#[test]
fn only_governance_sets_a_limit_and_takes_it_away() {
    let mut hub = hub();
    hub.fund(200);
    let client = hub.peers[TWO].0.clone();
    let mut set =
        SetLimit { client, denom: denom(COIN), capacity: Amount::new(50), refill: Span::seconds(1_000) };
    let propose = |set: &SetLimit| Propose { change: set.clone().into(), activation: Height::ZERO };
    hub.world.refused(Role::Operator, propose(&set), Code::NotAllowed);
    let endless = SetLimit { refill: Span::ZERO, ..set.clone() };
    hub.world.refused(Role::Governor, propose(&endless), Code::BadParameters);
    limited(&mut hub);
    set.capacity = Amount::ZERO;
    hub.world.ok(Role::Governor, propose(&set));
    hub.world.pass(1);
    hub.world.pass(1);
    hub.send(TWO, COIN, 200);
}
