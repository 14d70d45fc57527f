//! A store proof shows a key with the value that the store holds, or the absence of a key that it does
//! not hold. The first byte chooses the key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_adapter_cometbft::CometBft;
use zeugma_adapter_core::Family;
use zeugma_fuzz::comet::{CHAIN, QUESTIONS, path};
use zeugma_fuzz::start;

fuzz_target!(init: start(|| CHAIN.store_seeds()), |data: &[u8]| {
    let Some((choice, proof)) = data.split_first() else { return };
    let (store, key) = QUESTIONS[usize::from(*choice) % QUESTIONS.len()];
    let path = path((store, key));
    let held = CHAIN.stores[store.as_bytes()].get(key.as_bytes());
    // Its own value, and those of other keys.
    let asked = [held.cloned().unwrap_or_else(|| b"packet 1".to_vec()), b"packet 2".to_vec(), b"7".to_vec()];
    for value in &asked {
        if CometBft::verify_membership(&CHAIN.profile, &CHAIN.trusted, &path, value, proof).is_ok() {
            assert_eq!(held, Some(value), "a value that the store does not hold");
        }
    }
    if CometBft::verify_non_membership(&CHAIN.profile, &CHAIN.trusted, &path, proof).is_ok() {
        assert_eq!(held, None, "the absence of a key that is there");
    }
});
