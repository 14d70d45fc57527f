//! What a client of a Zeugma chain is created with.

use alloc::vec::Vec;
use zeugma_types::{Code, Decode, Encode, NetworkId, Reader, Refusal, Span};

/// The canonical body of `CreateClient`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The network that is followed.
    pub network: NetworkId,
    /// How long a key is believed after the youngest header accepted under it. Members who left keep
    /// shares that sign: it must be shorter than the time they are held to account for.
    pub trusting_period: Span,
    /// How far the followed network's clock may be ahead of ours.
    pub drift: Span,
}

impl Profile {
    /// Length of an encoded profile, in bytes.
    pub const LENGTH: usize = 32 + 8 + 8;
    /// Shortest and longest drift.
    pub const DRIFT: [Span; 2] = [Span::seconds(1), Span::seconds(60)];
    /// Shortest and longest trusting period: a minute is for trials, a year covers any committee.
    pub const TRUSTING: [Span; 2] = [Span::seconds(60), Span::seconds(366 * 86_400)];

    /// Checks the relations between the fields.
    ///
    /// # Errors
    /// [`Code::BadProfile`] with the bound that is broken.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        for (found, [shortest, longest]) in
            [(self.drift, Self::DRIFT), (self.trusting_period, Self::TRUSTING)]
        {
            if found < shortest {
                return Err(Refusal::new(Code::BadProfile).needed(shortest.get()).found(found.get()));
            }
            if found > longest {
                return Err(Refusal::new(Code::BadProfile).needed(longest.get()).found(found.get()));
            }
        }
        Ok(())
    }
}

impl Encode for Profile {
    fn encode(&self, out: &mut Vec<u8>) {
        self.network.encode(out);
        self.trusting_period.encode(out);
        self.drift.encode(out);
    }
}

impl Decode for Profile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            network: NetworkId::decode(reader)?,
            trusting_period: Span::decode(reader)?,
            drift: Span::decode(reader)?,
        })
    }
}
