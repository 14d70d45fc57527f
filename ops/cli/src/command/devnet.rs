//! `zeugma devnet`: a network of validators on this machine, until Ctrl-C.

use crate::devnet::{KeyMaking, Network, Plan};
use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::output::{Output, Report};
use crate::parameters::Flags;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Starts validators as processes on loopback, which make their group key themselves, and runs them until Ctrl-C
#[derive(Debug, Args)]
pub(crate) struct Devnet {
    /// How many validators
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u8)
        .range(i64::from(*Network::VALIDATORS.start())..=i64::from(*Network::VALIDATORS.end())))]
    validators: u8,
    /// Where keys, configurations, storage and logs go, a new or empty folder; by default one that is removed at the end
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The network's name
    #[arg(long, default_value = "devnet", value_name = "NAME")]
    name: String,
    /// Let one dealer make the group key, which is quicker; every verifier warns of such a key
    #[arg(long)]
    insecure_dealer: bool,
    /// How many accounts of relayers to make, DIR/relayer-N.json: one for each watcher (`zeugma relay run`)
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=32))]
    relayers: u8,
    #[command(flatten)]
    parameters: Flags,
}

impl Devnet {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let interrupt = Interrupt::listen()?;
        let start = Instant::now();
        let temporary = match &self.dir {
            Some(_) => None,
            None => Some(temporary_folder()?),
        };
        let folder = match (&self.dir, &temporary) {
            (Some(dir), _) => empty_folder(dir)?,
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => unreachable!("one of the two was just made"),
        };
        let key = if self.insecure_dealer { KeyMaking::InsecureDealer } else { KeyMaking::Together };
        let usual = Plan::new(&self.name, self.validators, key);
        let parameters = self.parameters.over(usual.parameters.clone());
        let parameters = parameters.map_err(|refusal| Failure::refused("the parameters", refusal))?;
        let plan = Plan { relayers: self.relayers, parameters, ..usual };
        let tell = |line: &str| output.progress(&format!("{:6.1} s  {line}", start.elapsed().as_secs_f64()));
        let mut network = match Network::start(&plan, &folder, &interrupt, &tell) {
            Err(_) if interrupt.requested() => return Ok(()),
            started => started?,
        };
        output.report(&report(&network, start.elapsed()));
        while !interrupt.requested() {
            network.check()?;
            // A wish to end ends the loop, not the command.
            let _ = interrupt.pause(Duration::from_millis(500));
        }
        Ok(())
    }
}

fn report(network: &Network, took: Duration) -> Report {
    let (first, endpoints) = (network.endpoint(0), network.endpoints());
    let (trust, account) =
        (network.trust_file().display().to_string(), network.account_file().display().to_string());
    let made = network.transcript().map_or_else(
        || "WARNING: made by a dealer, for trials only".to_owned(),
        |transcript| format!("made by the validators together, transcript {transcript}"),
    );
    let relayers: Vec<String> =
        network.relayer_files().iter().map(|file| file.display().to_string()).collect();
    let mut text = format!("\nnetwork {}, after {:.1} s\n", network.genesis().network(), took.as_secs_f64());
    text.push_str(&format!("group key: {made}\n"));
    for endpoint in &endpoints {
        text.push_str(&format!("node: {endpoint}\n"));
    }
    for relayer in &relayers {
        text.push_str(&format!("account of a relayer: {relayer}\n"));
    }
    text.push_str(&format!(
        "token for writes: {token}\ntrust file: {trust}\naccount with every role: {account}\n\ntry:\n  \
         zeugma query status --node {first}\n  \
         zeugma tx opaque --text hello --node {first} --token-file {file} --key {account}\n  \
         curl {first}/metrics\n\nCtrl-C ends the network.\n",
        token = network.token(),
        file = network.token_file().display(),
    ));
    let json = json!({
        "network": network.genesis().network().to_string(),
        "transcript": network.transcript(),
        "nodes": endpoints,
        "token": network.token(),
        "trust": trust,
        "account": account,
        "relayers": relayers,
        "seconds": took.as_secs_f64(),
    });
    Report { text, json }
}

/// A folder that is removed when it is dropped.
pub(crate) fn temporary_folder() -> Result<tempfile::TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("zeugma-").tempdir();
    made.map_err(|why| {
        Failure::own(
            Rule::NotWritten,
            std::env::temp_dir().display(),
            why,
            "set TMPDIR to a folder with room",
        )
    })
}

/// The folder, made if it is not there.
pub(crate) fn empty_folder(dir: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(dir).map_err(|why| Failure::unreadable(dir, &why))?;
    let dir = dir.canonicalize().map_err(|why| Failure::unreadable(dir, &why))?;
    let mut entries = std::fs::read_dir(&dir).map_err(|why| Failure::unreadable(&dir, &why))?;
    if entries.next().is_some() {
        let what = "it is not empty, and nothing in it is written over";
        return Err(Failure::own(Rule::FileExists, dir.display(), what, "name a new folder"));
    }
    Ok(dir)
}
