//! Bundles: what the whole shows, and that an alteration is refused or takes something away.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod cases;

use cases::fields::{Altered, bases, fields};
use cases::{answer, case, golden, negative, renewed, years};
use std::collections::BTreeSet;
use zeugma_evidence_verify::report::{Authenticity, Integrity, Line, Word};
use zeugma_evidence_verify::testkit::{LOGGED, RECEIVED, STAMPED, World};
use zeugma_evidence_verify::{Bundle, Language, Report};
use zeugma_types::{Code, Decode, Encode};

fn words(lines: &[zeugma_evidence_verify::report::Line]) -> BTreeSet<Word> {
    lines.iter().map(|line| line.word).collect()
}

fn named<'a>(cases: &'a [cases::Case], name: &str) -> &'a cases::Case {
    cases.iter().find(|case| case.name == name).expect("a case of that name")
}

#[test]
fn a_bundle_with_everything_shows_integrity_since_logging_and_never_truth() {
    let world = World::new();
    let report = answer(&case(&world, "whole", &world.bundle, None)).unwrap();
    assert_eq!((report.integrity, report.authenticity), (Integrity::Proven, Authenticity::Supported));
    let shown = words(&report.shown);
    for word in [
        Word::FileMatches,
        Word::Logged,
        Word::LoggedSecond,
        Word::Witnessed,
        Word::Received,
        Word::Anchored,
        Word::Stamped,
        Word::NotRevoked,
        Word::RuleMet,
        Word::RuleUndetermined,
        Word::TrustFileSigned,
    ] {
        assert!(shown.contains(&word), "{word:?}");
    }
    let not_shown = words(&report.not_shown);
    for word in
        [Word::NotTruth, Word::NotOriginal, Word::NotBefore, Word::NotExamined, Word::RevocationNotCarried]
    {
        assert!(not_shown.contains(&word), "{word:?}");
    }
    for text in [report.words(Language::En), report.words(Language::Zh)] {
        assert!(!text.split(|letter: char| !letter.is_alphabetic()).any(|word| word == "true"));
    }
}

#[test]
fn the_three_times_are_never_mixed() {
    let world = World::new();
    let report = answer(&case(&world, "whole", &world.bundle, None)).unwrap();
    assert_eq!(report.received.unwrap().at, RECEIVED);
    let logged = LOGGED.get() * 1_000;
    assert!(report.logged.iter().all(|moment| (logged..=logged + 2_000).contains(&moment.at.get())));
    let by: Vec<_> = report.anchored.iter().map(|moment| (moment.at, moment.by.as_str())).collect();
    assert_eq!(by.len(), 3);
    assert!(by[0].1.starts_with("network "));
    assert_eq!(by[1..], [(STAMPED, "Time Office"), (STAMPED, "Observatory")]);
}

#[test]
fn each_golden_case_is_graded_as_its_name_says() {
    let world = World::new();
    let cases = golden(&world);
    let graded = |name: &str| answer(named(&cases, name)).unwrap();
    for (name, integrity, missing) in [
        ("another file", Integrity::Refuted, Word::FileDiffers),
        ("no file", Integrity::Undetermined, Word::NoFile),
        ("some fields are closed", Integrity::Proven, Word::FieldsClosed),
        ("no digest is opened", Integrity::Undetermined, Word::NoDigestShown),
        ("no receipt", Integrity::Proven, Word::NoReceipt),
        ("no second tree", Integrity::Undetermined, Word::NoSecondTree),
        ("no proof", Integrity::Proven, Word::NoProof),
        ("no time-stamps", Integrity::Undetermined, Word::NoStamp),
        ("one authority of two", Integrity::Undetermined, Word::TooFewAuthorities),
        ("no verdict", Integrity::Proven, Word::NoVerdict),
        ("a policy that knows no witness", Integrity::Undetermined, Word::UnknownCosigner),
        ("a policy that knows one authority", Integrity::Undetermined, Word::UnknownAuthority),
        ("a policy that knows no service", Integrity::Proven, Word::UnknownService),
        ("a policy that knows no second tree", Integrity::Proven, Word::UnknownSecondTree),
        ("authorities of one institution count once", Integrity::Undetermined, Word::TooFewAuthorities),
        ("a witness of the operator is none", Integrity::Undetermined, Word::TooFewWitnesses),
        ("the trust file is too old", Integrity::Proven, Word::ProofNotAccepted),
        ("a policy that asks for the network, and no proof", Integrity::Undetermined, Word::NoProof),
        ("a policy that asks for the network", Integrity::Proven, Word::NotTruth),
        ("lapsed without a renewal", Integrity::Undetermined, Word::PastSunset),
        ("lapsed with a renewal that lapsed too", Integrity::Undetermined, Word::PastSunset),
        ("renewed too late", Integrity::Undetermined, Word::PastSunset),
        ("one of the log's two algorithms lapsed", Integrity::Proven, Word::PastSunset),
        ("the last tree standing is of SM3", Integrity::Undetermined, Word::PastSunset),
    ] {
        let report = graded(name);
        assert_eq!(report.integrity, integrity, "{name}: {report:#?}");
        assert!(words(&report.not_shown).contains(&missing), "{name}: {report:#?}");
    }
    let renewed = graded("lapsed and renewed before");
    assert_eq!(renewed.integrity, Integrity::Proven, "{renewed:#?}");
    assert!(words(&renewed.shown).is_superset(&[Word::Renewed, Word::ShownBeforeSunset].into()));
    assert_eq!(graded("a rule found the contrary").authenticity, Authenticity::Contested);
    assert_eq!(graded("no verdict").authenticity, Authenticity::Unsupported);
}

#[test]
fn each_negative_case_is_refused_with_its_code() {
    let world = World::new();
    for case in negative(&world) {
        let found = answer(&case).map(|report| report.integrity).map_err(|why| why.code);
        assert_eq!(found, Err(case.refused.unwrap()), "{}", case.name);
    }
}

/// Every golden bundle with one byte flipped: each `stride`th, of each bundle others.
fn flipped_is_refused(stride: usize) {
    let world = World::new();
    for (offset, mut whole) in golden(&world).into_iter().enumerate() {
        for position in (offset % stride..whole.bundle.len()).step_by(stride) {
            whole.bundle[position] ^= 1 << (position % 8);
            assert!(answer(&whole).is_err(), "{}: byte {position}", whole.name);
            whole.bundle[position] ^= 1 << (position % 8);
        }
    }
}

#[test]
fn a_byte_flipped_in_a_bundle_of_any_form_is_refused() {
    flipped_is_refused(211);
}

#[test]
#[ignore = "long: every byte of every form, some minutes"]
fn every_byte_flipped_in_every_form_is_refused() {
    flipped_is_refused(1);
}

#[test]
fn every_byte_flipped_is_refused() {
    let world = World::new();
    let mut whole = case(&world, "whole", &world.bundle, None);
    for position in 0..whole.bundle.len() {
        whole.bundle[position] ^= 1 << (position % 8);
        assert!(answer(&whole).is_err(), "byte {position}");
        whole.bundle[position] ^= 1 << (position % 8);
    }
}

/// What was altered and sealed again is refused, or the report shows nothing that it did not show before.
fn altered_adds_nothing(positions: impl Iterator<Item = usize>) -> (usize, usize) {
    let world = World::new();
    let bundle = renewed(&world, years(1));
    let whole = case(&world, "whole", &bundle, None);
    let before = answer(&whole).unwrap();
    let (mut refused, mut weaker) = (0, 0);
    for position in positions.take_while(|position| *position < whole.bundle.len()) {
        let mut bytes = whole.bundle.clone();
        bytes[position] ^= 1 << (position % 7);
        let Ok(altered) = Bundle::from_bytes(&bytes) else {
            refused += 1;
            continue;
        };
        // Every renewal and the seal follow the alteration, as a forger would have it.
        let altered = case(&world, "altered", &altered.sealed(), None);
        match answer(&altered) {
            Err(_) => refused += 1,
            Ok(report) => {
                let adds = report.shown.iter().find(|line| !before.shown.contains(line));
                assert!(adds.is_none(), "byte {position} adds {adds:?}");
                assert!(no_better(&report, &before), "byte {position}");
                weaker += 1;
            }
        }
    }
    (refused, weaker)
}

fn no_better(report: &Report, before: &Report) -> bool {
    let kept = |moments: &[_], old: &[_]| moments.iter().all(|one| old.contains(one));
    kept(&report.logged, &before.logged)
        && kept(&report.anchored, &before.anchored)
        && kept(report.received.as_slice(), before.received.as_slice())
        && report.integrity as u8 >= before.integrity as u8
        && report.authenticity as u8 >= before.authenticity as u8
}

#[test]
fn what_is_altered_and_sealed_again_is_refused_or_shows_less() {
    let (refused, weaker) = altered_adds_nothing((0..).step_by(101));
    assert!(refused > 100, "{refused} refused, {weaker} weaker");
}

#[test]
#[ignore = "long: every byte, a minute or more"]
fn whatever_byte_is_altered_and_sealed_again_is_refused_or_shows_less() {
    let (refused, weaker) = altered_adds_nothing(0..);
    assert!(refused > weaker * 10, "{refused} refused, {weaker} weaker");
}

#[test]
fn every_field_altered_is_refused_or_shows_less() {
    let world = World::new();
    let list = fields(&world);
    let bases =
        bases(&world).map(|(name, bundle)| (name, answer(&case(&world, name, &bundle, None)).unwrap()));
    let mut refused = 0;
    for Altered { base, case } in &list {
        match answer(case) {
            Err(_) => refused += 1,
            Ok(report) => {
                let before = &bases.iter().find(|(name, _)| name == base).unwrap().1;
                // Of a renewal fewer institutions may speak than before.
                let old = |line: &Line| {
                    before.shown.iter().any(|old| {
                        let old_by = old.by.split(", ").collect::<Vec<_>>();
                        let mut by = line.by.split(", ");
                        Line { by: line.by.clone(), ..old.clone() } == *line
                            && by.all(|one| old_by.contains(&one))
                    })
                };
                let adds = report.shown.iter().find(|line| !old(line));
                assert!(adds.is_none(), "{} adds {adds:?}", case.name);
                assert!(report.integrity as u8 >= before.integrity as u8, "{}", case.name);
            }
        }
    }
    assert!(list.len() >= 200 && refused * 5 > list.len() * 4, "{refused} of {} refused", list.len());
}

#[test]
fn a_bundle_that_decodes_encodes_to_the_same_bytes() {
    let world = World::new();
    for case in golden(&world) {
        assert_eq!(Bundle::from_bytes(&case.bundle).unwrap().to_bytes(), case.bundle, "{}", case.name);
    }
}

#[test]
fn the_json_views_are_json_and_say_the_same_as_the_report() {
    let world = World::new();
    for case in golden(&world) {
        let report = answer(&case).unwrap();
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["integrity"], report.integrity.name(), "{}", case.name);
        assert_eq!(json["shown"].as_array().unwrap().len(), report.shown.len());
        let bundle = Bundle::from_bytes(&case.bundle).unwrap();
        let json: serde_json::Value = serde_json::from_str(&bundle.to_json()).unwrap();
        assert_eq!(json["seal"]["sm3"], hex::encode(bundle.seal.sm3));
    }
}

#[test]
fn a_broken_promise_is_shown() {
    let mut world = World::new();
    // The log put the entry elsewhere than the service promised: both are signed.
    world.policy.service_key = Some(world.break_promise());
    let report = answer(&case(&world, "broken", &world.bundle.clone().sealed(), None)).unwrap();
    let line = report.shown.iter().find(|line| line.word == Word::PromiseBroken).unwrap();
    assert_eq!(line.code, Some(Code::PromiseBroken));
}
