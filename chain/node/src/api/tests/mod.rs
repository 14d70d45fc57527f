//! The API over a chain in memory: routing, access, bounds, the shape of answers, and the client against all of it.

mod client;
mod fake;
mod grpc;
mod http;
mod openapi;

use super::{ApiConfig, Reads, Server, TokenDigest};
use fake::{FakeChain, Mood, refusals};
use http::{Answer, request, stream};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeugma_ledger::Checked;
use zeugma_types::{Code, Refusal};

const TOKEN: &str = "correct horse";

struct Served {
    chain: Arc<FakeChain>,
    server: Server,
}

impl Served {
    fn with(change: impl FnOnce(&mut ApiConfig)) -> Self {
        let mut config = ApiConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tokens: vec![TokenDigest::of("another"), TokenDigest::of(TOKEN)],
            ..ApiConfig::default()
        };
        change(&mut config);
        let chain = FakeChain::new();
        let server = Server::start(config, chain.handle(), FakeChain::families()).unwrap();
        Self { chain, server }
    }

    fn new() -> Self {
        Self::with(|_| ())
    }

    fn get(&self, path: &str) -> Answer {
        request(self.server.address(), "GET", path, &[], &[])
    }

    fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        request(self.server.address(), "POST", "/v1/transactions", headers, body)
    }

    fn submit(&self, body: &[u8]) -> Answer {
        self.post(&[("authorization", "Bearer correct horse")], body)
    }
}

#[test]
fn a_write_needs_a_token_of_this_node() {
    let served = Served::new();
    let transaction = served.chain.transaction(1);
    for headers in [
        &[][..],
        &[("authorization", "Bearer wrong")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Basic correct horse")],
        &[("authorization", "correct horse")],
    ] {
        let answer = served.post(headers, &transaction);
        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(answer.json()["name"], "unauthorized");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(served.submit(&transaction).status, 202);
}

#[test]
fn without_a_configured_token_nothing_is_written() {
    let served = Served::with(|config| config.tokens.clear());
    assert_eq!(served.submit(&served.chain.transaction(1)).status, 401);
    assert_eq!(served.get("/v1/status").status, 200);
}

#[test]
fn reads_need_a_token_where_it_is_configured_so() {
    let served = Served::with(|config| config.reads = Reads::Token);
    assert_eq!(served.get("/v1/status").status, 401);
    assert_eq!(served.get("/metrics").status, 401);
    let shown = [("Authorization", "bearer correct horse")];
    assert_eq!(request(served.server.address(), "GET", "/v1/status", &shown, &[]).status, 200);
    for open in ["/healthz", "/openapi.json"] {
        assert_eq!(served.get(open).status, 200, "{open}");
    }
}

#[test]
fn a_transaction_is_taken_as_bytes_and_as_json() {
    let served = Served::new();
    let transaction = served.chain.transaction(1);
    let id = hex::encode(Checked::new(&transaction).unwrap().digest());
    assert_eq!(served.submit(&transaction).json()["id"], id.as_str());
    let json = serde_json::json!({ "bytes": hex::encode(&transaction) }).to_string();
    let headers =
        [("authorization", "Bearer correct horse"), ("content-type", "application/json; charset=utf-8")];
    assert_eq!(served.post(&headers, json.as_bytes()).json()["id"], id.as_str());
    for bad in
        ["{}", "{\"bytes\": 7}", "{\"bytes\": \"0\"}", "{\"bytes\": \"zz\"}", "[", "{\"bytes\":\"\",\"x\":1}"]
    {
        let answer = served.post(&headers, bad.as_bytes());
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{bad}");
    }
}

#[test]
fn a_refusal_is_a_problem_with_its_code_and_both_sides() {
    let served = Served::new();
    for (refusal, status) in refusals() {
        served.chain.set_mood(Mood::Refuses(refusal.clone()));
        let answer = served.submit(b"anything");
        let problem = answer.json();
        assert_eq!(answer.status, status, "{refusal}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["code"], refusal.code.number());
        assert_eq!(problem["name"], refusal.code.name());
        assert_eq!(problem["type"], format!("urn:zeugma:refusal:{}", refusal.code.number()));
        assert_eq!(problem["detail"], refusal.to_string());
    }
    served.chain.set_mood(Mood::Refuses(Refusal::new(Code::SequenceUsed).needed(5_u64).found(3_u64)));
    let problem = served.submit(b"anything").json();
    assert_eq!((&problem["needed"], &problem["found"]), (&Value::from("5"), &Value::from("3")));
    served.chain.set_mood(Mood::Fails);
    let answer = served.submit(b"anything");
    assert_eq!((answer.status, answer.json()["code"].clone()), (500, Value::Null));
    served.chain.set_mood(Mood::Takes);
    assert_eq!(served.submit(b"\x01").json()["code"], Code::Truncated.number());
}

#[test]
fn a_batch_that_is_cut_off_is_no_batch() {
    let served = Served::new();
    let headers = [("authorization", "Bearer correct horse")];
    let post =
        |body: &[u8]| request(served.server.address(), "POST", "/v1/transactions/batch", &headers, body);
    let transaction = served.chain.transaction(1);
    let length = u32::try_from(transaction.len()).unwrap();
    let whole = [&length.to_be_bytes()[..], &transaction].concat();
    assert_eq!(post(&whole).json()["accepted"], 1);
    for cut in 1..whole.len() {
        assert_eq!(post(&whole[..cut]).status, 400, "{cut}");
    }
    assert_eq!(post(&u32::MAX.to_be_bytes()).status, 400);
    assert_eq!(request(served.server.address(), "POST", "/v1/transactions/batch", &[], &whole).status, 401);
}

#[test]
fn a_body_above_the_bound_is_refused() {
    let served = Served::new();
    let most = zeugma_ledger::limits::MAX_TRANSACTION;
    let answer = served.submit(&vec![1; most + 1]);
    assert_eq!((answer.status, answer.json()["code"].clone()), (413, Value::from(Code::TooLong.number())));
    // The longest is read, and refused for what it says.
    assert_eq!(served.submit(&vec![9; most]).json()["code"], Code::UnknownTag.number());
    let headers = [("authorization", "Bearer correct horse"), ("content-type", "application/json")];
    assert_eq!(served.post(&headers, &vec![b' '; 2 * most + 1_025]).status, 413);
}

#[test]
fn a_wait_ends_when_the_transaction_is_final() {
    let served = Served::new();
    let transaction = served.chain.transaction(1);
    let id = served.submit(&transaction).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(served.get(&format!("/v1/transactions/{id}")).json()["status"], "waiting");
    let started = Instant::now();
    let short = served.get(&format!("/v1/transactions/{id}?wait=1"));
    assert_eq!(short.json()["status"], "waiting");
    assert!(started.elapsed() >= Duration::from_secs(1));
    let started = Instant::now();
    let closer = {
        let chain = Arc::clone(&served.chain);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            chain.close()
        })
    };
    let answer = served.get(&format!("/v1/transactions/{id}?wait=25")).json();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!((&answer["status"], &answer["height"]), (&Value::from("final"), &Value::from(1)));
    assert_eq!(answer["outcome"]["result"], "done");
    closer.join().unwrap();
}

#[test]
fn a_wait_ends_when_the_transaction_is_dropped() {
    let served = Served::new();
    let transaction = served.chain.transaction(1);
    let id = *Checked::new(&transaction).unwrap().digest();
    served.submit(&transaction);
    served.chain.drop_transaction(id, Refusal::new(Code::SequenceUsed).needed(5_u64));
    let answer = served.get(&format!("/v1/transactions/{}?wait=20", hex::encode(id))).json();
    assert_eq!(answer["status"], "dropped");
    assert_eq!(answer["refusal"]["code"], Code::SequenceUsed.number());
    assert_eq!(answer["refusal"]["en"], Code::SequenceUsed.en());
}

#[test]
fn a_stream_resumes_after_the_block_that_came_last() {
    let served = Served::new();
    for _ in 0..3 {
        served.chain.close();
    }
    let address = served.server.address();
    let heights = |lines: &[String]| -> Vec<u64> {
        lines.iter().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
    };
    let first = stream(address, "/v1/stream/blocks?from=1", &[], 2);
    assert_eq!(heights(&first), [1, 2]);
    // More blocks than a follower may lag behind.
    for _ in 0..9 {
        served.chain.close();
    }
    let rest = stream(address, "/v1/stream/blocks?from=1", &[("Last-Event-ID", "2")], 10);
    assert_eq!(heights(&rest), (3..=12).collect::<Vec<_>>());
    let data = rest.iter().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let block: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&block["height"], &block["events"][1]["name"]),
        (&Value::from(3), &Value::from("epoch-ended"))
    );
}

#[test]
fn a_stream_gives_blocks_as_they_come() {
    let served = Served::new();
    let address = served.server.address();
    let reader = std::thread::spawn(move || stream(address, "/v1/stream/blocks", &[], 2));
    std::thread::sleep(Duration::from_millis(200));
    served.chain.close();
    served.chain.close();
    let lines = reader.join().unwrap();
    assert!(lines.contains(&"id: 1".to_owned()) && lines.contains(&"id: 2".to_owned()), "{lines:?}");
}

#[test]
fn streams_and_requests_above_the_bound_are_told_to_come_again() {
    let served = Served::with(|config| config.streams = 1);
    served.chain.close();
    let address = served.server.address();
    let held = http::open(address, "/v1/stream/blocks?from=1", &[]);
    let refused = served.get("/v1/stream/blocks?from=1");
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(served.get(&format!("/v1/transactions/{}?wait=1", "00".repeat(32))).status, 503);
    // Short requests have places of their own.
    assert_eq!(served.get("/v1/status").status, 200);
    drop(held);
    let end = Instant::now() + Duration::from_secs(10);
    while stream_status(address) != 200 {
        assert!(Instant::now() < end, "the place of a stream that ended is given back");
        served.chain.close();
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn stream_status(address: SocketAddr) -> u16 {
    http::open(address, "/v1/stream/blocks?from=1", &[]).0
}

#[test]
fn words_that_are_not_what_a_path_takes_are_problems() {
    let served = Served::new();
    served.chain.close();
    for (path, status) in [
        ("/v1/blocks/one", 400),
        ("/v1/blocks/-1", 400),
        ("/v1/blocks/18446744073709551616", 400),
        ("/v1/blocks/%FF", 400),
        ("/v1/blocks/2", 404),
        ("/v1/headers/0", 404),
        ("/v1/certificates/9", 404),
        ("/v1/transactions/00", 400),
        ("/v1/transactions/zz?wait=x", 400),
        ("/v1/proofs/leaf/1", 404),
        ("/v1/proofs/leaf/0?under=last", 400),
        ("/v1/proofs/path/none/00", 400),
        ("/v1/proofs/path/anchor/0", 400),
        ("/v1/proofs/path/anchor/00", 404),
        ("/v1/state/", 404),
        ("/v1/state/ff", 400),
        ("/v1/state/0100", 400),
        ("/v1/clients/abc", 400),
        ("/v1/clients/client-9", 404),
        ("/v1/clients/client-9/states", 404),
        ("/v1/packets/client-9/x", 400),
        ("/v1/accounts/00", 400),
        ("/v1/registry/none/x", 400),
        ("/v1/registry/halt/x", 404),
        ("/v1/events?from=x", 400),
        ("/v1/stream/blocks?from=x", 400),
        ("/v1/none", 404),
        ("/", 404),
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert_eq!(answer.json()["status"], status, "{path}");
    }
    let wrong = request(served.server.address(), "DELETE", "/v1/status", &[], &[]);
    assert_eq!((wrong.status, wrong.json()["name"].clone()), (405, Value::from("method-not-allowed")));
}

#[test]
fn a_proof_file_is_given_as_bytes_where_bytes_are_asked_for() {
    let served = Served::new();
    served.chain.close();
    let json = served.get("/v1/proofs/leaf/0").json();
    let accept = [("accept", "text/html, application/octet-stream;q=0.9")];
    let bare = request(served.server.address(), "GET", "/v1/proofs/leaf/0?under=latest", &accept, &[]);
    assert_eq!(bare.header("content-type"), Some("application/octet-stream"));
    assert_eq!(json["proof"], hex::encode(bare.body));
}

#[test]
fn a_node_that_stopped_is_not_healthy_and_one_without_a_block_is_not_ready() {
    let served = Served::new();
    assert_eq!((served.get("/healthz").status, served.get("/readyz").status), (200, 503));
    served.chain.close();
    assert_eq!(served.get("/readyz").status, 200);
    served.chain.stop("program 2 is needed");
    for path in ["/healthz", "/readyz"] {
        let answer = served.get(path);
        assert_eq!(
            (answer.status, answer.json()["detail"].clone()),
            (503, "program 2 is needed".into()),
            "{path}"
        );
    }
    assert_eq!(served.get("/v1/status").json()["stopped"], "program 2 is needed");
}

#[test]
fn metrics_stay_one_document_with_ours_in_it() {
    let served = Served::new();
    served.get("/v1/none");
    let answer = served.get("/metrics");
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(text.contains("zeugma_chain_height 1\n"), "{text}");
    assert!(text.contains("zeugma_node_api_answers_total{status=\"4xx\"} 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1, "{text}");
}

#[test]
fn a_server_that_is_told_to_stop_ends_its_streams_and_waits() {
    let served = Served::new();
    let address = served.server.address();
    let (status, _stream) = http::open(address, "/v1/stream/blocks", &[]);
    assert_eq!(status, 200);
    let waiting = std::thread::spawn(move || {
        request(address, "GET", &format!("/v1/transactions/{}?wait=30", "00".repeat(32)), &[], &[]).status
    });
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    served.server.stop().unwrap();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(waiting.join().unwrap(), 200);
}
