//! Backup while the log serves, and restore.
//!
//! A backup is the segments, each whole up to where it ended. Tiles and index are made from them again. A backup lacks
//! what was logged after it, and nobody can tell from it alone: so a restored log goes on under its origin only when
//! a checkpoint that others hold (a witness, the relay chain) shows that nothing is missing. Otherwise it is marked, and
//! opens under a new origin only.

use super::disk::{Disk, replace};
use super::frame::Frame;
use super::open::Log;
use super::recover::{copy, examine};
use super::segment::{Places, Step, make_dirs};
use super::trees::Tree;
use super::{damaged, io_refusal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeugma_evidence_log::Checkpoint;
use zeugma_types::{Code, Refusal};

/// What a restored store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// Nothing that the checkpoint shows is missing: it opens under its origin.
    Whole {
        /// Entries of its open shard.
        size: u64,
    },
    /// Entries may be missing: it opens under a new origin only.
    Marked {
        /// Entries of its open shard.
        size: u64,
    },
}

/// The file whose presence says that a restored store may lack entries.
pub(super) fn marker(root: &Path) -> PathBuf {
    root.join("restored")
}

impl Log {
    /// Copies every segment into a folder, durably, while the log serves. Returns the entries of the open shard that are
    /// in it. What was erased before is not in it.
    ///
    /// # Errors
    /// [`Code::Damaged`] with a segment that is whole in no place; [`Code::StoreFull`], [`Code::StoreFailed`].
    pub fn backup(&self, folder: &Path) -> Result<u64, Refusal> {
        let shared = &*self.shared;
        let places = Places {
            disk: Arc::clone(&shared.places.disk),
            roots: shared.places.roots.iter().cloned().chain([folder.to_owned()]).collect(),
        };
        let to = places.roots.len() - 1;
        let segments = shared.segments();
        let newest = segments.last().map(|(id, _)| *id);
        for (id, _) in &segments {
            let whole = (0..to)
                .find_map(|from| Some((from, examine(&places, from, *id, Some(*id) == newest).ok()?.0)));
            let (from, end) =
                whole.ok_or_else(|| damaged(format!("segment {} of shard {}", id.number, id.shard)))?;
            copy(&places, from, to, *id, end).map_err(|error| io_refusal(&error))?;
        }
        let backup = Places { disk: places.disk, roots: vec![folder.to_owned()] };
        end_of(&backup, None).map(|(size, _)| size)
    }
}

/// Restores a backup into the empty folder `root`, and `twin` if there is one. `latest` is the newest checkpoint of the log
/// that somebody else holds; the caller has verified it.
///
/// # Errors
/// [`Code::FileExists`] when `root` holds a store; [`Code::Damaged`] when the backup is not whole;
/// [`Code::NotConsistent`] when the checkpoint contradicts it; [`Code::StoreFull`], [`Code::StoreFailed`].
pub fn restore(
    disk: &Arc<dyn Disk>,
    backup: &Path,
    (root, twin): (&Path, Option<&Path>),
    latest: Option<&Checkpoint>,
) -> Result<Restored, Refusal> {
    let io = |error: std::io::Error| io_refusal(&error);
    for place in core::iter::once(root).chain(twin) {
        if !disk.list(&place.join("shards")).map_err(io)?.is_empty() {
            return Err(Refusal::new(Code::FileExists).found(place.display().to_string()));
        }
    }
    let from = Places { disk: Arc::clone(disk), roots: vec![backup.to_owned()] };
    let (size, shows_all) = end_of(&from, latest)?;
    let to = Places {
        disk: Arc::clone(disk),
        roots: core::iter::once(root).chain(twin).map(Path::to_owned).collect(),
    };
    // The mark first: a restore that is cut short is never taken for a whole one.
    make_dirs(&to, 0, root).map_err(io)?;
    replace(&**disk, &marker(root), b"restored\n").map_err(io)?;
    let both =
        Places { disk: Arc::clone(disk), roots: from.roots.iter().chain(&to.roots).cloned().collect() };
    for shard in from.shards().map_err(io)? {
        for id in from.segments(shard).map_err(io)? {
            let (end, _) = examine(&both, 0, id, false)?;
            for place in 1..both.roots.len() {
                copy(&both, 0, place, id, end).map_err(io)?;
            }
        }
    }
    if !shows_all {
        return Ok(Restored::Marked { size });
    }
    disk.remove(&marker(root)).map_err(io)?;
    disk.sync_dir(root).map_err(io)?;
    Ok(Restored::Whole { size })
}

/// The size of the newest shard of a backup that is whole, and whether the checkpoint is of that shard and not above it.
fn end_of(places: &Places, latest: Option<&Checkpoint>) -> Result<(u64, bool), Refusal> {
    let io = |error: std::io::Error| io_refusal(&error);
    let shard =
        places.shards().map_err(io)?.pop().ok_or_else(|| Refusal::new(Code::Empty).needed("a backup"))?;
    let mut trees = None;
    let mut shown = false;
    for id in places.segments(shard).map_err(io)? {
        examine(places, 0, id, false)?;
        let mut segment = places.open(0, id)?;
        let state = trees.get_or_insert_with(|| segment.header.trees.clone());
        if *state != segment.header.trees {
            return Err(damaged(format!("{}: does not continue the segment before", segment.path.display())));
        }
        let latest = latest.filter(|latest| latest.origin == segment.header.origin);
        let mut compare = |state: &super::trees::Trees| {
            let Some(latest) = latest.filter(|latest| latest.view.size == state.size()) else {
                return Ok(());
            };
            let found = state.view(Tree::First).map(|view| view.root);
            shown = found == Some(latest.view.root);
            if shown { Ok(()) } else { Err(Refusal::new(Code::NotConsistent).needed(latest.view.root)) }
        };
        compare(state)?;
        while let Step::Frame { bytes, .. } = segment.step()? {
            for entry in Frame::parse(&bytes)?.entries {
                state.append(entry.leaf, &mut |_| ())?;
                compare(state)?;
            }
        }
    }
    let size = trees.ok_or_else(|| Refusal::new(Code::Empty).needed("a segment"))?.size().get();
    Ok((size, shown))
}
