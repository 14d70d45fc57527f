//! The commands, one file or folder each.

mod completions;
mod doctor;
mod keys;
mod trust;
mod verify;

use crate::failure::Failure;
use crate::output::Output;
use clap::Subcommand;

/// What `zeugma` can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verify a proof offline and say what it shows, and what not
    Verify(verify::Verify),
    /// Look at a trust file, check its signatures, change its form
    #[command(subcommand)]
    Trust(trust::Trust),
    /// Make and look at keys of accounts and nodes
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Check whether this machine is fit to run a node
    Doctor(doctor::Doctor),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Verify(verify) => verify.run(output),
            Self::Trust(trust) => trust.run(output),
            Self::Keys(keys) => keys.run(output),
            Self::Doctor(doctor) => doctor.run(output),
            Self::Completions(completions) => completions.run(),
        }
    }
}
