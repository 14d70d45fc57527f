//! What is told to the audit log, and reading it: by those who supervise, and that is told as well.

use super::problem::Problem;
use super::{Api, Response, bytes, position};
use crate::access::{Action, Tenant};
use crate::audit::{About, Ended, Who};
use crate::store::Position;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use zeugma_crypto::hash::sha256;
use zeugma_types::Encode as _;

/// Most acts of one answer.
const MOST: usize = 256;

/// What is asked, as the audit log names it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    action: Action,
    what: &'static str,
    about: About,
    changes: bool,
}

impl Asked {
    pub(super) const fn new(action: Action, what: &'static str, about: About) -> Self {
        Self { action, what, about, changes: false }
    }

    pub(super) const fn entry(action: Action, what: &'static str, position: Position) -> Self {
        Self::new(action, what, About::Entry(position))
    }

    /// By the digest of what was asked.
    pub(super) fn query(action: Action, what: &'static str, query: &str) -> Self {
        Self::new(action, what, About::Query(sha256(&[query.as_bytes()])))
    }

    /// It changes something, so it is told before too.
    pub(super) const fn changing(mut self) -> Self {
        self.changes = true;
        self
    }
}

impl Api {
    /// Does what a role may, and tells the audit log of it. Nothing is answered that is not recorded, durably.
    pub(super) async fn audited<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        headers: &HeaderMap,
        asked: Asked,
        work: impl FnOnce(Tenant) -> F,
    ) -> Result<T, Problem> {
        let tenant = self.bearer(headers)?;
        if let Err(refusal) = tenant.role.require(asked.action) {
            let problem = Problem::from(refusal);
            self.audit.record(Who::Tenant(&tenant), asked.what, &asked.about, &ended(&problem)).await?;
            return Err(problem);
        }
        if asked.changes {
            self.audit.record(Who::Tenant(&tenant), asked.what, &asked.about, &Ended::Begun).await?;
        }
        let result = work(tenant.clone()).await;
        let ended = result.as_ref().map_or_else(ended, |_| Ended::Done);
        self.audit.record(Who::Tenant(&tenant), asked.what, &asked.about, &ended).await?;
        result
    }
}

impl Api {
    /// Who deposits. What is deposited stands in the log of evidence; a role that may not is told to the audit log.
    pub(super) async fn depositor(&self, headers: &HeaderMap) -> Result<Tenant, Problem> {
        let tenant = self.bearer(headers)?;
        if tenant.role.may(Action::Deposit) {
            return Ok(tenant);
        }
        let asked = Asked::new(Action::Deposit, "deposit", About::Service);
        self.audited(headers, asked, |tenant| async { Ok(tenant) }).await
    }
}

fn ended(problem: &Problem) -> Ended {
    let code = problem.0.code;
    Ended::Refused(format!("{} {}", code.number(), code.name()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct From {
    from: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn acts(
    State(api): State<Api>,
    Query(query): Query<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = query.from.as_deref().unwrap_or("0/0");
    let from = name
        .split_once('/')
        .and_then(|(shard, index)| Some(Position { shard: shard.parse().ok()?, index: index.parse().ok()? }));
    let from = from.ok_or_else(|| Problem::bad_request("`from` names an act: SHARD/INDEX"))?;
    let most = query.limit.unwrap_or(MOST).clamp(1, MOST);
    let asked = Asked::entry(Action::Audit, "audit.read", from);
    let here = api.clone();
    let read = |_| async move {
        let audit = Arc::clone(&here.audit);
        here.blocking(move |_| {
            let (acts, next) = audit.page(from, most)?;
            let (shard, origin, size) = audit.desk().log().head();
            let published = audit.desk().notes(shard)?.map(|notes| notes.size.get());
            Ok(json!({
                "origin": origin,
                "acts": acts,
                "next": format!("{}/{}", next.shard, next.index),
                "durable": size.get(),
                "published": published,
            }))
        })
        .await
    };
    Ok(Json(api.audited(&headers, asked, read).await?).into_response())
}

pub(super) async fn bundle(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = position(path)?;
    let here = api.clone();
    let asked = Asked::entry(Action::Audit, "audit.bundle", position);
    let read = |_| async move {
        let audit = Arc::clone(&here.audit);
        here.blocking(move |_| audit.bundle(position)).await
    };
    Ok(bytes(api.audited(&headers, asked, read).await?.to_bytes()))
}

/// A policy that believes the audit log of this service.
pub(super) async fn policy(State(api): State<Api>) -> Result<Response, Problem> {
    let desk = api.audit.desk();
    Ok(bytes(desk.policy(&api.operator).to_bytes()))
}
