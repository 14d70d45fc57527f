//! The files of a path: itself, or all of a folder's tree in the order of their names.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes: the largest published suite file has a tenth of it.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// One file of a suite.
#[derive(Debug)]
pub struct File {
    /// Its place, for reading what lies beside it.
    pub path: PathBuf,
    /// Its place below the path that was asked for, with `/` between folders: the front of case names.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The files at or below `path`.
///
/// # Errors
/// When something cannot be read, or is larger than [`MAX_FILE`].
pub(crate) fn under(path: &Path) -> Result<Vec<File>> {
    let mut found = Vec::new();
    if path.is_dir() {
        walk(path, "", &mut found)?;
    } else {
        let name = path.file_name().map_or_else(|| "-".into(), |name| name.to_string_lossy().into_owned());
        found.push(read(path, name)?);
    }
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) -> Result<()> {
    let listing = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut entries = listing.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // A linked folder could lead back up, so it is read as a file and reported.
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.push(read(&entry.path(), name)?);
        }
    }
    Ok(())
}

fn read(path: &Path, name: String) -> Result<File> {
    let cannot = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(cannot)?.len();
    ensure!(length <= MAX_FILE, "{} has {length} bytes; at most {MAX_FILE} are read", path.display());
    Ok(File { path: path.to_owned(), name, bytes: fs::read(path).with_context(cannot)? })
}
