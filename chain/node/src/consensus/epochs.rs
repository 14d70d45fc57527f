//! One run of simplex for each epoch.
//!
//! An epoch is a fixed number of heights. The engine of an epoch starts from the last block of the one
//! before, and its three channels carry the epoch as a sub-channel, so that messages of two epochs never
//! meet. When the last block of the epoch is final here, the next engine starts and the old one is ended.
//! Whoever fell behind hears messages of a later epoch on the backup queue and asks their sender for the
//! certificate at its own epoch's end; blocks then follow through the marshal.
//!
//! The engine's journal lies in a partition of its epoch: a restart inside an epoch finds its own votes and
//! never votes twice. It is removed once no crash can bring the node back into that epoch: see [`BEHIND`].

use super::{
    Block, CERTIFICATION_TIMEOUT, Context, Digest, LEADER_TIMEOUT, MarshalMailbox, Observed, PublicKey,
    Runtime, Scheme,
};
use crate::application::Pending;
use crate::engine::{BUFFER, Channel, MAILBOX, MAX_PENDING_ACKS};
use crate::metrics::Metrics;
use commonware_consensus::simplex::config::{Floor, ForwardPolicy, SkipPolicy};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::{self, Plan, SkipBudget, types::Activity};
use commonware_consensus::types::{Epoch, Epocher, FixedEpocher, Height, ViewDelta};
use commonware_consensus::{CertifiableAutomaton, Relay, Reporter};
use commonware_cryptography::{Digestible, Sha256};
use commonware_macros::select;
use commonware_p2p::utils::mux::{Builder as _, MuxHandle, Muxer};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::Handle;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_utils::NZDuration;
use commonware_utils::vec::NonEmptyVec;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How far above an epoch's end the marshal must be before the epoch's votes are forgotten. A node that lost its
/// power comes back at most as far behind as blocks may be applied and not acknowledged, and the acknowledgements
/// of one batch not be synced; its engine then must find what it signed there.
const BEHIND: u64 = 2 * MAX_PENDING_ACKS as u64;
/// Ended epochs looked for when the node starts, whose journals a crash may have left.
const LOOK_BACK: u64 = 4_096;

/// Starts, follows and ends the engines of successive epochs.
pub(crate) struct Epochs<E, B, A, D> {
    pub(crate) context: E,
    pub(crate) scheme: Scheme,
    pub(crate) blocker: B,
    pub(crate) automaton: A,
    /// The marshal's wrapper of the application: it relays blocks and is told of activity.
    pub(crate) deferred: D,
    pub(crate) marshal: MarshalMailbox,
    pub(crate) epocher: FixedEpocher,
    pub(crate) genesis: Block,
    /// The last height that is final here and whose state is applied.
    pub(crate) tip: watch::Receiver<u64>,
    pub(crate) partition: String,
    pub(crate) cache: CacheRef,
    pub(crate) metrics: Metrics,
    /// Blocks executed here, for the heights that are voted for.
    pub(crate) pending: Pending,
    /// Epochs that ended, whose journals are still there.
    pub(crate) ended: BTreeSet<u64>,
}

/// The engine of one epoch; it ends with this value.
struct Running {
    epoch: Epoch,
    handle: Handle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

struct Muxed<S: Sender> {
    votes: MuxHandle<S>,
    certificates: MuxHandle<S>,
    resolver: MuxHandle<S>,
}

impl<E, B, A, D> Epochs<E, B, A, D>
where
    E: Runtime,
    B: Blocker<PublicKey = PublicKey>,
    A: CertifiableAutomaton<Context = Context, Digest = Digest>,
    D: Relay<Digest = Digest, PublicKey = PublicKey, Plan = Plan<PublicKey>>
        + Reporter<Activity = Activity<Scheme, Digest>>,
{
    /// Runs until the runtime stops or a channel closes.
    pub(crate) async fn run<S, R>(
        mut self,
        votes: Channel<S, R>,
        certificates: Channel<S, R>,
        resolver: Channel<S, R>,
    ) where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let (mux, vote_handle, mut later_votes) =
            Muxer::builder(self.context.child("votes"), votes.0, votes.1).with_backup().build();
        mux.start();
        let (mux, certificate_handle, mut later_certificates) =
            Muxer::builder(self.context.child("certificates"), certificates.0, certificates.1)
                .with_backup()
                .build();
        mux.start();
        let (mux, resolver_handle) = Muxer::new(self.context.child("resolver"), resolver.0, resolver.1);
        mux.start();
        let mut muxed =
            Muxed { votes: vote_handle, certificates: certificate_handle, resolver: resolver_handle };

        let processed = self.marshal.get_processed().await.map_or(0, |processed| processed.height().get());
        let mut reached = processed.max(*self.tip.borrow_and_update());
        let first = self.epoch_after(reached);
        self.ended.extend(first.get().saturating_sub(LOOK_BACK)..first.get());
        self.forget(processed).await;
        let Some(mut running) = self.enter(first, &mut muxed).await else { return };
        loop {
            let (epoch, from) = select! {
                changed = self.tip.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    reached = reached.max(*self.tip.borrow_and_update());
                    let next = self.epoch_after(reached);
                    if next > running.epoch {
                        // The old engine goes on until the new one runs, and ends when it is replaced.
                        match self.enter(next, &mut muxed).await {
                            Some(next) => {
                                self.ended.insert(running.epoch.get());
                                running = next;
                            }
                            None => return,
                        }
                    }
                    let processed = self.marshal.get_processed().await;
                    self.forget(processed.map_or(0, |processed| processed.height().get())).await;
                    continue;
                },
                message = later_votes.recv() => match message {
                    Some((epoch, (from, _))) => (epoch, from),
                    None => return,
                },
                message = later_certificates.recv() => match message {
                    Some((epoch, (from, _))) => (epoch, from),
                    None => return,
                },
                ended = &mut running.handle => {
                    tracing::error!(epoch = running.epoch.get(), ?ended, "the consensus engine ended");
                    return;
                },
            };
            if epoch > running.epoch.get()
                && let Some(last) = self.epocher.last(running.epoch)
            {
                tracing::debug!(epoch, %from, "a peer is in a later epoch");
                self.marshal.hint_finalized(last, NonEmptyVec::new(from));
            }
        }
    }

    /// Removes the journals of epochs that ended long enough before the block `processed`. A crash in between leaves
    /// some, and the next start removes them here.
    async fn forget(&mut self, processed: u64) {
        while let Some(epoch) = self.ended.first().copied() {
            let last = self.epocher.last(Epoch::new(epoch)).map_or(u64::MAX, Height::get);
            if last.saturating_add(BEHIND) > processed {
                return;
            }
            self.ended.pop_first();
            match self.context.remove(&self.journal(epoch), None).await {
                Ok(()) => tracing::debug!(epoch, "the votes of an ended epoch are forgotten"),
                // An epoch that this node never voted in.
                Err(commonware_runtime::Error::PartitionMissing(_)) => {}
                // They take room and nothing else; the next start tries again.
                Err(error) => tracing::warn!(epoch, %error, "the votes of an ended epoch stay"),
            }
        }
    }

    fn journal(&self, epoch: u64) -> String {
        format!("{}-simplex-{epoch}", self.partition)
    }

    /// The epoch of the height after `reached`.
    fn epoch_after(&self, reached: u64) -> Epoch {
        let next = Height::new(reached.saturating_add(1));
        self.epocher.containing(next).expect("a fixed epocher covers every height").epoch()
    }

    /// Starts the engine of `epoch`, or `None` when the block it starts from or the channels are gone.
    async fn enter<S>(&mut self, epoch: Epoch, muxed: &mut Muxed<S>) -> Option<Running>
    where
        S: Sender<PublicKey = PublicKey>,
    {
        let floor = match epoch.previous().and_then(|previous| self.epocher.last(previous)) {
            None => self.genesis.digest(),
            Some(last) => match self.marshal.get_block(last).await {
                Some(block) => block.digest(),
                None => {
                    tracing::error!(%last, "the last block of the previous epoch is not stored");
                    return None;
                }
            },
        };
        let engine = simplex::Engine::new(
            self.context.child("simplex").with_attribute("epoch", epoch.get()),
            simplex::Config {
                scheme: self.scheme.clone(),
                elector: RoundRobin::<Sha256>::default(),
                blocker: self.blocker.clone(),
                automaton: self.automaton.clone(),
                relay: self.deferred.clone(),
                reporter: Observed {
                    context: Arc::new(self.context.child("observed")),
                    inner: self.deferred.clone(),
                    metrics: self.metrics.clone(),
                    pending: self.pending.clone(),
                    scheme: self.scheme.clone(),
                    sampled: None,
                },
                strategy: Sequential,
                partition: self.journal(epoch.get()),
                mailbox_size: MAILBOX,
                epoch,
                floor: Floor::Genesis(floor),
                replay_buffer: BUFFER,
                write_buffer: BUFFER,
                page_cache: self.cache.clone(),
                leader_timeout: LEADER_TIMEOUT,
                certification_timeout: CERTIFICATION_TIMEOUT,
                timeout_retry: Duration::from_secs(2),
                view_retention: ViewDelta::new(64),
                skip: SkipPolicy::Enabled {
                    // Above the certification time-out and the retry, or a slow view would be skipped unheard.
                    timeout: Duration::from_secs(5),
                    budget: SkipBudget::Participants,
                },
                fetch_timeout: NZDuration!(Duration::from_secs(2)),
                fetch_retry_delay: Duration::from_millis(200),
                forward: ForwardPolicy::SilentLeader,
                track_historical_votes: false,
            },
        );
        let votes = muxed.votes.register(epoch.get()).await.ok()?;
        let certificates = muxed.certificates.register(epoch.get()).await.ok()?;
        let resolver = muxed.resolver.register(epoch.get()).await.ok()?;
        self.metrics.epoch(epoch.get());
        tracing::info!(epoch = epoch.get(), "an epoch begins");
        Some(Running { epoch, handle: engine.start(votes, certificates, resolver) })
    }
}
