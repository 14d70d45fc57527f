//! Small files of the service beside the log: whole or not there, and gone only when they were taken away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the process lets.
    Anyone,
    /// Its owner alone.
    Owner,
}

/// Puts a file in place of what had its name, durably.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mode = match readers {
        Readers::Anyone => 0o644,
        Readers::Owner => 0o600,
    };
    // Bytes first, under another name, then the name, then the folder: a crash leaves the old file or the new one.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// A file of at most `bound` bytes, or `None` when it is not there.
pub(crate) fn read(path: &Path, bound: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(bound + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bound {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is longer than {bound} bytes", path.display()),
        ));
    }
    Ok(Some(bytes))
}

/// Makes a folder and those above it, durably.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    for folder in [Some(path), path.parent()].into_iter().flatten() {
        if !folder.as_os_str().is_empty() {
            File::open(folder)?.sync_all()?;
        }
    }
    Ok(())
}
