//! Hashes and signatures of X.509 and CMS, by their object identifiers.
//!
//! Accepted: RSA of 2048 to 8192 bits (PKCS#1 v1.5 and PSS), ECDSA on P-256 and P-384, SM2 and Ed25519,
//! over SHA-256, SHA-384, SHA-512 or SM3. MD5 and SHA-1 are refused by name, and so is RSA below 2048
//! bits; what is not in the tables is not checked, and says so.
//!
//! Source: RFC 8017, RFC 4055, RFC 5480, RFC 5754, RFC 5758, RFC 8410, RFC 8419; GM/T 0006, GM/T 0010.

use crate::der::{Der, Oid, Value, only_sequence, tag};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeugma_crypto::{ed25519, hash::sm3, sm2};
use zeugma_types::{Code, Refusal};

/// A hash that evidence may rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SM3.
    Sm3,
}

const SHA256: Oid<'_> = Oid::known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]);
const SHA384: Oid<'_> = Oid::known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2]);
const SHA512: Oid<'_> = Oid::known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3]);
const SM3: Oid<'_> = Oid::known(&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x11]);

const RSA: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]);
const MGF1: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8]);
const RSA_PSS: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]);
const RSA_SHA256: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]);
const RSA_SHA384: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]);
const RSA_SHA512: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13]);
const EC_KEY: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]);
const P256: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
const P384: Oid<'_> = Oid::known(&[0x2b, 0x81, 4, 0, 0x22]);
const ECDSA_SHA256: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
const ECDSA_SHA384: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]);
const ECDSA_SHA512: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4]);
const SM2: Oid<'_> = Oid::known(&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d]);
const SM2_SIGNATURE: Oid<'_> = Oid::known(&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d, 1]);
const SM2_SM3: Oid<'_> = Oid::known(&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75]);
const ED25519: Oid<'_> = Oid::known(&[0x2b, 0x65, 0x70]);

/// MD5, SHA-1, and the signatures over them.
const REFUSED: &[Oid<'_>] = &[
    Oid::known(&[0x2b, 0x0e, 3, 2, 0x1a]),
    Oid::known(&[0x2b, 0x0e, 3, 2, 0x1d]),
    Oid::known(&[0x2b, 0x0e, 3, 2, 0x1b]),
    Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 2]),
    Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5]),
    Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2]),
    Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4]),
    Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5]),
    Oid::known(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3]),
    Oid::known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]),
];

fn unknown(oid: Oid<'_>) -> Refusal {
    let code = if REFUSED.contains(&oid) { Code::RefusedAlgorithm } else { Code::UnsupportedSuite };
    Refusal::new(code).found(oid.dotted())
}

impl Hash {
    /// The hash of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512, Self::Sm3].into_iter().find(|hash| hash.name() == name)
    }

    /// The name in words, in JSON and among the sunsets.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sm3 => "sm3",
        }
    }

    /// Length of a digest, in bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Sm3 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of `message`.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
            Self::Sm3 => sm3(&[message]).to_vec(),
        }
    }

    /// The content of its AlgorithmIdentifier, with the NULL that older authorities look for.
    pub(crate) const fn identifier(self) -> &'static [u8] {
        match self {
            Self::Sha256 => &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0],
            Self::Sha384 => &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0],
            Self::Sha512 => &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0],
            Self::Sm3 => &[6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x11, 5, 0],
        }
    }

    pub(crate) fn of(oid: Oid<'_>) -> Result<Self, Refusal> {
        match oid {
            SHA256 => Ok(Self::Sha256),
            SHA384 => Ok(Self::Sha384),
            SHA512 => Ok(Self::Sha512),
            SM3 => Ok(Self::Sm3),
            other => Err(unknown(other)),
        }
    }

    /// Reads an AlgorithmIdentifier of a hash.
    pub(crate) fn decode(der: &mut Der<'_>) -> Result<Self, Refusal> {
        let identifier = Identifier::decode(der)?;
        identifier.no_parameters()?;
        Self::of(identifier.oid)
    }
}

/// An AlgorithmIdentifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identifier<'a> {
    pub(crate) oid: Oid<'a>,
    parameters: Option<Value<'a>>,
    pub(crate) raw: &'a [u8],
}

impl<'a> Identifier<'a> {
    pub(crate) fn decode(der: &mut Der<'a>) -> Result<Self, Refusal> {
        let value = der.expect(tag::SEQUENCE)?;
        let mut inside = Der::new(value.body);
        let oid = inside.oid()?;
        let parameters = if inside.is_empty() { None } else { Some(inside.any()?) };
        inside.finish()?;
        Ok(Self { oid, parameters, raw: value.raw })
    }

    /// Parameters are absent, or NULL as older encoders write.
    fn no_parameters(&self) -> Result<(), Refusal> {
        match self.parameters {
            None => Ok(()),
            Some(value) if value.tag == tag::NULL && value.body.is_empty() => Ok(()),
            Some(value) => Err(Refusal::new(Code::UnknownTag).needed(tag::NULL).found(value.tag)),
        }
    }
}

/// What was used to sign, by the names under which a trust file sets sunsets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Algorithms {
    /// The signature: `rsa-N` with N bits, `ecdsa-p256`, `ecdsa-p384`, `sm2`, `ed25519`.
    pub signature: String,
    /// The hash beneath it.
    pub hash: &'static str,
}

enum Scheme {
    RsaPkcs1(Hash),
    RsaPss(Hash, usize),
    Ecdsa(Hash),
    Sm2,
    Ed25519,
}

/// The scheme of a signature. `digest` is the digest algorithm that CMS names beside a bare key type.
fn scheme(identifier: &Identifier<'_>, digest: Option<Hash>) -> Result<Scheme, Refusal> {
    if identifier.oid == RSA_PSS {
        return pss(identifier.parameters);
    }
    identifier.no_parameters()?;
    let beside = || digest.ok_or_else(|| unknown(identifier.oid));
    Ok(match identifier.oid {
        RSA_SHA256 => Scheme::RsaPkcs1(Hash::Sha256),
        RSA_SHA384 => Scheme::RsaPkcs1(Hash::Sha384),
        RSA_SHA512 => Scheme::RsaPkcs1(Hash::Sha512),
        RSA => Scheme::RsaPkcs1(beside()?),
        ECDSA_SHA256 => Scheme::Ecdsa(Hash::Sha256),
        ECDSA_SHA384 => Scheme::Ecdsa(Hash::Sha384),
        ECDSA_SHA512 => Scheme::Ecdsa(Hash::Sha512),
        EC_KEY => Scheme::Ecdsa(beside()?),
        SM2_SM3 | SM2_SIGNATURE => Scheme::Sm2,
        ED25519 => Scheme::Ed25519,
        other => return Err(unknown(other)),
    })
}

/// RSASSA-PSS-params. The defaults are SHA-1, so hash and mask must be written out, and be the same hash.
fn pss(parameters: Option<Value<'_>>) -> Result<Scheme, Refusal> {
    let sha1 = || Refusal::new(Code::RefusedAlgorithm).found("the default of PSS, SHA-1");
    let mut inside = only_sequence(parameters.ok_or_else(sha1)?.raw)?;
    let hash = explicit(&mut inside, 0)?.ok_or_else(sha1)?;
    let hash = Hash::decode(&mut Der::new(hash))?;
    let mask = Der::new(explicit(&mut inside, 1)?.ok_or_else(sha1)?).sequence()?;
    let mut mask = mask;
    let function = mask.oid()?;
    if function != MGF1 {
        return Err(unknown(function));
    }
    let under = Hash::decode(&mut mask)?;
    if under != hash {
        return Err(Refusal::new(Code::UnsupportedSuite).needed(hash.name()).found(under.name()));
    }
    let salt = match explicit(&mut inside, 2)? {
        None => 20,
        Some(number) => Der::new(number).small()?,
    };
    if let Some(trailer) = explicit(&mut inside, 3)?
        && Der::new(trailer).small()? != 1
    {
        return Err(Refusal::new(Code::UnsupportedSuite).needed(1_u64));
    }
    inside.finish()?;
    match usize::try_from(salt) {
        Ok(salt) if salt <= 1_024 => Ok(Scheme::RsaPss(hash, salt)),
        _ => Err(Refusal::new(Code::OutOfRange).needed(1_024_u64).found(salt)),
    }
}

fn explicit<'a>(der: &mut Der<'a>, number: u8) -> Result<Option<&'a [u8]>, Refusal> {
    Ok(der.optional(tag::context(number))?.map(|value| value.body))
}

/// A SubjectPublicKeyInfo whose key was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Sm2(sm2::PublicKey),
    Ed25519([u8; 32]),
}

/// RSA moduli, in bits. Below the first, factoring is within reach of those who would want to.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2_048..=8_192;

impl PublicKey {
    /// The key's own bits in a SubjectPublicKeyInfo.
    pub(crate) fn bits(spki: &[u8]) -> Result<&[u8], Refusal> {
        let mut der = only_sequence(spki)?;
        Identifier::decode(&mut der)?;
        let bits = der.bits()?;
        der.finish()?;
        Ok(bits)
    }

    /// Reads a SubjectPublicKeyInfo.
    pub(crate) fn decode(spki: &[u8]) -> Result<Self, Refusal> {
        let bad = || Refusal::new(Code::BadKey);
        let mut der = only_sequence(spki)?;
        let identifier = Identifier::decode(&mut der)?;
        let bits = der.bits()?;
        der.finish()?;
        match identifier.oid {
            RSA | RSA_PSS => {
                let mut key = only_sequence(bits)?;
                let (modulus, exponent) = (key.unsigned()?, key.unsigned()?);
                key.finish()?;
                Ok(Self::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
            }
            EC_KEY => {
                let curve = identifier.parameters.ok_or_else(bad)?;
                let curve = Der::new(curve.raw).oid()?;
                // Of the forms that SEC 1 has, X.509 uses the whole point and the compressed one.
                let whole_or_compressed = matches!(bits, [2..=4, ..]);
                match curve {
                    P256 | P384 | SM2 if !whole_or_compressed => Err(bad()),
                    P256 => {
                        p256::ecdsa::VerifyingKey::from_sec1_bytes(bits).map(Self::P256).map_err(|_| bad())
                    }
                    P384 => {
                        p384::ecdsa::VerifyingKey::from_sec1_bytes(bits).map(Self::P384).map_err(|_| bad())
                    }
                    SM2 => {
                        let point: &[u8; 65] = bits.try_into().map_err(|_| bad())?;
                        sm2::PublicKey::parse(point).map(Self::Sm2)
                    }
                    other => Err(unknown(other)),
                }
            }
            ED25519 => bits.try_into().map(Self::Ed25519).map_err(|_| bad()),
            other => Err(unknown(other)),
        }
    }

    /// Checks `signature` over `message`.
    ///
    /// # Errors
    /// [`Code::RefusedAlgorithm`], [`Code::UnsupportedSuite`], [`Code::BadKey`], [`Code::BadSignature`].
    pub(crate) fn verify(
        &self,
        identifier: &Identifier<'_>,
        digest: Option<Hash>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<Algorithms, Refusal> {
        let bad = || Refusal::new(Code::BadSignature);
        let (name, hash) = match (scheme(identifier, digest)?, self) {
            (Scheme::RsaPkcs1(hash), Self::Rsa { modulus, exponent }) => {
                let (key, bits) = rsa_key(modulus, exponent)?;
                let digest = hash.digest(message);
                let scheme = match hash {
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                    Hash::Sm3 => return Err(Refusal::new(Code::UnsupportedSuite).found("RSA with SM3")),
                };
                key.verify(scheme, &digest, signature).map_err(|_| bad())?;
                (format!("rsa-{bits}"), hash)
            }
            (Scheme::RsaPss(hash, salt), Self::Rsa { modulus, exponent }) => {
                let (key, bits) = rsa_key(modulus, exponent)?;
                let digest = hash.digest(message);
                match hash {
                    Hash::Sha256 => key.verify(Pss::<Sha256>::new_with_salt(salt), &digest, signature),
                    Hash::Sha384 => key.verify(Pss::<Sha384>::new_with_salt(salt), &digest, signature),
                    Hash::Sha512 => key.verify(Pss::<Sha512>::new_with_salt(salt), &digest, signature),
                    Hash::Sm3 => return Err(Refusal::new(Code::UnsupportedSuite).found("RSA with SM3")),
                }
                .map_err(|_| bad())?;
                (format!("rsa-{bits}"), hash)
            }
            (Scheme::Ecdsa(hash), Self::P256(key)) => {
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| bad())?;
                key.verify_prehash(&hash.digest(message), &signature).map_err(|_| bad())?;
                ("ecdsa-p256".into(), hash)
            }
            (Scheme::Ecdsa(hash), Self::P384(key)) => {
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| bad())?;
                key.verify_prehash(&hash.digest(message), &signature).map_err(|_| bad())?;
                ("ecdsa-p384".into(), hash)
            }
            (Scheme::Sm2, Self::Sm2(key)) => {
                let signature = zeugma_crypto::ecdsa::from_der(signature).map_err(|_| bad())?;
                key.verify(sm2::DEFAULT_IDENTITY, message, &signature)?;
                ("sm2".into(), Hash::Sm3)
            }
            (Scheme::Ed25519, Self::Ed25519(key)) => {
                let signature: &[u8; 64] = signature.try_into().map_err(|_| bad())?;
                ed25519::PublicKey::parse_strict(key)?.verify(ed25519::Rule::Strict, message, signature)?;
                ("ed25519".into(), Hash::Sha512)
            }
            _ => return Err(bad().found("a signature of another kind than the key")),
        };
        Ok(Algorithms { signature: name, hash: hash.name() })
    }
}

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<(RsaPublicKey, usize), Refusal> {
    let bad = || Refusal::new(Code::BadKey);
    let leading = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = (modulus.len() * 8).saturating_sub(leading);
    if !RSA_BITS.contains(&bits) {
        let code = if bits < *RSA_BITS.start() { Code::RefusedAlgorithm } else { Code::TooLong };
        return Err(Refusal::new(code).needed(*RSA_BITS.start()).found(bits));
    }
    if exponent.len() > 8 {
        return Err(bad());
    }
    let precision = |bytes: &[u8]| u32::try_from(bytes.len() * 8).expect("bounded above");
    let modulus = BoxedUint::from_be_slice(modulus, precision(modulus)).map_err(|_| bad())?;
    let exponent = BoxedUint::from_be_slice(exponent, precision(exponent)).map_err(|_| bad())?;
    let key = RsaPublicKey::new_with_size_limits(modulus, exponent, RSA_BITS).map_err(|_| bad())?;
    Ok((key, bits))
}
