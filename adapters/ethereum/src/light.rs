//! The consensus light client: which updates are believed, and what they change.
//!
//! [`verify`] holds every rule about one update against what is trusted. It is the one function that our
//! clients and [`Store`] use; what differs is the [`Policy`].
//!
//! | | [`Policy::Bridge`] | [`Policy::Specification`] |
//! |---|---|---|
//! | signers of an update | two thirds of the seats: 342 of 512 | one seat |
//! | what is believed | finalized headers | finalized headers from two thirds on; heads from half of the recent participation on |
//! | without finality for a period | nothing moves | the best update is applied by force |
//!
//! A sync committee is not slashed for what it signs, so its signature is worth what its members have to
//! lose elsewhere: whoever sets limits on value should know it.
//!
//! Source: consensus-specs `specs/altair/light-client/sync-protocol.md`.

use crate::committee::{Committee, Keys, Memory};
use crate::container::{Bootstrap, LightUpdate};
use crate::fork::Chain;
use crate::header::{BeaconHeader, LightHeader};
use crate::ssz::{self, Root, ZERO};
use alloc::sync::Arc;
use zeugma_crypto::tally::{Rule, Set, Tally};
use zeugma_types::{Code, Refusal};

/// Who may be believed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// What carries value: only what two thirds of a committee signed as finalized, and nothing by force.
    Bridge,
    /// The specification's own: one participant makes an update valid; the caller may force an update.
    Specification,
}

impl Policy {
    /// The rule that the signers of an update meet.
    #[must_use]
    pub const fn quorum(self) -> Rule {
        match self {
            Self::Bridge => Rule::TwoThirdsInclusive,
            Self::Specification => Rule::AtLeast(1),
        }
    }
}

/// What is trusted before an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// Slot of the finalized header.
    pub slot: u64,
    /// Root of the committee of its period.
    pub current: Root,
    /// Root of the committee of the next period, when it is known.
    pub next: Option<Root>,
}

/// What [`verify`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Root of the next committee that the update brings.
    pub next: Option<Root>,
    /// Slot of the finalized header that the update brings; 0 when it brings none.
    pub finalized_slot: u64,
}

/// Verifies one update, signed by `committee`, at `current_slot`.
///
/// The order of checks: what costs nothing, then branches, then the signature. An update that only a later
/// moment or another update can make right is refused as *not yet*.
///
/// # Errors
/// [`Code::QuorumNotReached`]; [`Code::BadHeader`] for slots out of order; [`Code::HeaderAhead`];
/// [`Code::CommitteeUnknown`] for a period that is not known yet; [`Code::WrongMembers`] for another
/// committee than the period's; [`Code::NotNewer`]; [`Code::WrongNextMembers`]; [`Code::ProofShape`] and
/// [`Code::NotIncluded`] for branches; [`Code::BadKey`], [`Code::BadSignature`].
pub fn verify(
    chain: &Chain,
    policy: Policy,
    trusted: &Trusted,
    update: &LightUpdate,
    committee: &Committee,
    current_slot: u64,
    memory: &mut Memory,
) -> Result<Verified, Refusal> {
    verify_for(Purpose::Follow, chain, policy, (trusted, committee), update, current_slot, memory)
}

/// What an update is verified for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be believed.
    Follow,
    /// To show that it was signed, though it may contradict what is trusted.
    Accuse,
}

/// As [`verify`], of what is trusted and of the committee that signed.
pub(crate) fn verify_for(
    purpose: Purpose,
    chain: &Chain,
    policy: Policy,
    (trusted, committee): (&Trusted, &Committee),
    update: &LightUpdate,
    current_slot: u64,
    memory: &mut Memory,
) -> Result<Verified, Refusal> {
    require_signers(chain, policy, update)?;
    let found = require_slots(update)?;
    let root = require_committee(chain, trusted, update, committee, memory)?;

    let attested_period = chain.period(update.attested.beacon.slot);
    let trusted_period = chain.period(trusted.slot);
    let brings_unknown_next =
        trusted.next.is_none() && update.next.is_some() && attested_period == trusted_period;
    if update.attested.beacon.slot <= trusted.slot && !brings_unknown_next {
        let older = Refusal::new(Code::NotNewer).needed(trusted.slot);
        return Err(older.found(update.attested.beacon.slot));
    }

    update.attested.check(chain)?;
    let indices = chain.fork(update.attested.beacon.slot)?.fork.indices();
    let state_root = &update.attested.beacon.state_root;
    if let Some((header, branch)) = &update.finality {
        // The checkpoint of genesis is the root of nothing, and its header is the empty one.
        let leaf = if header.beacon.slot == 0 {
            require_empty(&header.beacon)?;
            ZERO
        } else {
            header.check(chain)?;
            header.beacon.root()
        };
        ssz::verify(&leaf, branch, indices.finalized, state_root)?;
    }
    let next = match &update.next {
        None => None,
        Some((next, branch)) => {
            require_seats(chain, next)?;
            let next = memory.root(next);
            if let Some(known) = trusted.next
                && attested_period == trusted_period
                && next != known
                && purpose == Purpose::Follow
            {
                return Err(Refusal::new(Code::WrongNextMembers).needed(known).found(next));
            }
            ssz::verify(&next, branch, indices.next, state_root)?;
            Some(next)
        }
    };

    if current_slot < update.signature_slot {
        let ahead = Refusal::new(Code::HeaderAhead).needed(current_slot);
        return Err(ahead.found(update.signature_slot));
    }
    let message = chain.signing_root(&update.attested.beacon.root(), update.signature_slot)?;
    memory.keys(committee, root)?.verify(&update.signed, &message, &update.signature)?;
    Ok(Verified { next, finalized_slot: found })
}

/// As many seats signed as the policy asks for.
fn require_signers(chain: &Chain, policy: Policy, update: &LightUpdate) -> Result<(), Refusal> {
    let seats = Set::of_seats(usize::try_from(chain.committee_size).unwrap_or(usize::MAX))?;
    if update.signed.len() != seats.len() {
        return Err(Refusal::new(Code::UnknownSigner).needed(seats.len()).found(update.signed.len()));
    }
    let mut tally = Tally::new(&seats, policy.quorum());
    for (seat, _) in update.signed.iter().enumerate().filter(|(_, signed)| **signed) {
        tally.add(seat)?;
    }
    tally.finish().map(|_| ())
}

/// `signature_slot > attested_slot >= finalized_slot`; gives the last.
fn require_slots(update: &LightUpdate) -> Result<u64, Refusal> {
    let attested = update.attested.beacon.slot;
    let finalized = update.finality.as_ref().map_or(0, |(header, _)| header.beacon.slot);
    let disorder =
        |rule: &'static str, found: u64| Err(Refusal::new(Code::BadHeader).needed(rule).found(found));
    if update.signature_slot <= attested {
        return disorder("a signature in a later slot than its header", update.signature_slot);
    }
    if attested < finalized {
        return disorder("a finalized header that is not later than the attested one", finalized);
    }
    Ok(finalized)
}

/// The committee is that of the signature's period; gives its root.
fn require_committee(
    chain: &Chain,
    trusted: &Trusted,
    update: &LightUpdate,
    committee: &Committee,
    memory: &Memory,
) -> Result<Root, Refusal> {
    let (trusted_period, period) = (chain.period(trusted.slot), chain.period(update.signature_slot));
    let expected = match period.checked_sub(trusted_period) {
        None => return Err(Refusal::new(Code::NotNewer).needed(trusted_period).found(period)),
        Some(0) => Some(trusted.current),
        Some(1) => trusted.next,
        Some(_) => None,
    };
    let known = trusted_period + u64::from(trusted.next.is_some());
    let expected =
        expected.ok_or_else(|| Refusal::new(Code::CommitteeUnknown).needed(known).found(period))?;
    require_seats(chain, committee)?;
    let found = memory.root(committee);
    if found != expected {
        return Err(Refusal::new(Code::WrongMembers).needed(expected).found(found));
    }
    Ok(found)
}

fn require_seats(chain: &Chain, committee: &Committee) -> Result<(), Refusal> {
    if u32::try_from(committee.seats()) == Ok(chain.committee_size) {
        return Ok(());
    }
    Err(Refusal::new(Code::WrongMembers).needed(chain.committee_size).found(committee.seats()))
}

fn require_empty(header: &BeaconHeader) -> Result<(), Refusal> {
    if *header == BeaconHeader::default() {
        return Ok(());
    }
    Err(Refusal::new(Code::BadHeader).needed("the empty header for the checkpoint of genesis"))
}

/// What a light client keeps (`LightClientStore`).
#[derive(Clone, Debug)]
pub struct Store {
    chain: Chain,
    policy: Policy,
    finalized: LightHeader,
    optimistic: LightHeader,
    current: Arc<Keys>,
    current_committee: Committee,
    next: Option<Committee>,
    best: Option<LightUpdate>,
    /// Most participants seen in the period before and in this one.
    most: [usize; 2],
}

impl Store {
    /// Starts from the header of this root, which the caller trusts.
    ///
    /// # Errors
    /// [`Code::WrongChain`] for a bootstrap of another header; what [`LightHeader::check`] refuses;
    /// [`Code::NotIncluded`] for another committee; [`Code::BadKey`].
    pub fn start(
        chain: &Chain,
        policy: Policy,
        trusted_root: &Root,
        bootstrap: &Bootstrap,
        memory: &mut Memory,
    ) -> Result<Self, Refusal> {
        let found = bootstrap.header.beacon.root();
        if found != *trusted_root {
            return Err(Refusal::new(Code::WrongChain).needed(*trusted_root).found(found));
        }
        let root = verify_bootstrap(chain, bootstrap)?;
        Ok(Self {
            chain: chain.clone(),
            policy,
            finalized: bootstrap.header.clone(),
            optimistic: bootstrap.header.clone(),
            current: memory.keys(&bootstrap.committee, root)?,
            current_committee: bootstrap.committee.clone(),
            next: None,
            best: None,
            most: [0; 2],
        })
    }

    /// The newest finalized header.
    #[must_use]
    pub const fn finalized(&self) -> &LightHeader {
        &self.finalized
    }

    /// The newest header that is likely to be finalized.
    #[must_use]
    pub const fn optimistic(&self) -> &LightHeader {
        &self.optimistic
    }

    /// The committee of the finalized header's period.
    #[must_use]
    pub const fn current(&self) -> &Committee {
        &self.current_committee
    }

    /// The committee of the period after it, once it is known.
    #[must_use]
    pub const fn next(&self) -> Option<&Committee> {
        self.next.as_ref()
    }

    /// What an update is verified against.
    #[must_use]
    pub fn trusted(&self) -> Trusted {
        Trusted {
            slot: self.finalized.beacon.slot,
            current: *self.current.root(),
            next: self.next.as_ref().map(Committee::root),
        }
    }

    /// Verifies an update at `current_slot` and applies it as far as the policy goes
    /// (`process_light_client_update`).
    ///
    /// # Errors
    /// As [`verify`]; by [`Policy::Bridge`] also [`Code::NotUnderstood`] for an update without finality.
    pub fn process(
        &mut self,
        update: &LightUpdate,
        current_slot: u64,
        memory: &mut Memory,
    ) -> Result<(), Refusal> {
        if self.policy == Policy::Bridge && update.finality.is_none() {
            return Err(Refusal::new(Code::NotUnderstood).needed("a finalized header"));
        }
        let committee = self.committee_of(update);
        let trusted = self.trusted();
        let verified = verify(&self.chain, self.policy, &trusted, update, committee, current_slot, memory)?;

        let participants = update.participants();
        if self.best.as_ref().is_none_or(|best| is_better(&self.chain, update, best)) {
            self.best = Some(update.clone());
        }
        self.most[1] = self.most[1].max(participants);
        let safe = self.most[0].max(self.most[1]) / 2;
        if participants > safe && update.attested.beacon.slot > self.optimistic.beacon.slot {
            self.optimistic = update.attested.clone();
        }
        let brings_final_next = self.next.is_none()
            && verified.next.is_some()
            && update.finality.is_some()
            && self.chain.period(verified.finalized_slot) == self.chain.period(update.attested.beacon.slot);
        let two_thirds = 3 * participants >= 2 * update.signed.len();
        if two_thirds && (verified.finalized_slot > trusted.slot || brings_final_next) {
            self.apply(update, memory)?;
            self.best = None;
        }
        Ok(())
    }

    /// Applies the best update seen when nothing was finalized for a whole period
    /// (`process_light_client_store_force_update`). Whether that happened.
    ///
    /// # Errors
    /// [`Code::NotUnderstood`] by [`Policy::Bridge`], which never does it; what applying refuses.
    pub fn force(&mut self, current_slot: u64, memory: &mut Memory) -> Result<bool, Refusal> {
        if self.policy == Policy::Bridge {
            return Err(Refusal::new(Code::NotUnderstood).needed("the specification's policy"));
        }
        let timeout = self.finalized.beacon.slot.saturating_add(self.chain.slots_per_period());
        if current_slot <= timeout {
            return Ok(false);
        }
        let Some(mut best) = self.best.take() else { return Ok(false) };
        let finalized = best.finality.as_ref().map_or(0, |(header, _)| header.beacon.slot);
        if finalized <= self.finalized.beacon.slot {
            let branch = best.finality.take().map(|(_, branch)| branch).unwrap_or_default();
            best.finality = Some((best.attested.clone(), branch));
        }
        self.apply(&best, memory)?;
        Ok(true)
    }

    /// The committee of the update's period, or the current one where no committee is known.
    fn committee_of(&self, update: &LightUpdate) -> &Committee {
        let later = self.chain.period(update.signature_slot) > self.chain.period(self.finalized.beacon.slot);
        match &self.next {
            Some(next) if later => next,
            _ => &self.current_committee,
        }
    }

    /// `apply_light_client_update`: the update was verified.
    fn apply(&mut self, update: &LightUpdate, memory: &mut Memory) -> Result<(), Refusal> {
        let Some((header, _)) = &update.finality else { return Ok(()) };
        let (period, finalized) =
            (self.chain.period(self.finalized.beacon.slot), self.chain.period(header.beacon.slot));
        let brought = update.next.as_ref().map(|(next, _)| next.clone());
        match &self.next {
            None if finalized != period => {
                return Err(Refusal::new(Code::CommitteeUnknown).needed(period).found(finalized));
            }
            None => self.next = brought,
            Some(next) if finalized == period + 1 => {
                let root = memory.root(next);
                self.current = memory.keys(next, root)?;
                self.current_committee = next.clone();
                self.next = brought;
                self.most = [self.most[1], 0];
            }
            Some(_) => {}
        }
        if header.beacon.slot > self.finalized.beacon.slot {
            self.finalized = header.clone();
            if self.finalized.beacon.slot > self.optimistic.beacon.slot {
                self.optimistic = self.finalized.clone();
            }
        }
        Ok(())
    }
}

/// Verifies that a bootstrap's committee is that of its header; gives the committee's root. Whether the
/// header is trusted is the caller's to know.
///
/// # Errors
/// As [`LightHeader::check`]; [`Code::WrongMembers`], [`Code::NotIncluded`].
pub fn verify_bootstrap(chain: &Chain, bootstrap: &Bootstrap) -> Result<Root, Refusal> {
    bootstrap.header.check(chain)?;
    require_seats(chain, &bootstrap.committee)?;
    let root = bootstrap.committee.root();
    let beacon = &bootstrap.header.beacon;
    let index = chain.fork(beacon.slot)?.fork.indices().current;
    ssz::verify(&root, &bootstrap.branch, index, &beacon.state_root)?;
    Ok(root)
}

/// Which of two updates of one period serves a light client better (`is_better_update`).
#[must_use]
pub fn is_better(chain: &Chain, new: &LightUpdate, old: &LightUpdate) -> bool {
    let most = new.signed.len();
    let many = [new, old].map(LightUpdate::participants);
    let [new_super, old_super] = many.map(|count| 3 * count >= 2 * most);
    if new_super != old_super {
        return new_super;
    }
    if !new_super && many[0] != many[1] {
        return many[0] > many[1];
    }
    let criteria = [new, old].map(|update| {
        let attested = chain.period(update.attested.beacon.slot);
        let next = update.next.is_some() && attested == chain.period(update.signature_slot);
        let finality = update.finality.as_ref().map(|(header, _)| header.beacon.slot);
        // The period of finality counts only where there is finality at all.
        (next, finality.is_some(), finality.is_some_and(|slot| chain.period(slot) == attested))
    });
    if criteria[0] != criteria[1] {
        return criteria[0] > criteria[1];
    }
    if many[0] != many[1] {
        return many[0] > many[1];
    }
    let age = |update: &LightUpdate| (update.attested.beacon.slot, update.signature_slot);
    age(new) < age(old)
}
