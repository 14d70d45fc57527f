//! The profiles that people start from keep the relations that a client asks of them.

use serde::Deserialize;
use std::fs;
use std::path::Path;
use zeugma_adapter_cometbft::{Profile, Store, TrustLevel};
use zeugma_types::Span;

/// A profile as a person types it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    family: String,
    chain_id: String,
    trust_level: [u32; 2],
    trusting_period_seconds: u64,
    unbonding_period_seconds: u64,
    max_drift_seconds: u64,
    store: String,
}

impl Typed {
    fn profile(&self) -> Profile {
        let [numerator, denominator] = self.trust_level;
        Profile {
            chain_id: self.chain_id.clone(),
            trust_level: TrustLevel::new(numerator, denominator).expect("a trust level"),
            trusting_period: Span::seconds(self.trusting_period_seconds),
            unbonding_period: Span::seconds(self.unbonding_period_seconds),
            max_drift: Span::seconds(self.max_drift_seconds),
            store: match self.store.as_str() {
                "cosmos" => Store::Cosmos,
                "simple" => Store::Simple,
                "opaque" => Store::Opaque,
                other => panic!("no store is called {other}"),
            },
        }
    }
}

#[test]
fn every_profile_of_this_family_can_make_a_client() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles");
    let mut found = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if !text.contains("family = \"cometbft\"") {
            continue;
        }
        let typed: Typed =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let profile = typed.profile();
        assert_eq!(profile.check(), Ok(()), "{}", path.display());
        assert_eq!(typed.family, "cometbft");
        found += 1;
    }
    assert!(found >= 4, "{found} profiles");
}
