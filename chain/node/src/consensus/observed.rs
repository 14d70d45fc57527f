//! An ear on the engine: what it tells the marshal is told on, and whose votes were heard is noted.
//!
//! A vote counts when the engine took it, verified or not: this tells an operator who is there, and decides
//! nothing.

use super::{Digest, Runtime, Scheme};
use crate::metrics::Metrics;
use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use commonware_consensus::simplex::types::{Activity, Attributable as _};
use std::sync::Arc;

/// The reporter `D` with the ear around it.
pub(crate) struct Observed<E, D> {
    pub(crate) context: Arc<E>,
    pub(crate) inner: D,
    pub(crate) metrics: Metrics,
}

impl<E, D: Clone> Clone for Observed<E, D> {
    fn clone(&self) -> Self {
        Self { context: Arc::clone(&self.context), inner: self.inner.clone(), metrics: self.metrics.clone() }
    }
}

impl<E, D> Reporter for Observed<E, D>
where
    E: Runtime,
    D: Reporter<Activity = Activity<Scheme, Digest>>,
{
    type Activity = D::Activity;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        let signer = match &activity {
            Activity::Notarize(vote) => Some(vote.signer()),
            Activity::Nullify(vote) => Some(vote.signer()),
            Activity::Finalize(vote) => Some(vote.signer()),
            Activity::Nullification(_) => {
                self.metrics.view_nullified();
                None
            }
            Activity::Finalization(_) => {
                self.metrics.certified();
                None
            }
            _ => None,
        };
        if let Some(signer) = signer {
            self.metrics.heard(signer, self.context.current());
        }
        self.inner.report(activity)
    }
}
