//! The structure of a token: CMS `SignedData` of one signer over a `TSTInfo`.

use super::{Accuracy, Imprint, QUALIFIED};
use crate::der::{Der, Oid, Value, only_sequence, tag};
use crate::x509::{Algorithms, Certificate, Crl, Hash, Identifier, PublicKey};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Refusal};

/// Most certificates of one token, and of what is offered beside it.
pub(crate) const MAX_CERTIFICATES: usize = 24;
/// Longest serial number of a token and longest nonce, in bytes.
const MAX_NUMBER: usize = 64;

const SIGNED_DATA: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]);
const TST_INFO: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4]);
const CONTENT_TYPE: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3]);
const MESSAGE_DIGEST: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4]);
const SIGNING_CERTIFICATE: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 12]);
const SIGNING_CERTIFICATE_V2: Oid<'_> = Oid::known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47]);
const QC_STATEMENTS: Oid<'_> = Oid::known(&[0x2b, 6, 1, 5, 5, 7, 1, 3]);

/// What the authority says.
#[derive(Clone, Debug)]
pub(crate) struct Info<'a> {
    pub(crate) policy: Oid<'a>,
    pub(crate) imprint: Imprint,
    pub(crate) serial: &'a [u8],
    pub(crate) time: BlockTime,
    pub(crate) accuracy: Option<Accuracy>,
    pub(crate) nonce: Option<&'a [u8]>,
    /// The directory name that it gives itself, as encoded.
    name: Option<&'a [u8]>,
    pub(crate) claims_qualified: bool,
}

/// How a token names its signer.
#[derive(Clone, Copy, Debug)]
enum Named<'a> {
    IssuerAndSerial { issuer: &'a [u8], serial: &'a [u8] },
    SubjectKey(&'a [u8]),
}

/// A token, read but not verified.
#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) info: Info<'a>,
    pub(crate) certificates: Vec<Certificate<'a>>,
    /// Revocation lists that it carries.
    pub(crate) lists: Vec<Crl<'a>>,
    content: &'a [u8],
    digest: Hash,
    named: Named<'a>,
    /// The signed attributes, as encoded.
    attributes: &'a [u8],
    stated_digest: &'a [u8],
    bound: Bound<'a>,
    algorithm: Identifier<'a>,
    signature: &'a [u8],
}

/// The signer's certificate, as the signed attributes bind it.
#[derive(Clone, Copy, Debug)]
struct Bound<'a> {
    hash: Hash,
    digest: &'a [u8],
    issuer_serial: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Token<'a> {
    /// Reads a ContentInfo.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut outer = only_sequence(bytes)?;
        if outer.oid()? != SIGNED_DATA {
            return Err(broken("another content than signed data"));
        }
        let explicit = outer.expect(tag::context(0))?;
        outer.finish()?;
        let mut der = only_sequence(explicit.body)?;
        // RFC 5652, section 5.1: 3, because the content is not plain data.
        if der.small()? != 3 {
            return Err(broken("another version of signed data"));
        }
        let digests = der.expect(tag::SET)?;
        let content = content(der.sequence()?)?;
        let certificates = certificates(der.optional(tag::context(0))?)?;
        let lists = lists(der.optional(tag::context(1))?)?;
        let mut signers = Der::new(der.expect(tag::SET)?.body);
        der.finish()?;
        let signer = signers.sequence()?;
        if !signers.is_empty() {
            return Err(broken("more than one signer"));
        }
        let token = Self { lists, ..Self::signer(signer, content, certificates)? };
        let mut listed = Der::new(digests.body);
        if Hash::decode(&mut listed)? != token.digest || !listed.is_empty() {
            return Err(broken("another list of digests than the signer's"));
        }
        Ok(token)
    }

    fn signer(
        mut der: Der<'a>,
        content: &'a [u8],
        certificates: Vec<Certificate<'a>>,
    ) -> Result<Self, Refusal> {
        let version = der.small()?;
        let named = if der.next_is(tag::SEQUENCE) {
            let mut inside = der.sequence()?;
            let issuer = inside.expect(tag::SEQUENCE)?.raw;
            let serial = inside.expect(tag::INTEGER)?.body;
            inside.finish()?;
            Named::IssuerAndSerial { issuer, serial }
        } else {
            Named::SubjectKey(der.expect(tag::primitive(0))?.body)
        };
        let fits = match named {
            Named::IssuerAndSerial { .. } => version == 1,
            Named::SubjectKey(_) => version == 3,
        };
        if !fits {
            return Err(broken("another version of the signer"));
        }
        let digest = Hash::decode(&mut der)?;
        let Some(attributes) = der.optional(tag::context(0))? else {
            return Err(broken("no signed attributes"));
        };
        let algorithm = Identifier::decode(&mut der)?;
        let signature = der.expect(tag::OCTET_STRING)?.body;
        // What nobody signed says nothing, and would be a place to hide bytes.
        if !der.is_empty() {
            return Err(broken("attributes that are not signed"));
        }
        let (stated_digest, bound) = signed_attributes(attributes.body)?;
        Ok(Self {
            info: Info::parse(content)?,
            certificates,
            lists: Vec::new(),
            content,
            digest,
            named,
            attributes: attributes.raw,
            stated_digest,
            bound,
            algorithm,
            signature,
        })
    }

    /// Whether the token names this certificate as its signer's.
    pub(crate) fn names_signer(&self, certificate: &Certificate<'_>) -> bool {
        match self.named {
            Named::IssuerAndSerial { issuer, serial } => {
                certificate.issuer == issuer && certificate.serial == serial
            }
            Named::SubjectKey(key) => certificate.subject_key == Some(key),
        }
    }

    /// Whether the signed attributes bind this certificate.
    pub(crate) fn binds(&self, certificate: &Certificate<'_>) -> bool {
        let issued = self
            .bound
            .issuer_serial
            .is_none_or(|(issuer, serial)| certificate.issuer == issuer && certificate.serial == serial);
        issued && self.bound.hash.digest(certificate.raw) == self.bound.digest
    }

    /// The name that the authority gives itself is its certificate's.
    pub(crate) fn check_name(&self, signer: &Certificate<'_>) -> Result<(), Refusal> {
        match self.info.name {
            Some(name) if name != signer.subject && !signer.has_alternative_names => {
                Err(Refusal::new(Code::WrongCertificate).found("another name than the authority's"))
            }
            _ => Ok(()),
        }
    }

    /// Checks the content's digest and the signature over the signed attributes.
    pub(crate) fn check_signature(&self, key: &PublicKey) -> Result<Algorithms, Refusal> {
        if self.digest.digest(self.content) != self.stated_digest {
            return Err(Refusal::new(Code::BadSignature).found("a content with another digest"));
        }
        // RFC 5652, section 5.4: signed is the SET OF, not its implicit tag.
        let mut signed = self.attributes.to_vec();
        if let Some(first) = signed.first_mut() {
            *first = tag::SET;
        }
        key.verify(&self.algorithm, Some(self.digest), &signed, self.signature)
    }
}

fn broken(what: &'static str) -> Refusal {
    Refusal::new(Code::BadToken).found(what)
}

/// The bytes of the TSTInfo inside an EncapsulatedContentInfo.
fn content(mut der: Der<'_>) -> Result<&[u8], Refusal> {
    if der.oid()? != TST_INFO {
        return Err(broken("another content than a time-stamp"));
    }
    let mut explicit = Der::new(der.expect(tag::context(0))?.body);
    der.finish()?;
    let content = explicit.expect(tag::OCTET_STRING)?.body;
    explicit.finish()?;
    Ok(content)
}

fn certificates(set: Option<Value<'_>>) -> Result<Vec<Certificate<'_>>, Refusal> {
    let mut found: Vec<Certificate<'_>> = Vec::new();
    let Some(set) = set else { return Ok(found) };
    let mut der = Der::new(set.body);
    while !der.is_empty() {
        if found.len() == MAX_CERTIFICATES {
            return Err(Refusal::new(Code::TooMany).needed(MAX_CERTIFICATES));
        }
        let one = Certificate::parse(der.expect(tag::SEQUENCE)?.raw)?;
        if found.iter().any(|other| other.raw == one.raw) {
            return Err(broken("a certificate twice"));
        }
        found.push(one);
    }
    Ok(found)
}

fn lists(set: Option<Value<'_>>) -> Result<Vec<Crl<'_>>, Refusal> {
    let mut found = Vec::new();
    let Some(set) = set else { return Ok(found) };
    let mut der = Der::new(set.body);
    while !der.is_empty() {
        if found.len() == MAX_CERTIFICATES {
            return Err(Refusal::new(Code::TooMany).needed(MAX_CERTIFICATES));
        }
        found.push(Crl::parse(der.expect(tag::SEQUENCE)?.raw)?);
    }
    Ok(found)
}

/// The stated digest of the content, and the certificate that is bound.
fn signed_attributes(body: &[u8]) -> Result<(&[u8], Bound<'_>), Refusal> {
    let mut seen: Vec<Oid<'_>> = Vec::new();
    let (mut content_type, mut digest, mut bound, mut first_version) = (false, None, None, false);
    let mut der = Der::new(body);
    while !der.is_empty() {
        let mut attribute = der.sequence()?;
        let oid = attribute.oid()?;
        let mut values = Der::new(attribute.expect(tag::SET)?.body);
        attribute.finish()?;
        if seen.contains(&oid) {
            return Err(broken("a signed attribute twice"));
        }
        if seen.len() == 32 {
            return Err(Refusal::new(Code::TooMany).needed(32_u64));
        }
        seen.push(oid);
        match oid {
            CONTENT_TYPE => {
                if values.oid()? != TST_INFO {
                    return Err(broken("a signed attribute of another content type"));
                }
                content_type = true;
            }
            MESSAGE_DIGEST => digest = Some(values.expect(tag::OCTET_STRING)?.body),
            SIGNING_CERTIFICATE_V2 => bound = Some(Bound::parse(values.sequence()?)?),
            SIGNING_CERTIFICATE => {
                first_version = true;
                continue;
            }
            _ => continue,
        }
        values.finish()?;
    }
    if !content_type {
        return Err(broken("no signed content type"));
    }
    let digest = digest.ok_or_else(|| broken("no signed digest"))?;
    match bound {
        Some(bound) => Ok((digest, bound)),
        // RFC 2634 binds by SHA-1, which can be made to bind another certificate.
        None if first_version => {
            Err(Refusal::new(Code::RefusedAlgorithm).found("a certificate bound by SHA-1"))
        }
        None => Err(broken("no certificate bound")),
    }
}

impl<'a> Bound<'a> {
    /// Reads a SigningCertificateV2: the first of its list is the signer's.
    fn parse(mut der: Der<'a>) -> Result<Self, Refusal> {
        let mut first = der.sequence()?.sequence()?;
        let hash = if first.next_is(tag::SEQUENCE) { Hash::decode(&mut first)? } else { Hash::Sha256 };
        let digest = first.expect(tag::OCTET_STRING)?.body;
        let issuer_serial = match first.optional(tag::SEQUENCE)? {
            None => None,
            Some(value) => Some(issuer_serial(value)?),
        };
        first.finish()?;
        Ok(Self { hash, digest, issuer_serial })
    }
}

/// The directory name and the serial number of an IssuerSerial.
fn issuer_serial(value: Value<'_>) -> Result<(&[u8], &[u8]), Refusal> {
    let mut der = Der::new(value.body);
    let mut names = der.sequence()?;
    let issuer = names.expect(tag::context(4))?.body;
    names.finish()?;
    let serial = der.expect(tag::INTEGER)?.body;
    der.finish()?;
    Ok((issuer, serial))
}

impl<'a> Info<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut der = only_sequence(bytes)?;
        if der.small()? != 1 {
            return Err(broken("another version of the time-stamp"));
        }
        let policy = der.oid()?;
        let imprint = Imprint::decode(&mut der)?;
        let serial = short(der.expect(tag::INTEGER)?.body)?;
        let before = der;
        let time = der.time()?;
        if before.next_is(tag::UTC_TIME) {
            return Err(broken("a time of two digits for the year"));
        }
        let accuracy = der.optional(tag::SEQUENCE)?.map(|value| accuracy(value.body)).transpose()?;
        // Whether all stamps of the authority are in order: nothing here rests on it.
        der.flag()?;
        let nonce = if der.next_is(tag::INTEGER) { Some(short(der.unsigned()?)?) } else { None };
        let name = match der.optional(tag::context(0))? {
            None => None,
            Some(explicit) => Der::new(explicit.body).optional(tag::context(4))?.map(|name| name.body),
        };
        let mut claims_qualified = false;
        if let Some(extensions) = der.optional(tag::context(1))? {
            let mut list = Der::new(extensions.body);
            while !list.is_empty() {
                let mut extension = list.sequence()?;
                let (oid, critical) = (extension.oid()?, extension.flag()?);
                let value = extension.expect(tag::OCTET_STRING)?.body;
                extension.finish()?;
                if oid == QC_STATEMENTS {
                    claims_qualified |= states_qualified(value)?;
                } else if critical {
                    return Err(Refusal::new(Code::CriticalExtension).found(oid.dotted()));
                }
            }
        }
        der.finish()?;
        Ok(Self { policy, imprint, serial, time, accuracy, nonce, name, claims_qualified })
    }
}

fn short(number: &[u8]) -> Result<&[u8], Refusal> {
    if number.len() > MAX_NUMBER {
        return Err(Refusal::new(Code::TooLong).needed(MAX_NUMBER).found(number.len()));
    }
    Ok(number)
}

/// Seconds, milliseconds and microseconds, each of which may be absent.
fn accuracy(body: &[u8]) -> Result<Accuracy, Refusal> {
    let mut der = Der::new(body);
    let seconds = if der.next_is(tag::INTEGER) { u64::from(der.small()?) } else { 0 };
    let mut below = [0_u64; 2];
    for (number, part) in below.iter_mut().enumerate() {
        let context = tag::primitive(u8::try_from(number).expect("0 or 1"));
        if let Some(value) = der.optional(context)? {
            *part = u64::from(crate::der::small(crate::der::unsigned(value.body)?)?);
            if !(1..1_000).contains(part) {
                return Err(Refusal::new(Code::OutOfRange).needed(999_u64).found(*part));
            }
        }
    }
    der.finish()?;
    Ok(Accuracy(seconds * 1_000_000 + below[0] * 1_000 + below[1]))
}

fn states_qualified(value: &[u8]) -> Result<bool, Refusal> {
    let mut list = only_sequence(value)?;
    let mut found = false;
    while !list.is_empty() {
        found |= list.sequence()?.oid()? == QUALIFIED;
    }
    Ok(found)
}
