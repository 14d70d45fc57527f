//! Revocation data for the chain of a time-stamp, gathered when it arrives: answers of OCSP responders and revocation
//! lists, from where the X.509 certificates themselves say.
//!
//! It is bounded: in time, for all of them together; in bytes, for each and for all; in addresses. Each answer is judged
//! by the function that will judge it in a bundle, and kept when it is of use there. What refuses the time-stamp, a
//! revocation that counts, is told. What was not to be had is named, and the time-stamp is kept without it: the
//! report says then that nothing was carried.
//!
//! Answers are signed, so that no TLS is needed: an onlooker learns that a certificate was asked about.

use crate::address::{self, Guard, Reach};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;
use zeugma_evidence_verify::bundle::{MAX_LISTS, Stamp};
use zeugma_evidence_verify::tsp::{Expected, Material, revocation_questions, verify_token};
use zeugma_evidence_verify::x509::{MAX_CRL, MAX_RESPONSE, RevocationQuestion};
use zeugma_types::{Code, Refusal};

const ASKS: &str = "application/ocsp-request";
const ANSWERS: &str = "application/ocsp-response";
/// Most bytes of all answers about one time-stamp.
pub const MAX_GATHERED: usize = 512 * 1024;

/// What was not to be had.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The name in the certificate.
    pub subject: String,
    /// Where it was asked for, or empty when the certificate names no address.
    pub at: String,
    /// Why there is nothing.
    pub why: Refusal,
}

/// Gathers.
#[derive(Clone, Debug)]
pub struct Gatherer {
    agent: Agent,
    timeout: Duration,
}

impl Gatherer {
    /// One that takes so long, for all answers about one time-stamp together.
    #[must_use]
    pub fn new(timeout: Duration, reach: Reach) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // An address behind another would not be the one in the certificate.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(timeout))
            .user_agent(concat!("zeugma-evidence/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: Agent::with_parts(config, DefaultConnector::new(), Guard(reach)), timeout }
    }

    /// Puts beside a time-stamp what is to be had about its chain. It leads to `anchor`, and holds.
    ///
    /// # Errors
    /// [`Code::CertificateRevoked`]: the time-stamp is not to be kept. The refusals of [`verify_token`].
    pub fn gather(&self, stamp: &mut Stamp, anchor: &[u8]) -> Result<Vec<Missing>, Refusal> {
        let until = Instant::now() + self.timeout;
        let offered: Vec<&[u8]> = stamp.certificates.iter().map(Vec::as_slice).collect();
        let material = Material { anchors: &[anchor], offered: &offered, revocation: &[] };
        let judged = |answer: &[u8]| {
            let material = Material { revocation: &[answer], ..material };
            verify_token(&stamp.token, &Expected::default(), &material).map(drop)
        };
        let (mut kept, mut missing, mut room) = (Vec::<Vec<u8>>::new(), Vec::new(), MAX_GATHERED);
        for question in revocation_questions(&stamp.token, &material)? {
            let asked = places(&question);
            if asked.is_empty() {
                let why = Refusal::new(Code::AddressRefused).needed("an address in the X.509 certificate");
                missing.push(Missing { subject: question.subject.clone(), at: String::new(), why });
            }
            for (place, request) in asked {
                let answer = self.ask(place, request, until).and_then(|answer| {
                    if answer.len() > room || kept.len() == MAX_LISTS {
                        return Err(Refusal::new(Code::TooLong).needed(room).found(answer.len()));
                    }
                    // The list of an issuer may be named by several certificates.
                    if kept.contains(&answer) {
                        return Ok(None);
                    }
                    judged(&answer).map(|()| Some(answer))
                });
                match answer {
                    Ok(None) => {}
                    Ok(Some(answer)) => {
                        room -= answer.len();
                        kept.push(answer);
                    }
                    Err(why) if why.code == Code::CertificateRevoked => return Err(why),
                    Err(why) => {
                        missing.push(Missing {
                            subject: question.subject.clone(),
                            at: place.to_owned(),
                            why,
                        });
                    }
                }
            }
        }
        // In the one order in which a bundle keeps them.
        kept.sort();
        stamp.revocation = kept;
        Ok(missing)
    }

    fn ask(&self, place: &str, request: Option<&[u8]>, until: Instant) -> Result<Vec<u8>, Refusal> {
        address::check(place)?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Refusal::new(Code::TooSlow).found("the time for all answers is over"));
        }
        let (sent, limit) = match request {
            Some(request) => {
                let asked = self.agent.post(place).content_type(ASKS).header("accept", ANSWERS);
                (asked.config().timeout_global(Some(left)).build().send(request), MAX_RESPONSE)
            }
            None => (self.agent.get(place).config().timeout_global(Some(left)).build().call(), MAX_CRL),
        };
        let mut response = sent.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            let found = format!("status {status}");
            return Err(Refusal::new(Code::ResponderDeclined).needed("status 200").found(found));
        }
        let body = response.body_mut().with_config().limit(limit as u64).read_to_vec();
        body.map_err(|error| failed(&error))
    }
}

/// Where to ask about a certificate, and with what: responders first, then lists.
fn places(question: &RevocationQuestion) -> Vec<(&str, Option<&[u8]>)> {
    let responders = question.responders.iter().map(|at| (at.as_str(), Some(question.request.as_slice())));
    responders.chain(question.lists.iter().map(|at| (at.as_str(), None))).collect()
}

fn failed(error: &ureq::Error) -> Refusal {
    let code = match error {
        ureq::Error::Timeout(_) => Code::TooSlow,
        ureq::Error::BodyExceedsLimit(_) => Code::TooLong,
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Code::AddressRefused
        }
        _ => Code::ResponderDeclined,
    };
    Refusal::new(code).found(error.to_string())
}
