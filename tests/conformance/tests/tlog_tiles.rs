//! The `tlog-tiles` suite on the published log, and on copies of it that must fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeugma_conformance::{Totals, run};

fn lines(path: &Path) -> (Totals, Vec<String>) {
    let mut out = Vec::new();
    let totals = run("tlog-tiles", &[path.to_owned()], &mut out).unwrap();
    (totals, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

fn published() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = std::env::var_os("ZEUGMA_VECTORS").map_or(beside, PathBuf::from).join("tlog-tiles");
    if folder.is_dir() {
        return Some(folder);
    }
    // Not by a macro, whose output the test harness hides when a test passes.
    let missing = format!("NOT RUN: there is no {}; set ZEUGMA_VECTORS\n", folder.display());
    std::io::stderr().write_all(missing.as_bytes()).unwrap();
    None
}

/// A copy of the log, each file through `change`.
fn copy(from: &Path, to: &Path, change: &dyn Fn(&str, Vec<u8>) -> Vec<u8>) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let target = to.join(&name);
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, change);
        } else {
            let path = entry.path().to_string_lossy().into_owned();
            fs::write(target, change(&path, fs::read(entry.path()).unwrap())).unwrap();
        }
    }
}

fn changed(name: &str, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> Option<(Totals, Vec<String>)> {
    let folder = published()?;
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&copies);
    copy(&folder, &copies, &change);
    Some(lines(&copies))
}

fn flip(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

#[test]
fn every_file_of_the_published_log_is_what_the_others_say() {
    let Some(folder) = published() else { return };
    let (totals, lines) = lines(&folder);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // 16 checkpoints and the newest, 15 tiles and 15 bundles, the state.
    assert!(totals.passed > 16 * 4 + 30, "{totals:?}");
    assert!(lines.iter().all(|line| !line.starts_with("policy")), "every signature is checked");
}

#[test]
fn a_changed_root_fails_every_case_that_rests_on_it() {
    let change = |path: &str, bytes: Vec<u8>| {
        if !path.contains("checkpoint") {
            return bytes;
        }
        let text = String::from_utf8(bytes).unwrap();
        let root = text.split('\n').nth(2).unwrap();
        let turned: String = root.chars().rev().filter(|letter| *letter != '=').collect();
        // The last letter of a root carries four bits: A has none of the others.
        text.replacen(root, &format!("{}A=", &turned[..42]), 1).into_bytes()
    };
    let Some((_, lines)) = changed("tlog-roots", change) else { return };
    let mut cases = lines.iter().filter(|line| line.contains("/root-of") || line.contains("/signature"));
    assert!(cases.clone().count() >= 48);
    assert!(cases.all(|line| line.starts_with("FAIL")), "{lines:#?}");
}

#[test]
fn every_changed_tile_fails() {
    let Some((_, lines)) = changed("tlog-tiles", |path, bytes| match path {
        path if path.contains("/tile/0/") => flip(bytes, 31),
        _ => bytes,
    }) else {
        return;
    };
    let mut tiles = lines.iter().filter(|line| line.split(' ').nth(1).unwrap().starts_with("tile/"));
    assert_eq!(tiles.clone().count(), 30);
    assert!(tiles.all(|line| line.starts_with("FAIL")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("FAIL checkpoint.7/root-of-tiles")));
    assert!(lines.iter().any(|line| line.starts_with("ok checkpoint.7/root-of-entries")));
}

#[test]
fn every_changed_entry_and_signature_fails() {
    let Some((_, lines)) = changed("tlog-entries", |path, bytes| match path {
        path if path.contains("/entries/") => flip(bytes, 3),
        path if path.contains("checkpoint") => {
            let text = String::from_utf8(bytes).unwrap();
            let at = text.len() - 10;
            let letter = if &text[at..=at] == "A" { "B" } else { "A" };
            format!("{}{letter}{}", &text[..at], &text[at + 1..]).into_bytes()
        }
        _ => bytes,
    }) else {
        return;
    };
    let of = |part: &str| lines.iter().filter(|line| line.contains(part)).collect::<Vec<_>>();
    for part in ["/signature", " tile/entries"] {
        assert!(!of(part).is_empty());
        assert!(of(part).iter().all(|line| line.starts_with("FAIL")), "{lines:#?}");
    }
    let roots = of("/root-of-entries");
    // The tree without entries has its root all the same.
    assert_eq!(roots.iter().filter(|line| line.starts_with("ok")).count(), 1, "{roots:#?}");
}

#[test]
fn a_file_outside_the_layout_is_listed_and_fails() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tlog-odd");
    let _ = fs::remove_dir_all(&folder);
    for (name, bytes) in [
        ("odd", &b"x"[..]),
        ("checkpoint.3", b"x"),
        ("tile/0/0", b"x"),
        ("tile/9/000", b"x"),
        (".state/odd", b"x"),
    ] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let (totals, lines) = lines(&folder);
    assert_eq!((totals.passed, totals.failed), (0, 5), "{lines:#?}");
}
