//! Depositing: the records of one request, all or none.

use super::problem::Problem;
use super::{Api, Response};
use crate::access::Tenant;
use crate::desk::{Accepted, Desk};
use crate::quota::{Cost, Quota};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use zeugma_evidence_log::{CustomField, Field, FileDigests, Record};
use zeugma_types::{Code, Encode as _, Refusal};

/// What stands for an origin that the submitter did not state: a record says where its content comes from.
const UNSTATED: &str = "not stated";

/// The origin of a record.
pub(super) fn stated(origin: String) -> String {
    if origin.is_empty() { UNSTATED.to_owned() } else { origin }
}

/// Longest body of a request that is worked on where it arrived, in bytes: some ten records, a fraction of a millisecond.
const SMALL: usize = 4 * 1024;

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

/// The records of a request, which are owed for.
fn records(body: &[u8], tenant: &Tenant, quota: &Quota) -> Result<Vec<Record>, Refusal> {
    let malformed = |why: serde_json::Error| Refusal::new(Code::BadText).found(why.to_string());
    let request: Request = serde_json::from_slice(body).map_err(malformed)?;
    let items = request.items.len() as u64;
    quota.owe(&tenant.name, Cost { items, ..Cost::default() });
    request.items.into_iter().map(|item| item.record(&tenant.pseudonym)).collect()
}

/// As [`Desk::deposit`], for a request that costs less than handing it to another thread does: this one waits for the log
/// without a thread of its own.
async fn here(
    api: &Api,
    tenant: &Tenant,
    body: &[u8],
    key: Option<String>,
) -> Result<Vec<Accepted>, Problem> {
    let place = api.place()?;
    let records = records(body, tenant, &api.quota)?;
    let (batch, handed) = api.desk.prepare(&tenant.name, records, key)?;
    let (sender, receiver) = oneshot::channel();
    api.desk.log().submit(batch, move |outcomes| drop(sender.send(outcomes)));
    let outcomes = receiver.await.map_err(|_| Problem::ended())??;
    drop(place);
    if outcomes.iter().any(|outcome| outcome.known) {
        // Its receipt is made from what the disk holds.
        return api.blocking(move |desk| desk.promise(&outcomes, &handed)).await;
    }
    Ok(api.desk.promise(&outcomes, &handed)?)
}

impl Api {
    /// The body of a request of this tenant. Whether there is room for it is known before it is read, and the room is
    /// given back with the permit.
    pub(super) async fn arrived(
        &self,
        tenant: &Tenant,
        request: axum::extract::Request,
    ) -> Result<(Bytes, OwnedSemaphorePermit), Problem> {
        let length =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let length = length.unwrap_or(self.body_bytes).min(self.body_bytes);
        let room = self.room(length)?;
        self.quota.take(&tenant.name, Cost { bytes: length as u64, ..Cost::default() })?;
        let too_long = || Refusal::new(Code::TooLong).needed(self.body_bytes);
        let body = Bytes::from_request(request, &()).await.map_err(|why| match why.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::from(too_long()),
            _ => Problem::bad_request(why.body_text()),
        })?;
        Ok((body, room))
    }

    /// Deposits records that came by another door than that of JSON, under the same quotas: `bytes` is their length as they
    /// came, for which there is room, `count` how many they are. They are made under the tenant's pseudonym, where the work
    /// may block.
    pub(super) async fn take(
        &self,
        headers: &HeaderMap,
        key: Option<String>,
        (bytes, count): (usize, usize),
        records: impl FnOnce(&str) -> Result<Vec<Record>, Refusal> + Send + 'static,
    ) -> Result<Vec<Accepted>, Problem> {
        let started = Instant::now();
        let tenant = self.depositor(headers).await?;
        self.quota.take(&tenant.name, Cost { bytes: bytes as u64, ..Cost::default() })?;
        self.quota.owe(&tenant.name, Cost { items: count as u64, ..Cost::default() });
        let work = move |desk: &Desk| desk.deposit(&tenant.name, records(&tenant.pseudonym)?, key);
        let accepted = self.blocking(work).await?;
        let known = accepted.iter().filter(|one| one.known).count() as u64;
        self.metrics.deposited(accepted.len() as u64 - known, known, started.elapsed());
        Ok(accepted)
    }
}

pub(super) async fn deposit(
    State(api): State<Api>,
    headers: HeaderMap,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let tenant = api.depositor(&headers).await?;
    // Who it is, is known before the body is read.
    let (body, _room) = api.arrived(&tenant, request).await?;
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
    let light = body.len() <= SMALL && !api.desk.is_gated() && api.desk.log().wait_ready(Duration::ZERO);
    let accepted = if light {
        Ok(here(&api, &tenant, &body, key).await?)
    } else {
        let work = move |desk: &Desk| match desk.deposit(&tenant.name, records(&body, &tenant, &quota)?, key)
        {
            Err(refusal) if refusal.code == Code::Quarantined => {
                super::quarantine::held(desk, &tenant.name, &refusal).map(Err)
            }
            done => done.map(Ok),
        };
        api.blocking(work).await?
    };
    let accepted = match accepted {
        Ok(accepted) => accepted,
        // Taken, and neither logged nor promised: a role rules on it.
        Err(case) => return Ok((StatusCode::ACCEPTED, Json(case)).into_response()),
    };
    let known = accepted.iter().filter(|one| one.known).count() as u64;
    metrics.deposited(accepted.len() as u64 - known, known, started.elapsed());
    let status = if known == accepted.len() as u64 { StatusCode::OK } else { StatusCode::CREATED };
    let head = [(header::CONTENT_TYPE, "application/json")];
    Ok((status, head, answer(&accepted)).into_response())
}

/// The answer as JSON. It is written here: a value in memory for each member of thousands of items takes longer than
/// all of the rest.
fn answer(accepted: &[Accepted]) -> Vec<u8> {
    let (mut out, mut receipt) = (Vec::with_capacity(64 + accepted.len() * 1_024), Vec::new());
    out.extend_from_slice(b"{\"items\":[");
    for (at, one) in accepted.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let Accepted { position, known, receipt: promise } = one;
        let (received, due) = (promise.received_at.get(), promise.due_at.get());
        let (shard, index) = (position.shard, position.index);
        write!(
            out,
            "{{\"shard\":{shard},\"index\":{index},\"known\":{known},\"received_at\":{received},\"due_at\":{due},\"receipt\":\""
        )
        .expect("memory takes all that is written");
        receipt.clear();
        promise.encode(&mut receipt);
        push_hex(&mut out, &receipt);
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}");
    out
}

/// Two digits a byte.
fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let from = out.len();
    out.resize(from + 2 * bytes.len(), 0);
    for (pair, byte) in out[from..].as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Position;
    use zeugma_evidence_verify::bundle::Receipt;
    use zeugma_types::{BlockTime, LeafIndex, TreeSize};

    #[test]
    fn an_answer_is_the_json_of_its_items() {
        let one = |index: u64, known| Accepted {
            position: Position { shard: 3, index },
            known,
            receipt: Receipt {
                origin: "log.example/\"one\"".to_owned(),
                received_at: BlockTime::new(5),
                due_at: BlockTime::MAX,
                first: LeafIndex::new(7),
                size: TreeSize::new(2),
                place: LeafIndex::new(index - 7),
                path: vec![[0xa5; 32]],
                signature: [0x0f; 64],
            },
        };
        for accepted in [vec![], vec![one(7, true)], vec![one(7, false), one(8, true)]] {
            let items: Vec<_> = accepted
                .iter()
                .map(|one| {
                    serde_json::json!({
                        "shard": 3,
                        "index": one.position.index,
                        "known": one.known,
                        "received_at": 5,
                        "due_at": u64::MAX,
                        "receipt": hex::encode(one.receipt.to_bytes()),
                    })
                })
                .collect();
            let read: serde_json::Value = serde_json::from_slice(&answer(&accepted)).unwrap();
            assert_eq!(read, serde_json::json!({ "items": items }));
        }
    }
}
