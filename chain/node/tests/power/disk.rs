//! A disk that loses power.
//!
//! A file and a folder have two faces: what programs see (the page cache) and what is on the platter. A write, a
//! resize, a new name, a removed name reach the first at once and the second when somebody syncs: the file for
//! its bytes and length, the folder for its names. [`Disk::cut`] throws the first face away. What was not synced
//! survives as a real disk may leave it: not at all, whole, up to a torn sector, or any set of sectors, in any order;
//! of the names each by itself. A sync that is under way counts for nothing until it is over.
//!
//! Files are made, removed and opened in the steps of the production storage (`commonware-runtime`, `storage/tokio`):
//! folder, name, sync of the folder, sync of the root, header, sync of the file; a removal is durable before it
//! returns; a process that starts begins with `syncfs`. [`Syncs::None`] takes every one of these syncs away, those
//! of the names too; [`Syncs::NotIn`] only those of some partitions.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// Which syncs reach the platter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    /// All: a disk as it should be.
    All,
    /// None: the planted fault.
    None,
    /// None of partitions whose name holds this.
    NotIn(&'static str),
}

/// What a disk refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// After so many more bytes there is no room: what fits of a write is written, and it fails.
    Full { room: u64 },
    /// After so many more syncs, one fails, and all after it.
    Sync { after: u64 },
}

/// What a cut leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Nothing.
    Lost,
    /// Each file and each name by a lot of its own.
    Torn,
}

/// What befell a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Cuts.
    pub cuts: u64,
    /// Writes and resizes that were not synced and are gone, wholly or in part.
    pub lost: u64,
    /// Of these, writes of which a part survived.
    pub torn: u64,
    /// New or removed names that were not synced and are as before.
    pub names: u64,
}

type Id = u64;

#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

#[derive(Default)]
struct File {
    seen: Vec<u8>,
    platter: Vec<u8>,
    /// Not synced, with their numbers.
    pending: Vec<(u64, Change)>,
    partition: String,
}

#[derive(Clone)]
enum Naming {
    Add(Vec<u8>, Id),
    Remove(Vec<u8>),
}

#[derive(Default)]
struct Folder {
    seen: BTreeMap<Vec<u8>, Id>,
    platter: BTreeMap<Vec<u8>, Id>,
    pending: Vec<Naming>,
}

impl Folder {
    fn add(&mut self, name: &[u8], id: Id) {
        self.seen.insert(name.to_vec(), id);
        self.pending.push(Naming::Add(name.to_vec(), id));
    }

    fn remove(&mut self, name: &[u8]) -> Option<Id> {
        let id = self.seen.remove(name)?;
        self.pending.push(Naming::Remove(name.to_vec()));
        Some(id)
    }

    fn sync(&mut self) {
        self.platter = self.seen.clone();
        self.pending.clear();
    }

    fn cut(&mut self, rng: &mut ChaCha20Rng, damage: &mut Damage, cache: Cache) {
        for naming in std::mem::take(&mut self.pending) {
            if cache == Cache::Lost || rng.next_u32().is_multiple_of(2) {
                damage.names += 1;
                continue;
            }
            match naming {
                Naming::Add(name, id) => drop(self.platter.insert(name, id)),
                Naming::Remove(name) => drop(self.platter.remove(&name)),
            }
        }
        self.seen = self.platter.clone();
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Resize(length) => bytes.resize(*length, 0),
        Change::Write { at, bytes: new } => {
            let end = at + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(new);
        }
    }
}

/// A write in pieces that a disk writes at once.
fn sectors(at: usize, bytes: &[u8]) -> Vec<Change> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    while from < bytes.len() {
        let to = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
        pieces.push(Change::Write { at: at + from, bytes: bytes[from..to].to_vec() });
        from = to;
    }
    pieces
}

/// How the unsynced changes of one file survive.
enum Fate {
    None,
    All,
    /// The first of them; the last of these torn.
    First,
    /// Each sector by itself.
    Any,
}

impl File {
    fn sync(&mut self, up_to: u64) {
        let later = self.pending.iter().position(|(number, _)| *number > up_to);
        let later = self.pending.split_off(later.unwrap_or(self.pending.len()));
        for (_, change) in std::mem::replace(&mut self.pending, later) {
            apply(&mut self.platter, &change);
        }
    }

    fn cut(&mut self, rng: &mut ChaCha20Rng, damage: &mut Damage, cache: Cache) {
        let pending = std::mem::take(&mut self.pending);
        let fate = match rng.next_u32() % 4 {
            _ if cache == Cache::Lost => Fate::None,
            0 => Fate::None,
            1 => Fate::All,
            2 => Fate::First,
            _ => Fate::Any,
        };
        let kept = rng.next_u64() as usize % (pending.len() + 1);
        for (place, (_, change)) in pending.iter().enumerate() {
            let pieces = match change {
                Change::Write { at, bytes } => sectors(*at, bytes),
                resize @ Change::Resize(_) => vec![resize.clone()],
            };
            let torn = rng.next_u64() as usize % (pieces.len() + 1);
            let mut survived = 0;
            for (number, piece) in pieces.iter().enumerate() {
                let survives = match fate {
                    Fate::None => false,
                    Fate::All => true,
                    Fate::First => place < kept || place == kept && number < torn,
                    Fate::Any => rng.next_u32().is_multiple_of(2),
                };
                if survives {
                    apply(&mut self.platter, piece);
                    survived += 1;
                }
            }
            if survived < pieces.len() {
                damage.lost += 1;
                damage.torn += u64::from(survived > 0);
            }
        }
        self.seen.clone_from(&self.platter);
    }
}

enum Target {
    File(Id, u64),
    Folder(Id),
    Root,
}

struct Inner {
    syncs: Syncs,
    rng: ChaCha20Rng,
    root: Folder,
    folders: BTreeMap<Id, Folder>,
    files: BTreeMap<Id, File>,
    /// Syncs under way, and when they are over.
    under_way: Vec<(SystemTime, Target)>,
    next: u64,
    /// How often it was started; a handle of another start is dead.
    run: u64,
    /// Operations until the power fails by itself.
    fuse: Option<u64>,
    dark: bool,
    fault: Option<Fault>,
    damage: Damage,
}

/// A disk. Clones share it.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<Inner>>);

/// Why an operation did not take place.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no power, or the program that asks is from before it failed: nothing is ever answered.
    Dark,
    Full,
    Broken,
    Missing,
}

impl Disk {
    pub fn new(seed: u64, syncs: Syncs) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            syncs,
            rng: ChaCha20Rng::seed_from_u64(seed),
            root: Folder::default(),
            folders: BTreeMap::new(),
            files: BTreeMap::new(),
            under_way: Vec::new(),
            next: 0,
            run: 0,
            fuse: None,
            dark: false,
            fault: None,
            damage: Damage::default(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A program starts on it: what an earlier one wrote becomes durable first. Gives the number of the run.
    pub fn start(&self, now: SystemTime) -> u64 {
        let mut inner = self.lock();
        inner.settle(now);
        inner.sync_all();
        inner.dark = false;
        inner.run += 1;
        inner.run
    }

    /// The power fails: what was not synced survives as `cache` says.
    pub fn cut(&self, now: SystemTime, cache: Cache) {
        let mut inner = self.lock();
        inner.settle(now);
        inner.under_way.clear();
        inner.dark = true;
        inner.run += 1;
        inner.fuse = None;
        inner.cut(cache);
    }

    /// The program is killed, and the machine goes on.
    pub fn kill(&self) {
        let mut inner = self.lock();
        inner.dark = true;
        inner.run += 1;
        inner.fuse = None;
    }

    /// Lets the power fail by itself after so many operations.
    pub fn fuse(&self, operations: u64) {
        self.lock().fuse = Some(operations);
    }

    /// Whether there is no power.
    pub fn is_dark(&self) -> bool {
        self.lock().dark
    }

    /// Makes it refuse from now on, or no more.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    pub fn damage(&self) -> Damage {
        self.lock().damage
    }

    /// A step of a program: `what` is done unless the power failed.
    fn step<T>(&self, run: u64, what: impl FnOnce(&mut Inner) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut inner = self.lock();
        if inner.dark || inner.run != run {
            return Err(Failure::Dark);
        }
        match &mut inner.fuse {
            Some(0) => {
                inner.dark = true;
                return Err(Failure::Dark);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        what(&mut inner)
    }

    /// The folder of a partition, made if it is not there.
    pub fn folder(&self, run: u64, partition: &str) -> Result<u64, Failure> {
        self.step(run, |inner| {
            if let Some(id) = inner.root.seen.get(partition.as_bytes()) {
                return Ok(*id);
            }
            inner.grow(1)?;
            let id = inner.number();
            inner.folders.insert(id, Folder::default());
            inner.root.add(partition.as_bytes(), id);
            Ok(id)
        })
    }

    /// A file in a folder, made if it is not there.
    pub fn file(&self, run: u64, folder: u64, partition: &str, name: &[u8]) -> Result<u64, Failure> {
        self.step(run, |inner| {
            if let Some(id) = inner.folders.get(&folder).and_then(|folder| folder.seen.get(name)) {
                return Ok(*id);
            }
            inner.grow(1)?;
            let id = inner.number();
            inner.files.insert(id, File { partition: partition.into(), ..File::default() });
            inner.folders.get_mut(&folder).ok_or(Failure::Missing)?.add(name, id);
            Ok(id)
        })
    }

    /// The partitions that a program sees.
    pub fn partitions(&self) -> Vec<String> {
        self.lock().root.seen.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    pub fn names(&self, run: u64, partition: &str) -> Result<Vec<Vec<u8>>, Failure> {
        self.step(run, |inner| {
            let id = inner.root.seen.get(partition.as_bytes()).ok_or(Failure::Missing)?;
            let folder = inner.folders.get(id).ok_or(Failure::Missing)?;
            Ok(folder.seen.keys().cloned().collect())
        })
    }

    /// Removes one name of a partition. Gives its folder, which is to be synced.
    pub fn remove(&self, run: u64, partition: &str, name: &[u8]) -> Result<u64, Failure> {
        self.step(run, |inner| {
            let id = *inner.root.seen.get(partition.as_bytes()).ok_or(Failure::Missing)?;
            let folder = inner.folders.get_mut(&id).ok_or(Failure::Missing)?;
            folder.remove(name).map(|_| id).ok_or(Failure::Missing)
        })
    }

    /// Removes the folder of a partition, whose names were removed.
    pub fn remove_folder(&self, run: u64, partition: &str) -> Result<(), Failure> {
        self.step(run, |inner| inner.root.remove(partition.as_bytes()).map(drop).ok_or(Failure::Missing))
    }

    pub fn read(&self, run: u64, file: u64) -> Result<Vec<u8>, Failure> {
        // Reading is no step: it changes nothing that a cut could catch half done.
        let inner = self.lock();
        if inner.dark || inner.run != run {
            return Err(Failure::Dark);
        }
        Ok(inner.files.get(&file).ok_or(Failure::Missing)?.seen.clone())
    }

    pub fn read_range(
        &self,
        run: u64,
        file: u64,
        at: usize,
        length: usize,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let inner = self.lock();
        if inner.dark || inner.run != run {
            return Err(Failure::Dark);
        }
        let bytes = &inner.files.get(&file).ok_or(Failure::Missing)?.seen;
        Ok(at.checked_add(length).and_then(|end| bytes.get(at..end)).map(<[u8]>::to_vec))
    }

    pub fn write(&self, run: u64, file: u64, at: usize, bytes: &[u8]) -> Result<(), Failure> {
        self.step(run, |inner| {
            let before = inner.files.get(&file).ok_or(Failure::Missing)?.seen.len();
            let grows = (at + bytes.len()).saturating_sub(before);
            let (fits, refused) = match inner.grow(grows as u64) {
                Ok(()) => (bytes.len(), None),
                // A short write: what found room is there.
                Err(failure) => (bytes.len() - grows, Some(failure)),
            };
            if fits > 0 {
                inner.change(file, Change::Write { at, bytes: bytes[..fits].to_vec() })?;
            }
            refused.map_or(Ok(()), Err)
        })
    }

    pub fn resize(&self, run: u64, file: u64, length: usize) -> Result<(), Failure> {
        self.step(run, |inner| {
            let before = inner.files.get(&file).ok_or(Failure::Missing)?.seen.len();
            inner.grow(length.saturating_sub(before) as u64)?;
            inner.change(file, Change::Resize(length))
        })
    }

    /// Begins a sync of a file that is over at `end`.
    pub fn sync_file(&self, run: u64, file: u64, end: SystemTime) -> Result<(), Failure> {
        self.step(run, |inner| {
            inner.break_sync()?;
            let number = inner.next;
            inner.under_way.push((end, Target::File(file, number)));
            Ok(())
        })
    }

    pub fn sync_folder(&self, run: u64, folder: u64, end: SystemTime) -> Result<(), Failure> {
        self.step(run, |inner| {
            inner.break_sync()?;
            inner.under_way.push((end, Target::Folder(folder)));
            Ok(())
        })
    }

    pub fn sync_root(&self, run: u64, end: SystemTime) -> Result<(), Failure> {
        self.step(run, |inner| {
            inner.break_sync()?;
            inner.under_way.push((end, Target::Root));
            Ok(())
        })
    }

    /// Whether the power is still there once a sync is over.
    pub fn settle(&self, run: u64, now: SystemTime) -> Result<(), Failure> {
        let mut inner = self.lock();
        if inner.dark || inner.run != run {
            return Err(Failure::Dark);
        }
        inner.settle(now);
        Ok(())
    }

    /// Milliseconds that the next sync takes.
    pub fn latency(&self) -> u64 {
        u64::from(self.lock().rng.next_u32() % 6)
    }
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn grow(&mut self, bytes: u64) -> Result<(), Failure> {
        match &mut self.fault {
            Some(Fault::Full { room }) if *room < bytes => {
                *room = 0;
                Err(Failure::Full)
            }
            Some(Fault::Full { room }) => {
                *room -= bytes;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn break_sync(&mut self) -> Result<(), Failure> {
        match &mut self.fault {
            Some(Fault::Sync { after: 0 }) => Err(Failure::Broken),
            Some(Fault::Sync { after }) => {
                *after -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn change(&mut self, file: Id, change: Change) -> Result<(), Failure> {
        let number = self.number();
        let file = self.files.get_mut(&file).ok_or(Failure::Missing)?;
        apply(&mut file.seen, &change);
        file.pending.push((number, change));
        Ok(())
    }

    fn syncs(&self, partition: &str) -> bool {
        match self.syncs {
            Syncs::All => true,
            Syncs::None => false,
            Syncs::NotIn(part) => !partition.contains(part),
        }
    }

    /// Ends the syncs that are over at `now`.
    fn settle(&mut self, now: SystemTime) {
        let mut rest = Vec::new();
        for (end, target) in std::mem::take(&mut self.under_way) {
            if end > now {
                rest.push((end, target));
                continue;
            }
            match target {
                Target::File(id, up_to) => {
                    let reaches = self.files.get(&id).is_some_and(|file| self.syncs(&file.partition));
                    if let (true, Some(file)) = (reaches, self.files.get_mut(&id)) {
                        file.sync(up_to);
                    }
                }
                // Names are synced by all but a disk that syncs nothing.
                Target::Folder(id) if self.syncs != Syncs::None => {
                    if let Some(folder) = self.folders.get_mut(&id) {
                        folder.sync();
                    }
                }
                Target::Root if self.syncs != Syncs::None => self.root.sync(),
                _ => {}
            }
        }
        self.under_way = rest;
    }

    fn sync_all(&mut self) {
        if self.syncs == Syncs::None {
            return;
        }
        self.root.sync();
        self.folders.values_mut().for_each(Folder::sync);
        let syncs = self.syncs;
        for file in self.files.values_mut() {
            if !matches!(syncs, Syncs::NotIn(part) if file.partition.contains(part)) {
                file.sync(u64::MAX);
            }
        }
    }

    fn cut(&mut self, cache: Cache) {
        self.damage.cuts += 1;
        self.root.cut(&mut self.rng, &mut self.damage, cache);
        self.folders.values_mut().for_each(|folder| folder.cut(&mut self.rng, &mut self.damage, cache));
        self.files.values_mut().for_each(|file| file.cut(&mut self.rng, &mut self.damage, cache));
        // What no name leads to is no more.
        let folders: Vec<Id> = self.root.platter.values().copied().collect();
        self.folders.retain(|id, _| folders.contains(id));
        let files: std::collections::BTreeSet<Id> =
            self.folders.values().flat_map(|folder| folder.platter.values().copied()).collect();
        self.files.retain(|id, _| files.contains(id));
    }
}

#[cfg(test)]
mod tests;
