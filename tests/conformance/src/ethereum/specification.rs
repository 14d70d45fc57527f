//! The tests of the consensus specifications: `light_client/sync` and `light_client/update_ranking`.
//!
//! A case is a step of `steps.yaml`: what the store is after an update, a forced update, or an upgrade of
//! its layout. The store here has no layout, so an upgrade changes nothing, and what is expected of it is
//! compared all the same. The policy is the specification's own.
//!
//! Source: consensus-specs `tests/formats/light_client`.

use super::chain::{Network, yaml};
use super::json::{array, number};
use crate::files::File;
use crate::report::Report;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;
use zeugma_adapter_ethereum::committee::Memory;
use zeugma_adapter_ethereum::container::{Bootstrap, Kind, LightUpdate};
use zeugma_adapter_ethereum::fork::{Chain, Fork};
use zeugma_adapter_ethereum::header::LightHeader;
use zeugma_adapter_ethereum::light::{Policy, Store, is_better};

/// Longest serialized file, in bytes: a bootstrap of 512 seats has 26 kB.
const MAX_BYTES: usize = 1 << 20;

pub(super) fn run(file: &File, report: &mut Report<'_>) -> Result<()> {
    let folder = file.path.parent().unwrap_or(Path::new("."));
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let has = |name: &str| folder.join(name).is_file();
    match name.as_str() {
        "steps.yaml" if has("bootstrap.ssz_snappy") => case(file, folder, report),
        "meta.yaml" if has("updates_0.ssz_snappy") => ranking(file, folder, report),
        "proof.yaml" => report
            .exempt(&file.name, "a branch under a whole beacon state or body, which no light client hashes"),
        "steps.yaml" => report.exempt(&file.name, "which messages a full node makes"),
        "meta.yaml" | "config.yaml" | "config.yml" => Ok(()),
        "object.ssz_snappy" if has("proof.yaml") => Ok(()),
        // Read with the steps or the ranking that name them.
        _ if name.ends_with(".ssz_snappy") && (has("steps.yaml") || has("updates_0.ssz_snappy")) => Ok(()),
        _ => report.unknown(&file.name, &"a file of no case"),
    }
}

/// The fork that a folder's place names.
fn fork_of(folder: &Path) -> Option<Fork> {
    folder.components().rev().find_map(|part| Fork::named(&part.as_os_str().to_string_lossy()))
}

fn case(file: &File, folder: &Path, report: &mut Report<'_>) -> Result<()> {
    let mut case = match Case::read(file, folder) {
        Ok(case) => case,
        Err(why) => return report.unknown(&file.name, &format!("{why:#}")),
    };
    report.policy("one participant, and forced updates: the specification's own policy")?;
    let place = file.name.strip_suffix("/steps.yaml").unwrap_or(&file.name).to_owned();
    for (index, step) in std::mem::take(&mut case.steps).iter().enumerate() {
        let Some((kind, fields)) = step.as_object().and_then(|step| step.iter().next()) else {
            report.unknown(&format!("{place}#{index}"), &"a step that is no map")?;
            continue;
        };
        let name = format!("{place}#{index} {kind}");
        match case.step(kind, fields) {
            Ok(outcome) => {
                let expected = case.expected(&fields["checks"]);
                match expected {
                    Ok(expected) => {
                        let got = outcome.unwrap_or_else(|| case.got(&fields["checks"]));
                        report.case(&name, &expected, &got)?;
                    }
                    Err(why) => report.unknown(&name, &format!("{why:#}"))?,
                }
            }
            Err(why) => report.unknown(&name, &format!("{why:#}"))?,
        }
    }
    for unread in case.unread(folder)? {
        report.unknown(&format!("{place}/{unread}"), &"a message that no step names")?;
    }
    Ok(())
}

struct Case<'a> {
    folder: &'a Path,
    network: Network,
    fork: Option<Fork>,
    store: Store,
    memory: Memory,
    steps: Vec<Value>,
    read: BTreeSet<String>,
}

impl<'a> Case<'a> {
    fn read(file: &File, folder: &'a Path) -> Result<Self> {
        let steps = yaml(std::str::from_utf8(&file.bytes)?)?;
        let meta = yaml(&fs::read_to_string(folder.join("meta.yaml")).context("no meta.yaml")?)?;
        let fork = fork_of(folder);
        let network = Network::beside(folder, Some(array(&meta, "genesis_validators_root")?), fork)?;
        let bootstrap_fork = match meta["bootstrap_fork_digest"].as_str() {
            Some(digest) => network.fork(digest)?,
            None => fork.context("the bootstrap's fork is not named")?,
        };
        let seats = seats(&network.chain);
        let bytes = serialized(&folder.join("bootstrap.ssz_snappy"))?;
        let bootstrap = Bootstrap::read(&bytes, bootstrap_fork, seats).context("bootstrap")?;
        let mut memory = Memory::of(8);
        let root = array(&meta, "trusted_block_root")?;
        let store = Store::start(&network.chain, Policy::Specification, &root, &bootstrap, &mut memory)?;
        let steps = steps.as_array().context("steps are a list")?.clone();
        let read = BTreeSet::from(["bootstrap.ssz_snappy".to_owned()]);
        Ok(Self { folder, network, fork, store, memory, steps, read })
    }

    /// Does a step; gives why it was refused, if it was.
    fn step(&mut self, kind: &str, fields: &Value) -> Result<Option<String>> {
        match kind {
            "process_update" => {
                let fork = match fields["update_fork_digest"].as_str() {
                    Some(digest) => self.network.fork(digest)?,
                    None => self.fork.context("the update's fork is not named")?,
                };
                let name = fields["update"].as_str().context("no update is named")?;
                ensure!(!name.contains(['/', '\\']), "an update of another folder");
                let name = format!("{name}.ssz_snappy");
                let bytes = serialized(&self.folder.join(&name))?;
                self.read.insert(name);
                let slot = number(fields, "current_slot")?;
                let seats = seats(&self.network.chain);
                let done = LightUpdate::read(&bytes, Kind::Full, fork, seats)
                    .and_then(|update| self.store.process(&update, slot, &mut self.memory));
                Ok(done.err().map(|refusal| format!("refused: {refusal}")))
            }
            "force_update" => {
                let done = self.store.force(number(fields, "current_slot")?, &mut self.memory);
                Ok(done.err().map(|refusal| format!("refused: {refusal}")))
            }
            "upgrade_store" => {
                self.network.fork(fields["store_fork_digest"].as_str().context("no digest")?)?;
                Ok(None)
            }
            _ => bail!("no step is called {kind}"),
        }
    }

    fn expected(&self, checks: &Value) -> Result<String> {
        let mut lines = vec![];
        for (which, check) in checks.as_object().context("no checks")? {
            ensure!(
                ["finalized_header", "optimistic_header"].contains(&which.as_str()),
                "a check of {which}"
            );
            let mut line = format!("{which} {}", number(check, "slot")?);
            for (key, value) in check.as_object().context("a check is a map")? {
                match key.as_str() {
                    "slot" => {}
                    "beacon_root" | "execution_root" => {
                        line += &format!(" {}", value.as_str().context("a root is text")?.to_lowercase());
                    }
                    _ => bail!("a check of {key}"),
                }
            }
            lines.push(line);
        }
        ensure!(!lines.is_empty(), "no checks");
        Ok(lines.join(", "))
    }

    /// What the store holds of what is checked.
    fn got(&self, checks: &Value) -> String {
        let mut lines = vec![];
        for (which, check) in checks.as_object().into_iter().flatten() {
            let header =
                if which == "finalized_header" { self.store.finalized() } else { self.store.optimistic() };
            let mut line = format!("{which} {}", header.beacon.slot);
            for key in check.as_object().into_iter().flatten().map(|(key, _)| key.as_str()) {
                match key {
                    "beacon_root" => line += &format!(" 0x{}", hex::encode(header.beacon.root())),
                    "execution_root" => line += &format!(" {}", self.execution_root(header)),
                    _ => {}
                }
            }
            lines.push(line);
        }
        lines.join(", ")
    }

    fn execution_root(&self, header: &LightHeader) -> String {
        match header.execution_root(&self.network.chain) {
            Ok(root) => format!("0x{}", hex::encode(root)),
            Err(refusal) => refusal.to_string(),
        }
    }

    fn unread(&self, folder: &Path) -> Result<Vec<String>> {
        let mut unread = vec![];
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".ssz_snappy") && !self.read.contains(&name) {
                unread.push(name);
            }
        }
        unread.sort();
        Ok(unread)
    }
}

fn ranking(file: &File, folder: &Path, report: &mut Report<'_>) -> Result<()> {
    let read = || -> Result<(Network, Vec<LightUpdate>)> {
        let meta = yaml(std::str::from_utf8(&file.bytes)?)?;
        let fork = fork_of(folder).context("the fork is not named by the folder")?;
        // No root is compared and no signature checked, so any chain of the preset will do.
        let network = Network::beside(folder, Some([1; 32]), Some(fork))?;
        let updates = (0..number(&meta, "updates_count")?).map(|index| {
            let bytes = serialized(&folder.join(format!("updates_{index}.ssz_snappy")))?;
            Ok(LightUpdate::read(&bytes, Kind::Full, fork, seats(&network.chain))?)
        });
        let updates = updates.collect::<Result<_>>()?;
        Ok((network, updates))
    };
    let (network, updates) = match read() {
        Ok(found) => found,
        Err(why) => return report.unknown(&file.name, &format!("{why:#}")),
    };
    let place = file.name.strip_suffix("/meta.yaml").unwrap_or(&file.name);
    for (index, pair) in updates.windows(2).enumerate() {
        let word = |better| if better { "the first" } else { "the second" };
        let got = word(!is_better(&network.chain, &pair[1], &pair[0]));
        report.case(&format!("{place}#{index} ranks before {}", index + 1), &word(true), &got)?;
    }
    Ok(())
}

fn seats(chain: &Chain) -> usize {
    chain.committee_size as usize
}

/// The bytes of a file of serialized and compressed ones: a snappy block, or a stream of frames.
fn serialized(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let compressed = fs::read(path).with_context(cannot)?;
    if compressed.starts_with(b"\xff\x06\x00\x00sNaPpY") {
        let mut bytes = vec![];
        let frames = snap::read::FrameDecoder::new(&compressed[..]);
        frames.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(cannot)?;
        ensure!(bytes.len() <= MAX_BYTES, "{} is too long", path.display());
        return Ok(bytes);
    }
    let length = snap::raw::decompress_len(&compressed).with_context(cannot)?;
    ensure!(length <= MAX_BYTES, "{} is too long", path.display());
    snap::raw::Decoder::new().decompress_vec(&compressed).with_context(cannot)
}
