//! Validators' keys: Ed25519 and secp256k1. Every other kind is refused by name.
//!
//! Source: CometBFT `crypto/ed25519` (ZIP 215 since Tendermint 0.35), `crypto/secp256k1` (SHA-256, low
//! `s`), `proto/.../crypto/keys.proto` (fields 3 and 4 exist since 1.0 and are not followed).

use crate::proto::{self, Fields};
use alloc::vec::Vec;
use ripemd::Digest;
use zeugma_crypto::ecdsa::{SPolicy, secp256k1};
use zeugma_crypto::ed25519;
use zeugma_crypto::hash::sha256;
use zeugma_types::{Code, Refusal};

/// Names a validator: 20 bytes derived from its key.
pub type Address = [u8; 20];

/// A validator's public key, as the validator set's hash commits to it.
///
/// Whether the bytes are a point of the curve is found out when the key verifies: the hash pins the
/// bytes of those that do not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PublicKey {
    /// Ed25519.
    Ed25519([u8; 32]),
    /// ECDSA on secp256k1, compressed.
    Secp256k1([u8; 33]),
}

impl PublicKey {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 98;

    /// The address: the first 20 bytes of the key's SHA-256, or for secp256k1 the RIPEMD-160 of it.
    #[must_use]
    pub fn address(&self) -> Address {
        match self {
            Self::Ed25519(key) => {
                let mut address = [0; 20];
                address.copy_from_slice(&sha256(&[key])[..20]);
                address
            }
            Self::Secp256k1(key) => ripemd::Ripemd160::digest(sha256(&[key])).into(),
        }
    }

    /// Reads a `PublicKey`.
    ///
    /// # Errors
    /// [`Code::RefusedAlgorithm`] for another kind of key, [`Code::BadKey`] for another length.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let key = match fields.peek()? {
            Some(1) => Self::Ed25519(exactly(fields.required(1, Self::MAX_BYTES)?)?),
            Some(2) => Self::Secp256k1(exactly(fields.required(2, Self::MAX_BYTES)?)?),
            Some(3) => return Err(refused("bls12381")),
            Some(4) => return Err(refused("secp256k1eth")),
            Some(_) => return Err(refused("unknown")),
            None => return Err(Refusal::new(Code::Empty).needed("a key").found("none")),
        };
        fields.finish()?;
        Ok(key)
    }

    /// Appends a `PublicKey`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ed25519(key) => proto::put_always(out, 1, key),
            Self::Secp256k1(key) => proto::put_always(out, 2, key),
        }
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Refusal> {
    bytes.try_into().map_err(|_| Refusal::new(Code::BadKey).needed(N).found(bytes.len()))
}

fn refused(kind: &'static str) -> Refusal {
    Refusal::new(Code::RefusedAlgorithm).needed("ed25519 or secp256k1").found(kind)
}

/// One signature over one message, to be verified with others.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Whose signature.
    pub key: &'a PublicKey,
    /// Over what.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a [u8; 64],
}

/// Verifies all signatures: those of Ed25519 in one batch, which decides as one by one would.
///
/// # Errors
/// [`Code::BadKey`], [`Code::BadSignature`]; [`Code::NotCanonical`] for the second form of an ECDSA
/// signature.
pub fn verify_all(signatures: &[Signed<'_>]) -> Result<(), Refusal> {
    let mut batch = Vec::with_capacity(signatures.len());
    for signed in signatures {
        match signed.key {
            PublicKey::Ed25519(key) => batch.push((ed25519::PublicKey::parse(key)?, signed)),
            PublicKey::Secp256k1(key) => {
                secp256k1::PublicKey::parse(key)?.verify(
                    SPolicy::LowOnly,
                    signed.message,
                    signed.signature,
                )?;
            }
        }
    }
    let items: Vec<_> = batch
        .iter()
        .map(|(key, signed)| ed25519::Item { key, message: signed.message, signature: signed.signature })
        .collect();
    ed25519::verify_batch(&items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn an_ed25519_address_is_the_front_of_the_key_s_sha_256() {
        let key = [7; 32];
        assert_eq!(PublicKey::Ed25519(key).address(), sha256(&[&key])[..20]);
    }

    #[test]
    fn a_secp256k1_address_is_the_one_bitcoin_would_give() {
        // The generator: address 1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH without its checksum.
        let mut key = [0; 33];
        key[0] = 2;
        key[1..].copy_from_slice(&[
            0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
            0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
        ]);
        let expected = [
            0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3, 0xa3, 0x23,
            0xf1, 0x43, 0x3b, 0xd6,
        ];
        assert_eq!(PublicKey::Secp256k1(key).address(), expected);
    }

    #[test]
    fn other_kinds_of_keys_are_refused_by_name() {
        let bls = [vec![0x1a, 48], vec![1; 48]].concat();
        let refusal = PublicKey::decode(&bls).unwrap_err();
        assert_eq!(refusal, refused("bls12381"));
        assert_eq!(PublicKey::decode(&[]).unwrap_err().code, Code::Empty);
        assert_eq!(PublicKey::decode(&[0x0a, 1, 9]).unwrap_err().code, Code::BadKey);
    }

    #[test]
    fn a_key_encodes_as_it_was_read() {
        for key in [PublicKey::Ed25519([3; 32]), PublicKey::Secp256k1([2; 33])] {
            let mut bytes = vec![];
            key.encode(&mut bytes);
            assert_eq!(PublicKey::decode(&bytes).unwrap(), key);
        }
    }
}
