//! What is believed of one height.

use alloc::vec::Vec;
use zeugma_proof::{GROUP_KEY_LENGTH, GroupKey, Header, MAX_ROOTS, Outbox};
use zeugma_types::{BlockTime, Decode, Encode, Epoch, Era, HeaderDigest, Height, Reader, Refusal};

/// One certified header, as far as proofs and later updates need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The header's height.
    pub height: Height,
    /// The header's time.
    pub time: BlockTime,
    /// The header's era.
    pub era: Era,
    /// The engine's epoch.
    pub epoch: Epoch,
    /// The group key of that era.
    pub key: GroupKey,
    /// Digest of the header: two of one height are misbehaviour.
    pub digest: HeaderDigest,
    /// The header's outbox.
    pub outbox: Outbox,
}

impl State {
    /// Longest encoded state, in bytes.
    pub const MAX: usize = 4 * 8 + GROUP_KEY_LENGTH + 32 + 8 + 4 + MAX_ROOTS * 33;

    /// What `header` says, certified by `key`.
    #[must_use]
    pub fn of(header: &Header, key: GroupKey) -> Self {
        Self {
            height: header.height,
            time: header.time,
            era: header.era,
            epoch: header.epoch,
            key,
            digest: header.digest(),
            outbox: header.outbox.clone(),
        }
    }
}

impl Encode for State {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.time.encode(out);
        self.era.encode(out);
        self.epoch.encode(out);
        self.key.encode(out);
        self.digest.encode(out);
        self.outbox.encode(out);
    }
}

impl Decode for State {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            height: Height::decode(reader)?,
            time: BlockTime::decode(reader)?,
            era: Era::decode(reader)?,
            epoch: Epoch::decode(reader)?,
            key: GroupKey::decode(reader)?,
            digest: HeaderDigest::decode(reader)?,
            outbox: Outbox::decode(reader)?,
        })
    }
}
