//! Proposals, approvals, and changes that come into force at their height.
//!
//! A change needs as many governors as the parameters say; an approval counts only while its account is
//! still a governor. With the last approval the change waits for its height, which is at least the notice
//! away, so that everyone can see it and enough governors can withdraw it. It takes effect at the
//! beginning of a block, before any transaction: one block has one set of parameters and roles.

use super::change::{Change, ChangeRoles, Proposal, Schedule, Scheduled};
use super::{Counters, Parameters};
use crate::account::Account;
use crate::app::transfer;
use crate::block::Context;
use crate::bounded::{List, Text};
use crate::event::{ChangeActivated, ChangeProposed, ChangeRefused, ChangeScheduled, ChangeWithdrawn, Event};
use crate::halt::{Halt, Run};
use crate::limits::MAX_ACTIVATION_AHEAD;
use crate::outcome::{Effect, Recorded};
use crate::registry::{self, Kind, PARAMETERS_NAME};
use crate::roles::{Role, Roles};
use crate::state::{Slot, View};
use crate::tx::{Approve, Propose};
use crate::work::Work;
use alloc::vec::Vec;
use zeugma_types::{AccountId, Code, Height, Refusal};

pub(crate) fn propose(work: &mut Work<'_>, message: &Propose) -> Run<Effect> {
    let now = work.block.context().height;
    check_change(&message.change)?;
    let furthest = Height::new(now.get().saturating_add(MAX_ACTIVATION_AHEAD));
    if message.activation > furthest {
        return Err(Refusal::new(Code::OutOfRange)
            .needed(furthest.get())
            .found(message.activation.get())
            .into());
    }
    let mut numbers = counters(&work.view)?;
    let number = numbers.next_proposal;
    numbers.next_proposal = number.checked_add(1).ok_or_else(|| Refusal::new(Code::NumbersSpent))?;
    work.view.save(Slot::Counters, &numbers);
    let until = now.get().saturating_add(work.block.parameters().proposal_lifetime);
    let proposal = Proposal {
        change: message.change.clone(),
        activation: message.activation,
        until: Height::new(until),
        approvals: List::new(Vec::from([work.signer]))?,
    };
    work.view.tell(Event::ChangeProposed(ChangeProposed { proposal: number }));
    settle(work, number, proposal)
}

pub(crate) fn approve(work: &mut Work<'_>, message: &Approve) -> Run<Effect> {
    let mut proposal: Proposal =
        work.view.require(Slot::Proposal(message.proposal), Code::UnknownProposal)?;
    let now = work.block.context().height;
    if now > proposal.until {
        return Err(Refusal::new(Code::ProposalLapsed).needed(proposal.until.get()).found(now.get()).into());
    }
    let mut approvals = proposal.approvals.into_vec();
    if approvals.contains(&work.signer) {
        return Err(Refusal::new(Code::AlreadyApproved).found(*work.signer.as_bytes()).into());
    }
    approvals.push(work.signer);
    proposal.approvals = List::new(approvals)?;
    settle(work, message.proposal, proposal)
}

/// What can be checked of a change at once.
fn check_change(change: &Change) -> Result<(), Refusal> {
    match change {
        Change::Parameters(parameters) => parameters.check(),
        Change::Limit(limit) => limit.check(),
        Change::Delay(delay) => delay.check(),
        Change::Upgrade(upgrade) if upgrade.program == 0 => Err(Refusal::new(Code::OutOfRange).needed(1_u64)),
        Change::Roles(change) if change.grant == Roles::NONE && change.revoke == Roles::NONE => {
            Err(Refusal::new(Code::Empty).needed("roles"))
        }
        Change::Roles(_) | Change::Upgrade(_) | Change::Withdraw(_) => Ok(()),
    }
}

/// Keeps the proposal, or schedules its change when enough governors approved.
fn settle(work: &mut Work<'_>, number: u64, proposal: Proposal) -> Run<Effect> {
    let needed = usize::from(work.block.parameters().governors_needed);
    if governors_among(work, proposal.approvals.as_slice())? < needed {
        work.view.save(Slot::Proposal(number), &proposal);
        return Ok(Effect::Applied);
    }
    work.view.remove(Slot::Proposal(number));
    let mut waiting = schedule(&work.view)?;
    if let Change::Withdraw(withdraw) = &proposal.change {
        let before = waiting.len();
        waiting.retain(|scheduled| scheduled.proposal != withdraw.proposal);
        if waiting.len() == before {
            return Err(Refusal::new(Code::UnknownProposal).found(withdraw.proposal).into());
        }
        work.view.tell(Event::ChangeWithdrawn(ChangeWithdrawn { proposal: withdraw.proposal }));
    } else {
        let notice = work.block.context().height.get().saturating_add(work.block.parameters().notice);
        let activation = proposal.activation.max(Height::new(notice));
        waiting.push(Scheduled { activation, proposal: number, change: proposal.change });
        waiting.sort_by_key(|scheduled| (scheduled.activation, scheduled.proposal));
        work.view.tell(Event::ChangeScheduled(ChangeScheduled { proposal: number, activation }));
    }
    work.view.save(Slot::Schedule, &Schedule { waiting: List::new(waiting)? });
    Ok(Effect::Applied)
}

fn governors_among(work: &Work<'_>, accounts: &[AccountId]) -> Run<usize> {
    work.view.want(accounts.iter().map(|account| Slot::Account(account).key()))?;
    let mut governors = 0;
    for account in accounts {
        let known = work.view.load::<Account>(Slot::Account(account))?;
        governors += usize::from(known.is_some_and(|known| known.roles.has(Role::Governor)));
    }
    Ok(governors)
}

fn schedule(view: &View<'_>) -> Run<Vec<Scheduled>> {
    Ok(view.load::<Schedule>(Slot::Schedule)?.map_or_else(Vec::new, |schedule| schedule.waiting.into_vec()))
}

/// Brings every change whose height has come into force, in order. A change that cannot be applied any more
/// is refused and forgotten.
pub(crate) fn activate(view: &mut View<'_>, context: &Context) -> Run<()> {
    let mut waiting = schedule(view)?;
    let due = waiting.partition_point(|scheduled| scheduled.activation <= context.height);
    if due == 0 {
        return Ok(());
    }
    let later = waiting.split_off(due);
    view.save(Slot::Schedule, &Schedule { waiting: List::new(later)? });
    for Scheduled { proposal, change, .. } in waiting {
        let mark = view.mark();
        match apply(view, context, change) {
            Ok(()) => view.tell(Event::ChangeActivated(ChangeActivated { proposal })),
            Err(Halt::Refused(refusal)) => {
                view.rollback(mark);
                let refusal = Recorded::from(&refusal);
                view.tell(Event::ChangeRefused(ChangeRefused { proposal, refusal }));
            }
            Err(halt) => return Err(halt),
        }
    }
    Ok(())
}

fn apply(view: &mut View<'_>, context: &Context, change: Change) -> Run<()> {
    let mut numbers = counters(view)?;
    match change {
        Change::Parameters(parameters) => {
            parameters.check()?;
            require_governors(numbers.governors, &parameters)?;
            view.save(Slot::Parameters, &parameters);
            say_parameters(view, context, &parameters)
        }
        Change::Roles(change) => apply_roles(view, context, &mut numbers, &change),
        Change::Upgrade(upgrade) => {
            numbers.program = upgrade.program.max(numbers.program);
            view.save(Slot::Counters, &numbers);
            Ok(())
        }
        Change::Limit(limit) => {
            transfer::set_limit(view, context.time, limit);
            Ok(())
        }
        Change::Delay(delay) => {
            transfer::set_delay(view, context.time, &delay);
            Ok(())
        }
        Change::Withdraw(_) => Err(Refusal::new(Code::UnknownProposal).into()),
    }
}

fn apply_roles(
    view: &mut View<'_>,
    context: &Context,
    counters: &mut Counters,
    change: &ChangeRoles,
) -> Run<()> {
    let parameters: Parameters = parameters(view)?;
    let known = view.load::<Account>(Slot::Account(&change.account))?;
    let mut account = known.unwrap_or_else(|| Account::new(Roles::NONE, &parameters, context.time));
    let before = account.roles;
    account.roles = before.without(change.revoke).with(change.grant);
    match (before.has(Role::Governor), account.roles.has(Role::Governor)) {
        (false, true) => counters.governors = counters.governors.saturating_add(1),
        (true, false) => counters.governors = counters.governors.saturating_sub(1),
        _ => {}
    }
    require_governors(counters.governors, &parameters)?;
    view.save(Slot::Counters, counters);
    view.save(Slot::Account(&change.account), &account);
    Ok(())
}

/// A network never ends up with fewer governors than a change needs.
fn require_governors(governors: u32, parameters: &Parameters) -> Result<(), Refusal> {
    if governors >= u32::from(parameters.governors_needed) {
        return Ok(());
    }
    Err(Refusal::new(Code::TooFewGovernors).needed(parameters.governors_needed).found(governors))
}

/// The parameters in force, which genesis wrote.
pub(crate) fn parameters(view: &View<'_>) -> Run<Parameters> {
    view.load(Slot::Parameters)?.ok_or_else(|| Halt::Corrupt(Slot::Parameters.key()))
}

/// The network's counters, which genesis wrote.
pub(crate) fn counters(view: &View<'_>) -> Run<Counters> {
    view.load(Slot::Counters)?.ok_or_else(|| Halt::Corrupt(Slot::Counters.key()))
}

/// Puts the digest of the parameters in force in the registry.
pub(crate) fn say_parameters(view: &mut View<'_>, context: &Context, parameters: &Parameters) -> Run<()> {
    let name = Text::new(PARAMETERS_NAME).expect("the name is a short word");
    registry::write(view, context, Kind::Parameters, &name, Some(parameters.digest()))
}
