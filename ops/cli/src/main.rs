//! The `zeugma` command.
//!
//! Every command takes `--json` and ends in one of four ways: 0 done, 1 refused (the code and the rule
//! on stderr), 2 a wrong command line, 3 something that was needed could not be reached. What a command
//! finds out goes to stdout, as words or as one JSON object; why it failed goes to stderr, with what to
//! do about it. Secrets are never printed.

mod clock;
mod command;
mod devnet;
mod ending;
mod failure;
mod families;
mod files;
mod keyfile;
mod output;
mod parameters;
mod path_text;
mod route;
mod submit;
mod telemetry;
mod trust;
mod words;

use clap::Parser;
use command::Command;
use output::{Output, Style};
use std::process::ExitCode;
use zeugma_telemetry::Collector;

/// Every chain's proof in, one certificate out.
#[derive(Debug, Parser)]
#[command(name = "zeugma", version, propagate_version = true, after_help = EXITS)]
struct Cli {
    #[command(flatten)]
    style: Style,
    /// Tell traces to this collector: OTLP over HTTP, http://HOST:PORT
    #[arg(long, global = true, env = "ZEUGMA_OTLP", value_name = "URL", value_parser = telemetry::parse)]
    otlp: Option<Collector>,
    #[command(subcommand)]
    command: Command,
}

const EXITS: &str = "Exit: 0 done, 1 refused (the code and the rule on stderr), 2 usage, 3 not reachable.";

fn main() -> ExitCode {
    let Cli { style, otlp, command } = Cli::parse();
    let output = Output::new(style);
    telemetry::named(otlp);
    let ended = command.run(&output);
    telemetry::end();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit())
        }
    }
}
