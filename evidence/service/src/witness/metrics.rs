//! What a witness's operator sees, in the text format of Prometheus.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_evidence_witness_requests_total{status}` | counter: by the status that was answered |
//! | `zeugma_evidence_witness_size{origin}` | gauge: the size that was cosigned last |
//! | `zeugma_evidence_witness_cosigned_timestamp_seconds{origin}` | gauge: when |
//! | `zeugma_evidence_witness_contradictions{kind}` | gauge: `split`, two roots of one size; `unshown`, a proof that did not hold |
//! | `zeugma_evidence_witness_connections` | gauge |
//! | `zeugma_evidence_witness_handshake_failures_total` | counter: TLS, too slow ones too |
//! | `zeugma_evidence_witness_tls_renewal_failures_total` | counter: looks at changed files that could not be used |

use super::Witness;
use crate::connections::Connections;
use crate::metrics::head;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<BTreeMap<u16, u64>>);

impl Metrics {
    pub(super) fn answered(&self, status: u16) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
    }

    pub(super) fn text(&self, witness: &Witness, connections: &Connections) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, rows: Vec<(String, String)>| {
            text += &head(name, kind, help);
            for (label, value) in rows {
                writeln!(text, "{name}{{{label}}} {value}").expect("a string takes every line");
            }
        };
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let rows = answers.iter().map(|(status, count)| (format!("status=\"{status}\""), count.to_string()));
        family(
            "zeugma_evidence_witness_requests_total",
            "counter",
            "Requests to cosign, by the status that was answered",
            rows.collect(),
        );
        let seen = witness.seen();
        // An origin is a key's name or another's text: quotes and backslashes are escaped.
        let label =
            |origin: &str| format!("origin=\"{}\"", origin.replace('\\', "\\\\").replace('"', "\\\""));
        let rows = seen.iter().map(|(origin, seen)| (label(origin), seen.view.size.to_string()));
        family(
            "zeugma_evidence_witness_size",
            "gauge",
            "Size of the log that was cosigned last",
            rows.collect(),
        );
        let rows = seen.iter().map(|(origin, seen)| (label(origin), seen.at.to_string()));
        family(
            "zeugma_evidence_witness_cosigned_timestamp_seconds",
            "gauge",
            "When the log was cosigned last",
            rows.collect(),
        );
        let (split, unshown) = witness.contradictions();
        let rows = [("split", split), ("unshown", unshown)];
        let rows = rows.map(|(kind, count)| (format!("kind=\"{kind}\""), count.to_string()));
        family(
            "zeugma_evidence_witness_contradictions",
            "gauge",
            "Pairs of checkpoints that are kept since they were not shown to be of one tree",
            rows.to_vec(),
        );
        let connections = connections.text([
            "zeugma_evidence_witness_connections",
            "zeugma_evidence_witness_handshake_failures_total",
            "zeugma_evidence_witness_tls_renewal_failures_total",
        ]);
        text + connections.as_str()
    }
}
