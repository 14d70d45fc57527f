//! The document and the table of routes say the same, and so do the document and the answers.

use super::Served;
use super::fake::{account, client};
use crate::api::admission::Access;
use crate::api::chain::OPENAPI;
use crate::api::routes::table;
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

#[test]
fn every_route_stands_in_the_document_and_nothing_else_does() {
    let document = document();
    let documented: BTreeSet<(String, String)> = (document["paths"].as_object().unwrap().iter())
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(|m| (m.clone(), path.clone())))
        .collect();
    let served: BTreeSet<_> =
        table().iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(documented, served);
}

#[test]
fn the_document_names_the_access_and_the_parts_of_the_path() {
    let document = document();
    for route in table() {
        let operation = &document["paths"][route.path][route.method];
        let security = operation["security"].as_array().unwrap();
        let (open, token) = (serde_json::json!({}), serde_json::json!({ "token": [] }));
        let expected = match route.access {
            Access::Anyone => vec![open],
            Access::Reader => vec![open, token],
            Access::Writer => vec![token],
        };
        assert_eq!(*security, expected, "{}", route.path);
        let parts: BTreeSet<&str> =
            route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let empty = Vec::new();
        let named: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .unwrap_or(&empty)
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(parts, named, "{}", route.path);
    }
}

/// Checks an answer against a schema of the document: types, members, nothing more.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return check(document, &document["components"]["schemas"][name], value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        if !value.is_null() {
            check(document, &choices[0], value, at);
        }
        return;
    }
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::Array(types) => types.iter().any(|one| one == found),
        one => one == found,
    };
    assert!(allowed, "{at} is {found}, the document says {}", schema["type"]);
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is not in the document");
    }
    if let (Value::Array(items), false) = (value, schema["items"].is_null()) {
        items.iter().for_each(|item| check(document, &schema["items"], item, at));
    }
    let (Value::Object(members), Some(properties)) = (value, schema["properties"].as_object()) else {
        return;
    };
    for (name, member) in members {
        match properties.get(name) {
            Some(property) => check(document, property, member, &format!("{at}.{name}")),
            None => assert_eq!(schema["additionalProperties"], true, "{at}.{name} is not in the document"),
        }
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(members.contains_key(name.as_str().unwrap()), "{at} has no {name}");
    }
}

#[test]
fn every_answer_is_as_the_document_says() {
    let (document, served) = (document(), Served::new());
    let submitted = served.submit(&served.chain.transaction(1)).json();
    served.chain.close();
    let id = submitted["id"].as_str().unwrap();
    let client: String = client().as_str().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let account = account();
    let asked = [
        ("/v1/status", "/v1/status".to_owned()),
        ("/v1/genesis", "/v1/genesis".into()),
        ("/v1/transactions/{id}", format!("/v1/transactions/{id}")),
        ("/v1/blocks/{height}", "/v1/blocks/1".into()),
        ("/v1/headers/{height}", "/v1/headers/latest".into()),
        ("/v1/certificates/{height}", "/v1/certificates/0".into()),
        ("/v1/proofs/leaf/{index}", "/v1/proofs/leaf/0".into()),
        (
            "/v1/proofs/path/{namespace}/{path}",
            format!("/v1/proofs/path/anchor/{}0000000000000001", "08".repeat(32)),
        ),
        ("/v1/state/{key}", "/v1/state/01".into()),
        ("/v1/clients/{id}", format!("/v1/clients/{client}")),
        ("/v1/clients/{id}/states", format!("/v1/clients/{client}/states")),
        ("/v1/packets/{client}/{sequence}", format!("/v1/packets/{client}/1")),
        ("/v1/accounts/{id}", format!("/v1/accounts/{account}")),
        ("/v1/registry/{kind}/{name}", "/v1/registry/rule-pack/rules%2F1".into()),
        ("/v1/events", "/v1/events?from=1&limit=10".into()),
    ];
    for (path, concrete) in &asked {
        let answer = served.get(concrete);
        assert_eq!(answer.status, 200, "{concrete}: {}", String::from_utf8_lossy(&answer.body));
        let schema =
            &document["paths"][*path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        check(&document, schema, &answer.json(), path);
    }
    check(&document, &document["components"]["schemas"]["Submitted"], &submitted, "submitted");
    let problem = served.get("/v1/clients/client-9").json();
    check(&document, &document["components"]["schemas"]["Problem"], &problem, "problem");
    let bare = [
        "/v1/transactions",
        "/v1/transactions/batch",
        "/v1/stream/blocks",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi.json",
    ];
    let covered: BTreeSet<&str> = asked.iter().map(|(path, _)| *path).chain(bare).collect();
    assert_eq!(covered, table().iter().map(|route| route.path).collect());
}
