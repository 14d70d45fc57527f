//! One request and its answer. The request has a fresh nonce and asks for the authority's X.509 certificate; the answer
//! is bounded in bytes and in time, and it is verified in full, at its own time, before it is anybody's.
//!
//! A refusal says what was wrong with this answer. The next may be a good one, so every refusal is worth another try,
//! whatever its permanence: another answer is other bytes.
//!
//! Tokens are signed and made over a digest: HTTP without TLS gives an onlooker the digest and the moment, and nothing
//! to alter.

use crate::authority::Authority;
use crate::clock::Asked;
use crate::revocation::{Gatherer, Missing};
use std::time::{Duration, Instant, SystemTime};
use ureq::Agent;
use zeugma_evidence_verify::bundle::Stamp;
use zeugma_evidence_verify::tsp::{
    Expected, Imprint, MAX_TOKEN, Material, Request, Stamped, token_of_response, verify_token,
};
use zeugma_evidence_verify::x509::Hash;
use zeugma_types::{BlockTime, Code, Refusal, Span};

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";
/// Bytes of a nonce: some authorities read no more than 64 bits.
const NONCE: usize = 8;

/// A time-stamp that was just made, and holds.
#[derive(Clone, Debug)]
pub struct Answer {
    /// As a bundle carries it.
    pub stamp: Stamp,
    /// What it says.
    pub stamped: Stamped,
    /// When it was asked for, by our clock.
    pub asked: Asked,
    /// What was asked about its chain and is not beside it.
    pub missing: Vec<Missing>,
}

/// Asks time authorities.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    config: ureq::config::Config,
    clock: fn() -> BlockTime,
    gatherer: Option<Gatherer>,
}

impl Client {
    /// A client that waits so long for the whole of an answer, by the machine's clock.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(timeout))
            .user_agent(concat!("zeugma-evidence/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.clone().into(), config, clock: machine, gatherer: None }
    }

    /// The client with another clock.
    #[must_use]
    pub const fn with_clock(mut self, clock: fn() -> BlockTime) -> Self {
        self.clock = clock;
        self
    }

    /// The client that gathers revocation data about the chain of each time-stamp.
    #[must_use]
    pub fn with_gatherer(mut self, gatherer: Gatherer) -> Self {
        self.gatherer = Some(gatherer);
        self
    }

    /// Asks `authority` for a time-stamp over `message`, under SHA-256, and verifies it. Blocks until it is there.
    ///
    /// # Errors
    /// [`Code::TooSlow`]; [`Code::NotGranted`] when it cannot be reached or answers otherwise; [`Code::TooLong`];
    /// the refusals of [`verify_token`], also for what was gathered; [`Code::StoreFailed`] without randomness.
    pub fn stamp(&self, authority: &Authority, message: &[u8]) -> Result<Answer, Refusal> {
        let imprint = Imprint::of(Hash::Sha256, message);
        let nonce = nonce()?;
        let request = Request { imprint, policy: None, nonce: Some(nonce.to_vec()), certificate: true };
        // How long it took is not taken from the clock, which may be set in between.
        let (sent, began) = ((self.clock)(), Instant::now());
        let response = self.post(authority, &request.to_der()?)?;
        let took = Span::millis(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        let asked = Asked { sent, answered: sent.after(took).unwrap_or(BlockTime::MAX) };

        let token = token_of_response(&response)?;
        let expected =
            Expected { imprint: Some(&request.imprint), nonce: Some(&nonce), policies: authority.policies() };
        let offered: Vec<&[u8]> = authority.offered().iter().map(Vec::as_slice).collect();
        let material = Material { anchors: &[authority.anchor()], offered: &offered, revocation: &[] };
        let mut stamped = verify_token(&token, &expected, &material)?;
        // Lists that the authority sent are inside the token; so are X.509 certificates, and those of ours help.
        let mut stamp = Stamp { token, certificates: authority.offered().to_vec(), revocation: Vec::new() };
        let mut missing = Vec::new();
        if let Some(gatherer) = &self.gatherer {
            missing = gatherer.gather(&mut stamp, authority.anchor())?;
            let revocation: Vec<&[u8]> = stamp.revocation.iter().map(Vec::as_slice).collect();
            stamped =
                verify_token(&stamp.token, &expected, &Material { revocation: &revocation, ..material })?;
        }
        Ok(Answer { stamp, stamped, asked, missing })
    }

    fn post(&self, authority: &Authority, request: &[u8]) -> Result<Vec<u8>, Refusal> {
        // A request a checkpoint: each may begin its own connection.
        let secured = authority.https().map(|https| https.agent(self.config.clone()));
        let asked = secured
            .as_ref()
            .unwrap_or(&self.agent)
            .post(authority.url())
            .content_type(QUERY)
            .header("accept", REPLY);
        let mut response = asked.send(request).map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Refusal::new(Code::NotGranted)
                .needed("status 200")
                .found(format!("status {status}")));
        }
        // The type it names is not looked at: what the bytes are is decided by the bytes.
        let limit = MAX_TOKEN as u64;
        response.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| failed(&error))
    }
}

fn failed(error: &ureq::Error) -> Refusal {
    match error {
        ureq::Error::Timeout(_) => Refusal::new(Code::TooSlow).found(error.to_string()),
        ureq::Error::BodyExceedsLimit(most) => Refusal::new(Code::TooLong).needed(*most).found("more"),
        error => Refusal::new(Code::NotGranted).found(error.to_string()),
    }
}

/// A number of 63 bits, big-endian, without leading zeros.
fn nonce() -> Result<[u8; NONCE], Refusal> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))?;
    nonce[0] = nonce[0] & 0x3f | 0x40;
    Ok(nonce)
}

fn machine() -> BlockTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    BlockTime::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
