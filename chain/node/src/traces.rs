//! The way of a transaction through this node as spans: one trace from whoever submitted it to the block that
//! applied it.
//!
//! | span | from | to |
//! |---|---|---|
//! | `transaction.wait` | it entered the pool by a submission here | a final block holds it, or it is forgotten |
//! | `transaction.block` | | a block that holds it was proposed here or by another |
//! | `transaction.apply` | | the effects of the final block that holds it can be read |
//!
//! The first is a child of the request that brought it, so the trace is the one that the request named. Other
//! validators, who hear of it by gossip, tell nothing of it. Where nobody wants spans, nothing is kept.

use crate::mempool::TransactionId;
use commonware_utils::sync::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tracing::Span;

/// Most transactions of which a trace is kept open; further ones push out the oldest.
const MOST: usize = 4_096;

#[derive(Default)]
struct Open {
    spans: HashMap<TransactionId, Span>,
    order: VecDeque<TransactionId>,
}

/// The open traces.
#[derive(Clone, Default)]
pub(crate) struct Traces(Arc<Mutex<Open>>);

impl Traces {
    /// A transaction waits from now on. It belongs to the present span.
    pub(crate) fn waits(&self, id: &TransactionId) {
        let span = tracing::debug_span!("transaction.wait", transaction = %hex::encode(id));
        if span.is_disabled() {
            return;
        }
        let mut open = self.0.lock();
        if open.order.len() >= MOST
            && let Some(oldest) = open.order.pop_front()
        {
            open.spans.remove(&oldest);
        }
        if open.spans.insert(*id, span).is_none() {
            open.order.push_back(*id);
        }
    }

    /// It did not enter after all.
    pub(crate) fn forget(&self, id: &TransactionId) {
        // Its place in the order falls off the front in time.
        self.0.lock().spans.remove(id);
    }

    /// A block that holds these was proposed.
    pub(crate) fn proposed<'t>(&self, height: u64, ids: impl Iterator<Item = &'t TransactionId>) {
        self.of(ids, |span| drop(tracing::debug_span!(parent: span, "transaction.block", height)));
    }

    /// A final block that holds these was applied: nothing more is told of them.
    pub(crate) fn applied<'t>(&self, height: u64, ids: impl Iterator<Item = &'t TransactionId> + Clone) {
        self.of(ids.clone(), |span| drop(tracing::debug_span!(parent: span, "transaction.apply", height)));
        let mut open = self.0.lock();
        for id in ids {
            // Its place in the order falls off the front in time.
            open.spans.remove(id);
        }
        if open.spans.is_empty() {
            open.order.clear();
        }
    }

    fn of<'t>(&self, ids: impl Iterator<Item = &'t TransactionId>, tell: impl Fn(&Span)) {
        let open = self.0.lock();
        if open.spans.is_empty() {
            return;
        }
        ids.filter_map(|id| open.spans.get(id)).for_each(tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_bounded_and_applied_ones_are_forgotten() {
        let upto =
            |level| tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::sink).finish();
        tracing::subscriber::with_default(upto(tracing::Level::DEBUG), || {
            let traces = Traces::default();
            let id = |number: usize| {
                let mut id = [0; 32];
                id[..8].copy_from_slice(&number.to_be_bytes());
                id
            };
            for number in 0..MOST + 10 {
                traces.waits(&id(number));
            }
            let open = || traces.0.lock().spans.len();
            assert_eq!(open(), MOST);
            let most = [id(MOST), id(MOST + 1), id(0)];
            traces.proposed(7, most.iter());
            traces.applied(7, most.iter());
            assert_eq!(open(), MOST - 2);
        });
        // Another test of this process may have asked for spans: here nobody does.
        tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || {
            let traces = Traces::default();
            traces.waits(&[1; 32]);
            assert!(traces.0.lock().spans.is_empty(), "nobody wants spans");
        });
    }
}
