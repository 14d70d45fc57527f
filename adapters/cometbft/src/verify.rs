//! Verification of one light block against a trusted state, and of misbehaviour.
//!
//! The order of checks: first what can never become right and costs little, then what only time
//! changes, then the signatures, and last whether the trusted validators vouch for the block. So
//! [`Code::TrustTooThin`] means that the block itself is in order and a header in between may help.
//!
//! Source: CometBFT `spec/light-client/verification/verification_002_draft.md`, [LCV-FUNC-VALID.2];
//! ICS-07, "Validity predicate", "Misbehaviour predicate".

use crate::predicates as rule;
use crate::profile::{Profile, TrustLevel};
use crate::state::State;
use crate::update::{Evidence, Update};
use alloc::string::String;
use zeugma_adapter_core::Misbehaviour;
use zeugma_types::{BlockTime, Code, Refusal, Span};

/// What a chain's profile, or a test suite with another policy, asks of a light block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The chain's identifier.
    pub chain_id: String,
    /// Which part of the trusted power lets a client skip headers.
    pub trust_level: TrustLevel,
    /// How long a header is trusted after its own time.
    pub trusting_period: Span,
    /// How far a header's time may lie ahead of ours.
    pub max_drift: Span,
}

impl Rules {
    /// The rules of a profile.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        Self {
            chain_id: profile.chain_id.clone(),
            trust_level: profile.trust_level,
            trusting_period: profile.trusting_period,
            max_drift: profile.max_drift,
        }
    }
}

/// Verifies a light block that moves a client.
///
/// # Errors
/// Which predicate does not hold.
pub fn update(rules: &Rules, trusted: &State, update: &Update, now: BlockTime) -> Result<State, Refusal> {
    block(rules, trusted, update, now, Purpose::Follow)
}

/// Verifies that two light blocks were both made final by the chain's validators and cannot both be the
/// chain: two headers of one height with different hashes, or a higher one that is not later.
///
/// Each block is verified as an update is, except for what a chain that attacks would break anyway: it
/// may be ahead of our clock (a forward lunatic attack) or not later than the trusted state (the very
/// thing to be shown). Blocks with one header are no misbehaviour, whatever their commits look like.
///
/// # Errors
/// [`Code::NoMisbehaviour`], or which predicate does not hold for one of the blocks.
pub fn misbehaviour(
    rules: &Rules,
    trusted: [&State; 2],
    evidence: &Evidence,
    now: BlockTime,
) -> Result<Misbehaviour, Refusal> {
    let [one, other] = &evidence.blocks;
    if !conflict(one, other) {
        return Err(Refusal::new(Code::NoMisbehaviour));
    }
    for (trusted, each) in trusted.into_iter().zip(&evidence.blocks) {
        block(rules, trusted, each, now, Purpose::Accuse)?;
    }
    let heights = evidence.blocks.each_ref().map(|each| each.signed_header.header.height);
    Ok(Misbehaviour { height: heights[0].min(heights[1]) })
}

fn conflict(one: &Update, other: &Update) -> bool {
    let [one, other] = [one, other].map(|each| &each.signed_header.header);
    match one.height.cmp(&other.height) {
        core::cmp::Ordering::Equal => one.hash() != other.hash(),
        core::cmp::Ordering::Less => one.time >= other.time,
        core::cmp::Ordering::Greater => other.time >= one.time,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Follow,
    Accuse,
}

fn block(
    rules: &Rules,
    trusted: &State,
    update: &Update,
    now: BlockTime,
    purpose: Purpose,
) -> Result<State, Refusal> {
    let Update { signed_header, validators, .. } = update;
    let (header, commit) = (&signed_header.header, &signed_header.commit);

    rule::chain_matches(header, &rules.chain_id)?;
    rule::height_grows(header, trusted)?;
    if purpose == Purpose::Follow {
        rule::time_grows(header, trusted)?;
    }
    rule::validators_match(header, validators)?;
    rule::next_validators_match(update, trusted)?;
    let state = State::of(header);
    rule::commit_matches(signed_header, &state.header_hash)?;
    rule::votes_are_of(commit, validators)?;
    rule::own_quorum(commit, validators)?;

    if purpose == Purpose::Follow {
        rule::not_from_the_future(header, rules.max_drift, now)?;
    }
    rule::within_trusting_period(trusted, rules.trusting_period, now)?;

    rule::votes_are_signed(signed_header, validators)?;
    if !rule::is_adjacent(header, trusted) {
        rule::trusted_overlap(update, rules.trust_level)?;
    }
    Ok(state)
}
