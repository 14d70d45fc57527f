//! A network of CometBFT validators on this machine, with the key-value application.
//!
//! The application changes the validator set by transaction, so sets really rotate ([`CometNetwork::change_power`]). A
//! validator can be halted and resumed. And a validator can be forked ([`CometNetwork::fork`]): a second real node with the
//! same key, history and genesis, kept apart. When its key holds more than two thirds of the power, both nodes go on
//! alone and commit two different blocks at one height; nothing about them is made up.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::genesis::{self, ValidatorKey, Wiring};
use crate::install::Peer;
use crate::ports::Port;
use crate::process::Process;
use crate::recipe::{COMETBFT_0_38, COMETBFT_1_0, Recipe};
use crate::rpc::{self, CometRpc};
use crate::wait;

/// How long a node may take from its start to its first answer, on a machine busy with other tests.
const STARTING: Duration = Duration::from_secs(60);

/// The releases of CometBFT that the tests follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// v0.38.25
    V0_38,
    /// v1.0.1
    V1_0,
}

impl Release {
    /// How it is built.
    #[must_use]
    pub fn recipe(self) -> &'static Recipe {
        match self {
            Self::V0_38 => &COMETBFT_0_38,
            Self::V1_0 => &COMETBFT_1_0,
        }
    }
}

/// One entry of a node's `config.toml`.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The table, `consensus`; empty for entries before the first table.
    pub table: String,
    /// The key, `timeout_propose`. It must be one that the release knows.
    pub key: String,
    /// The value.
    pub value: toml::Value,
}

impl Setting {
    /// `Setting::new("mempool", "size", 50_000)`
    pub fn new(table: &str, key: &str, value: impl Into<toml::Value>) -> Self {
        Self { table: table.to_owned(), key: key.to_owned(), value: value.into() }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] {}", self.table, self.key)
    }
}

/// What a network may differ in.
#[derive(Clone, Debug)]
pub struct Options {
    /// The chain's name.
    pub chain_id: String,
    /// Pause after each block.
    pub pace: Duration,
    /// Nodes that run with a validator key but hold no power at genesis, numbered after the validators.
    pub spares: usize,
    /// Further entries of every node's `config.toml`.
    pub config: Vec<Setting>,
    /// Edits of the genesis: JSON pointer and value. The place must exist.
    pub genesis: Vec<(String, Value)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            chain_id: "zeugma-peer".to_owned(),
            pace: Duration::from_millis(200),
            spares: 0,
            config: Vec::new(),
            genesis: Vec::new(),
        }
    }
}

/// A running network. Dropping it ends every node and removes their files.
#[derive(Debug)]
pub struct CometNetwork {
    // Before `home`: nodes end before their files go.
    nodes: Vec<Node>,
    twins: usize,
    peer: Peer,
    options: Options,
    home: Arc<TempDir>,
}

/// A change of one validator's power, and when it counts.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The block that holds the transaction.
    pub included: u64,
    /// The first height that the new set commits; the header before it names that set as the next one.
    pub in_force: u64,
}

impl CometNetwork {
    /// Starts one validator for each power given, and waits for the second block.
    ///
    /// # Errors
    /// When CometBFT cannot be built, or a node does not start; the message has what it wrote last.
    pub fn start(release: Release, powers: &[u64], options: &Options) -> Result<Self> {
        ensure!(!powers.is_empty(), "a network needs at least one validator");
        let peer = Peer::install(release.recipe())?;
        let home = tempfile::Builder::new().prefix("zeugma-cometbft-").tempdir()?;
        let count = powers.len() + options.spares;
        let (validators, spares) = (powers.len().to_string(), options.spares.to_string());
        let out = home.path().to_str().context("the directory for temporary files has no name in UTF-8")?;
        peer.run(home.path(), &["testnet", "--v", &validators, "--n", &spares, "--o", out], "")?;

        let mut nodes = (0..count)
            .map(|index| Node::new(home.path(), format!("node{index}")))
            .collect::<Result<Vec<_>>>()?;
        let homes: Vec<&Path> = nodes.iter().map(|node| node.home.as_path()).collect();
        let keys: Vec<(ValidatorKey, u64)> =
            nodes.iter().zip(powers).map(|(node, power)| (node.key.clone(), *power)).collect();
        genesis::write(&homes, &keys, options)?;
        let addresses = nodes.iter().map(|node| node.dialled(&peer)).collect::<Result<Vec<_>>>()?;
        for (index, node) in nodes.iter_mut().enumerate() {
            let mut others = addresses.clone();
            others.remove(index);
            node.configure(&others.join(","), options)?;
            node.launch(&peer)?;
        }
        let mut network = Self { nodes, twins: 0, peer, options: options.clone(), home: Arc::new(home) };
        for node in &mut network.nodes {
            node.wait_for(2)?;
        }
        Ok(network)
    }

    /// The chain's name.
    #[must_use]
    pub fn chain_id(&self) -> &str {
        &self.options.chain_id
    }

    /// How many nodes there are: validators, then spares.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A network has nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The RPC of a node.
    ///
    /// # Panics
    /// When there is no such node.
    #[must_use]
    pub fn rpc(&self, node: usize) -> CometRpc {
        self.nodes[node].rpc()
    }

    /// Where the RPC of a node listens.
    ///
    /// # Panics
    /// When there is no such node.
    #[must_use]
    pub fn address(&self, node: usize) -> std::net::SocketAddr {
        self.nodes[node].rpc.address()
    }

    /// The processes of the nodes that run.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(|node| Some(node.process.as_ref()?.id())).collect()
    }

    /// The validator key of a node.
    ///
    /// # Panics
    /// When there is no such node.
    #[must_use]
    pub fn validator(&self, node: usize) -> &ValidatorKey {
        &self.nodes[node].key
    }

    /// Gives a node's key this power; 0 takes it out of the set. Returns when a block holds the change.
    ///
    /// # Errors
    /// When no block takes the transaction.
    pub fn change_power(&self, node: usize, power: u64) -> Result<Change> {
        self.change_powers(&[(node, power)])
    }

    /// Gives several nodes' keys new powers at about the same time; the answer is about the last of them.
    ///
    /// # Errors
    /// When no block takes one of the transactions, or every node is halted.
    pub fn change_powers(&self, changes: &[(usize, u64)]) -> Result<Change> {
        let rpc =
            self.nodes.iter().find(|node| node.process.is_some()).context("every node is halted")?.rpc();
        let send = |(node, power): &(usize, u64)| {
            rpc.send_tx(format!("val=ed25519!{}!{power}", self.validator(*node).public).as_bytes())
        };
        let hashes = changes.iter().map(send).collect::<Result<Vec<_>>>()?;
        let heights = hashes.iter().map(|hash| Ok(rpc.included(hash)?.height)).collect::<Result<Vec<_>>>()?;
        let included = heights.into_iter().max().context("there is no change to make")?;
        Ok(Change { included, in_force: included + 2 })
    }

    /// Ends a node cleanly; it keeps its files and its ports.
    ///
    /// # Errors
    /// When the node is halted already or had to be killed.
    pub fn halt(&mut self, node: usize) -> Result<()> {
        self.nodes[node].halt()
    }

    /// Starts a halted node again and waits for its answer.
    ///
    /// # Errors
    /// When it runs already or does not start.
    pub fn resume(&mut self, node: usize) -> Result<()> {
        let node = &mut self.nodes[node];
        ensure!(node.process.is_none(), "{} runs already", node.name);
        node.launch(&self.peer)?;
        node.wait_for(1)
    }

    /// Makes a twin of a validator: a second real node with its key and its history so far, connected to nobody. From
    /// here on the two sign apart.
    ///
    /// # Errors
    /// When the key holds two thirds of the power or less, so that its holder alone commits nothing; or when a node does
    /// not start.
    pub fn fork(&mut self, node: usize) -> Result<Twin> {
        let rpc = self.rpc(node);
        let height = rpc.height()?;
        let (mine, total) = share(&rpc.validators(height)?, &self.validator(node).address)?;
        ensure!(
            u128::from(mine) * 3 > u128::from(total) * 2,
            "node{node} holds {mine} of {total}: a twin commits alone only with more than two thirds"
        );
        self.halt(node)?;
        self.twins += 1;
        let home = self.home.path().join(format!("twin{}", self.twins));
        copy_tree(&self.nodes[node].home, &home)?;
        self.resume(node)?;
        // Its own name on the network; the validator key is the shared one.
        fs::remove_file(home.join("config/node_key.json"))?;
        let mut twin = Node::new(self.home.path(), format!("twin{}", self.twins))?;
        twin.configure("", &self.options)?;
        twin.launch(&self.peer)?;
        twin.wait_for(1)?;
        Ok(Twin { node: twin, forked_at: height, _home: Arc::clone(&self.home) })
    }

    /// Ends every node cleanly.
    ///
    /// # Errors
    /// When one had to be killed.
    pub fn stop(mut self) -> Result<()> {
        self.nodes.iter_mut().filter(|node| node.process.is_some()).try_for_each(Node::halt)
    }
}

/// A second node that signs with a validator's key. Dropping it ends it.
#[derive(Debug)]
pub struct Twin {
    node: Node,
    forked_at: u64,
    // The network's directory, in which its files are: they stay until the last node of both has ended.
    _home: Arc<TempDir>,
}

/// Two blocks of one height, each with a commit.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The height.
    pub height: u64,
    /// Header and commit of the network's node.
    pub one: Value,
    /// Header and commit of the twin.
    pub other: Value,
}

impl Twin {
    /// The twin's RPC.
    #[must_use]
    pub fn rpc(&self) -> CometRpc {
        self.node.rpc()
    }

    /// A height that both nodes surely share.
    #[must_use]
    pub fn forked_at(&self) -> u64 {
        self.forked_at
    }

    /// The lowest height at which `original` and the twin committed different blocks; waits for it.
    ///
    /// # Errors
    /// When a node stops answering, or their next twenty blocks are the same.
    pub fn conflict(&self, original: CometRpc) -> Result<Conflict> {
        for height in self.forked_at + 1..=self.forked_at + 20 {
            let (one, other) = (original.signed_header(height)?, self.rpc().signed_header(height)?);
            if one["commit"]["block_id"]["hash"] != other["commit"]["block_id"]["hash"] {
                return Ok(Conflict { height, one, other });
            }
        }
        bail!(
            "{} and its original are not apart: twenty blocks after {} are the same",
            self.node.name,
            self.forked_at
        )
    }
}

/// One node: its files, its ports, and its process while it runs.
#[derive(Debug)]
struct Node {
    process: Option<Process>,
    name: String,
    home: PathBuf,
    key: ValidatorKey,
    rpc: Port,
    p2p: Port,
}

impl Node {
    /// A node over the files that stand in `parent`/`name`.
    fn new(parent: &Path, name: String) -> Result<Self> {
        let home = parent.join(&name);
        let key = ValidatorKey::read(&home)?;
        Ok(Self { process: None, name, home, key, rpc: Port::claim()?, p2p: Port::claim()? })
    }

    fn rpc(&self) -> CometRpc {
        CometRpc::at(self.rpc.address())
    }

    /// `id@host:port`, by which the others dial it.
    fn dialled(&self, peer: &Peer) -> Result<String> {
        let id = peer.run(&self.home, &["show-node-id", "--home", "."], "")?;
        let id = id.trim().lines().last().context("show-node-id printed nothing")?;
        Ok(format!("{id}@{}", self.p2p.address()))
    }

    fn configure(&self, peers: &str, options: &Options) -> Result<()> {
        let wiring = Wiring { moniker: &self.name, rpc: &self.rpc, p2p: &self.p2p, peers };
        genesis::configure(&self.home, &wiring, options.pace, &options.config)
    }

    fn launch(&mut self, peer: &Peer) -> Result<()> {
        let mut command = peer.command(&self.home);
        command.args(["node", "--home", ".", "--proxy_app", "kvstore"]);
        self.process = Some(Process::start(&self.name, &mut command, &self.home.join("node.log"))?);
        Ok(())
    }

    fn halt(&mut self) -> Result<()> {
        self.process.take().with_context(|| format!("{} is halted already", self.name))?.stop()
    }

    fn wait_for(&mut self, height: u64) -> Result<()> {
        let rpc = self.rpc();
        let process = self.process.as_mut().with_context(|| format!("{} is halted", self.name))?;
        wait::until(&format!("height {height} of {}", self.name), STARTING, || {
            process.check()?;
            Ok(rpc.height().ok().filter(|latest| *latest >= height))
        })?;
        Ok(())
    }
}

/// Power of one validator and of all.
fn share(validators: &Value, address: &str) -> Result<(u64, u64)> {
    let set = validators.as_array().context("validators are a list")?;
    set.iter().try_fold((0, 0), |(mine, total), validator| {
        let power = rpc::number(validator, "/voting_power")?;
        Ok((if validator["address"] == address { power } else { mine }, total + power))
    })
}

/// Copies a folder and all that is in it.
///
/// # Errors
/// As the system's.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
