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
        // A vote and its validator take 140 bytes or more. Its signature takes 90 microseconds when it is
        // of secp256k1, and a quarter of that in a batch of Ed25519.
        cost(500, bytes)
    }

    fn proof_cost(bytes: usize) -> Cost {
        // 10 microseconds for 1800 bytes.
        cost(20, bytes / 100)
    }
}

/// Microseconds, at most, on the machine of `cargo bench -p zeugma-adapter-cometbft`.
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
