//! `zeugma demo --with cometbft`: real chains of another kind are followed, and a key of one is proved.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

#[allow(dead_code, reason = "shared with the scenarios of `network`")]
#[path = "network/program.rs"]
mod program;

use program::{program, zeugma};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

#[test]
fn the_demo_follows_real_chains_and_proves_a_key_that_anyone_verifies_offline() {
    let desk = tempfile::tempdir().unwrap();
    let at = |name: &str| desk.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("exhibit.txt"), "the parties agree").unwrap();
    let said = zeugma(&["demo", &at("exhibit.txt"), "--out", &at("out"), "--with", "cometbft"]).done();
    let foreign = &said["foreign"];
    assert_eq!(
        (&foreign["balance"], &foreign["flipped"]["name"]),
        (&"1000000000".into(), &"NotProven".into())
    );

    let (hash, time) = (foreign["header_hash"].as_str().unwrap(), foreign["judged_at"].as_str().unwrap());
    let verify =
        |file: &str, more: &[&str]| zeugma(&[&["client", "verify-key", file, "--time", time], more].concat());
    let held = verify(&at("out/simd-balance.json"), &["--hash", hash]).done();
    assert_eq!((&held["present"], &held["value_text"]), (&true.into(), &"1000000000".into()), "{held}");
    assert!(held["updates"].as_u64().unwrap() >= 1, "the validators' signatures are in the file: {held}");
    let absent = verify(&at("out/simd-absent.json"), &["--hash", hash]).done();
    assert_eq!((&absent["present"], &absent["chain"]), (&false.into(), &"simd-1".into()), "{absent}");
    verify(&at("out/simd-balance.json"), &["--hash", &"00".repeat(32)]).refused("WrongCommit");
    for command in said["verify"].as_array().unwrap() {
        let words: Vec<&str> = command.as_str().unwrap().split(' ').skip(1).collect();
        zeugma(&words).done();
    }
}

/// Beside a program that builds and starts chains, and says this.
fn told_by_peers(script: &str) -> Value {
    let desk = tempfile::tempdir().unwrap();
    let (own, peers) = (desk.path().join("zeugma"), desk.path().join("zeugma-peers"));
    fs::copy(program(), &own).unwrap();
    fs::write(&peers, script).unwrap();
    fs::set_permissions(&peers, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = run(&own, desk.path());
    assert_eq!(ran.status.code(), Some(3), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn run(program: &Path, desk: &Path) -> std::process::Output {
    let mut demo = Command::new(program);
    demo.args(["demo", "--out", "out", "--with", "cometbft", "--json"]).current_dir(desk);
    // Without cargo the program beside it is used as it is.
    demo.env_remove("CARGO").output().unwrap()
}

#[test]
fn without_go_the_demo_says_which_package_brings_it_before_anything_starts() {
    let script = "#!/bin/sh\necho 'peers: simd needs Go 1.25.9 or newer; install the package `golang-go`' >&2\nexit 1\n";
    let told = told_by_peers(script);
    assert!(told["unreachable"]["what"].as_str().unwrap().contains("golang-go"), "{told}");
}

#[test]
fn a_chain_that_does_not_start_ends_the_demo_with_what_it_said() {
    let script = "#!/bin/sh\n[ \"$1\" = list ] && exit 0\necho 'peers: no free port' >&2\nexit 1\n";
    let told = told_by_peers(script);
    assert!(told["unreachable"]["what"].as_str().unwrap().contains("no free port"), "{told}");
}
