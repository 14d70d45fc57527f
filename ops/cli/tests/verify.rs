//! `zeugma verify` on the vectors that every verifier shares, and the text of its reports.
//!
//! `tests/reports/*.txt` is what a person reads; a change of a word shows up in review.
//! `ZEUGMA_BLESS=1` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Case, Desk, Ran, case, cases};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn judge(desk: &Desk, case: &Case, more: &[&str]) -> Ran {
    desk.put("case.proof", &case.proof);
    desk.put("trust.zgt", &case.trust);
    let mut arguments = vec!["verify", "case.proof", "--trust", "trust.zgt"];
    arguments.extend(case.arguments.iter().map(String::as_str));
    arguments.extend(more);
    desk.run(&arguments)
}

/// The file that holds the words of a report.
fn report(name: &str) -> PathBuf {
    let letter = |one: char| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(letter).collect();
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reports").join(name + ".txt")
}

fn compare(name: &str, text: &str) {
    let path = report(name);
    if std::env::var_os("ZEUGMA_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "the report {name} changed; now it reads:\n{text}");
}

/// Cases whose report is also kept in Chinese.
const IN_CHINESE: [&str; 3] =
    ["closed", "second seal sm2 of 3 of 4", "retired era with its proof into the pin"];

#[test]
fn every_kept_report_belongs_to_a_case() {
    let chinese = IN_CHINESE.iter().map(|name| report(&format!("zh {name}")));
    let known: BTreeSet<_> =
        cases("golden.json").iter().map(|case| report(&case.name)).chain(chinese).collect();
    let kept = std::fs::read_dir(report("x").parent().unwrap()).unwrap();
    let kept: BTreeSet<_> = kept.map(|file| file.unwrap().path()).collect();
    assert_eq!(kept, known);
}

#[test]
fn every_golden_vector_is_proven_and_reported_in_these_words() {
    let desk = Desk::new();
    let all = cases("golden.json");
    assert!(!all.is_empty());
    for case in all {
        let ran = judge(&desk, &case, &[]).ends(0);
        assert_eq!(ran.err, "", "{}", case.name);
        compare(&case.name, &ran.out);
    }
}

#[test]
fn a_report_in_chinese_reads_so() {
    let desk = Desk::new();
    for name in IN_CHINESE {
        let ran = judge(&desk, &case("golden.json", name), &["--lang", "zh"]).ends(0);
        compare(&format!("zh {name}"), &ran.out);
    }
}

#[test]
fn every_negative_vector_ends_in_1_with_its_code_on_stderr() {
    let desk = Desk::new();
    let all = cases("negative.json");
    assert!(!all.is_empty());
    for case in all {
        let ran = judge(&desk, &case, &[]).ends(1);
        let code = case.code.unwrap();
        assert!(ran.err.starts_with(&format!("refused: case.proof: {code} ")), "{}: {}", case.name, ran.err);
        assert_eq!(ran.out, "", "{}: a refusal says nothing on stdout", case.name);
    }
}

#[test]
fn a_refusal_is_also_an_object_and_also_chinese() {
    let desk = Desk::new();
    let case = case("negative.json", "signature of another key");
    let refused = judge(&desk, &case, &["--json"]).ends(1).json()["refused"].clone();
    assert_eq!((&refused["code"], &refused["name"]), (&202.into(), &"BadSignature".into()));
    assert_eq!(refused["permanence"], "never");
    let chinese = judge(&desk, &case, &["--lang", "zh"]).ends(1);
    assert!(chinese.err.contains("202 BadSignature：签名与该密钥及内容不符"), "{}", chinese.err);
}

#[test]
fn the_object_says_what_the_words_say() {
    let desk = Desk::new();
    let report = judge(&desk, &case("golden.json", "closed"), &["--json"]).ends(0).json();
    assert_eq!(report["verdict"], "proven");
    assert_eq!(report["said"]["namespace"], "closed");
    assert_eq!(report["era_standing"], "present");
    assert_eq!(report["committee"]["key_made_by"], "distributed-key-generation");
    assert_eq!(report["committee"]["members"].as_array().unwrap().len(), 4);
    assert_eq!(report["warnings"].as_array().unwrap().len(), 0);
    assert!(!report["not_shown"].as_array().unwrap().is_empty());
}

#[test]
fn the_path_that_is_shown_is_the_path_to_ask_for() {
    let desk = Desk::new();
    for case in cases("golden.json").iter().filter(|case| !case.arguments.iter().any(|word| word == "--path"))
    {
        let report = judge(&desk, case, &["--json"]).ends(0).json();
        let (path, value) =
            (report["said"]["path"].as_str().unwrap(), report["said"]["value"].as_str().unwrap());
        let asked = judge(&desk, case, &["--path", path, "--value", value, "--json"]).ends(0).json();
        assert_eq!(asked["path_compared"], true, "{}", case.name);
        judge(&desk, case, &["--path", "handover:77"]).ends(1);
    }
}

#[test]
fn only_the_trust_file_of_the_paper_is_accepted_when_its_fingerprint_is_given() {
    let desk = Desk::new();
    let case = case("golden.json", "closed");
    let trust = judge(&desk, &case, &["--json"]).ends(0).json()["trust"].clone();
    let (digits, words) = (trust["fingerprint"].as_str().unwrap(), trust["words"].as_str().unwrap());
    for known in [digits, words] {
        let ran = judge(&desk, &case, &["--trusted-fingerprint", known]).ends(0);
        assert!(ran.out.contains("compared: equal to the one you gave"), "{}", ran.out);
    }
    let ran = judge(&desk, &case, &["--trusted-fingerprint", &"00".repeat(32)]).ends(1);
    assert!(ran.err.contains("WrongFingerprint"), "{}", ran.err);
    judge(&desk, &case, &["--trusted-fingerprint", &words.replacen(' ', " zoo ", 1)]).ends(2);
}

#[test]
fn a_trust_file_past_its_trusting_period_is_told_what_to_do() {
    let desk = Desk::new();
    let ran = judge(&desk, &case("negative.json", "a trust file past its trusting period"), &[]).ends(1);
    assert!(
        ran.err.contains("340 TrustExpired") && ran.err.contains("what to do: get a newer"),
        "{}",
        ran.err
    );
}

#[test]
fn a_wrong_command_line_ends_in_2() {
    let desk = Desk::new();
    desk.run(&[]).ends(2);
    desk.run(&["verify"]).ends(2);
    desk.run(&["verify", "none.proof", "--trust", "none.json"]).ends(2);
    let case = case("golden.json", "closed");
    judge(&desk, &case, &["--path", "nowhere"]).ends(2);
    judge(&desk, &case, &["--value", "12"]).ends(2);
    let ran = desk.run(&["verify", "none.proof", "--trust", "none.json", "--json"]).ends(2);
    assert!(ran.json()["usage"]["to_do"].as_str().unwrap().contains("ls -l"), "{}", ran.out);
}

#[test]
fn a_report_cut_off_by_its_reader_is_no_failure() {
    let desk = Desk::new();
    judge(&desk, &case("golden.json", "closed"), &[]).ends(0);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_zeugma"))
        .args(["verify", "-", "--trust", "trust.zgt", "--time", "2026-01-01T00:00:03Z"])
        .current_dir(desk.path(""))
        .stdin(std::fs::File::open(desk.path("case.proof")).unwrap())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_file_longer_than_any_proof_is_refused() {
    let desk = Desk::new();
    let mut case = case("golden.json", "closed");
    case.proof.resize(2 << 20, 0);
    let ran = judge(&desk, &case, &[]).ends(1);
    assert!(ran.err.contains("101 TooLong"), "{}", ran.err);
}
