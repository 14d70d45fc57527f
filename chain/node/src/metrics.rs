//! The node's metrics. One table; each is raised where it happens.
//!
//! | metric | what |
//! |---|---|
//! | `zeugma_chain_height` | height of the last final block |
//! | `zeugma_chain_height_heard` | greatest height of which a finalization was heard |
//! | `zeugma_chain_epoch` | epoch of the running engine |
//! | `zeugma_chain_outbox_leaves` | leaves of the outbox |
//! | `zeugma_chain_transactions_total` | transactions in final blocks |
//! | `zeugma_chain_transactions_refused_total` | those of them that were refused |
//! | `zeugma_chain_refusals_total{code}` | refusals by code, in blocks and before |
//! | `zeugma_chain_finality_latency_seconds` | from a block's time to its being final here |
//! | `zeugma_node_mempool_transactions` | transactions that wait |
//! | `zeugma_node_mempool_bytes` | their bytes |
//! | `zeugma_node_mempool_limit_transactions` | most that may wait |
//! | `zeugma_node_mempool_limit_bytes` | most bytes that may wait |
//! | `zeugma_chain_verification_seconds{family}` | time to verify a proof of a foreign chain, and as `zeugma` a certificate of ours |
//! | `zeugma_chain_views_nullified_total` | views that ended without a block, since the start |
//! | `zeugma_chain_certificates_total` | finalization certificates, since the start |
//! | `zeugma_chain_validators_heard` | validators whose votes came in the last ten seconds, this one among them |
//! | `zeugma_chain_quorum_margin` | those less the quorum: below zero nothing becomes final |
//! | `zeugma_node_clock_offset_seconds` | time of the last new proposal less our clock when it came |
//! | `zeugma_node_disk_free_bytes` | bytes free on the disk of the data folder |
//! | `zeugma_node_disk_size_bytes` | size of that disk |
//! | `zeugma_node_storage_bytes` | bytes in the data folder |

use crate::consensus::{Block, Runtime, Scheme};
use crate::outbox::BlockRecord;
use crate::peers::{PeerStatus, Peers};
use crate::traces::Traces;
use crate::verifying::{Histograms, Verifications};
use commonware_cryptography::certificate::{Membership, Scheme as _};
use commonware_runtime::telemetry::metrics::{
    Counter, CounterFamily, EncodeLabelSet, Gauge, Histogram, MetricsExt as _, Registered, raw,
};
use commonware_utils::ordered::Quorum as _;
use commonware_utils::{N3f1, Participant};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeugma_types::Height;

/// Label of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: u32,
}

/// Bounds of the histogram of finality, in seconds.
const LATENCIES: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// See the module.
#[derive(Clone)]
pub(crate) struct Metrics {
    height: Gauge,
    height_heard: Gauge,
    epoch: Gauge,
    leaves: Gauge,
    transactions: Counter,
    refused: Counter,
    refusals: CounterFamily<ByCode>,
    latency: Histogram,
    waiting: Gauge,
    waiting_bytes: Gauge,
    limit: Gauge,
    limit_bytes: Gauge,
    nullified: Counter,
    certificates: Counter,
    validators_heard: Gauge,
    margin: Gauge,
    clock: Registered<raw::Gauge<f64, AtomicU64>>,
    quorum: i64,
    peers: Peers,
    /// Times of verifications; registered once.
    pub(crate) verifications: Verifications,
    _verifications: Registered<Histograms>,
    /// Spans of the transactions that were submitted here: told where the numbers are.
    pub(crate) traces: Traces,
}

/// A gauge holds what its platform gives it; at the end of the range it stays there.
fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Metrics {
    pub(crate) fn new<E: Runtime>(context: &E, scheme: &Scheme) -> Self {
        let (chain, node) = (context.child("zeugma_chain"), context.child("zeugma_node"));
        let verifications = Verifications::default();
        let me = scheme.me().map(|me| match me {
            Membership::Signer(me) | Membership::Member(me) => me,
        });
        let members = u32::try_from(scheme.participants().len()).expect("a committee is small");
        Self {
            height: chain.gauge("height", "height of the last final block"),
            height_heard: chain.gauge("height_heard", "greatest height of which a finalization was heard"),
            epoch: chain.gauge("epoch", "epoch of the running engine"),
            leaves: chain.gauge("outbox_leaves", "leaves of the outbox"),
            transactions: chain.counter("transactions", "transactions in final blocks"),
            refused: chain.counter("transactions_refused", "transactions in final blocks that were refused"),
            refusals: chain.family("refusals", "refusals by code, in blocks and before"),
            latency: chain.histogram(
                "finality_latency_seconds",
                "from a block's time to its being final here",
                LATENCIES,
            ),
            waiting: node.gauge("mempool_transactions", "transactions that wait"),
            waiting_bytes: node.gauge("mempool_bytes", "bytes of transactions that wait"),
            limit: node.gauge("mempool_limit_transactions", "most transactions that may wait"),
            limit_bytes: node.gauge("mempool_limit_bytes", "most bytes that may wait"),
            nullified: chain.counter("views_nullified", "views that ended without a block"),
            certificates: chain.counter("certificates", "finalization certificates"),
            validators_heard: chain.gauge("validators_heard", "validators whose votes came lately"),
            margin: chain.gauge("quorum_margin", "validators heard less the quorum"),
            clock: node.register(
                "clock_offset_seconds",
                "time of the last new proposal less our clock when it came",
                raw::Gauge::default(),
            ),
            quorum: i64::from(scheme.participants().quorum::<N3f1>()),
            peers: Peers::new(members, me),
            _verifications: chain.register(
                "verification_seconds",
                "time to verify a proof of a foreign chain, or a certificate of ours",
                verifications.0.clone(),
            ),
            verifications,
            traces: Traces::default(),
        }
    }

    pub(crate) fn limits(&self, transactions: usize, bytes: usize) {
        self.limit.set(gauge(transactions as u64));
        self.limit_bytes.set(gauge(bytes as u64));
    }

    pub(crate) fn view_nullified(&self) {
        self.nullified.inc();
    }

    pub(crate) fn certified(&self) {
        self.certificates.inc();
    }

    /// Notes a vote of `signer`, for a block of `height` where it is known here.
    pub(crate) fn heard(&self, signer: Participant, now: SystemTime, height: Option<Height>) {
        self.peers.voted(signer, now, height);
        self.count(now);
    }

    fn count(&self, now: SystemTime) {
        let heard = gauge(self.peers.heard(now) as u64);
        self.validators_heard.set(heard);
        self.margin.set(heard.saturating_sub(self.quorum));
    }

    /// The other validators.
    pub(crate) fn peers(&self, now: SystemTime) -> Vec<PeerStatus> {
        self.peers.all(now)
    }

    /// Notes the height of a finalization.
    pub(crate) fn height_heard(&self, height: Height) {
        let height = gauge(height.get());
        if height > self.height_heard.get() {
            self.height_heard.set(height);
        }
    }

    /// Notes when a new proposal came, beside the time it says.
    pub(crate) fn clock_offset(&self, said: SystemTime, now: SystemTime) {
        let offset = match said.duration_since(now) {
            Ok(ahead) => ahead.as_secs_f64(),
            Err(behind) => -behind.duration().as_secs_f64(),
        };
        self.clock.set(offset);
    }

    /// Brings what changes without a block up to date.
    pub(crate) fn refresh(&self, (waiting, bytes): (usize, usize), now: SystemTime) {
        self.waiting.set(gauge(waiting as u64));
        self.waiting_bytes.set(gauge(bytes as u64));
        self.count(now);
    }

    pub(crate) fn epoch(&self, epoch: u64) {
        self.epoch.set(gauge(epoch));
    }

    pub(crate) fn refused(&self, code: u16) {
        self.refusals.get_or_create(&ByCode { code: u32::from(code) }).inc();
    }

    pub(crate) fn finalized<E: Runtime>(
        &self,
        runtime: &E,
        block: &Block,
        record: &BlockRecord,
        (waiting, bytes): (usize, usize),
    ) {
        let header = block.header();
        self.traces.applied(header.height.get(), record.transactions.iter().map(|(id, _)| id));
        self.height.set(gauge(header.height.get()));
        self.height_heard(header.height);
        self.leaves.set(gauge(header.outbox.size.get()));
        self.transactions.inc_by(record.transactions.len() as u64);
        for refusal in record.transactions.iter().filter_map(|(_, outcome)| outcome.refusal()) {
            self.refused.inc();
            self.refused(refusal.code.number());
        }
        if let Ok(now) = runtime.current().duration_since(UNIX_EPOCH) {
            // Clocks differ: a block from ahead of ours counts as at once.
            let time = std::time::Duration::from_millis(header.time.get());
            self.latency.observe(now.saturating_sub(time).as_secs_f64());
        }
        self.waiting.set(gauge(waiting as u64));
        self.waiting_bytes.set(gauge(bytes as u64));
    }
}

/// Room on the disk, and what the node takes of it.
pub(crate) struct Disk {
    free: Gauge,
    size: Gauge,
    storage: Gauge,
    folder: PathBuf,
}

impl Disk {
    pub(crate) fn new<E: Runtime>(context: &E, folder: PathBuf) -> Self {
        let node = context.child("zeugma_node");
        Self {
            free: node.gauge("disk_free_bytes", "bytes free on the disk of the data folder"),
            size: node.gauge("disk_size_bytes", "size of the disk of the data folder"),
            storage: node.gauge("storage_bytes", "bytes in the data folder"),
            folder,
        }
    }

    /// Looks again and again: at the disk each ten seconds, at the files each minute.
    pub(crate) async fn watch(&self) {
        for round in 0_u64.. {
            if let Ok(disk) = rustix::fs::statvfs(&self.folder) {
                self.free.set(gauge(disk.f_bavail.saturating_mul(disk.f_frsize)));
                self.size.set(gauge(disk.f_blocks.saturating_mul(disk.f_frsize)));
            }
            if round.is_multiple_of(6) {
                self.storage.set(gauge(bytes_in(&self.folder)));
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }
}

/// Bytes of the files in `folder`. What cannot be read, or is gone meanwhile, counts nothing.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    bytes.fold(0, u64::saturating_add)
}
