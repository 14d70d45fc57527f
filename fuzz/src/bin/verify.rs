//! A verifier that trusts one network accepts the proofs which that network gives, byte for byte, and
//! nothing else; a destination accepts none that a court refuses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeugma_fuzz::network::NETWORK;
use zeugma_fuzz::start;
use zeugma_proof::{Reliance, Trust, verify};

static TRUST: LazyLock<[Trust; 2]> = LazyLock::new(|| {
    let file = &NETWORK.trust_file;
    [Reliance::Court, Reliance::Destination].map(|reliance| file.at(file.issued_at, reliance))
});

fuzz_target!(init: start(|| NETWORK.samples.clone()), |data: &[u8]| {
    let [court, destination] = &*TRUST;
    let by_court = verify(data, court);
    match &by_court {
        Ok(_) => assert!(NETWORK.proofs.contains(data), "a forged proof was accepted"),
        Err(refusal) => assert!(!NETWORK.proofs.contains(data), "a good proof was refused: {refusal:?}"),
    }
    if let Ok(proven) = verify(data, destination) {
        assert_eq!(by_court.as_ref(), Ok(&proven), "court and destination differ");
    }
});
