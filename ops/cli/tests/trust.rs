//! `zeugma trust`: two forms of one file, and a view that cannot lie.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Desk, case};

/// A desk with `trust.zgt`, `trust.json` of it, and `case.proof`.
fn desk() -> Desk {
    let (desk, case) = (Desk::new(), case("golden.json", "retired era with its proof into the pin"));
    desk.put("trust.zgt", &case.trust);
    desk.put("case.proof", &case.proof);
    desk.run(&["trust", "export", "trust.zgt", "--form", "json", "--out", "trust.json"]).ends(0);
    desk
}

fn verify(desk: &Desk, trust: &str) -> common::Ran {
    desk.run(&["verify", "case.proof", "--trust", trust, "--time", "2026-01-01T00:00:05Z"])
}

#[test]
fn both_forms_are_one_file() {
    let desk = desk();
    desk.run(&["trust", "export", "trust.json", "--form", "bytes", "--out", "again.zgt"]).ends(0);
    assert_eq!(
        std::fs::read(desk.path("again.zgt")).unwrap(),
        std::fs::read(desk.path("trust.zgt")).unwrap()
    );
    let show = |file| desk.run(&["trust", "show", file]).ends(0).out;
    assert_eq!(show("trust.json"), show("trust.zgt"));
    let of_json = verify(&desk, "trust.json").ends(0).out;
    assert_eq!(of_json.replace("trust.json", "trust.zgt"), verify(&desk, "trust.zgt").ends(0).out);
}

#[test]
fn white_space_does_not_matter_and_nothing_else_is_free() {
    let desk = desk();
    let text = desk.text("trust.json");
    desk.put("trust.json", text.replace("\n  ", " \t\n"));
    verify(&desk, "trust.json").ends(0);
    let lies = [
        ("\"era\": 0", "\"era\": 7"),
        ("\"member 1.", "\"Judge 1."),
        ("\"role\": \"operator\"", "\"role\": \"court\""),
        ("distributed-key-generation", "insecure-dealer"),
        ("\"issued_at_ms\": 1", "\"issued_at_ms\": 2"),
        ("\"view\": {", "\"view\": { \"note\": \"approved\","),
        ("\"view\": {", "\"view\": {}, \"view\": {"),
        ("\"format\": \"zeugma-trust-1\"", "\"format\": \"zeugma-trust-2\""),
        ("\"words\": \"", "\"words\": \"zoo "),
        ("\"network\": \"", "\"network\": \"00"),
    ];
    for (truth, lie) in lies {
        assert!(text.contains(truth), "{truth}");
        desk.put("trust.json", text.replacen(truth, lie, 1));
        for ran in [verify(&desk, "trust.json"), desk.run(&["trust", "show", "trust.json"])] {
            let ran = ran.ends(1);
            assert!(ran.err.contains("ViewDiffers"), "{lie}: {}", ran.err);
            assert_eq!(ran.out, "");
        }
    }
}

#[test]
fn the_place_of_a_lie_is_told() {
    let desk = desk();
    desk.put(
        "trust.json",
        desk.text("trust.json").replacen("\"role\": \"operator\"", "\"role\": \"court\"", 1),
    );
    let ran = desk.run(&["trust", "show", "trust.json"]).ends(1);
    let told = "/view/eras/0/members/0/role: the bytes say \"operator\", the view \"court\"";
    assert!(ran.err.contains(told), "{}", ran.err);
}

#[test]
fn another_canonical_part_gives_another_fingerprint() {
    let desk = desk();
    let text = desk.text("trust.json");
    let digits = text.split("\"canonical\": \"").nth(1).unwrap().split('"').next().unwrap();
    let mut bytes = hex::decode(digits).unwrap();
    bytes[40] ^= 1; // a byte of the network: the view no longer fits
    desk.put("trust.json", text.replace(digits, &hex::encode(&bytes)));
    let ran = desk.run(&["trust", "show", "trust.json"]).ends(1);
    assert!(ran.err.contains("ViewDiffers"), "{}", ran.err);
    desk.put("trust.json", text.replace(digits, &digits[..100]));
    let ran = desk.run(&["trust", "show", "trust.json"]).ends(1);
    assert!(ran.err.contains("103 Truncated"), "{}", ran.err);
}

#[test]
fn what_is_no_trust_file_is_refused() {
    let desk = desk();
    for text in ["{", "{}", "{\"canonical\": 7}", "{\"canonical\": \"zz\"}"] {
        desk.put("other.json", text);
        let ran = desk.run(&["trust", "show", "other.json"]).ends(1);
        assert!(ran.err.contains("NotTrustJson"), "{text}: {}", ran.err);
    }
    let ran = desk.run(&["trust", "show", "case.proof"]).ends(1);
    assert!(ran.err.contains("112 BadMagic"), "{}", ran.err);
}

#[test]
fn a_file_that_exists_is_not_written_over() {
    let desk = desk();
    let ran = desk.run(&["trust", "export", "trust.zgt", "--form", "bytes", "--out", "trust.json"]).ends(1);
    assert!(ran.err.contains("FileExists"), "{}", ran.err);
}
