//! Opening: what the folders of a store say.
//!
//! Only the segments from the one in which the published size lies are read; each of them begins with the state of the
//! trees. A copy that ends early or is damaged is made equal to the better one. What is cut off at the end of the newest
//! segment was never acknowledged: it is behind the last sync.

use super::damaged;
use super::disk::{read, replace};
use super::frame::{Check, Frame, FrameEntry, Op, PrivatePart, write as write_frame};
use super::index::Index;
use super::io_refusal;
use super::open::{Config, Grown};
use super::publish::Publisher;
use super::segment::{Header, Places, Reading, SegmentId, Step, Writing, make_dirs};
use super::trees::Trees;
use zeugma_evidence_log::NoteBounds;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_types::{Code, Refusal};

/// What the folders of a store say.
pub(super) struct Recovered {
    pub(super) writing: Writing,
    pub(super) sequence: u64,
    pub(super) previous: Check,
    pub(super) grown: Grown,
    pub(super) closing: Vec<Grown>,
    pub(super) segments: Vec<(SegmentId, u64)>,
    pub(super) origins: Vec<(u32, String)>,
    /// An erasure that may not be finished: shard, first index, end.
    pub(super) redo: Option<(u32, u64, u64)>,
}

impl Recovered {
    pub(super) fn of(places: &Places, config: &Config, index: &dyn Index) -> Result<Self, Refusal> {
        let io = |error: std::io::Error| io_refusal(&error);
        let (mut segments, mut origins, mut last) = (Vec::new(), Vec::new(), None);
        for shard in places.shards().map_err(io)? {
            for folder in places.folders(shard) {
                // What was not whole when the power went has no name yet.
                for name in
                    places.disk.list(&folder).map_err(io)?.iter().filter(|name| name.ends_with(".tmp"))
                {
                    places.disk.remove(&folder.join(name)).map_err(io)?;
                }
            }
            let ids = places.segments(shard).map_err(io)?;
            for id in &ids {
                let header = any_header(places, *id)?;
                if id == &ids[0] {
                    origins.push((shard, header.origin));
                }
                segments.push((*id, header.trees.size().get()));
            }
            last = ids.last().map(|id| id.shard).or(last);
        }
        let Some(shard) = last else {
            let trees = Trees::new(config.second);
            let header = Header {
                id: SegmentId { shard: 0, number: 0 },
                sequence: 0,
                origin: config.origin.clone(),
                previous: [0; 16],
                trees: trees.clone(),
            };
            // Nothing was ever acknowledged by a store without a segment, unless its index says so.
            let known = index.next()?;
            if known > 0 && !config.after_loss {
                return Err(Refusal::new(Code::TailLost).needed(known).found(0_u64));
            }
            if known > 0 {
                index.clear()?;
            }
            return Ok(Self {
                writing: Writing::create(places, &header).map_err(io)?,
                sequence: 0,
                previous: [0; 16],
                grown: Grown::new(0, config.origin.clone(), trees),
                closing: Vec::new(),
                segments: vec![(header.id, 0)],
                origins: vec![(0, config.origin.clone())],
                redo: None,
            });
        };
        let mut found = Self::shard(places, shard, &segments)?;
        found.segments = segments;
        found.origins = origins;
        let restored = super::backup::marker(&config.root);
        let unsure = places.disk.open(&restored, false).is_ok();
        let marked =
            || Refusal::new(Code::TailLost).found("restored from a backup that may lack the newest entries");
        let lost = found.lost(places, index)?.or_else(|| unsure.then(marked));
        if let Some(lost) = lost {
            if !config.after_loss || found.grown.origin == config.origin {
                return Err(lost);
            }
            index.clear()?;
            if !found.grown.closed {
                found.close()?;
            }
        }
        if found.grown.closed {
            if found.origins.iter().any(|(_, origin)| *origin == config.origin) {
                return Err(Refusal::new(Code::OriginKnown).found(config.origin.clone()));
            }
            found.next_shard(places, config).map_err(io)?;
            if unsure {
                // The old origin is closed, durably: it cannot go on any more.
                places.disk.remove(&restored).map_err(io)?;
                places.disk.sync_dir(&config.root).map_err(io)?;
            }
        } else if found.grown.origin != config.origin {
            let needed = found.grown.origin;
            return Err(Refusal::new(Code::WrongOrigin).needed(needed).found(config.origin.clone()));
        }
        found.close_behind(places)?;
        Ok(found)
    }

    /// Takes up the shards that were rolled before their last entries were published.
    fn close_behind(&mut self, places: &Places) -> Result<(), Refusal> {
        let older = self.origins.iter().map(|(shard, _)| *shard).filter(|shard| *shard < self.grown.shard);
        let mut behind = Vec::new();
        for shard in older.filter(|shard| self.closing.iter().all(|closing| closing.shard != *shard)) {
            if published_size(places, shard) < end_of(places, shard, &self.segments) {
                behind.push(Self::shard(places, shard, &self.segments)?.grown);
            }
        }
        self.closing.splice(0..0, behind);
        Ok(())
    }

    /// Reads a shard from the segment in which its published size lies.
    fn shard(places: &Places, shard: u32, segments: &[(SegmentId, u64)]) -> Result<Self, Refusal> {
        let io = |error: std::io::Error| io_refusal(&error);
        let published = published_size(places, shard);
        let own: Vec<_> = segments.iter().filter(|(id, _)| id.shard == shard).copied().collect();
        let start = own.iter().rposition(|(_, first)| *first <= published).unwrap_or(0);
        let newest = own.last().expect("a shard that was found has a segment").0;
        let publisher = Publisher::default();
        let mut found: Option<Self> = None;
        for (id, _) in &own[start..] {
            let (place, end) = best_copy(places, *id, *id == newest)?;
            let mut reading = places.open(place, *id)?;
            let Header { sequence, previous, origin, trees, .. } = reading.header.clone();
            let mut state = match found.take() {
                None => (Grown::new(shard, origin, trees), None),
                Some(before) => {
                    let continues = before.sequence == sequence && before.previous == previous;
                    if !continues || before.grown.trees != trees {
                        return Err(damaged(format!(
                            "{}: does not continue the segment before",
                            reading.path.display()
                        )));
                    }
                    (before.grown, before.redo)
                }
            };
            while reading.end().3 < end {
                let Step::Frame { bytes, .. } = reading.step()? else {
                    return Err(damaged(format!("{}: changed while it was read", reading.path.display())));
                };
                let frame = Frame::parse(&bytes)?;
                for entry in &frame.entries {
                    state.0.append(entry.leaf)?;
                }
                state.1 = None;
                for op in &frame.ops {
                    match op {
                        Op::Close => state.0.closed = true,
                        Op::Erase { from, count, .. } => {
                            let end = from.index.saturating_add(*count);
                            state.1 = Some((from.shard, from.index, end));
                        }
                        Op::Request { .. } => {}
                    }
                }
                if state.0.bytes > 32 * 1024 * 1024 {
                    publisher.write_tiles(places, shard, core::mem::take(&mut state.0.made))?;
                    state.0.bytes = 0;
                }
            }
            let (sequence, previous, _, at) = reading.end();
            found = Some(Self {
                writing: Writing::resume(places, *id, at).map_err(io)?,
                sequence,
                previous,
                grown: state.0,
                closing: Vec::new(),
                segments: Vec::new(),
                origins: Vec::new(),
                redo: state.1,
            });
        }
        Ok(found.expect("there is a segment from the start on"))
    }

    /// What shows that more was acknowledged than is here.
    fn lost(&self, places: &Places, index: &dyn Index) -> Result<Option<Refusal>, Refusal> {
        let (published, size) = (published_size(places, self.grown.shard), self.grown.trees.size().get());
        if published > size {
            return Ok(Some(Refusal::new(Code::TailLost).needed(published).found(size)));
        }
        let known = index.next()?;
        let behind = known > self.sequence;
        Ok(behind.then(|| Refusal::new(Code::TailLost).needed(known).found(self.sequence)))
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let mut bytes = Vec::new();
        let place = (self.grown.shard, self.sequence, self.grown.trees.size().get(), self.previous);
        let check = write_frame(&mut bytes, place, &[Op::Close], core::iter::empty());
        self.writing.append(&bytes).map_err(|error| io_refusal(&error))?;
        self.sequence += 1;
        self.previous = check;
        self.grown.closed = true;
        Ok(())
    }

    fn next_shard(&mut self, places: &Places, config: &Config) -> std::io::Result<()> {
        let trees = Trees::new(config.second);
        let id = SegmentId { shard: self.grown.shard + 1, number: 0 };
        let header = Header {
            id,
            sequence: self.sequence,
            origin: config.origin.clone(),
            previous: self.previous,
            trees: trees.clone(),
        };
        self.writing = Writing::create(places, &header)?;
        self.segments.push((id, 0));
        self.origins.push((id.shard, config.origin.clone()));
        let next = Grown::new(id.shard, config.origin.clone(), trees);
        self.closing.push(core::mem::replace(&mut self.grown, next));
        Ok(())
    }
}

/// The size of a closed shard, from the frames of its last segment.
fn end_of(places: &Places, shard: u32, segments: &[(SegmentId, u64)]) -> u64 {
    let Some((last, first)) = segments.iter().rfind(|(id, _)| id.shard == shard) else { return 0 };
    let ends = (0..places.roots.len()).filter_map(|place| {
        let heads = places.open(place, *last).and_then(|segment| segment.heads()).ok()?;
        heads.last().map(|(_, head)| head.end())
    });
    ends.max().unwrap_or(*first)
}

/// The size of the checkpoint that stands published; 0 without one that can be read. Its signature is not checked here:
/// a size that is too large can only stop the log.
pub(super) fn published_size(places: &Places, shard: u32) -> u64 {
    let path = places.public(shard).join("checkpoint");
    let note = read(&*places.disk, &path, NoteBounds::USUAL.bytes).unwrap_or_default();
    SignedCheckpoint::parse(&note, NoteBounds::USUAL).map_or(0, |signed| signed.claimed().view.size.get())
}

fn any_header(places: &Places, id: SegmentId) -> Result<Header, Refusal> {
    let mut refused = damaged(format!("segment {}", id.number));
    for place in 0..places.roots.len() {
        match places.open(place, id) {
            Ok(reading) => return Ok(reading.header),
            Err(refusal) => refused = refusal,
        }
    }
    Err(refused)
}

/// How far one copy of a segment is whole, and whether anything stands behind.
pub(super) fn examine(
    places: &Places,
    place: usize,
    id: SegmentId,
    newest: bool,
) -> Result<(u64, bool), Refusal> {
    let mut reading = places.open(place, id)?;
    let mut last: Option<(u64, Vec<u8>)> = None;
    loop {
        match reading.step()? {
            Step::Frame { at, bytes } => last = Some((at, bytes)),
            Step::End => {
                // Of the newest frame the private parts may be what was cut short: unwritten sectors read as zeros.
                if let Some((at, bytes)) = last.filter(|_| newest) {
                    let frame = Frame::parse(&bytes)?;
                    let whole = |entry: &FrameEntry<'_>| matches!(entry.private(), PrivatePart::Whole(_));
                    if !frame.entries.iter().all(whole) {
                        return Ok((at, false));
                    }
                }
                return Ok((reading.end().3, true));
            }
            Step::Bad { at, why } => {
                if newest && !reading.goes_on_behind()? {
                    return Ok((at, false));
                }
                return Err(why);
            }
        }
    }
}

/// The place with the best copy of a segment, and where it ends; the other is made equal to it.
fn best_copy(places: &Places, id: SegmentId, newest: bool) -> Result<(usize, u64), Refusal> {
    let found: Vec<_> = (0..places.roots.len()).map(|place| examine(places, place, id, newest)).collect();
    let best = found
        .iter()
        .enumerate()
        .filter_map(|(place, found)| found.as_ref().ok().map(|(end, _)| (place, *end)));
    // Of two that end differently the longer one: what is whole in it was written once.
    let Some((place, end)) = best.rev().max_by_key(|(_, end)| *end) else {
        return Err(found.into_iter().find_map(Result::err).unwrap_or_else(|| damaged("no copy")));
    };
    for (other, found) in found.iter().enumerate().filter(|(other, _)| *other != place) {
        if !matches!(found, Ok((length, true)) if *length == end) {
            let (from, to) = (places.path(place, id), places.path(other, id));
            tracing::warn!(from = %from.display(), to = %to.display(), "a segment is repaired from its twin");
            copy(places, place, other, id, end).map_err(|error| io_refusal(&error))?;
        }
    }
    Ok((place, end))
}

/// Writes the first `end` bytes of one copy in place of the other.
pub(super) fn copy(places: &Places, from: usize, to: usize, id: SegmentId, end: u64) -> std::io::Result<()> {
    let mut bytes = read(&*places.disk, &places.path(from, id), usize::MAX)?;
    bytes.truncate(usize::try_from(end).unwrap_or(usize::MAX));
    let path = places.path(to, id);
    make_dirs(places, to, path.parent().expect("a segment lies in a folder"))?;
    replace(&*places.disk, &path, &bytes)
}

/// Reads a segment for the index or for a check, from the place where it is whole.
pub(super) fn reading(places: &Places, id: SegmentId, newest: bool) -> Result<Reading, Refusal> {
    let mut refused = damaged(format!("segment {}", id.number));
    for place in 0..places.roots.len() {
        match examine(places, place, id, newest) {
            Ok(_) => return places.open(place, id),
            Err(refusal) => refused = refusal,
        }
    }
    Err(refused)
}
