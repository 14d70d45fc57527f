//! CometBFT's JSON, read strictly into the adapter's types.
//!
//! What cannot be read is [`Unreadable::Layout`]; what can be read and breaks a rule of the chain is the refusal that
//! the rule gives. Lists are bounded before anything is kept of them.
//!
//! Source: CometBFT `rpc/openapi/openapi.yaml`; the answers of real nodes in `tests/vectors/cometbft`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::str::FromStr;
use zeugma_adapter_cometbft::commit::{Commit, CommitSig, SignedHeader, Vote};
use zeugma_adapter_cometbft::header::{BLOCK_PROTOCOL, BlockId, Header, PartSetHeader};
use zeugma_adapter_cometbft::key::{Address, PublicKey};
use zeugma_adapter_cometbft::time::Time;
use zeugma_adapter_cometbft::validators::{MAX_VALIDATORS, Validator, power};
use zeugma_types::{Code, Height, Refusal};

/// Why JSON was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not laid out as CometBFT writes it: which field.
    Layout(&'static str),
    /// It breaks a rule of the chain.
    Refused(Refusal),
}

impl From<Refusal> for Unreadable {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

type Read<T> = Result<T, Unreadable>;

/// A `signed_header`.
///
/// # Errors
/// [`Unreadable`].
pub fn signed_header(value: &Value) -> Read<SignedHeader> {
    Ok(SignedHeader { header: header(&value["header"])?, commit: commit(&value["commit"])? })
}

fn header(value: &Value) -> Read<Header> {
    let bad = |what: &'static str| Refusal::new(Code::BadHeader).found(what);
    let protocol: u64 = number(&value["version"]["block"], "version.block")?;
    if protocol != BLOCK_PROTOCOL {
        return Err(Refusal::new(Code::BadHeader).needed(BLOCK_PROTOCOL).found(protocol).into());
    }
    let app = &value["version"]["app"];
    let required =
        |name: &'static str| -> Read<[u8; 32]> { hash(&value[name], name)?.ok_or_else(|| bad(name).into()) };
    Ok(Header {
        // Go leaves a zero out.
        app_version: if app.is_null() { 0 } else { number(app, "version.app")? },
        chain_id: text(&value["chain_id"], "chain_id")?.to_owned(),
        height: height(&value["height"])?,
        time: time(text(&value["time"], "time")?)?,
        last_block_id: block_id(&value["last_block_id"])?,
        last_commit_hash: hash(&value["last_commit_hash"], "last_commit_hash")?,
        data_hash: hash(&value["data_hash"], "data_hash")?,
        validators_hash: required("validators_hash")?,
        next_validators_hash: required("next_validators_hash")?,
        consensus_hash: hash(&value["consensus_hash"], "consensus_hash")?,
        app_hash: hexadecimal(&value["app_hash"], "app_hash")?,
        last_results_hash: hash(&value["last_results_hash"], "last_results_hash")?,
        evidence_hash: hash(&value["evidence_hash"], "evidence_hash")?,
        proposer_address: address(&value["proposer_address"])?.ok_or_else(|| bad("no proposer"))?,
    })
}

fn commit(value: &Value) -> Read<Commit> {
    let entries = list(&value["signatures"], "signatures")?;
    Ok(Commit {
        height: height(&value["height"])?,
        round: number(&value["round"], "round")?,
        block_id: block_id(&value["block_id"])?,
        signatures: entries.iter().map(commit_sig).collect::<Result<_, _>>()?,
    })
}

fn commit_sig(value: &Value) -> Read<CommitSig> {
    let flag: u8 = number(&value["block_id_flag"], "block_id_flag")?;
    if flag == 1 {
        return Ok(CommitSig::Absent);
    }
    let wrong = |what: &'static str| Refusal::new(Code::WrongCommit).found(what);
    let signature = bytes(&value["signature"])?;
    let vote = Vote {
        address: address(&value["validator_address"])?.ok_or_else(|| wrong("a vote without voter"))?,
        timestamp: time(text(&value["timestamp"], "timestamp")?)?,
        signature: signature.try_into().map_err(|_| wrong("a signature of another length"))?,
    };
    match flag {
        2 => Ok(CommitSig::For(vote)),
        3 => Ok(CommitSig::Nil(vote)),
        flag => Err(Refusal::new(Code::UnknownTag).needed(3_u64).found(flag).into()),
    }
}

/// A page of `validators`, in the order given.
///
/// # Errors
/// [`Unreadable`].
pub fn validators(value: &Value) -> Read<Vec<Validator>> {
    list(value, "validators")?.iter().map(validator).collect()
}

fn validator(value: &Value) -> Read<Validator> {
    let key = bytes(&value["pub_key"]["value"])?;
    let length = key.len();
    let bad = |_| Refusal::new(Code::BadKey).found(length);
    let key = match text(&value["pub_key"]["type"], "pub_key.type")? {
        "tendermint/PubKeyEd25519" | "cometbft/PubKeyEd25519" => {
            PublicKey::Ed25519(key.try_into().map_err(bad)?)
        }
        "tendermint/PubKeySecp256k1" | "cometbft/PubKeySecp256k1" => {
            PublicKey::Secp256k1(key.try_into().map_err(bad)?)
        }
        other => return Err(Refusal::new(Code::RefusedAlgorithm).found(crate::http::excerpt(other)).into()),
    };
    if address(&value["address"])? != Some(key.address()) {
        return Err(Refusal::new(Code::WrongMembers).needed("the address of the key").into());
    }
    Ok(Validator { key, power: power(number(&value["voting_power"], "voting_power")?)? })
}

fn block_id(value: &Value) -> Read<BlockId> {
    if value.is_null() {
        return Ok(BlockId::default());
    }
    let parts = &value["parts"];
    let parts = PartSetHeader {
        total: number(&parts["total"], "parts.total")?,
        hash: hash(&parts["hash"], "parts.hash")?,
    };
    Ok(BlockId { hash: hash(&value["hash"], "block_id.hash")?, parts })
}

/// An instant of RFC 3339 in UTC, to the nanosecond.
///
/// # Errors
/// [`Unreadable::Layout`] for another form; a refusal outside the years 1 to 9999.
pub fn time(text: &str) -> Read<Time> {
    const WRONG: Unreadable = Unreadable::Layout("a time of RFC 3339 in UTC");
    let (date, clock) = text.strip_suffix('Z').and_then(|text| text.split_once('T')).ok_or(WRONG)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [year, month, day] = parts(date, '-', [4, 2, 2]).ok_or(WRONG)?;
    let [hour, minute, second] = parts(clock, ':', [2, 2, 2]).ok_or(WRONG)?;
    let in_range =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !in_range || fraction.len() > 9 || !digits {
        return Err(WRONG);
    }
    let nanos = format!("{fraction:0<9}").parse().map_err(|_| WRONG)?;
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Ok(Time::new(seconds, nanos)?)
}

/// Three numbers of so many digits each.
fn parts(text: &str, mark: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut found = text.split(mark);
    let mut next = |length: usize| -> Option<i64> {
        let part = found.next()?;
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let three = [next(digits[0])?, next(digits[1])?, next(digits[2])?];
    found.next().is_none().then_some(three)
}

/// Days from 1970-01-01 in the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the day that comes and goes is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

fn list<'a>(value: &'a Value, what: &'static str) -> Read<&'a [Value]> {
    let list = value.as_array().ok_or(Unreadable::Layout(what))?;
    if list.len() > MAX_VALIDATORS {
        return Err(Refusal::new(Code::TooMany).needed(MAX_VALIDATORS).found(list.len()).into());
    }
    Ok(list)
}

pub(crate) fn text<'a>(value: &'a Value, what: &'static str) -> Read<&'a str> {
    value.as_str().ok_or(Unreadable::Layout(what))
}

/// A number, bare or in quotes, written in its one way.
pub(crate) fn number<T: FromStr + ToString>(value: &Value, what: &'static str) -> Read<T> {
    let bare = value.is_number().then(|| value.to_string());
    let digits = value.as_str().map(str::to_owned).or(bare).ok_or(Unreadable::Layout(what))?;
    let number: T = digits.parse().map_err(|_| Unreadable::Layout(what))?;
    if number.to_string() == digits { Ok(number) } else { Err(Unreadable::Layout(what)) }
}

/// A height, at least 1.
pub(crate) fn height(value: &Value) -> Read<Height> {
    match number::<i64>(value, "height")?.try_into() {
        Ok(height @ 1_u64..) => Ok(Height::new(height)),
        _ => Err(Refusal::new(Code::BadHeader).found("a height below 1").into()),
    }
}

fn hexadecimal(value: &Value, what: &'static str) -> Read<Vec<u8>> {
    hex::decode(value.as_str().unwrap_or_default()).map_err(|_| Unreadable::Layout(what))
}

fn hash(value: &Value, what: &'static str) -> Read<Option<[u8; 32]>> {
    let bytes = hexadecimal(value, what)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let length = bytes.len();
    let hash = bytes.try_into();
    Ok(Some(hash.map_err(|_| Refusal::new(Code::OutOfRange).needed(32_u64).found(length))?))
}

fn address(value: &Value) -> Read<Option<Address>> {
    let bytes = hexadecimal(value, "an address")?;
    if bytes.is_empty() {
        return Ok(None);
    }
    bytes.try_into().map(Some).map_err(|_| Unreadable::Layout("an address"))
}

/// Bytes in base64; none for null.
pub(crate) fn bytes(value: &Value) -> Read<Vec<u8>> {
    STANDARD.decode(value.as_str().unwrap_or_default()).map_err(|_| Unreadable::Layout("base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_to_the_nanosecond_and_nothing_else_is_a_time() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("0001-01-01T00:00:00Z", Time::ZERO.seconds(), 0),
            ("2000-02-29T23:59:59.5Z", 951_868_799, 500_000_000),
            ("2026-11-21T12:52:08.139041828Z", 1_795_265_528, 139_041_828),
        ] {
            assert_eq!(time(text).unwrap(), Time::new(seconds, nanos).unwrap(), "{text}");
        }
        for text in [
            "2026-11-21 12:52:08Z",
            "2026-11-21T12:52:08.1234567890Z",
            "2026-11-21T12:52:08+01:00",
            "2026-13-21T12:52:08Z",
            "2026-11-21T24:00:00Z",
            "+026-11-21T12:52:08Z",
            "2026-11-21T12:52:08.+1Z",
            "",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_has_one_form() {
        assert_eq!(number::<u64>(&json!("7"), "n"), Ok(7));
        assert_eq!(number::<u64>(&json!(7), "n"), Ok(7));
        for wrong in [json!("07"), json!("+7"), json!("-7"), json!(7.5), json!(null), json!("")] {
            assert!(number::<u64>(&wrong, "n").is_err(), "{wrong}");
        }
    }

    #[test]
    fn more_validators_than_a_set_holds_are_refused_before_they_are_read() {
        let many = json!(vec![json!(null); MAX_VALIDATORS + 1]);
        assert!(
            matches!(validators(&many), Err(Unreadable::Refused(refusal)) if refusal.code == Code::TooMany)
        );
    }
}
