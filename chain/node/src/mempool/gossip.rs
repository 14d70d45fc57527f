//! Spreading transactions: each validator tells all others what was submitted to it, once.
//!
//! What arrives is checked like a submission and goes no further, for every validator is connected to every
//! other. Loss is repaired by turns: the validator that has a transaction will lead.

use super::Mempool;
use crate::consensus::PublicKey;
use crate::engine::Channel;
use bytes::Bytes;
use commonware_codec::{Decode as _, Encode as _, RangeCfg};
use commonware_macros::select;
use commonware_p2p::{Receiver, Recipients, Sender};
use tokio::sync::mpsc;
use zeugma_ledger::limits::MAX_TRANSACTION;

/// Most transactions of one message.
const MAX_TOGETHER: usize = 512;
/// Longest message, in bytes: the longest transaction fits, with the prefixes.
pub(crate) const MAX_GOSSIP: usize = MAX_TRANSACTION + MAX_TOGETHER * 8;

/// The task that spreads and receives.
pub(crate) struct Gossip {
    pub(crate) mempool: Mempool,
    pub(crate) spreading: mpsc::Receiver<Bytes>,
}

impl Gossip {
    /// Runs until the network or the pool closes.
    pub(crate) async fn run<S, R>(mut self, (mut sender, mut receiver): Channel<S, R>)
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let mut held = None;
        loop {
            select! {
                first = next(&mut held, &mut self.spreading) => {
                    let Some(first) = first else { return };
                    let together = gather(first, &mut held, &mut self.spreading);
                    sender.send(Recipients::All, together.encode(), false);
                },
                message = receiver.recv() => {
                    let Ok((from, bytes)) = message else { return };
                    let range = (RangeCfg::from(1..=MAX_TOGETHER), RangeCfg::from(1..=MAX_TRANSACTION));
                    let Ok(transactions) = Vec::<Bytes>::decode_cfg(bytes, &range) else {
                        tracing::debug!(%from, "gossip that is not a list of transactions");
                        continue;
                    };
                    self.receive(&from, transactions);
                },
            }
        }
    }

    fn receive(&self, from: &PublicKey, transactions: Vec<Bytes>) {
        if let Err(refusal) = self.mempool.spread(transactions) {
            // An honest validator checks before it spreads, so the rest is not worth the work.
            tracing::debug!(%from, %refusal, "gossip that an honest validator does not send");
        }
    }
}

async fn next(held: &mut Option<Bytes>, spreading: &mut mpsc::Receiver<Bytes>) -> Option<Bytes> {
    match held.take() {
        Some(bytes) => Some(bytes),
        None => spreading.recv().await,
    }
}

/// `first` and what follows it at once, as long as one message holds it; what did not fit is `held`.
fn gather(first: Bytes, held: &mut Option<Bytes>, spreading: &mut mpsc::Receiver<Bytes>) -> Vec<Bytes> {
    let mut total = first.len();
    let mut together = vec![first];
    while together.len() < MAX_TOGETHER {
        let Ok(bytes) = spreading.try_recv() else { break };
        total += bytes.len();
        if total > MAX_TRANSACTION {
            *held = Some(bytes);
            break;
        }
        together.push(bytes);
    }
    together
}
