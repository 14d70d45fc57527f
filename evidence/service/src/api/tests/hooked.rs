//! Every way to ask for webhooks, for the test of the document.

use super::{Answer, World};
use serde_json::{Value, json};

pub(super) const HOOKS: &str = "/v1/webhooks";
pub(super) const HOOK: &str = "/v1/webhooks/{id}";
pub(super) const ENABLE: &str = "/v1/webhooks/{id}/enable";
const ATTEMPTS: &str = "/v1/webhooks/{id}/attempts";

/// What can be asked of a webhook that is there.
pub(super) fn of_hook(world: &World, token: &str, id: &str) -> Vec<(&'static str, &'static str, Answer)> {
    let at = |method: &str, rest: &str| world.by(token, method, &format!("{HOOKS}/{id}{rest}"), &Value::Null);
    vec![
        (HOOKS, "get", world.by(token, "GET", HOOKS, &Value::Null)),
        (HOOK, "get", at("GET", "")),
        (ENABLE, "post", at("POST", "/enable")),
        (ATTEMPTS, "get", at("GET", "/attempts")),
    ]
}

/// A request that registers one.
pub(super) fn hook(at: &str) -> Value {
    json!({ "url": format!("https://127.0.0.1:1/{at}"), "events": ["logged", "quarantine"] })
}

/// Registers webhooks in every way; the name of one.
pub(super) fn registered(world: &World, asked: &mut Vec<(&'static str, &'static str, Answer)>) -> String {
    let register = |token: &str, body: &Value| world.by(token, "POST", HOOKS, body);
    let first = register("party", &hook("one"));
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let private = json!({ "url": "https://10.0.0.1/", "events": ["logged"] });
    let refused = register("party", &private);
    assert_eq!(refused.json()["code"], 719, "a private address is not called");
    for answer in [
        first,
        refused,
        register("party", &hook("one")),
        register("party", &json!({ "url": "https://127.0.0.1:1/", "events": [] })),
        register("nobody", &hook("one")),
        register("judge", &hook("one")),
    ] {
        asked.push((HOOKS, "post", answer));
    }
    for at in 2..=8 {
        assert_eq!(register("party", &hook(&at.to_string())).status, 201);
    }
    asked.push((HOOKS, "post", register("party", &hook("nine"))));
    for token in ["party", "other", "nobody", "judge"] {
        asked.extend(of_hook(world, token, &id));
    }
    let other = asked.iter().rfind(|(path, _, answer)| *path == HOOK && answer.status == 404);
    assert!(other.is_some(), "another tenant's is not there");
    for (token, id) in [("party", "none"), ("nobody", &id), ("judge", &id)] {
        asked.push((HOOK, "delete", world.by(token, "DELETE", &format!("{HOOKS}/{id}"), &Value::Null)));
    }
    let gone = register("other", &hook("gone")).json()["id"].as_str().unwrap().to_owned();
    asked.push((HOOK, "delete", world.by("other", "DELETE", &format!("{HOOKS}/{gone}"), &Value::Null)));
    asked.push(("/v1/webhooks/key", "get", world.ask("GET", "/v1/webhooks/key", &[], b"")));
    id
}
