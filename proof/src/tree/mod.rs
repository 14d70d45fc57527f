//! The append-only Merkle tree of RFC 9162, over any hash suite.
//!
//! [`Frontier`] is the tree that grows: at most 64 hashes, whatever the size. [`inclusion`] and
//! [`consistency`] make proofs from stored nodes; [`verify_inclusion`] and [`verify_consistency`]
//! check them. The shape of a proof is fixed from the index and the sizes before anything is hashed:
//! another number of hashes is refused.
//!
//! Source: RFC 9162, section 2.1. A leaf is `H(0x00 ‖ data)`, a node `H(0x01 ‖ left ‖ right)`, the
//! root of no leaves `H()`.

mod frontier;
mod prove;
mod verify;

pub use frontier::Frontier;
pub use prove::{MissingNode, Node, Nodes, consistency, inclusion, root};
pub use verify::{extended_root, included_root, verify_consistency, verify_inclusion};

use zeugma_crypto::hash::hash;
use zeugma_types::HashSuite;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Longest inclusion path: a tree of `u64` leaves has 64 levels.
pub const MAX_INCLUSION: usize = 64;
/// Longest consistency path: one node more than two per level never occurs below it.
pub const MAX_CONSISTENCY: usize = 128;

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(suite: HashSuite, data: &[u8]) -> Hash {
    hash(suite, &[&[0x00], data])
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(suite: HashSuite, left: &Hash, right: &Hash) -> Hash {
    hash(suite, &[&[0x01], left, right])
}

/// The root of the tree without leaves.
#[must_use]
pub fn empty_root(suite: HashSuite) -> Hash {
    hash(suite, &[])
}

#[cfg(test)]
mod tests;
