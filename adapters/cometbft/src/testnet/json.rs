//! CometBFT's JSON, as its RPC answers and published suites write it.
//!
//! For tests and conformance suites. What cannot be read is [`Unreadable::Layout`]; what can be read and
//! breaks a rule of the chain is the refusal that the rule gives.

use crate::commit::{Commit, CommitSig, SignedHeader, Vote};
use crate::header::{BlockId, Header, PartSetHeader, decode_height};
use crate::key::{Address, PublicKey};
use crate::time::Time;
use crate::validators::{Validator, ValidatorSet, power};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::str::FromStr;
use serde_json::Value;
use zeugma_types::{Code, Refusal};

/// Why JSON was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not laid out as CometBFT writes it.
    Layout(String),
    /// It breaks a rule of the chain.
    Refused(Refusal),
}

impl From<Refusal> for Unreadable {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

type Read<T> = Result<T, Unreadable>;

fn layout<T>(what: &str, value: &Value) -> Read<T> {
    Err(Unreadable::Layout(format!("{what}: {value}")))
}

/// A `signed_header`.
///
/// # Errors
/// [`Unreadable`].
pub fn signed_header(value: &Value) -> Read<SignedHeader> {
    Ok(SignedHeader { header: header(&value["header"])?, commit: commit(&value["commit"])? })
}

/// A `header`.
///
/// # Errors
/// [`Unreadable`].
pub fn header(value: &Value) -> Read<Header> {
    let no = |what: &'static str| Refusal::new(Code::BadHeader).found(what);
    if number::<u64>(&value["version"]["block"])? != crate::header::BLOCK_PROTOCOL {
        return Err(no("another block protocol").into());
    }
    Ok(Header {
        // Go leaves a zero out here.
        app_version: if value["version"]["app"].is_null() { 0 } else { number(&value["version"]["app"])? },
        chain_id: text(&value["chain_id"])?.to_owned(),
        height: decode_height(number(&value["height"])?)?,
        time: time(text(&value["time"])?)?,
        last_block_id: block_id(&value["last_block_id"])?,
        last_commit_hash: hash(&value["last_commit_hash"])?,
        data_hash: hash(&value["data_hash"])?,
        validators_hash: hash(&value["validators_hash"])?.ok_or_else(|| no("no validators hash"))?,
        next_validators_hash: hash(&value["next_validators_hash"])?
            .ok_or_else(|| no("no next validators hash"))?,
        consensus_hash: hash(&value["consensus_hash"])?,
        app_hash: hexadecimal(&value["app_hash"])?,
        last_results_hash: hash(&value["last_results_hash"])?,
        evidence_hash: hash(&value["evidence_hash"])?,
        proposer_address: address(&value["proposer_address"])?.ok_or_else(|| no("no proposer"))?,
    })
}

/// A `commit`.
///
/// # Errors
/// [`Unreadable`].
pub fn commit(value: &Value) -> Read<Commit> {
    let Some(signatures) = value["signatures"].as_array() else { return layout("signatures", value) };
    Ok(Commit {
        height: decode_height(number(&value["height"])?)?,
        round: number(&value["round"])?,
        block_id: block_id(&value["block_id"])?,
        signatures: signatures.iter().map(commit_sig).collect::<Result<_, _>>()?,
    })
}

fn commit_sig(value: &Value) -> Read<CommitSig> {
    let flag: u8 = number(&value["block_id_flag"])?;
    if flag == 1 {
        return Ok(CommitSig::Absent);
    }
    let wrong = |what: &'static str| Refusal::new(Code::WrongCommit).found(what);
    let signature = base64(&value["signature"])?;
    let vote = Vote {
        address: address(&value["validator_address"])?.ok_or_else(|| wrong("a vote without voter"))?,
        timestamp: time(text(&value["timestamp"])?)?,
        signature: signature.try_into().map_err(|_| wrong("a signature of another length"))?,
    };
    match flag {
        2 => Ok(CommitSig::For(vote)),
        3 => Ok(CommitSig::Nil(vote)),
        _ => layout("block_id_flag", value),
    }
}

/// A list of validators, in the order given.
///
/// # Errors
/// [`Unreadable`].
pub fn validators(list: &Value) -> Read<Vec<Validator>> {
    let Some(list) = list.as_array() else { return layout("validators", list) };
    list.iter().map(validator).collect()
}

/// A list of validators as a set, in CometBFT's own order.
///
/// # Errors
/// [`Unreadable`].
pub fn validator_set(list: &Value) -> Read<ValidatorSet> {
    Ok(ValidatorSet::sorted(validators(list)?)?)
}

fn validator(value: &Value) -> Read<Validator> {
    let bytes = base64(&value["pub_key"]["value"])?;
    let length = bytes.len();
    let bad = |_| Refusal::new(Code::BadKey).found(length);
    let key = match text(&value["pub_key"]["type"])? {
        "tendermint/PubKeyEd25519" => PublicKey::Ed25519(bytes.try_into().map_err(bad)?),
        "tendermint/PubKeySecp256k1" => PublicKey::Secp256k1(bytes.try_into().map_err(bad)?),
        other => return Err(Refusal::new(Code::RefusedAlgorithm).found(other.to_owned()).into()),
    };
    if address(&value["address"])? != Some(key.address()) {
        return Err(Refusal::new(Code::WrongMembers).needed("the address of the key").into());
    }
    let number = if value["voting_power"].is_null() { &value["power"] } else { &value["voting_power"] };
    Ok(Validator { key, power: power(self::number(number)?)? })
}

fn block_id(value: &Value) -> Read<BlockId> {
    if value.is_null() {
        return Ok(BlockId::default());
    }
    let parts = if value["parts"].is_null() { &value["part_set_header"] } else { &value["parts"] };
    let parts = PartSetHeader { total: number(&parts["total"])?, hash: hash(&parts["hash"])? };
    Ok(BlockId { hash: hash(&value["hash"])?, parts })
}

/// An instant of RFC 3339 in UTC, to the nanosecond.
///
/// # Errors
/// [`Unreadable`].
pub fn time(text: &str) -> Read<Time> {
    let wrong = || Unreadable::Layout(format!("a time: {text}"));
    let (date, clock) = text.strip_suffix('Z').and_then(|text| text.split_once('T')).ok_or_else(wrong)?;
    let parts =
        |text: &str, mark| -> Option<Vec<i64>> { text.split(mark).map(|part| part.parse().ok()).collect() };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let (date, clock) = (parts(date, '-').ok_or_else(wrong)?, parts(clock, ':').ok_or_else(wrong)?);
    let (&[year, month, day], &[hour, minute, second]) = (&date[..], &clock[..]) else { return Err(wrong()) };
    let nanos = if fraction.len() <= 9 { format!("{fraction:0<9}").parse().ok() } else { None };
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Ok(Time::new(seconds, nanos.ok_or_else(wrong)?)?)
}

/// Days from 1970-01-01 in the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the day that comes and goes is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

fn text(value: &Value) -> Read<&str> {
    value.as_str().map_or_else(|| layout("text", value), Ok)
}

/// A number, bare or in quotes.
fn number<T: FromStr>(value: &Value) -> Read<T> {
    let digits = value.as_str().map_or_else(|| format!("{value}"), ToOwned::to_owned);
    digits.parse().or_else(|_| layout("a number", value))
}

fn hexadecimal(value: &Value) -> Read<Vec<u8>> {
    hex::decode(value.as_str().unwrap_or_default()).or_else(|_| layout("hexadecimal", value))
}

fn hash(value: &Value) -> Read<Option<[u8; 32]>> {
    let bytes = hexadecimal(value)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let length = bytes.len();
    Ok(Some(bytes.try_into().map_err(|_| Refusal::new(Code::OutOfRange).needed(32_u64).found(length))?))
}

fn address(value: &Value) -> Read<Option<Address>> {
    let bytes = hexadecimal(value)?;
    if bytes.is_empty() {
        Ok(None)
    } else {
        bytes.try_into().map(Some).or_else(|_| layout("an address", value))
    }
}

/// Bytes in base64; none for null.
///
/// # Errors
/// [`Unreadable`].
pub fn base64(value: &Value) -> Read<Vec<u8>> {
    STANDARD.decode(value.as_str().unwrap_or_default()).or_else(|_| layout("base64", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("0001-01-01T00:00:00Z", Time::ZERO.seconds(), 0),
            ("2000-02-29T23:59:59.5Z", 951_868_799, 500_000_000),
            ("2026-11-21T12:52:08.139041828Z", 1_795_265_528, 139_041_828),
        ] {
            assert_eq!(time(text).unwrap(), Time::new(seconds, nanos).unwrap(), "{text}");
        }
        assert!(time("2026-11-21 12:52:08Z").is_err());
        assert!(time("2026-11-21T12:52:08.1234567890Z").is_err());
    }
}
