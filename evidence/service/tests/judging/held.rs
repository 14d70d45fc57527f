//! A mandatory pack: what it passes is logged, what it does not pass waits for a role, and without a verdict nothing happens.

use crate::world::*;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_verify::bundle::Receipt;
use zeugma_types::{Code, Decode as _};

fn tenants() -> String {
    let tenant = |name: &str, role: &str| {
        let digest = hex::encode(sha256(&[name.as_bytes()]));
        format!(
            "[[tenant]]\nname = \"{name}\"\npseudonym = \"{name}\"\nrole = \"{role}\"\ntoken_sha256 = \"{digest}\"\n"
        )
    };
    tenant("party", "party")
        + tenant("stranger", "party").as_str()
        + tenant("regulator", "regulator").as_str()
}

fn gated(folder: &Path, more: &str) -> Service {
    let extra = rules(more) + configured(folder, "needed = [\"legality\"]\n").as_str() + tenants().as_str();
    Service::start(config(folder, &extra))
}

fn denied(content: &[u8]) -> Value {
    item(content, &json!({ "declared.provenance.lawful": "false" }))
}

fn rule(service: &Service, case: &Value, what: &str) -> (u16, Value) {
    let path = format!("/v1/quarantine/{}/{what}", case["case"].as_str().unwrap());
    let (status, body) = service.ask_as("regulator", "POST", &path, &json!({ "words": "heard both sides" }));
    (status, serde_json::from_slice(&body).unwrap())
}

fn json_as(service: &Service, token: &str, path: &str) -> (u16, Value) {
    let (status, body) = service.ask_as(token, "GET", path, &Value::Null);
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[test]
fn what_the_pack_passes_is_logged_and_what_it_does_not_is_held_with_reasons_until_a_regulator_releases_it() {
    let folder = TempDir::new().unwrap();
    let service = gated(folder.path(), "");
    assert_eq!(service.deposit(&[lawful(b"fine")]).0, 201);

    // One record of two does not pass: the whole request is held, for it is logged as a whole or not at all.
    let both = [lawful(b"with it"), denied(b"doubtful")];
    let (status, case) = service.deposit(&both);
    assert_eq!((status, &case["state"]), (202, &json!("held")), "{case}");
    assert_eq!((&case["records"], &case["reasons"][0]["item"]), (&json!(2), &json!(1)));
    let finding = &case["reasons"][0]["findings"][0];
    assert_eq!(finding["words"]["en"], "the source a contract archive is declared unlawful");
    assert_eq!(finding["words"]["zh"], "声明来源 a contract archive 不合法");
    assert_eq!(service.get("/v1/status")["durable"], 1, "nothing of it is in the log");
    assert_eq!(service.deposit(&both).1["case"], case["case"], "the same deposit is the same case");
    assert_eq!(service.get("/v1/quarantine")["cases"].as_array().unwrap().len(), 1);

    // Seen by its tenant and by who rules; for anyone else it is not there.
    let path = format!("/v1/quarantine/{}", case["case"].as_str().unwrap());
    assert_eq!(json_as(&service, "regulator", &path), (200, case.clone()));
    let (status, problem) = json_as(&service, "stranger", &path);
    assert_eq!((status, problem["code"].as_u64()), (404, Some(u64::from(Code::NoSuchCase.number()))));
    assert_eq!(json_as(&service, "stranger", "/v1/quarantine").1["cases"], json!([]));
    let (status, _) = service.ask_as("party", "POST", &format!("{path}/release"), &json!({ "words": "x" }));
    assert_eq!(status, 403, "nobody rules on his own deposit");
    service.end();

    // Held through a restart.
    let service = gated(folder.path(), "");
    assert_eq!(json_as(&service, "regulator", &path).1, case);
    let (status, released) = rule(&service, &case, "release");
    assert_eq!(
        (status, &released["state"], &released["ruling"]["role"]),
        (200, &json!("released"), &json!("regulator"))
    );
    assert_eq!(released["entries"], json!([{ "shard": 0, "index": 1 }, { "shard": 0, "index": 2 }]));
    assert_eq!(rule(&service, &case, "release").1, released, "ruled once");
    let (status, problem) = rule(&service, &case, "reject");
    assert_eq!((status, problem["code"].as_u64()), (409, Some(u64::from(Code::CaseRuled.number()))));

    // The entry tells who released it, and the verdict that it did not pass stands beside it.
    let entry = service.judged(2);
    assert_eq!(entry["released"]["ruling"]["words"], "heard both sides", "{entry}");
    assert_eq!(entry["verdicts"][0]["heads"]["legality"], "not_met");
    assert_eq!(service.judged(0)["released"], Value::Null);
    // Deposited again it is known, though no pack passes it; its promise counts from the release.
    let (status, again) = service.deposit(&both);
    assert_eq!(
        (status, &again["items"][1]["known"], &again["items"][1]["index"]),
        (200, &json!(true), &json!(2))
    );
    let receipt = hex::decode(again["items"][1]["receipt"].as_str().unwrap()).unwrap();
    let receipt = Receipt::from_bytes(&receipt).unwrap();
    assert!(receipt.received_at.get() >= released["ruling"]["at"].as_u64().unwrap());
    assert!(case["received_at"].as_u64().unwrap() < receipt.received_at.get());
    service.end();
}

#[test]
fn what_is_rejected_stays_out_and_its_key_stands_for_it() {
    let folder = TempDir::new().unwrap();
    let service = gated(folder.path(), "");
    let keyed = |items: Value| {
        let body = json!({ "items": items });
        let (status, answer) =
            service.ask_with("party", "POST", "/v1/deposits", &[("idempotency-key", "k")], &body);
        (status, serde_json::from_slice::<Value>(&answer).unwrap())
    };
    let (status, case) = keyed(json!([denied(b"one")]));
    assert_eq!(status, 202);
    assert_eq!(keyed(json!([denied(b"one")])).1["case"], case["case"]);
    let (status, problem) = keyed(json!([lawful(b"two")]));
    assert_eq!((status, problem["code"].as_u64()), (409, Some(u64::from(Code::KeyReused.number()))));
    let (status, rejected) = rule(&service, &case, "reject");
    assert_eq!((status, &rejected["state"], &rejected["entries"]), (200, &json!("rejected"), &json!([])));
    let (status, problem) = keyed(json!([denied(b"one")]));
    assert_eq!(
        (status, problem["code"].as_u64()),
        (422, Some(u64::from(Code::QuarantineRejected.number()))),
        "{problem}"
    );
    assert!(problem["found"].as_str().unwrap().contains(case["case"].as_str().unwrap()));
    assert_eq!(service.get("/v1/status")["durable"], 0);
    let metrics = String::from_utf8(service.bytes("/metrics")).unwrap();
    assert!(metrics.contains("zeugma_evidence_quarantine_cases 0"), "{metrics}");
    service.end();
}

#[test]
fn a_worker_that_dies_answers_not_yet_and_nothing_is_accepted_held_or_lost() {
    let folder = TempDir::new().unwrap();
    let pack = configured(folder.path(), "needed = [\"legality\"]\n");
    let dead = "[rules]\nworker = [\"/bin/false\"]\n".to_owned() + pack.as_str() + tenants().as_str();
    let service = Service::start(config(folder.path(), &dead));
    let (status, problem) = service.deposit(&[lawful(b"one")]);
    assert_eq!(
        (status, problem["code"].as_u64()),
        (503, Some(u64::from(Code::NoVerdict.number()))),
        "{problem}"
    );
    assert_eq!(service.get("/v1/status")["durable"], 0);
    assert_eq!(service.get("/v1/quarantine")["cases"], json!([]));
    service.end();

    let service = gated(folder.path(), "");
    assert_eq!(service.deposit(&[lawful(b"one")]).0, 201, "made again, it is judged and logged");
    service.end();
}
