//! What is believed of one height of the chain.

use crate::header::{Header, MAX_APP_HASH};
use crate::time::Time;
use alloc::vec::Vec;
use zeugma_types::codec::put_bytes;
use zeugma_types::{Code, Decode, Encode, Height, Reader, Refusal};

/// A trusted state (ICS-07: consensus state).
///
/// Two states are equal only when they are of one header: its hash is part of the state, so a second
/// header of a trusted height is a conflict even when root, time and validators agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The height, at least 1.
    pub height: Height,
    /// The chain's own time, to the nanosecond.
    pub time: Time,
    /// The application's state after the block before: the root of store proofs.
    pub app_hash: Vec<u8>,
    /// Hash of the validators of the next height.
    pub next_validators_hash: [u8; 32],
    /// Hash of the header.
    pub header_hash: [u8; 32],
}

impl State {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 8 + 8 + 4 + 4 + MAX_APP_HASH + 32 + 32;

    /// The state that a header shows.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        Self {
            height: header.height,
            time: header.time,
            app_hash: header.app_hash.clone(),
            next_validators_hash: header.next_validators_hash,
            header_hash: header.hash(),
        }
    }
}

impl Encode for State {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.time.seconds().cast_unsigned().encode(out);
        self.time.nanos().encode(out);
        put_bytes(out, &self.app_hash);
        self.next_validators_hash.encode(out);
        self.header_hash.encode(out);
    }
}

impl Decode for State {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let height = Height::decode(reader)?;
        if height == Height::ZERO || i64::try_from(height.get()).is_err() {
            return Err(Refusal::new(Code::OutOfRange).needed(1_u64).found(height.get()));
        }
        let seconds = reader.u64()?.cast_signed();
        if seconds < 0 {
            return Err(Refusal::new(Code::OutOfRange).found("a time before 1970"));
        }
        Ok(Self {
            height,
            time: Time::new(seconds, reader.u32()?)?,
            app_hash: reader.bytes(MAX_APP_HASH)?.into(),
            next_validators_hash: reader.array()?,
            header_hash: reader.array()?,
        })
    }
}
