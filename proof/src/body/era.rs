//! The hand-over from one era to the next.

use super::Said;
use crate::committee::Committee;
use crate::header::Outbox;
use alloc::vec::Vec;
use zeugma_types::{Code, Decode, Encode, Era, Height, LeafPath, Namespace, Purpose, Reader, Refusal};

/// The last leaf of an era: who certifies from now on, and the outbox just before this leaf.
///
/// The outbox it pins is what a retired key may still prove into, for a court: whoever stole retired
/// shares can sign new headers, but none whose outbox is the beginning of this one and says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The era that begins; at least 1.
    pub era: Era,
    /// Who certifies in it.
    pub committee: Committee,
    /// The height of the block that says this: the last of the old era.
    pub height: Height,
    /// The outbox just before this leaf.
    pub outbox: Outbox,
}

impl Said for Handover {
    const NAMESPACE: Namespace = Namespace::Handover;
    const PURPOSE: Purpose = Purpose::Handover;

    fn path(&self) -> LeafPath {
        LeafPath::handover(self.era)
    }
}

impl Encode for Handover {
    fn encode(&self, out: &mut Vec<u8>) {
        self.era.encode(out);
        self.committee.encode(out);
        self.height.encode(out);
        self.outbox.encode(out);
    }
}

impl Decode for Handover {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let era = Era::decode(reader)?;
        if era == Era::ZERO {
            return Err(Refusal::new(Code::OutOfRange).needed(1_u64).found(0_u64));
        }
        Ok(Self {
            era,
            committee: Committee::decode(reader)?,
            height: Height::decode(reader)?,
            outbox: Outbox::decode(reader)?,
        })
    }
}
