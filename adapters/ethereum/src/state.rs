//! What is believed of one finalized slot.

use crate::light::Trusted;
use crate::ssz::{Root, ZERO};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Decode, Encode, Height, Reader, Refusal};

/// A trusted state (IBC: consensus state). Its height is the slot of the finalized header.
///
/// Both committees are known in every state: a client that entered a period without the committee after it
/// could be led no further. Two states are equal only when they are of one header, whose root is part of
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Slot of the finalized header.
    pub slot: Height,
    /// When that slot began.
    pub time: BlockTime,
    /// Root of the finalized header.
    pub beacon_root: Root,
    /// Number of the execution block: where a hand asks for proofs.
    pub block_number: u64,
    /// Hash of the execution block.
    pub block_hash: Root,
    /// Root of the execution state.
    pub state_root: Root,
    /// Root of the execution block's receipts.
    pub receipts_root: Root,
    /// Root of the sync committee of the slot's period.
    pub current: Root,
    /// Root of the sync committee of the period after it.
    pub next: Root,
}

impl State {
    /// Length of the encoding, in bytes.
    pub const LENGTH: usize = 3 * 8 + 6 * 32;

    /// What an update is verified against.
    #[must_use]
    pub const fn trusted(&self) -> Trusted {
        Trusted { slot: self.slot.get(), current: self.current, next: Some(self.next) }
    }
}

impl Encode for State {
    fn encode(&self, out: &mut Vec<u8>) {
        self.slot.encode(out);
        self.time.encode(out);
        self.beacon_root.encode(out);
        self.block_number.encode(out);
        self.block_hash.encode(out);
        self.state_root.encode(out);
        self.receipts_root.encode(out);
        self.current.encode(out);
        self.next.encode(out);
    }
}

impl Decode for State {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            slot: Height::decode(reader)?,
            time: BlockTime::decode(reader)?,
            beacon_root: root(reader)?,
            block_number: reader.u64()?,
            block_hash: root(reader)?,
            state_root: root(reader)?,
            receipts_root: root(reader)?,
            current: root(reader)?,
            next: root(reader)?,
        })
    }
}

/// A root, which is never zero: nothing is proved against a root that was not set.
fn root(reader: &mut Reader<'_>) -> Result<Root, Refusal> {
    match reader.array()? {
        ZERO => Err(Refusal::new(Code::Empty).found("a root of zeros")),
        root => Ok(root),
    }
}
