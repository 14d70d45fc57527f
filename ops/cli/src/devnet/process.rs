//! A process of this program that cannot outlive the one that started it.
//!
//! It is ended by its own id, never by name. It holds the other end of a pipe of ours as its standard input,
//! and ends when that closes: so it ends even when this process is killed.

use super::fault;
use crate::failure::{Failure, Rule};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to close its files when asked to end.
const CLOSING: Duration = Duration::from_secs(10);
/// How much of what it wrote last is shown when it ended by itself.
const LINES: usize = 8;

/// A running process.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts this program with `arguments`; what it writes to stderr goes to the end of `log`.
    pub(super) fn start(name: &str, arguments: &[&OsStr], log: &Path) -> Result<Self, Failure> {
        let not_started = |why: std::io::Error| {
            Failure::own(
                Rule::NodeEnded,
                name,
                format!("it cannot be started: {why}"),
                "check: ulimit -u; df -h",
            )
        };
        let program = std::env::current_exe().map_err(not_started)?;
        let errors = File::options().create(true).append(true).open(log).map_err(not_started)?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(not_started)?;
        Ok(Self { name: name.to_owned(), log: log.to_owned(), child })
    }

    /// Its id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails when it has ended by itself.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.ended(&status.to_string())),
            Err(why) => Err(fault(&self.name, why)),
        }
    }

    /// What it printed, once it has ended well.
    pub(super) fn finished(&mut self) -> Result<Option<String>, Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(None),
            Ok(Some(status)) if status.success() => {
                let mut printed = String::new();
                let out = self.child.stdout.take().ok_or_else(|| fault(&self.name, "it is asked twice"))?;
                // What such a process prints is one short report: the pipe holds it.
                out.take(64 * 1024).read_to_string(&mut printed).map_err(|why| fault(&self.name, why))?;
                Ok(Some(printed))
            }
            Ok(Some(status)) => Err(self.ended(&status.to_string())),
            Err(why) => Err(fault(&self.name, why)),
        }
    }

    fn ended(&self, status: &str) -> Failure {
        let what = format!("it ended by itself ({status}); it wrote last: {}", tail(&self.log));
        Failure::own(Rule::NodeEnded, &self.name, what, format!("read {}", self.log.display()))
    }

    /// Asks it to end, and does not wait.
    pub(super) fn ask_to_end(&mut self) {
        // Not waited for yet, so the id is still its own. Errors mean that it is gone already.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        drop(self.child.stdin.take());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.ask_to_end();
        let end = Instant::now() + CLOSING;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() >= end {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The last lines of a file.
fn tail(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join(" / ")
}
