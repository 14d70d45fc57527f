//! The `cometbft-mbt` and `ics23` suites on the published files, and on copies of them that must fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeugma_conformance::{Totals, run};

fn lines(suite: &str, path: &Path) -> (Totals, Vec<String>) {
    let mut out = Vec::new();
    let totals = run(suite, &[path.to_owned()], &mut out).unwrap();
    (totals, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

fn published(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let root = std::env::var_os("ZEUGMA_VECTORS").map_or(beside, PathBuf::from);
    let folder = root.join("cometbft").join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    // Not by a macro, whose output the test harness hides when a test passes.
    let missing = format!("NOT RUN: there is no {}; set ZEUGMA_VECTORS\n", folder.display());
    std::io::stderr().write_all(missing.as_bytes()).unwrap();
    None
}

/// A copy of a folder tree in which `change` was made to every file.
fn copy(from: &Path, to: &Path, change: &dyn Fn(&mut Value)) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, change);
        } else {
            let mut json: Value = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
            change(&mut json);
            fs::write(target, json.to_string()).unwrap();
        }
    }
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

#[test]
fn every_published_light_block_is_judged_as_published() {
    let Some(folder) = published("single_step") else { return };
    let (totals, lines) = lines("cometbft-mbt", &folder);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(totals.passed >= 60, "{totals:?}");
}

#[test]
fn every_light_block_of_an_inverted_copy_fails() {
    let Some(folder) = published("single_step") else { return };
    let copies = scratch("mbt-inverted");
    copy(&folder, &copies, &|file| {
        for case in file["input"].as_array_mut().unwrap() {
            let other = if case["verdict"] == "SUCCESS" { "INVALID" } else { "SUCCESS" };
            case["verdict"] = other.into();
        }
    });
    let (totals, _) = lines("cometbft-mbt", &copies);
    assert_eq!(totals.passed, 0);
    assert!(totals.failed >= 60, "{totals:?}");
}

#[test]
fn every_published_proof_is_judged_as_published() {
    let Some(folder) = published("ics23") else { return };
    let (totals, lines) = lines("ics23", &folder);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(totals.passed >= 35, "{totals:?}");
}

#[test]
fn every_proof_of_an_inverted_copy_fails() {
    let Some(folder) = published("ics23") else { return };
    let copies = scratch("ics23-inverted");
    let invert = |case: &mut Value| match case {
        Value::Object(fields) if fields.contains_key("IsErr") => {
            let error = fields["IsErr"].as_bool().unwrap();
            fields["IsErr"] = (!error).into();
            if error && fields.contains_key("Expected") {
                fields["Expected"] = "AAAA".into();
            }
        }
        Value::Object(fields) if fields.contains_key("IsLeft") => {
            fields["IsLeft"] = (!fields["IsLeft"].as_bool().unwrap()).into();
        }
        Value::Object(fields) if fields.contains_key("ExpectedHash") => {
            fields["ExpectedHash"] = "00".into();
        }
        Value::Object(fields) if fields.contains_key("proof") => {
            // An absence where a value was, and a value where none was.
            let absent = fields["value"] == "";
            fields["value"] = if absent { "76".into() } else { "".into() };
        }
        other => panic!("{other}"),
    };
    copy(&folder, &copies, &|file| match file {
        Value::Array(cases) => cases.iter_mut().for_each(invert),
        Value::Object(cases) if !cases.contains_key("proof") => cases.values_mut().for_each(invert),
        case => invert(case),
    });
    let (totals, lines) = lines("ics23", &copies);
    let passed: Vec<_> = lines.iter().filter(|line| line.starts_with("ok")).collect();
    assert!(passed.is_empty(), "{passed:#?}");
    assert!(totals.failed >= 35, "{totals:?}");
}

#[test]
fn a_file_that_is_no_case_is_listed_and_fails() {
    let folder = scratch("no-cometbft-case");
    fs::create_dir_all(&folder).unwrap();
    for suite in ["cometbft-mbt", "ics23"] {
        for text in
            ["{}", "[]", "not JSON", "{\"key\": \"00\", \"proof\": \"\", \"root\": \"\", \"value\": \"\"}"]
        {
            let file = folder.join("other.json");
            fs::write(&file, text).unwrap();
            let (totals, lines) = lines(suite, &file);
            assert_eq!((totals.passed, totals.failed), (0, 1), "{suite} {text}");
            assert!(lines[0].starts_with("FAIL other.json"), "{lines:?}");
        }
    }
}
