//! Revocation lists: read, not yet believed.
//!
//! Source: RFC 5280, section 5.

use super::super::Identifier;
use super::Said;
use crate::der::{Der, Oid, only_sequence, tag};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Refusal};

/// Longest revocation list, in bytes.
pub const MAX_CRL: usize = 1024 * 1024;

const REASON: Oid<'_> = Oid::known(&[0x55, 0x1d, 21]);
const CRL_NUMBER: Oid<'_> = Oid::known(&[0x55, 0x1d, 20]);
const AUTHORITY_KEY: Oid<'_> = Oid::known(&[0x55, 0x1d, 35]);

/// A revocation list.
#[derive(Clone, Debug)]
pub(crate) struct Crl<'a> {
    pub(super) tbs: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) made: BlockTime,
    pub(super) next: Option<BlockTime>,
    /// Serial, date and reason.
    revoked: Vec<(&'a [u8], BlockTime, Option<u8>)>,
    pub(super) algorithm: Identifier<'a>,
    pub(super) signature: &'a [u8],
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
            // A critical extension that is not understood may change what the list means: a delta, one of many parts.
            super::check_extensions(only_sequence(extensions.body)?, &[CRL_NUMBER, AUTHORITY_KEY])?;
        }
        der.finish()?;
        Ok(Self { tbs: tbs.raw, issuer, made, next, revoked, algorithm, signature })
    }

    /// What it says of the certificate of this serial number: of several entries the first counts.
    pub(super) fn says(&self, serial: &[u8]) -> Said {
        match self.revoked.iter().find(|(of, ..)| *of == serial) {
            Some((_, at, reason)) => Said::Revoked { at: *at, reason: *reason },
            None => Said::Good,
        }
    }
}

fn entry(mut der: Der<'_>) -> Result<(&[u8], BlockTime, Option<u8>), Refusal> {
    let serial = der.expect(tag::INTEGER)?.body;
    let date = der.time()?;
    let mut reason = None;
    if let Some(extensions) = der.optional(tag::SEQUENCE)? {
        let mut list = Der::new(extensions.body);
        while !list.is_empty() {
            let mut extension = list.sequence()?;
            let (oid, critical) = (extension.oid()?, extension.flag()?);
            let value = extension.expect(tag::OCTET_STRING)?.body;
            if oid == REASON {
                reason = super::one_byte(Der::new(value).expect(tag::ENUMERATED)?.body);
            } else if critical {
                return Err(Refusal::new(Code::CriticalExtension).found(oid.dotted()));
            }
        }
    }
    der.finish()?;
    Ok((serial, date, reason))
}
