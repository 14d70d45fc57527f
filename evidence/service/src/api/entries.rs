//! Reading entries: only by their own tenant, and an entry of another is as if it were not there.

use super::audit::Asked;
use super::problem::Problem;
use super::{Api, Response, bytes, position, quarantine, verdicts};
use crate::access::{Action, Tenant};
use crate::config::LONGEST_WAIT;
use crate::desk::{Desk, Standing, now};
use crate::stamping::Stood;
use crate::store::{Position, Tree};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use zeugma_evidence_log::LogProof;
use zeugma_evidence_verify::Bundle;
use zeugma_evidence_verify::bundle::Receipt;
use zeugma_types::{Encode as _, Refusal};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// What a request waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reached {
    /// A checkpoint.
    #[default]
    Logged,
    /// The relay chain.
    Anchored,
    /// Every time authority.
    Stamped,
    /// Every rule pack.
    Judged,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wait {
    wait: u64,
    #[serde(rename = "for")]
    state: Reached,
}

/// Where an entry stands, as it is told.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) standing: Standing,
    pub(super) legs: Vec<Stood>,
    /// A row for each rule pack that judged it or will.
    pub(super) verdicts: Vec<Value>,
    /// The case from which it was released, or null.
    pub(super) released: Value,
}

impl Seen {
    pub(super) fn has(&self, state: Reached) -> bool {
        match state {
            Reached::Logged => self.standing.logged.is_some(),
            Reached::Anchored => self.standing.anchored.is_some(),
            Reached::Stamped => !self.legs.is_empty() && self.legs.iter().all(|one| one.leg.got.is_some()),
            Reached::Judged => !self.verdicts.iter().any(verdicts::is_pending),
        }
    }
}

/// Where an entry of a tenant stands now.
pub(super) async fn look(api: &Api, tenant: &Tenant, position: Position) -> Result<Seen, Problem> {
    let name = tenant.name.clone();
    let look = move |desk: &Desk| {
        Ok(Seen {
            standing: desk.standing(&name, position)?,
            legs: desk.legs(&name, position)?,
            verdicts: verdicts::view(desk, position)?,
            released: quarantine::of(desk, position)?,
        })
    };
    api.blocking(look).await
}

/// Where an entry stands, after the wait that is asked for.
pub(super) async fn stands(
    api: &Api,
    headers: &HeaderMap,
    position: Position,
    wait: Wait,
) -> Result<Seen, Problem> {
    let end = Instant::now() + Duration::from_secs(wait.wait.min(LONGEST_WAIT));
    let waited = |tenant: Tenant| async move {
        loop {
            let seen = look(api, &tenant, position).await?;
            if seen.has(wait.state) || Instant::now() >= end {
                return Ok(seen);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    api.audited(headers, Asked::entry(Action::Read, "entry.standing", position), waited).await
}

pub(super) async fn standing(
    State(api): State<Api>,
    path: Path<(String, String)>,
    Query(wait): Query<Wait>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = position(path)?;
    Ok(Json(view(position, &stands(&api, &headers, position, wait).await?)).into_response())
}

fn view(position: Position, seen: &Seen) -> Value {
    let Seen { standing, legs, verdicts, released } = seen;
    let stamps: Vec<_> = legs.iter().map(leg).collect();
    let state = match (standing.logged, standing.anchored) {
        (_, Some(_)) => "anchored",
        (Some(_), None) => "logged",
        (None, None) => "received",
    };
    json!({
        "shard": position.shard,
        "index": position.index,
        "state": state,
        "received_at": standing.received_at.get(),
        "logged_size": standing.logged.map(|size| size.get()),
        "anchored_size": standing.anchored.map(|(size, _)| size.get()),
        "anchored_at": standing.anchored.map(|(_, at)| at.get()),
        "stamps": stamps,
        "verdicts": verdicts,
        "released": released,
    })
}

/// A time-stamp that is there, or one that is waited for, with its age and what the authority answered last.
pub(super) fn leg(one: &Stood) -> Value {
    json!({
        "institution": one.leg.institution,
        "stamped_at": one.leg.got.as_ref().map(|got| got.at.get()),
        "pending_age_seconds": pending_age(one),
        "refusal": one.refusal.as_ref().map(refused),
    })
}

/// A refusal inside of an answer.
pub(super) fn refused(refusal: &Refusal) -> Value {
    json!({ "code": refusal.code.number(), "name": refusal.code.name(), "detail": refusal.to_string() })
}

/// How long a time-stamp is waited for, in seconds.
pub(super) fn pending_age(one: &Stood) -> Option<u64> {
    match &one.leg.got {
        Some(_) => None,
        None => now().since(one.since).map(|age| age.get() / 1_000),
    }
}

/// The entry's own receipt.
pub(super) async fn receipt_of(
    api: &Api,
    headers: &HeaderMap,
    position: Position,
) -> Result<Receipt, Problem> {
    let read = |tenant: Tenant| async move {
        let work = move |desk: &Desk| {
            desk.stored(&tenant.name, position)?;
            desk.receipt(position)
        };
        api.blocking(work).await
    };
    api.audited(headers, Asked::entry(Action::Read, "entry.receipt", position), read).await
}

/// The bundle of an entry.
pub(super) async fn bundle_of(api: &Api, headers: &HeaderMap, position: Position) -> Result<Bundle, Problem> {
    let read =
        |tenant: Tenant| async move { api.blocking(move |desk| desk.bundle(&tenant.name, position)).await };
    api.audited(headers, Asked::entry(Action::Read, "entry.bundle", position), read).await
}

/// That an entry is in the published log, and the leaf that this is about.
pub(super) async fn proof_of(
    api: &Api,
    headers: &HeaderMap,
    position: Position,
    tree: Tree,
) -> Result<(LogProof, Vec<u8>), Problem> {
    let read = |tenant: Tenant| async move {
        api.blocking(move |desk| desk.proof(&tenant.name, position, tree)).await
    };
    api.audited(headers, Asked::entry(Action::Read, "entry.proof", position), read).await
}

/// Erases the record of an entry.
pub(super) async fn erase_at(api: &Api, headers: &HeaderMap, position: Position) -> Result<(), Problem> {
    let erase =
        |tenant: Tenant| async move { api.blocking(move |desk| desk.erase(&tenant.name, position)).await };
    let asked = Asked::entry(Action::Erase, "entry.erase", position).changing();
    api.audited(headers, asked, erase).await?;
    Ok(())
}

pub(super) async fn receipt(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(bytes(receipt_of(&api, &headers, position(path)?).await?.to_bytes()))
}

pub(super) async fn bundle(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(bytes(bundle_of(&api, &headers, position(path)?).await?.to_bytes()))
}

/// Which tree a proof is of.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Of {
    tree: Named,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    #[default]
    Sha256,
    Sm3,
}

pub(super) async fn proof(
    State(api): State<Api>,
    path: Path<(String, String)>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tree = match of.tree {
        Named::Sha256 => Tree::First,
        Named::Sm3 => Tree::Second,
    };
    let (proof, _) = proof_of(&api, &headers, position(path)?, tree).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], proof.to_text()).into_response())
}

pub(super) async fn erase(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    erase_at(&api, &headers, position(path)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
