//! Connections of one server, counted: of the service, and of a witness that runs beside it. Each says under which names.

use crate::metrics::head;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// How many there are, and what TLS could not do.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: AtomicI64,
    handshake_failures: AtomicU64,
    not_renewed: AtomicU64,
}

impl Connections {
    /// One more, or one less.
    pub(crate) fn changed(&self, change: i64) {
        self.open.fetch_add(change, Ordering::Relaxed);
    }

    pub(crate) fn handshake_failed(&self) {
        self.handshake_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tls_not_renewed(&self) {
        self.not_renewed.fetch_add(1, Ordering::Relaxed);
    }

    /// The metrics, in the text format of Prometheus, under these names: open connections, TLS handshakes that failed or took
    /// too long, looks at the files of TLS that found something unusable.
    pub(crate) fn text(&self, [open, handshakes, renewals]: [&str; 3]) -> String {
        let mut text = String::new();
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed).to_string();
        for (name, kind, help, value) in [
            (open, "gauge", "Open connections", self.open.load(Ordering::Relaxed).to_string()),
            (
                handshakes,
                "counter",
                "TLS handshakes that failed or took too long",
                count(&self.handshake_failures),
            ),
            (
                renewals,
                "counter",
                "Looks at the files of TLS that found something unusable",
                count(&self.not_renewed),
            ),
        ] {
            text += &head(name, kind, help);
            text += &format!("{name} {value}\n");
        }
        text
    }
}
