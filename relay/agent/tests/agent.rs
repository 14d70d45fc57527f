//! The whole agent as the command starts it: keys, queue, workers, metrics over HTTP, an end when it is told to stop.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use zeugma_agent::{Agent, Config, Error};
use zeugma_crypto::ed25519::SecretKey;

fn write_key(path: &Path, seed: u8, mode: u32) {
    let key = SecretKey::from_seed(&[seed; 32]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = format!(
        r#"{{"format":"zeugma-key-1","kind":"account","public":"{}","secret":"{}"}}"#,
        hex(key.public().as_bytes()),
        hex(key.expose().as_slice())
    );
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn config(dir: &Path) -> Config {
    // Nobody listens on these ports: port 1 needs rights that no test has.
    let text = format!(
        r#"
        queue = "{0}/q.redb"
        metrics = "127.0.0.1:0"
        poll_millis = 20
        patience_millis = 500
        [[hub]]
        name = "north"
        endpoints = ["http://127.0.0.1:1"]
        key_file = "{0}/key"
        [[cometbft]]
        chain_id = "c-1"
        endpoints = ["http://127.0.0.1:1"]
        clients = [{{ hub = "north", client = "cometbft-0" }}]
        "#,
        dir.display()
    );
    Config::parse(&text).unwrap()
}

#[test]
fn an_agent_whose_chains_are_down_says_so_in_its_metrics_and_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    write_key(&dir.path().join("key"), 7, 0o600);
    let agent = Agent::start(&config(dir.path())).unwrap();
    let scrape = || {
        let mut stream = TcpStream::connect(agent.listening()).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let start = Instant::now();
    while !scrape().contains("zeugma_relay_worker_failures_total{worker=\"client/north/cometbft-0\"}") {
        assert!(start.elapsed() < Duration::from_secs(20), "{}", scrape());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(agent.is_whole());
    let second = Agent::start(&config(dir.path()));
    assert!(matches!(second, Err(Error::Queue(_))), "one agent has the queue");
    agent.stop();
    Agent::start(&config(dir.path())).unwrap().stop();
}

#[test]
fn a_key_that_others_may_read_or_that_is_none_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    write_key(&key, 7, 0o644);
    let refused = |what: &str| match Agent::start(&config(dir.path())) {
        Err(error) => assert!(error.to_string().contains(what), "{error}"),
        Ok(_) => panic!("it started: {what}"),
    };
    refused("600");
    std::fs::write(&key, "{}").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    refused("no key file");
}
