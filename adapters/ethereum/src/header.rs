//! Headers of beacon blocks, and what they prove of the execution chain.
//!
//! A header of a light client is a beacon header and, from Capella on, the payload's header with its
//! branch into the body; in Gloas only the hash of the execution block is proved. A container of a later
//! fork may carry a header of an earlier one: what that fork did not have is then zero.
//!
//! Source: consensus-specs `specs/{capella,deneb,gloas}/light-client/sync-protocol.md`,
//! `is_valid_light_client_header`, `get_lc_execution_root`.

use crate::fork::{BLOCK_HASH_GLOAS, BLOCK_HASH_IN_PAYLOAD, Chain, Fork, PAYLOAD};
use crate::ssz::{self, Reader, Root, ZERO, climb, depth, merkleize, normalized, number, pair, short};
use alloc::boxed::Box;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// A beacon block's header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BeaconHeader {
    /// When the block was proposed.
    pub slot: u64,
    /// By whom.
    pub proposer_index: u64,
    /// The header before.
    pub parent_root: Root,
    /// The beacon state after the block.
    pub state_root: Root,
    /// The block's body.
    pub body_root: Root,
}

impl BeaconHeader {
    /// Length when serialized.
    pub const LENGTH: usize = 112;

    /// The hash that names the block.
    #[must_use]
    pub fn root(&self) -> Root {
        let fields = [
            number(self.slot),
            number(self.proposer_index),
            self.parent_root,
            self.state_root,
            self.body_root,
        ];
        merkleize(fields.into(), 3)
    }

    /// Reads the serialized header at the front of `reader`.
    ///
    /// # Errors
    /// [`Code::Truncated`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            slot: reader.u64()?,
            proposer_index: reader.u64()?,
            parent_root: reader.array()?,
            state_root: reader.array()?,
            body_root: reader.array()?,
        })
    }
}

/// The header of an execution payload, Capella to Fulu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Hash of the block before.
    pub parent_hash: Root,
    /// Who is paid.
    pub fee_recipient: [u8; 20],
    /// Root of the execution state after the block: what EIP-1186 proofs are made against.
    pub state_root: Root,
    /// Root of the block's receipts.
    pub receipts_root: Root,
    /// Filter over the block's logs.
    pub logs_bloom: Box<[u8; 256]>,
    /// Randomness of the beacon chain.
    pub prev_randao: Root,
    /// Number of the execution block.
    pub block_number: u64,
    /// Most gas.
    pub gas_limit: u64,
    /// Gas used.
    pub gas_used: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// At most 32 bytes.
    pub extra_data: Vec<u8>,
    /// Little-endian, in wei.
    pub base_fee_per_gas: [u8; 32],
    /// Hash of the execution block.
    pub block_hash: Root,
    /// Root of its transactions, as the beacon chain hashes them.
    pub transactions_root: Root,
    /// Root of its withdrawals, as the beacon chain hashes them.
    pub withdrawals_root: Root,
    /// From Deneb on, else zero.
    pub blob_gas_used: u64,
    /// From Deneb on, else zero.
    pub excess_blob_gas: u64,
}

impl Default for Payload {
    fn default() -> Self {
        Self {
            parent_hash: ZERO,
            fee_recipient: [0; 20],
            state_root: ZERO,
            receipts_root: ZERO,
            logs_bloom: Box::new([0; 256]),
            prev_randao: ZERO,
            block_number: 0,
            gas_limit: 0,
            gas_used: 0,
            timestamp: 0,
            extra_data: Vec::new(),
            base_fee_per_gas: ZERO,
            block_hash: ZERO,
            transactions_root: ZERO,
            withdrawals_root: ZERO,
            blob_gas_used: 0,
            excess_blob_gas: 0,
        }
    }
}

impl Payload {
    /// Longest extra data, in bytes.
    pub const MAX_EXTRA: usize = 32;

    /// The hash, with the fields that `fork` has.
    #[must_use]
    pub fn root(&self, fork: Fork) -> Root {
        let bloom = self.logs_bloom.chunks_exact(32).map(short).collect();
        let length = number(self.extra_data.len() as u64);
        let mut fields = Vec::from([
            self.parent_hash,
            short(&self.fee_recipient),
            self.state_root,
            self.receipts_root,
            merkleize(bloom, 3),
            self.prev_randao,
            number(self.block_number),
            number(self.gas_limit),
            number(self.gas_used),
            number(self.timestamp),
            pair(&short(&self.extra_data), &length),
            self.base_fee_per_gas,
            self.block_hash,
            self.transactions_root,
            self.withdrawals_root,
        ]);
        if fork < Fork::Deneb {
            return merkleize(fields, 4);
        }
        fields.extend([number(self.blob_gas_used), number(self.excess_blob_gas)]);
        merkleize(fields, 5)
    }

    /// Reads a serialized payload header in the layout of `fork`.
    ///
    /// # Errors
    /// A refusal of the 100s.
    pub fn read(bytes: &[u8], fork: Fork) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let mut payload = Self {
            parent_hash: reader.array()?,
            fee_recipient: reader.array()?,
            state_root: reader.array()?,
            receipts_root: reader.array()?,
            logs_bloom: Box::new(reader.array()?),
            prev_randao: reader.array()?,
            block_number: reader.u64()?,
            gas_limit: reader.u64()?,
            gas_used: reader.u64()?,
            timestamp: reader.u64()?,
            ..Self::default()
        };
        let offset = reader.offset()?;
        payload.base_fee_per_gas = reader.array()?;
        payload.block_hash = reader.array()?;
        payload.transactions_root = reader.array()?;
        payload.withdrawals_root = reader.array()?;
        if fork >= Fork::Deneb {
            payload.blob_gas_used = reader.u64()?;
            payload.excess_blob_gas = reader.u64()?;
        }
        let [extra] = reader.parts([offset])?;
        if extra.len() > Self::MAX_EXTRA {
            return Err(Refusal::new(Code::TooLong).needed(Self::MAX_EXTRA).found(extra.len()));
        }
        payload.extra_data = extra.into();
        Ok(payload)
    }
}

/// What a light client's header says of the execution chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Nothing: Altair and Bellatrix.
    Unproved,
    /// The payload's header, Capella to Fulu.
    Payload {
        /// The header.
        payload: Payload,
        /// Its place in the body.
        branch: Vec<Root>,
    },
    /// The block's hash, Gloas.
    Hash {
        /// The hash.
        block_hash: Root,
        /// Its place in the body.
        branch: Vec<Root>,
    },
}

/// A header as light clients exchange it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightHeader {
    /// The beacon block's header.
    pub beacon: BeaconHeader,
    /// What it says of the execution chain.
    pub execution: Execution,
}

impl LightHeader {
    /// The header of nothing, which stands where a container of `fork` has none.
    #[must_use]
    pub fn empty(fork: Fork) -> Self {
        let execution = match fork {
            Fork::Altair | Fork::Bellatrix => Execution::Unproved,
            Fork::Gloas => {
                Execution::Hash { block_hash: ZERO, branch: alloc::vec![ZERO; depth(BLOCK_HASH_GLOAS)] }
            }
            _ => {
                Execution::Payload { payload: Payload::default(), branch: alloc::vec![ZERO; depth(PAYLOAD)] }
            }
        };
        Self { beacon: BeaconHeader::default(), execution }
    }

    /// Whether the serialized header of `fork` has a fixed length.
    pub(crate) const fn is_fixed(fork: Fork) -> Option<usize> {
        match fork {
            Fork::Altair | Fork::Bellatrix => Some(BeaconHeader::LENGTH),
            Fork::Gloas => Some(BeaconHeader::LENGTH + 32 + 32 * depth(BLOCK_HASH_GLOAS)),
            _ => None,
        }
    }

    /// Reads a serialized header in the layout of `fork`.
    ///
    /// # Errors
    /// A refusal of the 100s.
    pub fn read(bytes: &[u8], fork: Fork) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let beacon = BeaconHeader::read(&mut reader)?;
        let execution = match fork {
            Fork::Altair | Fork::Bellatrix => {
                reader.finish()?;
                Execution::Unproved
            }
            Fork::Gloas => {
                let block_hash = reader.array()?;
                let branch = reader.roots(depth(BLOCK_HASH_GLOAS))?;
                reader.finish()?;
                Execution::Hash { block_hash, branch }
            }
            _ => {
                let offset = reader.offset()?;
                let branch = reader.roots(depth(PAYLOAD))?;
                let [payload] = reader.parts([offset])?;
                Execution::Payload { payload: Payload::read(payload, fork)?, branch }
            }
        };
        Ok(Self { beacon, execution })
    }

    /// Checks that the beacon block's body holds what the header says of the execution chain, by the rules
    /// of the header's own slot.
    ///
    /// # Errors
    /// [`Code::ProofShape`], [`Code::NotIncluded`]; [`Code::BadHeader`] for a field that its fork does not
    /// have, or a header that proves less than its fork does.
    pub fn check(&self, chain: &Chain) -> Result<(), Refusal> {
        let fork = chain.fork(self.beacon.slot)?.fork;
        let bad = |word: &'static str| Err(Refusal::new(Code::BadHeader).needed(word));
        match &self.execution {
            Execution::Unproved if fork < Fork::Capella => Ok(()),
            Execution::Unproved => bad("a proof of the execution payload"),
            Execution::Payload { payload, branch } => match fork {
                Fork::Altair | Fork::Bellatrix => {
                    if *payload != Payload::default() || branch.iter().any(|hash| *hash != ZERO) {
                        return bad("no execution payload before Capella");
                    }
                    Ok(())
                }
                Fork::Gloas => bad("the hash of the execution block"),
                _ => {
                    if fork < Fork::Deneb && (payload.blob_gas_used, payload.excess_blob_gas) != (0, 0) {
                        return bad("no blob gas before Deneb");
                    }
                    ssz::verify(&payload.root(fork), branch, PAYLOAD, &self.beacon.body_root)
                }
            },
            Execution::Hash { block_hash, branch } => match hash_index(fork) {
                None if *block_hash == ZERO && branch.iter().all(|hash| *hash == ZERO) => Ok(()),
                None => bad("no execution block before Capella"),
                Some(index) => ssz::verify(block_hash, branch, index, &self.beacon.body_root),
            },
        }
    }

    /// The root of what the header says of the execution chain: the payload header's, or in Gloas the
    /// block's hash. Only of a header that [`LightHeader::check`] found in order.
    ///
    /// # Errors
    /// As [`Chain::fork`]; [`Code::ProofShape`].
    pub fn execution_root(&self, chain: &Chain) -> Result<Root, Refusal> {
        let fork = chain.fork(self.beacon.slot)?.fork;
        match &self.execution {
            _ if fork < Fork::Capella => Ok(ZERO),
            Execution::Unproved => Ok(ZERO),
            Execution::Payload { payload, .. } => Ok(payload.root(fork)),
            Execution::Hash { block_hash, .. } if fork >= Fork::Gloas => Ok(*block_hash),
            Execution::Hash { .. } if self.beacon.slot == 0 => Ok(Payload::default().root(fork)),
            Execution::Hash { block_hash, branch } => {
                let [capella, deneb] = BLOCK_HASH_IN_PAYLOAD;
                let below = if fork < Fork::Deneb { capella } else { deneb };
                let whole = normalized(branch, below_payload(below))?;
                Ok(climb(block_hash, &whole[..depth(below)], below))
            }
        }
    }

    /// The hash of the execution block, when the header proves one.
    #[must_use]
    pub fn block_hash(&self) -> Option<Root> {
        match &self.execution {
            Execution::Unproved => None,
            Execution::Payload { payload, .. } => Some(payload.block_hash),
            Execution::Hash { block_hash, .. } => Some(*block_hash),
        }
    }
}

/// The index in the body of what stands at `below` in the payload's header.
const fn below_payload(below: u64) -> u64 {
    let width = 1 << below.ilog2();
    PAYLOAD * width + (below - width)
}

/// Where a container of Gloas proves the block hash of a header of `fork`.
const fn hash_index(fork: Fork) -> Option<u64> {
    match fork {
        Fork::Altair | Fork::Bellatrix => None,
        Fork::Capella => Some(below_payload(BLOCK_HASH_IN_PAYLOAD[0])),
        Fork::Deneb | Fork::Electra | Fork::Fulu => Some(below_payload(BLOCK_HASH_IN_PAYLOAD[1])),
        Fork::Gloas => Some(BLOCK_HASH_GLOAS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indices_of_the_block_hash_are_those_of_the_specification() {
        assert_eq!(hash_index(Fork::Capella), Some(412));
        assert_eq!(hash_index(Fork::Fulu), Some(812));
        assert_eq!(hash_index(Fork::Gloas), Some(2856));
    }
}
