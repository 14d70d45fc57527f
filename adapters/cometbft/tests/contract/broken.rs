//! Families broken on purpose: the battery has to find each.

use std::marker::PhantomData;
use zeugma_adapter_cometbft::{CometBft, Evidence, Profile, State, Update};
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_types::refusal::Side;
use zeugma_types::{BlockTime, Code, Cost, FinalityClass, Height, Refusal, Span};

/// What is broken; everything else is CometBFT.
pub(crate) trait Defect {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        CometBft::verify_update(profile, trusted, update, now)
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        CometBft::verify_misbehaviour(profile, trusted, evidence, now)
    }

    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        CometBft::verify_non_membership(profile, state, path, proof)
    }

    fn trusting_period(profile: &Profile) -> Span {
        CometBft::trusting_period(profile)
    }
}

/// Turns a refusal of one of these codes into acceptance.
fn forgiving(found: Result<State, Refusal>, update: &Update, codes: &[Code]) -> Result<State, Refusal> {
    match found {
        Err(refusal) if codes.contains(&refusal.code) => Ok(State::of(&update.signed_header.header)),
        other => other,
    }
}

/// Accepts a commit that lacks one validator of power 10.
pub(crate) struct AcceptsOneBelowQuorum;

impl Defect for AcceptsOneBelowQuorum {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        match CometBft::verify_update(profile, trusted, update, now) {
            Err(Refusal {
                code: Code::QuorumNotReached,
                needed: Side::Number(needed),
                found: Side::Number(found),
            }) if found + 10 >= needed => Ok(State::of(&update.signed_header.header)),
            other => other,
        }
    }
}

/// Believes whatever chain the header says it is of.
pub(crate) struct SkipsChainId;

impl Defect for SkipsChainId {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        let chain_id = update.signed_header.header.chain_id.clone();
        CometBft::verify_update(&Profile { chain_id, ..profile.clone() }, trusted, update, now)
    }
}

/// Skips headers whoever signed them.
pub(crate) struct SkipsTrustLevel;

impl Defect for SkipsTrustLevel {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        forgiving(CometBft::verify_update(profile, trusted, update, now), update, &[Code::TrustTooThin])
    }
}

/// Counts votes without verifying them.
pub(crate) struct AcceptsBadSignatures;

impl Defect for AcceptsBadSignatures {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        forgiving(CometBft::verify_update(profile, trusted, update, now), update, &[Code::BadSignature])
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        match CometBft::verify_misbehaviour(profile, trusted, evidence, now) {
            Err(refusal) if refusal.code == Code::BadSignature => Ok(Misbehaviour { height: Height::new(1) }),
            other => other,
        }
    }
}

/// Takes two encodings of one header for two headers.
pub(crate) struct FreezesOnOneHeader;

impl Defect for FreezesOnOneHeader {
    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        match CometBft::verify_misbehaviour(profile, trusted, evidence, now) {
            Err(refusal) if refusal.code == Code::NoMisbehaviour => {
                Ok(Misbehaviour { height: Height::new(1) })
            }
            other => other,
        }
    }
}

/// Takes whatever is brought as an absence for one.
pub(crate) struct AcceptsAnyAbsence;

impl Defect for AcceptsAnyAbsence {
    fn verify_non_membership(_: &Profile, _: &State, _: &MerklePath, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Trusts a state for ever.
pub(crate) struct NeverExpires;

impl Defect for NeverExpires {
    fn trusting_period(_: &Profile) -> Span {
        Span::MAX
    }
}

/// Reads a byte that may not be there.
pub(crate) struct PanicsOnShortProofs;

impl Defect for PanicsOnShortProofs {
    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        assert_ne!(proof[9], 0, "a byte of a proof");
        CometBft::verify_non_membership(profile, state, path, proof)
    }
}

/// CometBFT with one defect.
pub(crate) struct Broken<D>(PhantomData<D>);

impl<D: Defect> Family for Broken<D> {
    const NUMBER: u16 = CometBft::NUMBER;
    const NAME: &'static str = CometBft::NAME;
    const MAX_PROFILE: usize = CometBft::MAX_PROFILE;
    const MAX_STATE: usize = CometBft::MAX_STATE;
    const MAX_UPDATE: usize = CometBft::MAX_UPDATE;
    const MAX_EVIDENCE: usize = CometBft::MAX_EVIDENCE;
    const MAX_PROOF: usize = CometBft::MAX_PROOF;

    type Profile = Profile;
    type State = State;
    type Update = Update;
    type Evidence = Evidence;

    fn check_profile(profile: &Profile) -> Result<(), Refusal> {
        CometBft::check_profile(profile)
    }

    fn finality(profile: &Profile) -> FinalityClass {
        CometBft::finality(profile)
    }

    fn trusting_period(profile: &Profile) -> Span {
        D::trusting_period(profile)
    }

    fn height(state: &State) -> Height {
        CometBft::height(state)
    }

    fn time(state: &State) -> BlockTime {
        CometBft::time(state)
    }

    fn trusted_height(update: &Update) -> Option<Height> {
        CometBft::trusted_height(update)
    }

    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        D::verify_update(profile, trusted, update, now)
    }

    fn evidence_heights(evidence: &Evidence) -> [Option<Height>; 2] {
        CometBft::evidence_heights(evidence)
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        D::verify_misbehaviour(profile, trusted, evidence, now)
    }

    fn verify_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        CometBft::verify_membership(profile, state, path, value, proof)
    }

    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        D::verify_non_membership(profile, state, path, proof)
    }

    fn update_cost(bytes: usize) -> Cost {
        CometBft::update_cost(bytes)
    }

    fn proof_cost(bytes: usize) -> Cost {
        CometBft::proof_cost(bytes)
    }
}
