//! Checkpoints that were anchored: the notes as they were signed, and the one proof. A file each, never changed.
//!
//! ```text
//! <root>/anchors/<shard>/<size>      notes of both trees and the proof file, in the canonical encoding
//! ```

use crate::files::{self, Readers};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_evidence_verify::bundle::MAX_NOTE;
use zeugma_proof::{MAX_PROOF, Proof};
use zeugma_types::codec::{put_bytes, put_option};
use zeugma_types::{BlockTime, Decode, Encode, Reader, Refusal};

/// Longest file, in bytes.
const LONGEST: u64 = (2 * MAX_NOTE + MAX_PROOF + 64) as u64;

/// A checkpoint that the relay chain anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchored {
    /// The signed note.
    pub(crate) first: String,
    /// The signed note of the second tree.
    pub(crate) second: Option<String>,
    /// The one proof, as a file.
    pub(crate) proof: Vec<u8>,
}

impl Anchored {
    /// The time of the leaf that says so.
    ///
    /// # Errors
    /// The refusals of the proof's encoding.
    pub(crate) fn at(&self) -> Result<BlockTime, Refusal> {
        Ok(Proof::from_bytes(&self.proof)?.leaf.time)
    }
}

impl Encode for Anchored {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.first.as_bytes());
        put_option(out, self.second.as_ref(), |out, note| put_bytes(out, note.as_bytes()));
        put_bytes(out, &self.proof);
    }
}

impl Decode for Anchored {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            first: reader.text(MAX_NOTE)?,
            second: reader.option(|reader| reader.text(MAX_NOTE))?,
            proof: reader.bytes(MAX_PROOF)?.to_vec(),
        })
    }
}

/// Which sizes of which shards are anchored.
type Known = BTreeMap<(u32, u64), ()>;

/// The anchored checkpoints of a service.
#[derive(Debug)]
pub(crate) struct Anchors {
    root: PathBuf,
    known: Mutex<Known>,
}

impl Anchors {
    /// Opens the folder and reads the names in it, not the files.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let root = root.join("anchors");
        files::make_dir(&root)?;
        let mut known = Known::new();
        for shard in names(&root)? {
            for size in names(&root.join(shard.to_string()))? {
                known.insert((u32::try_from(shard).unwrap_or(u32::MAX), size), ());
            }
        }
        Ok(Self { root, known: Mutex::new(known) })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The map is whole after any panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, shard: u32, size: u64) -> PathBuf {
        self.root.join(shard.to_string()).join(size.to_string())
    }

    /// Keeps one, durably.
    pub(crate) fn keep(&self, shard: u32, size: u64, anchored: &Anchored) -> io::Result<()> {
        let path = self.path(shard, size);
        files::make_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        files::replace(&path, &anchored.to_bytes(), Readers::Anyone)?;
        self.known().insert((shard, size), ());
        Ok(())
    }

    /// The first anchored size that covers this index.
    pub(crate) fn covering(&self, shard: u32, index: u64) -> Option<u64> {
        let above = index.checked_add(1)?;
        self.known().range((shard, above)..=(shard, u64::MAX)).next().map(|((_, size), ())| *size)
    }

    /// The size anchored last.
    pub(crate) fn last(&self, shard: u32) -> Option<u64> {
        self.known().range((shard, 0)..=(shard, u64::MAX)).next_back().map(|((_, size), ())| *size)
    }

    /// One that is known.
    pub(crate) fn read(&self, shard: u32, size: u64) -> io::Result<Anchored> {
        let path = self.path(shard, size);
        let bytes = files::read(&path, LONGEST)?.ok_or(io::ErrorKind::NotFound)?;
        Anchored::from_bytes(&bytes).map_err(|refusal| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {refusal}", path.display()))
        })
    }
}

/// The names in a folder that are numbers; a name on its way (`.new`) is none.
fn names(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        if let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_anchored_size_above_an_index_is_found_also_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        let anchored = Anchored { first: "note".to_owned(), second: None, proof: vec![1] };
        let anchors = Anchors::open(folder.path()).unwrap();
        for (shard, size) in [(0, 5), (0, 9), (1, 3)] {
            anchors.keep(shard, size, &anchored).unwrap();
        }
        for anchors in [anchors, Anchors::open(folder.path()).unwrap()] {
            assert_eq!(anchors.covering(0, 4), Some(5));
            assert_eq!(anchors.covering(0, 5), Some(9));
            assert_eq!(anchors.covering(0, 9), None);
            assert_eq!(anchors.covering(1, 0), Some(3));
            assert_eq!(anchors.last(0), Some(9));
            assert_eq!(anchors.read(0, 9).unwrap(), anchored);
        }
    }

    #[test]
    fn a_damaged_file_is_named_and_never_served() {
        let folder = tempfile::tempdir().unwrap();
        let anchors = Anchors::open(folder.path()).unwrap();
        anchors.keep(0, 5, &Anchored { first: "note".to_owned(), second: None, proof: vec![1] }).unwrap();
        std::fs::write(folder.path().join("anchors/0/5"), b"nonsense").unwrap();
        assert!(anchors.read(0, 5).unwrap_err().to_string().contains("anchors/0/5"));
    }
}
