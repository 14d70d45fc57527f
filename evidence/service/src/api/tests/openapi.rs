//! The document and the table of routes say the same, and so do the document and every answer, each refusal included.

use super::super::problem::Problem;
use super::super::routes::{OPENAPI, Reach, table};
use super::disk::Fault;
use super::hooked::{ENABLE, HOOK, HOOKS, hook, of_hook, registered};
use super::{Answer, World, deposit};
use crate::quota::Cost;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use zeugma_crypto::hash::sha256;
use zeugma_types::{Code, Refusal};

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

/// A path of the table as the document writes it: OpenAPI has no parameter that spans slashes.
fn written(path: &str) -> String {
    path.replace("{*", "{")
}

#[test]
fn every_route_stands_in_the_document_and_nothing_else_does() {
    let document = document();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            documented.insert((method.clone(), path.clone()));
        }
    }
    let served: BTreeSet<_> =
        table().iter().map(|route| (route.method.to_owned(), written(route.path))).collect();
    assert_eq!(documented, served);
    for route in table() {
        let item = &document["paths"][written(route.path)];
        let open = item[route.method]["security"].as_array().unwrap().is_empty();
        assert_eq!(open, route.reach != Reach::Tenant, "{}", route.path);
        let parts: BTreeSet<String> = (route.path.split('/'))
            .filter_map(|part| Some(written(part).strip_prefix('{')?.strip_suffix('}')?.to_owned()))
            .collect();
        let named = |parameter: &Value| resolved(&document, parameter)["name"].as_str().unwrap().to_owned();
        let named: BTreeSet<String> =
            item["parameters"].as_array().into_iter().flatten().map(named).collect();
        assert_eq!(parts, named, "{}", route.path);
    }
}

/// What a reference of the document leads to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(to) = value["$ref"].as_str() else { return value };
    document.pointer(to.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{to} leads nowhere"))
}

/// Judges `value` by the schema at a place of the document, under JSON Schema 2020-12.
fn judge(document: &Value, schema: &Value, value: &Value, at: &str) {
    let mut root = document.clone();
    let members = root.as_object_mut().unwrap();
    members.insert("judged".into(), schema.clone());
    members.insert("$ref".into(), json!("#/judged"));
    let validator = jsonschema::draft202012::options().build(&root).unwrap();
    let broken: Vec<String> =
        (validator.iter_errors(value)).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(broken.is_empty(), "{at}: {broken:#?}\n{value:#}");
}

/// Judges an answer to an operation by what the document says of its status.
fn judged(document: &Value, path: &str, method: &str, answer: &Answer) -> String {
    let at = format!("{method} {path} {}", answer.status);
    let responses = &document["paths"][path][method]["responses"];
    let exact = answer.status.to_string();
    let key = match responses.get(&exact) {
        Some(_) => exact,
        None => format!("{}XX", answer.status / 100),
    };
    let shown = String::from_utf8_lossy(&answer.body);
    assert!(responses.get(&key).is_some(), "{at} is not in the document: {shown}");
    let response = resolved(document, &responses[&key]);
    match response["content"].as_object() {
        None => assert!(answer.body.is_empty(), "{at}: {shown}"),
        Some(content) => {
            let kind = answer.kind.split(';').next().unwrap();
            let content = content.get(kind).unwrap_or_else(|| panic!("{at}: {kind}"));
            if kind.ends_with("json") {
                judge(document, &content["schema"], &answer.json(), &at);
            }
        }
    }
    for name in response["headers"].as_object().into_iter().flat_map(|heads| heads.keys()) {
        assert!(answer.header(name).is_some(), "{at} has no {name}");
    }
    if answer.status >= 400 {
        assert_eq!(answer.json()["status"], answer.status, "{at}");
    }
    key
}

/// A request whose body never comes to its end.
fn slow(world: &World, path: &str) -> Answer {
    let mut stream = TcpStream::connect(world.address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer party\r\nconnection: close\r\ncontent-length: 900\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let kind = head.to_lowercase().split_once("content-type: ").unwrap().1.lines().next().unwrap().to_owned();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        kind,
        head: ureq::http::HeaderMap::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// The status of a request whose body never begins.
pub(super) fn unsent(world: &World, token: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(world.address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\ncontent-length: 900\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Bytes, posted by the holder of a token.
fn posted(world: &World, token: &str, path: &str, body: &[u8]) -> Answer {
    world.ask("POST", path, &[("Authorization", &format!("Bearer {token}"))], body)
}

/// The question for the report of content, by its digest.
fn by_digest(content: &[u8]) -> String {
    format!("/v1/verify?sha256={}", hex::encode(sha256(&[content])))
}

/// Every way to ask for a report, and every way in which it is refused.
fn verified(world: &World, entry: &str) -> Vec<(&'static str, &'static str, Answer)> {
    let bundle = world.by("party", "GET", &format!("{entry}/bundle"), &Value::Null).body;
    let mut flipped = bundle.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let long = vec![0; 1024 * 1024 + 1];
    let mut answers = Vec::new();
    for (token, path, body) in [
        ("party", "/v1/verify", &bundle),
        ("party", "/v1/verify?sha256=zz", &bundle),
        ("nobody", "/v1/verify", &bundle),
        ("operator", "/v1/verify", &bundle),
        ("party", "/v1/verify", &long),
        ("party", "/v1/verify", &flipped),
    ] {
        answers.push(("/v1/verify", "post", posted(world, token, path, body)));
    }
    answers.push(("/v1/verify", "post", slow(world, "/v1/verify")));
    for (token, path) in [
        ("party", by_digest(b"one")),
        ("party", "/v1/verify".to_owned()),
        ("nobody", by_digest(b"one")),
        ("operator", by_digest(b"one")),
        ("other", by_digest(b"one")),
    ] {
        answers.push(("/v1/verify", "get", world.by(token, "GET", &path, &Value::Null)));
    }
    for (token, path) in [
        ("party", "/v1/verify/file"),
        ("party", "/v1/verify/file?sha256=00"),
        ("nobody", "/v1/verify/file"),
        ("operator", "/v1/verify/file"),
        ("other", "/v1/verify/file"),
    ] {
        answers.push(("/v1/verify/file", "post", posted(world, token, path, b"one")));
    }
    answers.push(("/v1/verify/file", "post", slow(world, "/v1/verify/file")));
    answers
}

#[test]
fn every_operation_answers_as_the_document_says_and_every_documented_refusal_happens() {
    let (document, world) = (document(), World::new());
    let entry = world.logged(b"one");
    world.logged(b"two");
    let gone = world.logged(b"three");
    assert_eq!(world.by("party", "DELETE", &gone, &Value::Null).status, 204);
    world.until_ready(true);
    let null = Value::Null;
    let weak = |name: &str| json!({ "items": [{ "digests": { name: "00".repeat(20) }, "media_type": "x", "size": 1 }]});
    let keyed = |body: Value| {
        let heads = [("Authorization", "Bearer party"), ("Idempotency-Key", "k")];
        world.ask("POST", "/v1/deposits", &heads, body.to_string().as_bytes())
    };
    keyed(deposit(b"first"));
    let deposits = |token: &str, body: Value| world.by(token, "POST", "/v1/deposits", &body);
    let of_entry = "/v1/entries/{shard}/{index}";
    let mut asked: Vec<(&str, &str, Answer)> = vec![
        ("/v1/deposits", "post", deposits("party", deposit(b"one"))),
        ("/v1/deposits", "post", deposits("party", deposit(b"new"))),
        ("/v1/deposits", "post", deposits("party", json!({ "items": 7 }))),
        ("/v1/deposits", "post", deposits("nobody", deposit(b"one"))),
        ("/v1/deposits", "post", deposits("judge", deposit(b"one"))),
        ("/v1/deposits", "post", slow(&world, "/v1/deposits")),
        ("/v1/deposits", "post", keyed(deposit(b"second"))),
        ("/v1/deposits", "post", deposits("party", json!("x".repeat(1024 * 1024)))),
        ("/v1/deposits", "post", deposits("party", weak("sha-1"))),
        ("/v1/policy", "get", world.ask("GET", "/v1/policy", &[], b"")),
        ("/v1/policy", "get", world.ask("GET", "/v1/policy?shard=9", &[], b"")),
        ("/v1/policy", "get", world.ask("GET", "/v1/policy?shard=x", &[], b"")),
        ("/v1/status", "get", world.ask("GET", "/v1/status", &[], b"")),
        ("/openapi.json", "get", world.ask("GET", "/openapi.json", &[], b"")),
        ("/metrics", "get", world.ask("GET", "/metrics", &[], b"")),
        ("/healthz", "get", world.ask("GET", "/healthz", &[], b"")),
        ("/readyz", "get", world.ask("GET", "/readyz", &[], b"")),
    ];
    for path in ["/log/0/checkpoint", "/log/0/sm3/checkpoint", "/log/0/tile/entries/000.p/3", "/log/0/tile/x"]
        .into_iter()
        .chain(["/log/z/checkpoint", "/log/0/tile/0/007", "/log/9/checkpoint"])
    {
        asked.push(("/log/{shard}/{path}", "get", world.ask("GET", path, &[], b"")));
    }
    for (method, of) in [
        ("get", ""),
        ("get", "/receipt"),
        ("get", "/bundle"),
        ("get", "/history"),
        ("get", "/proof"),
        ("delete", ""),
    ] {
        let path = match of {
            "" => of_entry,
            "/receipt" => "/v1/entries/{shard}/{index}/receipt",
            "/history" => "/v1/entries/{shard}/{index}/history",
            "/proof" => "/v1/entries/{shard}/{index}/proof",
            _ => "/v1/entries/{shard}/{index}/bundle",
        };
        let verb = method.to_uppercase();
        let at = |token: &str, entry: &str| world.by(token, &verb, &format!("{entry}{of}"), &null);
        for answer in [
            at("party", "/v1/entries/0/one"),
            at("nobody", &entry),
            at("operator", &entry),
            at("other", &entry),
            at("party", &gone),
            at("party", if method == "delete" { "/v1/entries/0/1" } else { &entry }),
        ] {
            asked.push((path, method, answer));
        }
    }
    asked.push((of_entry, "get", world.by("party", "GET", &format!("{entry}?wait=x"), &null)));
    let (released, rejected, kept) =
        (world.hold(b"held one"), world.hold(b"held two"), world.hold(b"held three"));
    asked.push(("/v1/deposits", "post", deposits("party", deposit(b"held three"))));
    let (cases, case) = ("/v1/quarantine", "/v1/quarantine/{case}");
    let words = json!({ "words": "for the record" });
    for token in ["party", "regulator", "nobody", "operator"] {
        asked.push((cases, "get", world.by(token, "GET", cases, &null)));
        asked.push((case, "get", world.by(token, "GET", &format!("{cases}/{kept}"), &null)));
    }
    asked.push((case, "get", world.by("other", "GET", &format!("{cases}/{kept}"), &null)));
    let rule = |token: &str, id: &str, what: &str, body: &Value| {
        let path = format!("{cases}/{id}/{what}");
        world.by(token, "POST", &path, body)
    };
    for (what, id, path, turned) in [
        ("release", &released, "/v1/quarantine/{case}/release", "reject"),
        ("reject", &rejected, "/v1/quarantine/{case}/reject", "release"),
    ] {
        asked.push((path, "post", rule("regulator", id, what, &json!({ "words": "" }))));
        asked.push((path, "post", rule("nobody", id, what, &words)));
        asked.push((path, "post", rule("party", id, what, &words)));
        asked.push((path, "post", rule("regulator", &"0".repeat(32), what, &words)));
        let done = rule("regulator", id, what, &words);
        assert_eq!(done.status, 200, "{}", done.json());
        asked.push((path, "post", done));
        let other =
            if turned == "reject" { "/v1/quarantine/{case}/reject" } else { "/v1/quarantine/{case}/release" };
        asked.push((other, "post", rule("regulator", id, turned, &words)));
    }
    for (token, query) in [("party", ""), ("party", "?limit=1"), ("party", "?digest=z"), ("party", "?x=1")]
        .into_iter()
        .chain([("party", "?cursor=00"), ("nobody", ""), ("operator", "")])
    {
        asked.push(("/v1/search", "get", world.by(token, "GET", &format!("/v1/search{query}"), &null)));
    }
    world.api.audit.desk().publish().unwrap();
    for (token, query) in [("operator", ""), ("operator", "?from=x"), ("nobody", ""), ("party", "")] {
        asked.push(("/v1/audit", "get", world.by(token, "GET", &format!("/v1/audit{query}"), &null)));
    }
    for (token, act) in
        [("operator", "0/0"), ("operator", "0/x"), ("operator", "0/999"), ("nobody", "0/0"), ("party", "0/0")]
    {
        let answer = world.by(token, "GET", &format!("/v1/audit/{act}/bundle"), &null);
        asked.push(("/v1/audit/{shard}/{index}/bundle", "get", answer));
    }
    asked.push(("/v1/audit/policy", "get", world.ask("GET", "/v1/audit/policy", &[], b"")));
    for path in ["/audit/0/checkpoint", "/audit/0/tile/x", "/audit/0/tile/0/007"] {
        asked.push(("/audit/{shard}/{path}", "get", world.ask("GET", path, &[], b"")));
    }
    asked.extend(verified(&world, &entry));
    let hooked = registered(&world, &mut asked);
    let id = world.token();
    for token in ["operator", "nobody", "party"] {
        for path in ["/v1/tenants", "/v1/tokens"] {
            asked.push((path, "get", world.by(token, "GET", path, &null)));
        }
        let revoked = world.by(token, "DELETE", &format!("/v1/tokens/{id}"), &null);
        asked.push(("/v1/tokens/{id}", "delete", revoked));
    }
    asked.push(("/v1/tokens/{id}", "delete", world.by("operator", "DELETE", "/v1/tokens/none", &null)));

    let backup = json!({ "folder": world.folder.path().join("backups/one") });
    let operate = |token: &str, path: &str, body: &Value| world.by(token, "POST", path, body);
    for (path, done, refused) in [
        ("/v1/backups", &backup, &json!({ "folder": "/elsewhere" })),
        ("/v1/shards", &json!({ "origin": "log.example/two" }), &json!({ "origin": "log.example/one" })),
    ] {
        for (token, body) in [
            ("operator", done),
            ("operator", refused),
            ("operator", &json!(7)),
            ("nobody", done),
            ("party", done),
        ] {
            asked.push((path, "post", operate(token, path, body)));
        }
    }

    // Whatever blocks says when to come back, once no place is free, and tells of the disk once that is broken.
    let again = json!({ "folder": world.folder.path().join("backups/two") });
    let blocking = || {
        let at = |token: &str, method: &str, path: &str| world.by(token, method, path, &null);
        vec![
            ("/v1/deposits", "post", deposits("party", deposit(b"newer"))),
            (of_entry, "get", at("party", "GET", &entry)),
            (of_entry, "delete", at("party", "DELETE", &entry)),
            ("/v1/entries/{shard}/{index}/receipt", "get", at("party", "GET", &format!("{entry}/receipt"))),
            ("/v1/entries/{shard}/{index}/bundle", "get", at("party", "GET", &format!("{entry}/bundle"))),
            ("/v1/entries/{shard}/{index}/history", "get", at("party", "GET", &format!("{entry}/history"))),
            ("/v1/entries/{shard}/{index}/proof", "get", at("party", "GET", &format!("{entry}/proof"))),
            ("/v1/verify", "get", at("party", "GET", &by_digest(b"one"))),
            ("/v1/verify", "post", posted(&world, "party", "/v1/verify", b"x")),
            ("/v1/verify/file", "post", posted(&world, "party", "/v1/verify/file", b"one")),
            ("/v1/search", "get", at("party", "GET", "/v1/search")),
            ("/v1/audit", "get", at("operator", "GET", "/v1/audit")),
            ("/v1/audit/{shard}/{index}/bundle", "get", at("operator", "GET", "/v1/audit/0/0/bundle")),
            ("/log/{shard}/{path}", "get", world.ask("GET", "/log/0/tile/entries/000.p/2", &[], b"")),
            (cases, "get", at("regulator", "GET", cases)),
            (case, "get", at("regulator", "GET", &format!("{cases}/{kept}"))),
            ("/v1/quarantine/{case}/release", "post", rule("regulator", &kept, "release", &words)),
            ("/v1/quarantine/{case}/reject", "post", rule("regulator", &kept, "reject", &words)),
            ("/audit/{shard}/{path}", "get", world.ask("GET", "/audit/0/tile/entries/000.p/2", &[], b"")),
            (HOOKS, "post", world.by("other", "POST", HOOKS, &hook("ten"))),
            (ENABLE, "post", at("party", "POST", &format!("{HOOKS}/{hooked}/enable"))),
            (HOOK, "delete", at("party", "DELETE", &format!("{HOOKS}/{hooked}"))),
            ("/v1/backups", "post", operate("operator", "/v1/backups", &again)),
            ("/v1/shards", "post", operate("operator", "/v1/shards", &json!({ "origin": "log.example/x" }))),
        ]
    };
    let places = world.api.places.clone();
    let held = places.try_acquire_many(8).unwrap();
    let tile = || world.ask("GET", "/log/0/tile/entries/000.p/2", &[], b"");
    assert_eq!(tile().status, 200, "who reads the log takes no place of who deposits, and needs none");
    let readers = world.api.readers.clone();
    let read = readers.try_acquire_many(4).unwrap();
    asked.extend(blocking());
    // In debt for a thousand seconds.
    world.api.quota.owe("spent", Cost { requests: 1_000, ..Cost::default() });
    for path in ["/v1/tenants", "/v1/tokens"] {
        asked.push((path, "get", world.by("spent", "GET", path, &null)));
    }
    let revoked = world.by("operator", "DELETE", &format!("/v1/tokens/{id}"), &null);
    asked.push(("/v1/tokens/{id}", "delete", revoked));
    asked.extend(of_hook(&world, "spent", &hooked));
    drop((held, read));
    world.disk.turn(Fault::Broken);
    world.until_ready(false);
    asked.extend(blocking());
    asked.push(("/readyz", "get", world.ask("GET", "/readyz", &[], b"")));
    // What cannot be told to the audit log is not answered.
    asked.extend(of_hook(&world, "party", &hooked));
    for path in ["/v1/tenants", "/v1/tokens"] {
        asked.push((path, "get", world.by("operator", "GET", path, &null)));
    }
    let revoked = world.by("operator", "DELETE", &format!("/v1/tokens/{id}"), &null);
    asked.push(("/v1/tokens/{id}", "delete", revoked));

    let mut seen = BTreeSet::new();
    for (path, method, answer) in &asked {
        let key = judged(&document, path, method, answer);
        seen.insert(((*path).to_owned(), (*method).to_owned(), key));
    }
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            for status in operation["responses"].as_object().unwrap().keys() {
                documented.insert((path.clone(), method.clone(), status.clone()));
            }
        }
    }
    assert_eq!(documented.difference(&seen).collect::<Vec<_>>(), Vec::<&_>::new(), "documented, never asked");
}

#[test]
fn every_code_there_is_becomes_a_problem_of_the_documented_form() {
    let document = document();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    for code in Code::ALL {
        for refusal in [Refusal::new(*code), Refusal::new(*code).needed(7_u64).found("eight")] {
            let response = Problem(refusal).into_response();
            let status = response.status();
            let body = runtime.block_on(axum::body::to_bytes(response.into_body(), 4096)).unwrap();
            let value: Value = serde_json::from_slice(&body).unwrap();
            judge(&document, &schema, &value, code.name());
            assert_eq!(
                (value["code"].as_u64(), value["status"].as_u64()),
                (Some(u64::from(code.number())), Some(u64::from(status.as_u16())))
            );
        }
    }
}

#[test]
fn what_is_sent_is_as_the_document_says_too() {
    let document = document();
    let schema =
        &document["paths"]["/v1/deposits"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    judge(&document, schema, &deposit(b"one"), "a deposit");
    for schema in document["components"]["schemas"].as_object().unwrap().values() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema:#}");
    }
}

#[test]
#[should_panic(expected = "extra")]
fn a_member_that_the_document_does_not_have_is_found() {
    let (document, world) = (document(), World::new());
    let mut answer = world.ask("GET", "/v1/status", &[], b"");
    let mut value = answer.json();
    value["extra"] = json!(1);
    answer.body = value.to_string().into_bytes();
    judged(&document, "/v1/status", "get", &answer);
}
