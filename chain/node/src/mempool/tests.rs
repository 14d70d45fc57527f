#![allow(clippy::unwrap_used, reason = "a test stops where its ground is not as it thinks")]

use super::class::Class;
use super::*;
use std::sync::Arc;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::bounded::{Bytes as Payload, List};
use zeugma_ledger::tx::{CreateClient, Opaque, SignedBody, SubmitMisbehaviour, Until, UpdateClient};
use zeugma_ledger::{Message, Transaction};
use zeugma_types::{ClientId, Code, Cost, Encode as _, NetworkId};

const LIMITS: Limits = Limits { transactions: 1_000, bytes: 1 << 20, per_account: 500 };

/// A payload of an account.
fn signed(account: u8, sequence: u64) -> Bytes {
    let message = Message::Opaque(Opaque { payload: Payload::new([account]).unwrap() });
    said(account, sequence, message)
}

/// A transaction of an account, of the first class, and of those that follow it.
fn evidence(account: u8, sequence: u64) -> Bytes {
    let (client, evidence) = (ClientId::new("cometbft-0").unwrap(), Payload::new([]).unwrap());
    said(account, sequence, SubmitMisbehaviour { client, evidence }.into())
}

fn update(account: u8, sequence: u64) -> Bytes {
    let (client, update) = (ClientId::new("cometbft-0").unwrap(), Payload::new([]).unwrap());
    said(account, sequence, UpdateClient { client, update }.into())
}

fn record(account: u8, sequence: u64) -> Bytes {
    let (profile, state) = (Payload::new([]).unwrap(), Payload::new([]).unwrap());
    said(account, sequence, CreateClient { family: 1, profile, state }.into())
}

fn said(account: u8, sequence: u64, message: Message) -> Bytes {
    let key = SecretKey::from_seed(&[account; 32]);
    let body = SignedBody {
        network: NetworkId::new([1; 32]),
        key: *key.public().as_bytes(),
        sequence,
        until: Until::NEVER,
        cost_limit: Cost::MAX,
        messages: List::new(vec![message]).unwrap(),
    };
    Transaction::sign(body, &key).to_bytes().into()
}

fn forged(bytes: &Bytes) -> Bytes {
    let mut forged = bytes.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    forged.into()
}

fn candidate(bytes: &Bytes) -> Candidate {
    Candidate { bytes: bytes.clone(), checked: Arc::new(Checked::new(bytes).unwrap()) }
}

fn pool() -> Mempool {
    Mempool::new(LIMITS).0
}

/// Of this length on paper: what counts is what is kept, and these bytes are never read again here.
fn long(bytes: &Bytes, length: usize) -> Candidate {
    let mut long = bytes.to_vec();
    long.resize(length, 0);
    Candidate { bytes: long.into(), ..candidate(bytes) }
}

fn spent(mempool: &Mempool, bytes: &Bytes) {
    mempool.defer(candidate(bytes).id(), BlockTime::new(1), Refusal::new(Code::AllowanceSpent));
}

fn calls_for_a_block(mempool: &Mempool, but: &[&Bytes]) -> bool {
    let carried = but.iter().map(|bytes| *candidate(bytes).id()).collect();
    mempool.0.pool.lock().has_beyond(&carried)
}

fn first(mempool: &Mempool, most: usize) -> Vec<Bytes> {
    let first = mempool.choose(&HashSet::new(), most, 1 << 20);
    first.into_iter().map(|candidate| candidate.bytes).collect()
}

fn chosen(mempool: &Mempool) -> Vec<Bytes> {
    mempool.choose(&HashSet::new(), 1_000, 1 << 20).into_iter().map(|candidate| candidate.bytes).collect()
}

#[test]
fn what_cannot_be_admitted_yet_waits_behind_the_others_and_not_for_ever() {
    let mempool = pool();
    let (early, fresh) = (signed(1, 5), signed(2, 1));
    for bytes in [&early, &fresh] {
        mempool.submit(candidate(bytes)).unwrap();
    }
    let id = *candidate(&early).id();
    let why = Refusal::new(Code::AllowanceSpent);
    assert!(!mempool.defer(&id, BlockTime::new(1_000), why.clone()));
    assert_eq!(chosen(&mempool), [fresh.clone(), early]);
    // It calls for no block by itself.
    let carried = HashSet::from([*candidate(&fresh).id()]);
    assert!(!mempool.0.pool.lock().has_beyond(&carried));
    // The wait counts from the first block that could not admit it.
    assert!(!mempool.defer(&id, BlockTime::new(300_999), why.clone()));
    assert!(mempool.contains(&id) && mempool.refusal(&id).is_none());
    assert!(mempool.defer(&id, BlockTime::new(301_000), why.clone()));
    assert!(!mempool.contains(&id));
    assert_eq!(mempool.refusal(&id), Some(why));
    assert_eq!(chosen(&mempool), [fresh]);
    assert_eq!(mempool.size().0, 1);
}

/// Found by the live test of poison: each new transaction of an account that had spent its allowance brought all
/// earlier ones to the front with it, and they filled what a block may carry.
#[test]
fn an_account_that_cannot_pay_holds_up_nobody_else_however_much_it_sends() {
    let mempool = pool();
    for sequence in 1..=20 {
        mempool.submit(candidate(&signed(1, sequence))).unwrap();
    }
    // A leader looked at the first few.
    (3..=5).for_each(|sequence| spent(&mempool, &signed(1, sequence)));
    for sequence in 21..=40 {
        mempool.submit(candidate(&signed(1, sequence))).unwrap();
    }
    mempool.submit(candidate(&signed(2, 1))).unwrap();
    let mut first = first(&mempool, 24);
    first.truncate(3);
    assert_eq!(first, [signed(1, 1), signed(1, 2), signed(2, 1)]);
    let carried: Vec<&Bytes> = first.iter().collect();
    assert!(!calls_for_a_block(&mempool, &carried), "what cannot be paid calls for no block");
    assert_eq!(chosen(&mempool).len(), 41, "all of it is held");
    // What comes before it in the account's order is not behind, whenever it arrives.
    mempool.finalized([(candidate(&signed(1, 1)).id(), &signed(1, 1))].into_iter());
    assert_eq!(chosen(&mempool)[0], signed(1, 2));
}

#[test]
fn an_account_has_an_eighth_of_a_block_before_all_others_had_theirs() {
    let mempool = pool();
    (1..=30).for_each(|sequence| mempool.submit(candidate(&evidence(1, sequence))).unwrap());
    for bytes in [evidence(2, 1), signed(3, 1), signed(1, 31)] {
        mempool.submit(candidate(&bytes)).unwrap();
    }
    let first = first(&mempool, 24);
    assert_eq!(first[..5], [evidence(1, 1), evidence(1, 2), evidence(1, 3), evidence(2, 1), signed(3, 1)]);
    let rest: Vec<Bytes> = (4..=22).map(|sequence| evidence(1, sequence)).collect();
    assert_eq!(first[5..], rest);
    // Measured in bytes too; one is more than its eighth, and goes.
    let mempool = Mempool::new(Limits { bytes: 64 << 20, ..LIMITS }).0;
    for long in [long(&evidence(1, 1), 1 << 18), long(&evidence(1, 2), 400), long(&signed(2, 1), 400)] {
        mempool.0.pool.lock().insert(long).unwrap();
    }
    let ids: Vec<_> = mempool.choose(&HashSet::new(), 1_000, 1 << 20).iter().map(|one| *one.id()).collect();
    assert_eq!(ids, [evidence(1, 1), signed(2, 1), evidence(1, 2)].map(|bytes| *candidate(&bytes).id()));
}

#[test]
fn evidence_waits_for_nothing_else_of_its_account_and_lifts_nothing_with_it() {
    let mempool = pool();
    for bytes in [update(1, 1), update(1, 2), update(2, 1), signed(1, 3)] {
        mempool.submit(candidate(&bytes)).unwrap();
    }
    spent(&mempool, &update(1, 1));
    assert_eq!(chosen(&mempool), [update(2, 1), update(1, 1), update(1, 2), signed(1, 3)]);
    mempool.submit(candidate(&evidence(1, 4))).unwrap();
    assert!(calls_for_a_block(&mempool, &[&update(2, 1)]));
    assert_eq!(chosen(&mempool), [evidence(1, 4), update(2, 1), update(1, 1), update(1, 2), signed(1, 3)]);
    // Where the evidence cannot be paid for either, what the account sends after it does not spend what it saves.
    spent(&mempool, &evidence(1, 4));
    for bytes in [update(1, 1), update(1, 2)] {
        mempool.finalized([(candidate(&bytes).id(), &bytes)].into_iter());
    }
    mempool.submit(candidate(&update(1, 5))).unwrap();
    assert!(!calls_for_a_block(&mempool, &[&update(2, 1)]));
    assert_eq!(chosen(&mempool), [update(2, 1), evidence(1, 4), update(1, 5), signed(1, 3)]);
}

#[test]
fn each_class_and_what_is_behind_begins_a_block_in_eight() {
    let mempool = pool();
    let all = [evidence(1, 1), update(2, 1), record(3, 1), signed(4, 1), evidence(5, 1)];
    all.iter().rev().for_each(|bytes| mempool.submit(candidate(bytes)).unwrap());
    spent(&mempool, &evidence(5, 1));
    // Blocks with room for one.
    let begun: Vec<Bytes> = (0..16).map(|_| first(&mempool, 1).remove(0)).collect();
    assert_eq!(begun[..8], begun[8..]);
    for (bytes, times) in all.iter().zip([4, 1, 1, 1, 1]) {
        assert_eq!(begun[..8].iter().filter(|begun| *begun == bytes).count(), times);
    }
    // With room for all, each turn has all of them, once.
    for _ in 0..8 {
        let mut chosen = chosen(&mempool);
        chosen.sort();
        let mut all = all.to_vec();
        all.sort();
        assert_eq!(chosen, all);
    }
}

#[test]
fn all_that_is_behind_is_looked_at_in_its_time_however_long_its_head_is_refused() {
    let mempool = pool();
    for account in 1..=20 {
        mempool.submit(candidate(&signed(account, 1))).unwrap();
        spent(&mempool, &signed(account, 1));
    }
    let mut looked: HashSet<Bytes> = HashSet::new();
    for _ in 0..7 {
        let three = first(&mempool, 3);
        assert_eq!(three.len(), 3);
        looked.extend(three);
    }
    assert_eq!(looked.len(), 20);
}

#[test]
fn an_account_holds_an_eighth_of_what_is_left_and_many_leave_room_for_one_more() {
    const MEGABYTE: usize = 1 << 20;
    let mut pool = Pool::new(Limits { bytes: 64 * MEGABYTE, ..LIMITS });
    let three = |account, sequence| long(&signed(account, sequence), 3 * MEGABYTE);
    assert!(pool.insert(three(1, 1)).unwrap() && pool.insert(three(1, 2)).unwrap());
    assert_eq!(pool.insert(three(1, 3)).unwrap_err().code, Code::BlockFull);
    assert!(pool.insert(three(2, 1)).unwrap(), "another account has its own share");
    pool.remove(three(1, 1).id()).unwrap();
    assert!(pool.insert(three(1, 3)).unwrap(), "what left makes room");

    // Forty accounts that send without end, a hundred kilobytes at a time.
    let mut pool = Pool::new(Limits { bytes: 64 * MEGABYTE, ..LIMITS });
    let mut taken = true;
    for sequence in 1.. {
        if !std::mem::take(&mut taken) {
            break;
        }
        for account in 1..=40 {
            taken |= pool.insert(long(&signed(account, sequence), MEGABYTE / 10)).is_ok();
        }
    }
    assert!(pool.bytes() > 50 * MEGABYTE, "{}", pool.bytes());
    assert!(pool.insert(three(41, 1)).unwrap());
}

#[test]
fn each_class_has_an_eighth_of_the_pool_against_the_others() {
    let limits = Limits { transactions: 80, ..LIMITS };
    let count = |pool: &Pool, class| pool.order.iter().filter(|place| place.0 == class).count();
    // The lowest class first: a higher one pushes out what is above an eighth of it.
    let mut pool = Pool::new(limits);
    (1..=80).for_each(|account| assert!(pool.insert(candidate(&signed(account, 1))).unwrap()));
    let taken = (101..=180).filter(|account| pool.insert(candidate(&evidence(*account, 1))).is_ok()).count();
    assert_eq!((taken, count(&pool, Class::Payload), pool.len()), (70, 10, 80));
    // The highest class first: each lower one has its eighth, and no more.
    let mut pool = Pool::new(limits);
    for account in 1..=80 {
        pool.insert(candidate(&evidence(account, 1))).unwrap();
    }
    assert_eq!(pool.insert(candidate(&evidence(81, 1))).unwrap_err().code, Code::BlockFull);
    for account in 101..=110 {
        assert!(pool.insert(candidate(&signed(account, 1))).unwrap());
    }
    assert_eq!(pool.insert(candidate(&signed(111, 1))).unwrap_err().code, Code::BlockFull);
    assert_eq!((count(&pool, Class::Safety), count(&pool, Class::Payload)), (70, 10));
    assert!(pool.insert(candidate(&update(112, 1))).unwrap(), "its eighth is not its neighbour's");
    assert_eq!(pool.len(), 80);
}

#[test]
fn a_full_pool_makes_room_by_what_waits_too() {
    let mut pool = Pool::new(Limits { transactions: 2, ..LIMITS });
    let payloads = [signed(1, 1), signed(2, 1)];
    for bytes in &payloads {
        pool.insert(candidate(bytes)).unwrap();
        pool.defer(candidate(bytes).id(), BlockTime::new(1)).unwrap();
    }
    // One of the same class finds no room, and none of the bounds is passed.
    assert_eq!(pool.insert(candidate(&signed(3, 1))).unwrap_err().code, Code::BlockFull);
    pool.remove(candidate(&payloads[1]).id()).unwrap();
    assert!(pool.insert(candidate(&signed(3, 1))).unwrap());
    assert_eq!(pool.len(), 2);
}

#[test]
fn side_by_side_and_alone_give_one_verdict() {
    let good: Vec<Bytes> = (1..=70).map(|sequence| signed(1, sequence)).collect();
    for bad in [None, Some(0), Some(33), Some(69)] {
        let mut all = good.clone();
        if let Some(place) = bad {
            all[place] = forged(&all[place]);
        }
        let alone: Result<Vec<_>, _> = all.iter().map(|bytes| Checked::new(bytes)).collect();
        for threads in [1, 2, 3, 8] {
            let together = signatures::check(&all.iter().collect::<Vec<_>>(), threads);
            let together = together.map(|all| all.iter().map(|one| Checked::clone(one)).collect::<Vec<_>>());
            assert_eq!(together, alone, "{bad:?} on {threads} threads");
            let each = signatures::each(&all.iter().collect::<Vec<_>>(), threads);
            for (number, (each, bytes)) in each.iter().zip(&all).enumerate() {
                assert_eq!(each.is_err(), bad == Some(number));
                let each = each.as_ref().map(|one| Checked::clone(one)).map_err(Clone::clone);
                assert_eq!(each, Checked::new(bytes));
            }
            assert_eq!(each.len(), all.len());
        }
    }
}

#[test]
fn what_a_block_brought_is_not_verified_again() {
    let mempool = pool();
    let block: Vec<Bytes> = (1..=40).map(|sequence| signed(1, sequence)).collect();
    let first = mempool.checked(&block).unwrap();
    let again = mempool.checked(&block).unwrap();
    for (first, again) in first.iter().zip(&again) {
        assert!(Arc::ptr_eq(&first.checked, &again.checked), "the second verdict was computed again");
    }
    // Bytes that differ in nothing but the signature are others.
    assert!(mempool.checked(&[forged(&block[0])]).is_err());
    // A block passed over: its transactions come by gossip and wait.
    mempool.spread(block[..2].to_vec()).unwrap();
    assert_eq!(mempool.size().0, 2);
    // Final: gossip that comes late brings nothing back, known from the block or from the pool.
    mempool.finalized(first.iter().map(|one| one.id()).zip(&block));
    mempool.spread(block).unwrap();
    assert_eq!(mempool.size().0, 0);
}

#[test]
fn one_forged_signature_spoils_what_was_spread_with_it() {
    let mempool = pool();
    let good: Vec<Bytes> = (1..=40).map(|sequence| signed(1, sequence)).collect();
    let mut spread = good.clone();
    spread[20] = forged(&spread[20]);
    assert_eq!(mempool.spread(spread).unwrap_err().code, Code::BadSignature);
    assert_eq!(mempool.size().0, 0);
    mempool.spread(good).unwrap();
    assert_eq!(mempool.size().0, 40);
}

#[test]
fn an_account_goes_in_the_order_of_its_sequences_and_each_transaction_once() {
    let mempool = pool();
    let arrivals = [(1, 9), (2, 2), (1, 3), (2, 1), (1, 5), (3, 1), (1, 4)];
    for (account, sequence) in arrivals {
        mempool.submit(candidate(&signed(account, sequence))).unwrap();
    }
    let of = |all: [(u8, u64); 7]| all.map(|(account, sequence)| signed(account, sequence));
    // In the places of its arrivals: what came earlier of others is not overtaken.
    assert_eq!(chosen(&mempool), of([(1, 3), (2, 1), (1, 4), (2, 2), (1, 5), (3, 1), (1, 9)]));
    // One that waits goes before those of its account that follow it, and they behind the others with it.
    mempool.defer(candidate(&signed(1, 4)).id(), BlockTime::new(1), Refusal::new(Code::SequenceAhead));
    assert_eq!(chosen(&mempool), of([(2, 1), (1, 3), (2, 2), (3, 1), (1, 4), (1, 5), (1, 9)]));
    mempool.defer(candidate(&signed(1, 9)).id(), BlockTime::new(1), Refusal::new(Code::SequenceAhead));
    assert_eq!(chosen(&mempool), of([(2, 1), (1, 3), (2, 2), (3, 1), (1, 4), (1, 5), (1, 9)]));
    // What a block took leaves the others in their order.
    mempool.finalized([(candidate(&signed(1, 5)).id(), &signed(1, 5))].into_iter());
    let left = [(2, 1), (1, 3), (2, 2), (3, 1), (1, 4), (1, 9)];
    assert_eq!(chosen(&mempool), left.map(|(account, sequence)| signed(account, sequence)));
}

#[test]
fn what_was_checked_lately_is_bounded() {
    let mut recent = Recent::default();
    let checked = Arc::new(Checked::new(&signed(1, 1)).unwrap());
    let block = vec![0_u8; 1 << 20];
    for number in 0..40_u8 {
        let mut bytes = block.clone();
        bytes[0] = number;
        recent.insert(&bytes.into(), Arc::clone(&checked), Place::Proposed);
    }
    let held = |number: u8| {
        let mut bytes = block.clone();
        bytes[0] = number;
        recent.checked(&bytes.into()).is_some()
    };
    assert_eq!((0..40).filter(|number| held(*number)).count(), 16);
    assert!(held(39) && !held(0));
}
