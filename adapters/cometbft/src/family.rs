//! CometBFT as a family of chains.

use crate::ics23::{self, Spec};
use crate::profile::{Profile, Store};
use crate::state::State;
use crate::update::{Evidence, Update};
use crate::verify::{self, Rules};
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_types::{BlockTime, Code, Cost, FinalityClass, Height, Refusal, Span};

/// Chains that run CometBFT 0.37, 0.38 or 1.0.
#[derive(Clone, Copy, Debug)]
pub struct CometBft;

impl Family for CometBft {
    const NUMBER: u16 = 1;
    const NAME: &'static str = "cometbft";
    const MAX_PROFILE: usize = Profile::MAX_BYTES;
    const MAX_STATE: usize = State::MAX_BYTES;
    const MAX_UPDATE: usize = Update::MAX_BYTES;
    const MAX_EVIDENCE: usize = Evidence::MAX_BYTES;
    const MAX_PROOF: usize = ics23::MAX_PROOF;

    type Profile = Profile;
    type State = State;
    type Update = Update;
    type Evidence = Evidence;

    fn check_profile(profile: &Profile) -> Result<(), Refusal> {
        profile.check()
    }

    fn finality(_profile: &Profile) -> FinalityClass {
        FinalityClass::CommitteeQuorum
    }

    fn trusting_period(profile: &Profile) -> Span {
        profile.trusting_period
    }

    fn height(state: &State) -> Height {
        state.height
    }

    fn time(state: &State) -> BlockTime {
        state.time.millis()
    }

    fn trusted_height(update: &Update) -> Option<Height> {
        Some(update.trusted_height)
    }

    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        verify::update(&Rules::of(profile), trusted, update, now)
    }

    fn evidence_heights(evidence: &Evidence) -> [Option<Height>; 2] {
        evidence.blocks.each_ref().map(|block| Some(block.trusted_height))
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        verify::misbehaviour(&Rules::of(profile), trusted, evidence, now)
    }

    fn verify_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        ics23::verify_membership(specs(profile)?, &state.app_hash, path.elements(), value, proof)
    }

    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        ics23::verify_non_membership(specs(profile)?, &state.app_hash, path.elements(), proof)
    }

    fn update_cost(bytes: usize) -> Cost {
        // A signature takes 100 bytes or more, and at most 250 microseconds (secp256k1).
        cost(500, bytes.saturating_mul(5) / 2)
    }

    fn proof_cost(bytes: usize) -> Cost {
        // Hashing, and as much again for reading.
        cost(20, bytes / 50)
    }
}

/// Microseconds of the machine the figures of this crate were measured on.
fn cost(base: u64, variable: usize) -> Cost {
    Cost::new(base).plus(Cost::new(u64::try_from(variable).unwrap_or(u64::MAX)))
}

/// The specs of a store's trees, innermost first.
fn specs(profile: &Profile) -> Result<&'static [Spec], Refusal> {
    match profile.store {
        Store::Cosmos => Ok(&[Spec::IAVL, Spec::TENDERMINT]),
        Store::Simple => Ok(&[Spec::TENDERMINT]),
        Store::Opaque => Err(Refusal::new(Code::NotUnderstood).needed("a store that proves keys")),
    }
}
