//! The `merkle` suite on the published files, and on copies of them that must fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeugma_conformance::{Totals, run};

fn lines(path: &Path) -> (Totals, Vec<String>) {
    let mut out = Vec::new();
    let totals = run("merkle", &[path.to_owned()], &mut out).unwrap();
    (totals, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

fn published() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = std::env::var_os("ZEUGMA_VECTORS").map_or(beside, PathBuf::from).join("merkle");
    if folder.is_dir() {
        return Some(folder);
    }
    // Not by a macro, whose output the test harness hides when a test passes.
    let missing = format!("NOT RUN: there is no {}; set ZEUGMA_VECTORS\n", folder.display());
    std::io::stderr().write_all(missing.as_bytes()).unwrap();
    None
}

#[test]
fn every_published_case_is_decided_as_published() {
    let Some(folder) = published() else { return };
    let (totals, lines) = lines(&folder);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(totals.passed >= 100, "{totals:?}");
}

#[test]
fn every_case_of_an_inverted_copy_fails() {
    let Some(folder) = published() else { return };
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("merkle-inverted");
    let _ = fs::remove_dir_all(&copies);
    copy_inverted(&folder, &copies);
    let (totals, _) = lines(&copies);
    assert_eq!(totals.passed, 0);
    assert!(totals.failed >= 100);
}

fn copy_inverted(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_inverted(&entry.path(), &target);
        } else {
            let mut case: serde_json::Value =
                serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
            case["wantErr"] = (!case["wantErr"].as_bool().unwrap()).into();
            fs::write(target, case.to_string()).unwrap();
        }
    }
}

#[test]
fn a_file_that_is_no_case_is_listed_and_fails() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-case.json");
    fs::write(&file, "{\"wantErr\": true}").unwrap();
    let (totals, lines) = lines(&file);
    assert_eq!((totals.passed, totals.failed), (0, 1));
    assert!(lines[0].starts_with("FAIL no-case.json"), "{lines:?}");
}
