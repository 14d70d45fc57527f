//! One evidence service, over HTTP.

use super::At;
use crate::failure::{Failure, Rule};
use crate::files;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use zeugma_evidence_anchors::Https;
use zeugma_evidence_anchors::authority::MAX_FILE;
use zeugma_evidence_anchors::https::{Believed, Identity};
use zeugma_types::{Code, Refusal};

/// Longest answer that is read, in bytes: the largest bundle.
const LONGEST: u64 = 32 * 1024 * 1024;
/// Longest file with a token, in bytes.
const LONGEST_TOKEN: usize = 4_096;
/// Longer than the longest wait that a service gives a request.
const PATIENCE: Duration = Duration::from_secs(60);

/// TLS, where the service is asked by `https`.
fn https(at: &At) -> Result<Option<Https>, Failure> {
    if !at.service.starts_with("https://") {
        return match at.ca.as_ref().or(at.cert.as_ref()) {
            None => Ok(None),
            Some(file) => Err(Failure::usage(
                format!("{} is for https, and the service is {}", file.display(), at.service),
                "give --service as https://HOST:PORT, or leave --ca, --cert and --key out",
            )),
        };
    }
    let read = |path: &Path| files::read(path, MAX_FILE);
    let ca = at.ca.as_deref().map(read).transpose()?;
    let believed = ca.as_deref().map_or(Believed::System, Believed::Pem);
    let shown = match (&at.cert, &at.key) {
        (Some(cert), Some(key)) => Some((read(cert)?, read(key)?)),
        _ => None,
    };
    let identity = shown.as_ref().map(|(certificate, key)| Identity { certificate, key });
    let named =
        at.ca.as_ref().or(at.cert.as_ref()).map_or("TLS".to_owned(), |path| path.display().to_string());
    Https::new(believed, identity).map(Some).map_err(|refusal| Failure::refused(named, refusal))
}

/// The service and who asks.
pub(crate) struct Service {
    agent: ureq::Agent,
    endpoint: String,
    token: Option<String>,
}

impl Service {
    /// With the token of the file.
    pub(crate) fn new(at: &At) -> Result<Self, Failure> {
        // Who shows an X.509 certificate needs no token, and may have one.
        if at.cert.is_some() && !at.token_file.exists() {
            return Self::public(at);
        }
        let bytes = files::read(&at.token_file, LONGEST_TOKEN)?;
        let token = String::from_utf8_lossy(&bytes).trim().to_owned();
        Ok(Self { token: Some(token), ..Self::public(at)? })
    }

    /// For what everyone may ask.
    pub(super) fn public(at: &At) -> Result<Self, Failure> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        let agent = match https(at)? {
            Some(https) => https.agent(config),
            None => config.into(),
        };
        Ok(Self { agent, endpoint: at.service.trim_end_matches('/').to_owned(), token: None })
    }

    /// The bytes at a path.
    pub(crate) fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.ask("GET", path, None, None)
    }

    /// The JSON at a path.
    pub(crate) fn json(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let bytes = self.ask(method, path, key, body)?;
        serde_json::from_slice(&bytes).map_err(|why| {
            let todo = "check that --service names an evidence service";
            Failure::own(Rule::Declined, &self.endpoint, format!("the answer is not JSON: {why}"), todo)
        })
    }

    /// Takes away what stands at a path.
    pub(super) fn delete(&self, path: &str) -> Result<(), Failure> {
        self.ask("DELETE", path, None, None).map(drop)
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, Failure> {
        let url = format!("{}{path}", self.endpoint);
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(body);
        let request = request.map_err(|why| {
            Failure::usage(format!("{url}: {why}"), "give --service as http://HOST:PORT or https://HOST:PORT")
        })?;
        let mut answer = self.agent.run(request).map_err(|why| {
            let todo = "start it: zeugma evidence serve; or name another with --service";
            Failure::unreachable(format!("{} is not reachable: {why}", self.endpoint), todo)
        })?;
        let status = answer.status().as_u16();
        let read = answer.body_mut().with_config().limit(LONGEST).read_to_vec();
        let bytes = read.map_err(|why| Failure::unreachable(format!("{url}: {why}"), "try again"))?;
        if (200..300).contains(&status) {
            return Ok(bytes);
        }
        Err(self.declined(status, &bytes))
    }

    /// The service's own reason, by its code where it has one.
    fn declined(&self, status: u16, bytes: &[u8]) -> Failure {
        let problem: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
        let code =
            problem["code"].as_u64().and_then(|code| u16::try_from(code).ok()).and_then(Code::numbered);
        // Who may not do this gets a hint of ours.
        if let (Some(code), false) = (code, matches!(status, 401 | 403)) {
            let side = |name: &str| problem[name].as_str().map(str::to_owned);
            let mut refusal = Refusal::new(code);
            if let Some(needed) = side("needed") {
                refusal = refusal.needed(needed);
            }
            if let Some(found) = side("found") {
                refusal = refusal.found(found);
            }
            return Failure::refused(&self.endpoint, refusal);
        }
        let detail = problem["detail"].as_str().unwrap_or("no reason was given").to_owned();
        let todo = match status {
            401 | 403 => "give a token that may do this: --token-file FILE",
            _ => "check that --service names an evidence service",
        };
        Failure::own(Rule::Declined, &self.endpoint, format!("{status}: {detail}"), todo)
    }
}
