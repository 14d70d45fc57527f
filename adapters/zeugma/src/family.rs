//! The predicates.

use crate::message::{Certified, Evidence, LeafProof, MAX_HANDOVERS, Update};
use crate::profile::Profile;
use crate::state::State;
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_proof::tree::{MAX_INCLUSION, verify_inclusion};
use zeugma_proof::{Certificate, GroupKey, Header, MAX_LEAF, MAX_PROOF, Trust};
use zeugma_types::{
    BlockTime, Code, Cost, Decode, FinalityClass, Height, LeafPath, Namespace, Refusal, Span,
};

/// Zeugma chains as a family.
#[derive(Clone, Copy, Debug)]
pub struct Zeugma;

/// One unit is about a hash of 64 bytes; a certificate is about 2,500 of them.
const CERTIFICATE_COST: u64 = 2_500;

impl Family for Zeugma {
    const NUMBER: u16 = 2;
    const NAME: &'static str = "zeugma";
    const MAX_PROFILE: usize = Profile::LENGTH;
    const MAX_STATE: usize = State::MAX;
    const MAX_UPDATE: usize = MAX_HANDOVERS * MAX_PROOF;
    const MAX_EVIDENCE: usize = 2 * (Header::MAX + Certificate::LENGTH);
    const MAX_PROOF: usize = MAX_LEAF + 1 + 8 + 4 + 32 * MAX_INCLUSION;

    type Profile = Profile;
    type State = State;
    type Update = Update;
    type Evidence = Evidence;

    fn check_profile(profile: &Profile) -> Result<(), Refusal> {
        profile.check()
    }

    fn finality(_: &Profile) -> FinalityClass {
        FinalityClass::CommitteeQuorum
    }

    fn trusting_period(profile: &Profile) -> Span {
        profile.trusting_period
    }

    fn height(state: &State) -> Height {
        state.height
    }

    fn time(state: &State) -> BlockTime {
        state.time
    }

    fn trusted_height(_: &Update) -> Option<Height> {
        None
    }

    fn verify_update(
        profile: &Profile,
        trusted: &State,
        update: &Update,
        now: BlockTime,
    ) -> Result<State, Refusal> {
        let mut trust = Trust::of_key(profile.network, trusted.era, trusted.key.clone());
        for handover in &update.handovers {
            require_not_ahead(profile, &handover.header, now)?;
            trust.follow(handover.clone())?;
        }
        let present = trust.present();
        verify_certified(profile, present.era(), present.key(), &update.target, now)?;
        let state = State::of(&update.target.header, present.key().clone());
        require_grown(trusted, &state)?;
        Ok(state)
    }

    fn evidence_heights(_: &Evidence) -> [Option<Height>; 2] {
        [None, None]
    }

    fn verify_misbehaviour(
        profile: &Profile,
        trusted: [&State; 2],
        evidence: &Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        let [present, _] = trusted;
        for certified in [&evidence.one, &evidence.other] {
            verify_certified(profile, present.era, &present.key, certified, now)?;
        }
        let (one, other) = (&evidence.one.header, &evidence.other.header);
        let conflict = match one.height.cmp(&other.height) {
            core::cmp::Ordering::Equal => one.digest() != other.digest(),
            core::cmp::Ordering::Less => one.time >= other.time || one.outbox.size > other.outbox.size,
            core::cmp::Ordering::Greater => other.time >= one.time || other.outbox.size > one.outbox.size,
        };
        if !conflict {
            return Err(Refusal::new(Code::NoMisbehaviour));
        }
        Ok(Misbehaviour { height: one.height.min(other.height) })
    }

    fn verify_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        let said = verify_leaf(profile, state, Namespace::Ibc, path, proof, Code::NotProven)?;
        if said.leaf.value.as_bytes()[..] == *value {
            return Ok(());
        }
        Err(Refusal::new(Code::NotProven).found(*said.leaf.value.as_bytes()))
    }

    fn verify_non_membership(
        profile: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        verify_leaf(profile, state, Namespace::Closed, path, proof, Code::AbsenceNotProven).map(|_| ())
    }

    fn update_cost(bytes: usize) -> Cost {
        // A hand-over takes some 2,000 bytes, so that many certificates at most.
        let certificates = bytes as u64 / 2_000 + 1;
        Cost::new(certificates.saturating_mul(CERTIFICATE_COST).saturating_add(bytes as u64 / 64))
    }

    fn proof_cost(bytes: usize) -> Cost {
        Cost::new(bytes as u64 / 32 + 8)
    }
}

/// The header is of this network and era, not ahead of the clock, and certified by `key`.
fn verify_certified(
    profile: &Profile,
    era: zeugma_types::Era,
    key: &GroupKey,
    certified: &Certified,
    now: BlockTime,
) -> Result<(), Refusal> {
    let Certified { header, certificate } = certified;
    if header.network != profile.network {
        let (needed, found) = (*profile.network.as_bytes(), *header.network.as_bytes());
        return Err(Refusal::new(Code::WrongNetwork).needed(needed).found(found));
    }
    match header.era.cmp(&era) {
        core::cmp::Ordering::Equal => {}
        core::cmp::Ordering::Less => {
            return Err(Refusal::new(Code::RetiredEra).needed(era.get()).found(header.era.get()));
        }
        core::cmp::Ordering::Greater => {
            return Err(Refusal::new(Code::UnknownEra).needed(era.get()).found(header.era.get()));
        }
    }
    require_not_ahead(profile, header, now)?;
    if certificate.epoch != header.epoch {
        let (needed, found) = (header.epoch.get(), certificate.epoch.get());
        return Err(Refusal::new(Code::WrongEpoch).needed(needed).found(found));
    }
    certificate.verify(key, &header.network, &header.digest())
}

fn require_not_ahead(profile: &Profile, header: &Header, now: BlockTime) -> Result<(), Refusal> {
    match now.after(profile.drift) {
        Some(latest) if header.time >= latest => {
            Err(Refusal::new(Code::HeaderAhead).needed(latest.get()).found(header.time.get()))
        }
        _ => Ok(()),
    }
}

/// The outbox of the later of two headers has at least the leaves of the earlier, whichever is trusted.
///
/// Both are certified by keys of one line of hand-overs, so this is only broken by misbehaviour, which
/// evidence shows; neither outbox must be believed beside the other meanwhile.
fn require_grown(trusted: &State, state: &State) -> Result<(), Refusal> {
    let (needed, found) = (trusted.outbox.size, state.outbox.size);
    let holds = match state.height.cmp(&trusted.height) {
        core::cmp::Ordering::Less => found <= needed,
        core::cmp::Ordering::Equal => true,
        core::cmp::Ordering::Greater => found >= needed,
    };
    if holds {
        return Ok(());
    }
    Err(Refusal::new(Code::NotConsistent).needed(needed.get()).found(found.get()))
}

/// The leaf under `path` stands in the outbox of `state`.
fn verify_leaf(
    profile: &Profile,
    state: &State,
    namespace: Namespace,
    path: &MerklePath,
    proof: &[u8],
    refused: Code,
) -> Result<LeafProof, Refusal> {
    let said = LeafProof::from_bytes(proof)?;
    let [element] = path.elements() else {
        return Err(Refusal::new(Code::ProofShape).needed(1_u64).found(path.elements().len()));
    };
    if said.leaf.network != profile.network {
        let (needed, found) = (*profile.network.as_bytes(), *said.leaf.network.as_bytes());
        return Err(Refusal::new(Code::WrongNetwork).needed(needed).found(found));
    }
    if said.leaf.path != LeafPath::new(namespace, element)? {
        return Err(Refusal::new(refused));
    }
    // A header holds no leaf that was said after it.
    if said.leaf.height > state.height {
        return Err(Refusal::new(Code::LeafAhead).needed(state.height.get()).found(said.leaf.height.get()));
    }
    if said.leaf.time > state.time {
        return Err(Refusal::new(Code::LeafAhead).needed(state.time.get()).found(said.leaf.time.get()));
    }
    let suite = said.inclusion.suite;
    let root = state.outbox.root(suite)?;
    let (index, size) = (said.inclusion.index, state.outbox.size);
    let hash = said.leaf.hash(suite);
    verify_inclusion(suite, hash.as_bytes(), index, size, &said.inclusion.path, root)?;
    Ok(said)
}
