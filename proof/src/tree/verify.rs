//! Checks of proofs.

use super::prove::require_inside;
use super::{Hash, node_hash};
use zeugma_types::{Code, HashSuite, LeafIndex, Refusal, TreeSize};

/// Checks that the leaf with this hash stands at `index` of the tree of `size` leaves with this root.
///
/// Source: RFC 9162, section 2.1.3.2, with the number of hashes fixed first.
///
/// # Errors
/// [`Code::IndexOutOfTree`], [`Code::PathLength`], [`Code::NotIncluded`].
pub fn verify_inclusion(
    suite: HashSuite,
    leaf: &Hash,
    index: LeafIndex,
    size: TreeSize,
    path: &[Hash],
    root: &Hash,
) -> Result<(), Refusal> {
    let hash = included_root(suite, leaf, index, size, path)?;
    if hash == *root {
        return Ok(());
    }
    Err(Refusal::new(Code::NotIncluded).needed(*root).found(hash))
}

/// The root that a path implies for the leaf at `index` of a tree of `size` leaves: for receipts whose
/// signature is over a root that they do not carry.
///
/// # Errors
/// [`Code::IndexOutOfTree`], [`Code::PathLength`].
pub fn included_root(
    suite: HashSuite,
    leaf: &Hash,
    index: LeafIndex,
    size: TreeSize,
    path: &[Hash],
) -> Result<Hash, Refusal> {
    require_inside(index, size)?;
    let (mut node, mut last) = (index.get(), size.get() - 1);
    // Up to where the paths of the leaf and of the last leaf meet there is a sibling on every level;
    // above, only where the leaf's subtree is a right child.
    let meet = u64::BITS - (node ^ last).leading_zeros();
    let above = node.checked_shr(meet).unwrap_or(0).count_ones();
    require_length(path, meet + above)?;
    let mut hash = *leaf;
    for sibling in path {
        // The last node of a level without a sibling rises unchanged.
        while node & 1 == 0 && node == last {
            node >>= 1;
            last >>= 1;
        }
        hash =
            if node & 1 == 1 { node_hash(suite, sibling, &hash) } else { node_hash(suite, &hash, sibling) };
        node >>= 1;
        last >>= 1;
    }
    Ok(hash)
}

/// Checks that the tree of `old` leaves is the beginning of the tree of `new` leaves.
///
/// Source: RFC 9162, section 2.1.4.2, with the number of hashes fixed first.
///
/// # Errors
/// [`Code::Empty`] for an old tree without leaves, which any tree extends and no proof can show;
/// [`Code::OutOfRange`] when the old tree is the larger; [`Code::PathLength`]; [`Code::NotConsistent`].
pub fn verify_consistency(
    suite: HashSuite,
    (old, old_root): (TreeSize, &Hash),
    (new, new_root): (TreeSize, &Hash),
    path: &[Hash],
) -> Result<(), Refusal> {
    let found = extended_root(suite, (old, old_root), new, path)?;
    same(new_root, &found)
}

/// The root that a path implies for the tree of `new` leaves that begins with the tree of `old` leaves.
///
/// # Errors
/// As [`verify_consistency`], but for the new root.
pub fn extended_root(
    suite: HashSuite,
    (old, old_root): (TreeSize, &Hash),
    new: TreeSize,
    path: &[Hash],
) -> Result<Hash, Refusal> {
    if old == TreeSize::ZERO {
        return Err(Refusal::new(Code::Empty).needed(1_u64).found(0_u64));
    }
    if old > new {
        return Err(Refusal::new(Code::OutOfRange).needed(new.get()).found(old.get()));
    }
    if old == new {
        require_length(path, 0)?;
        return Ok(*old_root);
    }
    let (mut node, mut last) = (old.get() - 1, new.get() - 1);
    // The perfect subtree that ends the old tree: its root is the first hash, unless it is the old tree.
    let perfect = node.trailing_ones();
    node >>= perfect;
    last >>= perfect;
    let meet = u64::BITS - (node ^ last).leading_zeros();
    let above = node.checked_shr(meet).unwrap_or(0).count_ones();
    let starts_inside = node != 0;
    require_length(path, meet + above + u32::from(starts_inside))?;
    let (start, siblings) = match path.split_first() {
        Some((first, rest)) if starts_inside => (first, rest),
        _ => (old_root, path),
    };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in siblings {
        while node & 1 == 0 && node == last {
            node >>= 1;
            last >>= 1;
        }
        if node & 1 == 1 {
            old_hash = node_hash(suite, sibling, &old_hash);
            new_hash = node_hash(suite, sibling, &new_hash);
        } else {
            new_hash = node_hash(suite, &new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    same(old_root, &old_hash)?;
    Ok(new_hash)
}

fn same(needed: &Hash, found: &Hash) -> Result<(), Refusal> {
    if needed == found {
        return Ok(());
    }
    Err(Refusal::new(Code::NotConsistent).needed(*needed).found(*found))
}

fn require_length(path: &[Hash], needed: u32) -> Result<(), Refusal> {
    if path.len() == needed as usize {
        return Ok(());
    }
    Err(Refusal::new(Code::PathLength).needed(needed).found(path.len()))
}
