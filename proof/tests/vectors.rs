//! The golden and the negative vectors of the one proof, which every verifier shares.
//!
//! `tests/vectors/proof/*.json` are written from the cases below; the test fails when the bytes of a
//! case change, because a changed encoding needs a decision. `ZEUGMA_BLESS=1` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod cases;

use cases::{Case, golden, negative};
use std::collections::BTreeMap;
use std::path::PathBuf;
use zeugma_proof::{Expected, Reliance, TrustFile, verify_expected};
use zeugma_types::{BlockTime, Decode, Encode, LeafPath, Refusal, Value};

fn judged(case: &Case) -> Result<(), Refusal> {
    let trust = TrustFile::from_bytes(&case.trust)?.at(case.time, case.reliance);
    let expected = Expected { path: case.path.as_ref(), value: case.value.as_ref() };
    verify_expected(&case.proof, &trust, expected).map(|_| ())
}

/// Trust files stand once in a file of vectors, under the first bytes of their fingerprint.
fn name_of(trust: &[u8]) -> String {
    hex::encode(&TrustFile::from_bytes(trust).unwrap().fingerprint()[..8])
}

fn json(case: &Case) -> serde_json::Value {
    serde_json::json!({
        "name": case.name,
        "trust": name_of(&case.trust),
        "time": case.time.get(),
        "reliance": match case.reliance { Reliance::Court => "court", Reliance::Destination => "destination" },
        "path": case.path.as_ref().map(|path| hex::encode(path.to_bytes())),
        "value": case.value.as_ref().map(|value| hex::encode(value.as_bytes())),
        "proof": hex::encode(&case.proof),
        "code": case.refused.map(zeugma_types::Code::number),
    })
}

fn from_json(trust_files: &serde_json::Value, value: &serde_json::Value) -> Case {
    let bytes = |field: &str| hex::decode(value[field].as_str().unwrap()).unwrap();
    let optional = |field: &str| value[field].as_str().map(|text| hex::decode(text).unwrap());
    Case {
        name: value["name"].as_str().unwrap().into(),
        trust: hex::decode(trust_files[value["trust"].as_str().unwrap()].as_str().unwrap()).unwrap(),
        time: BlockTime::new(value["time"].as_u64().unwrap()),
        reliance: match value["reliance"].as_str().unwrap() {
            "court" => Reliance::Court,
            _ => Reliance::Destination,
        },
        path: optional("path").map(|path| LeafPath::from_bytes(&path).unwrap()),
        value: optional("value").map(|value| Value::new(value.try_into().unwrap())),
        proof: bytes("proof"),
        refused: value["code"]
            .as_u64()
            .map(|code| zeugma_types::Code::numbered(u16::try_from(code).unwrap()).unwrap()),
    }
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/proof").join(name)
}

/// Judges every case of a file as it stands in the tree.
fn judge_stored(name: &str) -> usize {
    let stored = std::fs::read_to_string(file(name)).expect("the vectors are in the tree");
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    let cases = stored["cases"].as_array().unwrap();
    for case in cases.iter().map(|case| from_json(&stored["trust_files"], case)) {
        let found = judged(&case).err().map(|refusal| refusal.code);
        assert_eq!(found, case.refused, "{}: {:?}", case.name, judged(&case));
    }
    cases.len()
}

fn compare(name: &str, cases: &[Case]) {
    let trust_files: BTreeMap<_, _> =
        cases.iter().map(|case| (name_of(&case.trust), hex::encode(&case.trust))).collect();
    let all = serde_json::json!({
        "trust_files": trust_files,
        "cases": cases.iter().map(json).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&all).unwrap() + "\n";
    if std::env::var_os("ZEUGMA_BLESS").is_some() {
        std::fs::create_dir_all(file("")).unwrap();
        std::fs::write(file(name), &text).unwrap();
    }
    let stored = std::fs::read_to_string(file(name)).expect("the vectors are in the tree");
    assert!(stored == text, "the bytes of a case in {name} changed: that needs a decision record");
    assert_eq!(judge_stored(name), cases.len());
}

#[test]
fn every_golden_vector_is_accepted() {
    compare("golden.json", &golden());
}

#[test]
fn every_negative_vector_is_refused_with_its_code() {
    compare("negative.json", &negative());
}

/// Written by the author of the Go verifier from the page alone: two defects at once, so that the order
/// of checks decides.
#[test]
fn the_first_rule_that_breaks_gives_the_code() {
    assert_eq!(judge_stored("order.json"), 119);
}

/// Flips that survive decoding must be caught by what binds them: no byte of a proof is free.
#[test]
fn no_flipped_bit_of_a_proof_is_accepted() {
    for case in golden() {
        if case.proof.len() > 4_096 {
            continue; // a hand-over with its keys; the shorter cases have the same sections
        }
        for position in 0..case.proof.len() {
            let mut flipped = case.clone();
            flipped.proof[position] ^= 1 << (position % 8);
            assert!(judged(&flipped).is_err(), "{}: byte {position} is not bound", case.name);
        }
    }
}

#[test]
fn a_file_longer_than_any_proof_is_refused_unread() {
    let mut case = golden()[0].clone();
    case.proof.resize(zeugma_proof::MAX_PROOF + 1, 0);
    assert_eq!(judged(&case).unwrap_err().code, zeugma_types::Code::TooLong);
}

#[test]
fn a_proof_cut_short_anywhere_is_refused() {
    let case = &golden()[0];
    for length in 0..case.proof.len() {
        let short = Case { proof: case.proof[..length].to_vec(), ..case.clone() };
        judged(&short).unwrap_err();
    }
}
