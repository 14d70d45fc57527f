//! `zeugma relay`: the watcher, which keeps clients fresh, finds misbehaviour, and delivers packets.
//!
//! Nobody has to trust it: what it brings is proved to each network, and what it hears it proves for itself first.

use super::node::log_to_stderr;
use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::output::{Output, Report, plain};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeugma_agent::{Config, Error, check};

/// The watcher of foreign chains and of routes between Zeugma networks
#[derive(Debug, Subcommand)]
pub(crate) enum Relay {
    /// Run it: Ctrl-C and SIGTERM end it cleanly; killed, it goes on where it was when it is started again
    Run(File),
    /// Read the configuration and look once at everything that it names; nothing is submitted
    Check {
        #[command(flatten)]
        file: File,
        /// Check the configuration alone, and ask nobody
        #[arg(long)]
        offline: bool,
    },
}

/// The configuration.
#[derive(Debug, Args)]
pub(crate) struct File {
    /// One TOML file; `ops/config/relay.toml` explains every field
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Relay {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Run(file) => run(&file.config),
            Self::Check { file, offline } => look(output, &file.config, offline),
        }
    }
}

fn read(path: &Path) -> Result<Config, Failure> {
    Config::read(path).map_err(|error| {
        let todo = format!("correct {}; ops/config/relay.toml explains every field", path.display());
        Failure::usage(format!("in {}: {error}", path.display()), todo)
    })
}

fn failed(path: &Path, error: Error) -> Failure {
    let todo =
        "put right what it says; `zeugma relay check` looks at everything that the configuration names";
    match error {
        Error::Config(_) | Error::System { .. } => Failure::usage(error, todo),
        error => Failure::own(Rule::NodeEnded, path.display(), error, todo),
    }
}

fn run(path: &Path) -> Result<(), Failure> {
    let config = read(path)?;
    log_to_stderr();
    let interrupt = Interrupt::listen()?;
    zeugma_agent::run(&config, interrupt.flag()).map_err(|error| failed(path, error))
}

fn look(output: &Output, path: &Path, offline: bool) -> Result<(), Failure> {
    let config = read(path)?;
    let findings =
        if offline { Vec::new() } else { check::check(&config).map_err(|error| failed(path, error))? };
    let mut text = format!(
        "{}: {} networks, {} routes, {} CometBFT chains\n",
        path.display(),
        config.hubs.len(),
        config.routes.len(),
        config.cometbft.len()
    );
    for finding in &findings {
        let (mark, state) = match &finding.state {
            Ok(state) => ("ok", state),
            Err(state) => ("WRONG", state),
        };
        text.push_str(&format!("{mark:<6} {}: {}\n", plain(&finding.subject), plain(state)));
    }
    let wrong = findings.iter().filter(|finding| finding.state.is_err()).count();
    let json = json!({
        "config": path.display().to_string(),
        "fit": wrong == 0,
        "findings": findings.iter().map(|finding| json!({
            "subject": finding.subject,
            "ok": finding.state.is_ok(),
            "state": finding.state.as_ref().unwrap_or_else(|state| state),
        })).collect::<Vec<_>>(),
    });
    output.report(&Report { text, json });
    match wrong {
        0 => Ok(()),
        wrong => {
            let what = format!("{wrong} of {} findings are wrong", findings.len());
            Err(Failure::own(Rule::Unfit, path.display(), what, "put right what is marked WRONG"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration_and_names_every_setting() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/relay.toml");
        let config = read(&path).unwrap();
        assert_eq!((config.hubs.len(), config.routes.len(), config.cometbft.len()), (2, 1, 1));
        let text = std::fs::read_to_string(&path).unwrap();
        for (field, value) in [
            ("poll_millis", config.poll_millis),
            ("patience_millis", config.patience_millis),
            ("batch_messages", config.batch_messages as u64),
            ("batch_bytes", config.batch_bytes as u64),
        ] {
            assert!(text.contains(&format!("\n{field} = {value}\n")), "{field} = {value}");
        }
        for field in ["queue", "metrics", "endpoints", "key_file", "token_file", "chain_id", "clients"] {
            assert!(text.contains(field), "{field}");
        }
        assert!(config.queue.starts_with(path.parent().unwrap()), "relative to the file");
    }

    #[test]
    fn a_configuration_that_contradicts_itself_is_a_wrong_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.toml");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/relay.toml");
        let example = std::fs::read_to_string(example).unwrap();
        for (from, to) in [("metrics = \"127.0.0.1", "metrics = \"0.0.0.0"), ("poll_millis", "pole_millis")] {
            assert!(example.contains(from), "{from}");
            std::fs::write(&path, example.replacen(from, to, 1)).unwrap();
            assert_eq!(read(&path).unwrap_err().exit(), 2, "{to}");
        }
    }
}
