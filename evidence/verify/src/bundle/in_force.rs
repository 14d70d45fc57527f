//! That a rule pack was in force: two proofs of the network, and the place in the list between them.
//!
//! The registry's leaf says which digest a name stands for; the `Standing` at the end of an epoch, that this leaf was
//! still the latest of its path. So the pack was in force from the time of the first leaf to that of the second.
//! Of any later time this says nothing.

use alloc::vec::Vec;
use zeugma_proof::MAX_PROOF;
use zeugma_proof::body::Neighbour;
use zeugma_types::codec::put_bytes;
use zeugma_types::{Decode, Encode, Reader, Refusal};

/// What shows that a pack was in force, read but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The proof file of the registry's leaf, with its opening.
    pub registered: Vec<u8>,
    /// The proof file of the standing, with its opening.
    pub standing: Vec<u8>,
    /// The registry's leaf in the list behind the standing.
    pub neighbour: Neighbour,
}

impl Encode for InForce {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.registered);
        put_bytes(out, &self.standing);
        self.neighbour.encode(out);
    }
}

impl Decode for InForce {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            registered: reader.bytes(MAX_PROOF)?.to_vec(),
            standing: reader.bytes(MAX_PROOF)?.to_vec(),
            neighbour: Neighbour::decode(reader)?,
        })
    }
}
