//! One request, and its answer or the reason that there is none.

use crate::{Error, wire};
use serde::de::DeserializeOwned;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body, RequestBuilder};
use zeugma_types::{Code, Refusal};

/// Longest answer that is read, in bytes: the largest block in hexadecimal, with what it did.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// Longest problem that is read, in bytes.
const MAX_PROBLEM: u64 = 64 * 1024;
/// To connect to a machine that is near.
const CONNECT: Duration = Duration::from_secs(5);
/// For an answer, unless the request asks to wait.
const ANSWER: Duration = Duration::from_secs(15);
/// A stream without a sign of life for this long is broken: a node gives one every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// How an answer is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Json,
    Bytes,
}

/// The endpoint and how it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: Agent,
    endpoint: String,
    authorization: Option<String>,
    trace: Option<fn() -> Option<String>>,
}

impl Http {
    pub(crate) fn new(endpoint: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("zeugma-client/", env!("CARGO_PKG_VERSION")))
            .build();
        let endpoint = endpoint.trim_end_matches('/').into();
        Self { agent: config.into(), endpoint, authorization: None, trace: None }
    }

    pub(crate) fn set_token(&mut self, token: &str) {
        self.authorization = Some(format!("Bearer {token}"));
    }

    pub(crate) fn set_trace(&mut self, trace: fn() -> Option<String>) {
        self.trace = Some(trace);
    }

    /// Who asks, and on which trace.
    fn signed<B>(&self, mut request: RequestBuilder<B>) -> RequestBuilder<B> {
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(named) = self.trace.and_then(|trace| trace()) {
            request = request.header("traceparent", named);
        }
        request
    }

    /// The answer as JSON, or none where the node knows nothing under that path.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Error> {
        self.get_within(path, ANSWER)
    }

    pub(crate) fn get_within<T: DeserializeOwned>(
        &self,
        path: &str,
        time: Duration,
    ) -> Result<Option<T>, Error> {
        self.fetch(path, Form::Json, time)?.map(|body| json(&body)).transpose()
    }

    /// The answer as JSON where there is always one.
    pub(crate) fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.get_within(path, ANSWER)?.ok_or_else(|| absent(path))
    }

    /// The answer as it is, or none where the node knows nothing under that path.
    pub(crate) fn fetch(&self, path: &str, form: Form, time: Duration) -> Result<Option<Vec<u8>>, Error> {
        let request = self.agent.get(self.url(path)).header(
            "accept",
            match form {
                Form::Json => "application/json",
                Form::Bytes => "application/octet-stream",
            },
        );
        let answered = self.signed(request).config().timeout_global(Some(time)).build().call();
        let mut response = answered.map_err(|error| self.failed(error))?;
        match response.status().as_u16() {
            200 => self.read(&mut response, MAX_ANSWER).map(Some),
            404 => self.nothing(&mut response),
            _ => Err(self.problem(&mut response)),
        }
    }

    /// Sends bytes, and gives the answer as JSON.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, Error> {
        let request = self.agent.post(self.url(path)).content_type("application/octet-stream");
        let answered = self.signed(request).config().timeout_global(Some(ANSWER)).build().send(body);
        let mut response = answered.map_err(|error| self.failed(error))?;
        match response.status().as_u16() {
            200..=299 => json(&self.read(&mut response, MAX_ANSWER)?),
            _ => Err(self.problem(&mut response)),
        }
    }

    /// Opens a stream of server-sent events after the one named.
    pub(crate) fn stream(&self, path: &str, last: Option<u64>) -> Result<Body, Error> {
        let mut request = self.signed(self.agent.get(self.url(path)).header("accept", "text/event-stream"));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let answered = request.config().timeout_per_read(Some(SILENCE)).build().call();
        let mut response = answered.map_err(|error| self.failed(error))?;
        match response.status().as_u16() {
            200 => Ok(response.into_body()),
            _ => Err(self.problem(&mut response)),
        }
    }

    pub(crate) fn broken(&self) -> Error {
        let reason = "the stream broke twice before a block came".into();
        Error::Unreachable { endpoint: self.endpoint.clone(), reason }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint)
    }

    fn read(&self, response: &mut Response<Body>, most: u64) -> Result<Vec<u8>, Error> {
        response.body_mut().with_config().limit(most).read_to_vec().map_err(|error| self.failed(error))
    }

    /// A node that knows nothing under a path says so in our form; another server does not.
    fn nothing(&self, response: &mut Response<Body>) -> Result<Option<Vec<u8>>, Error> {
        match self.problem(response) {
            Error::Declined { name, .. } if name == "not-found" => Ok(None),
            Error::Refused(Refusal { code: Code::UnknownClient, .. }) => Ok(None),
            error => Err(error),
        }
    }

    fn problem(&self, response: &mut Response<Body>) -> Error {
        let status = response.status().as_u16();
        let body = match self.read(response, MAX_PROBLEM) {
            Ok(body) => body,
            Err(error) => return error,
        };
        let Ok(problem) = serde_json::from_slice::<wire::Problem>(&body) else {
            return Error::Unreadable(format!("status {status} without a problem in our form"));
        };
        let refusal = problem.code.and_then(|code| wire::refusal(code, problem.needed, problem.found));
        match refusal {
            Some(refusal) => Error::Refused(refusal),
            None => Error::Declined { status, name: problem.name, detail: problem.detail },
        }
    }

    fn failed(&self, error: ureq::Error) -> Error {
        match error {
            ureq::Error::BodyExceedsLimit(most) => {
                Error::Unreadable(format!("it is longer than {most} bytes"))
            }
            ureq::Error::Http(_) | ureq::Error::Protocol(_) => Error::Unreadable(error.to_string()),
            error => Error::Unreachable { endpoint: self.endpoint.clone(), reason: error.to_string() },
        }
    }
}

pub(crate) fn absent(path: &str) -> Error {
    Error::Unreadable(format!("{path} is not there: is this the API of a Zeugma node?"))
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::unreadable("JSON", error))
}

/// A part of a path, its reserved characters escaped (RFC 3986, section 2).
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_client_identifier_can_stand_in_a_path() {
        assert_eq!(segment("a.B_0+-#[x]<y>"), "a.B_0%2B-%23%5Bx%5D%3Cy%3E");
        assert_eq!(segment("ä/"), "%C3%A4%2F");
    }
}
