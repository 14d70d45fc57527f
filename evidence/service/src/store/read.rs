//! Reading: nothing is given out that does not fit what the trees say.
//!
//! A tile is held against the hash of it one level up, and so on until the rightmost tiles, which are in memory and
//! were made from the segments. One that does not fit is made anew from the entries.

use super::damaged;
use super::deposit::{Position, Private};
use super::disk::read;
use super::frame::{Frame, PrivatePart};
use super::open::{Log, Shared};
use super::segment::{Step, no_entry};
use super::trees::{Tree, Trees};
use zeugma_evidence_log::tile::{self, EntryBundle, MAX_BUNDLE, TileId, TileKind, TileNodes, WIDTH};
use zeugma_evidence_log::{Entry, Record, Seed, identity};
use zeugma_proof::tree::{Hash, consistency, inclusion, leaf_hash};
use zeugma_types::{Code, Decode, HashSuite, LeafIndex, Refusal, TreeSize};

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The leaf.
    pub entry: Entry,
    /// Whose it is.
    pub tenant: String,
    /// When it was received, in milliseconds since the Unix epoch.
    pub received_at: u64,
    /// What was deposited.
    pub record: Record,
    /// The seed of its salts.
    pub seed: Seed,
}

/// The identity of an entry from its private part.
pub(super) fn identity_of(bytes: &[u8]) -> Result<[u8; 32], Refusal> {
    let private = Private::from_bytes(bytes)?;
    Ok(identity(&private.tenant, &private.record))
}

impl Log {
    /// The entry at a position.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`], [`Code::RecordErased`], [`Code::Damaged`] with the file.
    pub fn stored(&self, position: Position) -> Result<Stored, Refusal> {
        self.shared.stored(position)
    }

    /// The data of a leaf, also where its record was erased.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`], [`Code::Damaged`].
    pub fn leaf(&self, position: Position) -> Result<Vec<u8>, Refusal> {
        self.shared
            .leaves(position.shard, position.index, position.index + 1)?
            .pop()
            .ok_or_else(|| damaged("leaf"))
    }

    /// A tile of a shard's tree, held against the tree; one that does not fit is made anew, and written again.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`] when the tree does not reach it, [`Code::Damaged`] when the segments cannot give it either.
    pub fn tile(&self, shard: u32, tree: Tree, tile: TileId) -> Result<Vec<u8>, Refusal> {
        let trees = self.shared.trees_of(shard)?;
        self.shared.tile(shard, &trees, tree, tile)
    }

    /// The hashes from an entry to the root of the first `size` entries of its shard.
    ///
    /// # Errors
    /// As [`Log::tile`].
    pub fn inclusion(&self, position: Position, tree: Tree, size: TreeSize) -> Result<Vec<Hash>, Refusal> {
        let trees = self.shared.trees_of(position.shard)?;
        if position.index >= size.get() || size > trees.size() {
            return Err(no_entry(position.index.max(size.get()), trees.size().get()));
        }
        let nodes = TileNodes::new(tree.suite(), size, |tile| {
            self.shared.tile(position.shard, &trees, tree, tile).ok()
        });
        inclusion(tree.suite(), LeafIndex::new(position.index), size, &nodes)
            .map_err(|missing| damaged(missing.to_string()))
    }

    /// The hashes that show the first `old` entries of a shard to be the beginning of the first `new`.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] unless `0 < old <= new`; as [`Log::tile`].
    pub fn consistency(
        &self,
        shard: u32,
        tree: Tree,
        old: TreeSize,
        new: TreeSize,
    ) -> Result<Vec<Hash>, Refusal> {
        let trees = self.shared.trees_of(shard)?;
        if old == TreeSize::ZERO || old > new || new > trees.size() {
            return Err(Refusal::new(Code::OutOfRange).needed(trees.size().get()).found(new.get()));
        }
        let nodes =
            TileNodes::new(tree.suite(), new, |tile| self.shared.tile(shard, &trees, tree, tile).ok());
        consistency(tree.suite(), old, new, &nodes).map_err(|missing| damaged(missing.to_string()))
    }
}

impl Shared {
    fn stored(&self, position: Position) -> Result<Stored, Refusal> {
        let (id, at) = self.frame_of(position)?;
        let mut refused = no_entry(position.index, self.size().get());
        for place in 0..self.places.roots.len() {
            let read = self.places.open(place, id).and_then(|segment| segment.frame_at(at));
            let name = || format!("{} at {at}", self.places.path(place, id).display());
            let bytes = match read {
                Ok(bytes) => bytes,
                Err(refusal) => {
                    refused = refusal;
                    continue;
                }
            };
            let Ok(frame) = Frame::parse(&bytes) else {
                refused = damaged(name());
                continue;
            };
            let within = position.index.checked_sub(frame.head.first).and_then(|at| usize::try_from(at).ok());
            let Some(entry) = within.and_then(|at| frame.entries.get(at)) else {
                return Err(no_entry(position.index, self.size().get()));
            };
            match entry.private() {
                PrivatePart::Erased => return Err(Refusal::new(Code::RecordErased)),
                PrivatePart::Damaged => {
                    refused = damaged(format!("{}: record of entry {}", name(), position.index))
                }
                PrivatePart::Whole(bytes) => {
                    let Private { tenant, received_at, seed, record } = Private::from_bytes(bytes)?;
                    let entry = Entry::from_bytes(entry.leaf)?;
                    return Ok(Stored { entry, tenant, received_at, record, seed });
                }
            }
        }
        Err(refused)
    }

    /// The data of leaves from the segments.
    pub(super) fn leaves(&self, shard: u32, from: u64, end: u64) -> Result<Vec<Vec<u8>>, Refusal> {
        let mut leaves = Vec::new();
        let mut index = from;
        while index < end {
            let (id, at) = self.frame_of(Position { shard, index })?;
            let bytes = self.read_frame(id, at)?;
            let frame = Frame::parse(&bytes)?;
            if !(frame.head.first..frame.head.end()).contains(&index) {
                return Err(no_entry(index, self.size().get()));
            }
            let skip = usize::try_from(index - frame.head.first).unwrap_or(usize::MAX);
            for entry in
                frame.entries.iter().skip(skip).take(usize::try_from(end - index).unwrap_or(usize::MAX))
            {
                leaves.push(entry.as_leaf().as_slice().to_vec());
            }
            index = frame.head.end();
        }
        Ok(leaves)
    }

    /// The trees of a shard: of the open one as they are, of a closed one from its last segment.
    pub(super) fn trees_of(&self, shard: u32) -> Result<Trees, Refusal> {
        {
            let grown = self.grown();
            if grown.shard == shard {
                return Ok(grown.trees.clone());
            }
        }
        if let Some(closed) = self.closing().iter().find(|closed| closed.shard == shard) {
            return Ok(closed.trees.clone());
        }
        // Locked while they are made: many who ask at once have them made once.
        let mut closed = self.closed();
        if let Some(trees) = closed.get(&shard) {
            return Ok(trees.clone());
        }
        let segments = self.segments();
        let last = segments.iter().rev().find(|(id, _)| id.shard == shard);
        let (last, _) = last.ok_or_else(|| Refusal::new(Code::NoSuchEntry).found(shard))?;
        let mut segment = super::recover::reading(&self.places, *last, false)?;
        let mut trees = segment.header.trees.clone();
        while let Step::Frame { bytes, .. } = segment.step()? {
            for entry in Frame::parse(&bytes)?.entries {
                trees.append(entry.leaf, &mut |_| ())?;
            }
        }
        closed.insert(shard, trees.clone());
        Ok(trees)
    }

    /// A tile that fits the trees, cut to its width.
    pub(super) fn tile(&self, shard: u32, trees: &Trees, tree: Tree, id: TileId) -> Result<Vec<u8>, Refusal> {
        let held = TileId::in_tree(id.kind, id.index, trees.size()).filter(|held| held.width >= id.width);
        let held = held.ok_or_else(|| no_entry(id.index, trees.size().get()))?;
        let whole = match id.kind {
            TileKind::Entries => self.bundle(shard, trees, held)?,
            TileKind::Hashes { level } => self.hash_tile(shard, trees, tree, level, held)?,
        };
        cut(held, whole, id.width)
    }

    fn hash_tile(
        &self,
        shard: u32,
        trees: &Trees,
        tree: Tree,
        level: u8,
        held: TileId,
    ) -> Result<Vec<u8>, Refusal> {
        if !held.is_full() {
            let found = trees.tiles(tree).and_then(|tiles| tiles.partials().find(|(tile, _)| *tile == held));
            return Ok(found.ok_or_else(|| damaged(held.path()))?.1.concat());
        }
        let above = TileId {
            kind: TileKind::Hashes { level: level + 1 },
            index: held.index / u64::from(WIDTH),
            width: u16::try_from(held.index % u64::from(WIDTH)).expect("below 256") + 1,
        };
        let needed = self.tile(shard, trees, tree, above)?;
        let needed = *tile::hashes(above, &needed)?.last().expect("a tile is not empty");
        let path = tree.folder(&self.places.public(shard)).join(held.path());
        if let Ok(bytes) = read(&*self.places.disk, &path, usize::from(WIDTH) * 32)
            && tile::full_root(tree.suite(), held, &bytes) == Ok(needed)
        {
            return Ok(bytes);
        }
        tracing::warn!(path = %path.display(), "the tile is not that of the tree; it is made anew");
        let made = self.make(shard, tree, level, held.index)?;
        if tile::full_root(tree.suite(), held, &made) != Ok(needed) {
            return Err(damaged(format!("{}: the segments give another tile", path.display())));
        }
        self.put_back(shard, (tree, held, made.clone()));
        Ok(made)
    }

    fn bundle(&self, shard: u32, trees: &Trees, held: TileId) -> Result<Vec<u8>, Refusal> {
        let leaves = TileId { kind: TileKind::Hashes { level: 0 }, ..held };
        let needed = self.tile(shard, trees, Tree::First, leaves)?;
        let fits = |bytes: &[u8]| {
            let Ok(bundle) = EntryBundle::parse(bytes, held.width) else { return false };
            let found = bundle.leaves.iter().flat_map(|leaf| leaf_hash(HashSuite::Sha256, leaf));
            found.eq(needed.iter().copied())
        };
        let path = self.places.public(shard).join(held.path());
        let kept = read(&*self.places.disk, &path, MAX_BUNDLE).unwrap_or_default();
        if fits(&kept) {
            return Ok(kept);
        }
        let from = held.index * u64::from(WIDTH);
        let mut made = Vec::new();
        for leaf in self.leaves(shard, from, from + u64::from(held.width))? {
            EntryBundle::push(&mut made, &leaf)?;
        }
        if !fits(&made) {
            return Err(damaged(format!("{}: the segments give another bundle", path.display())));
        }
        if held.is_full() {
            tracing::warn!(path = %path.display(), "the bundle is not that of the tree; it is made anew");
            self.put_back(shard, (Tree::First, held, made.clone()));
        }
        Ok(made)
    }

    /// A full hash tile from the entries under it.
    fn make(&self, shard: u32, tree: Tree, level: u8, index: u64) -> Result<Vec<u8>, Refusal> {
        let from = index * u64::from(WIDTH);
        if level == 0 {
            let leaves = self.leaves(shard, from, from + u64::from(WIDTH))?;
            return Ok(leaves.iter().flat_map(|leaf| leaf_hash(tree.suite(), leaf)).collect());
        }
        let mut bytes = Vec::new();
        for below in from..from + u64::from(WIDTH) {
            let id = TileId { kind: TileKind::Hashes { level: level - 1 }, index: below, width: WIDTH };
            let made = self.make(shard, tree, level - 1, below)?;
            bytes.extend(tile::full_root(tree.suite(), id, &made)?);
        }
        Ok(bytes)
    }

    fn put_back(&self, shard: u32, made: super::trees::Made) {
        if let Err(refusal) = self.publisher.write_tiles(&self.places, shard, vec![made]) {
            tracing::warn!(%refusal, "a tile that was made anew is not written");
        }
    }
}

/// The first `width` of a tile.
fn cut(held: TileId, mut whole: Vec<u8>, width: u16) -> Result<Vec<u8>, Refusal> {
    if held.width == width {
        return Ok(whole);
    }
    let length = match held.kind {
        TileKind::Hashes { .. } => usize::from(width) * 32,
        TileKind::Entries => {
            let bundle = EntryBundle::parse(&whole, held.width)?;
            bundle.leaves.iter().take(usize::from(width)).map(|leaf| 2 + leaf.len()).sum()
        }
    };
    whole.truncate(length);
    Ok(whole)
}
