//! SM2 signatures over SM3, with the identifier of the signer.
//!
//! What is signed is `SM3(Z ‖ message)`, where `Z` binds the identifier, the curve and the key: the same
//! bytes under another identifier are another message. The identifier is a parameter;
//! [`DEFAULT_IDENTITY`] is the one of GM/T 0009, which FISCO BCOS and RFC 8998 use.
//!
//! A signature has 64 bytes, `r ‖ s`, both in `1..n`; a key is an uncompressed point, not infinity.
//! Signing is deterministic (RFC 6979 with SM3).
//!
//! Source: GB/T 32918.2-2016, sections 5.5, 6.1 and 7.1.

use ::sm2::dsa::signature::{Signer, Verifier};
use ::sm2::dsa::{Signature, SigningKey, VerifyingKey};
use ::sm2::elliptic_curve::sec1::ToSec1Point;
use core::fmt;
use zeroize::Zeroizing;
use zeugma_types::{Code, Purpose, Refusal};

use crate::hash::framed;

/// The identifier of a signer that has no other.
pub const DEFAULT_IDENTITY: &str = "1234567812345678";

/// Longest identifier, in bytes: `Z` holds its length in bits as 16 bits.
pub const MAX_IDENTITY: usize = 8_191;

/// A public key: a point of the curve, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(::sm2::PublicKey);

impl PublicKey {
    /// Reads the uncompressed form, `04 ‖ x ‖ y`.
    ///
    /// # Errors
    /// [`Code::BadKey`].
    pub fn parse(bytes: &[u8; 65]) -> Result<Self, Refusal> {
        ::sm2::PublicKey::from_sec1_bytes(bytes).map(Self).map_err(|_| Refusal::new(Code::BadKey))
    }

    /// Reads `x ‖ y`, the form without a tag that FISCO BCOS writes.
    ///
    /// # Errors
    /// [`Code::BadKey`].
    pub fn parse_untagged(bytes: &[u8; 64]) -> Result<Self, Refusal> {
        let mut tagged = [4; 65];
        tagged[1..].copy_from_slice(bytes);
        Self::parse(&tagged)
    }

    /// The uncompressed form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes.copy_from_slice(self.0.to_sec1_point(false).as_bytes());
        bytes
    }

    /// Checks that `signature` is this key's over `message`, under `identity`.
    ///
    /// # Errors
    /// [`Code::TooLong`] for an identifier above [`MAX_IDENTITY`], [`Code::BadSignature`].
    pub fn verify(&self, identity: &str, message: &[u8], signature: &[u8; 64]) -> Result<(), Refusal> {
        let refused = |_| Refusal::new(Code::BadSignature);
        bound(identity)?;
        let signature = Signature::from_slice(signature).map_err(refused)?;
        let key = VerifyingKey::new(identity, self.0).map_err(refused)?;
        key.verify(message, &signature).map_err(refused)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sm2::PublicKey(")?;
        self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// A secret key. Erased when dropped; does not print.
#[derive(Clone)]
pub struct SecretKey(::sm2::SecretKey);

impl SecretKey {
    /// Reads a key as a big-endian number in `1..n-1`.
    ///
    /// # Errors
    /// [`Code::BadKey`]. The number `n - 1` is refused too: it has no signatures.
    pub fn parse(bytes: &[u8; 32]) -> Result<Self, Refusal> {
        let key = ::sm2::SecretKey::from_slice(bytes).map_err(|_| Refusal::new(Code::BadKey))?;
        let plus_one = *key.to_nonzero_scalar() + ::sm2::Scalar::ONE;
        if bool::from(::sm2::elliptic_curve::Field::is_zero(&plus_one)) {
            return Err(Refusal::new(Code::BadKey));
        }
        Ok(Self(key))
    }

    /// The key as 32 bytes, to be stored.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key())
    }

    /// Signs the digest of `parts` framed by `purpose`, under [`DEFAULT_IDENTITY`].
    ///
    /// # Errors
    /// [`Code::BadSignature`] in one case of 2^256, where the deterministic nonce gives no signature.
    pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> Result<[u8; 64], Refusal> {
        self.sign_bytes(DEFAULT_IDENTITY, &framed(purpose, parts))
    }

    /// Signs what a foreign chain's member would sign, to make test vectors.
    ///
    /// # Errors
    /// As [`SecretKey::sign`]; [`Code::TooLong`] for an identifier above [`MAX_IDENTITY`].
    #[cfg(any(test, feature = "test-utils"))]
    pub fn sign_foreign(&self, identity: &str, message: &[u8]) -> Result<[u8; 64], Refusal> {
        self.sign_bytes(identity, message)
    }

    fn sign_bytes(&self, identity: &str, message: &[u8]) -> Result<[u8; 64], Refusal> {
        let refused = |_| Refusal::new(Code::BadSignature);
        bound(identity)?;
        let key = SigningKey::new(identity, &self.0).map_err(refused)?;
        Ok(key.try_sign(message).map_err(refused)?.to_bytes().into())
    }
}

fn bound(identity: &str) -> Result<(), Refusal> {
    if identity.len() > MAX_IDENTITY {
        return Err(Refusal::new(Code::TooLong).needed(MAX_IDENTITY).found(identity.len()));
    }
    Ok(())
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sm2::SecretKey(..)")
    }
}

#[cfg(test)]
mod tests;
