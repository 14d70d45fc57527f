//! Verification of one update against a trusted state, of misbehaviour, and of the router's storage.
//!
//! Beyond [`light::verify`] under [`Policy::Bridge`]: the message is in the layout of its header's own fork,
//! it finalizes a header that is newer than the trusted one and that proves an execution block, and it
//! brings the committee after the period that it enters.
//!
//! Source: `specs/altair/light-client/sync-protocol.md`, "Light client state updates".

use crate::account::{account, commitment_slot, storage};
use crate::block::BlockHeader;
use crate::committee::Memory;
use crate::fork::Chain;
use crate::header::{Execution, LightHeader};
use crate::light::{self, Policy};
use crate::profile::Profile;
use crate::ssz::Root;
use crate::state::State;
use crate::update::{Evidence, StoreProof, Update};
use zeugma_adapter_core::{MerklePath, Misbehaviour};
use zeugma_types::{BlockTime, Code, Decode, Height, Refusal};

/// Verifies an update that moves a client.
///
/// # Errors
/// As [`light::verify`]; [`Code::BadHeader`]; [`Code::NotNewer`]; [`Code::NextCommitteeMissing`].
pub fn update(
    profile: &Profile,
    trusted: &State,
    update: &Update,
    now: BlockTime,
    memory: &mut Memory,
) -> Result<State, Refusal> {
    one(profile, trusted, update, Some(now), memory)
}

/// Verifies that two messages were both signed by two thirds of the committees that follow from trusted
/// states, and cannot both be of the chain: two finalized headers of one slot, or two committees after one
/// period, each with a header finalized in it.
///
/// Each message is verified as an update is, except that it may be ahead of our clock. Messages that
/// finalize one header and bring one committee are no misbehaviour, however they differ otherwise.
///
/// # Errors
/// [`Code::NoMisbehaviour`], or what is wrong with one of the messages.
pub fn misbehaviour(
    profile: &Profile,
    trusted: [&State; 2],
    evidence: &Evidence,
    memory: &mut Memory,
) -> Result<Misbehaviour, Refusal> {
    let chain = &profile.chain;
    let [one_update, other_update] = &evidence.updates;
    if !conflict(chain, one_update, other_update) {
        return Err(Refusal::new(Code::NoMisbehaviour));
    }
    let mut lowest = Height::MAX;
    for (trusted, update) in trusted.into_iter().zip(&evidence.updates) {
        lowest = lowest.min(one(profile, trusted, update, None, memory)?.slot);
    }
    Ok(Misbehaviour { height: lowest })
}

fn conflict(chain: &Chain, one: &Update, other: &Update) -> bool {
    let finalized = |update: &Update| update.message().finality.as_ref().map(|(header, _)| header.beacon);
    let (Some(first), Some(second)) = (finalized(one), finalized(other)) else { return false };
    if first.slot == second.slot && first.root() != second.root() {
        return true;
    }
    // A committee is drawn at the beginning of a period, so every header of the period names the same one.
    let next = |update: &Update, slot: u64| {
        let period = chain.period(slot);
        let of_period = chain.period(update.message().attested.beacon.slot) == period;
        let committee = update.message().next.as_ref().filter(|_| of_period);
        committee.map(|(committee, _)| (period, committee.root()))
    };
    match (next(one, first.slot), next(other, second.slot)) {
        (Some((period, committee)), Some((other_period, other_committee))) => {
            period == other_period && committee != other_committee
        }
        _ => false,
    }
}

/// Verifies a message; `now` is left out for an accusation.
fn one(
    profile: &Profile,
    trusted: &State,
    update: &Update,
    now: Option<BlockTime>,
    memory: &mut Memory,
) -> Result<State, Refusal> {
    let chain = &profile.chain;
    let message = update.message();
    let layout = chain.fork(message.attested.beacon.slot)?.fork;
    if layout != update.fork {
        return Err(Refusal::new(Code::BadHeader).needed(layout.name()).found(update.fork.name()));
    }
    let Some((finalized, _)) = &message.finality else {
        return Err(Refusal::new(Code::NotUnderstood).needed("a finalized header"));
    };
    let slot = finalized.beacon.slot;
    if slot <= trusted.slot.get() {
        return Err(Refusal::new(Code::NotNewer).needed(trusted.slot.get()).found(slot));
    }
    let purpose = if now.is_some() { light::Purpose::Follow } else { light::Purpose::Accuse };
    let current_slot = now.map_or(u64::MAX, |now| slot_at(profile, now));
    let verified = light::verify_for(
        purpose,
        chain,
        Policy::Bridge,
        (&trusted.trusted(), &update.committee),
        message,
        current_slot,
        memory,
    )?;
    let (trusted_period, period) = (chain.period(trusted.slot.get()), chain.period(slot));
    let (current, next) = if period == trusted_period {
        (trusted.current, trusted.next)
    } else {
        let of_period = chain.period(message.attested.beacon.slot) == period;
        let brought = verified.next.filter(|_| of_period);
        let missing = || Refusal::new(Code::NextCommitteeMissing).needed(period + 1);
        (trusted.next, brought.ok_or_else(missing)?)
    };
    let time = chain.time(slot).ok_or_else(|| Refusal::new(Code::OutOfRange).found(slot))?;
    let block = execution(finalized, update.block.as_deref(), time)?;
    Ok(State {
        slot: Height::new(slot),
        time,
        beacon_root: finalized.beacon.root(),
        block_number: block.number,
        block_hash: block.hash,
        state_root: block.state_root,
        receipts_root: block.receipts_root,
        current,
        next,
    })
}

/// The last slot that may have begun on some honest clock.
fn slot_at(profile: &Profile, now: BlockTime) -> u64 {
    let latest = now.get().saturating_add(profile.max_drift.get());
    let since = latest.saturating_sub(profile.chain.genesis_time.get());
    since.checked_div(profile.chain.slot_time.get()).unwrap_or(0)
}

/// The execution block of a finalized header that was verified, whose slot began at `time`.
///
/// # Errors
/// [`Code::BadHeader`] before Capella, for a block that is not of the slot, and for a block header that is
/// missing, or there in vain; [`Code::NotIncluded`] for another block.
pub fn execution(
    header: &LightHeader,
    block: Option<&[u8]>,
    time: BlockTime,
) -> Result<BlockHeader, Refusal> {
    let bad = |needed: &'static str| Err(Refusal::new(Code::BadHeader).needed(needed));
    let seconds = time.whole_seconds().get();
    match (&header.execution, block) {
        (Execution::Unproved, _) => bad("a header that proves its execution block"),
        (Execution::Payload { .. }, Some(_)) => bad("no block beside a payload"),
        (Execution::Payload { payload, .. }, None) => {
            if payload.timestamp != seconds {
                return Err(Refusal::new(Code::BadHeader).needed(seconds).found(payload.timestamp));
            }
            Ok(BlockHeader {
                hash: payload.block_hash,
                number: payload.block_number,
                timestamp: payload.timestamp,
                state_root: payload.state_root,
                receipts_root: payload.receipts_root,
            })
        }
        (Execution::Hash { .. }, None) => bad("the header of the execution block"),
        (Execution::Hash { block_hash, .. }, Some(bytes)) => {
            let block = BlockHeader::read(bytes)?;
            if block.hash != *block_hash {
                return Err(Refusal::new(Code::NotIncluded).needed(*block_hash).found(block.hash));
            }
            // The block is the one before the slot's own, so it is older.
            if block.timestamp > seconds {
                return Err(Refusal::new(Code::BadHeader).needed(seconds).found(block.timestamp));
            }
            Ok(block)
        }
    }
}

/// Verifies that the router holds the commitment `value` of an ICS-24 path, a single element.
///
/// # Errors
/// As [`non_membership`] for path and proof; [`Code::OutOfRange`] for a value that is not of 32 bytes;
/// [`Code::Empty`] for zero; [`Code::NotProven`].
pub fn membership(
    profile: &Profile,
    state_root: &Root,
    path: &MerklePath,
    value: &[u8],
    proof: &[u8],
) -> Result<(), Refusal> {
    let value: Root =
        value.try_into().map_err(|_| Refusal::new(Code::OutOfRange).needed(32_u64).found(value.len()))?;
    if value == [0; 32] {
        return Err(Refusal::new(Code::Empty).found("a commitment of zeros"));
    }
    match slot_of(profile, state_root, path, proof)? {
        Some(found) if found == value => Ok(()),
        Some(found) => Err(Refusal::new(Code::NotProven).needed(value).found(found)),
        None => Err(Refusal::new(Code::NotProven).needed(value)),
    }
}

/// Verifies that the router holds nothing under an ICS-24 path, a single element.
///
/// # Errors
/// [`Code::WrongPath`] for a path of several elements; [`Code::NotProven`] without a router; what
/// [`crate::trie::walk`] refuses; [`Code::AbsenceNotProven`].
pub fn non_membership(
    profile: &Profile,
    state_root: &Root,
    path: &MerklePath,
    proof: &[u8],
) -> Result<(), Refusal> {
    match slot_of(profile, state_root, path, proof)? {
        None => Ok(()),
        Some(found) => Err(Refusal::new(Code::AbsenceNotProven).found(found)),
    }
}

/// What the router holds under a path. A router that is not there proves nothing, not even an absence.
///
/// # Errors
/// [`Code::WrongPath`] for a path of several elements; [`Code::NotProven`] without a router; what the
/// proofs' walk refuses.
fn slot_of(
    profile: &Profile,
    state_root: &Root,
    path: &MerklePath,
    proof: &[u8],
) -> Result<Option<Root>, Refusal> {
    let [key] = path.elements() else {
        return Err(Refusal::new(Code::WrongPath).needed(1_u64).found(path.elements().len()));
    };
    let proof = StoreProof::from_bytes(proof)?;
    let Some(router) = account(state_root, &profile.router, &proof.account)? else {
        return Err(Refusal::new(Code::NotProven).needed("the router's account"));
    };
    storage(&router.storage_root, &commitment_slot(key, &profile.commitments), &proof.storage)
}
