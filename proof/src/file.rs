//! The proof file.
//!
//! It has no checksum of its own: every byte of it is either decoded strictly or bound by the
//! signature, the inclusion path or the consistency path.

use crate::certificate::Certificate;
use crate::header::Header;
use crate::leaf::Leaf;
use crate::seal::Seal;
use crate::tree::{Hash, MAX_CONSISTENCY, MAX_INCLUSION};
use alloc::vec::Vec;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{Code, Decode, Encode, HashSuite, LeafIndex, Reader, Refusal};

/// First bytes of every proof file; the last is the version.
const MAGIC: [u8; 8] = *b"ZGPROOF1";

/// Longest proof file, in bytes: a hand-over of 128 members and an ML-DSA seal of all of them fit.
pub const MAX_PROOF: usize = 1024 * 1024;
/// Longest body behind a leaf's value, in bytes: a hand-over of 128 members fits twice.
pub const MAX_OPENING: usize = 512 * 1024;

/// Where the leaf stands in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The hash suite of the tree.
    pub suite: HashSuite,
    /// The leaf's position.
    pub index: LeafIndex,
    /// Hashes from the leaf up.
    pub path: Vec<Hash>,
}

/// What binds the header to its era: the certificate, or a second seal for chains that cannot check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endorsement {
    /// The committee's threshold certificate.
    Certificate(Certificate),
    /// Signatures of a quorum of single members.
    Seal(Seal),
}

/// A proof file, decoded but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The certified header.
    pub header: Header,
    /// Who stands for its digest.
    pub endorsement: Endorsement,
    /// What is said.
    pub leaf: Leaf,
    /// Where it stands in the header's outbox.
    pub inclusion: Inclusion,
    /// The body behind the leaf's value, where the leaf has one.
    pub opening: Option<Vec<u8>>,
    /// From the header's outbox into the one that the era's hand-over pinned: needed once the era's key
    /// is retired.
    pub consistency: Option<Vec<Hash>>,
}

impl Encode for Endorsement {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Certificate(certificate) => {
                out.push(1);
                certificate.encode(out);
            }
            Self::Seal(seal) => {
                out.push(2);
                seal.encode(out);
            }
        }
    }
}

impl Decode for Endorsement {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Certificate::decode(reader).map(Self::Certificate),
            2 => Seal::decode(reader).map(Self::Seal),
            tag => Err(Refusal::new(Code::UnknownTag).found(tag)),
        }
    }
}

impl Encode for Inclusion {
    fn encode(&self, out: &mut Vec<u8>) {
        self.suite.encode(out);
        self.index.encode(out);
        put_list(out, &self.path, |out, hash| hash.encode(out));
    }
}

impl Decode for Inclusion {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            suite: HashSuite::decode(reader)?,
            index: LeafIndex::decode(reader)?,
            path: reader.list(MAX_INCLUSION, Reader::array)?,
        })
    }
}

impl Encode for Proof {
    fn encode(&self, out: &mut Vec<u8>) {
        MAGIC.encode(out);
        self.header.encode(out);
        self.endorsement.encode(out);
        self.leaf.encode(out);
        self.inclusion.encode(out);
        put_option(out, self.opening.as_ref(), |out, body| put_bytes(out, body));
        put_option(out, self.consistency.as_ref(), |out, path| {
            put_list(out, path, |out, hash| hash.encode(out));
        });
    }
}

impl Decode for Proof {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if reader.array()? != MAGIC {
            return Err(Refusal::new(Code::BadMagic).needed("ZGPROOF1"));
        }
        Ok(Self {
            header: Header::decode(reader)?,
            endorsement: Endorsement::decode(reader)?,
            leaf: Leaf::decode(reader)?,
            inclusion: Inclusion::decode(reader)?,
            opening: reader.option(|r| Ok(r.bytes(MAX_OPENING)?.to_vec()))?,
            consistency: reader.option(|r| r.list(MAX_CONSISTENCY, Reader::array))?,
        })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_PROOF {
            return Err(Refusal::new(Code::TooLong).needed(MAX_PROOF).found(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        let proof = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(proof)
    }
}
