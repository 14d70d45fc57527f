//! Revocation lists that came with a token: whether a certificate was revoked at the instant.
//!
//! A list counts when the issuer itself signed it, it is complete (not a delta, not a part), and it
//! speaks of the instant: it was made at or after it, or its next one was due after it. A revocation
//! counts from its own date; one for a compromised key counts from the beginning, because whoever has the
//! key can choose the time. Where nothing was carried, that is said: no answer is not a good answer.
//!
//! Source: RFC 5280, section 5; RFC 3161, section 4 (reasons that reach back).

use super::{Algorithms, Certificate, Identifier, Use};
use crate::der::{Der, Oid, only_sequence, tag};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Refusal};

/// Longest revocation list, in bytes.
pub(crate) const MAX_CRL: usize = 1024 * 1024;

const REASON: Oid<'_> = Oid::known(&[0x55, 0x1d, 21]);
const CRL_NUMBER: Oid<'_> = Oid::known(&[0x55, 0x1d, 20]);
const AUTHORITY_KEY: Oid<'_> = Oid::known(&[0x55, 0x1d, 35]);

/// Where an answer about revocation came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationSource {
    /// A revocation list.
    List,
}

/// What is known of the revocation of a chain's certificates at the instant of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// For this many certificates of the chain nothing was carried.
    NotCarried {
        /// How many, the anchor not counted.
        certificates: usize,
    },
    /// None of them was revoked.
    NotRevoked {
        /// What answered.
        source: RevocationSource,
        /// When the oldest answer was made.
        as_of: BlockTime,
    },
}

/// A revocation list, read but not trusted.
#[derive(Clone, Debug)]
pub(crate) struct Crl<'a> {
    tbs: &'a [u8],
    issuer: &'a [u8],
    made: BlockTime,
    next: Option<BlockTime>,
    /// Serial, date, and whether the reason reaches back.
    revoked: Vec<(&'a [u8], BlockTime, bool)>,
    algorithm: Identifier<'a>,
    signature: &'a [u8],
}

impl<'a> Crl<'a> {
    /// Reads a list.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_CRL {
            return Err(Refusal::new(Code::TooLong).needed(MAX_CRL).found(bytes.len()));
        }
        let mut outer = only_sequence(bytes)?;
        let tbs = outer.expect(tag::SEQUENCE)?;
        let algorithm = Identifier::decode(&mut outer)?;
        let signature = outer.bits()?;
        outer.finish()?;
        let mut der = Der::new(tbs.body);
        if der.next_is(tag::INTEGER) && der.small()? != 1 {
            return Err(Refusal::new(Code::BadRevocation).found("another version"));
        }
        if Identifier::decode(&mut der)?.raw != algorithm.raw {
            return Err(Refusal::new(Code::BadRevocation).found("two signature algorithms"));
        }
        let issuer = der.expect(tag::SEQUENCE)?.raw;
        let made = der.time()?;
        let dated = der.next_is(tag::UTC_TIME) || der.next_is(tag::GENERALIZED_TIME);
        let next = if dated { Some(der.time()?) } else { None };
        let mut revoked = Vec::new();
        if let Some(list) = der.optional(tag::SEQUENCE)? {
            let mut list = Der::new(list.body);
            while !list.is_empty() {
                revoked.push(entry(list.sequence()?)?);
            }
        }
        if let Some(extensions) = der.optional(tag::context(0))? {
            check_extensions(only_sequence(extensions.body)?, &[CRL_NUMBER, AUTHORITY_KEY])?;
        }
        der.finish()?;
        Ok(Self { tbs: tbs.raw, issuer, made, next, revoked, algorithm, signature })
    }

    fn speaks_of(&self, at: BlockTime) -> bool {
        self.made >= at || self.next.is_some_and(|next| next >= at)
    }
}

fn entry(mut der: Der<'_>) -> Result<(&[u8], BlockTime, bool), Refusal> {
    let serial = der.expect(tag::INTEGER)?.body;
    let date = der.time()?;
    let mut reaches_back = false;
    if let Some(extensions) = der.optional(tag::SEQUENCE)? {
        let mut list = Der::new(extensions.body);
        while !list.is_empty() {
            let mut extension = list.sequence()?;
            let (oid, critical) = (extension.oid()?, extension.flag()?);
            let value = extension.expect(tag::OCTET_STRING)?.body;
            if oid == REASON {
                let reason = Der::new(value).expect(tag::ENUMERATED)?.body;
                // keyCompromise, cACompromise, aACompromise.
                reaches_back = matches!(reason, [1 | 2 | 10]);
            } else if critical {
                return Err(Refusal::new(Code::CriticalExtension).found(oid.dotted()));
            }
        }
    }
    der.finish()?;
    Ok((serial, date, reaches_back))
}

/// A critical extension that is not understood may change what the list means: a delta, one of many parts.
fn check_extensions(mut list: Der<'_>, understood: &[Oid<'_>]) -> Result<(), Refusal> {
    while !list.is_empty() {
        let mut extension = list.sequence()?;
        let (oid, critical) = (extension.oid()?, extension.flag()?);
        if critical && !understood.contains(&oid) {
            return Err(Refusal::new(Code::CriticalExtension).found(oid.dotted()));
        }
    }
    Ok(())
}

/// Where each certificate of a chain stood at `at`, by the lists that were carried. Every list must be of
/// use: one that is of nobody in the chain, or does not speak of the instant, is refused.
///
/// # Errors
/// [`Code::CertificateRevoked`], [`Code::BadRevocation`], [`Code::BadSignature`] and the other codes of a
/// signature.
pub(crate) fn standing(
    path: &[Certificate<'_>],
    lists: &[Crl<'_>],
    at: BlockTime,
) -> Result<(Revocation, Vec<Algorithms>), Refusal> {
    let mut algorithms = Vec::new();
    let mut used = Vec::from_iter(lists.iter().map(|_| false));
    let (mut unknown, mut oldest) = (0, BlockTime::MAX);
    for pair in path.windows(2) {
        let [subject, issuer] = pair else { continue };
        let mut answered = false;
        for (list, used) in lists.iter().zip(&mut used) {
            if list.issuer != subject.issuer {
                continue;
            }
            if !issuer.may(Use::CrlSigning) {
                return Err(Refusal::new(Code::NotAnIssuer).found("a key usage without revocation lists"));
            }
            algorithms.push(issuer.key()?.verify(&list.algorithm, None, list.tbs, list.signature)?);
            if !list.speaks_of(at) {
                return Err(Refusal::new(Code::BadRevocation).needed(at.get()).found(list.made.get()));
            }
            let entry = list.revoked.iter().find(|(serial, ..)| *serial == subject.serial);
            if let Some((_, date, reaches_back)) = entry
                && (*reaches_back || *date <= at)
            {
                return Err(Refusal::new(Code::CertificateRevoked).needed(at.get()).found(date.get()));
            }
            (answered, *used) = (true, true);
            oldest = oldest.min(list.made);
        }
        unknown += usize::from(!answered);
    }
    if used.contains(&false) {
        return Err(Refusal::new(Code::BadRevocation).found("a list of nobody in the chain"));
    }
    let revocation = if unknown > 0 || path.len() < 2 {
        Revocation::NotCarried { certificates: unknown }
    } else {
        Revocation::NotRevoked { source: RevocationSource::List, as_of: oldest }
    };
    Ok((revocation, algorithms))
}
