//! Where the nodes of the outbox tree lie in their journal: in the order in which appending completes them.
//!
//! Appending leaf `i` completes the leaf and one node for each trailing one bit of `i`, so the first `i`
//! leaves complete `2 i - ones(i)` nodes, and the node of level `l` whose last leaf is `j` is the `l`-th of
//! those that `j` completed.

use zeugma_proof::tree::Node;

/// Nodes that the first `leaves` leaves complete, or `None` past the end of the range.
pub(super) fn completed(leaves: u64) -> Option<u64> {
    leaves.checked_mul(2).map(|double| double - u64::from(leaves.count_ones()))
}

/// The position of `node`, or `None` for a node that no tree of `u64` leaves has.
pub(super) fn position(node: Node) -> Option<u64> {
    let end = node.index.checked_add(1)?.checked_mul(1_u64.checked_shl(u32::from(node.level))?)?;
    completed(end - 1)?.checked_add(u64::from(node.level))
}

/// The roots of the perfect subtrees of the first `leaves` leaves, largest first.
pub(super) fn peaks(leaves: u64) -> Vec<Node> {
    let (mut begin, mut peaks) = (0_u64, Vec::new());
    for level in (0..64_u8).rev().filter(|level| leaves >> level & 1 == 1) {
        peaks.push(Node { level, index: begin >> level });
        begin += 1 << level;
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_proof::tree::{Frontier, leaf_hash};
    use zeugma_types::HashSuite;

    #[test]
    fn nodes_lie_in_the_order_in_which_appending_completes_them() {
        let mut tree = Frontier::new(HashSuite::Sha256);
        let mut written: Vec<(Node, [u8; 32])> = Vec::new();
        for leaf in 0..300_u64 {
            assert_eq!(completed(leaf), Some(written.len() as u64));
            let place = |node| usize::try_from(position(node).unwrap()).unwrap();
            let stored: Vec<_> = peaks(leaf).into_iter().map(|node| written[place(node)].1).collect();
            assert_eq!(stored, tree.peaks());
            tree.append(leaf_hash(HashSuite::Sha256, &leaf.to_be_bytes()), |node, hash| {
                written.push((node, *hash))
            })
            .unwrap();
        }
        for (place, (node, _)) in written.iter().enumerate() {
            assert_eq!(position(*node), Some(place as u64), "{node:?}");
        }
        assert_eq!(position(Node { level: 64, index: 0 }), None);
        assert_eq!(completed(u64::MAX), None);
    }
}
