//! The evidence service under load, and Tessera's POSIX log with antispam on the same disk in the same run.
//!
//! Counted is an entry that was acknowledged: of ours, answered with its receipt, which is sent after the sync; of
//! Tessera's, its future resolved, after files and folders were synced. Both know every entry that they have seen. One
//! thing runs at a time. After each load the service's durable size is what was acknowledged, entries that are
//! deposited again keep their places, and a service that was killed opens with all of it.

mod anchored;
mod fill;
mod load;
mod service;
mod tessera;
mod used;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use load::{Load, Measured, Pace, Until};
use service::{Service, Settings};
use tessera::Tessera;

pub use fill::{Fill, Filled};

/// Entries of one request of the batch API.
const BATCH: u64 = 1_000;
/// Connections that send batches.
const BATCHING: u64 = 8;
/// Connections that send one entry at a time, to either.
const SINGLE: u64 = 512;
/// Entries of one request where latency is looked at.
const SMALL: u64 = 100;

/// What to compare.
#[derive(Clone, Debug)]
pub struct Compare {
    /// The `zeugma` command.
    pub program: PathBuf,
    /// Seconds that count, of each run.
    pub seconds: u64,
    /// What is run, in this order.
    pub parts: Vec<Part>,
}

/// A part of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Tessera, loaded from inside its own process.
    TesseraInside,
    /// Tessera behind HTTP, an entry a request.
    TesseraHttp,
    /// The service as it is by default, with two trees.
    TwoTrees,
    /// The service with one tree, as Tessera has.
    OneTree,
    /// From a deposit to its anchored bundle.
    Anchored,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 5] =
        [Self::TesseraInside, Self::TesseraHttp, Self::TwoTrees, Self::OneTree, Self::Anchored];

    /// Its name on the command line and in the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TesseraInside => "tessera_inside",
            Self::TesseraHttp => "tessera_http",
            Self::TwoTrees => "two_trees",
            Self::OneTree => "one_tree",
            Self::Anchored => "anchored",
        }
    }

    /// The part of that name.
    ///
    /// # Errors
    /// When there is none; the message lists those that exist.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name).with_context(|| {
            format!("no part is called `{name}`; there are: {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

impl Compare {
    /// Runs everything, and prints one JSON object.
    ///
    /// # Errors
    /// When something does not start, break off or says what it should not.
    pub fn run(&self) -> Result<()> {
        let home = tempfile::tempdir()?;
        let mut report = json!({ "peer": crate::recipe::TESSERA.about });
        for part in &self.parts {
            let home = home.path();
            report[part.name()] = match part {
                Part::TesseraInside => self.tessera_inside(home)?,
                Part::TesseraHttp => self.tessera_http(home)?,
                Part::TwoTrees => self.ours(&home.join("two"), &Settings::default())?,
                Part::OneTree => {
                    self.ours(&home.join("one"), &Settings { one_tree: true, ..Settings::default() })?
                }
                Part::Anchored => anchored::run(&self.program, &home.join("anchored"))?,
            };
        }
        println!("{report:#}");
        Ok(())
    }

    fn time(&self) -> Until {
        Until::Time { warm_up: Duration::from_secs(2), counted: Duration::from_secs(self.seconds) }
    }

    fn tessera_inside(&self, home: &Path) -> Result<Value> {
        let tessera = Tessera::install(&home.join("tessera"))?;
        let time = format!("{}s", self.seconds);
        let mut runs = Vec::new();
        for (writers, batch, age) in [("1024", "256", "250ms"), ("4096", "1024", "100ms")] {
            let flags = ["-for", &time, "-writers", writers, "-batch", batch, "-age", age];
            let found = tessera.load("inside", &flags)?;
            eprintln!("tessera, from inside: {found}");
            runs.push(found);
        }
        Ok(runs.into())
    }

    fn tessera_http(&self, home: &Path) -> Result<Value> {
        let tessera = Tessera::install(&home.join("tessera"))?;
        let server = tessera.serve("http")?;
        let load = Load { connections: SINGLE, batch: 1, pace: Pace::Closed, until: self.time() };
        let before = used::processor(server.id());
        let measured = load.run(&server, 0)?;
        let mut found = measured.json(used::processor(server.id()).saturating_sub(before));
        found["flags"] = server.flags.clone().into();
        eprintln!("tessera, HTTP: {found}");
        server.remove()?;
        Ok(found)
    }

    fn ours(&self, folder: &Path, settings: &Settings) -> Result<Value> {
        let mut run = Run { service: Service::start(&self.program, folder, settings)?, next: 0, all: 0 };
        let closed = |connections, batch| Load { connections, batch, pace: Pace::Closed, until: self.time() };
        let (batches, most) = run.load("batches", closed(BATCHING, BATCH))?;
        let half = Load { pace: Pace::Rate(most.per_second() / 2.0), ..closed(64, SMALL) };
        let (half_batches, _) = run.load("batches at half load", half)?;
        let (single, most) = run.load("single", closed(SINGLE, 1))?;
        let half = Load { pace: Pace::Rate(most.per_second() / 2.0), ..closed(SINGLE, 1) };
        let (half_single, _) = run.load("single at half load", half)?;
        run.service.published(run.all)?;
        let bytes = run.service.bytes()?.json(run.all);
        let memory = used::most_memory(run.service.id());
        let (service, [listening, taken]) = run.service.restart(0)?;
        let durable = service.status()?["durable"].as_u64();
        ensure!(durable == Some(run.all), "{durable:?} entries after a kill, {} were acknowledged", run.all);
        service.stop()?;
        std::fs::remove_dir_all(folder)?;
        Ok(json!({
            "batches": batches,
            "batches_at_half_load": half_batches,
            "single": single,
            "single_at_half_load": half_single,
            "entries": run.all,
            "bytes": bytes,
            "most_memory_bytes": memory,
            "restart_listening_ms": listening.as_millis(),
            "restart_deposit_ms": taken.as_millis(),
        }))
    }
}

/// A service that is loaded, and what it acknowledged so far.
struct Run {
    service: Service,
    next: u64,
    all: u64,
}

impl Run {
    fn load(&mut self, name: &str, load: Load) -> Result<(Value, Measured)> {
        let before = used::processor(self.service.id());
        let measured = load.run(&self.service, self.next)?;
        let found = measured.json(used::processor(self.service.id()).saturating_sub(before));
        eprintln!("zeugma, {name}: {found}");
        self.all += measured.all;
        let durable = self.service.status()?["durable"].as_u64().context("no durable size")?;
        ensure!(durable == self.all, "{durable} entries are durable, {} were acknowledged", self.all);
        // The first that this load was answered for stand where they stood.
        let (status, again) = self.service.deposit(self.next, load.batch)?;
        let items = again["items"].as_array().context("no items")?;
        ensure!(status == 200 && items.iter().all(|item| item["known"] == true), "an entry was not known");
        self.next = measured.next;
        Ok((found, measured))
    }
}
