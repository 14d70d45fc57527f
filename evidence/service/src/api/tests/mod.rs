//! The API over HTTP on loopback, with a disk that can be told to fail.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod bounds;
mod disk;
mod grpc;
mod hooked;
mod openapi;
mod refusals;
mod verifying;

use super::{Api, Bounds, router};
use crate::access::{Access, Grant, Role, Tenant};
use crate::audit::Audit;
use crate::config::{Config, QuotaConfig};
use crate::desk::{Desk, now};
use crate::health::{self, Health};
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::quarantine::Case;
use crate::quota::Quota;
use crate::serve::{Limits, serve};
use crate::webhooks::Hooks;
use disk::Faulty;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::Record;
use zeugma_evidence_log::record::{CustomField, Field};
use zeugma_proof::testkit::TestNetwork;

/// A served API and what is behind it.
pub(super) struct World {
    pub(super) api: Api,
    pub(super) disk: Arc<Faulty>,
    pub(super) address: SocketAddr,
    agent: ureq::Agent,
    _stop: watch::Sender<bool>,
    _runtime: Runtime,
    pub(super) folder: TempDir,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) head: ureq::http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name).map(|value| value.to_str().unwrap())
    }
}

impl World {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = Config::default();
        config.log.folder = folder.path().to_owned();
        config.log.origin = "log.example/one".to_owned();
        config.log.backups = Some(folder.path().join("backups"));
        config.webhooks.allow = vec!["127.0.0.0/8".to_owned()];
        let keys = Keys::open(&folder.path().join("keys.json")).unwrap();
        let disk = Arc::new(Faulty::default());
        let audit = Arc::new(Audit::open_on(&config, &keys, &(disk.clone() as _)).unwrap());
        let desk = Arc::new(Desk::open_on(&config, keys, disk.clone()).unwrap());
        let tenant = |name: &str, role| Tenant {
            name: name.to_owned(),
            pseudonym: name.to_owned(),
            role,
            token: "config".to_owned(),
        };
        let access = Access::default()
            .with("party", tenant("one", Role::Party))
            .with("other", tenant("two", Role::Party))
            .with("judge", tenant("three", Role::Judge))
            .with("regulator", tenant("six", Role::Regulator))
            .with("operator", tenant("four", Role::Operator))
            .with("spent", tenant("spent", Role::Operator))
            .with_file_in(folder.path());
        let bounds = Bounds { requests: 8, reads: 4, arriving_bytes: 2 * 1024 * 1024 };
        let [places, readers, arriving] = bounds.places();
        let spent = QuotaConfig { requests_per_second: 1, burst_seconds: 1, ..QuotaConfig::default() };
        let (stop, stopped) = watch::channel(false);
        let api = Api {
            desk: Arc::clone(&desk),
            access: Arc::new(access),
            metrics: Arc::new(Metrics::new(now())),
            audit,
            operator: "operator".into(),
            places,
            readers,
            arriving,
            quota: Arc::new(Quota::new(QuotaConfig::default(), HashMap::from([("spent".to_owned(), spent)]))),
            bounds,
            streams: Arc::new(Semaphore::new(8)),
            trust: Some(Arc::new(TestNetwork::new(4).trust_file())),
            stop: stopped.clone(),
            body_bytes: 1024 * 1024,
            longest: Duration::from_secs(2),
            health: Health::default(),
            webhooks: Arc::new(Hooks::open(disk.clone(), folder.path(), &config.webhooks).unwrap()),
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(health::watch(desk, api.health.clone(), stopped));
        // Health of gRPC is told by a task.
        let served = runtime.block_on(async { router(api.clone()) }).unwrap();
        let limits = Limits {
            connections: 64,
            handshake: Duration::from_secs(2),
            idle: Duration::from_secs(3),
            grace: Duration::from_secs(1),
        };
        let connections = Arc::clone(api.metrics.connections());
        runtime.spawn(serve(listener, served, None, limits, connections, std::future::pending()));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        Self { api, disk, address, agent, _stop: stop, _runtime: runtime, folder }
    }

    pub(super) fn ask(&self, method: &str, path: &str, heads: &[(&str, &str)], body: &[u8]) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in heads {
            request = request.header(*name, *value);
        }
        let mut answer = self.agent.run(request.body(body).unwrap()).unwrap();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        Answer {
            status: answer.status().as_u16(),
            kind: kind.unwrap_or_default(),
            head: answer.headers().clone(),
            body: answer.body_mut().read_to_vec().unwrap(),
        }
    }

    /// As the tenant of a token.
    pub(super) fn by(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.ask(method, path, &[("Authorization", &format!("Bearer {token}"))], &body)
    }

    /// Makes a token in the file of tokens; its name.
    pub(super) fn token(&self) -> String {
        let grant = Grant {
            tenant: "five".to_owned(),
            pseudonym: "five".to_owned(),
            role: Role::Clerk,
            made_at: now(),
            expires_at: None,
        };
        self.api.access.file().unwrap().add(grant).unwrap().row.id
    }

    /// Holds a deposit of the party as if a pack had not passed it; the name of the case.
    pub(super) fn hold(&self, content: &[u8]) -> String {
        let item = deposit(content)["items"][0].clone();
        let mut sha256 = [0; 32];
        hex::decode_to_slice(item["digests"]["sha256"].as_str().unwrap(), &mut sha256).unwrap();
        let custom = CustomField { name: "case".into(), value: b"2026-17".to_vec() };
        let record = Record::new(vec![
            Field::Sha256(sha256),
            Field::MediaType("text/plain".into()),
            Field::Size(content.len() as u64),
            Field::Submitter("one".into()),
            Field::Source("a contract archive".into()),
            Field::Custom(custom),
        ]);
        let case = Case::new("one", vec![record.unwrap()], None, Vec::new(), now()).unwrap();
        let refusal = self.api.desk.quarantine().hold(&case, || Ok(true)).unwrap_err();
        assert_eq!(refusal.code, zeugma_types::Code::Quarantined);
        case.id().to_string()
    }

    /// Deposits, and publishes a checkpoint over it.
    pub(super) fn logged(&self, content: &[u8]) -> String {
        let answer = self.by("party", "POST", "/v1/deposits", &deposit(content));
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        let item = answer.json()["items"][0].clone();
        self.api.desk.publish().unwrap();
        format!("/v1/entries/{}/{}", item["shard"], item["index"])
    }

    /// Waits until the watch over the disk has found this.
    pub(super) fn until_ready(&self, ready: bool) {
        for _ in 0..100 {
            if self.api.health.now().is_ok() == ready {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the disk is watched each second: {:?}", self.api.health.now());
    }
}

/// A request that deposits one record.
pub(super) fn deposit(content: &[u8]) -> Value {
    json!({ "items": [{
        "digests": { "sha256": hex::encode(sha256(&[content])) },
        "media_type": "text/plain",
        "size": content.len(),
        "origin": "a contract archive",
        "custom": { "case": "2026-17" },
    }]})
}
