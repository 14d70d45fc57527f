//! ECDSA on secp256k1 and P-256, over SHA-256 or over a digest the caller computed.
//!
//! Guaranteed: `r` and `s` are in `1..n`; a key is a point of the curve, not infinity. Whether the
//! second form of a signature, `(r, n - s)`, counts is the caller's [`SPolicy`], never a default.
//! A signature has 64 bytes, `r ‖ s`; [`from_der`] reads the strict DER form and nothing looser, and a
//! recoverable signature has 65, `r ‖ s ‖ v` with `v` the parity of the commitment's `y`, 0 or 1.
//!
//! Signing is deterministic (RFC 6979) and always gives the low form.
//!
//! Source: SEC 1 version 2, sections 2.3, 4.1.4 and 4.1.6; FIPS 186-5; X.690, sections 8.3 and 10.

use ::k256::ecdsa::signature::hazmat::PrehashVerifier;
use core::fmt;
use zeroize::Zeroizing;
use zeugma_types::{Code, Purpose, Refusal};

use crate::hash::{framed, keccak256, sha256};

/// Whether `(r, n - s)` counts beside `(r, s)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SPolicy {
    /// Only `s <= n / 2`: one signature has one form. Seals, Fabric and Ethereum's transactions.
    LowOnly,
    /// Any `s`: what plain ECDSA says.
    Any,
}

/// Reads the strict DER form of a signature of a curve of 256 bits: a SEQUENCE of two INTEGERs, every
/// length in its shortest form, no leading zero that is not needed, nothing after.
///
/// # Errors
/// [`Code::NotCanonical`].
pub fn from_der(bytes: &[u8]) -> Result<[u8; 64], Refusal> {
    let refused = || Refusal::new(Code::NotCanonical);
    let body = match bytes {
        // Two integers of at most 35 bytes each: the length always fits one byte below 0x80.
        [0x30, length, body @ ..] if *length < 0x80 && usize::from(*length) == body.len() => body,
        _ => return Err(refused()),
    };
    let (r, body) = der_integer(body).ok_or_else(refused)?;
    let (s, rest) = der_integer(body).ok_or_else(refused)?;
    if !rest.is_empty() {
        return Err(refused());
    }
    Ok(joined(&r, &s))
}

/// The first INTEGER of `bytes`, not negative, of at most 32 bytes, and what follows it.
fn der_integer(bytes: &[u8]) -> Option<([u8; 32], &[u8])> {
    let [0x02, length, body @ ..] = bytes else { return None };
    let (number, rest) = body.split_at_checked(usize::from(*length))?;
    let digits = match number {
        [] => return None,
        [0] => number,
        [0, digits @ ..] if digits.first() >= Some(&0x80) => digits,
        [first, ..] if (1..0x80).contains(first) => number,
        // Negative, or a zero in front that is not needed.
        _ => return None,
    };
    let mut padded = [0; 32];
    padded.get_mut(32_usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    Some((padded, rest))
}

fn joined(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    let mut both = [0; 64];
    both[..32].copy_from_slice(r);
    both[32..].copy_from_slice(s);
    both
}

macro_rules! curve {
    ($(#[$doc:meta])* $curve:ident, $library:ident) => {
        $(#[$doc])*
        pub mod $curve {
            use super::*;
            use ::$library as library;
            use library::ecdsa::{Signature, SigningKey, VerifyingKey};

            /// A public key: a point of the curve, not infinity.
            #[derive(Clone, Copy, PartialEq, Eq)]
            pub struct PublicKey(VerifyingKey);

            impl PublicKey {
                /// Reads the compressed form.
                ///
                /// # Errors
                /// [`Code::BadKey`].
                pub fn parse(bytes: &[u8; 33]) -> Result<Self, Refusal> {
                    // SEC 1 readers also take 5, an `x` without a sign: a second form of the same key.
                    if !matches!(bytes[0], 2 | 3) {
                        return Err(Refusal::new(Code::BadKey).found(bytes[0]));
                    }
                    Self::from_sec1(bytes)
                }

                /// Reads the uncompressed form, `04 ‖ x ‖ y`.
                ///
                /// # Errors
                /// [`Code::BadKey`].
                pub fn parse_uncompressed(bytes: &[u8; 65]) -> Result<Self, Refusal> {
                    Self::from_sec1(bytes)
                }

                fn from_sec1(bytes: &[u8]) -> Result<Self, Refusal> {
                    VerifyingKey::from_sec1_bytes(bytes).map(Self).map_err(|_| Refusal::new(Code::BadKey))
                }

                /// The compressed form.
                #[must_use]
                pub fn to_bytes(&self) -> [u8; 33] {
                    let mut bytes = [0; 33];
                    bytes.copy_from_slice(self.0.to_sec1_point(true).as_bytes());
                    bytes
                }

                /// The uncompressed form.
                #[must_use]
                pub fn to_uncompressed(&self) -> [u8; 65] {
                    let mut bytes = [0; 65];
                    bytes.copy_from_slice(self.0.to_sec1_point(false).as_bytes());
                    bytes
                }

                /// Checks that `signature` is this key's over a message whose digest is `prehash`.
                ///
                /// # Errors
                /// [`Code::NotCanonical`] when `s` is high and the policy is [`SPolicy::LowOnly`],
                /// [`Code::BadSignature`].
                pub fn verify_prehash(
                    &self,
                    policy: SPolicy,
                    prehash: &[u8; 32],
                    signature: &[u8; 64],
                ) -> Result<(), Refusal> {
                    let signature = parse_signature(policy, signature)?;
                    self.0.verify_prehash(prehash, &signature).map_err(|_| Refusal::new(Code::BadSignature))
                }

                /// Checks that `signature` is this key's over the SHA-256 of `message`.
                ///
                /// # Errors
                /// As [`PublicKey::verify_prehash`].
                pub fn verify(
                    &self,
                    policy: SPolicy,
                    message: &[u8],
                    signature: &[u8; 64],
                ) -> Result<(), Refusal> {
                    self.verify_prehash(policy, &sha256(&[message]), signature)
                }
            }

            impl fmt::Debug for PublicKey {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($curve), "::PublicKey("))?;
                    self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                    f.write_str(")")
                }
            }

            /// The signature in its low form, after the policy was asked about the form it came in.
            fn parse_signature(policy: SPolicy, bytes: &[u8; 64]) -> Result<Signature, Refusal> {
                let signature = Signature::from_slice(bytes).map_err(|_| Refusal::new(Code::BadSignature))?;
                let low = signature.normalize_s();
                if policy == SPolicy::LowOnly && low != signature {
                    return Err(Refusal::new(Code::NotCanonical).needed("low s").found("high s"));
                }
                Ok(low)
            }

            /// A secret key. Erased when dropped; does not print.
            #[derive(Clone)]
            pub struct SecretKey(SigningKey);

            impl SecretKey {
                /// Reads a key as a big-endian number in `1..n`.
                ///
                /// # Errors
                /// [`Code::BadKey`].
                pub fn parse(bytes: &[u8; 32]) -> Result<Self, Refusal> {
                    SigningKey::from_slice(bytes).map(Self).map_err(|_| Refusal::new(Code::BadKey))
                }

                /// The key as 32 bytes, to be stored.
                #[must_use]
                pub fn expose(&self) -> Zeroizing<[u8; 32]> {
                    Zeroizing::new(self.0.to_bytes().into())
                }

                /// The public key.
                #[must_use]
                pub fn public(&self) -> PublicKey {
                    PublicKey(*self.0.verifying_key())
                }

                /// Signs the digest of `parts` framed by `purpose`: `r ‖ s ‖ v`, low `s`.
                #[must_use]
                pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 65] {
                    self.sign_digest(&framed(purpose, parts))
                }

                /// Signs what a foreign chain's member would sign, to make test vectors.
                #[cfg(any(test, feature = "test-utils"))]
                #[must_use]
                pub fn sign_foreign(&self, prehash: &[u8; 32]) -> [u8; 65] {
                    self.sign_digest(prehash)
                }

                fn sign_digest(&self, prehash: &[u8; 32]) -> [u8; 65] {
                    let (signature, recovery) = self.0.sign_prehash_recoverable(prehash);
                    let low = signature.normalize_s();
                    // The other root: `v` follows `s` when it is negated.
                    let flipped = u8::from(low != signature);
                    let mut bytes = [0; 65];
                    bytes[..64].copy_from_slice(&low.to_bytes());
                    bytes[64] = (recovery.to_byte() & 1) ^ flipped;
                    bytes
                }
            }

            impl fmt::Debug for SecretKey {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($curve), "::SecretKey(..)"))
                }
            }

            /// The key that made `signature`, `r ‖ s ‖ v`, over a message whose digest is `prehash`.
            ///
            /// Any signature in range has *some* key: the caller compares it with the one it expects.
            ///
            /// # Errors
            /// [`Code::NotCanonical`] for a `v` other than 0 and 1, and for a high `s` under
            /// [`SPolicy::LowOnly`]; [`Code::BadSignature`] when there is no such key.
            pub fn recover(
                policy: SPolicy,
                prehash: &[u8; 32],
                signature: &[u8; 65],
            ) -> Result<PublicKey, Refusal> {
                let [fixed @ .., v] = signature;
                let parity = match v {
                    0 | 1 => *v,
                    _ => return Err(Refusal::new(Code::NotCanonical).needed(1_u64).found(*v)),
                };
                let low = parse_signature(policy, fixed)?;
                let flipped = u8::from(low.to_bytes().as_slice() != fixed.as_slice());
                let refused = || Refusal::new(Code::BadSignature);
                let recovery = library::ecdsa::RecoveryId::from_byte(parity ^ flipped).ok_or_else(refused)?;
                VerifyingKey::recover_from_prehash(prehash, &low, recovery)
                    .map(PublicKey)
                    .map_err(|_| refused())
            }
        }
    };
}

curve!(
    /// The curve of Bitcoin and Ethereum (SEC 2, section 2.4.1).
    secp256k1, k256
);
curve!(
    /// The curve of Fabric and of most X.509 certificates (FIPS 186-5, P-256).
    p256, p256
);

impl secp256k1::PublicKey {
    /// The account of this key on an Ethereum-like chain: the last 20 bytes of the Keccak-256 of `x ‖ y`.
    #[must_use]
    pub fn address(&self) -> [u8; 20] {
        let [_, point @ ..] = self.to_uncompressed();
        let [_, _, _, _, _, _, _, _, _, _, _, _, address @ ..] = keccak256(&[&point]);
        address
    }
}

#[cfg(test)]
mod tests;
