//! Headers of execution blocks.
//!
//! A header is believed by its hash. Its roots are those of the state after the block, of its transactions
//! and of its receipts. Fields that forks added at the end are counted, and of those that nothing here
//! needs only the form is read.
//!
//! Source: Ethereum yellow paper, section 4.4; EIP-1559, 4895, 4844, 4788, 7685.

use crate::rlp::whole;
use crate::ssz::Root;
use zeugma_crypto::hash::keccak256;
use zeugma_types::{Code, Refusal};

/// Fields of the first headers.
const FIRST_FIELDS: usize = 15;
/// Most fields: those of Prague (21), and room for three of later forks.
const MAX_FIELDS: usize = 24;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// Hash of the header: the name of its block.
    pub hash: Root,
    /// Number of the block.
    pub number: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Root of the state after the block.
    pub state_root: Root,
    /// Root of the block's receipts.
    pub receipts_root: Root,
}

impl BlockHeader {
    /// Longest header, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// Reads a header, and hashes it.
    ///
    /// # Errors
    /// What [`crate::rlp::Rlp`] refuses; [`Code::TooLong`], [`Code::TooMany`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(Refusal::new(Code::TooLong).needed(Self::MAX_BYTES).found(bytes.len()));
        }
        let mut fields = whole(bytes)?.list()?;
        let _parent_hash: [u8; 32] = fields.array()?;
        let _uncles: [u8; 32] = fields.array()?;
        let _beneficiary: [u8; 20] = fields.array()?;
        let state_root = fields.array()?;
        let _transactions_root: [u8; 32] = fields.array()?;
        let receipts_root = fields.array()?;
        let _bloom: [u8; 256] = fields.array()?;
        let _difficulty = fields.u256()?;
        let number = fields.u64()?;
        let _gas_limit = fields.u64()?;
        let _gas_used = fields.u64()?;
        let timestamp = fields.u64()?;
        let _extra_data = fields.item()?.bytes()?;
        let _mix: [u8; 32] = fields.array()?;
        let _nonce: [u8; 8] = fields.array()?;
        let mut count = FIRST_FIELDS;
        while !fields.is_empty() {
            count += 1;
            if count > MAX_FIELDS {
                return Err(Refusal::new(Code::TooMany).needed(MAX_FIELDS));
            }
            fields.item()?.bytes()?;
        }
        Ok(Self { hash: keccak256(&[bytes]), number, timestamp, state_root, receipts_root })
    }
}
