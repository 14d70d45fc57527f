//! One transaction: admission, then its messages, all or none.
//!
//! 1. **Admission** needs no proof verified: network, lapse, cost against limit, parameters and what is
//!    left of the block, the account, its roles for every message, its sequence, its allowance. What is
//!    not admitted leaves no effect at all, and its sequence stays unused.
//! 2. The sequence is used and the cost spent.
//! 3. The messages run in order. If one is refused, everything but 2 is taken back, and the refusal is
//!    recorded with the number of the message.
//!
//! Asked again with more reads, a step does the same from the start; it has no memory. Each `Need` names at
//! least one key that was not known, and a transaction touches a bounded number of keys, so asking ends.

use crate::account::Account;
use crate::block::{Block, Ledger};
use crate::bounded::List;
use crate::cost;
use crate::evidence;
use crate::gov;
use crate::halt::{Halt, Run};
use crate::hints;
use crate::ibc;
use crate::outcome::{Effect, Outcome, Recorded};
use crate::registry;
use crate::roles::Action;
use crate::state::{Effects, Key, Reads, Slot, View};
use crate::tx::{Checked, Message, SignedBody, Transaction};
use crate::work::Work;
use alloc::vec::Vec;
use zeugma_types::{AccountId, Code, Cost, Refusal};

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These keys are needed; fetch them and ask again.
    Need(Vec<Key>),
    /// The transaction is done with, one way or the other.
    Done(Done),
    /// The store holds bytes under this key that this program never wrote: stop the node.
    Corrupt(Key),
}

/// What a transaction left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Writes, leaves and events.
    pub effects: Effects,
    /// What became of it, to be kept beside the block.
    pub outcome: Outcome,
    /// What it took of the block's work.
    pub cost: Cost,
}

/// A transaction that was admitted.
struct Admitted<'t> {
    body: &'t SignedBody,
    id: AccountId,
    account: Account,
    cost: Cost,
}

impl Ledger<'_> {
    /// The keys that a transaction's bytes name: what to prefetch before [`Ledger::step`]. It may need more.
    #[must_use]
    pub fn hints(&self, checked: &Checked) -> Vec<Key> {
        hints::of(checked)
    }

    /// What a transaction costs, from its sizes.
    ///
    /// # Errors
    /// [`Code::UnknownClient`] or [`Code::FamilyNotAllowed`].
    pub fn cost(&self, checked: &Checked) -> Result<Cost, Refusal> {
        cost::of_transaction(checked, self.families())
    }

    /// Whether `block` would admit a transaction, as a mempool asks: no proof is verified, nothing written.
    #[must_use]
    pub fn admit(&self, block: &Block, checked: &Checked, reads: &dyn Reads) -> Admission {
        let view = View::new(reads, block.outbox());
        let verdict = match checked.transaction() {
            Transaction::Open(_) => self.admit_open(block, checked).map_err(Halt::Refused),
            Transaction::Signed { body, .. } => {
                self.admit_signed(block, checked, body, &view).map(|admitted| admitted.cost)
            }
        };
        match verdict {
            Ok(cost) => Admission::Admitted(cost),
            Err(Halt::Missing) => Admission::Need(view.missing()),
            Err(Halt::Refused(refusal)) => Admission::Refused(refusal),
            Err(Halt::Corrupt(key)) => Admission::Corrupt(key),
        }
    }

    /// Runs one transaction of `block` on the state below it.
    #[must_use]
    pub fn step(&self, block: &Block, checked: &Checked, reads: &dyn Reads) -> Step {
        let body = match checked.transaction() {
            Transaction::Signed { body, .. } => body,
            Transaction::Open(_) => return Step::Done(self.open(block, checked)),
        };
        let view = View::new(reads, block.outbox());
        // Only what is admitted may ask for more than its account.
        let admitted = self
            .admit_signed(block, checked, body, &view)
            .and_then(|admitted| view.want(hints::of(checked)).map(|()| admitted));
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(halt) => return halted(halt, &view),
        };
        let cost = admitted.cost;
        let mut work = Work { families: self.families(), block, signer: admitted.id, view };
        #[cfg(feature = "planted")]
        {
            work.view.planted = self.families().planted();
        }
        match run(&mut work, admitted) {
            Ok(outcome) => Step::Done(Done { effects: work.view.finish(), outcome, cost }),
            Err(halt) => halted(halt, &work.view),
        }
    }

    fn open(&self, block: &Block, checked: &Checked) -> Done {
        let (outcome, cost) = match self.admit_open(block, checked) {
            Ok(cost) => {
                let messages = List::new(Vec::from([Effect::Applied])).expect("one is within the bound");
                (Outcome::Done { messages }, cost)
            }
            Err(refusal) => (Outcome::NotAdmitted { refusal: Recorded::from(&refusal) }, Cost::ZERO),
        };
        Done { effects: Effects::default(), outcome, cost }
    }

    fn admit_open(&self, block: &Block, checked: &Checked) -> Result<Cost, Refusal> {
        self.require_good(block, checked)?;
        match block.parameters().open_submission {
            gov::OpenSubmission::Accepted => {}
            gov::OpenSubmission::Refused => return Err(Refusal::new(Code::SubmissionClosed)),
        }
        self.require_room(block, checked, Cost::MAX)
    }

    fn admit_signed<'t>(
        &self,
        block: &Block,
        checked: &Checked,
        body: &'t SignedBody,
        view: &View<'_>,
    ) -> Run<Admitted<'t>> {
        self.require_good(block, checked)?;
        let cost = self.require_room(block, checked, body.cost_limit)?;
        let id = *checked.account().expect("a signed transaction has an account");
        let mut account = view
            .load::<Account>(Slot::Account(&id))?
            .ok_or_else(|| Refusal::new(Code::UnknownAccount).found(*id.as_bytes()))?;
        for message in &body.messages {
            let action = Action::of(message);
            if !account.roles.allow(action) {
                return Err(Refusal::new(Code::NotAllowed).found(action.name()).into());
            }
        }
        account.used.take(body.sequence)?;
        account.allowance.spend(cost, block.parameters(), block.context().time)?;
        Ok(Admitted { body, id, account, cost })
    }

    /// It is for this network and has not lapsed.
    fn require_good(&self, block: &Block, checked: &Checked) -> Result<(), Refusal> {
        let (context, transaction) = (block.context(), checked.transaction());
        if transaction.network() != context.network {
            return Err(Refusal::new(Code::TransactionElsewhere)
                .needed(*context.network.as_bytes())
                .found(*transaction.network().as_bytes()));
        }
        let until = transaction.until();
        if context.height > until.height {
            let lapsed = Refusal::new(Code::TransactionLapsed);
            return Err(lapsed.needed(until.height.get()).found(context.height.get()));
        }
        if context.time > until.time {
            let lapsed = Refusal::new(Code::TransactionLapsed);
            return Err(lapsed.needed(until.time.get()).found(context.time.get()));
        }
        Ok(())
    }

    /// Its cost is within its own limit, the parameters, and what is left of the block.
    fn require_room(&self, block: &Block, checked: &Checked, limit: Cost) -> Result<Cost, Refusal> {
        let cost = self.cost(checked)?;
        let bound = limit.min(block.parameters().transaction_cost);
        if cost > bound {
            return Err(Refusal::new(Code::CostAboveLimit).needed(bound.get()).found(cost.get()));
        }
        if cost > block.left() {
            return Err(Refusal::new(Code::BlockFull).needed(cost.get()).found(block.left().get()));
        }
        Ok(cost)
    }
}

/// What a mempool learns of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// These keys are needed; fetch them and ask again.
    Need(Vec<Key>),
    /// The block would admit it at this cost.
    Admitted(Cost),
    /// The block would not admit it. `NotYet` may be kept, `Never` may be dropped.
    Refused(Refusal),
    /// The store holds bytes under this key that this program never wrote: stop the node.
    Corrupt(Key),
}

/// Runs the messages of an admitted transaction.
fn run(work: &mut Work<'_>, admitted: Admitted<'_>) -> Run<Outcome> {
    let Admitted { body, id, mut account, cost } = admitted;
    work.view.save(Slot::Account(&id), &account);
    let mark = work.view.mark();
    let mut effects = Vec::with_capacity(body.messages.len());
    let mut given_back = Cost::ZERO;
    for (place, message) in (0_u8..).zip(&body.messages) {
        match dispatch(work, message) {
            Ok(effect) => {
                if effect == Effect::AlreadyDone {
                    // It was admitted by the same table, so it has a cost.
                    let work = cost::of_message(message, work.families).map_or(Cost::ZERO, |cost| cost.work);
                    given_back = given_back.plus(work);
                }
                effects.push(effect);
            }
            Err(Halt::Refused(refusal)) => {
                work.view.rollback(mark);
                return Ok(Outcome::Refused { message: place, refusal: Recorded::from(&refusal) });
            }
            Err(halt) => return Err(halt),
        }
    }
    if given_back > Cost::ZERO {
        account.allowance.give_back(given_back.min(cost), work.block.parameters());
        work.view.save(Slot::Account(&id), &account);
    }
    let messages = List::new(effects).expect("one effect for each of a bounded list of messages");
    Ok(Outcome::Done { messages })
}

/// A step that did not come to its messages' end: what is refused here was not admitted.
fn halted(halt: Halt, view: &View<'_>) -> Step {
    match halt {
        Halt::Missing => Step::Need(view.missing()),
        Halt::Corrupt(key) => Step::Corrupt(key),
        Halt::Refused(refusal) => {
            let outcome = Outcome::NotAdmitted { refusal: Recorded::from(&refusal) };
            Step::Done(Done { effects: Effects::default(), outcome, cost: Cost::ZERO })
        }
    }
}

fn dispatch(work: &mut Work<'_>, message: &Message) -> Run<Effect> {
    match message {
        Message::Opaque(_) => Ok(Effect::Applied),
        Message::CreateClient(message) => ibc::create(work, message),
        Message::RegisterCounterparty(message) => ibc::register_counterparty(work, message),
        Message::UpdateClient(message) => ibc::update(work, message),
        Message::SubmitMisbehaviour(message) => ibc::submit_misbehaviour(work, message),
        Message::ProposeRecovery(message) => ibc::propose_recovery(work, message),
        Message::CancelRecovery(message) => ibc::cancel_recovery(work, message),
        Message::FinishRecovery(message) => ibc::finish_recovery(work, message),
        Message::SendPacket(message) => ibc::send_packet(work, message),
        Message::RecvPacket(message) => ibc::recv_packet(work, message),
        Message::Acknowledge(message) => ibc::acknowledge(work, message),
        Message::Timeout(message) => ibc::timeout(work, message),
        Message::ClaimTimeout(message) => ibc::claim_timeout(work, message),
        Message::ReleaseHold(message) => ibc::release_hold(work, message),
        Message::RejectHold(message) => ibc::reject_hold(work, message),
        Message::RegisterOrigin(message) => evidence::register(work, message),
        Message::Anchor(message) => evidence::anchor(work, message),
        Message::ReportSplitView(message) => evidence::report(work, message),
        Message::SetDigest(message) => registry::set(work, message),
        Message::RevokeDigest(message) => registry::revoke(work, message),
        Message::Propose(message) => gov::propose(work, message),
        Message::Approve(message) => gov::approve(work, message),
    }
}
