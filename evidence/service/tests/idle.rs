//! What an idle connection costs: a service in a process of its own, and thousands of connections that wait.
#![allow(clippy::unwrap_used, reason = "a test may")]

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::watch;
use zeugma_evidence_service::{Config, run};

/// Connections that are held.
const CONNECTIONS: u64 = 2_000;
/// What one may cost, in bytes.
const MOST: u64 = 64 * 1024;
/// Names the configuration to the process that serves.
const SERVES: &str = "ZEUGMA_TEST_SERVES";

/// Not a test of its own: what the process of the others runs.
#[test]
fn serves_until_its_input_ends() {
    let Ok(path) = std::env::var(SERVES) else { return };
    let config = Config::from_toml(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (stop, stopped) = watch::channel(false);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = stop.send(true);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(config, stopped, |started| println!("\nserves {}", started.address))).unwrap();
}

struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(folder: &Path, tls: &str) -> Self {
        let config = folder.join("evidence.toml");
        let log = folder.join("log");
        let text =
            format!("[log]\nfolder = {log:?}\n[api]\nlisten = \"127.0.0.1:0\"\nidle_seconds = 600\n{tls}");
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "serves_until_its_input_ends", "--nocapture", "--test-threads=1"])
            .env(SERVES, &config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().strip_prefix("serves ")?.parse().ok()).unwrap();
        Self { child, address }
    }

    /// Its resident memory, in bytes.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// One request over a connection that stays.
fn asked<S: Read + Write>(mut stream: S) -> S {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut piece = [0; 512];
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "the connection was closed");
        answer.extend_from_slice(&piece[..read]);
    }
    stream
}

/// Bytes of the service's memory for each connection that asked once and stays.
fn cost<S: Read + Write>(served: &Served, connect: impl Fn(TcpStream) -> S) -> u64 {
    let open = || asked(connect(TcpStream::connect(served.address).unwrap()));
    // What comes with the first ones, and stays.
    let mut held: Vec<_> = (0..100).map(|_| open()).collect();
    let before = served.memory();
    held.extend((0..CONNECTIONS).map(|_| open()));
    let after = served.memory();
    // They are all there still.
    held.into_iter().rev().take(100).for_each(|stream| drop(asked(stream)));
    after.saturating_sub(before) / CONNECTIONS
}

fn room_for_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
}

#[test]
#[ignore = "long: 2,000 connections of each kind"]
fn an_idle_connection_costs_at_most_64_kib() {
    room_for_files();
    let folder = TempDir::new().unwrap();
    let served = Served::start(folder.path(), "");
    let plain = cost(&served, |stream| stream);
    drop(served);
    println!("{plain} bytes an idle connection, HTTP/1.1");

    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let (pem, path) = (folder.path().join("service.pem"), folder.path().join("service.key"));
    std::fs::write(&pem, certificate.pem()).unwrap();
    std::fs::write(&path, key.serialize_pem()).unwrap();
    let folder = TempDir::new().unwrap();
    let served = Served::start(folder.path(), &format!("[api.tls]\ncertificate = {pem:?}\nkey = {path:?}\n"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let secured = cost(&served, |stream| {
        let connection = rustls::ClientConnection::new(Arc::clone(&config), name.clone()).unwrap();
        rustls::StreamOwned::new(connection, stream)
    });
    println!("{secured} bytes an idle connection, HTTP/1.1 over TLS");
    assert!(plain <= MOST && secured <= MOST, "{plain} and {secured} bytes, {MOST} at most");
}
