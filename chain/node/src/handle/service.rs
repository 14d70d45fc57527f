//! The answers, from this node's storage.

use super::{Certified, Entered, Error, FinalBlock, Query, Status, Under, Values};
use crate::application::Chain;
use crate::consensus::{Block, MarshalMailbox, Runtime, certificate};
use crate::index::Index;
use crate::mempool::{Candidate, Mempool, TransactionId};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::state::StateReader;
use crate::stream::{Finalized, Streams};
use bytes::Bytes;
use commonware_consensus::types::{Epocher as _, Height as EngineHeight};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tokio::sync::{broadcast, watch};
use zeugma_ledger::{Admission, Checked, Context, Edge, Genesis, Key, Overlay, PROGRAM};
use zeugma_proof::{Header, Proof};
use zeugma_types::{BlockTime, Epoch, Height, LeafIndex, LeafPath, NetworkId, Permanence, Refusal, TreeSize};

/// What answers.
pub(crate) struct Service<E: Runtime> {
    pub(crate) chain: Arc<Chain>,
    pub(crate) mailbox: MarshalMailbox,
    pub(crate) mempool: Mempool,
    pub(crate) outbox: Outbox<E>,
    pub(crate) index: Index<E>,
    pub(crate) state: StateReader<E>,
    pub(crate) streams: Streams,
    pub(crate) metrics: Metrics,
    pub(crate) context: E,
}

pub(super) fn storage(error: impl std::fmt::Display) -> Error {
    Error::Storage(error.to_string())
}

impl<E: Runtime> Service<E> {
    pub(super) async fn stored(&self, height: Height) -> Result<Option<Block>, Error> {
        // Only what is applied: the marshal may hold blocks above.
        if height > self.outbox.height().await.map_err(storage)? {
            return Ok(None);
        }
        let block = self.mailbox.get_block(EngineHeight::new(height.get())).await;
        Ok(block.map(|block| block.inner().clone()))
    }

    pub(super) async fn certified_at(&self, height: Height) -> Result<Option<Certified>, Error> {
        let Some(finalization) = self.mailbox.get_finalization(EngineHeight::new(height.get())).await else {
            return Ok(None);
        };
        let Some(block) = self.stored(height).await? else { return Ok(None) };
        let certificate =
            certificate(&finalization).ok_or_else(|| storage("a stored certificate has another length"))?;
        Ok(Some(Certified { header: block.header().clone(), certificate }))
    }

    pub(super) async fn certified_from(&self, from: Height) -> Result<Option<Certified>, Error> {
        let last = self.outbox.height().await.map_err(storage)?;
        for height in from.get().max(1)..=last.get() {
            if let Some(found) = self.certified_at(Height::new(height)).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub(super) async fn latest_certified(&self) -> Result<Option<Certified>, Error> {
        let last = self.outbox.height().await.map_err(storage)?;
        for height in (1..=last.get()).rev() {
            if let Some(found) = self.certified_at(Height::new(height)).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The next block as the ledger would begin it on the newest state: what a submission is measured by.
    async fn door(&self) -> Result<Door, Error> {
        let ledger = self.chain.ledger;
        let (tip, _) = self.state.read(&[]).await.map_err(storage)?;
        let height = tip.next().unwrap_or(tip);
        let now = self.context.current().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let epoch =
            self.chain.epocher.containing(EngineHeight::new(height.get())).map_or(0, |at| at.epoch().get());
        let context = Context {
            network: self.chain.network,
            height,
            time: BlockTime::new(u64::try_from(now).unwrap_or(u64::MAX)),
            era: self.chain.era,
            epoch: Epoch::new(epoch),
            outbox: TreeSize::ZERO,
            program: PROGRAM,
        };
        let mut overlay = Overlay::default();
        if tip == Height::ZERO {
            overlay.apply(self.chain.genesis.state());
        }
        loop {
            match ledger.begin_block(&context, &overlay) {
                Edge::Need(keys) => self.fetch(&mut overlay, keys).await?,
                Edge::Done((block, effects)) => {
                    overlay.apply(effects.writes);
                    return Ok(Door { block: Ok(block), overlay });
                }
                Edge::Corrupt(key) => return Err(storage(format!("the state is damaged at {key:?}"))),
                Edge::Upgrade { needed } => {
                    let refusal = Refusal::new(zeugma_types::Code::ProgramTooOld);
                    return Ok(Door { block: Err(refusal.needed(needed).found(PROGRAM)), overlay });
                }
            }
        }
    }

    /// Asks the ledger whether the block at the door would admit a transaction. Nothing is verified a second time.
    async fn admit(&self, door: &mut Door, checked: &Checked) -> Result<Option<Refusal>, Error> {
        let block = match &door.block {
            Ok(block) => block,
            Err(refusal) => return Ok(Some(refusal.clone())),
        };
        loop {
            match self.chain.ledger.admit(block, checked, &door.overlay) {
                Admission::Need(keys) => self.fetch(&mut door.overlay, keys).await?,
                Admission::Admitted(_) => return Ok(None),
                Admission::Refused(refusal) => return Ok(Some(refusal)),
                Admission::Corrupt(key) => return Err(storage(format!("the state is damaged at {key:?}"))),
            }
        }
    }

    async fn fetch(&self, overlay: &mut Overlay, keys: Vec<Key>) -> Result<(), Error> {
        let (_, values) = self.state.read(&keys).await.map_err(storage)?;
        for (key, value) in keys.into_iter().zip(values) {
            overlay.fetched(key, value.map(|bytes| bytes.to_vec()));
        }
        Ok(())
    }
}

/// See [`Service::door`].
struct Door {
    /// The block, or why this program can begin none.
    block: Result<zeugma_ledger::Block, Refusal>,
    /// What was read of the state so far.
    overlay: Overlay,
}

impl<E: Runtime> Service<E> {
    /// Takes one transaction at a door that others may have come through.
    async fn enter(
        &self,
        door: &mut Door,
        bytes: Bytes,
        checked: Result<Arc<Checked>, Refusal>,
    ) -> Result<TransactionId, Error> {
        let checked = checked?;
        let id = *checked.digest();
        if self.mempool.contains(&id) {
            return Ok(id);
        }
        if let Some(refusal) = self.admit(door, &checked).await? {
            // A transaction that is final already is told by its status, not refused as a repetition.
            let done = refusal.permanence() == Permanence::Never
                && self.index.transaction(&id).await.map_err(storage)?.is_some();
            return if done { Ok(id) } else { Err(refusal.into()) };
        }
        // Before it can be in a block, so that no span of its way is missed.
        self.metrics.traces.waits(&id);
        let entered = self.mempool.submit(Candidate { bytes, checked });
        if entered.is_err() {
            self.metrics.traces.forget(&id);
        }
        Ok(entered.map(|_| id)?)
    }
}

impl<E: Runtime> Query for Service<E> {
    fn genesis(&self) -> &Genesis {
        &self.chain.genesis
    }

    fn network(&self) -> NetworkId {
        self.chain.network
    }

    fn submit(&self, bytes: Bytes) -> BoxFuture<'_, Result<TransactionId, Error>> {
        async move {
            let mut door = self.door().await?;
            let checked = self.mempool.each(std::slice::from_ref(&bytes));
            let checked = checked.into_iter().next().expect("one answer for one transaction");
            let entered = self.enter(&mut door, bytes, checked).await;
            if let Err(Error::Refused(refusal)) = &entered {
                self.metrics.refused(refusal.code.number());
            }
            entered
        }
        .boxed()
    }

    fn submit_all(&self, batch: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<Entered>, Error>> {
        async move {
            let mut door = self.door().await?;
            let mut all = Vec::with_capacity(batch.len());
            // Side by side, and where other tasks do not wait for it.
            let (mempool, task) = (self.mempool.clone(), self.context.child("signatures").shared(true));
            let task = task.spawn(move |_| async move {
                let checked = mempool.each(&batch);
                (batch, checked)
            });
            let (batch, checked) = task.await.map_err(storage)?;
            for (bytes, checked) in batch.into_iter().zip(checked) {
                all.push(match self.enter(&mut door, bytes, checked).await {
                    Ok(id) => Ok(id),
                    Err(Error::Refused(refusal)) => {
                        self.metrics.refused(refusal.code.number());
                        Err(refusal)
                    }
                    Err(error) => return Err(error),
                });
            }
            Ok(all)
        }
        .boxed()
    }

    fn status(&self, id: TransactionId) -> BoxFuture<'_, Result<Status, Error>> {
        async move {
            if let Some((height, number)) = self.index.transaction(&id).await.map_err(storage)? {
                let record = self.outbox.record(height).await.map_err(storage)?;
                let found = record.and_then(|record| record.transactions.into_iter().nth(number as usize));
                let (_, outcome) =
                    found.ok_or_else(|| storage("the index names a place without a transaction"))?;
                return Ok(Status::Final { height, number, outcome });
            }
            if self.mempool.contains(&id) {
                return Ok(Status::Waiting);
            }
            Ok(self.mempool.refusal(&id).map_or(Status::Unknown, |refusal| Status::Dropped { refusal }))
        }
        .boxed()
    }

    fn height(&self) -> BoxFuture<'_, Result<Height, Error>> {
        async move { self.state.read(&[]).await.map(|(height, _)| height).map_err(storage) }.boxed()
    }

    fn block(&self, height: Height) -> BoxFuture<'_, Result<Option<FinalBlock>, Error>> {
        async move {
            let Some(block) = self.stored(height).await? else { return Ok(None) };
            let Some(record) = self.outbox.record(height).await.map_err(storage)? else { return Ok(None) };
            let transactions = block.transactions().to_vec();
            Ok(Some(FinalBlock { header: block.header().clone(), transactions, record }))
        }
        .boxed()
    }

    fn header(&self, height: Height) -> BoxFuture<'_, Result<Option<Header>, Error>> {
        async move { Ok(self.stored(height).await?.map(|block| block.header().clone())) }.boxed()
    }

    fn certified(&self, from: Height) -> BoxFuture<'_, Result<Option<Certified>, Error>> {
        self.certified_from(from).boxed()
    }

    fn latest(&self) -> BoxFuture<'_, Result<Option<Certified>, Error>> {
        self.latest_certified().boxed()
    }

    fn prove(&self, index: LeafIndex, under: Under) -> BoxFuture<'_, Result<Option<Proof>, Error>> {
        self.proof(index, under).boxed()
    }

    fn find<'a>(&'a self, path: &'a LeafPath) -> BoxFuture<'a, Result<Option<LeafIndex>, Error>> {
        async move { self.index.latest(path).await.map_err(storage) }.boxed()
    }

    fn read(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Values, Error>> {
        async move { self.state.read(&keys).await.map_err(storage) }.boxed()
    }

    fn blocks(&self) -> broadcast::Receiver<Finalized> {
        self.streams.blocks()
    }

    fn stopped(&self) -> watch::Receiver<Option<String>> {
        self.streams.stopped()
    }

    fn waiting(&self) -> (usize, usize) {
        self.mempool.size()
    }

    fn peers(&self) -> Vec<crate::peers::PeerStatus> {
        self.metrics.peers(self.context.current())
    }

    fn metrics(&self) -> String {
        // What changes without a block is brought up to date when it is asked for.
        self.metrics.refresh(self.mempool.size(), self.context.current());
        self.context.encode()
    }
}
