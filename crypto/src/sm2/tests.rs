use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn secret(seed: u8) -> SecretKey {
    SecretKey::parse(&[seed; 32]).unwrap()
}

fn hex<const N: usize>(digits: &str) -> [u8; N] {
    let mut bytes = [0; N];
    assert_eq!(digits.len(), 2 * N);
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    }
    bytes
}

#[test]
fn the_example_of_the_standard_verifies() {
    // GB/T 32918.5-2017, appendix A.2: the key, the message "message digest", the default identifier.
    let secret =
        SecretKey::parse(&hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")).unwrap();
    let key = secret.public();
    assert_eq!(
        key.to_bytes()[1..33],
        hex::<32>("09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020")
    );
    let signature = hex(concat!(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    ));
    key.verify(DEFAULT_IDENTITY, b"message digest", &signature).unwrap();
    let wrong = Refusal::new(Code::BadSignature);
    assert_eq!(key.verify(DEFAULT_IDENTITY, b"message", &signature).unwrap_err(), wrong);
    assert_eq!(key.verify("1234567812345679", b"message digest", &signature).unwrap_err(), wrong);
}

#[test]
fn a_signature_holds_for_its_key_identifier_and_message_only() {
    let signature = secret(1).sign_foreign("alice", b"m").unwrap();
    secret(1).public().verify("alice", b"m", &signature).unwrap();
    for (seed, identity, message) in [(2, "alice", b"m"), (1, "", b"m"), (1, "alice", b"x")] {
        let refusal = secret(seed).public().verify(identity, message, &signature).unwrap_err();
        assert_eq!(refusal.code, Code::BadSignature);
    }
}

#[test]
fn an_identifier_has_a_bound() {
    let longest = "x".repeat(MAX_IDENTITY);
    let signature = secret(1).sign_foreign(&longest, b"m").unwrap();
    secret(1).public().verify(&longest, b"m", &signature).unwrap();
    let longer = "x".repeat(MAX_IDENTITY + 1);
    assert_eq!(secret(1).public().verify(&longer, b"m", &signature).unwrap_err().code, Code::TooLong);
    assert_eq!(secret(1).sign_foreign(&longer, b"m").unwrap_err().code, Code::TooLong);
}

#[test]
fn keys_out_of_range_and_points_off_the_curve_are_refused() {
    let last = hex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122");
    for bytes in [[0; 32], [0xff; 32], last] {
        assert_eq!(SecretKey::parse(&bytes).unwrap_err().code, Code::BadKey);
    }
    let key = secret(1).public();
    assert_eq!(PublicKey::parse(&key.to_bytes()).unwrap(), key);
    assert_eq!(PublicKey::parse_untagged(key.to_bytes().last_chunk().unwrap()).unwrap(), key);
    for tag in (0..=255).filter(|tag| *tag != 4) {
        let mut bytes = key.to_bytes();
        bytes[0] = tag;
        assert_eq!(PublicKey::parse(&bytes).unwrap_err().code, Code::BadKey, "{tag}");
    }
    let mut bytes = key.to_bytes();
    bytes[64] ^= 1;
    assert_eq!(PublicKey::parse(&bytes).unwrap_err().code, Code::BadKey);
    assert_eq!(PublicKey::parse(&[0; 65]).unwrap_err().code, Code::BadKey);
}

#[test]
fn a_secret_key_signs_by_purpose_and_does_not_print() {
    let signature = secret(3).sign(Purpose::Seal, &[b"a", b"b"]).unwrap();
    let key = secret(3).public();
    key.verify(DEFAULT_IDENTITY, &framed(Purpose::Seal, &[b"ab"]), &signature).unwrap();
    assert_eq!(SecretKey::parse(&secret(3).expose()).unwrap().public(), key);
    assert_eq!(std::format!("{:?}", secret(3)), "sm2::SecretKey(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_make_it_panic(key: [u8; 64], identity: alloc::string::String, message: Vec<u8>, signature: [u8; 64]) {
        let key = PublicKey::parse_untagged(&key).unwrap_or_else(|_| secret(1).public());
        prop_assert!(key.verify(&identity, &message, &signature).is_err());
    }

    #[test]
    fn one_flipped_bit_is_refused(seed in 1_u8..0xfe, message: Vec<u8>, bit in 0..512_usize) {
        let mut signature = secret(seed).sign_foreign(DEFAULT_IDENTITY, &message).unwrap();
        prop_assert!(secret(seed).public().verify(DEFAULT_IDENTITY, &message, &signature).is_ok());
        signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(secret(seed).public().verify(DEFAULT_IDENTITY, &message, &signature).is_err());
    }
}
