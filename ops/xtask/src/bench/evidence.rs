//! The evidence service: against Tessera's POSIX log, with many entries, and what a verdict costs.
//!
//! The load and what is counted are those of `tests/peers/src/bench/evidence`. A figure of the peer below its [`FLOOR`]
//! says that the machine was busy, and makes the run invalid.

use super::page::Section;
use super::{build, measured, number, programs};
use crate::child::Child;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What the peer carried from inside on a machine of two cores when it was chosen against.
const FLOOR: f64 = 3_030.0;
const SECONDS: &str = "10";
/// Entries of the load, unless another number is asked for.
const ENTRIES: u64 = 10_000_000;

/// Deposits a second, latencies, anchored bundles.
pub(super) fn against_tessera() -> Result<()> {
    build(&["zeugma", "zeugma-peers"])?;
    let zeugma = programs()?.join("zeugma");
    let zeugma = zeugma.to_str().context("the path of the command is no text")?;
    let found = measured("zeugma-peers", &["bench", "evidence", zeugma, SECONDS], 20)?;
    let title = "The evidence service and Tessera's POSIX log, one disk, one run";
    let mut section = Section::new("evidence", title, "cargo xtask bench evidence");
    section.text(
        "An entry counts when it was acknowledged as durable, and both know every entry that they have seen. Of ours it is \
         a record of five fields, answered over HTTP with a position and a signed receipt; by default the log has two \
         trees, SHA-256 and SM3. Of Tessera's it is 71 bytes, added inside its own process, or over HTTP one a request. \
         Client and server share the machine. The configuration is the default of `zeugma evidence serve`.",
    );
    rows(&mut section, &found)?;
    section.row(&["", "measured", "target", ""]);
    section.row(&["---", "---", "---", "---"]);
    let inside = best(&found["tessera_inside"])?;
    judge(&mut section, &found, inside)?;
    if inside < FLOOR {
        let told = format!("Tessera carried {inside:.0}/s from inside, it has carried {FLOOR:.0}/s");
        section.text("");
        section.text(&format!("**This run is invalid**: {told}."));
        section.write()?;
        anyhow::bail!("the run is invalid: {told}");
    }
    section.write()
}

/// One row a run.
fn rows(section: &mut Section, found: &Value) -> Result<()> {
    let titles = [
        "",
        "connections",
        "entries a request",
        "offered/s",
        "acknowledged/s",
        "p50 ms",
        "p99 ms",
        "refused",
        "CPU us/entry",
    ];
    section.row(&titles);
    section.row(&["---", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:"]);
    let mut row = |name: &str, run: &Value| {
        let members = [
            "connections",
            "batch",
            "offered_per_second",
            "acknowledged_per_second",
            "p50_ms",
            "p99_ms",
            "refused",
            "server_cpu_us_per_entry",
        ];
        let cells = members.map(|member| match &run[member] {
            Value::Null => "-".to_owned(),
            value => value.to_string(),
        });
        let cells: Vec<&str> = core::iter::once(name).chain(cells.iter().map(String::as_str)).collect();
        section.row(&cells);
    };
    for run in found["tessera_inside"].as_array().context("no runs of Tessera")? {
        let mut told = run.clone();
        told["refused"] = run["pushed_back"].clone();
        row(&format!("Tessera inside, `{}`", run["flags"].as_str().unwrap_or_default()), &told);
    }
    let http = &found["tessera_http"];
    row(&format!("Tessera over HTTP, `{}`", http["flags"].as_str().unwrap_or_default()), http);
    for (name, part) in [("two trees", "two_trees"), ("one tree", "one_tree")] {
        for (kind, member) in [
            ("batches", "batches"),
            ("batches at half load", "batches_at_half_load"),
            ("one by one", "single"),
            ("one by one at half load", "single_at_half_load"),
        ] {
            row(&format!("Zeugma, {name}, {kind}"), &found[part][member]);
        }
    }
    section.text("");
    Ok(())
}

fn judge(section: &mut Section, found: &Value, inside: f64) -> Result<()> {
    let rate = |run: &Value| number(run, "acknowledged_per_second");
    let http = rate(&found["tessera_http"])?;
    for (name, part) in [("two trees", "two_trees"), ("one tree", "one_tree")] {
        let part = &found[part];
        let (batches, single) = (rate(&part["batches"])?, rate(&part["single"])?);
        let mut ratio = |what: &str, ours: f64, theirs: f64, target: f64| {
            let measured = format!("{ours:.0}/s to {theirs:.0}/s: {:.1}x", ours / theirs);
            section.verdict(
                &format!("{name}: {what}"),
                &measured,
                &format!("{target}x"),
                ours >= target * theirs,
            );
        };
        ratio("batches, to Tessera from inside", batches, inside, 20.0);
        ratio("batches, to Tessera over HTTP", batches, http, 20.0);
        ratio("one by one, to Tessera over HTTP", single, http, 5.0);
        for (what, member) in [("batches", "batches_at_half_load"), ("one by one", "single_at_half_load")] {
            let p99 = number(&part[member], "p99_ms")?;
            let name = format!("{name}: p99 of a receipt at half load, {what}");
            section.verdict(&name, &format!("{p99:.1} ms"), "below 50 ms", p99 < 50.0);
        }
        let bytes = &part["bytes"];
        section.row(&[
            &format!("{name}: bytes on disk for an entry"),
            &format!(
                "{} (segments {}, tiles {}, index {})",
                bytes["per_entry"],
                bytes["segments_per_entry"],
                bytes["public_per_entry"],
                bytes["index_per_entry"]
            ),
            "",
            "",
        ]);
    }
    let p99 = number(&found["anchored"], "p99_ms")?;
    section.verdict(
        "p99 from a deposit to its anchored bundle, four validators",
        &format!("{p99:.0} ms"),
        "at most 5,000 ms",
        p99 <= 5_000.0,
    );
    Ok(())
}

/// Most that any run carried.
fn best(runs: &Value) -> Result<f64> {
    let runs = runs.as_array().context("no runs")?;
    runs.iter().try_fold(0.0, |most: f64, run| Ok(most.max(number(run, "acknowledged_per_second")?)))
}

/// Millions of entries.
pub(super) fn many(entries: Option<u64>) -> Result<()> {
    build(&["zeugma", "zeugma-peers"])?;
    let zeugma = programs()?.join("zeugma");
    let zeugma = zeugma.to_str().context("the path of the command is no text")?;
    let entries = entries.unwrap_or(ENTRIES);
    let found = measured("zeugma-peers", &["bench", "evidence-load", zeugma, &entries.to_string()], 120)?;
    let at = |name: &str| number(&found, name);
    ensure!(found["entries"].as_u64() == Some(entries), "{} entries are durable", found["entries"]);
    let title = format!("The evidence service with {entries} entries");
    let mut section =
        Section::new("evidence-load", &title, &format!("cargo xtask bench evidence-load {entries}"));
    section.text("Two trees, the default configuration, four connections with 1,000 entries a request.");
    section.row(&["", "measured", "target", ""]);
    section.row(&["---", "---", "---", "---"]);
    section.row(&["entries a second", &format!("{:.0}", at("per_second")?), "", ""]);
    let (first, last) = (at("first_window_per_second")?, at("last_window_per_second")?);
    section.verdict(
        "the last part to the first, entries a second",
        &format!("{last:.0} to {first:.0}: {:.2}", last / first),
        "at least 0.8",
        last >= first * 0.8,
    );
    let memory = at("most_memory_bytes")?.max(at("most_memory_after_restart_bytes")?) / 1e6;
    section.verdict("most memory", &format!("{memory:.0} MB"), "below 1,000 MB", memory < 1_000.0);
    for (what, member) in [("listens", "restart_listening_ms"), ("takes deposits", "restart_deposit_ms")] {
        let took = at(member)?;
        let name = format!("killed, started again, {what}");
        section.verdict(&name, &format!("{took:.0} ms"), "below 5,000 ms", took < 5_000.0);
    }
    let proof = at("proof_p99_ms")?;
    section.verdict(
        "bundle with the proofs of any entry, over HTTP: p50, p99",
        &format!("{} ms, {proof} ms", found["proof_p50_ms"]),
        "below 5 ms",
        proof < 5.0,
    );
    let bytes = &found["bytes"];
    section.row(&[
        "bytes on disk for an entry",
        &format!(
            "{} (segments {}, tiles {}, index {})",
            bytes["per_entry"],
            bytes["segments_per_entry"],
            bytes["public_per_entry"],
            bytes["index_per_entry"]
        ),
        "",
        "",
    ]);
    section.row(&[
        "processor time of the service for an entry",
        &format!("{} us", found["server_cpu_us_per_entry"]),
        "",
        "",
    ]);
    section.write()
}

/// What the judgement of a bundle costs, and a verdict of thirty rules.
pub(super) fn verdicts() -> Result<()> {
    let command = "cargo bench --package zeugma-evidence-verify --package zeugma-evidence-rules --bench verify --bench verdict";
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let text = Child::cargo(words).minutes(60).text()?;
    let mut section =
        Section::new("evidence-verdicts", "The judgement of a bundle, and of thirty rules", command);
    section.row(&["", "least us", "median us", "p99 us", "target", ""]);
    section.row(&["---", "---:", "---:", "---:", "---", "---"]);
    for (name, target) in [
        ("verify::bundle/whole", 3_000.0),
        ("verify::bundle/renewed", 3_000.0),
        ("verify::bundle/log-alone", 3_000.0),
    ]
    .into_iter()
    .chain([("rules::evaluate/rules=30", 2_000.0), ("rules::sandbox/rules=30", 2_000.0)])
    {
        let [least, median, p99] = line(&text, name).with_context(|| format!("no line of {name}"))?;
        let cells = [least, median, p99].map(|time| format!("{time:.1}"));
        let [least, median_text, p99] = cells.each_ref().map(String::as_str);
        let held = if median <= target { "met" } else { "**missed**" };
        section.row(&[&format!("`{name}`"), least, median_text, p99, &format!("{target:.0} us"), held]);
    }
    section.write()
}

/// `NAME least 1.0 us median 2.0 us p99 3.0 us`.
fn line(text: &str, name: &str) -> Option<[f64; 3]> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    let mut words = line.split_whitespace();
    let mut after = |word: &str| {
        words.by_ref().find(|other| *other == word)?;
        words.next()?.parse().ok()
    };
    Some([after("least")?, after("median")?, after("p99")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_bench_is_read_by_its_whole_name() {
        let text = "a/b=30   least  1.5 us  median  2.5 us  p99  9.0 us  7 calls\n";
        assert_eq!(line(text, "a/b=30"), Some([1.5, 2.5, 9.0]));
        assert_eq!(line(text, "a/b"), None);
    }

    #[test]
    fn the_best_of_the_peer_counts() {
        let runs = serde_json::json!([{"acknowledged_per_second": 3.0}, {"acknowledged_per_second": 5.0}]);
        assert!((best(&runs).unwrap() - 5.0).abs() < 1e-9);
        assert!(best(&Value::Null).is_err());
    }
}
