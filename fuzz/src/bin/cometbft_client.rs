//! The CometBFT light client: what it takes encodes back to itself, and it believes only headers that the
//! chain's validators signed. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_adapter_cometbft::{CometBft, Evidence, Profile, State, Update};
use zeugma_adapter_core::Family;
use zeugma_fuzz::comet::{CHAIN, client_seeds};
use zeugma_fuzz::{Seed, canonical, seed_of, start};
use zeugma_types::Encode;

fn seeds() -> Vec<Seed> {
    let mut seeds = client_seeds(0, 1);
    seeds.push(seed_of(2, "profile", CHAIN.profile.to_bytes()));
    seeds.push(seed_of(3, "state", CHAIN.trusted.to_bytes()));
    seeds
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice {
        0 => {
            let Some(update) = canonical::<Update>(bytes) else { return };
            assert!(bytes.len() <= CometBft::MAX_UPDATE, "an update above its bound");
            if let Ok(state) = CometBft::verify_update(&CHAIN.profile, &CHAIN.trusted, &update, CHAIN.now) {
                assert!(CHAIN.signed.contains(&state), "a header that was not signed");
            }
        }
        1 => {
            let Some(evidence) = canonical::<Evidence>(bytes) else { return };
            let trusted = [&CHAIN.trusted; 2];
            if CometBft::verify_misbehaviour(&CHAIN.profile, trusted, &evidence, CHAIN.now).is_ok() {
                let [one, other] = evidence.blocks.map(|block| State::of(&block.signed_header.header));
                assert_ne!(one, other, "one header is no misbehaviour");
                assert!(CHAIN.signed.contains(&one) && CHAIN.signed.contains(&other), "framed validators");
            }
        }
        2 => {
            if let Some(profile) = canonical::<Profile>(bytes) {
                let _ = CometBft::check_profile(&profile);
            }
        }
        _ => drop(canonical::<State>(bytes)),
    }
});
