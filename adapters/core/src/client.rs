//! The one state machine around every family's predicates.
//!
//! A client is *Active*, *Frozen* or *Expired*. It stores trusted states by height, in an order in
//! which time does not shrink as height grows: a millisecond may hold two blocks of a chain that counts
//! in nanoseconds, so what is stricter than that is the family's to check. Two different states of one
//! height, both verified, are misbehaviour and freeze it; so does evidence. Expiry is computed, never
//! stored: a client is expired when its latest state's own time lies further back than the trusting
//! period.
//!
//! Source: ICS-02; ICS-07, "Validity predicate" and "Misbehaviour predicate"; ibc-go ADR-026.

use crate::family::{Family, Misbehaviour};
use alloc::vec::Vec;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{BlockTime, Code, Decode, Encode, Height, Reader, Refusal};

/// Trusted states a client keeps. The oldest goes first; a packet is proved against a recent one.
pub const MAX_STORED: usize = 128;

/// What can be done with a client now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Updates and proofs are verified.
    Active,
    /// Misbehaviour was shown: nothing is verified until recovery.
    Frozen,
    /// The latest state is too old to be trusted: nothing is verified until recovery.
    Expired,
}

impl Status {
    /// The word of the API and of metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Expired => "expired",
        }
    }
}

/// Why and when a client froze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The foreign height at which two histories differ.
    pub height: Height,
    /// Our time when it froze.
    pub at: BlockTime,
}

/// One trusted state that the client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The foreign height.
    pub height: Height,
    /// The foreign chain's own time.
    pub time: BlockTime,
    /// Our time when the state was verified.
    pub verified_at: BlockTime,
}

/// What the ledger keeps of one client; the trusted states lie beside it, by height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client<P> {
    /// What never changes while the client lives.
    pub profile: P,
    /// Set once misbehaviour was shown.
    pub frozen: Option<Frozen>,
    /// Ascending by height; time never shrinks; never empty, at most [`MAX_STORED`].
    stored: Vec<Stored>,
}

/// What an update did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updated<S> {
    /// A new state is trusted. `pruned` is the height whose state is to be forgotten.
    Advanced {
        /// The state to keep.
        state: S,
        /// The state to forget.
        pruned: Option<Height>,
    },
    /// The state of this height is already trusted and is the same: nothing changes.
    Known,
    /// Another state of a trusted height was verified: the client is frozen.
    Froze(Misbehaviour),
}

impl<P: Clone> Client<P> {
    /// Starts a client from a profile and the one state that is trusted without proof.
    ///
    /// # Errors
    /// [`Code::BadProfile`]; [`Code::ClientExpired`] or [`Code::HeaderAhead`] when the state's time
    /// does not suit `now`.
    pub fn create<F: Family<Profile = P>>(
        profile: P,
        state: &F::State,
        now: BlockTime,
    ) -> Result<Self, Refusal> {
        F::check_profile(&profile)?;
        let time = F::time(state);
        if time > now {
            return Err(Refusal::new(Code::HeaderAhead).needed(now.get()).found(time.get()));
        }
        let stored = Stored { height: F::height(state), time, verified_at: now };
        let client = Self { profile, frozen: None, stored: Vec::from([stored]) };
        client.require_active::<F>(now)?;
        Ok(client)
    }

    /// A client that holds `states`, ascending by height, for tests that start in the middle.
    #[cfg(feature = "testkit")]
    pub(crate) fn holding<F: Family<Profile = P>>(profile: P, states: &[F::State], now: BlockTime) -> Self {
        let stored = |state| Stored { height: F::height(state), time: F::time(state), verified_at: now };
        Self { profile, frozen: None, stored: states.iter().map(stored).collect() }
    }

    /// The newest trusted state.
    #[must_use]
    pub fn latest(&self) -> &Stored {
        self.stored.last().expect("a client starts with a state and never loses its last")
    }

    /// Every trusted state, ascending.
    #[must_use]
    pub fn stored(&self) -> &[Stored] {
        &self.stored
    }

    /// The trusted state of exactly this height.
    ///
    /// # Errors
    /// [`Code::NoStateAt`].
    pub fn stored_at(&self, height: Height) -> Result<&Stored, Refusal> {
        match self.stored.binary_search_by_key(&height, |stored| stored.height) {
            Ok(found) => Ok(&self.stored[found]),
            Err(_) => {
                Err(Refusal::new(Code::NoStateAt).needed(height.get()).found(self.latest().height.get()))
            }
        }
    }

    /// What can be done with the client at `now`.
    #[must_use]
    pub fn status<F: Family<Profile = P>>(&self, now: BlockTime) -> Status {
        if self.frozen.is_some() {
            return Status::Frozen;
        }
        match self.expires_at::<F>() {
            Some(end) if now >= end => Status::Expired,
            _ => Status::Active,
        }
    }

    /// The instant from which the client is expired, or `None` when it lies past the end of time.
    #[must_use]
    pub fn expires_at<F: Family<Profile = P>>(&self) -> Option<BlockTime> {
        self.latest().time.after(F::trusting_period(&self.profile))
    }

    /// # Errors
    /// [`Code::ClientFrozen`] or [`Code::ClientExpired`].
    pub fn require_active<F: Family<Profile = P>>(&self, now: BlockTime) -> Result<(), Refusal> {
        match self.status::<F>(now) {
            Status::Active => Ok(()),
            Status::Frozen => Err(Refusal::new(Code::ClientFrozen)),
            Status::Expired => Err(self.expired::<F>(self.latest(), now)),
        }
    }

    /// Moves the client by a verified update.
    ///
    /// `trusted` is the state of the height the update names; `known` is the state this client already
    /// holds at a given height, if any.
    ///
    /// # Errors
    /// [`Code::ClientFrozen`], [`Code::ClientExpired`], [`Code::NoStateAt`], or what the family refuses.
    pub fn update<F: Family<Profile = P>>(
        &mut self,
        trusted: &F::State,
        known: impl FnOnce(Height) -> Option<F::State>,
        update: &F::Update,
        now: BlockTime,
    ) -> Result<Updated<F::State>, Refusal> {
        self.require_active::<F>(now)?;
        self.require_trusted::<F>(self.start(F::trusted_height(update)), trusted, now)?;
        let state = F::verify_update(&self.profile, trusted, update, now)?;
        let height = F::height(&state);
        match self.stored.binary_search_by_key(&height, |stored| stored.height) {
            Ok(_) if known(height).as_ref() == Some(&state) => Ok(Updated::Known),
            Ok(_) => Ok(Updated::Froze(self.freeze(Misbehaviour { height }, now))),
            Err(place) => {
                if !self.time_fits(place, F::time(&state)) {
                    return Ok(Updated::Froze(self.freeze(Misbehaviour { height }, now)));
                }
                let stored = Stored { height, time: F::time(&state), verified_at: now };
                self.stored.insert(place, stored);
                let pruned = (self.stored.len() > MAX_STORED).then(|| self.stored.remove(0).height);
                Ok(Updated::Advanced { state, pruned })
            }
        }
    }

    /// Freezes the client by evidence that the family verifies against two trusted states.
    ///
    /// # Errors
    /// As [`Client::update`]; [`Code::NoMisbehaviour`].
    pub fn submit_evidence<F: Family<Profile = P>>(
        &mut self,
        trusted: [&F::State; 2],
        evidence: &F::Evidence,
        now: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        self.require_active::<F>(now)?;
        for (height, state) in F::evidence_heights(evidence).into_iter().zip(trusted) {
            self.require_trusted::<F>(self.start(height), state, now)?;
        }
        let misbehaviour = F::verify_misbehaviour(&self.profile, trusted, evidence, now)?;
        Ok(self.freeze(misbehaviour, now))
    }

    /// The height that `named` stands for: itself, or the latest.
    #[must_use]
    pub fn start(&self, named: Option<Height>) -> Height {
        named.unwrap_or(self.latest().height)
    }

    fn freeze(&mut self, misbehaviour: Misbehaviour, now: BlockTime) -> Misbehaviour {
        self.frozen = Some(Frozen { height: misbehaviour.height, at: now });
        misbehaviour
    }

    /// The state is the stored one of this height, and its own time is still within the trusting period.
    fn require_trusted<F: Family<Profile = P>>(
        &self,
        height: Height,
        state: &F::State,
        now: BlockTime,
    ) -> Result<(), Refusal> {
        let stored = self.stored_at(height)?;
        if F::height(state) != height {
            return Err(Refusal::new(Code::NoStateAt).needed(height.get()).found(F::height(state).get()));
        }
        match stored.time.after(F::trusting_period(&self.profile)) {
            Some(end) if now >= end => Err(self.expired::<F>(stored, now)),
            _ => Ok(()),
        }
    }

    fn expired<F: Family<Profile = P>>(&self, stored: &Stored, now: BlockTime) -> Refusal {
        let period = F::trusting_period(&self.profile);
        let age = now.since(stored.time).map_or(0, zeugma_types::Span::get);
        Refusal::new(Code::ClientExpired).needed(period.get()).found(age)
    }

    /// Whether a state of `time` at `place` keeps time from shrinking as height grows.
    fn time_fits(&self, place: usize, time: BlockTime) -> bool {
        let after_lower = place == 0 || self.stored[place - 1].time <= time;
        let before_upper = self.stored.get(place).is_none_or(|upper| time <= upper.time);
        after_lower && before_upper
    }
}

impl Encode for Stored {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.time.encode(out);
        self.verified_at.encode(out);
    }
}

impl Decode for Stored {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            height: Height::decode(reader)?,
            time: BlockTime::decode(reader)?,
            verified_at: BlockTime::decode(reader)?,
        })
    }
}

impl<P: Encode> Encode for Client<P> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.profile.to_bytes());
        put_option(out, self.frozen.as_ref(), |out, frozen| {
            frozen.height.encode(out);
            frozen.at.encode(out);
        });
        put_list(out, &self.stored, |out, stored| stored.encode(out));
    }
}

impl<P: Decode> Client<P> {
    /// Reads a client whose profile takes at most `max_profile` bytes.
    ///
    /// # Errors
    /// A refusal of the 100s; [`Code::NotSorted`] when the stored states do not ascend.
    pub fn decode_with(bytes: &[u8], max_profile: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let profile = P::from_bytes(reader.bytes(max_profile)?)?;
        let frozen =
            reader.option(|r| Ok(Frozen { height: Height::decode(r)?, at: BlockTime::decode(r)? }))?;
        let stored = reader.list(MAX_STORED, Stored::decode)?;
        reader.finish()?;
        if stored.is_empty() {
            return Err(Refusal::new(Code::Empty));
        }
        if stored.windows(2).any(|pair| pair[0].height >= pair[1].height || pair[0].time > pair[1].time) {
            return Err(Refusal::new(Code::NotSorted));
        }
        Ok(Self { profile, frozen, stored })
    }
}
