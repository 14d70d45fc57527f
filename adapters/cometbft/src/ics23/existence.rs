//! A key is there: leaf and parents hash to the root.
//!
//! Source: ICS-23, "Existence proof"; cosmos/ics23 `go/proof.go`, `go/ops.go`.

use super::proof::{Existence, InnerOp, LeafOp};
use super::spec::Spec;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Verifies that the tree `spec` of this `root` holds `value` under `key`.
///
/// # Errors
/// [`Code::ProofShape`] when the proof is not of this tree, [`Code::Empty`] for an empty key or value,
/// [`Code::NotProven`].
pub fn verify_existence(
    spec: &Spec,
    root: &[u8],
    key: &[u8],
    value: &[u8],
    proof: &Existence,
) -> Result<(), Refusal> {
    let found = root_of(spec, key, value, proof)?;
    if found[..] == *root {
        return Ok(());
    }
    Err(Refusal::new(Code::NotProven).found(found))
}

/// The root of the tree that holds `value` under `key`, when the proof is of this tree.
pub(super) fn root_of(spec: &Spec, key: &[u8], value: &[u8], proof: &Existence) -> Result<[u8; 32], Refusal> {
    if proof.key != key {
        return Err(Refusal::new(Code::NotProven).found("another key"));
    }
    if proof.value != value {
        return Err(Refusal::new(Code::NotProven).found("another value"));
    }
    spec.admits(proof)?;
    // Each node is one of exactly two children: nothing else fits between prefix and suffix.
    proof.path.iter().try_for_each(|parent| spec.inner.side(parent).map(|_| ()))?;
    let root = calculate_root(proof)?;
    let length = root.len();
    root.try_into().map_err(|_| Refusal::new(Code::ProofShape).needed(32_u64).found(length))
}

/// The root that leaf and parents hash to, whatever tree they are of: no proof by itself.
///
/// # Errors
/// [`Code::Empty`] for an empty key, value or leaf; [`Code::RefusedAlgorithm`].
pub fn calculate_root(proof: &Existence) -> Result<Vec<u8>, Refusal> {
    let leaf = proof.leaf.as_ref().ok_or_else(|| Refusal::new(Code::Empty).needed("a leaf"))?;
    let mut node = hash_leaf(leaf, &proof.key, &proof.value)?;
    for parent in &proof.path {
        node = hash_inner(parent, &node)?;
    }
    Ok(node)
}

/// The hash of a leaf.
///
/// # Errors
/// [`Code::Empty`] for an empty key or value; [`Code::RefusedAlgorithm`].
pub fn hash_leaf(leaf: &LeafOp, key: &[u8], value: &[u8]) -> Result<Vec<u8>, Refusal> {
    if key.is_empty() || value.is_empty() {
        return Err(Refusal::new(Code::Empty).needed("a key and a value"));
    }
    let mut bytes = leaf.prefix.clone();
    bytes.extend(leaf.length.before(&leaf.prehash_key.of(key)?)?);
    bytes.extend(leaf.length.before(&leaf.prehash_value.of(value)?)?);
    leaf.hash.of(&bytes)
}

/// The hash of a node's parent.
///
/// # Errors
/// [`Code::Empty`] for an empty node; [`Code::RefusedAlgorithm`].
pub fn hash_inner(parent: &InnerOp, node: &[u8]) -> Result<Vec<u8>, Refusal> {
    if node.is_empty() {
        return Err(Refusal::new(Code::Empty).needed("a node"));
    }
    parent.hash.of(&[&parent.prefix, node, &parent.suffix].concat())
}
