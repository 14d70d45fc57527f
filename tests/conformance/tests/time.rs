//! The `tsp` and `cose` suites on the published files, and on copies of them that must fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeugma_conformance::{Totals, run};

fn lines(suite: &str, path: &Path) -> (Totals, Vec<String>) {
    let mut out = Vec::new();
    let totals = run(suite, &[path.to_owned()], &mut out).unwrap();
    (totals, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

fn published(suite: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = std::env::var_os("ZEUGMA_VECTORS").map_or(beside, PathBuf::from).join(suite);
    if folder.is_dir() {
        return Some(folder);
    }
    // Not by a macro, whose output the test harness hides when a test passes.
    let missing = format!("NOT RUN: there is no {}; set ZEUGMA_VECTORS\n", folder.display());
    std::io::stderr().write_all(missing.as_bytes()).unwrap();
    None
}

/// A copy of a suite in an empty folder, each file under the name and with the bytes that `change` gives it.
fn copy(suite: &str, to: &str, change: impl Fn(&str, Vec<u8>) -> (String, Vec<u8>)) -> Option<PathBuf> {
    let from = published(suite)?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(to);
    let _ = fs::remove_dir_all(&target);
    copy_folder(&from, &target, &change);
    Some(target)
}

fn copy_folder(from: &Path, target: &Path, change: &impl Fn(&str, Vec<u8>) -> (String, Vec<u8>)) {
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            copy_folder(&path, &target.join(name), change);
        } else {
            let (name, bytes) = change(&name, fs::read(&path).unwrap());
            fs::write(target.join(name), bytes).unwrap();
        }
    }
}

fn all_hold(suite: &str, at_least: usize) {
    let Some(folder) = published(suite) else { return };
    let (totals, lines) = lines(suite, &folder);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(totals.passed >= at_least, "{totals:?}");
}

#[test]
fn every_published_response_is_judged_as_published() {
    all_hold("tsp", 8);
}

#[test]
fn every_published_receipt_is_read_and_signed_as_published() {
    all_hold("cose", 2);
}

#[test]
fn every_recorded_response_of_openssl_is_judged_as_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/evidence/tsp");
    let (totals, lines) = lines("tsp", &folder);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(totals.passed, 10, "{lines:#?}");
}

#[test]
fn every_response_of_an_inverted_copy_fails() {
    let invert = |name: &str, bytes: Vec<u8>| {
        let name = match name {
            "response-invalid-signature.tsr" => "response-signature.tsr".into(),
            "response-injected-certs.tsr" => "response-certs.tsr".into(),
            other => other.replace("response", "invalid-response"),
        };
        (name, bytes)
    };
    let Some(folder) = copy("tsp", "tsp-inverted", invert) else { return };
    let (_, lines) = lines("tsp", &folder);
    let held: Vec<_> = lines.iter().filter(|line| line.starts_with("ok") && line.contains(".tsr")).collect();
    assert!(held.is_empty(), "{held:#?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("FAIL")).count(), 6, "{lines:#?}");
}

#[test]
fn a_good_response_altered_fails() {
    let alter = |name: &str, mut bytes: Vec<u8>| {
        if name.ends_with(".tsr") {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        (name.to_owned(), bytes)
    };
    let Some(folder) = copy("tsp", "tsp-altered", alter) else { return };
    let (_, lines) = lines("tsp", &folder);
    for good in
        ["response.tsr", "response-sha256.tsr", "response-sha512.tsr", "response-no-embedded-cert.tsr"]
    {
        assert!(
            lines.iter().any(|line| line.starts_with("FAIL") && line.contains(good)),
            "{good}: {lines:#?}"
        );
    }
}

#[test]
fn a_chain_of_another_authority_fails_every_good_response() {
    let Some(folder) = copy("tsp", "tsp-chains", |name, bytes| (name.to_owned(), bytes)) else { return };
    let (one, other) = (folder.join("test_tsa/ts_chain.pem"), folder.join("sigstage/ts_chain.pem"));
    let bytes = fs::read(&one).unwrap();
    fs::copy(&other, &one).unwrap();
    fs::write(&other, bytes).unwrap();
    let (totals, lines) = lines("tsp", &folder);
    assert_eq!(totals.failed, 4, "{lines:#?}");
}

#[test]
fn a_receipt_that_is_not_as_its_notation_says_fails() {
    for (what, from, to) in [
        ("size", "/ size / 5", "/ size / 6"),
        ("leaf", "/ leaf / 3", "/ leaf / 2"),
        ("old", "/ old_size / 3", "/ old_size / 2"),
        ("path", "h'3d06455d", "h'3d06455e"),
        ("algorithm", "/ alg / 1: -7", "/ alg / 1: -8"),
        ("issuer", "transparency-service.example", "transparency-service.another"),
        ("bytes", "d2 84 58 40", "d2 84 58 41"),
    ] {
        let change = |name: &str, bytes: Vec<u8>| {
            let bytes = if name.ends_with(".diag") {
                String::from_utf8(bytes).unwrap().replace(from, to).into_bytes()
            } else {
                bytes
            };
            (name.to_owned(), bytes)
        };
        let Some(folder) = copy("cose", &format!("cose-{what}"), change) else { return };
        let (totals, lines) = lines("cose", &folder);
        assert!(totals.failed >= 1, "{what}: {lines:#?}");
    }
}

#[test]
fn a_receipt_of_another_tree_fails() {
    // The first byte of its path, in the receipt and in its notation.
    let change = |name: &str, mut bytes: Vec<u8>| {
        if name == "inclusion-receipt.cbor" {
            let hash = bytes.windows(4).position(|part| part == [0x3d, 0x06, 0x45, 0x5d]).unwrap();
            bytes[hash] ^= 1;
        } else if name == "inclusion-receipt.diag" {
            let text = String::from_utf8(bytes).unwrap();
            bytes = text.replace("3d06455d", "3c06455d").replace("3d 06 45 5d", "3c 06 45 5d").into_bytes();
        }
        (name.to_owned(), bytes)
    };
    let Some(folder) = copy("cose", "cose-tree", change) else { return };
    let (totals, lines) = lines("cose", &folder);
    assert_eq!(totals.failed, 1, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("another root than the others")), "{lines:#?}");
}
