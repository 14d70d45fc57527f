//! A block: the header that the committee certifies, and the transactions behind its body root.
//!
//! The digest is the header's. Equal digests must mean equal blocks, so what is read is refused unless
//! the transactions hash to the header's body root and the bytes are the only encoding of the block.
//! What the engine's traits need from a header (a leader's key, a range that is not empty) is checked here
//! too, so that no later step can stumble over it.

use super::{Context, Digest, PublicKey};
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error, RangeCfg, Read, ReadExt, Write, varint::UInt};
use commonware_consensus::types::{Epoch, Height, Round, View};
use commonware_consensus::{BoundedBlock, CertifiableBlock, Heightable};
use commonware_cryptography::Digestible;
use std::sync::Arc;
use zeugma_ledger::limits::MAX_TRANSACTION;
use zeugma_proof::Header;
use zeugma_proof::tree::{Frontier, leaf_hash};
use zeugma_types::{BodyRoot, Decode as _, Encode as _, HashSuite, HeaderDigest};

/// Longest transactions of one block together, in bytes.
pub const MAX_BLOCK_BYTES: usize = 4 * 1024 * 1024;
/// Most transactions of one block.
pub const MAX_BLOCK_TRANSACTIONS: usize = 20_000;
/// Longest length prefix, in bytes.
const PREFIX: usize = 5;

/// A block that was made here, or read and found consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    header: Arc<Header>,
    digest: Digest,
    leader: PublicKey,
    transactions: Arc<[Bytes]>,
}

impl Block {
    /// Puts a block together.
    ///
    /// # Errors
    /// In words, when the header breaks a rule that the engine rests on, or is not of these transactions.
    pub fn new(header: Header, transactions: Vec<Bytes>) -> Result<Self, &'static str> {
        if header.state.begin >= header.state.end {
            return Err("the range of state operations is empty");
        }
        if header.body != body_root(&transactions) {
            return Err("the transactions do not hash to the header's body root");
        }
        let leader = PublicKey::read(&mut Bytes::copy_from_slice(&header.context.leader))
            .map_err(|_| "the leader is not an Ed25519 key")?;
        let digest = block_digest(&header.digest());
        Ok(Self { header: Arc::new(header), digest, leader, transactions: transactions.into() })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The transactions, in order, each in its canonical encoding.
    #[must_use]
    pub fn transactions(&self) -> &[Bytes] {
        &self.transactions
    }
}

/// The header's digest in the engine's type.
pub(crate) fn block_digest(digest: &HeaderDigest) -> Digest {
    Digest::from(*digest.as_bytes())
}

/// The RFC 9162 root of a block's transactions.
pub(crate) fn body_root(transactions: &[Bytes]) -> BodyRoot {
    let mut tree = Frontier::new(HashSuite::Sha256);
    for transaction in transactions {
        tree.append(leaf_hash(HashSuite::Sha256, transaction), |_, _| ())
            .expect("a block has fewer transactions than a tree leaves");
    }
    BodyRoot::new(tree.root())
}

impl Write for Block {
    fn write(&self, out: &mut impl BufMut) {
        Bytes::from(self.header.to_bytes()).write(out);
        let count = u32::try_from(self.transactions.len()).expect("a block's transactions are bounded");
        UInt(count).write(out);
        self.transactions.iter().for_each(|transaction| transaction.write(out));
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        let header = Bytes::from(self.header.to_bytes()).encode_size();
        let count = u32::try_from(self.transactions.len()).expect("a block's transactions are bounded");
        let transactions: usize = self.transactions.iter().map(EncodeSize::encode_size).sum();
        header + UInt(count).encode_size() + transactions
    }
}

impl Read for Block {
    type Cfg = ();

    fn read_cfg(reader: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let header = Bytes::read_cfg(reader, &RangeCfg::from(0..=Header::MAX))?;
        let header = Header::from_bytes(&header).map_err(|_| Error::Invalid("Block", "not a header"))?;
        // Bounds before memory: the count, then each length, then their sum.
        let count = UInt::<u32>::read(reader)?.0 as usize;
        if count > MAX_BLOCK_TRANSACTIONS {
            return Err(Error::InvalidLength(count));
        }
        let mut transactions = Vec::with_capacity(count.min(reader.remaining()));
        let mut total = 0_usize;
        for _ in 0..count {
            let transaction = Bytes::read_cfg(reader, &RangeCfg::from(1..=MAX_TRANSACTION))?;
            total += transaction.len();
            if total > MAX_BLOCK_BYTES {
                return Err(Error::InvalidLength(total));
            }
            transactions.push(transaction);
        }
        Self::new(header, transactions).map_err(|rule| Error::Invalid("Block", rule))
    }
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        self.digest
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.header.height.get())
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> Digest {
        block_digest(&self.header.parent)
    }
}

impl CertifiableBlock for Block {
    type Context = Context;

    fn context(&self) -> Context {
        Context {
            round: Round::new(Epoch::new(self.header.epoch.get()), View::new(self.header.context.view.get())),
            leader: self.leader.clone(),
            parent: (View::new(self.header.context.parent_view.get()), block_digest(&self.header.parent)),
        }
    }
}

impl BoundedBlock for Block {
    fn max_encode_size((): &()) -> usize {
        PREFIX + Header::MAX + PREFIX + MAX_BLOCK_TRANSACTIONS * PREFIX + MAX_BLOCK_BYTES
    }
}
