//! `zeugma node`: runs one validator until it is asked to end, and serves its API beside it.

use crate::ending::{self, Parent};
use crate::failure::{Failure, Rule};
use crate::output::Lang;
use crate::{families, telemetry};
use clap::Args;
use std::path::{Path, PathBuf};
use zeugma_node::{NodeConfig, api};
use zeugma_telemetry::Logs;

/// Runs a node: consensus, storage, and the API with its metrics. Ctrl-C and SIGTERM end it cleanly
#[derive(Debug, Args)]
pub(crate) struct Node {
    /// The configuration, one TOML file; `ops/config/zeugma.toml` explains every field
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// End when standard input is closed
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Node {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let config = read_config(&self.config)?;
        // Its relations were checked with the rest.
        let collector =
            config.telemetry.collector().map_err(|error| Failure::usage(error, "correct [telemetry]"))?;
        telemetry::begin("zeugma-node", LOGS, collector)?;
        let parent = Parent::of(self.with_parent);
        // The address first: a wrong one is told before anything is opened.
        let listener = api::listen(&config.api)
            .map_err(|error| Failure::usage(error, format!("change [api] in {}", self.config.display())))?;
        let served = config.api.clone();
        let ended = zeugma_node::run(&config, families::all(), move |handle| async move {
            let end = async move {
                // Without handlers the node ends at once, and says so: better than one that cannot be ended.
                if let Err(error) = ending::asked(parent).await {
                    eprintln!("the node ends: no handler for signals: {error}");
                }
            };
            Ok(api::serve(listener, served, handle, families::all(), end).await?)
        });
        ended.map_err(|error| {
            let todo = "put right what it says; `zeugma doctor` checks the machine";
            Failure::own(Rule::NodeEnded, self.config.display(), format!("{error:#}"), todo)
        })
    }
}

/// Reads a configuration and checks its relations.
pub(super) fn read_config(path: &Path) -> Result<NodeConfig, Failure> {
    let todo = || format!("correct {}; ops/config/zeugma.toml explains every field", path.display());
    let config = NodeConfig::read(path).map_err(|error| Failure::usage(format!("{error:#}"), todo()))?;
    config.check().map_err(|error| Failure::usage(format!("in {}: {error:#}", path.display()), todo()))?;
    Ok(config)
}

/// What an operator reads of a program that runs for long.
const LOGS: Logs = Logs::Stderr("warn,zeugma=info,zeugma_node=info,zeugma_agent=info");

/// What happens goes to stderr, as much of it as `RUST_LOG` asks for: by default what an operator reads.
pub(super) fn log_to_stderr() {
    if let Err(failure) = telemetry::begin("zeugma", LOGS, None) {
        // The work is worth more than its log.
        eprint!("{}", failure.text(Lang::En));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_what_the_program_reads() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/zeugma.toml");
        let config = read_config(&path).unwrap();
        assert_eq!(config.network.peers.len(), 4);
        assert!(config.api.listen.ip().is_loopback() && config.api.tokens.is_empty());
        let text = std::fs::read_to_string(&path).unwrap();
        // Every setting of the API stands there with the value it has without being set.
        let serialized = serde_json::to_value(api::ApiConfig::default()).unwrap();
        let set = serialized.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
        for (field, _) in set {
            assert!(text.contains(&format!("\n{field} = ")), "{field} is not in the example");
        }
        assert_eq!(config.api, api::ApiConfig::default());
    }

    #[test]
    fn a_setting_that_is_not_known_or_that_contradicts_another_is_a_wrong_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        let example =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/zeugma.toml"));
        let example = example.unwrap();
        for (from, to) in [
            ("workers = 2", "threadz = 2"),
            ("share = \"share.key\"", "share = \"identity.key\""),
            ("requests = 256", "requests = 0"),
        ] {
            assert!(example.contains(from), "{from}");
            std::fs::write(&path, example.replace(from, to)).unwrap();
            assert_eq!(read_config(&path).unwrap_err().exit(), 2, "{to}");
        }
    }
}
