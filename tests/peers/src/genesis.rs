//! The files of a CometBFT node before its first start: configuration, genesis, keys.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::comet::{Options, Setting};
use crate::ports::Port;

/// The public half of a validator's key, as CometBFT writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorKey {
    /// First 20 bytes of the key's SHA-256, in upper-case hexadecimal digits.
    pub address: String,
    /// The Ed25519 public key in base64.
    pub public: String,
}

impl ValidatorKey {
    /// Reads it from a node's directory.
    pub(crate) fn read(home: &Path) -> Result<Self> {
        let key = read_json(&home.join("config/priv_validator_key.json"))?;
        let text = |pointer: &str| {
            let found = key.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            found.with_context(|| format!("no {pointer} in the validator key of {}", home.display()))
        };
        ensure!(text("/pub_key/type")? == "tendermint/PubKeyEd25519", "the validator key is not Ed25519");
        Ok(Self { address: text("/address")?, public: text("/pub_key/value")? })
    }
}

/// The genesis that all nodes share: what `testnet` made, with the chosen name, powers and edits.
pub(crate) fn write(homes: &[&Path], validators: &[(ValidatorKey, u64)], options: &Options) -> Result<()> {
    let first = homes.first().context("a network has at least one node")?;
    let mut genesis = read_json(&first.join("config/genesis.json"))?;
    genesis["chain_id"] = json!(options.chain_id);
    genesis["validators"] = validators
        .iter()
        .enumerate()
        .map(|(index, (key, power))| {
            json!({
                "address": key.address,
                "pub_key": {"type": "tendermint/PubKeyEd25519", "value": key.public},
                "power": power.to_string(),
                "name": format!("node{index}"),
            })
        })
        .collect();
    for (pointer, value) in &options.genesis {
        let place = genesis.pointer_mut(pointer);
        *place.with_context(|| format!("the genesis of this release has no {pointer}"))? = value.clone();
    }
    let text = serde_json::to_string_pretty(&genesis).expect("a JSON value can be written");
    homes.iter().try_for_each(|home| Ok(fs::write(home.join("config/genesis.json"), &text)?))
}

/// What a node of these tests listens on and whom it dials.
pub(crate) struct Wiring<'a> {
    pub(crate) moniker: &'a str,
    pub(crate) rpc: &'a Port,
    pub(crate) p2p: &'a Port,
    /// `id@host:port`, with commas between; empty keeps the node alone.
    pub(crate) peers: &'a str,
}

/// Edits a node's `config.toml`: loopback only, nobody but the named peers, short waits, then the caller's settings.
pub(crate) fn configure(
    home: &Path,
    wiring: &Wiring<'_>,
    pace: Duration,
    settings: &[Setting],
) -> Result<()> {
    let file = home.join("config/config.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut config: toml::Table = text.parse().with_context(|| format!("{} is not TOML", file.display()))?;
    let pace = format!("{}ms", pace.as_millis());
    let ours = [
        Setting::new("", "moniker", wiring.moniker),
        Setting::new("rpc", "laddr", wiring.rpc.tcp()),
        Setting::new("rpc", "pprof_laddr", ""),
        Setting::new("p2p", "laddr", wiring.p2p.tcp()),
        Setting::new("p2p", "persistent_peers", wiring.peers),
        // Several nodes of one address, found by no other means than the list above.
        Setting::new("p2p", "pex", false),
        Setting::new("p2p", "addr_book_strict", false),
        Setting::new("p2p", "allow_duplicate_ip", true),
        Setting::new("consensus", "timeout_commit", pace),
        // A proposer that is down costs a second, not three.
        Setting::new("consensus", "timeout_propose", "1s"),
    ];
    for setting in ours.iter().chain(settings) {
        let table = match setting.table.as_str() {
            "" => Some(&mut config),
            name => config.get_mut(name).and_then(toml::Value::as_table_mut),
        };
        let place = table.and_then(|table| table.get_mut(&setting.key));
        *place.with_context(|| format!("the configuration of this release has no {setting}"))? =
            setting.value.clone();
    }
    fs::write(&file, toml::to_string(&config).context("the configuration cannot be written")?)?;
    Ok(())
}

fn read_json(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}
