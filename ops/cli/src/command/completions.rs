//! `zeugma completions SHELL`.

use crate::failure::Failure;
use crate::{Cli, output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints the completion script of a shell; for bash: `zeugma completions bash > ~/.local/share/bash-completion/completions/zeugma`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "zeugma", &mut script);
        output::print(&String::from_utf8_lossy(&script));
        Ok(())
    }
}
