//! `zeugma keys`, `zeugma doctor`, `zeugma completions`.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Desk;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_key_is_made_once_for_its_owner_alone_and_its_secret_is_never_printed() {
    let desk = Desk::new();
    let made = desk.run(&["keys", "new", "account", "--out", "alice.json", "--json"]).ends(0);
    let mode = std::fs::metadata(desk.path("alice.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let file: serde_json::Value = serde_json::from_str(&desk.text("alice.json")).unwrap();
    let secret = file["secret"].as_str().unwrap();
    let shown = desk.run(&["keys", "show", "alice.json"]).ends(0);
    assert_eq!(made.json()["public"], file["public"]);
    assert!(shown.out.contains(file["public"].as_str().unwrap()));
    assert!(shown.out.contains(made.json()["account"].as_str().unwrap()));
    for text in [&made.out, &made.err, &shown.out, &shown.err] {
        assert!(!text.contains(secret));
    }
    let again = desk.run(&["keys", "new", "account", "--out", "alice.json"]).ends(1);
    assert!(again.err.contains("FileExists"), "{}", again.err);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_command_that_helps() {
    let desk = Desk::new();
    desk.run(&["keys", "new", "node", "--out", "node.json"]).ends(0);
    std::fs::set_permissions(desk.path("node.json"), PermissionsExt::from_mode(0o644)).unwrap();
    let ran = desk.run(&["keys", "show", "node.json"]).ends(1);
    assert!(ran.err.contains("OpenToOthers") && ran.err.contains("chmod 600 node.json"), "{}", ran.err);
}

#[test]
fn what_is_no_key_file_is_refused_without_its_content() {
    let desk = Desk::new();
    desk.put("key.json", "{\"secret\": \"hunter2\"}");
    std::fs::set_permissions(desk.path("key.json"), PermissionsExt::from_mode(0o600)).unwrap();
    let ran = desk.run(&["keys", "show", "key.json", "--json"]).ends(1);
    assert!(ran.err.contains("NotKeyFile") && !ran.err.contains("hunter2") && !ran.out.contains("hunter2"));
}

#[test]
fn the_doctor_finds_a_taken_port_and_says_who_to_ask() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = desk.run(&["doctor", "--dir", ".", "--listen", &address, "--json"]).ends(1);
    assert!(ran.err.contains("Unfit"), "{}", ran.err);
    let found = ran.json();
    assert_eq!(found["fit"], false);
    let findings = found["findings"].as_array().unwrap();
    let port = findings.iter().find(|finding| finding["check"] == "port").unwrap();
    assert!(port["fix"].as_str().unwrap().starts_with("ss -ltnp"));
    for check in ["versions", "clock", "open files", "data folder", "disk space"] {
        assert!(findings.iter().any(|finding| finding["check"] == check), "{check}");
    }
}

#[test]
fn completions_know_the_commands() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = desk.run(&["completions", shell]).ends(0);
        assert!(ran.out.contains("trusted-fingerprint"), "{shell}");
    }
    desk.run(&["completions", "tcl"]).ends(2);
}

#[test]
fn every_command_takes_json_and_a_language() {
    let desk = Desk::new();
    for command in [
        &["verify"][..],
        &["trust", "show"],
        &["trust", "export"],
        &["keys", "new"],
        &["keys", "show"],
        &["doctor"],
        &["completions"],
    ] {
        let help = desk.run(&[command, &["--help"]].concat()).ends(0).out;
        assert!(help.contains("--json") && help.contains("--lang"), "{command:?}: {help}");
    }
}
