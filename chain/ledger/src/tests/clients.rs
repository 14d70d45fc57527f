use crate::bounded::Bytes;
use crate::testkit::{Peer, World, update};
use crate::tx::{
    CancelRecovery, CreateClient, FinishRecovery, ProposeRecovery, RegisterCounterparty, SubmitMisbehaviour,
};
use crate::{Event, Role, Slot};
use zeugma_adapter_core::MerklePath;
use zeugma_proof::body::{ClientEvent, ClientStatus, Said};
use zeugma_types::{ClientId, Code, Encode, HashSuite, Height, Span};

const PERIOD: u64 = 1_000_000;

fn world() -> (World, Peer, ClientId) {
    let mut world = World::new();
    world.block(&[]);
    let peer = Peer::new("peer", Span::seconds(PERIOD), world.now());
    let client = world.follow(&peer, "zeugma-9");
    (world, peer, client)
}

fn freeze(world: &mut World, peer: &mut Peer, client: &ClientId) {
    let trusted = peer.height();
    peer.seal(world.now());
    let evidence = Bytes::new(peer.equivocate(trusted)).unwrap();
    world.ok(Role::Freezer, SubmitMisbehaviour { client: client.clone(), evidence });
}

#[test]
fn a_client_is_created_by_an_allowed_family_only_and_named_by_a_number() {
    let (mut world, peer, client) = world();
    assert_eq!(client.as_str(), "test-0");
    let create = CreateClient {
        family: 900,
        profile: Bytes::new(peer.profile().to_bytes()).unwrap(),
        state: Bytes::new(peer.state().to_bytes()).unwrap(),
    };
    world.refused(Role::Relayer, create.clone(), Code::NotAllowed);
    world.refused(Role::Operator, CreateClient { family: 901, ..create.clone() }, Code::FamilyNotAllowed);
    let mut narrow = World::with(crate::gov::Parameters::default());
    narrow.block(&[]);
    narrow.refused(Role::Operator, create.clone(), Code::FamilyNotAllowed);
    world.ok(Role::Operator, create);
    assert!(world.store.get(&Slot::Client(&ClientId::new("test-1").unwrap()).key()).is_some());
}

#[test]
fn a_counterparty_is_named_once_by_the_creator() {
    let (mut world, _, client) = world();
    let prefix = MerklePath::new([b"ibc/".to_vec()].into()).unwrap();
    let counterparty = ClientId::new("zeugma-9").unwrap();
    let same = RegisterCounterparty { client, counterparty, prefix };
    assert!(world.run(Role::Operator, same.clone()).is_done());
    let other = RegisterCounterparty { counterparty: ClientId::new("zeugma-8").unwrap(), ..same };
    world.refused(Role::Operator, other, Code::CounterpartySet);
    let peer = Peer::new("peer", Span::seconds(PERIOD), world.now());
    let create = CreateClient {
        family: 900,
        profile: Bytes::new(peer.profile().to_bytes()).unwrap(),
        state: Bytes::new(peer.state().to_bytes()).unwrap(),
    };
    world.ok(Role::Governor, create);
    let stranger = RegisterCounterparty {
        client: ClientId::new("test-1").unwrap(),
        counterparty: ClientId::new("zeugma-8").unwrap(),
        prefix: MerklePath::new([b"ibc/".to_vec()].into()).unwrap(),
    };
    world.refused(Role::Operator, stranger, Code::NotCreator);
}

#[test]
fn an_update_moves_the_client_and_the_same_again_changes_nothing() {
    let (mut world, mut peer, client) = world();
    let height = world.update(&client, &mut peer);
    assert!(world.store.get(&Slot::ClientState(&client, height).key()).is_some());
    let before = world.outbox.len();
    assert!(world.run(Role::Relayer, update(&client, &peer)).is_done());
    assert_eq!(world.outbox.len(), before);
    let forged = peer.sign(Some(Height::new(77)), peer.state());
    let bytes = Bytes::new(forged.to_bytes()).unwrap();
    world.refused(Role::Relayer, crate::tx::UpdateClient { client, update: bytes }, Code::NoStateAt);
}

#[test]
fn an_older_state_proved_again_is_compared_with_the_one_that_is_held() {
    let (mut world, mut peer, client) = world();
    let older = world.update(&client, &mut peer);
    world.update(&client, &mut peer);
    // A node that fetches nothing it was not asked for must not be told that the states differ.
    world.fetching = crate::testkit::Fetching::OneByOne;
    let again = peer.sign(None, peer.state_at(older));
    let again = Bytes::new(again.to_bytes()).unwrap();
    world.ok(Role::Relayer, crate::tx::UpdateClient { client, update: again });
    assert!(!world.events.iter().any(|event| matches!(event, Event::ClientFrozen(_))));
}

#[test]
fn a_client_keeps_a_bounded_number_of_states() {
    let (mut world, mut peer, client) = world();
    for _ in 0..140 {
        world.update(&client, &mut peer);
    }
    assert_eq!(world.store.under(&[0x11]).count(), zeugma_adapter_core::MAX_STORED);
}

#[test]
fn two_histories_freeze_a_client_and_the_freeze_is_said_once() {
    let (mut world, mut peer, client) = world();
    freeze(&mut world, &mut peer, &client);
    let said = ClientEvent {
        client: client.clone(),
        status: ClientStatus::Frozen,
        height: peer.height(),
        at: world.now(),
    };
    assert_eq!(world.outbox.last().unwrap(), &(said.path(), said.value(HashSuite::Sha256)));
    peer.seal(world.now());
    world.refused(Role::Relayer, update(&client, &peer), Code::ClientFrozen);
    let evidence = Bytes::new(peer.equivocate(Height::new(1))).unwrap();
    let leaves = world.outbox.len();
    assert!(world.run(Role::Relayer, SubmitMisbehaviour { client, evidence }).is_done());
    assert_eq!(world.outbox.len(), leaves);
}

#[test]
fn an_update_that_contradicts_a_trusted_state_freezes_the_client() {
    let (mut world, mut peer, client) = world();
    let height = world.update(&client, &mut peer);
    let mut forged = peer.state();
    forged.root = [1; 32];
    let forged = peer.sign(Some(height), forged);
    let message = crate::tx::UpdateClient { client, update: Bytes::new(forged.to_bytes()).unwrap() };
    world.ok(Role::Relayer, message);
    assert!(matches!(world.events.last(), Some(Event::ClientFrozen(_))));
}

#[test]
fn a_substitute_recovers_a_frozen_client_after_the_delay() {
    let (mut world, mut peer, client) = world();
    world.update(&client, &mut peer);
    freeze(&mut world, &mut peer, &client);
    world.pass(10);
    peer.seal(world.now());
    let substitute = world.follow(&peer, "zeugma-7");
    let propose = ProposeRecovery { subject: client.clone(), substitute: substitute.clone() };
    world.refused(Role::Relayer, propose.clone(), Code::NotAllowed);
    world.ok(Role::Guardian, propose);
    let finish = FinishRecovery { subject: client.clone() };
    world.refused(Role::Guardian, finish.clone(), Code::TooEarly);
    world.pass(1_000);
    let newest = world.update(&substitute, &mut peer);
    world.ok(Role::Relayer, finish.clone());
    // The identifier, the counterparty and nothing else of the old client stays.
    let states = world
        .store
        .under(&[0x11])
        .filter(|(key, _)| key.as_bytes()[2..].starts_with(client.as_str().as_bytes()));
    assert_eq!(states.count(), 1);
    assert!(world.store.get(&Slot::ClientState(&client, newest).key()).is_some());
    world.update(&client, &mut peer);
    world.refused(Role::Guardian, finish, Code::NoRecovery);
}

#[test]
fn a_governor_cancels_a_recovery() {
    let (mut world, mut peer, client) = world();
    freeze(&mut world, &mut peer, &client);
    peer.seal(world.now());
    let substitute = world.follow(&peer, "zeugma-7");
    world.ok(Role::Guardian, ProposeRecovery { subject: client.clone(), substitute });
    world.ok(Role::Governor, CancelRecovery { subject: client.clone() });
    world.pass(2_000);
    world.refused(Role::Guardian, FinishRecovery { subject: client }, Code::NoRecovery);
}

#[test]
fn a_substitute_that_does_not_continue_the_client_is_refused() {
    let (mut world, mut peer, client) = world();
    world.update(&client, &mut peer);
    let live = world.follow(&peer, "zeugma-7");
    let propose = |subject: &ClientId, substitute: &ClientId| ProposeRecovery {
        subject: subject.clone(),
        substitute: substitute.clone(),
    };
    world.refused(Role::Guardian, propose(&client, &live), Code::StillActive);
    freeze(&mut world, &mut peer, &client);
    world.refused(Role::Guardian, propose(&client, &client), Code::ClientFrozen);

    let stranger = Peer::new("stranger", Span::seconds(PERIOD), world.now());
    let other = world.follow(&stranger, "zeugma-6");
    world.refused(Role::Guardian, propose(&client, &other), Code::NotContinuous);

    let young = Peer::new("peer", Span::seconds(PERIOD), world.now());
    let behind = world.follow(&young, "zeugma-5");
    world.refused(Role::Guardian, propose(&client, &behind), Code::NotContinuous);

    // The same chain's name and keys, another history at a height that both hold.
    let mut fork = Peer::new("peer", Span::seconds(PERIOD), world.now());
    fork.put(b"x", b"y");
    fork.seal(world.now());
    let forked = world.follow(&fork, "zeugma-4");
    world.refused(Role::Guardian, propose(&client, &forked), Code::NotContinuous);
    world.ok(Role::Guardian, propose(&client, &live));
}

#[test]
fn an_expired_client_verifies_nothing_until_it_recovers() {
    let mut world = World::new();
    world.block(&[]);
    let mut peer = Peer::new("peer", Span::seconds(2_000), world.now());
    let client = world.follow(&peer, "zeugma-9");
    world.pass(2_000);
    peer.seal(world.now());
    world.refused(Role::Relayer, update(&client, &peer), Code::ClientExpired);
    let substitute = world.follow(&peer, "zeugma-7");
    world.ok(Role::Guardian, ProposeRecovery { subject: client.clone(), substitute: substitute.clone() });
    world.pass(1_000);
    world.update(&substitute, &mut peer);
    world.ok(Role::Guardian, FinishRecovery { subject: client.clone() });
    world.update(&client, &mut peer);
}
