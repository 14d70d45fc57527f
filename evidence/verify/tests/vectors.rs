//! The golden and the negative vectors of bundles, which every verifier shares.
//!
//! `tests/vectors/evidence/*.json` are written from the cases; the test fails when the bytes of a case change,
//! because a changed encoding needs a decision. `ZEUGMA_BLESS=1` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod cases;

use cases::fields::{Altered, bases, fields};
use cases::{Case, answer, case, golden, negative};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_verify::testkit::World;
use zeugma_evidence_verify::{Language, Policy};
use zeugma_proof::TrustFile;
use zeugma_types::{BlockTime, Code, Decode, Encode};

/// Large parts stand once in a file of vectors, under the first bytes of their SHA-256.
fn name_of(bytes: &[u8]) -> String {
    hex::encode(&sha256(&[bytes])[..8])
}

fn json(case: &Case) -> serde_json::Value {
    let report = answer(case).ok();
    serde_json::json!({
        "name": case.name,
        "bundle": hex::encode(&case.bundle),
        "file": case.file.as_ref().map(hex::encode),
        "trust": name_of(&case.trust.to_bytes()),
        "policy": name_of(&case.policy.to_bytes()),
        "time": case.time.get(),
        "code": case.refused.map(Code::number),
        "report": report.as_ref().map(|report| hex::encode(report.to_bytes())),
        "json": report.as_ref().map(|report| {
            serde_json::from_str::<serde_json::Value>(&report.to_json()).unwrap()
        }),
        "en": report.as_ref().map(|report| report.words(Language::En)),
        "zh": report.as_ref().map(|report| report.words(Language::Zh)),
    })
}

/// Where two strings of bytes differ: how many are taken out at a place, and what stands there instead.
fn splice(from: &[u8], to: &[u8]) -> (usize, usize, Vec<u8>) {
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
    let front = same(&mut from.iter().zip(to));
    let back = same(&mut from[front..].iter().rev().zip(to[front..].iter().rev()));
    (front, from.len() - front - back, to[front..to.len() - back].to_vec())
}

/// The alterations as they are stored: what each takes out of its base and puts there, before the seal and
/// in it; 64 bytes at the end are the seal.
fn altered(world: &World, list: &[Altered]) -> serde_json::Value {
    let bases = bases(world);
    let base = |name: &str| bases.iter().find(|(other, _)| *other == name).unwrap().1.to_bytes();
    let any = case(world, "", &world.bundle, None);
    let cases: Vec<_> = list
        .iter()
        .map(|Altered { base: name, case }| {
            let (from, to) = (base(name), &case.bundle);
            let (at, out, with) = splice(&from[..from.len() - 64], &to[..to.len() - 64]);
            serde_json::json!({
                "name": case.name,
                "base": name,
                "splice": [at, out, hex::encode(with)],
                "seal": hex::encode(&to[to.len() - 64..]),
                "code": case.refused.map(Code::number),
                "report": answer(case).ok().map(|report| hex::encode(report.to_bytes())),
            })
        })
        .collect();
    serde_json::json!({
        "trust": hex::encode(any.trust.to_bytes()),
        "policy": hex::encode(any.policy.to_bytes()),
        "file": any.file.map(hex::encode),
        "time": any.time.get(),
        "bases": bases.iter().map(|(name, bundle)| ((*name).into(), hex::encode(bundle.to_bytes()).into()))
            .collect::<serde_json::Map<_, _>>(),
        "cases": cases,
    })
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/evidence").join(name)
}

fn compare(name: &str, cases: &[Case]) {
    let parts: BTreeMap<_, _> = cases
        .iter()
        .flat_map(|case| [case.trust.to_bytes(), case.policy.to_bytes()])
        .map(|bytes| (name_of(&bytes), hex::encode(bytes)))
        .collect();
    let cases: Vec<_> = cases.iter().map(json).collect();
    hold(name, &serde_json::json!({ "parts": parts, "cases": cases }));
}

fn hold(name: &str, made: &serde_json::Value) {
    let made = serde_json::to_string_pretty(made).unwrap() + "\n";
    let path = file(name);
    if std::env::var_os("ZEUGMA_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &made).unwrap();
    }
    let stored = std::fs::read_to_string(&path).expect("the vectors are in the tree");
    assert!(stored == made, "{name} changed; a changed encoding needs an ADR and ZEUGMA_BLESS=1");
}

/// Judges every case of a file as it stands in the tree.
fn judge_stored(name: &str) -> usize {
    let stored = std::fs::read_to_string(file(name)).expect("the vectors are in the tree");
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    let part = |name: &serde_json::Value| {
        hex::decode(stored["parts"][name.as_str().unwrap()].as_str().unwrap()).unwrap()
    };
    let bytes = |value: &serde_json::Value| value.as_str().map(|text| hex::decode(text).unwrap());
    let cases = stored["cases"].as_array().unwrap();
    for one in cases {
        let case = Case {
            name: one["name"].as_str().unwrap().into(),
            bundle: bytes(&one["bundle"]).unwrap(),
            file: bytes(&one["file"]),
            trust: TrustFile::from_bytes(&part(&one["trust"])).unwrap(),
            policy: Policy::from_bytes(&part(&one["policy"])).unwrap(),
            time: BlockTime::new(one["time"].as_u64().unwrap()),
            refused: one["code"].as_u64().map(|code| Code::numbered(u16::try_from(code).unwrap()).unwrap()),
        };
        match answer(&case) {
            Err(why) => assert_eq!(Some(why.code), case.refused, "{}: {why}", case.name),
            Ok(report) => {
                assert_eq!(case.refused, None, "{}", case.name);
                assert_eq!(Some(report.to_bytes()), bytes(&one["report"]), "{}", case.name);
                assert_eq!(Some(report.words(Language::En).as_str()), one["en"].as_str(), "{}", case.name);
                assert_eq!(Some(report.words(Language::Zh).as_str()), one["zh"].as_str(), "{}", case.name);
            }
        }
    }
    cases.len()
}

#[test]
fn the_vectors_are_those_of_the_cases() {
    let world = World::new();
    compare("golden.json", &golden(&world));
    compare("negative.json", &negative(&world));
    hold("fields.json", &altered(&world, &fields(&world)));
}

/// `recorded.txt` has a line for each bundle that was ever golden: the SHA-256 of its bytes, and of its report.
/// Blessing adds lines and takes none away.
#[test]
fn every_recorded_bundle_has_the_report_that_it_had() {
    let world = World::new();
    let cases = golden(&world);
    let lines = cases.iter().map(|case| {
        let report = answer(case).unwrap().to_bytes();
        let [bundle, report] = [&case.bundle, &report].map(|bytes| hex::encode(sha256(&[bytes])));
        format!("{bundle} {report}")
    });
    let now: BTreeSet<String> = lines.collect();
    let stored = std::fs::read_to_string(file("recorded.txt")).unwrap_or_default();
    let stored: BTreeSet<String> = stored.lines().map(Into::into).collect();
    let lost: Vec<_> = stored.difference(&now).collect();
    assert!(lost.is_empty(), "a recorded bundle is golden no longer, or has another report: {lost:?}");
    if std::env::var_os("ZEUGMA_BLESS").is_some() {
        let all: Vec<_> = now.into_iter().collect();
        std::fs::write(file("recorded.txt"), all.join("\n") + "\n").unwrap();
        return;
    }
    assert_eq!(stored, now, "golden bundles that are not recorded: ZEUGMA_BLESS=1");
}

#[test]
fn the_stored_vectors_are_judged_as_they_say() {
    assert!(judge_stored("golden.json") >= 25);
    assert!(judge_stored("negative.json") >= 35);
}
