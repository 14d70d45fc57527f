//! What the world reads: tiles and checkpoints as static files.
//!
//! Order: temporary files of all tiles, sync, names, sync; then the note of the second tree, then that of the first, each
//! in one step. A crash leaves tiles that no checkpoint needs yet, which the next publication writes again with
//! the same bytes.

use super::disk::{replace, temporary};
use super::io_refusal;
use super::open::{Log, Shared};
use super::recover::published_size;
use super::segment::{Places, make_dirs};
use super::trees::{Made, Tree};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_evidence_log::LogSigner;
use zeugma_proof::body::LogView;
use zeugma_types::{Code, Refusal, UnixSeconds};

/// Files up to which each is synced by itself; above, the whole filesystem is, once.
const FEW: usize = 32;

/// The signers of one log's two trees.
#[derive(Clone, Debug)]
pub struct Signers {
    /// Of the tree in SHA-256.
    pub first: LogSigner,
    /// Of the tree in SM3, whose origin ends in `/sm3`.
    pub second: Option<LogSigner>,
}

/// One publication at a time.
#[derive(Default)]
pub(super) struct Publisher(Mutex<BTreeSet<PathBuf>>);

impl Publisher {
    fn folders(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the full tiles that wait in memory, so that they do not.
    pub(super) fn write_out(&self, shared: &Shared) -> Result<(), Refusal> {
        let (shard, made) = {
            let mut grown = shared.grown();
            grown.bytes = 0;
            (grown.shard, core::mem::take(&mut grown.made))
        };
        self.write_tiles(&shared.places, shard, made.clone()).inspect_err(|_| give_back(shared, shard, made))
    }

    /// Writes tiles, durably.
    pub(super) fn write_tiles(&self, places: &Places, shard: u32, tiles: Vec<Made>) -> Result<(), Refusal> {
        if tiles.is_empty() {
            return Ok(());
        }
        self.write(places, shard, tiles).map_err(|error| io_refusal(&error))
    }

    fn write(&self, places: &Places, shard: u32, tiles: Vec<Made>) -> io::Result<()> {
        let disk = &*places.disk;
        let mut known = self.folders();
        let public = places.public(shard);
        let few = tiles.len() <= FEW;
        let mut touched = BTreeSet::new();
        let mut paths = Vec::with_capacity(tiles.len());
        for (tree, tile, bytes) in tiles {
            let path = tree.folder(&public).join(tile.path());
            let folder = path.parent().expect("a tile lies in a folder").to_owned();
            if !known.contains(&folder) {
                make_dirs(places, 0, &folder)?;
                known.insert(folder.clone());
            }
            let file = disk.open(&temporary(&path), true)?;
            file.write_at(0, &bytes)?;
            if few {
                file.sync()?;
            }
            touched.insert(folder);
            paths.push(path);
        }
        if !few {
            disk.sync_all(&places.roots[0])?;
        }
        for path in paths {
            disk.rename(&temporary(&path), &path)?;
        }
        if few {
            touched.iter().try_for_each(|folder| disk.sync_dir(folder))
        } else {
            disk.sync_all(&places.roots[0])
        }
    }
}

/// Puts tiles that could not be written back in front of those made since.
fn give_back(shared: &Shared, shard: u32, made: Vec<Made>) {
    let mut grown = shared.grown();
    if grown.shard == shard {
        return put_before(&mut grown, made);
    }
    drop(grown);
    if let Some(closed) = shared.closing().iter_mut().find(|closed| closed.shard == shard) {
        put_before(closed, made);
    }
}

fn put_before(grown: &mut super::open::Grown, mut made: Vec<Made>) {
    made.append(&mut grown.made);
    grown.bytes = made.iter().map(|(.., bytes)| bytes.len()).sum();
    grown.made = made;
}

impl Log {
    /// Signs and publishes the durable tree of each shard that grew since, under the signers of its origin, and returns
    /// what was published. A closed shard whose signers are not among these waits.
    ///
    /// # Errors
    /// [`Code::UnknownSigner`] without signers of the open shard, or with signers of another number of trees;
    /// [`Code::StoreFull`], [`Code::StoreFailed`]: then nothing new is published, and the next call does it.
    pub fn publish(&self, signers: &[Signers], at: UnixSeconds) -> Result<Vec<(u32, LogView)>, Refusal> {
        let shared = &*self.shared;
        let of = |origin: &str| signers.iter().find(|signers| signers.first.origin() == origin);
        let mut published = Vec::new();
        let closed: Vec<u32> = shared.closing().iter().map(|closed| closed.shard).collect();
        for shard in closed {
            let taken = {
                let mut closing = shared.closing();
                let Some(closed) = closing.iter_mut().find(|closed| closed.shard == shard) else { continue };
                let Some(signers) = of(&closed.origin) else { continue };
                closed.bytes = 0;
                (core::mem::take(&mut closed.made), closed.trees.clone(), signers)
            };
            published.extend(self.publish_shard(shard, taken, at)?);
            shared.closing().retain(|closed| closed.shard != shard);
        }
        let (shard, taken) = {
            let mut grown = shared.grown();
            let unknown = || Refusal::new(Code::UnknownSigner).needed(grown.origin.clone());
            let signers = of(&grown.origin).ok_or_else(unknown)?;
            let trees = grown.trees.clone();
            grown.bytes = 0;
            (grown.shard, (core::mem::take(&mut grown.made), trees, signers))
        };
        published.extend(self.publish_shard(shard, taken, at)?);
        Ok(published)
    }

    fn publish_shard(
        &self,
        shard: u32,
        (made, trees, signers): (Vec<Made>, super::trees::Trees, &Signers),
        at: UnixSeconds,
    ) -> Result<Option<(u32, LogView)>, Refusal> {
        let shared = &*self.shared;
        let places = &shared.places;
        let refused = |refusal: Refusal| {
            give_back(shared, shard, made.clone());
            refusal
        };
        let mut views = Vec::new();
        for tree in trees.all() {
            let signer = if tree == Tree::First { Some(&signers.first) } else { signers.second.as_ref() };
            let origin = tree.origin(signers.first.origin());
            let signer = signer.filter(|signer| signer.origin() == origin);
            let signer = signer.ok_or_else(|| refused(Refusal::new(Code::UnknownSigner).needed(origin)))?;
            views.push((tree, signer, trees.view(tree).expect("a tree there is has a view")));
        }
        let size = trees.size().get();
        let standing = places.disk.open(&places.public(shard).join("checkpoint"), false).is_ok();
        if standing && published_size(places, shard) == size && made.is_empty() {
            return Ok(None);
        }
        let mut tiles = made.clone();
        tiles.extend(trees.partials());
        shared.publisher.write_tiles(places, shard, tiles).map_err(refused)?;
        for (tree, signer, view) in views.iter().rev() {
            let folder = tree.folder(&places.public(shard));
            let write = || {
                make_dirs(places, 0, &folder)?;
                replace(&*places.disk, &folder.join("checkpoint"), signer.sign(*view, at).as_bytes())
            };
            // The tiles are there; only the notes are written again.
            write().map_err(|error| io_refusal(&error))?;
        }
        Ok(Some((shard, views[0].2)))
    }
}
