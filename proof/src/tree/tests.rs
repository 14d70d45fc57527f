use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;
use zeugma_types::{Code, Decode, Encode, LeafIndex, TreeSize};

const SUITE: HashSuite = HashSuite::Sha256;

/// The definition of RFC 9162, section 2.1.1, word for word: the oracle.
fn defined_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash(SUITE, &[]),
        [one] => *one,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            hash(SUITE, &[&[1], &defined_root(&leaves[..k]), &defined_root(&leaves[k..])])
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(SUITE, &i.to_be_bytes())).collect()
}

/// Stored nodes by definition: every perfect node is the root of its own leaves.
fn stored(leaves: &[Hash]) -> impl Fn(Node) -> Option<Hash> + '_ {
    move |node: Node| {
        let begin = usize::try_from(node.index << node.level).ok()?;
        leaves.get(begin..begin + (1 << node.level)).map(defined_root)
    }
}

#[test]
fn the_growing_tree_has_the_defined_root_at_every_size() {
    let all = leaves(130);
    let mut tree = Frontier::new(SUITE);
    for size in 0..=all.len() {
        assert_eq!(tree.root(), defined_root(&all[..size]), "size {size}");
        assert_eq!(root(SUITE, tree.size(), &stored(&all)).unwrap(), tree.root());
        assert_eq!(Frontier::from_bytes(&tree.to_bytes()).unwrap(), tree);
        if let Some(leaf) = all.get(size) {
            let nodes = stored(&all);
            tree.append(*leaf, |node, hash| assert_eq!(nodes(node).as_ref(), Some(hash))).unwrap();
        }
    }
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_and_nothing_else_is() {
    let all = leaves(33);
    for size in 1..=33_u64 {
        let root = defined_root(&all[..usize::try_from(size).unwrap()]);
        for index in 0..size {
            let (at, of) = (LeafIndex::new(index), TreeSize::new(size));
            let path = inclusion(SUITE, at, of, &stored(&all)).unwrap();
            let leaf = all[usize::try_from(index).unwrap()];
            verify_inclusion(SUITE, &leaf, at, of, &path, &root).unwrap();
            for other in (0..=size + 1).filter(|other| *other != index) {
                verify_inclusion(SUITE, &leaf, LeafIndex::new(other), of, &path, &root).unwrap_err();
            }
            let mut longer = path.clone();
            longer.push(root);
            let refused = verify_inclusion(SUITE, &leaf, at, of, &longer, &root).unwrap_err();
            assert_eq!(refused.code, Code::PathLength);
            if let Some((_, shorter)) = path.split_last() {
                let refused = verify_inclusion(SUITE, &leaf, at, of, shorter, &root).unwrap_err();
                assert_eq!(refused.code, Code::PathLength);
            }
        }
    }
}

#[test]
fn every_small_tree_is_the_beginning_of_every_larger_and_of_no_other() {
    let all = leaves(33);
    let roots: Vec<_> = (0..=33).map(|size| defined_root(&all[..size])).collect();
    for old in 1..=33_usize {
        for new in old..=33_usize {
            let sizes = (TreeSize::new(old as u64), TreeSize::new(new as u64));
            let path = consistency(SUITE, sizes.0, sizes.1, &stored(&all)).unwrap();
            verify_consistency(SUITE, (sizes.0, &roots[old]), (sizes.1, &roots[new]), &path).unwrap();
            let forged = verify_consistency(SUITE, (sizes.0, &[7; 32]), (sizes.1, &roots[new]), &path);
            assert_eq!(forged.unwrap_err().code, Code::NotConsistent);
            let forged = verify_consistency(SUITE, (sizes.0, &roots[old]), (sizes.1, &[7; 32]), &path);
            assert_eq!(forged.unwrap_err().code, Code::NotConsistent);
        }
    }
}

#[test]
fn a_tree_of_a_billion_leaves_keeps_at_most_64_hashes() {
    // Every bit pattern of a large size: restore just below, append across.
    let size = (1 << 30) - 1;
    let peaks: Vec<Hash> = (0..30).map(|level| hash(SUITE, &[&[level]])).collect();
    let mut tree = Frontier::restore(SUITE, TreeSize::new(size), peaks).unwrap();
    let mut told = 0;
    tree.append([1; 32], |_, _| told += 1).unwrap();
    assert_eq!((told, tree.peaks().len(), tree.size().get()), (31, 1, 1 << 30));
    assert_eq!(Frontier::restore(SUITE, TreeSize::new(3), Vec::new()).unwrap_err().code, Code::PathLength);
}

#[test]
fn the_last_leaf_of_the_largest_tree_has_a_path_of_64_hashes() {
    let path = [[0; 32]; 64];
    let size = TreeSize::MAX;
    let refused =
        verify_inclusion(SUITE, &[0; 32], LeafIndex::new(u64::MAX - 1), size, &path, &[0; 32]).unwrap_err();
    assert_eq!(refused.code, Code::PathLength, "63 levels, each with a sibling or none");
    let refused = verify_inclusion(SUITE, &[0; 32], LeafIndex::new(0), size, &path, &[0; 32]).unwrap_err();
    assert_eq!(refused.code, Code::NotIncluded);
}

proptest! {
    #[test]
    fn no_sizes_and_no_path_panic(
        index: u64, old: u64, new: u64, path in prop::collection::vec(any::<Hash>(), 0..70)
    ) {
        let _ = verify_inclusion(
            SUITE, &[0; 32], LeafIndex::new(index), TreeSize::new(new), &path, &[0; 32]);
        let _ = verify_consistency(
            SUITE, (TreeSize::new(old), &[0; 32]), (TreeSize::new(new), &[0; 32]), &path);
    }

    #[test]
    fn a_large_tree_proves_any_leaf(size in 1_u64..5_000, pick: prop::sample::Index) {
        let all = leaves(size);
        let mut nodes = alloc::collections::BTreeMap::new();
        let mut tree = Frontier::new(SUITE);
        for leaf in &all {
            tree.append(*leaf, |node, hash| { nodes.insert(node, *hash); }).unwrap();
        }
        let at = pick.index(all.len());
        let get = |node: Node| nodes.get(&node).copied();
        let index = LeafIndex::new(at as u64);
        let path = inclusion(SUITE, index, tree.size(), &get).unwrap();
        verify_inclusion(SUITE, &all[at], index, tree.size(), &path, &tree.root()).unwrap();
        let old = TreeSize::new(at as u64 + 1);
        let path = consistency(SUITE, old, tree.size(), &get).unwrap();
        let old_root = root(SUITE, old, &get).unwrap();
        verify_consistency(SUITE, (old, &old_root), (tree.size(), &tree.root()), &path).unwrap();
    }
}
