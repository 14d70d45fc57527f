//! The journal of a run: what was deposited, durably, so that a run that was broken off goes on.
//!
//! A file of JSON, a line for each deposited file behind one that says of which run it is. Lines are written and synced once
//! the service has answered. A line that a crash cut short is cut off. A file that was changed since is deposited anew.

use super::hashing::Changed;
use crate::failure::{Failure, Rule};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const FORMAT: &str = "zeugma-deposits-1";
/// Longest journal, in bytes: some million files.
const LONGEST: u64 = 4 * 1024 * 1024 * 1024;

/// A journal, open and held by this process.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    done: BTreeMap<PathBuf, Value>,
}

impl Journal {
    /// Opens a journal, or makes one, of the run that `of` describes.
    pub(super) fn open(path: &Path, of: &Value) -> Result<Self, Failure> {
        let failed = |why: std::io::Error| not_written(path, &why);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        if file.try_lock().is_err() {
            let todo = "wait until the other run ends, or name another journal with --journal";
            return Err(Failure::own(Rule::FileExists, path.display(), "another run writes it", todo));
        }
        let mut text = Vec::new();
        Read::by_ref(&mut file).take(LONGEST).read_to_end(&mut text).map_err(failed)?;
        // What a crash cut short ends without its line feed.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let head = json!({ "format": FORMAT, "of": of });
        let mut done = BTreeMap::new();
        for (at, line) in
            text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate()
        {
            let line: Value = serde_json::from_slice(line).unwrap_or(Value::Null);
            if at == 0 && line != head {
                let what =
                    "it is the journal of another run: another service, origin, type or field, or no journal";
                let todo = "give the same arguments as then, or name another journal with --journal";
                return Err(Failure::own(Rule::OtherJournal, path.display(), what, todo));
            }
            if let Some(name) = line["file"].as_str() {
                done.insert(PathBuf::from(name), line.clone());
            }
        }
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut journal = Self { path: path.to_owned(), file, done };
        if whole == 0 {
            journal.write(&[head])?;
            sync_folder(path).map_err(failed)?;
        }
        Ok(journal)
    }

    /// What was deposited of a file, if it is still as it was then.
    pub(super) fn deposited(&self, path: &Path) -> Option<&Value> {
        let line = self.done.get(path)?;
        let now = Changed::of(path)?;
        let same = line["size"] == now.length && line["changed"] == now.nanoseconds;
        same.then_some(line)
    }

    /// Adds lines, durably.
    pub(super) fn write(&mut self, lines: &[Value]) -> Result<(), Failure> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|why| not_written(&self.path, &why))
    }

    /// Takes it away: the run is complete.
    pub(super) fn remove(self) -> Result<(), Failure> {
        std::fs::remove_file(&self.path).map_err(|why| not_written(&self.path, &why))
    }
}

/// The journal beside a folder.
pub(super) fn beside(folder: &Path) -> Option<PathBuf> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let name = folder.file_name()?.to_str()?;
    Some(folder.parent()?.join(format!("{name}.deposits")))
}

pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

pub(super) fn not_written(path: &Path, why: &std::io::Error) -> Failure {
    let todo = "check room and permission, or name another place";
    Failure::own(Rule::NotWritten, path.display(), why, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_short_is_cut_off_and_a_changed_file_is_not_taken_for_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("journal"), folder.path().join("file"));
        std::fs::write(&file, b"one").unwrap();
        let of = json!({ "service": "a" });
        let changed = Changed::of(&file).unwrap();
        let line =
            json!({ "file": file, "size": changed.length, "changed": changed.nanoseconds, "entry": "0/7" });
        Journal::open(&path, &of).unwrap().write(std::slice::from_ref(&line)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [whole.as_slice(), b"{\"file\":\"half"].concat()).unwrap();
        let journal = Journal::open(&path, &of).unwrap();
        assert_eq!(journal.deposited(&file), Some(&line));
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        // Held by one run.
        assert_eq!(Journal::open(&path, &of).unwrap_err().code(), Some(Rule::FileExists));
        std::fs::write(&file, b"other").unwrap();
        assert_eq!(journal.deposited(&file), None);
        drop(journal);
        let other = Journal::open(&path, &json!({ "service": "b" })).unwrap_err();
        assert_eq!(other.code(), Some(Rule::OtherJournal));
        std::fs::write(&path, b"something else\n").unwrap();
        assert_eq!(Journal::open(&path, &of).unwrap_err().code(), Some(Rule::OtherJournal));
    }
}
