//! What a run found, as numbers.

use super::load::Pace;
use serde_json::{Value, json};
use std::time::Duration;

/// The columns of [`Measured::line`].
pub(super) const HEAD: &str =
    "   offered |  final/s |   p50 ms |   p99 ms |   max ms |  refused | unseen | blocks/s | CPU us/tx";

/// What one run found. All but the latencies are of the seconds that count.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) pace: Pace,
    pub(super) counted: Duration,
    /// Sent in the counted seconds, whatever became of them.
    pub(super) sent: u64,
    /// Refused at the door.
    pub(super) refused: u64,
    /// Of those that were due in the counted seconds, never seen final.
    pub(super) unseen: u64,
    /// Seen final in the counted seconds, by when they were seen.
    pub(super) done: u64,
    /// Final and refused by the ledger, likewise.
    pub(super) failed: u64,
    pub(super) blocks: u64,
    /// From when it was due until it was seen final, of those due in the counted seconds. Sorted.
    pub(super) latencies: Vec<Duration>,
    /// Of all nodes; none where their processes are not ours.
    pub(super) cpu: Option<Duration>,
    /// Of this process.
    pub(super) own_cpu: Duration,
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn per_second(count: u64, time: Duration) -> f64 {
    (count as f64 / time.as_secs_f64() * 10.0).round() / 10.0
}

impl Measured {
    /// The latency that this share of them does not exceed, nearest rank; `share` in thousandths.
    fn percentile(&self, share: usize) -> Option<Duration> {
        let rank = (self.latencies.len() * share).div_ceil(1_000).max(1);
        self.latencies.get(rank - 1).copied()
    }

    fn offered(&self) -> String {
        match self.pace {
            Pace::Rate(rate) => rate.to_string(),
            Pace::Outstanding(most) => format!("{most} out"),
        }
    }

    fn each(&self, time: Duration) -> Option<f64> {
        let done = u32::try_from(self.done).ok().filter(|done| *done > 0)?;
        Some((time.as_secs_f64() * 1e7 / f64::from(done)).round() / 10.0)
    }

    /// One line of a table.
    pub(super) fn line(&self) -> String {
        let time =
            |share| self.percentile(share).map_or("-".to_owned(), |time| format!("{:.1}", millis(time)));
        let cpu = self.cpu.and_then(|cpu| self.each(cpu)).map_or("-".to_owned(), |each| each.to_string());
        format!(
            "{:>10} | {:>8} | {:>8} | {:>8} | {:>8} | {:>8} | {:>6} | {:>8} | {:>9}",
            self.offered(),
            per_second(self.done, self.counted),
            time(500),
            time(990),
            time(1_000),
            self.refused,
            self.unseen,
            per_second(self.blocks, self.counted),
            cpu,
        )
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let time = |share| self.percentile(share).map(millis);
        let (rate, outstanding) = match self.pace {
            Pace::Rate(rate) => (Some(rate), None),
            Pace::Outstanding(most) => (None, Some(most)),
        };
        json!({
            "offered_per_second": rate,
            "outstanding": outstanding,
            "seconds": self.counted.as_secs_f64(),
            "sent": self.sent,
            "refused": self.refused,
            "unseen": self.unseen,
            "failed": self.failed,
            "final": self.done,
            "final_per_second": per_second(self.done, self.counted),
            "blocks": self.blocks,
            "p50_ms": time(500),
            "p90_ms": time(900),
            "p99_ms": time(990),
            "max_ms": time(1_000),
            "nodes_cpu_us_per_transaction": self.cpu.and_then(|cpu| self.each(cpu)),
            "nodes_cores": self.cpu.map(|cpu| (cpu.as_secs_f64() / self.counted.as_secs_f64() * 100.0).round() / 100.0),
            "generator_cores": (self.own_cpu.as_secs_f64() / self.counted.as_secs_f64() * 100.0).round() / 100.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let mut measured = Measured {
            pace: Pace::Rate(100),
            counted: Duration::from_secs(2),
            sent: 100,
            refused: 0,
            unseen: 0,
            done: 100,
            failed: 0,
            blocks: 4,
            latencies: (1..=100).map(Duration::from_millis).collect(),
            cpu: Some(Duration::from_millis(10)),
            own_cpu: Duration::ZERO,
        };
        let json = measured.json();
        assert_eq!(
            (&json["p50_ms"], &json["p99_ms"], &json["max_ms"]),
            (&50.0.into(), &99.0.into(), &100.0.into())
        );
        assert_eq!(
            (&json["final_per_second"], &json["nodes_cpu_us_per_transaction"]),
            (&50.0.into(), &100.0.into())
        );
        measured.latencies.clear();
        measured.done = 0;
        assert_eq!(measured.json()["p50_ms"], Value::Null);
        assert_eq!(measured.json()["nodes_cpu_us_per_transaction"], Value::Null);
    }
}
