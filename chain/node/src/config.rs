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
//! ```

use crate::api::ApiConfig;
use crate::consensus::PublicKey;
use crate::dkg;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use zeugma_ledger::Genesis;

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
        ensure!(self.mempool.transactions > 0, "mempool.transactions must be above 0");
        ensure!(
            self.mempool.megabytes >= 1,
            "mempool.megabytes must be at least 1: the longest transaction has half a megabyte"
        );
        ensure!(
            self.mempool.megabytes <= 64 * 1024,
            "mempool.megabytes must be at most 65536: it is memory of this process"
        );
        ensure!(
            (1..=64 * 1024).contains(&self.storage.cache_megabytes),
            "storage.cache_megabytes must be from 1 to 65536"
        );
        ensure!((1..=1_024).contains(&self.runtime.workers), "runtime.workers must be from 1 to 1024");
        let files = [&self.node.genesis, &self.node.identity, &self.node.share, &self.node.data];
        let distinct: BTreeSet<_> = files.iter().collect();
        ensure!(
            distinct.len() == files.len(),
            "node.data, node.genesis, node.identity and node.share must be four different places"
        );
        ensure!(self.network.peers.len() >= 4, "network.peers must list every validator, at least 4");
        self.api.check().map_err(anyhow::Error::msg)?;
        ensure!(
            self.api.listen.port() == 0 || self.api.listen != self.network.listen,
            "api.listen and network.listen must be two addresses"
        );
        Ok(())
    }

    /// Checks the relations and reads genesis and identity.
    pub(crate) fn prepare(&self) -> Result<Prepared> {
        self.check()?;
        let path = &self.node.genesis;
        let length =
            std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
        ensure!(
            usize::try_from(length).is_ok_and(|length| length <= zeugma_ledger::limits::MAX_GENESIS),
            "{} is too long to be a genesis",
            path.display()
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
        }
        for member in members.iter() {
            ensure!(addresses.contains_key(member), "network.peers: validator {member} is not listed");
        }
        ensure!(
            addresses.contains_key(&me),
            "the key in {} is not a validator of the genesis",
            self.node.identity.display()
        );
        let distinct: BTreeSet<_> = addresses.values().collect();
        ensure!(distinct.len() == addresses.len(), "network.peers: two validators have one address");
        Ok(Prepared { genesis, identity, me, peers: addresses.into_iter().collect() })
    }
}
