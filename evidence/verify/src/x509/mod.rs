//! X.509 certificates of time authorities: read strictly, chained to a given anchor at a given instant, and looked up in
//! the revocation data that came along.
//!
//! A certificate keeps its own bytes; nothing is encoded again. An extension that is critical and not
//! understood refuses the certificate. Names are compared as bytes.
//!
//! Source: RFC 5280, sections 4.1, 4.2 and 6.1.

mod algorithm;
mod chain;
mod revocation;

pub use algorithm::{Algorithms, Hash};
pub(crate) use algorithm::{Identifier, PublicKey};
pub(crate) use chain::{Chain, Pool, chain};
pub(crate) use revocation::{Answer, Crl, questions, standing};
pub use revocation::{MAX_CRL, MAX_RESPONSE, Noted, Revocation, RevocationQuestion};

use crate::der::{Der, Oid, only_sequence, tag};
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Refusal};

/// Longest certificate, in bytes: those of time authorities have a tenth of it.
pub const MAX_CERTIFICATE: usize = 16 * 1024;
/// Most extensions of one certificate.
const MAX_EXTENSIONS: usize = 64;

const SUBJECT_KEY: Oid<'_> = Oid::known(&[0x55, 0x1d, 14]);
const KEY_USAGE: Oid<'_> = Oid::known(&[0x55, 0x1d, 15]);
const SUBJECT_ALT_NAME: Oid<'_> = Oid::known(&[0x55, 0x1d, 17]);
const BASIC_CONSTRAINTS: Oid<'_> = Oid::known(&[0x55, 0x1d, 19]);
const CERTIFICATE_POLICIES: Oid<'_> = Oid::known(&[0x55, 0x1d, 32]);
const AUTHORITY_KEY: Oid<'_> = Oid::known(&[0x55, 0x1d, 35]);
const EXTENDED_KEY_USAGE: Oid<'_> = Oid::known(&[0x55, 0x1d, 37]);
const DISTRIBUTION_POINTS: Oid<'_> = Oid::known(&[0x55, 0x1d, 31]);
const AUTHORITY_ACCESS: Oid<'_> = Oid::known(&[0x2b, 6, 1, 5, 5, 7, 1, 1]);

const ANY_PURPOSE: Oid<'_> = Oid::known(&[0x55, 0x1d, 37, 0]);
const TIME_STAMPING: Oid<'_> = Oid::known(&[0x2b, 6, 1, 5, 5, 7, 3, 8]);
const OCSP_SIGNING: Oid<'_> = Oid::known(&[0x2b, 6, 1, 5, 5, 7, 3, 9]);
const COMMON_NAME: Oid<'_> = Oid::known(&[0x55, 4, 3]);

/// What a key may do, by its bit of `KeyUsage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Bit 0.
    DigitalSignature,
    /// Bit 1.
    NonRepudiation,
    /// Bit 5.
    CertificateSigning,
    /// Bit 6.
    CrlSigning,
}

impl Use {
    const fn mask(self) -> u8 {
        match self {
            Self::DigitalSignature => 0x80,
            Self::NonRepudiation => 0x40,
            Self::CertificateSigning => 0x04,
            Self::CrlSigning => 0x02,
        }
    }
}

/// Extended key usage.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Purposes {
    critical: bool,
    list: Vec<Vec<u8>>,
    stamping: bool,
    answering: bool,
    any: bool,
}

/// An X.509 certificate, read but not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    pub(crate) raw: &'a [u8],
    tbs: &'a [u8],
    pub(crate) serial: &'a [u8],
    /// The issuer's Name, as encoded.
    pub(crate) issuer: &'a [u8],
    /// The subject's Name, as encoded.
    pub(crate) subject: &'a [u8],
    not_before: BlockTime,
    not_after: BlockTime,
    spki: &'a [u8],
    signature_algorithm: Identifier<'a>,
    signature: &'a [u8],
    /// `Some` for a certificate authority, with its bound on the length of the path below it.
    authority: Option<Option<u32>>,
    key_usage: Option<u8>,
    purposes: Option<Purposes>,
    pub(crate) subject_key: Option<&'a [u8]>,
    authority_key: Option<&'a [u8]>,
    pub(crate) has_alternative_names: bool,
    /// Where revocation lists are, as encoded: for whoever gathers them, and read by nobody else.
    points: Option<&'a [u8]>,
    /// Where responders are, likewise.
    access: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`Code::TooLong`], the refusals of DER, [`Code::CriticalExtension`], [`Code::BadX509`].
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(Refusal::new(Code::TooLong).needed(MAX_CERTIFICATE).found(bytes.len()));
        }
        let mut outer = only_sequence(bytes)?;
        let tbs = outer.expect(tag::SEQUENCE)?;
        let signature_algorithm = Identifier::decode(&mut outer)?;
        let signature = outer.bits()?;
        outer.finish()?;

        let mut der = Der::new(tbs.body);
        let version = match der.optional(tag::context(0))? {
            None => 0,
            Some(explicit) => Der::new(explicit.body).small()?,
        };
        let serial = der.expect(tag::INTEGER)?.body;
        if Identifier::decode(&mut der)?.raw != signature_algorithm.raw {
            return Err(broken("two signature algorithms"));
        }
        let issuer = der.expect(tag::SEQUENCE)?.raw;
        let mut validity = der.sequence()?;
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        validity.finish()?;
        let subject = der.expect(tag::SEQUENCE)?.raw;
        let spki = der.expect(tag::SEQUENCE)?.raw;
        // issuerUniqueID and subjectUniqueID say nothing here.
        der.optional(tag::primitive(1))?;
        der.optional(tag::primitive(2))?;
        let mut certificate = Self {
            raw: bytes,
            tbs: tbs.raw,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            spki,
            signature_algorithm,
            signature,
            authority: None,
            key_usage: None,
            purposes: None,
            subject_key: None,
            authority_key: None,
            has_alternative_names: false,
            points: None,
            access: None,
        };
        if let Some(extensions) = der.optional(tag::context(3))? {
            if version != 2 {
                return Err(broken("extensions in an old version"));
            }
            certificate.read_extensions(only_sequence(extensions.body)?)?;
        }
        der.finish()?;
        Ok(certificate)
    }

    fn read_extensions(&mut self, mut list: Der<'a>) -> Result<(), Refusal> {
        let mut seen = Vec::new();
        while !list.is_empty() {
            let mut extension = list.sequence()?;
            let oid = extension.oid()?;
            let critical = extension.flag()?;
            let value = extension.expect(tag::OCTET_STRING)?.body;
            extension.finish()?;
            if seen.contains(&oid) {
                return Err(broken("an extension twice"));
            }
            seen.push(oid);
            if seen.len() > MAX_EXTENSIONS {
                return Err(Refusal::new(Code::TooMany).needed(MAX_EXTENSIONS).found(seen.len()));
            }
            match oid {
                BASIC_CONSTRAINTS => self.authority = basic_constraints(value)?,
                KEY_USAGE => self.key_usage = Some(key_usage(value)?),
                EXTENDED_KEY_USAGE => self.purposes = Some(purposes(value, critical)?),
                SUBJECT_KEY => self.subject_key = Some(whole(value, tag::OCTET_STRING)?),
                AUTHORITY_KEY => {
                    let mut inside = only_sequence(value)?;
                    self.authority_key = inside.optional(tag::primitive(0))?.map(|key| key.body);
                }
                SUBJECT_ALT_NAME => self.has_alternative_names = true,
                // Policies restrict nothing here: the policy that counts is the one in the token.
                CERTIFICATE_POLICIES => {}
                DISTRIBUTION_POINTS if !critical => self.points = Some(value),
                AUTHORITY_ACCESS if !critical => self.access = Some(value),
                other if critical => {
                    return Err(Refusal::new(Code::CriticalExtension).found(other.dotted()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The key.
    pub(crate) fn key(&self) -> Result<PublicKey, Refusal> {
        PublicKey::decode(self.spki)
    }

    /// The key's own bits: what responders name an issuer by.
    fn key_bits(&self) -> Result<&'a [u8], Refusal> {
        PublicKey::bits(self.spki)
    }

    /// Whether its validity had ended before an instant.
    fn ended_before(&self, at: BlockTime) -> bool {
        at.get() / 1_000 > self.not_after.get() / 1_000
    }

    /// Whether it may sign answers about the certificates of its issuer.
    fn may_answer(&self) -> bool {
        self.purposes.as_ref().is_some_and(|list| list.answering)
    }

    /// Whether it may sign certificates.
    pub(crate) const fn is_authority(&self) -> bool {
        self.authority.is_some()
    }

    /// Whether the key may be used so: without the extension it may.
    pub(crate) fn may(&self, what: Use) -> bool {
        self.key_usage.is_none_or(|bits| bits & what.mask() != 0)
    }

    /// Checks that it names no time outside of which it says nothing.
    pub(crate) fn check_valid(&self, at: BlockTime) -> Result<(), Refusal> {
        let refused =
            |edge: BlockTime| Err(Refusal::new(Code::NotValidThen).needed(edge.get()).found(at.get()));
        if at < self.not_before {
            return refused(self.not_before);
        }
        // The last second is within.
        if self.ended_before(at) {
            return refused(self.not_after);
        }
        Ok(())
    }

    /// Checks that the key is for time-stamping and nothing else, and says so critically.
    pub(crate) fn check_stamps(&self) -> Result<(), Refusal> {
        let refused = |why: &'static str| Err(Refusal::new(Code::NotForStamping).found(why));
        match &self.purposes {
            None => return refused("no extended key usage"),
            Some(purposes) if !purposes.critical => return refused("an extended key usage not critical"),
            Some(purposes) if !purposes.stamping => return refused("another extended key usage"),
            Some(purposes) if purposes.list.len() != 1 => return refused("more than one extended key usage"),
            Some(_) => {}
        }
        if self.is_authority() {
            return refused("a certificate authority");
        }
        if !self.may(Use::DigitalSignature) && !self.may(Use::NonRepudiation) {
            return refused("a key usage without signatures");
        }
        Ok(())
    }

    /// Whether someone could take it for the certificate of a time authority.
    pub(crate) fn could_stamp(&self) -> bool {
        !self.is_authority() && self.purposes.as_ref().is_none_or(|list| list.stamping || list.any)
    }

    /// Whether an authority that states purposes may stand above a time authority.
    pub(crate) fn may_issue_stampers(&self) -> bool {
        self.purposes.as_ref().is_none_or(|list| list.stamping || list.any)
    }

    /// Checks the signature under the issuer's key.
    pub(crate) fn check_signed_by(&self, key: &PublicKey) -> Result<Algorithms, Refusal> {
        key.verify(&self.signature_algorithm, None, self.tbs, self.signature)
    }

    /// The subject's common name, or its last attribute that is text; empty if there is none.
    pub(crate) fn subject_text(&self) -> String {
        name_text(self.subject)
    }
}

/// The name in an X.509 certificate that can be read, in DER: for whoever configures one. It says nothing of trust.
///
/// # Errors
/// [`Code::TooLong`], the refusals of DER, [`Code::CriticalExtension`], [`Code::BadX509`].
pub fn subject_of(certificate: &[u8]) -> Result<String, Refusal> {
    Certificate::parse(certificate).map(|certificate| certificate.subject_text())
}

fn broken(what: &'static str) -> Refusal {
    Refusal::new(Code::BadX509).found(what)
}

/// The content of the one value of this tag that fills `bytes`.
fn whole(bytes: &[u8], tag: u8) -> Result<&[u8], Refusal> {
    let mut der = Der::new(bytes);
    let value = der.expect(tag)?;
    der.finish()?;
    Ok(value.body)
}

fn basic_constraints(value: &[u8]) -> Result<Option<Option<u32>>, Refusal> {
    let mut inside = only_sequence(value)?;
    // Some authorities write the default out; it says the same.
    let authority = inside.optional(tag::BOOLEAN)?.is_some_and(|flag| flag.body == [0xff]);
    let below = if inside.is_empty() { None } else { Some(inside.small()?) };
    inside.finish()?;
    Ok(authority.then_some(below))
}

/// The first byte of the bits: the ninth, `decipherOnly`, is not used here.
fn key_usage(value: &[u8]) -> Result<u8, Refusal> {
    match whole(value, tag::BIT_STRING)? {
        [0..=7, first, ..] => Ok(*first),
        _ => Err(broken("a key usage without bits")),
    }
}

fn purposes(value: &[u8], critical: bool) -> Result<Purposes, Refusal> {
    let mut inside = only_sequence(value)?;
    let mut found = Purposes { critical, list: Vec::new(), stamping: false, answering: false, any: false };
    while !inside.is_empty() {
        let raw = inside.expect(tag::OID)?.body;
        let oid = Oid::new(raw)?;
        found.stamping |= oid == TIME_STAMPING;
        found.answering |= oid == OCSP_SIGNING;
        found.any |= oid == ANY_PURPOSE;
        found.list.push(raw.to_vec());
        if found.list.len() > MAX_EXTENSIONS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_EXTENSIONS).found(found.list.len()));
        }
    }
    Ok(found)
}

/// Text for people out of a Name: its common name, else the last attribute. What cannot be read is left out.
fn name_text(name: &[u8]) -> String {
    let mut best = String::new();
    let Ok(mut sets) = only_sequence(name) else { return best };
    while let Ok(set) = sets.expect(tag::SET) {
        let mut members = Der::new(set.body);
        while let Ok(mut attribute) = members.sequence() {
            let (Ok(oid), Ok(value)) = (attribute.oid(), attribute.any()) else { continue };
            let Ok(text) = core::str::from_utf8(value.body) else { continue };
            let text: String = text.chars().filter(|letter| !letter.is_control()).take(128).collect();
            if oid == COMMON_NAME {
                return text;
            }
            best = text;
        }
    }
    best
}
