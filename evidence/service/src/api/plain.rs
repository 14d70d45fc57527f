//! What is not of one tenant: policy, status, the document of the API, and what operators watch.

use super::problem::Problem;
use super::routes::OPENAPI;
use super::{Api, PIECE, Response, bytes, entries};
use crate::desk::{Desk, now};
use crate::metrics::head;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::json;
use zeugma_types::Encode as _;

/// Which shard a request is about; the open one when it does not say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfShard {
    shard: Option<u32>,
}

pub(super) async fn policy(State(api): State<Api>, Query(of): Query<OfShard>) -> Result<Response, Problem> {
    let policy = match of.shard {
        None => api.desk.policy(&api.operator),
        Some(shard) => api.desk.policy_of(shard, &api.operator)?,
    };
    Ok(bytes(policy.to_bytes()))
}

/// Every shard with its origin, how much of it is durable, and how much is anchored.
fn shards(desk: &Desk) -> Vec<serde_json::Value> {
    let shard = |shard| {
        json!({
            "shard": shard,
            "origin": desk.log().origin_of(shard).ok(),
            "durable": desk.log().size_of(shard).ok().map(zeugma_types::TreeSize::get),
            "anchored": desk.anchors().last(shard),
        })
    };
    (0..=desk.log().head().0).map(shard).collect()
}

pub(super) async fn status(State(api): State<Api>) -> Response {
    let (shard, origin, size) = api.desk.log().head();
    let anchored = api.desk.anchors().last(shard);
    let published = api.desk.notes(shard).ok().flatten().map(|notes| notes.size.get());
    let status = json!({
        "origin": origin,
        "shard": shard,
        "durable": size.get(),
        "published": published,
        "anchored": anchored,
        "shards": shards(&api.desk),
        "stamping": stamping(&api.desk),
        "witnessing": witnessing(&api.desk),
    });
    axum::Json(status).into_response()
}

/// How each time authority does; what waits for it is named with its age.
fn stamping(desk: &Desk) -> Vec<serde_json::Value> {
    let now = now();
    let each = desk.stamping().doing().into_iter().map(|one| {
        let age = one.oldest.and_then(|oldest| now.since(oldest)).map(|age| age.get() / 1_000);
        json!({
            "institution": one.institution,
            "url": one.url,
            "stamps": one.numbers.granted,
            "pending": one.pending,
            "pending_age_seconds": age,
            "refusal": one.numbers.last.as_ref().map(entries::refused),
            "clock_offset_milliseconds": one.numbers.offset.map(zeugma_evidence_anchors::Offset::millis),
            "clock_alarm": one.numbers.alarms,
        })
    });
    each.collect()
}

/// How each witness does; what waits for it is named with its age.
fn witnessing(desk: &Desk) -> Vec<serde_json::Value> {
    let now = now();
    let each = desk.witnessing().doing().into_iter().map(|(asked, numbers)| {
        json!({
            "institution": asked.institution,
            "url": asked.url,
            "cosignatures": numbers.total,
            "cosigned": numbers.cosigned.map(|(shard, size)| json!({ "shard": shard, "size": size })),
            "pending_age_seconds": numbers.pending_seconds(now),
            "refusal": numbers.last.as_ref().map(entries::refused),
        })
    });
    each.collect()
}

pub(super) async fn metrics(State(api): State<Api>) -> Response {
    let size = api.desk.log().head().2.get();
    let now = now();
    let (desk, own) = (&api.desk, api.metrics.text(now, size));
    let held = crate::quarantine::text(desk.quarantine().load(), now);
    let mut text = own;
    for more in [
        desk.stamping().text(now),
        desk.witnessing().text(now),
        desk.judging().text(desk.log()),
        held,
        api.audit.text(),
        api.quota.text(),
        api.webhooks.text(now),
        in_flight(&api),
    ] {
        text.push_str(&more);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// What is worked on now.
fn in_flight(api: &Api) -> String {
    let mut text = String::new();
    let bounds = api.bounds;
    for (name, help, value) in [
        (
            "zeugma_evidence_requests_in_flight",
            "Requests of tenants that are worked on",
            bounds.requests.saturating_sub(api.places.available_permits()),
        ),
        (
            "zeugma_evidence_reads_in_flight",
            "Reads of the public log that are worked on",
            bounds.reads.saturating_sub(api.readers.available_permits()),
        ),
        (
            "zeugma_evidence_arriving_bytes",
            "Room taken by bodies that are on their way",
            bounds.arriving_bytes.saturating_sub(api.arriving.available_permits() * PIECE),
        ),
    ] {
        text += &head(name, "gauge", help);
        text += &format!("{name} {value}\n");
    }
    text
}

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Deposits are taken.
pub(super) async fn ready(State(api): State<Api>) -> Result<&'static str, Problem> {
    api.health.now().map(|()| "ready\n").map_err(Problem::from)
}
