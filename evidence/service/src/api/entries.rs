//! Reading entries: only by their own tenant, and an entry of another is as if it were not there.

use super::problem::Problem;
use super::{Api, Response, bytes, position};
use crate::access::Action;
use crate::desk::Standing;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use zeugma_types::Encode as _;

/// Longest wait of one request, in seconds.
const LONGEST: u64 = 30;
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
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wait {
    wait: u64,
    #[serde(rename = "for")]
    state: Reached,
}

fn reached(standing: &Standing, state: Reached) -> bool {
    match state {
        Reached::Logged => standing.logged.is_some(),
        Reached::Anchored => standing.anchored.is_some(),
    }
}

pub(super) async fn standing(
    State(api): State<Api>,
    path: Path<(String, String)>,
    Query(wait): Query<Wait>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = api.allow(&headers, Action::Read)?;
    let position = position(path)?;
    let end = Instant::now() + Duration::from_secs(wait.wait.min(LONGEST));
    loop {
        let name = tenant.name.clone();
        let standing = api.blocking(move |desk| desk.standing(&name, position)).await?;
        if reached(&standing, wait.state) || Instant::now() >= end {
            return Ok(Json(view(position, &standing)).into_response());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn view(position: crate::store::Position, standing: &Standing) -> serde_json::Value {
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
    })
}

pub(super) async fn receipt(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = api.allow(&headers, Action::Read)?;
    let position = position(path)?;
    let receipt = api
        .blocking(move |desk| {
            desk.stored(&tenant.name, position)?;
            desk.receipt(position)
        })
        .await?;
    Ok(bytes(receipt.to_bytes()))
}

pub(super) async fn bundle(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = api.allow(&headers, Action::Read)?;
    let position = position(path)?;
    let bundle = api.blocking(move |desk| desk.bundle(&tenant.name, position)).await?;
    Ok(bytes(bundle.to_bytes()))
}

pub(super) async fn erase(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = api.allow(&headers, Action::Erase)?;
    let position = position(path)?;
    api.blocking(move |desk| {
        desk.stored(&tenant.name, position)?;
        desk.log().erase(position, 1)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
