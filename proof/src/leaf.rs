//! What a network says: one value under one path, at one height.

use crate::tree::leaf_hash;
use alloc::vec::Vec;
use zeugma_types::{
    BlockTime, Code, Decode, Encode, HashSuite, Height, LeafHash, LeafPath, NetworkId, Reader, Refusal, Value,
};

/// Longest encoded leaf, in bytes: 80 of fixed width, the namespace and the length of the path, the path.
pub const MAX_LEAF: usize = 2 + 32 + 8 + 8 + 2 + 4 + LeafPath::MAX + 32;

/// How a leaf is encoded, and the hash suite of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum LeafFormat {
    /// This layout; the value is a SHA-256 commitment.
    Sha256 = 1,
    /// This layout; the value is an SM3 commitment.
    Sm3 = 2,
}

impl LeafFormat {
    /// The hash suite of the value.
    #[must_use]
    pub const fn suite(self) -> HashSuite {
        match self {
            Self::Sha256 => HashSuite::Sha256,
            Self::Sm3 => HashSuite::Sm3,
        }
    }
}

impl Encode for LeafFormat {
    fn encode(&self, out: &mut Vec<u8>) {
        (*self as u16).encode(out);
    }
}

impl Decode for LeafFormat {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u16()? {
            1 => Ok(Self::Sha256),
            2 => Ok(Self::Sm3),
            number => Err(Refusal::new(Code::UnknownTag).found(number)),
        }
    }
}

/// A leaf of the outbox. Its own time is the one to quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Layout and hash suite of the value.
    pub format: LeafFormat,
    /// The network that says it.
    pub network: NetworkId,
    /// Height of the block that appended it.
    pub height: Height,
    /// Time of that block.
    pub time: BlockTime,
    /// Of what.
    pub path: LeafPath,
    /// A commitment to what is said; never content.
    pub value: Value,
}

impl Leaf {
    /// The leaf's hash in the tree of `suite`.
    #[must_use]
    pub fn hash(&self, suite: HashSuite) -> LeafHash {
        LeafHash::new(leaf_hash(suite, &self.to_bytes()))
    }
}

impl Encode for Leaf {
    fn encode(&self, out: &mut Vec<u8>) {
        self.format.encode(out);
        self.network.encode(out);
        self.height.encode(out);
        self.time.encode(out);
        self.path.encode(out);
        self.value.encode(out);
    }
}

impl Decode for Leaf {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            format: LeafFormat::decode(reader)?,
            network: NetworkId::decode(reader)?,
            height: Height::decode(reader)?,
            time: BlockTime::decode(reader)?,
            path: LeafPath::decode(reader)?,
            value: Value::decode(reader)?,
        })
    }
}
