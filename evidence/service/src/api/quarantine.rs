//! Deposits that are held: told to their tenant and to who rules, and ruled on.

use super::audit::Asked;
use super::problem::Problem;
use super::verdicts::finding_in_words;
use super::{Api, Response};
use crate::access::{Action, Tenant};
use crate::audit::About;
use crate::desk::{Desk, now};
use crate::quarantine::{Case, CaseId, MAX_WORDS, Ruling, State as Stands};
use crate::store::Position;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::{Value, json};
use zeugma_evidence_rules::{Outcome, Verdict};
use zeugma_types::{Code, Decode as _, Refusal, Side};

/// What a ruling says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    words: String,
}

/// Whose cases a request may see, all of them or those of its tenant, and as what it is asked.
fn asked(api: &Api, headers: &HeaderMap, what: &'static str, about: About) -> Result<Asked, Problem> {
    let rules = api.bearer(headers)?.role.may(Action::Rule);
    Ok(Asked::new(if rules { Action::Rule } else { Action::Read }, what, about))
}

/// The tenant whose cases alone are seen, or nothing for who sees all.
fn only(tenant: &Tenant) -> Option<&str> {
    (!tenant.role.may(Action::Rule)).then_some(tenant.name.as_str())
}

fn named(id: &str) -> Result<CaseId, Refusal> {
    CaseId::read(id).ok_or_else(|| Refusal::new(Code::NoSuchCase).found(id.to_owned()))
}

pub(super) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let here = api.clone();
    let list = |tenant: Tenant| async move {
        let list = move |desk: &Desk| {
            let (held, only) = (desk.quarantine(), only(&tenant));
            let mut cases = Vec::new();
            for id in held.list(only) {
                match held.case(id, only) {
                    Ok(case) => cases.push(view(desk, &case)?),
                    // Forgotten since.
                    Err(refusal) if refusal.code == Code::NoSuchCase => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            Ok(cases)
        };
        here.blocking(list).await
    };
    let asked = asked(&api, &headers, "quarantine.list", About::Service)?;
    Ok(Json(json!({ "cases": api.audited(&headers, asked, list).await? })).into_response())
}

pub(super) async fn case(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let here = api.clone();
    let asked = asked(&api, &headers, "quarantine.case", About::Name(id.clone()))?;
    let look = |tenant: Tenant| async move {
        let look = move |desk: &Desk| view(desk, &desk.quarantine().case(named(&id)?, only(&tenant))?);
        here.blocking(look).await
    };
    Ok(Json(api.audited(&headers, asked, look).await?).into_response())
}

fn ruling(tenant: &Tenant, body: &[u8]) -> Result<Ruling, Refusal> {
    let malformed = |why: serde_json::Error| Refusal::new(Code::BadText).found(why.to_string());
    let Said { words } = serde_json::from_slice(body).map_err(malformed)?;
    if words.trim().is_empty() {
        return Err(Refusal::new(Code::Empty).needed("words of a ruling"));
    }
    if words.len() > MAX_WORDS {
        return Err(Refusal::new(Code::TooLong).needed(MAX_WORDS).found(words.len()));
    }
    Ok(Ruling { role: tenant.role.name().to_owned(), tenant: tenant.name.clone(), at: now(), words })
}

pub(super) async fn release(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let asked = Asked::new(Action::Rule, "quarantine.release", About::Name(id.clone())).changing();
    let here = api.clone();
    let release = |tenant: Tenant| async move {
        let release = move |desk: &Desk| {
            let case = desk.quarantine().release(desk.log(), named(&id)?, ruling(&tenant, &body)?)?;
            view(desk, &case)
        };
        here.blocking(release).await
    };
    Ok(Json(api.audited(&headers, asked, release).await?).into_response())
}

pub(super) async fn reject(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let asked = Asked::new(Action::Rule, "quarantine.reject", About::Name(id.clone())).changing();
    let here = api.clone();
    let reject = |tenant: Tenant| async move {
        let reject =
            move |desk: &Desk| view(desk, &desk.quarantine().reject(named(&id)?, ruling(&tenant, &body)?)?);
        here.blocking(reject).await
    };
    Ok(Json(api.audited(&headers, asked, reject).await?).into_response())
}

/// What a depositor is answered whose deposit is held.
pub(super) fn held(desk: &Desk, tenant: &str, refusal: &Refusal) -> Result<Value, Refusal> {
    let Side::Text(id) = &refusal.found else { return Err(refusal.clone()) };
    view(desk, &desk.quarantine().case(named(id)?, Some(tenant))?)
}

/// The case from which an entry was released, or null.
pub(super) fn of(desk: &Desk, position: Position) -> Result<Value, Refusal> {
    match desk.quarantine().of(position) {
        Some(id) => view(desk, &desk.quarantine().case(id, None)?),
        None => Ok(Value::Null),
    }
}

/// A case, with each reason in both languages where its pack is still configured.
fn view(desk: &Desk, case: &Case) -> Result<Value, Refusal> {
    let mut reasons = Vec::with_capacity(case.why.len());
    for why in &case.why {
        let verdict = Verdict::from_bytes(&why.statement)?;
        let pack = desk.judging().judges().iter().find(|judge| judge.digest == verdict.pack);
        let unmet = verdict.findings.iter().filter(|finding| finding.outcome != Outcome::Met);
        let findings: Vec<Value> = match pack {
            Some(judge) => unmet.map(|finding| finding_in_words(finding, &judge.pack)).collect(),
            None => unmet.map(zeugma_evidence_rules::Finding::to_json).collect(),
        };
        reasons.push(json!({
            "item": why.item,
            "pack": verdict.pack_name,
            "digest": hex::encode(verdict.pack),
            "findings": findings,
        }));
    }
    let ruling = case.state.ruling().map(|ruling| {
        json!({ "role": ruling.role, "tenant": ruling.tenant, "at": ruling.at.get(), "words": ruling.words })
    });
    let entries: Vec<Value> = match &case.state {
        Stands::Released(_, positions) => positions
            .iter()
            .map(|position| json!({ "shard": position.shard, "index": position.index }))
            .collect(),
        _ => Vec::new(),
    };
    Ok(json!({
        "case": case.id().to_string(),
        "tenant": case.tenant,
        "state": case.state.name(),
        "received_at": case.received_at.get(),
        "records": case.count,
        "reasons": reasons,
        "ruling": ruling,
        "entries": entries,
    }))
}
