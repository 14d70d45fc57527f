//! Putting a node together, on any runtime and any network.
//!
//! [`start`] is the one way a node begins: the production program, the deterministic simulations and the tests call
//! it with their own runtime context, network and peers. Everything it starts is a child of its context, so
//! that aborting the task it runs in is a crash of the node.

mod network;
mod storage;

pub(crate) use network::Production;
pub(crate) use storage::{BUFFER, archive, page_cache};

use crate::application::{App, Chain, Pending};
use crate::consensus::{Block, Clocked, Epochs, PublicKey, Runtime, Scheme, Tips, body_root};
use crate::handle::{NodeHandle, Service};
use crate::index::Index;
use crate::mempool::{Gossip, Limits, MAX_GOSSIP, Mempool};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::state::{Databases, NoStateSync, StateReader, Tip, outbox_of, state_config};
use crate::stream::Streams;
use commonware_broadcast::buffered;
use commonware_consensus::BoundedBlock as _;
use commonware_consensus::marshal;
use commonware_consensus::marshal::core::Actor as Marshal;
use commonware_consensus::marshal::resolver::p2p as fetching;
use commonware_consensus::marshal::standard::{Deferred, Standard};
use commonware_consensus::types::{FixedEpocher, ViewDelta};
use commonware_cryptography::certificate::ConstantProvider;
use commonware_cryptography::{Digested, Digestible as _};
use commonware_glue::stateful::db::{DatabaseSet, SyncEngineConfig};
use commonware_glue::stateful::{Config as StatefulConfig, Stateful, SyncPlan};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::Handle;
use commonware_storage::archive::immutable;
use commonware_utils::{NZDuration, NZU64, NZUsize};
use std::collections::BTreeSet;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;
use zeugma_ledger::{Families, Genesis, Ledger};
use zeugma_proof::{Context as Proposed, Header, StateTarget};
use zeugma_types::{Epoch, Era, HeaderDigest, Height, StateRoot, View};

/// Messages that wait for one of the engine's actors. Each mailbox has a place for each of them from the start: a
/// place is some hundred bytes, and a node has a dozen mailboxes.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(256);
/// Final blocks that are applied and not acknowledged at once.
pub(crate) const MAX_PENDING_ACKS: usize = 16;

/// Longest message that any channel carries, in bytes: a block, a batch of gossip, and room for the prefixes of
/// the protocols around them.
#[must_use]
pub fn max_message() -> u32 {
    let payload = Block::max_encode_size(&()).max(MAX_GOSSIP) + 64 * 1024;
    u32::try_from(payload).expect("the longest block is below 4 GiB")
}

/// One channel of the network.
pub type Channel<S, R> = (S, R);

/// The channels of a node. Each has its number on the network.
pub struct Channels<S, R> {
    /// Votes of simplex.
    pub votes: Channel<S, R>,
    /// Certificates of simplex.
    pub certificates: Channel<S, R>,
    /// Certificates asked for.
    pub resolver: Channel<S, R>,
    /// Blocks asked for.
    pub backfill: Channel<S, R>,
    /// Blocks of leaders.
    pub broadcast: Channel<S, R>,
    /// Transactions.
    pub gossip: Channel<S, R>,
}

impl<S, R> Channels<S, R> {
    /// How many channels there are; they are numbered from 0 in the order of the fields.
    pub const COUNT: u64 = 6;
}

/// What a node is told. Peers and blocker are the network's own.
pub struct Config<P, B> {
    /// The genesis, checked.
    pub genesis: Genesis,
    /// The committee, and this member's share in it if it is one.
    pub scheme: Scheme,
    /// This node's key on the network.
    pub me: PublicKey,
    /// Who is connected.
    pub peers: P,
    /// Who must not be.
    pub blocker: B,
    /// Prefix of every storage partition.
    pub partition: String,
    /// Most transactions that wait.
    pub mempool_transactions: usize,
    /// Most bytes that wait.
    pub mempool_bytes: usize,
    /// Pages of storage kept in memory.
    pub cache_pages: usize,
}

/// Block 0: nothing in it was decided, so nothing certifies it.
///
/// # Errors
/// In words, when the genesis names a validator whose key the engine does not read.
pub fn genesis_block<E: Runtime>(genesis: &Genesis) -> Result<Block, &'static str> {
    let initial = <Databases<E> as DatabaseSet<E>>::initial_sync_targets();
    let leader = genesis.validators.as_slice().first().ok_or("a genesis names a validator")?.key;
    let header = Header {
        network: genesis.network(),
        era: Era::ZERO,
        epoch: Epoch::ZERO,
        height: Height::ZERO,
        time: genesis.time,
        context: Proposed { view: View::ZERO, parent_view: View::ZERO, leader },
        parent: HeaderDigest::new([0; 32]),
        body: body_root(&[]),
        state: StateTarget {
            root: StateRoot::new(crate::application::digest_bytes(&initial.root)),
            begin: *initial.range.start(),
            end: *initial.range.end(),
        },
        outbox: outbox_of(&Tip::GENESIS.outbox),
    };
    Block::new(header, Vec::new())
}

/// Starts a node. Returns once its storage is open; the task ends when its consensus does.
///
/// # Errors
/// In words, when the storage of this node is damaged or the genesis cannot be used.
pub async fn start<E, P, B, S, R>(
    context: E,
    config: Config<P, B>,
    families: Families<'static>,
    channels: Channels<S, R>,
) -> Result<(Handle<()>, NodeHandle), String>
where
    E: Runtime,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let prefix = config.partition.clone();
    let cache = page_cache(config.cache_pages);
    let genesis_block = genesis_block::<E>(&config.genesis)?;
    let network = genesis_block.header().network;
    let epoch_length = NonZeroU64::new(config.genesis.epoch_length).ok_or("an epoch has blocks")?;
    let epocher = FixedEpocher::new(epoch_length);
    let metrics = Metrics::new(&context, &config.scheme);
    let chain = Arc::new(Chain {
        network,
        genesis: config.genesis,
        genesis_block: genesis_block.clone(),
        era: Era::ZERO,
        ledger: Ledger::new(metrics.verifications.around(families)),
        epocher: epocher.clone(),
    });

    // Our own journals first: the records are never behind the state that opens below.
    let outbox = Outbox::open(&context.child("outbox"), &prefix, network, &cache)
        .await
        .map_err(|error| error.to_string())?;
    let index = Index::open(&context.child("index"), &prefix, &cache, &outbox).await?;
    metrics.limits(config.mempool_transactions, config.mempool_bytes);
    let (mempool, spreading) = Mempool::new(Limits {
        transactions: config.mempool_transactions,
        bytes: config.mempool_bytes,
        // As many as the ledger lets an account run ahead.
        per_account: usize::try_from(zeugma_ledger::limits::MAX_SEQUENCE_JUMP).unwrap_or(usize::MAX),
    });
    let (streams, pending) = (Streams::new(), Pending::default());
    let app = App {
        chain: Arc::clone(&chain),
        mempool: mempool.clone(),
        pending: pending.clone(),
        outbox: outbox.clone(),
        index: index.clone(),
        streams: streams.clone(),
        metrics: metrics.clone(),
    };

    let resolver = fetching::init(
        context.child("backfill"),
        fetching::Config {
            public_key: config.me.clone(),
            peer_provider: config.peers.clone(),
            blocker: config.blocker.clone(),
            mailbox_size: MAILBOX,
            fetch_timeout: NZDuration!(Duration::from_secs(2)),
            fetch_retry_delay: Duration::from_millis(100),
            priority_requests: false,
            priority_responses: false,
        },
        channels.backfill,
    );
    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: config.me.clone(),
            mailbox_size: MAILBOX,
            // Whole blocks kept for each sender: a leader has one at a time, and late voters ask for the last.
            deque_size: 10,
            priority: true,
            codec_config: (),
            peer_provider: config.peers.clone(),
            strategy: Sequential,
        },
    );
    broadcast.start(channels.broadcast);

    let certificates = immutable::Archive::init(
        context.child("finalizations"),
        archive(&prefix, "finalizations", &cache, ()),
    )
    .await
    .map_err(|error| format!("certificate storage: {error}"))?;
    let blocks = immutable::Archive::init(context.child("blocks"), archive(&prefix, "blocks", &cache, ()))
        .await
        .map_err(|error| format!("block storage: {error}"))?;
    let plan = SyncPlan::<E, Scheme, Standard<Block>>::init(context.child("plan"), prefix.clone()).await;
    let digest = genesis_block.digest();
    let (marshal_actor, mailbox, floor) = Marshal::<_, Standard<Block>, _, _, _, _, _>::init(
        context.child("marshal"),
        certificates,
        blocks,
        marshal::Config {
            provider: ConstantProvider::new(config.scheme.clone()),
            epocher: epocher.clone(),
            start: plan.marshal_start(Digested::precomputed(genesis_block.clone(), digest)),
            partition_prefix: prefix.clone(),
            mailbox_size: MAILBOX,
            view_retention: ViewDelta::new(256),
            prunable_items_per_section: NZU64!(4_096),
            page_cache: cache.clone(),
            replay_buffer: BUFFER,
            key_write_buffer: BUFFER,
            value_write_buffer: BUFFER,
            block_codec_config: (),
            max_repair: NZUsize!(64),
            max_pending_acks: NZUsize!(MAX_PENDING_ACKS),
            strategy: Sequential,
        },
    )
    .await;
    let (stateful, stateful_mailbox) = Stateful::new(
        context.child("stateful"),
        StatefulConfig {
            application: app,
            db_config: state_config(&prefix, &cache),
            provider: mempool.clone(),
            marshal: (mailbox.clone(), floor),
            mailbox_size: MAILBOX,
            plan,
            resolvers: NoStateSync::<E>::default(),
            sync_config: SyncEngineConfig {
                fetch_batch_size: NZU64!(64),
                apply_batch_size: NZU64!(1_024),
                max_outstanding_requests: NZUsize!(8),
            },
            prune_config: None,
            strategy: Sequential,
        },
    );
    let deferred =
        Deferred::new(context.child("deferred"), stateful_mailbox.clone(), mailbox.clone(), epocher.clone());
    let automaton = Clocked {
        context: Arc::new(context.child("clock")),
        inner: deferred.clone(),
        marshal: mailbox.clone(),
        mempool: mempool.clone(),
        pending: pending.clone(),
        epocher: epocher.clone(),
        metrics: metrics.clone(),
    };
    let tips = Tips { inner: stateful_mailbox.clone(), metrics: metrics.clone() };
    marshal_actor.start(tips, buffer, resolver);
    stateful.start();

    let gossip_context = context.child("gossip");
    let gossip = Gossip { mempool: mempool.clone(), spreading };
    gossip_context.spawn(move |_| gossip.run(channels.gossip));

    let epochs = Epochs {
        context: context.child("epochs"),
        scheme: config.scheme,
        blocker: config.blocker,
        automaton,
        deferred,
        marshal: mailbox.clone(),
        epocher,
        genesis: genesis_block,
        tip: streams.tip(),
        partition: prefix,
        cache,
        metrics: metrics.clone(),
        pending,
        ended: BTreeSet::new(),
    };
    let (votes, certificates, asked) = (channels.votes, channels.certificates, channels.resolver);
    let task = context.child("consensus").spawn(move |_| epochs.run(votes, certificates, asked));

    let databases = stateful_mailbox.subscribe_databases().await;
    let state = StateReader(<Databases<E> as DatabaseSet<E>>::readers(&databases));
    let service = Service { chain, mailbox, mempool, outbox, index, state, streams, metrics, context };
    Ok((task, NodeHandle::new(service)))
}
