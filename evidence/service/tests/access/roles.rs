//! Roles and tokens.

use crate::world::{Answer, Service, item, tenant};
use serde_json::{Value, json};
use tempfile::TempDir;
use zeugma_evidence_service::access::{Grant, Role, TokenFile};
use zeugma_types::{BlockTime, Code};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/evidence-service.md");

const RELEASE: &str = "/v1/quarantine/00000000000000000000000000000000/release";
const REJECT: &str = "/v1/quarantine/00000000000000000000000000000000/reject";

/// The requests of an action, as `(method, path, body, status when allowed)`. `{n}` is an entry of the tenant's own.
fn requests(action: &str) -> Vec<(&'static str, &'static str, Value, u16)> {
    let entry = "/v1/entries/0/{n}";
    match action {
        "deposit" => {
            vec![("POST", "/v1/deposits", json!({ "items": [item(b"a deposit of the table", "1")] }), 201)]
        }
        "read" => vec![
            ("GET", entry, Value::Null, 200),
            ("GET", "/v1/entries/0/{n}/receipt", Value::Null, 200),
            ("GET", "/v1/entries/0/{n}/history", Value::Null, 200),
            ("GET", "/v1/entries/0/{n}/bundle", Value::Null, 200),
            ("GET", "/v1/entries/0/{n}/proof", Value::Null, 200),
            // Without a trust file: who may not read does not even hear that.
            (
                "GET",
                "/v1/verify?sha256=0000000000000000000000000000000000000000000000000000000000000000",
                Value::Null,
                503,
            ),
            ("POST", "/v1/verify", Value::Null, 503),
            ("POST", "/v1/verify/file", Value::Null, 503),
        ],
        "search" => vec![("GET", "/v1/search", Value::Null, 200)],
        "erase" => vec![("DELETE", entry, Value::Null, 204)],
        "watch" => vec![("GET", "/v1/tenants", Value::Null, 200)],
        "tokens" => {
            vec![("GET", "/v1/tokens", Value::Null, 200), ("DELETE", "/v1/tokens/{token}", Value::Null, 200)]
        }
        "audit" => {
            vec![("GET", "/v1/audit", Value::Null, 200), ("GET", "/v1/audit/0/0/bundle", Value::Null, 200)]
        }
        "operate" => {
            // A name of its own for each: an origin is a log's once.
            vec![
                ("POST", "/v1/backups", json!({ "folder": "{backup}" }), 201),
                ("POST", "/v1/shards", json!({ "origin": "log.example/{n}" }), 201),
            ]
        }
        "rule" => {
            // No such case: who may not rule does not even hear that.
            vec![
                ("POST", RELEASE, json!({ "words": "x" }), 404),
                ("POST", REJECT, json!({ "words": "x" }), 404),
            ]
        }
        "webhooks" => {
            let wanted = json!({ "url": "https://127.0.0.1:1/{n}", "events": ["logged"] });
            vec![
                ("POST", "/v1/webhooks", wanted, 201),
                ("GET", "/v1/webhooks", Value::Null, 200),
                ("GET", "/v1/webhooks/none", Value::Null, 404),
                ("GET", "/v1/webhooks/none/attempts", Value::Null, 404),
                ("POST", "/v1/webhooks/none/enable", Value::Null, 404),
                ("DELETE", "/v1/webhooks/none", Value::Null, 404),
            ]
        }
        other => panic!("the page has an action {other} that this test does not ask"),
    }
}

/// The table of the page: actions, each with yes or no for each role.
fn table() -> (Vec<String>, Vec<(String, Vec<bool>)>) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = page.lines().skip_while(|line| !line.starts_with("| action |"));
    let roles = cells(lines.next().unwrap())[1..].to_vec();
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(|line| {
        let cells = cells(line);
        let allowed = cells[1..].iter().map(|cell| match cell.as_str() {
            "yes" => true,
            "no" => false,
            other => panic!("{other} is neither yes nor no"),
        });
        (cells[0].clone(), allowed.collect())
    });
    (roles, rows.collect())
}

pub(crate) fn add(folder: &TempDir, tenant: &str, role: Role) -> String {
    let (made_at, pseudonym) = (BlockTime::new(1), format!("{tenant} {}", role.name()));
    let grant = Grant { tenant: tenant.to_owned(), pseudonym, role, made_at, expires_at: None };
    TokenFile::in_folder(folder.path()).add(grant).unwrap().token
}

pub(crate) fn problem(answer: &Answer, status: u16, code: Code) {
    let found = (answer.status, answer.media_type.as_str(), answer.code());
    assert_eq!(
        found,
        (status, "application/problem+json", Some(u64::from(code.number()))),
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

#[test]
fn every_cell_of_the_table_of_roles_and_actions_is_as_the_page_says() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), "[webhooks]\nallow = [\"127.0.0.0/8\"]\n");
    let (roles, rows) = table();
    // Until an act is logged, nothing shows it.
    let operator = add(&folder, "the operator", Role::Operator);
    while service.get(&operator, "/v1/audit/0/0/bundle").status != 200 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(roles, Role::ALL.map(Role::name), "the page names every role");
    let actions: Vec<_> =
        zeugma_evidence_service::access::TABLE.iter().map(|(action, _)| action.name()).collect();
    assert_eq!(rows.iter().map(|(action, _)| action.as_str()).collect::<Vec<_>>(), actions);

    let (mut allowed, mut refused) = (0, 0);
    for (at, role) in Role::ALL.into_iter().enumerate() {
        for (action, cells) in &rows {
            // A tenant for each cell, so that no cell sees what another did.
            let name = format!("{action} {}", role.name());
            let (own, token) = (add(&folder, &name, Role::Party), add(&folder, &name, role));
            let first = service.deposit(&own, &[item(name.as_bytes(), "1")]);
            let index = first.json()["items"][0]["index"].as_u64().unwrap();
            service.get(&own, &format!("/v1/entries/0/{index}?wait=10"));
            let foreign = add(&folder, "a stranger", role);
            for (method, path, body, status) in requests(action) {
                let other = TokenFile::in_folder(folder.path()).rows().unwrap()[0].id.clone();
                let path = path.replace("{n}", &index.to_string()).replace("{token}", &other);
                let backup = folder.path().join("backups/one").display().to_string();
                let body = body.to_string().replace("{n}", &index.to_string()).replace("{backup}", &backup);
                let body: Value = serde_json::from_str(&body).unwrap();
                if path.contains("/entries/") {
                    let answer = service.ask(&foreign, method, &path, &body);
                    match cells[at] {
                        true => problem(&answer, 404, Code::NoSuchEntry),
                        false => problem(&answer, 403, Code::WrongRole),
                    }
                }
                let answer = service.ask(&token, method, &path, &body);
                if cells[at] {
                    assert_eq!(answer.status, status, "{name}: {method} {path}");
                    allowed += 1;
                } else {
                    problem(&answer, 403, Code::WrongRole);
                    refused += 1;
                }
                problem(&service.ask("no token", method, &path, &body), 401, Code::UnknownToken);
            }
        }
    }
    assert!(allowed > 15 && refused > 15, "{allowed} allowed, {refused} refused");
    service.end();
}

#[test]
fn what_another_tenant_deposited_is_answered_to_the_byte_as_what_is_not_there() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &(tenant("one", "party") + tenant("two", "party").as_str()));
    let items: Vec<_> = (0..34_u8).map(|n| item(&[n], "1")).collect();
    assert_eq!(service.deposit("one", &items).status, 201);
    assert_eq!(service.ask("one", "DELETE", "/v1/entries/0/22", &Value::Null).status, 204);
    problem(&service.get("one", "/v1/entries/0/22"), 410, Code::RecordErased);
    let rests = [
        ("GET", ""),
        ("GET", "/receipt"),
        ("GET", "/bundle"),
        ("GET", "/proof"),
        ("GET", "/history"),
        ("DELETE", ""),
    ];
    for (method, rest) in rests {
        // The number that was asked for stands in the answer; of the rest no byte tells one from the other.
        let ask = |index: &str| {
            let answer = service.ask("two", method, &format!("/v1/entries/0/{index}{rest}"), &Value::Null);
            problem(&answer, 404, Code::NoSuchEntry);
            String::from_utf8(answer.body).unwrap().replace(index, "N")
        };
        assert_eq!(ask("33"), ask("77"), "{method} {rest}");
        assert_eq!(ask("22"), ask("77"), "{method} {rest} of what was erased");
    }
    assert_eq!(service.get("one", "/v1/entries/0/33").status, 200, "nothing of it was erased");
    service.end();
}

#[test]
fn a_token_made_while_the_service_runs_opens_until_it_is_revoked_and_one_that_ended_says_so() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &tenant("one", "party"));
    let (judge, operator) = (add(&folder, "one", Role::Judge), add(&folder, "anyone", Role::Operator));
    assert_eq!(service.deposit("one", &[item(b"x", "1")]).status, 201);
    assert_eq!(
        service.get(&judge, "/v1/entries/0/0").status,
        200,
        "two tokens of one tenant see the same entries"
    );

    let listed = service.get(&operator, "/v1/tokens");
    let text = String::from_utf8(listed.body.clone()).unwrap();
    assert!(!text.contains("sha256") && !text.contains(&judge), "{text}");
    let row = listed.json()["tokens"].as_array().unwrap().iter().find(|row| row["role"] == "judge").cloned();
    let id = row.unwrap()["id"].as_str().unwrap().to_owned();
    let revoked = service.ask(&operator, "DELETE", &format!("/v1/tokens/{id}"), &Value::Null);
    assert!(revoked.status == 200 && revoked.json()["revoked_at"].is_u64(), "{}", revoked.json());
    problem(&service.get(&judge, "/v1/entries/0/0"), 401, Code::TokenEnded);
    problem(&service.ask(&operator, "DELETE", "/v1/tokens/none", &Value::Null), 404, Code::NoSuchName);

    let grant = Grant {
        tenant: "one".to_owned(),
        pseudonym: "one".to_owned(),
        role: Role::Judge,
        made_at: BlockTime::new(1),
        expires_at: Some(BlockTime::new(2)),
    };
    let old = TokenFile::in_folder(folder.path()).add(grant).unwrap().token;
    problem(&service.get(&old, "/v1/entries/0/0"), 401, Code::TokenEnded);
    service.end();
}
