//! An authority for X.509 certificates, and a service that speaks TLS with them.

pub(crate) use crate::certified::{Certified, Root};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use ureq::Agent;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_anchors::Https;
use zeugma_evidence_anchors::https::{Believed, Identity};
use zeugma_evidence_service::{Config, RunError, run};

/// A running service, its root, and a client of it.
pub(crate) struct World {
    pub(crate) root: Root,
    pub(crate) client: Certified,
    pub(crate) folder: TempDir,
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn settings(root: &Root, client: &Certified, folder: &Path, required: bool) -> Config {
    let served = root.certify("127.0.0.1");
    let (certificate, key) =
        (write(folder, "service.pem", &served.pem), write(folder, "service.key", &served.key));
    let roots = write(folder, "clients.pem", &root.pem);
    let (token, shown, log) = (hex::encode(sha256(&[b"secret"])), client.sha256(), folder.join("log"));
    Config::from_toml(&format!(
        r#"
        [log]
        folder = {log:?}
        publish_milliseconds = 20
        [api]
        listen = "127.0.0.1:0"
        idle_seconds = 5
        [api.tls]
        certificate = {certificate:?}
        key = {key:?}
        client_ca = {roots:?}
        client_required = {required}
        [[tenant]]
        name = "one"
        pseudonym = "one"
        role = "party"
        token_sha256 = "{token}"
        [[tenant]]
        name = "two"
        pseudonym = "two"
        role = "judge"
        certificate_sha256 = "{shown}"
        "#
    ))
    .unwrap()
}

impl World {
    pub(crate) fn new(required: bool) -> Self {
        let (root, folder) = (Root::new(), TempDir::new().unwrap());
        let client = root.certify("client.example");
        let config = settings(&root, &client, folder.path(), required);
        let (stop, stopped) = watch::channel(false);
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            let done = runtime.block_on(run(config, stopped, |started| send.send(started.clone()).unwrap()));
            done.unwrap();
        });
        let started = started.recv().unwrap();
        assert_eq!(started.url, format!("https://{}", started.address));
        Self { root, client, folder, address: started.address, stop, thread: Some(thread) }
    }

    /// Why the service does not start, after `change` to its files.
    pub(crate) fn not_started(change: impl FnOnce(&Path)) -> RunError {
        let (root, folder) = (Root::new(), TempDir::new().unwrap());
        let config = settings(&root, &root.certify("client.example"), folder.path(), false);
        change(folder.path());
        let (_stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(run(config, stopped, |_| panic!("it started"))).unwrap_err()
    }

    /// Puts a file in place of another.
    pub(crate) fn put(&self, name: &str, text: &str) {
        write(self.folder.path(), name, text);
    }

    /// An agent that believes this root, and shows this.
    pub(crate) fn agent(&self, root: &Root, shown: Option<&Certified>) -> Agent {
        let shown = shown.map(|one| Identity { certificate: one.pem.as_bytes(), key: one.key.as_bytes() });
        let https = Https::new(Believed::Pem(root.pem.as_bytes()), shown).unwrap();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        https.agent(config)
    }

    /// Status and JSON of an answer.
    pub(crate) fn get(
        &self,
        agent: &Agent,
        path: &str,
        heads: &[(&str, &str)],
    ) -> Result<(u16, Value), ureq::Error> {
        let mut request = agent.get(format!("https://{}{path}", self.address));
        for (name, value) in heads {
            request = request.header(*name, *value);
        }
        let mut answer = request.call()?;
        let body = answer.body_mut().read_to_vec()?;
        Ok((answer.status().as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// Deposits with the token, so that there is an entry.
    pub(crate) fn deposit(&self, agent: &Agent) {
        let item = json!({ "digests": { "sha256": "00".repeat(32) }, "media_type": "text/plain", "size": 1 });
        let request = agent.post(format!("https://{}/v1/deposits", self.address));
        let request = request.header("authorization", "Bearer secret");
        let mut answer = request.send(json!({ "items": [item] }).to_string()).unwrap();
        let said = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), 201, "{said}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
