use super::*;
use crate::hash::framed;
use proptest::prelude::*;

fn secret(suite: SealSuite, seed: u8) -> SecretKey {
    SecretKey::parse(suite, &[seed; 32]).unwrap()
}

#[test]
fn a_seal_of_every_suite_holds_for_its_key_and_its_digest_only() {
    let digest = framed(Purpose::Seal, &[b"network", b"era"]);
    for suite in SealSuite::ALL.iter().copied() {
        let signature = secret(suite, 1).sign_seal(&[b"network", b"era"]).unwrap();
        let key = secret(suite, 1).public().to_bytes();
        assert_eq!((key.len(), signature.len()), (suite.key_length(), suite.signature_length()));
        verify(suite, &key, &digest, &signature).unwrap();
        let other = secret(suite, 2).public().to_bytes();
        assert_eq!(verify(suite, &other, &digest, &signature).unwrap_err().code, Code::BadSignature);
        assert_eq!(verify(suite, &key, &[0; 32], &signature).unwrap_err().code, Code::BadSignature);
        assert_eq!(PublicKey::parse(suite, &key).unwrap(), secret(suite, 1).public());
        assert_eq!(secret(suite, 1).public().suite(), suite);
    }
}

#[test]
fn a_key_or_seal_of_another_length_or_suite_is_refused() {
    let digest = framed(Purpose::Seal, &[]);
    for suite in SealSuite::ALL.iter().copied() {
        let signature = secret(suite, 1).sign_seal(&[]).unwrap();
        let key = secret(suite, 1).public().to_bytes();
        for length in [0, 1, key.len() - 1] {
            let refusal = verify(suite, &key[..length], &digest, &signature).unwrap_err();
            assert_eq!(refusal, Refusal::new(Code::BadKey).needed(suite.key_length()).found(length));
        }
        for length in
            [0, 1, 64, signature.len() - 1].iter().copied().filter(|length| *length < signature.len())
        {
            let refusal = verify(suite, &key, &digest, &signature[..length]).unwrap_err();
            assert_eq!(refusal.code, Code::BadSignature);
        }
        let longer = [&signature[..], &[0]].concat();
        assert_eq!(verify(suite, &key, &digest, &longer).unwrap_err().code, Code::BadSignature);
        for other in SealSuite::ALL.iter().copied().filter(|other| *other != suite) {
            assert_eq!(verify(other, &key, &digest, &signature).unwrap_err().code, Code::BadKey);
        }
    }
}

#[test]
fn a_secp256k1_seal_has_one_form() {
    let suite = SealSuite::Secp256k1;
    let digest = framed(Purpose::Seal, &[]);
    let key = secret(suite, 1).public();
    let signature = secret(suite, 1).sign_seal(&[]).unwrap();
    key.verify(&digest, &signature).unwrap();

    let mut other_parity = signature.clone();
    other_parity[64] ^= 1;
    assert_eq!(key.verify(&digest, &other_parity).unwrap_err().code, Code::BadSignature);
    for parity in [2, 3, 27, 28, 255] {
        let mut tagged = signature.clone();
        tagged[64] = parity;
        assert_eq!(key.verify(&digest, &tagged).unwrap_err().code, Code::BadSignature, "{parity}");
    }
    // n - s, with the parity that goes with it: valid for plain ECDSA, refused here.
    let order = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
        0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ];
    let mut high = other_parity;
    let mut borrow = 0_i16;
    for index in (0..32).rev() {
        let digit = order[index] - i16::from(high[32 + index]) - borrow;
        borrow = i16::from(digit < 0);
        high[32 + index] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    let plain = secp256k1::recover(SPolicy::Any, &digest, high.first_chunk().unwrap()).unwrap();
    assert_eq!(PublicKey::Secp256k1(plain), key);
    assert_eq!(key.verify(&digest, &high).unwrap_err().code, Code::BadSignature);
}

#[test]
fn a_secret_key_of_no_suite_prints() {
    for suite in SealSuite::ALL {
        let printed = std::format!("{:?}", secret(*suite, 0x41));
        assert!(printed.contains("SecretKey(..)") && !printed.contains("41"), "{printed}");
    }
    assert_eq!(SecretKey::parse(SealSuite::Secp256k1, &[0; 32]).unwrap_err().code, Code::BadKey);
    assert_eq!(SecretKey::parse(SealSuite::Sm2, &[0; 32]).unwrap_err().code, Code::BadKey);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(
        key in proptest::collection::vec(any::<u8>(), 0..2_000),
        digest: [u8; 32],
        signature in proptest::collection::vec(any::<u8>(), 0..2_500),
    ) {
        for suite in SealSuite::ALL {
            prop_assert!(verify(*suite, &key, &digest, &signature).is_err());
            let held = secret(*suite, 1).public();
            prop_assert!(held.verify(&digest, &signature).is_err());
        }
    }
}
