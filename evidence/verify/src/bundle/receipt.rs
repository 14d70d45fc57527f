//! The receipt: a service's signed promise to log an entry at a position, by a time.
//!
//! The signature is over a batch; each entry's receipt carries its path in the batch's tree. A receipt with
//! an entry that stands elsewhere is a broken promise that anyone can show.

use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::ed25519::{PublicKey, Rule};
use zeugma_crypto::hash::framed;
use zeugma_proof::body::MAX_ORIGIN;
use zeugma_proof::tree::{Hash, MAX_INCLUSION, included_root, leaf_hash};
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{
    BlockTime, Code, Decode, Encode, HashSuite, LeafIndex, Purpose, Reader, Refusal, TreeSize,
};

/// A receipt, read but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The log's origin.
    pub origin: String,
    /// When the service took the batch.
    pub received_at: BlockTime,
    /// By when a checkpoint will hold it.
    pub due_at: BlockTime,
    /// Position in the log of the batch's first entry.
    pub first: LeafIndex,
    /// Entries of the batch.
    pub size: TreeSize,
    /// Place of this entry in the batch.
    pub place: LeafIndex,
    /// Hashes from the entry up to the batch's root, in SHA-256.
    pub path: Vec<Hash>,
    /// Signature over [`Receipt::signed`].
    pub signature: [u8; 64],
}

impl Receipt {
    /// The promised position in the log, or `None` past the end of the range.
    #[must_use]
    pub fn position(&self) -> Option<LeafIndex> {
        self.first.get().checked_add(self.place.get()).map(LeafIndex::new)
    }

    /// The parts that are signed, framed by [`Purpose::Receipt`]: the batch with its root.
    #[must_use]
    pub fn signed(&self, root: &Hash) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, self.origin.as_bytes());
        self.received_at.encode(&mut bytes);
        self.due_at.encode(&mut bytes);
        self.first.encode(&mut bytes);
        self.size.encode(&mut bytes);
        root.encode(&mut bytes);
        bytes
    }

    /// Checks that `key` signed for the batch that holds `entry`.
    ///
    /// # Errors
    /// [`Code::IndexOutOfTree`], [`Code::PathLength`], [`Code::BadKey`], [`Code::BadSignature`];
    /// [`Code::OutOfRange`] when it is due before it was received.
    pub fn verify(&self, entry: &[u8], key: &[u8; 32]) -> Result<(), Refusal> {
        if self.due_at < self.received_at {
            return Err(Refusal::new(Code::OutOfRange)
                .needed(self.received_at.get())
                .found(self.due_at.get()));
        }
        let suite = HashSuite::Sha256;
        let root = included_root(suite, &leaf_hash(suite, entry), self.place, self.size, &self.path)?;
        let digest = framed(Purpose::Receipt, &[&self.signed(&root)]);
        PublicKey::parse_strict(key)?.verify(Rule::Strict, &digest, &self.signature)
    }
}

impl Encode for Receipt {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.origin.as_bytes());
        self.received_at.encode(out);
        self.due_at.encode(out);
        self.first.encode(out);
        self.size.encode(out);
        self.place.encode(out);
        put_list(out, &self.path, |out, hash| hash.encode(out));
        self.signature.encode(out);
    }
}

impl Decode for Receipt {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            origin: reader.text(MAX_ORIGIN)?,
            received_at: BlockTime::decode(reader)?,
            due_at: BlockTime::decode(reader)?,
            first: LeafIndex::decode(reader)?,
            size: TreeSize::decode(reader)?,
            place: LeafIndex::decode(reader)?,
            path: reader.list(MAX_INCLUSION, Reader::array)?,
            signature: reader.array()?,
        })
    }
}
