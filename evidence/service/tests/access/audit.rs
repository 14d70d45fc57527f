//! The audit log: what is in it, that an auditor can prove it, and that altering it is found.

use crate::roles::{add, problem};
use crate::world::{Service, item, tenant};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use zeugma_evidence_service::access::Role;
use zeugma_evidence_service::audit::open_desk;
use zeugma_evidence_service::keys::Keys;
use zeugma_evidence_service::store::Fsck;
use zeugma_evidence_service::{Config, config};
use zeugma_evidence_verify::{Policy, Question, Subject, verify};
use zeugma_proof::testkit::TestNetwork;
use zeugma_types::{BlockTime, Code, Decode as _};

/// All acts, by pages of `limit`.
fn acts(service: &Service, token: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut from) = (Vec::new(), "0/0".to_owned());
    loop {
        let answer = service.get(token, &format!("/v1/audit?from={from}&limit={limit}"));
        assert_eq!(answer.status, 200);
        let page = answer.json();
        let found = page["acts"].as_array().unwrap();
        all.extend(found.iter().cloned());
        from = page["next"].as_str().unwrap().to_owned();
        // Each page is an act itself: there is always one more.
        if found.len() < limit || all.len() > 200 {
            return all;
        }
    }
}

fn told(act: &Value) -> (String, String, String, String) {
    let text = |name: &str| act[name].as_str().unwrap_or("-").to_owned();
    (text("tenant"), text("what"), text("entry"), text("outcome"))
}

fn fsck(folder: &Path) -> Result<Fsck, zeugma_types::Refusal> {
    let log = config::LogConfig {
        folder: folder.to_owned(),
        origin: "log.example/one".to_owned(),
        ..config::LogConfig::default()
    };
    let config = Config { log, ..Config::default() };
    let keys = Keys::open(&folder.join("keys.json")).unwrap();
    open_desk(&config, &keys)?.fsck(false)
}

fn segment(folder: &Path) -> PathBuf {
    let folder = folder.join("audit/shards/0/segments");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).min().unwrap()
}

#[test]
fn every_read_and_every_change_is_an_act_with_its_outcome_and_reading_the_acts_is_one() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &(tenant("one", "party") + tenant("two", "judge").as_str()));
    let auditor = add(&folder, "supervision", Role::Regulator);
    assert_eq!(service.deposit("one", &[item(b"a", "1")]).status, 201);
    assert_eq!(service.get("one", "/v1/entries/0/0?wait=10").status, 200);
    assert_eq!(service.get("one", "/v1/entries/0/0/bundle").status, 200);
    assert_eq!(service.get("two", "/v1/entries/0/0/receipt").status, 404);
    assert_eq!(service.ask("two", "DELETE", "/v1/entries/0/0", &Value::Null).status, 403);
    assert_eq!(service.deposit("two", &[item(b"b", "1")]).status, 403);
    assert_eq!(service.ask("one", "DELETE", "/v1/entries/0/0", &Value::Null).status, 204);
    assert_eq!(service.get("nobody", "/v1/entries/0/0").status, 401);
    let revoked = service.get(&auditor, "/v1/audit?limit=1");
    assert_eq!(revoked.status, 200);

    let all = acts(&service, &auditor, 3);
    let of_tenants: Vec<_> = all.iter().map(told).filter(|act| act.0 == "one" || act.0 == "two").collect();
    let act = |tenant: &str, what: &str, entry: &str, outcome: &str| {
        (tenant.to_owned(), what.to_owned(), entry.to_owned(), outcome.to_owned())
    };
    let refused = |code: Code| format!("{} {}", code.number(), code.name());
    assert_eq!(
        of_tenants,
        [
            act("one", "entry.standing", "0/0", "done"),
            act("one", "entry.bundle", "0/0", "done"),
            act("two", "entry.receipt", "0/0", &refused(Code::NoSuchEntry)),
            act("two", "entry.erase", "0/0", &refused(Code::WrongRole)),
            act("two", "deposit", "-", &refused(Code::WrongRole)),
            act("one", "entry.erase", "0/0", "begun"),
            act("one", "entry.erase", "0/0", "done"),
        ]
    );
    let reads: Vec<_> = all.iter().filter(|act| act["what"] == "audit.read").collect();
    assert!(reads.len() > 2 && reads.iter().all(|act| act["role"] == "regulator"), "{all:?}");
    assert!(all.iter().all(|act| act["at"].is_u64() && act["outcome"].is_string()), "{all:?}");
    problem(&service.get("one", "/v1/audit"), 403, Code::WrongRole);

    // A token made beside the running service is an act of the machine, and stays one act over a restart.
    let made = |service: &Service| {
        let all = acts(service, &auditor, 256);
        all.iter().filter(|act| act["what"] == "token.made" && act["role"] == "machine").count()
    };
    let start = std::time::Instant::now();
    while made(&service) == 0 {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(200));
    }
    service.end();
    let service = Service::start(folder.path(), &(tenant("one", "party") + tenant("two", "judge").as_str()));
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(made(&service), 1);
    service.end();
}

#[test]
fn an_auditor_proves_an_act_offline_and_the_public_tiles_show_nothing_of_it() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(
        folder.path(),
        &(tenant("a-telling-name", "party") + tenant("op", "operator").as_str()),
    );
    assert_eq!(service.deposit("a-telling-name", &[item(b"a", "1")]).status, 201);
    assert_eq!(service.get("a-telling-name", "/v1/entries/0/0/receipt").status, 200);
    let mut act = acts(&service, "op", 256).into_iter().find(|act| act["what"] == "entry.receipt").unwrap();
    let (shard, index) = (act["shard"].clone(), act["index"].clone());
    act.as_object_mut().unwrap().remove("shard");
    act.as_object_mut().unwrap().remove("index");
    let line = act.to_string();

    let path = format!("/v1/audit/{shard}/{index}/bundle");
    let bundle = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(20));
        service.get("op", &path)
    });
    let bundle = bundle.take(500).find(|answer| answer.status == 200).unwrap().body;
    let policy = Policy::from_bytes(&service.get("", "/v1/audit/policy").body).unwrap();
    assert_eq!(policy.origin, "log.example/one/audit");
    let trust = TestNetwork::new(4).trust_file();
    let judge = |file: &[u8]| {
        let (subject, time) = (Subject::File(file), BlockTime::new(4_000_000_000_000));
        let report = verify(&Question { bundle: &bundle, subject, trust: &trust, policy: &policy, time });
        report
            .map(|report| format!("{:?}", report.integrity))
            .unwrap_or_else(|refusal| refusal.code.name().to_owned())
    };
    assert_ne!(judge(line.as_bytes()), judge(b"another line"));
    assert_eq!(judge(b"another line"), "Refuted");
    let other = policy_of_the_log(&service);
    let (subject, time) = (Subject::File(line.as_bytes()), BlockTime::new(4_000_000_000_000));
    let question = Question { bundle: &bundle, subject, trust: &trust, policy: &other, time };
    assert!(verify(&question).is_err(), "an act is no entry of the evidence log");

    let note = String::from_utf8(service.get("", "/audit/0/checkpoint").body).unwrap();
    assert!(note.starts_with("log.example/one/audit\n"), "{note}");
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    let tile = service.get("", &format!("/audit/0/tile/entries/000.p/{size}"));
    assert_eq!(tile.status, 200);
    let shows = |part: &[u8]| tile.body.windows(part.len()).any(|window| window == part);
    assert!(!shows(b"a-telling-name") && !shows(b"entry.") && !shows(b"done"));
    service.end();
}

fn policy_of_the_log(service: &Service) -> Policy {
    Policy::from_bytes(&service.get("", "/v1/policy").body).unwrap()
}

#[test]
fn an_act_that_was_altered_or_overwritten_or_cut_off_is_found() {
    let folder = TempDir::new().unwrap();
    let service =
        Service::start(folder.path(), &(tenant("one", "party") + tenant("op", "operator").as_str()));
    assert_eq!(service.deposit("one", &[item(b"a", "1")]).status, 201);
    for _ in 0..5 {
        assert_eq!(service.get("one", "/v1/entries/0/0").status, 200);
    }
    let size = |service: &Service| service.get("op", "/v1/audit?limit=1").json()["published"].as_u64();
    while size(&service).unwrap_or(0) < 5 {
        std::thread::sleep(Duration::from_millis(20));
    }
    service.end();
    let report = fsck(folder.path()).unwrap();
    assert!(report.findings.is_empty() && report.entries >= 6, "{report:?}");

    let path = segment(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let act = b"\"what\":\"entry.standing\"";
    let at = whole.windows(act.len()).position(|window| window == act).unwrap();
    let mut altered = whole.clone();
    altered[at + 9] ^= 1;
    std::fs::write(&path, &altered).unwrap();
    let found = fsck(folder.path());
    assert!(found.as_ref().map_or(true, |report| !report.is_clean()), "{found:?}");
    // The end cut off: a published checkpoint knows more.
    std::fs::write(&path, &whole[..at]).unwrap();
    assert_eq!(fsck(folder.path()).unwrap_err().code, Code::TailLost);
    std::fs::write(&path, &whole).unwrap();
    assert!(fsck(folder.path()).unwrap().is_clean(), "as it was, nothing is found");
}
