//! Simulated networks, and histories of packets: `cargo xtask sim packets [--histories N] [--seed S]` runs the latter
//! (`tests/packets`); `cargo xtask sim` runs ten thousand seeds, `[--seeds N] [--validators N] [--seed S]` others; and
//! the share of the gate.
//!
//! The program prints its progress, every failing seed with its plan, and what was injected; a suite that
//! injected nothing fails there. `ZEUGMA_SIM_SEED` replays one seed.

use crate::child::{Child, Tests};
use crate::workspace;
use anyhow::Result;

/// Memory is not given back between the nodes of a network: it is wanted again at once. A sixth of the time.
const MEMORY: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "1073741824"), ("MALLOC_TRIM_THRESHOLD_", "2147483648")];
/// The share of the gate ends within this, on a slow machine too.
const GATE_MINUTES: u64 = 40;
/// Networks of nodes; and histories of packets over ledgers.
const SIM: &str = "zeugma-sim";
const PACKETS: &str = "zeugma-packets";
/// Ten thousand seeds take hours.
const LONG_MINUTES: u64 = 48 * 60;

/// Builds the simulation and its tests.
///
/// # Errors
/// When one does not build.
pub(crate) fn prepare() -> Result<()> {
    Child::cargo(["build", "--package", SIM, "--package", PACKETS]).minutes(30).run()?;
    planted().args(["--no-run"]).minutes(30).run()?;
    Child::cargo(["test", "--package", PACKETS, "--no-run"]).minutes(30).run()
}

/// The planted bugs, each of which must be found; then the seeds of the gate.
///
/// # Errors
/// When a planted bug is not found, or a seed fails.
pub(crate) fn run() -> Result<Tests> {
    let tests = planted().minutes(20).tests()?;
    simulate("debug", SIM, &[], GATE_MINUTES)?;
    let histories =
        with_memory(Child::cargo(["test", "--package", PACKETS, "--no-fail-fast"])).minutes(20).tests()?;
    simulate("debug", PACKETS, &[], GATE_MINUTES)?;
    Ok(tests.plus(histories))
}

/// Builds the simulation and runs it with these flags; without any, the ten thousand, optimized: a third of the time.
///
/// # Errors
/// When it does not build, or a seed fails.
pub(crate) fn command(flags: &[&str]) -> Result<()> {
    if let [packets, flags @ ..] = flags
        && *packets == "packets"
    {
        // Histories of ledgers alone: a fifth of the time when optimized.
        Child::cargo(["build", "--release", "--package", PACKETS]).minutes(60).run()?;
        return simulate("release", PACKETS, flags, LONG_MINUTES);
    }
    if flags.is_empty() {
        Child::cargo(["build", "--release", "--package", "zeugma-sim"]).minutes(60).run()?;
        return simulate("release", SIM, &["--long"], LONG_MINUTES);
    }
    Child::cargo(["build", "--package", "zeugma-sim"]).minutes(30).run()?;
    simulate("debug", SIM, flags, LONG_MINUTES)
}

fn planted() -> Child {
    with_memory(Child::cargo(["test", "--package", "zeugma-sim", "--no-fail-fast"]))
}

fn simulate(profile: &str, program: &str, flags: &[&str], minutes: u64) -> Result<()> {
    let program = workspace::target()?.join(profile).join(program);
    with_memory(Child::new(program).args(flags)).minutes(minutes).run()
}

fn with_memory(child: Child) -> Child {
    MEMORY.into_iter().fold(child, |child, (name, value)| child.env(name, value))
}
