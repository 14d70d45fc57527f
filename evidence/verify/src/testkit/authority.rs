//! A time authority in memory, right or wrong as a test asks: its keys follow from a seed, and every part of a
//! certificate or a token can be chosen.

use crate::der::{put, tag};
use crate::json::utc;
use crate::testkit::key::{Kind, TestKey};
use crate::x509::Hash;
use alloc::vec;
use alloc::vec::Vec;
use zeugma_types::BlockTime;

/// `id-kp-timeStamping`.
pub const STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
/// `id-kp-OCSPSigning`.
pub const ANSWERING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
/// `id-kp-serverAuth`.
pub const SERVER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
/// 1.2.3.4.1, the policy of the test's authorities.
pub const POLICY: &str = "1.2.3.4.1";
const POLICY_DER: &[u8] = &[0x2a, 3, 4, 1];

const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// Appends what `inside` writes under a tag.
pub(super) fn nest(out: &mut Vec<u8>, tag: u8, inside: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    inside(&mut body);
    put(out, tag, &body);
}

pub(super) fn made(tag: u8, inside: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    nest(&mut out, tag, inside);
    out
}

pub(super) fn name(common: &str) -> Vec<u8> {
    made(tag::SEQUENCE, |out| {
        nest(out, tag::SET, |out| {
            nest(out, tag::SEQUENCE, |out| {
                put(out, tag::OID, COMMON_NAME);
                put(out, 0x0c, common.as_bytes());
            });
        });
    })
}

pub(super) fn generalized(at: BlockTime) -> Vec<u8> {
    // 2024-10-08T15:40:32.500Z as 20241008154032.5Z.
    let text: Vec<u8> = utc(at).bytes().filter(|byte| !b"-:TZ".contains(byte)).collect();
    let (whole, fraction) = text.split_at(14);
    let kept = fraction.iter().rposition(|byte| byte.is_ascii_digit() && *byte != b'0');
    let fraction = kept.map_or(&[][..], |last| &fraction[..=last]);
    [whole, fraction, b"Z"].concat()
}

/// A key on P-256 whose secret follows from a seed.
#[must_use]
pub fn key(seed: &str) -> TestKey {
    TestKey::new(Kind::P256, seed)
}

/// What an X.509 certificate shall say.
#[derive(Clone, Debug)]
pub struct CertificateSpec {
    /// Common name of the subject.
    pub subject: &'static str,
    /// Common name of the issuer.
    pub issuer: &'static str,
    /// Serial number.
    pub serial: u8,
    /// First and last instant.
    pub valid: (BlockTime, BlockTime),
    /// `Some` for an authority, with the bound on the path below it.
    pub authority: Option<Option<u8>>,
    /// First byte of the key usage.
    pub key_usage: Option<u8>,
    /// Purposes, and whether they are critical.
    pub purposes: Option<(bool, Vec<&'static [u8]>)>,
    /// A further extension: identifier and whether it is critical.
    pub extra: Option<(&'static [u8], bool)>,
}

impl CertificateSpec {
    /// The certificate of an authority.
    #[must_use]
    pub fn root(subject: &'static str) -> Self {
        let valid = (BlockTime::new(1_600_000_000_000), BlockTime::new(4_000_000_000_000));
        Self {
            subject,
            issuer: subject,
            serial: 1,
            valid,
            authority: Some(None),
            key_usage: Some(0x06),
            purposes: None,
            extra: None,
        }
    }

    /// The certificate of a signer of time-stamps.
    #[must_use]
    pub fn stamper(subject: &'static str, issuer: &'static str) -> Self {
        Self {
            subject,
            issuer,
            serial: 2,
            authority: None,
            key_usage: Some(0x80),
            purposes: Some((true, vec![STAMPING])),
            ..Self::root(subject)
        }
    }

    /// The certificate, for `key`, signed by `by`.
    #[must_use]
    pub fn make(&self, key: &TestKey, by: &TestKey) -> Vec<u8> {
        let tbs = made(tag::SEQUENCE, |out| {
            nest(out, tag::context(0), |out| put(out, tag::INTEGER, &[2]));
            put(out, tag::INTEGER, &[self.serial]);
            by.put_algorithm(out);
            out.extend_from_slice(&name(self.issuer));
            nest(out, tag::SEQUENCE, |out| {
                put(out, tag::GENERALIZED_TIME, &generalized(self.valid.0));
                put(out, tag::GENERALIZED_TIME, &generalized(self.valid.1));
            });
            out.extend_from_slice(&name(self.subject));
            key.put_public(out);
            let extensions = made(tag::SEQUENCE, |out| self.put_extensions(out));
            put(out, tag::context(3), &extensions);
        });
        signed(&tbs, by)
    }

    fn put_extensions(&self, out: &mut Vec<u8>) {
        if let Some(below) = self.authority {
            let value = made(tag::SEQUENCE, |out| {
                put(out, tag::BOOLEAN, &[0xff]);
                if let Some(below) = below {
                    put(out, tag::INTEGER, &[below]);
                }
            });
            extension(out, &[0x55, 0x1d, 19], true, &value);
        }
        if let Some(bits) = self.key_usage {
            extension(out, &[0x55, 0x1d, 15], true, &[tag::BIT_STRING, 2, 0, bits]);
        }
        if let Some((critical, purposes)) = &self.purposes {
            let list = purposes.iter();
            let value = made(tag::SEQUENCE, |out| list.for_each(|oid| put(out, tag::OID, oid)));
            extension(out, &[0x55, 0x1d, 37], *critical, &value);
        }
        if let Some((oid, critical)) = self.extra {
            extension(out, oid, critical, &[tag::NULL, 0]);
        }
    }
}

pub(super) fn extension(out: &mut Vec<u8>, oid: &[u8], critical: bool, value: &[u8]) {
    nest(out, tag::SEQUENCE, |out| {
        put(out, tag::OID, oid);
        if critical {
            put(out, tag::BOOLEAN, &[0xff]);
        }
        put(out, tag::OCTET_STRING, value);
    });
}

pub(super) fn signed(tbs: &[u8], by: &TestKey) -> Vec<u8> {
    made(tag::SEQUENCE, |out| {
        out.extend_from_slice(tbs);
        by.put_algorithm(out);
        put(out, tag::BIT_STRING, &[&[0], by.sign(tbs).as_slice()].concat());
    })
}

/// A revocation list of `issuer`: when it was made, when the next is due, and serials with date and reason.
#[must_use]
pub fn revocation_list(
    issuer: &str,
    by: &TestKey,
    (at, next): (BlockTime, BlockTime),
    revoked: &[(u8, BlockTime, u8)],
) -> Vec<u8> {
    let tbs = made(tag::SEQUENCE, |out| {
        put(out, tag::INTEGER, &[1]);
        by.put_algorithm(out);
        out.extend_from_slice(&name(issuer));
        put(out, tag::GENERALIZED_TIME, &generalized(at));
        put(out, tag::GENERALIZED_TIME, &generalized(next));
        if !revoked.is_empty() {
            nest(out, tag::SEQUENCE, |out| {
                for (serial, date, reason) in revoked {
                    nest(out, tag::SEQUENCE, |out| {
                        put(out, tag::INTEGER, &[*serial]);
                        put(out, tag::GENERALIZED_TIME, &generalized(*date));
                        nest(out, tag::SEQUENCE, |out| {
                            extension(out, &[0x55, 0x1d, 21], false, &[tag::ENUMERATED, 1, *reason]);
                        });
                    });
                }
            });
        }
    });
    signed(&tbs, by)
}

/// What a token shall say.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    /// Hash of the imprint.
    pub hash: Hash,
    /// What the imprint is of.
    pub message: Vec<u8>,
    /// The time.
    pub time: BlockTime,
    /// The nonce, one byte below 128.
    pub nonce: Option<u8>,
    /// X.509 certificates in the token.
    pub embedded: Vec<Vec<u8>>,
    /// The X.509 certificate that is named as the signer's, and bound.
    pub signer: CertificateSpec,
    /// Its bytes, as bound.
    pub bound: Vec<u8>,
    /// Signed attributes are left out by their place: 0 content type, 1 digest, 2 certificate.
    pub without: Option<usize>,
    /// A digest of another content is stated.
    pub wrong_digest: bool,
    /// The token is of `SignedData` version.
    pub version: u8,
    /// How many times the signer is listed.
    pub signers: usize,
    /// Whether lengths have no end, as BER allows.
    pub indefinite: bool,
}

/// An authority: a root, and a signer of time-stamps below it.
#[derive(Clone, Debug)]
pub struct TestAuthority {
    /// The root's X.509 certificate.
    pub root: Vec<u8>,
    /// The signer's X.509 certificate.
    pub certificate: Vec<u8>,
    /// What the latter says.
    pub spec: CertificateSpec,
    /// The root's key.
    pub root_key: TestKey,
    /// The signer's key.
    pub key: TestKey,
}

impl TestAuthority {
    /// The authority of that name.
    #[must_use]
    pub fn new(root: &'static str, signer: &'static str) -> Self {
        Self::with(CertificateSpec::root(root), CertificateSpec::stamper(signer, root))
    }

    /// An authority whose X.509 certificates say what is asked.
    #[must_use]
    pub fn with(root: CertificateSpec, spec: CertificateSpec) -> Self {
        Self::of(Kind::P256, root, spec)
    }

    /// An authority that signs as `kind` says, the root too.
    #[must_use]
    pub fn of(kind: Kind, root: CertificateSpec, spec: CertificateSpec) -> Self {
        let [root_key, signer_key] = [root.subject, spec.subject].map(|seed| TestKey::new(kind, seed));
        Self {
            root: root.make(&root_key, &root_key),
            certificate: spec.make(&signer_key, &root_key),
            spec,
            root_key,
            key: signer_key,
        }
    }

    /// The usual token over a message.
    #[must_use]
    pub fn spec(&self, message: &[u8], time: BlockTime) -> TokenSpec {
        TokenSpec {
            hash: self.key.hash(),
            message: message.to_vec(),
            time,
            nonce: None,
            embedded: vec![self.certificate.clone()],
            signer: self.spec.clone(),
            bound: self.certificate.clone(),
            without: None,
            wrong_digest: false,
            version: 3,
            signers: 1,
            indefinite: false,
        }
    }

    /// A token over `message`.
    #[must_use]
    pub fn stamp(&self, message: &[u8], time: BlockTime) -> Vec<u8> {
        self.token(&self.spec(message, time))
    }

    /// A token as asked.
    #[must_use]
    pub fn token(&self, spec: &TokenSpec) -> Vec<u8> {
        let info = made(tag::SEQUENCE, |out| {
            put(out, tag::INTEGER, &[1]);
            put(out, tag::OID, POLICY_DER);
            nest(out, tag::SEQUENCE, |out| {
                put(out, tag::SEQUENCE, spec.hash.identifier());
                put(out, tag::OCTET_STRING, &spec.hash.digest(&spec.message));
            });
            put(out, tag::INTEGER, &[7]);
            put(out, tag::GENERALIZED_TIME, &generalized(spec.time));
            nest(out, tag::SEQUENCE, |out| put(out, tag::INTEGER, &[1]));
            if let Some(nonce) = spec.nonce {
                put(out, tag::INTEGER, &[nonce]);
            }
        });
        let attributes = attributes(&info, spec, self.key.hash());
        let mut signed = Vec::new();
        put(&mut signed, tag::SET, &attributes);
        let signer = made(tag::SEQUENCE, |out| {
            put(out, tag::INTEGER, &[1]);
            nest(out, tag::SEQUENCE, |out| {
                out.extend_from_slice(&name(spec.signer.issuer));
                put(out, tag::INTEGER, &[spec.signer.serial]);
            });
            put(out, tag::SEQUENCE, self.key.hash().identifier());
            put(out, tag::context(0), &attributes);
            self.key.put_algorithm(out);
            put(out, tag::OCTET_STRING, &self.key.sign(&signed));
        });
        let data = made(tag::SEQUENCE, |out| {
            put(out, tag::INTEGER, &[spec.version]);
            nest(out, tag::SET, |out| put(out, tag::SEQUENCE, self.key.hash().identifier()));
            nest(out, tag::SEQUENCE, |out| {
                put(out, tag::OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4]);
                nest(out, tag::context(0), |out| put(out, tag::OCTET_STRING, &info));
            });
            if !spec.embedded.is_empty() {
                put(out, tag::context(0), &spec.embedded.concat());
            }
            nest(out, tag::SET, |out| (0..spec.signers).for_each(|_| out.extend_from_slice(&signer)));
        });
        let inside = made(tag::SEQUENCE, |out| {
            put(out, tag::OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]);
            put(out, tag::context(0), &data);
        });
        if !spec.indefinite {
            return inside;
        }
        // The outermost length without its end, as some authorities send it.
        let header = inside.len() - crate::der::only_sequence(&inside).expect("made above").rest().len();
        [&[tag::SEQUENCE, 0x80], &inside[header..], &[0, 0]].concat()
    }
}

fn attributes(info: &[u8], spec: &TokenSpec, hash: Hash) -> Vec<u8> {
    let attribute = |oid: &[u8], value: &[u8]| {
        made(tag::SEQUENCE, |out| {
            put(out, tag::OID, oid);
            put(out, tag::SET, value);
        })
    };
    let content = made(tag::OID, |out| {
        out.extend_from_slice(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4]);
    });
    let stated: &[u8] = if spec.wrong_digest { b"another" } else { info };
    let digest = made(tag::OCTET_STRING, |out| out.extend_from_slice(&hash.digest(stated)));
    let bound = made(tag::SEQUENCE, |out| {
        nest(out, tag::SEQUENCE, |out| {
            nest(out, tag::SEQUENCE, |out| {
                // SHA-256 is the default, which DER leaves out.
                if hash != Hash::Sha256 {
                    put(out, tag::SEQUENCE, hash.identifier());
                }
                put(out, tag::OCTET_STRING, &hash.digest(&spec.bound));
            });
        });
    });
    let list = [
        attribute(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3], &content),
        attribute(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4], &digest),
        attribute(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47], &bound),
    ];
    let kept = list.iter().enumerate().filter(|(place, _)| spec.without != Some(*place));
    kept.flat_map(|(_, attribute)| attribute.clone()).collect()
}
