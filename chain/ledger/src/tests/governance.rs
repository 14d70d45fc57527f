use crate::account::Account;
use crate::bounded::{List, Text};
use crate::gov::{Change, ChangeRoles, Counters, Parameters, Upgrade, Withdraw};
use crate::registry::{Entry, Kind, PARAMETERS_NAME};
use crate::testkit::{Fetching, Peer, World, key_of};
use crate::tx::{Approve, Propose, SetDigest};
use crate::{Event, Place, Progress, Role, Roles, Slot};
use alloc::vec::Vec;
use zeugma_proof::body::{InForce, Registered, Said, StandingList};
use zeugma_types::{Code, Decode, Epoch, HashSuite, Height, LeafPath, Span};

fn three_governors_two_needed() -> World {
    let mut world = World::with(Parameters {
        families: List::new([900].into()).unwrap(),
        governors_needed: 2,
        notice: 3,
        proposal_lifetime: 5,
        ..Parameters::default()
    });
    world.block(&[]);
    world
}

fn propose(change: impl Into<Change>) -> Propose {
    Propose { change: change.into(), activation: Height::ZERO }
}

fn wait(world: &mut World, blocks: u64) {
    (0..blocks).for_each(|_| drop(world.block(&[])));
}

#[test]
fn a_change_needs_two_governors_and_its_notice() {
    let mut world = three_governors_two_needed();
    let parameters = Parameters { allowance_per_second: 5, ..world.genesis.parameters.clone() };
    world.ok(Role::Governor, propose(parameters.clone()));
    world.refused(Role::Governor, Approve { proposal: 1 }, Code::AlreadyApproved);
    world.refused(Role::Guardian, Approve { proposal: 1 }, Code::NotAllowed);
    assert!(world.submit(100, [Approve { proposal: 1 }.into()].into()).is_done());
    let approved = world.height;
    world.refused(Role::Governor, Approve { proposal: 1 }, Code::UnknownProposal);
    wait(&mut world, 1);
    assert_ne!(world.load::<Parameters>(Slot::Parameters).unwrap(), parameters);
    wait(&mut world, 1);
    assert_eq!(world.load::<Parameters>(Slot::Parameters).unwrap(), parameters);
    assert_eq!(world.height, approved + 3, "in force from the height of the notice on");
    let name = Text::new(PARAMETERS_NAME).unwrap();
    let entry: Entry = world.load(Slot::Registry(Kind::Parameters.number(), &name)).unwrap();
    assert_eq!(entry.digest.0, Some(parameters.digest()));
}

#[test]
fn a_proposal_lapses_and_what_breaks_a_relation_is_refused_at_once() {
    let mut world = three_governors_two_needed();
    let bad = Parameters { notice: 0, ..world.genesis.parameters.clone() };
    world.refused(Role::Governor, propose(bad), Code::BadParameters);
    world.ok(Role::Governor, propose(Upgrade { program: 2 }));
    wait(&mut world, 5);
    let late = world.submit(100, [Approve { proposal: 1 }.into()].into());
    assert_eq!(late.refusal().unwrap().code, Code::ProposalLapsed);
}

#[test]
fn an_approval_counts_only_while_its_account_is_a_governor() {
    let mut world = three_governors_two_needed();
    let governor = World::account(Role::Governor);
    world.submit(
        100,
        [propose(ChangeRoles {
            account: governor,
            grant: Roles::NONE,
            revoke: Roles::of(&[Role::Governor]),
        })
        .into()]
        .into(),
    );
    world.ok(Role::Governor, propose(Upgrade { program: 7 }));
    assert!(world.submit(101, [Approve { proposal: 1 }.into()].into()).is_done());
    wait(&mut world, 3);
    assert!(!world.load::<Account>(Slot::Account(&governor)).unwrap().roles.has(Role::Governor));
    // Two approvals, one of them of an account that is no governor any more.
    assert!(world.submit(101, [Approve { proposal: 2 }.into()].into()).is_done());
    wait(&mut world, 5);
    assert_eq!(world.load::<Counters>(Slot::Counters).unwrap().program, 1);
}

#[test]
fn a_network_never_has_too_few_governors() {
    let mut world = World::new();
    world.block(&[]);
    let all = [
        World::account(Role::Governor),
        crate::account_of(crate::testkit::secret(100).public().as_bytes()),
        crate::account_of(crate::testkit::secret(101).public().as_bytes()),
    ];
    for account in all {
        let revoke = Roles::of(&[Role::Governor]);
        world.ok(Role::Governor, propose(ChangeRoles { account, grant: Roles::of(&[Role::Member]), revoke }));
        if account == all[0] {
            // Its own approval was given while it was one; the others go on.
            wait(&mut world, 3);
            let back = ChangeRoles { account, grant: revoke, revoke: Roles::NONE };
            assert!(world.submit(100, [propose(back).into()].into()).is_done());
            wait(&mut world, 3);
        }
    }
    wait(&mut world, 5);
    let one_more = ChangeRoles { account: all[0], grant: Roles::NONE, revoke: Roles::of(&[Role::Governor]) };
    world.ok(Role::Governor, propose(one_more));
    wait(&mut world, 3);
    assert!(world.events.iter().any(|event| matches!(
        event,
        Event::ChangeRefused(refused) if refused.refusal.code == Code::TooFewGovernors
    )));
    assert_eq!(world.load::<Counters>(Slot::Counters).unwrap().governors, 1);
}

#[test]
fn an_old_program_stops_at_the_height_of_an_upgrade_and_a_new_one_goes_on() {
    let mut world = World::new();
    world.block(&[]);
    world.ok(Role::Governor, Propose { change: Upgrade { program: 2 }.into(), activation: Height::new(9) });
    wait(&mut world, 6);
    assert_eq!(world.height, 8);
    let stopped = world.try_execute(&[], Place::Within, Fetching::Hinted).unwrap_err();
    assert_eq!(stopped, Progress::Upgrade { needed: 2 });
    world.program = 2;
    world.block(&[]);
    world.program = 1;
    let stopped = world.try_execute(&[], Place::Within, Fetching::Hinted).unwrap_err();
    assert_eq!(stopped, Progress::Upgrade { needed: 2 }, "the old program does not come back");
}

#[test]
fn a_scheduled_change_can_be_withdrawn() {
    let mut world = World::new();
    world.block(&[]);
    world.ok(Role::Governor, Propose { change: Upgrade { program: 2 }.into(), activation: Height::new(90) });
    world.refused(Role::Governor, propose(Withdraw { proposal: 7 }), Code::UnknownProposal);
    world.ok(Role::Governor, propose(Withdraw { proposal: 1 }));
    world.height = 100;
    world.block(&[]);
    assert_eq!(world.load::<Counters>(Slot::Counters).unwrap().program, 1);
}

#[test]
fn governance_makes_an_account_that_can_act_at_once() {
    let mut world = World::new();
    world.block(&[]);
    let account = crate::account_of(crate::testkit::secret(77).public().as_bytes());
    let set = SetDigest { kind: Kind::AllowList, name: Text::new("a").unwrap(), digest: [1; 32] };
    let early = world.submit(77, [set.clone().into()].into());
    assert_eq!(early.refusal().unwrap().code, Code::UnknownAccount);
    world.ok(
        Role::Governor,
        propose(ChangeRoles { account, grant: Roles::of(&[Role::Operator]), revoke: Roles::NONE }),
    );
    wait(&mut world, 2);
    assert!(world.submit(77, [set.into()].into()).is_done());
}

#[test]
fn an_epoch_ends_with_what_is_in_force() {
    let mut world = World::new();
    world.block(&[]);
    let peer = Peer::new("peer", Span::seconds(1_000), world.now());
    world.follow(&peer, "zeugma-9");
    for digest in [[1; 32], [2; 32]] {
        let set = SetDigest { kind: Kind::RulePack, name: Text::new("pack").unwrap(), digest };
        world.ok(Role::Operator, set);
    }
    let before = world.outbox.clone();
    world.block_at(&[], Place::Last);
    // The oracle: the last leaf of each revocable path, by walking the outbox.
    let paths = [
        LeafPath::client(&zeugma_types::ClientId::new("test-0").unwrap()),
        LeafPath::registry(Kind::Parameters.number(), PARAMETERS_NAME).unwrap(),
        LeafPath::registry(Kind::RulePack.number(), "pack").unwrap(),
    ];
    let entries: Vec<InForce> = paths
        .iter()
        .map(|path| {
            let kept = world.store.under(&[0x60]).find_map(|(_, bucket)| {
                let bucket = crate::standing::Bucket::from_bytes(bucket).unwrap();
                bucket.entries.into_vec().into_iter().find(|entry| entry.path == *path)
            });
            let index = before.iter().rposition(|(each, _)| each == path).unwrap();
            let kept = kept.unwrap();
            assert_eq!(kept.index.get(), index as u64, "{path:?}");
            kept
        })
        .collect();
    let standing = StandingList::new(entries).unwrap().standing(Epoch::ZERO, Height::new(world.height));
    assert_eq!(world.outbox.last().unwrap(), &(standing.path(), standing.value(HashSuite::Sha256)));
    assert_eq!(world.epoch, 1);
    let registered = Registered {
        kind: Kind::RulePack.number(),
        name: "pack".into(),
        digest: Some([2; 32]),
        from: Height::new(world.height - 1),
    };
    assert!(world.outbox.iter().any(|(_, value)| *value == registered.value(HashSuite::Sha256)));
}

#[test]
fn genesis_names_the_network_by_its_digest_and_is_checked() {
    use zeugma_types::Encode;
    let world = World::new();
    let genesis = &world.genesis;
    let read = crate::Genesis::read(&genesis.to_bytes()).unwrap();
    assert_eq!((&read, read.network()), (genesis, genesis.network()));
    let mut other = genesis.clone();
    other.name = Text::new("another").unwrap();
    assert_ne!(other.network(), genesis.network());
    let refused = |change: &dyn Fn(&mut crate::Genesis)| {
        let mut bad = genesis.clone();
        change(&mut bad);
        crate::Genesis::read(&bad.to_bytes()).unwrap_err().code
    };
    assert_eq!(refused(&|bad| bad.validators = List::default()), Code::BadGenesis);
    assert_eq!(refused(&|bad| bad.version = 2), Code::UnknownTag);
    assert_eq!(refused(&|bad| bad.epoch_length = 1), Code::BadGenesis);
    assert_eq!(refused(&|bad| bad.epoch_length = u64::MAX), Code::BadGenesis);
    assert_eq!(refused(&|bad| bad.accounts = List::default()), Code::TooFewGovernors);
    assert_eq!(refused(&|bad| bad.parameters.notice = 0), Code::BadParameters);
    let twice = |bad: &mut crate::Genesis| {
        let one = bad.validators.as_slice()[0].clone();
        bad.validators = List::new([one.clone(), one].into()).unwrap();
    };
    assert_eq!(refused(&twice), Code::NotSorted);
    assert_eq!(key_of(Role::Governor), 1);
}
