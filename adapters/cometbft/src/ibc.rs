//! Updates out of what relayers of the Cosmos world carry: ibc-go's `Header`.
//!
//! Its `ValidatorSet`s hold what no hash commits to: addresses, which must be those of the keys;
//! priorities, a proposer and a total, which are read and dropped.
//!
//! Source: ibc-go `proto/ibc/lightclients/tendermint/v1/tendermint.proto`; CometBFT
//! `proto/.../types/validator.proto`.

use crate::commit::SignedHeader;
use crate::header::decode_height;
use crate::key::PublicKey;
use crate::profile::revision;
use crate::proto::Fields;
use crate::update::Update;
use crate::validators::{MAX_VALIDATORS, Validator, ValidatorSet, power};
use zeugma_types::{Code, Refusal};

const MAX_VALIDATOR: usize = 22 + 2 + PublicKey::MAX_BYTES + 11 + 11;
const MAX_SET: usize = (MAX_VALIDATORS + 1) * (2 + MAX_VALIDATOR) + 11;

/// Longest `Header` of ibc-go, in bytes.
pub const MAX_HEADER: usize = SignedHeader::MAX_BYTES + 2 * MAX_SET + 64;

/// Reads an `ibc.lightclients.tendermint.v1.Header`.
///
/// # Errors
/// As [`Fields`]; [`Code::WrongChain`] when the trusted height has another revision than the header's
/// chain identifier; [`Code::WrongMembers`] when an address is not that of its key; what is wrong with
/// the header, the commit or a set.
pub fn update_from_header(bytes: &[u8]) -> Result<Update, Refusal> {
    if bytes.len() > MAX_HEADER {
        return Err(Refusal::new(Code::TooLong).needed(MAX_HEADER).found(bytes.len()));
    }
    let mut fields = Fields::new(bytes);
    let signed_header = SignedHeader::decode_proto(fields.required(1, SignedHeader::MAX_BYTES)?)?;
    let validators = validator_set(fields.required(2, MAX_SET)?)?;
    let mut height = Fields::new(fields.required(3, 22)?);
    let trusted_validators = validator_set(fields.required(4, MAX_SET)?)?;
    fields.finish()?;
    let (trusted_revision, trusted_height) = (height.uint64(1)?, decode_height(height.int64(2)?)?);
    height.finish()?;

    let needed = revision(&signed_header.header.chain_id);
    if trusted_revision != needed {
        return Err(Refusal::new(Code::WrongChain).needed(needed).found(trusted_revision));
    }
    Ok(Update::new(trusted_height, signed_header, validators, trusted_validators))
}

/// Reads a `ValidatorSet`.
///
/// # Errors
/// As [`update_from_header`]; [`Code::OutOfRange`] when the total is given and is not the sum.
pub fn validator_set(bytes: &[u8]) -> Result<ValidatorSet, Refusal> {
    let mut fields = Fields::new(bytes);
    let validators = fields.repeated(1, MAX_VALIDATORS, MAX_VALIDATOR, validator)?;
    fields.optional(2, MAX_VALIDATOR)?.map(validator).transpose()?;
    let total = fields.uint64(3)?;
    fields.finish()?;
    let set = ValidatorSet::new(validators)?;
    if total != 0 && u128::from(total) != set.weights().total() {
        return Err(Refusal::new(Code::OutOfRange).needed(set.weights().total()).found(total));
    }
    Ok(set)
}

fn validator(bytes: &[u8]) -> Result<Validator, Refusal> {
    let mut fields = Fields::new(bytes);
    let address = fields.array::<20>(1)?;
    let key = PublicKey::decode(fields.required(2, PublicKey::MAX_BYTES)?)?;
    let power = power(fields.int64(3)?)?;
    let _proposer_priority = fields.int64(4)?;
    fields.finish()?;
    if address != Some(key.address()) {
        return Err(Refusal::new(Code::WrongMembers).needed("the address of the key"));
    }
    Ok(Validator { key, power })
}
