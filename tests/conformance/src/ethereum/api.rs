//! What a beacon node serves to light clients, as JSON files in one folder.
//!
//! A folder holds a bootstrap and any of: updates (one, or a list), a finality update, an optimistic update.
//! Each file is a set of cases: the client starts from the bootstrap, goes through the updates by period,
//! and then through the file's own messages. The bootstrap's root is trusted, there being nothing else to
//! trust; and the time is that of the newest signature, a file having none of its own. Updates with a
//! finalized header are judged by the policy of bridges; one without is judged by the specification's.

use super::chain::Network;
use super::execution::Kind;
use super::json;
use crate::files::File;
use crate::report::Report;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;
use zeugma_adapter_ethereum::committee::Memory;
use zeugma_adapter_ethereum::container::{Bootstrap, LightUpdate};
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::light::{Policy, Store};
use zeugma_types::Refusal;

/// Files beside the messages that say what chain they are of.
const SETTINGS: [&str; 3] = ["config.json", "spec.json", "genesis.json"];

pub(super) fn run(file: &File, report: &mut Report<'_>) -> Result<()> {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    if SETTINGS.contains(&&*name) {
        return Ok(());
    }
    if let Ok(value) = serde_json::from_slice::<Value>(&file.bytes) {
        let kind = Kind::of(&value);
        if matches!(kind, Kind::Header | Kind::Receipts | Kind::Proof) {
            return super::elsewhere(file, Some(kind), report);
        }
    }
    match Folder::read(file) {
        Err(why) => report.unknown(&file.name, &format!("{why:#}")),
        Ok(folder) => folder.run(file, report),
    }
}

enum Message {
    Bootstrap(Box<Bootstrap>),
    Update(Box<LightUpdate>),
}

struct Folder {
    network: Network,
    bootstrap: Bootstrap,
    /// All updates that bring a committee, by period.
    updates: Vec<LightUpdate>,
    own: Vec<Result<Message>>,
}

/// The messages of a file.
fn messages(value: &Value, network: &Network) -> Vec<Result<Message>> {
    let list = match value.as_array().or_else(|| value["data"].as_array()) {
        Some(list) => list.iter().collect(),
        None => vec![value],
    };
    list.into_iter().map(|message| one(message, network)).collect()
}

fn one(message: &Value, network: &Network) -> Result<Message> {
    let data = json::unwrapped(message);
    let fork = match json::fork(message) {
        Ok(fork) => fork,
        Err(_) => network.chain.fork(json::slot(data)?)?.fork,
    };
    read(data, fork)
}

fn read(data: &Value, fork: Fork) -> Result<Message> {
    if data.get("current_sync_committee").is_some() {
        return Ok(Message::Bootstrap(Box::new(json::bootstrap(data, fork)?)));
    }
    if data.get("attested_header").is_some() {
        return Ok(Message::Update(Box::new(json::update(data, fork)?)));
    }
    anyhow::bail!("neither a bootstrap nor an update")
}

impl Folder {
    fn read(file: &File) -> Result<Self> {
        let folder = file.path.parent().unwrap_or(Path::new("."));
        let network = Network::beside(folder, None, None)?;
        let own: Value = serde_json::from_slice(&file.bytes).context("not JSON")?;
        let own = messages(&own, &network);
        let mut bootstrap = None;
        let mut updates = vec![];
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") || !path.is_file() {
                continue;
            }
            let Ok(value) = serde_json::from_slice(&fs::read(&path)?) else { continue };
            for message in messages(&value, &network).into_iter().flatten() {
                match message {
                    Message::Bootstrap(found) => bootstrap = Some(*found),
                    Message::Update(update) if update.next.is_some() => updates.push(*update),
                    Message::Update(_) => {}
                }
            }
        }
        updates.sort_by_key(|update| update.attested.beacon.slot);
        let bootstrap = bootstrap.context("no bootstrap lies beside")?;
        Ok(Self { network, bootstrap, updates, own })
    }

    fn run(self, file: &File, report: &mut Report<'_>) -> Result<()> {
        report.policy(&format!(
            "{}: {}; two thirds of the committee, finalized headers only",
            file.name, self.network.origin
        ))?;
        let count = self.own.len();
        for (index, message) in self.own.iter().enumerate() {
            let name = if count == 1 { file.name.clone() } else { format!("{}#{index}", file.name) };
            match message {
                Err(why) => report.unknown(&name, &format!("{why:#}"))?,
                Ok(message) if self.is_before_the_bootstrap(message) => {
                    report
                        .exempt(&name, "of a period before the bootstrap's, whose committee nothing names")?;
                }
                Ok(message) => {
                    let got =
                        self.judge(message).map_or_else(|refusal| refusal.to_string(), |()| "ok".into());
                    report.case(&name, &"ok".to_owned(), &got)?;
                }
            }
        }
        Ok(())
    }

    fn is_before_the_bootstrap(&self, message: &Message) -> bool {
        let period = |slot| self.network.chain.period(slot);
        match message {
            Message::Bootstrap(_) => false,
            Message::Update(update) => {
                period(update.attested.beacon.slot) < period(self.bootstrap.header.beacon.slot)
            }
        }
    }

    fn judge(&self, message: &Message) -> Result<(), Refusal> {
        let chain = &self.network.chain;
        let mut memory = Memory::of(8);
        let policy = match message {
            Message::Update(update) if update.finality.is_none() => Policy::Specification,
            _ => Policy::Bridge,
        };
        let bootstrap = match message {
            Message::Bootstrap(bootstrap) => bootstrap,
            Message::Update(_) => &self.bootstrap,
        };
        let root = bootstrap.header.beacon.root();
        let mut store = Store::start(chain, policy, &root, bootstrap, &mut memory)?;
        let Message::Update(update) = message else { return Ok(()) };
        for before in &self.updates {
            let is_before = before.attested.beacon.slot < update.attested.beacon.slot;
            if is_before && **update != *before {
                // One that does not help is a case of its own file.
                let _ = store.process(before, before.signature_slot, &mut memory);
            }
        }
        store.process(update, update.signature_slot, &mut memory)
    }
}
