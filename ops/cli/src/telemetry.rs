//! What a command tells of itself: logs, where it runs for long, and traces, where a collector is named.
//!
//! The flag `--otlp` goes before what a configuration says. Telling ends with the command: the last spans are brought
//! to the collector before the process ends, for a bounded time.

use crate::failure::{Failure, Rule};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_telemetry::{Collector, Logs, Telemetry};

struct Held {
    named: Option<Collector>,
    telling: Option<Telemetry>,
}

static HELD: Mutex<Held> = Mutex::new(Held { named: None, telling: None });

fn held() -> MutexGuard<'static, Held> {
    // Whole after any panic: each field is set in one step.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the flag.
pub(crate) fn parse(text: &str) -> Result<Collector, String> {
    Collector::new(text, 1_000).map_err(|error| error.to_string())
}

/// Notes the flag.
pub(crate) fn named(collector: Option<Collector>) {
    held().named = collector;
}

/// Begins to tell, as `service`; to `configured` unless the flag names another collector.
pub(crate) fn begin(service: &str, logs: Logs, configured: Option<Collector>) -> Result<(), Failure> {
    let mut held = held();
    let to = held.named.clone().or(configured);
    if logs == Logs::Off && to.is_none() {
        return Ok(());
    }
    let instance = std::process::id().to_string();
    let telling = zeugma_telemetry::begin(service, &instance, logs, to.as_ref());
    held.telling = Some(
        telling.map_err(|error| Failure::own(Rule::Unfit, "telemetry", error, "run it without --otlp"))?,
    );
    Ok(())
}

/// Brings the last spans to the collector.
pub(crate) fn end() {
    let telling = held().telling.take();
    drop(telling);
}
