//! `zeugma evidence backup`, `restore`, `roll`, `erase`: what an operator does to a log, and a tenant to its entries.
//!
//! A running service makes its backups and rolls its shards itself, asked by its operator. A backup has the segments: every
//! record and every leaf. It has no keys, and nothing of a witness: what a witness signed never comes from a backup.

use super::serve::Configured;
use super::{At, Service, name};
use crate::failure::{Failure, Rule};
use crate::files;
use crate::output::{Output, Report, plain};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeugma_evidence_log::{Checkpoint, NoteBounds, VerifierKey};
use zeugma_evidence_service::store::{Disk, RealDisk, Restored, restore};

/// Copy every segment of a running service into a folder, durably
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where to, on the machine that serves: a folder below `log.backups` of its configuration. One that holds an older backup is
    /// brought up to date
    folder: PathBuf,
    #[command(flatten)]
    at: At,
}

impl Backup {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let folder =
            std::path::absolute(&self.folder).map_err(|why| Failure::unreadable(&self.folder, &why))?;
        let body = json!({ "folder": folder });
        let answer = Service::new(&self.at)?.json("POST", "/v1/backups", None, Some(&body))?;
        let text = format!(
            "{}: shard {} with {} entries, and every shard before it\nkeep keys.json apart: a backup has no keys\n",
            plain(&folder.display().to_string()),
            answer["shard"],
            answer["size"]
        );
        output.report(&Report { text, json: answer });
        Ok(())
    }
}

/// Make a store from a backup, in a folder that has none
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    backup: PathBuf,
    #[command(flatten)]
    configured: Configured,
    /// The newest checkpoint of the log that somebody else holds: a witness, the relay chain, a monitor. Without one that
    /// shows that nothing is missing, the log goes on under a new origin only
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Option<PathBuf>,
    /// The log's key, as it is published: it must have signed the checkpoint
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// The same of the audit log
    #[arg(long, value_name = "FILE", requires = "audit_key")]
    audit_checkpoint: Option<PathBuf>,
    /// The same of the audit log
    #[arg(long, value_name = "VKEY")]
    audit_key: Option<String>,
}

/// A checkpoint that its log's key signed.
fn checkpoint(path: Option<&PathBuf>, key: Option<&String>) -> Result<Option<Checkpoint>, Failure> {
    let (Some(path), Some(key)) = (path, key) else { return Ok(None) };
    let refused = |refusal| Failure::refused(path.display(), refusal);
    let key = VerifierKey::parse(key).map_err(refused)?;
    let note = files::read(path, NoteBounds::USUAL.bytes)?;
    let origin = key.name().to_owned();
    Checkpoint::open(&note, &origin, &key, NoteBounds::USUAL).map(Some).map_err(refused)
}

impl Restore {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let log = self.configured.read()?.log;
        let latest = checkpoint(self.checkpoint.as_ref(), self.key.as_ref())?;
        let acts = checkpoint(self.audit_checkpoint.as_ref(), self.audit_key.as_ref())?;
        let one = |backup: &Path, folder: &Path, twin: Option<&Path>, latest: Option<&Checkpoint>| {
            for made in [Some(folder), twin].into_iter().flatten() {
                std::fs::create_dir_all(made).map_err(|why| Failure::unreadable(made, &why))?;
            }
            let disk: Arc<dyn Disk> = Arc::new(RealDisk);
            let restored = restore(&disk, backup, (folder, twin), latest);
            match restored.map_err(|refusal| Failure::refused(backup.display(), refusal))? {
                Restored::Whole { size } => Ok::<_, Failure>((size, true)),
                Restored::Marked { size } => Ok((size, false)),
            }
        };
        let (size, mut whole) = one(&self.backup, &log.folder, log.twin.as_deref(), latest.as_ref())?;
        let mut audit = None;
        if self.backup.join("audit/shards").exists() {
            let twin = log.twin.as_ref().map(|twin| twin.join("audit"));
            let done =
                one(&self.backup.join("audit"), &log.folder.join("audit"), twin.as_deref(), acts.as_ref())?;
            // Both logs go on under their origins, or neither does.
            whole &= done.1;
            audit = Some(done.0);
        }
        let mut text =
            format!("{size} entries of the open shard are in {}\n", plain(&log.folder.display().to_string()));
        if let Some(acts) = audit {
            text.push_str(&format!("{acts} acts of the audit log are beside them\n"));
        }
        text.push_str(if whole {
            "the checkpoints show that nothing is missing: the log goes on under its origin, with its keys.json\n"
        } else {
            "entries or acts may be missing: set after_loss = true and a new origin in the configuration, so that nobody takes it for the log that was\n"
        });
        let json = json!({ "folder": log.folder, "size": size, "acts": audit, "whole": whole });
        output.report(&Report { text, json });
        Ok(())
    }
}

/// Close the shard of a running service and go on under another origin; deposits wait, and none is refused
#[derive(Debug, Args)]
pub(crate) struct Roll {
    /// The origin of the next shard's log
    origin: String,
    #[command(flatten)]
    at: At,
}

impl Roll {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let body = json!({ "origin": self.origin });
        let answer = Service::new(&self.at)?.json("POST", "/v1/shards", None, Some(&body))?;
        let shown = plain(&self.origin);
        let text = format!(
            "shard {} takes deposits, as {shown}\nset origin = \"{shown}\" in the configuration before the service is started again\n",
            answer["shard"]
        );
        output.report(&Report { text, json: answer });
        Ok(())
    }
}

/// Erase the record of an entry of yours, its salts and its row; leaf and proofs stay
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The entries, as `deposit` named them: SHARD/INDEX
    #[arg(required = true)]
    entries: Vec<String>,
    /// Yes, for ever
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    at: At,
}

impl Erase {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        if !self.yes {
            let todo = "say --yes; export the bundles first: nothing brings a record back, and old backups still hold it";
            return Err(Failure::usage("what is erased is erased for ever", todo));
        }
        let service = Service::new(&self.at)?;
        let names = self.entries.iter().map(|entry| name(entry)).collect::<Result<Vec<_>, _>>()?;
        let (mut erased, mut before) = (Vec::new(), Vec::new());
        for name in names {
            match service.delete(&format!("/v1/entries/{name}")) {
                Ok(()) => erased.push(name),
                // Said again, it is done again.
                Err(failure) if failure.code() == Some(Rule::RecordErased) => before.push(name),
                Err(failure) => return Err(failure),
            }
            if self.entries.len() > 100 && (erased.len() + before.len()).is_multiple_of(100) {
                output.progress(&format!("erased {} of {}", erased.len() + before.len(), self.entries.len()));
            }
        }
        let mut text = format!("{} erased\n", erased.len());
        if !before.is_empty() {
            text.push_str(&format!("{} were erased before\n", before.len()));
        }
        output.report(&Report { text, json: json!({ "erased": erased, "before": before }) });
        Ok(())
    }
}
