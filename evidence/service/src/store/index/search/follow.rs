//! The thread by which the search index follows: from the segments alone, so it is never in a deposit's way.

use super::{SearchIndex, SearchRows, Tag};
use crate::store::deposit::{Position, Private};
use crate::store::frame::{Frame, Op, PrivatePart};
use crate::store::open::Shared;
use crate::store::segment::{Reading, SegmentId, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeugma_types::{Code, Decode as _, Refusal};

/// Rows that are applied together, so that an erasure waits for few.
const TOGETHER: usize = 8_192;
/// Between two looks at whether the log grew.
const LOOK: Duration = Duration::from_millis(20);
/// After a failure.
const REST: Duration = Duration::from_secs(1);

/// The search index of a log.
pub(in crate::store) struct Searching {
    pub(in crate::store) index: Arc<dyn SearchIndex>,
    /// First frame that is not in it.
    pub(in crate::store) indexed: AtomicU64,
    /// Held from reading a record until its rows stand, and from taking them out until the record is overwritten: no row
    /// comes back.
    busy: Mutex<()>,
}

impl Searching {
    pub(in crate::store) fn new(index: Arc<dyn SearchIndex>, end: u64) -> Result<Self, Refusal> {
        let mut next = index.next()?;
        if next > end {
            // Of a log that lost its tail: it speaks of other entries.
            index.clear()?;
            next = 0;
        }
        Ok(Self { index, indexed: AtomicU64::new(next), busy: Mutex::default() })
    }

    pub(in crate::store) fn hold(&self) -> MutexGuard<'_, ()> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes rows out, durably. The caller holds [`Searching::hold`].
    pub(in crate::store) fn take_out(&self, rows: &SearchRows) -> Result<(), Refusal> {
        if rows.remove.is_empty() {
            return Ok(());
        }
        self.index.apply(rows)?;
        self.index.sync()
    }
}

/// Follows until the log is dropped.
pub(in crate::store) fn run(shared: &Shared) {
    let Some(searching) = &shared.searching else { return };
    // Deposits first: of two who want the processor, the one that somebody waits for.
    let _ = rustix::process::setpriority_process(None, 10);
    let mut at: Option<Reading> = None;
    while !shared.follower.is_stopped() {
        match step(shared, searching, &mut at) {
            Ok(true) => {}
            Ok(false) => std::thread::sleep(LOOK),
            Err(refusal) => {
                tracing::error!(%refusal, "the search index cannot follow");
                at = None;
                let rested = Instant::now();
                while rested.elapsed() < REST && !shared.follower.is_stopped() {
                    std::thread::sleep(LOOK);
                }
            }
        }
    }
}

/// Applies some frames. `Ok(false)`: it has all that is durable.
fn step(shared: &Shared, searching: &Searching, at: &mut Option<Reading>) -> Result<bool, Refusal> {
    let (mut next, end) = (searching.indexed.load(Ordering::Acquire), shared.durable.load(Ordering::Acquire));
    if next >= end {
        return Ok(false);
    }
    let _held = searching.hold();
    let mut rows = SearchRows::default();
    while next < end && rows.insert.len() < TOGETHER {
        let bytes = frame(shared, at, next)?;
        collect(&Frame::parse(&bytes)?, &mut rows)?;
        next += 1;
    }
    rows.next = next;
    searching.index.apply(&rows)?;
    searching.indexed.store(next, Ordering::Release);
    Ok(true)
}

/// The frame of this sequence, from where reading stands or from its segment's beginning.
fn frame(shared: &Shared, at: &mut Option<Reading>, sequence: u64) -> Result<Vec<u8>, Refusal> {
    if let Some(reading) = at.as_mut().filter(|reading| reading.end().0 == sequence) {
        reading.look_again()?;
        if let Step::Frame { bytes, .. } = reading.step()? {
            return Ok(bytes);
        }
    }
    // Another segment, or a copy that is damaged here.
    let mut refused = Refusal::new(Code::Damaged).found(format!("frame {sequence}"));
    for place in 0..shared.places.roots.len() {
        match seek(shared, place, sequence) {
            Ok((reading, bytes)) => {
                *at = Some(reading);
                return Ok(bytes);
            }
            Err(refusal) => refused = refusal,
        }
    }
    Err(refused)
}

fn seek(shared: &Shared, place: usize, sequence: u64) -> Result<(Reading, Vec<u8>), Refusal> {
    let ids: Vec<SegmentId> = shared.segments().into_iter().map(|(id, _)| id).collect();
    // Segments begin with ascending sequences; headers are small.
    let (mut low, mut high) = (0, ids.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if shared.places.open(place, ids[middle])?.header.sequence <= sequence {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let missing = || Refusal::new(Code::Damaged).found(format!("frame {sequence}"));
    // A segment without frames begins with the sequence of the next one: the frame stands in the last of them, or in none.
    let id = *low.checked_sub(1).and_then(|at| ids.get(at)).ok_or_else(missing)?;
    let mut reading = shared.places.open(place, id)?;
    while reading.end().0 <= sequence {
        let before = reading.end().0;
        match reading.step()? {
            Step::Frame { bytes, .. } if before == sequence => return Ok((reading, bytes)),
            Step::Frame { .. } => {}
            Step::End => break,
            Step::Bad { why, .. } => return Err(why),
        }
    }
    Err(missing())
}

/// The rows of one frame.
fn collect(frame: &Frame<'_>, rows: &mut SearchRows) -> Result<(), Refusal> {
    for (entry, index) in frame.entries.iter().zip(frame.head.first..) {
        if let PrivatePart::Whole(bytes) = entry.private() {
            rows.add(&Private::from_bytes(bytes)?, Position { shard: frame.head.shard, index });
        }
    }
    for op in &frame.ops {
        if let Op::Erase { from, count, owner: Some(owner) } = op {
            let end = from.index.saturating_add(*count);
            let erased = (from.index..end).map(|index| Position { shard: from.shard, index });
            rows.insert.extend(erased.map(|position| (Tag(*owner), position)));
        }
    }
    Ok(())
}
