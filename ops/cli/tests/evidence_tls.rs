//! `zeugma evidence` over TLS: the service's name is checked, and an X.509 certificate stands for a token.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Desk;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A running service; it ends when its standard input is closed.
struct Served {
    child: Child,
    stdin: Option<ChildStdin>,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Puts a root, and an X.509 certificate and key of the service and of a client, into the desk; the client's SHA-256.
fn certify(desk: &Desk) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    desk.put("root.pem", params.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(params, key);
    let mut last = String::new();
    for (file, name) in [("service", "127.0.0.1"), ("client", "client.example")] {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        desk.put(&format!("{file}.pem"), certificate.pem());
        desk.put(&format!("{file}.key"), key.serialize_pem());
        last = hex::encode(Sha256::digest(certificate.der()));
    }
    last
}

fn serve(desk: &Desk, certificate: &str) -> Served {
    desk.put(
        "evidence.toml",
        format!(
            "[log]\nfolder = \"log\"\npublish_milliseconds = 20\n[api]\nlisten = \"127.0.0.1:0\"\n\
             [api.tls]\ncertificate = \"service.pem\"\nkey = \"service.key\"\nclient_ca = \"root.pem\"\n\
             [[tenant]]\nname = \"one\"\npseudonym = \"one\"\nrole = \"party\"\ncertificate_sha256 = \"{certificate}\"\n"
        ),
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_zeugma"))
        .args(["evidence", "serve", "--config", "evidence.toml", "--with-parent", "--json"])
        .current_dir(desk.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut report = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        report.push_str(&line);
        if line == "}" {
            break;
        }
    }
    let said: Value = serde_json::from_str(&report).unwrap();
    let stdin = child.stdin.take();
    Served { child, stdin, url: said["url"].as_str().unwrap().to_owned() }
}

#[test]
fn a_file_is_deposited_over_tls_with_an_x509_certificate_in_place_of_a_token() {
    let desk = Desk::new();
    let served = serve(&desk, &certify(&desk));
    assert!(served.url.starts_with("https://127.0.0.1:"));
    desk.put("exhibit", "the agreement");
    let shown = ["--ca", "root.pem", "--cert", "client.pem", "--key", "client.key", "--service", &served.url];
    let run = |arguments: &[&str], how: &[&str]| desk.run(&[&["evidence"], arguments, how].concat());

    let told = run(&["deposit", "exhibit", "--json"], &shown).ends(0).json();
    let entry = told["deposits"][0]["entry"].as_str().unwrap().to_owned();
    let standing = run(&["status", &entry, "--wait", "logged", "--json"], &shown).ends(0).json();
    assert_eq!(standing["state"], "logged");
    run(&["bundle", &entry, "--out", "exhibit.bundle"], &shown).ends(0);
    run(&["policy", "--out", "policy.zeugma"], &["--ca", "root.pem", "--service", &served.url]).ends(0);

    // Its name is not believed under the system's roots; without an X.509 certificate nobody is known.
    let doubted = run(&["policy", "--out", "other"], &["--service", &served.url]);
    assert!(doubted.code != 0 && !desk.path("other").exists(), "{doubted:?}");
    desk.put("token", "wrong");
    let unknown = ["--ca", "root.pem", "--token-file", "token", "--service", &served.url];
    let refused = run(&["status", &entry], &unknown).ends(1);
    assert!(refused.err.contains("401"), "{}", refused.err);
    let plain = served.url.replace("https://", "http://");
    let refused = run(&["policy", "--out", "other"], &["--service", &plain]);
    assert!(refused.code != 0 && !desk.path("other").exists());
    let refused = run(&["policy", "--out", "other"], &["--ca", "root.pem", "--service", &plain]).ends(2);
    assert!(refused.err.contains("https"), "{}", refused.err);
}
