//! The report for programs: the same facts, English words, bytes as hexadecimal digits.

use super::{Shown, said, text};
use crate::output::Lang;
use crate::trust::view::{believed_until, made_by};
use crate::{clock, path_text, words};
use serde_json::{Value, json};
use zeugma_proof::{Committee, Endorsement, EraStanding, KeyOrigin, Member, Reliance};
use zeugma_types::Encode;

/// The whole report.
pub(super) fn of(shown: &Shown) -> Value {
    let (proven, file) = (&shown.proven, &shown.file);
    let (leaf, header) = (proven.leaf(), proven.header());
    let committee = text::committee(shown);
    json!({
        "verdict": "proven",
        "proof": shown.names.proof,
        "said": {
            "in_words": said::sentence(proven, Lang::En),
            "namespace": leaf.path.namespace().name(),
            "path": path_text::show(&leaf.path),
            "path_bytes": path_text::canonical(&leaf.path),
            "value": leaf.value.to_string(),
            "value_suite": leaf.format.suite().name(),
            "body": proven.body().map(|body| hex::encode(body.to_bytes())),
        },
        "logged": shown.logged.as_ref().map(|logged| json!({
            "file": logged.file,
            "sha256": hex::encode(logged.digest),
            "index": logged.index.get(),
            "tree_suite": logged.suite.name(),
        })),
        "network": leaf.network.to_string(),
        "era": proven.era().get(),
        "era_standing": match proven.era_standing() {
            EraStanding::Present => "present",
            EraStanding::Retired => "retired",
            EraStanding::Expired => "expired",
        },
        "height": leaf.height.get(),
        "time": clock::show(leaf.time),
        "time_ms": leaf.time.get(),
        "index": proven.index().get(),
        "tree_suite": proven.suite().name(),
        "header": {
            "height": header.height.get(),
            "time": clock::show(header.time),
            "time_ms": header.time.get(),
            "epoch": header.epoch.get(),
            "digest": header.digest().to_string(),
            "outbox_size": header.outbox.size.get(),
        },
        "endorsement": endorsement(&shown.proof.endorsement),
        "committee": people(committee),
        "trust": {
            "file": shown.names.trust,
            "fingerprint": hex::encode(file.fingerprint()),
            "words": words::of(&file.fingerprint()),
            "fingerprint_compared": shown.asked.fingerprint,
            "issued_at": clock::show(file.issued_at),
            "present_key_believed_until": believed_until(file).map(clock::show),
            "signed_by_its_institutions": file.verify(&file.institutions).is_ok(),
        },
        "judged_at": clock::show(shown.time),
        "judged_at_ms": shown.time.get(),
        "judged_as": match shown.reliance {
            Reliance::Court => "court",
            Reliance::Destination => "destination",
        },
        "path_compared": shown.asked.path,
        "value_compared": shown.asked.value,
        "warnings": text::warnings(shown, Lang::En),
        "not_shown": text::not_shown(shown, Lang::En),
    })
}

fn endorsement(endorsement: &Endorsement) -> Value {
    match endorsement {
        Endorsement::Certificate(certificate) => json!({
            "kind": "certificate",
            "epoch": certificate.epoch.get(),
            "view": certificate.view.get(),
            "signature": hex::encode(certificate.signature),
        }),
        Endorsement::Seal(seal) => json!({ "kind": "seal", "suite": seal.suite.name() }),
    }
}

fn people(committee: &Committee) -> Value {
    let person =
        |member: &Member| json!({ "name": member.name, "role": member.role, "key": hex::encode(member.key) });
    json!({
        "group_key": hex::encode(committee.group_key.as_bytes()),
        "key_made_by": made_by(committee.origin),
        "transcript": match committee.origin {
            KeyOrigin::Distributed { transcript } => Some(transcript.to_string()),
            KeyOrigin::InsecureDealer => None,
        },
        "quorum": text::quorum(committee).0,
        "members": committee.members().iter().map(person).collect::<Vec<_>>(),
    })
}
