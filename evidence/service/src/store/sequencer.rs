//! The sequencer: the one thread that gives positions.
//!
//! Order of writes: one frame to every place and one sync each; then the trees, the offsets and the memory of what the
//! index does not have yet; then the answers; then the index. A crash after the sync leaves entries that nobody was told of:
//! the same deposit, made again, gets their positions.

use super::deposit::{Batch, Outcome, Outcomes, Position, Prepared, Private};
use super::frame::{self, Op, PrivatePart, spans};
use super::index::search::SearchRows;
use super::index::{IndexRows, RequestRow};
use super::open::Shared;
use super::seen::{Keyed, Seen};
use super::segment::{Header, SegmentId, Writing, no_entry};
use super::trees::Trees;
use super::{damaged, io_refusal};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use zeugma_types::{Code, Decode as _, Refusal};

/// Most items of one group.
const GROUP_ITEMS: usize = 16 * 1024;
/// Bytes of private parts above which a group is closed.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of finished tiles kept in memory before they are written.
const TILE_BYTES: usize = 32 * 1024 * 1024;
/// Rows that the index may be behind before deposits are refused.
const INDEX_BACKLOG: usize = 2_000_000;

/// Takes the answer of a batch.
pub(super) type Reply = Box<dyn FnOnce(Outcomes) + Send>;

/// Takes a batch back, and which of its items are not there yet.
pub(super) type Looked = Box<dyn FnOnce(Result<(Batch, Vec<bool>), Refusal>) + Send>;

pub(super) enum Command {
    Deposit {
        batch: Batch,
        reply: Reply,
    },
    /// Which items of a batch are not there yet; writes nothing.
    Look {
        batch: Batch,
        reply: Looked,
    },
    Erase {
        from: Position,
        count: u64,
        owner: Option<[u8; 16]>,
        reply: Box<dyn FnOnce(Result<u64, Refusal>) + Send>,
    },
    Roll {
        origin: String,
        reply: Box<dyn FnOnce(Result<u32, Refusal>) + Send>,
    },
    Stop,
}

/// Positions by identity.
type Positions = HashMap<[u8; 32], Position, Keyed>;

/// What frames of one group added that the index may not have yet.
struct Recent {
    next: u64,
    identities: Vec<[u8; 32]>,
    requests: HashMap<[u8; 32], RequestRow>,
}

pub(super) struct Sequencer {
    pub(super) shared: Arc<Shared>,
    pub(super) writing: Writing,
    pub(super) sequence: u64,
    pub(super) previous: frame::Check,
    recent: VecDeque<Recent>,
    /// The identities of all of `recent`, with the `next` of theirs: one that was erased may come again.
    near: HashMap<[u8; 32], (Position, u64), Keyed>,
    /// All identities that this process added.
    added: Seen,
    /// An erasure that was ordered and that the disk broke off: shard, first index, end.
    unfinished: Option<(u32, u64, u64)>,
    buffer: Vec<u8>,
}

/// A batch with its decided answer.
struct Decided {
    outcomes: Vec<Outcome>,
    reply: Reply,
}

/// The group that is being decided.
#[derive(Default)]
struct Group {
    fresh: Vec<Prepared>,
    identities: Positions,
    requests: HashMap<[u8; 32], RequestRow>,
    ops: Vec<Op>,
    decided: Vec<Decided>,
    bytes: usize,
}

impl Sequencer {
    pub(super) fn new(shared: Arc<Shared>, writing: Writing, sequence: u64, previous: frame::Check) -> Self {
        let (recent, near, added) = (VecDeque::new(), HashMap::default(), Seen::default());
        let (unfinished, buffer) = (None, Vec::new());
        Self { shared, writing, sequence, previous, recent, near, added, unfinished, buffer }
    }

    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut waiting = None;
        loop {
            let Some(command) = waiting.take().or_else(|| commands.recv().ok()) else { return };
            match command {
                Command::Stop => return,
                Command::Look { batch, reply } => {
                    self.forget_indexed();
                    reply(self.look(batch));
                }
                Command::Erase { from, count, owner, reply } => reply(self.erase(from, count, owner)),
                Command::Roll { origin, reply } => reply(self.roll(origin)),
                Command::Deposit { batch, reply } => {
                    let mut group = Group::default();
                    self.forget_indexed();
                    self.decide(batch, reply, &mut group);
                    while group.fresh.len() < GROUP_ITEMS && group.bytes < GROUP_BYTES {
                        match commands.try_recv() {
                            Ok(Command::Deposit { batch, reply }) => self.decide(batch, reply, &mut group),
                            Ok(other) => {
                                waiting = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.commit(group);
                }
            }
        }
    }

    fn forget_indexed(&mut self) {
        let indexed = self.shared.indexed.load(Ordering::Acquire);
        while let Some(recent) = self.recent.pop_front_if(|recent| recent.next <= indexed) {
            for identity in &recent.identities {
                if self.near.get(identity).is_some_and(|(_, next)| *next == recent.next) {
                    self.near.remove(identity);
                }
            }
        }
    }

    /// Decides a batch against all that is durable and all that this group has; a refused batch leaves nothing.
    fn decide(&self, batch: Batch, reply: Reply, group: &mut Group) {
        self.shared.waiting.fetch_sub(batch.items.len().max(1), Ordering::Relaxed);
        match self.judge(&batch, group) {
            Err(refusal) => reply(Err(refusal)),
            Ok(Judged::Answered(outcomes)) => reply(Ok(outcomes.into())),
            Ok(Judged::Write { outcomes, fresh, request }) => {
                for (item, outcome) in batch
                    .items
                    .into_iter()
                    .zip(&outcomes)
                    .zip(fresh)
                    .filter_map(|((item, outcome), fresh)| fresh.then_some((item, *outcome)))
                {
                    group.bytes += item.private.len();
                    group.identities.insert(item.identity, outcome.position);
                    group.fresh.push(item);
                }
                if let Some((key, row)) = request {
                    group.ops.push(Op::Request { key, body: row.body, spans: row.spans.clone() });
                    group.requests.insert(key, row);
                }
                group.decided.push(Decided { outcomes, reply });
            }
        }
    }

    fn look(&self, batch: Batch) -> Result<(Batch, Vec<bool>), Refusal> {
        let fresh = match self.judge(&batch, &Group::default())? {
            Judged::Answered(outcomes) => vec![false; outcomes.len()],
            Judged::Write { fresh, .. } => fresh,
        };
        Ok((batch, fresh))
    }

    fn judge(&self, batch: &Batch, group: &Group) -> Result<Judged, Refusal> {
        if !self.shared.ready.load(Ordering::Acquire) || self.shared.follower.backlog() > INDEX_BACKLOG {
            return Err(Refusal::new(Code::IndexBehind));
        }
        let request = match &batch.key {
            None => None,
            Some(key) => {
                let (digest, body) = (key.digest(), key.body(&batch.items));
                if let Some(row) = self.find_request(&digest, group)? {
                    if row.body != body {
                        return Err(Refusal::new(Code::KeyReused).found(key.key.clone()));
                    }
                    // A request of this very group is answered with it; one from before is durable.
                    let outcomes = known(&row);
                    return Ok(if group.requests.contains_key(&digest) {
                        let fresh = vec![false; outcomes.len()];
                        Judged::Write { outcomes, fresh, request: None }
                    } else {
                        Judged::Answered(outcomes)
                    });
                }
                Some((digest, body))
            }
        };
        let (shard, mut next) = (self.writing.id.shard, self.shared.size().get() + group.fresh.len() as u64);
        let mut outcomes = Vec::with_capacity(batch.items.len());
        let mut fresh = Vec::with_capacity(batch.items.len());
        let mut own: HashMap<&[u8; 32], Position, Keyed> =
            HashMap::with_capacity_and_hasher(batch.items.len(), Keyed::default());
        let mut waits = request.is_some();
        for item in &batch.items {
            let in_group = group.identities.get(&item.identity).or_else(|| own.get(&item.identity)).copied();
            let found = match in_group {
                Some(position) => Some(position),
                None => self.find(&item.identity)?,
            };
            waits |= in_group.is_some() || found.is_none();
            fresh.push(found.is_none());
            let position = found.unwrap_or_else(|| {
                let position = Position { shard, index: next };
                next += 1;
                own.insert(&item.identity, position);
                position
            });
            outcomes.push(Outcome { position, known: found.is_some() });
        }
        if !waits {
            return Ok(Judged::Answered(outcomes));
        }
        let spans = || spans(outcomes.iter().map(|outcome| outcome.position));
        let request = request.map(|(key, body)| (key, RequestRow { body, spans: spans() }));
        Ok(Judged::Write { outcomes, fresh, request })
    }

    fn find_request(&self, key: &[u8; 32], group: &Group) -> Result<Option<RequestRow>, Refusal> {
        let near = group
            .requests
            .get(key)
            .or_else(|| self.recent.iter().rev().find_map(|recent| recent.requests.get(key)));
        match near {
            Some(row) => Ok(Some(row.clone())),
            None => self.shared.index.request(key),
        }
    }

    /// Where an identity stands. An erasure takes the row out of the index, durably, before it is finished.
    fn find(&self, identity: &[u8; 32]) -> Result<Option<Position>, Refusal> {
        if let Some((found, _)) = self.near.get(identity) {
            return Ok(Some(*found));
        }
        let never = |before: &Seen| !before.maybe(identity) && !self.added.maybe(identity);
        if self.shared.indexed_before.get().is_some_and(never) {
            return Ok(None);
        }
        self.shared.index.find(identity)
    }

    fn commit(&mut self, group: Group) {
        let Group { fresh, identities, requests, ops, decided, .. } = group;
        if fresh.is_empty() && ops.is_empty() {
            for Decided { outcomes, reply } in decided {
                reply(Ok(outcomes.into()));
            }
            return;
        }
        if let Err(refusal) = self.write(&ops, &fresh) {
            for Decided { reply, .. } in decided {
                reply(Err(refusal.clone()));
            }
            return;
        }
        let rows = IndexRows {
            next: self.sequence,
            insert: identities.iter().map(|(identity, position)| (*identity, *position)).collect(),
            requests: requests.iter().map(|(key, row)| (*key, row.clone())).collect(),
            remove: Vec::new(),
        };
        for Decided { outcomes, reply } in decided {
            reply(Ok(outcomes.into()));
        }
        self.remember(identities, requests);
        self.shared.follower.push(rows);
        self.tidy();
    }

    /// Keeps what the index does not have yet.
    fn remember(&mut self, identities: Positions, requests: HashMap<[u8; 32], RequestRow>) {
        let mut kept = Vec::with_capacity(identities.len());
        for (identity, position) in identities {
            self.added.add(&identity);
            self.near.insert(identity, (position, self.sequence));
            kept.push(identity);
        }
        self.recent.push_back(Recent { next: self.sequence, identities: kept, requests });
    }

    /// Writes one frame; after it, everything of this process shows it.
    fn write(&mut self, ops: &[Op], entries: &[Prepared]) -> Result<(), Refusal> {
        // Opening does an order again only where it is the last of all frames.
        self.finish_erasure()?;
        let first = self.shared.size().get();
        let place = (self.writing.id.shard, self.sequence, first, self.previous);
        let check = frame::write(&mut self.buffer, place, ops, entries.iter());
        let at = self.writing.length();
        self.writing.append(&self.buffer).map_err(|error| io_refusal(&error))?;
        self.sequence += 1;
        self.previous = check;
        self.shared.durable.store(self.sequence, Ordering::Release);
        self.shared.offsets.push(self.writing.id, first, at);
        let mut grown = self.shared.grown();
        for entry in entries {
            grown.append_hashed(entry.leaf.as_slice(), &entry.hashes)?;
        }
        Ok(())
    }

    /// What can wait until everybody is answered, and what failing at changes nothing durable.
    fn tidy(&mut self) {
        if self.buffer.capacity() > 4 * GROUP_BYTES {
            self.buffer = Vec::new();
        }
        let heavy = self.shared.grown().bytes > TILE_BYTES;
        if heavy && let Err(refusal) = self.shared.publisher.write_out(&self.shared) {
            tracing::warn!(%refusal, "tiles wait in memory");
        }
        if self.writing.length() > self.shared.segment_bytes
            && let Err(refusal) = self.next_segment()
        {
            tracing::warn!(%refusal, "the segment grows on");
        }
    }

    fn next_segment(&mut self) -> Result<(), Refusal> {
        let id = SegmentId { shard: self.writing.id.shard, number: self.writing.id.number + 1 };
        let (origin, trees) = {
            let grown = self.shared.grown();
            (grown.origin.clone(), grown.trees.clone())
        };
        self.start(id, origin, trees)
    }

    fn start(&mut self, id: SegmentId, origin: String, trees: Trees) -> Result<(), Refusal> {
        let first = trees.size().get();
        let header = Header { id, sequence: self.sequence, origin, previous: self.previous, trees };
        self.writing = Writing::create(&self.shared.places, &header).map_err(|error| io_refusal(&error))?;
        self.shared.add_segment(id, first);
        Ok(())
    }

    /// Closes the shard and opens the next under another origin. Deposits wait for two syncs and are not refused.
    fn roll(&mut self, origin: String) -> Result<u32, Refusal> {
        if self.shared.origins().contains(&origin) {
            return Err(Refusal::new(Code::OriginKnown).found(origin));
        }
        if !self.shared.grown().closed {
            self.write(&[Op::Close], &[])?;
            let mut grown = self.shared.grown();
            grown.closed = true;
        }
        // A crash here leaves a closed shard; opening then starts the next one.
        let second = self.shared.grown().trees.has(super::trees::Tree::Second);
        let id = SegmentId { shard: self.writing.id.shard + 1, number: 0 };
        self.start(id, origin.clone(), Trees::new(second))?;
        self.shared.next_shard(id.shard, origin, Trees::new(second));
        Ok(id.shard)
    }

    /// Erases the private parts of entries: said durably first, then out of the index, then overwritten in every place.
    /// Opening does again what a crash left undone.
    fn erase(&mut self, from: Position, count: u64, owner: Option<[u8; 16]>) -> Result<u64, Refusal> {
        if !self.shared.ready.load(Ordering::Acquire) {
            return Err(Refusal::new(Code::IndexBehind));
        }
        let size = self.shared.trees_of(from.shard)?.size().get();
        let end = from.index.checked_add(count).filter(|end| *end <= size);
        let end = end.ok_or_else(|| no_entry(from.index.saturating_add(count), size))?;
        self.write(&[Op::Erase { from, count, owner }], &[])?;
        self.unfinished = Some((from.shard, from.index, end));
        self.finish_erasure()
    }

    /// Does what was ordered last, if it is not done: nothing else is written before.
    fn finish_erasure(&mut self) -> Result<u64, Refusal> {
        let Some((shard, from, end)) = self.unfinished else { return Ok(0) };
        let next = self.sequence;
        let erased = erase_parts(&self.shared, shard, from, end)?;
        self.unfinished = None;
        self.near
            .retain(|_, (position, _)| !(position.shard == shard && (from..end).contains(&position.index)));
        self.recent.push_back(Recent { next, identities: Vec::new(), requests: HashMap::new() });
        self.shared.follower.push(IndexRows { next, ..IndexRows::default() });
        Ok(erased)
    }
}

enum Judged {
    /// From what is durable already.
    Answered(Vec<Outcome>),
    /// With this group's frame.
    Write { outcomes: Vec<Outcome>, fresh: Vec<bool>, request: Option<([u8; 32], RequestRow)> },
}

fn known(row: &RequestRow) -> Vec<Outcome> {
    let positions = row.spans.iter().flat_map(|span| {
        (0..u64::from(span.count)).map(|at| Position { shard: span.from.shard, index: span.from.index + at })
    });
    positions.map(|position| Outcome { position, known: true }).collect()
}

/// Takes the rows of these entries out of the index, durably, and then writes zeros over their private parts in every
/// place, durably. Returns how many were not erased before.
pub(super) fn erase_parts(shared: &Shared, shard: u32, from: u64, end: u64) -> Result<u64, Refusal> {
    let mut remove = Vec::new();
    let mut found = SearchRows::default();
    let _held = shared.searching.as_ref().map(|searching| searching.hold());
    let mut index = from;
    let mut spots: Vec<(SegmentId, u64, usize)> = Vec::new();
    while index < end {
        let (id, at) = shared.frame_of(Position { shard, index })?;
        let bytes = shared.read_frame(id, at)?;
        let parsed = frame::Frame::parse(&bytes)?;
        for (entry, place) in parsed.entries.iter().zip(parsed.head.first..) {
            if !(index..end).contains(&place) {
                continue;
            }
            match entry.private() {
                PrivatePart::Erased => {}
                PrivatePart::Whole(bytes) => {
                    remove.push(super::read::identity_of(bytes)?);
                    found.take_out(&Private::from_bytes(bytes)?, Position { shard, index: place });
                    spots.push((id, at + entry.at as u64, entry.length));
                }
                // What cannot be read is overwritten all the same; its row goes with the next rebuild.
                PrivatePart::Damaged => spots.push((id, at + entry.at as u64, entry.length)),
            }
        }
        if parsed.head.end() <= index {
            return Err(damaged(format!("frame at {at} of segment {}", id.number)));
        }
        index = parsed.head.end();
    }
    shared.follower.flush()?;
    // Rows behind the index's own place are not touched: the follower alone moves it on.
    let next = shared.index.next()?;
    shared.index.apply(&IndexRows { next, remove, ..IndexRows::default() })?;
    shared.index.sync()?;
    if let Some(searching) = &shared.searching {
        searching.take_out(&found)?;
    }
    for place in 0..shared.places.roots.len() {
        let mut open: Option<super::segment::Reading> = None;
        for (id, at, length) in &spots {
            if open.as_ref().is_none_or(|open| open.header.id != *id) {
                if let Some(done) = open.take() {
                    done.sync().map_err(|error| io_refusal(&error))?;
                }
                open = Some(shared.places.open(place, *id)?);
            }
            let file = open.as_ref().expect("it was opened above");
            file.erase(*at, *length).map_err(|error| io_refusal(&error))?;
        }
        if let Some(done) = open {
            done.sync().map_err(|error| io_refusal(&error))?;
        }
    }
    Ok(spots.len() as u64)
}
