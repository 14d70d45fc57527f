//! The packs that come with the program: each is read, without remarks, and each of its reasons is given by a case.

use zeugma_evidence_rules::replay::{Replay, replay};
use zeugma_evidence_rules::shipped::FILES;
use zeugma_evidence_rules::{
    Cases, Engine, Facts, Head, Language, Outcome, Pack, Verdict, explain, lint, render,
};
use zeugma_types::{Decode, Encode};

fn each(check: impl Fn(&str, Pack, Cases)) {
    for (name, pack, cases) in FILES {
        let pack = Pack::from_toml(pack).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        let cases = Cases::from_toml(cases).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        check(name, pack, cases);
    }
}

fn verdict(pack: &Pack, facts: &Facts) -> Verdict {
    let mut engine = Engine::new();
    let compiled = engine.compile(pack.clone()).expect("a shipped pack compiles");
    engine.evaluate(&compiled, facts)
}

#[test]
fn a_careful_reader_has_no_remark_on_any() {
    each(|name, pack, _| {
        assert_eq!(pack.name, name);
        assert_eq!(lint(&pack), [], "{name}");
    });
}

#[test]
fn every_case_gives_what_it_claims_and_every_reason_is_given_by_one() {
    each(|name, pack, cases| {
        for result in cases.run(&pack).expect("a shipped pack compiles") {
            assert!(result.differ.is_empty(), "{name}: {}: {:?}", result.name, result.differ);
        }
        assert_eq!(cases.unreached(&pack), [], "{name}: reasons that no case reaches");
    });
}

#[test]
fn a_case_that_claims_otherwise_fails() {
    each(|name, pack, mut cases| {
        let (rule, _) = cases.0[0].expect.clone().pop_first().expect("a case expects something");
        cases.0[0].expect.insert(rule.clone(), "met something-else".to_owned());
        let differ = &cases.run(&pack).unwrap()[0].differ;
        assert_eq!(differ.len(), 1, "{name}");
        assert_eq!(differ[0].0, rule);
    });
}

#[test]
fn packs_and_verdicts_decode_to_themselves_and_every_flipped_byte_of_a_pack_is_another_pack_or_refused() {
    each(|name, pack, cases| {
        let bytes = pack.to_bytes();
        assert_eq!(Pack::from_bytes(&bytes).unwrap(), pack, "{name}");
        let verdict = verdict(&pack, &cases.0[0].facts);
        assert_eq!(Verdict::from_bytes(&verdict.to_bytes()).unwrap(), verdict, "{name}");
        for at in (0..bytes.len()).step_by(7) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            if let Ok(other) = Pack::from_bytes(&flipped) {
                assert_ne!(other.digest(), pack.digest(), "{name}: byte {at}");
            }
        }
    });
}

#[test]
fn a_recorded_verdict_is_given_again_byte_for_byte_and_a_changed_one_is_found() {
    each(|name, pack, cases| {
        let facts = &cases.0[0].facts;
        let recorded = verdict(&pack, facts);
        assert_eq!(replay(&recorded, &pack, facts).unwrap(), Replay::Same, "{name}");

        let mut changed = recorded.clone();
        changed.findings[0].outcome = match changed.findings[0].outcome {
            Outcome::Met => Outcome::NotMet,
            _ => Outcome::Met,
        };
        let rule = changed.findings[0].rule.clone();
        assert_eq!(replay(&changed, &pack, facts).unwrap(), Replay::Differs { rule }, "{name}");

        let mut shorter = recorded.clone();
        shorter.findings.pop();
        assert!(matches!(replay(&shorter, &pack, facts).unwrap(), Replay::Differs { .. }), "{name}");

        let mut older = recorded.clone();
        older.engine = "rhai-1.0.0/zeugma-0".to_owned();
        assert!(matches!(replay(&older, &pack, facts).unwrap(), Replay::OtherEngine { .. }), "{name}");

        let other = Facts::from_json(r#"{"declared": {"custom": {"x": 1}}}"#).unwrap();
        assert!(matches!(replay(&recorded, &pack, &other).unwrap(), Replay::OtherFacts { .. }), "{name}");
        let mut newer = pack.clone();
        newer.version = "9".to_owned();
        assert!(matches!(replay(&recorded, &newer, facts).unwrap(), Replay::OtherPack { .. }), "{name}");
    });
}

#[test]
fn reports_name_article_and_reason_in_both_languages_and_leave_no_placeholder() {
    each(|name, pack, cases| {
        for case in &cases.0 {
            let verdict = verdict(&pack, &case.facts);
            for language in [Language::Zh, Language::En] {
                let report = render(&verdict, &pack, language);
                assert!(!report.contains('{'), "{name}: {}: {report}", case.name);
                assert!(report.contains(&hex::encode(pack.digest())));
            }
        }
        for language in [Language::Zh, Language::En] {
            assert!(explain(&pack, language).contains(&pack.rules[0].id));
        }
    });
}

#[test]
fn no_report_says_that_a_thing_is_true() {
    each(|name, pack, cases| {
        for case in &cases.0 {
            let report = render(&verdict(&pack, &case.facts), &pack, Language::En).to_lowercase();
            assert!(
                !report.split(|c: char| !c.is_alphabetic()).any(|word| word == "true"),
                "{name}: {report}"
            );
        }
    });
}

#[test]
fn one_rule_not_met_decides_its_head_and_one_undetermined_keeps_it_open() {
    let pack = Pack::from_toml(FILES[0].1).unwrap();
    let other = Facts::from_json(r#"{"shown": {"content": "other"}}"#).unwrap();
    assert_eq!(verdict(&pack, &other).head(Head::Authenticity), Some(Outcome::NotMet));
    let nothing = Facts::from_json("{}").unwrap();
    assert_eq!(verdict(&pack, &nothing).head(Head::Authenticity), Some(Outcome::Undetermined));
}
