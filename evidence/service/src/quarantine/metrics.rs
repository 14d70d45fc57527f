//! What an operator sees of the quarantine, in the text format of Prometheus.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_evidence_quarantine_cases` | gauge: deposits that wait for a role |
//! | `zeugma_evidence_quarantine_bytes` | gauge |
//! | `zeugma_evidence_quarantine_age_seconds` | gauge: of the oldest |

use super::Load;
use crate::metrics::head;
use std::fmt::Write as _;
use zeugma_types::BlockTime;

pub(crate) fn text(load: Load, now: BlockTime) -> String {
    let age = load.oldest.and_then(|oldest| now.since(oldest)).map_or(0, |age| age.get() / 1_000);
    let mut text = String::new();
    for (name, help, value) in [
        ("zeugma_evidence_quarantine_cases", "Deposits that wait for a role", load.cases),
        ("zeugma_evidence_quarantine_bytes", "Bytes of the deposits that wait for a role", load.bytes),
        ("zeugma_evidence_quarantine_age_seconds", "How long the oldest of them waits", age),
    ] {
        text += &head(name, "gauge", help);
        writeln!(text, "{name} {value}").expect("a string takes every line");
    }
    text
}
