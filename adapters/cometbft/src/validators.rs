//! Validators and the set of them that one header names.
//!
//! Guaranteed: a set is not empty, names no key twice, every power is at least 1, and the powers sum to
//! at most [`MAX_TOTAL_POWER`]. A set is encoded as its `SimpleValidator`s, which are exactly the leaves
//! of its hash: nothing is carried that the hash does not commit to.
//!
//! Source: CometBFT `spec/core/data_structures.md`, "ValidatorSet", "SimpleValidator";
//! `types/validator_set.go` (the largest total is an eighth of the largest int64).

use crate::key::{Address, PublicKey};
use crate::merkle;
use crate::proto::{self, Fields};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use zeugma_crypto::tally::Set;
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal, Weight};

/// Validators of the largest set: the largest public networks have 200.
pub const MAX_VALIDATORS: usize = 512;
/// Largest sum of powers, as CometBFT bounds it.
pub const MAX_TOTAL_POWER: u64 = i64::MAX.cast_unsigned() / 8;

/// One validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Its key.
    pub key: PublicKey,
    /// Its voting power.
    pub power: Weight,
}

impl Validator {
    /// Longest `SimpleValidator`, in bytes.
    pub const MAX_BYTES: usize = 2 + PublicKey::MAX_BYTES + 11;

    /// Reads a `SimpleValidator`.
    ///
    /// # Errors
    /// As [`Fields`] and [`PublicKey::decode`]; as [`power`].
    pub fn decode_simple(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let key = PublicKey::decode(fields.required(1, PublicKey::MAX_BYTES)?)?;
        let power = power(fields.int64(2)?)?;
        fields.finish()?;
        Ok(Self { key, power })
    }

    /// The `SimpleValidator`: a leaf of the set's hash.
    #[must_use]
    pub fn to_simple(&self) -> Vec<u8> {
        let mut out = Vec::new();
        proto::put_message(&mut out, 1, |out| self.key.encode(out));
        proto::put_uint64(&mut out, 2, self.power.get());
        out
    }
}

/// A voting power read from protobuf or JSON.
///
/// # Errors
/// [`Code::OutOfRange`] for a negative power or one above [`MAX_TOTAL_POWER`], [`Code::ZeroWeight`].
pub fn power(number: i64) -> Result<Weight, Refusal> {
    match u64::try_from(number) {
        Ok(power) if power <= MAX_TOTAL_POWER => Weight::new(power),
        Ok(power) => Err(Refusal::new(Code::OutOfRange).needed(MAX_TOTAL_POWER).found(power)),
        Err(_) => Err(Refusal::new(Code::OutOfRange).needed("a positive power").found("a negative one")),
    }
}

/// The validators of one height, in the chain's own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
    weights: Set,
}

impl ValidatorSet {
    /// # Errors
    /// [`Code::EmptySet`], [`Code::TooMany`] above [`MAX_VALIDATORS`], [`Code::RepeatedMember`],
    /// [`Code::OutOfRange`] for a total above [`MAX_TOTAL_POWER`].
    pub fn new(validators: Vec<Validator>) -> Result<Self, Refusal> {
        if validators.len() > MAX_VALIDATORS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_VALIDATORS).found(validators.len()));
        }
        let weights = Set::new(validators.iter().map(|each| (each.key, each.power)))?;
        if weights.total() > u128::from(MAX_TOTAL_POWER) {
            return Err(Refusal::new(Code::OutOfRange).needed(MAX_TOTAL_POWER).found(weights.total()));
        }
        Ok(Self { validators, weights })
    }

    /// The validators in the order in which CometBFT keeps them: by power, largest first, then by address.
    ///
    /// For sources that give them in another order: only this one has the hash that headers name.
    ///
    /// # Errors
    /// As [`ValidatorSet::new`].
    pub fn sorted(mut validators: Vec<Validator>) -> Result<Self, Refusal> {
        validators.sort_by_cached_key(|each| (core::cmp::Reverse(each.power), each.key.address()));
        Self::new(validators)
    }

    /// The validators; at least one.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// Their powers, to be tallied.
    #[must_use]
    pub const fn weights(&self) -> &Set {
        &self.weights
    }

    /// The hash that headers name.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let leaves: Vec<_> = self.validators.iter().map(Validator::to_simple).collect();
        merkle::root(&leaves)
    }

    /// Where each key stands.
    #[must_use]
    pub fn positions(&self) -> BTreeMap<PublicKey, usize> {
        self.validators.iter().enumerate().map(|(index, each)| (each.key, index)).collect()
    }

    /// Where each address stands.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        self.validators.iter().map(|each| each.key.address()).collect()
    }
}

impl Encode for ValidatorSet {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.validators, |out, each| put_bytes(out, &each.to_simple()));
    }
}

impl Decode for ValidatorSet {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let simple = |r: &mut Reader<'_>| Validator::decode_simple(r.bytes(Validator::MAX_BYTES)?);
        Self::new(reader.list(MAX_VALIDATORS, simple)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn validator(n: u8, power: u64) -> Validator {
        Validator { key: PublicKey::Ed25519([n; 32]), power: Weight::new(power).unwrap() }
    }

    #[test]
    fn a_set_is_not_empty_and_names_no_key_twice() {
        assert_eq!(ValidatorSet::new(vec![]).unwrap_err().code, Code::EmptySet);
        let twice = vec![validator(1, 5), validator(1, 6)];
        assert_eq!(ValidatorSet::new(twice).unwrap_err().code, Code::RepeatedMember);
    }

    #[test]
    fn powers_are_positive_and_their_sum_is_bounded() {
        for (number, code) in [
            (0, Code::ZeroWeight),
            (-1, Code::OutOfRange),
            (i64::MIN, Code::OutOfRange),
            (i64::MAX, Code::OutOfRange),
        ] {
            assert_eq!(power(number).unwrap_err().code, code, "{number}");
        }
        let most = vec![validator(1, MAX_TOTAL_POWER)];
        assert!(ValidatorSet::new(most.clone()).is_ok());
        let above = [most, vec![validator(2, 1)]].concat();
        assert_eq!(ValidatorSet::new(above).unwrap_err().code, Code::OutOfRange);
    }

    #[test]
    fn a_set_encodes_as_it_was_read() {
        let set = ValidatorSet::new(vec![validator(3, 10), validator(2, 300)]).unwrap();
        assert_eq!(ValidatorSet::from_bytes(&set.to_bytes()).unwrap(), set);
    }

    #[test]
    fn cometbft_orders_by_power_and_then_by_address() {
        let set = ValidatorSet::sorted(vec![validator(1, 1), validator(2, 9), validator(3, 1)]).unwrap();
        let powers: Vec<_> = set.validators().iter().map(|each| each.power.get()).collect();
        assert_eq!(powers, [9, 1, 1]);
        let addresses = set.addresses();
        assert!(addresses[1] < addresses[2]);
    }
}
