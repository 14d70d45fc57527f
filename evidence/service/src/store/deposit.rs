//! What comes in and what goes out.

use std::sync::Arc;
use zeugma_crypto::hash::framed;
use zeugma_evidence_log::{Record, Seed};
use zeugma_proof::tree::leaf_hash;
use zeugma_types::codec::put_bytes;
use zeugma_types::{Code, Decode, Encode, HashSuite, Purpose, Reader, Refusal};

/// Longest name of a tenant, in bytes.
pub(super) const MAX_TENANT: usize = 128;
/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 256;
/// Most items of one batch.
pub(super) const MAX_ITEMS: usize = 16_384;
/// Longest private part of an entry, in bytes: a record and what belongs to it.
pub(super) const MAX_PRIVATE: usize = 20 * 1024;

/// Where an entry stands, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which log of this store: shards count from 0.
    pub shard: u32,
    /// Its index there.
    pub index: u64,
}

/// One record to log.
#[derive(Clone, Debug)]
pub struct Deposit {
    /// Whose it is.
    pub tenant: String,
    /// What is deposited.
    pub record: Record,
    /// 32 random bytes for this deposit alone. A record that is there already keeps its first seed.
    pub seed: Seed,
    /// When the service received it, in milliseconds since the Unix epoch.
    pub received_at: u64,
}

/// A deposit with its commitments: what takes time is done.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) identity: [u8; 32],
    pub(super) leaf: Leaf,
    pub(super) hashes: LeafHashes,
    pub(super) private: Vec<u8>,
}

impl Prepared {
    /// The data of its leaf, if it is new.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        self.leaf.as_slice()
    }

    /// The hash of its leaf in the first tree.
    #[must_use]
    pub const fn leaf_hash(&self) -> &[u8; 32] {
        &self.hashes.first
    }
}

/// The hashes of a leaf in the trees there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeafHashes {
    pub(super) first: [u8; 32],
    pub(super) second: Option<[u8; 32]>,
}

impl LeafHashes {
    pub(super) fn of(leaf: &[u8], second: bool) -> Self {
        Self {
            first: leaf_hash(HashSuite::Sha256, leaf),
            second: second.then(|| leaf_hash(HashSuite::Sm3, leaf)),
        }
    }
}

/// An encoded entry, without a place of its own in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    length: u8,
    bytes: [u8; zeugma_evidence_log::entry::MAX_ENTRY],
}

impl Leaf {
    pub(super) fn new(encoded: &[u8]) -> Self {
        let mut bytes = [0; zeugma_evidence_log::entry::MAX_ENTRY];
        bytes[..encoded.len()].copy_from_slice(encoded);
        Self { length: u8::try_from(encoded.len()).expect("an entry has at most 71 bytes"), bytes }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// The part of an entry that is not published, and can be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Private {
    pub(super) tenant: String,
    pub(super) received_at: u64,
    pub(super) seed: Seed,
    pub(super) record: Record,
}

impl Encode for Private {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.tenant.as_bytes());
        self.received_at.encode(out);
        self.seed.expose().encode(out);
        self.record.encode(out);
    }
}

impl Decode for Private {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            tenant: reader.text(MAX_TENANT)?,
            received_at: reader.u64()?,
            seed: Seed::new(reader.array()?),
            record: Record::decode(reader)?,
        })
    }
}

/// A key under which the same request is answered the same way.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// Whose key: two tenants may choose the same.
    pub tenant: String,
    /// As the client chose it.
    pub key: String,
}

impl IdempotencyKey {
    /// # Errors
    /// [`Code::Empty`], [`Code::TooLong`].
    pub(super) fn require(&self) -> Result<(), Refusal> {
        if self.key.is_empty() {
            return Err(Refusal::new(Code::Empty).needed("an idempotency key"));
        }
        if self.key.len() > MAX_KEY || self.tenant.len() > MAX_TENANT {
            return Err(Refusal::new(Code::TooLong).needed(MAX_KEY).found(self.key.len()));
        }
        Ok(())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, self.tenant.as_bytes());
        put_bytes(&mut bytes, self.key.as_bytes());
        bytes
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        framed(Purpose::DepositKey, &[&self.bytes()])
    }

    /// What came with the key. The client's key is in the preimage, so that nobody without it can try records.
    pub(super) fn body(&self, items: &[Prepared]) -> [u8; 32] {
        let mut bytes = self.bytes();
        for item in items {
            bytes.extend_from_slice(&item.identity);
        }
        framed(Purpose::DepositBody, &[&bytes])
    }
}

/// Deposits of one request: all of them are logged, or none.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The deposits.
    pub items: Vec<Prepared>,
    /// The request's idempotency key, if it has one.
    pub key: Option<IdempotencyKey>,
}

/// What became of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where its entry stands.
    pub position: Position,
    /// Whether it was there before.
    pub known: bool,
}

/// Answers of a batch, in the order of its items; they are durable.
pub(super) type Outcomes = Result<Arc<[Outcome]>, Refusal>;
