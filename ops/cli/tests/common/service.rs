//! A service as a process of the built command.

use super::Desk;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A service in the folder `evidence` of a desk.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
}

impl Service {
    /// At `listen`, with these lines of `[log]`.
    pub(crate) fn start(desk: &Desk, listen: &str, log: &str) -> Self {
        Self::with(desk, listen, log, "")
    }

    /// With further sections.
    pub(crate) fn with(desk: &Desk, listen: &str, log: &str, more: &str) -> Self {
        let text = format!("[log]\npublish_milliseconds = 50\n{log}\n[api]\nlisten = \"{listen}\"\n{more}");
        desk.put("evidence.toml", text);
        let (child, said) = started(desk, &["evidence", "serve", "--config", "evidence.toml"]);
        Self { child, url: format!("http://{}", said["address"].as_str().unwrap()) }
    }

    pub(crate) fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Starts a command that runs until it is ended, and reads what it reports once it does.
#[expect(
    clippy::zombie_processes,
    reason = "whoever asked for it ends it; it ends with this process otherwise"
)]
pub(crate) fn started(desk: &Desk, arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_zeugma"))
        .args(arguments)
        .args(["--json", "--with-parent"])
        .current_dir(desk.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text = String::new();
    loop {
        text.push_str(&lines.next().expect("it reports before it ends").unwrap());
        if let Ok(said) = serde_json::from_str(&text) {
            return (child, said);
        }
    }
}

/// Waits until something is there.
pub(crate) fn until(what: &str, mut there: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(90);
    while !there() {
        assert!(Instant::now() < end, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
