//! What moves a client, and what freezes it.
//!
//! An update is *trusted height, signed header, validators, trusted next validators*: the fields of
//! ibc-go's `Header` in our canonical encoding, with CometBFT's own protobuf inside where hashes and
//! signatures are made over it. Validators travel as the leaves of the validator set's hash
//! (`SimpleValidator`), so an update holds no byte that nothing vouches for: addresses can be derived,
//! and proposer priorities and totals are under no hash. Whoever has RPC answers fills in the structs;
//! whoever has ibc-go's `Header` uses [`crate::ibc::update_from_header`].
//!
//! The trusted next validators are left out when they are the header's own, as between two adjacent
//! headers and wherever the set has not changed; writing them twice is refused, so that an update has
//! one encoding.

use crate::commit::{CommitSig, SignedHeader};
use crate::validators::{MAX_VALIDATORS, Validator, ValidatorSet};
use alloc::vec::Vec;
use zeugma_crypto::tally::{Rule, Tally};
use zeugma_types::codec::put_option;
use zeugma_types::{Code, Decode, Encode, Height, Reader, Refusal};

/// A light block, and where its verification starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Height of the trusted state that the verification starts from.
    pub trusted_height: Height,
    /// The header and its commit.
    pub signed_header: SignedHeader,
    /// The validators of the header's height.
    pub validators: ValidatorSet,
    /// The validators of the height after the trusted one; `None` when they are `validators`.
    pub trusted_next_validators: Option<ValidatorSet>,
}

impl Update {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize =
        8 + 4 + SignedHeader::MAX_BYTES + 1 + 2 * (4 + MAX_VALIDATORS * (4 + Validator::MAX_BYTES));

    /// An update in its one form: the trusted next validators are left out when they are `validators`.
    #[must_use]
    pub fn new(
        trusted_height: Height,
        signed_header: SignedHeader,
        validators: ValidatorSet,
        trusted_next_validators: ValidatorSet,
    ) -> Self {
        let trusted_next_validators =
            (trusted_next_validators != validators).then_some(trusted_next_validators);
        Self { trusted_height, signed_header, validators, trusted_next_validators }
    }

    /// The validators of the height after the trusted one.
    #[must_use]
    pub fn trusted_next_validators(&self) -> &ValidatorSet {
        self.trusted_next_validators.as_ref().unwrap_or(&self.validators)
    }

    /// Turns every vote into an absence that neither more than two thirds of the validators nor
    /// `trusted` of the trusted next validators need. For whoever brings updates: all votes that are
    /// carried are verified and paid for.
    ///
    /// # Panics
    /// Never: a position is below the length of its set, and is counted once.
    pub fn lean(&mut self, trusted: Rule) {
        let old = self.trusted_next_validators.as_ref().unwrap_or(&self.validators);
        let positions = old.positions();
        let mut own = Tally::new(self.validators.weights(), Rule::TwoThirdsStrict);
        let mut overlap = Tally::new(old.weights(), trusted);
        let voters = self.validators.validators().iter();
        let entries = self.signed_header.commit.signatures.iter_mut();
        for (index, (entry, validator)) in entries.zip(voters).enumerate() {
            let position = positions.get(&validator.key).copied();
            let helps = position.is_some() && !overlap.reached();
            if matches!(entry, CommitSig::For(_)) && (helps || !own.reached()) {
                own.add(index).expect("each validator's entry is visited once");
                if let Some(position) = position {
                    overlap.add(position).expect("no two validators of a set have one key");
                }
            } else {
                *entry = CommitSig::Absent;
            }
        }
    }
}

impl Encode for Update {
    fn encode(&self, out: &mut Vec<u8>) {
        self.trusted_height.encode(out);
        self.signed_header.encode(out);
        self.validators.encode(out);
        put_option(out, self.trusted_next_validators.as_ref(), |out, set| set.encode(out));
    }
}

impl Decode for Update {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let update = Self {
            trusted_height: Height::decode(reader)?,
            signed_header: SignedHeader::decode(reader)?,
            validators: ValidatorSet::decode(reader)?,
            trusted_next_validators: reader.option(ValidatorSet::decode)?,
        };
        if update.trusted_next_validators.as_ref() == Some(&update.validators) {
            return Err(Refusal::new(Code::NotCanonical).found("one set of validators, written twice"));
        }
        Ok(update)
    }
}

/// Two light blocks that cannot both be the chain's (ICS-07: `Misbehaviour`), in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Each with the trusted state from which it is verified.
    pub blocks: [Update; 2],
}

impl Evidence {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 2 * Update::MAX_BYTES;
}

impl Encode for Evidence {
    fn encode(&self, out: &mut Vec<u8>) {
        for block in &self.blocks {
            block.encode(out);
        }
    }
}

impl Decode for Evidence {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { blocks: [Update::decode(reader)?, Update::decode(reader)?] })
    }
}
