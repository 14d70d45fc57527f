//! A problem as a status: the code says what the caller can do, the metadata which rule broke.

use super::super::problem::Problem;
use axum::http::StatusCode;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Code, Status};
use zeugma_types::{Permanence, Refusal, Side};

/// The status of a problem.
pub(super) fn status(problem: Problem) -> Status {
    match problem {
        Problem::Refused { status, refusal } => {
            Status::with_metadata(of_refusal(status, &refusal), refusal.to_string(), metadata(&refusal))
        }
        Problem::Plain { status, detail, .. } => Status::new(of_http(status), detail),
    }
}

/// The node stops.
pub(super) fn leaving() -> Status {
    Status::unavailable("this node stops or cannot read on; resume from the height after the last one seen")
}

fn of_refusal(status: StatusCode, refusal: &Refusal) -> Code {
    match (status, refusal.permanence()) {
        (
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::PAYLOAD_TOO_LARGE,
            _,
        ) => Code::ResourceExhausted,
        (_, Permanence::NotYet) => Code::FailedPrecondition,
        (_, Permanence::Never) => Code::InvalidArgument,
    }
}

fn of_http(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST => Code::InvalidArgument,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::REQUEST_TIMEOUT => Code::DeadlineExceeded,
        // Here only when every place is taken.
        StatusCode::SERVICE_UNAVAILABLE => Code::ResourceExhausted,
        _ => Code::Internal,
    }
}

/// The name of whether waiting can help.
const fn permanence(refusal: &Refusal) -> &'static str {
    match refusal.permanence() {
        Permanence::Never => "never",
        Permanence::NotYet => "not-yet",
    }
}

fn metadata(refusal: &Refusal) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    metadata.insert("zeugma-refusal-code", MetadataValue::from(refusal.code.number()));
    metadata.insert("zeugma-refusal-name", MetadataValue::from_static(refusal.code.name()));
    metadata.insert("zeugma-refusal-permanence", MetadataValue::from_static(permanence(refusal)));
    for (key, side) in [("zeugma-refusal-needed", &refusal.needed), ("zeugma-refusal-found", &refusal.found)]
    {
        if *side != Side::Nothing {
            metadata.insert(key, ascii(&side.to_string()));
        }
    }
    metadata
}

/// Text as metadata can carry it: what is not printable ASCII is escaped as Rust does.
fn ascii(text: &str) -> MetadataValue<Ascii> {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => escaped.push(c),
            other => escaped.extend(other.escape_default()),
        }
    }
    escaped.parse().expect("printable ASCII is metadata")
}
