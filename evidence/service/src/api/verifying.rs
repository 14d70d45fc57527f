//! The graded report of a bundle, under the service's trust file and its own policy: for whoever has no verifier at hand.
//!
//! | asked by | what is judged |
//! |---|---|
//! | bundle | the bundle that was sent, and the digests beside it, if there are any |
//! | digest | the bundle of the tenant's first entry with this digest, and the digest |
//! | file | the same, by the digests of the file, which is hashed as it comes and not kept |
//!
//! The report is the one of `zeugma verify --json`, byte for byte, for the same time. A court verifies for itself.

use super::Api;
use super::audit::Asked;
use super::problem::Problem;
use crate::access::{Action, Tenant};
use crate::audit::About;
use crate::desk::{Desk, now};
use crate::quota::Cost;
use crate::store::{Position, Query as Search};
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use zeugma_crypto::hash::Hasher;
use zeugma_evidence_log::FileDigests;
use zeugma_evidence_verify::{Bundle, Policy, Question, Report, Subject, verify};
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _, HashSuite, Refusal};

/// Room for the pieces of a file that is hashed, in bytes.
const PIECES: usize = 64 * 1024;
/// How long a search waits for the index to have what was durable when it was asked.
const FOLLOWS: Duration = Duration::from_secs(1);

/// What is judged.
#[derive(Debug)]
pub(super) enum Held {
    /// These bytes, and the room that they take.
    Bundle { bytes: Bytes, _room: Option<OwnedSemaphorePermit> },
    /// The bundle of an entry.
    Entry(Position),
    /// The bundle of the tenant's first entry with the digest that is held against it.
    Found,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Against {
    sha256: Option<String>,
    sm3: Option<String>,
    time: Option<u64>,
}

impl Against {
    fn digests(&self) -> Result<FileDigests, Problem> {
        let mut digests = FileDigests::default();
        for (algorithm, digest) in [("sha256", &self.sha256), ("sm3", &self.sm3)] {
            if let Some(digest) = digest {
                let bytes = hex::decode(digest).map_err(|_| Problem::bad_request("a digest in hex"))?;
                digests.add(algorithm, &bytes)?;
            }
        }
        Ok(digests)
    }

    fn time(&self) -> BlockTime {
        self.time.map_or_else(now, BlockTime::new)
    }
}

impl Api {
    /// Judges what `brought` brings once it is known who asks, and gives the report.
    pub(super) async fn judge<F>(
        &self,
        headers: &HeaderMap,
        (about, time): (About, BlockTime),
        brought: impl FnOnce(Tenant) -> F,
    ) -> Result<String, Problem>
    where
        F: Future<Output = Result<(Held, FileDigests), Problem>>,
    {
        let work = |tenant: Tenant| async move {
            let missing = || Refusal::new(Code::NoTrustFile).needed("chain.trust");
            let trust = self.trust.as_ref().map(Arc::clone).ok_or_else(missing)?;
            let (held, digests) = brought(tenant.clone()).await?;
            let operator = Arc::clone(&self.operator);
            self.blocking(move |desk| {
                let of_entry = |position: Position| {
                    let bundle = desk.bundle(&tenant.name, position)?.to_bytes();
                    Ok::<_, Refusal>((bundle.into(), desk.policy_of(position.shard, &operator)?))
                };
                let (bundle, policy) = match &held {
                    Held::Bundle { bytes, .. } => (bytes.clone(), policy_for(desk, bytes, &operator)),
                    Held::Entry(position) => of_entry(*position)?,
                    Held::Found => of_entry(first(desk, &tenant.name, &digests)?)?,
                };
                let subject = match digests == FileDigests::default() {
                    true => Subject::Nothing,
                    false => Subject::Digests(digests),
                };
                let question = Question { bundle: &bundle, subject, trust: &trust, policy: &policy, time };
                Ok(shown(&verify(&question)?))
            })
            .await
        };
        self.audited(headers, Asked::new(Action::Read, "verify", about), work).await
    }

    /// The digests of a file of any length, which is hashed as it comes. Its bytes are owed for.
    pub(super) async fn hashed(
        &self,
        tenant: &Tenant,
        mut pieces: impl Stream<Item = Result<Bytes, Problem>> + Unpin,
    ) -> Result<FileDigests, Problem> {
        let _room = self.room(PIECES)?;
        let (mut sha256, mut sm3) = (Hasher::new(HashSuite::Sha256), Hasher::new(HashSuite::Sm3));
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            self.quota.owe(&tenant.name, Cost { bytes: piece.len() as u64, ..Cost::default() });
            sha256.update(&piece);
            sm3.update(&piece);
        }
        Ok(FileDigests { sha256: Some(sha256.finish()), sm3: Some(sm3.finish()) })
    }
}

/// The policy of the shard in whose log a bundle says that it stands; of the open one for a bundle of none of ours.
fn policy_for(desk: &Desk, bundle: &[u8], operator: &str) -> Policy {
    let origin = Bundle::from_bytes(bundle).ok().and_then(|bundle| {
        let line = bundle.logging.first.note.lines().next();
        line.map(str::to_owned)
    });
    let shard = origin.and_then(|origin| {
        let mut shards = 0..=desk.log().head().0;
        shards.find(|shard| desk.log().origin_of(*shard).is_ok_and(|found| found == origin))
    });
    shard.and_then(|shard| desk.policy_of(shard, operator).ok()).unwrap_or_else(|| desk.policy(operator))
}

/// The tenant's first entry with one of these digests.
fn first(desk: &Desk, tenant: &str, digests: &FileDigests) -> Result<Position, Refusal> {
    let asked: Vec<_> = [digests.sha256, digests.sm3].into_iter().flatten().collect();
    if asked.is_empty() {
        return Err(Refusal::new(Code::Empty).needed("a digest in SHA-256 or SM3"));
    }
    for digest in &asked {
        let query = Search { digest: Some(*digest), ..Search::default() };
        let page = desk.log().search(tenant, &query, None, (1, FOLLOWS))?;
        if let Some(found) = page.found.first() {
            return Ok(found.position);
        }
    }
    Err(Refusal::new(Code::NoSuchEntry).needed("an entry with this digest").found(asked[0]))
}

/// The report as `zeugma verify --json` prints it: what could steer a terminal is written as JSON's own escapes.
#[must_use]
pub fn shown(report: &Report) -> String {
    let value: serde_json::Value = serde_json::from_str(&report.to_json()).expect("the view is JSON");
    let mut out = String::new();
    for character in format!("{value:#}").chars() {
        let turns = matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if character != '\n' && (character.is_control() || turns) {
            // Writing to a string cannot fail. All of these have four digits or fewer.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out.push('\n');
    out
}

fn answer(report: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], report).into_response()
}

pub(super) async fn by_bundle(
    State(api): State<Api>,
    Query(against): Query<Against>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let (digests, time) = (against.digests()?, against.time());
    let here = &api;
    let brought = |tenant: Tenant| async move {
        let (bytes, room) = here.arrived(&tenant, request).await?;
        Ok((Held::Bundle { bytes, _room: Some(room) }, digests))
    };
    api.judge(&headers, (About::Service, time), brought).await.map(answer)
}

pub(super) async fn by_digest(
    State(api): State<Api>,
    Query(against): Query<Against>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (digests, time) = (against.digests()?, against.time());
    let brought = |_| async move { Ok((Held::Found, digests)) };
    api.judge(&headers, (About::Service, time), brought).await.map(answer)
}

/// The file may be of any length: it is hashed in pieces, within the time of a request.
pub(super) async fn by_file(
    State(api): State<Api>,
    Query(against): Query<Against>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if against.sha256.is_some() || against.sm3.is_some() {
        return Err(Problem::bad_request("a file, or its digests by GET"));
    }
    let here = &api;
    let brought = |tenant: Tenant| async move {
        let broken = |why: axum::Error| Problem(Refusal::new(Code::BadRequest).found(why.to_string()));
        let pieces = body.into_data_stream().map(|piece| piece.map_err(broken));
        Ok((Held::Found, here.hashed(&tenant, pieces).await?))
    };
    api.judge(&headers, (About::Service, against.time()), brought).await.map(answer)
}
