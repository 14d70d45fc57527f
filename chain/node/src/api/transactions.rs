//! Submitting a transaction, and asking what became of it.

use super::problem::Problem;
use super::request::{Asked, At, body, bytes, digest, is_json};
use super::view::{BatchView, StatusView, SubmittedView};
use super::{Api, MAX_WAIT, closed};
use crate::handle::Status;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use zeugma_ledger::limits::MAX_TRANSACTION;

/// Longest body in JSON: two digits for each byte, and room for the member's name and white space.
const MAX_JSON: usize = 2 * MAX_TRANSACTION + 1_024;
/// A transaction that waits is looked at this often even when no block came: it may have been dropped.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    bytes: String,
}

pub(super) async fn submit(
    State(api): State<Api>,
    headers: HeaderMap,
    sent: Body,
) -> Result<(StatusCode, Json<SubmittedView>), Problem> {
    let transaction = if is_json(&headers) {
        let sent = body(sent, MAX_JSON).await?;
        let Submission { bytes: digits } = serde_json::from_slice(&sent)
            .map_err(|error| Problem::bad_request(format!("the body is {{\"bytes\": hex}}: {error}")))?;
        Bytes::from(bytes("the transaction", &digits, MAX_TRANSACTION)?)
    } else {
        body(sent, MAX_TRANSACTION).await?
    };
    let id = api.node.submit(transaction).await?;
    Ok((StatusCode::ACCEPTED, Json(SubmittedView { id: hex::encode(id) })))
}

/// Most transactions of one batch.
const MAX_BATCH: usize = 1_024;
/// Longest batch, in bytes: two of the longest transactions fit with their lengths.
const MAX_BATCH_BYTES: usize = 2 * (MAX_TRANSACTION + 4);

pub(super) async fn submit_all(
    State(api): State<Api>,
    sent: Body,
) -> Result<(StatusCode, Json<BatchView>), Problem> {
    let batch = parts(&body(sent, MAX_BATCH_BYTES).await?)?;
    let entered = api.node.submit_all(batch).await?;
    Ok((StatusCode::ACCEPTED, Json(BatchView::new(&entered))))
}

/// The transactions of a batch: each its length, four bytes, big end first, and its bytes.
fn parts(sent: &Bytes) -> Result<Vec<Bytes>, Problem> {
    let cut =
        || Problem::bad_request("a batch is, for each transaction, its length in four bytes and its bytes");
    let (mut batch, mut at) = (Vec::new(), 0_usize);
    while at < sent.len() {
        if batch.len() == MAX_BATCH {
            return Err(Problem::bad_request(format!("a batch is at most {MAX_BATCH} transactions")));
        }
        let length = sent.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or_else(cut)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| cut())?;
        let end = (at + 4).checked_add(length).filter(|end| *end <= sent.len()).ok_or_else(cut)?;
        // A copy: one that waits long must not keep the whole batch in memory.
        batch.push(Bytes::copy_from_slice(&sent[at + 4..end]));
        at = end;
    }
    Ok(batch)
}

pub(super) async fn status(
    State(api): State<Api>,
    At(id): At<String>,
    asked: Asked,
) -> Result<Json<StatusView>, Problem> {
    let id = digest("a transaction's id", &id)?;
    let wait = Duration::from_secs(asked.number("wait")?.unwrap_or(0));
    let status = settled(&api, &id, wait).await?;
    Ok(Json(StatusView::new(&id, &status)))
}

/// Where a transaction stands once it is final or dropped, or else after `wait`, which is cut to [`MAX_WAIT`].
pub(super) async fn settled(api: &Api, id: &[u8; 32], wait: Duration) -> Result<Status, Problem> {
    let wait = wait.min(MAX_WAIT);
    // Listening before the first look: a block in between is not missed.
    let mut blocks = api.node.blocks();
    let end = Instant::now() + wait;
    loop {
        let status = api.node.status(id).await?;
        let settled = matches!(status, Status::Final { .. } | Status::Dropped { .. });
        if settled || Instant::now() >= end || *api.closing.borrow() {
            return Ok(status);
        }
        tokio::select! {
            // Late or not: a block came.
            block = timeout_at(end.min(Instant::now() + LOOK), blocks.recv()) => {
                if matches!(block, Ok(Err(RecvError::Closed))) {
                    return Ok(status);
                }
            }
            () = closed(api.closing.clone()) => {}
        }
    }
}
