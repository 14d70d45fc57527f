//! A substitute key, for the day a committee has lost its quorum.
//!
//! Institutions that a destination client named when it was created sign who certifies next. It counts
//! only after the present key's trusting period ran out plus a delay, and any certificate of the present
//! key meanwhile cancels it: a lost quorum locks no escrow, and the institutions alone empty none. The
//! times are the client's to check.

use crate::committee::Committee;
use crate::header::Outbox;
use crate::institution::{Institutions, Signatures};
use alloc::vec::Vec;
use zeugma_crypto::hash::framed;
use zeugma_types::{Decode, Encode, Era, NetworkId, Purpose, Reader, Refusal};

/// Who certifies when the present committee no longer can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// The network.
    pub network: NetworkId,
    /// The era that begins: the one after the lost era.
    pub era: Era,
    /// Who certifies in it.
    pub committee: Committee,
    /// The last outbox of the lost era that the institutions stand for.
    pub outbox: Outbox,
    /// Signatures of institutions over [`Substitute::digest`].
    pub signatures: Signatures,
}

impl Substitute {
    /// What the institutions sign: all but the signatures.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        framed(Purpose::Substitute, &[&self.unsigned()])
    }

    /// Checks that enough of the institutions signed.
    ///
    /// # Errors
    /// As [`Institutions::verify`].
    pub fn verify(&self, institutions: &Institutions) -> Result<(), Refusal> {
        institutions.verify(&self.digest(), &self.signatures)
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.network.encode(&mut out);
        self.era.encode(&mut out);
        self.committee.encode(&mut out);
        self.outbox.encode(&mut out);
        out
    }
}

impl Encode for Substitute {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.unsigned());
        self.signatures.encode(out);
    }
}

impl Decode for Substitute {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            network: NetworkId::decode(reader)?,
            era: Era::decode(reader)?,
            committee: Committee::decode(reader)?,
            outbox: Outbox::decode(reader)?,
            signatures: Signatures::decode(reader)?,
        })
    }
}
