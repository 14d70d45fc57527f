//! What an operator sees of webhooks, in the text format of Prometheus.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_evidence_webhooks{state}` | gauge: active, failing, disabled |
//! | `zeugma_evidence_webhook_attempts_total{result}` | counter: delivered; answered, with another status than 2xx; unanswered; refused, for their address |
//! | `zeugma_evidence_webhook_disabled_total` | counter: webhooks that failed for too long |
//! | `zeugma_evidence_webhook_pending_age_seconds` | gauge: of the oldest delivery that has not arrived, at a webhook that is called |

use super::hook::Hook;
use crate::metrics::head;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use zeugma_types::BlockTime;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Delivered,
    Answered,
    Unanswered,
    Refused,
}

#[derive(Debug, Default)]
pub(super) struct Numbers {
    attempts: [AtomicU64; 4],
    disabled: AtomicU64,
}

impl Numbers {
    pub(super) fn attempted(&self, ending: Ending) {
        self.attempts[ending as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn disabled(&self) {
        self.disabled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn text<'a>(&self, hooks: impl Iterator<Item = &'a Hook>, now: BlockTime) -> String {
        let (mut active, mut failing, mut disabled, mut oldest) = (0_u64, 0_u64, 0_u64, 0_u64);
        for hook in hooks {
            match (&hook.disabled, hook.failing_since) {
                (Some(_), _) => disabled += 1,
                (None, Some(_)) => failing += 1,
                (None, None) => active += 1,
            }
            if let (None, Some(pending)) = (&hook.disabled, &hook.pending) {
                oldest = oldest.max(now.get().saturating_sub(pending.made_at) / 1_000);
            }
        }
        let mut text = String::new();
        let mut line = |name: &str, value: u64| {
            writeln!(text, "{name} {value}").expect("a string takes every line");
        };
        let name = "zeugma_evidence_webhooks";
        line(&(head(name, "gauge", "Webhooks of all tenants") + name + "{state=\"active\"}"), active);
        line(&format!("{name}{{state=\"failing\"}}"), failing);
        line(&format!("{name}{{state=\"disabled\"}}"), disabled);
        let name = "zeugma_evidence_webhook_attempts_total";
        let mut begin = head(name, "counter", "Attempts to deliver to webhooks");
        let results = ["delivered", "answered", "unanswered", "refused"];
        for (result, count) in results.into_iter().zip(&self.attempts) {
            line(&format!("{begin}{name}{{result=\"{result}\"}}"), count.load(Ordering::Relaxed));
            begin.clear();
        }
        let name = "zeugma_evidence_webhook_disabled_total";
        let help = "Webhooks that were disabled since they failed for too long";
        line(&(head(name, "counter", help) + name), self.disabled.load(Ordering::Relaxed));
        let name = "zeugma_evidence_webhook_pending_age_seconds";
        let help = "Of the oldest delivery that has not arrived, at a webhook that is called";
        line(&(head(name, "gauge", help) + name), oldest);
        text
    }
}
