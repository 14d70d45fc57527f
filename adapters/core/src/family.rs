//! What a family of chains has to show.

use crate::path::MerklePath;
use zeugma_types::{BlockTime, Cost, Decode, Encode, FinalityClass, Height, Refusal, Span};

/// Proof that a chain's own committee (or its rules) produced two histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misbehaviour {
    /// The lowest height at which the histories differ.
    pub height: Height,
}

/// The predicates of one family of chains. Every function is pure, and refuses rather than panics.
///
/// Refusals of [`zeugma_types::Permanence::Never`] mean that these bytes are worth nothing at any
/// time; `NotYet` means that time or another update first may change that.
pub trait Family {
    /// Number in encodings; never reused.
    const NUMBER: u16;
    /// Name in profiles, words and metrics.
    const NAME: &'static str;
    /// Longest encoded profile, in bytes.
    const MAX_PROFILE: usize;
    /// Longest encoded trusted state, in bytes.
    const MAX_STATE: usize;
    /// Longest encoded update, in bytes.
    const MAX_UPDATE: usize;
    /// Longest encoded evidence, in bytes.
    const MAX_EVIDENCE: usize;
    /// Longest encoded store proof, in bytes.
    const MAX_PROOF: usize;

    /// The canonical body of `CreateClient`: what never changes while the client lives.
    type Profile: Encode + Decode + Clone;
    /// What is believed of one height of the chain (IBC: consensus state).
    type State: Encode + Decode + Clone + PartialEq;
    /// What moves the client from one trusted state to another.
    type Update: Decode;
    /// What shows that the chain misbehaved.
    type Evidence: Decode;

    /// Checks the relations between the fields of a profile.
    ///
    /// # Errors
    /// [`zeugma_types::Code::BadProfile`] with the relation that does not hold.
    fn check_profile(profile: &Self::Profile) -> Result<(), Refusal>;

    /// Why a state of this client is final. It travels with every fact.
    fn finality(profile: &Self::Profile) -> FinalityClass;

    /// How long a state is trusted after its own time.
    fn trusting_period(profile: &Self::Profile) -> Span;

    /// Height of a state.
    fn height(state: &Self::State) -> Height;

    /// The chain's own time of a state.
    fn time(state: &Self::State) -> BlockTime;

    /// Height of the trusted state that an update starts from; `None` means the client's latest, for
    /// chains where only the newest keys may be believed.
    fn trusted_height(update: &Self::Update) -> Option<Height>;

    /// Verifies an update against the state it names, which the caller found trusted and not expired.
    ///
    /// # Errors
    /// Which rule of the chain the update breaks.
    fn verify_update(
        profile: &Self::Profile,
        trusted: &Self::State,
        update: &Self::Update,
        now: BlockTime,
    ) -> Result<Self::State, Refusal>;

    /// Heights of the trusted states that evidence starts from, one for each of its two histories;
    /// `None` means the client's latest.
    fn evidence_heights(evidence: &Self::Evidence) -> [Option<Height>; 2];

    /// Verifies that both histories of the evidence are what the chain's committee signed, and that
    /// they cannot both be the chain.
    ///
    /// # Errors
    /// [`zeugma_types::Code::NoMisbehaviour`], or which rule one of the histories breaks.
    fn verify_misbehaviour(
        profile: &Self::Profile,
        trusted: [&Self::State; 2],
        evidence: &Self::Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal>;

    /// Verifies that the store of `state` holds `value` under `path`. An empty value is never proved.
    ///
    /// # Errors
    /// [`zeugma_types::Code::NotProven`], or which rule of the proof's shape broke.
    fn verify_membership(
        profile: &Self::Profile,
        state: &Self::State,
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal>;

    /// Verifies that the store of `state` holds nothing under `path`, and never will where the family
    /// proves closing acts instead of absences.
    ///
    /// # Errors
    /// [`zeugma_types::Code::AbsenceNotProven`], or [`zeugma_types::Code::NotUnderstood`] where the
    /// family cannot show absence.
    fn verify_non_membership(
        profile: &Self::Profile,
        state: &Self::State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal>;

    /// Work of verifying an update of this many bytes, known before the bytes are read.
    fn update_cost(bytes: usize) -> Cost;

    /// Work of verifying a store proof of this many bytes.
    fn proof_cost(bytes: usize) -> Cost;
}
