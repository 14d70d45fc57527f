//! A key is not there: the leaves on either side of it are neighbours.
//!
//! Both neighbours are proved to one root and are adjacent *by the positions in their paths*: the paths
//! part at one node, to its left and to its right, and below it the left neighbour is always the last,
//! the right one always the first. A missing neighbour means that the other is the first or last leaf
//! of the whole tree. This is the check that the absences forged in October 2022 lacked.
//!
//! Source: ICS-23, "Non-existence proof"; cosmos/ics23 `go/proof.go` (`IsLeftNeighbor`).

use super::existence;
use super::proof::{Absence, InnerOp};
use super::spec::{InnerSpec, Order, Side, Spec, shape};
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Verifies that the tree `spec` of this `root` holds nothing under `key`.
///
/// # Errors
/// [`Code::ProofShape`] when the proof is not of this tree, [`Code::AbsenceNotProven`].
pub fn verify_absence(spec: &Spec, root: &[u8], key: &[u8], proof: &Absence) -> Result<(), Refusal> {
    let found = root_of(spec, key, proof)?;
    if found[..] == *root {
        return Ok(());
    }
    Err(Refusal::new(Code::AbsenceNotProven).found(found))
}

/// The root of the tree that holds nothing under `key`, when the proof is of this tree.
pub(super) fn root_of(spec: &Spec, key: &[u8], proof: &Absence) -> Result<[u8; 32], Refusal> {
    let place = place(spec, key)?;
    if key.is_empty() || (proof.key != key && proof.key != place) {
        return Err(not_proven("another key"));
    }
    let side = |neighbour: &super::Existence| {
        let root = existence::root_of(spec, &neighbour.key, &neighbour.value, neighbour)?;
        Ok((root, self::place(spec, &neighbour.key)?))
    };
    let left = proof.left.as_ref().map(side).transpose()?;
    let right = proof.right.as_ref().map(side).transpose()?;
    if left.as_ref().is_some_and(|(_, before)| *before >= place) {
        return Err(not_proven("a left neighbour that is not before the key"));
    }
    if right.as_ref().is_some_and(|(_, after)| *after <= place) {
        return Err(not_proven("a right neighbour that is not after the key"));
    }
    let adjacent = match (&proof.left, &proof.right) {
        (Some(left), Some(right)) => neighbours(&spec.inner, &left.path, &right.path)?,
        (Some(left), None) => all_last(&spec.inner, &left.path)?,
        (None, Some(right)) => all_first(&spec.inner, &right.path)?,
        (None, None) => return Err(shape("a neighbour")),
    };
    if !adjacent {
        return Err(not_proven("leaves that are not neighbours"));
    }
    match (left, right) {
        (Some((left, _)), Some((right, _))) if left != right => Err(not_proven("neighbours in two trees")),
        (Some((root, _)), _) | (None, Some((root, _))) => Ok(root),
        (None, None) => Err(shape("a neighbour")),
    }
}

/// What leaves are ordered by.
fn place(spec: &Spec, key: &[u8]) -> Result<Vec<u8>, Refusal> {
    match spec.order {
        Order::Key => Ok(key.into()),
        Order::HashedKey => spec.leaf.prehash_key.of(key),
    }
}

/// Whether no leaf stands between two: above the node where their paths part, they are one path.
fn neighbours(spec: &InnerSpec, left: &[InnerOp], right: &[InnerOp]) -> Result<bool, Refusal> {
    let shared = left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count();
    // The node where they part is the last of each that is not shared.
    let split = |path: &'_ [InnerOp]| path.len().checked_sub(shared + 1);
    let (Some(left_at), Some(right_at)) = (split(left), split(right)) else { return Ok(false) };
    let parted = spec.side(&left[left_at])? == Side::Left && spec.side(&right[right_at])? == Side::Right;
    Ok(parted && all_last(spec, &left[..left_at])? && all_first(spec, &right[..right_at])?)
}

/// Whether a leaf is the first below the end of its path.
fn all_first(spec: &InnerSpec, path: &[InnerOp]) -> Result<bool, Refusal> {
    all(path, |parent| Ok(spec.side(parent)? == Side::Left || spec.left_is_empty(parent)))
}

/// Whether a leaf is the last below the end of its path.
fn all_last(spec: &InnerSpec, path: &[InnerOp]) -> Result<bool, Refusal> {
    all(path, |parent| Ok(spec.side(parent)? == Side::Right || spec.right_is_empty(parent)))
}

fn all(path: &[InnerOp], holds: impl Fn(&InnerOp) -> Result<bool, Refusal>) -> Result<bool, Refusal> {
    for parent in path {
        if !holds(parent)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn not_proven(found: &'static str) -> Refusal {
    Refusal::new(Code::AbsenceNotProven).found(found)
}
