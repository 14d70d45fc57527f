//! One run: a plan carried out, everything read from outside, every rule asked.

use crate::genesis::START;
use crate::network::Net;
use crate::plan::{Fault, Plan, Weather};
use crate::planted::Planted;
use crate::report::Report;
use crate::rules::{self, Findings};
use crate::view::View;
use crate::work::Work;
use commonware_runtime::{Clock as _, Runner as _, deterministic};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};
use zeugma_node::NodeHandle;
use zeugma_proof::{EraEntry, Reliance, Trust, TrustFile, testkit::institutions};
use zeugma_types::{BlockTime, Era, HeaderDigest, Height, Span};

/// Milliseconds between looks at the network.
const STEP: u64 = 250;
/// Blocks by which the chain must grow after healing.
const GROWTH: u64 = 3;
/// Virtual milliseconds after healing in which it must, and in which all work must be final.
const PATIENCE: u64 = 90_000;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Digest of the runtime's whole history, of every header on every node, and of the findings.
    pub state: String,
    /// The counts.
    pub report: Report,
    /// What must not be.
    pub findings: Findings,
}

/// Runs a plan from its seed.
#[must_use]
pub fn run(plan: &Plan, planted: Planted) -> Outcome {
    let config = deterministic::Config::new()
        .with_seed(plan.seed)
        .with_start_time(UNIX_EPOCH + Duration::from_millis(START))
        .with_timeout(Some(Duration::from_secs(3_600)));
    deterministic::Runner::new(config)
        .start(|context| async move { Run::new(context, plan, planted).await.all(planted).await })
}

struct Run<'a> {
    plan: &'a Plan,
    net: Net,
    work: Work,
    report: Report,
    findings: Findings,
    /// What nodes said is final, and which of it was read in their present run.
    told: BTreeMap<u64, HeaderDigest>,
    read: Vec<u64>,
    asleep: BTreeSet<usize>,
}

impl<'a> Run<'a> {
    async fn new(context: deterministic::Context, plan: &'a Plan, planted: Planted) -> Self {
        let net = Net::new(context, plan, planted).await;
        let work = Work::new(&net);
        Self {
            plan,
            net,
            work,
            report: Report::default(),
            findings: Findings::new(),
            told: BTreeMap::new(),
            read: vec![0; plan.validators],
            asleep: plan.late.iter().copied().collect(),
        }
    }

    async fn all(mut self, planted: Planted) -> Outcome {
        for place in (0..self.plan.validators).filter(|place| !self.plan.late.contains(place)) {
            self.net.start(place, self.plan).await;
        }
        for villain in self.plan.villains.values() {
            self.report.fault(&format!("{villain:?}").to_lowercase());
        }
        let mut faults = self.plan.faults.iter().peekable();
        let mut now = 0;
        while now < self.plan.storm {
            let next = faults.peek().map_or(self.plan.storm, |(at, _)| *at);
            let until = next.min(now + STEP).min(self.plan.storm);
            self.net.context.sleep(Duration::from_millis(until - now)).await;
            now = until;
            while let Some((_, fault)) = faults.next_if(|(at, _)| *at <= now) {
                self.carry_out(fault, planted).await;
            }
            self.look(now % (2 * STEP) < STEP).await;
        }
        self.heal(planted).await;
        self.judge().await
    }

    async fn carry_out(&mut self, fault: &Fault, planted: Planted) {
        let runs = |run: &Self, place: usize| run.net.node(place).is_some();
        match fault {
            Fault::Crash(place) if runs(self, *place) => self.net.crash(*place).await,
            Fault::Restart(place) if !runs(self, *place) && !self.asleep.contains(place) => {
                self.restart(*place, planted).await;
            }
            Fault::Late(place) if self.asleep.remove(place) => self.net.boot(*place).await,
            Fault::Blackout => {
                let up: Vec<_> = self.honest().filter(|place| runs(self, *place)).collect();
                for place in &up {
                    self.net.crash(*place).await;
                }
                for place in up {
                    self.restart(place, planted).await;
                }
            }
            Fault::Split(side) => self.net.partition(side.iter().copied().collect()).await,
            Fault::Heal => self.net.partition(BTreeSet::new()).await,
            Fault::Weather(weather) => self.net.set_weather(*weather).await,
            _ => return,
        }
        self.report.fault(fault.kind());
    }

    async fn restart(&mut self, place: usize, planted: Planted) {
        if planted == Planted::VotesLost {
            self.net.forget_votes(place).await;
        }
        self.net.boot(place).await;
        // Everything it said before is read again.
        self.read[place] = 0;
    }

    fn honest(&self) -> impl Iterator<Item = usize> + use<> {
        let plan = self.plan.clone();
        (0..plan.validators).filter(move |place| plan.is_honest(*place))
    }

    fn up(&self) -> Vec<&NodeHandle> {
        self.honest().filter_map(|place| self.net.node(place)).collect()
    }

    /// Reads what became final, and lets the workload go on.
    async fn look(&mut self, fresh: bool) {
        for place in self.honest() {
            let Some(node) = self.net.node(place) else { continue };
            if let Some(why) = node.stopped().borrow().clone() {
                self.findings.push(format!("validator {place} stopped: {why}"));
            }
            let height = match node.height().await {
                Ok(height) => height.get(),
                Err(error) => {
                    self.findings.push(format!("validator {place}: {error}"));
                    continue;
                }
            };
            for height in self.read[place] + 1..=height {
                let header = match node.header(Height::new(height)).await {
                    Ok(Some(header)) => header,
                    other => {
                        self.findings.push(format!("validator {place} has no header at {height}: {other:?}"));
                        break;
                    }
                };
                let digest = header.digest();
                if *self.told.entry(height).or_insert(digest) != digest {
                    self.findings.push(format!(
                        "validator {place} says another header at height {height} than was final"
                    ));
                }
                self.read[place] = height;
            }
        }
        let nodes: Vec<_> = (0..self.plan.validators)
            .filter(|place| self.plan.is_honest(*place))
            .filter_map(|place| self.net.node(place))
            .collect();
        self.work.round(&nodes, fresh).await;
    }

    /// Ends all trouble but the villains', and waits for progress.
    async fn heal(&mut self, planted: Planted) {
        self.net.partition(BTreeSet::new()).await;
        self.net.set_weather(Weather::FAIR).await;
        self.asleep.clear();
        for place in self.honest() {
            if self.net.node(place).is_none() {
                self.restart(place, planted).await;
            }
        }
        let top = self.told.keys().next_back().copied().unwrap_or(0);
        let (mut waited, mut goal) = (0, None);
        loop {
            self.look(false).await;
            let (mut lowest, mut highest) = (u64::MAX, 0);
            for node in self.up() {
                let height = node.height().await.map_or(0, |height| height.get());
                (lowest, highest) = (lowest.min(height), highest.max(height));
            }
            // The last work may be final in a block that one node alone has applied: the others are judged with it.
            if lowest >= top + GROWTH && self.work.is_over() && lowest >= *goal.get_or_insert(highest) {
                break;
            }
            if waited >= PATIENCE {
                let work = if self.work.is_over() { "all" } else { "not all" };
                self.findings.push(format!(
                    "no progress in {PATIENCE} ms after healing: height {lowest}, needed {}; {work} work is final",
                    top + GROWTH
                ));
                break;
            }
            self.net.context.sleep(Duration::from_millis(STEP)).await;
            waited += STEP;
        }
    }

    async fn judge(mut self) -> Outcome {
        let mut lowest = u64::MAX;
        for node in self.up() {
            lowest = lowest.min(node.height().await.map_or(0, |height| height.get()));
        }
        let mut views = Vec::new();
        // Proofs of one node a seed: each takes a signature's check.
        let asked = self.honest().nth(usize::try_from(self.plan.seed % 2).expect("0 or 1"));
        for place in self.honest() {
            match View::read(&self.net, place, lowest, Some(place) == asked).await {
                Ok(view) => views.push(view),
                Err(finding) => self.findings.push(finding),
            }
        }
        let network = self.net.genesis.network();
        let trust = trust(&self.net);
        self.findings.extend(rules::all(&views, &self.net.committee, network, &trust, &self.work.sent));
        self.findings.append(&mut self.work.findings);
        // What was once said to be final is what every node says now.
        for (height, digest) in &self.told {
            let now = views.first().and_then(|view| view.blocks.get(usize::try_from(height - 1).ok()?));
            if now.is_some_and(|said| said.block.header.digest() != *digest) {
                self.findings.push(format!("height {height} was final with another header"));
            }
        }
        let honest: BTreeSet<_> = self.honest().collect();
        let conflicts = self.net.tap.with(|heard| heard.conflicts.clone());
        for conflict in &conflicts {
            let place = conflict.split(' ').nth(1).and_then(|place| place.parse().ok());
            if place.is_some_and(|place| honest.contains(&place)) {
                self.findings.push(conflict.clone());
            } else {
                self.report.equivocations += 1;
            }
        }
        for (from, to) in self.net.oracle.blocked().await.unwrap_or_default() {
            let place = |key| self.net.seats.iter().position(|seat| seat.key == key);
            let (from, to) = (place(from), place(to));
            if from.is_some_and(|from| honest.contains(&from)) && to.is_some_and(|to| honest.contains(&to)) {
                self.findings.push(format!("honest validator {from:?} cut off honest validator {to:?}"));
            }
        }
        self.count(&views);
        let mut hasher = Sha256::new();
        hasher.update(self.net.context.auditor().state());
        for said in views.iter().flat_map(|view| &view.blocks) {
            hasher.update(said.block.header.digest().as_bytes());
            hasher.update(said.block.header.state.root.as_bytes());
        }
        self.findings.iter().for_each(|finding| hasher.update(finding));
        Outcome { state: hex::encode(hasher.finalize()), report: self.report, findings: self.findings }
    }

    fn count(&mut self, views: &[View]) {
        let report = &mut self.report;
        report.runs = 1;
        report.restarts = self.net.restarts();
        report.nullified = self.net.tap.with(|heard| heard.nullified.len() as u64);
        report.votes = self.net.tap.with(|heard| heard.count);
        report.bad_refused = self.work.refused;
        let Some(view) = views.first() else { return };
        report.blocks = view.blocks.len() as u64;
        let records = || view.blocks.iter().map(|said| &said.block.record);
        report.transactions = records().map(|record| record.transactions.len() as u64).sum();
        report.leaves = records().map(|record| record.said.len() as u64).sum();
        report.epochs = view.blocks.last().map_or(0, |said| said.block.header.epoch.get() + 1);
        report.proofs = views.iter().map(|view| view.proofs.len() as u64).sum();
        let certified = view.blocks.iter().filter(|said| said.certificate.is_some()).count();
        report.descended = report.blocks - certified as u64;
    }
}

/// What a court of the simulated network starts from.
#[must_use]
pub fn trust(net: &Net) -> Trust {
    let era = EraEntry { era: Era::ZERO, committee: net.committee.clone(), pin: None };
    let (_, institutions) = institutions();
    let span = Span::seconds(365 * 24 * 60 * 60);
    let file = TrustFile::new(net.genesis.network(), BlockTime::new(START), span, vec![era], institutions);
    file.expect("one era stands for itself").at(BlockTime::new(START + 1), Reliance::Court)
}
