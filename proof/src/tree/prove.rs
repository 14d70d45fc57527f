//! Proofs from stored nodes.

use super::{Hash, empty_root, node_hash};
use alloc::vec::Vec;
use core::fmt;
use zeugma_types::{Code, HashSuite, LeafIndex, Refusal, TreeSize};

/// Place of the root of a perfect subtree of `2^level` leaves, the first of which is `index << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 for leaves.
    pub level: u8,
    /// Counted from 0 along the level.
    pub index: u64,
}

/// Stored perfect nodes.
pub trait Nodes {
    /// The hash of a perfect node, if it is stored.
    fn node(&self, node: Node) -> Option<Hash>;
}

impl<F: Fn(Node) -> Option<Hash>> Nodes for F {
    fn node(&self, node: Node) -> Option<Hash> {
        self(node)
    }
}

/// A node that a proof needs and the store did not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingNode(pub Node);

impl fmt::Display for MissingNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tree node {} of level {} is not stored", self.0.index, self.0.level)
    }
}

impl core::error::Error for MissingNode {}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`MissingNode`].
pub fn root(suite: HashSuite, size: TreeSize, nodes: &impl Nodes) -> Result<Hash, MissingNode> {
    match size.get() {
        0 => Ok(empty_root(suite)),
        size => range(suite, 0, size, nodes),
    }
}

/// The hashes from the leaf at `index` to the root of the first `size` leaves, from the leaf up.
///
/// Source: RFC 9162, section 2.1.3.1.
///
/// # Errors
/// [`MissingNode`] when a stored node is lacking.
///
/// # Panics
/// When `index` is not below `size`: only a caller's own arithmetic can bring that.
pub fn inclusion(
    suite: HashSuite,
    index: LeafIndex,
    size: TreeSize,
    nodes: &impl Nodes,
) -> Result<Vec<Hash>, MissingNode> {
    assert!(index.get() < size.get(), "a leaf to prove lies inside the tree");
    let (index, mut begin, mut end) = (index.get(), 0, size.get());
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(range(suite, middle, end, nodes)?);
            end = middle;
        } else {
            path.push(range(suite, begin, middle, nodes)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The hashes that show the first `old` leaves to be the beginning of the first `new`.
///
/// Source: RFC 9162, section 2.1.4.1.
///
/// # Errors
/// [`MissingNode`] when a stored node is lacking.
///
/// # Panics
/// Unless `0 < old <= new`: only a caller's own arithmetic can bring that.
pub fn consistency(
    suite: HashSuite,
    old: TreeSize,
    new: TreeSize,
    nodes: &impl Nodes,
) -> Result<Vec<Hash>, MissingNode> {
    assert!(0 < old.get() && old.get() <= new.get(), "the old tree is the beginning of the new");
    let (old, mut begin, mut end) = (old.get(), 0, new.get());
    let mut path = Vec::new();
    while end != old {
        let middle = begin + split(end - begin);
        if old <= middle {
            path.push(range(suite, middle, end, nodes)?);
            end = middle;
        } else {
            path.push(range(suite, begin, middle, nodes)?);
            begin = middle;
        }
    }
    // Where the old tree is itself a perfect subtree from the left edge, the verifier knows its root.
    if begin != 0 {
        path.push(range(suite, begin, end, nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// The hash of leaves `begin..end`, where `begin` is a boundary of the tree's own splitting.
fn range(suite: HashSuite, begin: u64, end: u64, nodes: &impl Nodes) -> Result<Hash, MissingNode> {
    let length = end - begin;
    if length.is_power_of_two() {
        let level = u8::try_from(length.trailing_zeros()).expect("a u64 has 64 bits");
        let node = Node { level, index: begin >> level };
        return nodes.node(node).ok_or(MissingNode(node));
    }
    // At most 64 deep: each half to the right is less than half of the range.
    let middle = begin + split(length);
    let left = range(suite, begin, middle, nodes)?;
    let right = range(suite, middle, end, nodes)?;
    Ok(node_hash(suite, &left, &right))
}

/// The largest power of two below `length`, which is at least 2.
const fn split(length: u64) -> u64 {
    1 << (63 - (length - 1).leading_zeros())
}

/// # Errors
/// [`Code::IndexOutOfTree`].
pub(super) fn require_inside(index: LeafIndex, size: TreeSize) -> Result<(), Refusal> {
    if index.get() < size.get() {
        return Ok(());
    }
    Err(Refusal::new(Code::IndexOutOfTree).needed(size.get()).found(index.get()))
}
