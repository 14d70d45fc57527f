//! What to ask about a chain, and whom: for the hand that gathers revocation data when a token arrives.
//!
//! The addresses stand in the certificates themselves. They say where to look and nothing of trust: what comes from
//! there is judged like any other answer.
//!
//! Source: RFC 5280, sections 4.2.1.13 and 4.2.2.1.

use super::super::{Certificate, MAX_EXTENSIONS};
use crate::der::{Der, Oid, only_sequence, tag};
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::Refusal;

const ACCESS_RESPONDER: Oid<'_> = Oid::known(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1]);
/// Longest address, in bytes.
const MAX_ADDRESS: usize = 1024;
/// Most addresses of one kind.
const MAX_ADDRESSES: usize = 4;

/// What to ask about one certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationQuestion {
    /// The name in it.
    pub subject: String,
    /// The `OCSPRequest` about it.
    pub request: Vec<u8>,
    /// Where its issuer's responders are.
    pub responders: Vec<String>,
    /// Where its issuer's revocation lists are.
    pub lists: Vec<String>,
}

/// The questions about a path, its anchor not among them.
pub(crate) fn questions(path: &[Certificate<'_>]) -> Result<Vec<RevocationQuestion>, Refusal> {
    let each = path.iter().zip(path.iter().skip(1)).map(|(subject, issuer)| {
        Ok(RevocationQuestion {
            subject: subject.subject_text(),
            request: super::ocsp::request(subject, issuer)?,
            responders: subject.access.map_or_else(Vec::new, responders),
            lists: subject.points.map_or_else(Vec::new, lists),
        })
    });
    each.collect()
}

/// What cannot be read gives no address, and is no fault of the certificate: nothing rests on it.
fn responders(access: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(mut list) = only_sequence(access) else { return found };
    for _ in 0..MAX_EXTENSIONS {
        let Ok(mut one) = list.sequence() else { break };
        let (Ok(method), Ok(place)) = (one.oid(), one.any()) else { continue };
        if method == ACCESS_RESPONDER {
            found.extend(address(place.tag, place.body));
        }
    }
    found.truncate(MAX_ADDRESSES);
    found
}

fn lists(points: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(mut list) = only_sequence(points) else { return found };
    for _ in 0..MAX_EXTENSIONS {
        let Ok(mut point) = list.sequence() else { break };
        let Ok(Some(name)) = point.optional(tag::context(0)) else { continue };
        let Ok(Some(full)) = Der::new(name.body).optional(tag::context(0)) else { continue };
        let mut names = Der::new(full.body);
        while let Ok(one) = names.any() {
            found.extend(address(one.tag, one.body));
        }
    }
    found.truncate(MAX_ADDRESSES);
    found
}

/// A `uniformResourceIdentifier`.
fn address(kind: u8, body: &[u8]) -> Option<String> {
    let is_plain = body.len() <= MAX_ADDRESS && body.iter().all(u8::is_ascii_graphic);
    let text = core::str::from_utf8(body).ok().filter(|_| kind == tag::primitive(6) && is_plain);
    text.map(Into::into)
}
