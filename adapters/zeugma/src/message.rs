//! What a relayer brings.

use alloc::vec::Vec;
use zeugma_proof::{Certificate, Endorsement, Header, Inclusion, Leaf, MAX_PROOF, Proof};
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

/// Most hand-overs of one update. A client further behind is updated in steps.
pub(crate) const MAX_HANDOVERS: usize = 4;

/// A header and its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The header.
    pub header: Header,
    /// The certificate over its digest.
    pub certificate: Certificate,
}

/// Moves a client to a header, over the hand-overs in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Proofs of `Handover` leaves with their bodies, from the client's latest era on.
    pub handovers: Vec<Proof>,
    /// The header to believe.
    pub target: Certified,
}

/// Two headers that one committee cannot both have certified honestly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// One header.
    pub one: Certified,
    /// The other.
    pub other: Certified,
}

/// A leaf in the outbox of a trusted header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafProof {
    /// The leaf.
    pub leaf: Leaf,
    /// Where it stands.
    pub inclusion: Inclusion,
}

impl Encode for Certified {
    fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        self.certificate.encode(out);
    }
}

impl Decode for Certified {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { header: Header::decode(reader)?, certificate: Certificate::decode(reader)? })
    }
}

impl Encode for Update {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.handovers, |out, proof| put_bytes(out, &proof.to_bytes()));
        self.target.encode(out);
    }
}

impl Decode for Update {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let handovers = reader.list(MAX_HANDOVERS, |r| {
            let proof = Proof::from_bytes(r.bytes(MAX_PROOF)?)?;
            match proof.endorsement {
                Endorsement::Certificate(_) => Ok(proof),
                Endorsement::Seal(_) => Err(Refusal::new(Code::UnsupportedSuite)),
            }
        })?;
        Ok(Self { handovers, target: Certified::decode(reader)? })
    }
}

impl Encode for Evidence {
    fn encode(&self, out: &mut Vec<u8>) {
        self.one.encode(out);
        self.other.encode(out);
    }
}

impl Decode for Evidence {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { one: Certified::decode(reader)?, other: Certified::decode(reader)? })
    }
}

impl Encode for LeafProof {
    fn encode(&self, out: &mut Vec<u8>) {
        self.leaf.encode(out);
        self.inclusion.encode(out);
    }
}

impl Decode for LeafProof {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { leaf: Leaf::decode(reader)?, inclusion: Inclusion::decode(reader)? })
    }
}
