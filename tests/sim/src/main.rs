//! `zeugma-sim [--long] [--seeds N] [--validators N] [--seed S]`: seeds from S on; without flags the share of the gate,
//! with `--long` the ten thousand.
//!
//! `ZEUGMA_SIM_SEED=S` replays one seed of one size, and prints its plan. Exit 1 when a seed fails, or when the
//! seeds of one size injected no fault, gave up no view or restarted no node; 2 for a wrong command line.

use std::process::ExitCode;
use zeugma_sim::report::Report;
use zeugma_sim::suite::{GATE, LONG, Suite, storm_of};
use zeugma_sim::{Plan, Planted, twice};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(mut chosen) = parse(&words) else {
        eprintln!("usage: zeugma-sim [--long] [--seeds N] [--validators N] [--seed S]");
        return ExitCode::from(2);
    };
    if let Ok(seed) = std::env::var("ZEUGMA_SIM_SEED") {
        let Ok(seed) = seed.parse() else {
            eprintln!("ZEUGMA_SIM_SEED must be a number");
            return ExitCode::from(2);
        };
        (chosen.first, chosen.seeds) = (Some(seed), Some(1));
    }
    if chosen.seeds == Some(1) || (chosen.first.is_some() && chosen.seeds.is_none()) {
        return replay(chosen.first.unwrap_or(0), chosen.validators.unwrap_or(4));
    }
    let suites: Vec<_> = match (chosen.seeds, chosen.validators) {
        (None, None) if chosen.long => LONG.to_vec(),
        (None, None) => GATE.to_vec(),
        (seeds, validators) => vec![(validators.unwrap_or(4), seeds.unwrap_or(200))],
    };
    let (mut sum, mut failed, mut missing) = (Report::default(), 0, Vec::new());
    for (validators, seeds) in suites {
        let suite =
            Suite { validators, first: chosen.first.unwrap_or(0), seeds, storm: storm_of(validators) };
        let (report, failures) = suite.run();
        sum.add(&report);
        missing
            .extend(report.missing().into_iter().map(|what| format!("no {what} at {validators} validators")));
        for failure in &failures {
            let again = format!("cargo xtask sim --validators {validators} --seed {}", failure.plan.seed);
            println!("failed: seed {} of {validators} validators; again by `{again}`", failure.plan.seed);
        }
        failed += failures.len();
    }
    println!("{sum}\n{} seeds passed, {failed} failed", sum.runs);
    if !missing.is_empty() {
        println!("nothing was proved: {}", missing.join(", "));
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

#[derive(Default)]
struct Chosen {
    long: bool,
    first: Option<u64>,
    validators: Option<usize>,
    seeds: Option<u64>,
}

fn parse(words: &[String]) -> Option<Chosen> {
    let mut chosen = Chosen::default();
    let mut words = words.iter();
    while let Some(flag) = words.next() {
        if flag == "--long" {
            chosen.long = true;
            continue;
        }
        let number: u64 = words.next()?.parse().ok()?;
        match flag.as_str() {
            "--seeds" if number > 0 => chosen.seeds = Some(number),
            "--validators" if (4..=64).contains(&number) => chosen.validators = usize::try_from(number).ok(),
            "--seed" => chosen.first = Some(number),
            _ => return None,
        }
    }
    Some(chosen)
}
