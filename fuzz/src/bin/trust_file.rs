//! A trust file that decodes encodes back to itself and can be started from at any time; signed by
//! enough of the known institutions is only the one that they signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_fuzz::network::NETWORK;
use zeugma_fuzz::{canonical, seed, start};
use zeugma_proof::testkit::{TestNetwork, institutions};
use zeugma_proof::{Reliance, TrustFile};
use zeugma_types::{BlockTime, Encode};

fn seeds() -> Vec<zeugma_fuzz::Seed> {
    let one_era = TestNetwork::new(4).trust_file();
    vec![seed("two-eras", NETWORK.trust_file.to_bytes()), seed("one-era", one_era.to_bytes())]
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some(file) = canonical::<TrustFile>(data) else { return };
    for time in [BlockTime::ZERO, file.issued_at, BlockTime::MAX] {
        for reliance in [Reliance::Court, Reliance::Destination] {
            let trust = file.at(time, reliance);
            assert_eq!(trust.eras().len(), file.eras().len(), "an era was lost");
        }
    }
    let (_, known) = institutions();
    if file.verify(&known).is_ok() {
        let signed = [NETWORK.trust_file.fingerprint(), TestNetwork::new(4).trust_file().fingerprint()];
        assert!(signed.contains(&file.fingerprint()), "a file that no institution signed was accepted");
    }
});
