//! A Cosmos store whose proofs are made as the SDK makes them: an IAVL tree for each store, and a simple
//! Merkle tree over the stores.

use crate::ics23::{
    Absence, CommitmentProof, Existence, Hash, InnerOp, LeafOp, Length, calculate_root, hash_inner, hash_leaf,
};
use crate::proto;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// How a tree writes its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// IAVL.
    Iavl,
    /// CometBFT's simple Merkle tree.
    Simple,
}

/// A binary Merkle map, built from its sorted keys.
#[derive(Clone, Debug)]
pub struct Map {
    tree: Tree,
    proofs: Vec<Existence>,
}

impl Map {
    /// The map of these entries; there is at least one.
    ///
    /// # Panics
    /// For an empty key or value.
    #[must_use]
    pub fn new(tree: Tree, entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let mut proofs: Vec<_> = entries
            .iter()
            .map(|(key, value)| Existence {
                key: key.clone(),
                value: value.clone(),
                leaf: Some(leaf(tree)),
                path: Vec::new(),
            })
            .collect();
        if !proofs.is_empty() {
            climb(tree, &mut proofs);
        }
        Self { tree, proofs }
    }

    /// The root.
    ///
    /// # Panics
    /// When the map is empty.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        let first = self.proofs.first().expect("a test map has entries");
        let root = calculate_root(first).expect("a test map is well formed");
        root.try_into().expect("a root has 32 bytes")
    }

    /// The proof of a key that is there.
    #[must_use]
    pub fn existence(&self, key: &[u8]) -> Option<Existence> {
        self.proofs.iter().find(|proof| proof.key == key).cloned()
    }

    /// The proof of a key that is not there.
    #[must_use]
    pub fn absence(&self, key: &[u8]) -> Absence {
        Absence {
            key: key.into(),
            left: self.proofs.iter().rev().find(|proof| *proof.key < *key).cloned(),
            right: self.proofs.iter().find(|proof| *proof.key > *key).cloned(),
        }
    }

    /// Which tree it is.
    #[must_use]
    pub const fn tree(&self) -> Tree {
        self.tree
    }
}

fn leaf(tree: Tree) -> LeafOp {
    // IAVL: height 0, size 1, version 1, as zigzag varints.
    let prefix = if tree == Tree::Iavl { &[0, 2, 2][..] } else { &[0] };
    LeafOp {
        hash: Hash::SHA256,
        prehash_key: Hash::NONE,
        prehash_value: Hash::SHA256,
        length: Length::VARINT,
        prefix: prefix.into(),
    }
}

/// Adds the parents of all leaves; gives the root and the height of the tree.
fn climb(tree: Tree, proofs: &mut [Existence]) -> (Vec<u8>, u64) {
    if let [one] = proofs {
        let leaf = one.leaf.as_ref().expect("a test leaf was just made");
        return (hash_leaf(leaf, &one.key, &one.value).expect("a test entry is not empty"), 0);
    }
    let size = proofs.len() as u64;
    let (left, right) = proofs.split_at_mut(proofs.len().next_power_of_two() / 2);
    let ((left_root, left_height), (right_root, right_height)) = (climb(tree, left), climb(tree, right));
    let height = 1 + left_height.max(right_height);

    let mut header = Vec::new();
    let child = |hash: &[u8]| match tree {
        Tree::Iavl => [&[32], hash].concat(),
        Tree::Simple => hash.into(),
    };
    match tree {
        Tree::Iavl => {
            for number in [height, size, 1] {
                // Zigzag.
                proto::put_varint(&mut header, 2 * number);
            }
        }
        Tree::Simple => header.push(1),
    }
    let length: &[u8] = if tree == Tree::Iavl { &[32] } else { &[] };
    let of_left =
        InnerOp { hash: Hash::SHA256, prefix: [&header, length].concat(), suffix: child(&right_root) };
    let of_right = InnerOp {
        hash: Hash::SHA256,
        prefix: [&header, &child(&left_root)[..], length].concat(),
        suffix: Vec::new(),
    };
    let root = hash_inner(&of_left, &left_root).expect("a test node is not empty");
    left.iter_mut().for_each(|proof| proof.path.push(of_left.clone()));
    right.iter_mut().for_each(|proof| proof.path.push(of_right.clone()));
    (root, height)
}

/// A set of named stores under one application hash.
#[derive(Clone, Debug)]
pub struct Multistore {
    stores: BTreeMap<Vec<u8>, Map>,
    outer: Map,
}

impl Multistore {
    /// The stores of these entries.
    ///
    /// # Panics
    /// When there is no store, or one is empty.
    #[must_use]
    pub fn new(stores: &BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>) -> Self {
        let stores: BTreeMap<_, _> =
            stores.iter().map(|(name, entries)| (name.clone(), Map::new(Tree::Iavl, entries))).collect();
        let roots = stores.iter().map(|(name, map)| (name.clone(), map.root().into())).collect();
        Self { outer: Map::new(Tree::Simple, &roots), stores }
    }

    /// The application hash.
    #[must_use]
    pub fn app_hash(&self) -> [u8; 32] {
        self.outer.root()
    }

    /// The trees of a path: the store's own, and the one over all stores.
    #[must_use]
    pub fn trees(&self, store: &[u8]) -> Option<(&Map, &Map)> {
        Some((self.stores.get(store)?, &self.outer))
    }

    /// The encoded proof of a key that is there.
    #[must_use]
    pub fn membership(&self, store: &[u8], key: &[u8]) -> Option<Vec<u8>> {
        let inner = CommitmentProof::Existence(self.stores.get(store)?.existence(key)?);
        Some(encode(&[inner, CommitmentProof::Existence(self.outer.existence(store)?)]))
    }

    /// The encoded proof of a key that is not there.
    #[must_use]
    pub fn non_membership(&self, store: &[u8], key: &[u8]) -> Option<Vec<u8>> {
        let inner = CommitmentProof::Absence(self.stores.get(store)?.absence(key));
        Some(encode(&[inner, CommitmentProof::Existence(self.outer.existence(store)?)]))
    }
}

/// A `MerkleProof` of these proofs, innermost first.
#[must_use]
pub fn encode(proofs: &[CommitmentProof]) -> Vec<u8> {
    let mut out = Vec::new();
    for proof in proofs {
        proto::put_message(&mut out, 1, |out| proof.encode(out));
    }
    out
}
