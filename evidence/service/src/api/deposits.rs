//! Depositing: the records of one request, all or none.

use super::problem::Problem;
use super::{Api, Response};
use crate::quota::Cost;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;
use zeugma_evidence_log::{CustomField, Field, FileDigests, Record};
use zeugma_types::{Code, Encode as _, Refusal};

/// What stands for an origin that the submitter did not state: a record says where its content comes from.
const UNSTATED: &str = "not stated";

/// The origin of a record.
pub(super) fn stated(origin: String) -> String {
    if origin.is_empty() { UNSTATED.to_owned() } else { origin }
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    items: Vec<Item>,
}

/// One record, as JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    /// By the name of the algorithm, in hex.
    digests: BTreeMap<String, String>,
    /// The media type of the content.
    media_type: String,
    /// Its size, in bytes.
    size: u64,
    /// Where it comes from, as the submitter states it.
    #[serde(default)]
    origin: String,
    /// Whatever else.
    #[serde(default)]
    custom: BTreeMap<String, String>,
}

impl Item {
    /// The record under the tenant's pseudonym.
    fn record(self, submitter: &str) -> Result<Record, Refusal> {
        let mut digests = FileDigests::default();
        for (algorithm, digest) in &self.digests {
            let bytes = hex::decode(digest).map_err(|_| {
                Refusal::new(Code::BadText).needed("a digest in hex").found(algorithm.clone())
            })?;
            digests.add(algorithm, &bytes)?;
        }
        let mut fields = Vec::new();
        fields.extend(digests.sha256.map(Field::Sha256));
        fields.extend(digests.sm3.map(Field::Sm3));
        fields.push(Field::MediaType(self.media_type));
        fields.push(Field::Size(self.size));
        fields.push(Field::Submitter(submitter.to_owned()));
        fields.push(Field::Source(stated(self.origin)));
        fields.extend(
            self.custom
                .into_iter()
                .map(|(name, value)| Field::Custom(CustomField { name, value: value.into_bytes() })),
        );
        Record::new(fields)
    }
}

pub(super) async fn deposit(
    State(api): State<Api>,
    headers: HeaderMap,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let tenant = api.depositor(&headers).await?;
    // Who it is, and whether there is room for it, is known before the body is read.
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let length = length.unwrap_or(api.body_bytes).min(api.body_bytes);
    let _room = api.room(length)?;
    api.quota.take(&tenant.name, Cost { bytes: length as u64, ..Cost::default() })?;
    let too_long = || Refusal::new(Code::TooLong).needed(api.body_bytes);
    let body = Bytes::from_request(request, &()).await.map_err(|why| match why.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::from(too_long()),
        _ => Problem::bad_request(why.body_text()),
    })?;
    let key = match headers.get("idempotency-key") {
        None => None,
        Some(key) => {
            let text =
                key.to_str().map_err(|_| Problem::bad_request("the Idempotency-Key is plain ASCII"))?;
            Some(text.to_owned())
        }
    };
    let metrics = std::sync::Arc::clone(&api.metrics);
    let quota = std::sync::Arc::clone(&api.quota);
    let accepted = api
        .blocking(move |desk| {
            let malformed = |why: serde_json::Error| Refusal::new(Code::BadText).found(why.to_string());
            let request: Request = serde_json::from_slice(&body).map_err(malformed)?;
            let items = request.items.len() as u64;
            quota.owe(&tenant.name, Cost { items, ..Cost::default() });
            let records = request.items.into_iter().map(|item| item.record(&tenant.pseudonym));
            desk.deposit(&tenant.name, records.collect::<Result<_, _>>()?, key)
        })
        .await?;
    let known = accepted.iter().filter(|one| one.known).count() as u64;
    metrics.deposited(accepted.len() as u64 - known, known, started.elapsed());
    let items: Vec<_> = accepted
        .iter()
        .map(|one| {
            json!({
                "shard": one.position.shard,
                "index": one.position.index,
                "known": one.known,
                "received_at": one.receipt.received_at.get(),
                "due_at": one.receipt.due_at.get(),
                "receipt": hex::encode(one.receipt.to_bytes()),
            })
        })
        .collect();
    let status = if known == accepted.len() as u64 { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(json!({ "items": items }))).into_response())
}
