//! `zeugma evidence deposit`: files are hashed here, in parallel, and only their digests are sent.
//!
//! A run that was broken off is begun again: what is there already keeps its position, since a record has one.

use super::At;
use super::service::Service;
use crate::failure::Failure;
use crate::files::{self, Digested, Readers};
use crate::output::{Output, Report, plain};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Records of one request.
const BATCH: usize = 1_000;

/// What to deposit.
#[derive(Debug, Args)]
pub(crate) struct Deposit {
    /// Files, folders with all that is in them, or - for stdin
    #[arg(required = true)]
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
    #[command(flatten)]
    at: At,
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A file that was read.
struct Hashed {
    path: PathBuf,
    content: Digested,
}

impl Deposit {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let service = Service::new(&self.at)?;
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
        let hashed = hash_all(&files, output)?;
        let mut told = Vec::new();
        for batch in hashed.chunks(BATCH) {
            let items: Vec<_> = batch.iter().map(|file| self.item(file)).collect();
            let answer = service.json("POST", "/v1/deposits", None, Some(&json!({ "items": items })))?;
            let answers = answer["items"].as_array().cloned().unwrap_or_default();
            told.extend(batch.iter().zip(answers).map(|(file, answer)| line(file, answer)));
            if hashed.len() > BATCH {
                output.progress(&format!("deposited {} of {}", told.len(), hashed.len()));
            }
        }
        if let Some(path) = &self.receipts {
            let lines: String = told.iter().map(|one| format!("{one}\n")).collect();
            files::write_new(path, lines.as_bytes(), Readers::Owner)?;
        }
        output.report(&report(&told));
        Ok(())
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

/// What is kept of one answer.
fn line(file: &Hashed, answer: Value) -> Value {
    json!({
        "file": file.path.display().to_string(),
        "sha256": hex::encode(file.content.sha256),
        "entry": format!("{}/{}", answer["shard"], answer["index"]),
        "known": answer["known"],
        "received_at": answer["received_at"],
        "due_at": answer["due_at"],
        "receipt": answer["receipt"],
    })
}

fn report(told: &[Value]) -> Report {
    let mut text = String::new();
    for one in told {
        let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let before = if one["known"] == true { " (was there before)" } else { "" };
        text.push_str(&format!("{}  {}{before}\n", word("entry"), plain(&word("file"))));
    }
    let new = told.iter().filter(|one| one["known"] == false).count();
    text.push_str(&format!("{} deposited, {} of them new; the service has them on disk\n", told.len(), new));
    Report { text, json: json!({ "deposits": told }) }
}

/// All files of a path. Links are not followed: a folder holds what stands in it.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if path == Path::new("-") {
        files.push(path.to_owned());
        return Ok(());
    }
    let unreadable = |why| Failure::unreadable(path, &why);
    let kind = fs::metadata(path).map_err(unreadable)?;
    if !kind.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() || kind.is_file() {
            gather(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// Hashes files on all processors, in the order given.
fn hash_all(files: &[PathBuf], output: &Output) -> Result<Vec<Hashed>, Failure> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(files.len()));
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get()).min(files.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(at) else { return };
                    let hashed = files::digest(path).map(|content| Hashed { path: path.clone(), content });
                    let failed = hashed.is_err();
                    done.lock().expect("no worker panics").push((at, hashed));
                    if failed {
                        next.store(files.len(), Ordering::Relaxed);
                    }
                    if (at + 1).is_multiple_of(10_000) {
                        output_progress(at + 1, files.len());
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker panics");
    done.sort_by_key(|(at, _)| *at);
    if files.len() > BATCH {
        output.progress(&format!("hashed {} files", done.len()));
    }
    done.into_iter().map(|(_, hashed)| hashed).collect()
}

/// From a worker: on stderr, where every program keeps what is not its result.
fn output_progress(at: usize, of: usize) {
    eprintln!("hashed {at} of {of} files");
}
