//! Four validators under load: ours, and CometBFT's with its key-value application.
//!
//! Both are processes on this machine that persist every block; transactions go in at one node and are seen final at
//! another, and latency counts from when the plan said to send. A figure of the peer below its [`FLOORS`] says that the
//! machine was busy, and makes the run invalid.

use super::page::Section;
use super::{build, measured, number};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

const PEER: &str = "cometbft-0.38";
/// What the peer carried on a machine of two cores when it was chosen against: default, tuned.
const FLOORS: [f64; 2] = [1_730.0, 3_840.0];
const SECONDS: &str = "10";
/// The rate at which latencies are compared.
const COMPARED: f64 = 1_000.0;
const DEFAULT_RATES: &str = "1000,2500";
const TUNED_RATES: &str = "1000,3500,4500,6000";
const OPEN_RATES: &str = "1000,5000,15000,30000,45000";
const SIGNED_RATES: &str = "1000,4000,6000,9000";

/// Runs all four, one after the other.
pub(super) fn run() -> Result<()> {
    build(&["zeugma", "zeugma-peers"])?;
    let ours = |kind: &str, rates: &str| {
        measured(
            "zeugma",
            &["bench", "--json", "--devnet", "4", "--kind", kind, "--rate", rates, "--seconds", SECONDS],
            20,
        )
    };
    let theirs =
        |setup: &str, rates: &str| measured("zeugma-peers", &["bench", PEER, setup, rates, SECONDS], 20);
    let default = theirs("default", DEFAULT_RATES)?;
    let tuned = theirs("tuned", TUNED_RATES)?;
    let open = ours("open", OPEN_RATES)?;
    let signed = ours("signed", SIGNED_RATES)?;

    let mut section = Section::new(
        "throughput",
        "Four validators on one machine, 250 bytes, submitted at one node and seen final at another",
        "cargo xtask bench",
    );
    for (name, found) in [
        ("CometBFT, default", &default),
        ("CometBFT, tuned", &tuned),
        ("Zeugma, opaque payloads without sender", &open),
        ("Zeugma, signed payloads", &signed),
    ] {
        section.text(&format!("### {name}"));
        section.text(&described(found));
        table(&mut section, name, found)?;
        section.text("");
    }
    section.text("### Ratios");
    section.row(&["", "measured", "target", ""]);
    section.row(&["---", "---", "---", "---"]);
    judge(&mut section, [&default, &tuned], &open, &signed)?;
    let invalid: Vec<String> = ["default", "tuned"]
        .into_iter()
        .zip([&default, &tuned])
        .zip(FLOORS)
        .filter_map(|((name, found), floor)| {
            let best = best(found).ok()?;
            (best < floor).then(|| format!("CometBFT, {name}: {best:.0}/s, it has carried {floor:.0}/s"))
        })
        .collect();
    if !invalid.is_empty() {
        section.text("");
        section.text(&format!("**This run is invalid**: {}.", invalid.join("; ")));
    }
    section.write()?;
    ensure!(invalid.is_empty(), "the run is invalid: {}", invalid.join("; "));
    Ok(())
}

fn judge(section: &mut Section, [default, tuned]: [&Value; 2], open: &Value, signed: &Value) -> Result<()> {
    let peer = best(tuned)?;
    let ratio = best(open)? / peer;
    section.verdict(
        "opaque payloads, most carried, to the peer's tuned",
        &format!("{:.0}/s to {peer:.0}/s: {ratio:.2}x", best(open)?),
        "5x",
        ratio >= 5.0,
    );
    let ratio = best(signed)? / peer;
    section.verdict(
        "signed payloads, most carried, to the peer's unsigned",
        &format!("{:.0}/s to {peer:.0}/s: {ratio:.2}x", best(signed)?),
        "1x, aim 2x",
        ratio >= 1.0,
    );
    let at = |found: &Value| number(at_rate(found, COMPARED)?, "p50_ms");
    let (mine, slow, quick) = (at(open)?, at(default)?, at(tuned)?);
    section.verdict(
        "median at 1,000/s, to the peer's default",
        &format!("{mine:.1} ms to {slow:.1} ms: {:.2}x", mine / slow),
        "0.1x",
        mine <= slow / 10.0,
    );
    section.verdict(
        "median at 1,000/s, to the peer's tuned",
        &format!("{mine:.1} ms to {quick:.1} ms: {:.2}x", mine / quick),
        "1x",
        mine <= quick,
    );
    for (name, found) in [("opaque", open), ("signed", signed)] {
        let last = runs(found)?.last().context("no run")?;
        let kept = number(last, "final_per_second")? / best(found)?;
        section.verdict(
            &format!(
                "{name}: carried when {:.0}/s are offered, to the most carried",
                number(last, "offered_per_second")?
            ),
            &format!("{kept:.2}x"),
            "no collapse: 0.7x",
            kept >= 0.7,
        );
    }
    Ok(())
}

fn runs(found: &Value) -> Result<&Vec<Value>> {
    found["runs"].as_array().context("no runs")
}

/// Most transactions a second that became final, of all rates.
fn best(found: &Value) -> Result<f64> {
    runs(found)?.iter().try_fold(0.0, |most: f64, run| Ok(most.max(number(run, "final_per_second")?)))
}

fn at_rate(found: &Value, rate: f64) -> Result<&Value> {
    let run = runs(found)?.iter().find(|run| run["offered_per_second"].as_f64() == Some(rate));
    run.with_context(|| format!("no run at {rate}/s"))
}

/// What was measured and how it was configured.
fn described(found: &Value) -> String {
    let words = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let mut text = format!("A transaction: {}; {} bytes.", words("transaction"), found["transaction_bytes"]);
    for name in ["network", "peer"] {
        if !words(name).is_empty() {
            text.push_str(&format!(" {}.", words(name)));
        }
    }
    if let Some(settings) = found["configuration"].as_array() {
        let settings: Vec<String> =
            settings.iter().filter_map(Value::as_str).map(|setting| format!("`{setting}`")).collect();
        text.push_str(&format!(" Pause after a block {} ms; {}.", found["pace_ms"], settings.join(", ")));
    }
    text
}

/// The runs, one a row.
pub(super) fn table(section: &mut Section, name: &str, found: &Value) -> Result<()> {
    const COLUMNS: [(&str, &str); 8] = [
        ("offered/s", "offered_per_second"),
        ("final/s", "final_per_second"),
        ("p50 ms", "p50_ms"),
        ("p99 ms", "p99_ms"),
        ("refused", "refused"),
        ("unseen", "unseen"),
        ("blocks", "blocks"),
        ("CPU us/tx, all nodes", "nodes_cpu_us_per_transaction"),
    ];
    section.row(&COLUMNS.map(|(title, _)| title));
    section.row(&COLUMNS.map(|_| "---:"));
    ensure!(!runs(found)?.is_empty(), "{name}: nothing was measured");
    for run in runs(found)? {
        let cells = COLUMNS.map(|(_, member)| match &run[member] {
            Value::Null => "-".to_owned(),
            value => value.to_string(),
        });
        section.row(&cells.each_ref().map(String::as_str));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(rows: &[(u32, f64, f64)]) -> Value {
        let runs: Vec<Value> = rows
            .iter()
            .map(|(rate, carried, p50)| {
                json!({"offered_per_second": rate, "final_per_second": carried, "p50_ms": p50})
            })
            .collect();
        json!({ "runs": runs })
    }

    #[test]
    fn the_best_is_of_all_rates_and_latencies_are_compared_at_one() {
        let ours = found(&[(1_000, 1_000.0, 20.0), (30_000, 21_000.0, 900.0)]);
        assert!((best(&ours).unwrap() - 21_000.0).abs() < 0.1);
        assert_eq!(at_rate(&ours, COMPARED).unwrap()["p50_ms"], 20.0);
        at_rate(&ours, 7.0).unwrap_err();
    }
}
