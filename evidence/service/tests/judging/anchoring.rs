//! Every shard is anchored to its end, whatever was rolled when, and the chain being away.

use crate::force::chain;
use crate::world::*;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use zeugma_evidence_log::{Field, Record, Seed};
use zeugma_evidence_service::store::{self, Batch, Deposit, FjallIndex, Log, RealDisk};
use zeugma_evidence_verify::report::{Integrity, Word};
use zeugma_evidence_verify::{Bundle, Policy, Question, Subject, verify};
use zeugma_types::{BlockTime, Code, Decode as _};

/// Closes the shard of a service that ended, with one entry more that no checkpoint covers, and opens the next.
fn roll(folder: &Path, origin: &str, next: &str) {
    let root = folder.join("log");
    let index = Arc::new(FjallIndex::open(&root.join("index")).unwrap());
    let log = Log::open(store::Config::new(root, origin), Arc::new(RealDisk), index).unwrap();
    assert!(log.wait_ready(std::time::Duration::from_secs(10)));
    let record = Record::new(vec![
        Field::Sha256(zeugma_crypto::hash::sha256(&[b"unpublished"])),
        Field::MediaType("text/plain".into()),
        Field::Size(1),
        Field::Submitter("local".into()),
        Field::Source("archive".into()),
    ]);
    let deposit = Deposit {
        tenant: "local".into(),
        record: record.unwrap(),
        seed: Seed::new([5; 32]),
        received_at: 1_795_000_000_000,
    };
    log.append(Batch { items: vec![log.prepare(deposit).unwrap()], key: None }).unwrap();
    log.roll(next).unwrap();
}

#[test]
fn the_tail_of_a_rolled_shard_is_published_and_anchored_under_its_own_origin() {
    let folder = TempDir::new().unwrap();
    let (node, network) = chain(folder.path());
    let service = Service::start(config(folder.path(), &network));
    service.deposit(&[lawful(b"one")]);
    service.get("/v1/entries/0/0?wait=20&for=anchored");
    node.set_away(true);
    service.deposit(&[lawful(b"two")]);
    assert_eq!(service.get("/v1/entries/0/1?wait=10&for=logged")["state"], "logged");
    service.end();
    roll(folder.path(), "log.example/one", "log.example/two");

    // Another shard is rolled at once: two closed ones wait, and the open one.
    roll_empty(folder.path(), "log.example/two", "log.example/three");
    node.set_away(false);
    let service = Service::start(config_as("log.example/three", folder.path(), &network));
    service.deposit(&[lawful(b"three")]);
    for entry in ["0/1", "0/2", "2/0"] {
        let standing = service.get(&format!("/v1/entries/{entry}?wait=20&for=anchored"));
        assert_eq!(standing["state"], "anchored", "{entry}: {standing}");
    }
    let status = service.get("/v1/status");
    let shards: Vec<_> = status["shards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["origin"].as_str().unwrap().to_owned(),
                one["durable"].as_u64().unwrap(),
                one["anchored"].as_u64(),
            )
        })
        .collect();
    assert_eq!(
        shards,
        [
            ("log.example/one".to_owned(), 3, Some(3)),
            ("log.example/two".to_owned(), 0, None),
            ("log.example/three".to_owned(), 1, Some(1))
        ]
    );

    // Each shard has a policy of its own, and the bundle is shown under that one alone.
    let bytes = service.bytes("/v1/entries/0/2/bundle");
    let bundle = Bundle::from_bytes(&bytes).unwrap();
    assert!(bundle.proof.is_some());
    let trust = node.trust_file();
    let time = BlockTime::new(trust.issued_at.get() + 60_000);
    let judge = |policy: &Policy| {
        let subject = Subject::File(b"unpublished");
        verify(&Question { bundle: &bytes, subject, trust: &trust, policy, time })
    };
    let policy = |path: &str| Policy::from_bytes(&service.bytes(path)).unwrap();
    let report = judge(&policy("/v1/policy?shard=0")).unwrap();
    assert_eq!(report.integrity, zeugma_evidence_verify::report::Integrity::Proven, "{report:?}");
    assert_eq!(report.anchored.len(), 1, "{report:?}");
    for path in ["/v1/policy", "/v1/policy?shard=1"] {
        assert_eq!(judge(&policy(path)).unwrap_err().code, Code::WrongOrigin, "{path}");
    }
    assert_eq!(service.ask("GET", "/v1/policy?shard=9", &Value::Null).0, 404);
    // Nothing is anchored twice.
    let count = node.anchored();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(node.anchored(), count);
    service.end();
}

#[test]
fn one_policy_is_for_every_shard_that_is_named_below_the_log() {
    let folder = TempDir::new().unwrap();
    let (node, network) = chain(folder.path());
    let service = Service::start(config(folder.path(), &network));
    service.deposit(&[lawful(b"one")]);
    service.get("/v1/entries/0/0?wait=20&for=anchored");
    let kept = service.bytes("/v1/policy");
    service.end();
    let shard = "log.example/one/shard/2027";
    roll(folder.path(), "log.example/one", shard);
    let service = Service::start(config_as(shard, folder.path(), &network));
    service.deposit(&[lawful(b"two")]);
    for entry in ["0/1", "1/0"] {
        let standing = service.get(&format!("/v1/entries/{entry}?wait=20&for=anchored"));
        assert_eq!(standing["state"], "anchored", "{entry}: {standing}");
    }
    for path in ["/v1/policy", "/v1/policy?shard=0", "/v1/policy?shard=1"] {
        assert_eq!(service.bytes(path), kept, "{path}");
    }
    let policy = Policy::from_bytes(&kept).unwrap();
    assert_eq!(policy.origin, "log.example/one");
    let trust = node.trust_file();
    let time = BlockTime::new(trust.issued_at.get() + 60_000);
    for (entry, content, of_shard) in
        [("0/0", &b"one"[..], false), ("0/1", b"unpublished", false), ("1/0", b"two", true)]
    {
        let bytes = service.bytes(&format!("/v1/entries/{entry}/bundle"));
        let subject = Subject::File(content);
        let report =
            verify(&Question { bundle: &bytes, subject, trust: &trust, policy: &policy, time }).unwrap();
        assert_eq!(report.integrity, Integrity::Proven, "{entry}: {report:?}");
        assert_eq!(report.anchored.len(), 1, "{entry}: {report:?}");
        let named = report.shown.iter().find(|line| line.word == Word::InShard);
        assert_eq!(named.map(|line| line.detail.as_str()), of_shard.then_some(shard), "{entry}");
    }
    service.end();
}

fn roll_empty(folder: &Path, origin: &str, next: &str) {
    let root = folder.join("log");
    let index = Arc::new(FjallIndex::open(&root.join("index")).unwrap());
    let log = Log::open(store::Config::new(root, origin), Arc::new(RealDisk), index).unwrap();
    log.roll(next).unwrap();
}
