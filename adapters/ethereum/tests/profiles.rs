//! The profiles that people start from keep the relations that a client asks of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde::Deserialize;
use std::fs;
use std::path::Path;
use zeugma_adapter_ethereum::Profile;
use zeugma_adapter_ethereum::fork::{Activation, Chain, Fork};
use zeugma_types::{BlockTime, Decode, Encode, Span};

/// A profile as a person types it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    family: String,
    genesis_validators_root: String,
    genesis_time: u64,
    slot_milliseconds: u64,
    slots_per_epoch: u32,
    epochs_per_period: u32,
    committee_size: u32,
    forks: Vec<TypedFork>,
    router: String,
    commitments_slot: String,
    trusting_period_seconds: u64,
    weak_subjectivity_period_seconds: u64,
    max_drift_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedFork {
    name: String,
    version: String,
    epoch: u64,
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text.strip_prefix("0x").unwrap()).unwrap().try_into().unwrap()
}

impl Typed {
    fn profile(&self) -> Profile {
        let fork = |typed: &TypedFork| Activation {
            fork: Fork::named(&typed.name).unwrap(),
            version: bytes(&typed.version),
            epoch: typed.epoch,
        };
        Profile {
            chain: Chain {
                genesis_validators_root: bytes(&self.genesis_validators_root),
                genesis_time: BlockTime::new(self.genesis_time * 1_000),
                slot_time: Span::millis(self.slot_milliseconds),
                slots_per_epoch: self.slots_per_epoch,
                epochs_per_period: self.epochs_per_period,
                committee_size: self.committee_size,
                forks: self.forks.iter().map(fork).collect(),
            },
            router: bytes(&self.router),
            commitments: bytes(&self.commitments_slot),
            trusting_period: Span::seconds(self.trusting_period_seconds),
            weak_subjectivity_period: Span::seconds(self.weak_subjectivity_period_seconds),
            max_drift: Span::seconds(self.max_drift_seconds),
        }
    }
}

#[test]
fn every_profile_of_this_family_can_make_a_client() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let mut found = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if !text.contains("family = \"ethereum\"") {
            continue;
        }
        let typed: Typed =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let profile = typed.profile();
        assert_eq!(profile.check(), Ok(()), "{}", path.display());
        assert_eq!(typed.family, "ethereum");
        assert_eq!(Profile::from_bytes(&profile.to_bytes()).unwrap(), profile);
        assert!(profile.to_bytes().len() <= Profile::MAX_BYTES);
        found += 1;
    }
    assert!(found >= 2, "{found} profiles");
}
