//! The Ethereum light client: what it takes encodes back to itself, it believes only finalized headers that
//! a committee signed, and its proofs show what the router holds and nothing else. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_adapter_core::Family;
use zeugma_adapter_ethereum::container::Kind;
use zeugma_adapter_ethereum::testnet::wire;
use zeugma_adapter_ethereum::{Ethereum, Evidence, Profile, State, Update};
use zeugma_fuzz::eth::{CHAIN, Chain, QUESTIONS, path};
use zeugma_fuzz::{canonical, start};

/// A message has one serialization.
fn written_again(update: &Update) {
    let kind = if update.message().next.is_some() { Kind::Full } else { Kind::Finality };
    assert_eq!(wire::update(update.message(), kind, update.fork), update.bytes(), "a second serialization");
}

fuzz_target!(init: start(|| CHAIN.seeds()), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice {
        0 => {
            let Some(update) = canonical::<Update>(bytes) else { return };
            assert!(bytes.len() <= Ethereum::MAX_UPDATE, "an update above its bound");
            written_again(&update);
            let trusted = CHAIN.trusted_for(&update);
            if let Ok(state) = Ethereum::verify_update(&CHAIN.profile, trusted, &update, CHAIN.now) {
                assert!(CHAIN.signed.contains(&state), "a header that was not signed");
            }
        }
        1 => {
            let Some(evidence) = canonical::<Evidence>(bytes) else { return };
            evidence.updates.iter().for_each(written_again);
            let trusted = evidence.updates.each_ref().map(|update| CHAIN.trusted_for(update));
            if Ethereum::verify_misbehaviour(&CHAIN.profile, trusted, &evidence, CHAIN.now).is_ok() {
                let roots = evidence.updates.each_ref().map(|update| {
                    let (header, _) = update.message().finality.as_ref().expect("verified with finality");
                    header.beacon.root()
                });
                assert_ne!(roots[0], roots[1], "one header is no misbehaviour");
                let signed = |root| CHAIN.signed.iter().any(|state| state.beacon_root == root);
                assert!(roots.into_iter().all(signed), "framed committees");
            }
        }
        2 => {
            if let Some(profile) = canonical::<Profile>(bytes) {
                let _ = Ethereum::check_profile(&profile);
            }
        }
        3 => drop(canonical::<State>(bytes)),
        question => {
            let question = QUESTIONS[usize::from(question - 4) % QUESTIONS.len()];
            let held = Chain::held(question);
            for value in [held.unwrap_or([5; 32]), [6; 32], [0; 32]] {
                if Ethereum::verify_membership(&CHAIN.profile, &CHAIN.proved, &path(question), &value, bytes).is_ok() {
                    assert_eq!(held, Some(value), "a value that the router does not hold");
                }
            }
            if Ethereum::verify_non_membership(&CHAIN.profile, &CHAIN.proved, &path(question), bytes).is_ok() {
                assert_eq!(held, None, "the absence of a key that is there");
            }
        }
    }
});
