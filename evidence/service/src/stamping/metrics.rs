//! What an operator sees of the time authorities, in the text format of Prometheus. Each line has the authority's
//! `institution` and `url`.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_evidence_stamps_total` | counter: time-stamps that were verified and kept |
//! | `zeugma_evidence_stamp_refusals_total{code}` | counter: answers that were not believed, and requests without one |
//! | `zeugma_evidence_stamps_pending` | gauge: checkpoints that wait for the authority |
//! | `zeugma_evidence_stamp_pending_age_seconds` | gauge: since when the oldest of them waits |
//! | `zeugma_evidence_clock_offset_seconds` | gauge: the authority's time less ours, beyond its accuracy, at its last answer |
//! | `zeugma_evidence_clock_alarm` | gauge: 1 while the last answer disagreed by more than the bound |
//! | `zeugma_evidence_clock_disagreements_total` | counter: answers that did |

use super::Doing;
use crate::metrics::head;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use zeugma_evidence_anchors::Offset;
use zeugma_types::{BlockTime, Code, Refusal};

/// What is counted of one authority since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) granted: u64,
    pub(crate) refusals: BTreeMap<Code, u64>,
    /// Why the last answer was refused, if the last was.
    pub(crate) last: Option<Refusal>,
    /// Of the last answer.
    pub(crate) offset: Option<Offset>,
    /// Whether the last answer disagreed.
    pub(crate) alarms: bool,
    pub(crate) disagreements: u64,
}

impl Numbers {
    pub(super) fn granted(&mut self, offset: Offset, alarms: bool) {
        self.granted += 1;
        self.last = None;
        self.offset = Some(offset);
        self.alarms = alarms;
        self.disagreements += u64::from(alarms);
    }

    pub(super) fn refused(&mut self, refusal: &Refusal) {
        *self.refusals.entry(refusal.code).or_default() += 1;
        self.last = Some(refusal.clone());
    }
}

/// A value between quotation marks.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Milliseconds as seconds, exactly.
fn seconds(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1_000, millis % 1_000)
}

pub(super) fn text(authorities: &[Doing], now: BlockTime) -> String {
    let mut text = String::new();
    if authorities.is_empty() {
        return text;
    }
    let label = |one: &Doing| format!("institution={},url={}", quoted(&one.institution), quoted(&one.url));
    let mut each = |name: &str, kind: &str, help: &str, value: &dyn Fn(&Doing) -> Option<String>| {
        text += &head(name, kind, help);
        for one in authorities {
            if let Some(value) = value(one) {
                writeln!(text, "{name}{{{}}} {value}", label(one)).expect("a string takes every line");
            }
        }
    };
    let name = "zeugma_evidence_stamps_total";
    each(name, "counter", "Time-stamps that were verified and kept", &|one| {
        Some(one.numbers.granted.to_string())
    });
    let name = "zeugma_evidence_stamps_pending";
    each(name, "gauge", "Checkpoints that wait for the authority", &|one| Some(one.pending.to_string()));
    let name = "zeugma_evidence_stamp_pending_age_seconds";
    each(name, "gauge", "Since when the oldest of them waits", &|one| {
        let age = one.oldest.and_then(|oldest| now.since(oldest)).map_or(0, |age| age.get() / 1_000);
        Some(age.to_string())
    });
    let name = "zeugma_evidence_clock_offset_seconds";
    each(name, "gauge", "The authority's time less ours beyond its accuracy", &|one| {
        one.numbers.offset.map(|offset| seconds(offset.millis()))
    });
    let name = "zeugma_evidence_clock_alarm";
    each(name, "gauge", "Whether the last answer disagreed with our clock by more than the bound", &|one| {
        Some(u8::from(one.numbers.alarms).to_string())
    });
    let name = "zeugma_evidence_clock_disagreements_total";
    each(name, "counter", "Answers that disagreed with our clock by more than the bound", &|one| {
        Some(one.numbers.disagreements.to_string())
    });
    let name = "zeugma_evidence_stamp_refusals_total";
    text += &head(name, "counter", "Answers that were not believed and requests without one, by code");
    for one in authorities {
        for (code, count) in &one.numbers.refusals {
            let label = label(one);
            writeln!(text, "{name}{{{label},code=\"{}\"}} {count}", code.number())
                .expect("a string takes every line");
        }
    }
    text
}
