//! Many seeds over all cores, each run twice; and the hunt for a planted bug among them.

use crate::plan::Plan;
use crate::planted::Planted;
use crate::report::Report;
use crate::run::{Outcome, run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Validators and seeds in the gate.
pub const GATE: [(usize, u64); 3] = [(4, 200), (7, 40), (27, 5)];
/// Validators and seeds of the long run: ten thousand.
pub const LONG: [(usize, u64); 3] = [(4, 8_000), (7, 1_800), (27, 200)];

/// How often a long suite says where it is.
const PROGRESS: Duration = Duration::from_secs(20);

/// Seeds of one size of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Validators.
    pub validators: usize,
    /// The first seed.
    pub first: u64,
    /// How many.
    pub seeds: u64,
    /// Milliseconds of trouble in each run.
    pub storm: u64,
}

/// Milliseconds of trouble for so many validators: a larger network does more work in each.
#[must_use]
pub const fn storm_of(validators: usize) -> u64 {
    match validators {
        0..=4 => 2_500,
        5..=10 => 2_000,
        _ => 1_500,
    }
}

/// A seed that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its plan.
    pub plan: Plan,
    /// What was found.
    pub findings: Vec<String>,
}

/// Runs at once: one for each core.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// Runs a plan; a panic is a finding.
fn caught(plan: &Plan, planted: Planted) -> Result<Outcome, Vec<String>> {
    catch_unwind(AssertUnwindSafe(|| run(plan, planted))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        vec![format!("panic: {}", text.unwrap_or_default())]
    })
}

/// Where a planted bug was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The seed.
    pub seed: u64,
    /// What the rules said, with what else they found.
    pub findings: Vec<String>,
}

/// Looks for a planted bug under the plans of the gate's smallest networks, seed after seed: findings where the
/// same plan without the bug has none. `None` when none of their seeds shows it.
///
/// # Panics
/// When a thread cannot be started.
#[must_use]
pub fn hunt(planted: Planted) -> Option<Found> {
    let [(validators, seeds), ..] = GATE;
    let next = AtomicU64::new(0);
    let found: Mutex<Option<Found>> = Mutex::new(None);
    let held = || found.lock().expect("no thread panics while it holds what was found");
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while held().is_none() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let plan = Plan::draw(seed, validators, storm_of(validators));
                    // A node that panics fails a seed of the gate too; what the plan does by itself is not the bug.
                    let findings =
                        caught(&plan, planted).map_or_else(|panic| panic, |outcome| outcome.findings);
                    let clean = || caught(&plan, Planted::Nothing).is_ok_and(|run| run.findings.is_empty());
                    if !findings.is_empty() && clean() {
                        *held() = Some(Found { seed, findings });
                    }
                }
            });
        }
    });
    found.into_inner().expect("no thread panics while it holds what was found")
}

/// Runs a plan twice.
///
/// # Errors
/// What a run found, or that the two differ.
pub fn twice(plan: &Plan, planted: Planted) -> Result<Outcome, Vec<String>> {
    let (one, two) = (caught(plan, planted)?, caught(plan, planted)?);
    if !one.findings.is_empty() {
        return Err(one.findings);
    }
    if one != two {
        return Err(vec![format!("two runs of one seed differ: {} and {}", one.state, two.state)]);
    }
    Ok(one)
}

impl Suite {
    /// Runs all seeds; says what they did, and which failed.
    ///
    /// # Panics
    /// When a thread cannot be started.
    #[must_use]
    pub fn run(&self) -> (Report, Vec<Failure>) {
        let next = AtomicU64::new(0);
        let sum = Mutex::new((Report::default(), Vec::new(), Instant::now()));
        let started = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads() {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= self.seeds {
                            return;
                        }
                        let plan = Plan::draw(self.first + number, self.validators, self.storm);
                        let result = twice(&plan, Planted::Nothing);
                        let mut sum = sum.lock().expect("no thread panics while it holds the sum");
                        match result {
                            Ok(outcome) => sum.0.add(&outcome.report),
                            Err(findings) => {
                                println!("FAILED {plan}{}", findings.join("\n"));
                                sum.1.push(Failure { plan, findings });
                            }
                        }
                        if sum.2.elapsed() > PROGRESS {
                            sum.2 = Instant::now();
                            let (done, seconds) =
                                (sum.0.runs + sum.1.len() as u64, started.elapsed().as_secs());
                            println!(
                                "{} validators: {done} of {} seeds, {seconds} s",
                                self.validators, self.seeds
                            );
                        }
                    }
                });
            }
        });
        let (report, failures, _) = sum.into_inner().expect("no thread panics while it holds the sum");
        println!(
            "{} validators, {} seeds from {}, each twice, {} ms of trouble each, {:.1} s\n  {report}",
            self.validators,
            self.seeds,
            self.first,
            self.storm,
            started.elapsed().as_secs_f64()
        );
        (report, failures)
    }
}
