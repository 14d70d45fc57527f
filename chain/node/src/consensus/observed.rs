//! An ear on the engine: what it tells the marshal is told on, and whose votes were heard is noted.
//!
//! A vote counts when the engine took it, verified or not: this tells an operator who is there, and decides
//! nothing. Beside it the ear on the marshal, for the highest height of which a finalization was heard.

use super::{Block, Digest, Runtime, Scheme};
use crate::application::Pending;
use crate::metrics::Metrics;
use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use commonware_consensus::marshal::Update;
use commonware_consensus::simplex::types::{Activity, Attributable as _, Finalization};
use commonware_parallel::Sequential;
use rand_core::SeedableRng as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use zeugma_types::Height;

/// One certificate in this time is verified once more, for what that costs.
const SAMPLE: Duration = Duration::from_secs(10);

/// The reporter `D` with the ear around it.
pub(crate) struct Observed<E, D> {
    pub(crate) context: Arc<E>,
    pub(crate) inner: D,
    pub(crate) metrics: Metrics,
    pub(crate) pending: Pending,
    pub(crate) scheme: Scheme,
    pub(crate) sampled: Option<SystemTime>,
}

impl<E, D: Clone> Clone for Observed<E, D> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            inner: self.inner.clone(),
            metrics: self.metrics.clone(),
            pending: self.pending.clone(),
            scheme: self.scheme.clone(),
            sampled: self.sampled,
        }
    }
}

impl<E: Runtime, D> Observed<E, D> {
    /// The engine verifies each certificate itself and tells nobody how long that takes.
    fn sample(&mut self, finalization: &Finalization<Scheme, Digest>) {
        let now = self.context.current();
        let fresh = |at: SystemTime| now.duration_since(at).is_ok_and(|age| age < SAMPLE);
        if self.sampled.is_some_and(fresh) {
            return;
        }
        self.sampled = Some(now);
        // One signature takes no coefficients: the generator is asked for by the trait and not used.
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(0);
        let start = Instant::now();
        if finalization.verify(&mut rng, &self.scheme, &Sequential) {
            self.metrics.verifications.took(crate::verifying::OURS, start.elapsed());
        }
    }
}

impl<E, D> Reporter for Observed<E, D>
where
    E: Runtime,
    D: Reporter<Activity = Activity<Scheme, Digest>>,
{
    type Activity = D::Activity;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        let vote = match &activity {
            Activity::Notarize(vote) => Some((vote.signer(), Some(vote.proposal.payload))),
            Activity::Finalize(vote) => Some((vote.signer(), Some(vote.proposal.payload))),
            Activity::Nullify(vote) => Some((vote.signer(), None)),
            Activity::Nullification(_) => {
                self.metrics.view_nullified();
                None
            }
            Activity::Finalization(finalization) => {
                self.metrics.certified();
                self.sample(finalization);
                None
            }
            _ => None,
        };
        if let Some((signer, block)) = vote {
            let height = block.and_then(|digest| self.pending.height(digest));
            self.metrics.heard(signer, self.context.current(), height);
        }
        self.inner.report(activity)
    }
}

/// The reporter `D` with the ear on the marshal around it.
#[derive(Clone)]
pub(crate) struct Tips<D> {
    pub(crate) inner: D,
    pub(crate) metrics: Metrics,
}

impl<D: Reporter<Activity = Update<Block>>> Reporter for Tips<D> {
    type Activity = D::Activity;

    fn report(&mut self, update: Self::Activity) -> Feedback {
        if let Update::Tip(_, height, _) = &update {
            self.metrics.height_heard(Height::new(height.get()));
        }
        self.inner.report(update)
    }
}
