//! Verdicts on disk, beside the log: a file for each pack and each 64 entries, which grows until it is full.
//!
//! ```text
//! <root>/verdicts/<digest of the pack>/from                the first entry that the pack judges
//! <root>/verdicts/<digest of the pack>/<shard>/<chunk>     rows of the entries 64 * chunk to 64 * chunk + 63
//!
//! from  = shard u32 · index u64 · check [16]
//! chunk = list<Row, 64> · check [16]
//! Row   = index u64 · Given                                ascending by index; an erased entry has none
//! Given = 1 · verdict, as in a bundle | 2 · at u64 · why text<1024>
//! check = first 16 bytes of SHA-256 of all before it
//! ```
//!
//! A file is replaced as a whole, so a crash leaves the old rows or the new. Entries are judged in the order of the log: what
//! was judged last is the end of the newest file.

use crate::files::{self, Readers};
use crate::store::Position;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_verify::bundle::RuleVerdict;
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{BlockTime, Code, Decode, Encode, Reader, Refusal};

/// Entries of one file.
pub(super) const CHUNK: u64 = 64;
/// Longest file, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;
const CHECK: usize = 16;
/// Longest reason why there is no verdict, in bytes.
const MAX_WHY: usize = 1_024;

/// What a pack gave on an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// A verdict.
    Verdict(RuleVerdict),
    /// None, and why.
    None {
        /// When it was given up.
        at: BlockTime,
        /// Why, in words.
        why: String,
    },
}

impl Given {
    pub(super) fn none(at: BlockTime, why: &impl ToString) -> Self {
        let mut why = why.to_string();
        let end = (0..=MAX_WHY).rev().find(|end| why.is_char_boundary(*end)).unwrap_or(0);
        why.truncate(end.min(why.len()));
        Self::None { at, why }
    }
}

/// One entry's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) index: u64,
    pub(super) given: Given,
}

#[derive(Debug, Default)]
struct Known {
    /// Of each pack that judges: the first entry that it has not judged.
    next: BTreeMap<[u8; 32], Position>,
    /// Every pack that ever judged here.
    packs: Vec<[u8; 32]>,
}

/// The verdicts of a log.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    known: Mutex<Known>,
}

impl Files {
    pub(super) fn open(folder: &Path) -> Result<Self, Refusal> {
        let root = folder.join("verdicts");
        files::make_dir(&root).map_err(failed)?;
        let mut packs = Vec::new();
        for name in names(&root)? {
            let mut digest = [0; 32];
            if hex::decode_to_slice(&name, &mut digest).is_ok() {
                packs.push(digest);
            }
        }
        packs.sort_unstable();
        Ok(Self { root, known: Mutex::new(Known { packs, ..Known::default() }) })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Both lists are whole after any panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pack(root: &Path, pack: &[u8; 32]) -> PathBuf {
        root.join(hex::encode(pack))
    }

    fn chunk(&self, pack: &[u8; 32], shard: u32, chunk: u64) -> PathBuf {
        Self::pack(&self.root, pack).join(shard.to_string()).join(chunk.to_string())
    }

    /// Lets a pack judge from `head` on, or from where it was.
    pub(super) fn begin(&self, pack: &[u8; 32], head: Position) -> Result<(), Refusal> {
        let folder = Self::pack(&self.root, pack);
        files::make_dir(&folder).map_err(failed)?;
        let path = folder.join("from");
        let from = match read(&path)? {
            Some(bytes) => {
                let mut reader = Reader::new(&bytes);
                let from = Position { shard: reader.u32()?, index: reader.u64()? };
                reader.finish()?;
                from
            }
            None => {
                let mut bytes = Vec::new();
                head.shard.encode(&mut bytes);
                head.index.encode(&mut bytes);
                write(&path, bytes)?;
                head
            }
        };
        let mut next = from;
        let shards = names(&folder)?.into_iter().filter_map(|name| name.parse::<u32>().ok());
        if let Some(shard) = shards.max() {
            let chunks = names(&folder.join(shard.to_string()))?;
            let newest = chunks.into_iter().filter_map(|name| name.parse::<u64>().ok()).max();
            let rows = newest.map(|chunk| self.rows(pack, shard, chunk)).transpose()?.unwrap_or_default();
            let after = rows.last().map(|row| Position { shard, index: row.index + 1 });
            // A file without rows held entries that were erased: they are looked at once more.
            let begin = newest.map(|chunk| Position { shard, index: chunk * CHUNK });
            next = next.max(after.or(begin).unwrap_or(from));
        }
        let mut known = self.known();
        known.next.insert(*pack, next);
        if let Err(place) = known.packs.binary_search(pack) {
            known.packs.insert(place, *pack);
        }
        Ok(())
    }

    /// The first entry that a pack which judges here has not judged.
    pub(super) fn next(&self, pack: &[u8; 32]) -> Position {
        self.known().next.get(pack).copied().unwrap_or(Position { shard: 0, index: 0 })
    }

    /// Goes on in the next shard.
    pub(super) fn turn(&self, pack: &[u8; 32], shard: u32) {
        self.known().next.insert(*pack, Position { shard, index: 0 });
    }

    fn rows(&self, pack: &[u8; 32], shard: u32, chunk: u64) -> Result<Vec<Row>, Refusal> {
        let path = self.chunk(pack, shard, chunk);
        let Some(bytes) = read(&path)? else { return Ok(Vec::new()) };
        let mut reader = Reader::new(&bytes);
        let rows = reader.list(usize::try_from(CHUNK).expect("64"), Row::decode).and_then(|rows| {
            reader.finish()?;
            Ok(rows)
        });
        rows.map_err(|refusal| damaged(&path, &refusal))
    }

    /// Adds rows of one chunk, durably; the pack has judged all before `end`.
    pub(super) fn add(&self, pack: &[u8; 32], end: Position, rows: Vec<Row>) -> Result<(), Refusal> {
        let chunk = end.index.saturating_sub(1) / CHUNK;
        let mut all = self.rows(pack, end.shard, chunk)?;
        // Rows of an earlier life stay as they are.
        let last = all.last().map(|row| row.index);
        all.extend(rows.into_iter().filter(|row| last.is_none_or(|last| row.index > last)));
        self.replace(pack, (end.shard, chunk), &all)?;
        self.known().next.insert(*pack, end);
        Ok(())
    }

    fn replace(&self, pack: &[u8; 32], (shard, chunk): (u32, u64), rows: &[Row]) -> Result<(), Refusal> {
        let path = self.chunk(pack, shard, chunk);
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            files::make_dir(folder).map_err(failed)?;
        }
        let mut bytes = Vec::new();
        put_list(&mut bytes, rows, |out, row| row.encode(out));
        write(&path, bytes)
    }

    /// What every pack gave on an entry, ascending by their digests.
    pub(super) fn of(&self, position: Position) -> Result<Vec<([u8; 32], Given)>, Refusal> {
        let packs = self.known().packs.clone();
        let mut found = Vec::new();
        for pack in packs {
            let rows = self.rows(&pack, position.shard, position.index / CHUNK)?;
            let row = rows.into_iter().find(|row| row.index == position.index);
            found.extend(row.map(|row| (pack, row.given)));
        }
        Ok(found)
    }

    /// Takes away what every pack gave on an entry, durably.
    pub(super) fn erase(&self, position: Position) -> Result<(), Refusal> {
        let packs = self.known().packs.clone();
        let chunk = position.index / CHUNK;
        for pack in packs {
            let mut rows = self.rows(&pack, position.shard, chunk)?;
            let before = rows.len();
            rows.retain(|row| row.index != position.index);
            if rows.len() < before {
                self.replace(&pack, (position.shard, chunk), &rows)?;
            }
        }
        Ok(())
    }
}

fn failed(error: io::Error) -> Refusal {
    Refusal::new(Code::StoreFailed).found(error.to_string())
}

fn damaged(path: &Path, why: &impl ToString) -> Refusal {
    Refusal::new(Code::Damaged).found(format!("{}: {}", path.display(), why.to_string()))
}

/// The names in a folder; none when it is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Refusal> {
    let listing = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(failed)?,
    };
    let names = listing.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

/// A file without its check, or nothing.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(mut bytes) = files::read(path, LONGEST).map_err(failed)? else { return Ok(None) };
    let Some(end) = bytes.len().checked_sub(CHECK) else { return Err(damaged(path, &"cut short")) };
    if sha256(&[&bytes[..end]])[..CHECK] != bytes[end..] {
        return Err(damaged(path, &"check"));
    }
    bytes.truncate(end);
    Ok(Some(bytes))
}

/// Puts a file with its check in place of what had its name. Reasons may quote what was declared: it is the owner's.
pub(super) fn write(path: &Path, mut bytes: Vec<u8>) -> Result<(), Refusal> {
    let check = sha256(&[&bytes]);
    bytes.extend_from_slice(&check[..CHECK]);
    files::replace(path, &bytes, Readers::Owner).map_err(failed)
}

impl Encode for Row {
    fn encode(&self, out: &mut Vec<u8>) {
        self.index.encode(out);
        match &self.given {
            Given::Verdict(verdict) => {
                out.push(1);
                verdict.encode(out);
            }
            Given::None { at, why } => {
                out.push(2);
                at.encode(out);
                put_bytes(out, why.as_bytes());
            }
        }
    }
}

impl Decode for Row {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let index = reader.u64()?;
        let given = match reader.u8()? {
            1 => Given::Verdict(RuleVerdict::decode(reader)?),
            2 => Given::None { at: BlockTime::decode(reader)?, why: reader.text(MAX_WHY)? },
            tag => return Err(Refusal::new(Code::UnknownTag).needed(2_u64).found(tag)),
        };
        Ok(Self { index, given })
    }
}
