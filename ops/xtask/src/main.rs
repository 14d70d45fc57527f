//! The tasks of the project: `cargo xtask TASK`.
//!
//! Exit 0 when the task is done, 1 when it found something wrong, 2 for a wrong command line.

mod alerts;
mod bench;
mod built;
mod child;
mod contracts;
mod fuzz;
mod gate;
mod law;
mod model;
mod pages;
mod rings;
mod sim;
mod tools;
mod verifiers;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  test [--all] [--unit]   the gate: every suite, a table of minutes, `N passed, N failed`
                          --all   also the tests marked #[ignore], which are the long ones
                          --unit  only the tests beside the code
  rings                   the pure ring reaches no clock, file, socket, randomness or runtime,
                          rooms depend only inward, and the ring builds where there is no std
  fuzz SECONDS [TARGET]   fuzzes every decoder of outside bytes, guided by coverage, for so long together
  fuzz --seeds            writes the fuzz targets' seeds anew
  sim [--seeds N] [--validators N] [--seed S]
                          whole networks from seeds, each twice; without flags the ten thousand
  sim packets [--histories N] [--seed S]
                          random histories of packets over several ledgers, judged by plain sums
  bench [WHAT]            speed, with the peers in the same run; WHAT is idle, wan27, certificate, cometbft-header,
                          evidence, evidence-load [N], evidence-verdicts
  alerts [--record]       the alert rules and the dashboard, run by a real Prometheus
                          --record  runs a real network into trouble, and writes its series as a test; nine minutes
  model [--record]        the model of a packet's life, and that its check finds planted faults
                          --record  writes histories of it, which the ledger replays
  contracts [--gas]       the tests of the Solidity contracts; with --gas, writes their gas report anew
  docs [--check]          writes the generated pages; with --check, fails when one would change
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", flags @ ..] => match gate::Options::parse(flags) {
            Some(options) => gate::run(options),
            None => return usage(),
        },
        ["rings"] => rings::run().map(|report| {
            println!("{report}");
            true
        }),
        ["fuzz", words @ ..] => match fuzz::Command::parse(words) {
            Some(command) => command.run().map(|()| true),
            None => return usage(),
        },
        ["sim", flags @ ..] => sim::command(flags).map(|()| true),
        ["bench", what @ ..] => match bench::command(what) {
            Some(done) => done.map(|()| true),
            None => return usage(),
        },
        ["alerts"] => alerts::run().map(|_| true),
        ["alerts", "--record"] => alerts::record::run().map(|()| true),
        ["model"] => model::prepare().and_then(|()| model::run()).map(|_| true),
        ["model", "--record"] => model::record().map(|()| true),
        ["contracts"] => contracts::prepare().and_then(|()| contracts::test()).map(|()| true),
        ["contracts", "--gas"] => contracts::prepare().and_then(|()| contracts::write_gas()).map(|()| true),
        ["docs"] => pages::write().map(|()| true),
        ["docs", "--check"] => pages::check().map(|()| true),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => return usage(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}
