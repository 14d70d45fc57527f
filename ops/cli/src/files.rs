//! Reading with a bound, writing without writing over.

use crate::failure::{Failure, Rule};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the process lets.
    Anyone,
    /// Its owner alone.
    Owner,
}

/// The first `bound + 1` bytes of a file, so that a reader notices one that is too long without
/// holding all of it. `-` is stdin.
pub(crate) fn read(path: &Path, bound: usize) -> Result<Vec<u8>, Failure> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|why| Failure::unreadable(path, &why))?)
    };
    let limit = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    source.take(limit).read_to_end(&mut bytes).map_err(|why| Failure::unreadable(path, &why))?;
    Ok(bytes)
}

/// Writes a file that was not there, and returns once it is on disk.
pub(crate) fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    let mode = match readers {
        Readers::Anyone => 0o644,
        Readers::Owner => 0o600,
    };
    let shown = path.display();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(|why| {
        match why.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::own(Rule::FileExists, shown, "nothing was changed", "choose another name")
            }
            _ => not_written(path, &why),
        }
    })?;
    // Bytes first, then the name: a crash in between leaves a file that is empty or cut, never a
    // complete one that is lost.
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|why| not_written(path, &why))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|why| not_written(path, &why))
}

fn not_written(path: &Path, why: &std::io::Error) -> Failure {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let todo = format!("check room and permission: df -h {0}; ls -ld {0}", folder.display());
    Failure::own(Rule::NotWritten, path.display(), why, todo)
}
