//! `zeugma doctor`: is this machine fit to run a node?
//!
//! Each finding says what was looked at, what was found, and the command that mends it. A failed check
//! ends in exit 1; what could not be looked at is told as such and fails nothing.

mod checks;
mod config;

use crate::failure::{Failure, Rule};
use crate::output::{Lang, Output, Report, plain};
use clap::Args;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Checks configuration, keys and their permissions, clock, disk, limits, ports, peers, versions; each finding with the command that fixes it
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The node's configuration: it, what it names, and its peers are checked too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The node's data folder; by default that of the configuration, or this one
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// An address the node will listen on; give it once for each
    #[arg(long, value_name = "IP:PORT")]
    listen: Vec<SocketAddr>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Worth knowing; fails nothing.
    Note,
    Bad,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }

    fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Good => lang.pick("good", "正常"),
            Self::Note => lang.pick("note", "提示"),
            Self::Bad => lang.pick("BAD", "异常"),
        }
    }
}

/// What one check found.
#[derive(Clone, Debug)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// The command that mends it.
    fix: Option<String>,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Good, found: found.into(), fix: None }
    }

    fn note(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Note, found: found.into(), fix: Some(fix.into()) }
    }

    fn bad(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Bad, found: found.into(), fix: Some(fix.into()) }
    }

    fn text(&self, lang: Lang) -> String {
        let mut text = format!("{:4} {}: {}\n", self.verdict.word(lang), self.check, plain(&self.found));
        if let Some(fix) = &self.fix {
            text.push_str(&format!("     {}: {}\n", lang.pick("fix", "修复"), plain(fix)));
        }
        text
    }

    fn json(&self) -> Value {
        json!({ "check": self.check, "verdict": self.verdict.name(), "found": self.found, "fix": self.fix })
    }
}

impl Doctor {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let mut findings = vec![checks::version(), checks::clock(), checks::open_files()];
        let mut config = None;
        if let Some(path) = &self.config {
            let (read, finding) = config::read(path);
            findings.push(finding);
            if let Some(read) = &read {
                findings.extend(config::all(read, path));
            }
            config = read;
        }
        let dir = match (&self.dir, &config) {
            (Some(dir), _) => dir.clone(),
            (None, Some(config)) => config.node.data.clone(),
            (None, None) => PathBuf::from("."),
        };
        findings.push(checks::folder(&dir));
        findings.push(checks::space(&dir));
        let mut listen = self.listen.clone();
        if let Some(config) = &config {
            match config::running(config) {
                // Its ports are taken, by itself.
                Some(running) => findings.push(running),
                None => {
                    listen.extend([config.network.listen, config.api.listen]);
                    listen.extend(config.api.grpc.map(|grpc| grpc.listen));
                }
            }
            findings.extend(config::peers(config));
        }
        findings.extend(listen.iter().map(checks::port));
        let text = findings.iter().map(|finding| finding.text(output.lang())).collect();
        let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
        let json = json!({
            "fit": bad == 0,
            "findings": findings.iter().map(Finding::json).collect::<Vec<_>>(),
        });
        output.report(&Report { text, json });
        if bad == 0 {
            return Ok(());
        }
        let what = format!("{bad} of {} checks failed", findings.len());
        Err(Failure::own(
            Rule::Unfit,
            "this machine",
            what,
            "run the fixes told above, then zeugma doctor again",
        ))
    }
}
