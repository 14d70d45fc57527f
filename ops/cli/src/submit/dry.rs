//! What would become of a transaction, without sending it: the ledger's own rules on the state that a node tells.
//!
//! The rules are those of this program, the state is one node's word, and the next block may hold other transactions
//! before this one: a preview, not a promise.

use super::{Sender, Signed};
use crate::failure::{Failure, Rule};
use crate::{clock, families};
use zeugma_ledger::{Checked, Context, Edge, Event, Key, Ledger, Overlay, PROGRAM, Step};
use zeugma_types::{BlockTime, Cost, Epoch, Era, Height, TreeSize};

/// What would become of it.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    /// Its name.
    pub(crate) id: [u8; 32],
    /// Its length.
    pub(crate) bytes: usize,
    /// The names of its messages.
    pub(crate) asked: Vec<&'static str>,
    /// After which block.
    pub(crate) after: Height,
    /// Its work.
    pub(crate) cost: Cost,
    /// The most work that one transaction may be.
    pub(crate) most: Cost,
    /// What it would tell.
    pub(crate) events: Vec<Event>,
}

impl Sender<'_> {
    /// Runs the transaction here.
    ///
    /// # Errors
    /// The refusal that it would meet; the node does not answer.
    pub(crate) fn try_out(&self, signed: &Signed) -> Result<Tried, Failure> {
        let refused = |refusal| Failure::refused(&signed.subject, refusal);
        let checked = Checked::new(&signed.bytes).map_err(refused)?;
        let ledger = Ledger::new(families::all());
        let (context, after) = self.next_block()?;
        let mut overlay = Overlay::default();
        let block = loop {
            match ledger.begin_block(&context, &overlay) {
                Edge::Need(keys) => self.fetch(&mut overlay, keys)?,
                Edge::Done((block, effects)) => {
                    overlay.apply(effects.writes);
                    break block;
                }
                Edge::Corrupt(key) => return Err(strange(&key)),
                Edge::Upgrade { needed } => {
                    let refusal = zeugma_types::Refusal::new(zeugma_types::Code::ProgramTooOld);
                    return Err(refused(refusal.needed(needed).found(PROGRAM)));
                }
            }
        };
        let done = loop {
            match ledger.step(&block, &checked, &overlay) {
                Step::Need(keys) => self.fetch(&mut overlay, keys)?,
                Step::Done(done) => break done,
                Step::Corrupt(key) => return Err(strange(&key)),
            }
        };
        if let Some(refusal) = done.outcome.refusal() {
            let subject = format!("{} after block {after}, not sent", signed.subject);
            return Err(Failure::refused(subject, refusal.to_refusal()));
        }
        Ok(Tried {
            id: *checked.digest(),
            bytes: signed.bytes.len(),
            asked: signed.asked.clone(),
            after,
            cost: done.cost,
            most: block.parameters().transaction_cost,
            events: done.effects.events,
        })
    }

    /// The block that would come next, by this machine's clock.
    fn next_block(&self) -> Result<(Context, Height), Failure> {
        let tip = self.client.latest_header().map_err(|error| Failure::client("the latest header", error))?;
        let (after, era, epoch, outbox, parent) = match &tip {
            Some(tip) => (tip.height, tip.era, tip.epoch, tip.outbox.size, tip.time),
            None => (Height::ZERO, Era::ZERO, Epoch::new(0), TreeSize::ZERO, BlockTime::ZERO),
        };
        let context = Context {
            network: self.network,
            height: after.next().unwrap_or(after),
            time: clock::now().max(parent),
            era,
            epoch,
            outbox,
            program: PROGRAM,
        };
        Ok((context, after))
    }

    fn fetch(&self, overlay: &mut Overlay, keys: Vec<Key>) -> Result<(), Failure> {
        for key in keys {
            let (_, value) = self.client.state(&key).map_err(|error| Failure::client("the state", error))?;
            overlay.fetched(key, value);
        }
        Ok(())
    }
}

fn strange(key: &Key) -> Failure {
    let what = format!("it tells a state that this program does not read, at {key:?}");
    Failure::own(
        Rule::Unexpected,
        "the node",
        what,
        "check that the node runs the same version of the program",
    )
}
