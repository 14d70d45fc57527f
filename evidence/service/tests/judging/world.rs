//! A service with rule packs, asked over HTTP.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_rules::Pack;
use zeugma_evidence_service::{Config, run};

/// A pack of two rules: one on the record alone, one on the anchor.
pub(crate) const PACK: &str = r#"
name = "court-filing"
version = "1.0.0"
title = { zh = "立案材料", en = "Filing" }
source = { zh = "测试规则", en = "rules of a test" }

[[rule]]
id = "lawful-source"
head = "legality"
article = { zh = "第一条", en = "article 1" }
question = { zh = "来源是否合法?", en = "Was it come by lawfully?" }
script = '''
let lawful = fact("declared.provenance.lawful");
let of = #{ source: fact("declared.provenance.source") };
if lawful == true { met("said", of) } else if lawful == false { not_met("denied", of) } else { undetermined("silent", of) }
'''
[rule.reasons]
denied = { zh = "声明来源 {source} 不合法", en = "the source {source} is declared unlawful" }
said = { zh = "声明来源 {source} 合法", en = "the source {source} is declared lawful" }
silent = { zh = "未说明来源 {source} 是否合法", en = "nothing is said of the source {source}" }

[[rule]]
id = "anchored"
head = "authenticity"
article = { zh = "第二条", en = "article 2" }
question = { zh = "是否上链?", en = "Is it anchored?" }
script = '''
if fact("shown.anchor.certified") == true { met("anchored") } else { undetermined("not-yet") }
'''
[rule.reasons]
anchored = { zh = "已上链", en = "it is anchored" }
not-yet = { zh = "尚未上链", en = "it is not anchored yet" }
"#;

pub(crate) fn pack() -> Pack {
    Pack::from_toml(PACK).unwrap()
}

/// The section of a configuration for the pack, written into a folder.
pub(crate) fn configured(folder: &Path, more: &str) -> String {
    let file = folder.join("pack.toml");
    std::fs::write(&file, PACK).unwrap();
    let digest = hex::encode(pack().digest());
    format!("[[rules.pack]]\nfile = {file:?}\ndigest = \"{digest}\"\n{more}")
}

/// The worker, and how it is bounded.
pub(crate) fn rules(more: &str) -> String {
    let worker = env!("CARGO_BIN_EXE_zeugma-evidence-rules-worker");
    format!("[rules]\nworker = [{worker:?}]\nstanding_seconds = 1\n{more}")
}

pub(crate) fn config(folder: &Path, extra: &str) -> Config {
    config_as("log.example/one", folder, extra)
}

pub(crate) fn config_as(origin: &str, folder: &Path, extra: &str) -> Config {
    let log = folder.join("log");
    let text = format!(
        "[log]\nfolder = {log:?}\norigin = \"{origin}\"\npublish_milliseconds = 20\n\
         [api]\nlisten = \"127.0.0.1:0\"\n{extra}"
    );
    Config::from_toml(&text).unwrap()
}

/// A running service.
pub(crate) struct Service {
    address: SocketAddr,
    token: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    pub(crate) fn start(config: Config) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(run(config, stopped, |started| send.send(started.clone()).unwrap())).unwrap();
        });
        let started = started.recv().unwrap();
        let token = match started.token_file {
            Some(path) => std::fs::read_to_string(path).unwrap().trim().to_owned(),
            None => "party".to_owned(),
        };
        Self { address: started.address, token, stop, thread: Some(thread) }
    }

    /// Status and body of one request under a token.
    pub(crate) fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Vec<u8>) {
        self.ask_with(token, method, path, &[], body)
    }

    pub(crate) fn ask_with(
        &self,
        token: &str,
        method: &str,
        path: &str,
        heads: &[(&str, &str)],
        body: &Value,
    ) -> (u16, Vec<u8>) {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {token}"));
        for (name, value) in heads {
            request = request.header(*name, *value);
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut answer = agent.run(request.body(&body[..]).unwrap()).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_vec().unwrap())
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, bytes) = self.ask_as(&self.token, method, path, body);
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        let (status, bytes) = self.ask_as(&self.token, "GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}");
        bytes
    }

    pub(crate) fn deposit(&self, items: &[Value]) -> (u16, Value) {
        self.ask("POST", "/v1/deposits", &json!({ "items": items }))
    }

    /// An entry once every pack judged it.
    pub(crate) fn judged(&self, index: u64) -> Value {
        self.get(&format!("/v1/entries/0/{index}?wait=20&for=judged"))
    }

    pub(crate) fn end(mut self) {
        self.stop.send(true).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A record with what is declared of it.
pub(crate) fn item(content: &[u8], custom: &Value) -> Value {
    json!({
        "digests": { "sha256": hex::encode(sha256(&[content])) },
        "media_type": "text/plain",
        "size": content.len(),
        "origin": "a contract archive",
        "custom": custom,
    })
}

pub(crate) fn lawful(content: &[u8]) -> Value {
    item(content, &json!({ "declared.provenance.lawful": "true" }))
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(std::time::Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
