//! The evidence service on loopback, and its store once it ended.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use zeugma_evidence_service::keys::Keys;
use zeugma_evidence_service::store::{self, FjallIndex, Log, RealDisk, Signers};
use zeugma_evidence_service::{Config, run};
use zeugma_peers::{Response, get, post, until};

const PUBLISHED: Duration = Duration::from_secs(60);
/// Items of one request. The service takes 16,384.
const BATCH: u64 = 10_000;

/// A running service.
pub(crate) struct Service {
    address: SocketAddr,
    token: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    pub(crate) fn start(folder: &Path, origin: &str) -> Self {
        Self::start_with(folder, origin, "")
    }

    /// With more of its configuration.
    pub(crate) fn start_with(folder: &Path, origin: &str, more: &str) -> Self {
        let text = format!(
            "[log]\nfolder = {folder:?}\norigin = \"{origin}\"\npublish_milliseconds = 100\n[api]\nlisten = \"127.0.0.1:0\"\n{more}"
        );
        let config = Config::from_toml(&text).unwrap();
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

    /// Deposits the records of these numbers, and waits until a checkpoint of the size that they make is published.
    pub(crate) fn deposit(&self, numbers: Range<u64>, size: u64) {
        let mut from = numbers.start;
        while from < numbers.end {
            let end = numbers.end.min(from + BATCH);
            assert_eq!(self.send(from..end).status, 201);
            from = end;
        }
        self.published(size);
    }

    /// What the service answers to the deposit of one record that it has.
    pub(crate) fn known(&self, number: u64) -> Value {
        let answer = self.send(number..number + 1);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()["items"][0].clone()
    }

    fn send(&self, numbers: Range<u64>) -> Response {
        let bearer = format!("Bearer {}", self.token);
        let items: Vec<_> = numbers.map(item).collect();
        let body = json!({ "items": items }).to_string();
        post(self.address, "/v1/deposits", &[("Authorization", &bearer)], body.as_bytes()).unwrap()
    }

    pub(crate) fn published(&self, size: u64) {
        until(&format!("a checkpoint of {size} entries"), PUBLISHED, || {
            let status: Value = serde_json::from_str(&get(self.address, "/v1/status")?.body)?;
            Ok((status["published"] == size).then_some(()))
        })
        .unwrap();
    }

    /// Where anybody reads a shard.
    pub(crate) fn url(&self, shard: u32) -> String {
        format!("http://{}/log/{shard}/", self.address)
    }

    /// The newest signed checkpoint of a shard.
    pub(crate) fn checkpoint(&self, shard: u32) -> String {
        let answer = get(self.address, &format!("/log/{shard}/checkpoint")).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub(crate) fn end(mut self) {
        self.stop.send(true).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn item(number: u64) -> Value {
    json!({
        "digests": { "sha-256": format!("{number:064x}") },
        "media_type": "application/pdf",
        "size": number,
        "origin": "a contract archive",
    })
}

/// The store of a service that ended.
pub(crate) fn open_store(folder: &Path, origin: &str) -> Log {
    let index = FjallIndex::open(&folder.join("index")).unwrap();
    let log = Log::open(store::Config::new(folder, origin), Arc::new(RealDisk), Arc::new(index)).unwrap();
    assert!(log.wait_ready(PUBLISHED));
    log
}

/// The signers of a log of this folder's service.
pub(crate) fn signers(folder: &Path, origin: &str) -> Signers {
    Keys::open(&folder.join("keys.json")).unwrap().signers(origin, true).unwrap()
}

/// The key of a log of this folder's service, as a `vkey`.
pub(crate) fn key(folder: &Path, origin: &str) -> String {
    signers(folder, origin).first.key().to_text()
}

/// The public files of a shard.
pub(crate) fn public(folder: &Path, shard: u32) -> PathBuf {
    folder.join("shards").join(shard.to_string()).join("public")
}
