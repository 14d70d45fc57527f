//! Time authorities behind the running service: OpenSSL over HTTP, honest and lying, and what stands in the bundle.
#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_anchors::testkit::{Hosted, Manner, OpensslAuthority};
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::note::NoteBounds;
use zeugma_evidence_service::{Config, run};
use zeugma_evidence_verify::bundle::stamped_message;
use zeugma_evidence_verify::report::{Integrity, Word};
use zeugma_evidence_verify::{Bundle, Policy, Question, Report, Subject, verify};
use zeugma_proof::testkit::TestNetwork;
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _};

const FILE: &[u8] = b"the agreement of the parties";

/// Two authorities, each with a root of its own, and a folder for the service.
struct World {
    first: Hosted,
    second: Hosted,
    folder: TempDir,
}

fn world(first: Manner, second: Manner) -> World {
    let folder = TempDir::new().unwrap();
    let made = |name: &str| Arc::new(OpensslAuthority::new(&folder.path().join(name), name));
    let (one, two) = (made("one"), made("two"));
    let hosted =
        |one: &Arc<_>, other: &Arc<_>, manner| Hosted::new(Arc::clone(one), Arc::clone(other), manner);
    World { first: hosted(&one, &two, first), second: hosted(&two, &one, second), folder }
}

impl World {
    fn config(&self) -> Config {
        let log = self.folder.path().join("log");
        let authority = |institution: &str, hosted: &Hosted| {
            let (url, root) = (hosted.url(), hosted.authority.root());
            format!("[[authority]]\ninstitution = \"{institution}\"\nurl = \"{url}\"\nanchor = {root:?}\n")
        };
        let text = format!(
            "[log]\nfolder = {log:?}\norigin = \"log.example/one\"\npublish_milliseconds = 20\n\
             [api]\nlisten = \"127.0.0.1:0\"\n\
             [stamping]\nevery_seconds = 1\ntimeout_seconds = 2\nrest_seconds = 1\nneeded = 2\n{}{}",
            authority("institute-one", &self.first),
            authority("institute-two", &self.second)
        );
        Config::from_toml(&text).unwrap()
    }

    fn start(&self) -> Service {
        Service::start(self.config())
    }
}

struct Service {
    address: SocketAddr,
    token: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn start(config: Config) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(run(config, stopped, |started| send.send(started.clone()).unwrap())).unwrap();
        });
        let started = started.recv().unwrap();
        let token = std::fs::read_to_string(started.token_file.unwrap()).unwrap().trim().to_owned();
        Self { address: started.address, token, stop, thread: Some(thread) }
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let request = ureq::get(format!("http://{}{path}", self.address));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        request.call().unwrap().body_mut().read_to_vec().unwrap()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path)).unwrap()
    }

    fn metrics(&self) -> String {
        String::from_utf8(self.get("/metrics")).unwrap()
    }

    fn deposit(&self) {
        let item = json!({
            "digests": { "sha-256": hex::encode(sha256(&[FILE])) },
            "media_type": "text/plain",
            "size": FILE.len(),
            "origin": "a contract archive",
            "custom": {},
        });
        let request = ureq::post(format!("http://{}/v1/deposits", self.address));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        request.send(json!({ "items": [item] }).to_string()).unwrap();
    }

    /// The entry once what is asked of it is so.
    fn entry(&self, what: impl Fn(&Value) -> bool) -> Value {
        let mut entry = Value::Null;
        for _ in 0..200 {
            entry = self.json("/v1/entries/0/0");
            if what(&entry) {
                return entry;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it never came: {entry}");
    }

    fn bundle(&self) -> (Vec<u8>, Bundle) {
        let bytes = self.get("/v1/entries/0/0/bundle");
        let bundle = Bundle::from_bytes(&bytes).unwrap();
        (bytes, bundle)
    }

    fn policy(&self) -> Policy {
        Policy::from_bytes(&self.get("/v1/policy")).unwrap()
    }

    fn end(mut self) {
        self.stop.send(true).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn judge(bundle: &[u8], policy: &Policy) -> Report {
    let trust = TestNetwork::new(4).trust_file();
    let time = BlockTime::new(4_000_000_000_000);
    verify(&Question { bundle, subject: Subject::File(FILE), trust: &trust, policy, time }).unwrap()
}

fn stamped(report: &Report) -> Vec<&str> {
    let mut by: Vec<_> = report.anchored.iter().map(|moment| moment.by.as_str()).collect();
    by.sort_unstable();
    by
}

fn too_few(report: &Report) -> Option<&str> {
    let line = report.not_shown.iter().find(|line| line.word == Word::TooFewAuthorities);
    line.map(|line| line.detail.as_str())
}

/// What the bundle's time-stamps are over, put together here from the text of its notes.
fn message(bundle: &Bundle) -> Vec<u8> {
    let text = |note: &str| {
        let note = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
        note.note().text.to_owned()
    };
    let second = bundle.logging.second.as_ref().map(|second| text(&second.note));
    stamped_message(&text(&bundle.logging.first.note), second.as_deref())
}

#[test]
fn two_authorities_stamp_the_checkpoint_and_the_report_counts_how_many_the_policy_asks_for() {
    let world = world(Manner::Honest, Manner::Honest);
    let service = world.start();
    let policy = service.policy();
    let listed: Vec<_> = policy.authorities.iter().map(|one| one.institution.as_str()).collect();
    assert_eq!((listed.as_slice(), policy.authorities_needed), (&["institute-one", "institute-two"][..], 2));
    service.deposit();
    let entry = service.json("/v1/entries/0/0?wait=20&for=stamped");
    let stamps = entry["stamps"].as_array().unwrap();
    assert_eq!(stamps.len(), 2, "{entry}");
    assert!(stamps.iter().all(|one| one["stamped_at"].is_u64() && one["pending_age_seconds"].is_null()));

    let (bytes, bundle) = service.bundle();
    let report = judge(&bytes, &policy);
    assert_eq!(stamped(&report), ["institute-one", "institute-two"]);
    assert_eq!((report.integrity, too_few(&report)), (Integrity::Proven, None));
    // Two of two, one of two, three of two.
    let asks = |needed, change: &dyn Fn(&mut Policy)| {
        let mut policy = Policy { authorities_needed: needed, ..policy.clone() };
        change(&mut policy);
        judge(&bytes, &policy)
    };
    let report = asks(3, &|_| ());
    assert_eq!((report.integrity == Integrity::Proven, too_few(&report)), (false, Some("2/3")));
    let report = asks(2, &|policy| drop(policy.authorities.remove(0)));
    assert_eq!((stamped(&report).as_slice(), too_few(&report)), (&["institute-two"][..], Some("1/2")));
    let one =
        |policy: &mut Policy| policy.authorities.iter_mut().for_each(|one| one.institution = "one".into());
    assert_eq!(too_few(&asks(2, &one)), Some("1/2"), "one institution counts once");
    assert_eq!(too_few(&asks(1, &one)), None);

    let message = message(&bundle);
    for (stamp, hosted) in bundle.stamps.iter().zip([&world.first, &world.second]) {
        hosted.authority.verify(&stamp.token, &message).unwrap();
    }
    assert!(
        world.second.authority.verify(&bundle.stamps[0].token, &message).is_err(),
        "the oracle can refuse"
    );
    // Nothing new, nothing asked: one request for a checkpoint and an authority.
    assert_eq!((world.first.asked(), world.second.asked()), (1, 1));
    service.end();
}

#[test]
fn a_lying_authority_is_named_holds_up_nobody_and_is_believed_when_it_tells_the_truth() {
    for (manner, code) in [
        (Manner::WrongImprint, Code::WrongImprint),
        (Manner::OtherChain, Code::UntrustedChain),
        (Manner::Stalled, Code::TooSlow),
        (Manner::Oversize, Code::TooLong),
    ] {
        let world = world(manner, Manner::Honest);
        let service = world.start();
        service.deposit();
        let number = code.number();
        let entry = service.entry(|entry| {
            entry["stamps"][1]["stamped_at"].is_u64() && entry["stamps"][0]["refusal"]["code"] == number
        });
        let pending = &entry["stamps"][0];
        assert_eq!(pending["institution"], "institute-one", "{entry}");
        assert!(pending["stamped_at"].is_null() && pending["pending_age_seconds"].is_u64(), "{entry}");
        let status = service.json("/v1/status")["stamping"].clone();
        assert_eq!((&status[0]["pending"], &status[0]["refusal"]["code"]), (&json!(1), &json!(number)));
        assert_eq!((&status[1]["pending"], &status[1]["stamps"]), (&json!(0), &json!(1)), "{status}");
        let label = format!("institution=\"institute-one\",url=\"{}\"", world.first.url());
        let metrics = service.metrics();
        assert!(metrics.contains(&format!("zeugma_evidence_stamps_pending{{{label}}} 1\n")), "{metrics}");
        let refusals = format!("zeugma_evidence_stamp_refusals_total{{{label},code=\"{number}\"}} ");
        assert!(metrics.contains(&refusals), "{metrics}");

        let policy = service.policy();
        let (bytes, bundle) = service.bundle();
        let report = judge(&bytes, &policy);
        assert_eq!((bundle.stamps.len(), too_few(&report)), (1, Some("1/2")), "{manner:?}");
        assert_ne!(report.integrity, Integrity::Proven);

        world.first.turn(Manner::Honest);
        let entry = service.json("/v1/entries/0/0?wait=20&for=stamped");
        assert!(entry["stamps"][0]["stamped_at"].is_u64(), "{manner:?}: {entry}");
        let report = judge(&service.bundle().0, &policy);
        assert_eq!((report.integrity, too_few(&report)), (Integrity::Proven, None));
        assert!(world.first.asked() > world.second.asked(), "it was asked again");
        service.end();
    }
}

#[test]
fn a_restart_keeps_the_time_stamps_that_are_there_and_asks_for_those_that_are_not() {
    let world = world(Manner::Honest, Manner::Unavailable);
    let service = world.start();
    service.deposit();
    service.entry(|entry| entry["stamps"][0]["stamped_at"].is_u64());
    let first = service.bundle().1.stamps.remove(0);
    service.end();

    world.second.turn(Manner::Honest);
    let service = world.start();
    service.entry(|entry| entry["stamps"][1]["stamped_at"].is_u64());
    let stamps = service.bundle().1.stamps;
    assert_eq!((stamps.len(), &stamps[0]), (2, &first));
    assert_eq!(world.first.asked(), 1, "what is there is not asked for again");
    service.end();
}

#[test]
fn the_service_does_not_start_with_an_x509_certificate_that_is_none() {
    let world = world(Manner::Honest, Manner::Honest);
    let mut config = world.config();
    let start = |config: Config| {
        let (_stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(config, stopped, |_| ())).unwrap_err().to_string()
    };
    let path = world.folder.path().join("none.pem");
    config.authority[0].anchor.clone_from(&path);
    assert!(start(config.clone()).contains("none.pem"), "a file that is not there is named");
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").unwrap();
    let said = start(config.clone());
    assert!(said.contains("the log:"), "{said}");
    config.authority[0] = config.authority[1].clone();
    let twice = start(config);
    assert!(twice.contains("institute-two twice"), "{twice}");
    assert_eq!(Hosted::asked(&world.first), 0);
}

#[test]
fn a_flipped_byte_of_a_time_stamp_is_found_by_whoever_verifies() {
    let world = world(Manner::Honest, Manner::Honest);
    let service = world.start();
    service.deposit();
    service.json("/v1/entries/0/0?wait=20&for=stamped");
    let (policy, (_, bundle)) = (service.policy(), service.bundle());
    let trust = TestNetwork::new(4).trust_file();
    for at in (0..bundle.stamps[1].token.len()).step_by(37) {
        let mut altered = bundle.clone();
        altered.stamps[1].token[at] ^= 1;
        let bytes = altered.sealed().to_bytes();
        let time = BlockTime::new(4_000_000_000_000);
        let question =
            Question { bundle: &bytes, subject: Subject::File(FILE), trust: &trust, policy: &policy, time };
        let believed = verify(&question).is_ok_and(|report| report.integrity == Integrity::Proven);
        assert!(!believed, "byte {at}");
    }
    service.end();
}
