//! Two time authorities over HTTP that share no code, OpenSSL and the package of Digitorus: the service asks both, what it keeps
//! is accepted by `openssl ts -verify`, the policy counts them, and each of their lies is refused by its code.
#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_anchors::testkit::{Answers, Hosted, Manner, OpensslAuthority, Revocable};
use zeugma_evidence_anchors::{Authority, Client};
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::note::NoteBounds;
use zeugma_evidence_service::{Config, run};
use zeugma_evidence_verify::bundle::stamped_message;
use zeugma_evidence_verify::report::{Integrity, Word};
use zeugma_evidence_verify::{Bundle, Policy, Question, Report, Subject, verify};
use zeugma_peers::GoTsa;
use zeugma_proof::testkit::TestNetwork;
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _};

const FILE: &[u8] = b"the agreement of the parties";

/// What `openssl ts -verify` says of a token over data, under a root.
fn openssl_accepts(folder: &Path, token: &[u8], data: &[u8], root: &Path) -> bool {
    let at = |name: &str| folder.join(name);
    std::fs::write(at("token"), token).unwrap();
    std::fs::write(at("data"), data).unwrap();
    let done = Command::new("openssl")
        .args(["ts", "-verify", "-token_in", "-in"])
        .args([at("token").as_os_str(), "-data".as_ref(), at("data").as_os_str(), "-CAfile".as_ref()])
        .arg(root)
        .output();
    done.expect("this test needs the command `openssl`: install the package openssl").status.success()
}

#[test]
fn a_second_authority_is_believed_when_it_is_honest_and_each_of_its_lies_is_refused_by_its_code() {
    let (folder, tsa) = (TempDir::new().unwrap(), GoTsa::start().unwrap());
    let root = std::fs::read(tsa.root()).unwrap();
    let client = Client::new(Duration::from_secs(10));
    let ask = |manner: &str| {
        client.stamp(&Authority::new("institute", &tsa.url(manner), &root, &[]).unwrap(), FILE)
    };
    let answer = ask("tsa").unwrap();
    assert_eq!(
        (answer.stamped.signer(), answer.stamped.chain(), answer.stamped.policy()),
        ("go-tsa", 2, "1.2.3.4.7")
    );
    assert!(openssl_accepts(folder.path(), &answer.stamp.token, FILE, &tsa.root()));
    assert!(
        !openssl_accepts(folder.path(), &answer.stamp.token, b"another", &tsa.root()),
        "the oracle can refuse"
    );
    for (manner, code) in
        [("stranger", Code::UntrustedChain), ("nonce", Code::WrongNonce), ("imprint", Code::WrongImprint)]
    {
        let refusal = ask(manner).unwrap_err();
        assert_eq!(refusal.code, code, "{manner}: {refusal}");
    }
    ask("tsa").unwrap();
}

/// A running service, and its only tenant.
struct Service {
    url: String,
    token: String,
    stop: watch::Sender<bool>,
    thread: std::thread::JoinHandle<()>,
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
        Self { url: format!("http://{}", started.address), token, stop, thread }
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let request = ureq::get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token));
        request.call().unwrap().body_mut().read_to_vec().unwrap()
    }

    /// Deposits [`FILE`].
    fn deposit(&self) {
        let item = json!({
            "digests": { "sha-256": hex::encode(sha256(&[FILE])) },
            "media_type": "text/plain",
            "size": FILE.len(),
            "origin": "a contract archive",
            "custom": {},
        });
        let request = ureq::post(format!("{}/v1/deposits", self.url))
            .header("authorization", format!("Bearer {}", self.token));
        request.send(json!({ "items": [item] }).to_string()).unwrap();
    }

    fn end(self) {
        self.stop.send(true).unwrap();
        self.thread.join().unwrap();
    }
}

fn judge(bundle: &[u8], policy: &Policy) -> Report {
    let trust = TestNetwork::new(4).trust_file();
    let time = BlockTime::new(4_000_000_000_000);
    verify(&Question { bundle, subject: Subject::File(FILE), trust: &trust, policy, time }).unwrap()
}

fn too_few(report: &Report) -> Option<&str> {
    let line = report.not_shown.iter().find(|line| line.word == Word::TooFewAuthorities);
    line.map(|line| line.detail.as_str())
}

#[test]
fn the_service_has_its_checkpoint_stamped_by_both_and_openssl_accepts_what_it_keeps_of_both() {
    let (folder, tsa) = (TempDir::new().unwrap(), GoTsa::start().unwrap());
    let made = |name: &str| Arc::new(OpensslAuthority::new(&folder.path().join(name), name));
    let openssl = Hosted::new(made("one"), made("other"), Manner::Honest);
    let authority = |institution: &str, url: &str, root: &Path| {
        format!("[[authority]]\ninstitution = \"{institution}\"\nurl = \"{url}\"\nanchor = {root:?}\n")
    };
    let log = folder.path().join("log");
    let text = format!(
        "[log]\nfolder = {log:?}\norigin = \"log.example/one\"\npublish_milliseconds = 20\n\
         [api]\nlisten = \"127.0.0.1:0\"\n[stamping]\nevery_seconds = 1\nneeded = 2\n{}{}",
        authority("institute-one", &openssl.url(), &openssl.authority.root()),
        authority("institute-two", &tsa.url("tsa"), &tsa.root()),
    );
    let service = Service::start(Config::from_toml(&text).unwrap());
    service.deposit();
    let get = |path: &str| service.get(path);
    let entry: Value = serde_json::from_slice(&get("/v1/entries/0/0?wait=25&for=stamped")).unwrap();
    let stamps = entry["stamps"].as_array().unwrap();
    assert!(stamps.len() == 2 && stamps.iter().all(|one| one["stamped_at"].is_u64()), "{entry}");

    let bytes = get("/v1/entries/0/0/bundle");
    let policy = Policy::from_bytes(&get("/v1/policy")).unwrap();
    let bundle = Bundle::from_bytes(&bytes).unwrap();
    let text = |note: &str| {
        SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap().note().text.to_owned()
    };
    let second = bundle.logging.second.as_ref().map(|second| text(&second.note));
    let message = stamped_message(&text(&bundle.logging.first.note), second.as_deref());
    let roots = [openssl.authority.root(), tsa.root()];
    for (at, stamp) in bundle.stamps.iter().enumerate() {
        for (of, root) in roots.iter().enumerate() {
            let accepted = openssl_accepts(folder.path(), &stamp.token, &message, root);
            assert_eq!(accepted, at == of, "time-stamp {at} under root {of}");
        }
    }

    // Two of two, two of one, one of two.
    let report = judge(&bytes, &policy);
    assert_eq!((report.integrity, too_few(&report)), (Integrity::Proven, None), "{report:?}");
    for institution in ["institute-one", "institute-two"] {
        let mut one = policy.clone();
        one.authorities.retain(|authority| authority.institution == institution);
        let report = judge(&bytes, &one);
        assert_eq!(
            (report.integrity == Integrity::Proven, too_few(&report)),
            (false, Some("1/2")),
            "{institution}"
        );
        one.authorities_needed = 1;
        assert_eq!(judge(&bytes, &one).integrity, Integrity::Proven, "{institution}");
    }
    service.end();
}

#[test]
fn the_service_gathers_an_answer_and_a_list_and_openssl_finds_in_them_what_the_report_says() {
    let folder = TempDir::new().unwrap();
    let revocable = Revocable::new(&folder.path().join("one"), "one", Answers::Delegate);
    revocable.publish();
    let signer = Arc::clone(&revocable.authority);
    let hosted = Hosted::new(Arc::clone(&signer), signer, Manner::Honest);
    let log = folder.path().join("log");
    let text = format!(
        "[log]\nfolder = {log:?}\norigin = \"log.example/one\"\npublish_milliseconds = 20\n\
         [api]\nlisten = \"127.0.0.1:0\"\n[stamping]\nevery_seconds = 1\nneeded = 1\nrevocation = \"anywhere\"\n\
         [[authority]]\ninstitution = \"institute\"\nurl = \"{}\"\nanchor = {:?}\n",
        hosted.url(),
        revocable.authority.root(),
    );
    let service = Service::start(Config::from_toml(&text).unwrap());
    service.deposit();
    let entry: Value = serde_json::from_slice(&service.get("/v1/entries/0/0?wait=25&for=stamped")).unwrap();
    assert!(entry["stamps"][0]["stamped_at"].is_u64(), "{entry}");
    let (bytes, policy) = (service.get("/v1/entries/0/0/bundle"), service.get("/v1/policy"));
    service.end();
    let bundle = Bundle::from_bytes(&bytes).unwrap();
    let policy = Policy::from_bytes(&policy).unwrap();
    let report = judge(&bytes, &policy);
    assert_eq!(report.integrity, Integrity::Proven, "{report:?}");
    assert!(report.shown.iter().any(|line| line.word == Word::NotRevokedSaysResponder), "{report:?}");

    let revocation = &bundle.stamps[0].revocation;
    assert_eq!(revocation.len(), 2);
    let (answers, lists): (Vec<_>, Vec<_>) =
        revocation.iter().partition(|one| revocable.openssl_reads(one).is_some());
    assert_eq!(revocable.openssl_reads(answers[0]).as_deref(), Some("good"));
    let at = report.anchored[0].at.get() / 1_000 + 1;
    assert!(revocable.openssl_accepts(lists[0], at));
    // The same bundle with the answer altered, or with that of another certificate's book.
    let with = |revocation: Vec<Vec<u8>>| {
        let mut bundle = bundle.clone();
        bundle.stamps[0].revocation = revocation;
        verify_code(&bundle.sealed().to_bytes(), &policy)
    };
    let mut altered = answers[0].clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(with(vec![altered.clone()]), Some(Code::BadSignature));
    assert_ne!(revocable.openssl_reads(&altered).as_deref(), Some("good"), "the oracle can refuse");
    assert_eq!(with(vec![answers[0].clone()]), None);
}

fn verify_code(bundle: &[u8], policy: &Policy) -> Option<Code> {
    let trust = TestNetwork::new(4).trust_file();
    let time = BlockTime::new(4_000_000_000_000);
    let question = Question { bundle, subject: Subject::File(FILE), trust: &trust, policy, time };
    verify(&question).err().map(|refusal| refusal.code)
}
