//! One call of JSON-RPC over plain HTTP.

use crate::error::Error;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest answer that is read, in bytes. A commit of 512 validators has about 250 KB in JSON.
pub const MAX_ANSWER: u64 = 4 * 1024 * 1024;
/// Longest excerpt of a foreign text that an error carries, in characters.
const EXCERPT: usize = 200;

/// How a node is asked.
pub trait Transport: Send + Sync {
    /// Where the node is, for messages and metrics.
    fn address(&self) -> &str;

    /// The whole answer to one call, as the node sent it.
    ///
    /// # Errors
    /// [`Error::Silent`] when there is none within the time and the bound.
    fn call(&self, method: &str, params: &Value) -> Result<Vec<u8>, Error>;
}

/// JSON-RPC by POST over HTTP without TLS: loopback, or a network that its operator protects. What is fetched is
/// public and proved; nothing secret is sent.
#[derive(Clone, Debug)]
pub struct Http {
    url: String,
    agent: ureq::Agent,
}

impl Http {
    /// The node at `url`, `http://127.0.0.1:26657`; each call takes at most `patience`.
    #[must_use]
    pub fn new(url: &str, patience: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self { url: url.to_owned(), agent: config.into() }
    }
}

impl Transport for Http {
    fn address(&self) -> &str {
        &self.url
    }

    fn call(&self, method: &str, params: &Value) -> Result<Vec<u8>, Error> {
        let silent = |why: ureq::Error| Error::Silent { endpoint: self.url.clone(), why: why.to_string() };
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let mut answer = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .send(body.as_bytes())
            .map_err(silent)?;
        answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(silent)
    }
}

/// The `result` of one call.
///
/// # Errors
/// [`Error::Silent`], [`Error::Layout`] when the answer is not JSON-RPC, [`Error::Declined`].
pub(crate) fn result(transport: &dyn Transport, method: &str, params: &Value) -> Result<Value, Error> {
    let bytes = transport.call(method, params)?;
    let endpoint = || transport.address().to_owned();
    let layout = |what: String| Error::Layout { endpoint: endpoint(), method: method.to_owned(), what };
    let mut answer: Value = serde_json::from_slice(&bytes).map_err(|why| layout(why.to_string()))?;
    match answer.get_mut("result").map(Value::take) {
        Some(result) if !result.is_null() => Ok(result),
        _ => match answer.get("error").filter(|error| !error.is_null()) {
            Some(error) => Err(Error::Declined {
                endpoint: endpoint(),
                method: method.to_owned(),
                why: excerpt(&error.to_string()),
            }),
            None => Err(layout(excerpt(&answer.to_string()))),
        },
    }
}

/// The beginning of a foreign text.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}
