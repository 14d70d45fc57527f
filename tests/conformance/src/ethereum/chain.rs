//! The parameters of a chain, from the configuration that lies beside a case.
//!
//! Read are `config.yaml` as the consensus specifications write it, the same as JSON, and the answers of a
//! beacon node's `/eth/v1/config/spec` and `/eth/v1/beacon/genesis`. What a file does not say is that of its
//! preset; without any file the chain is the main one.

use super::json::{hex_bytes, unwrapped};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use yaml_rust2::{Yaml, YamlLoader};
use zeugma_adapter_ethereum::fork::{Activation, Chain, Fork, fork_data};
use zeugma_adapter_ethereum::ssz::Root;
use zeugma_crypto::hash::sha256;
use zeugma_types::{BlockTime, Span};

/// Genesis validators roots of public networks, by the name in their configuration.
const NETWORKS: [(&str, &str); 4] = [
    ("mainnet", "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
    ("sepolia", "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"),
    ("holesky", "9143aa7c615a7f7115e2b6aac319c03529df8242ae705fba9df39b79c59fa8b1"),
    ("hoodi", "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"),
];

/// The forks of the main chain: version's first byte and epoch.
const MAINNET_FORKS: [(Fork, u8, u64); 6] = [
    (Fork::Altair, 1, 74_240),
    (Fork::Bellatrix, 2, 144_896),
    (Fork::Capella, 3, 194_048),
    (Fork::Deneb, 4, 269_568),
    (Fork::Electra, 5, 364_032),
    (Fork::Fulu, 6, 411_392),
];
const MAINNET_GENESIS: u64 = 1_606_824_023;

/// A chain, and the names that messages have for its forks.
pub(super) struct Network {
    pub chain: Chain,
    /// Where the parameters are from, in words.
    pub origin: String,
    digests: Vec<([u8; 4], Fork)>,
}

impl Network {
    /// The fork of this digest.
    pub(super) fn fork(&self, digest: &str) -> Result<Fork> {
        let bytes = hex_bytes(digest)?;
        let found = self.digests.iter().find(|(known, _)| known[..] == bytes[..]);
        found.map(|(_, fork)| *fork).with_context(|| format!("no fork has the digest {digest}"))
    }

    /// The chain whose parameters lie in `folder`; `root` and `fork` are what a case says itself.
    pub(super) fn beside(folder: &Path, root: Option<Root>, fork: Option<Fork>) -> Result<Self> {
        let mut settings = Map::new();
        let mut origin = vec![];
        for name in ["config.yaml", "config.yml", "config.json", "spec.json", "genesis.json"] {
            let path = folder.join(name);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let found = if name.ends_with("json") {
                let value: Value =
                    serde_json::from_str(&text).with_context(|| format!("{name} is no JSON"))?;
                unwrapped(&value).as_object().cloned()
            } else {
                from_yaml(&text)?
            };
            settings.extend(found.with_context(|| format!("{name} is no list of settings"))?);
            origin.push(name);
        }
        let settings = Settings(settings);
        let inside = |part: &str| folder.components().any(|each| each.as_os_str() == part);
        let minimal = match settings.text("PRESET_BASE") {
            Some(base) => base == "minimal",
            None => inside("minimal") || inside("spec-minimal"),
        };
        let named = settings.text("CONFIG_NAME").unwrap_or_else(|| "mainnet".into());
        let known = NETWORKS.iter().find(|(name, _)| *name == named).map(|(_, root)| *root);
        let stated = settings.text("genesis_validators_root").or(settings.text("GENESIS_VALIDATORS_ROOT"));
        let root = match (root, stated, known) {
            (Some(root), ..) => root,
            (None, Some(text), _) => hex_bytes(&text)?.try_into().ok().context("a root has 32 bytes")?,
            (None, None, Some(text)) => hex_bytes(text)?.try_into().ok().context("a root has 32 bytes")?,
            (None, None, None) => bail!("no genesis validators root of {named}"),
        };
        let forks = settings.forks(fork)?;
        let slot_time = match settings.number("SLOT_DURATION_MS") {
            Some(millis) => Span::millis(millis),
            None => {
                Span::seconds(settings.number("SECONDS_PER_SLOT").unwrap_or(if minimal { 6 } else { 12 }))
            }
        };
        let size = |key, of_minimal, of_mainnet| {
            let number = settings.number(key).unwrap_or(if minimal { of_minimal } else { of_mainnet });
            u32::try_from(number).with_context(|| format!("{key} is {number}"))
        };
        let genesis = settings.number("genesis_time").unwrap_or(MAINNET_GENESIS);
        let chain = Chain {
            genesis_validators_root: root,
            genesis_time: BlockTime::new(genesis.saturating_mul(1_000)),
            slot_time,
            slots_per_epoch: size("SLOTS_PER_EPOCH", 8, 32)?,
            epochs_per_period: size("EPOCHS_PER_SYNC_COMMITTEE_PERIOD", 8, 256)?,
            committee_size: size("SYNC_COMMITTEE_SIZE", 32, 512)?,
            forks,
        };
        chain.check()?;
        let digests = settings.digests(&chain);
        let origin = match origin.as_slice() {
            [] if minimal => "the minimal preset's parameters".to_owned(),
            [] => "the main chain's parameters".to_owned(),
            files => format!("parameters of {}", files.join(" and ")),
        };
        Ok(Self { chain, origin, digests })
    }
}

struct Settings(Map<String, Value>);

impl Settings {
    fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    /// The forks with an epoch; of a file that names none those of the main chain, or all up to `fork` from
    /// the beginning where a case is of one fork.
    fn forks(&self, fork: Option<Fork>) -> Result<Vec<Activation>> {
        let mut forks = vec![];
        for each in Fork::ALL {
            let name = each.name().to_uppercase();
            let Some(epoch) = self.text(&format!("{name}_FORK_EPOCH")) else { continue };
            let epoch: u64 = epoch.parse().with_context(|| format!("epoch {epoch} of {name}"))?;
            if epoch == u64::MAX {
                continue;
            }
            let version = self.text(&format!("{name}_FORK_VERSION"));
            let version = version.with_context(|| format!("no version of {name}"))?;
            forks.push(Activation { fork: each, version: version_bytes(&version)?, epoch });
        }
        match (forks.is_empty(), fork) {
            (false, _) => Ok(forks),
            (true, None) => Ok(MAINNET_FORKS
                .iter()
                .map(|(fork, first, epoch)| Activation {
                    fork: *fork,
                    version: [*first, 0, 0, 0],
                    epoch: *epoch,
                })
                .collect()),
            (true, Some(last)) => Ok(Fork::ALL
                .into_iter()
                .filter(|fork| *fork <= last)
                .map(|fork| Activation { fork, version: [fork.number(), 0, 0, 1], epoch: 0 })
                .collect()),
        }
    }

    /// The digests of each fork; from Fulu on mixed with the blob limit in force.
    ///
    /// Source: consensus-specs `specs/fulu/beacon-chain.md`, `compute_fork_digest`.
    fn digests(&self, chain: &Chain) -> Vec<([u8; 4], Fork)> {
        let mut limits: Vec<(u64, u64)> = vec![];
        let electra = chain.forks.iter().find(|each| each.fork == Fork::Electra).map(|each| each.epoch);
        if let Some(epoch) = electra {
            limits.push((epoch, self.number("MAX_BLOBS_PER_BLOCK_ELECTRA").unwrap_or(9)));
        }
        if let Some(Value::Array(schedule)) = self.0.get("BLOB_SCHEDULE") {
            for entry in schedule {
                let number = |key: &str| match entry.get(key)? {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_u64(),
                };
                limits.extend(number("EPOCH").zip(number("MAX_BLOBS_PER_BLOCK")));
            }
        }
        let mut digests = vec![];
        for each in &chain.forks {
            let base = fork_data(each.version, &chain.genesis_validators_root);
            let base = [base[0], base[1], base[2], base[3]];
            digests.push((base, each.fork));
            if each.fork >= Fork::Fulu {
                for (epoch, limit) in &limits {
                    let mask = sha256(&[&epoch.to_le_bytes(), &limit.to_le_bytes()]);
                    digests.push(([0, 1, 2, 3].map(|at| base[at] ^ mask[at]), each.fork));
                }
            }
        }
        digests
    }
}

/// A version as text of hexadecimal digits, or as the number that YAML reads them as.
fn version_bytes(text: &str) -> Result<[u8; 4]> {
    match text.strip_prefix("0x") {
        Some(_) => hex_bytes(text)?.try_into().ok().with_context(|| format!("version {text}")),
        None => Ok(text.parse::<u32>().with_context(|| format!("version {text}"))?.to_be_bytes()),
    }
}

fn from_yaml(text: &str) -> Result<Option<Map<String, Value>>> {
    Ok(match yaml(text)? {
        Value::Object(map) => Some(map),
        _ => None,
    })
}

/// A YAML document as JSON.
pub(super) fn yaml(text: &str) -> Result<Value> {
    let documents = YamlLoader::load_from_str(text).context("not YAML")?;
    Ok(documents.first().map_or(Value::Null, as_json))
}

fn as_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Real(text) | Yaml::String(text) => Value::String(text.clone()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Boolean(flag) => Value::from(*flag),
        Yaml::Array(items) => items.iter().map(as_json).collect(),
        Yaml::Hash(map) => Value::Object(
            map.iter()
                .filter_map(|(key, value)| match key {
                    Yaml::String(key) => Some((key.clone(), as_json(value))),
                    Yaml::Integer(key) => Some((key.to_string(), as_json(value))),
                    _ => None,
                })
                .collect(),
        ),
        _ => Value::Null,
    }
}
