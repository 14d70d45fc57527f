//! What a block did: its leaves, the outcome of each transaction, its events. A function of the block and
//! the state before it, so every node keeps the same bytes.

use std::collections::HashSet;
pub use zeugma_ledger::Said;
use zeugma_ledger::{Event, Outcome};
use zeugma_types::codec::{put_list, put_option};
use zeugma_types::{BlockTime, Decode, Encode, HeaderDigest, Height, Reader, Refusal};

use crate::consensus::MAX_BLOCK_TRANSACTIONS;
use crate::mempool::TransactionId;

/// Most leaves of one block, and most events: far above what a block's cost allows.
const MAX_ENTRIES: usize = 1 << 20;

/// What a block did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRecord {
    /// The block's height.
    pub height: Height,
    /// Its header's digest.
    pub digest: HeaderDigest,
    /// Its time.
    pub time: BlockTime,
    /// Leaves of the outbox before it.
    pub first_leaf: u64,
    /// Transactions of all blocks before it.
    pub first_transaction: u64,
    /// What it said, in order.
    pub said: Vec<Said>,
    /// Digest and outcome of each transaction, in order.
    pub transactions: Vec<(TransactionId, Outcome)>,
    /// Its events; each with the number of the transaction it belongs to, or none at the edges of the block.
    pub events: Vec<(Option<u32>, Event)>,
}

impl BlockRecord {
    /// The digests of its transactions.
    pub(crate) fn ids(&self) -> HashSet<TransactionId> {
        self.transactions.iter().map(|(id, _)| *id).collect()
    }
}

impl Encode for BlockRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.digest.encode(out);
        self.time.encode(out);
        self.first_leaf.encode(out);
        self.first_transaction.encode(out);
        put_list(out, &self.said, |out, said| said.encode(out));
        put_list(out, &self.transactions, |out, (id, outcome)| {
            id.encode(out);
            outcome.encode(out);
        });
        put_list(out, &self.events, |out, (transaction, event)| {
            put_option(out, transaction.as_ref(), |out, number| number.encode(out));
            event.encode(out);
        });
    }
}

impl Decode for BlockRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            height: Height::decode(reader)?,
            digest: HeaderDigest::decode(reader)?,
            time: BlockTime::decode(reader)?,
            first_leaf: reader.u64()?,
            first_transaction: reader.u64()?,
            said: reader.list(MAX_ENTRIES, Said::decode)?,
            transactions: reader.list(MAX_BLOCK_TRANSACTIONS, |r| Ok((r.array()?, Outcome::decode(r)?)))?,
            events: reader.list(MAX_ENTRIES, |r| Ok((r.option(Reader::u32)?, Event::decode(r)?)))?,
        })
    }
}
