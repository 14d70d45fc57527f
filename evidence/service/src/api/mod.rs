//! The service's API: REST with JSON, and the log as static files.
//!
//! | route | answer |
//! |---|---|
//! | `POST /v1/deposits` | logs the records of one request, all or none, and gives a receipt for each; `Idempotency-Key` |
//! | `GET /v1/entries/{shard}/{index}` | where an entry stands; `?wait=SECONDS&for=logged`, `anchored`, `stamped`, `judged` waits for it |
//! | `GET /v1/entries/{shard}/{index}/receipt` | the entry's own receipt, as bytes |
//! | `GET /v1/entries/{shard}/{index}/bundle` | the bundle, as bytes |
//! | `GET /v1/entries/{shard}/{index}/history` | all that happened to an entry, with its times |
//! | `GET /v1/search` | the tenant's entries, `?digest=HEX&case=…&submitter=…&limit=N&cursor=…` |
//! | `GET /v1/entries/{shard}/{index}/proof` | that it is in the published log, as a C2SP tlog-proof; `?tree=sm3` |
//! | `DELETE /v1/entries/{shard}/{index}` | erases the record, its salts and its row; leaf and proofs stay |
//! | `GET /v1/tenants` | the tenants, and how many tokens open each in which role |
//! | `GET /v1/tokens`, `DELETE /v1/tokens/{id}` | the tokens without their digests; revokes one, at once |
//! | `GET /v1/audit` | who read or changed what, `?from=SHARD/INDEX&limit=N`; `next` is where to go on |
//! | `GET /v1/audit/{shard}/{index}/bundle` | the bundle of one act, as bytes |
//! | `GET /v1/audit/policy` | a policy that believes the audit log, as bytes |
//! | `POST /v1/backups`, `POST /v1/shards` | copies every segment while the log serves; closes the shard and opens the next |
//! | `GET /v1/quarantine`, `GET /v1/quarantine/{case}` | deposits that a mandatory rule pack did not pass, with its reasons |
//! | `POST /v1/quarantine/{case}/release`, `…/reject` | rules on one: `{"words": "…"}` |
//! | `POST /v1/verify`, `GET /v1/verify`, `POST /v1/verify/file` | the graded report, by bundle, by digest, by file ([`verifying`]) |
//! | `POST /v1/webhooks`, `GET /v1/webhooks`, `GET`, `DELETE /v1/webhooks/{id}` | addresses that are told when entries got further |
//! | `POST /v1/webhooks/{id}/enable`, `GET /v1/webhooks/{id}/attempts` | calls a disabled one again; what was delivered, and what was not |
//! | `GET /v1/webhooks/key` | the key that signs those calls |
//! | `GET /v1/policy` | a policy that believes this service and its time authorities, as bytes; `?shard=N` for the log of a closed shard |
//! | `GET /v1/status` | where the log stands, and each of its shards with its origin |
//! | `GET /log/{shard}/checkpoint`, `/log/{shard}/tile/…`, `/log/{shard}/sm3/…` | C2SP tlog-tiles, for everyone |
//! | `GET /audit/{shard}/…` | the audit log as C2SP tlog-tiles, salted as the other |
//! | `GET /openapi.json` | this table as OpenAPI 3.1, with every answer's schema |
//! | `GET /metrics`, `/healthz`, `/readyz` | for those who operate it |
//!
//! Everything below `/v1` but the policies and the status wants a token, and is told to the audit log unless it is a
//! deposit. Errors are `application/problem+json`, each with a code of [`zeugma_types::refusal`]. A test asks every route and
//! compares what it answers with the document.

mod audit;
mod cors;
mod deposits;
mod entries;
pub mod grpc;
mod operate;
mod plain;
mod problem;
mod quarantine;
mod routes;
mod search;
mod tenants;
#[cfg(test)]
mod tests;
mod tiles;
mod verdicts;
pub(crate) mod verifying;
mod webhooks;

pub(crate) use routes::router;

use crate::access::{Access, Tenant};
use crate::audit::Audit;
use crate::desk::{Desk, now};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::quota::{Cost, Quota};
use crate::serve::SHOWN;
use crate::webhooks::Hooks;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use problem::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use zeugma_proof::TrustFile;
use zeugma_types::{Code, Refusal};

/// In what room for bodies is counted, in bytes.
pub(crate) const PIECE: usize = 1_024;

/// How much of each there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) requests: usize,
    pub(crate) reads: usize,
    pub(crate) arriving_bytes: usize,
}

impl Bounds {
    /// Places for requests, places for reads, and room for bodies in [`PIECE`]s.
    pub(crate) fn places(self) -> [Arc<Semaphore>; 3] {
        [self.requests, self.reads, self.arriving_bytes / PIECE].map(|count| Arc::new(Semaphore::new(count)))
    }
}

/// What every route holds.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) desk: Arc<Desk>,
    pub(crate) access: Arc<Access>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) operator: Arc<str>,
    /// Requests that may be worked on at one time.
    pub(crate) places: Arc<Semaphore>,
    /// Reads of the public log that may be worked on at one time: who reads takes no place of who deposits.
    pub(crate) readers: Arc<Semaphore>,
    /// Room for bodies that are on their way, in [`PIECE`]s.
    pub(crate) arriving: Arc<Semaphore>,
    pub(crate) quota: Arc<Quota>,
    pub(crate) bounds: Bounds,
    /// Streams that may be open at one time.
    pub(crate) streams: Arc<Semaphore>,
    /// The trust file under which bundles are judged, if there is one.
    pub(crate) trust: Option<Arc<TrustFile>>,
    /// Whether the service is told to stop.
    pub(crate) stop: watch::Receiver<bool>,
    /// Longest body of a request, in bytes.
    pub(crate) body_bytes: usize,
    /// How long a request may take, its body and its wait included.
    pub(crate) longest: Duration,
    /// Whether deposits are taken.
    pub(crate) health: Health,
    pub(crate) webhooks: Arc<Hooks>,
}

impl Api {
    /// Who asks, if the tenant may ask once more.
    fn bearer(&self, headers: &HeaderMap) -> Result<Tenant, Problem> {
        let tenant = self.shown(headers)?;
        self.quota.take(&tenant.name, Cost { requests: 1, ..Cost::default() })?;
        Ok(tenant)
    }

    /// Whose token a request shows, or else whose X.509 certificate its connection does.
    fn shown(&self, headers: &HeaderMap) -> Result<Tenant, Problem> {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        match (text(&header::AUTHORIZATION), text(&SHOWN)) {
            (Some(given), _) => {
                let token = given.strip_prefix("Bearer ").ok_or_else(Problem::unauthorized)?;
                Ok(self.access.tenant(token.trim(), now())?)
            }
            (None, Some(shown)) => {
                let mut digest = [0; 32];
                hex::decode_to_slice(shown, &mut digest).map_err(|_| Problem::unauthorized())?;
                Ok(self.access.holder(&digest)?)
            }
            (None, None) => Err(Problem::unauthorized()),
        }
    }

    /// Room for a body of so many bytes; it is given back when what is returned is dropped.
    fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let pieces = u32::try_from(bytes.min(self.body_bytes).div_ceil(PIECE).max(1)).unwrap_or(u32::MAX);
        let full = || Problem::from(Refusal::new(Code::QueueFull).needed(bytes));
        Arc::clone(&self.arriving).try_acquire_many_owned(pieces).map_err(|_| full())
    }

    /// A place among those that are worked on.
    fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Self::place_in(&self.places)
    }

    fn place_in(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
        let full = |_| Problem::from(Refusal::new(Code::QueueFull));
        Arc::clone(places).try_acquire_owned().map_err(full)
    }

    /// Does what blocks on a thread of its own, while a place is free.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Problem> {
        self.in_one_of(&self.places, work).await
    }

    /// As [`Api::blocking`], in one of the places of those who read the public log.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Problem> {
        self.in_one_of(&self.readers, work).await
    }

    async fn in_one_of<T: Send + 'static>(
        &self,
        places: &Arc<Semaphore>,
        work: impl FnOnce(&Desk) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Self::place_in(places)?;
        let desk = Arc::clone(&self.desk);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&desk);
            drop(place);
            result
        });
        done.await.map_err(|_| Problem::ended())?.map_err(Problem::from)
    }
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
