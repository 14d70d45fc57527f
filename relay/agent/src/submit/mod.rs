//! One submitter for each key: it alone signs with it, so sequences have one owner.
//!
//! Order of writes: a transaction is kept as signed before it is sent, and as sent after a node took it. A crash before
//! the first leaves the wish; between the two, the same bytes are sent again, which is no second transaction; after,
//! its fate is asked. Nothing is signed a second time while the first may still be in a block.

pub mod state;

use crate::error::Error;
use crate::hub::{self, Hub};
use crate::metrics::Metrics;
use crate::queue::{Queue, Task};
use state::{Act, Seen, Signed, Stage};
use std::sync::Arc;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_endpoint_cometbft::Jitter;
use zeugma_ledger::account::Account;
use zeugma_ledger::bounded::List;
use zeugma_ledger::tx::SignedBody;
use zeugma_ledger::{Checked, Message, Outcome, Slot, Transaction, account_of};
use zeugma_types::{BlockTime, Code, Cost, Encode as _, NetworkId, Refusal};

/// Most transactions under way at a time; well inside the account's window of sequences.
const MOST_UNDER_WAY: usize = 16;

/// The submitter of one key.
pub struct Submitter {
    hub: Arc<dyn Hub>,
    key: SecretKey,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    network: Option<NetworkId>,
    /// The chain's highest used sequence as it was read last; none when it must be read again.
    highest: Option<u64>,
}

impl Submitter {
    /// The submitter of `key` to `hub`, out of `queue`.
    #[must_use]
    pub fn new(hub: Arc<dyn Hub>, key: SecretKey, queue: Arc<Queue>, metrics: Arc<Metrics>) -> Self {
        Self { hub, key, queue, metrics, network: None, highest: None }
    }

    /// Moves every open task as far as it goes now.
    ///
    /// # Errors
    /// [`Error`] when the chain does not answer or the queue fails; what was done until then is kept.
    pub fn tick(&mut self, now: BlockTime) -> Result<(), Error> {
        let tasks = self.queue.open_tasks(self.hub.name())?;
        self.metrics.waiting(self.hub.name(), tasks.len());
        let mut under_way = tasks.iter().filter(|(_, task)| task.stage.signed().is_some()).count();
        let mut sequences: Vec<u64> =
            tasks.iter().filter_map(|(_, task)| Some(task.stage.signed()?.sequence)).collect();
        for (number, mut task) in tasks {
            if task.stage == Stage::Queued {
                if under_way >= MOST_UNDER_WAY {
                    continue;
                }
                let signed = self.sign(&task, &sequences, now)?;
                sequences.push(signed.sequence);
                under_way += 1;
                // Kept before it is sent: a crash from here on sends these bytes and no others.
                self.move_to(number, &mut task, Stage::Signed(signed))?;
            }
            self.carry(number, task, now)?;
        }
        Ok(())
    }

    /// One step of a task that is signed.
    fn carry(&mut self, number: u64, mut task: Task, now: BlockTime) -> Result<(), Error> {
        let seen = match &task.stage {
            Stage::Signed(signed) => self.send(signed)?,
            Stage::Sent { signed, .. } => {
                let fate = self.hub.fate(&signed.id)?;
                let tip = self.hub.latest()?.map_or(BlockTime::ZERO, |latest| latest.header.time);
                Seen::Stands { fate, tip }
            }
            Stage::Queued | Stage::Final { .. } => return Ok(()),
        };
        let mut act = state::next(&task.stage, &seen, now);
        if act == Act::SendAgain
            && let Some(signed) = task.stage.signed()
        {
            let again = self.send(signed)?;
            act = match state::next(&task.stage, &again, now) {
                Act::Finish { .. } => Act::AskFate,
                act => act,
            };
            if let Seen::Refused(refusal) = &again
                && act == Act::AskFate
            {
                act = self.settle(&task, refusal)?;
            }
        }
        if act == Act::AskFate
            && let Seen::Refused(refusal) = &seen
        {
            act = self.settle(&task, refusal)?;
        }
        match act {
            Act::Wait | Act::SendAgain | Act::AskFate => Ok(()),
            Act::NoteSent => {
                let Some(signed) = task.stage.signed().cloned() else { return Ok(()) };
                self.move_to(number, &mut task, Stage::Sent { signed, at: now })
            }
            Act::SignAnew => {
                self.highest = None;
                self.metrics.submitted(self.hub.name(), "signed-anew");
                self.move_to(number, &mut task, Stage::Queued)
            }
            Act::Finish { height, outcome } => {
                self.count(&outcome);
                self.queue.finish(number, &task, Stage::Final { height, outcome }, now, Jitter::random())
            }
        }
    }

    fn settle(&self, task: &Task, refusal: &Refusal) -> Result<Act, Error> {
        let Some(signed) = task.stage.signed() else { return Ok(Act::Wait) };
        Ok(state::after_fate(refusal, &self.hub.fate(&signed.id)?))
    }

    fn send(&self, signed: &Signed) -> Result<Seen, Error> {
        match self.hub.submit(&signed.bytes) {
            Ok(()) => Ok(Seen::Taken),
            Err(hub::Error::Refused { refusal, .. }) => {
                self.metrics.refused(refusal.code);
                Ok(Seen::Refused(*refusal))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn sign(&mut self, task: &Task, under_way: &[u64], now: BlockTime) -> Result<Signed, Error> {
        let network = match self.network {
            Some(network) => network,
            None => *self.network.insert(self.hub.network()?),
        };
        let public = *self.key.public().as_bytes();
        let highest = match self.highest {
            Some(highest) => highest,
            None => {
                let account: Option<Account> = hub::load(&*self.hub, Slot::Account(&account_of(&public)))?;
                let account = account.ok_or_else(|| Refusal::new(Code::UnknownAccount))?;
                *self.highest.insert(account.used.highest)
            }
        };
        let sequence = state::next_sequence(highest, under_way.iter().copied())
            .ok_or_else(|| Refusal::new(Code::SequenceAhead))?;
        self.highest = Some(sequence);
        let until = Stage::until(now);
        let last = until.time;
        let messages: Vec<Message> = task.works.iter().map(|work| work.message.clone()).collect();
        let body = SignedBody {
            network,
            key: public,
            sequence,
            until,
            cost_limit: Cost::MAX,
            messages: List::new(messages)?,
        };
        let bytes = Transaction::sign(body, &self.key).to_bytes();
        let id = *Checked::new(&bytes)?.digest();
        Ok(Signed { bytes, id, sequence, until: last })
    }

    fn move_to(&self, number: u64, task: &mut Task, stage: Stage) -> Result<(), Error> {
        self.queue.advance(number, task, stage.clone())?;
        task.stage = stage;
        Ok(())
    }

    fn count(&self, outcome: &Outcome) {
        match outcome.refusal() {
            None => self.metrics.submitted(self.hub.name(), "done"),
            Some(refusal) => {
                tracing::warn!(hub = self.hub.name(), %refusal, "a transaction was refused");
                self.metrics.submitted(self.hub.name(), "refused");
                self.metrics.refused(refusal.code);
            }
        }
    }
}
