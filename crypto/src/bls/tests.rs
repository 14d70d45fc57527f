use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

const SUITES: [Ciphersuite; 2] = [Ciphersuite::Basic, Ciphersuite::ProofOfPossession];

/// The group order, minus one: the secret key whose public key is minus the generator.
const LAST_SCALAR: [u8; 32] = [
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53,
    0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
];

/// A point of the curve whose order divides the cofactor: the group order times some point of the curve,
/// doubled and added bit by bit. Where it lies in the curve of G1, any pairing of it is 1.
macro_rules! outside {
    ($variant:ident, $point:ident :: $validate:ident $(($infinity:literal))?, $sum:ident :: $from:ident, $length:ident) => {{
        use blst::$variant::{$point, $sum};
        let inside = |bytes: &[u8]| $point::$validate(bytes $(, $infinity)?).is_ok();
        let start = (1..=u8::MAX)
            .map(|x| {
                let mut bytes = [0; $length];
                (bytes[0], bytes[$length - 1]) = (0x80, x);
                bytes
            })
            .filter(|bytes| !inside(bytes))
            .find_map(|bytes| $point::from_bytes(&bytes).ok())
            .unwrap();
        let start = $sum::$from(&start);
        let mut order = LAST_SCALAR;
        order[31] = 1;
        let mut sum = start;
        for bit in (0..255).rev().skip(1) {
            let doubled = sum;
            sum.add_aggregate(&doubled);
            if order[31 - bit / 8] >> (bit % 8) & 1 == 1 {
                sum.add_aggregate(&start);
            }
        }
        sum
    }};
}

macro_rules! battery {
    ($variant:ident, $minus_generator:ident) => {
        mod $variant {
            use super::*;
            use crate::bls::$variant::{Group, KEY_LENGTH, PublicKey, SIGNATURE_LENGTH, SecretKey};

            fn secret(seed: u8) -> SecretKey {
                SecretKey::derive(&[seed; 32]).unwrap()
            }

            #[test]
            fn the_constant_is_the_inverse_of_the_generator() {
                let key = blst::$variant::SecretKey::from_bytes(&LAST_SCALAR).unwrap().sk_to_pk();
                assert_eq!(key.serialize(), $minus_generator);
            }

            #[test]
            fn a_signature_holds_for_its_key_its_message_and_its_domain_only() {
                let (message, parts): (_, &[&[u8]]) = (framed(Purpose::Seal, &[b"a"]), &[b"a"]);
                for suite in SUITES {
                    let signature = secret(1).sign(suite, Purpose::Seal, parts);
                    let key = secret(1).public();
                    key.verify(suite, &message, &signature).unwrap();
                    let wrong = Refusal::new(Code::BadSignature);
                    assert_eq!(key.verify(suite, b"b", &signature).unwrap_err(), wrong);
                    assert_eq!(secret(2).public().verify(suite, &message, &signature).unwrap_err(), wrong);
                    for other in SUITES {
                        assert_eq!(key.verify(other, &message, &signature).is_ok(), other == suite);
                    }
                }
            }

            #[test]
            fn the_verdict_is_that_of_the_library_on_its_own_path() {
                let suite = Ciphersuite::ProofOfPossession;
                let domain = if KEY_LENGTH == 96 { suite.in_g1() } else { suite.in_g2() };
                for (seed, said, heard) in
                    [(1_u8, b"x", b"x"), (2, b"x", b"y"), (9, b"", b"")] as [(u8, &[u8], &[u8]); 3]
                {
                    let signature = secret(seed).sign_foreign(suite, said);
                    let point = blst::$variant::Signature::from_bytes(&signature).unwrap();
                    let key =
                        blst::$variant::PublicKey::from_bytes(&secret(seed).public().to_bytes()).unwrap();
                    let expected =
                        point.verify(true, heard, domain, &[], &key, true) == BLST_ERROR::BLST_SUCCESS;
                    assert_eq!(expected, said == heard);
                    assert_eq!(secret(seed).public().verify(suite, heard, &signature).is_ok(), expected);
                }
            }

            #[test]
            fn a_group_gives_the_verdict_of_the_sum_of_its_signers_whoever_is_absent() {
                let suite = Ciphersuite::ProofOfPossession;
                let keys: Vec<_> = (1..=7).map(|seed| secret(seed).public()).collect();
                // A key with two seats signs twice.
                let seats = [0_usize, 1, 2, 3, 4, 5, 6, 2];
                let group = Group::new(seats.iter().map(|seat| keys[*seat]).collect()).unwrap();
                for mask in [0x01_u8, 0x84, 0x0f, 0x1f, 0x7f, 0x80, 0xfe, 0xff, 0xfb] {
                    let signed: Vec<bool> = (0..8).map(|bit| mask >> bit & 1 == 1).collect();
                    let signers: Vec<_> = (0..8).filter(|seat| signed[*seat]).collect();
                    let each = signers.iter().map(|seat| {
                        let secret = secret(u8::try_from(seats[*seat]).unwrap() + 1);
                        blst::$variant::Signature::from_bytes(&secret.sign_foreign(suite, b"m")).unwrap()
                    });
                    let each: Vec<_> = each.collect();
                    let all = blst::$variant::AggregateSignature::aggregate(
                        &each.iter().collect::<Vec<_>>(),
                        false,
                    );
                    let signature = all.unwrap().to_signature().compress();
                    group.verify(suite, &signed, b"m", &signature).unwrap();
                    let chosen = signers.iter().map(|seat| &group.keys()[*seat]);
                    PublicKey::verify_aggregate(suite, chosen, b"m", &signature).unwrap();
                    for other in 0..8 {
                        let mut wrong = signed.clone();
                        wrong[other] = !wrong[other];
                        assert!(group.verify(suite, &wrong, b"m", &signature).is_err(), "{mask:#x} {other}");
                    }
                    let refusal = group.verify(suite, &signed, b"n", &signature).unwrap_err();
                    assert_eq!(refusal.code, Code::BadSignature);
                }
            }

            #[test]
            fn a_group_of_nobody_signs_nothing() {
                let suite = Ciphersuite::ProofOfPossession;
                let signature = secret(1).sign_foreign(suite, b"m");
                assert_eq!(Group::new(Vec::new()).unwrap_err().code, Code::EmptySet);
                let group = Group::new(Vec::from([secret(1).public(), secret(2).public()])).unwrap();
                let code = |signed: &[bool]| group.verify(suite, signed, b"m", &signature).unwrap_err().code;
                assert_eq!(code(&[false, false]), Code::EmptySet);
                assert_eq!(code(&[true]), Code::UnknownSigner);
                assert_eq!(code(&[true, false, false]), Code::UnknownSigner);
            }

            #[test]
            fn keys_that_cancel_sign_nothing() {
                let suite = Ciphersuite::ProofOfPossession;
                let one = secret(1).public();
                let mut bytes = one.to_bytes();
                // The other point with this abscissa.
                bytes[0] ^= 0x20;
                let minus = PublicKey::parse(&bytes).unwrap();
                let group = Group::new(Vec::from([one, minus, one])).unwrap();
                let signature = secret(1).sign_foreign(suite, b"m");
                group.verify(suite, &[true, true, true], b"m", &signature).unwrap();
                group.verify(suite, &[false, false, true], b"m", &signature).unwrap();
                let refusal = group.verify(suite, &[true, true, false], b"m", &signature).unwrap_err();
                assert_eq!(refusal.code, Code::BadSignature);
            }

            #[test]
            fn infinity_is_neither_a_key_nor_a_signature() {
                let mut key = [0; KEY_LENGTH];
                key[0] = 0xc0;
                assert_eq!(PublicKey::parse(&key).unwrap_err().code, Code::BadKey);
                let mut signature = [0; SIGNATURE_LENGTH];
                signature[0] = 0xc0;
                let refusal = secret(1).public().verify(Ciphersuite::Basic, b"", &signature).unwrap_err();
                assert_eq!(refusal.code, Code::BadSignature);
            }

            #[test]
            fn a_point_outside_the_subgroup_is_refused_though_its_pairing_is_right() {
                let suite = Ciphersuite::ProofOfPossession;
                let domain = if KEY_LENGTH == 96 { suite.in_g1() } else { suite.in_g2() };
                let secret = secret(1);
                let key = blst::$variant::PublicKey::from_bytes(&secret.public().to_bytes()).unwrap();
                let signature = secret.sign_foreign(suite, b"m");
                let point = blst::$variant::Signature::from_bytes(&signature).unwrap();

                let mut moved = outside!(
                    $variant,
                    Signature::sig_validate(true),
                    AggregateSignature::from_signature,
                    SIGNATURE_LENGTH
                );
                moved.add_signature(&point, false).unwrap();
                let moved = moved.to_signature();
                let unchecked = moved.verify(false, b"m", domain, &[], &key, false);
                assert_eq!(unchecked == BLST_ERROR::BLST_SUCCESS, SIGNATURE_LENGTH == 48, "in G1");
                let refusal = secret.public().verify(suite, b"m", &moved.compress()).unwrap_err();
                assert_eq!(refusal.code, Code::BadSignature);

                let mut moved = outside!(
                    $variant,
                    PublicKey::key_validate,
                    AggregatePublicKey::from_public_key,
                    KEY_LENGTH
                );
                moved.add_public_key(&key, false).unwrap();
                let moved = moved.to_public_key();
                let unchecked = point.verify(false, b"m", domain, &[], &moved, false);
                assert_eq!(unchecked == BLST_ERROR::BLST_SUCCESS, KEY_LENGTH == 48, "in G1");
                assert_eq!(PublicKey::parse(&moved.compress()).unwrap_err().code, Code::BadKey);
            }

            #[test]
            fn every_flipped_bit_of_a_key_or_of_a_signature_is_refused() {
                let suite = Ciphersuite::ProofOfPossession;
                let (key, signature) = (secret(1).public(), secret(1).sign_foreign(suite, b"m"));
                for bit in 0..SIGNATURE_LENGTH * 8 {
                    let mut flipped = signature;
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    assert_eq!(
                        key.verify(suite, b"m", &flipped).unwrap_err().code,
                        Code::BadSignature,
                        "{bit}"
                    );
                }
                for bit in 0..KEY_LENGTH * 8 {
                    let mut flipped = key.to_bytes();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    // Some flips lead to another point; its owner has not signed.
                    let verdict =
                        PublicKey::parse(&flipped).and_then(|key| key.verify(suite, b"m", &signature));
                    assert!(verdict.is_err(), "{bit}");
                }
            }

            #[test]
            fn an_aggregate_holds_for_exactly_the_keys_that_signed() {
                let suite = Ciphersuite::ProofOfPossession;
                let keys: Vec<_> = (1..=3).map(|seed| secret(seed).public()).collect();
                let parts: Vec<_> = (1..=3)
                    .map(|seed| secret(seed).sign_foreign(suite, b"m"))
                    .map(|bytes| blst::$variant::Signature::from_bytes(&bytes).unwrap())
                    .collect();
                let parts: Vec<_> = parts.iter().collect();
                let sum = blst::$variant::AggregateSignature::aggregate(&parts, true).unwrap();
                let sum = sum.to_signature().compress();
                let verify = |keys: &[PublicKey]| PublicKey::verify_aggregate(suite, keys, b"m", &sum);
                verify(&keys).unwrap();
                assert_eq!(verify(&keys[..2]).unwrap_err().code, Code::BadSignature);
                assert_eq!(
                    verify(&[keys[0], keys[1], keys[2], keys[2]]).unwrap_err().code,
                    Code::BadSignature
                );
                assert_eq!(verify(&[]).unwrap_err().code, Code::EmptySet);
            }

            #[test]
            fn keys_that_cancel_out_are_refused() {
                let suite = Ciphersuite::ProofOfPossession;
                let one = SecretKey::parse(&{
                    let mut one = [0; 32];
                    one[31] = 1;
                    one
                });
                let keys = [one.unwrap().public(), SecretKey::parse(&LAST_SCALAR).unwrap().public()];
                let signature = secret(1).sign_foreign(suite, b"m");
                let refusal = PublicKey::verify_aggregate(suite, &keys, b"m", &signature).unwrap_err();
                assert_eq!(refusal.code, Code::BadSignature);
            }

            #[test]
            fn a_secret_key_is_in_range_and_does_not_print() {
                assert_eq!(SecretKey::parse(&[0; 32]).unwrap_err().code, Code::BadKey);
                assert_eq!(SecretKey::parse(&[0xff; 32]).unwrap_err().code, Code::BadKey);
                assert_eq!(SecretKey::derive(&[1; 31]).unwrap_err().code, Code::BadKey);
                let again = SecretKey::parse(&secret(5).expose()).unwrap();
                assert_eq!(again.public(), secret(5).public());
                assert!(std::format!("{again:?}").ends_with("SecretKey(..)"));
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]

                #[test]
                fn no_bytes_make_it_panic(
                    key: [u8; KEY_LENGTH],
                    signature: [u8; SIGNATURE_LENGTH],
                    flags in 0_u8..8,
                    message: Vec<u8>,
                ) {
                    // Flags that pass for a compressed point let more bytes reach the curve.
                    let (mut key, mut signature) = (key, signature);
                    key[0] = key[0] & 0x1f | flags << 5;
                    signature[0] = signature[0] & 0x1f | flags << 5;
                    let parsed = PublicKey::parse(&key);
                    if let Ok(parsed) = &parsed {
                        prop_assert_eq!(parsed.to_bytes(), key);
                    }
                    let key = parsed.unwrap_or_else(|_| secret(1).public());
                    prop_assert!(key.verify(Ciphersuite::Basic, &message, &signature).is_err());
                }
            }
        }
    };
}

battery!(min_sig, MINUS_G2);
battery!(min_pk, MINUS_G1);
