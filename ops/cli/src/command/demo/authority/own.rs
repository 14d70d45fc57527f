//! A time authority of our own, for machines without OpenSSL: a root and a signer of time-stamps on P-256, as small as
//! RFC 3161 and RFC 5280 allow. It stamps for the demo and for nobody else.

use super::unexpected;
use crate::failure::Failure;
use crate::files::{Readers, write_new};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use time::{Duration, OffsetDateTime};

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const TEXT: u8 = 0x0c;
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]` and `[3]`, constructed.
const ZERO: u8 = 0xa0;
const THREE: u8 = 0xa3;

/// id-sha256.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 2, 1];
/// ecdsa-with-SHA256.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// id-ecPublicKey and prime256v1.
const KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// id-at-commonName.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// id-ce-basicConstraints, id-ce-keyUsage, id-ce-extKeyUsage; id-kp-timeStamping.
const CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const USAGE: &[u8] = &[0x55, 0x1d, 15];
const PURPOSES: &[u8] = &[0x55, 0x1d, 37];
const STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
/// id-signedData, id-ct-TSTInfo; the signed attributes contentType, messageDigest, signingCertificateV2.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
/// 1.2.3.4.1: a policy that means nothing.
const POLICY: &[u8] = &[0x2a, 3, 4, 1];

const ROOT: &str = "Demo root";
const STAMPER: &str = "Demo time authority";
/// The stamper's X.509 certificate has this number.
const SERIAL: u8 = 2;

/// One value of DER, whose body is these parts.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    let length = body.len().to_be_bytes();
    let used = &length[length.iter().take_while(|byte| **byte == 0).count().min(length.len() - 1)..];
    if body.len() >= 0x80 {
        // At most eight bytes of length.
        out.push(0x80 | used.len().to_le_bytes()[0]);
    }
    out.extend_from_slice(used);
    out.extend_from_slice(&body);
    out
}

fn oid(body: &[u8]) -> Vec<u8> {
    der(OID, &[body])
}

fn algorithm(identifier: &[u8]) -> Vec<u8> {
    der(SEQUENCE, &[&oid(identifier)])
}

fn name(common: &str) -> Vec<u8> {
    der(SEQUENCE, &[&der(SET, &[&der(SEQUENCE, &[&oid(COMMON_NAME), &der(TEXT, &[common.as_bytes()])])])])
}

fn moment(at: OffsetDateTime) -> Vec<u8> {
    let (date, time) = (at.date(), at.time());
    let (month, day) = (u8::from(date.month()), date.day());
    let text = format!(
        "{:04}{month:02}{day:02}{:02}{:02}{:02}Z",
        date.year(),
        time.hour(),
        time.minute(),
        time.second()
    );
    der(TIME, &[text.as_bytes()])
}

fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign(message);
    signature.to_der().as_bytes().to_vec()
}

/// The first value of DER in `bytes`, with its tag and its body; the rest stays in `bytes`.
fn take<'q>(bytes: &mut &'q [u8]) -> Option<(u8, &'q [u8], &'q [u8])> {
    let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
    let (begin, length) = match first {
        0..=0x7f => (2, usize::from(first)),
        0x81 => (3, usize::from(*bytes.get(2)?)),
        // No part of a query is longer.
        _ => return None,
    };
    let (whole, rest) = bytes.split_at_checked(begin + length)?;
    *bytes = rest;
    Some((tag, whole, &whole[begin..]))
}

/// What a query asks: the imprint, and its nonce if it has one, both as they stand there.
fn read(query: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut query = query;
    let (SEQUENCE, _, mut inside) = take(&mut query)? else { return None };
    let (INTEGER, _, [1]) = take(&mut inside)? else { return None };
    let (SEQUENCE, imprint, _) = take(&mut inside)? else { return None };
    while let Some((tag, whole, _)) = take(&mut inside) {
        if tag == INTEGER {
            return Some((imprint, whole));
        }
    }
    Some((imprint, &[]))
}

/// A secret key, made now.
fn secret() -> Result<SigningKey, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|why| unexpected(&format!("no randomness: {why}")))?;
    // One number of 2^32 is no key.
    SigningKey::from_slice(&bytes).map_err(|why| unexpected(&format!("a key of P-256: {why}")))
}

/// An X.509 certificate of `key` under `by`, for a month.
fn certify(
    (serial, subject): (u8, &str),
    key: &SigningKey,
    by: &SigningKey,
    extensions: &[&[u8]],
) -> Vec<u8> {
    let now = OffsetDateTime::now_utc();
    let valid = der(SEQUENCE, &[&moment(now - Duration::HOUR), &moment(now + Duration::days(30))]);
    let point = key.verifying_key().to_sec1_point(false);
    let suite = der(SEQUENCE, &[&oid(KEY), &oid(P256)]);
    let public = der(SEQUENCE, &[&suite, &der(BITS, &[&[0], point.as_bytes()])]);
    let said = der(
        SEQUENCE,
        &[
            &der(ZERO, &[&der(INTEGER, &[&[2]])]),
            &der(INTEGER, &[&[serial]]),
            &algorithm(ECDSA),
            &name(ROOT),
            &valid,
            &name(subject),
            &public,
            &der(THREE, &[&der(SEQUENCE, extensions)]),
        ],
    );
    der(SEQUENCE, &[&said, &algorithm(ECDSA), &der(BITS, &[&[0], &sign(by, &said)])])
}

fn critical(identifier: &[u8], value: &[u8]) -> Vec<u8> {
    der(SEQUENCE, &[&oid(identifier), &der(BOOLEAN, &[&[0xff]]), &der(OCTETS, &[value])])
}

/// An authority with keys of its own.
#[derive(Debug)]
pub(super) struct Own {
    key: SigningKey,
    certificate: Vec<u8>,
    count: AtomicU8,
}

impl Own {
    /// Makes one, and writes its root's X.509 certificate as `root` into the folder.
    ///
    /// # Errors
    /// When the folder cannot be written, or there is no randomness.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let (root_key, key) = (secret()?, secret()?);
        let usage = |bits: u8| critical(USAGE, &der(BITS, &[&[0, bits]]));
        let is_authority = critical(CONSTRAINTS, &der(SEQUENCE, &[&der(BOOLEAN, &[&[0xff]])]));
        // keyCertSign; digitalSignature.
        let root = certify((1, ROOT), &root_key, &root_key, &[&is_authority, &usage(0x04)]);
        let stamps = critical(PURPOSES, &der(SEQUENCE, &[&oid(STAMPING)]));
        let certificate = certify((SERIAL, STAMPER), &key, &root_key, &[&usage(0x80), &stamps]);
        write_new(&folder.join("root"), &root, Readers::Owner)?;
        Ok(Self { key, certificate, count: AtomicU8::new(0) })
    }

    /// Its answer to a query, or none when that cannot be read.
    pub(super) fn reply(&self, query: &[u8]) -> Option<Vec<u8>> {
        let (imprint, nonce) = read(query)?;
        let number = self.count.fetch_add(1, Ordering::Relaxed) & 0x7f;
        let info = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &oid(POLICY),
                imprint,
                &der(INTEGER, &[&[number]]),
                &moment(OffsetDateTime::now_utc()),
                &der(SEQUENCE, &[&der(INTEGER, &[&[1]])]),
                nonce,
            ],
        );
        let attribute = |identifier, value: &[u8]| der(SEQUENCE, &[&oid(identifier), &der(SET, &[value])]);
        let bound = der(SEQUENCE, &[&der(OCTETS, &[&Sha256::digest(&self.certificate)])]);
        let attributes = [
            attribute(CONTENT_TYPE, &oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, &der(OCTETS, &[&Sha256::digest(&info)])),
            attribute(SIGNING_CERTIFICATE, &der(SEQUENCE, &[&der(SEQUENCE, &[&bound])])),
        ]
        .concat();
        let signer = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &der(SEQUENCE, &[&name(ROOT), &der(INTEGER, &[&[SERIAL]])]),
                &algorithm(SHA256),
                &der(ZERO, &[&attributes]),
                &algorithm(ECDSA),
                &der(OCTETS, &[&sign(&self.key, &der(SET, &[&attributes]))]),
            ],
        );
        let content = der(SEQUENCE, &[&oid(TST_INFO), &der(ZERO, &[&der(OCTETS, &[&info])])]);
        let data = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[3]]),
                &der(SET, &[&algorithm(SHA256)]),
                &content,
                &der(ZERO, &[&self.certificate]),
                &der(SET, &[&signer]),
            ],
        );
        let token = der(SEQUENCE, &[&oid(SIGNED_DATA), &der(ZERO, &[&data])]);
        let granted = der(SEQUENCE, &[&der(INTEGER, &[&[0]])]);
        Some(der(SEQUENCE, &[&granted, &token]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_evidence_anchors::Authority;
    use zeugma_evidence_verify::tsp::{
        Expected, Imprint, Material, Request, token_of_response, verify_token,
    };
    use zeugma_evidence_verify::x509::Hash;

    #[test]
    fn what_it_stamps_is_accepted_by_the_client_of_time_authorities() {
        let folder = tempfile::tempdir().unwrap();
        let own = Own::new(folder.path()).unwrap();
        let root = std::fs::read(folder.path().join("root")).unwrap();
        let believed = Authority::new("Demo", "http://127.0.0.1/", &root, &[]).unwrap();
        let imprint = Imprint::of(Hash::Sha256, b"a checkpoint");
        let nonce = vec![0x40, 1, 2];
        let request = Request { imprint, policy: None, nonce: Some(nonce.clone()), certificate: true };
        let reply = own.reply(&request.to_der().unwrap()).unwrap();
        let token = token_of_response(&reply).unwrap();
        let expected =
            Expected { imprint: Some(&request.imprint), nonce: Some(&nonce), policies: believed.policies() };
        let material = Material { anchors: &[believed.anchor()], offered: &[], revocation: &[] };
        let stamped = verify_token(&token, &expected, &material).unwrap();
        assert_eq!(stamped.policy(), "1.2.3.4.1");
        let lying = Expected { nonce: Some(&[9]), ..expected };
        assert!(verify_token(&token, &lying, &material).is_err());
    }

    #[test]
    fn what_is_no_query_gets_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let own = Own::new(folder.path()).unwrap();
        for query in [&b""[..], &[SEQUENCE], &[SEQUENCE, 0x82, 1, 0], &[SEQUENCE, 3, INTEGER, 1, 2]] {
            assert!(own.reply(query).is_none(), "{query:?}");
        }
    }
}
