//! The queue: deposits that wait on disk for a service that is away.
//!
//! ```text
//! <queue>/<time>-<digest>.json       one request: its items, their files, and its idempotency key
//! <queue>/receipts.jsonl             the answers, a line for each file
//! ```
//!
//! A request is on disk before the command says so. It is taken away once its receipts are on disk; a crash in between
//! sends it again, under the same key, and the service answers as it did.

use super::journal::{not_written, sync_folder};
use super::{Sent, send};
use crate::command::evidence::Service;
use crate::failure::Failure;
use crate::files::{self, Readers};
use crate::output::Output;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use zeugma_crypto::hash::sha256;

/// Longest request that is read, in bytes: a batch of records.
const LONGEST: usize = 64 * 1024 * 1024;

/// A queue, held by this process.
#[derive(Debug)]
pub(super) struct Queue {
    folder: PathBuf,
    _held: File,
}

/// The idempotency key of items.
pub(super) fn key_of(items: &[Value]) -> String {
    hex::encode(sha256(&[Value::from(items).to_string().as_bytes()]))
}

impl Queue {
    /// Opens the folder, or makes it; another run that has it is waited for.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let failed = |why: std::io::Error| not_written(folder, &why);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let held = File::create(folder.join("lock")).and_then(|file| file.lock().map(|()| file));
        Ok(Self { folder: folder.to_owned(), _held: held.map_err(failed)? })
    }

    /// Puts a request into the queue, durably.
    pub(super) fn put(&self, items: &[Value], files: &[Value]) -> Result<(), Failure> {
        let key = key_of(items);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let path = self.folder.join(format!("{:020}-{}.json", now.as_nanos(), &key[..16]));
        let request = json!({ "key": key, "items": items, "files": files });
        files::write_new(&path, request.to_string().as_bytes(), Readers::Owner)
    }

    /// The requests, oldest first.
    pub(super) fn waiting(&self) -> Result<Vec<PathBuf>, Failure> {
        let failed = |why: std::io::Error| Failure::unreadable(&self.folder, &why);
        let mut waiting = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if path.extension().is_some_and(|extension| extension == "json") && !hidden {
                waiting.push(path);
            }
        }
        waiting.sort();
        Ok(waiting)
    }

    /// Sends what waits. What could not be sent still waits; the count is of requests.
    pub(super) fn flush(&self, service: &Service, output: &Output) -> Result<Flushed, Failure> {
        let mut flushed = Flushed::default();
        let waiting = self.waiting()?;
        for (at, path) in waiting.iter().enumerate() {
            let bytes = files::read(path, LONGEST)?;
            let request: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let items = request["items"].as_array().cloned().unwrap_or_default();
            let files = request["files"].as_array().cloned().unwrap_or_default();
            let key = request["key"].as_str().unwrap_or_default().to_owned();
            if items.is_empty() || items.len() != files.len() || key != key_of(&items) {
                let todo = "move the file away; what it held is deposited by naming the files again";
                return Err(Failure::own(
                    crate::failure::Rule::Damaged,
                    path.display(),
                    "it is no request",
                    todo,
                ));
            }
            match send(service, &items, &files, Some(&key))? {
                Sent::Done(lines) => {
                    self.keep(&lines)?;
                    std::fs::remove_file(path).map_err(|why| not_written(path, &why))?;
                    flushed.lines.extend(lines);
                    output.progress(&format!("sent {} of {} that waited", at + 1, waiting.len()));
                }
                Sent::Away(failure) => {
                    flushed.waits = waiting.len() - at;
                    flushed.away = Some(failure);
                    break;
                }
            }
        }
        Ok(flushed)
    }

    /// The receipts, durably, before the request is taken away.
    fn keep(&self, lines: &[Value]) -> Result<(), Failure> {
        let path = self.folder.join("receipts.jsonl");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let write = || {
            let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            sync_folder(&path)
        };
        write().map_err(|why| not_written(&path, &why))
    }
}

/// What became of a queue.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    /// The answers, a line for each file.
    pub(super) lines: Vec<Value>,
    /// Requests that still wait.
    pub(super) waits: usize,
    /// Why.
    pub(super) away: Option<Failure>,
}
