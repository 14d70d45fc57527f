//! `zeugma evidence deposit`: files are hashed here, in parallel, and only their digests are sent.
//!
//! A run that was broken off is begun again and goes on where it was, by its journal; a service that is away is waited for
//! by a queue on disk. Either way a record is deposited once: the service gives the same record its one position.

mod hashing;
mod journal;
mod queue;

use super::At;
use super::service::Service;
use crate::failure::{Failure, Rule};
use crate::files::{self, Readers};
use crate::output::{Output, Report, plain};
use clap::Args;
use hashing::{Hashed, gather, hash_all};
use journal::Journal;
use queue::Queue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Records of one request.
const BATCH: usize = 1_000;

/// What to deposit.
#[derive(Debug, Args)]
pub(crate) struct Deposit {
    /// Files, folders with all that is in them, or - for stdin
    #[arg(required_unless_present = "flush")]
    paths: Vec<PathBuf>,
    /// Where the content comes from, as you state it
    #[arg(long, default_value = "", value_name = "TEXT")]
    origin: String,
    /// Media type of all of it
    #[arg(long, default_value = "application/octet-stream", value_name = "TYPE")]
    media_type: String,
    /// A field of your own; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    field: Vec<(String, String)>,
    /// Write the receipts here, a line of JSON each; a file that exists is not written over
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Keep here what was deposited, so that a run that was broken off goes on. Without it, of a folder: beside the folder, as
    /// FOLDER.deposits, until the run is complete
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Put what a service that is away cannot take into this folder, to be sent later
    #[arg(long, value_name = "FOLDER")]
    queue: Option<PathBuf>,
    /// Send what waits in the queue, and nothing else
    #[arg(long, requires = "queue", conflicts_with = "paths")]
    flush: bool,
    #[command(flatten)]
    at: At,
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What became of a request.
enum Sent {
    /// A line for each file.
    Done(Vec<Value>),
    /// The service is away, or cannot take it now.
    Away(Failure),
}

/// Sends the items of one request, and tells of each file what was answered.
fn send(service: &Service, items: &[Value], files: &[Value], key: Option<&str>) -> Result<Sent, Failure> {
    match service.json("POST", "/v1/deposits", key, Some(&json!({ "items": items }))) {
        Ok(answer) => {
            let answers = answer["items"].as_array().cloned().unwrap_or_default();
            if answers.len() != files.len() {
                let what = format!("{} answers to {} records", answers.len(), files.len());
                let todo = "check that --service names an evidence service";
                return Err(Failure::own(Rule::Declined, "the service", what, todo));
            }
            Ok(Sent::Done(files.iter().zip(answers).map(|(file, answer)| line(file, &answer)).collect()))
        }
        Err(failure) if is_away(&failure) => Ok(Sent::Away(failure)),
        Err(failure) => Err(failure),
    }
}

/// Whether another moment can help, without anything being changed here.
fn is_away(failure: &Failure) -> bool {
    let passing = [Rule::QueueFull, Rule::IndexBehind, Rule::StoreFull, Rule::StoreFailed];
    match failure.code() {
        Some(code) => passing.contains(&code),
        None => failure.exit() == 3,
    }
}

/// What is kept of one answer.
fn line(file: &Value, answer: &Value) -> Value {
    json!({
        "file": file["file"],
        "sha256": file["sha256"],
        "size": file["size"],
        "changed": file["changed"],
        "entry": format!("{}/{}", answer["shard"], answer["index"]),
        "known": answer["known"],
        "received_at": answer["received_at"],
        "due_at": answer["due_at"],
        "receipt": answer["receipt"],
    })
}

/// What a run did so far.
#[derive(Default)]
struct Told {
    /// A line for each file that the service has.
    lines: Vec<Value>,
    /// Entries that this run made.
    new: usize,
    /// Files that an earlier run deposited.
    before: usize,
    /// Files that wait in the queue.
    queued: usize,
}

impl Deposit {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let service = Service::new(&self.at)?;
        let queue = self.queue.as_deref().map(Queue::open).transpose()?;
        let mut told = Told::default();
        // What waited first: in the order in which it was asked for.
        let away = match &queue {
            None => None,
            Some(queue) => {
                let flushed = queue.flush(&service, output)?;
                told.new = fresh(&flushed.lines);
                told.lines = flushed.lines;
                match (flushed.away, self.flush) {
                    (Some(failure), true) => {
                        output.progress(&format!("{} requests still wait", flushed.waits));
                        return Err(failure);
                    }
                    (away, _) => away,
                }
            }
        };
        if !self.flush {
            self.deposit(&service, queue.as_ref().map(|queue| (queue, away)), &mut told, output)?;
        }
        if let Some(path) = &self.receipts {
            let lines: String = told.lines.iter().map(|one| format!("{one}\n")).collect();
            files::write_new(path, lines.as_bytes(), Readers::Owner)?;
        }
        output.report(&report(told));
        Ok(())
    }

    fn deposit(
        &self,
        service: &Service,
        queue: Option<(&Queue, Option<Failure>)>,
        told: &mut Told,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut files = Vec::new();
        for path in &self.paths {
            gather(path, &mut files)?;
        }
        files.sort();
        files.dedup();
        if files.is_empty() {
            return Err(Failure::usage(
                "there is no file to deposit",
                "name a file, or a folder that holds one",
            ));
        }
        let folder = self.paths.iter().find(|path| path.is_dir());
        let own = self.journal.is_none();
        let path = self.journal.clone().or_else(|| folder.and_then(|folder| journal::beside(folder)));
        let mut journal = match path.as_deref().map(|path| Journal::open(path, &self.of())).transpose() {
            // Nobody asked for it, so a folder that may not be written beside is deposited all the same.
            Err(failure) if own && failure.code() == Some(Rule::NotWritten) => {
                output.progress(
                    "no journal can be kept beside the folder: a run that is broken off begins anew",
                );
                None
            }
            journal => journal?,
        };
        // Neither it nor the queue is what is deposited.
        let apart = [path.as_deref(), self.queue.as_deref()]
            .map(|path| path.and_then(|path| path.canonicalize().ok()));
        files.retain(|file| {
            let file = file.canonicalize().unwrap_or_default();
            !apart.iter().flatten().any(|apart| file.starts_with(apart))
        });
        if let Some(journal) = &journal {
            files.retain(|file| match journal.deposited(file) {
                Some(line) => {
                    told.lines.push(line.clone());
                    told.before += 1;
                    false
                }
                None => true,
            });
            if told.before > 0 {
                output.progress(&format!("{} files were deposited before; going on", told.before));
            }
        }
        let (queue, mut away) = match queue {
            Some((queue, away)) => (Some(queue), away),
            None => (None, None),
        };
        let (all, mut done) = (files.len(), 0);
        hash_all(&files, BATCH, |mut batch| {
            batch.sort_by(|one, other| one.path.cmp(&other.path));
            let items: Vec<Value> = batch.iter().map(|file| self.item(file)).collect();
            let named: Vec<Value> = batch.iter().map(named).collect();
            done += batch.len();
            let sent = match away.take() {
                // Once away, away for this run: what follows is not to overtake what waits.
                Some(failure) => Sent::Away(failure),
                None => send(service, &items, &named, None)?,
            };
            match (sent, queue) {
                (Sent::Done(lines), _) => {
                    if let Some(journal) = &mut journal {
                        journal.write(&lines)?;
                    }
                    told.new += fresh(&lines);
                    told.lines.extend(lines);
                }
                (Sent::Away(failure), Some(queue)) => {
                    queue.put(&items, &named)?;
                    told.queued += batch.len();
                    away = Some(failure);
                }
                (Sent::Away(failure), None) => return Err(failure),
            }
            if all > BATCH {
                let word = if away.is_some() { "queued" } else { "deposited" };
                output.progress(&format!("{word} {done} of {all}"));
            }
            Ok(())
        })?;
        match journal {
            // What waits in the queue is known there, and deposited once however often it is named.
            Some(journal) if own => journal.remove(),
            _ => Ok(()),
        }
    }

    /// What makes a run another run.
    fn of(&self) -> Value {
        let custom: BTreeMap<_, _> = self.field.iter().cloned().collect();
        json!({
            "service": self.at.service,
            "origin": self.origin,
            "media_type": self.media_type,
            "custom": custom,
        })
    }

    fn item(&self, file: &Hashed) -> Value {
        let custom: BTreeMap<_, _> = self.field.iter().cloned().collect();
        json!({
            "digests": { "sha256": hex::encode(file.content.sha256), "sm3": hex::encode(file.content.sm3) },
            "media_type": self.media_type,
            "size": file.content.size,
            "origin": self.origin,
            "custom": custom,
        })
    }
}

/// A file as journals and queues name it: as it was given, since a run begins again with the same arguments.
fn named(file: &Hashed) -> Value {
    json!({
        "file": file.path.display().to_string(),
        "sha256": hex::encode(file.content.sha256),
        "size": file.content.size,
        "changed": file.changed.map(|changed| changed.nanoseconds),
    })
}

/// Entries that were not there before.
fn fresh(lines: &[Value]) -> usize {
    lines.iter().filter(|one| one["known"] == false).count()
}

fn report(mut told: Told) -> Report {
    told.lines.sort_by(|one, other| one["file"].as_str().cmp(&other["file"].as_str()));
    let mut text = String::new();
    for one in &told.lines {
        let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let before = if one["known"] == true { " (was there before)" } else { "" };
        text.push_str(&format!("{}  {}{before}\n", word("entry"), plain(&word("file"))));
    }
    let new = told.new;
    let count = told.lines.len();
    text.push_str(&format!("{count} deposited, {new} of them new; the service has them on disk\n"));
    if told.before > 0 {
        text.push_str(&format!("{} of them by an earlier run\n", told.before));
    }
    if told.queued > 0 {
        text.push_str(&format!(
            "{} wait in the queue: `zeugma evidence deposit --flush --queue FOLDER` sends them\n",
            told.queued
        ));
    }
    let json = json!({ "deposits": told.lines, "new": new, "before": told.before, "queued": told.queued });
    Report { text, json }
}
