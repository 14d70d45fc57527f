//! The log for everyone: checkpoints and tiles as C2SP tlog-tiles names them, readable from any web page.

use super::problem::Problem;
use super::{Api, Response};
use crate::desk::Desk;
use crate::store::Tree;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use std::sync::Arc;
use zeugma_evidence_log::TileId;
use zeugma_types::{Code, Refusal};

/// A full tile never changes; a partial one is replaced by a wider, under another name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FRESH: &str = "no-cache";

pub(super) async fn file(State(api): State<Api>, path: Path<(String, String)>) -> Result<Response, Problem> {
    let desk = Arc::clone(&api.desk);
    of(&api, desk, path).await
}

/// Of the audit log: its leaves are salted commitments too.
pub(super) async fn audit_file(
    State(api): State<Api>,
    path: Path<(String, String)>,
) -> Result<Response, Problem> {
    let desk = Arc::clone(api.audit.desk());
    of(&api, desk, path).await
}

async fn of(
    api: &Api,
    desk: Arc<Desk>,
    Path((shard, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let shard: u32 = shard.parse().map_err(|_| Problem::bad_request("a shard is a whole number"))?;
    let (tree, rest) = match path.strip_prefix("sm3/") {
        Some(rest) => (Tree::Second, rest.to_owned()),
        None => (Tree::First, path),
    };
    let (kind, keep, body) = if rest == "checkpoint" {
        let note = move |_: &Desk| {
            Ok(desk.notes(shard)?.and_then(|notes| match tree {
                Tree::First => Some(desk.witnessing().cosigned(shard, notes.size.get(), notes.first)),
                Tree::Second => notes.second,
            }))
        };
        let note = api.reading(note).await?;
        let note = note.ok_or_else(|| Refusal::new(Code::NoSuchEntry).needed("a published checkpoint"))?;
        ("text/plain; charset=utf-8", FRESH, note.into_bytes())
    } else {
        let tile = TileId::parse(&rest)?;
        let body = api.reading(move |_| desk.log().tile(shard, tree, tile)).await?;
        ("application/octet-stream", FOR_EVER, body)
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], body).into_response())
}
