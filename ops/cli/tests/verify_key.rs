//! `zeugma client verify-key` on files that a demo wrote of a real chain (`tests/vectors/cometbft/keys`), and on what
//! becomes of them when somebody edits them.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Desk, Ran};
use serde_json::Value;
use std::path::Path;

/// The two files, and under what they were written.
struct Recorded {
    desk: Desk,
    index: Value,
}

impl Recorded {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/cometbft/keys");
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let desk = Desk::new();
        for name in ["simd-balance.json", "simd-absent.json"] {
            desk.put(name, text(name));
        }
        Self { desk, index: serde_json::from_str(&text("index.json")).unwrap() }
    }

    fn told(&self, name: &str) -> &str {
        self.index[name].as_str().unwrap()
    }

    fn file(&self, name: &str) -> Value {
        serde_json::from_str(&self.desk.text(name)).unwrap()
    }

    /// Verifies a file under the recorded hash and time.
    fn verify(&self, name: &str, more: &[&str]) -> Ran {
        let fixed = ["client", "verify-key", name, "--json", "--hash", self.told("hash")];
        let time = if more.contains(&"--time") { vec![] } else { vec!["--time", self.told("time")] };
        self.desk.run(&[&fixed[..], &time, more].concat())
    }

    /// Verifies what a file becomes.
    fn edited(&self, name: &str, edit: impl FnOnce(&mut Value)) -> Ran {
        let mut file = self.file(name);
        edit(&mut file);
        self.desk.put("edited.json", file.to_string());
        self.verify("edited.json", &[])
    }
}

fn refused(ran: Ran, rule: &str) {
    let told = ran.ends(1).json();
    assert_eq!(told["refused"]["name"], rule, "{told}");
}

#[test]
fn a_key_that_a_real_chain_holds_and_one_that_it_does_not_are_shown_offline() {
    let recorded = Recorded::new();
    let held = recorded.verify("simd-balance.json", &[]).ends(0).json();
    assert_eq!((&held["present"], &held["value_text"]), (&true.into(), &recorded.index["balance"]), "{held}");
    assert_eq!(held["chain"], "simd-1");
    let absent = recorded.verify("simd-absent.json", &[]).ends(0).json();
    assert_eq!((&absent["present"], &absent["value"]), (&false.into(), &Value::Null), "{absent}");
    let unsure =
        recorded.desk.run(&["client", "verify-key", "simd-balance.json", "--time", recorded.told("time")]);
    assert!(unsure.ends(0).out.contains("WARNING"), "a header of the file's own choice");
}

#[test]
fn what_was_edited_or_is_judged_under_another_hash_or_too_late_is_refused_by_its_rule() {
    let recorded = Recorded::new();
    refused(recorded.verify("simd-balance.json", &["--time", "2036-11-21T00:00:00Z"]), "ClientExpired");
    let other = "00".repeat(32);
    let fixed = ["client", "verify-key", "simd-balance.json", "--json", "--time", recorded.told("time")];
    refused(recorded.desk.run(&[&fixed[..], &["--hash", &other]].concat()), "WrongCommit");

    let balance = "simd-balance.json";
    refused(recorded.edited(balance, |file| file["value"] = "39".into()), "NotProven");
    refused(recorded.edited(balance, |file| file["value"] = Value::Null), "ProofShape");
    refused(recorded.edited("simd-absent.json", |file| file["value"] = "31".into()), "ProofShape");
    refused(recorded.edited(balance, |file| file["store"] = "ibc".into()), "NotProven");
    // Another root: the one of the header that the file starts from.
    refused(recorded.edited(balance, |file| file["updates"] = Value::Array(vec![])), "NotProven");
    let mut longer = recorded.file(balance)["key"].as_str().unwrap().to_owned();
    longer.push_str("00");
    refused(recorded.edited(balance, |file| file["key"] = longer.into()), "NotProven");
    refused(recorded.edited(balance, |file| file["format"] = "zeugma-store-2".into()), "Declined");
    refused(recorded.edited(balance, |file| file["more"] = 1.into()), "Declined");
}

#[test]
fn no_changed_byte_of_header_updates_or_proof_is_accepted() {
    let recorded = Recorded::new();
    let original = recorded.file("simd-balance.json");
    let mut tried = 0;
    for (pointer, step) in [("/start", 16), ("/updates/0", 24), ("/proof", 16)] {
        let digits = original.pointer(pointer).unwrap().as_str().unwrap();
        for at in (0..digits.len()).step_by(2 * step + 1) {
            let digit = u8::from_str_radix(&digits[at..=at], 16).unwrap() ^ 1;
            let changed = format!("{}{digit:x}{}", &digits[..at], &digits[at + 1..]);
            let ran = recorded
                .edited("simd-balance.json", |file| *file.pointer_mut(pointer).unwrap() = changed.into());
            assert_eq!(ran.code, 1, "{pointer}, digit {at}: {}", ran.out);
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} changes");
}
