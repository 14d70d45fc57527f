//! What a call may take: who it is comes before its message, its message takes room as it comes, and it has a time.
//!
//! 1. A call of the service shows who asks before a byte of its message is read; the two that are for everyone, health and
//!    reflection may send a few kibibytes.
//! 2. Each piece of a message takes room among the bodies that are on their way, and keeps it until the call is answered. A file
//!    that is hashed as it comes takes no more room than one message may.
//! 3. A call ends at its own `grpc-timeout`, or at the service's longest if that is sooner. A stream of answers has that time to
//!    its first, and ends at the caller's.

use super::super::problem::Problem;
use super::super::{Api, PIECE};
use super::status::{bare, status};
use super::{AROUND, EVIDENCE};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use zeugma_types::{Code, Refusal};

/// Most bytes of a call that everyone may make.
const SMALL: usize = 64 * 1024;
/// Most digits of a `grpc-timeout`.
const DIGITS: usize = 8;

/// When the caller wants no more of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Instant);

/// Around every call.
pub(super) async fn bounded(State(api): State<Api>, request: Request, next: Next) -> Response {
    answered(&api, request, next).await.unwrap_or_else(|problem| status(&api, problem).into_http())
}

async fn answered(api: &Api, mut request: Request, next: Next) -> Result<Response, Problem> {
    let own = asked(request.headers())?;
    let now = Instant::now();
    let longest = now + api.longest;
    let end = own.map_or(longest, |own| longest.min(now + own));
    if let Some(own) = own {
        request.extensions_mut().insert(Deadline(now + own));
    }
    let of_service = request.uri().path().strip_prefix(EVIDENCE).and_then(|rest| rest.strip_prefix('/'));
    let most = match of_service {
        None | Some("GetStatus" | "GetPolicy") => Most::Refused(SMALL),
        Some(method) => {
            api.shown(request.headers())?;
            let most = api.body_bytes.saturating_add(AROUND);
            if method == "VerifyFile" { Most::Kept(most) } else { Most::Refused(most) }
        }
    };
    let room = Arc::default();
    let request = request.map(|body| counted(api.clone(), body, most, Arc::clone(&room)));
    let late = |_| {
        let given = end.saturating_duration_since(now).as_millis();
        Problem(Refusal::new(Code::RequestTooSlow).needed(format!("{given} ms")))
    };
    let answered = timeout_at(end, next.run(request)).await.map_err(late);
    drop(room);
    answered
}

/// What happens at the bound.
#[derive(Clone, Copy, Debug)]
enum Most {
    /// More is refused.
    Refused(usize),
    /// More may come, and takes no further room.
    Kept(usize),
}

type Room = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

/// The body, each piece of which takes its room.
fn counted(api: Api, body: Body, most: Most, room: Room) -> Body {
    let mut arrived = 0_usize;
    let pieces = body.into_data_stream().map(move |piece| {
        let piece: Bytes = piece?;
        arrived = arrived.saturating_add(piece.len());
        take(&api, arrived, most, &room).map_err(|problem| match most {
            // Its method answers that itself.
            Most::Kept(_) => bare(problem),
            Most::Refused(_) => status(&api, problem),
        })?;
        Ok::<_, Broken>(piece)
    });
    Body::from_stream(pieces)
}

/// A body that ended early, or one that was refused.
type Broken = Box<dyn std::error::Error + Send + Sync>;

fn take(api: &Api, arrived: usize, most: Most, room: &Room) -> Result<(), Problem> {
    let bytes = match most {
        Most::Refused(most) if arrived > most => {
            return Err(Problem(Refusal::new(Code::TooLong).needed(most).found(arrived)));
        }
        Most::Refused(_) => arrived,
        Most::Kept(most) => arrived.min(most),
    };
    // What is in the lock is whole after any panic.
    let mut room = room.lock().unwrap_or_else(PoisonError::into_inner);
    let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let more = bytes.div_ceil(PIECE).saturating_sub(held);
    if more == 0 {
        return Ok(());
    }
    let full = || Problem(Refusal::new(Code::QueueFull).needed(bytes));
    let more = u32::try_from(more).map_err(|_| full())?;
    let more = Arc::clone(&api.arriving).try_acquire_many_owned(more).map_err(|_| full())?;
    match room.as_mut() {
        Some(room) => room.merge(more),
        None => *room = Some(more),
    }
    Ok(())
}

/// The `grpc-timeout` of a call: up to eight digits, and a letter for the unit.
fn asked(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    let wrong = || Problem::bad_request("grpc-timeout: up to eight digits and one of H M S m u n");
    let text = value.to_str().map_err(|_| wrong())?;
    let (digits, unit) = text.split_at_checked(text.len().wrapping_sub(1)).ok_or_else(wrong)?;
    if digits.is_empty() || digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    // Eight digits of hours are within the range of each.
    Ok(Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return Err(wrong()),
    }))
}

/// When the caller of a stream wants no more of it, if it said so.
pub(super) fn end<T>(request: &tonic::Request<T>) -> Option<Instant> {
    request.extensions().get::<Deadline>().map(|deadline| deadline.0)
}

/// Ends a stream at the caller's time.
pub(super) fn late(api: &Api) -> Status {
    status(api, Problem(Refusal::new(Code::RequestTooSlow).needed("grpc-timeout")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_the_protocol_writes_it_and_in_no_other_form() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            asked(&headers)
        };
        assert_eq!(read("1H").unwrap(), Some(Duration::from_secs(3_600)));
        assert_eq!(read("2M").unwrap(), Some(Duration::from_secs(120)));
        assert_eq!(read("99999999S").unwrap(), Some(Duration::from_secs(99_999_999)));
        assert_eq!(read("100m").unwrap(), Some(Duration::from_millis(100)));
        assert_eq!(read("7u").unwrap(), Some(Duration::from_micros(7)));
        assert_eq!(read("0n").unwrap(), Some(Duration::ZERO));
        assert_eq!(asked(&HeaderMap::new()).unwrap(), None);
        for wrong in ["", "S", "5", "123456789S", "-1S", "+1S", "1 S", "1s", "1x", "1.5S"] {
            assert_eq!(read(wrong).unwrap_err().0.code, Code::BadRequest, "{wrong}");
        }
    }
}
