//! A time authority behind TLS: asked over it, and not believed under another root or name.
#![allow(clippy::unwrap_used, reason = "a test may")]

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zeugma_evidence_anchors::https::{Believed, Https, Identity};
use zeugma_evidence_anchors::testkit::{Hosted, Manner, OpensslAuthority};
use zeugma_evidence_anchors::{Authority, Client};
use zeugma_types::Code;

const MESSAGE: &[u8] = b"log.example/one\n7\nroot\n";

/// A root, and what ends TLS with a certificate of it for this name, one connection after the other.
struct Front {
    root: String,
    address: SocketAddr,
}

/// What the front does once it speaks TLS.
#[derive(Clone, Copy)]
enum Then {
    /// Passes the request on, and gives back the answer.
    PassOn(SocketAddr),
    /// Says nothing.
    Nothing,
}

fn front(name: &str, then: Then) -> Front {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let served = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![served.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Who refuses the front goes away in the middle of the handshake.
            let _ = stream.and_then(|stream| pass(stream, &config, then));
        }
    });
    Front { root, address }
}

fn pass(stream: TcpStream, config: &Arc<rustls::ServerConfig>, then: Then) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let connection = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
    let mut tls = rustls::StreamOwned::new(connection, stream);
    let mut request = Vec::new();
    // The whole request: its head tells how long its body is.
    let whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_ascii_lowercase();
        let (head, _) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        Some(request.windows(4).position(|end| end == b"\r\n\r\n")? + 4 + length.parse::<usize>().ok()?)
    };
    while whole(&request).is_none_or(|length| request.len() < length) {
        let mut piece = [0; 1024];
        let read = tls.read(&mut piece)?;
        request.extend_from_slice(&piece[..read]);
    }
    match then {
        Then::Nothing => {
            std::thread::sleep(Duration::from_secs(3));
            Ok(())
        }
        Then::PassOn(to) => {
            let mut plain = TcpStream::connect(to)?;
            plain.write_all(&request)?;
            let mut answer = Vec::new();
            plain.read_to_end(&mut answer)?;
            tls.write_all(&answer)?;
            tls.conn.send_close_notify();
            tls.flush()
        }
    }
}

#[test]
fn a_time_authority_is_asked_over_tls_and_only_under_its_root_and_name() {
    let folder = TempDir::new().unwrap();
    let made = |name: &str| Arc::new(OpensslAuthority::new(&folder.path().join(name), name));
    let hosted = Hosted::new(made("one"), made("other"), Manner::Honest);
    let anchor = std::fs::read(hosted.authority.root()).unwrap();
    let behind: SocketAddr =
        hosted.url().strip_prefix("http://").unwrap().strip_suffix("/tsa").unwrap().parse().unwrap();
    let tls = front("127.0.0.1", Then::PassOn(behind));
    let client = Client::new(Duration::from_secs(10));
    let ask = |front: &Front, root: Option<&str>| {
        let url = format!("https://{}/tsa", front.address);
        let mut authority = Authority::new("institute", &url, &anchor, &[]).unwrap();
        if let Some(root) = root {
            authority = authority.with_https(Https::new(Believed::Pem(root.as_bytes()), None).unwrap());
        }
        client.stamp(&authority, MESSAGE).map(|answer| answer.stamped.signer().to_owned())
    };
    assert_eq!(ask(&tls, Some(&tls.root)).unwrap(), "one");
    let other = front("127.0.0.1", Then::PassOn(behind));
    for (front, root, why) in [
        (&tls, Some(&other.root), "invalid peer certificate"),
        (&front("elsewhere.example", Then::PassOn(behind)), None, "TLS"),
        (&tls, None, "TLS"),
    ] {
        let refused = ask(front, root.map(String::as_str)).unwrap_err();
        assert!(refused.code == Code::NotGranted && refused.to_string().contains(why), "{refused}");
    }
    let elsewhere = front("elsewhere.example", Then::PassOn(behind));
    let refused = ask(&elsewhere, Some(&elsewhere.root)).unwrap_err();
    assert!(refused.to_string().contains("not valid for name"), "{refused}");
    assert_eq!(hosted.asked(), 1, "nothing was asked of one that is not believed");
}

#[test]
fn an_authority_that_says_nothing_after_its_handshake_is_too_slow() {
    let folder = TempDir::new().unwrap();
    let anchor = std::fs::read(OpensslAuthority::new(folder.path(), "one").root()).unwrap();
    let silent = front("127.0.0.1", Then::Nothing);
    let https = Https::new(Believed::Pem(silent.root.as_bytes()), None).unwrap();
    let url = format!("https://{}/tsa", silent.address);
    let authority = Authority::new("institute", &url, &anchor, &[]).unwrap().with_https(https);
    let begun = Instant::now();
    let refused = Client::new(Duration::from_secs(1)).stamp(&authority, MESSAGE).unwrap_err();
    assert_eq!(refused.code, Code::TooSlow, "{refused}");
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
}

#[test]
fn files_that_cannot_be_used_are_refused_at_the_start() {
    let root = front("127.0.0.1", Then::Nothing).root;
    let of = |pem: &str| Https::new(Believed::Pem(pem.as_bytes()), None).unwrap_err().code;
    assert_eq!((of(""), of("nothing")), (Code::BadX509, Code::BadX509));
    let identity = Identity { certificate: root.as_bytes(), key: b"nothing" };
    let refused = Https::new(Believed::Pem(root.as_bytes()), Some(identity)).unwrap_err();
    assert_eq!(refused.code, Code::BadX509);
}
