//! Store proofs: a key with its value, or a key that is not there.
//!
//! Guaranteed: the trees' shapes are constants of this module, never part of a proof; a proof is one
//! existence or one absence, never a batch; every field that is carried is compared with something;
//! what is left empty is refused. A proof of a nested store names each key of the path and climbs from
//! the innermost tree to the root, each tree's root being the value in the next.
//!
//! Bytes are ibc-go's `MerkleProof`: `repeated CommitmentProof proofs = 1`, innermost first, which is
//! what the `ops` of an RPC's `abci_query` hold.
//!
//! Source: ICS-23; cosmos/ics23 `proto/cosmos/ics23/v1/proofs.proto`; ibc-go `23-commitment`.

mod absence;
mod existence;
mod proof;
mod spec;

pub use absence::verify_absence;
pub use existence::{calculate_root, hash_inner, hash_leaf, verify_existence};
pub use proof::{
    Absence, BatchEntry, CommitmentProof, Existence, InnerOp, LeafOp, MAX_BATCH, MAX_DEPTH, MAX_KEY,
    MAX_VALUE,
};
pub use spec::{Hash, InnerSpec, LeafSpec, Length, Order, Side, Spec};

use crate::proto::Fields;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Longest proof of a path, in bytes: two absences of the greatest depth and their values fit.
pub const MAX_PROOF: usize = 64 * 1024;

/// Verifies that the nested trees `specs`, innermost first, under `root` hold `value` under `path`,
/// outermost first.
///
/// # Errors
/// [`Code::ProofShape`] when the proof has another number of trees than the path, or one of them has
/// not the shape of its spec; [`Code::NotProven`]; refusals of the 100s.
pub fn verify_membership(
    specs: &[Spec],
    root: &[u8],
    path: &[Vec<u8>],
    value: &[u8],
    proof: &[u8],
) -> Result<(), Refusal> {
    let proofs = decode(specs, root, path, proof)?;
    let keys = path.iter().rev();
    let mut value: Vec<u8> = value.into();
    for ((spec, key), proof) in specs.iter().zip(keys).zip(&proofs) {
        value = climb(spec, key, &value, proof)?.into();
    }
    require_root(root, &value, Code::NotProven)
}

/// Verifies that the nested trees `specs` under `root` hold nothing under `path`.
///
/// The innermost tree does not have the key; the trees around it hold that tree.
///
/// # Errors
/// As [`verify_membership`]; [`Code::AbsenceNotProven`].
pub fn verify_non_membership(
    specs: &[Spec],
    root: &[u8],
    path: &[Vec<u8>],
    proof: &[u8],
) -> Result<(), Refusal> {
    let proofs = decode(specs, root, path, proof)?;
    let mut steps = specs.iter().zip(path.iter().rev()).zip(&proofs);
    let Some(((spec, key), CommitmentProof::Absence(absence))) = steps.next() else {
        return Err(Refusal::new(Code::ProofShape).needed("an absence").found("something else"));
    };
    let mut value: Vec<u8> = absence::root_of(spec, key, absence)?.into();
    for ((spec, key), proof) in steps {
        value = climb(spec, key, &value, proof)?.into();
    }
    require_root(root, &value, Code::AbsenceNotProven)
}

/// One tree of an existence: its root, when it holds `value` under `key`.
fn climb(spec: &Spec, key: &[u8], value: &[u8], proof: &CommitmentProof) -> Result<[u8; 32], Refusal> {
    match proof {
        CommitmentProof::Existence(existence) => existence::root_of(spec, key, value, existence),
        _ => Err(Refusal::new(Code::ProofShape).needed("an existence").found("something else")),
    }
}

fn require_root(needed: &[u8], found: &[u8], code: Code) -> Result<(), Refusal> {
    match (<[u8; 32]>::try_from(needed), <[u8; 32]>::try_from(found)) {
        (Ok(needed), Ok(found)) if needed == found => Ok(()),
        (Ok(needed), Ok(found)) => Err(Refusal::new(code).needed(needed).found(found)),
        _ => Err(Refusal::new(code)),
    }
}

fn decode(
    specs: &[Spec],
    root: &[u8],
    path: &[Vec<u8>],
    proof: &[u8],
) -> Result<Vec<CommitmentProof>, Refusal> {
    if root.len() != 32 {
        return Err(Refusal::new(Code::ProofShape).needed(32_u64).found(root.len()));
    }
    if path.len() != specs.len() {
        return Err(Refusal::new(Code::ProofShape).needed(specs.len()).found(path.len()));
    }
    if proof.len() > MAX_PROOF {
        return Err(Refusal::new(Code::TooLong).needed(MAX_PROOF).found(proof.len()));
    }
    let mut fields = Fields::new(proof);
    let proofs = fields.repeated(1, specs.len(), MAX_PROOF, CommitmentProof::decode)?;
    fields.finish()?;
    if proofs.len() != specs.len() {
        return Err(Refusal::new(Code::ProofShape).needed(specs.len()).found(proofs.len()));
    }
    Ok(proofs)
}

#[cfg(test)]
mod tests;
