use crate::bounded::{Bytes, List, Maybe, Text};
use crate::evidence::{Conflict, Contradiction, History, Origin};
use crate::registry::Kind;
use crate::testkit::{LogSigner, TestLog, World};
use crate::tx::{AnchorLog, RegisterOrigin, ReportSplitView, RevokeDigest, SecondTree, SetDigest};
use crate::{Event, Role, Slot};
use alloc::vec::Vec;
use zeugma_proof::body::{Anchor, Said, origin_digest};
use zeugma_types::{Code, HashSuite, LeafIndex, LeafPath};

const ORIGIN: &str = "log.example/court";

fn origin() -> Text<128> {
    Text::new(ORIGIN).unwrap()
}

fn world() -> (World, TestLog) {
    let mut world = World::new();
    world.block(&[]);
    let log = TestLog::new(ORIGIN, 60, HashSuite::Sha256);
    let register = RegisterOrigin { origin: origin(), key: log.signer.key(), second: Maybe(None) };
    world.ok(Role::Operator, register);
    (world, log)
}

fn grow(log: &mut TestLog, to: u64) {
    while log.size() < to {
        log.append(&log.size().to_be_bytes());
    }
}

fn anchor(log: &TestLog, old: u64, new: u64) -> AnchorLog {
    AnchorLog {
        origin: origin(),
        note: Bytes::new(log.note(new)).unwrap(),
        consistency: List::new(log.consistency(old, new)).unwrap(),
        second: Maybe(None),
    }
}

#[test]
fn a_log_is_anchored_by_consistent_checkpoints_only() {
    let (mut world, mut log) = world();
    grow(&mut log, 20);
    world.ok(Role::Anchorer, anchor(&log, 0, 5));
    let record: Origin = world.load(Slot::Origin(&origin_digest(ORIGIN))).unwrap();
    let said = Anchor { origin: ORIGIN.into(), log: record.log.0.unwrap() };
    assert_eq!(world.outbox.last().unwrap(), &(said.path(), said.value(HashSuite::Sha256)));

    world.refused(Role::Anchorer, anchor(&log, 4, 9), Code::PathLength);
    world.refused(Role::Anchorer, anchor(&log, 0, 9), Code::PathLength);
    let mut bent = anchor(&log, 5, 9);
    let mut hashes = bent.consistency.clone().into_vec();
    hashes[0][0] ^= 1;
    bent.consistency = List::new(hashes).unwrap();
    world.refused(Role::Anchorer, bent, Code::NotConsistent);
    world.refused(Role::Operator, anchor(&log, 5, 9), Code::NotAllowed);
    world.ok(Role::Anchorer, anchor(&log, 5, 9));
    world.refused(Role::Anchorer, anchor(&log, 5, 7), Code::CheckpointOlder);
    let leaves = world.outbox.len();
    assert!(world.run(Role::Anchorer, anchor(&log, 5, 9)).is_done());
    assert_eq!(world.outbox.len(), leaves, "the same checkpoint again says nothing");
    world.ok(Role::Anchorer, anchor(&log, 9, 20));
}

#[test]
fn a_checkpoint_that_its_log_did_not_sign_is_refused() {
    let (mut world, mut log) = world();
    grow(&mut log, 5);
    let stranger = LogSigner::new(ORIGIN, 61);
    let forged = AnchorLog { note: Bytes::new(stranger.note(5, &[1; 32])).unwrap(), ..anchor(&log, 0, 5) };
    world.refused(Role::Anchorer, forged, Code::UnknownSigner);
    let elsewhere = LogSigner::new("log.example/other", 60);
    let stray = AnchorLog { note: Bytes::new(elsewhere.note(5, &[1; 32])).unwrap(), ..anchor(&log, 0, 5) };
    world.refused(Role::Anchorer, stray, Code::WrongOrigin);
    let unknown = AnchorLog { origin: Text::new("log.example/other").unwrap(), ..anchor(&log, 0, 5) };
    world.refused(Role::Anchorer, unknown, Code::UnknownOrigin);
}

#[test]
fn a_log_with_two_trees_anchors_both_or_none() {
    let mut world = World::new();
    world.block(&[]);
    let mut one = TestLog::new(ORIGIN, 60, HashSuite::Sha256);
    let mut two = TestLog::new("log.example/court/sm3", 61, HashSuite::Sm3);
    let register =
        RegisterOrigin { origin: origin(), key: one.signer.key(), second: Maybe(Some(two.signer.key())) };
    world.ok(Role::Operator, register.clone());
    assert!(world.run(Role::Operator, register.clone()).is_done());
    let other = RegisterOrigin { second: Maybe(None), ..register };
    world.refused(Role::Operator, other, Code::OriginKnown);
    grow(&mut one, 9);
    grow(&mut two, 9);
    let both = |old: u64, new: u64, second: u64| AnchorLog {
        second: Maybe(Some(SecondTree {
            note: Bytes::new(two.note(second)).unwrap(),
            consistency: List::new(two.consistency(old, second)).unwrap(),
        })),
        ..anchor(&one, old, new)
    };
    world.refused(Role::Anchorer, anchor(&one, 0, 4), Code::SecondTreeNeeded);
    world.refused(Role::Anchorer, both(0, 4, 5), Code::SecondTreeNeeded);
    world.ok(Role::Anchorer, both(0, 4, 4));
    world.ok(Role::Anchorer, both(4, 9, 9));
    let record: Origin = world.load(Slot::Origin(&origin_digest(ORIGIN))).unwrap();
    assert_eq!(record.log.0.unwrap().roots().len(), 2);
}

/// The same log with another leaf at `place`.
fn forked(size: u64, place: u64) -> TestLog {
    let mut fork = TestLog::new(ORIGIN, 60, HashSuite::Sha256);
    while fork.size() < size {
        let at = fork.size();
        fork.append(&if at == place { u64::MAX } else { at }.to_be_bytes());
    }
    fork
}

#[test]
fn another_root_for_the_size_anchored_is_recorded_and_marks_what_follows() {
    let (mut world, mut log) = world();
    grow(&mut log, 9);
    world.ok(Role::Anchorer, anchor(&log, 0, 5));
    let fork = forked(5, 2);
    world.ok(Role::Anchorer, anchor(&fork, 0, 5));
    assert_eq!(world.outbox.last().unwrap().0, LeafPath::split_view(&origin_digest(ORIGIN)));
    let leaves = world.outbox.len();
    assert!(world.run(Role::Anchorer, anchor(&fork, 0, 5)).is_done(), "recorded once");
    assert_eq!(world.outbox.len(), leaves);
    world.ok(Role::Anchorer, anchor(&log, 5, 9));
    let Some(Event::Anchored(marked)) = world.events.last() else { panic!() };
    assert_eq!(marked.history, History::Split);
}

#[test]
fn two_signed_checkpoints_of_two_sizes_are_a_split_view_by_one_leaf() {
    let (mut world, mut log) = world();
    grow(&mut log, 9);
    let fork = forked(6, 2);
    let conflict = |index: u64| Conflict {
        index: LeafIndex::new(index),
        one_leaf: log.leaf(index),
        one_path: List::new(log.inclusion(index, 9)).unwrap(),
        other_leaf: fork.leaf(index),
        other_path: List::new(fork.inclusion(index, 6)).unwrap(),
    };
    let report = |conflict| ReportSplitView {
        origin: origin(),
        contradiction: Contradiction {
            suite: HashSuite::Sha256,
            one: Bytes::new(log.note(9)).unwrap(),
            other: Bytes::new(fork.note(6)).unwrap(),
            conflict: Maybe(conflict),
        },
    };
    world.refused(Role::Freezer, report(None), Code::NoContradiction);
    world.refused(Role::Freezer, report(Some(conflict(3))), Code::NoContradiction);
    let mut lie = conflict(3);
    lie.other_leaf[0] ^= 1;
    world.refused(Role::Freezer, report(Some(lie)), Code::NotIncluded);
    let mut second = report(Some(conflict(2)));
    second.contradiction.suite = HashSuite::Sm3;
    world.refused(Role::Freezer, second, Code::NoSuchRoot);
    world.ok(Role::Freezer, report(Some(conflict(2))));
    assert!(world.run(Role::Member, report(Some(conflict(2)))).is_done());
}

#[test]
fn a_growing_log_is_never_a_split_view() {
    let (mut world, mut log) = world();
    grow(&mut log, 9);
    let honest = ReportSplitView {
        origin: origin(),
        contradiction: Contradiction {
            suite: HashSuite::Sha256,
            one: Bytes::new(log.note(9)).unwrap(),
            other: Bytes::new(log.note(6)).unwrap(),
            conflict: Maybe(None),
        },
    };
    world.refused(Role::Freezer, honest, Code::NoContradiction);
}

#[test]
fn a_digest_is_put_in_force_said_and_taken_back() {
    let mut world = World::new();
    world.block(&[]);
    let name = Text::new("import-rules").unwrap();
    let set = |digest| SetDigest { kind: Kind::RulePack, name: name.clone(), digest };
    let revoke = RevokeDigest { kind: Kind::RulePack, name: name.clone() };
    world.refused(Role::Guardian, revoke.clone(), Code::NotInForce);
    world.ok(Role::Operator, set([1; 32]));
    world.refused(Role::Member, set([2; 32]), Code::NotAllowed);
    world.ok(Role::Operator, set([2; 32]));
    world.ok(Role::Guardian, revoke.clone());
    let leaves = world.outbox.len();
    assert!(world.run(Role::Guardian, revoke).is_done());
    assert_eq!(world.outbox.len(), leaves);
    let path = LeafPath::registry(Kind::RulePack.number(), "import-rules").unwrap();
    let said: Vec<_> = world.outbox.iter().filter(|(each, _)| *each == path).collect();
    assert_eq!(said.len(), 3);
}
