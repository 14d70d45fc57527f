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
mod path_text;
mod route;
mod submit;
mod trust;
mod words;

use clap::Parser;
use command::Command;
use output::{Output, Style};
use std::process::ExitCode;

/// Every chain's proof in, one certificate out.
#[derive(Debug, Parser)]
#[command(name = "zeugma", version, propagate_version = true, after_help = EXITS)]
struct Cli {
    #[command(flatten)]
    style: Style,
    #[command(subcommand)]
    command: Command,
}

const EXITS: &str = "Exit: 0 done, 1 refused (the code and the rule on stderr), 2 usage, 3 not reachable.";

fn main() -> ExitCode {
    let Cli { style, command } = Cli::parse();
    let output = Output::new(style);
    match command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit())
        }
    }
}
