//! The tiles of a tree that grows.

use super::nodes::perfect_root;
use super::{HEIGHT, LEVELS, TileId, TileKind, WIDTH, level_count};
use alloc::vec::Vec;
use zeugma_proof::tree::{Frontier, Hash};
use zeugma_types::{Code, Decode, Encode, HashSuite, Reader, Refusal, TreeSize};

/// A tree with its rightmost tiles: at most 255 hashes on each level of tiles, whatever the size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrowingTiles {
    frontier: Frontier,
    /// Hashes of the rightmost tile of each level that are not of a full tile yet.
    partial: Vec<Vec<Hash>>,
}

impl GrowingTiles {
    /// The tree without leaves.
    #[must_use]
    pub fn new(suite: HashSuite) -> Self {
        let partial = (0..LEVELS).map(|_| Vec::new()).collect();
        Self { frontier: Frontier::new(suite), partial }
    }

    /// The tree of `size` leaves whose rightmost tiles are these, from level 0 on, without empty ones at the end.
    ///
    /// # Errors
    /// [`Code::WrongTile`] when a tile is not as wide as the size asks for.
    pub fn restore(suite: HashSuite, size: TreeSize, mut partial: Vec<Vec<Hash>>) -> Result<Self, Refusal> {
        if partial.len() > usize::from(LEVELS) {
            return Err(Refusal::new(Code::WrongTile).needed(LEVELS).found(partial.len()));
        }
        partial.resize_with(usize::from(LEVELS), Vec::new);
        let mut peaks = Vec::new();
        for (level, hashes) in (0..LEVELS).zip(&partial).rev() {
            let needed = partial_width(level, size);
            if hashes.len() != needed {
                return Err(Refusal::new(Code::WrongTile).needed(needed).found(hashes.len()));
            }
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (under, after) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(perfect_root(suite, under));
                rest = after;
            }
        }
        Ok(Self { frontier: Frontier::restore(suite, size, peaks)?, partial })
    }

    /// Appends a leaf by its hash. `full` is told of each tile that became full, leaves first.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] when the tree has `u64::MAX` leaves; nothing changed.
    pub fn append(&mut self, leaf: Hash, mut full: impl FnMut(TileId, &[Hash])) -> Result<(), Refusal> {
        let partial = &mut self.partial;
        self.frontier.append(leaf, |node, hash| {
            if node.level % HEIGHT != 0 {
                return;
            }
            let level = node.level / HEIGHT;
            let hashes = &mut partial[usize::from(level)];
            hashes.push(*hash);
            if hashes.len() == usize::from(WIDTH) {
                let index = node.index / u64::from(WIDTH);
                full(TileId { kind: TileKind::Hashes { level }, index, width: WIDTH }, hashes);
                hashes.clear();
            }
        })
    }

    /// The rightmost tiles that are not full, from the leaves up; levels without one are left out.
    pub fn partials(&self) -> impl Iterator<Item = (TileId, &[Hash])> {
        (0_u8..).zip(&self.partial).filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            let kind = TileKind::Hashes { level };
            let index = level_count(kind, self.size()) / u64::from(WIDTH);
            let width = u16::try_from(hashes.len()).expect("a partial tile has at most 255");
            (TileId { kind, index, width }, hashes.as_slice())
        })
    }

    /// The hash suite.
    #[must_use]
    pub const fn suite(&self) -> HashSuite {
        self.frontier.suite()
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

/// ```text
/// GrowingTiles = suite u8 · size u64 · hashes of each level's partial tile, as many as the size says
/// ```
impl Encode for GrowingTiles {
    fn encode(&self, out: &mut Vec<u8>) {
        self.suite().encode(out);
        self.size().encode(out);
        self.partial.iter().flatten().for_each(|hash| hash.encode(out));
    }
}

impl Decode for GrowingTiles {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let (suite, size) = (HashSuite::decode(reader)?, TreeSize::decode(reader)?);
        let level = |level| (0..partial_width(level, size)).map(|_| reader.array()).collect::<Result<_, _>>();
        let partial = (0..LEVELS).map(level).collect::<Result<_, _>>()?;
        Self::restore(suite, size, partial)
    }
}

fn partial_width(level: u8, size: TreeSize) -> usize {
    let width = level_count(TileKind::Hashes { level }, size) % u64::from(WIDTH);
    usize::try_from(width).expect("below 256")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::{TileNodes, full_root, grown};
    use alloc::collections::BTreeMap;
    use alloc::vec;
    use proptest::prelude::*;
    use zeugma_proof::tree::{consistency, inclusion, leaf_hash, root, verify_consistency, verify_inclusion};
    use zeugma_types::LeafIndex;

    const SUITE: HashSuite = HashSuite::Sm3;

    type Stored = BTreeMap<TileId, Vec<u8>>;

    /// Every tile of every size in `keep`, as a log that checkpoints there stores them.
    fn log(size: u64, keep: &[u64]) -> (GrowingTiles, Stored, BTreeMap<u64, Hash>) {
        let (mut tree, mut stored, mut roots) = (GrowingTiles::new(SUITE), Stored::new(), BTreeMap::new());
        for at in 0..=size {
            if keep.contains(&at) {
                roots.insert(at, tree.root());
                stored.extend(tree.partials().map(|(tile, hashes)| (tile, hashes.concat())));
            }
            if at < size {
                let leaf = leaf_hash(SUITE, &at.to_be_bytes());
                tree.append(leaf, |tile, hashes| drop(stored.insert(tile, hashes.concat()))).unwrap();
            }
        }
        (tree, stored, roots)
    }

    #[test]
    fn a_tree_of_three_levels_is_proved_from_its_tiles() {
        let sizes = [1, 255, 256, 257, 65_535, 65_536, 70_000];
        let (tree, stored, roots) = log(70_000, &sizes);
        for size in sizes {
            let of = TreeSize::new(size);
            let nodes = TileNodes::new(SUITE, of, |tile| stored.get(&tile).cloned());
            assert_eq!(root(SUITE, of, &nodes).unwrap(), roots[&size], "size {size}");
            for index in [0, size / 2, size - 1] {
                let path = inclusion(SUITE, LeafIndex::new(index), of, &nodes).unwrap();
                let leaf = leaf_hash(SUITE, &index.to_be_bytes());
                verify_inclusion(SUITE, &leaf, LeafIndex::new(index), of, &path, &roots[&size]).unwrap();
            }
            let all = TileNodes::new(SUITE, tree.size(), |tile| stored.get(&tile).cloned());
            let path = consistency(SUITE, of, tree.size(), &all).unwrap();
            verify_consistency(SUITE, (of, &roots[&size]), (tree.size(), &tree.root()), &path).unwrap();
        }
        let told: Vec<_> =
            grown(TreeSize::ZERO, tree.size()).filter(|tile| tile.kind != TileKind::Entries).collect();
        assert!(told.iter().all(|tile| stored.contains_key(tile)), "every tile of the tree is stored");
    }

    #[test]
    fn the_root_of_a_full_tile_is_the_hash_one_level_up_and_a_partial_one_has_none() {
        let (tree, stored, _) = log(600, &[600]);
        let (above, hashes) =
            tree.partials().find(|(tile, _)| tile.kind == TileKind::Hashes { level: 1 }).unwrap();
        assert_eq!(above.width, 2);
        for (index, hash) in (0..).zip(hashes) {
            let tile = TileId { kind: TileKind::Hashes { level: 0 }, index, width: WIDTH };
            assert_eq!(full_root(SUITE, tile, &stored[&tile]).unwrap(), *hash);
            assert_eq!(full_root(SUITE, tile, &stored[&tile][32..]).unwrap_err().code, Code::WrongTile);
        }
        assert_eq!(full_root(SUITE, above, &hashes.concat()).unwrap_err().code, Code::WrongTile);
    }

    #[test]
    fn a_tile_that_is_missing_or_of_another_width_is_a_missing_node() {
        let (tree, stored, _) = log(300, &[300]);
        let cut = |tile: TileId| stored.get(&tile).map(|bytes| bytes[..bytes.len() - 32].to_vec());
        let nodes = TileNodes::new(SUITE, tree.size(), cut);
        assert!(root(SUITE, tree.size(), &nodes).is_err());
        let nodes = TileNodes::new(SUITE, tree.size(), |_| None);
        assert!(root(SUITE, tree.size(), &nodes).is_err());
    }

    #[test]
    fn a_restored_tree_has_the_tiles_of_its_size_and_no_other() {
        let (tree, ..) = log(300, &[]);
        let bytes = tree.to_bytes();
        assert_eq!(GrowingTiles::from_bytes(&bytes).unwrap(), tree);
        let code =
            |size, partial| GrowingTiles::restore(SUITE, TreeSize::new(size), partial).unwrap_err().code;
        assert_eq!(code(3, vec![vec![[0; 32]; 2]]), Code::WrongTile);
        assert_eq!(code(3, vec![]), Code::WrongTile);
        assert_eq!(code(0, vec![Vec::new(); 9]), Code::WrongTile);
        assert_eq!(GrowingTiles::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err().code, Code::Truncated);
        let mut other = bytes.clone();
        other.push(0);
        assert_eq!(GrowingTiles::from_bytes(&other).unwrap_err().code, Code::TrailingBytes);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_tree_goes_on_from_where_it_was_restored(cut in 0..700_u64, more in 0..700_u64) {
            let (mut restored, ..) = log(cut, &[]);
            restored = GrowingTiles::from_bytes(&restored.to_bytes()).unwrap();
            for at in cut..cut + more {
                restored.append(leaf_hash(SUITE, &at.to_be_bytes()), |_, _| ()).unwrap();
            }
            prop_assert_eq!(restored, log(cut + more, &[]).0);
        }
    }
}
