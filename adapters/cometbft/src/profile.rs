//! What never changes while a client of a CometBFT chain lives.
//!
//! Source: ICS-07, "Client state"; CometBFT `spec/light-client/verification`, [LCV-CONST-PARAM]; the
//! relation to the unbonding period is that of ibc-go's documentation.

use crate::header::MAX_CHAIN_ID;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::codec::put_bytes;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal, Span};

/// Least clock drift: honest clocks differ by less, and a shorter one would stop an honest chain.
pub const MIN_DRIFT: Span = Span::seconds(5);
/// Largest clock drift: a header further ahead would hold back those that follow it.
pub const MAX_DRIFT: Span = Span::seconds(40);

/// The part of the trusted power that must have signed a header further than the next one: more than
/// `numerator / denominator`.
///
/// At least a third, so that an honest validator is among them; a level of one trusts no skipping at
/// all, since no part is more than the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustLevel {
    numerator: u32,
    denominator: u32,
}

impl TrustLevel {
    /// More than a third: the default of the specification.
    pub const ONE_THIRD: Self = Self { numerator: 1, denominator: 3 };

    /// # Errors
    /// [`Code::BadProfile`] below a third or above one.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self, Refusal> {
        let (n, d) = (u64::from(numerator), u64::from(denominator));
        if d == 0 || n > d || 3 * n < d {
            return Err(Refusal::new(Code::BadProfile).needed("a trust level from 1/3 to 1"));
        }
        Ok(Self { numerator, denominator })
    }

    /// The number above the line.
    #[must_use]
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// The number below the line.
    #[must_use]
    pub const fn denominator(self) -> u32 {
        self.denominator
    }
}

/// How the application hash commits to keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// As the Cosmos SDK: an IAVL tree for each store, and a simple Merkle tree over the stores. A path
    /// has two elements, store and key.
    Cosmos,
    /// One simple Merkle tree over key and value. A path has one element.
    Simple,
    /// Not in a way ICS-23 knows, as CometBFT's own example: nothing can be proved.
    Opaque,
}

/// The canonical body of `CreateClient` for a CometBFT chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The chain's identifier, as each header and each vote carries it.
    pub chain_id: String,
    /// Which part of the trusted power lets a client skip headers.
    pub trust_level: TrustLevel,
    /// How long a header is trusted after its own time.
    pub trusting_period: Span,
    /// How long a validator's stake can be slashed after it left.
    pub unbonding_period: Span,
    /// How far a header's time may lie ahead of ours.
    pub max_drift: Span,
    /// How its store commits to keys.
    pub store: Store,
}

impl Profile {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 4 + MAX_CHAIN_ID + 8 + 3 * 8 + 1;

    /// Checks the relations between the fields.
    ///
    /// # Errors
    /// [`Code::BadProfile`] with the relation that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |relation| Err(Refusal::new(Code::BadProfile).needed(relation));
        if self.chain_id.is_empty() || self.chain_id.len() > MAX_CHAIN_ID {
            return bad("a chain identifier of 1 to 50 bytes");
        }
        if !self.chain_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return bad("a chain identifier of visible ASCII characters");
        }
        TrustLevel::new(self.trust_level.numerator, self.trust_level.denominator)?;
        if self.trusting_period == Span::ZERO {
            return bad("a trusting period above zero");
        }
        if 3 * u128::from(self.trusting_period.get()) > 2 * u128::from(self.unbonding_period.get()) {
            return bad("a trusting period of at most two thirds of the unbonding period");
        }
        if !(MIN_DRIFT..=MAX_DRIFT).contains(&self.max_drift) {
            return bad("a clock drift of 5 to 40 seconds");
        }
        if self.max_drift >= self.trusting_period {
            return bad("a clock drift below the trusting period");
        }
        Ok(())
    }

    /// The revision that the chain's identifier names: the number after its last dash, or 0.
    ///
    /// Heights of IBC carry it. A chain that restarts its heights takes another identifier, so it is
    /// another chain to this client, which then needs recovery.
    #[must_use]
    pub fn revision(&self) -> u64 {
        revision(&self.chain_id)
    }
}

/// The revision that a chain identifier names (ibc-go: `ParseChainID`).
#[must_use]
pub fn revision(chain_id: &str) -> u64 {
    let Some((name, digits)) = chain_id.rsplit_once('-') else { return 0 };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    match digits.parse() {
        Ok(revision) if plain && !name.is_empty() && !name.ends_with('-') => revision,
        _ => 0,
    }
}

impl Encode for Profile {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.chain_id.as_bytes());
        self.trust_level.numerator.encode(out);
        self.trust_level.denominator.encode(out);
        self.trusting_period.encode(out);
        self.unbonding_period.encode(out);
        self.max_drift.encode(out);
        out.push(match self.store {
            Store::Cosmos => 1,
            Store::Simple => 2,
            Store::Opaque => 3,
        });
    }
}

impl Decode for Profile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            chain_id: reader.text(MAX_CHAIN_ID)?,
            trust_level: TrustLevel::new(reader.u32()?, reader.u32()?)?,
            trusting_period: Span::decode(reader)?,
            unbonding_period: Span::decode(reader)?,
            max_drift: Span::decode(reader)?,
            store: match reader.u8()? {
                1 => Store::Cosmos,
                2 => Store::Simple,
                3 => Store::Opaque,
                tag => return Err(Refusal::new(Code::UnknownTag).needed(3_u64).found(tag)),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile {
            chain_id: "hub-4".into(),
            trust_level: TrustLevel::ONE_THIRD,
            trusting_period: Span::seconds(200),
            unbonding_period: Span::seconds(300),
            max_drift: Span::seconds(10),
            store: Store::Cosmos,
        }
    }

    #[test]
    fn the_relations_hold_at_their_ends_and_not_beyond() {
        assert!(profile().check().is_ok());
        let refused = |change: fn(&mut Profile)| {
            let mut changed = profile();
            change(&mut changed);
            assert_eq!(changed.check().unwrap_err().code, Code::BadProfile, "{changed:?}");
        };
        refused(|p| p.chain_id = "".into());
        refused(|p| p.chain_id = "x".repeat(51));
        refused(|p| p.chain_id = "two words".into());
        refused(|p| p.trusting_period = Span::ZERO);
        refused(|p| p.trusting_period = Span::millis(200_001));
        refused(|p| p.unbonding_period = Span::ZERO);
        refused(|p| p.max_drift = Span::millis(4_999));
        refused(|p| p.max_drift = Span::millis(40_001));
        refused(|p| (p.trusting_period, p.max_drift) = (Span::seconds(10), Span::seconds(10)));
    }

    #[test]
    fn a_trust_level_lies_between_a_third_and_one() {
        for (n, d) in [(1, 3), (2, 3), (1, 1), (u32::MAX, u32::MAX), (34, 100)] {
            assert!(TrustLevel::new(n, d).is_ok(), "{n}/{d}");
        }
        for (n, d) in [(0, 0), (1, 0), (0, 1), (33, 100), (4, 3), (1, 4), (1, u32::MAX)] {
            assert!(TrustLevel::new(n, d).is_err(), "{n}/{d}");
        }
    }

    #[test]
    fn the_revision_is_the_number_after_the_last_dash() {
        for (chain_id, expected) in [
            ("cosmoshub-4", 4),
            ("evmos_9001-2", 2),
            ("a-b-17", 17),
            ("testchain", 0),
            ("chain-", 0),
            ("-1", 0),
            ("chain--1", 0),
            ("chain-01", 0),
            ("chain-0", 0),
            ("chain-1a", 0),
            ("chain-+1", 0),
            ("chain-18446744073709551616", 0),
        ] {
            assert_eq!(revision(chain_id), expected, "{chain_id}");
        }
    }

    #[test]
    fn a_profile_encodes_as_it_was_read() {
        let bytes = profile().to_bytes();
        assert_eq!(Profile::from_bytes(&bytes).unwrap(), profile());
        assert!(bytes.len() <= Profile::MAX_BYTES);
    }
}
