//! ICS-23 proofs and their protobuf.
//!
//! Source: cosmos/ics23 `proto/cosmos/ics23/v1/proofs.proto`.

use super::spec::{Hash, Length};
use crate::proto::{self, Fields};
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Most inner nodes above a leaf: ICS-23's own bound. A balanced tree of 2^64 leaves has fewer than 94.
pub const MAX_DEPTH: usize = 128;
/// Longest key, in bytes.
pub const MAX_KEY: usize = 1_024;
/// Longest value, in bytes. An absence shows the values of its neighbours, whatever they are.
pub const MAX_VALUE: usize = 32 * 1024;
/// Most entries of a batch, and most inner nodes its entries share.
pub const MAX_BATCH: usize = 1_024;

/// Longest prefix or suffix of a node, in bytes. IAVL has 45.
const MAX_AFFIX: usize = 128;
const MAX_LEAF: usize = 4 * 6 + 3 + MAX_AFFIX;
const MAX_INNER: usize = 6 + 2 * (3 + MAX_AFFIX);
const MAX_EXISTENCE: usize = 8 + MAX_KEY + MAX_VALUE + MAX_LEAF + MAX_DEPTH * (3 + MAX_INNER);
const MAX_ABSENCE: usize = 16 + MAX_KEY + 2 * MAX_EXISTENCE;

/// How a leaf is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafOp {
    /// Hash of the leaf.
    pub hash: Hash,
    /// Hash of the key before it enters the leaf.
    pub prehash_key: Hash,
    /// Hash of the value before it enters the leaf.
    pub prehash_value: Hash,
    /// How the two are told apart.
    pub length: Length,
    /// What the leaf begins with.
    pub prefix: Vec<u8>,
}

/// A node's parent: what stands before and after the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerOp {
    /// Hash of the parent.
    pub hash: Hash,
    /// What stands before the node.
    pub prefix: Vec<u8>,
    /// What stands after it.
    pub suffix: Vec<u8>,
}

/// A key and its value lead to a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existence {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// The leaf; a proof without one proves nothing.
    pub leaf: Option<LeafOp>,
    /// The parents from the leaf to the root.
    pub path: Vec<InnerOp>,
}

/// Two neighbours, or the first or last leaf, with the key between or beyond them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The key, or its hash where the tree is ordered by hash.
    pub key: Vec<u8>,
    /// The last leaf before the key, if there is one.
    pub left: Option<Existence>,
    /// The first leaf after the key, if there is one.
    pub right: Option<Existence>,
}

/// One proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitmentProof {
    /// A key is there.
    Existence(Existence),
    /// A key is not there.
    Absence(Absence),
}

/// An entry of a batch.
pub type BatchEntry = CommitmentProof;

impl LeafOp {
    fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let leaf = Self {
            hash: Hash(fields.uint32(1)?),
            prehash_key: Hash(fields.uint32(2)?),
            prehash_value: Hash(fields.uint32(3)?),
            length: Length(fields.uint32(4)?),
            prefix: fields.bytes(5, MAX_AFFIX)?.into(),
        };
        fields.finish()?;
        Ok(leaf)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let numbers = [self.hash.0, self.prehash_key.0, self.prehash_value.0, self.length.0];
        for (number, value) in (1..).zip(numbers) {
            proto::put_uint64(out, number, u64::from(value));
        }
        proto::put_bytes(out, 5, &self.prefix);
    }
}

impl InnerOp {
    fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let parent = Self {
            hash: Hash(fields.uint32(1)?),
            prefix: fields.bytes(2, MAX_AFFIX)?.into(),
            suffix: fields.bytes(3, MAX_AFFIX)?.into(),
        };
        fields.finish()?;
        Ok(parent)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        proto::put_uint64(out, 1, u64::from(self.hash.0));
        proto::put_bytes(out, 2, &self.prefix);
        proto::put_bytes(out, 3, &self.suffix);
    }
}

impl Existence {
    fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::decode_with(bytes, |fields| fields.repeated(4, MAX_DEPTH, MAX_INNER, InnerOp::decode))
    }

    fn decode_with<'a>(
        bytes: &'a [u8],
        path: impl FnOnce(&mut Fields<'a>) -> Result<Vec<InnerOp>, Refusal>,
    ) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let existence = Self {
            key: fields.bytes(1, MAX_KEY)?.into(),
            value: fields.bytes(2, MAX_VALUE)?.into(),
            leaf: fields.optional(3, MAX_LEAF)?.map(LeafOp::decode).transpose()?,
            path: path(&mut fields)?,
        };
        fields.finish()?;
        Ok(existence)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        proto::put_bytes(out, 1, &self.key);
        proto::put_bytes(out, 2, &self.value);
        if let Some(leaf) = &self.leaf {
            proto::put_message(out, 3, |out| leaf.encode(out));
        }
        for parent in &self.path {
            proto::put_message(out, 4, |out| parent.encode(out));
        }
    }
}

impl Absence {
    fn decode_with<'a>(
        bytes: &'a [u8],
        existence: impl Fn(&'a [u8]) -> Result<Existence, Refusal>,
    ) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let absence = Self {
            key: fields.bytes(1, MAX_KEY)?.into(),
            left: fields.optional(2, MAX_EXISTENCE)?.map(&existence).transpose()?,
            right: fields.optional(3, MAX_EXISTENCE)?.map(&existence).transpose()?,
        };
        fields.finish()?;
        Ok(absence)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        proto::put_bytes(out, 1, &self.key);
        for (number, side) in [(2, &self.left), (3, &self.right)] {
            if let Some(existence) = side {
                proto::put_message(out, number, |out| existence.encode(out));
            }
        }
    }
}

impl CommitmentProof {
    /// Reads one existence or one absence.
    ///
    /// # Errors
    /// As [`Fields`]; [`Code::ProofShape`] for a batch, [`Code::Empty`] for nothing.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::decode_entry(bytes, &Existence::decode)
    }

    /// Appends the proof.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Existence(existence) => proto::put_message(out, 1, |out| existence.encode(out)),
            Self::Absence(absence) => proto::put_message(out, 2, |out| absence.encode(out)),
        }
    }

    /// Reads a proof, or all proofs of a batch, also of a compressed one, for suites that hold batches.
    ///
    /// # Errors
    /// As [`CommitmentProof::decode`]; [`Code::TooMany`]; [`Code::OutOfRange`] when an entry of a
    /// compressed batch points at no shared node.
    pub fn decode_batch(bytes: &[u8]) -> Result<Vec<BatchEntry>, Refusal> {
        let mut fields = Fields::new(bytes);
        let entries = match fields.peek()? {
            Some(3) => {
                let mut batch = Fields::new(fields.required(3, bytes.len())?);
                let entries = batch.repeated(1, MAX_BATCH, MAX_ABSENCE, Self::decode)?;
                batch.finish()?;
                entries
            }
            Some(4) => {
                let mut batch = Fields::new(fields.required(4, bytes.len())?);
                let packed = batch.repeated(1, MAX_BATCH, MAX_ABSENCE, Ok)?;
                let shared = batch.repeated(2, MAX_BATCH, MAX_INNER, InnerOp::decode)?;
                batch.finish()?;
                let existence = |bytes| Existence::decode_with(bytes, |fields| points(fields, &shared));
                packed
                    .into_iter()
                    .map(|entry| Self::decode_entry(entry, &existence))
                    .collect::<Result<_, _>>()?
            }
            _ => return Ok(Vec::from([Self::decode(bytes)?])),
        };
        fields.finish()?;
        Ok(entries)
    }

    fn decode_entry<'a>(
        bytes: &'a [u8],
        existence: &impl Fn(&'a [u8]) -> Result<Existence, Refusal>,
    ) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let proof = match fields.peek()? {
            Some(1) => Self::Existence(existence(fields.required(1, MAX_EXISTENCE)?)?),
            Some(2) => Self::Absence(Absence::decode_with(fields.required(2, MAX_ABSENCE)?, existence)?),
            Some(_) => return Err(Refusal::new(Code::ProofShape).needed("one proof").found("a batch")),
            None => return Err(Refusal::new(Code::Empty).needed("a proof")),
        };
        fields.finish()?;
        Ok(proof)
    }
}

/// The path of a compressed existence: the positions of its nodes among the shared ones.
fn points(fields: &mut Fields<'_>, shared: &[InnerOp]) -> Result<Vec<InnerOp>, Refusal> {
    let mut rest = fields.bytes(4, MAX_DEPTH * 10)?;
    let mut path = Vec::new();
    while !rest.is_empty() {
        if path.len() == MAX_DEPTH {
            return Err(Refusal::new(Code::TooMany).needed(MAX_DEPTH).found(MAX_DEPTH + 1));
        }
        let (position, after) = proto::varint(rest)?;
        let node = usize::try_from(position).ok().and_then(|position| shared.get(position));
        let out_of_range = || Refusal::new(Code::OutOfRange).needed(shared.len()).found(position);
        path.push(node.ok_or_else(out_of_range)?.clone());
        rest = after;
    }
    Ok(path)
}
