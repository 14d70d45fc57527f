//! The tree that grows.

use super::{Hash, Node, empty_root, node_hash};
use alloc::vec::Vec;
use zeugma_types::{Code, Decode, Encode, HashSuite, Reader, Refusal, TreeSize};

/// The roots of the perfect subtrees of a tree, largest first: all that appending needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    suite: HashSuite,
    size: u64,
    /// One for each bit set in `size`, from the highest.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub const fn new(suite: HashSuite) -> Self {
        Self { suite, size: 0, peaks: Vec::new() }
    }

    /// The tree of `size` leaves with these subtree roots, largest first.
    ///
    /// # Errors
    /// [`Code::PathLength`] unless there is one root for each bit set in `size`.
    pub fn restore(suite: HashSuite, size: TreeSize, peaks: Vec<Hash>) -> Result<Self, Refusal> {
        let needed = size.get().count_ones() as usize;
        if peaks.len() != needed {
            return Err(Refusal::new(Code::PathLength).needed(needed).found(peaks.len()));
        }
        Ok(Self { suite, size: size.get(), peaks })
    }

    /// The hash suite.
    #[must_use]
    pub const fn suite(&self) -> HashSuite {
        self.suite
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// Appends a leaf by its hash. `completed` is told of the leaf and of every inner node that is
    /// now perfect, in order from the leaf up: what a store keeps to make proofs from later.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] when the tree already has `u64::MAX` leaves; nothing changed.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(Node, &Hash)) -> Result<(), Refusal> {
        let size = self.size.checked_add(1).ok_or_else(|| Refusal::new(Code::OutOfRange))?;
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        completed(node, &hash);
        // Each trailing one bit of the old size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for each bit set in the size");
            hash = node_hash(self.suite, &left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            completed(node, &hash);
        }
        self.peaks.push(hash);
        self.size = size;
        Ok(())
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root(self.suite) };
        peaks.fold(*last, |right, left| node_hash(self.suite, left, &right))
    }

    /// The roots of the perfect subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }
}

impl Encode for Frontier {
    fn encode(&self, out: &mut Vec<u8>) {
        self.suite.encode(out);
        self.size.encode(out);
        self.peaks.iter().for_each(|peak| peak.encode(out));
    }
}

impl Decode for Frontier {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let suite = HashSuite::decode(reader)?;
        let size = reader.u64()?;
        let peaks = (0..size.count_ones()).map(|_| reader.array()).collect::<Result<_, _>>()?;
        Ok(Self { suite, size, peaks })
    }
}
