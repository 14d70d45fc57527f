//! Records of the ledger's state: accounts, the registry, governance, recoveries.

use super::{absent, lines};
use crate::failure::Failure;
use crate::output::Report;
use crate::{clock, parameters};
use serde_json::{Value, json};
use zeugma_client::Client;
use zeugma_ledger::app::transfer::{
    self, Amount, Denom, Escrow, Hold, Holding, Limit, SetDelay, Then, delay_key, escrow_key, held_key,
    hold_key, limit_key, supply_key,
};
use zeugma_ledger::gov::{Change, Proposal, Schedule};
use zeugma_ledger::ibc::{Held, HeldOf, Recovery};
use zeugma_ledger::registry::Kind;
use zeugma_ledger::{Key, Roles, Slot};
use zeugma_types::{AccountId, ClientId, Decode, Sequence};

pub(super) fn parse_kind(text: &str) -> Result<Kind, String> {
    Kind::named(text).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("the kinds are {}", names.join(", "))
    })
}

/// The record in a slot of the state, if there is one.
fn record<T: Decode>(client: &Client, slot: Slot<'_>, what: &str) -> Result<Option<T>, Failure> {
    at(client, &slot.key(), what)
}

fn at<T: Decode>(client: &Client, key: &Key, what: &str) -> Result<Option<T>, Failure> {
    let (_, bytes) = client.state(key).map_err(|error| Failure::client(what, error))?;
    let read = bytes.map(|bytes| T::from_bytes(&bytes)).transpose();
    read.map_err(|refusal| Failure::refused(what, refusal))
}

fn names(roles: Roles) -> Vec<&'static str> {
    roles.iter().map(|role| role.name()).collect()
}

pub(super) fn account(client: &Client, id: &AccountId) -> Result<Report, Failure> {
    let found = client.account(id).map_err(|error| Failure::client("the account", error))?;
    let account = found.ok_or_else(|| absent("an account of this name"))?;
    Ok(lines(json!({
        "account": id.to_string(),
        "roles": names(account.roles).join(", "),
        "highest_sequence": account.used.highest,
        "allowance": account.allowance.thousandths / 1_000,
        "allowance_at": clock::show(account.allowance.at),
    })))
}

/// All that there is of an asset; what an account holds; what went out by a client, and what may go now.
pub(super) fn asset(
    client: &Client,
    denom: &Denom,
    account: Option<&AccountId>,
    by: Option<&ClientId>,
) -> Result<Report, Failure> {
    let held = |key: Vec<u8>| -> Result<String, Failure> {
        let found: Option<Holding> = record(client, Slot::Application(transfer::NUMBER, &key), "the asset")?;
        Ok(found.map_or(Amount::ZERO, |found| found.amount).to_string())
    };
    let mut json = json!({ "asset": denom.as_str(), "in_all": held(supply_key(denom))? });
    if let Some(account) = account {
        json["held"] = held(held_key(account, denom))?.into();
    }
    if let Some(by) = by {
        let room = |key: &[u8]| Slot::Application(transfer::NUMBER, key).key();
        let escrow: Option<Escrow> = at(client, &room(&escrow_key(by, denom)), "the asset")?;
        json["went_out"] = escrow.map_or(Amount::ZERO, |found| found.amount).to_string().into();
        let limit: Option<Limit> = at(client, &room(&limit_key(by, denom)), "the limit")?;
        if let Some(limit) = limit {
            json["limit"] = limit.set.capacity.to_string().into();
            json["may_leave_now"] = limit.level_at(clock::now()).to_string().into();
            json["limit_refill_seconds"] = (limit.set.refill.get() / 1_000).into();
        }
        let delay: Option<SetDelay> = at(client, &room(&delay_key(by, denom)), "the delay")?;
        if let Some(delay) = delay {
            json["held_above"] = delay.threshold.to_string().into();
            json["held_for_seconds"] = (delay.delay.get() / 1_000).into();
        }
    }
    Ok(lines(json))
}

/// What is held of the packets received under a client, and until when.
pub(super) fn holds(client: &Client, under: &ClientId) -> Result<Report, Failure> {
    let all: Option<HeldOf> = record(client, Slot::HeldOf(under), "the holds")?;
    let all = all.map_or_else(Vec::new, |all| all.packets.into_vec());
    let held: Vec<Value> = all
        .iter()
        .map(|one| hold_of(client, under, one.sequence))
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(lines(json!({ "client": under.as_str(), "held": held.len(), "packet": held })))
}

/// One packet that is held.
pub(super) fn hold(client: &Client, under: &ClientId, sequence: Sequence) -> Result<Report, Failure> {
    let found = hold_of(client, under, sequence)?;
    Ok(lines(found.ok_or_else(|| absent("a packet of this number that is held"))?))
}

/// Nothing, when it is held no longer.
fn hold_of(client: &Client, under: &ClientId, sequence: Sequence) -> Result<Option<Value>, Failure> {
    let Some(held) = record::<Held>(client, Slot::Held(under, sequence), "the hold")? else {
        return Ok(None);
    };
    let mut json = json!({
        "client": under.as_str(),
        "sequence": sequence.get(),
        "port": held.port.as_str(),
        "release_at": clock::show(held.release_at),
        "goes_back_at": clock::show(clock::of_seconds(held.timeout)),
    });
    if held.port.as_str() == transfer::PORT {
        let key = hold_key(under, sequence);
        let found: Option<Hold> = record(client, Slot::Application(transfer::NUMBER, &key), "the hold")?;
        if let Some(hold) = found {
            json["asset"] = hold.denom.as_str().into();
            json["amount"] = hold.amount.to_string().into();
            json["sender"] = hold.sender.as_str().into();
            match hold.then {
                Then::Credit(to) => json["for"] = to.account.to_string().into(),
                Then::SendOn(next) => json["goes_on_by"] = next.client.as_str().into(),
            }
        }
    }
    Ok(Some(json))
}

pub(super) fn registry(client: &Client, kind: Kind, name: &str) -> Result<Report, Failure> {
    let found = client.registry(kind, name).map_err(|error| Failure::client("the registry", error))?;
    let entry = found.ok_or_else(|| absent("an entry of this kind and name"))?;
    Ok(lines(json!({
        "kind": kind.name(),
        "of": name,
        "in_force": entry.digest.0.is_some(),
        "digest": entry.digest.0.map(hex::encode),
        "from_block": entry.from.get(),
    })))
}

/// A change, for people and programs.
fn change(change: &Change) -> Value {
    match change {
        Change::Parameters(to) => json!({ "kind": change.name(), "to": parameters::show(to) }),
        Change::Roles(roles) => json!({
            "kind": change.name(),
            "account": roles.account.to_string(),
            "grant": names(roles.grant),
            "revoke": names(roles.revoke),
        }),
        Change::Upgrade(upgrade) => json!({ "kind": change.name(), "program": upgrade.program }),
        Change::Limit(limit) => json!({
            "kind": change.name(),
            "client": limit.client.as_str(),
            "denom": limit.denom.as_str(),
            "capacity": limit.capacity.to_string(),
            "refill_seconds": limit.refill.get() / 1_000,
        }),
        Change::Delay(delay) => json!({
            "kind": change.name(),
            "client": delay.client.as_str(),
            "denom": delay.denom.as_str(),
            "threshold": delay.threshold.to_string(),
            "delay_seconds": delay.delay.get() / 1_000,
        }),
        Change::Withdraw(withdraw) => json!({ "kind": change.name(), "proposal": withdraw.proposal }),
    }
}

pub(super) fn proposal(client: &Client, number: u64) -> Result<Report, Failure> {
    let found: Option<Proposal> = record(client, Slot::Proposal(number), "the proposal")?;
    let found = found.ok_or_else(|| absent("a proposal of this number that gathers approvals"))?;
    Ok(lines(json!({
        "proposal": number,
        "change": change(&found.change),
        "activation": found.activation.get(),
        "approvable_until": found.until.get(),
        "approvals": found.approvals.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })))
}

pub(super) fn schedule(client: &Client) -> Result<Report, Failure> {
    let found: Option<Schedule> = record(client, Slot::Schedule, "the schedule")?;
    let waiting = found.iter().flat_map(|schedule| schedule.waiting.iter()).map(|scheduled| {
        json!({
            "proposal": scheduled.proposal,
            "activation": scheduled.activation.get(),
            "change": change(&scheduled.change),
        })
    });
    let waiting: Vec<Value> = waiting.collect();
    Ok(lines(json!({ "changes_that_wait": waiting.len(), "waiting": waiting })))
}

pub(super) fn recovery(client: &Client, subject: &ClientId) -> Result<Report, Failure> {
    let found: Option<Recovery> = record(client, Slot::Recovery(subject), "the recovery")?;
    let found = found.ok_or_else(|| absent("a recovery of this client that is proposed"))?;
    Ok(lines(json!({
        "client": subject.as_str(),
        "substitute": found.substitute.as_str(),
        "ready_at": clock::show(found.ready_at),
        "proposed_by": found.proposer.to_string(),
    })))
}
