//! The golden vectors of the evidence log's formats, which every verifier shares.
//!
//! `tests/vectors/evidence-log/golden.json` is written from the cases below; the test fails when the bytes of a case
//! change, because a changed encoding needs a decision. `ZEUGMA_BLESS=1` writes it anew.

#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::{Value, json};
use std::path::Path;
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::tile::{GrowingTiles, TileId, TileKind, grown};
use zeugma_evidence_log::{
    Checkpoint, Committer, CosignerSigner, CustomField, Disclosure, Entry, Field, LogProof, LogSigner,
    NoteBounds, Record, Seed, VerifierKey, identity, second_origin,
};
use zeugma_proof::body::LogView;
use zeugma_proof::tree::leaf_hash;
use zeugma_types::{Decode, Encode, HashSuite, LeafIndex, TreeSize, UnixSeconds};

const ORIGIN: &str = "evidence.example/log/2026";
const AT: UnixSeconds = UnixSeconds::new(1_795_000_000);

fn records() -> Vec<(&'static str, Record)> {
    let base = || {
        vec![
            Field::MediaType("application/pdf".into()),
            Field::Size(48_213),
            Field::Submitter("party-17".into()),
            Field::Source("scanner 3, registry of the court".into()),
        ]
    };
    let with = |more: Vec<Field>| Record::new([base(), more].concat()).unwrap();
    let custom =
        |name: &str, value: &[u8]| Field::Custom(CustomField { name: name.into(), value: value.into() });
    vec![
        ("sha256", with(vec![Field::Sha256([0x11; 32])])),
        ("sm3", with(vec![Field::Sm3([0x22; 32])])),
        ("both", with(vec![Field::Sha256([0x11; 32]), Field::Sm3([0x22; 32])])),
        (
            "custom",
            with(vec![
                Field::Sha256([0x11; 32]),
                custom("case", "（2026）京0491民初1号".as_bytes()),
                custom("Case", b""),
                custom("device", &[0, 1, 2, 255]),
            ]),
        ),
    ]
}

fn signer(origin: &str) -> LogSigner {
    let mldsa44 = mldsa44::SecretKey::from_seed(&[2; 32]);
    LogSigner::new(origin, ed25519::SecretKey::from_seed(&[1; 32]), Some(mldsa44)).unwrap()
}

fn entries() -> Vec<Value> {
    let mut out = Vec::new();
    for (name, record) in records() {
        for (suites, word) in [(Suites::Sha256, "sha256"), (Suites::Both, "sha256 sm3")] {
            let seed = Seed::new([0x33; 32]);
            let entry = Committer::new(suites).entry(&record, &seed);
            let shown = Disclosure::of(&record, &seed, suites, |field| field.tag() < 3);
            let all = Disclosure::of(&record, &seed, suites, |_| true);
            for disclosure in [&shown, &all] {
                Disclosure::from_bytes(&disclosure.to_bytes()).unwrap().verify(&entry).unwrap();
            }
            assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
            assert_eq!(Entry::from_bytes(&entry.to_bytes()).unwrap(), entry);
            out.push(json!({
                "name": format!("{name} in {word}"),
                "tenant": "court of the first instance",
                "record": hex::encode(record.to_bytes()),
                "identity": hex::encode(identity("court of the first instance", &record)),
                "seed": hex::encode(seed.expose()),
                "entry": hex::encode(entry.to_bytes()),
                "disclosure_of_digests": hex::encode(shown.to_bytes()),
                "disclosure_of_all": hex::encode(all.to_bytes()),
            }));
        }
    }
    out
}

/// A log of 300 entries, the leaves being the encoded entries of seeds 0, 1, 2 and so on, modulo 256.
fn log(suite: HashSuite) -> Value {
    let origin = if suite == HashSuite::Sha256 { ORIGIN.to_owned() } else { second_origin(ORIGIN) };
    let signer = signer(&origin);
    let committer = Committer::new(Suites::Both);
    let (_, record) = records().remove(2);
    let mut tree = GrowingTiles::new(suite);
    let mut stored = std::collections::BTreeMap::new();
    let leaf =
        |at: u64| committer.entry(&record, &Seed::new([u8::try_from(at % 256).unwrap(); 32])).to_bytes();
    for at in 0..300 {
        tree.append(leaf_hash(suite, &leaf(at)), |tile, hashes| drop(stored.insert(tile, hashes.concat())))
            .unwrap();
    }
    stored.extend(tree.partials().map(|(tile, hashes)| (tile, hashes.concat())));
    let view = LogView { size: tree.size(), root: tree.root() };
    let checkpoint = Checkpoint::new(&origin, view);
    let witness =
        CosignerSigner::ed25519("witness.example/w1", ed25519::SecretKey::from_seed(&[3; 32])).unwrap();
    let other =
        CosignerSigner::mldsa44("witness.example/w2", mldsa44::SecretKey::from_seed(&[4; 32])).unwrap();
    let note = [
        signer.sign(view, AT),
        witness.cosign(&checkpoint, AT).unwrap(),
        other.cosign(&checkpoint, AT).unwrap(),
    ]
    .concat();
    let keys = [signer.key(), signer.second_key().unwrap(), witness.key(), other.key()];
    let signed = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
    for key in &keys {
        signed.require(&VerifierKey::parse(&key.to_text()).unwrap()).unwrap();
    }
    let nodes = zeugma_evidence_log::TileNodes::new(suite, view.size, |tile| stored.get(&tile).cloned());
    let index = LeafIndex::new(257);
    let path = zeugma_proof::tree::inclusion(suite, index, view.size, &nodes).unwrap();
    let proof = LogProof { suite, extra: Some(b"case 1".to_vec()), index, path, checkpoint: note.clone() };
    LogProof::parse(proof.to_text().as_bytes()).unwrap().verify(&leaf(257), &origin, &keys[0]).unwrap();
    let hashes = |tile: &TileId| tile.kind != TileKind::Entries;
    let tiles: Vec<_> = grown(TreeSize::ZERO, view.size).filter(hashes).map(|tile| tile.path()).collect();
    json!({
        "suite": suite.name(),
        "vkeys": keys.iter().map(VerifierKey::to_text).collect::<Vec<_>>(),
        "checkpoint": note,
        "tiles": tiles,
        "leaf_257": hex::encode(leaf(257)),
        "proof_257": proof.to_text(),
    })
}

#[test]
fn the_golden_vectors_are_what_the_code_writes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/evidence-log/golden.json");
    let made = json!({ "entries": entries(), "logs": [log(HashSuite::Sha256), log(HashSuite::Sm3)] });
    if std::env::var_os("ZEUGMA_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, format!("{made:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert!(kept == made, "the bytes of a format changed; if that was decided, write the vectors anew");
}
