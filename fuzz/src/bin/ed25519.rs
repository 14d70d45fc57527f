//! A batch of signatures holds exactly when each one holds, and what the strict rule admits the lenient
//! one admits too.
//!
//! Input: for each signature a kind, a byte for its parts, then what the kind takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_crypto::ed25519::{Item, PublicKey, Rule, SecretKey, first_bad, verify_batch};
use zeugma_fuzz::{Seed, seed, start};

/// Most signatures of one batch.
const MOST: usize = 6;

/// Encodings of points of small order, canonical and not, and of no point.
fn odd_point(choice: u8) -> [u8; 32] {
    const ORDER_8: [&[u8; 32]; 2] = [
        b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
        b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    ];
    // Near the modulus, 2^255 - 19.
    let near = |low| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, 0x7f);
        bytes
    };
    let small = |low| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    };
    let mut bytes = match choice & 0x7f {
        0 => small(0),
        1 => small(1),
        2 => small(2),
        3 => near(0xec),
        4 => near(0xed),
        5 => near(0xee),
        6 => near(0xff),
        7 => *ORDER_8[0],
        8 => *ORDER_8[1],
        other => small(other),
    };
    bytes[31] |= choice & 0x80;
    bytes
}

struct Signature {
    key: [u8; 32],
    message: [u8; 1],
    signature: [u8; 64],
}

fn read(rest: &mut &[u8]) -> Option<Signature> {
    let ([kind, which], tail) = rest.split_first_chunk::<2>()?;
    *rest = tail;
    let secret = SecretKey::from_seed(&[which % 4; 32]);
    let honest = Signature {
        key: *secret.public().as_bytes(),
        message: [*which],
        signature: secret.sign_foreign(&[*which]),
    };
    Some(match kind % 4 {
        0 => honest,
        1 => {
            let ([place, with], tail) = rest.split_first_chunk::<2>()?;
            *rest = tail;
            let mut changed = honest;
            match *place {
                place @ 0..64 => changed.signature[usize::from(place)] ^= with,
                place @ 64..96 => changed.key[usize::from(place) - 64] ^= with,
                _ => changed.message[0] ^= with,
            }
            changed
        }
        2 => {
            // Points of small order with the scalar 0, or another key's `R`.
            let ([key, commitment], tail) = rest.split_first_chunk::<2>()?;
            *rest = tail;
            let mut odd = Signature { key: odd_point(*key), signature: [0; 64], ..honest };
            odd.signature[..32].copy_from_slice(&odd_point(*commitment));
            odd
        }
        _ => {
            let (raw, tail) = rest.split_first_chunk::<96>()?;
            *rest = tail;
            let mut key = [0; 32];
            let mut signature = [0; 64];
            key.copy_from_slice(&raw[..32]);
            signature.copy_from_slice(&raw[32..]);
            Signature { key, signature, ..honest }
        }
    })
}

fn seeds() -> Vec<Seed> {
    let key = SecretKey::from_seed(&[9; 32]);
    let raw = [&[3, 7][..], key.public().as_bytes(), &key.sign_foreign(&[7])].concat();
    vec![
        seed("honest", [0, 1, 0, 2, 0, 3]),
        seed("one-changed", [0, 1, 1, 2, 40, 1, 0, 3]),
        seed("small-order", [0, 1, 2, 5, 1, 1, 2, 6, 3, 0x81]),
        seed("not-canonical", [2, 5, 4, 5, 2, 6, 0x83, 7, 2, 7, 8, 0x88]),
        seed("raw", raw),
    ]
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let mut rest = data;
    let signatures: Vec<Signature> = std::iter::from_fn(|| read(&mut rest)).take(MOST).collect();
    let keyed: Vec<(PublicKey, &Signature)> = signatures
        .iter()
        .filter_map(|each| PublicKey::parse(&each.key).ok().map(|key| (key, each)))
        .collect();
    let mut bad = None;
    for (at, (key, each)) in keyed.iter().enumerate() {
        let lenient = key.verify(Rule::Zip215, &each.message, &each.signature).is_ok();
        let strict = key.verify(Rule::Strict, &each.message, &each.signature).is_ok();
        assert!(lenient || !strict, "the strict rule admits what the lenient one refuses");
        assert!(!strict || PublicKey::parse_strict(&each.key).is_ok(), "a key that the strict rule refuses");
        if !lenient {
            bad = bad.or(Some(at));
        }
    }
    let items: Vec<Item<'_>> = keyed
        .iter()
        .map(|(key, each)| Item { key, message: &each.message, signature: &each.signature })
        .collect();
    assert_eq!(verify_batch(&items).is_ok(), bad.is_none(), "batch and single differ");
    assert_eq!(first_bad(&items), bad, "another culprit");
});
