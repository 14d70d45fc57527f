//! The report over the API: by bundle, by digest and by file, the same bytes as the verifier's, and never of another's entry.

use super::{World, deposit};
use crate::api::verifying::{Held, shown};
use crate::audit::About;
use axum::http::HeaderMap;
use serde_json::Value;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::FileDigests;
use zeugma_evidence_verify::{Question, Subject, verify};
use zeugma_types::{BlockTime, Code};

const TIME: u64 = 1_800_000_000_000;

#[test]
fn by_bundle_by_digest_and_by_file_the_report_is_that_of_the_verifier() {
    let world = World::new();
    let entry = world.logged(b"one");
    let bundle = world.by("party", "GET", &format!("{entry}/bundle"), &Value::Null).body;
    let (trust, policy) = (world.api.trust.clone().unwrap(), world.api.desk.policy("operator"));
    let report = |content: Option<&[u8]>| {
        let subject = content.map_or(Subject::Nothing, Subject::File);
        let time = BlockTime::new(TIME);
        shown(&verify(&Question { bundle: &bundle, subject, trust: &trust, policy: &policy, time }).unwrap())
    };
    let digest = |content: &[u8]| hex::encode(sha256(&[content]));
    let post = |path: &str, body: &[u8]| {
        let answer = world.ask("POST", path, &[("Authorization", "Bearer party")], body);
        assert_eq!((answer.status, answer.kind.as_str()), (200, "application/json"));
        String::from_utf8(answer.body).unwrap()
    };
    assert_eq!(post(&format!("/v1/verify?time={TIME}"), &bundle), report(None));
    let with = |content: &[u8]| format!("/v1/verify?time={TIME}&sha256={}", digest(content));
    assert_eq!(post(&with(b"one"), &bundle), report(Some(b"one")));
    // Another file is told in the report, as the command tells it.
    let other = post(&with(b"another"), &bundle);
    assert_eq!(other, report(Some(b"another")));
    assert_ne!(other, report(Some(b"one")));
    let found = world.by("party", "GET", &with(b"one"), &Value::Null);
    assert_eq!(String::from_utf8(found.body).unwrap(), report(Some(b"one")));
    assert_eq!(post(&format!("/v1/verify/file?time={TIME}"), b"one"), report(Some(b"one")));
}

#[test]
fn a_file_of_any_length_is_hashed_as_it_comes_and_what_was_never_deposited_is_not_there() {
    let world = World::new();
    // Above the bound of a body, which holds for what is kept in memory.
    let long = vec![7; 3 * 1024 * 1024];
    world.logged(&long);
    let post = |token: &str, body: &[u8]| {
        let answer =
            world.ask("POST", "/v1/verify/file", &[("Authorization", &format!("Bearer {token}"))], body);
        (answer.status, answer.json()["code"].as_u64())
    };
    assert_eq!(post("party", &long).0, 200);
    let missing = Some(u64::from(Code::NoSuchEntry.number()));
    assert_eq!(post("party", b"never deposited"), (404, missing));
    assert_eq!(post("other", &long), (404, missing), "what is another's is not there");
    let before = world.api.desk.log().head().2;
    world.by("party", "POST", "/v1/deposits", &deposit(b"counted"));
    assert_eq!(world.api.desk.log().head().2.get(), before.get() + 1, "nothing was deposited by asking");
}

#[test]
fn without_a_trust_file_nothing_is_judged() {
    let world = World::new();
    let mut api = world.api.clone();
    api.trust = None;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer party".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let brought =
        |_| async { Ok((Held::Bundle { bytes: Vec::new().into(), _room: None }, FileDigests::default())) };
    let judged = runtime.block_on(api.judge(&headers, (About::Service, BlockTime::new(TIME)), brought));
    assert_eq!(judged.unwrap_err().0.code, Code::NoTrustFile);
}

#[test]
fn who_may_not_ask_is_told_before_what_he_sends_is_read_and_the_audit_log_is_told_of_who_did() {
    let world = World::new();
    world.logged(b"one");
    for (token, code) in [("nobody", 401), ("operator", 403)] {
        for path in ["/v1/verify", "/v1/verify/file"] {
            // A body of which nothing ever comes: the answer does not wait for it.
            let started = std::time::Instant::now();
            assert_eq!(super::openapi::unsent(&world, token, path), code, "{token} {path}");
            assert!(started.elapsed() < world.api.longest, "{token} {path}");
        }
    }
    let file = world.ask("POST", "/v1/verify/file", &[("Authorization", "Bearer party")], b"one");
    assert_eq!(file.status, 200);
    let acts = world.by("operator", "GET", "/v1/audit", &Value::Null).json();
    let verified: Vec<_> =
        acts["acts"].as_array().unwrap().iter().filter(|act| act["what"] == "verify").collect();
    let told: Vec<_> = verified
        .iter()
        .map(|act| (act["tenant"].as_str().unwrap(), act["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("four", "713 WrongRole"), ("four", "713 WrongRole"), ("one", "done")]);
}

#[test]
fn a_bundle_of_a_closed_shard_is_judged_under_the_policy_of_its_shard() {
    let world = World::new();
    let entry = world.logged(b"one");
    let rolled =
        world.by("operator", "POST", "/v1/shards", &serde_json::json!({ "origin": "log.example/two" }));
    assert_eq!(rolled.status, 201, "{}", String::from_utf8_lossy(&rolled.body));
    let bundle = world.by("party", "GET", &format!("{entry}/bundle"), &Value::Null).body;
    let ask = |path: &str| world.ask("POST", path, &[("Authorization", "Bearer party")], &bundle).json();
    let digest = hex::encode(sha256(&[b"one"]));
    let path = format!("/v1/verify?time={TIME}&sha256={digest}");
    let of_bundle = ask(&path);
    assert_eq!(of_bundle["integrity"], "proven", "{of_bundle:#}");
    assert_eq!(world.by("party", "GET", &path, &Value::Null).json()["integrity"], "proven");
}
