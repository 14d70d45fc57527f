//! `zeugma rules`, run as a program.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Desk;
use common::service::{Service, until};
use zeugma_evidence_rules::{Outcome, Verdict};
use zeugma_evidence_verify::Bundle;
use zeugma_types::{Decode as _, Encode as _};

const PACKS: [&str; 4] = ["spc-online-litigation", "fre-902", "vermont-1913", "arbitration-template"];

#[test]
fn every_shipped_pack_is_listed_linted_tested_and_explained() {
    let desk = Desk::new();
    let listed = desk.run(&["rules", "list"]).ends(0).out;
    for pack in PACKS {
        assert!(listed.contains(pack), "{listed}");
        desk.run(&["rules", "lint", pack]).ends(0);
        let tested = desk.run(&["rules", "test", pack, "--json"]).ends(0).json();
        assert_eq!(tested["unreached"].as_array().map(Vec::len), Some(0), "{tested}");
        let zh = desk.run(&["rules", "explain", pack, "--lang", "zh"]).ends(0).out;
        assert!(zh.contains("依据"), "{zh}");
    }
}

#[test]
fn a_verdict_is_recorded_and_given_again_byte_for_byte() {
    let desk = Desk::new();
    desk.put("facts.json", r#"{"shown": {"content": "other"}}"#);
    desk.put("other.json", r#"{"shown": {"content": "same"}}"#);
    let judged = desk.run(&["rules", "judge", PACKS[0], "facts.json", "--out", "it.verdict"]).ends(0).out;
    assert!(judged.contains("authenticity: not met") && judged.contains("article 16"), "{judged}");
    assert!(judged.contains("that is for the court"), "{judged}");
    let replay = ["rules", "replay", "it.verdict", "--pack", PACKS[0], "--facts"];
    let again = desk.run(&[&replay[..], &["facts.json"]].concat()).ends(0).out;
    assert!(again.starts_with("the same"), "{again}");
    let refused = desk.run(&[&replay[..], &["other.json"]].concat()).ends(1).err;
    assert!(refused.contains("805") && refused.contains("on the facts"), "{refused}");
    let mut bytes = std::fs::read(desk.path("it.verdict")).unwrap();
    let last = bytes.len() - 1;
    bytes.truncate(last);
    desk.put("cut.verdict", bytes);
    desk.run(&["rules", "replay", "cut.verdict", "--pack", PACKS[0], "--facts", "facts.json"]).ends(1);
}

#[test]
fn a_hostile_pack_ends_without_harm_and_a_broken_one_is_named() {
    let desk = Desk::new();
    let pack = |script: &str| {
        format!(
            "name = \"hostile\"\nversion = \"1\"\ntitle = {{ zh = \"a\", en = \"a\" }}\nsource = {{ zh = \"a\", en = \"a\" }}\n\
             [[rule]]\nid = \"r\"\nhead = \"legality\"\narticle = {{ zh = \"a\", en = \"a\" }}\n\
             question = {{ zh = \"a\", en = \"a\" }}\nreasons.yes = {{ zh = \"a\", en = \"a\" }}\nscript = '''\n{script}\n'''\n"
        )
    };
    desk.put("facts.json", "{}");
    desk.put("loop.toml", pack("loop { }"));
    let judged = desk.run(&["rules", "judge", "loop.toml", "facts.json", "--json"]).ends(0).json();
    assert_eq!(judged["findings"][0]["reason"], "engine.stopped");
    desk.put(
        "hoard.toml",
        pack("let s = \"x\"; for i in 0..15 { s += s; } let m = #{}; for i in 0..4000 { m[i.to_string()] = s + i.to_string(); } met(\"yes\")"),
    );
    let refused = desk.run(&["rules", "judge", "hoard.toml", "facts.json"]).ends(1).err;
    assert!(refused.contains("804") && refused.contains("64 MiB"), "{refused}");
    desk.put("broken.toml", pack("{{{"));
    let refused = desk.run(&["rules", "lint", "broken.toml"]).ends(1).err;
    assert!(refused.contains("802") && refused.contains("does not compile"), "{refused}");
    desk.put("fraction.json", r#"{"shown": {"witnesses": 1.5}}"#);
    desk.run(&["rules", "judge", "loop.toml", "fraction.json"]).ends(1);
    desk.run(&["rules", "test", "loop.toml"]).ends(2);
}

#[test]
fn a_bundle_alone_gives_its_verdict_again_and_one_that_was_altered_is_found() {
    let desk = Desk::new();
    let listed = desk.run(&["rules", "list", "--json"]).ends(0).json();
    let pack = listed.as_array().unwrap().iter().find(|one| one["name"] == PACKS[0]).unwrap();
    let digest = pack["digest"].as_str().unwrap();
    let rules = format!("[[rules.pack]]\nfile = \"{}\"\ndigest = \"{digest}\"\n", PACKS[0]);
    let service = Service::with(&desk, "127.0.0.1:0", "", &rules);
    desk.put("exhibit", "an exhibit");
    let at = ["--service", service.url.as_str()];
    let ask = |arguments: &[&str]| desk.run(&[&["evidence"], arguments, &at].concat());
    ask(&["deposit", "exhibit", "--field", "content=same", "--json"]).ends(0);
    until("a bundle with a verdict", || {
        let _ = std::fs::remove_file(desk.path("it.bundle"));
        let fetched = ask(&["bundle", "0/0", "--out", "it.bundle"]).code == 0;
        fetched
            && !Bundle::from_bytes(&std::fs::read(desk.path("it.bundle")).unwrap())
                .unwrap()
                .verdicts
                .is_empty()
    });
    service.end();

    // The service is gone: the bundle and the pack are enough.
    let replay = |bundle: &str, pack: &str| desk.run(&["rules", "replay", bundle, "--pack", pack]);
    let again = replay("it.bundle", PACKS[0]).ends(0).out;
    assert!(again.starts_with("the same"), "{again}");
    let other = replay("it.bundle", PACKS[1]).ends(1).err;
    assert!(other.contains("805"), "{other}");

    // A finding turned round, and the bundle sealed again.
    let altered = |name: &str, code: &str, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = Bundle::from_bytes(&std::fs::read(desk.path("it.bundle")).unwrap()).unwrap();
        change(&mut bundle);
        desk.put(name, bundle.sealed().to_bytes());
        let refused = replay(name, PACKS[0]).ends(1).err;
        assert!(refused.contains(code), "{name}: {refused}");
    };
    altered("turned.bundle", "805", &|bundle| {
        let mut verdict = Verdict::from_bytes(&bundle.verdicts[0].statement).unwrap();
        let first = &mut verdict.findings[0].outcome;
        *first = if *first == Outcome::Met { Outcome::NotMet } else { Outcome::Met };
        bundle.verdicts[0].statement = verdict.to_bytes();
    });
    // With a field kept back there are no facts: what is disclosed is not the entry's whole record.
    altered("other.bundle", "700", &|bundle| drop(bundle.disclosure.fields.pop()));
    altered("empty.bundle", "805", &|bundle| bundle.verdicts.clear());
}
