//! `zeugma dkg`: this validator's part in making the group key. No dealer, and nobody ever holds the key.

use super::node::{log_to_stderr, read_config};
use crate::ending;
use crate::failure::{Failure, Rule};
use crate::output::{Output, Report};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Makes the group key: all validators of the genesis run this at the same time, once, before the first start
#[derive(Debug, Args)]
pub(crate) struct Dkg {
    /// The configuration of this validator's node
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Which attempt this is, from 0: all validators give the same
    #[arg(long, default_value_t = 0, value_name = "N")]
    attempt: u64,
    /// Seconds to wait for the others; started again, the same attempt goes on where it was
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    patience: u64,
    /// End when standard input is closed
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Dkg {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let config = read_config(&self.config)?;
        log_to_stderr();
        if self.with_parent {
            std::thread::spawn(|| {
                ending::read_to_end_of_stdin();
                // Every record of the ceremony is durable when it is made: an end at any point costs nothing.
                std::process::exit(3);
            });
        }
        let made = zeugma_node::generate(&config, self.attempt, Duration::from_secs(self.patience));
        let made = made.map_err(|error| {
            let todo = format!(
                "check that every validator runs it and that the addresses under [network] are right; if it says that \
                 there can be no key, all run it again with --attempt {}",
                self.attempt.saturating_add(1)
            );
            Failure::own(Rule::NoGroupKey, self.config.display(), format!("{error:#}"), todo)
        })?;
        let (key, transcript) = (hex::encode(made.group_key), made.transcript.to_string());
        let pick = |en, zh| output.lang().pick(en, zh);
        let share = config.node.share.display().to_string();
        output.report(&Report {
            text: format!(
                "{}: {key}\n{}: {transcript}\n{}: {share}\n{}\n",
                pick("group key", "群公钥"),
                pick("transcript", "记录摘要"),
                pick("share written to", "份额已写入"),
                pick(
                    "compare the transcript with the other validators by voice before you start the node",
                    "启动节点之前，请与其他验证者口头核对记录摘要"
                ),
            ),
            json: json!({ "group_key": key, "transcript": transcript, "share": share, "attempt": self.attempt }),
        });
        Ok(())
    }
}
