//! A problem as a status: the code says what the caller can do, the metadata which rule broke.

use super::super::Api;
use super::super::problem::Problem;
use axum::http::StatusCode;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Code as Answered, Status};
use zeugma_types::{Code, Permanence, Refusal, Side};

/// Under which key the code stands.
const CODE: &str = "zeugma-refusal-code";

/// The status of a problem; it is counted as one of REST is.
pub(super) fn status(api: &Api, problem: Problem) -> Status {
    api.metrics.refused(problem.0.code);
    bare(problem)
}

/// The code of the rule that a status of ours carries.
pub(super) fn refused(status: &Status) -> Option<Code> {
    let number: u16 = status.metadata().get(CODE)?.to_str().ok()?.parse().ok()?;
    Code::ALL.iter().copied().find(|code| code.number() == number)
}

/// The status of a problem that is answered, and counted, elsewhere.
pub(super) fn bare(problem: Problem) -> Status {
    let code = match (problem.0.code, problem.status()) {
        (Code::KeyReused, _) => Answered::AlreadyExists,
        (_, StatusCode::UNAUTHORIZED) => Answered::Unauthenticated,
        (_, StatusCode::FORBIDDEN) => Answered::PermissionDenied,
        (_, StatusCode::NOT_FOUND) => Answered::NotFound,
        (_, StatusCode::REQUEST_TIMEOUT) => Answered::DeadlineExceeded,
        (_, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS) => Answered::ResourceExhausted,
        (_, StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE) => Answered::Unavailable,
        (_, StatusCode::INTERNAL_SERVER_ERROR) => Answered::Internal,
        (_, StatusCode::CONFLICT | StatusCode::GONE) => Answered::FailedPrecondition,
        _ => Answered::InvalidArgument,
    };
    let refusal = problem.0;
    Status::with_metadata(code, refusal.to_string(), metadata(&refusal))
}

fn metadata(refusal: &Refusal) -> MetadataMap {
    let permanence = match refusal.permanence() {
        Permanence::Never => "never",
        Permanence::NotYet => "not-yet",
    };
    let mut metadata = MetadataMap::new();
    metadata.insert(CODE, MetadataValue::from(refusal.code.number()));
    metadata.insert("zeugma-refusal-name", MetadataValue::from_static(refusal.code.name()));
    metadata.insert("zeugma-refusal-permanence", MetadataValue::from_static(permanence));
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
