//! Block time at the edge of consensus.
//!
//! A leader waits for work, or for the heartbeat, before it builds. A voter holds its vote back until its
//! own clock has reached the block's time, and gives no vote in this view to a new proposal that is more
//! than [`CLOCK_ERROR`] behind its clock. Neither ever becomes a verdict: whether a block is valid does not
//! depend on a clock, and certification is passed through untouched. A block proposed again at the end of
//! an epoch is as old as it is, and exempt.
//!
//! The waiting is outside the application because finalization of other blocks waits while it builds.

use super::{Block, CLOCK_ERROR, Context, Digest, HEARTBEAT, MarshalMailbox, Runtime};
use crate::application::Pending;
use crate::mempool::Mempool;
use crate::metrics::Metrics;
use commonware_consensus::marshal::core::{CommitmentFallback, DigestFallback};
use commonware_consensus::types::{Epocher, FixedEpocher, Round};
use commonware_consensus::{Automaton, CertifiableAutomaton, Handoff, Heightable};
use commonware_macros::select;
use commonware_utils::channel::{fallible::OneshotExt, oneshot};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The automaton `A` with the rules of time around it.
pub(crate) struct Clocked<E, A> {
    pub(crate) context: Arc<E>,
    pub(crate) inner: A,
    pub(crate) marshal: MarshalMailbox,
    pub(crate) mempool: Mempool,
    pub(crate) pending: Pending,
    pub(crate) epocher: FixedEpocher,
    pub(crate) metrics: Metrics,
}

impl<E, A: Clone> Clone for Clocked<E, A> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            inner: self.inner.clone(),
            marshal: self.marshal.clone(),
            mempool: self.mempool.clone(),
            pending: self.pending.clone(),
            epocher: self.epocher.clone(),
            metrics: self.metrics.clone(),
        }
    }
}

fn time_of(block: &Block) -> SystemTime {
    // Past the range of the platform's clock there is only "much later".
    let millis = Duration::from_millis(block.header().time.get());
    UNIX_EPOCH.checked_add(millis).unwrap_or(UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX) * 64))
}

impl<E, A> Automaton for Clocked<E, A>
where
    E: Runtime,
    A: CertifiableAutomaton<Context = Context, Digest = Digest>,
{
    type Context = Context;
    type Digest = Digest;

    async fn propose(&mut self, context: Context) -> oneshot::Receiver<Digest> {
        let (mut answer, receiver) = oneshot::channel();
        let mut this = self.clone();
        self.context.child("pace").spawn(move |runtime| async move {
            let (view, digest) = context.parent;
            let round = Round::new(context.round.epoch(), view);
            let parent =
                this.marshal.subscribe_by_commitment(digest, CommitmentFallback::FetchByRound { round });
            let parent = select! { _ = answer.closed() => return, parent = parent => parent };
            let Ok(parent) = parent else { return };
            // The last block of an epoch is only proposed again: there is nothing to wait for.
            if this.epocher.last(context.round.epoch()) != Some(parent.height()) {
                let carried = this.pending.carried(digest);
                select! {
                    _ = answer.closed() => return,
                    _ = this.mempool.ready(&carried) => {},
                    _ = runtime.sleep_until(time_of(parent.inner()) + HEARTBEAT) => {},
                }
            }
            let proposal = this.inner.propose(context).await;
            select! {
                _ = answer.closed() => {},
                proposal = proposal => if let Ok(digest) = proposal { answer.send_lossy(digest); },
            }
        });
        receiver
    }

    async fn verify(&mut self, context: Context, payload: Digest) -> oneshot::Receiver<bool> {
        let again = payload == context.parent.1;
        let verdict = self.inner.verify(context, payload).await;
        if again {
            return verdict;
        }
        let metrics = self.metrics.clone();
        let block = self.marshal.subscribe_by_digest(payload, DigestFallback::Wait);
        let (mut answer, receiver) = oneshot::channel();
        self.context.child("clock").spawn(move |runtime| async move {
            let block = select! { _ = answer.closed() => return, block = block => block };
            let Ok(block) = block else { return };
            let time = time_of(block.inner());
            let now = runtime.current();
            metrics.clock_offset(time, now);
            if now > time + CLOCK_ERROR {
                // No vote in this view and no verdict either: the engine closes the question with the view.
                answer.closed().await;
                return;
            }
            let valid = select! { _ = answer.closed() => return, valid = verdict => valid };
            let Ok(valid) = valid else { return };
            if valid {
                select! { _ = answer.closed() => return, _ = runtime.sleep_until(time) => {} }
            }
            answer.send_lossy(valid);
        });
        receiver
    }
}

impl<E, A> CertifiableAutomaton for Clocked<E, A>
where
    E: Runtime,
    A: CertifiableAutomaton<Context = Context, Digest = Digest>,
{
    async fn prepare(&mut self, context: Context) -> oneshot::Receiver<Handoff<Digest>> {
        self.inner.prepare(context).await
    }

    async fn certify(&mut self, round: Round, payload: Digest) -> oneshot::Receiver<bool> {
        self.inner.certify(round, payload).await
    }
}
