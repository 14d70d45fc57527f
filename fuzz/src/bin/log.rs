//! What a transparency log says: notes, checkpoints, keys, tiles, bundles, proofs, records and their disclosures. What is
//! read is written the same way again, and what a proof or a disclosure shows is what the log of the test holds.
//! The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::record::MAX_RECORD;
use zeugma_evidence_log::tile::{GrowingTiles, full_root, hashes};
use zeugma_evidence_log::{
    Checkpoint, Committer, CosignerSigner, CustomField, Disclosure, Entry, EntryBundle, Field, LogProof,
    LogSigner, Note, NoteBounds, Record, Seed, TileId, VerifierKey,
};
use zeugma_fuzz::{canonical, seed_of, start};
use zeugma_proof::body::LogView;
use zeugma_proof::tree::{Hash, leaf_hash, node_hash};
use zeugma_types::{Encode, HashSuite, LeafIndex, TreeSize, UnixSeconds};

const ORIGIN: &str = "log.example/fuzz";
const LEAVES: [&[u8]; 3] = [b"a", b"b", b"c"];

/// A log of three leaves under one key, a witness, and one record.
struct World {
    signer: LogSigner,
    witness: CosignerSigner,
    root: Hash,
    note: String,
    record: Record,
    seed: Seed,
    entry: Entry,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let secret = |seed| ed25519::SecretKey::from_seed(&[seed; 32]);
    let second = mldsa44::SecretKey::from_seed(&[2; 32]);
    let signer = LogSigner::new(ORIGIN, secret(1), Some(second)).expect("a plain name");
    let witness = CosignerSigner::ed25519("witness.example/w", secret(3)).expect("a plain name");
    let leaf = |at: usize| leaf_hash(HashSuite::Sha256, LEAVES[at]);
    let root = node_hash(HashSuite::Sha256, &node_hash(HashSuite::Sha256, &leaf(0), &leaf(1)), &leaf(2));
    let view = LogView { size: TreeSize::new(3), root };
    let cosigned = witness.cosign(&Checkpoint::new(ORIGIN, view), UnixSeconds::new(7)).expect("a checkpoint");
    let note = signer.sign(view, UnixSeconds::new(5)) + &cosigned;
    let custom = CustomField { name: "case".into(), value: b"12".to_vec() };
    let record = Record::new(vec![
        Field::Sha256([1; 32]),
        Field::Sm3([2; 32]),
        Field::MediaType("application/pdf".into()),
        Field::Size(123_456),
        Field::Submitter("party-17".into()),
        Field::Source("camera 4".into()),
        Field::Custom(custom),
    ])
    .expect("a record");
    let seed = Seed::new([9; 32]);
    let entry = Committer::new(Suites::Both).entry(&record, &seed);
    World { signer, witness, root, note, record, seed, entry }
});

fn proof() -> LogProof {
    let path = vec![leaf_hash(HashSuite::Sha256, LEAVES[1]), leaf_hash(HashSuite::Sha256, LEAVES[2])];
    LogProof {
        suite: HashSuite::Sha256,
        extra: Some(vec![1, 2]),
        index: LeafIndex::ZERO,
        path,
        checkpoint: WORLD.note.clone(),
    }
}

fn seeds() -> Vec<zeugma_fuzz::Seed> {
    let world = &*WORLD;
    let mut bundle = vec![3];
    for leaf in LEAVES {
        EntryBundle::push(&mut bundle, leaf).expect("a short leaf");
    }
    let mut tiles = GrowingTiles::new(HashSuite::Sm3);
    for leaf in 0..300_u16 {
        tiles.append(leaf_hash(HashSuite::Sm3, &leaf.to_be_bytes()), |_, _| ()).expect("a small tree");
    }
    let open = |shown: fn(&Field) -> bool| Disclosure::of(&world.record, &world.seed, Suites::Both, shown);
    vec![
        seed_of(0, "note", &world.note),
        seed_of(1, "key-log", world.signer.key().to_text()),
        seed_of(1, "key-second", world.signer.second_key().expect("it has one").to_text()),
        seed_of(1, "key-witness", world.witness.key().to_text()),
        seed_of(2, "tile", "tile/0/x001/x234/067.p/8"),
        seed_of(2, "tile-entries", "tile/entries/x001/234"),
        seed_of(3, "bundle", bundle),
        seed_of(4, "proof", proof().to_text()),
        seed_of(5, "record", world.record.to_bytes()),
        seed_of(6, "entry", world.entry.to_bytes()),
        seed_of(7, "disclosure-open", open(|_| true).to_bytes()),
        seed_of(7, "disclosure-half", open(|field| field.tag() > 4).to_bytes()),
        seed_of(8, "growing", tiles.to_bytes()),
        seed_of(9, "hashes", [[1_u8; 32], [2; 32]].concat()),
    ]
}

fn notes(bytes: &[u8]) {
    let world = &*WORLD;
    if let Ok(note) = Note::parse(bytes, NoteBounds::USUAL) {
        assert!(!note.signatures.is_empty() && note.text.ends_with('\n'), "a note without its parts");
    }
    let Ok(signed) = SignedCheckpoint::parse(bytes, NoteBounds::USUAL) else { return };
    let claimed = signed.claimed();
    if let Ok(again) = Checkpoint::parse(&claimed.text()) {
        assert_eq!(again, *claimed, "a checkpoint changed when it was written");
    }
    let second = world.signer.second_key().expect("it has one");
    for key in [world.signer.key(), second, world.witness.key()] {
        if signed.require(&key).is_ok() {
            assert_eq!(claimed.view, LogView { size: TreeSize::new(3), root: world.root }, "a forged tree");
            assert!(signed.require_origin(ORIGIN).is_ok(), "of another log");
        }
    }
}

fn proofs(bytes: &[u8]) {
    let Ok(proof) = LogProof::parse(bytes) else { return };
    assert_eq!(proof.to_text().as_bytes(), bytes, "a second form of one proof was accepted");
    for leaf in [LEAVES[0], LEAVES[1], LEAVES[2], b"d"] {
        if proof.verify(leaf, ORIGIN, &WORLD.signer.key()).is_ok() {
            let at = usize::try_from(proof.index.get()).expect("of three");
            assert_eq!(LEAVES.get(at), Some(&leaf), "a leaf that does not stand there");
        }
    }
}

fn disclosures(bytes: &[u8]) {
    let Some(shown) = canonical::<Disclosure>(bytes) else { return };
    if let Ok(open) = shown.verify(&WORLD.entry) {
        let fields = WORLD.record.fields();
        assert!(open.iter().all(|field| fields.contains(field)), "a field that the record has not");
        assert_eq!(shown.fields.len(), fields.len(), "more or fewer fields than there are");
    }
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let text = std::str::from_utf8(bytes);
    match (choice % 10, text) {
        (0, _) => notes(bytes),
        (1, Ok(text)) => {
            if let Ok(key) = VerifierKey::parse(text) {
                assert_eq!(key.to_text(), text, "a second form of one key was accepted");
            }
        }
        (2, Ok(text)) => {
            if let Ok(tile) = TileId::parse(text) {
                assert_eq!(tile.path(), text, "a second form of one path was accepted");
            }
        }
        (3, _) => {
            let Some((width, bundle)) = bytes.split_first() else { return };
            let Ok(read) = EntryBundle::parse(bundle, (*width).into()) else { return };
            assert_eq!(read.leaves.len(), usize::from(*width));
            let mut written = Vec::new();
            for leaf in read.leaves {
                EntryBundle::push(&mut written, leaf).expect("it was read");
            }
            assert_eq!(written, bundle, "a second form of one bundle was accepted");
        }
        (4, _) => proofs(bytes),
        (5, _) => {
            if canonical::<Record>(bytes).is_some() {
                assert!(bytes.len() <= MAX_RECORD, "a record above its bound");
            }
        }
        (6, _) => drop(canonical::<Entry>(bytes)),
        (7, _) => disclosures(bytes),
        (8, _) => {
            if let Some(mut tiles) = canonical::<GrowingTiles>(bytes) {
                let (before, size) = (tiles.root(), tiles.size());
                if tiles.append([1; 32], |_, full| assert_eq!(full.len(), 256)).is_ok() {
                    assert_ne!((tiles.root(), tiles.size()), (before, size), "a leaf changed nothing");
                }
            }
        }
        (9, _) => {
            let width = u16::try_from(bytes.len() / 32).unwrap_or(u16::MAX);
            let kind = zeugma_evidence_log::TileKind::Hashes { level: 0 };
            let tile = TileId { kind, index: 0, width };
            if let Ok(read) = hashes(tile, bytes) {
                assert_eq!(read.concat(), bytes);
                let root = full_root(HashSuite::Sha256, tile, bytes);
                assert!(root.is_err() || tile.is_full(), "a root of a tile that is not full");
            }
        }
        _ => {}
    }
});
