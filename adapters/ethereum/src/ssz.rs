//! Simple Serialize, as far as the light client's containers need it: hashes and branches.
//!
//! A branch is checked against a generalized index that the caller takes from the table of its fork, never
//! from the message: the index fixes how many hashes a branch has and on which side each one stands.
//!
//! Source: consensus-specs `ssz/simple-serialize.md`, `ssz/merkle-proofs.md`;
//! `specs/electra/light-client/fork.md`, `normalize_merkle_branch`.

use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_types::{Code, Refusal};

/// A hash of a subtree, or 32 bytes of a leaf.
pub type Root = [u8; 32];

/// The root of nothing.
pub const ZERO: Root = [0; 32];

/// The hash of a node with these two children.
#[must_use]
pub fn pair(left: &Root, right: &Root) -> Root {
    sha256(&[left, right])
}

/// A number as a leaf.
#[must_use]
pub fn number(number: u64) -> Root {
    let mut leaf = ZERO;
    leaf[..8].copy_from_slice(&number.to_le_bytes());
    leaf
}

/// At most 32 bytes as a leaf, filled up with zeros.
///
/// # Panics
/// For more than 32 bytes: every caller has a field of fixed length.
#[must_use]
pub fn short(bytes: &[u8]) -> Root {
    let mut leaf = ZERO;
    leaf[..bytes.len()].copy_from_slice(bytes);
    leaf
}

/// The root over `leaves`, which stand at the left of a tree of `depth`. More leaves than fit are never
/// given: the depth is that of the container.
#[must_use]
pub fn merkleize(mut leaves: Vec<Root>, depth: u32) -> Root {
    let mut empty = ZERO;
    for _ in 0..depth {
        if leaves.len() % 2 == 1 {
            leaves.push(empty);
        }
        for index in 0..leaves.len() / 2 {
            leaves[index] = pair(&leaves[2 * index], &leaves[2 * index + 1]);
        }
        leaves.truncate(leaves.len() / 2);
        empty = pair(&empty, &empty);
    }
    leaves.first().copied().unwrap_or(empty)
}

/// The depth of the node with this generalized index, which is above zero.
#[must_use]
pub const fn depth(index: u64) -> usize {
    index.ilog2() as usize
}

/// The root to which `branch` leads from `leaf` at the generalized index; the branch has as many hashes as
/// the index is deep.
#[must_use]
pub fn climb(leaf: &Root, branch: &[Root], index: u64) -> Root {
    let mut at = index;
    let mut hash = *leaf;
    for sibling in branch {
        hash = if at & 1 == 1 { pair(sibling, &hash) } else { pair(&hash, sibling) };
        at >>= 1;
    }
    hash
}

/// The part of a branch that belongs to an index of at most its own depth: a container of a later fork
/// carries the shorter branches of an earlier one with zeros in front.
///
/// # Errors
/// [`Code::ProofShape`] for a branch that is too short, or has something else in front.
pub fn normalized(branch: &[Root], index: u64) -> Result<&[Root], Refusal> {
    let wrong = || Refusal::new(Code::ProofShape).needed(depth(index)).found(branch.len());
    let extra = branch.len().checked_sub(depth(index)).ok_or_else(wrong)?;
    let (front, rest) = branch.split_at(extra);
    if front.iter().any(|hash| *hash != ZERO) {
        return Err(wrong());
    }
    Ok(rest)
}

/// Checks that `leaf` stands at the generalized index under `root`.
///
/// # Errors
/// [`Code::ProofShape`] as [`normalized`]; [`Code::NotIncluded`] when the branch leads elsewhere.
pub fn verify(leaf: &Root, branch: &[Root], index: u64, root: &Root) -> Result<(), Refusal> {
    let found = climb(leaf, normalized(branch, index)?, index);
    if found == *root {
        return Ok(());
    }
    Err(Refusal::new(Code::NotIncluded).needed(*root).found(found))
}

/// A cursor over serialized bytes: little-endian numbers, offsets that leave no gap.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    whole: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the front of a container.
    #[must_use]
    pub const fn new(whole: &'a [u8]) -> Self {
        Self { whole, at: 0 }
    }

    /// The next `length` bytes.
    ///
    /// # Errors
    /// [`Code::Truncated`].
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let rest = self.whole.get(self.at..).unwrap_or_default();
        let Some(taken) = rest.get(..length) else {
            return Err(Refusal::new(Code::Truncated).needed(length).found(rest.len()));
        };
        self.at += length;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Code::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next number.
    ///
    /// # Errors
    /// [`Code::Truncated`].
    pub fn u64(&mut self) -> Result<u64, Refusal> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The next `count` roots.
    ///
    /// # Errors
    /// [`Code::Truncated`], before anything is allocated.
    pub fn roots(&mut self, count: usize) -> Result<Vec<Root>, Refusal> {
        let bytes = self.take(32 * count)?;
        Ok(bytes.chunks_exact(32).map(short).collect())
    }

    /// The next offset of a part of variable length.
    ///
    /// # Errors
    /// [`Code::Truncated`].
    pub fn offset(&mut self) -> Result<usize, Refusal> {
        let offset = u32::from_le_bytes(self.array()?);
        usize::try_from(offset).map_err(|_| Refusal::new(Code::OutOfRange))
    }

    /// The parts of variable length: the first begins where the fixed part ends, each other where the one
    /// before it ends, and the last ends with the container.
    ///
    /// # Errors
    /// [`Code::NotCanonical`] for offsets with a gap, an overlap, or past the end.
    pub fn parts<const N: usize>(self, offsets: [usize; N]) -> Result<[&'a [u8]; N], Refusal> {
        let wrong = || Refusal::new(Code::NotCanonical).found("offsets of parts");
        if offsets[0] != self.at {
            return Err(wrong());
        }
        let mut parts = [&self.whole[..0]; N];
        for index in 0..N {
            let end = offsets.get(index + 1).copied().unwrap_or(self.whole.len());
            parts[index] = self.whole.get(offsets[index]..end).ok_or_else(wrong)?;
        }
        Ok(parts)
    }

    /// The end of a container without parts of variable length.
    ///
    /// # Errors
    /// [`Code::TrailingBytes`].
    pub fn finish(self) -> Result<(), Refusal> {
        match self.whole.len() - self.at {
            0 => Ok(()),
            left => Err(Refusal::new(Code::TrailingBytes).needed(0_u64).found(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_tree_is_filled_up_with_empty_subtrees() {
        let [a, b, c] = [1, 2, 3].map(number);
        let zero = pair(&ZERO, &ZERO);
        assert_eq!(merkleize(vec![a, b, c], 2), pair(&pair(&a, &b), &pair(&c, &ZERO)));
        assert_eq!(merkleize(vec![a], 2), pair(&pair(&a, &ZERO), &zero));
        assert_eq!(merkleize(vec![], 1), zero);
    }

    #[test]
    fn a_branch_has_the_depth_of_its_index_and_only_zeros_in_front() {
        let [a, b, c, d] = [1, 2, 3, 4].map(number);
        let root = pair(&pair(&a, &b), &pair(&c, &d));
        let branch = [d, pair(&a, &b)];
        assert_eq!(verify(&c, &branch, 6, &root), Ok(()));
        assert_eq!(verify(&c, &[ZERO, d, pair(&a, &b)], 6, &root), Ok(()));
        let code = |leaf, branch: &[Root], index| verify(leaf, branch, index, &root).unwrap_err().code;
        assert_eq!(code(&c, &branch, 7), Code::NotIncluded);
        assert_eq!(code(&d, &branch, 6), Code::NotIncluded);
        assert_eq!(code(&c, &branch[..1], 6), Code::ProofShape);
        assert_eq!(code(&c, &[a, d, pair(&a, &b)], 6), Code::ProofShape);
        assert_eq!(code(&c, &[d, pair(&a, &b), ZERO], 6), Code::ProofShape);
    }

    #[test]
    fn offsets_leave_no_gap_and_do_not_overlap() {
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let offsets = [reader.offset()?, reader.offset()?];
            reader.parts(offsets).map(|parts| parts.map(Vec::from))
        };
        assert_eq!(read(&[8, 0, 0, 0, 9, 0, 0, 0, 1, 2]).unwrap(), [vec![1], vec![2]]);
        for bad in [[7_u8, 9], [9, 9], [8, 7], [8, 11], [8, 255]] {
            let bytes = [bad[0], 0, 0, 0, bad[1], 0, 0, 0, 1, 2];
            assert_eq!(read(&bytes).unwrap_err().code, Code::NotCanonical, "{bad:?}");
        }
        assert_eq!(read(&[8, 0, 0]).unwrap_err().code, Code::Truncated);
    }
}
