//! CometBFT's simple Merkle tree: RFC 6962 over SHA-256, also over nothing.
//!
//! Source: CometBFT `spec/core/encoding.md`, "Merkle Trees"; RFC 6962, section 2.1.

use zeugma_crypto::hash::sha256;

/// The root of the tree over `leaves`, in their order.
#[must_use]
pub fn root<L: AsRef<[u8]>>(leaves: &[L]) -> [u8; 32] {
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0], leaf.as_ref()]),
        _ => {
            // The largest power of two below the number of leaves, which is at least 2.
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1], &root(left), &root(right)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_tree_splits_at_the_largest_power_of_two_below() {
        let leaf = |n: u8| sha256(&[&[0, n]]);
        let node = |a: [u8; 32], b: [u8; 32]| sha256(&[&[1], &a, &b]);
        let leaves: Vec<[u8; 1]> = (0..5).map(|n| [n]).collect();
        assert_eq!(root::<[u8; 1]>(&[]), sha256(&[]));
        assert_eq!(root(&leaves[..1]), leaf(0));
        assert_eq!(root(&leaves[..2]), node(leaf(0), leaf(1)));
        assert_eq!(root(&leaves[..3]), node(node(leaf(0), leaf(1)), leaf(2)));
        let four = node(node(leaf(0), leaf(1)), node(leaf(2), leaf(3)));
        assert_eq!(root(&leaves), node(four, leaf(4)));
    }
}
