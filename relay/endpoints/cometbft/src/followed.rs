//! A light client that walks from a trusted state to a height: skipping as far as trust reaches, halving where it does
//! not.
//!
//! Every step is one [`Update`] that the adapter verified, so the list of them moves a client on a relay chain from the
//! same state by the same steps. The walk ends: each halving lies strictly between the trusted height and the goal, and
//! the header next to the trusted one needs no overlap; [`MAX_STEPS`] bounds what a hostile source can make of it.
//!
//! Source: CometBFT `spec/light-client/verification/verification_002_draft.md`, [LCV-FUNC-MAIN.2], [LCV-FUNC-SCHEDULE.1].

use crate::endpoint::{Endpoint, LightBlock, Source, StoreKey};
use crate::error::Error;
use std::collections::BTreeMap;
use zeugma_adapter_cometbft::{CometBft, Profile, Rules, State, Update, verify};
use zeugma_adapter_core::{Family as _, MerklePath};
use zeugma_crypto::tally::Rule;
use zeugma_types::{BlockTime, Code, Height, Refusal};

/// Most headers that one walk verifies. Halving over 2^32 heights of a set that changes at each takes fewer than this
/// for any gap in which trust lasts a few hundred sets.
pub const MAX_STEPS: usize = 512;

/// A chain, followed from a trusted state.
#[derive(Clone, Debug)]
pub struct Followed {
    profile: Profile,
    rules: Rules,
    trusted: State,
}

impl Followed {
    /// The chain of `profile`, trusted at `trusted`: what a relay chain's client already holds.
    ///
    /// # Errors
    /// [`Code::BadProfile`].
    pub fn new(profile: Profile, trusted: State) -> Result<Self, Refusal> {
        profile.check()?;
        Ok(Self { rules: Rules::of(&profile), profile, trusted })
    }

    /// The chain of `profile`, trusted at the header of `height` whose hash somebody trustworthy gave.
    ///
    /// # Errors
    /// [`Error`]; [`Code::WrongCommit`] when the source's header has another hash; [`Code::WrongChain`];
    /// [`Code::BadProfile`].
    pub fn begin(
        profile: Profile,
        source: &impl Source,
        height: Height,
        hash: [u8; 32],
    ) -> Result<Self, Error> {
        let refused =
            |refusal| Error::Refused { endpoint: source.name().to_owned(), refusal: Box::new(refusal) };
        let header = source.signed_header(height)?.header;
        let found = header.hash();
        if found != hash {
            return Err(refused(Refusal::new(Code::WrongCommit).needed(hash).found(found)));
        }
        if header.chain_id != profile.chain_id {
            let refusal = Refusal::new(Code::WrongChain).needed(profile.chain_id).found(header.chain_id);
            return Err(refused(refusal));
        }
        Self::new(profile, State::of(&header)).map_err(refused)
    }

    /// What never changes.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The rules of the profile.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The newest verified state.
    #[must_use]
    pub const fn trusted(&self) -> &State {
        &self.trusted
    }

    /// Walks to `target` and gives the steps, in order; none when it is not above the trusted height.
    ///
    /// # Errors
    /// [`Error`]; the client then stands where the last good step led, and the steps so far are lost: the caller
    /// walks a clone if it needs to start again from the same state.
    pub fn walk(
        &mut self,
        source: &impl Source,
        target: Height,
        now: BlockTime,
    ) -> Result<Vec<Update>, Error> {
        let mut steps = Vec::new();
        let mut goals = Vec::from([target]);
        let mut blocks = BTreeMap::new();
        let mut verified = 0_usize;
        while let Some(goal) = goals.last().copied() {
            if goal <= self.trusted.height {
                goals.pop();
                continue;
            }
            if verified == MAX_STEPS {
                return Err(Error::TooFar { bound: MAX_STEPS, target: target.get() });
            }
            verified += 1;
            let update = self.step(source, &mut blocks, goal)?;
            match verify::update(&self.rules, &self.trusted, &update, now) {
                Ok(state) => {
                    self.trusted = state;
                    steps.push(update);
                    goals.pop();
                }
                Err(refusal) if refusal.code == Code::TrustTooThin => goals.push(self.halfway(goal)),
                Err(refusal) => {
                    return Err(Error::Refused {
                        endpoint: source.name().to_owned(),
                        refusal: Box::new(refusal),
                    });
                }
            }
        }
        Ok(steps)
    }

    /// The light block of `height` as an update from the trusted state, not verified.
    ///
    /// # Errors
    /// What the source could not answer.
    pub(crate) fn update_to(&self, source: &impl Source, height: Height) -> Result<Update, Error> {
        self.step(source, &mut BTreeMap::new(), height)
    }

    fn step(
        &self,
        source: &impl Source,
        blocks: &mut BTreeMap<Height, LightBlock>,
        goal: Height,
    ) -> Result<Update, Error> {
        let mut fetch = |height: Height| match blocks.get(&height) {
            Some(block) => Ok(block.clone()),
            None => source.light_block(height).inspect(|block| {
                blocks.insert(height, block.clone());
            }),
        };
        let LightBlock { signed_header, validators } = fetch(goal)?;
        let next = self.trusted.height.next().unwrap_or(Height::MAX);
        let trusted_next = if next == goal { validators.clone() } else { source.validators(next)? };
        let mut update = Update::new(self.trusted.height, signed_header, validators, trusted_next);
        let level = self.rules.trust_level;
        update.lean(Rule::MoreThan { numerator: level.numerator(), denominator: level.denominator() });
        Ok(update)
    }

    /// Between the trusted height and a goal that is at least two above it: the next header is never too thin.
    fn halfway(&self, goal: Height) -> Height {
        let trusted = self.trusted.height.get();
        Height::new(trusted + (goal.get() - trusted) / 2)
    }

    /// What a store holds, proved under the trusted state: a value, or `None` where its absence is proved.
    ///
    /// # Errors
    /// [`Error`]; the adapter's refusal when the proof does not hold.
    pub fn read(&self, endpoint: &Endpoint, key: &StoreKey) -> Result<Option<Vec<u8>>, Error> {
        let refused =
            |refusal| Error::Refused { endpoint: endpoint.address().to_owned(), refusal: Box::new(refusal) };
        // The root of the state after a block is in the header one above.
        let before = self.trusted.height.previous().unwrap_or(Height::ZERO);
        let answer = endpoint.store(key, before)?;
        let path =
            MerklePath::new(Vec::from([key.store.clone().into_bytes(), key.key.clone()])).map_err(refused)?;
        if answer.value.is_empty() {
            CometBft::verify_non_membership(&self.profile, &self.trusted, &path, &answer.proof)
                .map_err(refused)?;
            return Ok(None);
        }
        CometBft::verify_membership(&self.profile, &self.trusted, &path, &answer.value, &answer.proof)
            .map_err(refused)?;
        Ok(Some(answer.value))
    }
}
