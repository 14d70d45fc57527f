//! What never changes while a client of an Ethereum chain lives.
//!
//! Source: consensus-specs `presets/mainnet/altair.yaml`, `configs/mainnet.yaml`,
//! `specs/phase0/weak-subjectivity.md`; solidity-ibc-eureka for the router's storage.

use crate::fork::Chain;
use crate::ssz::Root;
use alloc::vec::Vec;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal, Span};

/// Least clock drift: honest clocks differ by less, and a shorter one would stop an honest chain.
pub const MIN_DRIFT: Span = Span::seconds(1);
/// Largest clock drift: five slots of the main chain.
pub const MAX_DRIFT: Span = Span::seconds(60);

/// The canonical body of `CreateClient` for an Ethereum chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The consensus parameters.
    pub chain: Chain,
    /// The contract whose storage holds the commitments.
    pub router: [u8; 20],
    /// The slot of its mapping from the hash of an ICS-24 path to a commitment.
    pub commitments: Root,
    /// How long a header is trusted after its own time.
    pub trusting_period: Span,
    /// How long validators that left could not sign another history at no cost.
    pub weak_subjectivity_period: Span,
    /// How far a signature's slot may lie ahead of our clock.
    pub max_drift: Span,
}

impl Profile {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = Chain::MAX_BYTES + 20 + 32 + 3 * 8;

    /// Checks the relations between the fields.
    ///
    /// # Errors
    /// [`Code::BadProfile`] with the relation that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |relation| Err(Refusal::new(Code::BadProfile).needed(relation));
        self.chain.check()?;
        if self.router == [0; 20] {
            return bad("the address of a router");
        }
        if self.trusting_period == Span::ZERO {
            return bad("a trusting period above zero");
        }
        let [trusting, bound] =
            [self.trusting_period, self.weak_subjectivity_period].map(|span| u128::from(span.get()));
        if 3 * trusting > 2 * bound {
            return bad("a trusting period of at most two thirds of the weak subjectivity period");
        }
        if !(MIN_DRIFT..=MAX_DRIFT).contains(&self.max_drift) {
            return bad("a clock drift of 1 to 60 seconds");
        }
        if self.max_drift >= self.trusting_period {
            return bad("a clock drift below the trusting period");
        }
        Ok(())
    }
}

impl Encode for Profile {
    fn encode(&self, out: &mut Vec<u8>) {
        self.chain.encode(out);
        self.router.encode(out);
        self.commitments.encode(out);
        self.trusting_period.encode(out);
        self.weak_subjectivity_period.encode(out);
        self.max_drift.encode(out);
    }
}

impl Decode for Profile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            chain: Chain::decode(reader)?,
            router: reader.array()?,
            commitments: reader.array()?,
            trusting_period: Span::decode(reader)?,
            weak_subjectivity_period: Span::decode(reader)?,
            max_drift: Span::decode(reader)?,
        })
    }
}
