//! The one quorum tally: whether those who signed are enough, under the exact rule of their family.
//!
//! Every quorum of the product is counted here. A [`Set`] is not empty, names no member twice and
//! gives every member a weight above zero; a [`Tally`] counts each member once; only
//! [`Tally::finish`] makes a [`Quorum`], and only when the rule's inequality holds. The inequality is
//! evaluated on whole numbers of 128 bits, never on a rounded quotient: `n/3` is where other verifiers
//! lost their safety.
//!
//! The tally does not check signatures: whoever calls [`Tally::add`] has verified the member's
//! signature, or verifies all of them before it believes the quorum.
//!
//! | rule | inequality | families |
//! |---|---|---|
//! | [`Rule::TwoThirdsStrict`] | `3w > 2T` | CometBFT, GRANDPA, BEEFY, FISCO PBFT |
//! | [`Rule::TwoThirdsInclusive`] | `3w >= 2T` | QBFT, IBFT2, sync committees (`3k >= 2*512`) |
//! | [`Rule::OneThirdStrict`] | `3w > T` | a set trusted earlier, when headers are skipped |
//! | [`Rule::Simplex`] | `3(T - w) <= T - 1` | ours: at most `floor((n-1)/3)` members are missing |
//! | [`Rule::AtLeast`] | `w >= k` | m of n attesters |
//! | [`Rule::MoreThan`] | `w * denominator > T * numerator` | a trust level of a profile |
//!
//! A member of a set where every member counts the same has weight 1, so that `w` is the number of
//! signers and `T` the number of members.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal, Weight};

/// Members of the largest set: above every committee we follow, and `MAX_MEMBERS * u64::MAX` times the
/// largest factor of a rule stays below 2^128.
pub const MAX_MEMBERS: usize = 65_535;

/// The members of a committee, by position, each with its weight.
///
/// A set is never empty, no member stands in it twice, and the sum of its weights is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    weights: Vec<Weight>,
    total: u128,
}

impl Set {
    /// A set of members that are told apart by `key`.
    ///
    /// # Errors
    /// [`Code::EmptySet`], [`Code::TooMany`] above [`MAX_MEMBERS`], [`Code::RepeatedMember`] with the
    /// position of the second of two equal keys.
    pub fn new<K: Ord>(members: impl IntoIterator<Item = (K, Weight)>) -> Result<Self, Refusal> {
        let mut keys = BTreeSet::new();
        let mut weights = Vec::new();
        for (key, weight) in members {
            if weights.len() == MAX_MEMBERS {
                return Err(Refusal::new(Code::TooMany).needed(MAX_MEMBERS).found(MAX_MEMBERS + 1));
            }
            if !keys.insert(key) {
                return Err(Refusal::new(Code::RepeatedMember).found(weights.len()));
            }
            weights.push(weight);
        }
        Self::of(weights)
    }

    /// A set of `members` positions of weight 1.
    ///
    /// For groups whose members *are* positions: a sync committee may seat one key several times, and
    /// each seat counts.
    ///
    /// # Errors
    /// [`Code::EmptySet`], [`Code::TooMany`] above [`MAX_MEMBERS`].
    pub fn of_seats(members: usize) -> Result<Self, Refusal> {
        if members > MAX_MEMBERS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_MEMBERS).found(members));
        }
        Self::of(vec![Weight::ONE; members])
    }

    fn of(weights: Vec<Weight>) -> Result<Self, Refusal> {
        if weights.is_empty() {
            return Err(Refusal::new(Code::EmptySet));
        }
        let total = weights.iter().map(|weight| u128::from(weight.get())).sum();
        Ok(Self { weights, total })
    }

    /// Number of members, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Sum of the weights, at least 1.
    #[must_use]
    pub const fn total(&self) -> u128 {
        self.total
    }

    /// The weight of the member at `index`.
    ///
    /// # Errors
    /// [`Code::UnknownSigner`] past the end.
    pub fn weight(&self, index: usize) -> Result<Weight, Refusal> {
        let unknown = || Refusal::new(Code::UnknownSigner).needed(self.weights.len()).found(index);
        self.weights.get(index).copied().ok_or_else(unknown)
    }
}

/// When the weight `w` of the signers, out of the total `T`, is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `3w > 2T`.
    TwoThirdsStrict,
    /// `3w >= 2T`.
    TwoThirdsInclusive,
    /// `3w > T`.
    OneThirdStrict,
    /// `3(T - w) <= T - 1`, which is `w >= T - floor((T - 1) / 3)`.
    Simplex,
    /// `w >= k`.
    AtLeast(u64),
    /// `w * denominator > T * numerator`.
    MoreThan {
        /// Less than the denominator: see [`Rule::check`].
        numerator: u32,
        /// The whole.
        denominator: u32,
    },
}

impl Rule {
    /// Whether a part `found` of `total` is enough. `found` is not above `total`, and `total` not zero.
    ///
    /// Nobody is never a quorum, whatever the rule's numbers are.
    #[expect(clippy::int_plus_one, reason = "the inequality as the family states it")]
    const fn holds(self, found: u128, total: u128) -> bool {
        found > 0
            && match self {
                Self::TwoThirdsStrict => 3 * found > 2 * total,
                Self::TwoThirdsInclusive => 3 * found >= 2 * total,
                Self::OneThirdStrict => 3 * found > total,
                Self::Simplex => 3 * (total - found) <= total - 1,
                Self::AtLeast(k) => found >= k as u128,
                Self::MoreThan { numerator, denominator } => {
                    found * denominator as u128 > total * numerator as u128
                }
            }
    }

    /// The least weight that is enough. Only for people to read: no verdict depends on it.
    const fn least(self, total: u128) -> u128 {
        match self {
            Self::TwoThirdsStrict | Self::Simplex => 2 * total / 3 + 1,
            Self::TwoThirdsInclusive => (2 * total).div_ceil(3),
            Self::OneThirdStrict => total / 3 + 1,
            Self::AtLeast(0) => 1,
            Self::AtLeast(k) => k as u128,
            Self::MoreThan { numerator, denominator } => {
                match (total * numerator as u128).checked_div(denominator as u128) {
                    Some(quotient) => quotient + 1,
                    None => u128::MAX,
                }
            }
        }
    }

    /// Checks a rule that someone typed: all of `set` meet it, and nobody does not.
    ///
    /// A tally is safe without this check, but with such a rule it would never end, or end with one
    /// signer where the author meant something else.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for `AtLeast` outside 1 to the total of the set, and for `MoreThan` with a
    /// numerator that is not below its denominator.
    pub fn check(self, set: &Set) -> Result<(), Refusal> {
        match self {
            Self::AtLeast(k) if k == 0 || u128::from(k) > set.total => {
                Err(Refusal::new(Code::OutOfRange).needed(set.total).found(k))
            }
            Self::MoreThan { numerator, denominator } if numerator >= denominator => {
                Err(Refusal::new(Code::OutOfRange).needed(denominator).found(numerator))
            }
            _ => Ok(()),
        }
    }
}

/// A count in progress. Each member is counted once.
#[derive(Clone, Debug)]
pub struct Tally<'a> {
    set: &'a Set,
    rule: Rule,
    signed: Vec<bool>,
    weight: u128,
}

impl<'a> Tally<'a> {
    /// Starts a count of nobody.
    #[must_use]
    pub fn new(set: &'a Set, rule: Rule) -> Self {
        Self { set, rule, signed: vec![false; set.len()], weight: 0 }
    }

    /// Counts the member at `index`, whose signature the caller has verified.
    ///
    /// # Errors
    /// [`Code::UnknownSigner`] past the end of the set, [`Code::RepeatedSigner`] for a member counted
    /// already. The count is then as before.
    pub fn add(&mut self, index: usize) -> Result<(), Refusal> {
        let weight = self.set.weight(index)?;
        match self.signed.get_mut(index) {
            Some(signed) if !*signed => *signed = true,
            _ => return Err(Refusal::new(Code::RepeatedSigner).found(index)),
        }
        self.weight += u128::from(weight.get());
        Ok(())
    }

    /// Whether those counted so far are enough, so that further signatures need not be verified.
    #[must_use]
    pub const fn reached(&self) -> bool {
        self.rule.holds(self.weight, self.set.total())
    }

    /// The weight counted so far.
    #[must_use]
    pub const fn weight(&self) -> u128 {
        self.weight
    }

    /// Ends the count.
    ///
    /// # Errors
    /// [`Code::QuorumNotReached`] with the least weight that would have been enough and the weight found.
    pub fn finish(self) -> Result<Quorum, Refusal> {
        if !self.reached() {
            let needed = self.rule.least(self.set.total());
            return Err(Refusal::new(Code::QuorumNotReached).needed(needed).found(self.weight));
        }
        Ok(Quorum { rule: self.rule, signed: self.signed, weight: self.weight, total: self.set.total() })
    }
}

/// Shows that a set's signers met a rule. Only [`Tally::finish`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Quorum {
    rule: Rule,
    signed: Vec<bool>,
    weight: u128,
    total: u128,
}

impl Quorum {
    /// The rule that was met.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// The weight of the signers.
    #[must_use]
    pub const fn weight(&self) -> u128 {
        self.weight
    }

    /// The weight of the whole set.
    #[must_use]
    pub const fn total(&self) -> u128 {
        self.total
    }

    /// The positions of the signers, ascending.
    pub fn signers(&self) -> impl Iterator<Item = usize> + '_ {
        self.signed.iter().enumerate().filter_map(|(index, signed)| signed.then_some(index))
    }
}

#[cfg(test)]
mod tests;
