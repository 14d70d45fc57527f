//! Reading with a bound, writing without writing over.

use crate::failure::{Failure, Rule};
use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use zeugma_crypto::hash::Hasher;
use zeugma_types::HashSuite;

/// Bytes that are hashed at a time.
const PIECE: usize = 256 * 1024;

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

/// What is kept of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digested {
    /// Its SHA-256.
    pub(crate) sha256: [u8; 32],
    /// Its SM3.
    pub(crate) sm3: [u8; 32],
    /// Its length, in bytes.
    pub(crate) size: u64,
}

/// Both digests of a file of any length, read once and in pieces. `-` is stdin.
pub(crate) fn digest(path: &Path) -> Result<Digested, Failure> {
    let unreadable = |why| Failure::unreadable(path, &why);
    let mut source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let (mut sha256, mut sm3) = (Hasher::new(HashSuite::Sha256), Hasher::new(HashSuite::Sm3));
    let (mut piece, mut size) = (vec![0; PIECE], 0);
    loop {
        match source.read(&mut piece).map_err(unreadable)? {
            0 => return Ok(Digested { sha256: sha256.finish(), sm3: sm3.finish(), size }),
            read => {
                sha256.update(&piece[..read]);
                sm3.update(&piece[..read]);
                size += read as u64;
            }
        }
    }
}

/// Writes a file that was not there, and returns once it is on disk.
pub(crate) fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    let mode = match readers {
        Readers::Anyone => 0o644,
        Readers::Owner => 0o600,
    };
    let folder = folder_of(path);
    let failed = |why: std::io::Error| not_written(path, &why);
    // Bytes first, under another name, then the name, then the folder: a crash at any point leaves no file of this
    // name, or a whole one.
    let mut file = tempfile::Builder::new()
        .prefix(".zeugma-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist_noclobber(path).map_err(|refused| match refused.error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::own(Rule::FileExists, path.display(), "nothing was changed", "choose another name")
        }
        _ => not_written(path, &refused.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn not_written(path: &Path, why: &std::io::Error) -> Failure {
    let folder = folder_of(path);
    let todo = format!("check room and permission: df -h {0}; ls -ld {0}", folder.display());
    Failure::own(Rule::NotWritten, path.display(), why, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_once_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        write_new(&path, b"one", Readers::Owner).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = write_new(&path, b"two", Readers::Anyone).unwrap_err();
        assert_eq!(again.code(), Some(Rule::FileExists));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("none/report");
        assert_eq!(write_new(&nowhere, b"", Readers::Anyone).unwrap_err().code(), Some(Rule::NotWritten));
    }
}
