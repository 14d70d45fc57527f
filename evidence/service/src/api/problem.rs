//! Errors as `application/problem+json` (RFC 9457). Each has the code of a rule, whichever part of the program refused.

use super::Api;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use zeugma_types::{Code, Permanence, Refusal, Side};

/// How long a client is asked to stay away when too much waits, in seconds.
const COME_BACK: HeaderValue = HeaderValue::from_static("1");
/// Longest reason of the router that is passed on, in bytes.
const MAX_REASON: usize = 4 * 1024;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem(pub(crate) Refusal);

impl Problem {
    /// A part of the request has not the form that is asked.
    pub(super) fn bad_request(needed: impl Into<String>) -> Self {
        Self(Refusal::new(Code::BadRequest).needed(needed.into()))
    }

    pub(super) fn unauthorized() -> Self {
        let asked = "the header `Authorization: Bearer TOKEN` with a token of this service";
        Self(Refusal::new(Code::UnknownToken).needed(asked))
    }

    pub(super) fn ended() -> Self {
        Self(Refusal::new(Code::WorkLost))
    }

    /// The status of its code.
    pub(crate) fn status(&self) -> StatusCode {
        match self.0.code {
            Code::UnknownToken | Code::TokenEnded => StatusCode::UNAUTHORIZED,
            Code::WrongRole => StatusCode::FORBIDDEN,
            Code::BadRequest | Code::BadTilePath | Code::BadCursor | Code::AddressRefused => {
                StatusCode::BAD_REQUEST
            }
            Code::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Code::RequestTooSlow => StatusCode::REQUEST_TIMEOUT,
            Code::TooLong | Code::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
            Code::KeyReused | Code::CaseRuled => StatusCode::CONFLICT,
            Code::NoSuchEntry | Code::NoSuchCase | Code::NoSuchName | Code::NoRoute => StatusCode::NOT_FOUND,
            Code::RecordErased => StatusCode::GONE,
            Code::QueueFull | Code::QuotaSpent => StatusCode::TOO_MANY_REQUESTS,
            Code::IndexBehind | Code::NoVerdict | Code::QuarantineFull | Code::NoTrustFile => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Code::StoreFull => StatusCode::INSUFFICIENT_STORAGE,
            Code::StoreFailed | Code::Damaged | Code::TailLost | Code::WorkLost => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            code if code.number() < 200 => StatusCode::BAD_REQUEST,
            code if code.permanence() == Permanence::NotYet => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, Self(refusal)) = (self.status(), self);
        let side = |side: &Side| (*side != Side::Nothing).then(|| side.to_string());
        let body = json!({
            "type": format!("urn:zeugma:refusal:{}", refusal.code.number()),
            "title": refusal.code.en(),
            "status": status.as_u16(),
            "code": refusal.code.number(),
            "name": refusal.code.name(),
            "detail": refusal.to_string(),
            "needed": side(&refusal.needed),
            "found": side(&refusal.found),
        });
        let head = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, head, body.to_string()).into_response();
        response.extensions_mut().insert(refusal.code);
        // A spent quota says how many seconds; of the rest nobody knows.
        let come_back = match (refusal.code, &refusal.needed) {
            (Code::QuotaSpent, Side::Number(seconds)) => {
                HeaderValue::from_str(&seconds.to_string()).unwrap_or(COME_BACK)
            }
            _ => COME_BACK,
        };
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::INSUFFICIENT_STORAGE => {
                headers.insert(header::RETRY_AFTER, come_back);
            }
            _ => {}
        }
        response
    }
}

/// Around every route: gives a request its time, puts the router's own refusals into our form, and counts each by its
/// code.
pub(super) async fn around(State(api): State<Api>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(api.longest, next.run(request)).await;
    let response = match answered {
        Ok(response) => ours(response).await,
        Err(_) => {
            let longest = format!("{} s", api.longest.as_secs());
            Problem(Refusal::new(Code::RequestTooSlow).needed(longest)).into_response()
        }
    };
    if let Some(code) = response.extensions().get::<Code>() {
        api.metrics.refused(*code);
    }
    response
}

/// The router and its extractors refuse in plain text, and say no code.
async fn ours(response: Response) -> Response {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || response.extensions().get::<Code>().is_some() {
        return response;
    }
    let code = match status {
        StatusCode::NOT_FOUND => Code::NoRoute,
        StatusCode::METHOD_NOT_ALLOWED => Code::WrongMethod,
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLong,
        status if status.is_server_error() => Code::WorkLost,
        _ => Code::BadRequest,
    };
    let (head, body) = response.into_parts();
    let reason = to_bytes(body, MAX_REASON).await.unwrap_or_default();
    let mut refusal = Refusal::new(code);
    match String::from_utf8_lossy(&reason).trim() {
        "" => {}
        reason => refusal = refusal.found(reason.to_owned()),
    }
    let mut response = Problem(refusal).into_response();
    for (name, value) in &head.headers {
        // What the route says beside its body stays: which methods it has, who may read it.
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
