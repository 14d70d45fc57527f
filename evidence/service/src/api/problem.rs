//! Errors as `application/problem+json` (RFC 9457), with the refusal's code where a rule of ours broke.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use zeugma_types::{Code, Permanence, Refusal, Side};

/// How long a client is asked to stay away when too much waits, in seconds.
const COME_BACK: HeaderValue = HeaderValue::from_static("1");

/// Why a request has no answer.
#[derive(Clone, Debug)]
pub(super) enum Problem {
    /// A rule broke.
    Refused(Refusal),
    /// The request itself is the matter. The name is stable.
    Plain { status: StatusCode, name: &'static str, detail: String },
}

impl Problem {
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::Plain { status: StatusCode::BAD_REQUEST, name: "bad-request", detail: detail.into() }
    }

    pub(super) fn unauthorized() -> Self {
        let asked = "the header `Authorization: Bearer TOKEN` with a token of this service";
        Refusal::new(Code::UnknownToken).needed(asked).into()
    }

    pub(super) fn ended() -> Self {
        let detail = "the work on this request ended early; nothing is known of it".into();
        Self::Plain { status: StatusCode::INTERNAL_SERVER_ERROR, name: "ended", detail }
    }

    pub(super) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Plain { .. } => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Plain { status, .. } => *status,
            Self::Refused(refusal) => match refusal.code {
                Code::TooLong | Code::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
                Code::KeyReused => StatusCode::CONFLICT,
                Code::WrongRole => StatusCode::FORBIDDEN,
                Code::UnknownToken | Code::TokenEnded => StatusCode::UNAUTHORIZED,
                Code::NoSuchEntry | Code::NoSuchName => StatusCode::NOT_FOUND,
                Code::RecordErased => StatusCode::GONE,
                Code::QueueFull | Code::QuotaSpent => StatusCode::TOO_MANY_REQUESTS,
                Code::IndexBehind => StatusCode::SERVICE_UNAVAILABLE,
                Code::StoreFull => StatusCode::INSUFFICIENT_STORAGE,
                Code::StoreFailed | Code::Damaged | Code::TailLost => StatusCode::INTERNAL_SERVER_ERROR,
                Code::BadCursor | Code::AddressRefused => StatusCode::BAD_REQUEST,
                code if code.number() < 200 => StatusCode::BAD_REQUEST,
                code if code.permanence() == Permanence::NotYet => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            },
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = match &self {
            Self::Refused(refusal) => {
                let side = |side: &Side| (*side != Side::Nothing).then(|| side.to_string());
                json!({
                    "type": format!("urn:zeugma:refusal:{}", refusal.code.number()),
                    "title": refusal.code.en(),
                    "status": status.as_u16(),
                    "code": refusal.code.number(),
                    "name": refusal.code.name(),
                    "detail": refusal.to_string(),
                    "needed": side(&refusal.needed),
                    "found": side(&refusal.found),
                })
            }
            Self::Plain { name, detail, .. } => json!({
                "type": format!("urn:zeugma:problem:{name}"),
                "title": status.canonical_reason().unwrap_or("error").to_lowercase(),
                "status": status.as_u16(),
                "name": name,
                "detail": detail,
            }),
        };
        let head = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, head, body.to_string()).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::INSUFFICIENT_STORAGE => {
                headers.insert(header::RETRY_AFTER, COME_BACK);
            }
            _ => {}
        }
        response
    }
}
