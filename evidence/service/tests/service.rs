//! The service as a whole, over HTTP on loopback: what it takes, what it gives, and that strangers verify it.

#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::sync::watch;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_service::store::{self, FjallIndex, Log, RealDisk};
use zeugma_evidence_service::{Config, run};
use zeugma_evidence_verify::bundle::Receipt;
use zeugma_evidence_verify::{Bundle, Policy, Question, Subject, verify};
use zeugma_proof::testkit::TestNetwork;
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _};

const FILE: &[u8] = b"the agreement of the parties";

/// A running service.
struct Service {
    address: SocketAddr,
    token: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn start(folder: &Path, extra: &str) -> Self {
        Self::start_as("log.example/one", folder, extra)
    }

    fn start_as(origin: &str, folder: &Path, extra: &str) -> Self {
        let text = format!(
            "[log]\nfolder = {folder:?}\norigin = \"{origin}\"\npublish_milliseconds = 20\n[api]\nlisten = \"127.0.0.1:0\"\n{extra}"
        );
        let config = Config::from_toml(&text).unwrap();
        let (stop, stopped) = watch::channel(false);
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            let done = runtime.block_on(run(config, stopped, |started| send.send(started.clone()).unwrap()));
            done.unwrap();
        });
        let started = started.recv().unwrap();
        let token = match &started.token_file {
            Some(path) => std::fs::read_to_string(path).unwrap().trim().to_owned(),
            None => "secret".to_owned(),
        };
        Self { address: started.address, token, stop, thread: Some(thread) }
    }

    /// Status, head and body of one request.
    fn ask(&self, method: &str, path: &str, heads: &[(&str, &str)], body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for (name, value) in heads {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(request.as_bytes()).unwrap();
        // A body above the bound is answered before all of it was read.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let split = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..split].to_vec()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut body = answer[split + 4..].to_vec();
        if head.contains("transfer-encoding: chunked") {
            body = unchunked(&body);
        }
        (status, head, body)
    }

    fn with_token(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let bearer = format!("Bearer {}", self.token);
        let (status, _, body) = self.ask(method, path, &[("Authorization", &bearer)], body);
        (status, body)
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.with_token(method, path, body.to_string().as_bytes());
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    fn deposit(&self, contents: &[&[u8]]) -> Vec<Value> {
        let items: Vec<_> = contents.iter().map(|content| item(content)).collect();
        let (status, answer) = self.json("POST", "/v1/deposits", &json!({ "items": items }));
        assert!(status == 201 || status == 200, "{status}: {answer}");
        answer["items"].as_array().unwrap().clone()
    }

    fn end(mut self) {
        self.stop.send(true).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|end| end == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 4 + length..];
    }
    whole
}

fn item(content: &[u8]) -> Value {
    json!({
        "digests": { "sha-256": hex::encode(sha256(&[content])) },
        "media_type": "text/plain",
        "size": content.len(),
        "origin": "a contract archive",
        "custom": { "case": "2026-17" },
    })
}

fn policy(service: &Service) -> Policy {
    let (status, _, body) = service.ask("GET", "/v1/policy", &[], b"");
    assert_eq!(status, 200);
    Policy::from_bytes(&body).unwrap()
}

fn code(answer: &Value) -> Option<u64> {
    answer["code"].as_u64()
}

#[test]
fn a_deposit_is_receipted_at_once_then_logged_and_its_bundle_verifies_for_the_file_and_no_other() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), "");
    let policy = policy(&service);
    let items = service.deposit(&[FILE, b"another exhibit"]);
    let (shard, index) = (items[0]["shard"].as_u64().unwrap(), items[0]["index"].as_u64().unwrap());

    let entry = format!("/v1/entries/{shard}/{index}");
    let (status, standing) = service.json("GET", &format!("{entry}?wait=10&for=logged"), &Value::Null);
    assert_eq!((status, standing["state"].as_str()), (200, Some("logged")), "{standing}");
    assert_eq!(standing["received_at"], items[0]["received_at"]);
    assert_eq!(standing["anchored_size"], Value::Null, "nothing is anchored without a relay chain");

    let (status, bytes) = service.with_token("GET", &format!("{entry}/bundle"), b"");
    assert_eq!(status, 200);
    let bundle = Bundle::from_bytes(&bytes).unwrap();
    let receipt = Receipt::from_bytes(&hex::decode(items[0]["receipt"].as_str().unwrap()).unwrap()).unwrap();
    receipt.verify(&bundle.entry.to_bytes(), &policy.service_key.unwrap()).unwrap();

    let trust = TestNetwork::new(4).trust_file();
    let time = BlockTime::new(standing["received_at"].as_u64().unwrap() + 1_000);
    let ask = |subject| verify(&Question { bundle: &bytes, subject, trust: &trust, policy: &policy, time });
    let report = ask(Subject::File(FILE)).unwrap();
    assert_eq!(report.received.unwrap().at.get(), standing["received_at"].as_u64().unwrap());
    let other = ask(Subject::File(b"something else"));
    let refuted = other.map(|report| format!("{:?}", report.integrity));
    assert_eq!(refuted.unwrap_or_else(|refusal| refusal.code.name().to_owned()), "Refuted");
    for at in (0..bytes.len()).step_by(11) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        let question =
            Question { bundle: &flipped, subject: Subject::File(FILE), trust: &trust, policy: &policy, time };
        assert!(verify(&question).is_err(), "byte {at}");
    }
    service.end();
}

#[test]
fn the_same_record_has_one_position_before_and_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), "");
    let first = service.deposit(&[FILE]).remove(0);
    let again = service.deposit(&[b"new", FILE, b"newer"]);
    assert_eq!(again[1]["index"], first["index"]);
    assert_eq!((&again[1]["known"], &again[0]["known"]), (&json!(true), &json!(false)));
    assert_eq!(again[1]["received_at"], first["received_at"]);
    service.end();

    let service = Service::start(folder.path(), "");
    let after = service.deposit(&[FILE]).remove(0);
    assert_eq!((&after["index"], &after["known"]), (&first["index"], &json!(true)));
    assert_eq!(after["received_at"], first["received_at"]);
    assert_eq!(after["receipt"], again[1]["receipt"], "an entry's own receipt is the same for ever");
    service.end();
}

#[test]
fn an_entry_of_a_closed_shard_is_promised_and_shown_in_the_log_in_which_it_stands() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), "");
    let (old, first) = (policy(&service), service.deposit(&[FILE]).remove(0));
    service.json("GET", "/v1/entries/0/0?wait=10", &Value::Null);
    service.end();
    roll(folder.path(), "log.example/one", "log.example/two");

    let service = Service::start_as("log.example/two", folder.path(), "");
    let answered = service.deposit(&[b"new", FILE]);
    let place = |item: &Value| (item["shard"].clone(), item["index"].clone());
    assert_eq!((place(&answered[0]), place(&answered[1])), ((json!(1), json!(0)), (json!(0), json!(0))));
    assert_eq!(answered[1]["receipt"], first["receipt"], "the promise is the one that was made");
    let origin = |item: &Value| {
        Receipt::from_bytes(&hex::decode(item["receipt"].as_str().unwrap()).unwrap()).unwrap().origin
    };
    assert_eq!(
        (origin(&answered[0]).as_str(), origin(&answered[1]).as_str()),
        ("log.example/two", "log.example/one")
    );

    let (status, bundle) = service.with_token("GET", "/v1/entries/0/0/bundle", b"");
    assert_eq!(status, 200);
    let (trust, subject) = (TestNetwork::new(4).trust_file(), Subject::File(FILE));
    let time = BlockTime::new(first["received_at"].as_u64().unwrap() + 1_000);
    let report = verify(&Question { bundle: &bundle, subject, trust: &trust, policy: &old, time }).unwrap();
    assert_eq!(report.received.unwrap().at.get(), first["received_at"].as_u64().unwrap());
    service.end();
}

/// Closes the shard of a service that ended, and opens the next.
fn roll(folder: &Path, origin: &str, next: &str) {
    let index = Arc::new(FjallIndex::open(&folder.join("index")).unwrap());
    let log = Log::open(store::Config::new(folder, origin), Arc::new(RealDisk), index).unwrap();
    log.roll(next).unwrap();
    assert_eq!((log.origin_of(0).unwrap(), log.origin_of(1).unwrap()), (origin.to_owned(), next.to_owned()));
    assert_eq!(log.origin_of(2).unwrap_err().code, Code::NoSuchEntry);
}

#[test]
fn an_idempotency_key_with_another_body_is_a_conflict_and_with_the_same_the_same_answer() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), "");
    let bearer = format!("Bearer {}", service.token);
    let heads = [("Authorization", bearer.as_str()), ("Idempotency-Key", "k1")];
    let body = |content: &[u8]| json!({ "items": [item(content)] }).to_string().into_bytes();
    let (status, _, first) = service.ask("POST", "/v1/deposits", &heads, &body(b"one"));
    assert_eq!(status, 201);
    let (_, _, again) = service.ask("POST", "/v1/deposits", &heads, &body(b"one"));
    let index = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["items"][0]["index"].clone();
    assert_eq!(index(&first), index(&again));
    let (status, _, other) = service.ask("POST", "/v1/deposits", &heads, &body(b"two"));
    let other: Value = serde_json::from_slice(&other).unwrap();
    assert_eq!((status, code(&other)), (409, Some(u64::from(Code::KeyReused.number()))), "{other}");
    service.end();
}

#[test]
fn bad_input_is_a_problem_with_its_code_and_nothing_is_stored() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), "");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut item = item(b"x");
        change(&mut item);
        json!({ "items": [item] })
    };
    for (name, body, status, code) in [
        (
            "sha-1",
            with(&|item| item["digests"] = json!({ "sha-1": "00".repeat(20) })),
            422,
            Code::RefusedAlgorithm,
        ),
        (
            "md5",
            with(&|item| item["digests"] = json!({ "MD5": "00".repeat(16) })),
            422,
            Code::RefusedAlgorithm,
        ),
        (
            "length",
            with(&|item| item["digests"] = json!({ "sha256": "00".repeat(31) })),
            400,
            Code::OutOfRange,
        ),
        ("no hex", with(&|item| item["digests"] = json!({ "sha256": "zz" })), 400, Code::BadText),
        ("a key too many", with(&|item| item["name"] = json!("secret.txt")), 400, Code::BadText),
        ("no items", json!({ "items": [] }), 400, Code::Empty),
    ] {
        let (found, answer) = service.json("POST", "/v1/deposits", &body);
        assert_eq!(
            (found, self::code(&answer)),
            (status, Some(u64::from(code.number()))),
            "{name}: {answer}"
        );
    }
    let (status, _) = service.with_token("POST", "/v1/deposits", &vec![b'x'; 5 * 1024 * 1024]);
    assert_eq!(status, 413);
    let (status, _, _) = service.ask("POST", "/v1/deposits", &[], b"{}");
    assert_eq!(status, 401);
    let (_, _, body) = service.ask("GET", "/v1/status", &[], b"");
    let status: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status["durable"], 0, "{status}");
    service.end();
}

#[test]
fn another_tenant_sees_nothing_and_roles_bound_what_may_be_asked() {
    let folder = TempDir::new().unwrap();
    let tenant = |name: &str, role: &str| {
        let digest = hex::encode(sha256(&[name.as_bytes()]));
        format!(
            "[[tenant]]\nname = \"{name}\"\npseudonym = \"{name}\"\nrole = \"{role}\"\ntoken_sha256 = \"{digest}\"\n"
        )
    };
    let tenants =
        tenant("one", "party") + tenant("two", "party").as_str() + tenant("three", "regulator").as_str();
    let service = Service::start(folder.path(), &tenants);
    let ask = |name: &str, method: &str, path: &str, body: &[u8]| {
        service.ask(method, path, &[("Authorization", &format!("Bearer {name}"))], body)
    };
    let body = json!({ "items": [item(FILE)] }).to_string().into_bytes();
    assert_eq!(ask("one", "POST", "/v1/deposits", &body).0, 201);
    assert_eq!(ask("one", "GET", "/v1/entries/0/0", b"").0, 200);
    let (status, _, hidden) = ask("two", "GET", "/v1/entries/0/0", b"");
    let (missing, _, absent) = ask("two", "GET", "/v1/entries/0/7", b"");
    assert_eq!((status, missing), (404, 404));
    let code = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["code"].clone();
    assert_eq!(code(&hidden), code(&absent));
    assert_eq!(ask("two", "GET", "/v1/entries/0/0/bundle", b"").0, 404);
    assert_eq!(ask("two", "DELETE", "/v1/entries/0/0", b"").0, 404);
    assert_eq!(ask("three", "POST", "/v1/deposits", &body).0, 403);
    assert_eq!(ask("four", "GET", "/v1/entries/0/0", b"").0, 401);
    // The same content of another tenant is another entry.
    let (_, _, other) = ask("two", "POST", "/v1/deposits", &body);
    let other: Value = serde_json::from_slice(&other).unwrap();
    assert_eq!((&other["items"][0]["index"], &other["items"][0]["known"]), (&json!(1), &json!(false)));
    service.end();
}

#[test]
fn an_erased_record_is_gone_and_its_tile_remains_for_everyone() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), "");
    service.deposit(&[FILE]);
    service.json("GET", "/v1/entries/0/0?wait=10", &Value::Null);
    let (status, head, before) = service.ask("GET", "/log/0/tile/entries/000.p/1", &[], b"");
    assert_eq!(status, 200);
    assert!(head.contains("access-control-allow-origin: *") && head.contains("immutable"), "{head}");
    assert_eq!(service.with_token("DELETE", "/v1/entries/0/0", b"").0, 204);
    assert_eq!(service.with_token("GET", "/v1/entries/0/0/bundle", b"").0, 410);
    assert_eq!(service.ask("GET", "/log/0/tile/entries/000.p/1", &[], b"").2, before);
    let (status, head, note) = service.ask("GET", "/log/0/checkpoint", &[], b"");
    assert_eq!(status, 200);
    assert!(note.starts_with(b"log.example/one\n1\n") && head.contains("no-cache"));
    let (status, _, second) = service.ask("GET", "/log/0/sm3/checkpoint", &[], b"");
    assert_eq!(status, 200);
    assert!(second.starts_with(b"log.example/one/sm3\n1\n"));
    for path in
        ["/log/0/tile/entries/../../keys.json", "/log/0/keys.json", "/log/0/tile/0/001", "/log/9/checkpoint"]
    {
        let (status, _, _) = service.ask("GET", path, &[], b"");
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    service.end();
}
