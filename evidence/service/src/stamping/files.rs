//! Checkpoints that were taken up, and their legs. A file each; its name says whether a leg is pending, so that a start
//! reads names and the files with pending legs, not all.
//!
//! ```text
//! <root>/stamps/<shard>/<size>             every leg has its time-stamp
//! <root>/stamps/<shard>/<size>.pending     some do
//! ```
//!
//! Order of writes: the whole file first, then the pending one goes. A crash in between leaves both; the whole one counts.

use crate::files::{self, Readers};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_anchors::Authority;
use zeugma_evidence_anchors::revocation::MAX_GATHERED;
use zeugma_evidence_verify::bundle::{MAX_NOTE, MAX_STAMPS, Stamp};
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{BlockTime, Code, Decode, Encode, Reader, Refusal};

/// Longest file, in bytes: notes, and for each leg a token with a chain and revocation data.
const LONGEST: u64 = (2 * MAX_NOTE + MAX_STAMPS * (256 * 1024 + MAX_GATHERED)) as u64;
/// Longest name of an institution, in bytes.
const MAX_NAME: usize = 64;
const PENDING: &str = ".pending";

/// A time-stamp that was verified when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    /// The time that it states.
    pub(crate) at: BlockTime,
    /// As a bundle carries it.
    pub(crate) stamp: Stamp,
}

/// One authority's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    /// The institution that it counts for.
    pub(crate) institution: String,
    /// SHA-256 of the X.509 certificate that is believed.
    pub(crate) anchor: [u8; 32],
    /// Its time-stamp, once it is there.
    pub(crate) got: Option<Got>,
}

impl Leg {
    /// Whether it is of this authority.
    pub(crate) fn is_of(&self, authority: &Authority) -> bool {
        self.institution == authority.institution() && self.anchor == authority.fingerprint()
    }
}

/// A checkpoint with its legs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The signed note.
    pub(crate) first: String,
    /// The signed note of the second tree.
    pub(crate) second: Option<String>,
    /// When it was taken up.
    pub(crate) since: BlockTime,
    /// One for each authority of that time.
    pub(crate) legs: Vec<Leg>,
}

impl Checkpoint {
    /// The time-stamps that are there.
    pub(crate) fn stamps(self) -> Vec<Stamp> {
        self.legs.into_iter().filter_map(|leg| leg.got).map(|got| got.stamp).collect()
    }
}

impl Encode for Leg {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.institution.as_bytes());
        self.anchor.encode(out);
        put_option(out, self.got.as_ref(), |out, got| {
            got.at.encode(out);
            got.stamp.encode(out);
        });
    }
}

impl Decode for Leg {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            institution: reader.text(MAX_NAME)?,
            anchor: reader.array()?,
            got: reader.option(|r| Ok(Got { at: BlockTime::decode(r)?, stamp: Stamp::decode(r)? }))?,
        })
    }
}

impl Encode for Checkpoint {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.first.as_bytes());
        put_option(out, self.second.as_ref(), |out, note| put_bytes(out, note.as_bytes()));
        self.since.encode(out);
        put_list(out, &self.legs, |out, leg| leg.encode(out));
    }
}

impl Decode for Checkpoint {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            first: reader.text(MAX_NOTE)?,
            second: reader.option(|reader| reader.text(MAX_NOTE))?,
            since: BlockTime::decode(reader)?,
            legs: reader.list(MAX_STAMPS, Leg::decode)?,
        })
    }
}

/// What is held in memory of a checkpoint: which authorities, by their place, it still waits for.
#[derive(Clone, Debug)]
struct Waits {
    since: BlockTime,
    on: Vec<usize>,
}

/// Shard and size.
type Key = (u32, u64);

#[derive(Debug, Default)]
struct Known {
    /// All that were taken up.
    all: BTreeSet<Key>,
    /// Those with a pending leg.
    waiting: BTreeMap<Key, Waits>,
    /// Those whose file was found damaged, to be taken up anew.
    again: Vec<Key>,
}

/// The files of a log.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    known: Mutex<Known>,
    /// One file is written at a time: two authorities may answer at once.
    writing: Mutex<()>,
}

impl Files {
    /// Opens the folder. A pending file that is damaged is named and left aside; its checkpoint can be taken up anew.
    pub(super) fn open(root: &Path, authorities: &[Authority]) -> io::Result<Self> {
        let root = root.join("stamps");
        files::make_dir(&root)?;
        let opened = Self { root, known: Mutex::default(), writing: Mutex::default() };
        let (mut whole, mut pending) = (Vec::new(), Vec::new());
        for shard in std::fs::read_dir(&opened.root)? {
            let shard = shard?;
            let Some(number) = shard.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            for entry in std::fs::read_dir(shard.path())? {
                let name = entry?.file_name();
                let Some(name) = name.to_str() else { continue };
                let (name, list) = match name.strip_suffix(PENDING) {
                    Some(name) => (name, &mut pending),
                    None => (name, &mut whole),
                };
                if let Ok(size) = name.parse::<u64>() {
                    list.push((number, size));
                }
            }
        }
        opened.known().all.extend(whole);
        for (shard, size) in pending {
            if opened.known().all.contains(&(shard, size)) {
                // A crash came between the whole file and the end of the pending one.
                opened.remove_pending(shard, size)?;
                continue;
            }
            match read_file(&opened.path(shard, size, PENDING)) {
                Ok(Some(checkpoint)) => opened.note(shard, size, &checkpoint, authorities),
                Ok(None) => {}
                Err(why) => {
                    tracing::error!(%why, "the time-stamps of a checkpoint are damaged");
                    opened.known().again.push((shard, size));
                }
            }
        }
        Ok(opened)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The map is whole after any panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, shard: u32, size: u64, suffix: &str) -> PathBuf {
        self.root.join(shard.to_string()).join(format!("{size}{suffix}"))
    }

    /// Legs of an authority that is configured no more wait for nobody.
    fn note(&self, shard: u32, size: u64, checkpoint: &Checkpoint, authorities: &[Authority]) {
        let waits = |(place, authority): (usize, &Authority)| {
            let open = checkpoint.legs.iter().any(|leg| leg.got.is_none() && leg.is_of(authority));
            open.then_some(place)
        };
        let on = authorities.iter().enumerate().filter_map(waits).collect();
        let mut known = self.known();
        known.all.insert((shard, size));
        known.waiting.insert((shard, size), Waits { since: checkpoint.since, on });
    }

    /// Takes a checkpoint up, durably.
    pub(super) fn begin(
        &self,
        shard: u32,
        size: u64,
        checkpoint: &Checkpoint,
        authorities: &[Authority],
    ) -> io::Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(shard, size, PENDING);
        files::make_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        write_file(&path, checkpoint)?;
        self.note(shard, size, checkpoint, authorities);
        Ok(())
    }

    /// The oldest checkpoint that waits for this authority.
    pub(super) fn next(&self, authority: usize) -> Option<Key> {
        let known = self.known();
        known.waiting.iter().find(|(_, waits)| waits.on.contains(&authority)).map(|(key, _)| *key)
    }

    /// How many checkpoints wait for this authority, and since when the oldest does.
    pub(super) fn pending(&self, authority: usize) -> (u64, Option<BlockTime>) {
        let known = self.known();
        let waiting = known.waiting.values().filter(|waits| waits.on.contains(&authority));
        let (mut count, mut oldest) = (0, None::<BlockTime>);
        for waits in waiting {
            count += 1;
            oldest = Some(oldest.map_or(waits.since, |oldest| oldest.min(waits.since)));
        }
        (count, oldest)
    }

    /// Writes a time-stamp beside its leg, durably.
    pub(super) fn keep(
        &self,
        (shard, size): Key,
        place: usize,
        authority: &Authority,
        got: Got,
    ) -> io::Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = self.path(shard, size, PENDING);
        let mut checkpoint = read_file(&pending)?.ok_or(io::ErrorKind::NotFound)?;
        let leg = checkpoint.legs.iter_mut().find(|leg| leg.is_of(authority));
        leg.ok_or(io::ErrorKind::InvalidData)?.got = Some(got);
        if checkpoint.legs.iter().all(|leg| leg.got.is_some()) {
            write_file(&self.path(shard, size, ""), &checkpoint)?;
            self.known().waiting.remove(&(shard, size));
            return self.remove_pending(shard, size);
        }
        write_file(&pending, &checkpoint)?;
        if let Some(waits) = self.known().waiting.get_mut(&(shard, size)) {
            waits.on.retain(|other| *other != place);
        }
        Ok(())
    }

    fn remove_pending(&self, shard: u32, size: u64) -> io::Result<()> {
        match std::fs::remove_file(self.path(shard, size, PENDING)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes a checkpoint whose file is damaged out of the way, so that it can be taken up anew.
    pub(super) fn forget(&self, key: Key) {
        let mut known = self.known();
        known.all.remove(&key);
        known.waiting.remove(&key);
        known.again.push(key);
    }

    /// Those whose file was found damaged since this was asked last.
    pub(super) fn again(&self) -> Vec<Key> {
        std::mem::take(&mut self.known().again)
    }

    /// The size that was taken up last.
    pub(super) fn last(&self, shard: u32) -> Option<u64> {
        self.known().all.range((shard, 0)..=(shard, u64::MAX)).next_back().map(|(_, size)| *size)
    }

    /// The first size taken up that covers this index.
    pub(crate) fn covering(&self, shard: u32, index: u64) -> Option<u64> {
        let above = index.checked_add(1)?;
        self.known().all.range((shard, above)..=(shard, u64::MAX)).next().map(|(_, size)| *size)
    }

    /// One that was taken up, or `None`.
    pub(super) fn read(&self, shard: u32, size: u64) -> io::Result<Option<Checkpoint>> {
        // The whole file after the pending one, and once more: in between a leg may have come and moved it.
        for suffix in [PENDING, "", PENDING] {
            if let Some(checkpoint) = read_file(&self.path(shard, size, suffix))? {
                return Ok(Some(checkpoint));
            }
        }
        Ok(None)
    }
}

fn write_file(path: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    let mut bytes = checkpoint.to_bytes();
    let digest = sha256(&[&bytes]);
    bytes.extend_from_slice(&digest);
    files::replace(path, &bytes, Readers::Anyone)
}

/// A file whose digest at the end is that of what stands before.
fn read_file(path: &Path) -> io::Result<Option<Checkpoint>> {
    let Some(bytes) = files::read(path, LONGEST)? else { return Ok(None) };
    let damaged = |refusal: Refusal| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {refusal}", path.display()))
    };
    let (body, digest) =
        bytes.split_last_chunk::<32>().ok_or_else(|| damaged(Refusal::new(Code::Damaged)))?;
    if sha256(&[body]) != *digest {
        return Err(damaged(Refusal::new(Code::Damaged)));
    }
    Checkpoint::from_bytes(body).map(Some).map_err(damaged)
}
