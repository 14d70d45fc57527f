//! Webhooks of a tenant: registered, seen, enabled again and taken away by who deposits for it.

use super::audit::Asked;
use super::problem::Problem;
use super::{Api, Response};
use crate::access::{Action, Tenant};
use crate::audit::About;
use crate::webhooks::{Event, Hook};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use zeugma_types::{Code, Refusal};

/// What is registered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    url: String,
    events: Vec<Event>,
}

const ACTION: Action = Action::Webhooks;

fn named(what: &'static str, id: &str) -> Asked {
    Asked::new(ACTION, what, About::Name(id.to_owned()))
}

pub(super) async fn register(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let malformed = |why: serde_json::Error| Refusal::new(Code::BadText).found(why.to_string());
    let wanted: Result<Wanted, Refusal> = serde_json::from_slice(&body).map_err(malformed);
    let about = About::Name(wanted.as_ref().map_or_else(|_| String::new(), |wanted| wanted.url.clone()));
    let here = api.clone();
    let register = |tenant: Tenant| async move {
        let Wanted { url, events } = wanted?;
        let hooks = Arc::clone(&here.webhooks);
        here.blocking(move |desk| hooks.register(desk, &tenant.name, &url, &events)).await
    };
    let asked = Asked::new(ACTION, "webhook.register", about).changing();
    let (hook, is_new) = api.audited(&headers, asked, register).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(hook.view())).into_response())
}

pub(super) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let hooks = Arc::clone(&api.webhooks);
    let list = |tenant: Tenant| async move { Ok(hooks.list(&tenant.name)) };
    let asked = Asked::new(ACTION, "webhook.list", About::Service);
    let list = api.audited(&headers, asked, list).await?;
    let views: Vec<_> = list.iter().map(Hook::view).collect();
    Ok(Json(json!({ "webhooks": views })).into_response())
}

async fn read(api: &Api, headers: &HeaderMap, what: &'static str, id: String) -> Result<Hook, Problem> {
    let asked = named(what, &id);
    let read = |tenant: Tenant| async move { Ok(api.webhooks.get(&tenant.name, &id)?) };
    api.audited(headers, asked, read).await
}

pub(super) async fn one(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(Json(read(&api, &headers, "webhook.read", id).await?.view()).into_response())
}

pub(super) async fn attempts(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let hook = read(&api, &headers, "webhook.attempts", id).await?;
    Ok(Json(json!({ "attempts": hook.attempts() })).into_response())
}

pub(super) async fn remove(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = named("webhook.remove", &id).changing();
    let here = api.clone();
    let remove = |tenant: Tenant| async move {
        let hooks = Arc::clone(&here.webhooks);
        here.blocking(move |_| hooks.remove(&tenant.name, &id)).await
    };
    api.audited(&headers, asked, remove).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn enable(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = named("webhook.enable", &id).changing();
    let here = api.clone();
    let enable = |tenant: Tenant| async move {
        let hooks = Arc::clone(&here.webhooks);
        here.blocking(move |_| hooks.enable(&tenant.name, &id)).await
    };
    Ok(Json(api.audited(&headers, asked, enable).await?.view()).into_response())
}

/// The key that signs the calls, bare and as Standard Webhooks writes it. It is the one that signs receipts.
pub(super) async fn key(State(api): State<Api>) -> Response {
    let key = *api.desk.keys().desk.public().as_bytes();
    let text = format!("whpk_{}", STANDARD.encode(key));
    Json(json!({ "algorithm": "ed25519", "hex": hex::encode(key), "standard_webhooks": text }))
        .into_response()
}
