//! Records, keys and small logs for the tests of this crate.

use crate::record::{CustomField, Field, Record};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

/// A record with every kind of field.
pub(crate) fn record() -> Record {
    Record::new(vec![
        Field::Sha256([1; 32]),
        Field::Sm3([2; 32]),
        Field::MediaType("application/pdf".into()),
        Field::Size(123_456),
        Field::Submitter("party-17".into()),
        Field::Source("camera 4, hall B".into()),
        Field::Custom(CustomField { name: "case".into(), value: b"(2026) 12".to_vec() }),
    ])
    .unwrap()
}

/// Any record that keeps the rules.
pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let custom = prop::collection::btree_map("[a-z]{1,8}", prop::collection::vec(any::<u8>(), 0..40), 0..6);
    let digests = (any::<[u8; 32]>(), prop::option::of(any::<[u8; 32]>()));
    (digests, "[a-z]{1,9}/[a-z.+-]{1,20}", any::<u64>(), "\\PC{1,20}", "\\PC{1,20}", custom).prop_map(
        |((sha256, sm3), media, size, submitter, source, custom)| {
            let mut fields: Vec<Field> = vec![
                Field::Sha256(sha256),
                Field::MediaType(media),
                Field::Size(size),
                Field::Submitter(submitter),
                Field::Source(source),
            ];
            fields.extend(sm3.map(Field::Sm3));
            let custom = custom.into_iter().map(|(name, value): (String, _)| CustomField { name, value });
            fields.extend(custom.map(Field::Custom));
            Record::new(fields).unwrap()
        },
    )
}

/// An Ed25519 key.
pub(crate) fn ed25519(seed: u8) -> zeugma_crypto::ed25519::SecretKey {
    zeugma_crypto::ed25519::SecretKey::from_seed(&[seed; 32])
}

/// An ML-DSA-44 key.
pub(crate) fn mldsa44(seed: u8) -> zeugma_crypto::mldsa44::SecretKey {
    zeugma_crypto::mldsa44::SecretKey::from_seed(&[seed; 32])
}

/// The signer of a log, with or without its second algorithm.
pub(crate) fn signer(origin: &str, seed: u8, second: bool) -> crate::LogSigner {
    crate::LogSigner::new(origin, ed25519(seed), second.then(|| mldsa44(seed))).unwrap()
}
