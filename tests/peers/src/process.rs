//! One node as a process that cannot outlive its owner.
//!
//! A node is ended by its own id, never by name. It also has a guard: a shell that reads from a pipe whose other end only
//! we hold. When this process ends in whatever way, even killed, the pipe closes and the guard ends the node.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a node may take to close its databases when asked to end.
const CLOSING: Duration = Duration::from_secs(15);
const LINES_SHOWN: usize = 25;

/// A running node.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    node: Child,
    guard: Child,
}

impl Process {
    /// Starts `command`; what it writes goes to the end of `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut node = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let guard = Command::new("/bin/sh")
            .args(["-c", "read -r _; kill -TERM \"$0\"", &node.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match guard {
            Ok(guard) => Ok(Self { name: name.to_owned(), log: log.to_owned(), node, guard }),
            Err(error) => {
                node.kill()?;
                node.wait()?;
                Err(error).context("cannot start /bin/sh to guard a node")
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.node.id()
    }

    /// Fails when the node has ended by itself.
    ///
    /// # Errors
    /// With the end of what it wrote.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.node.try_wait()? {
            self.guard.kill()?;
            bail!(
                "{} ended by itself ({status}); it wrote last:\n{}",
                self.name,
                tail(&self.log, LINES_SHOWN)
            );
        }
        Ok(())
    }

    /// Asks the node to end and waits until it has closed its files; one that does not is killed.
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(self) -> Result<()> {
        self.end().map(drop)
    }

    /// As [`Process::stop`], and says how it ended.
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn end(mut self) -> Result<ExitStatus> {
        if let Some(status) = self.node.try_wait()? {
            return Ok(status);
        }
        // Not waited for yet, so the id is still the node's own.
        kill_process(Pid::from_child(&self.node), Signal::TERM)?;
        let start = Instant::now();
        loop {
            if let Some(status) = self.node.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > CLOSING {
                bail!(
                    "{} did not end within {} s of being asked and was killed",
                    self.name,
                    CLOSING.as_secs()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a power cut does: no handler runs, nothing is closed.
    ///
    /// # Errors
    /// When the system refuses, or it had ended by itself before.
    pub fn kill(mut self) -> Result<()> {
        self.check()?;
        self.node.kill()?;
        self.node.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard goes first: it must not end whoever gets the node's id next. Errors mean that it is gone already.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

/// The last lines of a file, for an error message.
pub(crate) fn tail(file: &Path, lines: usize) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(dir: &Path) -> Process {
        Process::start("sleeper", Command::new("sleep").arg("600"), &dir.join("log")).unwrap()
    }

    fn alive(id: u32) -> bool {
        // A process that ended and was not waited for is a zombie: not alive.
        fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn ends(id: u32) -> bool {
        let start = Instant::now();
        while alive(id) && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
        !alive(id)
    }

    #[test]
    fn a_dropped_or_stopped_process_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (sleeper(dir.path()), sleeper(dir.path()));
        let ids = [first.id(), first.guard.id(), second.id(), second.guard.id()];
        assert!(ids.into_iter().all(alive));
        drop(first);
        second.stop().unwrap();
        assert!(!ids.into_iter().any(alive));
    }

    #[test]
    fn a_process_ends_when_the_pipe_to_its_guard_closes() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = sleeper(dir.path());
        assert!(alive(process.id()));
        // What the kernel does when the owner dies.
        drop(process.guard.stdin.take());
        assert!(ends(process.id()));
        assert!(process.check().unwrap_err().to_string().contains("ended by itself"));
    }

    #[test]
    fn an_early_end_is_told_with_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        let mut process = Process::start(
            "node 3",
            command.args(["-c", "echo no such genesis; exit 4"]),
            &dir.path().join("log"),
        )
        .unwrap();
        ends(process.id());
        let error = process.check().unwrap_err().to_string();
        assert!(error.contains("node 3") && error.contains("no such genesis"), "{error}");
    }
}
