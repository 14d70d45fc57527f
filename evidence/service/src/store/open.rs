//! The log, open.

use super::deposit::{
    Batch, Deposit, MAX_ITEMS, MAX_PRIVATE, MAX_TENANT, Outcome, Position, Prepared, Private,
};
use super::deposit::{Leaf, LeafHashes, Outcomes};
use super::disk::Disk;
use super::frame::{Frame, PrivatePart};
use super::index::search::follow::Searching;
use super::index::search::{SearchIndex, Tag, Term};
use super::index::{Index, follow, search};
use super::publish::Publisher;
use super::recover::Recovered;
use super::seen::Seen;
use super::segment::{Places, SegmentId, no_entry};
use super::sequencer::{Command, Reply, Sequencer, erase_parts};
use super::trees::{Made, Trees};
use super::{damaged, io_refusal};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::{Committer, identity};
use zeugma_types::{Code, Decode, Encode, Refusal, TreeSize};

/// Most requests that wait for the sequencer.
const QUEUE: usize = 4_096;
/// Most items that wait for the sequencer.
const WAITING: usize = 256 * 1024;
/// Longest private parts of one batch together, in bytes.
const MAX_BATCH: usize = 16 * 1024 * 1024;

/// Length of the block that is written to see whether the disk takes one, in bytes.
const PROBE: usize = 64 * 1024;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its folder.
    pub root: PathBuf,
    /// A folder with a second copy of every segment, best on another disk.
    pub twin: Option<PathBuf>,
    /// Origin of the log that takes deposits. Another than the store's is refused, unless its shard is closed.
    pub origin: String,
    /// Whether new shards have the second tree, in SM3.
    pub second: bool,
    /// Length at which a segment is followed by the next, in bytes.
    pub segment_bytes: u64,
    /// Goes on after a lost tail: the old shard is closed as it is, and `origin` names the next.
    pub after_loss: bool,
}

impl Config {
    /// A store in `root` for the log of `origin`, with two trees and no twin.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, origin: &str) -> Self {
        Self {
            root: root.into(),
            twin: None,
            origin: origin.into(),
            second: true,
            segment_bytes: 64 * 1024 * 1024,
            after_loss: false,
        }
    }
}

/// What the threads of a log share.
pub(super) struct Shared {
    pub(super) places: Places,
    pub(super) index: Arc<dyn Index>,
    pub(super) follower: follow::Follower,
    pub(super) searching: Option<Searching>,
    /// First frame that is not durable.
    pub(super) durable: AtomicU64,
    pub(super) publisher: Publisher,
    pub(super) offsets: Offsets,
    /// Whether the index has all that the segments have.
    pub(super) ready: AtomicBool,
    /// First frame that is not in the index.
    pub(super) indexed: AtomicU64,
    /// What the index may hold that it held when deposits were first taken; absent until it was read through.
    pub(super) indexed_before: OnceLock<Seen>,
    /// Items that wait for the sequencer.
    pub(super) waiting: AtomicUsize,
    pub(super) segment_bytes: u64,
    grown: Mutex<Grown>,
    /// Closed shards whose last checkpoint may not be published.
    closing: Mutex<Vec<Grown>>,
    /// Trees of closed shards that were asked for: they never change, and making them reads a whole segment.
    closed: Mutex<HashMap<u32, Trees>>,
    /// Every segment with the index of its first entry, ascending.
    segments: Mutex<Vec<(SegmentId, u64)>>,
    origins: Mutex<Vec<(u32, String)>>,
}

/// The trees of a shard, and the tiles that they made and that are not written yet.
pub(super) struct Grown {
    pub(super) shard: u32,
    pub(super) origin: String,
    pub(super) trees: Trees,
    pub(super) made: Vec<Made>,
    pub(super) bytes: usize,
    pub(super) closed: bool,
}

impl Grown {
    pub(super) fn new(shard: u32, origin: String, trees: Trees) -> Self {
        Self { shard, origin, trees, made: Vec::new(), bytes: 0, closed: false }
    }

    pub(super) fn append(&mut self, leaf: &[u8]) -> Result<(), Refusal> {
        let second = self.trees.has(super::trees::Tree::Second);
        self.append_hashed(leaf, &LeafHashes::of(leaf, second))
    }

    pub(super) fn append_hashed(&mut self, leaf: &[u8], hashes: &LeafHashes) -> Result<(), Refusal> {
        let (made, bytes) = (&mut self.made, &mut self.bytes);
        self.trees.append_hashed(leaf, hashes, &mut |tile| {
            *bytes += tile.2.len();
            made.push(tile);
        })
    }
}

impl Shared {
    pub(super) fn grown(&self) -> MutexGuard<'_, Grown> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn closing(&self) -> MutexGuard<'_, Vec<Grown>> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn closed(&self) -> MutexGuard<'_, HashMap<u32, Trees>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn size(&self) -> TreeSize {
        self.grown().trees.size()
    }

    pub(super) fn segments(&self) -> Vec<(SegmentId, u64)> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn add_segment(&self, id: SegmentId, first: u64) {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner).push((id, first));
    }

    pub(super) fn origins(&self) -> Vec<String> {
        let origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.iter().map(|(_, origin)| origin.clone()).collect()
    }

    pub(super) fn next_shard(&self, shard: u32, origin: String, trees: Trees) {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner).push((shard, origin.clone()));
        let next = Grown::new(shard, origin, trees);
        let old = core::mem::replace(&mut *self.grown(), next);
        self.closing().push(old);
    }

    /// The segment and the place of the frame in which an entry stands.
    pub(super) fn frame_of(&self, position: Position) -> Result<(SegmentId, u64), Refusal> {
        {
            let grown = self.grown();
            if grown.shard == position.shard && position.index >= grown.trees.size().get() {
                return Err(no_entry(position.index, grown.trees.size().get()));
            }
        }
        let segments = self.segments();
        let holds = |(id, first): &&(SegmentId, u64)| id.shard == position.shard && *first <= position.index;
        let missing = || no_entry(position.index, self.size().get());
        let (id, _) = segments.iter().rfind(holds).ok_or_else(missing)?;
        let at = self.offsets.find(&self.places, *id, position.index)?;
        Ok((*id, at))
    }

    /// Reads a frame from the first place in which its public part is whole.
    pub(super) fn read_frame(&self, id: SegmentId, at: u64) -> Result<Vec<u8>, Refusal> {
        let mut refused = damaged(format!("segment {} of shard {}", id.number, id.shard));
        for place in 0..self.places.roots.len() {
            let read = self.places.open(place, id).and_then(|segment| segment.frame_at(at));
            let whole = read.and_then(|bytes| Frame::parse(&bytes).map(drop).map(|()| bytes));
            match whole {
                Ok(bytes) => return Ok(bytes),
                Err(refusal) => {
                    refused = damaged(format!("{} at {at}: {refusal}", self.places.path(place, id).display()))
                }
            }
        }
        Err(refused)
    }
}

/// Where frames begin, by segment: 16 bytes a frame, read when first asked for.
#[derive(Default)]
pub(super) struct Offsets(Mutex<HashMap<SegmentId, Vec<(u64, u64)>>>);

impl Offsets {
    /// Tells of a new frame, if its segment's frames are known.
    pub(super) fn push(&self, id: SegmentId, first: u64, at: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = known.get_mut(&id) {
            frames.push((first, at));
        }
    }

    fn find(&self, places: &Places, id: SegmentId, index: u64) -> Result<u64, Refusal> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::map_entry, reason = "reading may fail")]
        if !known.contains_key(&id) {
            let mut frames = Vec::new();
            let mut refused = None;
            for place in 0..places.roots.len() {
                match places.open(place, id).and_then(|segment| segment.heads()) {
                    Ok(heads) if heads.len() > frames.len() => {
                        frames = heads.into_iter().map(|(at, head)| (head.first, at)).collect();
                    }
                    Ok(_) => {}
                    Err(refusal) => refused = Some(refusal),
                }
            }
            if let Some(refusal) = refused.filter(|_| frames.is_empty()) {
                return Err(refusal);
            }
            known.insert(id, frames);
        }
        let frames = &known[&id];
        // A frame without entries begins where the next does, so the last that begins at or before is the one.
        let after = frames.partition_point(|(first, _)| *first <= index);
        let found = after.checked_sub(1).map(|place| frames[place].1);
        found.ok_or_else(|| damaged(format!("no frame of entry {index} in segment {}", id.number)))
    }
}

/// An open log. Dropping it ends its threads after what they have at hand.
pub struct Log {
    pub(super) shared: Arc<Shared>,
    commands: SyncSender<Command>,
    threads: Vec<JoinHandle<()>>,
    committer: Committer,
}

impl Log {
    /// Opens a store, or makes one.
    ///
    /// # Errors
    /// [`Code::Damaged`] with the segment that is neither whole nor repaired from its twin; [`Code::TailLost`] when a
    /// published checkpoint or the index knows more than the segments hold; [`Code::WrongOrigin`] for the folder of
    /// another log, [`Code::OriginKnown`] for the origin of a closed shard; [`Code::StoreFailed`], [`Code::StoreFull`].
    pub fn open(config: Config, disk: Arc<dyn Disk>, index: Arc<dyn Index>) -> Result<Self, Refusal> {
        Self::open_with(config, disk, index, None)
    }

    /// As [`Log::open`], with an index for searching, if there is one.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_with(
        config: Config,
        disk: Arc<dyn Disk>,
        index: Arc<dyn Index>,
        search: Option<Arc<dyn SearchIndex>>,
    ) -> Result<Self, Refusal> {
        let roots = core::iter::once(config.root.clone()).chain(config.twin.clone()).collect();
        let places = Places { disk, roots };
        let (sender, receiver) = sync_channel(QUEUE);
        let recovered = Recovered::of(&places, &config, &*index)?;
        let Recovered { writing, sequence, previous, grown, segments, origins, redo, closing } = recovered;
        let shared = Arc::new(Shared {
            places,
            follower: follow::Follower::default(),
            searching: search.map(|index| Searching::new(index, sequence)).transpose()?,
            durable: AtomicU64::new(sequence),
            publisher: Publisher::default(),
            offsets: Offsets::default(),
            ready: AtomicBool::new(false),
            indexed: AtomicU64::new(index.next()?),
            indexed_before: OnceLock::new(),
            waiting: AtomicUsize::new(0),
            segment_bytes: config.segment_bytes,
            grown: Mutex::new(grown),
            closing: Mutex::new(closing),
            closed: Mutex::default(),
            segments: Mutex::new(segments),
            origins: Mutex::new(origins),
            index,
        });
        let suites =
            if shared.grown().trees.has(super::trees::Tree::Second) { Suites::Both } else { Suites::Sha256 };
        let sequencer = Sequencer::new(Arc::clone(&shared), writing, sequence, previous);
        let follower = Arc::clone(&shared);
        let start = move || follow_all(&follower, sequence, redo);
        let searched = Arc::clone(&shared);
        let run = move |receiver: Receiver<Command>| sequencer.run(&receiver);
        let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.into()).spawn(body).map_err(|error| io_refusal(&error))
        };
        let threads = vec![
            spawn("evidence-sequencer", Box::new(move || run(receiver)))?,
            spawn("evidence-index", Box::new(start))?,
            spawn("evidence-search", Box::new(move || search::follow::run(&searched)))?,
        ];
        Ok(Self { shared, commands: sender, threads, committer: Committer::new(suites) })
    }

    /// Makes the commitments of a deposit. This is where the time goes: call it where the deposit arrived.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::Empty`] for the tenant.
    pub fn prepare(&self, deposit: Deposit) -> Result<Prepared, Refusal> {
        let Deposit { tenant, record, seed, received_at } = deposit;
        if tenant.is_empty() {
            return Err(Refusal::new(Code::Empty).needed("a tenant"));
        }
        if tenant.len() > MAX_TENANT {
            return Err(Refusal::new(Code::TooLong).needed(MAX_TENANT).found(tenant.len()));
        }
        let entry = self.committer.entry(&record, &seed);
        let identity = identity(&tenant, &record);
        let private = Private { tenant, received_at, seed, record }.to_bytes();
        if private.len() > MAX_PRIVATE {
            return Err(Refusal::new(Code::TooLong).needed(MAX_PRIVATE).found(private.len()));
        }
        let leaf = Leaf::new(&entry.to_bytes());
        // Here, where deposits are prepared side by side; the sequencer is one thread.
        let hashes = LeafHashes::of(leaf.as_slice(), entry.sm3.is_some());
        Ok(Prepared { identity, leaf, hashes, private })
    }

    /// Hands a batch to the sequencer. `reply` is called once, when all of it is durable or refused.
    pub fn submit(&self, batch: Batch, reply: impl FnOnce(Result<Arc<[Outcome]>, Refusal>) + Send + 'static) {
        let reply: Reply = Box::new(reply);
        if let Err(refusal) = require_batch(&batch) {
            return reply(Err(refusal));
        }
        let items = batch.items.len().max(1);
        let waiting = self.shared.waiting.fetch_add(items, Ordering::Relaxed);
        let full = || Refusal::new(Code::QueueFull).needed(WAITING).found(waiting + items);
        if waiting + items > WAITING {
            self.shared.waiting.fetch_sub(items, Ordering::Relaxed);
            return reply(Err(full()));
        }
        let (refused, refusal) = match self.commands.try_send(Command::Deposit { batch, reply }) {
            Ok(()) => return,
            Err(TrySendError::Full(command)) => (command, full()),
            Err(TrySendError::Disconnected(command)) => (command, Refusal::new(Code::StoreFailed)),
        };
        self.shared.waiting.fetch_sub(items, Ordering::Relaxed);
        if let Command::Deposit { reply, .. } = refused {
            reply(Err(refusal));
        }
    }

    /// Logs a batch and waits until it is durable.
    ///
    /// # Errors
    /// [`Code::KeyReused`], [`Code::QueueFull`], [`Code::IndexBehind`], [`Code::StoreFull`], [`Code::StoreFailed`],
    /// [`Code::TooMany`], [`Code::TooLong`], [`Code::Empty`]: in each case nothing of it is logged.
    pub fn append(&self, batch: Batch) -> Outcomes {
        let (sender, receiver) = sync_channel(1);
        self.submit(batch, move |outcomes| drop(sender.send(outcomes)));
        receiver.recv().unwrap_or_else(|_| Err(Refusal::new(Code::StoreFailed)))
    }

    /// Gives a batch back with whether each item is new: not in the log, and not earlier in the batch. Nothing is logged.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn look(&self, batch: Batch) -> Result<(Batch, Vec<bool>), Refusal> {
        require_batch(&batch)?;
        self.ask(|reply| Command::Look { batch, reply })
    }

    /// Erases records, salts and dedup rows of `count` entries of a shard; leaves and proofs stay. Returns how many were
    /// there. A backup that was made before still holds them.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`], [`Code::IndexBehind`], [`Code::StoreFull`], [`Code::StoreFailed`]: if it was ordered, it is
    /// done when the log is opened again.
    pub fn erase(&self, from: Position, count: u64) -> Result<u64, Refusal> {
        self.ask(|reply| Command::Erase { from, count, owner: None, reply })
    }

    /// As [`Log::erase`], of one entry of this tenant, which can be told afterwards whose it was.
    ///
    /// # Errors
    /// As [`Log::erase`].
    pub fn erase_of(&self, tenant: &str, position: Position) -> Result<u64, Refusal> {
        let owner = Some(Tag::new(tenant, Term::Erased).0);
        self.ask(|reply| Command::Erase { from: position, count: 1, owner, reply })
    }

    /// Retention: erases every record of a shard that was received before `received_at`, in milliseconds since the Unix
    /// epoch, up to the first that was not. Returns how many were there.
    ///
    /// # Errors
    /// As [`Log::erase`]; [`Code::Damaged`].
    pub fn retain_since(&self, shard: u32, received_at: u64) -> Result<u64, Refusal> {
        let size = self.shared.trees_of(shard)?.size().get();
        let mut end = 0;
        while end < size {
            let (id, at) = self.shared.frame_of(Position { shard, index: end })?;
            let bytes = self.shared.read_frame(id, at)?;
            let frame = Frame::parse(&bytes)?;
            let old = |part: &PrivatePart<'_>| match part {
                PrivatePart::Whole(bytes) => {
                    Private::from_bytes(bytes).is_ok_and(|own| own.received_at < received_at)
                }
                PrivatePart::Erased | PrivatePart::Damaged => true,
            };
            let count = frame.entries.iter().take_while(|entry| old(&entry.private())).count();
            end = frame.head.first + count as u64;
            if count < frame.entries.len() {
                break;
            }
        }
        if end == 0 { Ok(0) } else { self.erase(Position { shard, index: 0 }, end) }
    }

    /// Closes the shard and goes on in the next, whose log has another origin. Deposits wait and are not refused.
    ///
    /// # Errors
    /// [`Code::OriginKnown`], [`Code::StoreFull`], [`Code::StoreFailed`].
    pub fn roll(&self, origin: &str) -> Result<u32, Refusal> {
        self.ask(|reply| Command::Roll { origin: origin.into(), reply })
    }

    fn ask<T: Send + 'static>(
        &self,
        command: impl FnOnce(Box<dyn FnOnce(Result<T, Refusal>) + Send>) -> Command,
    ) -> Result<T, Refusal> {
        let (sender, receiver) = sync_channel(1);
        let command = command(Box::new(move |result| drop(sender.send(result))));
        self.commands.send(command).map_err(|_| Refusal::new(Code::StoreFailed))?;
        receiver.recv().unwrap_or_else(|_| Err(Refusal::new(Code::StoreFailed)))
    }

    /// The shard that takes deposits, its origin and its durable size.
    #[must_use]
    pub fn head(&self) -> (u32, String, TreeSize) {
        let grown = self.shared.grown();
        (grown.shard, grown.origin.clone(), grown.trees.size())
    }

    /// The durable size of a shard, open or closed.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`] when there is no such shard; [`Code::Damaged`].
    pub fn size_of(&self, shard: u32) -> Result<TreeSize, Refusal> {
        let (open, _, size) = self.head();
        if open == shard { Ok(size) } else { Ok(self.shared.trees_of(shard)?.size()) }
    }

    /// The origin of a shard: that of the checkpoints which cover its entries, whatever log takes deposits now.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`] when there is no such shard.
    pub fn origin_of(&self, shard: u32) -> Result<String, Refusal> {
        let origins = self.shared.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let known = origins.iter().find(|(of, _)| *of == shard).map(|(_, origin)| origin.clone());
        known.ok_or_else(|| {
            Refusal::new(Code::NoSuchEntry).needed("a shard of the log").found(u64::from(shard))
        })
    }

    /// Whether a deposit could be made durable now: writes a block beside the segments, as large as a full group's
    /// frame is at least, syncs it and takes it away.
    ///
    /// # Errors
    /// [`Code::IndexBehind`]; [`Code::StoreFull`], [`Code::StoreFailed`].
    pub fn probe(&self) -> Result<(), Refusal> {
        if !self.shared.ready.load(Ordering::Acquire) {
            return Err(Refusal::new(Code::IndexBehind));
        }
        let places = &self.shared.places;
        for root in &places.roots {
            let path = root.join("probe");
            let written = places.disk.open(&path, true).and_then(|file| {
                file.write_at(0, &[0; PROBE])?;
                file.sync()
            });
            // What was written of it gives its room back, whether or not all was.
            let removed = places.disk.remove(&path);
            written.and(removed).map_err(|error| io_refusal(&error))?;
        }
        Ok(())
    }

    /// Waits until the index has all that the segments have, and deposits are taken. `false` when it took longer.
    #[must_use]
    pub fn wait_ready(&self, longest: Duration) -> bool {
        let start = Instant::now();
        while !self.shared.ready.load(Ordering::Acquire) {
            if start.elapsed() > longest {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // The sequencer may be gone, or have its queue full: both end when the sender does.
        let _ = self.commands.send(Command::Stop);
        self.shared.follower.stop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn require_batch(batch: &Batch) -> Result<(), Refusal> {
    if batch.items.is_empty() {
        return Err(Refusal::new(Code::Empty).needed("a deposit"));
    }
    if batch.items.len() > MAX_ITEMS {
        return Err(Refusal::new(Code::TooMany).needed(MAX_ITEMS).found(batch.items.len()));
    }
    let bytes: usize = batch.items.iter().map(|item| item.private.len()).sum();
    if bytes > MAX_BATCH {
        return Err(Refusal::new(Code::TooLong).needed(MAX_BATCH).found(bytes));
    }
    batch.key.as_ref().map_or(Ok(()), super::IdempotencyKey::require)
}

/// Reads the index through once, so that deposits which are new need no look into it from then on. What is added while
/// it is read the sequencer knows by itself.
fn read_through(shared: &Shared) {
    let mut seen = Seen::default();
    let done = shared.index.identities(&mut |identity| {
        seen.add(identity);
        !shared.follower.is_stopped()
    });
    match done {
        Ok(()) if !shared.follower.is_stopped() => drop(shared.indexed_before.set(seen)),
        Ok(()) => {}
        Err(refusal) => tracing::warn!(%refusal, "the index is asked for every deposit"),
    }
}

/// Brings the index up to `end`, does again an erasure that a crash cut short, and follows from then on.
fn follow_all(shared: &Shared, end: u64, redo: Option<(u32, u64, u64)>) {
    let mut wait = Duration::from_millis(10);
    while !shared.follower.is_stopped() {
        let done = follow::catch_up(shared, end).and_then(|()| match redo {
            Some((shard, from, end)) => erase_parts(shared, shard, from, end).map(drop),
            None => Ok(()),
        });
        match done {
            Ok(()) => {
                shared.ready.store(true, Ordering::Release);
                break;
            }
            Err(refusal) => tracing::error!(%refusal, "the index cannot follow"),
        }
        std::thread::sleep(wait);
        wait = (wait * 2).min(Duration::from_secs(5));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| read_through(shared));
        shared.follower.run(&*shared.index, &shared.indexed);
    });
}
