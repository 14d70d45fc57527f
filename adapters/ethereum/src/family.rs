//! Ethereum as a family of chains.

use crate::committee::Memory;
use crate::profile::Profile;
use crate::state::State;
use crate::update::{Evidence, StoreProof, Update};
use crate::verify;
use spin::mutex::SpinMutex;
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_types::{BlockTime, Cost, FinalityClass, Height, Refusal, Span};

/// Ethereum and chains that run its consensus, Capella to Gloas.
#[derive(Clone, Copy, Debug)]
pub struct Ethereum;

/// Committees that this process read the keys of: two for each of two chains. It spares time and decides
/// nothing; whoever finds it taken does without.
static MEMORY: SpinMutex<Memory> = SpinMutex::new(Memory::of(4));

fn with_memory<T>(work: impl FnOnce(&mut Memory) -> T) -> T {
    match MEMORY.try_lock() {
        Some(mut memory) => work(&mut memory),
        None => work(&mut Memory::none()),
    }
}

impl Family for Ethereum {
    const NUMBER: u16 = 3;
    const NAME: &'static str = "ethereum";
    const MAX_PROFILE: usize = Profile::MAX_BYTES;
    const MAX_STATE: usize = State::LENGTH;
    const MAX_UPDATE: usize = Update::MAX_BYTES;
    const MAX_EVIDENCE: usize = Evidence::MAX_BYTES;
    const MAX_PROOF: usize = StoreProof::MAX_BYTES;

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
        state.slot
    }

    fn time(state: &State) -> BlockTime {
        state.time
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
        with_memory(|memory| verify::update(profile, trusted, update, now, memory))
    }

    fn evidence_heights(evidence: &Evidence) -> [Option<Height>; 2] {
        evidence.updates.each_ref().map(|update| Some(update.trusted_height))
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        _now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        with_memory(|memory| verify::misbehaviour(profile, trusted, evidence, memory))
    }

    fn verify_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        verify::membership(profile, &state.state_root, path, value, proof)
    }

    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        verify::non_membership(profile, &state.state_root, path, proof)
    }

    fn update_cost(bytes: usize) -> Cost {
        // A key of 48 bytes takes 64 microseconds to read, whether or not it was read before.
        cost(2_500, bytes / 3 * 4)
    }

    fn proof_cost(bytes: usize) -> Cost {
        // A node of 532 bytes takes 4 microseconds.
        cost(20, bytes / 100)
    }
}

/// Microseconds, at most, on the machine of `cargo bench -p zeugma-adapter-ethereum`.
fn cost(base: u64, variable: usize) -> Cost {
    Cost::new(base).plus(Cost::new(u64::try_from(variable).unwrap_or(u64::MAX)))
}
