//! The families of foreign chains with a clock beside them: what it costs to verify their proofs, by family.
//!
//! The clock is outside the verdict: a family answers what it answers, with or without it.

use commonware_runtime::telemetry::metrics::{EncodeLabelSet, raw};
use std::time::{Duration, Instant};
use zeugma_adapter_core::{Adapter, Described, Erased, MerklePath, Misbehaviour, Transition};
use zeugma_ledger::Families;
use zeugma_types::{BlockTime, Cost, Height, Refusal};

/// The family of our own certificates.
pub(crate) const OURS: &str = "zeugma";

/// Bounds of the histogram, in seconds: from one signature to a heavy update.
const SECONDS: [f64; 10] = [0.0001, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5];

/// Label of a family.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ByFamily {
    family: String,
}

fn histogram() -> raw::Histogram {
    raw::Histogram::new(SECONDS)
}

/// The registered form.
pub(crate) type Histograms = raw::Family<ByFamily, raw::Histogram, fn() -> raw::Histogram>;

/// Times of verifications by family. Clones share it.
#[derive(Clone)]
pub(crate) struct Verifications(pub(crate) Histograms);

impl Default for Verifications {
    fn default() -> Self {
        Self(raw::Family::new_with_constructor(histogram))
    }
}

impl Verifications {
    /// Notes how long one took.
    pub(crate) fn took(&self, family: &str, time: Duration) {
        self.0.get_or_create(&ByFamily { family: family.into() }).observe(time.as_secs_f64());
    }

    /// The same families, each with the clock. The table lives as long as the process: it is a few words for each
    /// start of a node.
    pub(crate) fn around(&self, families: Families<'static>) -> Families<'static> {
        let timed = families.iter().map(|inner| {
            let timed: &'static Timed = Box::leak(Box::new(Timed { inner, took: self.clone() }));
            let timed: &'static dyn Adapter = timed;
            timed
        });
        families.replaced(Vec::leak(timed.collect()))
    }
}

struct Timed {
    inner: &'static dyn Adapter,
    took: Verifications,
}

impl Timed {
    fn time<T>(&self, verify: impl FnOnce(&'static dyn Adapter) -> T) -> T {
        let start = Instant::now();
        let verdict = verify(self.inner);
        self.took.took(self.inner.name(), start.elapsed());
        verdict
    }
}

impl Adapter for Timed {
    fn number(&self) -> u16 {
        self.inner.number()
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn create(&self, profile: &[u8], state: &[u8], now: BlockTime) -> Result<Erased, Refusal> {
        self.inner.create(profile, state, now)
    }

    fn trusted_height(&self, client: &[u8], update: &[u8]) -> Result<Height, Refusal> {
        self.inner.trusted_height(client, update)
    }

    fn update(
        &self,
        client: &[u8],
        trusted: &[u8],
        known: &dyn Fn(Height) -> Option<Vec<u8>>,
        update: &[u8],
        now: BlockTime,
    ) -> Result<Transition, Refusal> {
        self.time(|inner| inner.update(client, trusted, known, update, now))
    }

    fn evidence_heights(&self, client: &[u8], evidence: &[u8]) -> Result<[Height; 2], Refusal> {
        self.inner.evidence_heights(client, evidence)
    }

    fn submit_evidence(
        &self,
        client: &[u8],
        trusted: [&[u8]; 2],
        evidence: &[u8],
        now: BlockTime,
    ) -> Result<(Vec<u8>, Misbehaviour), Refusal> {
        self.time(|inner| inner.submit_evidence(client, trusted, evidence, now))
    }

    fn describe(&self, client: &[u8], now: BlockTime) -> Result<Described, Refusal> {
        self.inner.describe(client, now)
    }

    fn state_time(&self, state: &[u8]) -> Result<BlockTime, Refusal> {
        self.inner.state_time(state)
    }

    fn membership(
        &self,
        client: &[u8],
        state: &[u8],
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        self.time(|inner| inner.membership(client, state, path, value, proof))
    }

    fn non_membership(
        &self,
        client: &[u8],
        state: &[u8],
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        self.time(|inner| inner.non_membership(client, state, path, proof))
    }

    fn update_cost(&self, bytes: usize) -> Cost {
        self.inner.update_cost(bytes)
    }

    fn proof_cost(&self, bytes: usize) -> Cost {
        self.inner.proof_cost(bytes)
    }
}
