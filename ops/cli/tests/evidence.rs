//! `zeugma evidence` against a service that runs as a process: runs that are broken off go on, a service that is away is
//! waited for on disk, and a record is deposited once.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::service::{Service, started, until};
use common::{Desk, Ran};
use serde_json::Value;
use std::process::{Command, Stdio};

fn deposit(desk: &Desk, service: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["evidence", "deposit", "--json", "--service", service];
    arguments.extend(more);
    desk.run(&arguments)
}

fn status(service: &str) -> Value {
    let text = ureq::get(format!("{service}/v1/status")).call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap()
}

fn exhibits(desk: &Desk, count: usize) {
    std::fs::create_dir(desk.path("exhibits")).unwrap();
    for at in 0..count {
        desk.put(&format!("exhibits/{at:05}"), format!("exhibit {at}"));
    }
}

fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Starts a deposit, and kills it once `there` says so.
fn killed(desk: &Desk, arguments: &[&str], there: impl FnMut() -> bool) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_zeugma"))
        .args(arguments)
        .current_dir(desk.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the moment to kill it", there);
    // It may have been quicker: then what follows is a run of nothing, which the counts tell.
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_run_that_was_killed_goes_on_by_its_journal_and_each_file_is_deposited_once() {
    let desk = Desk::new();
    let service = Service::start(&desk, "127.0.0.1:0", "");
    exhibits(&desk, 6_000);
    let url = service.url.clone();
    let lines = |path: &str| std::fs::read_to_string(desk.path(path)).unwrap_or_default().lines().count();
    killed(&desk, &["evidence", "deposit", "exhibits", "--service", &url], || {
        lines("exhibits.deposits") > 1_000
    });
    let before = lines("exhibits.deposits") - 1;
    assert!((1_000..6_000).contains(&before), "it was killed in the middle: {before}");
    // A line that was cut short, as a crash of the machine leaves it.
    let mut journal = std::fs::read(desk.path("exhibits.deposits")).unwrap();
    journal.extend_from_slice(b"{\"file\":\"exhi");
    desk.put("exhibits.deposits", journal);
    // One that was changed since is another record.
    let first = std::fs::read_to_string(desk.path("exhibits.deposits")).unwrap();
    let first: Value = serde_json::from_str(first.lines().nth(1).unwrap()).unwrap();
    let changed = first["file"].as_str().unwrap().to_owned();
    desk.put(&changed, "changed");

    let said = deposit(&desk, &url, &["exhibits"]).ends(0).json();
    assert_eq!(said["before"], before - 1);
    assert_eq!(said["deposits"].as_array().unwrap().len(), 6_000);
    assert_eq!(status(&url)["durable"], 6_001, "6,000 files, one of them twice");
    assert!(!desk.path("exhibits.deposits").exists(), "a complete run leaves no journal");
    // Another run of the same folder finds everything there.
    let again = deposit(&desk, &url, &["exhibits", "--journal", "kept"]).ends(0).json();
    assert_eq!((&again["new"], &again["before"]), (&0.into(), &0.into()));
    let other = deposit(&desk, &url, &["exhibits", "--journal", "kept", "--origin", "elsewhere"]).ends(1);
    assert!(other.err.contains("785"), "{}", other.err);
    let resumed = deposit(&desk, &url, &["exhibits", "--journal", "kept"]).ends(0).json();
    assert_eq!(resumed["before"], 6_000);
    assert_eq!(status(&url)["durable"], 6_001);
    service.end();
}

#[test]
fn what_a_service_that_is_away_cannot_take_waits_on_disk_and_is_sent_once() {
    let desk = Desk::new();
    let listen = free();
    let url = format!("http://{listen}");
    let service = Service::start(&desk, &listen, "");
    exhibits(&desk, 3_500);
    deposit(&desk, &url, &["exhibits/00000", "--queue", "waiting"]).ends(0);
    service.end();

    // Away: without a queue it fails and says so, with one it waits on disk.
    deposit(&desk, &url, &["exhibits"]).ends(3);
    let said = deposit(&desk, &url, &["exhibits", "--queue", "waiting"]).ends(0).json();
    assert_eq!((&said["queued"], said["deposits"].as_array().unwrap().len()), (&3_500.into(), 0));
    let waiting = || {
        let names = std::fs::read_dir(desk.path("waiting")).unwrap();
        names
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "json"))
            .count()
    };
    assert_eq!(waiting(), 4);
    deposit(&desk, &url, &["--flush", "--queue", "waiting"]).ends(3);
    assert_eq!(waiting(), 4);

    // It comes back; the one that sends is killed in the middle.
    let service = Service::start(&desk, &listen, "");
    killed(&desk, &["evidence", "deposit", "--flush", "--queue", "waiting", "--service", &url], || {
        waiting() < 4
    });
    let said = deposit(&desk, &url, &["--flush", "--queue", "waiting"]).ends(0).json();
    assert_eq!(waiting(), 0);
    assert_eq!(status(&url)["durable"], 3_500, "{said}");
    let receipts = desk.text("waiting/receipts.jsonl");
    let entries: std::collections::BTreeSet<String> = receipts
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["entry"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(entries.len(), 3_500, "a receipt of each is on disk");
    // Named again, all of it is there.
    let again = deposit(&desk, &url, &["exhibits", "--queue", "waiting"]).ends(0).json();
    assert_eq!(again["new"], 0);
    service.end();
}

#[test]
fn a_log_is_backed_up_exported_rolled_erased_and_restored_from_the_command_line() {
    let desk = Desk::new();
    let listen = free();
    let url = format!("http://{listen}");
    let backups = desk.path("backups");
    let log = format!("backups = {backups:?}\norigin = \"log.example/one\"");
    let service = Service::start(&desk, &listen, &log);
    exhibits(&desk, 12);
    desk.run(&["evidence", "token", "new", "--tenant", "anyone", "--role", "operator", "--out", "operator"])
        .ends(0);
    for (file, case) in [("exhibits/00000", "a"), ("exhibits/00001", "b"), ("exhibits/00002", "a")] {
        deposit(&desk, &url, &[file, "--field", &format!("case={case}")]).ends(0);
    }
    let operator = ["--service", &url, "--token-file", "operator"];
    let ask = |arguments: &[&str], at: &[&str]| {
        let arguments: Vec<&str> = ["evidence"].iter().chain(arguments).chain(at).copied().collect();
        desk.run(&arguments)
    };
    let own = ["--service", url.as_str()];
    until("a checkpoint of three", || status(&url)["published"] == 3);

    // The first act is that somebody reads.
    ask(&["status", "0/0"], &own).ends(0);
    let note = |path: &str| -> Option<String> {
        ureq::get(format!("{url}{path}")).call().ok()?.body_mut().read_to_string().ok()
    };
    until("a checkpoint of the acts", || note("/audit/0/checkpoint").is_some());
    desk.put("acts", note("/audit/0/checkpoint").unwrap());

    // Online, and only where the configuration lets it, and only for an operator.
    let to = backups.join("one").display().to_string();
    assert_eq!(ask(&["backup", &to, "--json"], &operator).ends(0).json()["size"], 3);
    assert!(ask(&["backup", "elsewhere"], &operator).ends(1).err.contains("786"));
    ask(&["backup", &to], &own).ends(1);
    let note =
        ureq::get(format!("{url}/log/0/checkpoint")).call().unwrap().body_mut().read_to_string().unwrap();
    desk.put("checkpoint", &note);

    // Each bundle verifies; a second run fetches nothing again.
    let said = ask(&["export", "--out", "case", "--case", "a", "--json"], &own).ends(0).json();
    assert_eq!((&said["written"], &said["of_others_or_cases"]), (&2.into(), &1.into()));
    std::fs::remove_file(desk.path("case/0-2.bundle")).unwrap();
    let said = ask(&["export", "--out", "case", "--case", "a", "--json"], &own).ends(0).json();
    assert_eq!((&said["written"], &said["there"]), (&1.into(), &1.into()));

    // Rolled while it serves: the next deposit stands in the next shard, the old ones where they were.
    assert_eq!(ask(&["roll", "log.example/two", "--json"], &operator).ends(0).json()["shard"], 1);
    assert!(ask(&["roll", "log.example/two"], &operator).ends(1).err.contains("561"));
    let next = deposit(&desk, &url, &["exhibits/00003"]).ends(0).json();
    assert_eq!(next["deposits"][0]["entry"], "1/0");
    let known = deposit(&desk, &url, &["exhibits/00000", "--field", "case=a"]).ends(0).json();
    assert_eq!(
        (&known["deposits"][0]["entry"], &known["deposits"][0]["known"]),
        (&"0/0".into(), &true.into())
    );
    until("a checkpoint of the second shard", || status(&url)["published"] == 1);
    let said = ask(&["export", "--out", "all", "--json"], &own).ends(0).json();
    assert_eq!(said["written"], 4);

    // Erased: the proof stays, the record does not.
    ask(&["erase", "0/1"], &own).ends(2);
    ask(&["erase", "0/1", "--yes"], &own).ends(0);
    assert_eq!(ask(&["erase", "0/1", "--yes", "--json"], &own).ends(0).json()["before"][0], "0/1");
    let said = ask(&["export", "--out", "after", "--json"], &own).ends(0).json();
    assert_eq!((&said["written"], &said["erased"][0]), (&3.into(), &"0/1".into()));
    service.end();

    // Restored: under its origin by the checkpoint that others hold, else under a new one only.
    let config = "[log]\norigin = \"log.example/one\"\n";
    desk.put("restore.toml", config);
    let marked = ask(&["restore", &to, "--folder", "marked", "--config", "restore.toml", "--json"], &[])
        .ends(0)
        .json();
    assert_eq!((&marked["whole"], &marked["size"]), (&false.into(), &3.into()));
    assert!(!desk.path("marked/witness").exists() && !desk.path("marked/keys.json").exists());
    ask(&["restore", &to, "--folder", "marked", "--config", "restore.toml"], &[]).ends(1);
    let (key, acts) = (log_key(&desk, "log.example/one"), log_key(&desk, "log.example/one/audit"));
    let shown = ["--config", "restore.toml", "--checkpoint", "checkpoint", "--key", &key];
    let shown: Vec<&str> =
        shown.into_iter().chain(["--audit-checkpoint", "acts", "--audit-key", &acts]).collect();
    let whole = ask(&["restore", &to, "--folder", "whole", "--json"], &shown).ends(0).json();
    assert_eq!(whole["whole"], true, "{whole}");
    assert!(whole["acts"].as_u64().unwrap() > 0);
    desk.put("checkpoint", note.replace("\n3\n", "\n4\n"));
    ask(&["restore", &to, "--folder", "third"], &shown).ends(1);
}

/// The key of the log in the desk's folder.
fn log_key(desk: &Desk, origin: &str) -> String {
    let keys = zeugma_evidence_service::keys::Keys::open(&desk.path("evidence/keys.json")).unwrap();
    keys.signers(origin, true).unwrap().first.key().to_text()
}

#[test]
fn a_witness_is_made_once_serves_and_refuses_a_state_that_is_gone_or_was_copied() {
    let desk = Desk::new();
    // The service once, for its keys.
    Service::start(&desk, "127.0.0.1:0", "origin = \"log.example/one\"").end();
    let key = log_key(&desk, "log.example/one");
    desk.put(
        "witness.toml",
        format!("[witness]\nname = \"court.example/witness\"\nlisten = \"127.0.0.1:0\"\n[[log]]\norigin = \"log.example/one\"\nkeys = [\"{key}\"]\n"),
    );
    let witness = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["evidence", "witness"]
            .iter()
            .chain(arguments)
            .chain(&["--config", "witness.toml"])
            .copied()
            .collect();
        desk.run(&arguments)
    };
    assert!(witness(&["serve"]).ends(1).err.contains("781"));
    let made = witness(&["init", "--json"]).ends(0).json();
    assert_eq!(made["keys"].as_array().unwrap().len(), 2);
    witness(&["init"]).ends(1);

    let (mut child, said) = started(&desk, &["evidence", "witness", "serve", "--config", "witness.toml"]);
    assert_eq!((&said["keys"], &said["logs"]), (&made["keys"], &1.into()));
    assert!(witness(&["serve"]).ends(2).err.contains("another process"));
    let listed = said["keys"].as_array().unwrap();
    let more = format!(
        "origin = \"log.example/one\"\n[[witness]]\ninstitution = \"court\"\nurl = \"http://{}\"\nkeys = [{}, {}]\n",
        said["address"].as_str().unwrap(),
        listed[0],
        listed[1]
    );
    let service = Service::start(&desk, "127.0.0.1:0", &more);
    desk.put("file", "one");
    deposit(&desk, &service.url, &["file"]).ends(0);
    until("a cosignature", || status(&service.url)["witnessing"][0]["cosigned"]["size"] == 1);
    let seen = witness(&["status", "--json"]).ends(0).json();
    assert_eq!((&seen["logs"][0]["size"], &seen["usable"]), (&1.into(), &true.into()));
    service.end();
    child.kill().unwrap();
    child.wait().unwrap();

    // Copied: not the state, until the operator says so. Gone: never again under these keys.
    let state = desk.path("witness/state");
    let bytes = std::fs::read(&state).unwrap();
    std::fs::remove_file(&state).unwrap();
    std::fs::write(&state, bytes).unwrap();
    assert!(witness(&["serve"]).ends(1).err.contains("782"));
    assert_eq!(witness(&["status", "--json"]).ends(1).json()["usable"], false);
    witness(&["init", "--state-is-newest"]).ends(0);
    let seen = witness(&["status", "--json"]).ends(0).json();
    assert_eq!(seen["logs"][0]["size"], 1);
    std::fs::remove_file(&state).unwrap();
    for command in [&["serve"][..], &["init"], &["init", "--state-is-newest"], &["status"]] {
        assert!(witness(command).ends(1).err.contains("781"), "{command:?}");
    }
}
