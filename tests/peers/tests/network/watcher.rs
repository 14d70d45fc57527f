//! A process of `zeugma relay run`.

use crate::program::{program, zeugma};
use crate::world::log;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use zeugma_peers::{Port, Process, get, until};

/// Where it writes down what it has taken on, beside its configuration.
const QUEUE: &str = "relay.redb";

/// The watcher of one scenario. Its queue outlives each process of it.
pub(crate) struct Watcher {
    name: String,
    config: PathBuf,
    port: Port,
    process: Option<Process>,
    folder: tempfile::TempDir,
}

impl Watcher {
    /// A watcher that does not run yet; `rest` is everything of its configuration but queue and metrics.
    pub(crate) fn new(name: &str, rest: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), Port::claim().unwrap());
        let config = folder.path().join("relay.toml");
        let head = format!("queue = \"{QUEUE}\"\nmetrics = \"{}\"\npoll_millis = 300\n", port.address());
        fs::write(&config, head + rest).unwrap();
        log(name);
        Self { name: name.to_owned(), config, port, process: None, folder }
    }

    /// What `zeugma relay check` finds wrong.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let found = zeugma(&["relay", "check", "--config", self.config.to_str().unwrap()]).done();
        let findings = found["findings"].as_array().unwrap().iter();
        findings.filter(|finding| finding["ok"] != true).map(ToString::to_string).collect()
    }

    /// Starts it, and waits until it shows its metrics.
    pub(crate) fn run(&mut self) {
        assert!(self.process.is_none(), "{} runs", self.name);
        let mut command = Command::new(program());
        command
            .args(["relay", "run", "--config"])
            .arg(&self.config)
            .env("RUST_LOG", "warn,zeugma_agent=info");
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("network-{}.log", self.name));
        let process = self.process.insert(Process::start(&self.name, &mut command, &log).unwrap());
        until(&format!("the metrics of {}", self.name), Duration::from_secs(30), || {
            process.check()?;
            Ok(get(self.port.address(), "/metrics").ok().filter(|answer| answer.status == 200))
        })
        .unwrap();
    }

    /// Asks it to end; it must do so cleanly.
    pub(crate) fn stop(&mut self) {
        let status = self.process.take().unwrap().end().unwrap();
        assert!(status.success(), "{} ended with {status}", self.name);
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.process.take().unwrap().kill().unwrap();
    }

    /// Loses everything that it had written down.
    pub(crate) fn forget(&self) {
        assert!(self.process.is_none(), "{} runs", self.name);
        fs::remove_file(self.folder.path().join(QUEUE)).unwrap();
    }

    /// A sample of its metrics.
    pub(crate) fn metric(&self, sample: &str) -> Option<i64> {
        let text = get(self.port.address(), "/metrics").unwrap().body;
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }
}
