//! Whole networks: agreement, crashes at random points, late nodes, epochs, proofs.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test stops where its ground is not as it thinks"
)]

mod support;

use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _, deterministic};
use rand_core::{Rng as _, SeedableRng as _};
use std::time::Duration;
use support::{QUOTA, Sim, opaque, open, signed};
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::tx::Opaque;
use zeugma_node::engine::Channels;
use zeugma_node::{Error, Status, Under};
use zeugma_proof::verify;
use zeugma_types::{Code, Encode as _, Height, LeafIndex, Namespace};

/// Seeds of the normal run; the simulations in their own room take more.
const SEEDS: u64 = 10;

/// Every certified header at every height, on every running node, and the state behind it.
async fn agree(sim: &Sim) -> u64 {
    let running: Vec<_> = (0..sim.nodes.len()).filter(|place| sim.runs(*place)).collect();
    let mut common = u64::MAX;
    for place in &running {
        common = common.min(sim.height(*place).await);
    }
    let mut certified = 0;
    for height in (1..=common).map(Height::new) {
        let first = sim.node(running[0]).block(height).await.unwrap().expect("a final block");
        for place in &running {
            let block = sim.node(*place).block(height).await.unwrap().expect("a final block");
            assert_eq!(block.header, first.header, "height {height} on validator {place}");
            assert_eq!(block.record, first.record, "height {height} on validator {place}");
            if let Some(certificate) = sim.node(*place).certificate(height).await.unwrap() {
                let (key, network) = (&sim.committee.group_key, sim.genesis.network());
                certificate.verify(key, &network, &block.header.digest()).expect("a certificate verifies");
                certified += 1;
            }
        }
    }
    assert!(certified > 0, "no certificate in {common} blocks");
    common
}

/// Every leaf of our own shows what was said; what stands is said by the last block of each epoch, and only there.
///
/// Leaves are proved under first and latest headers, by index and by path, and verify under a trust file.
async fn proofs_hold(sim: &Sim, place: usize) -> u64 {
    let node = sim.node(place);
    let latest = node.latest().await.unwrap().expect("a certified header");
    let leaves = latest.header.outbox.size.get();
    assert!(leaves > 0, "the first block says the parameters");
    let trust = sim.trust();
    let mut standing = 0;
    for index in (0..leaves).map(LeafIndex::new) {
        for under in [Under::First, Under::Latest] {
            let proof = node.proof_by_index(index, under).await.unwrap().expect("a covered leaf");
            let proven = verify(&proof.to_bytes(), &trust).expect("a proof verifies");
            assert_eq!(proven.index(), index);
            let namespace = proof.leaf.path.namespace();
            assert_eq!(proof.opening.is_some(), namespace != Namespace::Ibc, "{:?}", proof.leaf.path);
            if namespace == Namespace::Standing && under == Under::First {
                assert_eq!((proof.leaf.height.get() + 1) % sim.genesis.epoch_length, 0);
                standing += 1;
            }
            let by_path =
                node.proof_by_path(&proof.leaf.path, under).await.unwrap().expect("its path is known");
            verify(&by_path.to_bytes(), &trust).expect("a proof by path verifies");
            assert_eq!(by_path.leaf.path, proof.leaf.path);
            assert!(by_path.inclusion.index >= index, "the latest leaf of a path is proved");
        }
    }
    assert_eq!(standing, (latest.header.height.get() + 1) / sim.genesis.epoch_length);
    leaves
}

/// Four validators, one late; work all the time; crashes at random points, one node at a time; several epochs.
async fn storm(context: deterministic::Context, seed: u64) -> String {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
    let mut sim = Sim::new(context, 4, 25).await;
    for place in 0..3 {
        sim.boot(place).await;
    }
    let mut sent = Vec::new();
    let (mut sequence, mut crashes, mut late) = (0_u64, 0_u64, true);
    for round in 0..36_u64 {
        let places: Vec<_> = (0..4).filter(|place| sim.runs(*place)).collect();
        let place = places[rng.next_u64() as usize % places.len()];
        sequence += 1;
        let bytes = if round % 3 == 0 {
            open(&sim.genesis, &rng.next_u64().to_be_bytes())
        } else {
            opaque(&sim.genesis, (round % 4) as u8, sequence)
        };
        sent.push((sim.node(place).submit(bytes.clone()).await.expect("a good transaction"), bytes));
        sim.sleep(Duration::from_millis(rng.next_u64() % 400)).await;
        if late && round == 12 {
            sim.boot(3).await;
            late = false;
        } else if !late && rng.next_u64() % 5 == 0 {
            // Any moment: in the middle of a write, a vote, an epoch's end.
            let victim = rng.next_u64() as usize % 4;
            sim.sleep(Duration::from_millis(rng.next_u64() % 50)).await;
            sim.crash(victim).await;
            sim.sleep(Duration::from_millis(rng.next_u64() % 3_000)).await;
            sim.boot(victim).await;
            crashes += 1;
        }
    }
    assert!(crashes > 0, "no crash was injected");
    // What waited in the memory of a node that crashed is submitted again.
    sim.sleep(Duration::from_secs(5)).await;
    for (id, bytes) in &sent {
        if sim.node(0).status(id).await.unwrap() == Status::Unknown {
            sim.node(0).submit(bytes.clone()).await.expect("a good transaction");
        }
    }
    sim.sleep(Duration::from_secs(5)).await;
    let top = sim.height(0).await;
    for place in 0..4 {
        sim.reach(place, top).await;
        for (id, _) in &sent {
            match sim.node(place).status(id).await.unwrap() {
                Status::Final { outcome, .. } => assert!(outcome.is_done(), "{outcome:?}"),
                other => panic!("validator {place} says {other:?}"),
            }
        }
    }
    // It goes on, beyond the third epoch's beginning.
    for place in 0..4 {
        sim.reach(place, 2 * 25 + 5).await;
    }
    let common = agree(&sim).await;
    let leaves = proofs_hold(&sim, 3).await;
    assert!(leaves > 2, "each epoch's end says what stands");
    println!("seed {seed}: {common} blocks, {leaves} leaves, {crashes} crashes");
    sim.context.auditor().state()
}

fn run(seed: u64) -> String {
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(900)));
    deterministic::Runner::new(config).start(|context| storm(context, seed))
}

#[test]
fn a_network_agrees_through_crashes_late_nodes_and_epochs() {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    std::thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || (first..SEEDS).step_by(threads as usize).for_each(|seed| drop(run(seed))));
        }
    });
}

/// The fourth validator sends garbage on every channel: noise, and what it heard with one byte changed.
async fn noise(context: deterministic::Context, seed: u64) {
    let mut sim = Sim::new(context, 4, 25).await;
    for place in 0..3 {
        sim.boot(place).await;
    }
    let control = sim.oracle.control(sim.nodes[3].key.clone());
    for number in 0..Channels::<(), ()>::COUNT {
        let (mut sender, mut receiver) = control.register(number, QUOTA).await.unwrap();
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(seed ^ number << 32);
        sim.context.child("noise").with_attribute("channel", number).spawn(move |context| async move {
            loop {
                let heard = futures::future::select(
                    Box::pin(context.sleep(Duration::from_millis(20))),
                    Box::pin(receiver.recv()),
                )
                .await;
                let mut bytes = match heard {
                    futures::future::Either::Right((Ok((_, bytes)), _)) => bytes.as_ref().to_vec(),
                    _ => (0..rng.next_u64() % 300).map(|_| rng.next_u64() as u8).collect(),
                };
                if !bytes.is_empty() {
                    let place = rng.next_u64() as usize % bytes.len();
                    bytes[place] ^= 1 << (rng.next_u64() % 8);
                }
                sender.send(Recipients::All, bytes::Bytes::from(bytes), true);
            }
        });
    }
    for sequence in 1..=20 {
        let id = sim.node(0).submit(opaque(&sim.genesis, 0, sequence)).await.unwrap();
        for _ in 0..100 {
            if matches!(sim.node(1).status(&id).await.unwrap(), Status::Final { .. }) {
                break;
            }
            sim.sleep(Duration::from_millis(200)).await;
        }
        let status = sim.node(1).status(&id).await.unwrap();
        assert!(matches!(status, Status::Final { .. }), "seed {seed}: {status:?}");
    }
    agree(&sim).await;
    proofs_hold(&sim, 2).await;
}

#[test]
fn a_validator_that_sends_garbage_stops_nobody() {
    for seed in 0..3 {
        let config =
            deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(900)));
        deterministic::Runner::new(config).start(|context| noise(context, seed));
    }
}

#[test]
fn a_refused_transaction_says_why() {
    let config = deterministic::Config::new().with_timeout(Some(Duration::from_secs(300)));
    deterministic::Runner::new(config).start(|context| async move {
        let mut sim = Sim::new(context, 4, 25).await;
        for place in 0..4 {
            sim.boot(place).await;
        }
        // Given a transaction that is final, and one of a sequence too far ahead.
        let first = opaque(&sim.genesis, 1, 1);
        let id = sim.node(0).submit(first.clone()).await.unwrap();
        while !matches!(sim.node(0).status(&id).await.unwrap(), Status::Final { .. }) {
            sim.sleep(Duration::from_millis(100)).await;
        }
        let code = |error| match error {
            Error::Refused(refusal) => refusal.code,
            Error::Storage(why) => panic!("{why}"),
        };
        // Then the first is known, another of its sequence is refused, and so is the one ahead, before any block.
        assert_eq!(sim.node(0).submit(first).await.unwrap(), id);
        let again = signed(&sim.genesis, 1, 1, Opaque { payload: Bytes::new([9]).unwrap() });
        assert_eq!(code(sim.node(0).submit(again).await.unwrap_err()), Code::SequenceUsed);
        let ahead = opaque(&sim.genesis, 1, 1_000_000);
        assert_eq!(code(sim.node(0).submit(ahead).await.unwrap_err()), Code::SequenceAhead);
        let mut flipped = opaque(&sim.genesis, 1, 2);
        *flipped.last_mut().unwrap() ^= 1;
        assert_eq!(code(sim.node(0).submit(flipped).await.unwrap_err()), Code::BadSignature);
        assert_eq!(code(sim.node(0).submit(Vec::new()).await.unwrap_err()), Code::Truncated);
    });
}

#[test]
fn the_same_seed_gives_the_same_history() {
    assert_eq!(run(1), run(1));
}
