//! Tenants and tokens, for those who watch and operate the service.

use super::audit::Asked;
use super::problem::Problem;
use super::{Api, Response};
use crate::access::{Action, TokenRow, TokensError};
use crate::audit::About;
use crate::desk::now;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde_json::json;
use std::sync::Arc;
use zeugma_types::{Code, Refusal};

pub(super) async fn tenants(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let asked = Asked::new(Action::Watch, "tenants.list", About::Service);
    api.audited(&headers, asked, |_| async { Ok(()) }).await?;
    let tenants: Vec<_> = api
        .access
        .tenants(now())
        .into_iter()
        .map(|(name, roles)| {
            let roles: serde_json::Map<_, _> =
                roles.into_iter().map(|(role, count)| (role.name().to_owned(), json!(count))).collect();
            json!({ "tenant": name, "tokens": roles })
        })
        .collect();
    Ok(Json(json!({ "tenants": tenants })).into_response())
}

pub(super) async fn tokens(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let asked = Asked::new(Action::Tokens, "tokens.list", About::Service);
    api.audited(&headers, asked, |_| async { Ok(()) }).await?;
    let rows = api.access.file().map(|file| file.rows().map_err(refused)).transpose()?;
    let tokens: Vec<_> = rows.unwrap_or_default().iter().map(TokenRow::shown).collect();
    Ok(Json(json!({ "tokens": tokens })).into_response())
}

pub(super) async fn revoke(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::new(Action::Tokens, "token.revoke", About::Name(id.clone())).changing();
    let here = api.clone();
    let revoke = |_| async move {
        let access = Arc::clone(&here.access);
        here.blocking(move |_| {
            let file = access.file().ok_or_else(|| Refusal::new(Code::NoSuchName).found(id.clone()))?;
            file.revoke(&id, now()).map_err(refused)
        })
        .await
    };
    let row = api.audited(&headers, asked, revoke).await?;
    Ok(Json(row.shown()).into_response())
}

fn refused(error: TokensError) -> Refusal {
    match error {
        TokensError::Unknown(id) => Refusal::new(Code::NoSuchName).needed("a token").found(id),
        other => Refusal::new(Code::StoreFailed).found(other.to_string()),
    }
}
