use crate::bounded::{Bytes, List};
use crate::gov::{OpenSubmission, Parameters};
use crate::testkit::{World, key_of, secret};
use crate::tx::{Message, Opaque, OpenPayload, SignedBody, Until};
use crate::{Admission, Checked, Edge, Outcome, Place, Role, Transaction};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Cost, Encode, Height, NetworkId};

fn opaque(length: usize) -> Message {
    Message::Opaque(Opaque { payload: Bytes::new(Vec::from_iter((0..length).map(|_| 7))).unwrap() })
}

fn code(outcome: &Outcome) -> Code {
    assert!(matches!(outcome, Outcome::NotAdmitted { .. }), "{outcome:?}");
    outcome.refusal().unwrap().code
}

#[test]
fn a_transaction_is_admitted_once() {
    let mut world = World::new();
    let one = world.sign_as(key_of(Role::Member), 7, [opaque(3)].into());
    let outcomes = world.block(&[one.clone(), one.clone()]);
    assert!(outcomes[0].is_done());
    assert_eq!(code(&outcomes[1]), Code::SequenceUsed);
    assert_eq!(code(&world.block(&[one])[0]), Code::SequenceUsed);
}

#[test]
fn what_is_not_admitted_leaves_nothing_at_all() {
    let mut world = World::new();
    let member = key_of(Role::Member);
    let body = |change: &dyn Fn(&mut SignedBody)| {
        let mut body = SignedBody {
            network: world.genesis.network(),
            key: *secret(member).public().as_bytes(),
            sequence: 1,
            until: Until::NEVER,
            cost_limit: Cost::MAX,
            messages: List::new([opaque(3)].into()).unwrap(),
        };
        change(&mut body);
        Transaction::sign(body, &secret(member))
    };
    let next = world.context();
    let cases: Vec<(Transaction, Code)> = Vec::from([
        (body(&|body| body.network = NetworkId::new([9; 32])), Code::TransactionElsewhere),
        (body(&|body| body.until.height = Height::ZERO), Code::TransactionLapsed),
        (body(&|body| body.until.time = BlockTime::new(next.time.get() - 1)), Code::TransactionLapsed),
        (body(&|body| body.cost_limit = Cost::new(80)), Code::CostAboveLimit),
        (body(&|body| body.sequence = 0), Code::SequenceUsed),
        (body(&|body| body.sequence = 100_000), Code::SequenceAhead),
        (world.sign_as(99, 1, [opaque(3)].into()), Code::UnknownAccount),
        (world.sign_as(key_of(Role::Freezer), 1, [opaque(3)].into()), Code::NotAllowed),
    ]);
    let before = world.store.clone();
    for (transaction, expected) in cases {
        let mut tried = world.clone();
        assert_eq!(code(&tried.block(&[transaction])[0]), expected);
        // The first block says the parameters, whatever is in it.
        let mut empty = world.clone();
        empty.block(&[]);
        assert_eq!(tried.store, empty.store, "{expected:?}");
    }
    assert_eq!(world.store, before);
    let good = body(&|body| body.until = Until { height: next.height, time: next.time });
    assert!(world.block(&[good])[0].is_done());
}

#[test]
fn an_account_spends_its_allowance_and_waits_for_more() {
    let parameters = Parameters {
        transaction_cost: Cost::new(1_000),
        allowance_capacity: 1_000,
        allowance_per_second: 100,
        ..Parameters::default()
    };
    let mut world = World::with(parameters);
    let member = key_of(Role::Member);
    let dear = world.sign(member, [opaque(60_000)].into());
    let again = world.sign(member, [opaque(60_000)].into());
    let outcomes = world.block(&[dear, again.clone()]);
    assert!(outcomes[0].is_done());
    assert_eq!(code(&outcomes[1]), Code::AllowanceSpent);
    assert_eq!(code(&world.block(core::slice::from_ref(&again))[0]), Code::AllowanceSpent);
    world.pass(10);
    assert!(world.block(&[again])[0].is_done());
}

#[test]
fn a_block_takes_no_more_work_than_its_parameters_say() {
    let parameters = Parameters {
        block_cost: Cost::new(1_000),
        transaction_cost: Cost::new(600),
        ..Parameters::default()
    };
    let mut world = World::with(parameters);
    let transactions: Vec<_> =
        (0..3).map(|_| world.sign(key_of(Role::Member), [opaque(60_000)].into())).collect();
    let executed = world.execute(&transactions, Place::Within, crate::testkit::Fetching::Hinted);
    assert_eq!(executed.outcomes.iter().filter(|outcome| outcome.is_done()).count(), 1);
    assert_eq!(code(&executed.outcomes[1]), Code::BlockFull);
    assert!(executed.cost <= Cost::new(1_000));
}

#[test]
fn payloads_without_a_sender_are_taken_only_where_the_parameters_say_so() {
    let closed = World::new();
    let accepted = Parameters { open_submission: OpenSubmission::Accepted, ..Parameters::default() };
    for (mut world, open) in [(closed, false), (World::with(accepted), true)] {
        let payload = OpenPayload {
            network: world.genesis.network(),
            until: Until::NEVER,
            payload: Bytes::new([1, 2, 3]).unwrap(),
        };
        let outcome = world.block(&[Transaction::Open(payload)]).remove(0);
        match open {
            true => assert!(outcome.is_done()),
            false => assert_eq!(code(&outcome), Code::SubmissionClosed),
        }
    }
}

#[test]
fn a_mempool_hears_before_a_block_what_the_block_would_say() {
    let mut world = World::new();
    let good = world.sign(key_of(Role::Member), [opaque(3)].into());
    let bad = world.sign(key_of(Role::Freezer), [opaque(3)].into());
    let ledger = World::ledger();
    let Edge::Done((block, _)) = ledger.begin_block(&world.context(), &world.store) else { panic!() };
    let admit = |transaction: &Transaction| {
        ledger.admit(&block, &Checked::new(&transaction.to_bytes()).unwrap(), &world.store)
    };
    let cost = ledger.cost(&Checked::new(&good.to_bytes()).unwrap()).unwrap();
    assert_eq!(admit(&good), Admission::Admitted(cost));
    let Admission::Refused(refusal) = admit(&bad) else { panic!() };
    assert_eq!(refusal.code, Code::NotAllowed);
}

#[test]
fn a_refused_message_takes_back_the_messages_before_it() {
    let mut world = World::new();
    let set = |kind| {
        Message::SetDigest(crate::tx::SetDigest {
            kind,
            name: crate::bounded::Text::new("pack").unwrap(),
            digest: [1; 32],
        })
    };
    world.block(&[]);
    let (before, leaves) = (world.store.clone(), world.outbox.len());
    let messages = [set(crate::registry::Kind::RulePack), set(crate::registry::Kind::Parameters)];
    let outcome = world.submit(key_of(Role::Operator), messages.into());
    let Outcome::Refused { message, refusal } = outcome else { panic!("{outcome:?}") };
    assert_eq!((message, refusal.code), (1, Code::ReservedKind));
    assert_eq!(world.outbox.len(), leaves);
    let account = crate::Slot::Account(&World::account(Role::Operator)).key();
    let changed: Vec<_> = world
        .store
        .iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(changed, [&account]);
}
