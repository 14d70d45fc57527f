//! Searching among the entries of one tenant, and the history of one.

use super::audit::Asked;
use super::problem::Problem;
use super::{Api, Response, entries, position};
use crate::access::{Action, Tenant};
use crate::desk::{Desk, Standing};
use crate::stamping::Stood;
use crate::store::{Found as Hit, Position, Query, Stored, Term};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::{CustomField, Field, Record};
use zeugma_evidence_verify::bundle::Receipt;
use zeugma_types::{BlockTime, Code, Encode as _, Refusal};

/// Entries of one answer, unless fewer are asked for.
const USUAL: usize = 50;
/// Most entries of one answer.
const MOST: usize = 100;
/// How long a search waits for the index to have what was durable when it was asked.
const FOLLOWS: Duration = Duration::from_secs(1);
/// Most other entries with the same digest that a history names.
const SAME: usize = 100;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asks {
    pub(super) digest: Option<String>,
    pub(super) case: Option<String>,
    pub(super) submitter: Option<String>,
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<String>,
}

impl Asks {
    fn query(&self) -> Result<Query, Problem> {
        let digest = self.digest.as_deref().map(|text| {
            let mut digest = [0; 32];
            hex::decode_to_slice(text, &mut digest)
                .map(|()| digest)
                .map_err(|_| Problem::bad_request("`digest` is a SHA-256 or an SM3: 64 hex digits"))
        });
        Ok(Query { digest: digest.transpose()?, case: self.case.clone(), submitter: self.submitter.clone() })
    }
}

/// Of which search of which tenant a cursor is.
fn mark(tenant: &str, query: &Query) -> [u8; 8] {
    let text = format!("{tenant:?} {:?} {:?} {:?}", query.digest, query.case, query.submitter);
    *sha256(&[text.as_bytes()]).first_chunk().expect("a hash has 32 bytes")
}

fn cursor(tenant: &str, query: &Query, after: Position) -> String {
    let mut bytes = mark(tenant, query).to_vec();
    after.shard.encode(&mut bytes);
    after.index.encode(&mut bytes);
    hex::encode(bytes)
}

fn after(tenant: &str, query: &Query, cursor: &str) -> Result<Position, Refusal> {
    let bad = || Refusal::new(Code::BadCursor).found(cursor.chars().take(64).collect::<String>());
    let mut bytes = [0; 20];
    hex::decode_to_slice(cursor, &mut bytes).map_err(|_| bad())?;
    let (of, place) = bytes.split_at(8);
    if of != mark(tenant, query) {
        return Err(bad());
    }
    let (shard, index) = place.split_at(4);
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Ok(Position { shard: u32::try_from(number(shard)).map_err(|_| bad())?, index: number(index) })
}

/// A page of a search.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) entries: Vec<Hit>,
    pub(super) cursor: Option<String>,
    pub(super) complete: bool,
}

/// Searches, and tells the audit log of it.
pub(super) async fn found(api: &Api, headers: &HeaderMap, asks: Asks) -> Result<Found, Problem> {
    let query = asks.query()?;
    let asked = Asked::query(Action::Search, "search", &format!("{query:?}"));
    let read = |tenant: Tenant| async move {
        let most = asks.limit.unwrap_or(USUAL).clamp(1, MOST);
        let work = move |desk: &Desk| {
            let after = asks.cursor.as_deref().map(|text| after(&tenant.name, &query, text)).transpose()?;
            let page = desk.log().search(&tenant.name, &query, after, (most, FOLLOWS))?;
            let cursor = page.after.map(|after| cursor(&tenant.name, &query, after));
            Ok(Found { entries: page.found, cursor, complete: page.complete })
        };
        api.blocking(work).await
    };
    api.audited(headers, asked, read).await
}

pub(super) async fn search(
    State(api): State<Api>,
    asks: Result<Parameters<Asks>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Parameters(asks) = asks.map_err(|why| Problem::bad_request(why.body_text()))?;
    let Found { entries, cursor, complete } = found(&api, &headers, asks).await?;
    let entries: Vec<_> = entries.iter().map(view).collect();
    Ok(Json(json!({ "entries": entries, "cursor": cursor, "complete": complete })).into_response())
}

fn view(found: &Hit) -> Value {
    let mut view = record(&found.stored.record);
    view["shard"] = json!(found.position.shard);
    view["index"] = json!(found.position.index);
    view["received_at"] = json!(found.stored.received_at);
    view
}

/// A value of a custom field: what is no text is given in hex.
pub(super) fn text(custom: &CustomField) -> String {
    let text = std::str::from_utf8(&custom.value).map(str::to_owned);
    text.unwrap_or_else(|_| format!("0x{}", hex::encode(&custom.value)))
}

/// A record as it was deposited.
fn record(record: &Record) -> Value {
    let mut view = json!({ "digests": {}, "custom": {} });
    for field in record.fields() {
        match field {
            Field::Sha256(digest) => view["digests"]["sha-256"] = json!(hex::encode(digest)),
            Field::Sm3(digest) => view["digests"]["sm3"] = json!(hex::encode(digest)),
            Field::MediaType(text) => view["media_type"] = json!(text),
            Field::Size(size) => view["size"] = json!(size),
            Field::Submitter(text) => view["submitter"] = json!(text),
            Field::Source(text) => view["origin"] = json!(text),
            Field::Custom(custom) => view["custom"][&custom.name] = json!(text(custom)),
        }
    }
    view
}

/// All that happened to an entry, with what is waited for.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) stored: Stored,
    pub(super) receipt: Receipt,
    pub(super) standing: Standing,
    pub(super) legs: Vec<Stood>,
    /// When rule packs judged it.
    pub(super) judged: Vec<BlockTime>,
    /// Other entries of the tenant with a digest of this one.
    pub(super) same: Vec<Position>,
}

/// The history of an entry.
pub(super) async fn told(api: &Api, headers: &HeaderMap, position: Position) -> Result<Told, Problem> {
    let asked = Asked::entry(Action::Read, "entry.history", position);
    let read = |tenant: Tenant| async move {
        api.blocking(move |desk| Told::read(desk, &tenant.name, position)).await
    };
    api.audited(headers, asked, read).await
}

pub(super) async fn history(
    State(api): State<Api>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = position(path)?;
    Ok(Json(told(&api, &headers, position).await?.view(position)).into_response())
}

impl Told {
    fn read(desk: &Desk, tenant: &str, position: Position) -> Result<Self, Refusal> {
        let stored = desk.stored(tenant, position)?;
        let standing = desk.standing(tenant, position)?;
        let judged = match standing.logged {
            Some(_) => desk.bundle(tenant, position)?.verdicts.iter().map(|verdict| verdict.at).collect(),
            None => Vec::new(),
        };
        Ok(Self {
            receipt: desk.receipt(position)?,
            standing,
            legs: desk.legs(tenant, position)?,
            judged,
            same: same(desk, tenant, position, &stored.record)?,
            stored,
        })
    }

    /// In the order of the states.
    fn view(&self, position: Position) -> Value {
        let Self { stored, receipt, standing, legs, judged, same } = self;
        let mut events = vec![json!({
            "what": "received",
            "at": standing.received_at.get(),
            "receipt": hex::encode(receipt.to_bytes()),
        })];
        if let Some(size) = standing.logged {
            events.push(json!({ "what": "logged", "size": size.get() }));
        }
        if let Some((size, at)) = standing.anchored {
            events.push(json!({ "what": "anchored", "at": at.get(), "size": size.get() }));
        }
        for leg in legs {
            if let Some(got) = &leg.leg.got {
                let at = got.at.get();
                events.push(json!({ "what": "stamped", "at": at, "institution": leg.leg.institution }));
            }
        }
        events.extend(judged.iter().map(|at| json!({ "what": "judged", "at": at.get() })));
        let pending: Vec<_> = legs.iter().filter(|leg| leg.leg.got.is_none()).map(entries::leg).collect();
        let same: Vec<_> = same.iter().map(|other| format!("{}/{}", other.shard, other.index)).collect();
        let mut view = record(&stored.record);
        view["shard"] = json!(position.shard);
        view["index"] = json!(position.index);
        view["events"] = json!(events);
        view["pending"] = json!(pending);
        view["same_digest"] = json!(same);
        view
    }
}

/// Other entries of the tenant with a digest of this one: whoever submitted them. Of other tenants nothing is known here.
fn same(desk: &Desk, tenant: &str, position: Position, record: &Record) -> Result<Vec<Position>, Refusal> {
    let mut positions = Vec::new();
    for field in record.fields() {
        let (Field::Sha256(digest) | Field::Sm3(digest)) = field else { continue };
        positions.extend(desk.log().positions(tenant, Term::Digest(digest), None, SAME + 1)?);
    }
    positions.sort_unstable();
    positions.dedup();
    Ok(positions.into_iter().filter(|other| *other != position).take(SAME).collect())
}
