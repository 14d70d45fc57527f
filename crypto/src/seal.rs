//! The second seal: one signature of a committee's member, in a suite that the destination can check.
//!
//! One dispatch over [`SealSuite`]. Each suite has one form of a signature and no other: for secp256k1
//! that is `r ‖ s ‖ v` with low `s`, `v` 0 or 1, and a recovered signer equal to the key; for SM2
//! `r ‖ s` under [`sm2::DEFAULT_IDENTITY`]; for ML-DSA-44 the empty context. What is signed is a digest
//! that [`zeugma_types::Purpose::Seal`] frames.

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeugma_types::{Code, Purpose, Refusal, SealSuite};

use crate::ecdsa::{SPolicy, secp256k1};
use crate::{mldsa44, sm2};

/// Checks that `signature` is over `digest` and by `key`.
///
/// # Errors
/// [`Code::BadKey`]; [`Code::BadSignature`], also for another length and for another form than the suite's
/// one.
pub fn verify(suite: SealSuite, key: &[u8], digest: &[u8; 32], signature: &[u8]) -> Result<(), Refusal> {
    PublicKey::parse(suite, key)?.verify(digest, signature)
}

/// A member's key of any suite, parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A compressed point.
    Secp256k1(secp256k1::PublicKey),
    /// An uncompressed point.
    Sm2(sm2::PublicKey),
    /// With its matrix expanded.
    MlDsa44(Box<mldsa44::PublicKey>),
}

impl PublicKey {
    /// Reads a key of `suite`.
    ///
    /// # Errors
    /// [`Code::BadKey`], also for another length.
    pub fn parse(suite: SealSuite, bytes: &[u8]) -> Result<Self, Refusal> {
        let wrong = |_| Refusal::new(Code::BadKey).needed(suite.key_length()).found(bytes.len());
        match suite {
            SealSuite::Secp256k1 => {
                secp256k1::PublicKey::parse(bytes.try_into().map_err(wrong)?).map(Self::Secp256k1)
            }
            SealSuite::Sm2 => sm2::PublicKey::parse(bytes.try_into().map_err(wrong)?).map(Self::Sm2),
            SealSuite::MlDsa44 => {
                Ok(Self::MlDsa44(Box::new(mldsa44::PublicKey::parse(bytes.try_into().map_err(wrong)?))))
            }
        }
    }

    /// The suite of this key.
    #[must_use]
    pub const fn suite(&self) -> SealSuite {
        match self {
            Self::Secp256k1(_) => SealSuite::Secp256k1,
            Self::Sm2(_) => SealSuite::Sm2,
            Self::MlDsa44(_) => SealSuite::MlDsa44,
        }
    }

    /// The bytes it was read from.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Secp256k1(key) => key.to_bytes().into(),
            Self::Sm2(key) => key.to_bytes().into(),
            Self::MlDsa44(key) => key.to_bytes().into(),
        }
    }

    /// Checks that `signature` is this key's over `digest`.
    ///
    /// # Errors
    /// [`Code::BadSignature`], also for another length and for another form than the suite's one.
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> Result<(), Refusal> {
        let needed = self.suite().signature_length();
        let wrong = |_| Refusal::new(Code::BadSignature).needed(needed).found(signature.len());
        match self {
            Self::Secp256k1(key) => {
                let signature = signature.try_into().map_err(wrong)?;
                // Another form of a right signature (a high s, another v) is no signature of a seal.
                match secp256k1::recover(SPolicy::LowOnly, digest, signature) {
                    Ok(signer) if signer == *key => Ok(()),
                    _ => Err(Refusal::new(Code::BadSignature)),
                }
            }
            Self::Sm2(key) => key.verify(sm2::DEFAULT_IDENTITY, digest, signature.try_into().map_err(wrong)?),
            Self::MlDsa44(key) => key.verify(&[], digest, signature.try_into().map_err(wrong)?),
        }
    }
}

/// A member's secret key of any suite. Erased when dropped; does not print.
#[derive(Clone, Debug)]
pub enum SecretKey {
    /// ECDSA over secp256k1.
    Secp256k1(secp256k1::SecretKey),
    /// SM2 with SM3.
    Sm2(sm2::SecretKey),
    /// ML-DSA-44.
    MlDsa44(Box<mldsa44::SecretKey>),
}

impl SecretKey {
    /// Reads the 32 secret bytes of a key of `suite`: a number for the curves, a seed for ML-DSA-44.
    ///
    /// # Errors
    /// [`Code::BadKey`] for a number that is zero or not below the group order.
    pub fn parse(suite: SealSuite, bytes: &[u8; 32]) -> Result<Self, Refusal> {
        match suite {
            SealSuite::Secp256k1 => secp256k1::SecretKey::parse(bytes).map(Self::Secp256k1),
            SealSuite::Sm2 => sm2::SecretKey::parse(bytes).map(Self::Sm2),
            SealSuite::MlDsa44 => Ok(Self::MlDsa44(Box::new(mldsa44::SecretKey::from_seed(bytes)))),
        }
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Secp256k1(key) => PublicKey::Secp256k1(key.public()),
            Self::Sm2(key) => PublicKey::Sm2(key.public()),
            Self::MlDsa44(key) => PublicKey::MlDsa44(Box::new(key.public())),
        }
    }

    /// Signs the digest of `parts` framed by [`Purpose::Seal`].
    ///
    /// # Errors
    /// [`Code::BadSignature`], as [`sm2::SecretKey::sign`].
    pub fn sign_seal(&self, parts: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        Ok(match self {
            Self::Secp256k1(key) => key.sign(Purpose::Seal, parts).into(),
            Self::Sm2(key) => key.sign(Purpose::Seal, parts)?.into(),
            Self::MlDsa44(key) => key.sign(Purpose::Seal, parts).into(),
        })
    }
}

#[cfg(test)]
mod tests;
