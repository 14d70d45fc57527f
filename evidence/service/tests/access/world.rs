//! A running service, and who asks it.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_service::{Config, run};

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> Option<u64> {
        self.json()["code"].as_u64()
    }
}

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    agent: ureq::Agent,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// With more lines of configuration, after those of `[api]`.
    pub(crate) fn start(folder: &Path, extra: &str) -> Self {
        let backups = folder.join("backups");
        let text = format!(
            "[log]\nfolder = {folder:?}\nbackups = {backups:?}\norigin = \"log.example/one\"\npublish_milliseconds = 20\n[api]\nlisten = \"127.0.0.1:0\"\n{extra}"
        );
        let config = Config::from_toml(&text).unwrap();
        let (stop, stopped) = watch::channel(false);
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            let done = runtime.block_on(run(config, stopped, |started| send.send(started.clone()).unwrap()));
            done.unwrap();
        });
        let address = started.recv().unwrap().address;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { address, agent: config.into(), stop, thread: Some(thread) }
    }

    pub(crate) fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {token}"))
            .body(body)
            .unwrap();
        let mut answer = self.agent.run(request).unwrap();
        let head = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (media_type, retry_after) = (head("content-type").unwrap_or_default(), head("retry-after"));
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_vec().unwrap();
        Answer { status, media_type, retry_after, body }
    }

    pub(crate) fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, "GET", path, &Value::Null)
    }

    pub(crate) fn deposit(&self, token: &str, items: &[Value]) -> Answer {
        self.ask(token, "POST", "/v1/deposits", &json!({ "items": items }))
    }

    pub(crate) fn end(mut self) {
        self.stop.send(true).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A record of a content in a case.
pub(crate) fn item(content: &[u8], case: &str) -> Value {
    json!({
        "digests": { "sha-256": hex::encode(sha256(&[content])) },
        "media_type": "text/plain",
        "size": content.len(),
        "origin": "an archive",
        "custom": { "case": case },
    })
}

/// A tenant in one role, whose token is its name.
pub(crate) fn tenant(name: &str, role: &str) -> String {
    let digest = hex::encode(sha256(&[name.as_bytes()]));
    format!(
        "[[tenant]]\nname = \"{name}\"\npseudonym = \"{name}\"\nrole = \"{role}\"\ntoken_sha256 = \"{digest}\"\n"
    )
}
