//! `zeugma-sim [--seeds N] [--validators N] [--seed S]`: seeds from S on; without flags the share of the gate.
//!
//! `ZEUGMA_SIM_SEED=S` replays one seed of one size, and prints its plan. Exit 1 when a seed fails, or when the
//! whole suite injected no fault, gave up no view or restarted no node; 2 for a wrong command line.

use std::process::ExitCode;
use zeugma_sim::report::Report;
use zeugma_sim::suite::{Suite, storm_of};
use zeugma_sim::{Plan, Planted, twice};

/// Validators and seeds in the gate. `cargo xtask sim --seeds N` runs more.
const GATE: [(usize, u64); 3] = [(4, 40), (7, 5), (27, 1)];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((mut seeds, mut validators, mut first)) = parse(&words) else {
        eprintln!("usage: zeugma-sim [--seeds N] [--validators N] [--seed S]");
        return ExitCode::from(2);
    };
    if let Ok(seed) = std::env::var("ZEUGMA_SIM_SEED") {
        let Ok(seed) = seed.parse() else {
            eprintln!("ZEUGMA_SIM_SEED must be a number");
            return ExitCode::from(2);
        };
        (first, seeds, validators) = (Some(seed), Some(1), Some(validators.unwrap_or(4)));
    }
    if seeds == Some(1) || (first.is_some() && seeds.is_none()) {
        return replay(first.unwrap_or(0), validators.unwrap_or(4));
    }
    let suites: Vec<_> = match (seeds, validators) {
        (None, None) => GATE.to_vec(),
        (seeds, validators) => vec![(validators.unwrap_or(4), seeds.unwrap_or(200))],
    };
    let (mut sum, mut failed) = (Report::default(), 0);
    for (validators, seeds) in suites {
        let suite = Suite { validators, first: first.unwrap_or(0), seeds, storm: storm_of(validators) };
        let (report, failures) = suite.run();
        sum.add(&report);
        for failure in &failures {
            let again = format!("cargo xtask sim --validators {validators} --seed {}", failure.plan.seed);
            println!("failed: seed {} of {validators} validators; again by `{again}`", failure.plan.seed);
        }
        failed += failures.len();
    }
    let missing = sum.missing();
    println!("{sum}\n{} seeds passed, {failed} failed", sum.runs);
    if !missing.is_empty() {
        println!("nothing was proved: no {}", missing.join(", no "));
    }
    if failed == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay(seed: u64, validators: usize) -> ExitCode {
    let plan = Plan::draw(seed, validators, storm_of(validators));
    print!("{plan}");
    match twice(&plan, Planted::Nothing) {
        Ok(outcome) => {
            println!("{}\nstate {}", outcome.report, outcome.state);
            ExitCode::SUCCESS
        }
        Err(findings) => {
            println!("FAILED\n{}", findings.join("\n"));
            ExitCode::FAILURE
        }
    }
}

type Chosen = (Option<u64>, Option<usize>, Option<u64>);

fn parse(words: &[String]) -> Option<Chosen> {
    let (mut seeds, mut validators, mut first) = (None, None, None);
    for pair in words.chunks(2) {
        let [flag, number] = pair else { return None };
        let number: u64 = number.parse().ok()?;
        match flag.as_str() {
            "--seeds" if number > 0 => seeds = Some(number),
            "--validators" if (4..=64).contains(&number) => validators = usize::try_from(number).ok(),
            "--seed" => first = Some(number),
            _ => return None,
        }
    }
    Some((seeds, validators, first))
}
