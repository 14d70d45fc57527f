//! The configuration of a node: one TOML file, every field documented, all relations checked at start.
//!
//! ```toml
//! [node]
//! data = "data"                   # folder of the node's storage; made if it is not there
//! genesis = "genesis.bin"         # the genesis, canonical bytes
//! identity = "identity.key"       # this node's Ed25519 seed, 64 hexadecimal digits, mode 0600
//! share = "share.key"             # written by the key generation, mode 0600
//!
//! [network]
//! listen = "127.0.0.1:7001"       # where the other validators connect
//! [[network.peers]]               # every validator of the genesis, this one too
//! key = "…"                       # Ed25519 public key, 64 hexadecimal digits
//! address = "127.0.0.1:7001"
//!
//! [mempool]
//! transactions = 50000
//! megabytes = 64
//!
//! [storage]
//! cache_megabytes = 4
//!
//! [runtime]
//! workers = 2
//!
//! [api]                           # every field of `ApiConfig`; closed unless opened
//! listen = "127.0.0.1:7780"
//! tokens = []                     # SHA-256 of each token that may write, 64 hexadecimal digits
//! [api.grpc]                      # gRPC beside it; off without this table
//! listen = "127.0.0.1:7781"
//!
//! [telemetry]
//! otlp = "http://127.0.0.1:4318"  # a collector of traces; none unless named
//! sample_per_mille = 1000
//! ```

use crate::api::ApiConfig;
use crate::consensus::PublicKey;
use crate::dkg;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use zeugma_ledger::Genesis;
use zeugma_telemetry::Collector;

/// The configuration of a node. Relative paths are relative to the file it was read from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Files and folders.
    pub node: Files,
    /// Addresses of the validators.
    pub network: Network,
    /// Bounds of the pool of waiting transactions.
    #[serde(default)]
    pub mempool: MempoolBounds,
    /// Storage.
    #[serde(default)]
    pub storage: Storage,
    /// Threads.
    #[serde(default)]
    pub runtime: Threads,
    /// The interface that programs and people use.
    #[serde(default)]
    pub api: ApiConfig,
    /// What is told to a collector of traces.
    #[serde(default)]
    pub telemetry: Tell,
}

/// Files and folders of a node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Folder of the node's storage; made if it is not there. It belongs to one node.
    pub data: PathBuf,
    /// The genesis, canonical bytes.
    pub genesis: PathBuf,
    /// This node's Ed25519 seed: 64 hexadecimal digits.
    pub identity: PathBuf,
    /// This validator's share of the group key; written by the key generation.
    pub share: PathBuf,
}

/// Where validators are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Where the other validators connect.
    pub listen: SocketAddr,
    /// Every validator of the genesis, this one too.
    pub peers: Vec<Peer>,
}

/// One validator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its Ed25519 public key, 64 hexadecimal digits.
    pub key: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Bounds of the pool of waiting transactions.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MempoolBounds {
    /// Most transactions.
    pub transactions: usize,
    /// Most memory of their bytes.
    pub megabytes: usize,
}

/// Storage.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Memory for pages that were read.
    pub cache_megabytes: usize,
}

/// Threads.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Threads {
    /// Threads that run the node.
    pub workers: usize,
}

/// Traces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tell {
    /// The collector, OTLP over HTTP: `http://HOST:PORT`. Nothing is told unless one stands here.
    pub otlp: Option<String>,
    /// Of the traces that begin at this node, how many in a thousand are told.
    pub sample_per_mille: u16,
}

impl Default for Tell {
    fn default() -> Self {
        Self { otlp: None, sample_per_mille: 1_000 }
    }
}

impl Tell {
    /// The collector, if one is named.
    ///
    /// # Errors
    /// When it is not an address.
    pub fn collector(&self) -> Result<Option<Collector>, zeugma_telemetry::Error> {
        self.otlp.as_deref().map(|otlp| Collector::new(otlp, self.sample_per_mille)).transpose()
    }
}

impl Default for MempoolBounds {
    fn default() -> Self {
        Self { transactions: 50_000, megabytes: 64 }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self { cache_megabytes: 4 }
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self { workers: 2 }
    }
}

/// A configuration whose files were read and whose relations hold.
pub(crate) struct Prepared {
    pub(crate) genesis: Genesis,
    pub(crate) identity: commonware_cryptography::ed25519::PrivateKey,
    pub(crate) me: PublicKey,
    pub(crate) peers: Vec<(PublicKey, SocketAddr)>,
}

impl NodeConfig {
    /// Reads a file; relative paths in it become relative to its folder.
    ///
    /// # Errors
    /// With the file and the line that cannot be understood.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut config = Self::parse(&text).with_context(|| format!("in {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let Files { data, genesis, identity, share } = &mut config.node;
        for file in [data, genesis, identity, share] {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// With the line that cannot be understood.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// Checks all relations between the fields.
    ///
    /// # Errors
    /// The relation that does not hold, in words.
    pub fn check(&self) -> Result<()> {
        ensure!(self.mempool.transactions > 0, "mempool.transactions must be above 0, found 0");
        ensure!(
            (1..=64 * 1024).contains(&self.mempool.megabytes),
            "mempool.megabytes must be from 1, since the longest transaction has half a megabyte, to 65536, since it is \
             memory of this process; found {}",
            self.mempool.megabytes
        );
        ensure!(
            (1..=64 * 1024).contains(&self.storage.cache_megabytes),
            "storage.cache_megabytes must be from 1 to 65536, found {}",
            self.storage.cache_megabytes
        );
        ensure!(
            (1..=1_024).contains(&self.runtime.workers),
            "runtime.workers must be from 1 to 1024, found {}",
            self.runtime.workers
        );
        let Files { data, genesis, identity, share } = &self.node;
        let files = [
            ("node.data", data),
            ("node.genesis", genesis),
            ("node.identity", identity),
            ("node.share", share),
        ];
        for (at, (name, place)) in files.iter().enumerate() {
            if let Some((other, same)) = files.iter().take(at).find(|(_, earlier)| earlier == place) {
                anyhow::bail!("{other} and {name} must be two places, both are {}", same.display());
            }
        }
        ensure!(
            self.network.peers.len() >= 4,
            "network.peers must list every validator, at least 4, found {}",
            self.network.peers.len()
        );
        self.api.check().map_err(anyhow::Error::msg)?;
        ensure!(
            self.telemetry.sample_per_mille <= 1_000,
            "telemetry.sample_per_mille must be at most 1000, found {}",
            self.telemetry.sample_per_mille
        );
        self.telemetry.collector().context("telemetry.otlp")?;
        ensure!(
            self.api.listen.port() == 0 || self.api.listen != self.network.listen,
            "api.listen and network.listen must be two addresses, both are {}",
            self.api.listen
        );
        let grpc = self.api.grpc.map(|grpc| grpc.listen).filter(|listen| listen.port() != 0);
        ensure!(
            grpc != Some(self.network.listen),
            "api.grpc.listen and network.listen must be two addresses, both are {}",
            self.network.listen
        );
        Ok(())
    }

    /// Checks the relations, and that genesis, identity and peers fit each other.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn examine(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    /// Checks the relations and reads genesis and identity.
    pub(crate) fn prepare(&self) -> Result<Prepared> {
        self.check()?;
        let path = &self.node.genesis;
        let length =
            std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
        ensure!(
            usize::try_from(length).is_ok_and(|length| length <= zeugma_ledger::limits::MAX_GENESIS),
            "{} has {length} bytes, a genesis at most {}",
            path.display(),
            zeugma_ledger::limits::MAX_GENESIS
        );
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let genesis =
            Genesis::read(&bytes).with_context(|| format!("{} is not a genesis", path.display()))?;
        let identity = dkg::read_identity(&self.node.identity).map_err(anyhow::Error::msg)?;
        let me = commonware_cryptography::Signer::public_key(&identity);

        let members = crate::members(&genesis).map_err(anyhow::Error::msg)?;
        let mut addresses = BTreeMap::new();
        for peer in &self.network.peers {
            let mut key = [0; 32];
            ensure!(
                hex::decode_to_slice(&peer.key, &mut key).is_ok(),
                "network.peers: {:?} is not 64 hexadecimal digits",
                peer.key
            );
            let key = dkg::public_key(&key).map_err(anyhow::Error::msg)?;
            ensure!(
                members.position(&key).is_some(),
                "network.peers: {key} is not a validator of the genesis"
            );
            ensure!(
                addresses.insert(key.clone(), peer.address).is_none(),
                "network.peers: {key} is listed twice"
            );
            ensure!(
                addresses.iter().all(|(other, address)| *other == key || *address != peer.address),
                "network.peers: two validators have one address, {}",
                peer.address
            );
        }
        for member in members.iter() {
            ensure!(addresses.contains_key(member), "network.peers: validator {member} is not listed");
        }
        ensure!(
            addresses.contains_key(&me),
            "the key in {} is not a validator of the genesis",
            self.node.identity.display()
        );
        Ok(Prepared { genesis, identity, me, peers: addresses.into_iter().collect() })
    }
}
