//! Second seals: signatures of single members, for chains that cannot check the certificate.
//!
//! A member signs `(purpose, network, era, header digest)` after it holds the finalization. A quorum of
//! the committee makes a seal; whoever signed is counted once.

use crate::committee::Committee;
use alloc::vec::Vec;
use zeugma_crypto::hash::framed;
use zeugma_crypto::tally::{Rule, Set, Tally};
use zeugma_types::codec::put_list;
use zeugma_types::{
    Code, Decode, Encode, Era, HeaderDigest, NetworkId, Purpose, Reader, Refusal, SealSuite, Weight,
};

/// Signatures of members over one header, all of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The signature suite.
    pub suite: SealSuite,
    /// Index of the member and its signature, ascending by index; the suite fixes the length.
    signatures: Vec<(u16, Vec<u8>)>,
}

impl Seal {
    /// # Errors
    /// [`Code::Empty`], [`Code::TooMany`]; [`Code::NotSorted`] unless the indices ascend (which also
    /// refuses one signer twice); [`Code::BadSignature`] for a signature of another length.
    pub fn new(suite: SealSuite, signatures: Vec<(u16, Vec<u8>)>) -> Result<Self, Refusal> {
        if signatures.is_empty() {
            return Err(Refusal::new(Code::Empty));
        }
        if signatures.len() > crate::MAX_MEMBERS {
            return Err(Refusal::new(Code::TooMany).needed(crate::MAX_MEMBERS).found(signatures.len()));
        }
        if signatures.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Refusal::new(Code::NotSorted));
        }
        let length = suite.signature_length();
        match signatures.iter().find(|(_, signature)| signature.len() != length) {
            Some((_, other)) => Err(Refusal::new(Code::BadSignature).needed(length).found(other.len())),
            None => Ok(Self { suite, signatures }),
        }
    }

    /// The digest that a member signs.
    #[must_use]
    pub fn digest(network: &NetworkId, era: Era, header: &HeaderDigest) -> [u8; 32] {
        framed(Purpose::Seal, &[network.as_bytes(), &era.get().to_be_bytes(), header.as_bytes()])
    }

    /// Checks that a quorum of `committee` signed this header.
    ///
    /// # Errors
    /// [`Code::UnknownSigner`] for an index outside the committee, [`Code::BadKey`] for a member without
    /// a key of the suite, [`Code::BadSignature`], [`Code::QuorumNotReached`].
    pub fn verify(
        &self,
        committee: &Committee,
        network: &NetworkId,
        era: Era,
        header: &HeaderDigest,
    ) -> Result<(), Refusal> {
        let set = Set::new(committee.members().iter().map(|member| (member.key, Weight::ONE)))?;
        let digest = Self::digest(network, era, header);
        let mut tally = Tally::new(&set, Rule::Simplex);
        for (index, signature) in &self.signatures {
            tally.add(usize::from(*index))?;
            let member = committee
                .members()
                .get(usize::from(*index))
                .ok_or_else(|| Refusal::new(Code::UnknownSigner).found(*index))?;
            let key = member
                .seal_key(self.suite)
                .ok_or_else(|| Refusal::new(Code::BadKey).needed(self.suite.name()).found(*index))?;
            zeugma_crypto::seal::verify(self.suite, key, &digest, signature)?;
        }
        tally.finish().map(|_| ())
    }
}

impl Encode for Seal {
    fn encode(&self, out: &mut Vec<u8>) {
        self.suite.encode(out);
        put_list(out, &self.signatures, |out, (index, signature)| {
            index.encode(out);
            out.extend_from_slice(signature);
        });
    }
}

impl Decode for Seal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let suite = SealSuite::decode(reader)?;
        let signatures = reader
            .list(crate::MAX_MEMBERS, |r| Ok((r.u16()?, r.take(suite.signature_length())?.to_vec())))?;
        Self::new(suite, signatures)
    }
}
