//! What the router itself refuses has our form and a code; what everyone may read, every web page may read.

use super::World;
use super::deposit;
use super::disk::Fault;
use crate::quota::Cost;
use serde_json::Value;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use zeugma_types::Code;

#[test]
fn what_the_router_refuses_is_a_problem_with_a_code_and_keeps_what_the_route_says() {
    let world = World::new();
    let entry = world.logged(b"one");
    for (method, path, status, code) in [
        ("GET", "/v1/nothing".to_owned(), 404, Code::NoRoute),
        ("GET", "/v1/deposits".to_owned(), 405, Code::WrongMethod),
        ("GET", format!("{entry}?wait=soon"), 400, Code::BadRequest),
        ("GET", format!("{entry}?wait=1&for=ever"), 400, Code::BadRequest),
        ("GET", format!("{entry}?weit=1"), 400, Code::BadRequest),
        ("GET", "/v1/entries/0/%FF".to_owned(), 400, Code::BadRequest),
        ("GET", "/v1/entries/-1/0".to_owned(), 400, Code::BadRequest),
    ] {
        let answer = world.by("party", method, &path, &Value::Null);
        assert_eq!((answer.status, answer.kind.as_str()), (status, "application/problem+json"), "{path}");
        assert_eq!(answer.json()["code"], code.number(), "{path}: {}", answer.json());
    }
    let answer = world.by("party", "GET", "/v1/deposits", &Value::Null);
    assert_eq!(answer.header("allow"), Some("POST"));
    let metrics = String::from_utf8(world.ask("GET", "/metrics", &[], b"").body).unwrap();
    assert!(metrics.contains("zeugma_evidence_refusals_total{code=\"730\"} 5"), "{metrics}");
}

#[test]
fn every_web_page_reads_the_log_and_its_refusals_and_nothing_of_a_tenant() {
    let world = World::new();
    let entry = world.logged(b"one");
    let origin = [("Origin", "https://court.example")];
    for (path, status) in [
        ("/log/0/checkpoint", 200),
        ("/log/0/tile/0/000.p/1", 200),
        ("/log/0/tile/0/000", 404),
        ("/v1/policy", 200),
        ("/v1/status", 200),
        ("/openapi.json", 200),
    ] {
        let answer = world.ask("GET", path, &origin, b"");
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (status, Some("*")),
            "{path}"
        );
        let before = world.ask("OPTIONS", path, &origin, b"");
        assert_eq!(before.status, 204, "{path}");
        assert_eq!(before.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
    }
    for path in [entry.as_str(), "/v1/deposits", "/metrics"] {
        let answer = world.ask("GET", path, &origin, b"");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
        assert_eq!(world.ask("OPTIONS", path, &origin, b"").status, 405, "{path}");
    }
}

#[test]
fn a_full_disk_is_told_before_a_depositor_meets_it_and_deposits_go_on_once_there_is_room() {
    let world = World::new();
    world.until_ready(true);
    world.disk.turn(Fault::Full);
    let refused = world.by("party", "POST", "/v1/deposits", &deposit(b"one"));
    assert_eq!((refused.status, &refused.json()["code"]), (507, &Code::StoreFull.number().into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    world.until_ready(false);
    let ready = world.ask("GET", "/readyz", &[], b"");
    assert_eq!((ready.status, &ready.json()["code"]), (507, &Code::StoreFull.number().into()));
    assert_eq!(world.ask("GET", "/healthz", &[], b"").status, 200, "the process itself is well");
    world.disk.turn(Fault::None);
    world.until_ready(true);
    assert_eq!(world.ask("GET", "/readyz", &[], b"").status, 200);
    assert_eq!(world.logged(b"one"), "/v1/entries/0/0", "nothing of the refused one was kept");
}

/// How long a connection stays open on which these pieces are sent, one each half second.
fn stays(world: &World, first: &[u8], drip: u8) -> Duration {
    let mut stream = TcpStream::connect(world.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.write_all(first).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        match stream.read(&mut [0; 4096]) {
            Ok(0) => break,
            Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            _ => {}
        }
        if drip != 0 && stream.write_all(&[drip]).is_err() {
            break;
        }
    }
    begun.elapsed()
}

#[test]
fn whoever_says_nothing_drips_a_head_or_stays_idle_gives_its_place_back() {
    let world = World::new();
    let idle = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    for (first, drip) in
        [(&b""[..], 0), (b"GET /healthz HTTP/1.1\r\nx: ", b'x'), (idle, 0), (b"PRI * HTTP/2.0", 0)]
    {
        let stayed = stays(&world, first, drip);
        assert!((2..6).contains(&stayed.as_secs()), "{stayed:?} after {}", String::from_utf8_lossy(first));
    }
}

#[test]
fn a_spent_quota_and_a_full_house_say_when_to_come_back_and_nothing_is_stored() {
    let world = World::new();
    world.until_ready(true);
    let null = Value::Null;
    assert_eq!(world.by("spent", "GET", "/v1/tenants", &null).status, 200);
    // In debt for a thousand seconds.
    world.api.quota.owe("spent", Cost { requests: 1_000, ..Cost::default() });
    let refused = world.by("spent", "GET", "/v1/tenants", &null);
    assert_eq!((refused.status, &refused.json()["code"]), (429, &Code::QuotaSpent.number().into()));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((500..=1_001).contains(&wait), "{wait}");
    assert_eq!(world.by("operator", "GET", "/v1/tenants", &null).status, 200, "another tenant may");

    // Room for two bodies of the longest kind is taken: a deposit is refused before its body is read.
    let arriving = world.api.arriving.clone();
    let held = arriving.try_acquire_many(2 * 1024).unwrap();
    let full = world.by("party", "POST", "/v1/deposits", &deposit(b"one"));
    assert_eq!((full.status, &full.json()["code"]), (429, &Code::QueueFull.number().into()));
    assert_eq!(full.header("retry-after"), Some("1"));
    let metrics = String::from_utf8(world.ask("GET", "/metrics", &[], b"").body).unwrap();
    for line in [
        "zeugma_evidence_quota_refusals_total{tenant=\"spent\"}",
        "zeugma_evidence_arriving_bytes 2097152",
        "zeugma_evidence_requests_in_flight 0",
        "zeugma_evidence_reads_in_flight 0",
        "zeugma_evidence_audit_acts_total",
    ] {
        assert!(metrics.lines().any(|found| found.starts_with(line)), "{line} is missing in\n{metrics}");
    }
    drop(held);
    assert_eq!(world.logged(b"one"), "/v1/entries/0/0", "nothing of the refused one was kept");
    assert_eq!(world.api.arriving.available_permits(), 2 * 1024, "and its room is given back");
}
