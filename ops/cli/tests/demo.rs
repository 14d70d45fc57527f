//! The demo from end to end, and what happens to a network whose owner is killed.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Desk;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends the child it holds, by its own id, however the test ends.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_demo_leaves_proofs_that_anyone_verifies_offline_and_nothing_else() {
    let desk = Desk::new();
    desk.put("exhibit.txt", "the parties agree");
    std::fs::create_dir(desk.path("tmp")).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_zeugma"))
        .args(["demo", "exhibit.txt", "--out", "out", "--json"])
        .env("TMPDIR", desk.path("tmp"))
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{told}");
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(said["seconds"].as_f64().unwrap() < 60.0, "{said}");
    let transcripts = said["transcripts"].as_array().unwrap();
    assert!(transcripts.iter().all(|one| told.contains(one.as_str().unwrap())), "{told}");
    assert_ne!(transcripts[0], transcripts[1]);
    assert_eq!(said["flipped"]["name"], "NotIncluded");
    assert_eq!(std::fs::read_dir(desk.path("tmp")).unwrap().count(), 0, "a folder stayed behind");

    for (proof, own, other) in [
        ("checkpoint.proof", "trust.json", "trust-b.json"),
        ("packet.proof", "trust.json", "trust-b.json"),
        ("ack.proof", "trust-b.json", "trust.json"),
        ("closed.proof", "trust-b.json", "trust.json"),
    ] {
        let (proof, own, other) = (format!("out/{proof}"), format!("out/{own}"), format!("out/{other}"));
        desk.run(&["verify", &proof, "--trust", &own, "--json"]).ends(0);
        let refused = desk.run(&["verify", &proof, "--trust", &other, "--json"]).ends(1);
        assert_eq!(refused.json()["refused"]["name"], "WrongNetwork", "{proof}");
    }
    let anchored = desk.run(&[
        "verify",
        "out/checkpoint.proof",
        "--trust",
        "out/trust.json",
        "--path",
        "anchor:evidence.example/demo-log@3",
    ]);
    anchored.ends(0);
    // The log's own proof shows that the file's digest is in the anchored checkpoint; of another file it shows nothing.
    let logged = |file: &str, log_proof: &str| {
        let fixed = [
            "verify",
            "out/checkpoint.proof",
            file,
            "--trust",
            "out/trust.json",
            "--logged",
            log_proof,
            "--json",
        ];
        desk.run(&fixed)
    };
    let shown = logged("exhibit.txt", "out/exhibit.tlog-proof").ends(0).json();
    assert_eq!(
        (&shown["logged"]["index"], &shown["logged"]["sha256"]),
        (&1.into(), &said["exhibit"]),
        "{shown}"
    );
    assert!(desk.text("out/exhibit.tlog-proof").starts_with("c2sp.org/tlog-proof@v1\nindex 1\n"));
    desk.put("other.txt", "the parties disagree");
    assert_eq!(
        logged("other.txt", "out/exhibit.tlog-proof").ends(1).json()["refused"]["name"],
        "NotIncluded"
    );
    // A checkpoint that is not the anchored one proves nothing, whoever signed it.
    let proof = desk.text("out/exhibit.tlog-proof");
    desk.put("longer.tlog-proof", proof.replace("demo-log\n3\n", "demo-log\n4\n"));
    assert_eq!(logged("exhibit.txt", "longer.tlog-proof").ends(1).json()["refused"]["name"], "WrongValue");
    let packet = [
        "verify",
        "out/packet.proof",
        "exhibit.txt",
        "--trust",
        "out/trust.json",
        "--logged",
        "out/exhibit.tlog-proof",
    ];
    desk.run(&packet).ends(1);
    // A second run writes nothing over.
    desk.run(&["demo", "exhibit.txt", "--out", "out"]).ends(1);
    desk.run(&["demo", "no-such-file", "--out", "other"]).ends(2);
}

#[test]
fn the_nodes_of_a_network_end_when_its_owner_is_killed() {
    let desk = Desk::new();
    let mut owner = Owned(
        Command::new(env!("CARGO_BIN_EXE_zeugma"))
            .args(["devnet", "--insecure-dealer", "--dir", "net", "--json"])
            .current_dir(desk.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut report = String::new();
    for line in BufReader::new(owner.0.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        report.push_str(&line);
        if line == "}" {
            break;
        }
    }
    let said: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(said["transcript"], Value::Null, "a dealer has no transcript");
    let nodes: Vec<&str> =
        said["nodes"].as_array().unwrap().iter().map(|node| node.as_str().unwrap()).collect();
    assert_eq!(nodes.len(), 4);

    let status = desk.run(&["query", "status", "--node", nodes[3], "--json"]).ends(0);
    assert!(status.json()["height"].as_u64().unwrap() >= 2);
    let tx = |more: &[&str]| {
        let fixed =
            ["tx", "opaque", "--text", "hello", "--node", nodes[0], "--key", "net/account.json", "--json"];
        desk.run(&[&fixed[..], more].concat())
    };
    let done = tx(&["--token-file", "net/token"]).ends(0).json();
    assert_eq!(done["messages"][0], "applied", "{done}");
    let id = done["transaction"].as_str().unwrap();
    let found = desk.run(&["query", "tx", id, "--wait", "10", "--node", nodes[2], "--json"]).ends(0).json();
    assert_eq!((&found["status"], &found["outcome"]), (&"final".into(), &"done".into()), "{found}");
    let refused = tx(&[]).ends(1);
    assert_eq!(refused.json()["refused"]["name"], "Declined", "a write needs a token");
    desk.run(&[
        "query",
        "proof",
        "--index",
        "0",
        "--out",
        "p",
        "--trust",
        "net/trust.json",
        "--node",
        nodes[1],
    ])
    .ends(0);
    let verified = desk.run(&["verify", "p", "--trust", "net/trust.json"]).ends(0);
    assert!(verified.out.to_lowercase().contains("dealer"), "no warning of the dealer: {}", verified.out);

    // As hard as the system can: no handler runs, nothing is cleaned up.
    owner.0.kill().unwrap();
    owner.0.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    for node in nodes {
        while desk.run(&["query", "status", "--node", node]).code != 3 {
            assert!(Instant::now() < end, "{node} still answers");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
