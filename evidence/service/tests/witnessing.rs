//! Witnesses beside the running service, over HTTP on loopback: what they cosign stands in the published checkpoint and in
//! bundles, and strangers verify it.
#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::watch;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::{NoteBounds, VerifierKey};
use zeugma_evidence_service::keys::Keys;
use zeugma_evidence_service::witness::{
    Home, Machine, StartedWitness, Witness, WitnessConfig, WitnessKeys, serve,
};
use zeugma_evidence_service::{Config, run};
use zeugma_evidence_verify::report::{Integrity, Word};
use zeugma_evidence_verify::{Bundle, Policy, Question, Subject, verify};
use zeugma_proof::testkit::TestNetwork;
use zeugma_types::{BlockTime, Decode as _, Encode as _};

#[allow(dead_code, reason = "another test asks more of it")]
#[path = "common/certified.rs"]
mod certified;
#[path = "witnessing/secured.rs"]
mod secured;

use certified::Root;

const ORIGIN: &str = "log.example/one";

/// A server on a thread of its own.
struct Running<T> {
    started: T,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Clone + Send + 'static> Running<T> {
    fn start<F>(serve: impl FnOnce(watch::Receiver<bool>, mpsc::Sender<T>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()>,
    {
        let (stop, stopped) = watch::channel(false);
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(serve(stopped, send));
        });
        Self { started: started.recv().unwrap(), stop, thread: Some(thread) }
    }

    fn end(mut self) {
        self.stop.send(true).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn witness(folder: &Path, name: &str, log_key: &str, listen: &str) -> Running<StartedWitness> {
    witness_with(folder, name, log_key, listen, "")
}

fn witness_with(
    folder: &Path,
    name: &str,
    log_key: &str,
    listen: &str,
    more: &str,
) -> Running<StartedWitness> {
    let text = format!(
        "[witness]\nname = \"{name}\"\nfolder = {folder:?}\nlisten = \"{listen}\"\n{more}\n[[log]]\norigin = \"{ORIGIN}\"\nkeys = [\"{log_key}\"]\n"
    );
    let config = WitnessConfig::from_toml(&text).unwrap();
    if !folder.exists() {
        std::fs::create_dir(folder).unwrap();
        let keys = WitnessKeys::make(&config.keys_file(), name).unwrap();
        Witness::init(&config.home().unwrap(), &keys).unwrap();
    }
    Running::start(move |stop, send| async move {
        serve(config, stop, |started| send.send(started.clone()).unwrap()).await.unwrap();
    })
}

struct Service {
    running: Running<SocketAddr>,
    token: String,
}

impl Service {
    fn start(folder: &Path, extra: &str) -> Self {
        let text = format!(
            "[log]\nfolder = {folder:?}\norigin = \"{ORIGIN}\"\npublish_milliseconds = 20\n[api]\nlisten = \"127.0.0.1:0\"\n{extra}"
        );
        let config = Config::from_toml(&text).unwrap();
        let running = Running::start(move |stop, send| async move {
            run(config, stop, |started| send.send(started.address).unwrap()).await.unwrap();
        });
        let token = std::fs::read_to_string(folder.join("token")).unwrap().trim().to_owned();
        Self { running, token }
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let request = ureq::get(format!("http://{}{path}", self.running.started));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        request.call().unwrap().body_mut().read_to_vec().unwrap()
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.get(path)).unwrap()
    }

    /// Deposits a file, and says how long the receipt took.
    fn deposit(&self, file: &[u8]) -> Duration {
        let item = json!({
            "digests": { "sha-256": hex::encode(sha256(&[file])) },
            "media_type": "text/plain", "size": file.len(), "origin": "an archive", "custom": {},
        });
        let request = ureq::post(format!("http://{}/v1/deposits", self.running.started));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let began = Instant::now();
        request.send(json!({ "items": [item] }).to_string()).unwrap();
        began.elapsed()
    }

    /// The published checkpoint of this size once its cosigners are these.
    fn cosigned(&self, size: u64, names: &[&str]) -> String {
        let wanted: BTreeSet<&str> = names.iter().copied().collect();
        until(&format!("a checkpoint of {wanted:?}"), || {
            // Before the first is published there is none.
            let note = ureq::get(format!("http://{}/log/0/checkpoint", self.running.started)).call();
            let note = note.ok()?.body_mut().read_to_string().unwrap();
            let parsed = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
            let found: BTreeSet<&str> = parsed.note().signatures.iter().map(|line| line.name).collect();
            let found: BTreeSet<&str> = found.into_iter().filter(|name| *name != ORIGIN).collect();
            let sized = parsed.claimed().view.size.get() == size;
            (sized && found == wanted).then(|| note.clone())
        })
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came: {what}");
}

fn configured(institution: &str, started: &StartedWitness) -> String {
    let keys: Vec<String> = started.keys.iter().map(|key| format!("\"{key}\"")).collect();
    format!(
        "[[witness]]\ninstitution = \"{institution}\"\nurl = \"http://{}\"\nkeys = [{}]\n",
        started.address,
        keys.join(", ")
    )
}

fn log_key(folder: &Path) -> String {
    std::fs::create_dir_all(folder).unwrap();
    let keys = Keys::open(&folder.join("keys.json")).unwrap();
    keys.signers(ORIGIN, true).unwrap().first.key().to_text()
}

/// An address that nothing listens on.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn two_institutions_cosign_while_deposits_go_on_and_a_bundle_shows_each_once() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("log");
    let key = log_key(&folder);
    let court = witness(&home.path().join("court"), "court.example/witness", &key, "127.0.0.1:0");
    let notary = witness(&home.path().join("notary"), "notary.example/witness", &key, "127.0.0.1:0");
    // A third is away, and a fourth is the log's own operator, who counts for nothing as a witness.
    let operator = witness(&home.path().join("own"), "own.example/witness", &key, "127.0.0.1:0");
    let away = format!(
        "[[witness]]\ninstitution = \"away\"\nurl = \"http://{}\"\nkeys = [\"{}\"]\n",
        nowhere(),
        WitnessKeys::of("away.example/witness", &[[9; 32], [9; 32]]).unwrap().public()[0].to_text()
    );
    let asking =
        "[witnessing]\npatience_milliseconds = 300\ntimeout_seconds = 1\nrest_seconds = 1\nneeded = 2\n";
    let extra = format!(
        "{asking}{}{}{}{away}",
        configured("court", &court.started),
        configured("notary", &notary.started),
        configured(ORIGIN, &operator.started)
    );
    let service = Service::start(&folder, &extra);
    let names = ["court.example/witness", "notary.example/witness", "own.example/witness"];
    for round in 0_u8..5 {
        service.deposit(&[round]);
        let note = service.cosigned(u64::from(round) + 1, &names);
        let parsed = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
        // Both algorithms of each, once, behind the log's own two.
        assert_eq!(parsed.note().signatures.len(), 2 + 2 * 3);
        for key in [&court.started.keys, &notary.started.keys].into_iter().flatten() {
            assert!(parsed.require(&VerifierKey::parse(key).unwrap()).unwrap().at.is_some());
        }
    }

    let policy = Policy::from_bytes(&service.get("/v1/policy")).unwrap();
    assert_eq!((policy.witnesses.len(), policy.witnesses_needed), (7, 2));
    let bundle = Bundle::from_bytes(&service.get("/v1/entries/0/4/bundle")).unwrap();
    let network = TestNetwork::new(1);
    let trust = network.trust_file();
    let judged = |policy: &Policy| {
        let (bundle, subject) = (&bundle.to_bytes(), Subject::File(&[4]));
        let time = BlockTime::new(1_800_000_000_000);
        verify(&Question { bundle, subject, trust: &trust, policy, time }).unwrap()
    };
    let report = judged(&policy);
    assert_eq!(report.integrity, Integrity::Proven, "{report:?}");
    let witnessed: BTreeSet<String> =
        report.shown.iter().filter(|line| line.word == Word::Witnessed).map(|line| line.by.clone()).collect();
    assert_eq!(witnessed, ["court", "notary", ORIGIN].map(str::to_owned).into());
    // Six signatures are of three institutions; the operator is not one of the two that are needed.
    let asks = |needed| judged(&Policy { witnesses_needed: needed, ..policy.clone() }).integrity;
    assert_eq!((asks(2), asks(3)), (Integrity::Proven, Integrity::Undetermined));
    let all = |needed| judged(&Policy { institutions_needed: needed, ..policy.clone() }).integrity;
    assert_eq!((all(3), all(4)), (Integrity::Proven, Integrity::Undetermined));

    let metrics = service.text("/metrics");
    let value = |name: &str, institution: &str| {
        let begin = format!("{name}{{institution=\"{institution}\"");
        let line =
            metrics.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("{metrics}"));
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(value("zeugma_evidence_cosigned_size", "court"), 5);
    assert_eq!(value("zeugma_evidence_cosignature_pending_age_seconds", "court"), 0);
    assert_eq!(value("zeugma_evidence_cosignatures_total", "away"), 0);
    until("the witness that is away is told with its age", || {
        let status: Value = serde_json::from_slice(&service.get("/v1/status")).unwrap();
        let away = status["witnessing"].as_array().unwrap().iter().find(|one| one["institution"] == "away");
        let away = away.unwrap();
        (away["pending_age_seconds"].as_u64().unwrap() >= 1 && away["refusal"]["code"] == 784).then_some(())
    });
    service.running.end();
    court.end();
    notary.end();
    operator.end();
}

#[test]
fn a_witness_that_comes_back_is_asked_again_from_the_size_that_it_has() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("log");
    let key = log_key(&folder);
    let listen = nowhere();
    let start = || witness(&home.path().join("court"), "court.example/witness", &key, &listen);
    let court = start();
    let asking = "[witnessing]\npatience_milliseconds = 200\ntimeout_seconds = 1\nrest_seconds = 1\n";
    let service = Service::start(&folder, &format!("{asking}{}", configured("court", &court.started)));
    service.deposit(b"one");
    service.cosigned(1, &["court.example/witness"]);
    court.end();
    for file in 0_u8..20 {
        assert!(service.deposit(&[file]) < Duration::from_secs(5), "a receipt waits for no witness");
    }
    service.cosigned(21, &[]);
    let court = start();
    service.cosigned(21, &["court.example/witness"]);
    service.running.end();

    // The service starts anew and knows nothing of the witness: it is told the size.
    let service = Service::start(&folder, &format!("{asking}{}", configured("court", &court.started)));
    service.deposit(b"two");
    service.cosigned(22, &["court.example/witness"]);
    service.running.end();
    court.end();
}

#[test]
fn only_one_process_signs_and_a_state_that_is_gone_stops_it() {
    let home = TempDir::new().unwrap();
    let key = log_key(&home.path().join("log"));
    let folder = home.path().join("court");
    let court = witness(&folder, "court.example/witness", &key, "127.0.0.1:0");
    let text = format!(
        "[witness]\nname = \"court.example/witness\"\nfolder = {folder:?}\nlisten = \"127.0.0.1:0\"\n"
    );
    let config = WitnessConfig::from_toml(&text).unwrap();
    assert!(config.hold().unwrap_err().to_string().contains("another process"));
    court.end();
    drop(config.hold().unwrap());
    std::fs::remove_file(folder.join("state")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_stop, stopped) = watch::channel(false);
    let refused = runtime.block_on(serve(config.clone(), stopped, |_| ())).unwrap_err();
    assert!(refused.to_string().contains("the witness has keys and no state"), "{refused}");
    let elsewhere =
        Home { machine: Machine { id: "x".to_owned(), boot: "y".to_owned() }, ..config.home().unwrap() };
    Witness::init(&elsewhere, &config.keys().unwrap()).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let refused = runtime.block_on(serve(config, stopped, |_| ())).unwrap_err();
    assert!(refused.to_string().contains("machine x"), "{refused}");
}
