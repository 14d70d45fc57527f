//! A tree read from its tiles.

use super::{HEIGHT, TileId, TileKind, WIDTH};
use alloc::vec::Vec;
use zeugma_proof::tree::{Hash, Node, Nodes, node_hash};
use zeugma_types::{Code, HashSuite, Refusal, TreeSize};

/// The hashes of a tile.
///
/// # Errors
/// [`Code::WrongTile`] when the bytes are not as many as its width asks for.
pub fn hashes(tile: TileId, bytes: &[u8]) -> Result<&[Hash], Refusal> {
    let needed = usize::from(tile.width) * 32;
    match bytes.as_chunks::<32>() {
        (hashes, []) if bytes.len() == needed => Ok(hashes),
        _ => Err(Refusal::new(Code::WrongTile).needed(needed).found(bytes.len())),
    }
}

/// The root over a full tile: the hash that stands for it one level of tiles up.
///
/// # Errors
/// [`Code::WrongTile`] for a tile that is not full, or bytes that are not its hashes.
pub fn full_root(suite: HashSuite, tile: TileId, bytes: &[u8]) -> Result<Hash, Refusal> {
    if !tile.is_full() {
        return Err(Refusal::new(Code::WrongTile).needed(WIDTH).found(tile.width));
    }
    Ok(perfect_root(suite, hashes(tile, bytes)?))
}

/// The nodes of the tree of one size, from hash tiles that `fetch` brings.
///
/// Nothing says that the tiles are of the tree: whoever does not hold them himself compares the root they give
/// with that of a checkpoint. A tile that is missing or of another width is a missing node.
#[derive(Clone, Debug)]
pub struct TileNodes<F> {
    suite: HashSuite,
    size: TreeSize,
    fetch: F,
}

impl<F: Fn(TileId) -> Option<Vec<u8>>> TileNodes<F> {
    /// The tree of `size` leaves.
    pub const fn new(suite: HashSuite, size: TreeSize, fetch: F) -> Self {
        Self { suite, size, fetch }
    }
}

impl<F: Fn(TileId) -> Option<Vec<u8>>> Nodes for TileNodes<F> {
    fn node(&self, node: Node) -> Option<Hash> {
        let (level, within) = (node.level / HEIGHT, node.level % HEIGHT);
        // The node is the root of 2^within neighbouring hashes of its level of tiles.
        let from = node.index.checked_shl(u32::from(within)).filter(|from| from >> within == node.index)?;
        let (index, at) = (from / u64::from(WIDTH), usize::try_from(from % u64::from(WIDTH)).ok()?);
        let tile = TileId::in_tree(TileKind::Hashes { level }, index, self.size)?;
        let bytes = (self.fetch)(tile)?;
        let under = hashes(tile, &bytes).ok()?.get(at..at + (1 << within))?;
        Some(perfect_root(self.suite, under))
    }
}

/// The root of a perfect tree over these hashes, a power of two of them.
pub(super) fn perfect_root(suite: HashSuite, hashes: &[Hash]) -> Hash {
    match hashes {
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(suite, &perfect_root(suite, left), &perfect_root(suite, right))
        }
    }
}
