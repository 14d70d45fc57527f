//! A disk on which power is cut and writes fail.
//!
//! What was not synced may be lost, in part: of a file any of its sectors of 512 bytes, of a folder any of its last
//! changes. Two modes: `Strict` loses all of it, `Subset` each piece by chance.

use super::disk::{Disk, DiskFile, Identity};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SECTOR: usize = 512;

/// What a power cut takes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of it.
    Strict,
    /// Each sector and each change of a folder with an even chance.
    Subset,
}

/// Whether syncs do anything: without them the harness must find loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    /// As asked.
    Kept,
    /// None is done, and each is said to be.
    Dropped,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct File {
    now: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
}

struct State {
    files: BTreeMap<u64, File>,
    /// Names now, and names that are durable.
    now: BTreeMap<PathBuf, u64>,
    durable: BTreeMap<PathBuf, u64>,
    /// Changes of names that no sync has made durable, in order.
    pending: Vec<(PathBuf, Option<u64>)>,
    next: u64,
    syncs: Syncs,
    /// Operations until one fails, and what then does.
    fails_in: Option<u64>,
    kind: io::ErrorKind,
    /// Bytes that fit.
    room: u64,
    /// Set when the power is cut: handles from before write nowhere.
    life: u64,
    /// Operations so far.
    operations: u64,
    /// Operations until the power goes.
    dies_in: Option<u64>,
    dead: bool,
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(syncs: Syncs) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            now: BTreeMap::new(),
            durable: BTreeMap::new(),
            pending: Vec::new(),
            next: 0,
            syncs,
            fails_in: None,
            kind: io::ErrorKind::Other,
            room: u64::MAX,
            life: 0,
            operations: 0,
            dies_in: None,
            dead: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power: `chance` decides piece by piece what of the unsynced is kept. Handles from before are dead.
    pub fn cut_power(&self, loss: Loss, mut chance: impl FnMut() -> bool) {
        let mut state = self.state();
        state.life += 1;
        (state.dies_in, state.dead, state.fails_in) = (None, false, None);
        let mut keep = || loss == Loss::Subset && chance();
        let mut names = core::mem::take(&mut state.durable);
        for (path, file) in core::mem::take(&mut state.pending) {
            if keep() {
                match file {
                    Some(file) => drop(names.insert(path, file)),
                    None => drop(names.remove(&path)),
                }
            }
        }
        for file in state.files.values_mut() {
            let mut after = file.durable.clone();
            // A file shrinks by a change of its length, which is lost or kept as a whole.
            if file.now.len() < file.durable.len() && keep() {
                after.truncate(file.now.len());
            }
            for sector in core::mem::take(&mut file.dirty) {
                let from = sector * SECTOR;
                let to = (from + SECTOR).min(file.now.len());
                if from < to && keep() {
                    if after.len() < to {
                        after.resize(to, 0);
                    }
                    after[from..to].copy_from_slice(&file.now[from..to]);
                }
            }
            file.now.clone_from(&after);
            file.durable = after;
        }
        state.now.clone_from(&names);
        state.durable = names;
    }

    /// Lets the power go before the operation after `operations` more: from then on every one fails, until
    /// [`SimDisk::cut_power`] says what is left.
    pub fn die_in(&self, operations: u64) {
        self.state().dies_in = Some(operations);
    }

    /// From now on, whether syncs do anything.
    pub fn set_syncs(&self, syncs: Syncs) {
        self.state().syncs = syncs;
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Lets the operation after `operations` more fail, once.
    pub fn fail_in(&self, operations: u64, kind: io::ErrorKind) {
        let mut state = self.state();
        (state.fails_in, state.kind) = (Some(operations), kind);
    }

    /// Lets no more fit than these bytes.
    pub fn set_room(&self, bytes: u64) {
        self.state().room = bytes;
    }

    /// Bytes that files hold.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Operations so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// The files, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        self.state().now.keys().cloned().collect()
    }

    /// Changes the bytes of a file behind the store's back.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let Some(id) = state.now.get(path).copied() else { return };
        let Some(file) = state.files.get_mut(&id) else { return };
        change(&mut file.now);
        file.durable.clone_from(&file.now);
    }

    /// Removes every file below a folder, durably.
    pub fn remove_all(&self, folder: &Path) {
        let mut state = self.state();
        state.now.retain(|path, _| !path.starts_with(folder));
        state.durable.retain(|path, _| !path.starts_with(folder));
        state.pending.retain(|(path, _)| !path.starts_with(folder));
    }
}

impl State {
    fn used(&self) -> u64 {
        self.now.values().filter_map(|id| self.files.get(id)).map(|file| file.now.len() as u64).sum()
    }

    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        match &mut self.dies_in {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        if self.dead {
            return Err(dead());
        }
        match &mut self.fails_in {
            Some(0) => {
                self.fails_in = None;
                Err(io::Error::new(self.kind, "planted failure"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn name(&mut self, path: &Path, file: Option<u64>) {
        match file {
            Some(file) => drop(self.now.insert(path.to_owned(), file)),
            None => drop(self.now.remove(path)),
        }
        self.pending.push((path.to_owned(), file));
    }

    fn settle(&mut self, chosen: impl Fn(&Path) -> bool) {
        if self.syncs == Syncs::Dropped {
            return;
        }
        for (path, file) in core::mem::take(&mut self.pending) {
            if !chosen(&path) {
                self.pending.push((path, file));
                continue;
            }
            match file {
                Some(file) => drop(self.durable.insert(path, file)),
                None => drop(self.durable.remove(&path)),
            }
        }
    }
}

struct Handle {
    disk: SimDisk,
    id: u64,
    life: u64,
}

fn dead() -> io::Error {
    io::Error::other("the power was cut")
}

impl Handle {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.state();
        if state.life != self.life {
            return Err(dead());
        }
        state.operate()?;
        act(&mut state)
    }
}

impl DiskFile for Handle {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(|state| {
            let (used, room) = (state.used(), state.room);
            let from = usize::try_from(offset).expect("a test's file is small");
            let file = state.files.get_mut(&self.id).expect("an open file is kept");
            let grows = (from + bytes.len()).saturating_sub(file.now.len()) as u64;
            // A full disk takes what fits and then refuses.
            let fits = if used + grows > room {
                usize::try_from(room.saturating_sub(used)).unwrap_or(usize::MAX).min(bytes.len())
            } else {
                bytes.len()
            };
            let end = from + fits;
            if file.now.len() < end {
                file.now.resize(end, 0);
            }
            file.now[from..end].copy_from_slice(&bytes[..fits]);
            if fits > 0 {
                file.dirty.extend(from / SECTOR..end.div_ceil(SECTOR));
            }
            if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.with(|state| {
            let file = state.files.get(&self.id).expect("an open file is kept");
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            let end = from.checked_add(bytes.len());
            let found = end.and_then(|end| file.now.get(from..end)).ok_or(io::ErrorKind::UnexpectedEof)?;
            bytes.copy_from_slice(found);
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|state| Ok(state.files[&self.id].now.len() as u64))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.with(|state| {
            let file = state.files.get_mut(&self.id).expect("an open file is kept");
            file.now.resize(usize::try_from(length).expect("a test's file is small"), 0);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|state| {
            if state.syncs == Syncs::Kept {
                let file = state.files.get_mut(&self.id).expect("an open file is kept");
                file.durable.clone_from(&file.now);
                file.dirty.clear();
            }
            Ok(())
        })
    }

    fn identity(&self) -> io::Result<Identity> {
        self.with(|_| Ok(Identity { number: self.id, born: 0 }))
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.operate()?;
        let id = match state.now.get(path).copied() {
            Some(id) if !create => id,
            None if !create => return Err(io::ErrorKind::NotFound.into()),
            _ => {
                let id = state.next;
                state.next += 1;
                state.files.insert(id, File::default());
                state.name(path, Some(id));
                id
            }
        };
        let life = state.life;
        drop(state);
        Ok(Box::new(Handle { disk: self.clone(), id, life }))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.operate()?;
        let mut names = BTreeSet::new();
        for path in state.now.keys() {
            if let Ok(rest) = path.strip_prefix(folder)
                && let Some(first) = rest.components().next()
            {
                names.insert(first.as_os_str().to_string_lossy().into_owned());
            }
        }
        Ok(names.into_iter().collect())
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        // Folders are the beginnings of names here.
        self.state().operate()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let id = state.now.get(from).copied().ok_or(io::ErrorKind::NotFound)?;
        // One change of the folder: the new name without the loss of the old one is not seen.
        state.name(to, Some(id));
        state.name(from, None);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        if !state.now.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.name(path, None);
        Ok(())
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.settle(|path| path.parent() == Some(folder));
        Ok(())
    }

    fn sync_all(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.settle(|_| true);
        if state.syncs == Syncs::Kept {
            for file in state.files.values_mut() {
                file.durable.clone_from(&file.now);
                file.dirty.clear();
            }
        }
        Ok(())
    }
}
