//! The committee's certificate: one threshold signature, 48 bytes whatever the number of members.
//!
//! It is the finalization of simplex. Signed are, in the engine's own encoding,
//! `varint(length) ‖ namespace ‖ "_FINALIZE" ‖ varint epoch ‖ varint view ‖ varint parent view ‖
//! payload`, where the varint is unsigned LEB128 in its shortest form, the length counts namespace and
//! suffix, the namespace is `zeugma.finalize.1` and the network id, and the payload is the header's
//! digest. Votes to notarize and to nullify have other suffixes and are never certificates.
//!
//! Source: commonware-consensus 2026.10, `simplex::scheme`; BLS signatures draft 05, proof of
//! possession scheme, signatures in G1; `docs/byte-layout.md`, section 5.

use crate::committee::GroupKey;
use alloc::vec::Vec;
use zeugma_crypto::bls::Ciphersuite;
use zeugma_types::{Decode, Encode, Epoch, HeaderDigest, NetworkId, Purpose, Reader, Refusal, View};

/// Appended to the namespace by the engine for votes to finalize.
const SUFFIX: &[u8] = b"_FINALIZE";

/// A certificate over the digest of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The engine's epoch.
    pub epoch: Epoch,
    /// The view that finalized.
    pub view: View,
    /// The view of the parent in that view's proposal.
    pub parent_view: View,
    /// Compressed point of G1: the group's signature.
    pub signature: [u8; 48],
}

impl Certificate {
    /// Length of an encoded certificate, in bytes.
    pub const LENGTH: usize = 3 * 8 + 48;

    /// The namespace that the engine of `network` signs under.
    #[must_use]
    pub fn namespace(network: &NetworkId) -> Vec<u8> {
        let mut namespace = Purpose::Certificate.domain().as_bytes().to_vec();
        namespace.extend_from_slice(network.as_bytes());
        namespace
    }

    /// The bytes that the group signs.
    #[must_use]
    pub fn signed_bytes(&self, network: &NetworkId, digest: &HeaderDigest) -> Vec<u8> {
        let namespace = Self::namespace(network);
        let mut signed = Vec::with_capacity(128);
        put_varint(&mut signed, (namespace.len() + SUFFIX.len()) as u64);
        signed.extend_from_slice(&namespace);
        signed.extend_from_slice(SUFFIX);
        put_varint(&mut signed, self.epoch.get());
        put_varint(&mut signed, self.view.get());
        put_varint(&mut signed, self.parent_view.get());
        signed.extend_from_slice(digest.as_bytes());
        signed
    }

    /// Checks that the group signed this header digest in this view.
    ///
    /// # Errors
    /// [`zeugma_types::Code::BadSignature`].
    pub fn verify(&self, key: &GroupKey, network: &NetworkId, digest: &HeaderDigest) -> Result<(), Refusal> {
        key.parsed().verify(
            Ciphersuite::ProofOfPossession,
            &self.signed_bytes(network, digest),
            &self.signature,
        )
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

impl Encode for Certificate {
    fn encode(&self, out: &mut Vec<u8>) {
        self.epoch.encode(out);
        self.view.encode(out);
        self.parent_view.encode(out);
        self.signature.encode(out);
    }
}

impl Decode for Certificate {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            epoch: Epoch::decode(reader)?,
            view: View::decode(reader)?,
            parent_view: View::decode(reader)?,
            signature: reader.array()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finalization that the engine's own library made with a dealt key of 3 of 4, epoch 3, view 300.
    #[test]
    fn a_finalization_of_the_engine_is_a_certificate() {
        let key = "ab90269b8c637ff87305bbd3d266e8e3ca0dd32a1cb5ba8d07e79d8ed3482cf778a46e9f6d289cdd6c5ca5c38abcf3c30c652bb2efc8812710ed75f3d23aaefd9383af5e4def279f2073ee0f0f5996f2380c5ffda18f99e617bdc973e00b441f";
        let signature = "96c88170b83d69890547fb678123988fb6bca69b2a177f544d984aaf65b13c378c584035da980fe95fc2e2b13698f7a9";
        let payload = "1e0584a25d9f43bf5cbd0aec01eb1af2220ed085b4e7f1837b0d89958cae353a";
        let bytes = |text: &str| hex::decode(text).unwrap();
        let key = GroupKey::parse(&bytes(key).try_into().unwrap()).unwrap();
        let network = NetworkId::new([0x5a; 32]);
        let digest = HeaderDigest::new(bytes(payload).try_into().unwrap());
        let certificate = Certificate {
            epoch: Epoch::new(3),
            view: View::new(300),
            parent_view: View::new(298),
            signature: bytes(signature).try_into().unwrap(),
        };
        certificate.verify(&key, &network, &digest).unwrap();
        let other = Certificate { view: View::new(301), ..certificate };
        other.verify(&key, &network, &digest).unwrap_err();
        certificate.verify(&key, &NetworkId::new([0; 32]), &digest).unwrap_err();
    }

    #[test]
    fn varints_are_the_shortest() {
        for (number, bytes) in [
            (0, &[0_u8][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            assert_eq!(out, bytes);
        }
    }
}
