//! Answers of OCSP responders: read, not yet believed.
//!
//! An answer says of single certificates whether they are revoked. Which certificate, it says by hashes of the issuer's
//! name and key: an answer under SHA-1 is refused, as everything under SHA-1 is; what is asked for here is asked for
//! under SHA-256, and a responder that answers otherwise has its issuer's revocation list instead.
//!
//! An answer is signed by the issuer itself, or by a delegate whose X.509 certificate comes along: the issuer signed
//! it, it is for such answers, and it was valid when the answer was made. The identifier of a key that an answer
//! may state is of SHA-1 too, so nothing is read from it: the key is the one that made the signature.
//!
//! Source: RFC 6960, sections 4.1.1, 4.2.1 and 4.2.2.

use super::super::{Algorithms, Certificate, Hash, Identifier, PublicKey, Use};
use super::{Said, check_extensions, one_byte};
use crate::der::{self, Der, Oid, only_sequence, tag};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Refusal};

/// Longest answer of a responder, in bytes: one with its delegate's X.509 certificate has about 2,000.
pub const MAX_RESPONSE: usize = 64 * 1024;
/// Most certificates that one answer speaks of.
const MAX_SINGLES: usize = 64;
/// Most X.509 certificates in one answer.
const MAX_CERTIFICATES: usize = 8;

const BASIC: Oid<'_> = Oid::known(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
const NONCE: Oid<'_> = Oid::known(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2]);

/// How an answer names its responder.
#[derive(Clone, Copy, Debug)]
enum Named<'a> {
    Name(&'a [u8]),
    Key,
}

/// What an answer says of one certificate.
#[derive(Clone, Debug)]
struct Single<'a> {
    hash: Hash,
    issuer_name: &'a [u8],
    issuer_key: &'a [u8],
    serial: &'a [u8],
    said: Said,
    made: BlockTime,
    next: Option<BlockTime>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Response<'a> {
    tbs: &'a [u8],
    named: Named<'a>,
    produced: BlockTime,
    singles: Vec<Single<'a>>,
    algorithm: Identifier<'a>,
    signature: &'a [u8],
    certificates: Vec<Certificate<'a>>,
}

/// What an answer says of one certificate, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) said: Said,
    pub(super) made: BlockTime,
    pub(super) next: Option<BlockTime>,
}

/// Whether bytes begin as an answer of a responder does, and not as a revocation list.
pub(super) fn is_response(bytes: &[u8]) -> bool {
    only_sequence(bytes).is_ok_and(|inside| inside.next_is(tag::ENUMERATED))
}

fn broken(what: &'static str) -> Refusal {
    Refusal::new(Code::BadRevocation).found(what)
}

impl<'a> Response<'a> {
    /// Reads an `OCSPResponse`.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_RESPONSE {
            return Err(Refusal::new(Code::TooLong).needed(MAX_RESPONSE).found(bytes.len()));
        }
        let mut outer = only_sequence(bytes)?;
        match outer.expect(tag::ENUMERATED)?.body {
            [0] => {}
            other => {
                let found = one_byte(other).map_or(u64::MAX, u64::from);
                return Err(Refusal::new(Code::ResponderDeclined).needed(0_u64).found(found));
            }
        }
        let explicit = outer.expect(tag::context(0))?;
        outer.finish()?;
        let mut inside = only_sequence(explicit.body)?;
        if inside.oid()? != BASIC {
            return Err(broken("another kind of answer"));
        }
        let basic = inside.expect(tag::OCTET_STRING)?.body;
        inside.finish()?;

        let mut outer = only_sequence(basic)?;
        let tbs = outer.expect(tag::SEQUENCE)?;
        let algorithm = Identifier::decode(&mut outer)?;
        let signature = outer.bits()?;
        let certificates = certificates(outer.optional(tag::context(0))?.map(|explicit| explicit.body))?;
        outer.finish()?;

        let mut der = Der::new(tbs.body);
        if let Some(version) = der.optional(tag::context(0))?
            && Der::new(version.body).small()? != 0
        {
            return Err(broken("another version of the answer"));
        }
        let named = if der.next_is(tag::context(1)) {
            let mut inside = Der::new(der.expect(tag::context(1))?.body);
            let name = inside.expect(tag::SEQUENCE)?.raw;
            inside.finish()?;
            Named::Name(name)
        } else {
            let mut inside = Der::new(der.expect(tag::context(2))?.body);
            inside.expect(tag::OCTET_STRING)?;
            inside.finish()?;
            Named::Key
        };
        let produced = der.time()?;
        let mut list = der.sequence()?;
        let mut singles = Vec::new();
        while !list.is_empty() {
            if singles.len() == MAX_SINGLES {
                return Err(Refusal::new(Code::TooMany).needed(MAX_SINGLES));
            }
            singles.push(Single::parse(list.sequence()?)?);
        }
        if let Some(extensions) = der.optional(tag::context(1))? {
            check_extensions(only_sequence(extensions.body)?, &[NONCE])?;
        }
        der.finish()?;
        Ok(Self { tbs: tbs.raw, named, produced, singles, algorithm, signature, certificates })
    }

    /// What it says of a certificate, the first time it does; `None` if it says nothing of it.
    pub(super) fn says(&self, subject: &Certificate<'_>, issuer: &Certificate<'_>) -> Option<Answered> {
        let is_of = |one: &&Single<'_>| {
            one.serial == subject.serial
                && one.hash.digest(subject.issuer) == one.issuer_name
                && issuer.key_bits().is_ok_and(|bits| one.hash.digest(bits) == one.issuer_key)
        };
        let found = self.singles.iter().find(is_of)?;
        Some(Answered { said: found.said, made: found.made, next: found.next })
    }

    /// Checks that the issuer signed it, or a delegate of the issuer.
    pub(super) fn check_signed(&self, issuer: &Certificate<'_>) -> Result<Vec<Algorithms>, Refusal> {
        let verify = |by: &Certificate<'_>| -> Result<Algorithms, Refusal> {
            by.key()?.verify(&self.algorithm, None, self.tbs, self.signature)
        };
        let is_named = |one: &&Certificate<'_>| match self.named {
            Named::Name(name) => one.subject == name,
            Named::Key => true,
        };
        let mut why = None;
        for candidate in core::iter::once(issuer).chain(&self.certificates).filter(is_named) {
            match verify(candidate) {
                Err(refusal) => why = why.or(Some(refusal)),
                Ok(used) if candidate.raw == issuer.raw => return Ok(Vec::from([used])),
                Ok(used) => return Ok(Vec::from([used, self.check_delegate(candidate, issuer)?])),
            }
        }
        Err(why.unwrap_or_else(|| broken("no certificate of its responder")))
    }

    fn check_delegate(
        &self,
        delegate: &Certificate<'_>,
        issuer: &Certificate<'_>,
    ) -> Result<Algorithms, Refusal> {
        let refused = |why: &'static str| Err(Refusal::new(Code::NotAResponder).found(why));
        if delegate.issuer != issuer.subject {
            return refused("another issuer's");
        }
        if !delegate.may_answer() {
            return refused("an extended key usage without answers");
        }
        if !delegate.may(Use::DigitalSignature) && !delegate.may(Use::NonRepudiation) {
            return refused("a key usage without signatures");
        }
        delegate.check_valid(self.produced)?;
        delegate.check_signed_by(&issuer.key()?)
    }
}

fn certificates(explicit: Option<&[u8]>) -> Result<Vec<Certificate<'_>>, Refusal> {
    let mut found = Vec::new();
    let Some(explicit) = explicit else { return Ok(found) };
    let mut list = only_sequence(explicit)?;
    while !list.is_empty() {
        if found.len() == MAX_CERTIFICATES {
            return Err(Refusal::new(Code::TooMany).needed(MAX_CERTIFICATES));
        }
        found.push(Certificate::parse(list.expect(tag::SEQUENCE)?.raw)?);
    }
    Ok(found)
}

impl<'a> Single<'a> {
    fn parse(mut der: Der<'a>) -> Result<Self, Refusal> {
        let mut id = der.sequence()?;
        let hash = Hash::decode(&mut id)?;
        let issuer_name = id.expect(tag::OCTET_STRING)?.body;
        let issuer_key = id.expect(tag::OCTET_STRING)?.body;
        let serial = id.expect(tag::INTEGER)?.body;
        id.finish()?;
        let status = der.any()?;
        let said = if status.tag == tag::primitive(0) {
            Said::Good
        } else if status.tag == tag::primitive(2) {
            Said::Unknown
        } else if status.tag == tag::context(1) {
            let mut inside = Der::new(status.body);
            let at = inside.time()?;
            let reason = match inside.optional(tag::context(0))? {
                None => None,
                Some(explicit) => one_byte(Der::new(explicit.body).expect(tag::ENUMERATED)?.body),
            };
            inside.finish()?;
            Said::Revoked { at, reason }
        } else {
            return Err(Refusal::new(Code::UnknownTag).needed(tag::context(1)).found(status.tag));
        };
        let made = der.time()?;
        let next = match der.optional(tag::context(0))? {
            None => None,
            Some(explicit) => Some(Der::new(explicit.body).time()?),
        };
        if let Some(extensions) = der.optional(tag::context(1))? {
            check_extensions(only_sequence(extensions.body)?, &[])?;
        }
        der.finish()?;
        Ok(Self { hash, issuer_name, issuer_key, serial, said, made, next })
    }
}

/// The `OCSPRequest` that asks about one certificate, under SHA-256 and without a nonce, so that an answer made before
/// may be given.
pub(super) fn request(subject: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<Vec<u8>, Refusal> {
    let hash = Hash::Sha256;
    let nested = |inside: &[u8]| {
        let mut out = Vec::new();
        der::put(&mut out, tag::SEQUENCE, inside);
        out
    };
    let mut id = nested(hash.identifier());
    der::put(&mut id, tag::OCTET_STRING, &hash.digest(subject.issuer));
    der::put(&mut id, tag::OCTET_STRING, &hash.digest(PublicKey::bits(issuer.spki)?));
    der::put(&mut id, tag::INTEGER, subject.serial);
    // CertID in Request in requestList in tbsRequest in OCSPRequest.
    Ok((0..5).fold(id, |inside, _| nested(&inside)))
}
