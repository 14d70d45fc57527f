//! What a running node answers: submissions, status, headers, certificates, proofs, state, streams.
//!
//! [`NodeHandle`] is cheap to clone and works from any executor; it names neither runtime nor network. Answers
//! come from final blocks only.

mod prove;
mod service;

pub(crate) use service::Service;

use crate::mempool::TransactionId;
use crate::outbox::BlockRecord;
use crate::peers::PeerStatus;
use crate::stream::Finalized;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
use zeugma_ledger::{Genesis, Key, Outcome};
use zeugma_proof::{Certificate, Header, Proof};
use zeugma_types::{Height, LeafIndex, LeafPath, NetworkId, Refusal};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A rule broke: the asker's doing.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// This node's storage failed: the operator's matter.
    #[error("{0}")]
    Storage(String),
}

/// Where a transaction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not in a block that this node knows, and not waiting here.
    Unknown,
    /// Waiting here for a block.
    Waiting,
    /// Dropped here before it was in a block: it can never be admitted, or could not be for too long.
    Dropped {
        /// Why.
        refusal: Refusal,
    },
    /// In a final block.
    Final {
        /// The block.
        height: Height,
        /// Its number in the block, from 0.
        number: u32,
        /// What became of it, with the reason if it was refused.
        outcome: Outcome,
    },
}

/// Under which header a leaf is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// The first certified header whose outbox covers the leaf: the same proof for ever.
    First,
    /// The latest certified header.
    Latest,
}

/// A final block with what it did.
#[derive(Clone, Debug)]
pub struct FinalBlock {
    /// Its header.
    pub header: Header,
    /// Its transactions.
    pub transactions: Vec<Bytes>,
    /// What it did.
    pub record: BlockRecord,
}

/// A header and its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The header.
    pub header: Header,
    /// The certificate over its digest.
    pub certificate: Certificate,
}

/// What became of one transaction of a batch at the door: its digest, or why it was not taken.
pub type Entered = Result<TransactionId, Refusal>;

/// Values of keys, and the height of the block after which they are.
pub type Values = (Height, Vec<Option<Bytes>>);

pub(crate) trait Query: Send + Sync {
    fn genesis(&self) -> &Genesis;
    fn network(&self) -> NetworkId;
    fn submit(&self, bytes: Bytes) -> BoxFuture<'_, Result<TransactionId, Error>>;
    fn submit_all(&self, batch: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<Entered>, Error>>;
    fn status(&self, id: TransactionId) -> BoxFuture<'_, Result<Status, Error>>;
    fn height(&self) -> BoxFuture<'_, Result<Height, Error>>;
    fn block(&self, height: Height) -> BoxFuture<'_, Result<Option<FinalBlock>, Error>>;
    fn header(&self, height: Height) -> BoxFuture<'_, Result<Option<Header>, Error>>;
    fn certified(&self, from: Height) -> BoxFuture<'_, Result<Option<Certified>, Error>>;
    fn latest(&self) -> BoxFuture<'_, Result<Option<Certified>, Error>>;
    fn prove(&self, index: LeafIndex, under: Under) -> BoxFuture<'_, Result<Option<Proof>, Error>>;
    fn find<'a>(&'a self, path: &'a LeafPath) -> BoxFuture<'a, Result<Option<LeafIndex>, Error>>;
    fn read(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Values, Error>>;
    fn blocks(&self) -> broadcast::Receiver<Finalized>;
    fn stopped(&self) -> watch::Receiver<Option<String>>;
    fn waiting(&self) -> (usize, usize);
    fn peers(&self) -> Vec<PeerStatus>;
    fn metrics(&self) -> String;
}

/// A handle on a running node.
#[derive(Clone)]
pub struct NodeHandle(Arc<dyn Query>);

impl NodeHandle {
    pub(crate) fn new(query: impl Query + 'static) -> Self {
        Self(Arc::new(query))
    }

    /// The network's genesis.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.0.genesis()
    }

    /// The network's name.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.0.network()
    }

    /// Takes the canonical bytes of a transaction: checks form and signature, asks the ledger whether the newest
    /// state would admit it, and spreads it. Gives its digest. The same transaction again is no error.
    ///
    /// # Errors
    /// The refusal, with its code; storage.
    pub async fn submit(&self, bytes: impl Into<Bytes>) -> Result<TransactionId, Error> {
        self.0.submit(bytes.into()).await
    }

    /// Takes many transactions at once, each as [`NodeHandle::submit`] does and on its own: one that is refused keeps
    /// out no other. One answer for each, in their order.
    ///
    /// # Errors
    /// Storage.
    pub async fn submit_all(&self, batch: Vec<Bytes>) -> Result<Vec<Entered>, Error> {
        self.0.submit_all(batch).await
    }

    /// Where a transaction stands, with the reason when it was refused.
    ///
    /// # Errors
    /// Storage.
    pub async fn status(&self, transaction: &TransactionId) -> Result<Status, Error> {
        self.0.status(*transaction).await
    }

    /// The height of the last final block whose effects can be read; 0 before the first.
    ///
    /// # Errors
    /// Storage.
    pub async fn height(&self) -> Result<Height, Error> {
        self.0.height().await
    }

    /// A final block with what it did.
    ///
    /// # Errors
    /// Storage.
    pub async fn block(&self, height: Height) -> Result<Option<FinalBlock>, Error> {
        self.0.block(height).await
    }

    /// The header of a final block.
    ///
    /// # Errors
    /// Storage.
    pub async fn header(&self, height: Height) -> Result<Option<Header>, Error> {
        self.0.header(height).await
    }

    /// The certificate of the block at `height`, or `None`: a block that became final through a later one has no
    /// certificate of its own. [`NodeHandle::certified`] finds the first header from there that has one.
    ///
    /// # Errors
    /// Storage.
    pub async fn certificate(&self, height: Height) -> Result<Option<Certificate>, Error> {
        let found = self.0.certified(height).await?;
        Ok(found.filter(|found| found.header.height == height).map(|found| found.certificate))
    }

    /// The first certified header at or above `height`.
    ///
    /// # Errors
    /// Storage.
    pub async fn certified(&self, height: Height) -> Result<Option<Certified>, Error> {
        self.0.certified(height).await
    }

    /// The latest certified header whose effects can be read.
    ///
    /// # Errors
    /// Storage.
    pub async fn latest(&self) -> Result<Option<Certified>, Error> {
        self.0.latest().await
    }

    /// The proof of a leaf, or `None` while no certified header covers it. [`Proof`] encodes to the proof file.
    ///
    /// # Errors
    /// Storage.
    pub async fn proof_by_index(&self, index: LeafIndex, under: Under) -> Result<Option<Proof>, Error> {
        self.0.prove(index, under).await
    }

    /// The proof of the latest leaf under a path.
    ///
    /// # Errors
    /// Storage.
    pub async fn proof_by_path(&self, path: &LeafPath, under: Under) -> Result<Option<Proof>, Error> {
        match self.0.find(path).await? {
            Some(index) => self.0.prove(index, under).await,
            None => Ok(None),
        }
    }

    /// The values under `keys` after one and the same final block, and its height. Make keys with
    /// [`zeugma_ledger::Slot::key`].
    ///
    /// # Errors
    /// Storage.
    pub async fn read(&self, keys: Vec<Key>) -> Result<Values, Error> {
        self.0.read(keys).await
    }

    /// Final blocks from now on. A follower that lags too far gets an error and reads by height what it missed.
    #[must_use]
    pub fn blocks(&self) -> broadcast::Receiver<Finalized> {
        self.0.blocks()
    }

    /// Why the node cannot go on, once it cannot.
    #[must_use]
    pub fn stopped(&self) -> watch::Receiver<Option<String>> {
        self.0.stopped()
    }

    /// Transactions that wait, and their bytes.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        self.0.waiting()
    }

    /// The other validators as this node hears them, by index.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerStatus> {
        self.0.peers()
    }

    /// Every metric in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.0.metrics()
    }
}
