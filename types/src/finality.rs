//! How a foreign fact became final. It travels with the fact and is shown wherever the fact is used.

use crate::codec::{Decode, Encode, Reader};
use crate::refusal::{Code, Refusal};
use alloc::vec::Vec;
use core::fmt;

/// The reason to believe that a foreign fact will not be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinalityClass {
    /// A quorum of the chain's own committee signed it.
    CommitteeQuorum,
    /// Proof of work of that many blocks lies on it, its own block counted.
    WorkDepth {
        /// Blocks, at least 1.
        depth: u32,
    },
    /// That many of a fixed group attested it.
    Attested {
        /// Distinct attesters needed.
        threshold: u16,
        /// Attesters in the group.
        group: u16,
    },
    /// One gateway of the chain vouches for it.
    Gateway,
}

impl fmt::Display for FinalityClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommitteeQuorum => f.write_str("committee-quorum"),
            Self::WorkDepth { depth } => write!(f, "work-depth-{depth}"),
            Self::Attested { threshold, group } => write!(f, "attested-{threshold}-of-{group}"),
            Self::Gateway => f.write_str("gateway"),
        }
    }
}

impl Encode for FinalityClass {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::CommitteeQuorum => out.push(1),
            Self::WorkDepth { depth } => {
                out.push(2);
                depth.encode(out);
            }
            Self::Attested { threshold, group } => {
                out.push(3);
                threshold.encode(out);
                group.encode(out);
            }
            Self::Gateway => out.push(4),
        }
    }
}

impl Decode for FinalityClass {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::CommitteeQuorum),
            2 => match reader.u32()? {
                0 => Err(Refusal::new(Code::OutOfRange).needed(1_u64).found(0_u64)),
                depth => Ok(Self::WorkDepth { depth }),
            },
            3 => {
                let (threshold, group) = (reader.u16()?, reader.u16()?);
                if threshold == 0 || threshold > group {
                    return Err(Refusal::new(Code::OutOfRange).needed(group).found(threshold));
                }
                Ok(Self::Attested { threshold, group })
            }
            4 => Ok(Self::Gateway),
            tag => Err(Refusal::new(Code::UnknownTag).found(tag)),
        }
    }
}
