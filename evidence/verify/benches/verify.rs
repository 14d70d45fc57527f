//! What the judgement of a bundle costs: `cargo bench -p zeugma-evidence-verify`. Target: 3 ms.
//!
//! The bundle has everything that one can have: both trees with a witness each, a receipt, the one proof of a network of
//! which the trust file knows, two RFC 3161 time-stamps with their chains, a verdict and a renewal.

use std::hint::black_box;
use std::time::{Duration, Instant};
use zeugma_evidence_verify::testkit::{FILE, JUDGED, World};
use zeugma_evidence_verify::{Question, Subject, verify};
use zeugma_types::Encode;

const SPENT: Duration = Duration::from_secs(2);

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

fn measure(name: &str, mut call: impl FnMut() -> bool) {
    let mut spans = Vec::new();
    let started = Instant::now();
    while started.elapsed() < SPENT {
        let at = Instant::now();
        // A refusal is quicker, and not what is asked.
        assert!(call(), "{name} was refused");
        spans.push(at.elapsed());
    }
    spans.sort_unstable();
    let at = |share: usize| spans[(spans.len() - 1) * share / 100].as_secs_f64() * 1e6;
    println!(
        "{name:<28} least {:>8.1} us  median {:>8.1} us  p99 {:>8.1} us  {} calls",
        at(0),
        at(50),
        at(99),
        spans.len()
    );
}
