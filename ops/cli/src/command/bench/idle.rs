//! What nodes use when nobody asks anything of them.

use super::cpu;
use super::network::Target;
use crate::ending::Interrupt;
use crate::failure::Failure;
use crate::output::Report;
use serde_json::json;
use std::time::Duration;

/// After the start, until what it took is done with.
const CALM: Duration = Duration::from_secs(10);

/// Looks at the nodes for so long.
pub(super) fn run(target: &Target, time: Duration, interrupt: &Interrupt) -> Result<Report, Failure> {
    interrupt.pause(CALM)?;
    let height = || target.exit.status().map_err(|error| Failure::client("the node", error));
    let (before, first) = (cpu::used(&target.processes), height()?.height.get());
    interrupt.pause(time)?;
    let (used, last) = (cpu::used(&target.processes).saturating_sub(before), height()?.height.get());
    let nodes = u32::try_from(target.processes.len()).unwrap_or(u32::MAX).max(1);
    let share = used.as_secs_f64() / time.as_secs_f64() / f64::from(nodes) * 100.0;
    let memory = cpu::resident(&target.processes);
    let most = memory.iter().copied().max().unwrap_or(0);
    let blocks = u32::try_from(last - first).unwrap_or(u32::MAX);
    let rate = f64::from(blocks) / time.as_secs_f64();
    let text = format!(
        "{nodes} idle nodes for {} s: each {share:.2}% of a core and at most {} MB resident; {rate:.2} blocks a second\n",
        time.as_secs(),
        most / 1_000_000,
    );
    let json = json!({
        "nodes": nodes,
        "seconds": time.as_secs(),
        "core_percent_each": (share * 100.0).round() / 100.0,
        "resident_bytes": memory,
        "blocks_per_second": (rate * 100.0).round() / 100.0,
    });
    Ok(Report { text, json })
}
