use super::{COIN, Hub, ONE, TWO, data, denom, hub, member, order, taken};
use crate::Role;
use crate::app::transfer::{LISTED, TAKEN, account_name, asset_name};
use crate::bounded::Text;
use crate::ibc::{Acknowledgements, error_acknowledgement};
use crate::limits::MAX_NAME;
use crate::registry::Kind;
use crate::tx::{RevokeDigest, SetDigest};
use alloc::format;
use alloc::string::ToString as _;
use zeugma_types::Code;

fn halt(name: Text<MAX_NAME>) -> SetDigest {
    SetDigest { kind: Kind::Halt, name, digest: [7; 32] }
}

fn list(name: Text<MAX_NAME>) -> SetDigest {
    SetDigest { kind: Kind::AllowList, name, digest: [8; 32] }
}

fn arrives(hub: &mut Hub, from: usize, name: &str) -> bool {
    let answer = hub.receive(from, &data(name, 1, "alice", &member().to_string(), "")).unwrap();
    assert!(answer == TAKEN || answer == error_acknowledgement());
    answer == TAKEN
}

#[test]
fn a_frozen_asset_neither_enters_nor_leaves_until_governors_resume_it() {
    let mut hub = hub();
    hub.fund(100);
    let first = hub.send(TWO, COIN, 10);
    hub.acknowledge(TWO, first, taken());
    let under_way = hub.send(TWO, COIN, 10);
    hub.world.ok(Role::Freezer, halt(asset_name(&denom(COIN))));

    let own = member().to_string();
    for to in [ONE, TWO] {
        let message = hub.sending(to, COIN, 1, &own);
        hub.world.refused(Role::Member, message, Code::AssetFrozen);
    }
    assert!(!arrives(&mut hub, ONE, "coin"));
    assert!(!arrives(&mut hub, TWO, &format!("transfer/hub-at-two/{COIN}")));
    let sent_on = data("coin", 1, "alice", "hub", &order(&hub.peers[TWO].0.clone(), "bob"));
    assert_eq!(hub.receive(ONE, &sent_on).unwrap(), error_acknowledgement());
    assert!(arrives(&mut hub, ONE, "other"), "another asset goes its way");

    // What is undone comes back whatever is in force.
    hub.acknowledge(TWO, under_way, Acknowledgements::error());
    assert_eq!((hub.held(COIN), hub.escrow(TWO, COIN)), (90, 10));

    let resume = RevokeDigest { kind: Kind::Halt, name: asset_name(&denom(COIN)) };
    hub.world.refused(Role::Freezer, resume.clone(), Code::NotAllowed);
    hub.world.ok(Role::Governor, resume);
    assert!(arrives(&mut hub, ONE, "coin"));
    hub.send(TWO, COIN, 1);
}

#[test]
fn a_frozen_account_sends_nothing_and_keeps_what_arrives() {
    let mut hub = hub();
    hub.fund(100);
    let under_way = hub.send(TWO, COIN, 10);
    hub.world.ok(Role::Freezer, halt(account_name(&member())));
    let message = hub.sending(TWO, COIN, 1, &member().to_string());
    hub.world.refused(Role::Member, message, Code::AccountFrozen);
    assert!(arrives(&mut hub, ONE, "coin"));
    hub.time_out(TWO, under_way);
    assert_eq!(hub.held(COIN), 101);
    // Others send, and send on.
    let sent_on = data("coin", 1, "alice", "hub", &order(&hub.peers[TWO].0.clone(), "bob"));
    assert_eq!(hub.receive(ONE, &sent_on), None);
}

#[test]
fn a_list_closes_the_network_to_other_assets_and_locks_none_in() {
    let mut hub = hub();
    hub.fund(100);
    let first = hub.send(TWO, COIN, 10);
    hub.acknowledge(TWO, first, taken());
    hub.world.ok(Role::Operator, list(Text::new(LISTED).unwrap()));
    assert!(!arrives(&mut hub, ONE, "coin"));
    assert!(arrives(&mut hub, TWO, &format!("transfer/hub-at-two/{COIN}")), "what went out comes back");
    hub.send(ONE, COIN, 5);

    hub.world.ok(Role::Operator, list(asset_name(&denom(COIN))));
    assert!(arrives(&mut hub, ONE, "coin"));
    assert!(!arrives(&mut hub, ONE, "other") && !arrives(&mut hub, TWO, "coin"), "each by its own name");
    hub.world.ok(Role::Guardian, RevokeDigest { kind: Kind::AllowList, name: asset_name(&denom(COIN)) });
    assert!(!arrives(&mut hub, ONE, "coin"));
    hub.send(ONE, COIN, 5);
    hub.world.ok(Role::Operator, RevokeDigest { kind: Kind::AllowList, name: Text::new(LISTED).unwrap() });
    assert!(arrives(&mut hub, TWO, "coin"));
}
