//! What a running service does for its operator: a backup, the next shard.

use super::audit::Asked;
use super::problem::Problem;
use super::{Api, Response};
use crate::access::Action;
use crate::audit::About;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use zeugma_types::{Code, Refusal};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    /// Where to, in the folder for backups of the machine that serves.
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Roll {
    /// Of the shard that begins.
    origin: String,
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|why| Refusal::new(Code::BadText).found(why.to_string()))
}

/// Copies every segment of both logs while they serve.
pub(super) async fn backup(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let Backup { folder } = read(&body)?;
    let name = folder.display().to_string();
    let asked = Asked::new(Action::Operate, "log.backup", About::Name(name.clone())).changing();
    let here = api.clone();
    let copy = |_| async move {
        let audit = Arc::clone(here.audit.desk());
        here.blocking(move |desk| {
            let (shard, size) = (desk.log().head().0, desk.backup(&folder)?);
            // What is restored without its acts could hide who read it.
            audit.backup(&folder.join("audit"))?;
            Ok((shard, size))
        })
        .await
    };
    let (shard, size) = api.audited(&headers, asked, copy).await?;
    Ok((StatusCode::CREATED, Json(json!({ "folder": name, "shard": shard, "size": size }))).into_response())
}

/// Closes the open shard, and opens the next.
pub(super) async fn roll(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let Roll { origin } = read(&body)?;
    let asked = Asked::new(Action::Operate, "log.roll", About::Name(origin.clone())).changing();
    let (here, next) = (api.clone(), origin.clone());
    let roll = |_| async move { here.blocking(move |desk| desk.roll(&next)).await };
    let shard = api.audited(&headers, asked, roll).await?;
    Ok((StatusCode::CREATED, Json(json!({ "shard": shard, "origin": origin }))).into_response())
}
