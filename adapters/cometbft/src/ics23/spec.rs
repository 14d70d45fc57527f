//! The shapes of the trees we follow, and what they admit.
//!
//! Every tree here is binary, left child before right. A spec is a constant; it is an argument of the
//! public functions so that a published suite, which brings its own, runs through the same code.
//!
//! Source: ICS-23, "Proof specs"; cosmos/ics23 `go/proof.go` (`IavlSpec`, `TendermintSpec`, `SmtSpec`),
//! `go/ops.go` (`CheckAgainstSpec`, and the further rules of IAVL prefixes).

use super::proof::{Existence, InnerOp, LeafOp, MAX_DEPTH};
use crate::proto;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_types::{Code, Refusal};

/// A hash by its number in protobuf. Of those with a number only two are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub u32);

impl Hash {
    /// The bytes themselves.
    pub const NONE: Self = Self(0);
    /// SHA-256.
    pub const SHA256: Self = Self(1);

    /// The hash of `bytes`.
    ///
    /// # Errors
    /// [`Code::RefusedAlgorithm`] for every other number.
    pub fn of(self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::NONE => Ok(bytes.into()),
            Self::SHA256 => Ok(sha256(&[bytes]).into()),
            Self(number) => Err(Refusal::new(Code::RefusedAlgorithm).needed(Self::SHA256.0).found(number)),
        }
    }
}

/// How a leaf's key and value are told apart, by the number in protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length(pub u32);

impl Length {
    /// No length: only where both are hashed first.
    pub const NONE: Self = Self(0);
    /// The length as a varint.
    pub const VARINT: Self = Self(1);

    /// `bytes` after their length.
    ///
    /// # Errors
    /// [`Code::ProofShape`] for a length that is too large, or not the one required;
    /// [`Code::UnknownTag`].
    pub fn before(self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::with_capacity(bytes.len() + 10);
        let short = u32::try_from(bytes.len()).map_err(|_| shape("a shorter leaf"))?;
        match self.0 {
            0 => {}
            1 => proto::put_varint(&mut out, u64::from(short)),
            3 => out.extend_from_slice(&short.to_be_bytes()),
            4 => out.extend_from_slice(&short.to_le_bytes()),
            5 => out.extend_from_slice(&u64::from(short).to_be_bytes()),
            6 => out.extend_from_slice(&u64::from(short).to_le_bytes()),
            7 if short == 32 => {}
            8 if short == 64 => {}
            7 | 8 => return Err(shape("a leaf of the required length")),
            number => return Err(Refusal::new(Code::UnknownTag).needed(8_u64).found(number)),
        }
        out.extend_from_slice(bytes);
        Ok(out)
    }
}

/// What every leaf of a tree has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafSpec {
    /// Hash of the leaf.
    pub hash: Hash,
    /// Hash of the key before it enters the leaf.
    pub prehash_key: Hash,
    /// Hash of the value before it enters the leaf.
    pub prehash_value: Hash,
    /// How the two are told apart.
    pub length: Length,
    /// First bytes of every leaf, and of no inner node.
    pub prefix: Cow<'static, [u8]>,
}

impl LeafSpec {
    /// Whether a leaf is one of this tree.
    ///
    /// # Errors
    /// [`Code::ProofShape`].
    pub fn admits(&self, leaf: &LeafOp) -> Result<(), Refusal> {
        let same = self.hash == leaf.hash
            && self.prehash_key == leaf.prehash_key
            && self.prehash_value == leaf.prehash_value
            && self.length == leaf.length;
        if same && leaf.prefix.starts_with(&self.prefix) { Ok(()) } else { Err(shape("a leaf of this tree")) }
    }
}

/// Which child of its parent a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// What every inner node of a tree has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerSpec {
    /// Bytes a child takes, its length byte counted where the tree writes one.
    pub child_size: usize,
    /// Fewest bytes before the left child.
    pub min_prefix: usize,
    /// Most bytes before the left child.
    pub max_prefix: usize,
    /// What stands for a missing child; empty where there is none.
    pub empty_child: Cow<'static, [u8]>,
    /// Hash of the node.
    pub hash: Hash,
}

impl InnerSpec {
    /// Which child the node is whose parent this is, by what stands before and after it.
    ///
    /// # Errors
    /// [`Code::ProofShape`] when it is neither.
    pub fn side(&self, parent: &InnerOp) -> Result<Side, Refusal> {
        let prefix = self.min_prefix..=self.max_prefix;
        let (before, after) = (parent.prefix.len(), parent.suffix.len());
        if after == self.child_size && prefix.contains(&before) {
            return Ok(Side::Left);
        }
        match before.checked_sub(self.child_size) {
            Some(own) if after == 0 && prefix.contains(&own) => Ok(Side::Right),
            _ => Err(shape("a left or a right child")),
        }
    }

    /// Whether the node is a right child and its left sibling stands for nothing.
    #[must_use]
    pub fn left_is_empty(&self, parent: &InnerOp) -> bool {
        let sibling = parent.prefix.len().checked_sub(self.child_size).and_then(|at| parent.prefix.get(at..));
        self.side(parent) == Ok(Side::Right) && sibling == Some(&self.empty_child[..])
    }

    /// Whether the node is a left child and its right sibling stands for nothing.
    #[must_use]
    pub fn right_is_empty(&self, parent: &InnerOp) -> bool {
        self.side(parent) == Ok(Side::Left) && parent.suffix[..] == self.empty_child[..]
    }
}

/// The shape of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its leaves.
    pub leaf: LeafSpec,
    /// Its inner nodes.
    pub inner: InnerSpec,
    /// Fewest inner nodes above a leaf.
    pub min_depth: usize,
    /// Most inner nodes above a leaf; 0 for [`MAX_DEPTH`].
    pub max_depth: usize,
    /// Whether leaves are in the order of their hashed keys.
    pub order: Order,
}

/// In which order the leaves stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By key.
    Key,
    /// By the key's hash.
    HashedKey,
}

impl Spec {
    /// The IAVL tree of one store of the Cosmos SDK.
    pub const IAVL: Self = Self {
        leaf: LeafSpec {
            hash: Hash::SHA256,
            prehash_key: Hash::NONE,
            prehash_value: Hash::SHA256,
            length: Length::VARINT,
            prefix: Cow::Borrowed(&[0]),
        },
        inner: InnerSpec {
            child_size: 33,
            min_prefix: 4,
            max_prefix: 12,
            empty_child: Cow::Borrowed(&[]),
            hash: Hash::SHA256,
        },
        min_depth: 0,
        max_depth: 0,
        order: Order::Key,
    };

    /// CometBFT's simple Merkle tree over keys and values; the Cosmos SDK's tree over its stores.
    pub const TENDERMINT: Self = Self {
        leaf: LeafSpec {
            hash: Hash::SHA256,
            prehash_key: Hash::NONE,
            prehash_value: Hash::SHA256,
            length: Length::VARINT,
            prefix: Cow::Borrowed(&[0]),
        },
        inner: InnerSpec {
            child_size: 32,
            min_prefix: 1,
            max_prefix: 1,
            empty_child: Cow::Borrowed(&[]),
            hash: Hash::SHA256,
        },
        min_depth: 0,
        max_depth: 0,
        order: Order::Key,
    };

    /// The sparse Merkle tree of the Cosmos SDK.
    pub const SMT: Self = Self {
        leaf: LeafSpec {
            hash: Hash::SHA256,
            prehash_key: Hash::SHA256,
            prehash_value: Hash::SHA256,
            length: Length::NONE,
            prefix: Cow::Borrowed(&[0]),
        },
        inner: InnerSpec {
            child_size: 32,
            min_prefix: 1,
            max_prefix: 1,
            empty_child: Cow::Borrowed(&[0; 32]),
            hash: Hash::SHA256,
        },
        min_depth: 0,
        max_depth: 0,
        order: Order::HashedKey,
    };

    /// Whether a proof's leaf and inner nodes are those of this tree.
    ///
    /// # Errors
    /// [`Code::ProofShape`], [`Code::Empty`] without a leaf.
    pub fn admits(&self, proof: &Existence) -> Result<(), Refusal> {
        let leaf = proof.leaf.as_ref().ok_or_else(|| Refusal::new(Code::Empty).needed("a leaf"))?;
        if self.is_iavl() && !iavl_header(&leaf.prefix, 0)?.1.is_empty() {
            return Err(shape("an IAVL leaf"));
        }
        self.leaf.admits(leaf)?;
        let most = if self.max_depth == 0 { MAX_DEPTH } else { self.max_depth };
        if !(self.min_depth..=most).contains(&proof.path.len()) {
            return Err(Refusal::new(Code::ProofShape).needed(most).found(proof.path.len()));
        }
        proof.path.iter().zip(1..).try_for_each(|(parent, layer)| self.admits_inner(parent, layer))
    }

    fn admits_inner(&self, parent: &InnerOp, layer: u64) -> Result<(), Refusal> {
        let inner = &self.inner;
        if parent.hash != inner.hash || inner.child_size == 0 {
            return Err(shape("an inner node of this tree"));
        }
        if self.is_iavl() {
            // What follows the header: a length byte, or a length byte, a child and a length byte.
            match iavl_header(&parent.prefix, layer)?.1 {
                [32] => {}
                [32, child @ .., 32] if child.len() == 32 => {}
                _ => return Err(shape("an IAVL node")),
            }
        }
        let lengths = inner.min_prefix..=inner.max_prefix.saturating_add(inner.child_size);
        if parent.prefix.starts_with(&self.leaf.prefix)
            || !lengths.contains(&parent.prefix.len())
            || !parent.suffix.len().is_multiple_of(inner.child_size)
        {
            return Err(shape("an inner node of this tree"));
        }
        Ok(())
    }

    /// Whether this is the IAVL tree, whose nodes begin with height, size and version.
    fn is_iavl(&self) -> bool {
        let (own, iavl) = (self, &Self::IAVL);
        own.leaf.hash == iavl.leaf.hash
            && own.leaf.prehash_key == iavl.leaf.prehash_key
            && own.leaf.prehash_value == iavl.leaf.prehash_value
            && own.leaf.length == iavl.leaf.length
            && own.inner.hash == iavl.inner.hash
            && own.inner.min_prefix == iavl.inner.min_prefix
            && own.inner.max_prefix == iavl.inner.max_prefix
            && own.inner.child_size == iavl.inner.child_size
    }
}

/// The height at the front of an IAVL node, at least `layer`, and what follows size and version.
fn iavl_header(prefix: &[u8], layer: u64) -> Result<(u64, &[u8]), Refusal> {
    let mut rest = prefix;
    let mut next = || {
        let (number, after) = proto::varint(rest).map_err(|_| shape("an IAVL header"))?;
        rest = after;
        // Zigzag: an odd number is a negative one.
        if number % 2 == 0 { Ok(number / 2) } else { Err(shape("an IAVL header")) }
    };
    let (height, _size, _version) = (next()?, next()?, next()?);
    if height < layer || (layer == 0 && height != 0) {
        return Err(Refusal::new(Code::ProofShape).needed(layer).found(height));
    }
    Ok((height, rest))
}

pub(super) fn shape(needed: &'static str) -> Refusal {
    Refusal::new(Code::ProofShape).needed(needed)
}
