//! Commits: the precommits that made a header final, and the bytes each of them signed.
//!
//! A commit has one entry for each validator of its height, in the order of the set: *absent*, a vote
//! *for* the block, or a vote for *nil*. The signatures are not under the header's hash, so whoever
//! carries a commit may turn votes into absences; what is carried is verified, all of it.
//!
//! Source: CometBFT `spec/core/data_structures.md`, "Commit", "CommitSig", "CanonicalVote";
//! `types/vote.go`, `VoteSignBytes`.

use crate::header::{BlockId, Header, decode_height};
use crate::key::Address;
use crate::proto::{self, Fields};
use crate::time::Time;
use crate::validators::MAX_VALIDATORS;
use alloc::vec::Vec;
use zeugma_types::{Code, Decode, Encode, Height, Reader, Refusal};

const ABSENT: u64 = 1;
const COMMIT: u64 = 2;
const NIL: u64 = 3;
/// `SIGNED_MSG_TYPE_PRECOMMIT`.
const PRECOMMIT: u64 = 2;

/// One validator's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who voted, as the vote says.
    pub address: Address,
    /// When, as the voter says. It is signed, and decides nothing here.
    pub timestamp: Time,
    /// The signature.
    pub signature: [u8; 64],
}

/// One entry of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitSig {
    /// No vote.
    Absent,
    /// A vote for the block.
    For(Vote),
    /// A vote for no block.
    Nil(Vote),
}

impl CommitSig {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 2 + 22 + 2 + Time::MAX_BYTES + 66;

    /// Reads a `CommitSig`.
    ///
    /// # Errors
    /// As [`Fields`]; [`Code::WrongCommit`] when an absent vote has a voter, a time or a signature, or
    /// a vote lacks one; [`Code::UnknownTag`] for another flag.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let flag = fields.uint64(1)?;
        let address: Option<Address> = fields.array(2)?;
        let timestamp = Time::decode(fields.required(3, Time::MAX_BYTES)?)?;
        let signature: Option<[u8; 64]> = fields.array(4)?;
        fields.finish()?;
        let vote = |address: Option<Address>, signature: Option<[u8; 64]>| match (address, signature) {
            (Some(address), Some(signature)) => Ok(Vote { address, timestamp, signature }),
            _ => Err(Refusal::new(Code::WrongCommit).found("a vote without voter or signature")),
        };
        match flag {
            ABSENT if address.is_none() && signature.is_none() && timestamp == Time::ZERO => Ok(Self::Absent),
            ABSENT => Err(Refusal::new(Code::WrongCommit).found("an absent vote that is not empty")),
            COMMIT => vote(address, signature).map(Self::For),
            NIL => vote(address, signature).map(Self::Nil),
            flag => Err(Refusal::new(Code::UnknownTag).needed(NIL).found(flag)),
        }
    }

    /// Appends a `CommitSig`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (flag, vote) = match self {
            Self::Absent => (ABSENT, None),
            Self::For(vote) => (COMMIT, Some(vote)),
            Self::Nil(vote) => (NIL, Some(vote)),
        };
        proto::put_uint64(out, 1, flag);
        if let Some(vote) = vote {
            proto::put_bytes(out, 2, &vote.address);
        }
        let timestamp = vote.map_or(Time::ZERO, |vote| vote.timestamp);
        proto::put_message(out, 3, |out| timestamp.encode(out));
        if let Some(vote) = vote {
            proto::put_bytes(out, 4, &vote.signature);
        }
    }
}

/// The votes that made a block final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The height voted on.
    pub height: Height,
    /// The round in which they voted, not negative.
    pub round: i32,
    /// The block they voted for; its hashes are there.
    pub block_id: BlockId,
    /// One entry for each validator.
    pub signatures: Vec<CommitSig>,
}

impl Commit {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize =
        11 + 11 + 2 + BlockId::MAX_BYTES + MAX_VALIDATORS * (2 + CommitSig::MAX_BYTES);

    /// Reads a `Commit`.
    ///
    /// # Errors
    /// As [`Fields`]; [`Code::WrongCommit`] for a negative round, an incomplete block or no entries.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let height = decode_height(fields.int64(1)?)?;
        let round = fields.int32(2)?;
        let block_id = BlockId::decode(fields.required(3, BlockId::MAX_BYTES)?)?;
        let signatures = fields.repeated(4, MAX_VALIDATORS, CommitSig::MAX_BYTES, CommitSig::decode)?;
        fields.finish()?;
        let wrong = |what| Err(Refusal::new(Code::WrongCommit).found(what));
        if round < 0 {
            return wrong("a negative round");
        }
        if block_id.hash.is_none() || block_id.parts.hash.is_none() || block_id.parts.total == 0 {
            return wrong("an incomplete block identifier");
        }
        if signatures.is_empty() {
            return wrong("no votes");
        }
        Ok(Self { height, round, block_id, signatures })
    }

    /// Appends a `Commit`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        proto::put_uint64(out, 1, self.height.get());
        proto::put_int64(out, 2, i64::from(self.round));
        proto::put_message(out, 3, |out| self.block_id.encode(out));
        for signature in &self.signatures {
            proto::put_message(out, 4, |out| signature.encode(out));
        }
    }

    /// What the votes of this commit sign.
    #[must_use]
    pub fn sign_bytes<'a>(&self, chain_id: &'a str) -> SignBytes<'a> {
        let mut front = Vec::new();
        proto::put_uint64(&mut front, 1, PRECOMMIT);
        proto::put_sfixed64(&mut front, 2, self.height.get().cast_signed());
        proto::put_sfixed64(&mut front, 3, i64::from(self.round));
        let mut block = Vec::new();
        proto::put_message(&mut block, 4, |out| self.block_id.encode(out));
        SignBytes { front, block, chain_id }
    }
}

/// What the votes of one commit have in common.
#[derive(Clone, Debug)]
pub struct SignBytes<'a> {
    front: Vec<u8>,
    block: Vec<u8>,
    chain_id: &'a str,
}

impl SignBytes<'_> {
    /// What the vote of that entry signs: a `CanonicalVote` after its length; nothing for an absent one.
    #[must_use]
    pub fn of(&self, entry: &CommitSig) -> Option<Vec<u8>> {
        let (block, vote) = match entry {
            CommitSig::Absent => return None,
            CommitSig::For(vote) => (&self.block[..], vote),
            CommitSig::Nil(vote) => (&[][..], vote),
        };
        let mut body = Vec::with_capacity(192);
        body.extend_from_slice(&self.front);
        body.extend_from_slice(block);
        proto::put_message(&mut body, 5, |out| vote.timestamp.encode(out));
        proto::put_bytes(&mut body, 6, self.chain_id.as_bytes());
        let mut out = Vec::with_capacity(body.len() + 2);
        proto::put_delimited(&mut out, &body);
        Some(out)
    }
}

/// A header and the commit that made it final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeader {
    /// The header.
    pub header: Header,
    /// Its commit.
    pub commit: Commit,
}

impl SignedHeader {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 4 + Header::MAX_BYTES + 4 + Commit::MAX_BYTES;

    /// Reads a `SignedHeader` in protobuf.
    ///
    /// # Errors
    /// As [`Fields`], [`Header::decode`] and [`Commit::decode`].
    pub fn decode_proto(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let header = Header::decode(fields.required(1, Header::MAX_BYTES)?)?;
        let commit = Commit::decode(fields.required(2, Commit::MAX_BYTES)?)?;
        fields.finish()?;
        Ok(Self { header, commit })
    }

    /// The `SignedHeader` in protobuf.
    #[must_use]
    pub fn to_proto(&self) -> Vec<u8> {
        let mut out = Vec::new();
        proto::put_message(&mut out, 1, |out| self.header.encode(out));
        proto::put_message(&mut out, 2, |out| self.commit.encode(out));
        out
    }
}

impl Encode for SignedHeader {
    fn encode(&self, out: &mut Vec<u8>) {
        zeugma_types::codec::put_bytes(out, &self.to_proto());
    }
}

impl Decode for SignedHeader {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::decode_proto(reader.bytes(Self::MAX_BYTES)?)
    }
}
