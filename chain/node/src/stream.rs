//! What others follow: the final tip, the stream of final blocks, and why the node stops.

use crate::outbox::BlockRecord;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
use zeugma_proof::Header;

/// Final blocks that a slow follower may lag behind before it must read the rest by height.
const MAX_BEHIND: usize = 1_024;

/// A final block whose state is applied.
#[derive(Clone, Debug)]
pub struct Finalized {
    /// Its header.
    pub header: Header,
    /// What it did.
    pub record: Arc<BlockRecord>,
}

struct Shared {
    tip: watch::Sender<u64>,
    blocks: broadcast::Sender<Finalized>,
    stopped: watch::Sender<Option<String>>,
}

/// The sending side of all of them. Clones share it.
#[derive(Clone)]
pub(crate) struct Streams(Arc<Shared>);

impl Streams {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            tip: watch::Sender::new(0),
            blocks: broadcast::Sender::new(MAX_BEHIND),
            stopped: watch::Sender::new(None),
        }))
    }

    /// Tells everyone of a final block.
    pub(crate) fn finalized(&self, block: Finalized) {
        self.0.tip.send_replace(block.header.height.get());
        // Nobody may be listening.
        let _ = self.0.blocks.send(block);
    }

    /// Says that the node cannot go on. The first reason counts.
    pub(crate) fn stop(&self, why: String) {
        self.0.stopped.send_if_modified(|stopped| match stopped {
            Some(_) => false,
            None => {
                *stopped = Some(why);
                true
            }
        });
    }

    pub(crate) fn tip(&self) -> watch::Receiver<u64> {
        self.0.tip.subscribe()
    }

    pub(crate) fn blocks(&self) -> broadcast::Receiver<Finalized> {
        self.0.blocks.subscribe()
    }

    pub(crate) fn stopped(&self) -> watch::Receiver<Option<String>> {
        self.0.stopped.subscribe()
    }
}
