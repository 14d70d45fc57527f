//! Keys of test authorities, of every kind that X.509 certificates of time authorities may have. Their secrets
//! follow from a seed, so that what they sign is the same in every run.

use crate::der::{put, tag};
use crate::x509::Hash;
use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha2::{Digest, Sha256};
use zeugma_crypto::hash::sha256;
use zeugma_crypto::{ed25519, sm2};

/// How an authority signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// ECDSA on P-384 with SHA-384.
    P384,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits. There is one such key, whatever the seed.
    Rsa,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes, under the same key.
    Pss,
    /// SM2 with SM3.
    Sm2,
    /// Ed25519.
    Ed25519,
}

/// The primes of the RSA key. They guard nothing.
const PRIMES: [&str; 2] = [
    "c277f2a03123d97b89dd13c5be0a06a7ca9f2c0c223e1b41253552200bcd4cf16ad7b535defea4d1cefc319b901fe146\
     de67b19f642f285f6f6c0548c5670dc03297fea1a77f8976fd5a35d8ccbc0299197f84863d583de019b593611689f667\
     c1af2639d3d117921c00e1af05dab7993bbc824703caceb063efa0d8b3baf581",
    "b60ed9116a7245b74ee9bdf7648e295210dbbc76fc2afac386d750651f9bc45c6d3ff18f269c39c4bb098cc3ce0d9dc3\
     e26999b5e4be5f841249676da9568aba57d41748d37ee85e36276982e953b1d376d42cc571006187aead05d4795a3a11\
     458f2e682e8370670cd3f23eaedebedf2f3a2f4207b12aa190608eafa1922c29",
];
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A secret key.
#[derive(Clone, Debug)]
pub struct TestKey(Secret);

#[derive(Clone, Debug)]
enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa { key: RsaPrivateKey, pss: bool },
    Sm2(sm2::SecretKey),
    Ed25519(ed25519::SecretKey),
}

impl TestKey {
    /// The key of that kind that follows from a seed.
    ///
    /// # Panics
    /// Never: a digest is a secret key.
    #[must_use]
    pub fn new(kind: Kind, seed: &str) -> Self {
        let digest = sha256(&[b"test authority", seed.as_bytes()]);
        let long = [&[0; 16], &digest[..]].concat();
        Self(match kind {
            Kind::P256 => Secret::P256(p256::ecdsa::SigningKey::from_slice(&digest).expect("a secret key")),
            Kind::P384 => Secret::P384(p384::ecdsa::SigningKey::from_slice(&long).expect("a secret key")),
            Kind::Rsa | Kind::Pss => Secret::Rsa { key: rsa_key(), pss: kind == Kind::Pss },
            Kind::Sm2 => Secret::Sm2(sm2::SecretKey::parse(&digest).expect("a digest is a secret key")),
            Kind::Ed25519 => Secret::Ed25519(ed25519::SecretKey::from_seed(&digest)),
        })
    }

    /// The hash that goes with it: of the content of a token, and of the certificate that it binds.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        match &self.0 {
            Secret::P256(_) | Secret::Rsa { .. } => Hash::Sha256,
            Secret::P384(_) => Hash::Sha384,
            Secret::Sm2(_) => Hash::Sm3,
            Secret::Ed25519(_) => Hash::Sha512,
        }
    }

    /// Signs a message; of ECDSA and SM2 in DER.
    ///
    /// # Panics
    /// Never: a good key signs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let digest = self.hash().digest(message);
        match &self.0 {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).expect("a digest");
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).expect("a digest");
                signature.to_der().as_bytes().to_vec()
            }
            Secret::Rsa { key, pss: false } => {
                key.sign(Pkcs1v15Sign::new::<Sha256>(), &digest).expect("a digest")
            }
            Secret::Rsa { key, pss: true } => {
                let scheme = Pss { blinded: false, digest: Sha256::new(), salt_len: Some(32) };
                key.sign_with_rng(&mut Salt(0), scheme, &digest).expect("a digest")
            }
            Secret::Sm2(key) => {
                let pair = key.sign_foreign(sm2::DEFAULT_IDENTITY, message).expect("a good key signs");
                let mut body = Vec::new();
                put_number(&mut body, &pair[..32]);
                put_number(&mut body, &pair[32..]);
                let mut out = Vec::new();
                put(&mut out, tag::SEQUENCE, &body);
                out
            }
            Secret::Ed25519(key) => key.sign_foreign(message).to_vec(),
        }
    }

    /// Signs a message; of ECDSA the two numbers one after the other, as COSE has them.
    ///
    /// # Panics
    /// Never: a good key signs.
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.sign_prehash(&self.hash().digest(message)).expect("a digest");
                signature.to_bytes().to_vec()
            }
            _ => self.sign(message),
        }
    }

    /// The SubjectPublicKeyInfo.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put_public(&mut out);
        out
    }

    /// Appends the AlgorithmIdentifier of its signatures.
    pub(crate) fn put_algorithm(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        let oid: &[u8] = match &self.0 {
            Secret::P256(_) => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
            Secret::P384(_) => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
            Secret::Rsa { pss: false, .. } => &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
            Secret::Rsa { pss: true, .. } => &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10],
            Secret::Sm2(_) => &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75],
            Secret::Ed25519(_) => &[0x2b, 0x65, 0x70],
        };
        put(&mut body, tag::OID, oid);
        if let Secret::Rsa { pss, .. } = &self.0 {
            if *pss { put_pss(&mut body) } else { put(&mut body, tag::NULL, &[]) }
        }
        put(out, tag::SEQUENCE, &body);
    }

    /// Appends the SubjectPublicKeyInfo.
    pub(crate) fn put_public(&self, out: &mut Vec<u8>) {
        const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        let (oid, curve, bits): (&[u8], Option<&[u8]>, Vec<u8>) = match &self.0 {
            Secret::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                (EC_KEY, Some(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]), point)
            }
            Secret::P384(key) => {
                // Compressed: the other form that a verifier reads.
                let point = key.verifying_key().to_sec1_point(true).as_bytes().to_vec();
                (EC_KEY, Some(&[0x2b, 0x81, 4, 0, 0x22]), point)
            }
            Secret::Sm2(key) => {
                let curve: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d];
                (EC_KEY, Some(curve), key.public().to_bytes().to_vec())
            }
            Secret::Rsa { key, .. } => {
                let mut numbers = Vec::new();
                put_number(&mut numbers, &key.n().to_be_bytes());
                put_number(&mut numbers, &EXPONENT);
                let mut pair = Vec::new();
                put(&mut pair, tag::SEQUENCE, &numbers);
                (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], None, pair)
            }
            Secret::Ed25519(key) => (&[0x2b, 0x65, 0x70], None, key.public().as_bytes().to_vec()),
        };
        let mut identifier = Vec::new();
        put(&mut identifier, tag::OID, oid);
        if let Some(curve) = curve {
            put(&mut identifier, tag::OID, curve);
        }
        let mut body = Vec::new();
        put(&mut body, tag::SEQUENCE, &identifier);
        put(&mut body, tag::BIT_STRING, &[&[0], bits.as_slice()].concat());
        put(out, tag::SEQUENCE, &body);
    }
}

/// RSASSA-PSS-params: SHA-256, MGF1 of it, a salt of 32 bytes.
fn put_pss(out: &mut Vec<u8>) {
    let made = |kind: u8, inside: &[u8]| {
        let mut out = Vec::new();
        put(&mut out, kind, inside);
        out
    };
    let hash = made(tag::SEQUENCE, Hash::Sha256.identifier());
    let function = made(tag::OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8]);
    let mask = made(tag::SEQUENCE, &[function, hash.clone()].concat());
    let salt = made(tag::INTEGER, &[32]);
    let fields =
        [made(tag::context(0), &hash), made(tag::context(1), &mask), made(tag::context(2), &salt)].concat();
    put(out, tag::SEQUENCE, &fields);
}

/// Appends an INTEGER that is not negative.
fn put_number(out: &mut Vec<u8>, digits: &[u8]) {
    let mut digits: Vec<u8> = digits.iter().copied().skip_while(|digit| *digit == 0).collect();
    if digits.first().is_none_or(|first| *first >= 0x80) {
        digits.insert(0, 0);
    }
    put(out, tag::INTEGER, &digits);
}

fn rsa_key() -> RsaPrivateKey {
    let number = |bytes: &[u8]| {
        let bits = u32::try_from(bytes.len() * 8).expect("a short number");
        BoxedUint::from_be_slice(bytes, bits).expect("as many bits as bytes")
    };
    let digit = |letter: u8| char::from(letter).to_digit(16).expect("written in hexadecimal");
    let prime = |text: &str| {
        let pairs = text.as_bytes().chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1]));
        number(&pairs.map(|byte| u8::try_from(byte).expect("two digits")).collect::<Vec<_>>())
    };
    let exponent = number(&[&[0; 5], &EXPONENT[..]].concat());
    RsaPrivateKey::from_p_q(prime(PRIMES[0]), prime(PRIMES[1]), exponent).expect("two primes")
}

/// The same salt in every run.
struct Salt(u8);

impl TryRng for Salt {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 = self.0.wrapping_add(1);
        Ok(u32::from(self.0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.try_next_u32().map(u64::from)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Salt {}

/// Every kind.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    vec![Kind::P256, Kind::P384, Kind::Rsa, Kind::Pss, Kind::Sm2, Kind::Ed25519]
}
