use super::*;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use proptest::collection::vec;
use proptest::prelude::*;

const BAD_SIGNATURE: Refusal = Refusal::new(Code::BadSignature);

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn add_to_little_endian(bytes: [u8; 32], mut summand: u8) -> [u8; 32] {
    bytes.map(|byte| {
        let (sum, carried) = byte.overflowing_add(summand);
        summand = u8::from(carried);
        sum
    })
}

/// 2^255 - 19 + `y`.
fn above_the_modulus(y: u8) -> [u8; 32] {
    let mut modulus = [0xff; 32];
    (modulus[0], modulus[31]) = (0xed, 0x7f);
    add_to_little_endian(modulus, y)
}

/// Every encoding of a point of small order, canonical or not.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut encodings: Vec<_> = EIGHT_TORSION.iter().map(|point| point.compress().0).collect();
    encodings.extend((0..19).map(above_the_modulus));
    let flipped: Vec<_> = encodings
        .iter()
        .map(|bytes| {
            let mut bytes = *bytes;
            bytes[31] ^= 0x80;
            bytes
        })
        .collect();
    encodings.extend(flipped);
    encodings
        .retain(|bytes| CompressedEdwardsY(*bytes).decompress().is_some_and(|point| point.is_small_order()));
    encodings.sort_unstable();
    encodings.dedup();
    encodings
}

/// A signature whose commitment and key each have a part of small order: valid with the cofactor only.
fn with_torsion(seed: u8, key_part: usize, commitment_part: usize, message: &[u8]) -> ([u8; 32], [u8; 64]) {
    let scalar = |label: &[u8]| Scalar::from_bytes_mod_order_wide(&sha512(&[label, &[seed], message]));
    signed_by(scalar(b"secret"), key_part, scalar(b"nonce"), commitment_part, message)
}

/// The signature of a signer who chose its secret, its nonce and a part of small order for each.
fn signed_by(
    secret: Scalar,
    key_part: usize,
    nonce: Scalar,
    commitment_part: usize,
    message: &[u8],
) -> ([u8; 32], [u8; 64]) {
    let key = (ED25519_BASEPOINT_POINT * secret + EIGHT_TORSION[key_part % 8]).compress().0;
    let commitment = (ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[commitment_part % 8]).compress().0;
    let challenge = Scalar::from_bytes_mod_order_wide(&sha512(&[&commitment, &key, message]));
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&commitment);
    signature[32..].copy_from_slice((nonce + challenge * secret).as_bytes());
    (key, signature)
}

/// What the `ed25519-consensus` crate, on another curve library, says under ZIP 215.
fn consensus(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_consensus::VerificationKey::try_from(*key)
        .is_ok_and(|key| key.verify(&(*signature).into(), message).is_ok())
}

/// What `ed25519-dalek` says in its strict mode.
fn dalek_strict(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &(*signature).into()).is_ok())
}

fn ours(rule: Rule, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    PublicKey::parse(key).is_ok_and(|key| key.verify(rule, message, signature).is_ok())
}

#[test]
fn the_first_signature_of_rfc_8032_is_made_and_verified() {
    // RFC 8032, section 7.1, TEST 1.
    let seed = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
        0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let secret = SecretKey::from_seed(&seed);
    let signature = secret.sign_foreign(b"");
    assert_eq!(
        (&signature[..4], &signature[60..]),
        (&[0xe5, 0x56, 0x43, 0][..], &[0x8e, 0x7a, 0x10, 0x0b][..])
    );
    for rule in [Rule::Zip215, Rule::Strict] {
        secret.public().verify(rule, b"", &signature).unwrap();
        assert_eq!(secret.public().verify(rule, b"x", &signature).unwrap_err(), BAD_SIGNATURE);
    }
}

#[test]
fn a_signature_belongs_to_its_purpose() {
    let signature = secret(1).sign(Purpose::Transaction, &[b"a", b"b"]);
    let key = secret(1).public();
    key.verify(Rule::Strict, &framed(Purpose::Transaction, &[b"ab"]), &signature).unwrap();
    assert!(key.verify(Rule::Strict, &framed(Purpose::Seal, &[b"ab"]), &signature).is_err());
    assert!(key.verify(Rule::Strict, b"ab", &signature).is_err());
}

#[test]
fn points_of_small_order_verify_anything_under_zip_215_and_nothing_under_strict() {
    let encodings = small_order_encodings();
    assert_eq!(encodings.len(), 14, "ZIP 215 counts fourteen encodings");
    for key in &encodings {
        for commitment in &encodings {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(commitment);
            assert!(ours(Rule::Zip215, key, b"Zcash", &signature), "{key:?} {commitment:?}");
            assert!(consensus(key, b"Zcash", &signature));
            assert!(!ours(Rule::Strict, key, b"Zcash", &signature));
        }
        assert_eq!(PublicKey::parse_strict(key).unwrap_err().code, Code::BadKey);
    }
}

#[test]
fn a_key_above_the_modulus_is_a_key_under_zip_215_only() {
    let mut found = 0;
    for y in 0..19 {
        for sign in [0, 0x80] {
            let mut bytes = above_the_modulus(y);
            bytes[31] |= sign;
            if PublicKey::parse(&bytes).is_ok() {
                found += 1;
                assert_eq!(PublicKey::parse_strict(&bytes).unwrap_err().code, Code::BadKey, "{y}");
            }
        }
    }
    assert!(found > 4, "only {found} of the encodings are points");
    PublicKey::parse_strict(secret(1).public().as_bytes()).unwrap();
}

#[test]
fn a_part_of_small_order_passes_with_the_cofactor_only() {
    for (key_part, commitment_part) in [(0, 0), (0, 1), (1, 0), (3, 5), (4, 4), (7, 1)] {
        let (key, signature) = with_torsion(9, key_part, commitment_part, b"vote");
        assert!(ours(Rule::Zip215, &key, b"vote", &signature));
        assert!(consensus(&key, b"vote", &signature));
        let strict = ours(Rule::Strict, &key, b"vote", &signature);
        // Both parts together may cancel out; then even the strict equation holds.
        assert_eq!(strict, dalek_strict(&key, b"vote", &signature), "{key_part} {commitment_part}");
        if key_part == 0 {
            assert_eq!(strict, commitment_part == 0);
        }
    }
}

#[test]
fn a_key_or_commitment_of_small_order_is_not_strict_though_its_equation_holds() {
    let scalar = |seed| Scalar::from_bytes_mod_order_wide(&[seed; 64]);
    let weak_key = signed_by(Scalar::ZERO, 0, scalar(1), 0, b"m");
    let weak_commitment = signed_by(scalar(1), 0, Scalar::ZERO, 0, b"m");
    for ((key, signature), code) in [(weak_key, Code::BadKey), (weak_commitment, Code::BadSignature)] {
        let key = PublicKey::parse(&key).unwrap();
        let parts = Parts::split(&signature).unwrap();
        let right = parts.decompress().unwrap() - key.challenge(b"m", &parts).0 * key.minus;
        assert_eq!(ED25519_BASEPOINT_POINT * parts.s, right, "without the cofactor");
        key.verify(Rule::Zip215, b"m", &signature).unwrap();
        assert_eq!(key.verify(Rule::Strict, b"m", &signature).unwrap_err().code, code);
        assert!(!dalek_strict(key.as_bytes(), b"m", &signature));
    }
}

#[test]
fn a_scalar_above_the_order_is_refused_by_both_rules() {
    let signature = secret(1).sign_foreign(b"m");
    let mut malleated = signature;
    // s + L: the same equation, another string. L is little-endian here.
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (byte, summand) in malleated[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + summand + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    for rule in [Rule::Zip215, Rule::Strict] {
        assert_eq!(secret(1).public().verify(rule, b"m", &malleated).unwrap_err(), BAD_SIGNATURE);
    }
    let key = secret(1).public();
    assert!(verify_batch(&[Item { key: &key, message: b"m", signature: &malleated }]).is_err());
}

#[test]
fn an_empty_batch_holds() {
    verify_batch(&[]).unwrap();
}

#[test]
fn errors_that_cancel_out_under_equal_factors_are_found() {
    let messages: [&[u8]; 2] = [b"one", b"two"];
    let keys = [secret(1).public(), secret(2).public()];
    let mut signatures = [secret(1).sign_foreign(messages[0]), secret(2).sign_foreign(messages[1])];
    for (signature, change) in signatures.iter_mut().zip([Scalar::ONE, -Scalar::ONE]) {
        let changed = Parts::split(signature).unwrap().s + change;
        signature[32..].copy_from_slice(changed.as_bytes());
    }
    let items: Vec<_> = (0..2)
        .map(|index| Item { key: &keys[index], message: messages[index], signature: &signatures[index] })
        .collect();
    // Planted: with all factors 1 the sum of both equations holds.
    let sum: Scalar = signatures.iter().map(|signature| Parts::split(signature).unwrap().s).sum();
    let right: EdwardsPoint = items
        .iter()
        .map(|item| {
            let parts = Parts::split(item.signature).unwrap();
            parts.decompress().unwrap() - item.key.challenge(item.message, &parts).0 * item.key.minus
        })
        .sum();
    assert_eq!(ED25519_BASEPOINT_POINT * sum, right);

    assert_eq!(verify_batch(&items).unwrap_err(), BAD_SIGNATURE);
    assert_eq!(first_bad(&items), Some(0));
}

#[test]
fn one_bad_signature_of_a_commit_fails_the_batch_wherever_it_stands() {
    let signed: Vec<_> = (0..67)
        .map(|seed| (secret(seed).public(), [seed; 110], secret(seed).sign_foreign(&[seed; 110])))
        .collect();
    for bad in [0, 33, 66] {
        let mut items: Vec<_> =
            signed.iter().map(|(key, message, signature)| Item { key, message, signature }).collect();
        verify_batch(&items).unwrap();
        assert_eq!(first_bad(&items), None);
        items[bad].message = b"another";
        assert_eq!(verify_batch(&items).unwrap_err(), BAD_SIGNATURE);
        assert_eq!(first_bad(&items), Some(bad));
    }
}

#[test]
fn factors_come_from_the_transcript_alone_and_differ() {
    let factors: Vec<_> = Factors::of(b"a").take(9).collect();
    assert_eq!(factors, Factors::of(b"a").take(9).collect::<Vec<_>>());
    assert_ne!(factors, Factors::of(b"b").take(9).collect::<Vec<_>>());
    for (index, factor) in factors.iter().enumerate() {
        assert_eq!(factor.as_bytes()[16..], [0; 16], "a factor has 128 bits");
        assert!(*factor != Scalar::ZERO && !factors[..index].contains(factor));
    }
}

#[test]
fn a_secret_key_comes_back_from_storage_and_does_not_print() {
    assert_eq!(SecretKey::from_seed(&secret(3).expose()).public(), secret(3).public());
    assert_eq!(std::format!("{:?}", secret(3)), "ed25519::SecretKey(..)");
}

/// One signature of a batch to be: right, or wrong in some way.
fn any_signature() -> impl Strategy<Value = ([u8; 32], Vec<u8>, [u8; 64])> {
    let small = small_order_encodings();
    (0..9_u8, any::<u8>(), vec(any::<u8>(), 0..40), any::<usize>(), any::<usize>()).prop_map(
        move |(kind, seed, message, left, right)| {
            let (mut key, mut signature) =
                (*secret(seed).public().as_bytes(), secret(seed).sign_foreign(&message));
            match kind {
                0 => (key, signature) = with_torsion(seed, left, right, &message),
                1 => {
                    key = small[left % small.len()];
                    signature = [0; 64];
                    signature[..32].copy_from_slice(&small[right % small.len()]);
                }
                2 => signature[left % 64] ^= 1 << (right % 8),
                3 => key[left % 32] ^= 1 << (right % 8),
                _ => {}
            }
            (key, message, signature)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_batch_says_what_one_by_one_says(signed in vec(any_signature(), 0..9)) {
        let keys: Vec<_> = signed.iter().filter_map(|(key, _, _)| PublicKey::parse(key).ok()).collect();
        prop_assume!(keys.len() == signed.len());
        let items: Vec<_> = keys
            .iter()
            .zip(&signed)
            .map(|(key, (_, message, signature))| Item { key, message, signature })
            .collect();
        let each = signed.iter().all(|(key, message, signature)| consensus(key, message, signature));
        prop_assert_eq!(verify_batch(&items).is_ok(), each);
        prop_assert_eq!(first_bad(&items).is_none(), each);
    }

    #[test]
    fn both_rules_agree_with_their_oracles((key, message, signature) in any_signature()) {
        prop_assert_eq!(ours(Rule::Zip215, &key, &message, &signature), consensus(&key, &message, &signature));
        let strict = ours(Rule::Strict, &key, &message, &signature);
        prop_assert_eq!(strict, dalek_strict(&key, &message, &signature));
        prop_assert!(!strict || consensus(&key, &message, &signature), "strict is the narrower rule");
    }

    #[test]
    fn no_bytes_make_it_panic(key: [u8; 32], message: Vec<u8>, signature: [u8; 64]) {
        let Ok(key) = PublicKey::parse(&key) else { return Ok(()) };
        prop_assert!(key.verify(Rule::Strict, &message, &signature).is_err());
        let item = Item { key: &key, message: &message, signature: &signature };
        prop_assert_eq!(
            verify_batch(&[item; 3]).is_ok(),
            key.verify(Rule::Zip215, &message, &signature).is_ok()
        );
    }
}

#[test]
fn a_call_of_a_webhook_is_signed_over_its_name_its_time_and_its_body_and_nothing_else_is_signed_so() {
    let (key, at) = (secret(7), UnixSeconds::new(1_674_087_231));
    let body = br#"{"type":"entries.logged","at":1}"#;
    let signature = key.sign_webhook("msg_1", at, body).unwrap();
    let over = |text: &str| key.public().verify(Rule::Strict, text.as_bytes(), &signature);
    assert_eq!(over(r#"msg_1.1674087231.{"type":"entries.logged","at":1}"#), Ok(()));
    for other in [
        r#"msg_2.1674087231.{"type":"entries.logged","at":1}"#,
        r#"msg_1.1674087232.{"type":"entries.logged","at":1}"#,
        r#"msg_1.1674087231.{"type":"entries.logged","at":2}"#,
        r#"{"type":"entries.logged","at":1}"#,
    ] {
        assert_eq!(over(other), Err(BAD_SIGNATURE), "{other}");
    }
    for (id, body) in [
        ("", body.as_slice()),
        ("a.b", body),
        ("a b", body),
        ("a\n", body),
        ("a", b""),
        ("a", b"{}\n"),
        ("a", b"[1]"),
        ("a", b"a note\n"),
        // Short enough to be as long as a digest.
        ("a", b"{}"),
    ] {
        assert_eq!(key.sign_webhook(id, at, body).unwrap_err().code, Code::BadText, "{id} {body:?}");
    }
}
