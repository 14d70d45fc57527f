//! Loading a CometBFT network as `zeugma bench` loads ours: the same plan, the same way to count.
//!
//! Open loop: transaction `i` of a rate `r` is due `i / r` seconds after the start, whatever the network does; its latency
//! counts from then. Submitted to node 0 by `broadcast_tx_async` in JSON-RPC batches, seen final in the `NewBlock` events
//! that node 1 sends over its websocket. A counted transaction is one `key=value` of the built-in key-value application,
//! unlike every other, without a signature, in a committed block, persisted by every node.

pub mod evidence;
mod load;
mod tuning;
mod websocket;

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::comet::{CometNetwork, Options, Release};

pub use tuning::Setup;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The release.
    pub release: Release,
    /// How its nodes are configured.
    pub setup: Setup,
    /// Transactions a second to offer, one after the other.
    pub rates: Vec<u32>,
    /// Bytes of a transaction.
    pub size: usize,
    /// Seconds that count, of each rate.
    pub seconds: u64,
    /// Seconds before them that do not.
    pub warm_up: u64,
}

/// Fewest bytes of a transaction: its number, the sign of equality, a value.
const MIN_SIZE: usize = 24;

impl Plan {
    /// Reads the words after the name of the release: `SETUP RATE,RATE SECONDS`.
    ///
    /// # Errors
    /// With what cannot be understood.
    pub fn parse(release: Release, words: &[&str]) -> Result<Self> {
        let [setup, rates, seconds] = words else { bail!("say SETUP RATE,RATE... SECONDS") };
        let rates = rates.split(',').map(str::parse).collect::<Result<Vec<u32>, _>>().context("the rates")?;
        ensure!(!rates.is_empty() && rates.iter().all(|rate| *rate > 0), "rates are above 0");
        let seconds = seconds.parse().context("the seconds")?;
        ensure!((1..=600).contains(&seconds), "the seconds are from 1 to 600");
        Ok(Self { release, setup: Setup::named(setup)?, rates, size: 250, seconds, warm_up: 3 })
    }

    /// Starts the network, loads it at each rate, and prints one JSON object.
    ///
    /// # Errors
    /// When the network cannot be started or stops answering.
    pub fn run(&self) -> Result<()> {
        ensure!(self.size >= MIN_SIZE, "a transaction has at least {MIN_SIZE} bytes");
        let options = Options {
            chain_id: "zeugma-bench".to_owned(),
            pace: self.setup.pace(),
            config: self.setup.config(self.release),
            ..Options::default()
        };
        let mut network = CometNetwork::start(self.release, &[10, 10, 10, 10], &options)?;
        let mut runs = Vec::new();
        for rate in &self.rates {
            load::settle(&network)?;
            let bounds = load::Bounds {
                rate: *rate,
                size: self.size,
                warm_up: Duration::from_secs(self.warm_up),
                counted: Duration::from_secs(self.seconds),
            };
            let measured = load::run(&mut network, bounds)?;
            eprintln!("{}", measured.line());
            runs.push(measured.json());
        }
        let settings: Vec<String> = self
            .setup
            .config(self.release)
            .iter()
            .map(|setting| format!("{setting} = {}", setting.value))
            .collect();
        let report = json!({
            "peer": self.release.recipe().about,
            "setup": self.setup.name(),
            "configuration": settings,
            "pace_ms": self.setup.pace().as_millis(),
            "transaction": "one key=value of the built-in key-value application, without signature, in a committed \
                            block, persisted by every node",
            "transaction_bytes": self.size,
            "runs": runs,
        });
        println!("{report:#}");
        network.stop()
    }
}
