//! Revocation data that came with a token: whether a certificate was revoked at the instant.
//!
//! It comes as revocation lists and as answers of OCSP responders. One counts when the issuer itself signed it, or for
//! an answer a delegate of the issuer, it is complete (not a delta, not a part), and it speaks of the instant: it was
//! made at or after it, or the next one was due after it. A revocation counts from its own date; one for a
//! compromised key counts from the beginning, because whoever has the key can choose the time. What was made after
//! the end of a certificate's validity does not say that it was not revoked: entries leave a list then. Where
//! nothing was carried, that is said: no answer is not a good answer, and neither is `unknown`.
//!
//! | status at the instant | what becomes of it |
//! |---|---|
//! | not revoked | said, with the age of the oldest answer |
//! | revoked before, or for a reason that reaches back | the token is refused, [`Code::CertificateRevoked`] |
//! | revoked after | not revoked then, and the date and the reason are said |
//! | unknown to the responder, or nothing was carried | said |
//!
//! Source: RFC 5280, section 5; RFC 6960; RFC 3161, section 4 (reasons that reach back).

mod asked;
mod list;
mod ocsp;

pub use asked::RevocationQuestion;
pub(crate) use asked::questions;
pub(crate) use list::Crl;
pub use list::MAX_CRL;
pub use ocsp::MAX_RESPONSE;

use super::{Algorithms, Certificate, Use};
use crate::der::{Der, Oid};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ocsp::Response;
use zeugma_types::{BlockTime, Code, Refusal};

/// A certificate of the chain, and what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The name in the certificate, and for a revocation its reason.
    pub what: String,
    /// When it was revoked; of an unknown one, when that was said.
    pub at: BlockTime,
}

/// What is known of the revocation of a chain's certificates at the instant of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// How many certificates there are of which nothing was carried, the anchor not counted.
    pub without: usize,
    /// Those that their issuer's responder does not know.
    pub unknown: Vec<Noted>,
    /// Those that were revoked later, for a reason that does not reach back.
    pub later: Vec<Noted>,
    /// When the oldest answer was made, if each certificate but the anchor has one.
    pub answered: Option<BlockTime>,
    /// Whether a responder was among those that answered.
    pub responder: bool,
}

/// What is said of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Good,
    Unknown,
    Revoked { at: BlockTime, reason: Option<u8> },
}

/// The content of an ENUMERATED that has one byte.
fn one_byte(body: &[u8]) -> Option<u8> {
    match body {
        [byte] => Some(*byte),
        _ => None,
    }
}

/// The reasons of RFC 5280, section 5.3.1.
fn reason_text(reason: Option<u8>) -> String {
    let name = match reason {
        None | Some(0) => "unspecified",
        Some(1) => "keyCompromise",
        Some(2) => "cACompromise",
        Some(3) => "affiliationChanged",
        Some(4) => "superseded",
        Some(5) => "cessationOfOperation",
        Some(6) => "certificateHold",
        Some(8) => "removeFromCRL",
        Some(9) => "privilegeWithdrawn",
        Some(10) => "aACompromise",
        Some(other) => return format!("reason {other}"),
    };
    name.into()
}

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

/// What came with a token, read but not trusted.
#[derive(Clone, Debug)]
pub(crate) enum Answer<'a> {
    /// A revocation list.
    List(Crl<'a>),
    /// An answer of a responder.
    Response(Response<'a>),
}

impl<'a> Answer<'a> {
    /// Reads one: an `OCSPResponse` begins with an ENUMERATED, a revocation list does not.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if ocsp::is_response(bytes) {
            Response::parse(bytes).map(Self::Response)
        } else {
            Crl::parse(bytes).map(Self::List)
        }
    }

    /// What it says of a certificate, when it says something of it and its issuer stands for it.
    fn of(
        &self,
        subject: &Certificate<'_>,
        issuer: &Certificate<'_>,
    ) -> Result<Option<(ocsp::Answered, Vec<Algorithms>)>, Refusal> {
        match self {
            Self::List(list) if list.issuer != subject.issuer => Ok(None),
            Self::List(list) => {
                if !issuer.may(Use::CrlSigning) {
                    return Err(Refusal::new(Code::NotAnIssuer).found("a key usage without revocation lists"));
                }
                let used = issuer.key()?.verify(&list.algorithm, None, list.tbs, list.signature)?;
                let said = list.says(subject.serial);
                let answered = ocsp::Answered { said, made: list.made, next: list.next };
                Ok(Some((answered, Vec::from([used]))))
            }
            Self::Response(response) => match response.says(subject, issuer) {
                None => Ok(None),
                Some(answered) => Ok(Some((answered, response.check_signed(issuer)?))),
            },
        }
    }
}

/// Whether what was made at `made` speaks of `at`. Answers state whole seconds: the second of the instant is not before it.
fn speaks_of(made: BlockTime, next: Option<BlockTime>, at: BlockTime) -> bool {
    made.get() / 1_000 >= at.get() / 1_000 || next.is_some_and(|next| next >= at)
}

/// Where each certificate of a path stood at `at`, by what was carried. Everything carried must be of use: what is of
/// nobody in the path, or does not speak of the instant, is refused.
///
/// # Errors
/// [`Code::CertificateRevoked`], [`Code::BadRevocation`], [`Code::NotAnIssuer`], [`Code::NotAResponder`],
/// [`Code::NotValidThen`], [`Code::BadSignature`] and the other codes of a signature.
pub(crate) fn standing(
    path: &[Certificate<'_>],
    answers: &[Answer<'_>],
    at: BlockTime,
) -> Result<(Revocation, Vec<Algorithms>), Refusal> {
    let mut algorithms = Vec::new();
    let mut used = Vec::from_iter(answers.iter().map(|_| false));
    let mut known =
        Revocation { without: 0, unknown: Vec::new(), later: Vec::new(), answered: None, responder: false };
    let (mut oldest, mut all) = (BlockTime::MAX, path.len() > 1);
    for (subject, issuer) in path.iter().zip(path.iter().skip(1)) {
        let (mut good, mut unknown, mut later) = (false, None, None);
        for (answer, used) in answers.iter().zip(&mut used) {
            let Some((ocsp::Answered { said, made, next }, by)) = answer.of(subject, issuer)? else {
                continue;
            };
            algorithms.extend(by);
            if !speaks_of(made, next, at) {
                return Err(Refusal::new(Code::BadRevocation).needed(at.get()).found(made.get()));
            }
            *used = true;
            match said {
                Said::Unknown => {
                    unknown = unknown.or_else(|| Some(Noted { what: subject.subject_text(), at: made }));
                    continue;
                }
                Said::Revoked { at: date, reason } => {
                    // keyCompromise, cACompromise, aACompromise.
                    let reaches_back = matches!(reason, Some(1 | 2 | 10));
                    if reaches_back || date <= at {
                        return Err(Refusal::new(Code::CertificateRevoked)
                            .needed(at.get())
                            .found(date.get()));
                    }
                    let what = || format!("{}: {}", subject.subject_text(), reason_text(reason));
                    later = later.or_else(|| Some(Noted { what: what(), at: date }));
                }
                Said::Good if subject.ended_before(made) => {
                    return Err(Refusal::new(Code::BadRevocation).found("made after the certificate's end"));
                }
                Said::Good => {}
            }
            good = true;
            known.responder |= matches!(answer, Answer::Response(_));
            oldest = oldest.min(made);
        }
        all &= good;
        known.without += usize::from(!good && unknown.is_none());
        known.unknown.extend(unknown.filter(|_| !good));
        known.later.extend(later);
    }
    if used.contains(&false) {
        return Err(Refusal::new(Code::BadRevocation).found("an answer about nobody in the chain"));
    }
    known.answered = all.then_some(oldest);
    Ok((known, algorithms))
}
