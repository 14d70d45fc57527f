//! A witness that speaks TLS, and connections that give their places back.

use super::{Root, Service, configured, log_key, until, witness, witness_with};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ASKING: &str = "[witnessing]\npatience_milliseconds = 300\ntimeout_seconds = 2\nrest_seconds = 1\n";

fn put(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// What a service is told of a witness that speaks TLS.
fn secured(started: &zeugma_evidence_service::witness::StartedWitness, ca: &str) -> String {
    assert_eq!(started.url, format!("https://{}", started.address));
    configured("court", started).replace("http://", "https://") + format!("ca = {ca:?}\n").as_str()
}

/// Why the witness did not cosign, as the service tells it.
fn refusal(service: &Service) -> Option<Value> {
    let status: Value = serde_json::from_slice(&service.get("/v1/status")).unwrap();
    let refusal = status["witnessing"][0]["refusal"].clone();
    (!refusal.is_null()).then_some(refusal)
}

#[test]
fn a_witness_over_tls_cosigns_for_who_believes_its_root_and_shows_what_it_asks_for() {
    let home = TempDir::new().unwrap();
    let (root, other, folder) = (Root::new(), Root::new(), home.path().join("log"));
    let key = log_key(&folder);
    let own = root.certify("127.0.0.1");
    let shown = root.certify("log.example");
    let roots = put(home.path(), "roots.pem", &root.pem);
    let tls = format!(
        "[witness.tls]\ncertificate = {:?}\nkey = {:?}\nclient_ca = {roots:?}\nclient_required = true\n",
        put(home.path(), "witness.pem", &own.pem),
        put(home.path(), "witness.key", &own.key),
    );
    let court = witness_with(&home.path().join("court"), "court.example/witness", &key, "127.0.0.1:0", &tls);
    let identity = format!(
        "certificate = {:?}\nkey = {:?}\n",
        put(home.path(), "log.pem", &shown.pem),
        put(home.path(), "log.key", &shown.key),
    );
    let doubts = put(home.path(), "other.pem", &other.pem);
    for (size, asking, ca) in [
        // Another root is believed; nothing is shown.
        (1, format!("{ASKING}{identity}"), &doubts),
        (2, ASKING.to_owned(), &roots),
    ] {
        let service = Service::start(&folder, &format!("{asking}{}", secured(&court.started, ca)));
        service.deposit(ca.as_bytes());
        let why = until("a refusal", || refusal(&service));
        assert_eq!(why["code"], 784, "{why}");
        assert_eq!(service.cosigned(size, &[]), service.text("/log/0/checkpoint"));
        service.running.end();
    }
    let service = Service::start(&folder, &format!("{ASKING}{identity}{}", secured(&court.started, &roots)));
    service.deposit(b"cosigned");
    service.cosigned(3, &["court.example/witness"]);
    service.running.end();
    court.end();
}

/// How long a connection stays on which this is sent, a byte each half second behind its beginning.
fn stays(address: std::net::SocketAddr, begin: &[u8], drip: u8) -> Duration {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let begun = Instant::now();
    stream.write_all(begin).unwrap();
    while begun.elapsed() < Duration::from_secs(30) {
        match stream.read(&mut [0; 1024]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                if drip != 0 && stream.write_all(&[drip]).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    begun.elapsed()
}

#[test]
fn who_is_slow_to_ask_a_witness_gives_his_place_back_and_one_more_waits_for_it() {
    let home = TempDir::new().unwrap();
    let key = log_key(&home.path().join("log"));
    let bounds = "connections = 2\nidle_seconds = 5\nrequest_seconds = 4\n";
    let folder = home.path().join("court");
    let court = witness_with(&folder, "court.example/witness", &key, "127.0.0.1:0", bounds);
    let address = court.started.address;
    let head = b"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\nold 0\n";
    let begun = Instant::now();
    let (body, silent) = std::thread::scope(|scope| {
        // A body that drips takes the time of a request, a head that never comes that of an idle connection.
        let body = scope.spawn(|| stays(address, head, b'x'));
        let silent = scope.spawn(|| stays(address, b"", 0));
        std::thread::sleep(Duration::from_millis(300));
        // Both places are taken: the next is answered when one is free.
        let health = ureq::get(format!("http://{address}/healthz")).call().unwrap();
        assert_eq!(health.status(), 200);
        let waited = begun.elapsed();
        assert!(waited > Duration::from_secs(3), "{waited:?}: two connections at one time");
        (body.join().unwrap(), silent.join().unwrap())
    });
    assert!((4..9).contains(&body.as_secs()), "{body:?}");
    assert!((5..9).contains(&silent.as_secs()), "{silent:?}");
    let metrics =
        ureq::get(format!("http://{address}/metrics")).call().unwrap().body_mut().read_to_string().unwrap();
    for line in
        ["zeugma_evidence_witness_connections 1", "zeugma_evidence_witness_requests_total{status=\"408\"} 1"]
    {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    court.end();
}

#[test]
fn a_witness_without_tls_is_not_asked_over_it() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("log");
    let key = log_key(&folder);
    let court = witness(&home.path().join("court"), "court.example/witness", &key, "127.0.0.1:0");
    let roots = put(home.path(), "roots.pem", &Root::new().pem);
    let asked = configured("court", &court.started).replace("http://", "https://")
        + format!("ca = {roots:?}\n").as_str();
    let service = Service::start(&folder, &format!("{ASKING}{asked}"));
    service.deposit(b"one");
    until("a refusal", || refusal(&service));
    service.cosigned(1, &[]);
    service.running.end();
    court.end();
}
