//! `zeugma bench`: loads a network by one node and sees it final by another.
//!
//! What is counted: a transaction, made here, that was submitted to the first node and that the second node named in
//! its stream of final blocks as done. Its latency begins when the plan said to send it, not when there was time to,
//! so a network that cannot keep up shows it. Nothing is sent twice, and what is refused is counted as refused.

mod cpu;
mod idle;
mod load;
mod measure;
mod network;
mod payload;

use crate::ending::Interrupt;
use crate::failure::Failure;
use crate::output::{Output, Report};
use clap::{Args, ValueEnum};
use load::{Bounds, Pace};
use network::Target;
use payload::Maker;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Loads a network: open loop at offered rates, or closed loop with so many outstanding
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Start this many validators on this machine and measure them
    #[arg(long, value_name = "N", conflicts_with_all = ["node", "watch", "key"],
        value_parser = clap::value_parser!(u8).range(4..=32))]
    devnet: Option<u8>,
    /// Milliseconds that a byte takes between two of those validators, beside what this machine takes
    #[arg(long, default_value_t = 0, value_name = "MS", requires = "devnet", value_parser = clap::value_parser!(u16).range(0..=2_000))]
    delay: u16,
    /// Submit nothing: tell what those validators use when nobody asks anything of them
    #[arg(long, requires = "devnet", conflicts_with_all = ["rate", "outstanding"])]
    idle: bool,
    /// The node to submit to
    #[arg(long, env = "ZEUGMA_NODE", default_value = "http://127.0.0.1:7780", value_name = "URL")]
    node: String,
    /// The node whose stream tells what is final; another one, unless nothing is said
    #[arg(long, value_name = "URL")]
    watch: Option<String>,
    /// The file of the token that the nodes ask for; or set `ZEUGMA_TOKEN`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The account that signs, for `--kind signed` on a network that runs already
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Accounts that sign in turns, on a network that is started for this
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    accounts: u16,
    /// What is submitted
    #[arg(long, value_enum, default_value = "open", value_name = "KIND")]
    kind: Kind,
    /// Bytes of the payload of each transaction
    #[arg(long, default_value_t = 250, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(16..=16_384))]
    size: u16,
    /// Transactions a second to offer; several, one after the other, with commas
    #[arg(long, value_delimiter = ',', default_value = "1000", value_name = "RATE",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Vec<u32>,
    /// Keep so many outstanding instead, and see what rate that gives
    #[arg(long, value_name = "N", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=40_000))]
    outstanding: Option<u32>,
    /// Seconds that count, of each rate
    #[arg(long, default_value_t = 15, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Seconds before them that do not
    #[arg(long, default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(0..=60))]
    warm_up: u16,
    /// Most transactions of one request
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    batch: u16,
    /// Requests that may be under way at one time
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
}

/// What is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// An opaque payload without sender; the network must accept those
    Open,
    /// An opaque payload that an account signed, one signature for each
    Signed,
}

impl Kind {
    /// What one counted transaction is.
    const fn words(self) -> &'static str {
        match self {
            Self::Open => {
                "one opaque payload without sender, unlike every other, in a block of its own transactions, \
                 persisted by every node"
            }
            Self::Signed => {
                "one opaque payload signed by an account (Ed25519), verified by every node, persisted by every node"
            }
        }
    }
}

impl Bench {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let interrupt = Interrupt::listen()?;
        let maker = Maker::new(self.kind, self.size, self.accounts)?;
        let (target, mut maker) = match self.devnet {
            Some(validators) => {
                let delay = Duration::from_millis(self.delay.into());
                Target::start(validators, delay, maker, &interrupt, output)?
            }
            None => Target::reach(&self, maker)?,
        };
        if self.idle {
            let report = idle::run(&target, Duration::from_secs(self.seconds.into()), &interrupt)?;
            output.report(&report);
            return Ok(());
        }
        output.progress(&format!("a transaction: {}", self.kind.words()));
        output.progress(&format!(
            "payload {} bytes, whole {} bytes; {}",
            self.size,
            maker.length(),
            target.words()
        ));
        let bounds = Bounds {
            warm_up: Duration::from_secs(self.warm_up.into()),
            counted: Duration::from_secs(self.seconds.into()),
            batch: self.batch.into(),
            connections: self.connections.into(),
        };
        let paces = match self.outstanding {
            Some(outstanding) => vec![Pace::Outstanding(outstanding)],
            None => self.rate.iter().copied().map(Pace::Rate).collect(),
        };
        let mut runs: Vec<Value> = Vec::new();
        let mut text = format!("\n{}\n", measure::HEAD);
        for pace in paces {
            target.settle(&interrupt)?;
            let measured = load::run(&target, &mut maker, pace, bounds, &interrupt)?;
            output.progress(&measured.line());
            text.push_str(&format!("{}\n", measured.line()));
            runs.push(measured.json());
        }
        let json = json!({
            "transaction": self.kind.words(),
            "payload_bytes": self.size,
            "transaction_bytes": maker.length(),
            "network": target.words(),
            "runs": runs,
        });
        output.report(&Report { text, json });
        Ok(())
    }
}
