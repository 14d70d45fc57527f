//! A bundle that decodes has one encoding; sealed anew it is refused, or shows nothing that the bundle of the
//! test does not show. The same for a policy, without the second part.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeugma_evidence_verify::testkit::{FILE, JUDGED, World};
use zeugma_evidence_verify::{Bundle, Policy, Question, Report, Subject, verify};
use zeugma_fuzz::{canonical, seed_of, start};
use zeugma_types::{Encode, Refusal};

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static BEFORE: LazyLock<Report> =
    LazyLock::new(|| judge(&WORLD.bundle.to_bytes()).expect("it is as it should be"));

fn judge(bundle: &[u8]) -> Result<Report, Refusal> {
    let (trust, policy) = (&WORLD.trust, &WORLD.policy);
    verify(&Question { bundle, subject: Subject::File(FILE), trust, policy, time: JUDGED })
}

fn seeds() -> Vec<zeugma_fuzz::Seed> {
    let renewed = {
        let message = WORLD.bundle.seal.stamped();
        let stamp = WORLD.stamp_of(&WORLD.office, &message, JUDGED);
        WORLD.bundle.clone().renewed(vec![stamp])
    };
    let mut small = WORLD.bundle.clone();
    (small.proof, small.receipt, small.logging.second) = (None, None, None);
    small.stamps.clear();
    small.verdicts.clear();
    vec![
        seed_of(0, "whole", WORLD.bundle.to_bytes()),
        seed_of(0, "renewed", renewed.to_bytes()),
        seed_of(0, "small", small.sealed().to_bytes()),
        seed_of(1, "policy", WORLD.policy.to_bytes()),
    ]
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    if choice % 2 == 1 {
        canonical::<Policy>(bytes);
        return;
    }
    let Some(bundle) = canonical::<Bundle>(bytes) else { return };
    let _ = bundle.to_json();
    let Ok(report) = judge(&bundle.sealed().to_bytes()) else { return };
    // A renewal adds a line that says so: its own time-stamp was made by the authority.
    let adds = report.shown.iter().find(|line| {
        !BEFORE.shown.contains(line) && line.word != zeugma_evidence_verify::report::Word::Renewed
    });
    assert!(adds.is_none(), "an altered bundle shows {adds:?}");
});
