//! Disks that refuse: full after so many bytes, broken after so many syncs.
//!
//! The node ends, with the reason, before anything follows from what it could not write; the others go on; with room
//! again it starts to the same state.

use super::disk::{Cache, Fault, Syncs};
use super::net::{Net, VALIDATORS};
use crate::support::opaque;
use commonware_runtime::{Clock as _, Runner as _, deterministic};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::time::Duration;
use zeugma_types::Height;

const STEP: Duration = Duration::from_millis(50);
/// Steps that anything may take.
const PATIENCE: usize = 1_200;

/// How often a node ended by itself, and with which words.
pub fn run(seed: u64) -> Vec<String> {
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(3_600)));
    deterministic::Runner::new(config).start(|context| async move {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut net = Net::new(context, seed, 8, Syncs::All).await;
        for place in 0..VALIDATORS {
            net.boot(place).await.expect("an empty disk");
        }
        let mut sequence = 0;
        reach(&net, &[0, 1, 2, 3], 3, &mut sequence).await;
        // One disk refuses, then all of them at once, at any moment of what follows.
        let mut reasons = Vec::new();
        for victims in [vec![rng.next_u64() as usize % VALIDATORS], (0..VALIDATORS).collect()] {
            for victim in &victims {
                let fault = match rng.next_u32() % 2 {
                    0 => Fault::Full { room: rng.next_u64() % 60_000 },
                    _ => Fault::Sync { after: rng.next_u64() % 200 },
                };
                net.seats[*victim].disk.set_fault(Some(fault));
            }
            let before = tops(&net).await;
            let mut waited = 0;
            while victims.iter().any(|victim| net.death(*victim).is_none()) && waited < PATIENCE {
                work(&net, &mut sequence).await;
                waited += 1;
            }
            let others: Vec<usize> = (0..VALIDATORS).filter(|place| !victims.contains(place)).collect();
            if !others.is_empty() {
                reach(&net, &others, before + 5, &mut sequence).await;
            }
            for victim in &victims {
                // With the others gone there may be nothing left to write.
                reasons.extend(net.death(*victim));
            }
            assert!(!reasons.is_empty(), "seed {seed}: no node ended on a disk that refuses");
            // What a failed sync left unsynced may be gone.
            net.cut(&victims, Cache::Torn).await;
            for victim in victims {
                net.seats[victim].disk.set_fault(None);
                if let Err(why) = net.boot(victim).await {
                    panic!("seed {seed}: validator {victim} does not start again: {why:?}");
                }
            }
            let top = tops(&net).await.max(before);
            reach(&net, &[0, 1, 2, 3], top + 3, &mut sequence).await;
        }
        // One chain, and what was final is in it.
        let finals = net.ear.with(|heard| heard.finals.clone());
        let top = tops(&net).await;
        reach(&net, &[0, 1, 2, 3], top + 4, &mut sequence).await;
        let mut chain = std::collections::BTreeSet::new();
        for height in 1..=top + 4 {
            let mut first = None;
            for place in 0..VALIDATORS {
                let node = net.node(place).expect("it runs");
                let block = net.ask(node.block(Height::new(height))).await.flatten().expect("a final block");
                let known = first.get_or_insert_with(|| (block.header.clone(), block.record.clone()));
                assert_eq!(known.0, block.header, "seed {seed}: validator {place}, height {height}");
                assert_eq!(known.1, block.record, "seed {seed}: validator {place}, height {height}");
                chain.insert(*block.header.digest().as_bytes());
            }
        }
        for payload in finals {
            assert!(chain.contains(payload.as_ref()), "seed {seed}: the final block {payload} is lost");
        }
        let twice = net.ear.with(|heard| heard.twice.clone());
        assert!(twice.is_empty(), "seed {seed}: {twice:?}");
        reasons
    })
}

async fn tops(net: &Net) -> u64 {
    let mut top = 0;
    for place in net.up() {
        if net.death(place).is_none() {
            top = top.max(net.height(place).await.unwrap_or(0));
        }
    }
    top
}

async fn work(net: &Net, sequence: &mut u64) {
    *sequence += 1;
    let bytes = opaque(&net.genesis, (*sequence % 4) as u8, sequence.div_ceil(4));
    for place in net.up() {
        if let (None, Some(node)) = (net.death(place), net.node(place)) {
            let _ = net.ask(node.submit(bytes)).await;
            break;
        }
    }
    net.context.sleep(STEP).await;
}

async fn reach(net: &Net, places: &[usize], height: u64, sequence: &mut u64) {
    for _ in 0..PATIENCE {
        let mut lowest = u64::MAX;
        for place in places {
            assert_eq!(net.death(*place), None, "validator {place} has a sound disk");
            lowest = lowest.min(net.height(*place).await.unwrap_or(0));
        }
        if lowest >= height {
            return;
        }
        work(net, sequence).await;
    }
    panic!("no progress of {places:?} to height {height}");
}
