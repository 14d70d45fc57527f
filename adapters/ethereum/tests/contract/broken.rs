//! Families broken on purpose: the battery has to find each.

use std::marker::PhantomData;
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_adapter_ethereum::fork::Chain;
use zeugma_adapter_ethereum::ssz::Root;
use zeugma_adapter_ethereum::testnet::Testnet;
use zeugma_adapter_ethereum::{Ethereum, Evidence, Profile, State, Update};
use zeugma_types::{BlockTime, Code, Cost, FinalityClass, Height, Refusal, Span};

/// What is broken; everything else is Ethereum.
pub(crate) trait Defect {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        Ethereum::verify_update(profile, trusted, update, now)
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        Ethereum::verify_misbehaviour(profile, trusted, evidence, now)
    }

    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        Ethereum::verify_non_membership(profile, state, path, proof)
    }
}

/// Some state, where a refusal of one of these codes should have been.
fn forgiving(found: Result<State, Refusal>, trusted: &State, codes: &[Code]) -> Result<State, Refusal> {
    match found {
        Err(refusal) if codes.contains(&refusal.code) => {
            Ok(State { slot: trusted.slot.next().expect("a small slot"), ..trusted.clone() })
        }
        other => other,
    }
}

/// Counts signatures without verifying them.
pub(crate) struct AcceptsBadSignatures;

impl Defect for AcceptsBadSignatures {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        forgiving(Ethereum::verify_update(profile, trusted, update, now), trusted, &[Code::BadSignature])
    }
}

/// Takes one signer less than two thirds.
pub(crate) struct AcceptsOneBelowQuorum;

impl Defect for AcceptsOneBelowQuorum {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        let found = Ethereum::verify_update(profile, trusted, update, now);
        let signers = update.message().participants();
        if signers == 21 { forgiving(found, trusted, &[Code::QuorumNotReached]) } else { found }
    }
}

/// Believes whatever chain its own keys sign for.
pub(crate) struct IgnoresTheChain;

impl Defect for IgnoresTheChain {
    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        let root: Root = Testnet::new(&[]).chain.genesis_validators_root;
        let chain = Chain { genesis_validators_root: root, ..profile.chain.clone() };
        Ethereum::verify_update(&Profile { chain, ..profile.clone() }, trusted, update, now)
    }
}

/// Takes two heads over one finalized header for two histories.
pub(crate) struct FreezesOnOneHeader;

impl Defect for FreezesOnOneHeader {
    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        match Ethereum::verify_misbehaviour(profile, trusted, evidence, now) {
            Err(refusal) if refusal.code == Code::NoMisbehaviour => {
                Ok(Misbehaviour { height: trusted[0].slot })
            }
            other => other,
        }
    }
}

/// Takes the end of a proof for the end of a key, as a library in circulation did.
pub(crate) struct AcceptsShortAbsences;

impl Defect for AcceptsShortAbsences {
    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        match Ethereum::verify_non_membership(profile, state, path, proof) {
            Err(refusal) if refusal.code == Code::ProofShape => Ok(()),
            other => other,
        }
    }
}

/// Ethereum with a defect.
pub(crate) struct Broken<D>(PhantomData<D>);

impl<D: Defect> Family for Broken<D> {
    const NUMBER: u16 = 0xffff;
    const NAME: &'static str = "broken";
    const MAX_PROFILE: usize = Ethereum::MAX_PROFILE;
    const MAX_STATE: usize = Ethereum::MAX_STATE;
    const MAX_UPDATE: usize = Ethereum::MAX_UPDATE;
    const MAX_EVIDENCE: usize = Ethereum::MAX_EVIDENCE;
    const MAX_PROOF: usize = Ethereum::MAX_PROOF;

    type Profile = Profile;
    type State = State;
    type Update = Update;
    type Evidence = Evidence;

    fn check_profile(profile: &Profile) -> Result<(), Refusal> {
        Ethereum::check_profile(profile)
    }

    fn finality(profile: &Profile) -> FinalityClass {
        Ethereum::finality(profile)
    }

    fn trusting_period(profile: &Profile) -> Span {
        Ethereum::trusting_period(profile)
    }

    fn height(state: &State) -> Height {
        Ethereum::height(state)
    }

    fn time(state: &State) -> BlockTime {
        Ethereum::time(state)
    }

    fn trusted_height(update: &Update) -> Option<Height> {
        Ethereum::trusted_height(update)
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
        Ethereum::evidence_heights(evidence)
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
        Ethereum::verify_membership(profile, state, path, value, proof)
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
        Ethereum::update_cost(bytes)
    }

    fn proof_cost(bytes: usize) -> Cost {
        Ethereum::proof_cost(bytes)
    }
}
