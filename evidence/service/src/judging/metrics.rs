//! What an operator sees of the rule packs, in the text format of Prometheus.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_evidence_verdicts_total{pack}` | counter: verdicts that were given |
//! | `zeugma_evidence_verdicts_aborted_total{pack}` | counter: evaluations that were ended without one |
//! | `zeugma_evidence_verdicts_missing_total{pack}` | counter: entries that were told to have none |
//! | `zeugma_evidence_verdicts_behind{pack}` | gauge: entries of the open shard that wait for theirs |
//! | `zeugma_evidence_pack_confirmed{pack}` | gauge: 1 once the relay chain showed the pack to be in force |

use crate::metrics::head;
use std::fmt::Write as _;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub(super) given: u64,
    pub(super) aborted: u64,
    pub(super) missing: u64,
}

/// Name, numbers, how many wait, and whether it is confirmed in force.
pub(super) fn text<'a>(packs: impl Iterator<Item = (&'a str, Numbers, u64, bool)>) -> String {
    let rows: Vec<_> = packs.collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    type Of = fn(&Numbers, u64, bool) -> u64;
    let metrics: [(&str, &str, &str, Of); 5] = [
        ("zeugma_evidence_verdicts_total", "counter", "Verdicts of a rule pack", |one, _, _| one.given),
        (
            "zeugma_evidence_verdicts_aborted_total",
            "counter",
            "Evaluations that were ended without a verdict",
            |one, _, _| one.aborted,
        ),
        (
            "zeugma_evidence_verdicts_missing_total",
            "counter",
            "Entries that were told to have no verdict",
            |one, _, _| one.missing,
        ),
        (
            "zeugma_evidence_verdicts_behind",
            "gauge",
            "Entries of the open shard that wait for a verdict",
            |_, behind, _| behind,
        ),
        (
            "zeugma_evidence_pack_confirmed",
            "gauge",
            "Whether the relay chain showed the pack to be in force",
            |_, _, confirmed| u64::from(confirmed),
        ),
    ];
    for (name, kind, help, value) in metrics {
        text += &head(name, kind, help);
        for (pack, numbers, behind, confirmed) in &rows {
            let value = value(numbers, *behind, *confirmed);
            writeln!(text, "{name}{{pack=\"{pack}\"}} {value}").expect("a string takes every line");
        }
    }
    text
}
