//! What a request says: parts of its path, parameters, its body. Whatever cannot be read is a problem in our form.

use super::problem::Problem;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use zeugma_types::{AccountId, ClientId, Height};

/// The parts of the path that stand in braces.
pub(super) struct At<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(value) = Path::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Self(value))
    }
}

/// The parameters after the question mark.
pub(super) struct Asked(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Self(pairs))
    }
}

impl Asked {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        self.text(name).map(|text| number(name, text)).transpose()
    }
}

/// A decimal number.
pub(super) fn number(what: &str, text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::bad_request(format!("{what} is a decimal number below 2^64")))
}

/// A height, or none for `latest`.
pub(super) fn height(text: &str) -> Result<Option<Height>, Problem> {
    match text {
        "latest" => Ok(None),
        text => number("a height", text).map(|number| Some(Height::new(number))),
    }
}

/// Thirty-two bytes in hexadecimal.
pub(super) fn digest(what: &str, text: &str) -> Result<[u8; 32], Problem> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| Problem::bad_request(format!("{what} is 64 hexadecimal digits")))?;
    Ok(bytes)
}

/// At most `most` bytes in hexadecimal.
pub(super) fn bytes(what: &str, text: &str, most: usize) -> Result<Vec<u8>, Problem> {
    if text.len() / 2 > most {
        return Err(Problem::bad_request(format!("{what} is at most {most} bytes")));
    }
    hex::decode(text)
        .map_err(|_| Problem::bad_request(format!("{what} is hexadecimal digits, two for each byte")))
}

pub(super) fn client(text: &str) -> Result<ClientId, Problem> {
    ClientId::new(text).map_err(Problem::malformed)
}

pub(super) fn account(text: &str) -> Result<AccountId, Problem> {
    digest("an account", text).map(AccountId::new)
}

/// A body of at most `most` bytes.
pub(super) async fn body(body: Body, most: usize) -> Result<Bytes, Problem> {
    // The only other failure is that the sender went away, who then reads no answer.
    axum::body::to_bytes(body, most).await.map_err(|_| Problem::too_large(most))
}

/// Whether the answer is asked for as bare bytes.
pub(super) fn wants_bytes(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.split(';').next().is_some_and(|kind| kind.trim() == "application/octet-stream"))
}

/// Whether the body is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The token that is shown.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
