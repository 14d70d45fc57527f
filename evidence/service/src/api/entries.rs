//! Reading entries: only by their own tenant, and an entry of another is as if it were not there.

use super::audit::Asked;
use super::problem::Problem;
use super::{Api, Response, bytes, position};
use crate::access::{Action, Tenant};
use crate::config::LONGEST_WAIT;
use crate::desk::{Desk, Standing, now};
use crate::stamping::Stood;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wait {
    wait: u64,
    #[serde(rename = "for")]
    state: Reached,
}

fn reached(standing: &Standing, legs: &[Stood], state: Reached) -> bool {
    match state {
        Reached::Logged => standing.logged.is_some(),
        Reached::Anchored => standing.anchored.is_some(),
        Reached::Judged => true,
        Reached::Stamped => !legs.is_empty() && legs.iter().all(|one| one.leg.got.is_some()),
    }
}

pub(super) async fn standing(
    State(api): State<Api>,
    path: Path<(String, String)>,
    Query(wait): Query<Wait>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = position(path)?;
    let end = Instant::now() + Duration::from_secs(wait.wait.min(LONGEST_WAIT));
    let here = api.clone();
    let wait = |tenant: Tenant| async move {
        loop {
            let name = tenant.name.clone();
            let look = move |desk: &Desk| {
                let (standing, legs) = (desk.standing(&name, position)?, desk.legs(&name, position)?);
                let released = super::quarantine::of(desk, position)?;
                Ok((standing, legs, super::verdicts::view(desk, position)?, released))
            };
            let (standing, legs, verdicts, released) = here.blocking(look).await?;
            let judged = verdicts.iter().all(|one| !one["pending"].as_bool().unwrap_or(false));
            let there = match wait.state {
                Reached::Judged => judged,
                state => reached(&standing, &legs, state),
            };
            if there || Instant::now() >= end {
                let mut view = view(position, &standing, &legs);
                view["verdicts"] = verdicts.into();
                view["released"] = released;
                return Ok(view);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let asked = Asked::entry(Action::Read, "entry.standing", position);
    Ok(Json(api.audited(&headers, asked, wait).await?).into_response())
}

fn view(position: crate::store::Position, standing: &Standing, legs: &[Stood]) -> serde_json::Value {
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
    })
}

/// A time-stamp that is there, or one that is waited for, with its age and what the authority answered last.
pub(super) fn leg(one: &Stood) -> serde_json::Value {
    let age = match &one.leg.got {
        Some(_) => None,
        None => now().since(one.since).map(|age| age.get() / 1_000),
    };
    json!({
        "institution": one.leg.institution,
        "stamped_at": one.leg.got.as_ref().map(|got| got.at.get()),
        "pending_age_seconds": age,
        "refusal": one.refusal.as_ref().map(refused),
    })
}

/// A refusal inside of an answer.
pub(super) fn refused(refusal: &Refusal) -> serde_json::Value {
    json!({ "code": refusal.code.number(), "name": refusal.code.name(), "detail": refusal.to_string() })
}

pub(super) async fn receipt(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = position(path)?;
    let here = api.clone();
    let read = |tenant: Tenant| async move {
        let work = move |desk: &Desk| {
            desk.stored(&tenant.name, position)?;
            desk.receipt(position)
        };
        here.blocking(work).await
    };
    let asked = Asked::entry(Action::Read, "entry.receipt", position);
    Ok(bytes(api.audited(&headers, asked, read).await?.to_bytes()))
}

pub(super) async fn bundle(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = position(path)?;
    let here = api.clone();
    let read =
        |tenant: Tenant| async move { here.blocking(move |desk| desk.bundle(&tenant.name, position)).await };
    let asked = Asked::entry(Action::Read, "entry.bundle", position);
    Ok(bytes(api.audited(&headers, asked, read).await?.to_bytes()))
}

pub(super) async fn erase(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = position(path)?;
    let here = api.clone();
    let erase =
        |tenant: Tenant| async move { here.blocking(move |desk| desk.erase(&tenant.name, position)).await };
    let asked = Asked::entry(Action::Erase, "entry.erase", position).changing();
    api.audited(&headers, asked, erase).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
