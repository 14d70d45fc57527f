//! `zeugma evidence serve` and what is done while it stands still.

use crate::command::node::log_to_stderr;
use crate::ending::{self, Parent};
use crate::failure::{Failure, Rule};
use crate::files;
use crate::output::{Output, Report, plain};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use zeugma_evidence_service::desk::Desk;
use zeugma_evidence_service::keys::Keys;
use zeugma_evidence_service::{Config, RunError, Started};

/// Longest configuration, in bytes.
const LONGEST: usize = 256 * 1024;

/// Which configuration.
#[derive(Clone, Debug, Args)]
pub(crate) struct Configured {
    /// One TOML file; `ops/config/evidence.toml` explains every field
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the log stands, if the configuration does not say
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Configured {
    pub(super) fn read(&self) -> Result<Config, Failure> {
        let mut config = match &self.config {
            None => Config::default(),
            Some(path) => {
                let bytes = files::read(path, LONGEST)?;
                Config::from_toml(&String::from_utf8_lossy(&bytes)).map_err(|why| {
                    let todo = "correct it; ops/config/evidence.toml explains every field";
                    Failure::usage(format!("in {}: {why}", path.display()), todo)
                })?
            }
        };
        if let Some(folder) = &self.folder {
            config.log.folder.clone_from(folder);
        }
        Ok(config)
    }
}

/// Run it: Ctrl-C and SIGTERM end it cleanly
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    configured: Configured,
    /// Listen here instead
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<std::net::SocketAddr>,
    /// End when standard input is closed
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Serve {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let mut config = self.configured.read()?;
        if let Some(listen) = self.listen {
            config.api.listen = listen;
        }
        log_to_stderr();
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|why| Failure::unreachable(format!("no runtime: {why}"), "try again"))?;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let parent = Parent::of(self.with_parent);
        runtime.spawn(async move {
            // Without signals the process still ends when it is killed, and loses nothing that was acknowledged.
            if ending::asked(parent).await.is_ok() {
                let _ = stop.send(true);
            } else {
                std::future::pending::<()>().await;
            }
        });
        let started = |started: &Started| output.report(&told(started));
        runtime.block_on(zeugma_evidence_service::run(config, stopped, started)).map_err(failed)
    }
}

fn told(started: &Started) -> Report {
    let mut text = format!("{} takes deposits on {}\n", started.origin, started.url);
    if let Some(path) = &started.token_file {
        text.push_str(&format!("token: {}\n", plain(&path.display().to_string())));
    }
    text.push_str(&format!("account that anchors: {}\n", started.account));
    let json = json!({
        "origin": started.origin,
        "address": started.address.to_string(),
        "url": started.url,
        "token_file": started.token_file.as_ref().map(|path| path.display().to_string()),
        "account": started.account,
    });
    Report { text, json }
}

fn failed(error: RunError) -> Failure {
    match error {
        RunError::Log(refusal) => Failure::refused("the log", refusal),
        RunError::Webhooks(refusal) => Failure::refused("the webhooks", refusal),
        RunError::Trust { path, refusal } => Failure::refused(path.display(), refusal),
        error => {
            Failure::usage(error, "put right what it names; ops/config/evidence.toml explains every field")
        }
    }
}

/// Which log.
#[derive(Debug, Args)]
pub(crate) struct Fsck {
    #[command(flatten)]
    configured: Configured,
    /// Repair what can be repaired: a segment from its twin, a tile from the entries
    #[arg(long)]
    repair: bool,
}

impl Fsck {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let config = self.configured.read()?;
        let keys = Keys::open(&config.log.folder.join("keys.json"))
            .map_err(|why| Failure::usage(why, "name the folder of a log: --folder FOLDER"))?;
        let refused = |log: &'static str| move |refusal| Failure::refused(log, refusal);
        let acts =
            zeugma_evidence_service::audit::open_desk(&config, &keys).map_err(refused("the audit log"))?;
        let acts = acts.fsck(self.repair).map_err(refused("the audit log"))?;
        let desk = Desk::open(&config, keys).map_err(refused("the log"))?;
        let fsck = desk.fsck(self.repair).map_err(refused("the log"))?;
        let (mut text, mut json) = checked("entries", &fsck);
        let (more, audit) = checked("acts of the audit log", &acts);
        text.push_str(&more);
        json["audit"] = audit;
        output.report(&Report { text, json });
        if fsck.is_clean() && acts.is_clean() {
            return Ok(());
        }
        let findings = fsck.findings.iter().chain(&acts.findings);
        let what = format!("{} findings are not repaired", findings.filter(|one| !one.repaired).count());
        Err(Failure::own(
            Rule::Damaged,
            config.log.folder.display(),
            what,
            "run it with --repair, or restore a backup",
        ))
    }
}

/// What a check of one log found.
fn checked(what: &str, fsck: &zeugma_evidence_service::store::Fsck) -> (String, serde_json::Value) {
    let findings: Vec<String> = fsck.findings.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{} {what} ({} erased), {} tiles, {} checkpoints, {} rows of the index\n",
        fsck.entries, fsck.erased, fsck.tiles, fsck.checkpoints, fsck.rows
    );
    for finding in &findings {
        text.push_str(&format!("{}\n", plain(finding)));
    }
    let json = json!({
        "entries": fsck.entries, "erased": fsck.erased, "tiles": fsck.tiles,
        "checkpoints": fsck.checkpoints, "rows": fsck.rows,
        "findings": findings, "clean": fsck.is_clean(),
    });
    (text, json)
}
