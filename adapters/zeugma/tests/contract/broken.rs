//! Families broken on purpose: the battery has to find each.

use std::marker::PhantomData;
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_adapter_zeugma::{Evidence, Profile, State, Update, Zeugma};
use zeugma_types::{BlockTime, Code, Cost, FinalityClass, Height, Refusal, Span};

/// What is broken; everything else is Zeugma.
pub(crate) trait Defect {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        Zeugma::verify_update(profile, trusted, update, now)
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        Zeugma::verify_misbehaviour(profile, trusted, evidence, now)
    }

    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        Zeugma::verify_non_membership(profile, state, path, proof)
    }

    fn trusting_period(profile: &Profile) -> Span {
        Zeugma::trusting_period(profile)
    }
}

/// Turns a refusal of this code into acceptance.
fn forgiving(
    found: Result<State, Refusal>,
    trusted: &State,
    update: &Update,
    code: Code,
) -> Result<State, Refusal> {
    match found {
        Err(refusal) if refusal.code == code => Ok(State::of(&update.target.header, trusted.key.clone())),
        other => other,
    }
}

/// Believes a header whoever signed it.
pub(crate) struct AcceptsBadSignatures;

impl Defect for AcceptsBadSignatures {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        let found = Zeugma::verify_update(profile, trusted, update, now);
        forgiving(found, trusted, update, Code::BadSignature)
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        match Zeugma::verify_misbehaviour(profile, trusted, evidence, now) {
            Err(refusal) if refusal.code == Code::BadSignature => Ok(Misbehaviour { height: Height::new(1) }),
            other => other,
        }
    }
}

/// Believes headers of an era that handed over.
pub(crate) struct AcceptsRetiredKeys;

impl Defect for AcceptsRetiredKeys {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        let found = Zeugma::verify_update(profile, trusted, update, now);
        forgiving(found, trusted, update, Code::RetiredEra)
    }
}

/// Believes whatever network the header says it is of.
pub(crate) struct SkipsNetwork;

impl Defect for SkipsNetwork {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        let profile = Profile { network: update.target.header.network, ..*profile };
        Zeugma::verify_update(&profile, trusted, update, now)
    }
}

/// Takes two certificates of one header for two headers.
pub(crate) struct FreezesOnOneHeader;

impl Defect for FreezesOnOneHeader {
    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        match Zeugma::verify_misbehaviour(profile, trusted, evidence, now) {
            Err(refusal) if refusal.code == Code::NoMisbehaviour && evidence.one != evidence.other => {
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
        assert_ne!(proof[9], u8::MAX, "a byte of a proof");
        Zeugma::verify_non_membership(profile, state, path, proof)
    }
}

/// Zeugma with one defect.
pub(crate) struct Broken<D>(PhantomData<D>);

impl<D: Defect> Family for Broken<D> {
    const NUMBER: u16 = Zeugma::NUMBER;
    const NAME: &'static str = Zeugma::NAME;
    const MAX_PROFILE: usize = Zeugma::MAX_PROFILE;
    const MAX_STATE: usize = Zeugma::MAX_STATE;
    const MAX_UPDATE: usize = Zeugma::MAX_UPDATE;
    const MAX_EVIDENCE: usize = Zeugma::MAX_EVIDENCE;
    const MAX_PROOF: usize = Zeugma::MAX_PROOF;

    type Profile = Profile;
    type State = State;
    type Update = Update;
    type Evidence = Evidence;

    fn check_profile(profile: &Profile) -> Result<(), Refusal> {
        Zeugma::check_profile(profile)
    }

    fn finality(profile: &Profile) -> FinalityClass {
        Zeugma::finality(profile)
    }

    fn trusting_period(profile: &Profile) -> Span {
        D::trusting_period(profile)
    }

    fn height(state: &State) -> Height {
        Zeugma::height(state)
    }

    fn time(state: &State) -> BlockTime {
        Zeugma::time(state)
    }

    fn trusted_height(update: &Update) -> Option<Height> {
        Zeugma::trusted_height(update)
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
        Zeugma::evidence_heights(evidence)
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
        Zeugma::verify_membership(profile, state, path, value, proof)
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
        Zeugma::update_cost(bytes)
    }

    fn proof_cost(bytes: usize) -> Cost {
        Zeugma::proof_cost(bytes)
    }
}
