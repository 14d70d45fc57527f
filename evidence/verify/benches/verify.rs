//! What the judgement of a bundle costs: `cargo bench -p zeugma-evidence-verify`. Target: 3 ms.
//!
//! The bundle has everything that one can have: both trees with a witness each, a receipt, the one proof of a network of
//! which the trust file knows, two RFC 3161 time-stamps with their chains, a verdict and a renewal.

mod measure;

use measure::measure;
use std::hint::black_box;
use zeugma_evidence_verify::testkit::{FILE, JUDGED, World};
use zeugma_evidence_verify::{Question, Subject, verify};
use zeugma_types::Encode;

fn main() {
    let world = World::new();
    let renewed = {
        let message = world.bundle.seal.stamped();
        let stamp = world.stamp_of(&world.office, &message, JUDGED);
        world.bundle.clone().renewed(vec![stamp])
    };
    let mut logged = world.bundle.clone();
    (logged.proof, logged.logging.second) = (None, None);
    logged.stamps.clear();
    logged.verdicts.clear();
    let mut open = world.policy.clone();
    (open.authorities_needed, open.witnesses_needed) = (0, 0);
    open.network = zeugma_evidence_verify::policy::Network::Optional;
    for (name, bundle, policy) in [
        ("verify::bundle/log-alone", logged.sealed(), &open),
        ("verify::bundle/whole", world.bundle.clone(), &world.policy),
        ("verify::bundle/renewed", renewed, &world.policy),
    ] {
        let bytes = bundle.to_bytes();
        let question = Question {
            bundle: &bytes,
            subject: Subject::File(FILE),
            trust: &world.trust,
            policy,
            time: JUDGED,
        };
        measure(name, || verify(black_box(&question)).is_ok());
    }
}
