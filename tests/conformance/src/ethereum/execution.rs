//! Execution nodes' JSON: headers, receipts, proofs; and which file belongs to which.

use super::json::{array, bytes, hex_bytes, unwrapped};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::path::Path;
use zeugma_adapter_ethereum::block::BlockHeader;
use zeugma_adapter_ethereum::receipt::{Log, Outcome, Receipt};
use zeugma_adapter_ethereum::rlp::{put_bytes, put_list, put_number_of};

/// What a JSON file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    LightClient,
    Header,
    Receipts,
    Proof,
    Settings,
    Unknown,
}

impl Kind {
    pub(super) fn of(value: &Value) -> Self {
        let inside = unwrapped(value);
        let first = inside.as_array().and_then(|list| list.first()).unwrap_or(inside);
        let has = |key: &str| first.get(key).is_some();
        let message = unwrapped(first);
        if ["attested_header", "current_sync_committee"].iter().any(|key| message.get(key).is_some()) {
            return Self::LightClient;
        }
        if has("accountProof") {
            return Self::Proof;
        }
        if has("cumulativeGasUsed") {
            return Self::Receipts;
        }
        if has("stateRoot") && has("receiptsRoot") {
            return Self::Header;
        }
        if has("genesis_validators_root") || has("SECONDS_PER_SLOT") || has("PRESET_BASE") {
            return Self::Settings;
        }
        Self::Unknown
    }

    /// The suite that runs files of this kind, or reads them beside its cases.
    pub(super) const fn suite(self) -> &'static str {
        match self {
            Self::LightClient | Self::Settings => "consensus-light-client",
            Self::Header | Self::Receipts => "receipts",
            Self::Proof => "eip1186",
            Self::Unknown => "no suite",
        }
    }
}

/// A header that was found beside a case.
pub(super) struct Beside {
    pub name: String,
    pub header: BlockHeader,
}

/// The header that belongs to `file`: the one with the same number in its name, or the same block in its
/// text, or the only one that lies beside it.
///
/// # Errors
/// When several could be meant, or its hash is not the hash of its fields.
pub(super) fn header_beside(file: &Path, own: &Value) -> Result<Option<Beside>> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = vec![];
    for entry in entries {
        let path = entry.path();
        if path == file || path.extension().is_none_or(|extension| extension != "json") || !path.is_file() {
            continue;
        }
        let Ok(value) = serde_json::from_slice::<Value>(&fs::read(&path)?) else { continue };
        if Kind::of(&value) == Kind::Header {
            found.push((path, unwrapped(&value).clone()));
        }
    }
    let digits = |path: &Path| -> String {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        stem.chars().filter(char::is_ascii_digit).collect()
    };
    let wanted = digits(file);
    let first = own.as_array().and_then(|list| list.first()).unwrap_or(own);
    let same_block = |header: &Value| {
        let [number, hash] = [("blockNumber", "number"), ("blockHash", "hash")]
            .map(|(own, theirs)| first[own].as_str().is_some_and(|own| header[theirs].as_str() == Some(own)));
        number || hash
    };
    let mut chosen: Vec<_> = found
        .iter()
        .filter(|(path, header)| (!wanted.is_empty() && digits(path) == wanted) || same_block(header))
        .collect();
    if chosen.is_empty() && found.len() == 1 {
        chosen = found.iter().collect();
    }
    match chosen.as_slice() {
        [] if found.is_empty() => Ok(None),
        [(path, value)] => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let header = header(value).with_context(|| name.clone())?;
            Ok(Some(Beside { name, header }))
        }
        _ => bail!("{} headers lie beside, and none is named as this file's", found.len()),
    }
}

/// A header from its fields, whose hash is recomputed.
fn header(value: &Value) -> Result<BlockHeader> {
    let mut payload = vec![];
    for key in
        ["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"]
    {
        put_bytes(&mut payload, &bytes(value, key)?);
    }
    for key in ["difficulty", "number", "gasLimit", "gasUsed", "timestamp"] {
        put_number_of(&mut payload, &quantity(value, key)?);
    }
    for key in ["extraData", "mixHash", "nonce"] {
        put_bytes(&mut payload, &bytes(value, key)?);
    }
    // Forks added fields at the end, in this order.
    let later = [
        ("baseFeePerGas", true),
        ("withdrawalsRoot", false),
        ("blobGasUsed", true),
        ("excessBlobGas", true),
        ("parentBeaconBlockRoot", false),
        ("requestsHash", false),
        ("blockAccessListHash", false),
        ("slotNumber", true),
    ];
    for (key, is_number) in later {
        match (value.get(key).filter(|field| !field.is_null()), is_number) {
            (None, _) => {}
            (Some(_), true) => put_number_of(&mut payload, &quantity(value, key)?),
            (Some(_), false) => put_bytes(&mut payload, &bytes(value, key)?),
        }
    }
    let mut whole = vec![];
    put_list(&mut whole, &payload);
    let header = BlockHeader::read(&whole)?;
    if let Some(stated) = value["hash"].as_str() {
        ensure!(hex_bytes(stated)? == header.hash, "its fields hash to 0x{}", hex::encode(header.hash));
    }
    Ok(header)
}

/// A number as execution nodes write it, big-endian.
pub(super) fn quantity(value: &Value, key: &str) -> Result<Vec<u8>> {
    let text = match &value[key] {
        Value::String(text) => text.clone(),
        Value::Number(number) => format!("{:#x}", number.as_u64().context("a number")?),
        _ => bail!("no {key}"),
    };
    let digits = text.strip_prefix("0x").with_context(|| format!("{key} is {text}"))?;
    let even = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
    hex_bytes(&even)
}

/// A number of 256 bits.
pub(super) fn wide(value: &Value, key: &str) -> Result<[u8; 32]> {
    let number = quantity(value, key)?;
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let mut wide = [0; 32];
    let Some(front) = wide.len().checked_sub(number.len() - start) else {
        bail!("{key} has more than 256 bits")
    };
    wide[front..].copy_from_slice(&number[start..]);
    Ok(wide)
}

/// A number of 64 bits.
pub(super) fn narrow(value: &Value, key: &str) -> Result<u64> {
    let wide = wide(value, key)?;
    ensure!(wide[..24].iter().all(|byte| *byte == 0), "{key} has more than 64 bits");
    let mut number = [0; 8];
    number.copy_from_slice(&wide[24..]);
    Ok(u64::from_be_bytes(number))
}

/// A receipt as a node writes it.
pub(super) fn receipt(value: &Value) -> Result<Receipt> {
    let kind = if value["type"].is_null() { 0 } else { u8::try_from(narrow(value, "type")?)? };
    let outcome = match (&value["status"], &value["root"]) {
        (Value::Null, Value::String(_)) => Outcome::Unknown { state_root: array(value, "root")? },
        _ => match narrow(value, "status")? {
            0 => Outcome::Failed,
            1 => Outcome::Succeeded,
            status => bail!("status {status}"),
        },
    };
    let logs = value["logs"].as_array().context("no logs")?;
    let logs = logs.iter().map(|log| {
        let topics = log["topics"].as_array().context("no topics")?;
        let topics = topics.iter().map(|topic| {
            let topic = hex_bytes(topic.as_str().context("a topic is text")?)?;
            topic.try_into().ok().context("a topic has 32 bytes")
        });
        Ok(Log {
            emitter: array(log, "address")?,
            topics: topics.collect::<Result<_>>()?,
            data: bytes(log, "data")?,
        })
    });
    Ok(Receipt {
        kind,
        outcome,
        cumulative_gas: narrow(value, "cumulativeGasUsed")?,
        bloom: Box::new(array(value, "logsBloom")?),
        logs: logs.collect::<Result<_>>()?,
    })
}

/// The receipt as the trie holds it.
pub(super) fn encode(receipt: &Receipt) -> Vec<u8> {
    let mut logs = vec![];
    for log in &receipt.logs {
        let mut topics = vec![];
        log.topics.iter().for_each(|topic| put_bytes(&mut topics, topic));
        let mut fields = vec![];
        put_bytes(&mut fields, &log.emitter);
        put_list(&mut fields, &topics);
        put_bytes(&mut fields, &log.data);
        put_list(&mut logs, &fields);
    }
    let mut fields = vec![];
    match receipt.outcome {
        Outcome::Succeeded => put_bytes(&mut fields, &[1]),
        Outcome::Failed => put_bytes(&mut fields, &[]),
        Outcome::Unknown { state_root } => put_bytes(&mut fields, &state_root),
    }
    put_number_of(&mut fields, &receipt.cumulative_gas.to_be_bytes());
    put_bytes(&mut fields, &receipt.bloom[..]);
    put_list(&mut fields, &logs);
    let mut whole = if receipt.kind == 0 { vec![] } else { vec![receipt.kind] };
    put_list(&mut whole, &fields);
    whole
}
