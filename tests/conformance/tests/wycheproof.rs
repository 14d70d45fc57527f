//! The `wycheproof` suite on the published files, and on copies of them that must fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use zeugma_conformance::{Totals, run};

/// Two cases of a group that Wycheproof could hold: RFC 8032, section 7.1, TEST 1, and the same signature
/// over another message.
const SMALL: &str = r#"{
  "algorithm": "EDDSA",
  "testGroups": [{
    "type": "EddsaVerify",
    "publicKey": {
      "curve": "edwards25519",
      "pk": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    },
    "tests": [
      {"tcId": 1, "comment": "empty", "msg": "", "sig": "SIG", "result": "valid"},
      {"tcId": 2, "comment": "wrong", "msg": "00", "sig": "SIG", "result": "invalid"}
    ]
  }]
}"#;
const SIGNATURE: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

/// The folder of published vectors, or `None` when this machine does not have it.
fn vectors() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = std::env::var_os("ZEUGMA_VECTORS").map_or(beside, PathBuf::from).join("wycheproof");
    if folder.is_dir() {
        return Some(folder);
    }
    // Not through `eprintln!`, which the test harness hides when a test passes.
    let missing =
        format!("NOT RUN: there is no {}; set ZEUGMA_VECTORS to the vectors' folder\n", folder.display());
    std::io::stderr().write_all(missing.as_bytes()).unwrap();
    None
}

/// A folder of its own for one test, empty at first.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn small(change: impl Fn(String) -> String) -> String {
    change(SMALL.replace("SIG", SIGNATURE))
}

fn lines(path: &Path) -> (Totals, Vec<String>) {
    let mut out = Vec::new();
    let totals = run("wycheproof", &[path.to_owned()], &mut out).unwrap();
    (totals, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

/// Changes `valid` to `invalid` and back in every expectation of a suite's text.
fn inverted(text: &str) -> String {
    let mut suite: serde_json::Value = serde_json::from_str(text).unwrap();
    for group in suite["testGroups"].as_array_mut().unwrap() {
        for test in group["tests"].as_array_mut().unwrap() {
            let other = if test["result"] == "valid" { "invalid" } else { "valid" };
            test["result"] = other.into();
        }
    }
    suite.to_string()
}

#[test]
fn every_published_case_is_decided_as_published() {
    let Some(folder) = vectors() else { return };
    let (totals, lines) = lines(&folder);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // As many cases as the files say they hold: none is passed over.
    let declared: u64 = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .map(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap())
        .map(|suite| suite["numberOfTests"].as_u64().unwrap())
        .sum();
    assert_eq!(totals.passed as u64, declared);
    assert_eq!(lines.last().unwrap(), &format!("{declared} passed, 0 failed"));
}

#[test]
fn every_case_of_an_inverted_copy_fails() {
    let Some(published) = vectors() else { return };
    let copies = folder("inverted");
    for entry in fs::read_dir(&published).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(copies.join(path.file_name().unwrap()), inverted(&text)).unwrap();
    }
    let (totals, lines) = lines(&copies);
    let passed: Vec<_> = lines.iter().filter(|line| line.starts_with("ok")).collect();
    assert!(passed.is_empty(), "{passed:#?}");
    assert!(totals.failed > 1_000);
}

#[test]
fn a_small_file_passes_and_its_inverted_copy_fails_case_by_case() {
    let folder = folder("small");
    let file = folder.join("small.json");
    fs::write(&file, small(|text| text)).unwrap();
    let (totals, right) = lines(&file);
    assert_eq!(totals, Totals { passed: 2, failed: 0 });
    assert_eq!(right, ["ok small.json:1 empty", "ok small.json:2 wrong", "2 passed, 0 failed"]);

    fs::write(&file, inverted(&small(|text| text))).unwrap();
    let (totals, wrong) = lines(&file);
    assert_eq!(totals, Totals { passed: 0, failed: 2 });
    assert_eq!(wrong[0], "FAIL small.json:1 empty: expected invalid, got valid");
    assert!(wrong[1].starts_with("FAIL small.json:2 wrong: expected valid, got invalid (202 BadSignature"));
    assert_eq!(wrong[2], "0 passed, 2 failed");
}

#[test]
fn what_the_suite_does_not_know_is_listed_and_fails() {
    let folder = folder("unknown");
    fs::create_dir(folder.join("below")).unwrap();
    fs::write(folder.join("below/README.md"), "words").unwrap();
    fs::write(folder.join("no-groups.json"), "{}").unwrap();
    fs::write(folder.join("curve.json"), small(|text| text.replace("edwards25519", "edwards448"))).unwrap();
    fs::write(folder.join("result.json"), small(|text| text.replace("\"valid\"", "\"maybe\""))).unwrap();
    fs::write(folder.join("digits.json"), small(|text| text.replace("\"00\"", "\"0g\""))).unwrap();
    let (totals, lines) = lines(&folder);
    for start in [
        "FAIL below/README.md: expected",
        "FAIL no-groups.json: expected",
        "FAIL curve.json:group1: expected",
        "FAIL result.json:1 empty: expected",
        "FAIL digits.json:2 wrong: expected",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start} is not in {lines:#?}");
    }
    assert_eq!(totals, Totals { passed: 2, failed: 5 });
}

#[test]
fn an_acceptable_case_states_the_policy_and_passes_when_refused() {
    let file = folder("acceptable").join("small.json");
    fs::write(&file, small(|text| text.replace("\"invalid\"", "\"acceptable\""))).unwrap();
    let (totals, refused) = lines(&file);
    assert!(refused[1].starts_with("policy: a case with result \"acceptable\""), "{refused:?}");
    assert_eq!(totals, Totals { passed: 2, failed: 0 });
    fs::write(&file, small(|text| text.replace("\"valid\"", "\"acceptable\""))).unwrap();
    assert_eq!(lines(&file).0, Totals { passed: 1, failed: 1 });
}

#[test]
fn the_command_ends_with_its_totals_and_its_exit_code() {
    let folder = folder("command");
    let file = folder.join("small.json");
    let command = |arguments: &[&OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_zeugma-conformance")).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let suite = OsStr::new("wycheproof");
    fs::write(&file, small(|text| text)).unwrap();
    let (code, out) = command(&[suite, file.as_os_str()]);
    assert_eq!((code, out.lines().last().unwrap()), (0, "2 passed, 0 failed"));

    fs::write(&file, inverted(&small(|text| text))).unwrap();
    let (code, out) = command(&[suite, file.as_os_str()]);
    assert_eq!((code, out.lines().last().unwrap()), (1, "0 passed, 2 failed"));

    fs::remove_file(&file).unwrap();
    assert_eq!(command(&[suite, folder.as_os_str()]), (1, "0 passed, 0 failed\n".into()));
    assert_eq!(command(&[suite, file.as_os_str()]).0, 2);
    assert_eq!(command(&[suite]).0, 2);
    assert_eq!(command(&[OsStr::new("no-such-suite"), folder.as_os_str()]).0, 2);
}
