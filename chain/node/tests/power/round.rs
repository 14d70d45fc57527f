//! One round: a network at work, power that fails again and again, and what must hold over all of it.
//!
//! 1. No validator signs two things of which one may be signed, over all its runs.
//! 2. What was final for whoever listened on the wire is in the chain for ever.
//! 3. What a node once said to be final, it and all others say again.
//! 4. All nodes have the same headers, so the same state roots, and the same records of what blocks did.
//! 5. Every node starts from what its disk holds, and the network goes on.

use super::disk::{Cache, Damage, Syncs};
use super::net::{Net, VALIDATORS};
use crate::support::opaque;
use commonware_runtime::{Clock as _, Runner as _, deterministic};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::time::Duration;
use zeugma_types::{HeaderDigest, Height};

/// Short epochs, so that their journals come and go while the power fails.
const EPOCH: u64 = 8;
/// Longest wait for progress, in steps of [`STEP`].
const PATIENCE: u64 = 60_000 / STEP;
const STEP: u64 = 50;
/// Blocks after an epoch's end within which its journal is gone.
const FORGOTTEN: u64 = 40;

/// What a round found and did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Broken rules, in words; none on a disk that keeps its promise.
    pub findings: Vec<String>,
    /// Of all disks together.
    pub damage: Damage,
    /// Power cuts while a node was starting.
    pub at_start: u64,
    /// Programs killed.
    pub kills: u64,
    /// Blocks of the chain in the end.
    pub blocks: u64,
    /// Final blocks that the ear heard of.
    pub finals: u64,
}

struct Round {
    net: Net,
    rng: ChaCha20Rng,
    told: BTreeMap<u64, HeaderDigest>,
    sequences: [u64; 4],
    outcome: Outcome,
}

/// Runs the round of `seed`.
pub fn run(seed: u64, syncs: Syncs) -> Outcome {
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(3_600)));
    deterministic::Runner::new(config).start(|context| async move {
        let net = Net::new(context, seed, EPOCH, syncs).await;
        let rng = ChaCha20Rng::seed_from_u64(seed ^ 0xc0ffee);
        let mut round =
            Round { net, rng, told: BTreeMap::new(), sequences: [0; 4], outcome: Outcome::default() };
        // A finding that stops the network ends the round: nothing after it says anything.
        if round.storms().await.is_some() {
            round.judge().await;
        }
        round.finish()
    })
}

impl Round {
    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn cache(&mut self) -> Cache {
        if self.below(2) == 0 { Cache::Lost } else { Cache::Torn }
    }

    fn found(&mut self, finding: String) -> Option<()> {
        self.outcome.findings.push(finding);
        None
    }

    /// `None` once the network cannot go on.
    async fn storms(&mut self) -> Option<()> {
        for place in 0..VALIDATORS {
            self.start(place).await?;
        }
        let storms = 3;
        for storm in 0..storms {
            let mut victims: Vec<usize> = match self.below(3) {
                _ if storm + 1 == storms => (0..VALIDATORS).collect(),
                0 => vec![self.below(4) as usize],
                1 => vec![0, 1 + self.below(3) as usize],
                _ => (0..VALIDATORS).collect(),
            };
            let first = self.below(victims.len() as u64) as usize;
            victims.swap(0, first);
            // At any moment, or between any two operations of a disk.
            if self.below(2) == 0 {
                let operations = self.below(400);
                self.net.seats[victims[0]].disk.fuse(operations);
            }
            let time = 200 + self.below(1_500);
            self.work(time, victims[0]).await?;
            if self.below(4) == 0 {
                self.outcome.kills += victims.len() as u64;
                self.net.kill(&victims).await;
            } else {
                let cache = self.cache();
                self.net.cut(&victims, cache).await;
            }
            let dark = self.below(600);
            self.net.context.sleep(Duration::from_millis(dark)).await;
            for place in victims {
                self.start(place).await?;
            }
            self.progress(2).await?;
        }
        self.progress(4).await
    }

    /// Starts a node, whose power may fail again before it runs.
    async fn start(&mut self, place: usize) -> Option<()> {
        if self.below(4) == 0 {
            let operations = self.below(60);
            self.net.seats[place].disk.fuse(operations);
            match self.net.boot(place).await {
                Ok(()) => {}
                Err(Some(why)) => return self.found(format!("validator {place} does not start: {why}")),
                Err(None) => {}
            }
            self.outcome.at_start += 1;
            let cache = self.cache();
            self.net.cut(&[place], cache).await;
        }
        match self.net.boot(place).await {
            Ok(()) => Some(()),
            Err(why) => {
                let why = why.unwrap_or_else(|| "its power failed by itself".into());
                self.found(format!("validator {place} does not start: {why}"))
            }
        }
    }

    /// Submits and looks for a time, or until the power of `victim` fails.
    async fn work(&mut self, millis: u64, victim: usize) -> Option<()> {
        let mut left = millis;
        while left > 0 && !self.net.seats[victim].disk.is_dark() {
            let step = left.min(STEP);
            left -= step;
            if self.below(2) == 0 {
                let account = self.below(4) as u8;
                let sequence = &mut self.sequences[usize::from(account)];
                *sequence += 1;
                let bytes = opaque(&self.net.genesis, account, *sequence);
                let up = self.net.up();
                let place = up[self.below(up.len() as u64) as usize];
                if let Some(node) = self.net.node(place) {
                    // It may be lost with the memory of a node: a client submits it again.
                    let _ = self.net.ask(node.submit(bytes)).await;
                }
            }
            self.net.context.sleep(Duration::from_millis(step)).await;
            self.look().await?;
        }
        Some(())
    }

    /// Notes what the nodes say is final.
    async fn look(&mut self) -> Option<()> {
        for place in self.net.up() {
            if let Some(why) = self.net.death(place) {
                return self.found(format!("validator {place} ended: {why}"));
            }
            if self.net.seats[place].disk.is_dark() {
                continue;
            }
            let known = self.told.keys().next_back().copied().unwrap_or(0);
            let Some(height) = self.net.height(place).await else { continue };
            for height in known + 1..=height {
                let Some(node) = self.net.node(place) else { continue };
                let Some(Some(header)) = self.net.ask(node.header(Height::new(height))).await else { break };
                self.told.insert(height, header.digest());
            }
        }
        Some(())
    }

    /// Waits until every node has so many blocks more than any ever told.
    async fn progress(&mut self, blocks: u64) -> Option<()> {
        self.look().await?;
        let goal = self.told.keys().next_back().copied().unwrap_or(0) + blocks;
        for _ in 0..PATIENCE {
            let mut lowest = u64::MAX;
            for place in 0..VALIDATORS {
                lowest = lowest.min(self.net.height(place).await.unwrap_or(0));
            }
            if lowest >= goal {
                return Some(());
            }
            self.net.context.sleep(Duration::from_millis(STEP)).await;
            self.look().await?;
        }
        self.found(format!("no progress to height {goal} in a minute after the power came back"))
    }

    async fn judge(&mut self) {
        let finals = self.net.ear.with(|heard| heard.finals.clone());
        // What became final just now reaches every node before it is looked for.
        if self.progress(4).await.is_none() {
            return;
        }
        let mut common = u64::MAX;
        for place in 0..VALIDATORS {
            common = common.min(self.net.height(place).await.unwrap_or(0));
        }
        self.outcome.blocks = common;
        self.outcome.finals = finals.len() as u64;
        let mut chain = BTreeMap::new();
        for height in 1..=common {
            let mut first = None;
            for place in 0..VALIDATORS {
                let Some(node) = self.net.node(place) else { continue };
                let said = self.net.ask(node.block(Height::new(height))).await.flatten();
                let Some(said) = said else {
                    self.found(format!("validator {place} has no block {height}"));
                    continue;
                };
                let (header, record) =
                    first.get_or_insert_with(|| (said.header.clone(), said.record.clone()));
                if *header != said.header || *record != said.record {
                    self.found(format!("validator {place} has another block at height {height}"));
                }
            }
            let Some((header, _)) = first else { continue };
            chain.insert(*header.digest().as_bytes(), height);
            if self.told.get(&height).is_some_and(|told| *told != header.digest()) {
                self.found(format!("height {height} was told to be final with another header"));
            }
        }
        // Votes of an epoch that ended long ago are forgotten, whenever the power failed.
        for place in 0..VALIDATORS {
            for partition in self.net.seats[place].disk.partitions() {
                let epoch =
                    partition.strip_prefix("node-simplex-").and_then(|epoch| epoch.parse::<u64>().ok());
                if epoch.is_some_and(|epoch| (epoch + 1) * EPOCH + FORGOTTEN < common) {
                    self.found(format!("validator {place} keeps {partition} at height {common}"));
                }
            }
        }
        for lost in finals.iter().filter(|payload| !chain.contains_key(payload.as_ref())) {
            self.outcome.findings.push(format!("the final block {lost} is lost"));
        }
    }

    fn finish(mut self) -> Outcome {
        let twice = self.net.ear.with(|heard| heard.twice.clone());
        self.outcome.findings.extend(twice);
        for seat in &self.net.seats {
            let damage = seat.disk.damage();
            let sum = &mut self.outcome.damage;
            sum.cuts += damage.cuts;
            sum.lost += damage.lost;
            sum.torn += damage.torn;
            sum.names += damage.names;
        }
        self.outcome
    }
}
