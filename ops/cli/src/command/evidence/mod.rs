//! `zeugma evidence`: deposit digests of files, and keep what shows that they were there.

mod attach;
mod deposit;
mod export;
mod operate;
mod serve;
mod service;
mod token;
mod witness;

use crate::clock;
use crate::failure::{Failure, Rule};
use crate::files::{self, Readers};
use crate::output::{Output, Report, plain};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
pub(crate) use service::Service;
use std::path::PathBuf;
use zeugma_types::BlockTime;

/// Deposits, receipts and bundles of evidence
#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Run the service: without a configuration, a whole one in ./evidence
    Serve(serve::Serve),
    /// Deposit the digests of files; the files stay where they are
    Deposit(deposit::Deposit),
    /// Where an entry stands: received, logged, anchored
    Status {
        /// The entry, as `deposit` named it: SHARD/INDEX
        entry: String,
        /// Wait until it is this far
        #[arg(long, value_parser = ["logged", "anchored"])]
        wait: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Fetch the bundle of an entry: all that shows what happened to it, in one file
    Bundle {
        /// The entry, as `deposit` named it: SHARD/INDEX
        entry: String,
        /// Where to write it; a file that exists is not written over
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        at: At,
    },
    /// Fetch a policy that believes this service alone: where your own begins
    Policy {
        /// Where to write it; a file that exists is not written over
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        at: At,
    },
    /// Fetch the bundles of many entries into a folder; a run that was broken off goes on
    Export(export::Export),
    /// Copy every segment of a running service into a folder, durably
    Backup(operate::Backup),
    /// Make a store from a backup, in a folder that has none
    Restore(operate::Restore),
    /// Close the shard of a running service and go on under another origin
    Roll(operate::Roll),
    /// Erase the records of entries of yours; leaf and proofs stay
    Erase(operate::Erase),
    /// Put what another transparency service says of an entry into its bundle
    Attach(attach::Attach),
    /// Cosign the logs of others: C2SP tlog-witness
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
    /// Build everything anew from the segments of a stopped service, and compare
    Fsck(serve::Fsck),
    /// Tokens of a service: make, list, revoke
    #[command(subcommand)]
    Token(token::Token),
}

/// Which service.
#[derive(Clone, Debug, Args)]
pub(crate) struct At {
    /// The service
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7470", env = "ZEUGMA_EVIDENCE")]
    service: String,
    /// File with the token: of a service on this machine, its folder's `token`
    #[arg(long, value_name = "FILE", default_value = "evidence/token", env = "ZEUGMA_EVIDENCE_TOKEN_FILE")]
    token_file: PathBuf,
    /// With https: the X.509 certificates under which the service's name is believed, in PEM; without it the system's
    #[arg(long, value_name = "FILE", env = "ZEUGMA_EVIDENCE_CA")]
    ca: Option<PathBuf>,
    /// With https: your own X.509 certificate, in PEM; a token is then not needed
    #[arg(long, value_name = "FILE", requires = "key", env = "ZEUGMA_EVIDENCE_CERT")]
    cert: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert", env = "ZEUGMA_EVIDENCE_KEY")]
    key: Option<PathBuf>,
}

impl At {
    /// A service and the file with its token.
    pub(crate) const fn new(service: String, token_file: PathBuf) -> Self {
        Self { service, token_file, ca: None, cert: None, key: None }
    }
}

impl Evidence {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Serve(serve) => serve.run(output),
            Self::Deposit(deposit) => deposit.run(output),
            Self::Status { entry, wait, at } => {
                let standing = standing(&Service::new(&at)?, &entry, wait.as_deref())?;
                output.report(&told(&standing));
                match &wait {
                    Some(wait) if standing["state"] != wait.as_str() && standing["state"] != "anchored" => {
                        let what = format!("entry {entry} is {}, not yet {wait}", standing["state"]);
                        let todo = "ask again; `zeugma evidence status` without --wait tells where it stands";
                        Err(Failure::own(Rule::TooSlow, &entry, what, todo))
                    }
                    _ => Ok(()),
                }
            }
            Self::Bundle { entry, out, at } => {
                let bytes = Service::new(&at)?.bytes(&format!("/v1/entries/{}/bundle", name(&entry)?))?;
                written(output, &out, &bytes)
            }
            Self::Policy { out, at } => {
                let bytes = Service::public(&at)?.bytes("/v1/policy")?;
                written(output, &out, &bytes)
            }
            Self::Export(export) => export.run(output),
            Self::Backup(backup) => backup.run(output),
            Self::Restore(restore) => restore.run(output),
            Self::Roll(roll) => roll.run(output),
            Self::Erase(erase) => erase.run(output),
            Self::Attach(attach) => attach.run(output),
            Self::Witness(witness) => witness.run(output),
            Self::Fsck(fsck) => fsck.run(output),
            Self::Token(token) => token.run(output),
        }
    }
}

/// An entry's name, in the one form that a path takes.
fn name(entry: &str) -> Result<String, Failure> {
    let parsed = entry
        .split_once('/')
        .and_then(|(shard, index)| Some((shard.parse::<u32>().ok()?, index.parse::<u64>().ok()?)));
    match parsed {
        Some((shard, index)) => Ok(format!("{shard}/{index}")),
        None => Err(Failure::usage(
            format!("{} names no entry", plain(entry)),
            "give it as `zeugma evidence deposit` named it: SHARD/INDEX, as 0/17",
        )),
    }
}

fn standing(service: &Service, entry: &str, wait: Option<&str>) -> Result<Value, Failure> {
    let wait = wait.map(|state| format!("?wait=30&for={state}")).unwrap_or_default();
    service.json("GET", &format!("/v1/entries/{}{wait}", name(entry)?), None, None)
}

/// The three times, each with whose word it is.
fn told(standing: &Value) -> Report {
    let at = |name: &str| standing[name].as_u64().map(|at| clock::show(BlockTime::new(at)));
    let mut text = format!(
        "entry {}/{}: {}\n",
        standing["shard"],
        standing["index"],
        standing["state"].as_str().unwrap_or("?")
    );
    if let Some(at) = at("received_at") {
        text.push_str(&format!("received  {at}, by the service's word\n"));
    }
    if let Some(size) = standing["logged_size"].as_u64() {
        text.push_str(&format!("logged    in the checkpoint of size {size}\n"));
    }
    match (at("anchored_at"), standing["anchored_size"].as_u64()) {
        (Some(at), Some(size)) => {
            text.push_str(&format!("anchored  {at}, by the relay chain's certificate, at size {size}\n"));
        }
        _ => text.push_str("anchored  not yet\n"),
    }
    Report { text, json: standing.clone() }
}

fn written(output: &Output, out: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    files::write_new(out, bytes, Readers::Anyone)?;
    let shown = out.display().to_string();
    output.report(&Report {
        text: format!("wrote {} ({} bytes)\n", plain(&shown), bytes.len()),
        json: json!({ "file": shown, "bytes": bytes.len() }),
    });
    Ok(())
}
