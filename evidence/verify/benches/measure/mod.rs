//! What a call costs, for every bench of the evidence rooms.

use std::time::{Duration, Instant};

/// How long each call is repeated.
const SPENT: Duration = Duration::from_secs(2);

/// Prints the least, the median and the 99th percentile of a call's time.
pub(crate) fn measure(name: &str, mut call: impl FnMut() -> bool) {
    let mut spans = Vec::new();
    let started = Instant::now();
    while started.elapsed() < SPENT {
        let at = Instant::now();
        // A refusal is quicker, and not what is asked.
        assert!(call(), "{name} was refused");
        spans.push(at.elapsed());
    }
    spans.sort_unstable();
    let at = |share: usize| spans[(spans.len() - 1) * share / 100].as_secs_f64() * 1e6;
    println!(
        "{name:<28} least {:>8.1} us  median {:>8.1} us  p99 {:>8.1} us  {} calls",
        at(0),
        at(50),
        at(99),
        spans.len()
    );
}
