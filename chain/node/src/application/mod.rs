//! The application as the engine sees it: propose, process, deliver.
//!
//! 1. **Propose**: choose from the mempool what the chain up to the parent does not carry, execute, seal.
//! 2. **Process**: check every rule that the block and its parent fix, execute, compare with the header.
//! 3. **Capture**, right before a final block's state is applied: its record is made durable.
//! 4. **Finalized**, right after: index, mempool, streams, the next epoch.
//!
//! No verdict depends on a clock or on what this node happens to hold. A fault of this node (its storage, its
//! program's age) is no verdict either: the node stops.

mod pending;

pub(crate) use pending::Pending;

use crate::consensus::{Block, Context, MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, Runtime, Scheme, body_root};
use crate::index::Index;
use crate::mempool::{Candidate, Mempool};
use crate::metrics::Metrics;
use crate::outbox::{BlockRecord, Outbox};
use crate::state::{Batch, Databases, Environment, Executed, Fault, Sealed, Transactions, execute};
use crate::stream::{Finalized, Streams};
use commonware_codec::Encode as _;
use commonware_consensus::CertifiableBlock as _;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::types::{Epocher as _, FixedEpocher, Height as EngineHeight};
use commonware_cryptography::Digestible as _;
use commonware_glue::stateful::db::{DatabaseSet, Merkleized as _};
use commonware_glue::stateful::{Application, Finality, Input, Proposed};
use commonware_storage::mmr::{Family, Location};
use commonware_storage::qmdb::sync::Target;
use commonware_utils::non_empty_range;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use zeugma_ledger::{Genesis, Ledger, Place};
use zeugma_proof::{Header, StateTarget};
use zeugma_types::{BlockTime, Epoch, Era, HeaderDigest, Height, NetworkId, Permanence, StateRoot, View};

/// What never changes while the node runs.
pub(crate) struct Chain {
    pub(crate) network: NetworkId,
    pub(crate) genesis: Genesis,
    pub(crate) genesis_block: Block,
    pub(crate) era: Era,
    pub(crate) ledger: Ledger<'static>,
    pub(crate) epocher: FixedEpocher,
}

impl Chain {
    /// What the block after `parent` in `epoch` is executed in.
    fn environment(&self, height: Height, time: BlockTime, epoch: Epoch) -> Environment<'_> {
        let last = commonware_consensus::types::Epoch::new(epoch.get());
        let place = match self.epocher.last(last) {
            Some(last) if last.get() == height.get() => Place::Last,
            _ => Place::Within,
        };
        Environment {
            genesis: &self.genesis,
            ledger: self.ledger,
            network: self.network,
            era: self.era,
            epoch,
            height,
            time,
            place,
        }
    }
}

/// The application. Clones share everything.
pub(crate) struct App<E: Runtime> {
    pub(crate) chain: Arc<Chain>,
    pub(crate) mempool: Mempool,
    pub(crate) pending: Pending,
    pub(crate) outbox: Outbox<E>,
    pub(crate) index: Index<E>,
    pub(crate) streams: Streams,
    pub(crate) metrics: Metrics,
}

impl<E: Runtime> Clone for App<E> {
    fn clone(&self) -> Self {
        Self {
            chain: Arc::clone(&self.chain),
            mempool: self.mempool.clone(),
            pending: self.pending.clone(),
            outbox: self.outbox.clone(),
            index: self.index.clone(),
            streams: self.streams.clone(),
            metrics: self.metrics.clone(),
        }
    }
}

impl<E: Runtime> App<E> {
    /// A fault of this node: nothing may follow from it, neither a vote nor a verdict.
    async fn stop<T>(&self, fault: Fault) -> T {
        tracing::error!(%fault, "the node stops");
        self.streams.stop(fault.to_string());
        std::future::pending().await
    }

    /// Keeps what a block did until the block is final or passed over.
    fn note(&self, block: &Block, candidates: &[Candidate], executed: &Executed<E>) {
        let header = block.header();
        let ids = candidates.iter().map(|candidate| *candidate.id());
        self.metrics.traces.proposed(header.height.get(), candidates.iter().map(Candidate::id));
        self.pending.insert(
            block.digest(),
            commonware_consensus::Block::parent(block),
            BlockRecord {
                height: header.height,
                digest: header.digest(),
                time: header.time,
                first_leaf: executed.first_leaf,
                first_transaction: 0,
                said: executed.said.clone(),
                transactions: ids.zip(executed.outcomes.iter().cloned()).collect(),
                events: executed.events.clone(),
            },
        );
    }

    /// The checked transactions of a block, or the refusal of one of them: then there is no such block.
    async fn checked(
        &self,
        runtime: &E,
        block: &Block,
    ) -> Result<Result<Vec<Candidate>, zeugma_types::Refusal>, Fault> {
        if block.transactions().is_empty() {
            return Ok(Ok(Vec::new()));
        }
        // A full block of unknown signatures takes longer than the node's other tasks should wait.
        let (mempool, block) = (self.mempool.clone(), block.clone());
        let task = runtime.child("signatures").shared(true);
        let task = task.spawn(move |_| async move { mempool.checked(block.transactions()) });
        task.await.map_err(|error| Fault::Storage(format!("the check of signatures ended: {error}")))
    }

    /// The rules that a header keeps toward its parent and its place in consensus.
    fn follows(&self, block: &Block, parent: &Block, context: &Context) -> bool {
        let (header, parent_header) = (block.header(), parent.header());
        let height = EngineHeight::new(header.height.get());
        header.network == self.chain.network
            && header.era == self.chain.era
            && parent_header.height.next() == Some(header.height)
            && header.parent == parent_header.digest()
            && header.time > parent_header.time
            && self.chain.epocher.containing(height).is_some_and(|at| at.epoch().get() == header.epoch.get())
            && block.context() == *context
    }
}

fn header_digest(block: &Block) -> HeaderDigest {
    block.header().digest()
}

impl<E: Runtime> Application<E> for App<E> {
    type SigningScheme = Scheme;
    type Context = Context;
    type Block = Block;
    type Databases = Databases<E>;
    type Captured = Option<BlockRecord>;
    type Provider = Mempool;
    type Input = ();

    fn sync_targets(block: &Block) -> Target<Family, crate::consensus::Digest> {
        let state = &block.header().state;
        Target::new(
            crate::consensus::Digest::from(*state.root.as_bytes()),
            // A block whose range is empty is refused when it is read.
            non_empty_range!(Location::new(state.begin), Location::new(state.end)),
        )
    }

    async fn genesis(&mut self) -> Block {
        self.chain.genesis_block.clone()
    }

    async fn propose(
        &mut self,
        (runtime, context): (E, Context),
        mut ancestry: impl Ancestry<Block>,
        batch: Batch<E>,
        input: Input<(), Mempool>,
    ) -> Option<Proposed<Self, E>> {
        let parent = ancestry.next().await?;
        let parent = parent.inner();
        let now = runtime.current().duration_since(UNIX_EPOCH).ok()?.as_millis();
        let now = BlockTime::new(u64::try_from(now).ok()?);
        let time = now.max(parent.header().time.after(zeugma_types::Span::millis(1))?);
        let height = parent.header().height.next()?;
        let epoch = Epoch::new(context.round.epoch().get());
        let environment = self.chain.environment(height, time, epoch);

        let carried = self.pending.carried(parent.digest());
        let from = input.provider.choose(&carried, MAX_BLOCK_TRANSACTIONS, MAX_BLOCK_BYTES);
        let (mut chosen, mut refused) = (Vec::with_capacity(from.len()), Vec::new());
        let choice = Transactions::Chosen { from, into: &mut chosen, refused: &mut refused };
        let executed = match execute::<E>(environment, choice, batch).await {
            Ok(executed) => executed,
            Err(fault) => return self.stop(fault).await,
        };
        for (candidate, refusal) in refused {
            // What may be admitted later waits, not for ever; what never can be is told to whoever asks.
            let code = refusal.code.number();
            let dropped = match refusal.permanence() {
                Permanence::NotYet => self.mempool.defer(candidate.id(), time, refusal),
                Permanence::Never => {
                    self.mempool.refuse(candidate.id(), refusal);
                    true
                }
            };
            if dropped {
                self.metrics.refused(code);
            }
        }
        let transactions: Vec<_> = chosen.iter().map(|candidate| candidate.bytes.clone()).collect();
        let bounds = executed.sealed.bounds();
        let leader: [u8; 32] = context.leader.encode().as_ref().try_into().ok()?;
        let header = Header {
            network: self.chain.network,
            era: self.chain.era,
            epoch,
            height,
            time,
            context: zeugma_proof::Context {
                view: View::new(context.round.view().get()),
                parent_view: View::new(context.parent.0.get()),
                leader,
            },
            parent: header_digest(parent),
            body: body_root(&transactions),
            state: StateTarget {
                root: StateRoot::new(digest_bytes(&executed.sealed.root())),
                begin: *bounds.inactivity_floor,
                end: *bounds.tip.size,
            },
            outbox: executed.outbox.clone(),
        };
        let block = match Block::new(header, transactions) {
            Ok(block) => block,
            Err(rule) => return self.stop(Fault::Storage(rule.into())).await,
        };
        self.note(&block, &chosen, &executed);
        Some(Proposed { block, merkleized: executed.sealed })
    }

    async fn process(
        &mut self,
        (runtime, context): (E, Context),
        mut ancestry: impl Ancestry<Block>,
        batch: Batch<E>,
        _: Finality,
    ) -> Option<Sealed<E>> {
        let block = ancestry.next().await?;
        let parent = ancestry.next().await?;
        let (block, parent) = (block.inner(), parent.inner());
        if !self.follows(block, parent, &context) {
            return None;
        }
        let candidates = match self.checked(&runtime, block).await {
            Ok(candidates) => candidates.ok()?,
            Err(fault) => return self.stop(fault).await,
        };
        let header = block.header();
        let environment = self.chain.environment(header.height, header.time, header.epoch);
        let executed = match execute::<E>(environment, Transactions::Given(&candidates), batch).await {
            Ok(executed) => executed,
            Err(fault) => return self.stop(fault).await,
        };
        // The state's target is compared by the engine; the outbox is ours.
        if executed.outbox != header.outbox {
            return None;
        }
        self.note(block, &candidates, &executed);
        Some(executed.sealed)
    }

    async fn capture(
        &mut self,
        _: (E, Context),
        block: &Block,
        _: &Sealed<E>,
        _: <Databases<E> as DatabaseSet<E>>::Readers,
    ) -> Option<BlockRecord> {
        let record = self
            .pending
            .record(block.digest())
            .expect("a block is executed in this process before its state is applied");
        match self.outbox.append(record).await {
            Ok(record) => Some(record),
            Err(error) => self.stop(Fault::Storage(error.to_string())).await,
        }
    }

    async fn finalized(
        &mut self,
        (runtime, _): (E, Context),
        block: &Block,
        record: Option<BlockRecord>,
        _: <Databases<E> as DatabaseSet<E>>::Readers,
    ) {
        let Some(record) = record else { return };
        if let Err(error) = self.index.put(&record).await {
            return self.stop(Fault::Storage(error)).await;
        }
        let ids = record.transactions.iter().map(|(id, _)| id);
        self.mempool.finalized(ids.zip(block.transactions()));
        self.pending.finalized(block.digest(), record.height);
        self.metrics.finalized(&runtime, block, &record, self.mempool.size());
        let record = Arc::new(record);
        let finalized = Finalized { header: block.header().clone(), record: Arc::clone(&record) };
        self.streams.finalized(finalized);
        // Who follows has heard of it; only the next block waits for this.
        if let Err(error) = self.index.settle(&record).await {
            self.stop(Fault::Storage(error)).await
        }
    }
}

pub(crate) fn digest_bytes(digest: &crate::consensus::Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
