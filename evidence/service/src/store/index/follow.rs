//! The thread by which the index follows.

use super::{Index, IndexRows, RequestRow};
use crate::store::deposit::Position;
use crate::store::frame::{Frame, Op, PrivatePart};
use crate::store::open::Shared;
use crate::store::read::identity_of;
use crate::store::recover::reading;
use crate::store::segment::Step;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeugma_types::{Code, Refusal};

/// Rows that are applied together.
const TOGETHER: usize = 50_000;

/// Rows on their way into the index.
#[derive(Default)]
pub(in crate::store) struct Follower {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    rows: VecDeque<IndexRows>,
    count: usize,
    busy: bool,
    failed: bool,
    stop: bool,
}

impl Follower {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::store) fn push(&self, rows: IndexRows) {
        let mut queue = self.queue();
        queue.count += rows.insert.len() + 1;
        queue.rows.push_back(rows);
        self.changed.notify_all();
    }

    /// How many rows wait.
    pub(in crate::store) fn backlog(&self) -> usize {
        self.queue().count
    }

    /// Waits until nothing waits.
    pub(in crate::store) fn flush(&self) -> Result<(), Refusal> {
        let mut queue = self.queue();
        while !queue.rows.is_empty() || queue.busy {
            if queue.failed || queue.stop {
                return Err(Refusal::new(Code::IndexBehind));
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    pub(in crate::store) fn stop(&self) {
        self.queue().stop = true;
        self.changed.notify_all();
    }

    pub(in crate::store) fn is_stopped(&self) -> bool {
        self.queue().stop
    }

    /// Applies what comes until [`Follower::stop`]; what is left then is applied from the segments at the next opening.
    pub(in crate::store) fn run(&self, index: &dyn Index, indexed: &AtomicU64) {
        loop {
            let mut rows = IndexRows::default();
            {
                let mut queue = self.queue();
                while queue.rows.is_empty() && !queue.stop {
                    queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
                if queue.stop {
                    return;
                }
                while rows.insert.len() < TOGETHER
                    && let Some(next) = queue.rows.pop_front()
                {
                    rows.next = next.next;
                    rows.insert.extend(next.insert);
                    rows.requests.extend(next.requests);
                    rows.remove.extend(next.remove);
                }
                queue.busy = true;
            }
            while let Err(refusal) = index.apply(&rows) {
                tracing::error!(%refusal, "the index cannot be written");
                let mut queue = self.queue();
                queue.failed = true;
                self.changed.notify_all();
                if queue.stop {
                    return;
                }
                drop(queue);
                std::thread::sleep(Duration::from_millis(100));
            }
            indexed.store(rows.next, Ordering::Release);
            let mut queue = self.queue();
            queue.count = queue.count.saturating_sub(rows.insert.len());
            if queue.rows.is_empty() {
                queue.count = 0;
            }
            (queue.busy, queue.failed) = (false, false);
            self.changed.notify_all();
        }
    }
}

/// Brings the index from where it is up to the frame `end`, from the segments.
pub(in crate::store) fn catch_up(shared: &Shared, end: u64) -> Result<(), Refusal> {
    let mut next = shared.index.next()?;
    if next >= end {
        return Ok(());
    }
    let segments = shared.segments();
    let newest = segments.last().map(|(id, _)| *id);
    let mut starts = Vec::new();
    for (id, _) in &segments {
        // Headers are small; those of segments before the one needed are not read again.
        starts.push((*id, reading_sequence(shared, *id)?));
    }
    let from = starts.partition_point(|(_, sequence)| *sequence <= next).saturating_sub(1);
    let mut rows = IndexRows::default();
    for (id, _) in &starts[from..] {
        let mut segment = reading(&shared.places, *id, Some(*id) == newest)?;
        while next < end {
            let sequence = segment.end().0;
            let Step::Frame { bytes, .. } = segment.step()? else { break };
            if sequence < next {
                continue;
            }
            collect(&Frame::parse(&bytes)?, &mut rows)?;
            next = sequence + 1;
            rows.next = next;
            if rows.insert.len() >= TOGETHER {
                shared.index.apply(&core::mem::take(&mut rows))?;
                if shared.follower.is_stopped() {
                    return Err(Refusal::new(Code::IndexBehind));
                }
            }
        }
    }
    if next < end {
        return Err(Refusal::new(Code::IndexBehind).needed(end).found(next));
    }
    if rows.next > 0 {
        shared.index.apply(&rows)?;
    }
    shared.indexed.store(next, Ordering::Release);
    Ok(())
}

fn reading_sequence(shared: &Shared, id: crate::store::segment::SegmentId) -> Result<u64, Refusal> {
    let mut refused = None;
    for place in 0..shared.places.roots.len() {
        match shared.places.open(place, id) {
            Ok(reading) => return Ok(reading.header.sequence),
            Err(refusal) => refused = Some(refusal),
        }
    }
    Err(refused.unwrap_or_else(|| Refusal::new(Code::Damaged)))
}

/// The rows of one frame.
fn collect(frame: &Frame<'_>, rows: &mut IndexRows) -> Result<(), Refusal> {
    for (entry, index) in frame.entries.iter().zip(frame.head.first..) {
        if let PrivatePart::Whole(bytes) = entry.private() {
            rows.insert.push((identity_of(bytes)?, Position { shard: frame.head.shard, index }));
        }
    }
    for op in &frame.ops {
        if let Op::Request { key, body, spans } = op {
            rows.requests.push((*key, RequestRow { body: *body, spans: spans.clone() }));
        }
    }
    Ok(())
}
