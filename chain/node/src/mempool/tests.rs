#![allow(clippy::unwrap_used, reason = "a test stops where its ground is not as it thinks")]

use super::*;
use std::sync::Arc;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::bounded::{Bytes as Payload, List};
use zeugma_ledger::tx::{Opaque, SignedBody, Until};
use zeugma_ledger::{Message, Transaction};
use zeugma_types::{Code, Cost, Encode as _, NetworkId};

const LIMITS: Limits = Limits { transactions: 1_000, bytes: 1 << 20, per_account: 500 };

fn signed(account: u8, sequence: u64) -> Bytes {
    let key = SecretKey::from_seed(&[account; 32]);
    let message = Message::Opaque(Opaque { payload: Payload::new([account]).unwrap() });
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
    let wanted = [(1, 3), (1, 4), (1, 5), (1, 9), (2, 1), (2, 2), (3, 1)];
    let wanted: Vec<Bytes> =
        wanted.into_iter().map(|(account, sequence)| signed(account, sequence)).collect();
    assert_eq!(chosen(&mempool), wanted);
    // One that waits goes before those of its account that follow it.
    mempool.defer(candidate(&signed(1, 4)).id(), BlockTime::new(1), Refusal::new(Code::SequenceAhead));
    assert_eq!(chosen(&mempool), wanted);
    mempool.defer(candidate(&signed(1, 9)).id(), BlockTime::new(1), Refusal::new(Code::SequenceAhead));
    let last = chosen(&mempool);
    assert_eq!(last.last(), Some(&signed(1, 9)));
    assert_eq!(last.len(), wanted.len());
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
