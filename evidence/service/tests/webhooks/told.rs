//! What is told, to whom, and under which signature.

use crate::chain::Chain;
use crate::receiver::Receiver;
use crate::world::{self, Service, item};
use crate::{entries, holds, key, opened, register, settings, until};
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;
use zeugma_evidence_anchors::testkit::{Hosted, Manner, OpensslAuthority};
use zeugma_evidence_service::keys::Keys;
use zeugma_types::{Code, Encode as _};

#[test]
fn a_tenant_is_told_of_its_own_entries_once_they_are_logged_in_order_and_of_none_that_were_before() {
    let (folder, receiver) = (TempDir::new().unwrap(), Receiver::start());
    let service = Service::start(folder.path(), &settings(""));
    service.deposit("one", &[item(b"before", "1")]);
    assert_eq!(service.get("one", "/v1/entries/0/0?wait=10").json()["state"], "logged");
    let id = register(&service, "one", &receiver.url(), &["logged"]);
    let again = service.ask(
        "one",
        "POST",
        "/v1/webhooks",
        &json!({ "url": receiver.url(), "events": ["logged", "logged"] }),
    );
    assert_eq!((again.status, &again.json()["id"]), (200, &json!(id)), "the same one is registered once");

    // 600 of its own, between those of another: more than one delivery holds.
    for batch in 0..6_u32 {
        let items: Vec<_> = (0..100_u32).map(|n| item(&(batch * 100 + n).to_be_bytes(), "1")).collect();
        assert_eq!(service.deposit("one", &items).status, 201);
        service.deposit("two", &[item(&batch.to_be_bytes(), "2")]);
    }
    let key = key(&service);
    let told = until("all 600", || {
        let told = entries(&key, &receiver, "entries.logged");
        (told.len() >= 600).then_some(told)
    });
    let expected: Vec<u64> = (0..6).flat_map(|batch| 1 + batch * 101..1 + batch * 101 + 100).collect();
    assert_eq!(told, expected);
    for got in receiver.got() {
        let content = opened(&key, &got);
        assert_eq!(content["data"]["origin"], "log.example/one");
        assert!(content["data"]["entries"].as_array().unwrap().len() <= 256);
        let last = content["data"]["entries"].as_array().unwrap().last().unwrap().as_u64().unwrap();
        assert!(content["data"]["size"].as_u64().unwrap() > last, "{content}");
        assert_eq!(
            (got.head[":request"].as_str(), got.head["content-type"].as_str()),
            ("POST /told HTTP/1.1", "application/json")
        );
    }

    // Every part of what is signed counts.
    let got = receiver.got()[0].clone();
    let head = |name: &str| got.head[name].clone();
    let (own, at, signature) = (head("webhook-id"), head("webhook-timestamp"), head("webhook-signature"));
    assert!(holds(&key, &own, &at, &got.body, &signature));
    let mut altered = got.body.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert!(!holds(&key, &own, &at, &altered, &signature));
    assert!(!holds(&key, &format!("{own}0"), &at, &got.body, &signature));
    assert!(!holds(&key, &own, &format!("{at}0"), &got.body, &signature));

    // It is its tenant's alone.
    let foreign = |method: &str, rest: &str| {
        let answer = service.ask("two", method, &format!("/v1/webhooks/{id}{rest}"), &json!(null));
        (answer.status, answer.code())
    };
    for (method, rest) in [("GET", ""), ("DELETE", ""), ("GET", "/attempts"), ("POST", "/enable")] {
        assert_eq!(
            foreign(method, rest),
            (404, Some(u64::from(Code::NoSuchName.number()))),
            "{method} {rest}"
        );
    }
    assert_eq!(service.get("two", "/v1/webhooks").json(), json!({ "webhooks": [] }));

    // Taken away, it is called no more.
    assert_eq!(service.ask("one", "DELETE", &format!("/v1/webhooks/{id}"), &json!(null)).status, 204);
    let count = receiver.got().len();
    service.deposit("one", &[item(b"after", "1")]);
    service.get("one", "/v1/entries/0/607?wait=10");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(receiver.got().len(), count);
    service.end();
}

#[test]
fn what_the_chain_anchored_and_every_time_authority_stamped_is_told_with_their_times() {
    let (folder, receiver) = (TempDir::new().unwrap(), Receiver::start());
    let made = Arc::new(OpensslAuthority::new(&folder.path().join("tsa"), "tsa"));
    let hosted = Hosted::new(Arc::clone(&made), made, Manner::Honest);
    let account = Keys::open(&folder.path().join("keys.json")).unwrap().account;
    let chain = Chain::start(&account);
    let trust = folder.path().join("trust.zeugma");
    std::fs::write(&trust, chain.trust_file().to_bytes()).unwrap();
    let more = format!(
        "[chain]\nnode = \"{}\"\ntrust = {trust:?}\nanchor_seconds = 1\n[stamping]\nrest_seconds = 1\n\
         [[authority]]\ninstitution = \"institute\"\nurl = \"{}\"\nanchor = {:?}\n",
        chain.url(),
        hosted.url(),
        hosted.authority.root()
    );
    let service = Service::start(folder.path(), &settings(&more));
    register(&service, "one", &receiver.url(), &["anchored", "stamped"]);
    service.deposit("one", &[item(b"one", "1"), item(b"two", "1")]);
    let key = key(&service);
    let content = |kind: &str| {
        until(kind, || {
            let got = receiver.got();
            got.iter().map(|got| opened(&key, got)).find(|content| content["type"] == kind)
        })
    };
    let anchored = content("entries.anchored");
    let standing = service.get("one", "/v1/entries/0/0?wait=20&for=stamped").json();
    assert_eq!(anchored["data"]["entries"], json!([0, 1]));
    assert_eq!(anchored["data"]["anchored_at"], standing["anchored_at"]);
    assert_eq!(anchored["data"]["size"], standing["anchored_size"]);
    let stamped = content("entries.stamped");
    assert_eq!(stamped["data"]["entries"], json!([0, 1]));
    let stamps = stamped["data"]["stamps"].as_array().unwrap();
    assert_eq!((stamps.len(), &stamps[0]["institution"]), (1, &json!("institute")));
    assert_eq!(stamps[0]["stamped_at"], standing["stamps"][0]["stamped_at"]);
    assert!(entries(&key, &receiver, "entries.logged").is_empty(), "that was not asked for");
    service.end();
}

#[test]
fn a_role_that_does_not_deposit_registers_nothing() {
    let folder = TempDir::new().unwrap();
    let more = world::tenant("judge", "judge");
    let service = Service::start(folder.path(), &(settings("") + more.as_str()));
    let wanted = json!({ "url": "http://127.0.0.1:1/", "events": ["logged"] });
    for token in ["judge", "operator"] {
        let answer = service.ask(token, "POST", "/v1/webhooks", &wanted);
        assert_eq!((answer.status, answer.code()), (403, Some(u64::from(Code::WrongRole.number()))));
    }
    service.end();
}
