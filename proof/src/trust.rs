//! Which keys are believed, and for what.
//!
//! A *destination* accepts nothing under a retired key, at any height. A *court* accepts a retired key
//! only with a consistency proof into the outbox that the key's hand-over pinned. Both follow
//! hand-overs only under a key whose trusting period still runs: whoever calls [`Trust::follow`] under
//! a live clock checks that first ([`crate::TrustFile::at`] does, for a court).

use crate::body::{Body, Handover};
use crate::committee::{Committee, GroupKey};
use crate::file::Proof;
use crate::header::Outbox;
use crate::verify::{Expected, Proven, verify_decoded};
use alloc::vec::Vec;
use zeugma_types::{Code, Era, NetworkId, Refusal};

/// Who relies on the proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliance {
    /// Another chain: the present key only.
    Destination,
    /// A court: also retired keys, into what their hand-over pinned.
    Court,
}

/// Where an era's key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EraStanding {
    /// It certifies now.
    Present,
    /// Its trusting period is over and no hand-over is known: nothing is accepted under it.
    Expired,
    /// It handed over.
    Retired,
}

/// What an era's hand-over pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The outbox just before the hand-over's leaf.
    pub outbox: Outbox,
}

/// One era that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedEra {
    era: Era,
    key: GroupKey,
    committee: Option<Committee>,
    standing: EraStanding,
    pin: Option<Pin>,
}

impl TrustedEra {
    /// The era.
    #[must_use]
    pub const fn era(&self) -> Era {
        self.era
    }

    /// The key that certifies in it.
    #[must_use]
    pub const fn key(&self) -> &GroupKey {
        &self.key
    }

    /// The members behind the key, where they are known.
    #[must_use]
    pub const fn committee(&self) -> Option<&Committee> {
        self.committee.as_ref()
    }

    /// Where its key stands.
    #[must_use]
    pub const fn standing(&self) -> EraStanding {
        self.standing
    }

    /// What its hand-over pinned; `Some` exactly for a retired era.
    #[must_use]
    pub const fn pin(&self) -> Option<&Pin> {
        self.pin.as_ref()
    }

    fn present(era: Era, key: GroupKey, committee: Option<Committee>) -> Self {
        Self { era, key, committee, standing: EraStanding::Present, pin: None }
    }
}

/// The keys of one network that are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    network: NetworkId,
    reliance: Reliance,
    /// Consecutive, ascending, never empty; all but the last are retired.
    eras: Vec<TrustedEra>,
}

impl Trust {
    /// Believes `committee` as the present one, of `era`.
    #[must_use]
    pub fn new(network: NetworkId, reliance: Reliance, era: Era, committee: Committee) -> Self {
        let present = TrustedEra::present(era, committee.group_key.clone(), Some(committee));
        Self { network, reliance, eras: Vec::from([present]) }
    }

    /// Believes `key` as the present one, of `era`, as a destination that keeps nothing else of the
    /// committee: second seals are then refused.
    #[must_use]
    pub fn of_key(network: NetworkId, era: Era, key: GroupKey) -> Self {
        let present = TrustedEra::present(era, key, None);
        Self { network, reliance: Reliance::Destination, eras: Vec::from([present]) }
    }

    /// Adds the next era, whose key took over where `pin` says.
    ///
    /// # Errors
    /// [`Code::NotNextEra`] unless it follows the present era.
    pub fn succeed(&mut self, era: Era, committee: Committee, pin: Pin) -> Result<(), Refusal> {
        let present = self.eras.last_mut().expect("there is always an era");
        if present.era.next() != Some(era) {
            return Err(Refusal::new(Code::NotNextEra)
                .needed(present.era.get().wrapping_add(1))
                .found(era.get()));
        }
        present.standing = EraStanding::Retired;
        present.pin = Some(pin);
        self.eras.push(TrustedEra::present(era, committee.group_key.clone(), Some(committee)));
        Ok(())
    }

    /// Marks the present key as too old to be believed: its committee may have handed over since.
    pub fn expire(&mut self) {
        self.eras.last_mut().expect("there is always an era").standing = EraStanding::Expired;
    }

    /// Follows the hand-over that `proof` shows, to the next era.
    ///
    /// # Errors
    /// As [`crate::verify()`]; [`Code::WrongPath`] for a leaf of another kind, [`Code::OpeningMissing`],
    /// [`Code::NotNextEra`], [`Code::NotEraEnd`].
    pub fn follow(&mut self, proof: Proof) -> Result<Proven, Refusal> {
        let proven = verify_decoded(proof, self, Expected::default())?;
        let handover = match proven.body() {
            Some(Body::Handover(handover)) => handover.clone(),
            Some(_) => return Err(Refusal::new(Code::WrongPath).needed("handover")),
            None => return Err(Refusal::new(Code::OpeningMissing)),
        };
        self.adopt(&proven, handover)?;
        Ok(proven)
    }

    fn adopt(&mut self, proven: &Proven, handover: Handover) -> Result<(), Refusal> {
        if proven.era_standing() != EraStanding::Present {
            return Err(Refusal::new(Code::RetiredEra).found(proven.era().get()));
        }
        let (index, pinned) = (proven.index(), handover.outbox.size);
        if index.get() != pinned.get() || handover.height != proven.leaf().height {
            return Err(Refusal::new(Code::NotEraEnd).needed(pinned.get()).found(index.get()));
        }
        self.succeed(handover.era, handover.committee, Pin { outbox: handover.outbox })
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &NetworkId {
        &self.network
    }

    /// The known eras, ascending; the last is the present one.
    #[must_use]
    pub fn eras(&self) -> &[TrustedEra] {
        &self.eras
    }

    /// The present era.
    #[must_use]
    pub fn present(&self) -> &TrustedEra {
        self.eras.last().expect("there is always an era")
    }

    /// The era, if a proof under its key can be accepted at all.
    pub(crate) fn accepted(&self, era: Era) -> Result<&TrustedEra, Refusal> {
        let Some(known) = self.eras.iter().find(|known| known.era == era) else {
            return Err(Refusal::new(Code::UnknownEra).needed(self.present().era.get()).found(era.get()));
        };
        match (known.standing, self.reliance) {
            (EraStanding::Present, _) | (EraStanding::Retired, Reliance::Court) => Ok(known),
            (EraStanding::Retired, Reliance::Destination) => {
                Err(Refusal::new(Code::RetiredEra).needed(self.present().era.get()).found(era.get()))
            }
            (EraStanding::Expired, _) => Err(Refusal::new(Code::TrustExpired).found(era.get())),
        }
    }
}
