//! Finding files and hashing them, on all processors, while what is hashed is on its way.

use crate::failure::Failure;
use crate::files::{self, Digested};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

/// Most threads that hash: more wait for one disk.
const THREADS: usize = 16;
/// Files that are hashed ahead of what is sent.
const AHEAD: usize = 2_048;

/// A file that was read.
#[derive(Clone, Debug)]
pub(super) struct Hashed {
    pub(super) path: PathBuf,
    pub(super) content: Digested,
    /// When it was changed last, as it was before it was read; none of stdin.
    pub(super) changed: Option<Changed>,
}

/// Length and time of change, in nanoseconds since the Unix epoch: what tells that a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) length: u64,
    pub(super) nanoseconds: u64,
}

impl Changed {
    /// Of a file as it is now; none where it cannot be told.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        let since = meta.modified().ok()?.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
        Some(Self { length: meta.len(), nanoseconds: u64::try_from(since.as_nanos()).ok()? })
    }
}

/// All files of a path. Links are not followed: a folder holds what stands in it.
pub(super) fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
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

/// Hashes files and gives them to `take` in whatever order they are done, at most `batch` at a time. No more than
/// [`AHEAD`] wait for it. The first failure, of either, ends all.
pub(super) fn hash_all(
    files: &[PathBuf],
    batch: usize,
    mut take: impl FnMut(Vec<Hashed>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get());
    let workers = workers.min(THREADS).min(files.len().max(1));
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (send, hashed) = sync_channel(AHEAD);
        for _ in 0..workers {
            let (send, next, ended) = (send.clone(), &next, &ended);
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                    // Its time first: a change while it is read is seen by the next run.
                    let changed = Changed::of(path);
                    let done =
                        files::digest(path).map(|content| Hashed { path: path.clone(), content, changed });
                    // Nobody listens once something failed.
                    if send.send(done).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let done = batches(&hashed, batch, &mut take);
        ended.store(true, Ordering::Relaxed);
        // Whoever waits with a file is let go.
        drop(hashed);
        done
    })
}

fn batches(
    hashed: &Receiver<Result<Hashed, Failure>>,
    batch: usize,
    take: &mut impl FnMut(Vec<Hashed>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut waiting = Vec::new();
    for one in hashed {
        waiting.push(one?);
        if waiting.len() == batch {
            take(core::mem::take(&mut waiting))?;
        }
    }
    if waiting.is_empty() { Ok(()) } else { take(waiting) }
}
