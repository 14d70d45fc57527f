//! What is loaded: a network that is started for it, or one that runs.

use super::payload::Maker;
use super::{Bench, Kind};
use crate::command::devnet::temporary_folder;
use crate::devnet::{KeyMaking, Network, Plan};
use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::files;
use crate::keyfile::Key;
use crate::output::Output;
use std::time::{Duration, Instant};
use zeugma_client::Client;

/// Longest time until what waits from the run before is carried or gone.
const SETTLING: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// The network must have been idle for so many looks.
const IDLE: u32 = 5;

/// Where transactions go in and come out.
pub(super) struct Target {
    pub(super) entry: Client,
    pub(super) exit: Client,
    /// Processes whose time is counted: those that were started here.
    pub(super) processes: Vec<u32>,
    words: String,
    // In this order: the nodes end before their folder goes.
    _network: Option<Network>,
    _folder: Option<tempfile::TempDir>,
}

impl Target {
    /// A new network on this machine.
    pub(super) fn start(
        validators: u8,
        delay: Duration,
        maker: Maker,
        interrupt: &Interrupt,
        output: &Output,
    ) -> Result<(Self, Maker), Failure> {
        let folder = temporary_folder()?;
        let mut accounts = maker.accounts();
        if accounts.is_empty() {
            // A network that is measured has an account of its own in any case.
            accounts.push(Key::generate(crate::keyfile::Kind::Account)?.public());
        }
        let plan =
            Plan { load: &accounts, delay, ..Plan::new("bench", validators, KeyMaking::InsecureDealer) };
        let network = Network::start(&plan, folder.path(), interrupt, &|line| output.progress(line))?;
        let maker = maker.of(network.genesis().network());
        let words = format!(
            "{validators} validators as processes on loopback, each byte between them {} ms late, storage on {}, every final block durable before it is \
             told (flags: none, the defaults of `zeugma node`); submitted to node 0, seen final on node 1",
            delay.as_millis(),
            folder.path().display()
        );
        let target = Self {
            entry: network.client(0),
            exit: network.client(1),
            processes: network.processes(),
            words,
            _network: Some(network),
            _folder: Some(folder),
        };
        Ok((target, maker))
    }

    /// A network that runs.
    pub(super) fn reach(bench: &Bench, maker: Maker) -> Result<(Self, Maker), Failure> {
        let token = match &bench.token_file {
            None => std::env::var("ZEUGMA_TOKEN").ok(),
            Some(path) => {
                let bytes = files::read(path, 1_024)?;
                Some(String::from_utf8_lossy(&bytes).trim().to_owned())
            }
        };
        let connect = |url: &str| {
            let client = Client::new(url);
            token.as_deref().map_or(client.clone(), |token| client.with_token(token))
        };
        let watch = bench.watch.as_deref().unwrap_or(&bench.node);
        let (entry, exit) = (connect(&bench.node), connect(watch));
        let genesis = entry.genesis().map_err(|error| Failure::client("the genesis", error))?;
        let mut maker = maker.of(genesis.network());
        if bench.kind == Kind::Signed {
            let path = bench.key.as_ref().ok_or_else(|| {
                let what = "--kind signed on a network that runs needs an account that it knows";
                Failure::usage(what, "name its key: --key FILE; or start a network: --devnet 4")
            })?;
            let key = Key::read(path)?;
            let found =
                entry.account(&key.account()).map_err(|error| Failure::client("the account", error))?;
            let account = found.ok_or_else(|| {
                let what = format!("the network has no account {}", key.account());
                Failure::own(Rule::NotThere, "the account", what, "use the key of an account of the genesis")
            })?;
            maker = maker.by(&key, account.used.highest);
        }
        let words = format!("a network that runs; submitted to {}, seen final on {watch}", bench.node);
        let target = Self { entry, exit, processes: Vec::new(), words, _network: None, _folder: None };
        Ok((target, maker))
    }

    /// What is measured, in words.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Waits until nothing waits any more, or what waits does not go away.
    pub(super) fn settle(&self, interrupt: &Interrupt) -> Result<(), Failure> {
        let (end, mut idle) = (Instant::now() + SETTLING, 0);
        while idle < IDLE && Instant::now() < end {
            let waits = [&self.entry, &self.exit].into_iter().try_fold(0, |sum, client| {
                let status = client.status().map_err(|error| Failure::client("the node", error))?;
                Ok::<u64, Failure>(sum + status.waiting_transactions)
            })?;
            idle = if waits == 0 { idle + 1 } else { 0 };
            interrupt.pause(LOOK)?;
        }
        Ok(())
    }
}
