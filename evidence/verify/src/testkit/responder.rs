//! An OCSP responder in memory, right or wrong as a test asks: every part of its answer can be chosen.

use super::authority::{extension, generalized, made, name, nest};
use super::key::TestKey;
use crate::der::{put, tag};
use crate::x509::{Hash, PublicKey};
use alloc::vec;
use alloc::vec::Vec;
use zeugma_types::BlockTime;

/// What an answer says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not revoked.
    Good,
    /// Revoked then, with a reason or without.
    Revoked(BlockTime, Option<u8>),
    /// Not known.
    Unknown,
}

/// What an answer shall be.
#[derive(Clone, Debug)]
pub struct AnswerSpec {
    /// `responseStatus`.
    pub status: u8,
    /// Common name of the responder; `None` names it by a key.
    pub responder: Option<&'static str>,
    /// When it was made.
    pub produced: BlockTime,
    /// Hash of the identifier.
    pub hash: Hash,
    /// Common name of the issuer of the certificate asked about.
    pub issuer: &'static str,
    /// Its key.
    pub issuer_key: TestKey,
    /// Serial number of the certificate asked about.
    pub serial: u8,
    /// What is said of it.
    pub said: Status,
    /// As of when.
    pub made: BlockTime,
    /// When the next one is due.
    pub next: Option<BlockTime>,
    /// X.509 certificates that come along.
    pub certificates: Vec<Vec<u8>>,
    /// A critical extension of the whole.
    pub critical: Option<&'static [u8]>,
    /// The version, written out.
    pub version: Option<u8>,
}

impl AnswerSpec {
    /// The answer of an issuer itself about a certificate of serial number 2, made at `at`.
    #[must_use]
    pub fn new(issuer: &'static str, issuer_key: &TestKey, said: Status, at: BlockTime) -> Self {
        Self {
            status: 0,
            responder: Some(issuer),
            produced: at,
            hash: Hash::Sha256,
            issuer,
            issuer_key: issuer_key.clone(),
            serial: 2,
            said,
            made: at,
            next: None,
            certificates: Vec::new(),
            critical: None,
            version: None,
        }
    }

    /// The answer, signed by `by`.
    ///
    /// # Panics
    /// Never: a test's key has bits.
    #[must_use]
    pub fn make(&self, by: &TestKey) -> Vec<u8> {
        if self.status != 0 {
            return made(tag::SEQUENCE, |out| put(out, tag::ENUMERATED, &[self.status]));
        }
        let tbs = made(tag::SEQUENCE, |out| {
            if let Some(version) = self.version {
                nest(out, tag::context(0), |out| put(out, tag::INTEGER, &[version]));
            }
            match self.responder {
                Some(common) => put(out, tag::context(1), &name(common)),
                None => nest(out, tag::context(2), |out| put(out, tag::OCTET_STRING, &[7; 20])),
            }
            put(out, tag::GENERALIZED_TIME, &generalized(self.produced));
            nest(out, tag::SEQUENCE, |out| nest(out, tag::SEQUENCE, |out| self.put_single(out)));
            if let Some(oid) = self.critical {
                let list = made(tag::SEQUENCE, |out| extension(out, oid, true, &[tag::NULL, 0]));
                put(out, tag::context(1), &list);
            }
        });
        let basic = made(tag::SEQUENCE, |out| {
            out.extend_from_slice(&tbs);
            by.put_algorithm(out);
            put(out, tag::BIT_STRING, &[&[0], by.sign(&tbs).as_slice()].concat());
            if !self.certificates.is_empty() {
                nest(out, tag::context(0), |out| put(out, tag::SEQUENCE, &self.certificates.concat()));
            }
        });
        made(tag::SEQUENCE, |out| {
            put(out, tag::ENUMERATED, &[0]);
            nest(out, tag::context(0), |out| {
                nest(out, tag::SEQUENCE, |out| {
                    put(out, tag::OID, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
                    put(out, tag::OCTET_STRING, &basic);
                });
            });
        })
    }

    fn put_single(&self, out: &mut Vec<u8>) {
        let mut spki = Vec::new();
        self.issuer_key.put_public(&mut spki);
        let bits = PublicKey::bits(&spki).expect("a test's key has bits");
        nest(out, tag::SEQUENCE, |out| {
            put(out, tag::SEQUENCE, self.hash.identifier());
            put(out, tag::OCTET_STRING, &self.hash.digest(&name(self.issuer)));
            put(out, tag::OCTET_STRING, &self.hash.digest(bits));
            put(out, tag::INTEGER, &[self.serial]);
        });
        match self.said {
            Status::Good => put(out, tag::primitive(0), &[]),
            Status::Unknown => put(out, tag::primitive(2), &[]),
            Status::Revoked(at, reason) => nest(out, tag::context(1), |out| {
                put(out, tag::GENERALIZED_TIME, &generalized(at));
                if let Some(reason) = reason {
                    nest(out, tag::context(0), |out| put(out, tag::ENUMERATED, &[reason]));
                }
            }),
        }
        put(out, tag::GENERALIZED_TIME, &generalized(self.made));
        if let Some(next) = self.next {
            nest(out, tag::context(0), |out| put(out, tag::GENERALIZED_TIME, &generalized(next)));
        }
    }
}

/// A receipt of another transparency service, with the proof that `entry` is the second of two.
#[must_use]
pub fn cose_receipt(entry: &[u8], issuer: Option<&str>, by: &TestKey) -> Vec<u8> {
    cose_of([2, 1], -1, entry, issuer, by)
}

/// As [`cose_receipt`], with chosen numbers and kind of the proof.
///
/// # Panics
/// Never: an issuer of a test has 24 to 255 bytes.
#[must_use]
pub fn cose_of(numbers: [u8; 2], kind: i8, entry: &[u8], issuer: Option<&str>, by: &TestKey) -> Vec<u8> {
    use zeugma_proof::tree::{leaf_hash, node_hash};
    use zeugma_types::HashSuite;
    let suite = HashSuite::Sha256;
    let other = leaf_hash(suite, b"another entry");
    let root = node_hash(suite, &other, &leaf_hash(suite, entry));
    let bytes = |body: &[u8]| -> Vec<u8> {
        let length = u8::try_from(body.len()).expect("short");
        let head = if length < 24 { vec![0x40 | length] } else { vec![0x58, length] };
        [&head, body].concat()
    };
    let algorithm: &[u8] = if by.hash() == Hash::Sha512 { &[0x27] } else { &[0x26] };
    let mut protected = vec![if issuer.is_some() { 0xa3 } else { 0xa2 }, 1];
    protected.extend_from_slice(algorithm);
    if let Some(issuer) = issuer {
        // 15: {1: issuer}.
        protected.extend_from_slice(&[0x0f, 0xa1, 1, 0x78, u8::try_from(issuer.len()).expect("short")]);
        protected.extend_from_slice(issuer.as_bytes());
    }
    // 395: 1.
    protected.extend_from_slice(&[0x19, 1, 0x8b, 1]);
    let proof = [&[0x83, numbers[0], numbers[1], 0x81][..], &bytes(&other)].concat();
    let label = if kind == -1 { 0x20 } else { 0x21 };
    let unprotected = [&[0xa1, 0x19, 1, 0x8c, 0xa1, label, 0x81][..], &bytes(&proof)].concat();
    let signed = [&[0x84, 0x6a][..], b"Signature1", &bytes(&protected), &[0x40], &bytes(&root)].concat();
    [&[0xd2, 0x84][..], &bytes(&protected), &unprotected, &[0xf6], &bytes(&by.sign_raw(&signed))].concat()
}
