//! What everyone may read, every web page may read: the log's files, the policy, the document of the API. None of it
//! takes a token, so no page can read with somebody's.
//!
//! Source: Fetch standard, section 3.3 (the CORS protocol).

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

const ANYONE: (HeaderName, HeaderValue) =
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// Told to a page that asks before it asks: a day long.
const BEFORE: [(HeaderName, HeaderValue); 4] = [
    ANYONE,
    (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS")),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*")),
    (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
];

/// Refusals too can be read by the page, so that it falls back from a partial tile to the full one.
pub(super) async fn for_everyone(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, BEFORE).into_response();
    }
    let mut response = next.run(request).await;
    let (name, anyone) = ANYONE;
    response.headers_mut().insert(name, anyone);
    response
}
