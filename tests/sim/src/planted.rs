//! Bugs that only a test plants, to see that the rules find each in the running network.
//!
//! None can be in a product: two are in the ledger behind a feature that no product crate may turn on, the others are
//! made here, from outside the node.

use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_adapter_zeugma::{Evidence, Profile, State, Update, Zeugma};
use zeugma_ledger::PlantedBug;
use zeugma_types::{BlockTime, Code, Cost, FinalityClass, Height, Refusal, Span};

/// A bug of every honest node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// None.
    Nothing,
    /// One vote less than a quorum certifies.
    QuorumMinusOne,
    /// A node that restarts has lost its votes.
    VotesLost,
    /// A packet is received and its receipt is not written.
    ReceiptSkipped,
    /// A closing is said and its tombstone is not written.
    TombstoneSkipped,
    /// A client of another network believes a key that handed over.
    RetiredKeyAccepted,
}

impl Planted {
    /// Every bug.
    pub const ALL: [Self; 5] = [
        Self::QuorumMinusOne,
        Self::VotesLost,
        Self::ReceiptSkipped,
        Self::TombstoneSkipped,
        Self::RetiredKeyAccepted,
    ];

    pub(crate) const fn in_ledger(self) -> Option<PlantedBug> {
        match self {
            Self::ReceiptSkipped => Some(PlantedBug::ReceiptSkipped),
            Self::TombstoneSkipped => Some(PlantedBug::TombstoneSkipped),
            _ => None,
        }
    }
}

/// Zeugma chains, with headers of retired eras believed.
pub(crate) struct BelievesRetired;

impl Family for BelievesRetired {
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
        Zeugma::trusting_period(profile)
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
        match Zeugma::verify_update(profile, trusted, update, now) {
            Err(refusal) if refusal.code == Code::RetiredEra => {
                Ok(State::of(&update.target.header, trusted.key.clone()))
            }
            other => other,
        }
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
        Zeugma::verify_misbehaviour(profile, trusted, evidence, now)
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
        Zeugma::verify_non_membership(profile, state, path, proof)
    }

    fn update_cost(bytes: usize) -> Cost {
        Zeugma::update_cost(bytes)
    }

    fn proof_cost(bytes: usize) -> Cost {
        Zeugma::proof_cost(bytes)
    }
}
