//! Receipts of transactions, and the events in them.
//!
//! A receipt is proved by its place in its block. An event counts only when its transaction succeeded and
//! the contract that the caller asked about emitted it; both are checked here, so that no caller can forget.
//!
//! Source: Ethereum yellow paper, section 4.3.1; EIP-658 (status), EIP-2718 (types).

use crate::rlp::{self, Item, whole};
use crate::ssz::Root;
use crate::trie::{Found, walk};
use alloc::boxed::Box;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Most events of a receipt: above what a block's gas allows.
const MAX_LOGS: usize = 65_536;
/// Types of receipts with the fields of the first: access list, dynamic fee, blob, set code.
const LAST_TYPE: u8 = 4;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was executed.
    Succeeded,
    /// It was undone.
    Failed,
    /// Before Byzantium a receipt named the state after the transaction, and not how it ended.
    Unknown {
        /// Root of the state after the transaction.
        state_root: Root,
    },
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The contract that emitted it.
    pub emitter: [u8; 20],
    /// At most four.
    pub topics: Vec<Root>,
    /// What was emitted.
    pub data: Vec<u8>,
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction's type; 0 for the first.
    pub kind: u8,
    /// How the transaction ended.
    pub outcome: Outcome,
    /// Gas used in the block so far.
    pub cumulative_gas: u64,
    /// Filter over the events.
    pub bloom: Box<[u8; 256]>,
    /// The events, in order.
    pub logs: Vec<Log>,
}

impl Receipt {
    /// Reads a receipt as the trie holds it.
    ///
    /// # Errors
    /// What [`rlp::Rlp`] refuses; [`Code::UnknownTag`] for another type or status; [`Code::Empty`],
    /// [`Code::TooMany`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let (kind, body) = match bytes {
            [] => return Err(Refusal::new(Code::Empty)),
            [kind @ 1..=LAST_TYPE, body @ ..] => (*kind, body),
            [0xc0..=0xff, ..] => (0, bytes),
            [kind, ..] => return Err(Refusal::new(Code::UnknownTag).needed(LAST_TYPE).found(*kind)),
        };
        let mut fields = whole(body)?.list()?;
        let outcome = match fields.item()?.bytes()? {
            [] => Outcome::Failed,
            [1] => Outcome::Succeeded,
            other => match other.try_into() {
                Ok(state_root) if kind == 0 => Outcome::Unknown { state_root },
                _ => return Err(Refusal::new(Code::UnknownTag).needed("a status").found(other.len())),
            },
        };
        let cumulative_gas = fields.u64()?;
        let bloom = Box::new(fields.array()?);
        let mut list = fields.item()?.list()?;
        fields.finish()?;
        let mut logs = Vec::new();
        while !list.is_empty() {
            if logs.len() == MAX_LOGS {
                return Err(Refusal::new(Code::TooMany).needed(MAX_LOGS));
            }
            logs.push(Log::read(list.item()?)?);
        }
        Ok(Self { kind, outcome, cumulative_gas, bloom, logs })
    }

    /// The event at `index`, which `emitter` emitted in a transaction that succeeded.
    ///
    /// # Errors
    /// [`Code::TransactionFailed`], also for a receipt that does not say; [`Code::IndexOutOfTree`];
    /// [`Code::WrongEmitter`].
    pub fn event(&self, index: usize, emitter: &[u8; 20]) -> Result<&Log, Refusal> {
        if self.outcome != Outcome::Succeeded {
            return Err(Refusal::new(Code::TransactionFailed));
        }
        let log = self.logs.get(index);
        let log =
            log.ok_or_else(|| Refusal::new(Code::IndexOutOfTree).needed(self.logs.len()).found(index))?;
        if log.emitter != *emitter {
            let wide = |address: &[u8; 20]| {
                let mut wide = [0; 32];
                wide[12..].copy_from_slice(address);
                wide
            };
            return Err(Refusal::new(Code::WrongEmitter).needed(wide(emitter)).found(wide(&log.emitter)));
        }
        Ok(log)
    }
}

impl Log {
    /// Most topics.
    pub const MAX_TOPICS: usize = 4;

    fn read(item: Item<'_>) -> Result<Self, Refusal> {
        let mut fields = item.list()?;
        let emitter = fields.array()?;
        let mut list = fields.item()?.list()?;
        let data = fields.item()?.bytes()?.into();
        fields.finish()?;
        let mut topics = Vec::new();
        while !list.is_empty() {
            if topics.len() == Self::MAX_TOPICS {
                return Err(Refusal::new(Code::TooMany).needed(Self::MAX_TOPICS));
            }
            topics.push(list.array()?);
        }
        Ok(Self { emitter, topics, data })
    }
}

/// The key of the transaction at `index` in the tries of its block.
#[must_use]
pub fn key(index: u64) -> Vec<u8> {
    let mut key = Vec::new();
    rlp::put_number_of(&mut key, &index.to_be_bytes());
    key
}

/// The receipt of the transaction at `index` of the block whose receipts have this root.
///
/// # Errors
/// As [`walk`] and [`Receipt::read`]; [`Code::NotProven`] when the proof shows that there is none.
pub fn receipt<N: AsRef<[u8]>>(receipts_root: &Root, index: u64, proof: &[N]) -> Result<Receipt, Refusal> {
    match walk(receipts_root, &key(index), proof)? {
        Found::Value(bytes) => Receipt::read(bytes),
        Found::Absent => Err(Refusal::new(Code::NotProven).needed(index)),
    }
}
