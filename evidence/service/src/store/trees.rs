//! The two trees over the same leaves, and the tiles they make.

use super::deposit::LeafHashes;
use std::path::{Path, PathBuf};
use zeugma_evidence_log::tile::{GrowingTiles, TileId, TileKind, WIDTH};
use zeugma_evidence_log::{EntryBundle, TileId as Id, second_origin};
use zeugma_proof::body::LogView;
use zeugma_proof::tree::leaf_hash;
use zeugma_types::{Code, Decode, Encode, HashSuite, Reader, Refusal, TreeSize};

/// One of a log's two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tree {
    /// The C2SP log, in SHA-256.
    First,
    /// The same leaves in SM3.
    Second,
}

impl Tree {
    /// Its hash suite.
    #[must_use]
    pub const fn suite(self) -> HashSuite {
        match self {
            Self::First => HashSuite::Sha256,
            Self::Second => HashSuite::Sm3,
        }
    }

    /// Its origin in the log of this origin.
    #[must_use]
    pub fn origin(self, origin: &str) -> String {
        match self {
            Self::First => origin.into(),
            Self::Second => second_origin(origin),
        }
    }

    /// Its folder below the public folder of a shard.
    pub(super) fn folder(self, public: &Path) -> PathBuf {
        match self {
            Self::First => public.to_owned(),
            Self::Second => public.join("sm3"),
        }
    }
}

/// A tile that became full, with its bytes.
pub(super) type Made = (Tree, TileId, Vec<u8>);

/// All that appending needs, whatever the size: what each segment begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trees {
    first: GrowingTiles,
    second: Option<GrowingTiles>,
    /// The rightmost entry bundle, if it is not full.
    bundle: Vec<u8>,
}

impl Trees {
    pub(super) fn new(second: bool) -> Self {
        let tree = |suite| GrowingTiles::new(suite);
        Self {
            first: tree(HashSuite::Sha256),
            second: second.then(|| tree(HashSuite::Sm3)),
            bundle: Vec::new(),
        }
    }

    pub(super) fn size(&self) -> TreeSize {
        self.first.size()
    }

    pub(super) fn has(&self, tree: Tree) -> bool {
        tree == Tree::First || self.second.is_some()
    }

    pub(super) fn view(&self, tree: Tree) -> Option<LogView> {
        let tiles = self.tiles(tree)?;
        Some(LogView { size: tiles.size(), root: tiles.root() })
    }

    pub(super) fn tiles(&self, tree: Tree) -> Option<&GrowingTiles> {
        match tree {
            Tree::First => Some(&self.first),
            Tree::Second => self.second.as_ref(),
        }
    }

    /// The trees there are.
    pub(super) fn all(&self) -> impl Iterator<Item = Tree> + use<> {
        let second = self.second.is_some();
        [Tree::First, Tree::Second].into_iter().filter(move |tree| *tree == Tree::First || second)
    }

    /// Appends a leaf; `made` is told of each tile that became full.
    pub(super) fn append(&mut self, leaf: &[u8], made: &mut impl FnMut(Made)) -> Result<(), Refusal> {
        self.append_hashed(leaf, &LeafHashes::of(leaf, self.second.is_some()), made)
    }

    /// As [`Trees::append`], with the hashes of the leaf that somebody else made.
    pub(super) fn append_hashed(
        &mut self,
        leaf: &[u8],
        hashes: &LeafHashes,
        made: &mut impl FnMut(Made),
    ) -> Result<(), Refusal> {
        let index = self.size().get();
        self.first.append(hashes.first, |tile, hashes| {
            made((Tree::First, tile, hashes.concat()));
        })?;
        if let Some(second) = &mut self.second {
            let hash = hashes.second.unwrap_or_else(|| leaf_hash(HashSuite::Sm3, leaf));
            second.append(hash, |tile, hashes| {
                made((Tree::Second, tile, hashes.concat()));
            })?;
        }
        EntryBundle::push(&mut self.bundle, leaf)?;
        let width = u64::from(WIDTH);
        if (index + 1).is_multiple_of(width) {
            let tile = TileId { kind: TileKind::Entries, index: index / width, width: WIDTH };
            // One bundle serves both trees: their leaves are the same bytes.
            made((Tree::First, tile, core::mem::take(&mut self.bundle)));
        }
        Ok(())
    }

    /// The rightmost tiles that are not full.
    pub(super) fn partials(&self) -> Vec<Made> {
        let mut all = Vec::new();
        for tree in self.all() {
            let tiles = self.tiles(tree).into_iter().flat_map(GrowingTiles::partials);
            all.extend(tiles.map(|(tile, hashes)| (tree, tile, hashes.concat())));
        }
        if let Some(tile) = Id::in_tree(TileKind::Entries, self.size().get() / u64::from(WIDTH), self.size())
        {
            all.push((Tree::First, tile, self.bundle.clone()));
        }
        all
    }
}

/// Longest encoded state: 255 hashes on eight levels of two trees, 255 entries.
pub(super) const MAX_STATE: usize = 2 * (9 + 8 * 255 * 32) + 255 * 73 + 64;

impl Encode for Trees {
    fn encode(&self, out: &mut Vec<u8>) {
        self.first.encode(out);
        zeugma_types::codec::put_option(out, self.second.as_ref(), |out, second| second.encode(out));
        zeugma_types::codec::put_bytes(out, &self.bundle);
    }
}

impl Decode for Trees {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let first = GrowingTiles::decode(reader)?;
        let second = reader.option(GrowingTiles::decode)?;
        let bundle = reader.bytes(MAX_STATE)?.to_vec();
        let width = u16::try_from(first.size().get() % u64::from(WIDTH)).expect("below 256");
        EntryBundle::parse(&bundle, width)?;
        let fits = first.suite() == HashSuite::Sha256
            && second
                .as_ref()
                .is_none_or(|second| second.suite() == HashSuite::Sm3 && second.size() == first.size());
        if fits { Ok(Self { first, second, bundle }) } else { Err(Refusal::new(Code::WrongTile)) }
    }
}
