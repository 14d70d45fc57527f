//! What rule packs found of an entry, as its status tells it.

use crate::desk::Desk;
use crate::judging::{Given, Shown, Told};
use crate::store::Position;
use serde_json::{Value, json};
use zeugma_evidence_rules::{Finding, Language, Pack, Verdict, reason};
use zeugma_types::{Decode as _, Refusal};

/// A row for each pack that judged the entry, and for each that still will.
pub(super) fn view(desk: &Desk, position: Position) -> Result<Vec<Value>, Refusal> {
    let judging = desk.judging();
    let told = judging.told(position)?;
    let mut rows = Vec::with_capacity(told.len());
    for one in &told {
        let pack = judging.judges().iter().find(|judge| judge.digest == one.digest);
        rows.push(row(one, pack.map(|judge| &judge.pack))?);
    }
    for judge in judging.judges() {
        let there = told.iter().any(|one| one.digest == judge.digest);
        if !there && judging.will(judge, position) {
            let digest = hex::encode(judge.digest);
            let pack = json!({ "name": judge.pack.name, "version": judge.pack.version, "digest": digest });
            rows.push(json!({ "pack": pack, "pending": true }));
        }
    }
    Ok(rows)
}

/// Whether a row is of a pack that has not judged yet.
pub(super) fn is_pending(row: &Value) -> bool {
    row["pending"] == true
}

fn row(told: &Told, pack: Option<&Pack>) -> Result<Value, Refusal> {
    let verdict = match &told.given {
        Given::Verdict(verdict) => verdict,
        Given::None { at, why } => {
            let digest = hex::encode(told.digest);
            return Ok(json!({ "pack": { "digest": digest }, "given_at": at.get(), "none": why }));
        }
    };
    let read = Verdict::from_bytes(&verdict.statement)?;
    let mut row = read.to_json();
    if let Some(pack) = pack {
        row["findings"] = read.findings.iter().map(|finding| finding_in_words(finding, pack)).collect();
    }
    row["given_at"] = verdict.at.get().into();
    row["in_force"] = told
        .force
        .as_ref()
        .map_or_else(|| json!({ "confirmed": false, "note": "not confirmed in force" }), in_force);
    Ok(row)
}

/// A finding with its article and its reason, in both languages.
pub(super) fn finding_in_words(finding: &Finding, pack: &Pack) -> Value {
    let article =
        pack.rule(&finding.rule).map(|rule| json!({ "zh": rule.article.zh, "en": rule.article.en }));
    json!({
        "rule": finding.rule,
        "head": finding.head.name(),
        "outcome": finding.outcome.name(),
        "reason": finding.reason,
        "article": article,
        "words": {
            "zh": reason(finding, pack, Language::Zh),
            "en": reason(finding, pack, Language::En),
        },
    })
}

/// The proofs, as files that anyone verifies.
fn in_force(shown: &Shown) -> Value {
    json!({
        "confirmed": true,
        "epoch": shown.epoch.get(),
        "since": shown.since.get(),
        "until": shown.until.get(),
        "registered": hex::encode(&shown.registered),
        "standing": hex::encode(&shown.standing),
        "neighbour": hex::encode(&shown.neighbour),
    })
}
