//! JSON as beacon nodes and execution nodes write it.

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;
use zeugma_adapter_ethereum::committee::Committee;
use zeugma_adapter_ethereum::container::{Bootstrap, LightUpdate, bits};
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::header::{BeaconHeader, Execution, LightHeader, Payload};
use zeugma_adapter_ethereum::ssz::Root;

/// What stands inside `{"data": ...}` or `{"result": ...}`, or the value itself.
pub(super) fn unwrapped(value: &Value) -> &Value {
    let inside = |key| value.get(key).filter(|inside| inside.is_object() || inside.is_array());
    inside("data").or_else(|| inside("result")).unwrap_or(value)
}

/// Bytes of hexadecimal digits, with or without `0x`.
pub(super) fn hex_bytes(text: &str) -> Result<Vec<u8>> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|why| anyhow!("{why}: {text}"))
}

/// A field's bytes.
pub(super) fn bytes(value: &Value, key: &str) -> Result<Vec<u8>> {
    hex_bytes(value[key].as_str().with_context(|| format!("no {key}"))?).with_context(|| key.to_owned())
}

/// A field of `N` bytes.
pub(super) fn array<const N: usize>(value: &Value, key: &str) -> Result<[u8; N]> {
    let bytes = bytes(value, key)?;
    let length = bytes.len();
    bytes.try_into().ok().with_context(|| format!("{key} has {length} bytes, and not {N}"))
}

/// A field's number: a number, or digits in quotes.
pub(super) fn number(value: &Value, key: &str) -> Result<u64> {
    match &value[key] {
        Value::Number(number) => number.as_u64().with_context(|| format!("{key} is {number}")),
        Value::String(text) => text.parse().with_context(|| format!("{key} is {text}")),
        _ => bail!("no {key}"),
    }
}

fn roots(value: &Value, key: &str) -> Result<Vec<Root>> {
    let list = value[key].as_array().with_context(|| format!("no {key}"))?;
    list.iter()
        .map(|item| {
            let bytes = hex_bytes(item.as_str().context("a hash is text")?)?;
            bytes.try_into().ok().with_context(|| format!("a hash of {key} has 32 bytes"))
        })
        .collect()
}

/// Digits of a number of 256 bits, little-endian.
fn wide(value: &Value, key: &str) -> Result<[u8; 32]> {
    let text = value[key].as_str().with_context(|| format!("no {key}"))?;
    let mut number = [0_u8; 32];
    for digit in text.chars() {
        let mut carry = digit.to_digit(10).with_context(|| format!("{key} is {text}"))?;
        for byte in &mut number {
            let product = u32::from(*byte) * 10 + carry;
            *byte = u8::try_from(product & 0xff).context("masked")?;
            carry = product >> 8;
        }
        ensure!(carry == 0, "{key} has more than 256 bits");
    }
    Ok(number)
}

fn beacon_header(value: &Value) -> Result<BeaconHeader> {
    Ok(BeaconHeader {
        slot: number(value, "slot")?,
        proposer_index: number(value, "proposer_index")?,
        parent_root: array(value, "parent_root")?,
        state_root: array(value, "state_root")?,
        body_root: array(value, "body_root")?,
    })
}

fn payload(value: &Value, fork: Fork) -> Result<Payload> {
    let blobs = fork >= Fork::Deneb;
    Ok(Payload {
        parent_hash: array(value, "parent_hash")?,
        fee_recipient: array(value, "fee_recipient")?,
        state_root: array(value, "state_root")?,
        receipts_root: array(value, "receipts_root")?,
        logs_bloom: Box::new(array(value, "logs_bloom")?),
        prev_randao: array(value, "prev_randao")?,
        block_number: number(value, "block_number")?,
        gas_limit: number(value, "gas_limit")?,
        gas_used: number(value, "gas_used")?,
        timestamp: number(value, "timestamp")?,
        extra_data: {
            let extra = bytes(value, "extra_data")?;
            ensure!(extra.len() <= Payload::MAX_EXTRA, "extra data of {} bytes", extra.len());
            extra
        },
        base_fee_per_gas: wide(value, "base_fee_per_gas")?,
        block_hash: array(value, "block_hash")?,
        transactions_root: array(value, "transactions_root")?,
        withdrawals_root: array(value, "withdrawals_root")?,
        blob_gas_used: if blobs { number(value, "blob_gas_used")? } else { 0 },
        excess_blob_gas: if blobs { number(value, "excess_blob_gas")? } else { 0 },
    })
}

fn header(value: &Value, fork: Fork) -> Result<LightHeader> {
    let beacon = beacon_header(value.get("beacon").unwrap_or(value))?;
    let execution = match fork {
        Fork::Altair | Fork::Bellatrix => Execution::Unproved,
        Fork::Gloas => Execution::Hash {
            block_hash: array(value, "execution_block_hash")?,
            branch: roots(value, "execution_branch")?,
        },
        _ => Execution::Payload {
            payload: payload(&value["execution"], fork)?,
            branch: roots(value, "execution_branch")?,
        },
    };
    Ok(LightHeader { beacon, execution })
}

fn committee(value: &Value) -> Result<Committee> {
    let keys = value["pubkeys"].as_array().context("no pubkeys")?;
    let mut whole = vec![];
    for key in keys {
        let key = hex_bytes(key.as_str().context("a key is text")?)?;
        ensure!(key.len() == 48, "a key of {} bytes", key.len());
        whole.extend(key);
    }
    whole.extend(array::<48>(value, "aggregate_pubkey")?);
    Ok(Committee::new(&whole)?)
}

/// The fork that a message names.
pub(super) fn fork(message: &Value) -> Result<Fork> {
    let name = message["version"].as_str().context("no version")?;
    Fork::named(&name.to_lowercase()).with_context(|| format!("no fork is called {name}"))
}

/// The slot of a message's first header.
pub(super) fn slot(data: &Value) -> Result<u64> {
    let header = data.get("attested_header").unwrap_or(&data["header"]);
    number(header.get("beacon").unwrap_or(header), "slot")
}

/// A bootstrap.
pub(super) fn bootstrap(data: &Value, fork: Fork) -> Result<Bootstrap> {
    Ok(Bootstrap {
        header: header(&data["header"], fork).context("header")?,
        committee: committee(&data["current_sync_committee"])?,
        branch: roots(data, "current_sync_committee_branch")?,
    })
}

/// An update of any kind: what is not there is absent.
pub(super) fn update(data: &Value, fork: Fork) -> Result<LightUpdate> {
    let next = match data.get("next_sync_committee") {
        None => None,
        Some(value) => Some((committee(value)?, roots(data, "next_sync_committee_branch")?)),
    };
    let finality = match data.get("finalized_header") {
        None => None,
        Some(value) => {
            Some((header(value, fork).context("finalized header")?, roots(data, "finality_branch")?))
        }
    };
    let aggregate = &data["sync_aggregate"];
    let update = LightUpdate {
        attested: header(&data["attested_header"], fork).context("attested header")?,
        next,
        finality,
        signed: bits(&bytes(aggregate, "sync_committee_bits")?),
        signature: array(aggregate, "sync_committee_signature")?,
        signature_slot: number(data, "signature_slot")?,
    };
    Ok(update.with_absences(fork)?)
}
