//! What an operator sees, in the text format of Prometheus.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_evidence_deposits_total{result}` | counter: new, known, refused |
//! | `zeugma_evidence_refusals_total{code}` | counter |
//! | `zeugma_evidence_log_size` | gauge: durable entries of the open shard |
//! | `zeugma_evidence_anchor_age_seconds` | gauge: since the last anchor, or since the start |
//! | `zeugma_evidence_anchor_pending_age_seconds` | gauge: since when a published checkpoint waits for its anchor, 0 when none does |
//! | `zeugma_evidence_anchor_failures_total` | counter: rounds that ended early |
//! | `zeugma_evidence_publish_failures_total` | counter |
//! | `zeugma_evidence_connections` | gauge |
//! | `zeugma_evidence_handshake_failures_total` | counter: TLS, too slow ones too |
//! | `zeugma_evidence_tls_renewal_failures_total` | counter: looks at changed files that could not be used |
//! | `zeugma_evidence_receipt_seconds` | histogram: from the request to the durable receipt |
//!
//! Those of the time authorities and of the witnesses follow after them: [`crate::stamping`], [`crate::witnessing`].

use crate::connections::Connections;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeugma_types::{BlockTime, Code};

/// Upper ends of the histogram, in microseconds, and as they are written.
const ENDS: [(u64, &str); 9] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_000_000, "2"),
];

#[derive(Debug, Default)]
struct Numbers {
    new: u64,
    known: u64,
    refused: u64,
    refusals: BTreeMap<Code, u64>,
    anchor_failures: u64,
    publish_failures: u64,
    anchored: Option<BlockTime>,
    anchor_waits_since: Option<BlockTime>,
    receipts: [u64; ENDS.len()],
    receipt_count: u64,
    receipt_micros: u64,
}

/// The service's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: BlockTime,
    numbers: Mutex<Numbers>,
    connections: Arc<Connections>,
}

impl Metrics {
    /// None yet.
    #[must_use]
    pub(crate) fn new(started: BlockTime) -> Self {
        Self { started, numbers: Mutex::default(), connections: Arc::default() }
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        // Numbers are whole after any panic.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deposited(&self, new: u64, known: u64, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut numbers = self.numbers();
        numbers.new += new;
        numbers.known += known;
        numbers.receipt_count += 1;
        numbers.receipt_micros = numbers.receipt_micros.saturating_add(micros);
        for (count, (end, _)) in numbers.receipts.iter_mut().zip(ENDS) {
            *count += u64::from(micros <= end);
        }
    }

    pub(crate) fn refused(&self, code: Code) {
        let mut numbers = self.numbers();
        numbers.refused += 1;
        *numbers.refusals.entry(code).or_default() += 1;
    }

    pub(crate) fn anchored(&self, at: BlockTime) {
        self.numbers().anchored = Some(at);
    }

    /// A published checkpoint waits for its anchor since then, or none does.
    pub(crate) fn anchor_waits(&self, since: Option<BlockTime>) {
        self.numbers().anchor_waits_since = since;
    }

    pub(crate) fn anchor_failed(&self) {
        self.numbers().anchor_failures += 1;
    }

    pub(crate) fn publish_failed(&self) {
        self.numbers().publish_failures += 1;
    }

    /// Those of the address at which it is served.
    pub(crate) const fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Seconds since the last anchor, or since the start; rounds of anchoring that ended early; publications that failed.
    pub(crate) fn behind(&self, now: BlockTime) -> [u64; 3] {
        let numbers = self.numbers();
        let age = now.since(numbers.anchored.unwrap_or(self.started)).map_or(0, |span| span.get() / 1_000);
        [age, numbers.anchor_failures, numbers.publish_failures]
    }

    /// All of them, at `now`.
    pub(crate) fn text(&self, now: BlockTime, size: u64) -> String {
        let numbers = self.numbers();
        let mut text = head("zeugma_evidence_deposits_total", "counter", "Records that were deposited");
        let line = |text: &mut String, name: &str, value: String| {
            writeln!(text, "{name} {value}").expect("a string takes every line");
        };
        for (result, count) in [("new", numbers.new), ("known", numbers.known), ("refused", numbers.refused)]
        {
            line(
                &mut text,
                &format!("zeugma_evidence_deposits_total{{result=\"{result}\"}}"),
                count.to_string(),
            );
        }
        text += &head("zeugma_evidence_refusals_total", "counter", "Refusals by their code");
        for (code, count) in &numbers.refusals {
            let name = format!("zeugma_evidence_refusals_total{{code=\"{}\"}}", code.number());
            line(&mut text, &name, count.to_string());
        }
        text += &head("zeugma_evidence_log_size", "gauge", "Durable entries of the open shard");
        line(&mut text, "zeugma_evidence_log_size", size.to_string());
        text +=
            &head("zeugma_evidence_anchor_age_seconds", "gauge", "Since the last anchor, or since the start");
        let since = now.since(numbers.anchored.unwrap_or(self.started)).map_or(0, |span| span.get() / 1_000);
        line(&mut text, "zeugma_evidence_anchor_age_seconds", since.to_string());
        text += &head(
            "zeugma_evidence_anchor_pending_age_seconds",
            "gauge",
            "Since when a published checkpoint waits for its anchor",
        );
        let waits = numbers.anchor_waits_since.and_then(|since| now.since(since));
        let waits = waits.map_or(0, |span| span.get() / 1_000);
        line(&mut text, "zeugma_evidence_anchor_pending_age_seconds", waits.to_string());
        for (name, help, count) in [
            (
                "zeugma_evidence_anchor_failures_total",
                "Rounds of anchoring that ended early",
                numbers.anchor_failures,
            ),
            ("zeugma_evidence_publish_failures_total", "Publications that failed", numbers.publish_failures),
        ] {
            text += &head(name, "counter", help);
            line(&mut text, name, count.to_string());
        }
        text += &self.connections.text([
            "zeugma_evidence_connections",
            "zeugma_evidence_handshake_failures_total",
            "zeugma_evidence_tls_renewal_failures_total",
        ]);
        let name = "zeugma_evidence_receipt_seconds";
        text += &head(name, "histogram", "From the request to the durable receipt");
        for (count, (_, end)) in numbers.receipts.iter().zip(ENDS) {
            line(&mut text, &format!("{name}_bucket{{le=\"{end}\"}}"), count.to_string());
        }
        line(&mut text, &format!("{name}_bucket{{le=\"+Inf\"}}"), numbers.receipt_count.to_string());
        let sum = format!("{}.{:06}", numbers.receipt_micros / 1_000_000, numbers.receipt_micros % 1_000_000);
        line(&mut text, &format!("{name}_sum"), sum);
        line(&mut text, &format!("{name}_count"), numbers.receipt_count.to_string());
        text
    }
}

pub(crate) fn head(name: &str, kind: &str, help: &str) -> String {
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_the_table_is_served_with_its_type() {
        let metrics = Metrics::new(BlockTime::new(1_000));
        metrics.deposited(2, 1, Duration::from_millis(3));
        metrics.refused(Code::TooLong);
        metrics.anchor_waits(Some(BlockTime::new(4_000)));
        let text = metrics.text(BlockTime::new(9_000), 3);
        for line in [
            "zeugma_evidence_deposits_total{result=\"new\"} 2",
            "zeugma_evidence_refusals_total{code=\"101\"} 1",
            "zeugma_evidence_log_size 3",
            "zeugma_evidence_anchor_age_seconds 8",
            "zeugma_evidence_anchor_pending_age_seconds 5",
            "zeugma_evidence_receipt_seconds_bucket{le=\"0.0025\"} 0",
            "zeugma_evidence_receipt_seconds_bucket{le=\"0.005\"} 1",
            "zeugma_evidence_receipt_seconds_sum 0.003000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert_eq!(text.matches("# TYPE ").count(), 11);
    }
}
