//! Errors as `application/problem+json` (RFC 9457), with the refusal's code where a rule of ours broke.

use super::view::ProblemView;
use crate::handle::Error;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use zeugma_types::{Code, Permanence, Refusal, Side};

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Problem {
    /// A rule broke.
    Refused { status: StatusCode, refusal: Refusal },
    /// The request itself, or this node, is the matter. The name is stable.
    Plain { status: StatusCode, name: &'static str, detail: String },
}

impl Problem {
    /// The bytes or words of the request are not what they should be.
    pub(super) const fn malformed(refusal: Refusal) -> Self {
        Self::Refused { status: StatusCode::BAD_REQUEST, refusal }
    }

    /// What a path or a query says is not what it should be.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::Plain { status: StatusCode::BAD_REQUEST, name: "bad-request", detail: detail.into() }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::Plain { status: StatusCode::NOT_FOUND, name: "not-found", detail: detail.into() }
    }

    pub(super) fn too_large(bound: usize) -> Self {
        let refusal = Refusal::new(Code::TooLong).needed(bound);
        Self::Refused { status: StatusCode::PAYLOAD_TOO_LARGE, refusal }
    }

    pub(super) fn busy(what: &str) -> Self {
        let detail = format!("{what} are all in use; come again");
        Self::Plain { status: StatusCode::SERVICE_UNAVAILABLE, name: "busy", detail }
    }

    pub(super) fn late() -> Self {
        let detail = "the request took longer than this node gives one".into();
        Self::Plain { status: StatusCode::REQUEST_TIMEOUT, name: "timeout", detail }
    }

    pub(super) fn storage(detail: impl Into<String>) -> Self {
        Self::Plain { status: StatusCode::INTERNAL_SERVER_ERROR, name: "storage", detail: detail.into() }
    }

    pub(super) fn unauthorized() -> Self {
        let detail = "send the header `Authorization: Bearer TOKEN` with a token of this node".into();
        Self::Plain { status: StatusCode::UNAUTHORIZED, name: "unauthorized", detail }
    }

    fn view(self) -> (StatusCode, ProblemView) {
        match self {
            Self::Refused { status, refusal } => {
                let side = |side: &Side| (*side != Side::Nothing).then(|| side.to_string());
                let view = ProblemView {
                    kind: format!("urn:zeugma:refusal:{}", refusal.code.number()),
                    title: refusal.code.en().into(),
                    status: status.as_u16(),
                    code: Some(refusal.code.number()),
                    name: refusal.code.name().into(),
                    detail: refusal.to_string(),
                    needed: side(&refusal.needed),
                    found: side(&refusal.found),
                };
                (status, view)
            }
            Self::Plain { status, name, detail } => {
                let title = status.canonical_reason().unwrap_or("error").to_lowercase();
                let view = ProblemView {
                    kind: format!("urn:zeugma:problem:{name}"),
                    title,
                    status: status.as_u16(),
                    code: None,
                    name: name.into(),
                    detail,
                    needed: None,
                    found: None,
                };
                (status, view)
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            Code::AllowanceSpent => StatusCode::TOO_MANY_REQUESTS,
            Code::BlockFull => StatusCode::SERVICE_UNAVAILABLE,
            code if code.number() < 200 => StatusCode::BAD_REQUEST,
            code if code.permanence() == Permanence::NotYet => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::Refused { status, refusal }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Storage(detail) => Self::storage(detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, view) = self.view();
        let body = serde_json::to_vec(&view).expect("a problem has text and numbers only");
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
