//! The service's API: REST with JSON, and the log as static files.
//!
//! | route | answer |
//! |---|---|
//! | `POST /v1/deposits` | logs the records of one request, all or none, and gives a receipt for each; `Idempotency-Key` |
//! | `GET /v1/entries/{shard}/{index}` | where an entry stands; `?wait=SECONDS&for=logged`, `anchored`, `stamped` waits for it |
//! | `GET /v1/entries/{shard}/{index}/receipt` | the entry's own receipt, as bytes |
//! | `GET /v1/entries/{shard}/{index}/bundle` | the bundle, as bytes |
//! | `DELETE /v1/entries/{shard}/{index}` | erases the record, its salts and its row; leaf and proofs stay |
//! | `GET /v1/tenants` | the tenants, and how many tokens open each in which role |
//! | `GET /v1/tokens`, `DELETE /v1/tokens/{id}` | the tokens without their digests; revokes one, at once |
//! | `GET /v1/policy` | a policy that believes this service and its time authorities, as bytes |
//! | `GET /v1/status` | where the log stands |
//! | `GET /log/{shard}/checkpoint`, `/log/{shard}/tile/…`, `/log/{shard}/sm3/…` | C2SP tlog-tiles, for everyone |
//! | `GET /metrics`, `/healthz` | for those who operate it |
//!
//! Everything below `/v1` but the policy and the status wants a token. Errors are `application/problem+json` with the
//! code of [`zeugma_types::refusal`] where a rule of ours broke.

mod deposits;
mod entries;
mod problem;
mod tenants;
mod tiles;

use crate::access::{Access, Action, Tenant};
use crate::config::ApiConfig;
use crate::desk::{Desk, now};
use crate::metrics::Metrics;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use problem::Problem;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Semaphore;
use zeugma_types::Encode as _;

/// What every route holds.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) desk: Arc<Desk>,
    pub(crate) access: Arc<Access>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) operator: Arc<str>,
    /// Requests that may be worked on at one time.
    pub(crate) places: Arc<Semaphore>,
}

impl Api {
    /// The tenant of a request that may do this.
    fn allow(&self, headers: &HeaderMap, action: Action) -> Result<Tenant, Problem> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            given.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(Problem::unauthorized)?;
        let tenant = self.access.tenant(token.trim(), now())?;
        tenant.role.require(action)?;
        Ok(tenant)
    }

    /// Does what blocks on a thread of its own, while a place is free.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, zeugma_types::Refusal> + Send + 'static,
    ) -> Result<T, Problem> {
        let full = || Problem::from(zeugma_types::Refusal::new(zeugma_types::Code::QueueFull));
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| full())?;
        let desk = Arc::clone(&self.desk);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&desk);
            drop(place);
            result
        });
        let result = done.await.map_err(|_| Problem::ended())?.map_err(Problem::from);
        if let Err(problem) = &result
            && let Some(code) = problem.code()
        {
            self.metrics.refused(code);
        }
        result
    }
}

/// The routes.
pub(crate) fn router(api: Api, config: &ApiConfig) -> Router {
    let entry = "/v1/entries/{shard}/{index}";
    Router::new()
        .route("/v1/deposits", post(deposits::deposit))
        .route(entry, get(entries::standing).delete(entries::erase))
        .route(&format!("{entry}/receipt"), get(entries::receipt))
        .route(&format!("{entry}/bundle"), get(entries::bundle))
        .route("/v1/tenants", get(tenants::tenants))
        .route("/v1/tokens", get(tenants::tokens))
        .route("/v1/tokens/{id}", delete(tenants::revoke))
        .route("/v1/policy", get(policy))
        .route("/v1/status", get(status))
        .route("/log/{shard}/{*path}", get(tiles::file))
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(config.body_bytes))
        .with_state(api)
}

async fn policy(State(api): State<Api>) -> Response {
    bytes(api.desk.policy(&api.operator).to_bytes())
}

async fn status(State(api): State<Api>) -> Response {
    let (shard, origin, size) = api.desk.log().head();
    let anchored = api.desk.anchors().last(shard);
    let published = api.desk.notes(shard).ok().flatten().map(|notes| notes.size.get());
    let status = json!({
        "origin": origin,
        "shard": shard,
        "durable": size.get(),
        "published": published,
        "anchored": anchored,
        "stamping": stamping(&api.desk),
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

async fn metrics(State(api): State<Api>) -> Response {
    let size = api.desk.log().head().2.get();
    let text = api.metrics.text(now(), size) + &api.desk.stamping().text(now());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn bytes(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

/// The position that a path names.
fn position(Path((shard, index)): Path<(String, String)>) -> Result<crate::store::Position, Problem> {
    let wrong = || Problem::bad_request("an entry is named by two whole numbers: /v1/entries/SHARD/INDEX");
    let (shard, index) = (shard.parse().map_err(|_| wrong())?, index.parse().map_err(|_| wrong())?);
    Ok(crate::store::Position { shard, index })
}
