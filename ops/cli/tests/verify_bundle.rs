//! `zeugma verify BUNDLE FILE` on the vectors of bundles: the words and the JSON of every verifier, and the exit.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Desk, Ran};
use serde_json::Value;
use std::path::Path;

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/evidence").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A time of the vectors as the command reads it: they are of whole milliseconds.
fn rfc3339(millis: u64) -> String {
    let nanos = i128::from(millis) * 1_000_000;
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap();
    at.format(&time::format_description::well_known::Rfc3339).unwrap()
}

fn judge(desk: &Desk, file: &Value, case: &Value, more: &[&str]) -> Ran {
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    desk.put("exhibit.bundle", bytes(&case["bundle"]));
    desk.put("trust.zgt", bytes(&file["parts"][case["trust"].as_str().unwrap()]));
    desk.put("policy", bytes(&file["parts"][case["policy"].as_str().unwrap()]));
    let time = rfc3339(case["time"].as_u64().unwrap());
    let mut arguments = vec!["verify", "exhibit.bundle"];
    if !case["file"].is_null() {
        desk.put("exhibit", bytes(&case["file"]));
        arguments.push("exhibit");
    }
    arguments.extend(["--trust", "trust.zgt", "--policy", "policy", "--time", &time]);
    arguments.extend(more);
    desk.run(&arguments)
}

#[test]
fn every_report_is_that_of_the_vectors_and_only_another_file_is_refused() {
    let (desk, file) = (Desk::new(), vectors("golden.json"));
    for case in file["cases"].as_array().unwrap() {
        let exit = i32::from(case["json"]["integrity"] == "refuted");
        assert_eq!(
            judge(&desk, &file, case, &[]).ends(exit).out,
            case["en"].as_str().unwrap(),
            "{}",
            case["name"]
        );
        let chinese = judge(&desk, &file, case, &["--lang", "zh"]).ends(exit);
        assert_eq!(chinese.out, case["zh"].as_str().unwrap(), "{}", case["name"]);
    }
    let case = &file["cases"][0];
    assert_eq!(judge(&desk, &file, case, &["--json"]).ends(0).json()["integrity"], case["json"]["integrity"]);
}

#[test]
fn every_negative_case_ends_with_its_code() {
    let (desk, file) = (Desk::new(), vectors("negative.json"));
    for case in file["cases"].as_array().unwrap() {
        // Without its magic a file is taken for a proof.
        if ["another magic", "nothing"].contains(&case["name"].as_str().unwrap()) {
            continue;
        }
        let ran = judge(&desk, &file, case, &[]).ends(1);
        assert!(ran.err.contains(&case["code"].to_string()), "{}: {}", case["name"], ran.err);
    }
}

#[test]
fn a_bundle_without_a_policy_and_a_proofs_options_with_a_bundle_are_wrong_usage() {
    let (desk, file) = (Desk::new(), vectors("golden.json"));
    judge(&desk, &file, &file["cases"][0], &["--destination"]).ends(2);
    desk.run(&["verify", "exhibit.bundle", "--trust", "trust.zgt"]).ends(2);
}
