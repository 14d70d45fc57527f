//! What an operator sees of the witnesses, in the text format of Prometheus. Each line has the witness's `institution` and
//! `url`.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_evidence_cosignatures_total` | counter: checkpoints that the witness cosigned |
//! | `zeugma_evidence_cosignature_refusals_total{code}` | counter: attempts that ended without |
//! | `zeugma_evidence_cosigned_size` | gauge: the size that it cosigned last |
//! | `zeugma_evidence_cosignature_pending_age_seconds` | gauge: since when a published checkpoint waits for it, 0 when none does |

use super::Asked;
use crate::metrics::head;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use zeugma_types::{BlockTime, Code, Refusal};

/// What is counted of one witness since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) total: u64,
    pub(crate) refusals: BTreeMap<Code, u64>,
    /// Why the last attempt failed, if the last did.
    pub(crate) last: Option<Refusal>,
    /// Shard and size of what it cosigned last.
    pub(crate) cosigned: Option<(u32, u64)>,
    /// When the oldest checkpoint was published that it was asked about and that it, or a later one, has not cosigned.
    pub(crate) waiting_since: Option<BlockTime>,
}

impl Numbers {
    /// Since when something waits for it, in seconds.
    pub(crate) fn pending_seconds(&self, now: BlockTime) -> u64 {
        self.waiting_since.and_then(|since| now.since(since)).map_or(0, |age| age.get() / 1_000)
    }
}

pub(super) fn text(doing: &[(Asked, Numbers)], now: BlockTime) -> String {
    let mut text = String::new();
    if doing.is_empty() {
        return text;
    }
    let mut family = |name: &str, kind: &str, help: &str, rows: &dyn Fn(&Numbers) -> Vec<(String, u64)>| {
        text += &head(name, kind, help);
        for (asked, numbers) in doing {
            let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            let own =
                format!("institution=\"{}\",url=\"{}\"", quoted(&asked.institution), quoted(&asked.url));
            for (label, value) in rows(numbers) {
                writeln!(text, "{name}{{{own}{label}}} {value}").expect("a string takes every line");
            }
        }
    };
    let one = |value: u64| vec![(String::new(), value)];
    family(
        "zeugma_evidence_cosignatures_total",
        "counter",
        "Checkpoints that the witness cosigned",
        &|numbers| one(numbers.total),
    );
    family(
        "zeugma_evidence_cosignature_refusals_total",
        "counter",
        "Attempts that ended without a cosignature, by code",
        &|numbers| {
            let each = numbers.refusals.iter();
            each.map(|(code, count)| (format!(",code=\"{}\"", code.number()), *count)).collect()
        },
    );
    family(
        "zeugma_evidence_cosigned_size",
        "gauge",
        "Size of the log that the witness cosigned last",
        &|numbers| one(numbers.cosigned.map_or(0, |(_, size)| size)),
    );
    family(
        "zeugma_evidence_cosignature_pending_age_seconds",
        "gauge",
        "Since when a published checkpoint waits for the witness",
        &|numbers| one(numbers.pending_seconds(now)),
    );
    text
}
