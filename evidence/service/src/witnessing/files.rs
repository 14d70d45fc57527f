//! Cosignatures on disk: a file for each checkpoint, of signature lines as they stand in a note.
//!
//! ```text
//! <root>/cosigned/<shard>/<size>      lines, one for each key of each witness, the newest
//! ```
//!
//! They are not precious: a witness that is asked again cosigns again, while the log has not grown beyond.

use crate::files::{self, Readers};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Longest file, in bytes: what a note has room for.
const LONGEST: u64 = 64 * 1024;

/// Shard and size.
type Key = (u32, u64);

#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    /// Hands write one after the other, and the last that was read stays at hand: it is what everybody asks for.
    last: Mutex<Option<(Key, Vec<String>)>>,
}

impl Files {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = root.join("cosigned");
        files::make_dir(&root)?;
        Ok(Self { root, last: Mutex::default() })
    }

    fn path(&self, shard: u32, size: u64) -> PathBuf {
        self.root.join(shard.to_string()).join(size.to_string())
    }

    fn load(&self, shard: u32, size: u64) -> io::Result<Vec<String>> {
        let Some(bytes) = files::read(&self.path(shard, size), LONGEST)? else { return Ok(Vec::new()) };
        let text = String::from_utf8(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(text.lines().map(|line| format!("{line}\n")).collect())
    }

    /// The lines of a checkpoint, none if it has none.
    pub(super) fn read(&self, shard: u32, size: u64) -> io::Result<Vec<String>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((key, lines)) = &*last
            && *key == (shard, size)
        {
            return Ok(lines.clone());
        }
        let lines = self.load(shard, size)?;
        *last = Some(((shard, size), lines.clone()));
        Ok(lines)
    }

    /// Puts lines in place of those of the same keys.
    pub(super) fn add(&self, shard: u32, size: u64, new: &[String]) -> io::Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = self.load(shard, size)?;
        lines.retain(|line| !new.iter().any(|other| of_one_key(line, other)));
        lines.extend(new.iter().cloned());
        let path = self.path(shard, size);
        files::make_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        files::replace(&path, lines.concat().as_bytes(), Readers::Anyone)?;
        *last = Some(((shard, size), lines));
        Ok(())
    }

    pub(super) fn remove(&self, shard: u32, size: u64) -> io::Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = None;
        match std::fs::remove_file(self.path(shard, size)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

/// Whether two signature lines are of one name and one key id: the first 32 bits of the signature are five letters of
/// base64 and two bits of a sixth.
fn of_one_key(one: &str, other: &str) -> bool {
    let key = |line: &str| {
        let mut words = line.trim_end().splitn(3, ' ').skip(1);
        let (name, signature) = (words.next()?.to_owned(), words.next()?);
        let letters = signature.as_bytes().first_chunk::<6>()?;
        // The sixth letter holds two bits of the id and four of the time, which is far below 2^60.
        Some((name, *letters))
    };
    key(one).is_some() && key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_crypto::{ed25519, mldsa44};
    use zeugma_evidence_log::{Checkpoint, CosignerSigner};
    use zeugma_proof::body::LogView;
    use zeugma_types::{TreeSize, UnixSeconds};

    #[test]
    fn a_newer_line_of_a_key_takes_the_place_of_the_older_and_of_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path()).unwrap();
        let checkpoint = Checkpoint::new("log.example", LogView { size: TreeSize::new(5), root: [1; 32] });
        let witness = |seed: u8| {
            CosignerSigner::ed25519("w.example", ed25519::SecretKey::from_seed(&[seed; 32])).unwrap()
        };
        let pq = CosignerSigner::mldsa44("w.example", mldsa44::SecretKey::from_seed(&[1; 32])).unwrap();
        let line = |witness: &CosignerSigner, at| witness.cosign(&checkpoint, UnixSeconds::new(at)).unwrap();
        files.add(0, 5, &[line(&witness(1), 10), line(&pq, 10)]).unwrap();
        files.add(0, 5, &[line(&witness(2), 10)]).unwrap();
        files.add(0, 5, &[line(&witness(1), 4_000_000_000)]).unwrap();
        let expected = [line(&pq, 10), line(&witness(2), 10), line(&witness(1), 4_000_000_000)];
        assert_eq!(files.read(0, 5).unwrap(), expected);
        assert_eq!(Files::open(folder.path()).unwrap().read(0, 5).unwrap(), expected);
        assert!(files.read(0, 6).unwrap().is_empty() && files.read(1, 5).unwrap().is_empty());
        files.remove(0, 5).unwrap();
        files.remove(0, 5).unwrap();
        assert!(files.read(0, 5).unwrap().is_empty());
    }
}
