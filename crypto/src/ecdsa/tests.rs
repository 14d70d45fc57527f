use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

/// Reads the hexadecimal of a published vector.
fn hex<const N: usize>(digits: &str) -> [u8; N] {
    let mut bytes = [0; N];
    assert_eq!(digits.len(), 2 * N);
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    }
    bytes
}

fn fixed(recoverable: &[u8; 65]) -> [u8; 64] {
    *recoverable.first_chunk().unwrap()
}

/// A small number as 32 bytes.
fn number(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = number;
    bytes
}

/// `order - number`, big-endian.
fn subtract(order: &[u8; 32], number: &[u8]) -> [u8; 32] {
    let mut borrow = 0_i16;
    let mut difference = [0; 32];
    for index in (0..32).rev() {
        let digit = i16::from(order[index]) - i16::from(number[index]) - borrow;
        borrow = i16::from(digit < 0);
        difference[index] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    difference
}

/// Minimal DER, written once more from X.690.
fn to_der(signature: &[u8; 64]) -> Vec<u8> {
    let mut body = Vec::new();
    for half in signature.chunks(32) {
        let start = half.iter().position(|byte| *byte != 0).unwrap_or(31);
        let digits = &half[start..];
        let padded = usize::from(digits[0] >= 0x80);
        body.extend([2, u8::try_from(digits.len() + padded).unwrap()]);
        body.extend(core::iter::repeat_n(0, padded));
        body.extend(digits);
    }
    let mut der = alloc::vec![0x30, u8::try_from(body.len()).unwrap()];
    der.extend(body);
    der
}

macro_rules! battery {
    ($curve:ident, $order:literal) => {
        mod $curve {
            use super::*;
            use crate::ecdsa::$curve::{PublicKey, SecretKey, recover};

            fn secret(seed: u8) -> SecretKey {
                SecretKey::parse(&[seed; 32]).unwrap()
            }

            /// The other form of a signature: `(r, n - s)`, and the other parity.
            fn mirrored(signature: &[u8; 65]) -> [u8; 65] {
                let mut mirrored = *signature;
                mirrored[32..64].copy_from_slice(&subtract(&hex($order), &signature[32..64]));
                mirrored[64] ^= 1;
                mirrored
            }

            #[test]
            fn a_signature_holds_for_its_key_and_its_message_only() {
                let signature = fixed(&secret(1).sign_foreign(&sha256(&[b"m"])));
                let wrong = Refusal::new(Code::BadSignature);
                for policy in [SPolicy::LowOnly, SPolicy::Any] {
                    secret(1).public().verify(policy, b"m", &signature).unwrap();
                    secret(1).public().verify_prehash(policy, &sha256(&[b"m"]), &signature).unwrap();
                    assert_eq!(secret(1).public().verify(policy, b"x", &signature).unwrap_err(), wrong);
                    assert_eq!(secret(2).public().verify(policy, b"m", &signature).unwrap_err(), wrong);
                }
            }

            #[test]
            fn the_high_form_counts_under_one_policy_only() {
                for seed in 1..20 {
                    let digest = sha256(&[&[seed]]);
                    let low = secret(seed).sign_foreign(&digest);
                    let (high, key) = (mirrored(&low), secret(seed).public());
                    key.verify_prehash(SPolicy::LowOnly, &digest, &fixed(&low)).unwrap();
                    key.verify_prehash(SPolicy::Any, &digest, &fixed(&high)).unwrap();
                    let refusal = key.verify_prehash(SPolicy::LowOnly, &digest, &fixed(&high)).unwrap_err();
                    assert_eq!(refusal.code, Code::NotCanonical);

                    assert_eq!(recover(SPolicy::LowOnly, &digest, &low).unwrap(), key);
                    assert_eq!(recover(SPolicy::Any, &digest, &low).unwrap(), key);
                    assert_eq!(recover(SPolicy::Any, &digest, &high).unwrap(), key);
                    assert_eq!(
                        recover(SPolicy::LowOnly, &digest, &high).unwrap_err().code,
                        Code::NotCanonical
                    );
                }
            }

            #[test]
            fn the_wrong_parity_recovers_another_key_and_a_third_parity_none() {
                let digest = sha256(&[b"m"]);
                let mut signature = secret(1).sign_foreign(&digest);
                signature[64] ^= 1;
                let other = recover(SPolicy::LowOnly, &digest, &signature);
                assert!(other.is_err() || other.unwrap() != secret(1).public());
                for parity in 2..=255 {
                    signature[64] = parity;
                    let refusal = recover(SPolicy::Any, &digest, &signature).unwrap_err();
                    assert_eq!(refusal.code, Code::NotCanonical);
                }
            }

            #[test]
            fn zero_and_the_order_are_no_part_of_a_signature_or_key() {
                let order: [u8; 32] = hex($order);
                let one = number(1);
                for bad in [[0; 32], order, [0xff; 32]] {
                    assert_eq!(SecretKey::parse(&bad).unwrap_err().code, Code::BadKey);
                    for (r, s) in [(bad, one), (one, bad)] {
                        let refusal =
                            secret(1).public().verify(SPolicy::Any, b"m", &joined(&r, &s)).unwrap_err();
                        assert_eq!(refusal.code, Code::BadSignature);
                    }
                }
            }

            #[test]
            fn a_key_has_two_forms_that_agree_and_no_other() {
                let key = secret(1).public();
                assert_eq!(PublicKey::parse(&key.to_bytes()).unwrap(), key);
                assert_eq!(PublicKey::parse_uncompressed(&key.to_uncompressed()).unwrap(), key);
                for tag in (0..=255).filter(|tag| *tag != key.to_bytes()[0]) {
                    let mut bytes = key.to_bytes();
                    bytes[0] = tag;
                    assert!(PublicKey::parse(&bytes).is_err() || tag == key.to_bytes()[0] ^ 1, "{tag}");
                    let mut bytes = key.to_uncompressed();
                    bytes[0] = tag;
                    assert!(PublicKey::parse_uncompressed(&bytes).is_err() || tag == 4, "{tag}");
                }
                let mut off_the_curve = key.to_uncompressed();
                off_the_curve[64] ^= 1;
                assert_eq!(PublicKey::parse_uncompressed(&off_the_curve).unwrap_err().code, Code::BadKey);
                assert_eq!(PublicKey::parse(&[0; 33]).unwrap_err().code, Code::BadKey);
                assert_eq!(PublicKey::parse_uncompressed(&[0; 65]).unwrap_err().code, Code::BadKey);
            }

            #[test]
            fn a_secret_key_signs_by_purpose_and_does_not_print() {
                let signature = secret(3).sign(Purpose::Seal, &[b"a", b"b"]);
                assert_eq!(signature, secret(3).sign_foreign(&framed(Purpose::Seal, &[b"ab"])));
                assert_ne!(signature, secret(3).sign(Purpose::Transaction, &[b"ab"]));
                assert_eq!(SecretKey::parse(&secret(3).expose()).unwrap().public(), secret(3).public());
                assert!(std::format!("{:?}", secret(3)).ends_with("SecretKey(..)"));
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]

                #[test]
                fn no_bytes_make_it_panic(
                    key: [u8; 33],
                    tag in 2_u8..4,
                    digest: [u8; 32],
                    signature: [u8; 64],
                    parity in 0_u8..4,
                ) {
                    let mut tagged = key;
                    tagged[0] = tag;
                    let parsed = PublicKey::parse(&key).or_else(|_| PublicKey::parse(&tagged));
                    let key = parsed.unwrap_or_else(|_| secret(1).public());
                    let mut recoverable = [parity; 65];
                    recoverable[..64].copy_from_slice(&signature);
                    for policy in [SPolicy::LowOnly, SPolicy::Any] {
                        prop_assert!(key.verify_prehash(policy, &digest, &signature).is_err());
                        if let Ok(signer) = recover(policy, &digest, &recoverable) {
                            // Whoever is recovered did sign, by the other function's account.
                            prop_assert!(signer.verify_prehash(policy, &digest, &signature).is_ok());
                        }
                    }
                }

                #[test]
                fn what_is_signed_verifies_and_is_recovered(seed in 1_u8..0xff, digest: [u8; 32]) {
                    let signature = secret(seed).sign_foreign(&digest);
                    let key = secret(seed).public();
                    prop_assert!(key.verify_prehash(SPolicy::LowOnly, &digest, &fixed(&signature)).is_ok());
                    prop_assert_eq!(recover(SPolicy::LowOnly, &digest, &signature).unwrap(), key);
                    prop_assert_eq!(from_der(&to_der(&fixed(&signature))).unwrap(), fixed(&signature));
                }
            }
        }
    };
}

battery!(secp256k1, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
battery!(p256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

#[test]
fn the_signature_of_rfc_6979_for_p256_is_made_in_its_low_form() {
    // RFC 6979, appendix A.2.5, SHA-256, message "sample"; the published s is the high one.
    let secret = crate::ecdsa::p256::SecretKey::parse(&hex(
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    ))
    .unwrap();
    let public = secret.public().to_uncompressed();
    assert_eq!(public[1..33], hex::<32>("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"));
    let signature = secret.sign_foreign(&sha256(&[b"sample"]));
    assert_eq!(
        signature[..32],
        hex::<32>("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716")
    );
    let published: [u8; 32] = hex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    assert_eq!(signature[32..64], subtract(&order, &published));
}

#[test]
fn the_account_of_the_smallest_key_is_the_known_one() {
    let key = crate::ecdsa::secp256k1::SecretKey::parse(&number(1)).unwrap().public();
    assert_eq!(key.address(), hex::<20>("7e5f4552091a69125d5dfcb7b8c2659029395bdf"));
}

#[test]
fn der_has_one_form() {
    let signature = joined(&[0x81; 32], &number(0x7f));
    let der = to_der(&signature);
    assert_eq!(der.len(), 2 + 2 + 33 + 2 + 1);
    assert_eq!(from_der(&der).unwrap(), signature);
    let refused =
        |bytes: &[u8]| assert_eq!(from_der(bytes).unwrap_err().code, Code::NotCanonical, "{bytes:x?}");
    for length in 0..der.len() {
        refused(&der[..length]);
    }
    refused(&[&der[..], &[0]].concat());
    // A length in the long form, a zero that is not needed, a negative number, an empty one, 33 digits.
    refused(&[&[0x30, 0x81], &der[1..]].concat());
    refused(&[0x30, 7, 2, 2, 0, 1, 2, 1, 1]);
    refused(&[0x30, 6, 2, 1, 0x80, 2, 1, 1]);
    refused(&[0x30, 5, 2, 0, 2, 1, 1]);
    refused(&[&[0x30, 38, 2, 33, 1][..], &[0; 32], &[2, 1, 1]].concat());
    // Zero itself is one byte; that it is no part of a signature is the curve's rule.
    assert_eq!(from_der(&[0x30, 6, 2, 1, 0, 2, 1, 0]).unwrap(), [0; 64]);
}

proptest! {
    #[test]
    fn whatever_der_is_accepted_is_the_form_it_would_be_written_in(
        bytes: Vec<u8>,
        r: [u8; 32],
        s: [u8; 32],
        flip in 0..72_usize,
        mask: u8,
    ) {
        let mut near = to_der(&joined(&r, &s));
        if let Some(byte) = near.get_mut(flip) {
            *byte ^= mask;
        }
        for bytes in [bytes, near] {
            if let Ok(signature) = from_der(&bytes) {
                prop_assert_eq!(to_der(&signature), bytes);
            }
        }
    }
}
