//! The strict protobuf of CometBFT and ibc-go: a message that decodes encodes back to itself. The first
//! byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_adapter_cometbft::Update;
use zeugma_adapter_cometbft::commit::{Commit, CommitSig, SignedHeader};
use zeugma_adapter_cometbft::header::{BlockId, Header};
use zeugma_adapter_cometbft::ibc::{update_from_header, validator_set};
use zeugma_adapter_cometbft::ics23::CommitmentProof;
use zeugma_adapter_cometbft::key::PublicKey;
use zeugma_adapter_cometbft::proto::{put_always, put_int64, put_message, put_uint64, put_varint, varint};
use zeugma_adapter_cometbft::time::Time;
use zeugma_adapter_cometbft::validators::{Validator, ValidatorSet};
use zeugma_fuzz::comet::CHAIN;
use zeugma_fuzz::{Seed, canonical, canonical_by, seed_of, start};
use zeugma_types::Encode;

fn encoded(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// A `ValidatorSet` as ibc-go writes it.
fn ibc_set(set: &ValidatorSet, out: &mut Vec<u8>) {
    for validator in set.validators() {
        put_message(out, 1, |out| {
            put_always(out, 1, &validator.key.address());
            put_message(out, 2, |out| validator.key.encode(out));
            put_uint64(out, 3, validator.power.get());
            put_int64(out, 4, -5);
        });
    }
}

/// A `Header` as ibc-go writes it.
fn ibc_header() -> Vec<u8> {
    let update = &CHAIN.updates[2];
    encoded(|out| {
        put_always(out, 1, &update.signed_header.to_proto());
        put_message(out, 2, |out| ibc_set(&update.validators, out));
        put_message(out, 3, |out| {
            put_uint64(out, 1, 1);
            put_uint64(out, 2, update.trusted_height.get());
        });
        put_message(out, 4, |out| ibc_set(update.trusted_next_validators(), out));
    })
}

fn seeds() -> Vec<Seed> {
    let update = &CHAIN.updates[2];
    let SignedHeader { header, commit } = &update.signed_header;
    let validator = &update.validators.validators()[0];
    let mut seeds = vec![
        seed_of(0, "ibc-header", ibc_header()),
        seed_of(1, "ibc-validators", encoded(|out| ibc_set(&update.validators, out))),
        seed_of(2, "header", encoded(|out| header.encode(out))),
        seed_of(3, "commit", encoded(|out| commit.encode(out))),
        seed_of(4, "commit-sig", encoded(|out| commit.signatures[0].encode(out))),
        seed_of(5, "signed-header", update.signed_header.to_proto()),
        seed_of(6, "block-id", encoded(|out| commit.block_id.encode(out))),
        seed_of(7, "key", encoded(|out| validator.key.encode(out))),
        seed_of(8, "time", encoded(|out| header.time.encode(out))),
        seed_of(9, "validator", validator.to_simple()),
        seed_of(10, "validators", update.validators.to_bytes()),
        seed_of(13, "varint", encoded(|out| put_varint(out, u64::MAX))),
    ];
    // A store proof begins with its choice and the key of the first of its messages.
    for (name, bytes) in CHAIN.store_seeds().iter().filter(|(name, _)| ["key-1", "key-7"].contains(&&**name))
    {
        let (length, rest) = varint(&bytes[2..]).expect("a length");
        let inner = &rest[..usize::try_from(length).expect("short")];
        let batch = encoded(|out| put_message(out, 3, |out| put_always(out, 1, inner)));
        seeds.push(seed_of(11, format!("ics23-{name}"), inner));
        seeds.push(seed_of(12, format!("batch-{name}"), batch));
    }
    seeds
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice {
        0 => drop(update_from_header(bytes).map(|update| canonical::<Update>(&update.to_bytes()).expect("an update"))),
        1 => drop(validator_set(bytes)),
        2 => drop(canonical_by(bytes, Header::decode, Header::encode).map(|header| header.hash())),
        3 => drop(canonical_by(bytes, Commit::decode, Commit::encode)),
        4 => drop(canonical_by(bytes, CommitSig::decode, CommitSig::encode)),
        5 => drop(canonical_by(bytes, SignedHeader::decode_proto, |it, out| *out = it.to_proto())),
        6 => drop(canonical_by(bytes, BlockId::decode, BlockId::encode)),
        7 => drop(canonical_by(bytes, PublicKey::decode, PublicKey::encode)),
        8 => drop(canonical_by(bytes, Time::decode, |time, out| time.encode(out))),
        9 => drop(canonical_by(bytes, Validator::decode_simple, |it, out| *out = it.to_simple())),
        10 => drop(canonical::<ValidatorSet>(bytes).map(|set| set.hash())),
        11 => drop(canonical_by(bytes, CommitmentProof::decode, CommitmentProof::encode)),
        12 => drop(CommitmentProof::decode_batch(bytes)),
        _ => {
            if let Ok((number, rest)) = varint(bytes) {
                let written = encoded(|out| put_varint(out, number));
                assert_eq!(written, bytes[..bytes.len() - rest.len()], "a second form of a number");
            }
        }
    }
});
