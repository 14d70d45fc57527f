//! Who is let in.

use crate::world::{Certified, Root, World};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use zeugma_evidence_service::RunError;

const NOBODY: &[(&str, &str)] = &[];

#[test]
fn a_token_opens_its_tenant_over_tls_and_an_x509_certificate_opens_its_own() {
    let world = World::new(false);
    let bare = world.agent(&world.root, None);
    world.deposit(&bare);
    let token = [("authorization", "Bearer secret")];
    assert_eq!(world.get(&bare, "/v1/entries/0/0", &token).unwrap().0, 200);
    let (status, refused) = world.get(&bare, "/v1/entries/0/0", NOBODY).unwrap();
    assert_eq!((status, &refused["code"]), (401, &714.into()));

    let shown = world.agent(&world.root, Some(&world.client));
    let (status, refused) = world.get(&shown, "/v1/entries/0/0", NOBODY).unwrap();
    assert_eq!((status, &refused["code"]), (404, &711.into()), "the judge's tenant has no such entry");
    let (status, refused) = world.get(&shown, "/v1/tokens", NOBODY).unwrap();
    assert_eq!((status, &refused["code"]), (403, &713.into()), "a judge sees no tokens");
    assert_eq!(
        world.get(&shown, "/v1/entries/0/0", &token).unwrap().0,
        200,
        "a token that is shown counts first"
    );

    // Certified, but of no tenant.
    let stranger = world.root.certify("stranger.example");
    let stranger = world.agent(&world.root, Some(&stranger));
    let (status, refused) = world.get(&stranger, "/v1/entries/0/0", NOBODY).unwrap();
    assert_eq!((status, &refused["code"]), (401, &714.into()));
}

#[test]
fn the_head_that_names_a_clients_x509_certificate_is_the_word_of_the_connection_alone() {
    let world = World::new(false);
    let said = [("zeugma-client-x509", world.client.sha256())];
    let said: Vec<_> = said.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let bare = world.agent(&world.root, None);
    assert_eq!(world.get(&bare, "/v1/entries/0/0", &said).unwrap().0, 401);
    let stranger = world.root.certify("stranger.example");
    let stranger = world.agent(&world.root, Some(&stranger));
    assert_eq!(world.get(&stranger, "/v1/entries/0/0", &said).unwrap().0, 401);
}

#[test]
fn another_root_is_refused_on_either_side_and_so_is_no_certificate_where_one_is_required() {
    let world = World::new(true);
    let other = Root::new();
    let mine = world.agent(&world.root, Some(&world.client));
    assert_eq!(world.get(&mine, "/v1/status", NOBODY).unwrap().0, 200);
    // The client believes another root.
    let doubting = world.agent(&other, Some(&world.client));
    assert!(world.get(&doubting, "/v1/status", NOBODY).is_err());
    // The service believes another root, or nothing is shown.
    let wrong = other.certify("client.example");
    for shown in [Some(&wrong), None] {
        let agent = world.agent(&world.root, shown);
        assert!(world.get(&agent, "/v1/status", NOBODY).is_err());
    }
    let (_, _, metrics) = text(&world, &mine, "/metrics");
    let failures =
        metrics.lines().find_map(|line| line.strip_prefix("zeugma_evidence_handshake_failures_total "));
    assert_eq!(failures, Some("3"), "{metrics}");
}

fn text(world: &World, agent: &ureq::Agent, path: &str) -> (u16, String, String) {
    let mut answer = agent.get(format!("https://{}{path}", world.address)).call().unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.body_mut().read_to_string().unwrap())
}

/// A connection that stays open: what it was shown, and what it asks.
struct Kept(rustls::StreamOwned<rustls::ClientConnection, TcpStream>);

impl Kept {
    fn new(world: &World) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(world.root.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(world.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(rustls::StreamOwned::new(connection, stream))
    }

    fn ask(&mut self) -> String {
        self.0.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            let mut piece = [0; 512];
            let read = self.0.read(&mut piece).unwrap();
            assert_ne!(read, 0, "the connection was closed");
            answer.extend_from_slice(&piece[..read]);
        }
        String::from_utf8(answer).unwrap()
    }

    fn shown(&self) -> Vec<u8> {
        self.0.conn.peer_certificates().unwrap()[0].to_vec()
    }
}

#[test]
fn new_files_hold_for_new_connections_and_no_old_one_is_dropped() {
    let world = World::new(false);
    let mut old = Kept::new(&world);
    old.ask();
    let before = old.shown();

    // Half of a change is not taken up: the key is not that of the X.509 certificate.
    let Certified { pem, key, der } = world.root.certify("127.0.0.1");
    world.put("service.pem", &pem);
    std::thread::sleep(Duration::from_millis(2_500));
    let mut meanwhile = Kept::new(&world);
    meanwhile.ask();
    assert_eq!(meanwhile.shown(), before);
    let (_, _, metrics) = text(&world, &world.agent(&world.root, None), "/metrics");
    assert!(!metrics.contains("zeugma_evidence_tls_renewal_failures_total 0"), "{metrics}");

    world.put("service.key", &key);
    let mut renewed = false;
    for _ in 0..50 {
        let mut new = Kept::new(&world);
        new.ask();
        renewed |= new.shown() == der;
        if renewed {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        old.ask();
    }
    assert!(renewed, "the files are looked at each second");
    old.ask();
    assert_eq!(old.shown(), before);
}

#[test]
fn plain_http_at_a_tls_address_is_told_so_in_plain_http_and_closed() {
    let world = World::new(true);
    let mut stream = TcpStream::connect(world.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    // It may be reset after its answer, since what was asked is never read.
    let _ = stream.read_to_string(&mut answer);
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("speaks TLS: ask by https://"),
        "{answer}"
    );
}

#[test]
fn files_that_cannot_be_used_are_named_at_the_start() {
    let missing = World::not_started(|folder| std::fs::remove_file(folder.join("service.key")).unwrap());
    assert!(matches!(&missing, RunError::Tls(_)) && missing.to_string().contains("service.key"), "{missing}");
    for (name, text) in [("service.pem", "nothing"), ("service.key", "nothing"), ("clients.pem", "")] {
        let why = World::not_started(|folder| std::fs::write(folder.join(name), text).unwrap());
        assert!(why.to_string().contains(name), "{name}: {why}");
    }
    let other = Root::new().certify("127.0.0.1");
    let mixed = World::not_started(|folder| std::fs::write(folder.join("service.key"), &other.key).unwrap());
    let both = ["service.pem", "service.key"];
    assert!(both.iter().all(|name| mixed.to_string().contains(name)), "{mixed}");
}
