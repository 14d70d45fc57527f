//! Headers, and the hash that commits sign.
//!
//! The hash is the simple Merkle root of fourteen fields, each in protobuf, bare strings, numbers and
//! byte strings in their wrapper messages. Reading a header checks what `Header.ValidateBasic` checks:
//! block protocol 11, a chain identifier of 1 to 50 bytes, a height above zero, hashes of 32 bytes or
//! none, an address of 20 bytes; and what a light client needs: both validator hashes are there, and
//! the time is not before 1970.
//!
//! Source: CometBFT `spec/core/data_structures.md`, "Header"; `types/block.go`, `Header.Hash`.

use crate::key::Address;
use crate::merkle;
use crate::proto::{self, Fields};
use crate::time::Time;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::{Code, Height, Refusal};

/// The block protocol of CometBFT 0.37, 0.38 and 1.0.
pub const BLOCK_PROTOCOL: u64 = 11;
/// Longest chain identifier, in bytes, as CometBFT bounds it.
pub const MAX_CHAIN_ID: usize = 50;
/// Longest application hash, in bytes. A Cosmos chain has 32; CometBFT's own example has 8.
pub const MAX_APP_HASH: usize = 64;

/// The root of a block's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartSetHeader {
    /// Number of parts.
    pub total: u32,
    /// Root over them; absent in the zero value.
    pub hash: Option<[u8; 32]>,
}

/// Names a block: its header's hash and its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockId {
    /// The header's hash; absent in the zero value.
    pub hash: Option<[u8; 32]>,
    /// The block's parts.
    pub parts: PartSetHeader,
}

impl BlockId {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 34 + 2 + Self::MAX_PARTS;
    const MAX_PARTS: usize = 6 + 34;

    /// Reads a `BlockID`.
    ///
    /// # Errors
    /// As [`Fields`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let hash = fields.array(1)?;
        let mut parts = Fields::new(fields.required(2, Self::MAX_PARTS)?);
        fields.finish()?;
        let (total, root) = (parts.uint32(1)?, parts.array(2)?);
        parts.finish()?;
        Ok(Self { hash, parts: PartSetHeader { total, hash: root } })
    }

    /// Appends a `BlockID`. `CanonicalBlockID`, which votes sign, has the same bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        proto::put_bytes(out, 1, optional(&self.hash));
        proto::put_message(out, 2, |out| {
            proto::put_uint64(out, 1, u64::from(self.parts.total));
            proto::put_bytes(out, 2, optional(&self.parts.hash));
        });
    }
}

/// A block's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The application's own protocol version. The block protocol is always [`BLOCK_PROTOCOL`].
    pub app_version: u64,
    /// The chain.
    pub chain_id: String,
    /// The height, at least 1.
    pub height: Height,
    /// The chain's own time.
    pub time: Time,
    /// The block before; the zero value at the first height.
    pub last_block_id: BlockId,
    /// Hash of the commit of the block before.
    pub last_commit_hash: Option<[u8; 32]>,
    /// Hash of the transactions.
    pub data_hash: Option<[u8; 32]>,
    /// Hash of the validators of this height.
    pub validators_hash: [u8; 32],
    /// Hash of the validators of the next height.
    pub next_validators_hash: [u8; 32],
    /// Hash of the consensus parameters.
    pub consensus_hash: Option<[u8; 32]>,
    /// The application's state after the block before.
    pub app_hash: Vec<u8>,
    /// Hash of the results of the block before.
    pub last_results_hash: Option<[u8; 32]>,
    /// Hash of the evidence in this block.
    pub evidence_hash: Option<[u8; 32]>,
    /// Who proposed the block.
    pub proposer_address: Address,
}

impl Header {
    /// Longest encoding, in bytes: the sum of the bounds of its fields, with room for their keys.
    pub const MAX_BYTES: usize = 1_024;

    /// Reads a `Header`.
    ///
    /// # Errors
    /// As [`Fields`]; [`Code::BadHeader`] when a field breaks a rule of the chain.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let app_version = decode_version(fields.required(1, 22)?)?;
        let chain_id = decode_chain_id(fields.bytes(2, MAX_CHAIN_ID)?)?;
        let height = decode_height(fields.int64(3)?)?;
        let header = Self {
            app_version,
            chain_id,
            height,
            time: Time::decode(fields.required(4, Time::MAX_BYTES)?)?,
            last_block_id: BlockId::decode(fields.required(5, BlockId::MAX_BYTES)?)?,
            last_commit_hash: fields.array(6)?,
            data_hash: fields.array(7)?,
            validators_hash: fields.array(8)?.ok_or_else(|| bad("no validators hash"))?,
            next_validators_hash: fields.array(9)?.ok_or_else(|| bad("no next validators hash"))?,
            consensus_hash: fields.array(10)?,
            app_hash: fields.bytes(11, MAX_APP_HASH)?.into(),
            last_results_hash: fields.array(12)?,
            evidence_hash: fields.array(13)?,
            proposer_address: fields.array(14)?.ok_or_else(|| bad("no proposer address"))?,
        };
        fields.finish()?;
        if header.time.seconds() < 0 {
            return Err(bad("a time before 1970"));
        }
        Ok(header)
    }

    /// Appends a `Header`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        proto::put_message(out, 1, |out| self.encode_version(out));
        proto::put_bytes(out, 2, self.chain_id.as_bytes());
        proto::put_uint64(out, 3, self.height.get());
        proto::put_message(out, 4, |out| self.time.encode(out));
        proto::put_message(out, 5, |out| self.last_block_id.encode(out));
        for (number, bytes) in self.hashes() {
            proto::put_bytes(out, number, bytes);
        }
    }

    /// The hash that names the block, and that commits sign.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut leaves: [Vec<u8>; 14] = Default::default();
        let [version, chain_id, height, time, last_block_id, hashes @ ..] = &mut leaves;
        self.encode_version(version);
        proto::put_bytes(chain_id, 1, self.chain_id.as_bytes());
        proto::put_uint64(height, 1, self.height.get());
        self.time.encode(time);
        self.last_block_id.encode(last_block_id);
        for (leaf, (_, bytes)) in hashes.iter_mut().zip(self.hashes()) {
            proto::put_bytes(leaf, 1, bytes);
        }
        merkle::root(&leaves)
    }

    /// The last nine fields with their numbers: byte strings all.
    fn hashes(&self) -> [(u32, &[u8]); 9] {
        [
            (6, optional(&self.last_commit_hash)),
            (7, optional(&self.data_hash)),
            (8, &self.validators_hash),
            (9, &self.next_validators_hash),
            (10, optional(&self.consensus_hash)),
            (11, &self.app_hash),
            (12, optional(&self.last_results_hash)),
            (13, optional(&self.evidence_hash)),
            (14, &self.proposer_address),
        ]
    }

    fn encode_version(&self, out: &mut Vec<u8>) {
        proto::put_uint64(out, 1, BLOCK_PROTOCOL);
        proto::put_uint64(out, 2, self.app_version);
    }
}

fn decode_version(bytes: &[u8]) -> Result<u64, Refusal> {
    let mut version = Fields::new(bytes);
    let (block, app) = (version.uint64(1)?, version.uint64(2)?);
    version.finish()?;
    if block != BLOCK_PROTOCOL {
        return Err(Refusal::new(Code::BadHeader).needed(BLOCK_PROTOCOL).found(block));
    }
    Ok(app)
}

fn decode_chain_id(bytes: &[u8]) -> Result<String, Refusal> {
    match core::str::from_utf8(bytes) {
        Ok("") => Err(bad("no chain identifier")),
        Ok(text) => Ok(text.into()),
        Err(_) => Err(Refusal::new(Code::BadText)),
    }
}

/// A height read from protobuf: at least 1.
pub(crate) fn decode_height(number: i64) -> Result<Height, Refusal> {
    match u64::try_from(number) {
        Ok(height @ 1..) => Ok(Height::new(height)),
        _ => Err(bad("a height below 1")),
    }
}

fn optional(hash: &Option<[u8; 32]>) -> &[u8] {
    hash.as_ref().map_or(&[], |hash| &hash[..])
}

fn bad(what: &'static str) -> Refusal {
    Refusal::new(Code::BadHeader).found(what)
}
