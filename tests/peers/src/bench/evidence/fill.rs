//! A log of millions of entries: how its last compare with its first, and what it takes to keep and to open it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::load::{Load, Pace, Until, millis};
use super::service::{Bytes, Service, Settings};
use super::used;
use super::wire::Wire;

/// Entries that are proved, each one chosen anew.
const PROVED: u64 = 1_000;

/// What to load.
#[derive(Clone, Debug)]
pub struct Fill {
    /// The `zeugma` command.
    pub program: PathBuf,
    /// Entries.
    pub entries: u64,
    /// How many of them are compared, at the beginning and at the end.
    pub window: u64,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Filled {
    /// Entries that were acknowledged and are durable.
    pub durable: u64,
    /// Entries a second: all, the first window, the last.
    pub per_second: [f64; 3],
    /// The most memory that the service held while it was loaded, in bytes.
    pub most_memory: u64,
    /// The most that it held after it was started again and gave proofs, in bytes.
    pub most_memory_again: u64,
    /// From the start after a kill until it listened, and until it took deposits.
    pub restart: [Duration; 2],
    /// Bytes on disk for each entry.
    pub bytes_per_entry: f64,
    /// From asking for an entry's bundle, with its proofs, to having it; the median and the 99th of 100, in milliseconds.
    pub proof: [f64; 2],
    bytes: Bytes,
    cpu: Duration,
}

impl Fill {
    /// Loads, kills, starts again, proves; and removes what it made.
    ///
    /// # Errors
    /// When an entry is lost, known twice, or has no proof.
    #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
    pub fn run(&self) -> Result<Filled> {
        ensure!(self.window > 0 && self.window <= self.entries, "the window is no part of the entries");
        let home = tempfile::tempdir()?;
        let service = Service::start(&self.program, home.path(), &Settings::default())?;
        let load =
            Load { connections: 4, batch: 1_000, pace: Pace::Closed, until: Until::Count(self.entries) };
        let start = Instant::now();
        let mut measured = load.run(&service, 0)?;
        let took = start.elapsed();
        let cpu = used::processor(service.id());
        measured.done.sort_unstable();
        let batches = usize::try_from((self.window / 1_000).max(1)).expect("a window is small");
        let done = &measured.done;
        let first = done[batches.min(done.len()) - 1].0.duration_since(start);
        let from = done.len().saturating_sub(batches + 1);
        let last = start + took - done[from].0;
        let counted = (batches * 1_000) as f64;
        let rate = |took: Duration| counted / took.as_secs_f64();
        let per_second = [self.entries as f64 / took.as_secs_f64(), rate(first), rate(last)];
        service.published(self.entries)?;
        let most_memory = used::most_memory(service.id());
        let bytes = service.bytes()?;
        let (service, restart) = service.restart(self.entries - 1)?;
        let durable = service.status()?["durable"].as_u64().context("no durable size")?;
        let proof = self.prove(&service)?;
        let most_memory_again = used::most_memory(service.id());
        service.stop()?;
        let bytes_per_entry = (bytes.segments + bytes.public + bytes.index) as f64 / self.entries as f64;
        Ok(Filled {
            durable,
            per_second,
            most_memory,
            most_memory_again,
            restart,
            bytes_per_entry,
            proof,
            bytes,
            cpu,
        })
    }

    /// Fetches bundles of entries all over the log.
    fn prove(&self, service: &Service) -> Result<[f64; 2]> {
        let mut wire = Wire::open(service.address())?;
        let mut took = Vec::new();
        for at in 0..PROVED {
            let index = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % self.entries;
            let start = Instant::now();
            let (status, bundle) =
                service.ask_on(&mut wire, "GET", &format!("/v1/entries/0/{index}/bundle"), "")?;
            took.push(start.elapsed());
            ensure!(status == 200 && bundle.len() > 500, "no bundle of entry {index}: {status}");
        }
        Ok([500, 990].map(|share| millis(&mut took, share).expect("entries were proved")))
    }
}

impl Filled {
    /// As JSON.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
    pub fn json(&self) -> Value {
        let [all, first, last] = self.per_second.map(f64::round);
        let [listening, deposits] =
            self.restart.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        json!({
            "entries": self.durable,
            "per_second": all,
            "first_window_per_second": first,
            "last_window_per_second": last,
            "last_to_first": (self.per_second[2] / self.per_second[1] * 1e3).round() / 1e3,
            "server_cpu_us_per_entry": (self.cpu.as_secs_f64() * 1e7 / self.durable as f64).round() / 10.0,
            "most_memory_bytes": self.most_memory,
            "most_memory_after_restart_bytes": self.most_memory_again,
            "restart_listening_ms": listening,
            "restart_deposit_ms": deposits,
            "bytes": self.bytes.json(self.durable),
            "proof_p50_ms": self.proof[0],
            "proof_p99_ms": self.proof[1],
        })
    }
}
