//! Our witness and the omniwitness cosign one log, and the client of the transparency-dev project judges both.

use crate::service::{Service, key};
use crate::{NEXT, ORIGIN, STEP, WITNESS};
use base64::Engine as _;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use zeugma_evidence_log::VerifierKey;
use zeugma_evidence_service::witness::{StartedWitness, Witness, WitnessConfig, WitnessKeys, serve};
use zeugma_peers::{KnownLog, Omniwitness, TlogReader, WitnessClient, until};

const COURT: &str = "court.example/witness";

/// Our witness on loopback.
struct Court {
    started: StartedWitness,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Court {
    /// Starts it in the folder, which is made with its keys if it is not there.
    fn start(folder: &Path, log_key: &str) -> Self {
        let text = format!(
            "[witness]\nname = \"{COURT}\"\nfolder = {folder:?}\nlisten = \"127.0.0.1:0\"\n[[log]]\norigin = \"{ORIGIN}\"\nkeys = [\"{log_key}\"]\n"
        );
        let config = WitnessConfig::from_toml(&text).unwrap();
        if !folder.exists() {
            std::fs::create_dir(folder).unwrap();
            let keys = WitnessKeys::make(&config.keys_file(), COURT).unwrap();
            Witness::init(&config.home().unwrap(), &keys).unwrap();
        }
        let (stop, stopped) = watch::channel(false);
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(serve(config, stopped, |started| send.send(started.clone()).unwrap())).unwrap();
        });
        Self { started: started.recv().unwrap(), stop, thread }
    }

    fn url(&self) -> String {
        format!("http://{}", self.started.address)
    }

    fn end(self) {
        self.stop.send(true).unwrap();
        self.thread.join().unwrap();
    }
}

/// The omniwitness tells its key as of a log; its cosignatures are of the other type.
fn cosigning_key(witness: &Omniwitness) -> String {
    let public = witness.key().splitn(3, '+').nth(2).unwrap();
    let public = base64::engine::general_purpose::STANDARD.decode(public).unwrap();
    VerifierKey::cosignature(WITNESS, public[1..].try_into().unwrap()).unwrap().to_text()
}

#[test]
fn a_log_is_cosigned_by_ours_and_by_the_omniwitness_and_their_own_client_verifies_both() {
    let (reader, client) = (TlogReader::install().unwrap(), WitnessClient::install().unwrap());
    let desk = TempDir::new().unwrap();
    let folder = desk.path().join("log");
    std::fs::create_dir(&folder).unwrap();
    let own = key(&folder, ORIGIN);
    let known = [KnownLog { origin: ORIGIN.to_owned(), key: own.clone() }];
    let omni = Omniwitness::start(WITNESS, &known, &reader).unwrap();
    let court = Court::start(&desk.path().join("court"), &own);
    let omni_key = cosigning_key(&omni);
    let [first, second] = court.started.keys.clone();
    let more = format!(
        "[[witness]]\ninstitution = \"court\"\nurl = \"{}\"\nkeys = [\"{first}\", \"{second}\"]\n\
         [[witness]]\ninstitution = \"strangers\"\nurl = \"http://{}\"\nkeys = [\"{omni_key}\"]\n",
        court.url(),
        omni.address()
    );

    // The service asks both, and publishes what it got: the log's two keys, ours twice, theirs once.
    let service = Service::start_with(&folder, ORIGIN, &more);
    let all = [own.as_str(), &first, &second, &omni_key];
    let mut older: Vec<String> = Vec::new();
    for (from, size) in [(0, 700), (700, 701), (701, 1_337)] {
        service.deposit(from..size, size);
        let note = until("both cosignatures", Duration::from_secs(60), || {
            Ok(Some(service.checkpoint(0)).filter(|note| note.matches('\u{2014}').count() == 5))
        })
        .unwrap();
        let text = client.verify(&note, &all).unwrap();
        assert!(text.starts_with(&format!("{ORIGIN}\n{size}\n")), "{text}");
        let changed = note.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1), 1);
        client.verify(&changed, &all).unwrap_err();
        let older_notes: Vec<&str> = older.iter().map(String::as_str).collect();
        assert_eq!(reader.read(&service.url(0), &own, STEP, &older_notes).unwrap()["size"], size);
        older.push(note);
    }

    // Their client understands every answer of ours.
    let newest = older.last().unwrap();
    let ask = |old: u64, proof: &[String], note: &str| client.update(&court.url(), old, proof, note).unwrap();
    let proof = reader.prove(&service.url(0), &own, 700).unwrap();
    assert_eq!(ask(0, &[], newest), "stale 1337\n");
    assert_eq!(ask(700, &proof, newest), "stale 1337\n");
    assert_eq!(ask(1_337, &proof, newest), "invalid proof\n");
    assert_eq!(ask(1_338, &[], newest), "old size invalid\n");
    assert!(ask(1_337, &[], newest).starts_with("cosigned\n\u{2014} court.example/witness "));
    assert_eq!(ask(1_337, &[], &newest.replacen("\n1337\n", "\n1338\n", 1)), "no valid signature\n");
    service.end();

    // A fork of the right key: another store under the same keys.
    let fork = desk.path().join("fork");
    std::fs::create_dir(&fork).unwrap();
    std::fs::copy(folder.join("keys.json"), fork.join("keys.json")).unwrap();
    let forked = Service::start(&fork, ORIGIN);
    forked.deposit(5_000..6_337, 1_337);
    let twin = forked.checkpoint(0);
    assert_eq!(ask(1_337, &[], &twin), "root mismatch\n");
    forked.deposit(6_337..6_400, 1_400);
    let proof = reader.prove(&forked.url(0), &own, 1_337).unwrap();
    assert_eq!(ask(1_337, &proof, &forked.checkpoint(0)), "invalid proof\n");
    forked.end();
    let kept = std::fs::read_dir(desk.path().join("court/contradictions")).unwrap().count();
    assert_eq!(
        kept, 2,
        "the fork of one size and the longer one; the honest checkpoint with a wrong proof is none"
    );

    // Another log, by its own origin, is none of this witness's; and after a restart it remembers.
    let other = Service::start(&desk.path().join("other"), NEXT);
    other.deposit(0..3, 3);
    assert_eq!(ask(0, &[], &other.checkpoint(0)), "unknown log\n");
    other.end();
    court.end();
    let court = Court::start(&desk.path().join("court"), &own);
    assert_eq!(client.update(&court.url(), 0, &[], newest).unwrap(), "stale 1337\n");
    court.end();
}
