//! BLS signatures on BLS12-381, on the `blst` library.
//!
//! [`min_sig`] has 48-byte signatures in G1 and 96-byte keys in G2: our certificates. [`min_pk`] has
//! them the other way round: Ethereum's sync committees. The domain is a parameter, [`Ciphersuite`].
//!
//! Guaranteed: a [`min_sig::PublicKey`] is a point of the curve, of the prime-order subgroup, not
//! infinity, and its encoding is the compressed one with coordinates below the modulus. A signature is
//! checked for the same before the pairing. A parsed key keeps its affine point, so what `parse` costs
//! is paid once. A verification runs on the caller's thread.
//!
//! Aggregation by [`min_pk::PublicKey::verify_aggregate`] and [`min_pk::Group`] is only sound for keys
//! whose owners proved possession of the secret: the caller trusts the set that they come from.
//!
//! Source: draft-irtf-cfrg-bls-signature-06, sections 2 and 4; RFC 9380 for the hash to the curve.

use alloc::vec::Vec;
use blst::{BLST_ERROR, Pairing, blst_p1_affine, blst_p2_affine};
use core::fmt;
use zeroize::Zeroizing;
use zeugma_types::{Code, Purpose, Refusal};

use crate::hash::framed;

/// The domain a message is hashed to the curve in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ciphersuite {
    /// `NUL`: distinct messages, no proof of possession.
    Basic,
    /// `POP`: keys come with a proof of possession. Ethereum and simplex certificates use it.
    ProofOfPossession,
}

impl Ciphersuite {
    const fn in_g1(self) -> &'static [u8] {
        match self {
            Self::Basic => b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_",
            Self::ProofOfPossession => b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_",
        }
    }

    const fn in_g2(self) -> &'static [u8] {
        match self {
            Self::Basic => b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_",
            Self::ProofOfPossession => b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_",
        }
    }
}

macro_rules! variant {
    (
        $(#[$doc:meta])* $variant:ident,
        domain $domain:ident,
        key $key_length:literal $key_point:ident,
        signature $signature_length:literal,
        minus $minus_generator:ident,
        product $product:ident
    ) => {
        $(#[$doc])*
        pub mod $variant {
            use super::*;
            use blst::$variant as curve;

            /// Length of a public key.
            pub const KEY_LENGTH: usize = $key_length;
            /// Length of a signature.
            pub const SIGNATURE_LENGTH: usize = $signature_length;

            /// A public key that was parsed and found to be in the subgroup.
            #[derive(Clone, Copy, PartialEq, Eq)]
            pub struct PublicKey(curve::PublicKey);

            impl PublicKey {
                /// Reads a key.
                ///
                /// # Errors
                /// [`Code::BadKey`] for an encoding that is not the canonical compressed one, a point off
                /// the curve or outside the subgroup, and infinity.
                pub fn parse(bytes: &[u8; KEY_LENGTH]) -> Result<Self, Refusal> {
                    curve::PublicKey::key_validate(bytes)
                        .map(Self)
                        .map_err(|_| Refusal::new(Code::BadKey))
                }

                /// The canonical encoding.
                #[must_use]
                pub fn to_bytes(&self) -> [u8; KEY_LENGTH] {
                    self.0.compress()
                }

                /// Checks that `signature` is this key's over `message`.
                ///
                /// # Errors
                /// [`Code::BadSignature`].
                pub fn verify(
                    &self,
                    ciphersuite: Ciphersuite,
                    message: &[u8],
                    signature: &[u8; SIGNATURE_LENGTH],
                ) -> Result<(), Refusal> {
                    let signature = curve::Signature::sig_validate(signature, true).map_err(bad_signature)?;
                    pairs(ciphersuite, message, &self.0, &signature)
                }

                /// Checks that `signature` is the aggregate of the signatures of all `keys` over one
                /// `message`. A key that is listed twice must have signed twice.
                ///
                /// The caller knows that the owner of each key proved possession of its secret.
                ///
                /// # Errors
                /// [`Code::EmptySet`] without keys, [`Code::BadSignature`] otherwise, also when the keys
                /// add up to infinity.
                pub fn verify_aggregate<'a>(
                    ciphersuite: Ciphersuite,
                    keys: impl IntoIterator<Item = &'a Self>,
                    message: &[u8],
                    signature: &[u8; SIGNATURE_LENGTH],
                ) -> Result<(), Refusal> {
                    let mut keys = keys.into_iter();
                    let first = keys.next().ok_or_else(|| Refusal::new(Code::EmptySet))?;
                    let mut sum = curve::AggregatePublicKey::from_public_key(&first.0);
                    for key in keys {
                        sum.add_public_key(&key.0, false).map_err(bad_signature)?;
                    }
                    let signature = curve::Signature::sig_validate(signature, true).map_err(bad_signature)?;
                    pairs(ciphersuite, message, &sum.to_public_key(), &signature)
                }
            }

            /// Keys that sign one message together, with their sum: a message that nearly all of them
            /// signed costs as few additions as one that few of them signed.
            #[derive(Clone)]
            pub struct Group {
                keys: Vec<PublicKey>,
                sum: curve::AggregatePublicKey,
            }

            impl Group {
                /// The group of `keys`, by position. A key may have several positions.
                ///
                /// The caller knows that the owner of each key proved possession of its secret.
                ///
                /// # Errors
                /// [`Code::EmptySet`].
                pub fn new(keys: Vec<PublicKey>) -> Result<Self, Refusal> {
                    let sum = sum(keys.iter())?.ok_or_else(|| Refusal::new(Code::EmptySet))?;
                    Ok(Self { keys, sum })
                }

                /// The keys, by position; at least one.
                #[must_use]
                pub fn keys(&self) -> &[PublicKey] {
                    &self.keys
                }

                /// Checks that `signature` is the aggregate of the signatures over one `message` of the
                /// keys whose position in `signed` is true.
                ///
                /// # Errors
                /// [`Code::UnknownSigner`] when `signed` has not one entry for each key,
                /// [`Code::EmptySet`] when nobody signed, [`Code::BadSignature`] otherwise, also when the
                /// keys add up to infinity.
                pub fn verify(
                    &self,
                    ciphersuite: Ciphersuite,
                    signed: &[bool],
                    message: &[u8],
                    signature: &[u8; SIGNATURE_LENGTH],
                ) -> Result<(), Refusal> {
                    if signed.len() != self.keys.len() {
                        let unknown = Refusal::new(Code::UnknownSigner);
                        return Err(unknown.needed(self.keys.len()).found(signed.len()));
                    }
                    let present = signed.iter().filter(|signed| **signed).count();
                    if present == 0 {
                        return Err(Refusal::new(Code::EmptySet));
                    }
                    let those = |wanted: bool| {
                        let pairs = self.keys.iter().zip(signed);
                        pairs.filter(move |(_, signed)| **signed == wanted).map(|(key, _)| key)
                    };
                    let key = if present > signed.len() / 2 {
                        match sum(those(false))?.as_ref().map(negated).transpose()?.flatten() {
                            None => self.sum,
                            Some(minus_absent) => {
                                let mut sum = self.sum;
                                sum.add_public_key(&minus_absent, false).map_err(bad_signature)?;
                                sum
                            }
                        }
                    } else {
                        sum(those(true))?.ok_or_else(|| Refusal::new(Code::EmptySet))?
                    };
                    let signature = curve::Signature::sig_validate(signature, true).map_err(bad_signature)?;
                    pairs(ciphersuite, message, &key.to_public_key(), &signature)
                }
            }

            impl fmt::Debug for Group {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!(stringify!($variant), "::Group of {}"), self.keys.len())
                }
            }

            /// The sum of the keys, or `None` without keys.
            fn sum<'a>(
                mut keys: impl Iterator<Item = &'a PublicKey>,
            ) -> Result<Option<curve::AggregatePublicKey>, Refusal> {
                let Some(first) = keys.next() else { return Ok(None) };
                let mut sum = curve::AggregatePublicKey::from_public_key(&first.0);
                for key in keys {
                    sum.add_public_key(&key.0, false).map_err(bad_signature)?;
                }
                Ok(Some(sum))
            }

            /// The inverse of a point, or `None` for infinity.
            fn negated(point: &curve::AggregatePublicKey) -> Result<Option<curve::PublicKey>, Refusal> {
                let mut bytes = point.to_public_key().serialize();
                if bytes[0] & INFINITY != 0 {
                    return Ok(None);
                }
                let half = bytes.len() / 2;
                negate_coordinate(&mut bytes[half..]);
                curve::PublicKey::deserialize(&bytes).map(Some).map_err(bad_signature)
            }

            impl fmt::Debug for PublicKey {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($variant), "::PublicKey("))?;
                    self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                    f.write_str(")")
                }
            }

            /// Whether `e(hash(message), key) = e(signature, generator)`, or the same with the groups
            /// swapped, as one product of two pairings that share their squarings.
            fn pairs(
                ciphersuite: Ciphersuite,
                message: &[u8],
                key: &curve::PublicKey,
                signature: &curve::Signature,
            ) -> Result<(), Refusal> {
                let minus_generator = curve::PublicKey::deserialize(&$minus_generator)
                    .expect("the constant is a point of the curve");
                let mut pairing = Pairing::new(true, ciphersuite.$domain());
                // No signature here (`&()`): it is the other pair. Both points are in their groups: the
                // key since it was parsed, the signature just now. Infinity is refused by this call.
                let status = pairing.aggregate(key_point(key), false, &(), false, message, &[]);
                if status != BLST_ERROR::BLST_SUCCESS {
                    return Err(bad_signature(status));
                }
                if $product(pairing, key_point(&minus_generator), signature.into()) {
                    Ok(())
                } else {
                    Err(bad_signature(BLST_ERROR::BLST_VERIFY_FAIL))
                }
            }

            fn key_point(key: &curve::PublicKey) -> &$key_point {
                key.into()
            }

            /// A secret key. Erased when dropped; does not print.
            #[derive(Clone)]
            pub struct SecretKey(curve::SecretKey);

            impl SecretKey {
                /// Derives a key from 32 bytes or more of secret material.
                ///
                /// # Errors
                /// [`Code::BadKey`] for less material.
                pub fn derive(material: &[u8]) -> Result<Self, Refusal> {
                    curve::SecretKey::key_gen(material, &[])
                        .map(Self)
                        .map_err(|_| Refusal::new(Code::BadKey).needed(32_u64).found(material.len()))
                }

                /// Reads a key as a big-endian number below the group order, not zero.
                ///
                /// # Errors
                /// [`Code::BadKey`].
                pub fn parse(bytes: &[u8; 32]) -> Result<Self, Refusal> {
                    curve::SecretKey::from_bytes(bytes).map(Self).map_err(|_| Refusal::new(Code::BadKey))
                }

                /// The key as 32 bytes, to be stored.
                #[must_use]
                pub fn expose(&self) -> Zeroizing<[u8; 32]> {
                    Zeroizing::new(self.0.to_bytes())
                }

                /// The public key.
                #[must_use]
                pub fn public(&self) -> PublicKey {
                    PublicKey(self.0.sk_to_pk())
                }

                /// Signs the digest of `parts` framed by `purpose`.
                #[must_use]
                pub fn sign(
                    &self,
                    ciphersuite: Ciphersuite,
                    purpose: Purpose,
                    parts: &[&[u8]],
                ) -> [u8; SIGNATURE_LENGTH] {
                    self.0.sign(&framed(purpose, parts), ciphersuite.$domain(), &[]).compress()
                }

                /// Signs what a foreign chain's committee would sign, to make test vectors.
                #[cfg(any(test, feature = "test-utils"))]
                #[must_use]
                pub fn sign_foreign(&self, ciphersuite: Ciphersuite, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
                    self.0.sign(message, ciphersuite.$domain(), &[]).compress()
                }
            }

            impl fmt::Debug for SecretKey {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($variant), "::SecretKey(..)"))
                }
            }
        }
    };
}

variant!(
    /// Signatures in G1, keys in G2.
    min_sig,
    domain in_g1,
    key 96 blst_p2_affine,
    signature 48,
    minus MINUS_G2,
    product product_with_keys_in_g2
);
variant!(
    /// Signatures in G2, keys in G1.
    min_pk,
    domain in_g2,
    key 48 blst_p1_affine,
    signature 96,
    minus MINUS_G1,
    product product_with_keys_in_g1
);

fn product_with_keys_in_g2(pairing: Pairing<'_>, key: &blst_p2_affine, signature: &blst_p1_affine) -> bool {
    is_one_with(pairing, key, signature)
}

fn product_with_keys_in_g1(pairing: Pairing<'_>, key: &blst_p1_affine, signature: &blst_p2_affine) -> bool {
    is_one_with(pairing, signature, key)
}

/// Whether the product of the pairs so far and of this one is 1.
fn is_one_with(mut pairing: Pairing<'_>, q: &blst_p2_affine, p: &blst_p1_affine) -> bool {
    pairing.raw_aggregate(q, p);
    pairing.commit();
    pairing.finalverify(None)
}

/// The bit of an encoding's first byte that says infinity.
const INFINITY: u8 = 0x40;

/// The modulus of the field of coordinates.
const MODULUS: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7, 0x64,
    0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24, 0x1e, 0xab,
    0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// Subtracts each number of 48 bytes from the modulus, but leaves zero alone.
fn negate_coordinate(numbers: &mut [u8]) {
    for number in numbers.chunks_exact_mut(MODULUS.len()) {
        if number.iter().all(|byte| *byte == 0) {
            continue;
        }
        let mut borrow = false;
        for (digit, modulus) in number.iter_mut().zip(&MODULUS).rev() {
            let (difference, first) = modulus.overflowing_sub(*digit);
            let (difference, second) = difference.overflowing_sub(u8::from(borrow));
            (*digit, borrow) = (difference, first || second);
        }
    }
}

/// The inverse of the generator of G1, uncompressed: the generator with `y` negated.
const MINUS_G1: [u8; 96] = [
    0x17, 0xf1, 0xd3, 0xa7, 0x31, 0x97, 0xd7, 0x94, 0x26, 0x95, 0x63, 0x8c, 0x4f, 0xa9, 0xac, 0x0f, 0xc3,
    0x68, 0x8c, 0x4f, 0x97, 0x74, 0xb9, 0x05, 0xa1, 0x4e, 0x3a, 0x3f, 0x17, 0x1b, 0xac, 0x58, 0x6c, 0x55,
    0xe8, 0x3f, 0xf9, 0x7a, 0x1a, 0xef, 0xfb, 0x3a, 0xf0, 0x0a, 0xdb, 0x22, 0xc6, 0xbb, 0x11, 0x4d, 0x1d,
    0x68, 0x55, 0xd5, 0x45, 0xa8, 0xaa, 0x7d, 0x76, 0xc8, 0xcf, 0x2e, 0x21, 0xf2, 0x67, 0x81, 0x6a, 0xef,
    0x1d, 0xb5, 0x07, 0xc9, 0x66, 0x55, 0xb9, 0xd5, 0xca, 0xac, 0x42, 0x36, 0x4e, 0x6f, 0x38, 0xba, 0x0e,
    0xcb, 0x75, 0x1b, 0xad, 0x54, 0xdc, 0xd6, 0xb9, 0x39, 0xc2, 0xca,
];

/// The inverse of the generator of G2, uncompressed.
const MINUS_G2: [u8; 192] = [
    0x13, 0xe0, 0x2b, 0x60, 0x52, 0x71, 0x9f, 0x60, 0x7d, 0xac, 0xd3, 0xa0, 0x88, 0x27, 0x4f, 0x65, 0x59,
    0x6b, 0xd0, 0xd0, 0x99, 0x20, 0xb6, 0x1a, 0xb5, 0xda, 0x61, 0xbb, 0xdc, 0x7f, 0x50, 0x49, 0x33, 0x4c,
    0xf1, 0x12, 0x13, 0x94, 0x5d, 0x57, 0xe5, 0xac, 0x7d, 0x05, 0x5d, 0x04, 0x2b, 0x7e, 0x02, 0x4a, 0xa2,
    0xb2, 0xf0, 0x8f, 0x0a, 0x91, 0x26, 0x08, 0x05, 0x27, 0x2d, 0xc5, 0x10, 0x51, 0xc6, 0xe4, 0x7a, 0xd4,
    0xfa, 0x40, 0x3b, 0x02, 0xb4, 0x51, 0x0b, 0x64, 0x7a, 0xe3, 0xd1, 0x77, 0x0b, 0xac, 0x03, 0x26, 0xa8,
    0x05, 0xbb, 0xef, 0xd4, 0x80, 0x56, 0xc8, 0xc1, 0x21, 0xbd, 0xb8, 0x13, 0xfa, 0x4d, 0x4a, 0x0a, 0xd8,
    0xb1, 0xce, 0x18, 0x6e, 0xd5, 0x06, 0x17, 0x89, 0x21, 0x3d, 0x99, 0x39, 0x23, 0x06, 0x6d, 0xdd, 0xaf,
    0x10, 0x40, 0xbc, 0x3f, 0xf5, 0x9f, 0x82, 0x5c, 0x78, 0xdf, 0x74, 0xf2, 0xd7, 0x54, 0x67, 0xe2, 0x5e,
    0x0f, 0x55, 0xf8, 0xa0, 0x0f, 0xa0, 0x30, 0xed, 0x0d, 0x1b, 0x3c, 0xc2, 0xc7, 0x02, 0x78, 0x88, 0xbe,
    0x51, 0xd9, 0xef, 0x69, 0x1d, 0x77, 0xbc, 0xb6, 0x79, 0xaf, 0xda, 0x66, 0xc7, 0x3f, 0x17, 0xf9, 0xee,
    0x38, 0x37, 0xa5, 0x50, 0x24, 0xf7, 0x8c, 0x71, 0x36, 0x32, 0x75, 0xa7, 0x5d, 0x75, 0xd8, 0x6b, 0xab,
    0x79, 0xf7, 0x47, 0x82, 0xaa,
];

fn bad_signature(_: BLST_ERROR) -> Refusal {
    Refusal::new(Code::BadSignature)
}

#[cfg(test)]
mod tests;
