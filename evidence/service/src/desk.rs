//! The desk: takes deposits, gives receipts, says where an entry stands, and makes its bundle.
//!
//! | state | what it rests on |
//! |---|---|
//! | received | the desk's signed receipt: durable, with a position |
//! | logged | a published checkpoint that covers the position |
//! | anchored | the relay chain's one proof of a checkpoint that covers it |
//!
//! The states are never mixed: each has its own time, and a later one does not change an earlier.

mod deposit;
mod policy;
mod proof;

use crate::anchors::{Anchored, Anchors};
use crate::config::Config;
use crate::judging::Judging;
use crate::keys::Keys;
use crate::quarantine::Quarantine;
use crate::receipts::Promiser;
use crate::stamping::{Stamping, Stood};
use crate::store::{
    Disk, FjallIndex, FjallSearch, Log, Position, RealDisk, SearchIndex, Signers, Stored, Tree,
};
use crate::witnessing::Witnessing;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use zeugma_evidence_log::Disclosure;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::note::NoteBounds;
use zeugma_evidence_verify::bundle::{Bundle, Digests, Logged, Logging, Receipt};
use zeugma_proof::tree::leaf_hash;
use zeugma_types::{BlockTime, Code, Encode as _, HashSuite, LeafIndex, Refusal, TreeSize, UnixSeconds};

/// How long a request waits for an index that is being rebuilt.
const READY: Duration = Duration::from_secs(2);

/// What became of one deposit.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Where it stands.
    pub position: Position,
    /// Whether it was there before.
    pub known: bool,
    /// The promise.
    pub receipt: Receipt,
}

/// What is kept of a request while the log writes it: the hashes of its leaves, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Handed {
    leaves: Vec<[u8; 32]>,
    received_at: BlockTime,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When it was received.
    pub received_at: BlockTime,
    /// Size of the published checkpoint that covers it, if one does.
    pub logged: Option<TreeSize>,
    /// The anchored size that covers it, and when the relay chain said so.
    pub anchored: Option<(TreeSize, BlockTime)>,
}

/// Signed notes of a checkpoint, as they are published.
#[derive(Clone, Debug)]
pub(crate) struct Notes {
    pub(crate) size: TreeSize,
    pub(crate) first: String,
    pub(crate) second: Option<String>,
}

/// The desk of one log.
pub struct Desk {
    log: Log,
    /// By origin: of the open shard, and of those before it that are asked for.
    signers: Mutex<BTreeMap<String, Signers>>,
    second: bool,
    backups: Option<PathBuf>,
    promiser: Promiser,
    keys: Keys,
    anchors: Anchors,
    stamping: Stamping,
    witnessing: Witnessing,
    judging: Judging,
    quarantine: Quarantine,
    needed: u16,
    witnesses_needed: u16,
    folder: std::path::PathBuf,
    /// The newest published notes of the open shard.
    published: Mutex<Option<(u32, Notes)>>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({})", self.origin())
    }
}

/// The machine's clock. A receipt's time is the desk's word, and is told as such.
pub(crate) fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    BlockTime::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn failed(error: &io::Error) -> Refusal {
    Refusal::new(Code::StoreFailed).found(error.to_string())
}

impl Desk {
    /// Opens the log in the configured folder, or makes one.
    ///
    /// # Errors
    /// The refusals of [`Log::open`]; [`Code::StoreFailed`] for the folders of anchors and time-stamps; those of a time
    /// authority whose X.509 certificate cannot be used; [`Code::BadRulePack`].
    pub fn open(config: &Config, keys: Keys) -> Result<Self, Refusal> {
        Self::open_on(config, keys, Arc::new(RealDisk))
    }

    /// As [`Desk::open`], with the log on this disk.
    pub(crate) fn open_on(config: &Config, keys: Keys, disk: Arc<dyn Disk>) -> Result<Self, Refusal> {
        let search = FjallSearch::open(&config.log.folder.join("search"))?;
        Self::open_with(config, keys, disk, Some(Arc::new(search)))
    }

    /// As [`Desk::open_on`], of a log in which nobody searches.
    pub(crate) fn open_beside(config: &Config, keys: Keys, disk: Arc<dyn Disk>) -> Result<Self, Refusal> {
        Self::open_with(config, keys, disk, None)
    }

    fn open_with(
        config: &Config,
        keys: Keys,
        disk: Arc<dyn Disk>,
        search: Option<Arc<dyn SearchIndex>>,
    ) -> Result<Self, Refusal> {
        let (second, backups) = (config.log.second, config.log.backups.clone());
        let own = keys.signers(&config.log.origin, second)?;
        let signers = Mutex::new(BTreeMap::from([(config.log.origin.clone(), own)]));
        let folder = config.log.folder.clone();
        let anchors = Anchors::open(&folder).map_err(|error| failed(&error))?;
        let stamping = Stamping::open(config, &folder)?;
        let witnessing = Witnessing::open(config, &folder)?;
        let index = FjallIndex::open(&folder.join("index"))?;
        let store = crate::store::Config {
            second: config.log.second,
            twin: config.log.twin.clone(),
            after_loss: config.log.after_loss,
            ..crate::store::Config::new(&folder, &config.log.origin)
        };
        let disk_of_cases = Arc::clone(&disk);
        let log = Log::open_with(store, disk, Arc::new(index), search)?;
        let quarantine = Quarantine::open(disk_of_cases, &folder, &config.quarantine)?;
        let judging = Judging::open(config, &log, keys.desk.clone())?;
        let promiser = Promiser { key: keys.desk.clone(), within: config.log.promise() };
        let (needed, witnesses_needed) = (config.stamping.needed, config.witnessing.needed);
        let published = Mutex::new(None);
        Ok(Self {
            log,
            signers,
            second,
            backups,
            promiser,
            keys,
            anchors,
            stamping,
            witnessing,
            judging,
            quarantine,
            needed,
            witnesses_needed,
            folder,
            published,
        })
    }

    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> String {
        self.log.head().1
    }

    /// The signers of a log: one set of keys signs every shard.
    fn signers(&self, origin: &str) -> Result<Signers, Refusal> {
        let mut known = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signers) = known.get(origin) {
            return Ok(signers.clone());
        }
        let made = self.keys.signers(origin, self.second)?;
        known.insert(origin.to_owned(), made.clone());
        Ok(made)
    }

    /// Whether the log has the tree in SM3.
    pub(crate) const fn has_second(&self) -> bool {
        self.second
    }

    /// The keys.
    pub(crate) const fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) const fn log(&self) -> &Log {
        &self.log
    }

    pub(crate) const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    pub(crate) const fn stamping(&self) -> &Stamping {
        &self.stamping
    }

    pub(crate) const fn witnessing(&self) -> &Witnessing {
        &self.witnessing
    }

    pub(crate) const fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    pub(crate) const fn judging(&self) -> &Judging {
        &self.judging
    }

    /// The entry's own receipt: the same whenever it is asked for.
    ///
    /// # Errors
    /// As [`Log::stored`].
    pub fn receipt(&self, position: Position) -> Result<Receipt, Refusal> {
        let stored = self.log.stored(position)?;
        let leaf = leaf_hash(HashSuite::Sha256, &stored.entry.to_bytes());
        let at = BlockTime::new(stored.received_at);
        let origin = self.log.origin_of(position.shard)?;
        let mut own = self.promiser.promise((&origin, position.index), vec![leaf], at);
        Ok(own.pop().expect("one leaf has one receipt"))
    }

    /// The entry as it is kept, for its own tenant.
    ///
    /// # Errors
    /// As [`Log::stored`]; [`Code::NoSuchEntry`] for another tenant: that it exists, or did, is not told.
    pub fn stored(&self, tenant: &str, position: Position) -> Result<Stored, Refusal> {
        // One answer for what is not there and for what is another tenant's, to the byte.
        let absent = || Refusal::new(Code::NoSuchEntry).found(position.index);
        match self.log.stored(position) {
            Ok(stored) if stored.tenant == tenant => Ok(stored),
            Ok(_) => Err(absent()),
            Err(refusal) if refusal.code == Code::NoSuchEntry => Err(absent()),
            Err(refusal) if refusal.code == Code::RecordErased => {
                // Whose it was stands in the index, which follows.
                let _ = self.log.wait_searchable(READY);
                Err(if self.log.erased_of(tenant, position)? { refusal } else { absent() })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Where an entry stands.
    ///
    /// # Errors
    /// As [`Desk::stored`]; [`Code::StoreFailed`], [`Code::Damaged`].
    pub fn standing(&self, tenant: &str, position: Position) -> Result<Standing, Refusal> {
        let stored = self.stored(tenant, position)?;
        let published = self.notes(position.shard)?;
        let logged = published.map(|notes| notes.size).filter(|size| size.get() > position.index);
        let anchored = match self.anchored(position)? {
            Some((size, anchored)) => Some((size, anchored.at()?)),
            None => None,
        };
        Ok(Standing { received_at: BlockTime::new(stored.received_at), logged, anchored })
    }

    pub(crate) fn anchored(&self, position: Position) -> Result<Option<(TreeSize, Anchored)>, Refusal> {
        let Some(size) = self.anchors.covering(position.shard, position.index) else { return Ok(None) };
        let anchored = self.anchors.read(position.shard, size);
        let damaged = |error: io::Error| Refusal::new(Code::Damaged).found(error.to_string());
        anchored.map(|anchored| Some((TreeSize::new(size), anchored))).map_err(damaged)
    }

    /// The checkpoint under which an entry's time-stamps are: the anchored one, else one that was taken up for them.
    pub(crate) fn stamped_size(&self, position: Position) -> Option<u64> {
        let (shard, index) = (position.shard, position.index);
        self.anchors.covering(shard, index).or_else(|| self.stamping.files().covering(shard, index))
    }

    /// The legs of an entry's time-stamps, pending ones too.
    ///
    /// # Errors
    /// As [`Desk::stored`]; [`Code::Damaged`].
    pub(crate) fn legs(&self, tenant: &str, position: Position) -> Result<Vec<Stood>, Refusal> {
        self.stored(tenant, position)?;
        let size = self.stamped_size(position);
        size.map_or(Ok(Vec::new()), |size| self.stamping.stood(position.shard, size))
    }

    /// The bundle of an entry, with every field open and the time-stamps that are there: to the anchored size, to one
    /// that has time-stamps while no anchor covers it, or to the published one.
    ///
    /// # Errors
    /// As [`Desk::stored`]; [`Code::NoSuchEntry`] while no checkpoint covers it.
    pub fn bundle(&self, tenant: &str, position: Position) -> Result<Bundle, Refusal> {
        let stored = self.stored(tenant, position)?;
        let size = self.stamped_size(position);
        let stamped = size.map(|size| self.stamping.read(position.shard, size)).transpose()?.flatten();
        let anchored = self.anchored(position)?;
        let (size, first, second, proof) = match (anchored, size.zip(stamped.as_ref())) {
            (Some((size, anchored)), _) => (size, anchored.first, anchored.second, Some(anchored.proof)),
            (None, Some((size, one))) => (TreeSize::new(size), one.first.clone(), one.second.clone(), None),
            (None, None) => {
                let notes = self.covering(position)?;
                (notes.size, notes.first, notes.second, None)
            }
        };
        // What witnesses said of it since is of it too.
        let first = self.witnessing.cosigned(position.shard, size.get(), first);
        let logged = |tree: Tree, note: String| {
            let path = self.log.inclusion(position, tree, size)?;
            Ok::<_, Refusal>(Logged { note, path })
        };
        let verdicts = self.judging.verdicts(position)?;
        let suites = if stored.entry.sm3.is_some() { Suites::Both } else { Suites::Sha256 };
        let bundle = Bundle {
            disclosure: Disclosure::of(&stored.record, &stored.seed, suites, |_| true),
            entry: stored.entry,
            logging: Logging {
                index: LeafIndex::new(position.index),
                first: logged(Tree::First, first)?,
                second: second.map(|note| logged(Tree::Second, note)).transpose()?,
            },
            receipt: Some(self.receipt(position)?),
            proof,
            stamps: stamped.map(crate::stamping::Checkpoint::stamps).unwrap_or_default(),
            anchors: self.judging.in_force(&verdicts)?,
            verdicts,
            renewals: Vec::new(),
            seal: Digests { sha256: [0; 32], sm3: [0; 32] },
        };
        Ok(bundle.sealed())
    }

    /// Closes the open shard and goes on under another origin, while deposits wait and are not refused. Returns its number.
    ///
    /// # Errors
    /// As [`Log::roll`]; the refusals of an origin that is no name.
    pub fn roll(&self, origin: &str) -> Result<u32, Refusal> {
        // A name that no checkpoint can have is found before the shard is closed.
        self.signers(origin)?;
        self.log.roll(origin)
    }

    /// Copies every segment into a folder below that for backups, durably, while the log serves. Returns the entries of the
    /// open shard that are in it.
    ///
    /// # Errors
    /// [`Code::BackupElsewhere`] unless the folder lies in the one for backups; as [`Log::backup`].
    pub fn backup(&self, folder: &std::path::Path) -> Result<u64, Refusal> {
        let elsewhere = |needed: String| {
            Refusal::new(Code::BackupElsewhere).needed(needed).found(folder.display().to_string())
        };
        let Some(root) = &self.backups else { return Err(elsewhere("log.backups".to_owned())) };
        let root = std::path::absolute(root).map_err(|error| failed(&error))?;
        let plain = folder.components().all(|part| !matches!(part, std::path::Component::ParentDir));
        if !plain || !folder.starts_with(&root) || folder == root {
            return Err(elsewhere(format!("a folder in {}", root.display())));
        }
        crate::files::make_dir(folder).map_err(|error| failed(&error))?;
        self.log.backup(folder)
    }

    /// Erases the record of an entry of this tenant, and what rule packs found of it; leaf and proofs stay.
    ///
    /// # Errors
    /// As [`Desk::stored`] and [`Log::erase`].
    pub fn erase(&self, tenant: &str, position: Position) -> Result<(), Refusal> {
        self.stored(tenant, position)?;
        self.judging.erase(position, || self.log.erase_of(tenant, position))?;
        self.quarantine.erase(position)
    }

    /// Builds everything anew from the segments, and compares.
    ///
    /// # Errors
    /// As [`Log::fsck`].
    pub fn fsck(&self, repair: bool) -> Result<crate::store::Fsck, Refusal> {
        // Every deposit that is durable has its row by then.
        let _ = self.log.wait_ready(Duration::from_secs(600));
        self.log.fsck(repair)
    }

    /// The checkpoint that is to be anchored and stamped: the published one, or with witnesses the one that they were asked about.
    ///
    /// # Errors
    /// As [`Desk::publish`]; [`Code::Damaged`].
    pub(crate) fn ripe(&self, shard: u32) -> Result<Option<Notes>, Refusal> {
        if self.witnessing.witnesses().is_empty() {
            self.notes(shard)
        } else {
            Ok(self.witnessing.settled(shard))
        }
    }

    /// Whether an anchor or time-stamps are of this checkpoint.
    pub(crate) fn rests_on(&self, shard: u32, size: u64) -> bool {
        let index = size.saturating_sub(1);
        self.anchors.covering(shard, index) == Some(size)
            || self.stamping.files().covering(shard, index) == Some(size)
    }

    /// Signs and publishes what is durable.
    ///
    /// # Errors
    /// As [`Log::publish`].
    pub fn publish(&self) -> Result<(), Refusal> {
        let at: UnixSeconds = now().whole_seconds();
        // Of a shard that was just closed the last checkpoint may not be out yet.
        let shards = 0..=self.log.head().0;
        let origins = shards.map(|shard| self.log.origin_of(shard)).collect::<Result<Vec<_>, _>>()?;
        let signers = origins.iter().map(|origin| self.signers(origin)).collect::<Result<Vec<_>, _>>()?;
        self.log.publish(&signers, at).map(|_| ())
    }

    /// The published notes of a shard, or `None` before its first.
    pub(crate) fn notes(&self, shard: u32) -> Result<Option<Notes>, Refusal> {
        let public = self.folder.join("shards").join(shard.to_string()).join("public");
        let note = |path: std::path::PathBuf| -> Result<Option<String>, Refusal> {
            let read = crate::files::read(&path, zeugma_evidence_verify::bundle::MAX_NOTE as u64);
            let bytes = read.map_err(|error| failed(&error))?;
            bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| Refusal::new(Code::Damaged))).transpose()
        };
        // The second tree's note is published before the first's: reading in the other order, both are of one size
        // unless a publication came between, and then the older pair is still at hand.
        let Some(first) = note(public.join("checkpoint"))? else { return Ok(None) };
        let second = note(public.join("sm3").join("checkpoint"))?;
        let size = size_of(&first)?;
        let agree = second.as_deref().map(size_of).transpose()?.is_none_or(|other| other == size);
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if agree {
            let notes = Notes { size, first, second };
            *published = Some((shard, notes.clone()));
            return Ok(Some(notes));
        }
        Ok(published.as_ref().filter(|(of, _)| *of == shard).map(|(_, notes)| notes.clone()))
    }
}

pub(crate) fn size_of(note: &str) -> Result<TreeSize, Refusal> {
    Ok(SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL)?.claimed().view.size)
}
