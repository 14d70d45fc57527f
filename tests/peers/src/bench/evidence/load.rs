//! Sending from several connections, and counting what was acknowledged.
//!
//! Closed loop: each connection asks again once it was answered. Open loop: request `i` is due `i / r` seconds after the
//! start, whatever the server does, and its latency counts from then. Nothing is sent twice; what is refused for being
//! too much at once is counted as refused, and is not sent again.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::wire::Wire;

/// After a refusal, a connection that is not bound to a rate rests for so long.
const REST: Duration = Duration::from_millis(5);

/// What is asked of a server, and how its answers are understood.
pub(super) trait Asked: Sync {
    fn server(&self) -> SocketAddr;
    /// The whole request that deposits the entries of these numbers, in place of what `out` holds.
    fn request(&self, first: u64, count: u64, out: &mut Vec<u8>);
    /// Whether all were acknowledged; `None` for too much at once.
    ///
    /// # Errors
    /// When the answer is another.
    fn acknowledged(&self, answer: (u16, &[u8]), count: u64) -> Result<Option<()>>;
}

/// When the next request is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// When the last was answered.
    Closed,
    /// So many entries a second.
    Rate(f64),
}

/// Until when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// These times: the first does not count.
    Time { warm_up: Duration, counted: Duration },
    /// So many entries were taken in hand. All of them count.
    Count(u64),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) connections: u64,
    /// Entries of one request.
    pub(super) batch: u64,
    pub(super) pace: Pace,
    pub(super) until: Until,
}

/// What became of a load.
#[derive(Debug)]
pub(super) struct Measured {
    load: Load,
    /// Of each request that counts and was acknowledged: when, and how long after it was due.
    pub(super) done: Vec<(Instant, Duration)>,
    /// Entries that were acknowledged, also before and after the time that counts.
    pub(super) all: u64,
    /// Entries refused in the time that counts.
    pub(super) refused: u64,
    pub(super) took: Duration,
    /// No number from here on was used.
    pub(super) next: u64,
}

impl Load {
    /// Loads with the entries from `first` on.
    ///
    /// # Errors
    /// When a connection breaks or an answer is not understood.
    pub(super) fn run(self, asked: &dyn Asked, first: u64) -> Result<Measured> {
        let (taken, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let start = Instant::now();
        let (begin, end) = match self.until {
            Until::Time { warm_up, counted } => (start + warm_up, Some(start + warm_up + counted)),
            Until::Count(_) => (start, None),
        };
        let one = || self.connection(asked, first, (start, begin, end), &taken, &over);
        let parts: Vec<Result<Part>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections)
                .map(|_| {
                    // Thousands of them fit: none needs a deep stack.
                    std::thread::Builder::new()
                        .stack_size(256 * 1024)
                        .spawn_scoped(scope, || one().inspect_err(|_| over.store(true, Ordering::Relaxed)))
                })
                .collect();
            threads.into_iter().map(|thread| thread?.join().expect("a connection does not panic")).collect()
        });
        let took = match self.until {
            Until::Time { counted, .. } => counted,
            Until::Count(_) => start.elapsed(),
        };
        let next = first + taken.load(Ordering::Relaxed) * self.batch;
        let mut measured = Measured { load: self, done: Vec::new(), all: 0, refused: 0, took, next };
        for part in parts {
            let part = part?;
            measured.done.extend(part.done);
            measured.all += part.all;
            measured.refused += part.refused;
        }
        Ok(measured)
    }

    fn connection(
        &self,
        asked: &dyn Asked,
        first: u64,
        (start, begin, end): (Instant, Instant, Option<Instant>),
        taken: &AtomicU64,
        over: &AtomicBool,
    ) -> Result<Part> {
        let mut wire = Wire::open(asked.server())?;
        let (mut part, mut request) = (Part::default(), Vec::new());
        while !over.load(Ordering::Relaxed) && end.is_none_or(|end| Instant::now() < end) {
            let number = taken.fetch_add(1, Ordering::Relaxed);
            let count = match self.until {
                Until::Count(all) if number * self.batch >= all => {
                    taken.fetch_sub(1, Ordering::Relaxed);
                    break;
                }
                Until::Count(all) => self.batch.min(all - number * self.batch),
                Until::Time { .. } => self.batch,
            };
            asked.request(first + number * self.batch, count, &mut request);
            let due = match self.pace {
                Pace::Closed => Instant::now(),
                Pace::Rate(rate) => start + seconds(number * self.batch, rate),
            };
            if end.is_some_and(|end| due >= end) {
                break;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let acknowledged = asked.acknowledged(wire.ask(&request)?, count)?;
            let now = Instant::now();
            let counts = due >= begin && end.is_none_or(|end| now < end);
            match acknowledged {
                Some(()) => {
                    part.all += count;
                    if counts {
                        part.done.push((now, now.duration_since(due)));
                    }
                }
                None => {
                    if let Until::Count(_) = self.until {
                        bail!("entries were refused, and all were to be taken");
                    }
                    part.refused += if counts { count } else { 0 };
                    if let Pace::Closed = self.pace {
                        std::thread::sleep(REST);
                    }
                }
            }
        }
        Ok(part)
    }
}

#[derive(Default)]
struct Part {
    done: Vec<(Instant, Duration)>,
    all: u64,
    refused: u64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
fn seconds(count: u64, rate: f64) -> Duration {
    Duration::from_secs_f64(count as f64 / rate)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
impl Measured {
    /// Entries that were acknowledged in a second of the time that counts.
    pub(super) fn per_second(&self) -> f64 {
        let count = match self.load.until {
            Until::Count(all) => all,
            Until::Time { .. } => self.done.len() as u64 * self.load.batch,
        };
        count as f64 / self.took.as_secs_f64()
    }

    /// The latency that this share of the requests does not exceed, nearest rank; `share` in thousandths.
    pub(super) fn millis(&self, share: usize) -> Option<f64> {
        let mut all: Vec<Duration> = self.done.iter().map(|(_, took)| *took).collect();
        millis(&mut all, share)
    }

    /// One row; `cpu` is what the server's process used meanwhile.
    pub(super) fn json(&self, cpu: Duration) -> Value {
        let offered = match self.load.pace {
            Pace::Closed => Value::Null,
            Pace::Rate(rate) => json!(rate.round()),
        };
        json!({
            "offered_per_second": offered,
            "connections": self.load.connections,
            "batch": self.load.batch,
            "acknowledged": self.all,
            "acknowledged_per_second": self.per_second().round(),
            "p50_ms": self.millis(500),
            "p99_ms": self.millis(990),
            "refused": self.refused,
            "server_cpu_us_per_entry": (self.all > 0)
                .then(|| (cpu.as_secs_f64() * 1e7 / self.all as f64).round() / 10.0),
        })
    }
}

/// The time that this share does not exceed, nearest rank, in milliseconds with two digits behind the point.
pub(super) fn millis(all: &mut [Duration], share: usize) -> Option<f64> {
    all.sort_unstable();
    let rank = (all.len() * share).div_ceil(1_000).max(1);
    let time = all.get(rank - 1)?;
    Some((time.as_secs_f64() * 1e5).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_the_nearest_rank() {
        let mut all: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(millis(&mut all, 500), Some(100.0));
        assert_eq!(millis(&mut all, 990), Some(198.0));
        assert_eq!(millis(&mut all, 1_000), Some(200.0));
        assert_eq!(millis(&mut [], 500), None);
    }

    #[test]
    fn entries_are_due_by_their_number_and_the_rate() {
        assert_eq!(seconds(5_000, 1_000.0), Duration::from_secs(5));
    }
}
