//! Speed, with the peers in the same run: `cargo xtask bench [WHAT]`.
//!
//! | what | measures | target |
//! |---|---|---|
//! | nothing | four validators under load, and four of CometBFT, by default and tuned | [`throughput`] |
//! | `idle` | what an idle node uses | below 100 MB and 2% of a core |
//! | `wan27` | 27 validators whose links are 50 ms long | final within 2 s |
//! | `certificate` | the check of a certificate | at most 1.1 ms |
//! | `cometbft-header` | the check of a header of CometBFT | at most 0.4 of `tendermint-light-client-verifier` |
//! | `evidence` | deposits a second and their latencies, against Tessera's POSIX log with antispam | 20 times in batches, 5 times one by one |
//! | `evidence-load [N]` | a log of 10 million entries, or N: the last against the first, memory, restart, proofs | [`evidence`] |
//! | `evidence-verdicts` | the judgement of a bundle, and of thirty rules | 3 ms, 2 ms |
//!
//! Everything is built with the release profile first; then one thing runs at a time. Each command prints what it found
//! and writes it into its own section of `docs/benchmarks.md`. A target that is missed is told, and is no failure of
//! the command: figures belong to a machine. A peer that was slower than it has been seen to be makes the run invalid,
//! which is a failure.

mod evidence;
mod page;
mod throughput;

use crate::child::Child;
use crate::workspace;
use anyhow::{Context, Result, ensure};
use page::Section;
use serde_json::Value;
use std::path::PathBuf;

/// Flags of `zeugma bench` for 27 validators: each takes part in each block, on as many cores as there are.
const WAN: [&str; 13] = [
    "bench",
    "--json",
    "--devnet",
    "27",
    "--delay",
    "50",
    "--rate",
    "100,500",
    "--seconds",
    "15",
    "--warm-up",
    "5",
    "--connections=2",
];
const IDLE: [&str; 6] = ["bench", "--json", "--devnet", "4", "--idle", "--seconds=30"];

/// Runs what the words name.
///
/// # Errors
/// When something does not build or run; when a peer makes the run invalid.
pub(crate) fn command(words: &[&str]) -> Option<Result<()>> {
    Some(match words {
        [] => throughput::run(),
        ["idle"] => idle(),
        ["wan27"] => wan(),
        ["certificate"] => certificate(),
        ["cometbft-header"] => header(),
        ["evidence"] => evidence::against_tessera(),
        ["evidence-load"] => evidence::many(None),
        ["evidence-load", entries] => evidence::many(Some(entries.parse().ok()?)),
        ["evidence-verdicts"] => evidence::verdicts(),
        _ => return None,
    })
}

/// Names the folder of programs that were built already: nothing is built then.
const PROGRAMS: &str = "ZEUGMA_BENCH_PROGRAMS";

fn programs() -> Result<PathBuf> {
    match std::env::var_os(PROGRAMS) {
        Some(folder) => Ok(folder.into()),
        None => Ok(workspace::target()?.join("release")),
    }
}

/// Builds these packages with the release profile.
fn build(packages: &[&str]) -> Result<()> {
    if std::env::var_os(PROGRAMS).is_some() {
        return Ok(());
    }
    let named = packages.iter().flat_map(|package| ["--package", *package]);
    Child::cargo(["build", "--release"]).args(named).minutes(90).run()
}

/// Runs a program that prints one JSON object.
fn measured(program: &str, arguments: &[&str], minutes: u64) -> Result<Value> {
    let path = programs()?.join(program);
    let text = Child::new(path).args(arguments.iter().copied()).minutes(minutes).text()?;
    // Some programs tell their progress before it.
    let begin = text.find("\n{").map_or(0, |at| at + 1);
    serde_json::from_str(&text[begin..]).with_context(|| format!("{program} printed {text}"))
}

fn number(value: &Value, name: &str) -> Result<f64> {
    value[name].as_f64().with_context(|| format!("no number {name} in {value}"))
}

fn idle() -> Result<()> {
    build(&["zeugma"])?;
    let found = measured("zeugma", &IDLE, 10)?;
    let share = number(&found, "core_percent_each")?;
    let memory = found["resident_bytes"].as_array().context("no memory of nodes")?;
    let most = memory.iter().filter_map(Value::as_f64).fold(0.0, f64::max) / 1e6;
    ensure!(!memory.is_empty() && most > 0.0, "the memory of no node was read");
    let mut section = Section::new("idle", "An idle node", &format!("zeugma {}", IDLE.join(" ")));
    section.row(&["", "measured", "target", ""]);
    section.row(&["---", "---", "---", "---"]);
    section.verdict("share of a core, mean of the nodes", &format!("{share:.2}%"), "below 2%", share < 2.0);
    section.verdict(
        "resident memory, most of any node",
        &format!("{most:.0} MB"),
        "below 100 MB",
        most < 100.0,
    );
    let blocks = number(&found, "blocks_per_second")?;
    section.verdict("blocks a second", &format!("{blocks:.2}"), "at most about one", blocks < 1.2);
    section.write()
}

fn wan() -> Result<()> {
    build(&["zeugma"])?;
    let found = measured("zeugma", &WAN, 20)?;
    let mut section =
        Section::new("wan27", "27 validators, links of 50 ms each way", &format!("zeugma {}", WAN.join(" ")));
    section.text(found["network"].as_str().unwrap_or_default());
    throughput::table(&mut section, "Zeugma", &found)?;
    let runs = found["runs"].as_array().context("no runs")?;
    let first = runs.first().context("no run")?;
    let median = number(first, "p50_ms")?;
    section.text("");
    section.row(&["", "measured", "target", ""]);
    section.row(&["---", "---", "---", "---"]);
    let name = "median until final, at the lowest rate";
    section.verdict(name, &format!("{median:.0} ms"), "at most 2,000 ms", median <= 2_000.0);
    section.write()
}

fn certificate() -> Result<()> {
    let command = ["bench", "--package", "zeugma-crypto", "--bench", "crypto", "--", "bls"];
    let text = Child::cargo(command).minutes(90).text()?;
    let mut section =
        Section::new("certificate", "The check of a certificate", &format!("cargo {}", command.join(" ")));
    section.verbatim(&text);
    section.write()
}

fn header() -> Result<()> {
    let command = ["bench", "--package", "zeugma-adapter-cometbft", "--bench", "verify"];
    let text = Child::cargo(command).minutes(90).text()?;
    let title = "A header of CometBFT, against tendermint-light-client-verifier";
    let mut section = Section::new("cometbft-header", title, &format!("cargo {}", command.join(" ")));
    section.verbatim(&text);
    section.write()
}
