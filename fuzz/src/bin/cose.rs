//! A COSE receipt that verifies is about the tree that its key signed; none panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use std::sync::LazyLock;
use zeugma_evidence_verify::cose::{Key, Receipt};
use zeugma_fuzz::{seed, start};
use zeugma_proof::tree::{Hash, leaf_hash, node_hash};
use zeugma_types::HashSuite;

const SUITE: HashSuite = HashSuite::Sha256;
const LEAVES: [&[u8]; 3] = [b"a", b"b", b"c"];
/// `SubjectPublicKeyInfo` of a point on P-256, up to the point.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

static SECRET: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_slice(&[7; 32]).expect("below the order"));
static KEY: LazyLock<Key> = LazyLock::new(|| {
    let point = SECRET.verifying_key().to_sec1_point(false);
    Key::parse(&[&SPKI, point.as_bytes()].concat()).expect("a key")
});

fn leaf(at: usize) -> Hash {
    leaf_hash(SUITE, LEAVES[at])
}

/// Roots of the first two leaves, and of all three.
fn roots() -> [Hash; 2] {
    let two = node_hash(SUITE, &leaf(0), &leaf(1));
    [two, node_hash(SUITE, &two, &leaf(2))]
}

/// CBOR: protected `{1: -7, 395: 1}`, unprotected `{396: {kind: [proof]}}`, no payload, a signature.
fn receipt(kind: u8, proof: &[u8], signature: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("a short string");
    let mut bytes = vec![0xd2, 0x84, 0x47, 0xa2, 0x01, 0x26, 0x19, 0x01, 0x8b, 0x01, 0xa1, 0x19, 0x01, 0x8c];
    bytes.extend([0xa1, kind, 0x81, 0x58, length(proof)]);
    bytes.extend_from_slice(proof);
    bytes.extend([0xf6, 0x58, length(signature)]);
    bytes.extend_from_slice(signature);
    bytes
}

fn signed(kind: u8, proof: &[u8], root: &Hash) -> Vec<u8> {
    let draft = Receipt::parse(&receipt(kind, proof, &[0; 64])).expect("a receipt");
    let signature: Signature = SECRET.sign(&draft.to_be_signed(root));
    receipt(kind, proof, &signature.to_bytes())
}

fn seeds() -> Vec<zeugma_fuzz::Seed> {
    let path = |head: &[u8], hashes: &[Hash]| {
        let mut bytes = head.to_vec();
        for hash in hashes {
            bytes.extend([0x58, 0x20]);
            bytes.extend_from_slice(hash);
        }
        bytes
    };
    let [_, three] = roots();
    let first = path(&[0x83, 0x03, 0x00, 0x82], &[leaf(1), leaf(2)]);
    let last = path(&[0x83, 0x03, 0x02, 0x81], &roots()[..1]);
    let grown = path(&[0x83, 0x02, 0x03, 0x81], &[leaf(2)]);
    vec![
        seed("first", signed(0x20, &first, &three)),
        seed("last", signed(0x20, &last, &three)),
        seed("grown", signed(0x21, &grown, &three)),
    ]
}

fuzz_target!(init: start(seeds), |bytes: &[u8]| {
    let Ok(receipt) = Receipt::parse(bytes) else { return };
    let _ = (receipt.key_id(), receipt.issuer());
    let [two, three] = roots();
    for entry in [LEAVES[0], LEAVES[1], LEAVES[2], b"d"] {
        if let Ok(root) = receipt.verify_inclusion(entry, &KEY) {
            assert_eq!(root, three, "a root that was not signed");
            assert!(LEAVES.contains(&entry), "a leaf that the tree has not");
        }
    }
    for old in [two, three, [0; 32]] {
        if let Ok(root) = receipt.verify_consistency(&old, &KEY) {
            assert_eq!(root, three, "a root that was not signed");
            assert_ne!(old, [0; 32], "a tree that never was");
        }
    }
});
