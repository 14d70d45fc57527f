//! Webhooks of a running service, at a receiver that answers, fails, stalls, sends elsewhere, and is killed.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod addresses;
#[allow(dead_code, reason = "another test asks more of it")]
#[path = "../common/certified.rs"]
mod certified;
#[allow(dead_code, reason = "another test asks more of it")]
#[path = "../common/chain.rs"]
mod chain;
mod failing;
mod receiver;
mod told;
#[path = "../access/world.rs"]
mod world;

use receiver::{Got, Receiver};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use world::Service;
use zeugma_crypto::ed25519::{PublicKey, Rule};

/// Two parties and an operator, receivers on loopback over plain HTTP, and these lines.
fn settings(more: &str) -> String {
    let tenants = ["one", "two"].map(|name| world::tenant(name, "party")).concat();
    let operator = world::tenant("operator", "operator");
    format!("[webhooks]\nallow = [\"127.0.0.0/8\"]\nplain_http = true\n{more}\n{tenants}{operator}")
}

/// Registers a webhook; its name.
fn register(service: &Service, token: &str, url: &str, events: &[&str]) -> String {
    let answer = service.ask(token, "POST", "/v1/webhooks", &json!({ "url": url, "events": events }));
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(40);
    while Instant::now() < end {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came: {what}");
}

/// The key that the service says it signs with.
fn key(service: &Service) -> PublicKey {
    let said = service.get("nobody", "/v1/webhooks/key").json();
    let mut bytes = [0; 32];
    hex::decode_to_slice(said["hex"].as_str().unwrap(), &mut bytes).unwrap();
    PublicKey::parse_strict(&bytes).unwrap()
}

/// Whether the signature of a call holds for what it is over, put together here.
fn holds(key: &PublicKey, id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let Some(text) = signature.strip_prefix("v1a,") else { return false };
    let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let bytes: [u8; 64] = receiver::base64(text).try_into().unwrap();
    key.verify(Rule::Strict, &signed, &bytes).is_ok()
}

/// The content of a call whose signature holds.
fn opened(key: &PublicKey, got: &Got) -> Value {
    let head = |name: &str| got.head[name].as_str();
    let (id, at, signature) = (head("webhook-id"), head("webhook-timestamp"), head("webhook-signature"));
    assert!(holds(key, id, at, &got.body, signature), "{got:?}");
    serde_json::from_slice(&got.body).unwrap()
}

/// The entries that calls of this type told of, in the order in which they came, those that came again left out.
fn entries(key: &PublicKey, receiver: &Receiver, kind: &str) -> Vec<u64> {
    let mut seen = std::collections::BTreeSet::new();
    let mut told = Vec::new();
    for got in receiver.got() {
        let content = opened(key, &got);
        if content["type"] == kind && got.answered && seen.insert(got.head["webhook-id"].clone()) {
            told.extend(
                content["data"]["entries"].as_array().unwrap().iter().map(|one| one.as_u64().unwrap()),
            );
        }
    }
    told
}
