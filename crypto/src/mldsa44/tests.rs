use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

#[test]
fn a_signature_holds_for_its_key_context_and_message_only() {
    let message = framed(Purpose::Seal, &[b"a"]);
    let signature = secret(1).sign(Purpose::Seal, &[b"a"]);
    secret(1).public().verify(&[], &message, &signature).unwrap();
    for (seed, context, message) in [(2, &b""[..], message), (1, b"c", message), (1, b"", [0; 32])] {
        let refusal = secret(seed).public().verify(context, &message, &signature).unwrap_err();
        assert_eq!(refusal.code, Code::BadSignature);
    }
}

#[test]
fn signing_is_deterministic() {
    assert_eq!(secret(1).sign(Purpose::Seal, &[b"a"]), secret(1).sign(Purpose::Seal, &[b"a"]));
}

#[test]
fn a_context_has_a_bound() {
    let signature = [0; SIGNATURE_LENGTH];
    let refusal = |length| secret(1).public().verify(&[0; 256][..length], b"", &signature).unwrap_err();
    assert_eq!(refusal(255).code, Code::BadSignature);
    assert_eq!(refusal(256), Refusal::new(Code::TooLong).needed(255_u64).found(256_u64));
}

#[test]
fn a_key_keeps_its_bytes_and_a_secret_does_not_print() {
    let key = secret(1).public();
    assert_eq!(PublicKey::parse(&key.to_bytes()), key);
    assert_ne!(key, secret(2).public());
    assert_eq!(PublicKey::parse(&[0xff; KEY_LENGTH]).to_bytes(), [0xff; KEY_LENGTH]);
    assert_eq!(SecretKey::from_seed(&secret(1).expose()).public(), key);
    assert_eq!(std::format!("{:?}", secret(1)), "mldsa44::SecretKey(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_bytes_make_it_panic(
        key in proptest::collection::vec(any::<u8>(), KEY_LENGTH),
        signature in proptest::collection::vec(any::<u8>(), SIGNATURE_LENGTH),
        message: Vec<u8>,
        context in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let key = PublicKey::parse(&key.try_into().unwrap());
        prop_assert!(key.verify(&context, &message, &signature.try_into().unwrap()).is_err());
    }

    #[test]
    fn one_flipped_bit_is_refused(bit in 0..SIGNATURE_LENGTH * 8) {
        let mut signature = secret(1).sign(Purpose::Seal, &[]);
        signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(secret(1).public().verify(&[], &framed(Purpose::Seal, &[]), &signature).is_err());
    }
}
