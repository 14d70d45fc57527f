//! The seam with the types erased: bytes in, bytes out, for the ledger's table of families.

use crate::client::{Client, Status, Updated};
use crate::family::{Family, Misbehaviour};
use crate::path::MerklePath;
use alloc::vec::Vec;
use core::marker::PhantomData;
use zeugma_types::{BlockTime, Code, Cost, Decode, Encode, FinalityClass, Height, Refusal};

/// A client and, where one is new, a trusted state, both encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The encoded [`Client`].
    pub client: Vec<u8>,
    /// The height of the new trusted state and its encoding.
    pub state: (Height, Vec<u8>),
}

/// What an update did, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Keep the new state; forget the state of height `pruned`.
    Advanced {
        /// Client and new state.
        now: Erased,
        /// The state to forget.
        pruned: Option<Height>,
    },
    /// Nothing changes.
    Known,
    /// The client is frozen.
    Froze {
        /// The encoded client.
        client: Vec<u8>,
        /// Where two histories differ.
        misbehaviour: Misbehaviour,
    },
}

/// One family of chains, as the ledger sees it.
pub trait Adapter: Sync {
    /// Number in encodings.
    fn number(&self) -> u16;
    /// Name in words and metrics.
    fn name(&self) -> &'static str;

    /// Starts a client; see [`Client::create`].
    ///
    /// # Errors
    /// As [`Client::create`], and refusals of the 100s.
    fn create(&self, profile: &[u8], state: &[u8], now: BlockTime) -> Result<Erased, Refusal>;

    /// Height of the trusted state that an update starts from, so that the caller can read it.
    ///
    /// # Errors
    /// Refusals of the 100s.
    fn trusted_height(&self, client: &[u8], update: &[u8]) -> Result<Height, Refusal>;

    /// Moves a client; see [`Client::update`]. `known` gives the encoded state held at a height.
    ///
    /// # Errors
    /// As [`Client::update`], and refusals of the 100s.
    fn update(
        &self,
        client: &[u8],
        trusted: &[u8],
        known: &dyn Fn(Height) -> Option<Vec<u8>>,
        update: &[u8],
        now: BlockTime,
    ) -> Result<Transition, Refusal>;

    /// Heights of the trusted states that evidence starts from.
    ///
    /// # Errors
    /// Refusals of the 100s.
    fn evidence_heights(&self, client: &[u8], evidence: &[u8]) -> Result<[Height; 2], Refusal>;

    /// Freezes a client; see [`Client::submit_evidence`].
    ///
    /// # Errors
    /// As [`Client::submit_evidence`], and refusals of the 100s.
    fn submit_evidence(
        &self,
        client: &[u8],
        trusted: [&[u8]; 2],
        evidence: &[u8],
        now: BlockTime,
    ) -> Result<(Vec<u8>, Misbehaviour), Refusal>;

    /// What a client holds, in words the ledger understands.
    ///
    /// # Errors
    /// Refusals of the 100s.
    fn describe(&self, client: &[u8], now: BlockTime) -> Result<Described, Refusal>;

    /// The foreign chain's own time of a trusted state.
    ///
    /// # Errors
    /// Refusals of the 100s.
    fn state_time(&self, state: &[u8]) -> Result<BlockTime, Refusal>;

    /// Verifies a value in the foreign store; the caller has found the client active.
    ///
    /// # Errors
    /// As [`Family::verify_membership`], and refusals of the 100s.
    fn membership(
        &self,
        client: &[u8],
        state: &[u8],
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal>;

    /// Verifies an absence in the foreign store; the caller has found the client active.
    ///
    /// # Errors
    /// As [`Family::verify_non_membership`], and refusals of the 100s.
    fn non_membership(
        &self,
        client: &[u8],
        state: &[u8],
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal>;

    /// Work of verifying an update of this many bytes.
    fn update_cost(&self, bytes: usize) -> Cost;
    /// Work of verifying a store proof of this many bytes.
    fn proof_cost(&self, bytes: usize) -> Cost;
}

/// A client in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What can be done with it.
    pub status: Status,
    /// Height of the newest trusted state.
    pub latest: Height,
    /// The instant from which it is expired, if there is one.
    pub expires_at: Option<BlockTime>,
    /// Why its states are final.
    pub finality: FinalityClass,
}

/// The family `F` as an [`Adapter`].
#[derive(Clone, Copy, Debug)]
pub struct Of<F>(PhantomData<fn() -> F>);

impl<F> Of<F> {
    /// The adapter; it has no state.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<F> Default for Of<F> {
    fn default() -> Self {
        Self::new()
    }
}

fn bounded<T: Decode>(bytes: &[u8], bound: usize) -> Result<T, Refusal> {
    if bytes.len() > bound {
        return Err(Refusal::new(Code::TooLong).needed(bound).found(bytes.len()));
    }
    T::from_bytes(bytes)
}

fn require_proof(bytes: &[u8], bound: usize) -> Result<(), Refusal> {
    match bytes.len() {
        0 => Err(Refusal::new(Code::Empty)),
        length if length > bound => Err(Refusal::new(Code::TooLong).needed(bound).found(length)),
        _ => Ok(()),
    }
}

impl<F: Family> Of<F> {
    fn client(bytes: &[u8]) -> Result<Client<F::Profile>, Refusal> {
        Client::decode_with(bytes, F::MAX_PROFILE)
    }

    fn state(bytes: &[u8]) -> Result<F::State, Refusal> {
        bounded(bytes, F::MAX_STATE)
    }
}

impl<F: Family> Adapter for Of<F> {
    fn number(&self) -> u16 {
        F::NUMBER
    }

    fn name(&self) -> &'static str {
        F::NAME
    }

    fn create(&self, profile: &[u8], state: &[u8], now: BlockTime) -> Result<Erased, Refusal> {
        let trusted = Self::state(state)?;
        let client = Client::create::<F>(bounded(profile, F::MAX_PROFILE)?, &trusted, now)?;
        Ok(Erased { client: client.to_bytes(), state: (F::height(&trusted), state.into()) })
    }

    fn trusted_height(&self, client: &[u8], update: &[u8]) -> Result<Height, Refusal> {
        let named = F::trusted_height(&bounded(update, F::MAX_UPDATE)?);
        Ok(Self::client(client)?.start(named))
    }

    fn update(
        &self,
        client: &[u8],
        trusted: &[u8],
        known: &dyn Fn(Height) -> Option<Vec<u8>>,
        update: &[u8],
        now: BlockTime,
    ) -> Result<Transition, Refusal> {
        let mut client = Self::client(client)?;
        let known = |height| known(height).and_then(|bytes| Self::state(&bytes).ok());
        let update = bounded(update, F::MAX_UPDATE)?;
        Ok(match client.update::<F>(&Self::state(trusted)?, known, &update, now)? {
            Updated::Advanced { state, pruned } => Transition::Advanced {
                now: Erased { client: client.to_bytes(), state: (F::height(&state), state.to_bytes()) },
                pruned,
            },
            Updated::Known => Transition::Known,
            Updated::Froze(misbehaviour) => Transition::Froze { client: client.to_bytes(), misbehaviour },
        })
    }

    fn evidence_heights(&self, client: &[u8], evidence: &[u8]) -> Result<[Height; 2], Refusal> {
        let named = F::evidence_heights(&bounded(evidence, F::MAX_EVIDENCE)?);
        let client = Self::client(client)?;
        Ok(named.map(|height| client.start(height)))
    }

    fn submit_evidence(
        &self,
        client: &[u8],
        trusted: [&[u8]; 2],
        evidence: &[u8],
        now: BlockTime,
    ) -> Result<(Vec<u8>, Misbehaviour), Refusal> {
        let mut client = Self::client(client)?;
        let [one, other] = [Self::state(trusted[0])?, Self::state(trusted[1])?];
        let evidence = bounded(evidence, F::MAX_EVIDENCE)?;
        let misbehaviour = client.submit_evidence::<F>([&one, &other], &evidence, now)?;
        Ok((client.to_bytes(), misbehaviour))
    }

    fn describe(&self, client: &[u8], now: BlockTime) -> Result<Described, Refusal> {
        let client = Self::client(client)?;
        Ok(Described {
            status: client.status::<F>(now),
            latest: client.latest().height,
            expires_at: client.expires_at::<F>(),
            finality: F::finality(&client.profile),
        })
    }

    fn state_time(&self, state: &[u8]) -> Result<BlockTime, Refusal> {
        Self::state(state).map(|state| F::time(&state))
    }

    fn membership(
        &self,
        client: &[u8],
        state: &[u8],
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        if value.is_empty() {
            return Err(Refusal::new(Code::Empty));
        }
        require_proof(proof, F::MAX_PROOF)?;
        F::verify_membership(&Self::client(client)?.profile, &Self::state(state)?, path, value, proof)
    }

    fn non_membership(
        &self,
        client: &[u8],
        state: &[u8],
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        require_proof(proof, F::MAX_PROOF)?;
        F::verify_non_membership(&Self::client(client)?.profile, &Self::state(state)?, path, proof)
    }

    fn update_cost(&self, bytes: usize) -> Cost {
        F::update_cost(bytes)
    }

    fn proof_cost(&self, bytes: usize) -> Cost {
        F::proof_cost(bytes)
    }
}
