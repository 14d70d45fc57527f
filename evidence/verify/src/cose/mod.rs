//! COSE receipts: that another transparency service put an entry into its log, or extended it.
//!
//! A receipt is a `COSE_Sign1` whose payload, a root of an RFC 9162 tree with SHA-256, is not carried: the
//! root that its proof implies is what the signature must be over. So a receipt shows nothing by itself;
//! it takes the entry, or the older root, and the service's key.
//!
//! Accepted: algorithms ES256, ES384 and `EdDSA` with Ed25519; the verifiable data structure 1; one proof.
//!
//! Source: RFC 9942, sections 4 and 5; RFC 9052, section 4.4; RFC 9597 (claims).

mod cbor;

use crate::x509::{Hash, PublicKey};
use alloc::string::String;
use alloc::vec::Vec;
use cbor::{Cbor, major, put_bytes, put_head};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use zeugma_proof::tree::{self, MAX_CONSISTENCY, MAX_INCLUSION, extended_root, included_root, leaf_hash};
use zeugma_types::{Code, HashSuite, LeafIndex, Refusal, TreeSize};

/// Longest receipt, in bytes: an inclusion path of 64 hashes has 2,200.
pub const MAX_RECEIPT: usize = 16 * 1024;
/// Longest key identifier and issuer, in bytes.
const MAX_TEXT: usize = 1_024;

/// Labels of header parameters.
mod label {
    pub(super) const ALGORITHM: i64 = 1;
    pub(super) const CRITICAL: i64 = 2;
    pub(super) const KEY: i64 = 4;
    pub(super) const CLAIMS: i64 = 15;
    pub(super) const STRUCTURE: i64 = 395;
    pub(super) const PROOFS: i64 = 396;
    pub(super) const ISSUER: i64 = 1;
    pub(super) const INCLUSION: i64 = -1;
    pub(super) const CONSISTENCY: i64 = -2;
}

/// How a receipt is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with SHA-256, -7; here on P-256.
    Es256,
    /// ECDSA with SHA-384, -35; here on P-384.
    Es384,
    /// `EdDSA`, -8; here Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The registered number.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Es384 => -35,
            Self::EdDsa => -8,
        }
    }

    fn numbered(number: i64) -> Result<Self, Refusal> {
        let known = [Self::Es256, Self::Es384, Self::EdDsa].into_iter().find(|one| one.number() == number);
        // RS1 is RSA with SHA-1.
        let code = if number == -65_535 { Code::RefusedAlgorithm } else { Code::UnsupportedSuite };
        known.ok_or_else(|| Refusal::new(code).found(alloc::format!("COSE algorithm {number}")))
    }
}

/// What a receipt proves, once its signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// An entry is in the tree.
    Inclusion {
        /// Leaves of the tree.
        size: TreeSize,
        /// Position of the entry.
        index: LeafIndex,
        /// Hashes from the leaf up.
        path: Vec<tree::Hash>,
    },
    /// A tree is the beginning of another.
    Consistency {
        /// Leaves of the older tree.
        old: TreeSize,
        /// Leaves of the newer tree.
        new: TreeSize,
        /// Hashes from the leaves up.
        path: Vec<tree::Hash>,
    },
}

/// A receipt, read but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    protected: Vec<u8>,
    algorithm: Algorithm,
    key: Option<Vec<u8>>,
    issuer: Option<String>,
    proof: Proof,
    signature: Vec<u8>,
}

/// The key of a transparency service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(PublicKey);

impl Key {
    /// Reads a SubjectPublicKeyInfo, in DER.
    ///
    /// # Errors
    /// The refusals of DER, [`Code::BadKey`], [`Code::UnsupportedSuite`].
    pub fn parse(spki: &[u8]) -> Result<Self, Refusal> {
        PublicKey::decode(spki).map(Self)
    }
}

impl Receipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// [`Code::TooLong`], the refusals of CBOR, [`Code::BadReceipt`], [`Code::UnsupportedSuite`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_RECEIPT {
            return Err(Refusal::new(Code::TooLong).needed(MAX_RECEIPT).found(bytes.len()));
        }
        let mut cbor = Cbor::new(bytes);
        cbor.tagged(18)?;
        if cbor.array()? != 4 {
            return Err(broken("another number of parts"));
        }
        let protected = cbor.bytes(MAX_RECEIPT)?;
        let header = Header::read(protected)?;
        let mut proof = None;
        cbor.map(|key, value| {
            if key == label::PROOFS {
                proof = Some(read_proofs(value)?);
            }
            Ok(key == label::PROOFS)
        })?;
        cbor.null()?;
        let signature = cbor.bytes(MAX_TEXT)?.to_vec();
        cbor.finish()?;
        Ok(Self {
            protected: protected.to_vec(),
            algorithm: header.algorithm.ok_or_else(|| broken("no algorithm"))?,
            key: header.key,
            issuer: header.issuer,
            proof: proof.ok_or_else(|| broken("no proof"))?,
            signature,
        })
    }

    /// How it is signed.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The identifier of the key, which the signature covers.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    /// Who says that it issued the receipt, which the signature covers.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Its proof. Nothing covers the proof but the root that it implies.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What is signed for this root: the `Sig_structure` of RFC 9052, section 4.4.
    #[must_use]
    pub fn to_be_signed(&self, root: &tree::Hash) -> Vec<u8> {
        let mut out = Vec::new();
        put_head(&mut out, major::ARRAY, 4);
        put_head(&mut out, major::TEXT, 10);
        out.extend_from_slice(b"Signature1");
        put_bytes(&mut out, &self.protected);
        put_bytes(&mut out, &[]);
        put_bytes(&mut out, root);
        out
    }

    /// The root that the proof implies for an entry with this leaf hash.
    ///
    /// # Errors
    /// [`Code::BadReceipt`] for a proof of consistency; [`Code::IndexOutOfTree`], [`Code::PathLength`].
    pub fn root_including(&self, leaf: &tree::Hash) -> Result<tree::Hash, Refusal> {
        match &self.proof {
            Proof::Inclusion { size, index, path } => {
                included_root(HashSuite::Sha256, leaf, *index, *size, path)
            }
            Proof::Consistency { .. } => Err(broken("a proof of consistency")),
        }
    }

    /// The root that the proof implies for the tree that begins with the one of root `old`.
    ///
    /// # Errors
    /// [`Code::BadReceipt`] for a proof of inclusion, and the codes of consistency.
    pub fn root_extending(&self, old_root: &tree::Hash) -> Result<tree::Hash, Refusal> {
        match &self.proof {
            Proof::Consistency { old, new, path } => {
                extended_root(HashSuite::Sha256, (*old, old_root), *new, path)
            }
            Proof::Inclusion { .. } => Err(broken("a proof of inclusion")),
        }
    }

    /// Checks that `key` signed for the inclusion of `entry`; gives the root.
    ///
    /// # Errors
    /// As [`Receipt::root_including`]; [`Code::BadSignature`], [`Code::BadKey`].
    pub fn verify_inclusion(&self, entry: &[u8], key: &Key) -> Result<tree::Hash, Refusal> {
        let root = self.root_including(&leaf_hash(HashSuite::Sha256, entry))?;
        self.check_signature(&root, key)?;
        Ok(root)
    }

    /// Checks that `key` signed for a tree that begins with the one of root `old_root`; gives its root.
    ///
    /// # Errors
    /// As [`Receipt::root_extending`]; [`Code::BadSignature`], [`Code::BadKey`].
    pub fn verify_consistency(&self, old_root: &tree::Hash, key: &Key) -> Result<tree::Hash, Refusal> {
        let root = self.root_extending(old_root)?;
        self.check_signature(&root, key)?;
        Ok(root)
    }

    fn check_signature(&self, root: &tree::Hash, key: &Key) -> Result<(), Refusal> {
        let bad = || Refusal::new(Code::BadSignature);
        let message = self.to_be_signed(root);
        match (self.algorithm, &key.0) {
            (Algorithm::Es256, PublicKey::P256(key)) => {
                let signature = p256::ecdsa::Signature::from_slice(&self.signature).map_err(|_| bad())?;
                key.verify_prehash(&Hash::Sha256.digest(&message), &signature).map_err(|_| bad())
            }
            (Algorithm::Es384, PublicKey::P384(key)) => {
                let signature = p384::ecdsa::Signature::from_slice(&self.signature).map_err(|_| bad())?;
                key.verify_prehash(&Hash::Sha384.digest(&message), &signature).map_err(|_| bad())
            }
            (Algorithm::EdDsa, PublicKey::Ed25519(key)) => {
                use zeugma_crypto::ed25519::{PublicKey, Rule};
                let signature: &[u8; 64] = self.signature.as_slice().try_into().map_err(|_| bad())?;
                PublicKey::parse_strict(key)?.verify(Rule::Strict, &message, signature)
            }
            _ => Err(bad().found("a signature of another kind than the key")),
        }
    }
}

fn broken(what: &'static str) -> Refusal {
    Refusal::new(Code::BadReceipt).found(what)
}

#[derive(Default)]
struct Header {
    algorithm: Option<Algorithm>,
    key: Option<Vec<u8>>,
    issuer: Option<String>,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut header = Self::default();
        let mut structure = None;
        let mut cbor = Cbor::new(bytes);
        cbor.map(|key, value| {
            match key {
                label::ALGORITHM => header.algorithm = Some(Algorithm::numbered(value.integer()?)?),
                // What must be understood is none of the parameters that are understood here.
                label::CRITICAL => return Err(Refusal::new(Code::CriticalExtension).found("crit")),
                label::KEY => header.key = Some(value.bytes(MAX_TEXT)?.to_vec()),
                label::STRUCTURE => structure = Some(value.integer()?),
                label::CLAIMS => value.map(|claim, value| {
                    if claim == label::ISSUER {
                        header.issuer = Some(value.text(MAX_TEXT)?.into());
                    }
                    Ok(claim == label::ISSUER)
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        cbor.finish()?;
        if structure != Some(1) {
            return Err(broken("another verifiable data structure than RFC9162_SHA256"));
        }
        Ok(header)
    }
}

fn read_proofs(cbor: &mut Cbor<'_>) -> Result<Proof, Refusal> {
    let mut found = None;
    cbor.map(|kind, value| {
        if kind != label::INCLUSION && kind != label::CONSISTENCY {
            return Err(Refusal::new(Code::UnknownTag).found("another kind of proof"));
        }
        if value.array()? != 1 || found.is_some() {
            return Err(broken("another number of proofs than one"));
        }
        let mut inside = Cbor::new(value.bytes(MAX_RECEIPT)?);
        if inside.array()? != 3 {
            return Err(broken("a proof of another number of parts"));
        }
        let (first, second) = (inside.unsigned()?, inside.unsigned()?);
        let proof = if kind == label::INCLUSION {
            let (size, index) = (TreeSize::new(first), LeafIndex::new(second));
            Proof::Inclusion { size, index, path: read_path(&mut inside, MAX_INCLUSION)? }
        } else {
            let (old, new) = (TreeSize::new(first), TreeSize::new(second));
            Proof::Consistency { old, new, path: read_path(&mut inside, MAX_CONSISTENCY)? }
        };
        inside.finish()?;
        found = Some(proof);
        Ok(true)
    })?;
    found.ok_or_else(|| broken("no proof"))
}

fn read_path(cbor: &mut Cbor<'_>, bound: usize) -> Result<Vec<tree::Hash>, Refusal> {
    let count = cbor.array()?;
    if count > bound as u64 {
        return Err(Refusal::new(Code::TooMany).needed(bound).found(count));
    }
    let hash = |_| {
        let bytes = cbor.bytes(32)?;
        bytes.try_into().map_err(|_| Refusal::new(Code::Truncated).needed(32_u64).found(bytes.len()))
    };
    (0..count).map(hash).collect()
}
