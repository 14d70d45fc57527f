//! Searching, the history of an entry, and what erasing leaves of them.

use crate::roles::{add, problem};
use crate::world::{Answer, Service, item, tenant};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zeugma_crypto::hash::hash;
use zeugma_evidence_log::{CustomField, Field, Record, Seed};
use zeugma_evidence_service::access::Role;
use zeugma_evidence_service::store::{
    Batch, Config, Deposit, FjallSearch, Log, MemoryIndex, MemorySearch, Position, Query, RealDisk,
    SearchIndex,
};
use zeugma_types::{Code, HashSuite};

fn indexes(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let answer = answer.json();
    assert_eq!(answer["complete"], true, "{answer}");
    answer["entries"].as_array().unwrap().iter().map(|entry| entry["index"].as_u64().unwrap()).collect()
}

fn sha256(content: &[u8]) -> String {
    hex::encode(hash(HashSuite::Sha256, &[content]))
}

fn sm3(content: &[u8]) -> String {
    hex::encode(hash(HashSuite::Sm3, &[content]))
}

#[test]
fn entries_are_found_by_either_digest_case_and_submitter_within_one_tenant_alone() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &(tenant("one", "party") + tenant("two", "party").as_str()));
    let clerk = add(&folder, "one", Role::Clerk);
    let mut both = item(b"both", "2026-17");
    both["digests"]["sm3"] = json!(sm3(b"both"));
    assert_eq!(service.deposit("one", &[both, item(b"x", "2026-17"), item(b"y", "2026-18")]).status, 201);
    assert_eq!(service.deposit(&clerk, &[item(b"x", "2026-17")]).status, 201);
    assert_eq!(service.deposit("two", &[item(b"x", "2026-17")]).status, 201);
    let find = |token: &str, query: &str| indexes(&service.get(token, &format!("/v1/search?{query}")));
    assert_eq!(find("one", ""), [0, 1, 2, 3]);
    assert_eq!(find("one", &format!("digest={}", sha256(b"both"))), [0]);
    assert_eq!(find("one", &format!("digest={}", sm3(b"both"))), [0]);
    assert_eq!(find("one", "case=2026-17"), [0, 1, 3]);
    assert_eq!(find("one", "case=2026"), [0_u64; 0]);
    assert_eq!(find("one", "submitter=one%20clerk"), [3]);
    assert_eq!(find("one", &format!("case=2026-17&digest={}", sha256(b"x"))), [1, 3]);
    assert_eq!(find("one", &format!("case=2026-18&digest={}", sha256(b"x"))), [0_u64; 0]);
    assert_eq!(find("two", "case=2026-17"), [4]);
    let entry = service.get("one", "/v1/search?case=2026-18").json()["entries"][0].clone();
    assert_eq!(
        (&entry["submitter"], &entry["custom"]["case"], &entry["digests"]["sha-256"]),
        (&json!("one"), &json!("2026-18"), &json!(sha256(b"y")))
    );

    let history = service.get("one", "/v1/entries/0/1/history").json();
    assert_eq!(
        history["same_digest"],
        json!(["0/3"]),
        "another submitter of the tenant, and no other tenant"
    );
    assert_eq!(history["events"][0]["what"], "received");
    assert_eq!(service.get("one", "/v1/entries/0/1?wait=10").status, 200);
    let history = service.get("one", "/v1/entries/0/1/history").json();
    assert_eq!((&history["events"][1]["what"], &history["pending"]), (&json!("logged"), &json!([])));
    for query in ["digest=zz", "digest=00", "unknown=1", "limit=many"] {
        let answer = service.get("one", &format!("/v1/search?{query}"));
        assert_eq!((answer.status, answer.media_type.as_str()), (400, "application/problem+json"), "{query}");
    }
    service.end();
}

#[test]
fn pages_hold_each_entry_once_while_others_come_and_a_cursor_is_good_for_its_own_search_alone() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &(tenant("one", "party") + tenant("two", "party").as_str()));
    let items = |from: u16, count: u16| -> Vec<Value> {
        (from..from + count)
            .map(|n| item(&n.to_be_bytes(), if n % 2 == 0 { "even" } else { "odd" }))
            .collect()
    };
    assert_eq!(service.deposit("one", &items(0, 50)).status, 201);
    let (mut found, mut cursor, mut first) = (Vec::new(), String::new(), String::new());
    for page in 0.. {
        let answer = service.get("one", &format!("/v1/search?case=odd&limit=7{cursor}"));
        found.extend(indexes(&answer));
        let Some(next) = answer.json()["cursor"].as_str().map(str::to_owned) else { break };
        if page == 0 {
            first.clone_from(&next);
            // What comes meanwhile stands behind.
            assert_eq!(service.deposit("one", &items(50, 4)).status, 201);
        }
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, (0..54).filter(|n| n % 2 == 1).collect::<Vec<u64>>());
    let bad = |token: &str, query: &str| {
        problem(&service.get(token, &format!("/v1/search?{query}")), 400, Code::BadCursor);
    };
    bad("one", &format!("case=even&cursor={first}"));
    bad("two", &format!("case=odd&cursor={first}"));
    bad("one", "case=odd&cursor=00");
    service.end();
}

#[test]
fn an_erased_entry_is_found_no_more_also_in_an_index_made_anew_and_its_tenant_is_told() {
    let folder = TempDir::new().unwrap();
    let tenants = tenant("one", "party") + tenant("two", "party").as_str();
    let service = Service::start(folder.path(), &tenants);
    assert_eq!(service.deposit("one", &[item(b"a", "7"), item(b"b", "7"), item(b"c", "7")]).status, 201);
    assert_eq!(indexes(&service.get("one", "/v1/search?case=7")), [0, 1, 2]);
    assert_eq!(service.ask("one", "DELETE", "/v1/entries/0/1", &Value::Null).status, 204);
    let check = |service: &Service| {
        assert_eq!(indexes(&service.get("one", "/v1/search?case=7")), [0, 2]);
        problem(&service.get("one", "/v1/entries/0/1"), 410, Code::RecordErased);
        problem(&service.get("two", "/v1/entries/0/1"), 404, Code::NoSuchEntry);
    };
    check(&service);
    service.end();
    std::fs::remove_dir_all(folder.path().join("search")).unwrap();
    let service = Service::start(folder.path(), &tenants);
    check(&service);
    service.end();
}

fn open(folder: &TempDir, index: Arc<MemoryIndex>, search: Arc<dyn SearchIndex>) -> Log {
    // Small segments, so that the index goes from one to the next.
    let config = Config { segment_bytes: 16 * 1024, ..Config::new(folder.path(), "log.example/one") };
    let log = Log::open_with(config, Arc::new(RealDisk), index, Some(search)).unwrap();
    assert!(log.wait_ready(Duration::from_secs(60)));
    log
}

fn deposits(log: &Log, from: u32, count: u32) {
    let items = (from..from + count).map(|n| {
        let record = Record::new(vec![
            Field::Sha256(hash(HashSuite::Sha256, &[&n.to_be_bytes()])),
            Field::MediaType("text/plain".to_owned()),
            Field::Size(4),
            Field::Submitter(format!("s{}", n % 10)),
            Field::Source("o".to_owned()),
            Field::Custom(CustomField { name: "case".to_owned(), value: (n / 5).to_string().into_bytes() }),
        ]);
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&n.to_be_bytes());
        let tenant = format!("t{}", n % 2);
        log.prepare(Deposit { tenant, record: record.unwrap(), seed: Seed::new(seed), received_at: 1 })
            .unwrap()
    });
    log.append(Batch { items: items.collect(), key: None }).unwrap();
}

const LONG: Duration = Duration::from_secs(60);

fn find(log: &Log, tenant: &str, query: &Query) -> Vec<u64> {
    let page = log.search(tenant, query, None, (10_000, LONG)).unwrap();
    assert!(page.complete);
    page.found.iter().map(|found| found.position.index).collect()
}

#[test]
fn the_index_in_memory_the_one_on_disk_and_one_made_anew_over_many_segments_find_the_same() {
    let folder = TempDir::new().unwrap();
    let memory = Arc::new(MemorySearch::default());
    let index = Arc::new(MemoryIndex::default());
    let log = open(&folder, Arc::clone(&index), memory.clone());
    for from in (0..600).step_by(20) {
        deposits(&log, from, 20);
    }
    let case = |n: u32| Query { case: Some(n.to_string()), ..Query::default() };
    let erased = Position { shard: 0, index: 301 };
    let before = find(&log, "t1", &case(60));
    assert_eq!(before, [301, 303]);
    log.erase_of("t1", erased).unwrap();
    // All, digest, case and submitter of each entry, less those of the erased one, and the row that says so.
    assert!(log.wait_searchable(LONG));
    assert_eq!(memory.count(), 4 * 600 - 4 + 1);
    let all = |log: &Log| -> Vec<Vec<u64>> {
        let submitter = Query { submitter: Some("s3".to_owned()), ..Query::default() };
        let mut all: Vec<_> = (0..120).map(|n| find(log, "t1", &case(n))).collect();
        all.push(find(log, "t1", &submitter));
        all.push(find(log, "t0", &submitter));
        all.push(find(log, "t0", &Query::default()));
        assert!(log.erased_of("t1", erased).unwrap() && !log.erased_of("t0", erased).unwrap());
        all
    };
    let found = all(&log);
    assert_eq!(found[60], [303]);
    assert_eq!((found[120].len(), found[121].len(), found[122].len()), (60, 0, 300));
    drop(log);
    assert!(std::fs::read_dir(folder.path().join("shards/0/segments")).unwrap().count() > 3);

    let disk = folder.path().join("search");
    for _ in 0..2 {
        let search = Arc::new(FjallSearch::open(&disk).unwrap());
        let log = open(&folder, Arc::clone(&index), search);
        assert_eq!(all(&log), found, "made anew, and then as it was kept");
    }
    let stale = Arc::new(MemorySearch::default());
    let rows = zeugma_evidence_service::store::SearchRows { next: 1 << 40, ..Default::default() };
    stale.apply(&rows).unwrap();
    assert_eq!(all(&open(&folder, index, stale)), found, "one that knows more than the log is made anew");
}

/// `cargo test --release -p zeugma-evidence-service --test access -- --ignored --nocapture search_times`: prints, asserts no time.
#[test]
#[ignore = "long: measures"]
fn search_times() {
    let count: u32 =
        std::env::var("ZEUGMA_ENTRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let folder = TempDir::new().unwrap();
    let search = Arc::new(FjallSearch::open(&folder.path().join("search")).unwrap());
    let config = Config::new(folder.path(), "log.example/one");
    let log =
        Log::open_with(config, Arc::new(RealDisk), Arc::new(MemoryIndex::default()), Some(search)).unwrap();
    assert!(log.wait_ready(LONG));
    let start = Instant::now();
    for from in (0..count).step_by(1_000) {
        deposits(&log, from, 1_000.min(count - from));
    }
    let logged = start.elapsed();
    assert!(log.wait_searchable(Duration::from_secs(3_600)));
    println!("{count} entries logged in {logged:.1?}, searchable after {:.1?}", start.elapsed());
    for (name, query) in [
        (
            "digest",
            (|n: u32| Query {
                digest: Some(hash(HashSuite::Sha256, &[&n.to_be_bytes()])),
                ..Query::default()
            }) as fn(u32) -> Query,
        ),
        ("case", |n| Query { case: Some((n / 5).to_string()), ..Query::default() }),
    ] {
        let mut times: Vec<Duration> = (0..1_000_u32)
            .map(|n| {
                let n = n.wrapping_mul(2_654_435_761) % count;
                let start = Instant::now();
                let page = log.search(&format!("t{}", n % 2), &query(n), None, (50, LONG)).unwrap();
                assert!(!page.found.is_empty());
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("search by {name}: p50 {:.2?}, p99 {:.2?}", times[500], times[990]);
    }
}
