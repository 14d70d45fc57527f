//! Child processes with an end: each has a time limit, and what it started ends with it.
//!
//! A child stays in the terminal's process group, so that an interrupt reaches it. On a time-out its
//! descendants are found through `/proc` and ended by their numbers, never by a name.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How often a running child is looked at.
const POLL: Duration = Duration::from_millis(50);

/// How long output may trail behind the end of the child that wrote it.
const TRAILING: Duration = Duration::from_secs(10);

/// Tests counted from the summaries that the test harness prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tests {
    /// These and others.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

/// A command to run from the root of the workspace, without standard input.
pub(crate) struct Child {
    command: Command,
    limit: Duration,
    trailing: Duration,
    shown: String,
}

impl Child {
    pub(crate) fn new(program: impl AsRef<Path>) -> Self {
        let program = program.as_ref();
        let shown = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.current_dir(crate::workspace::root()).stdin(Stdio::null());
        Self { command, limit: Duration::from_secs(60), trailing: TRAILING, shown }
    }

    /// Adds arguments.
    pub(crate) fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        for argument in arguments {
            let argument = argument.into();
            self.shown.push(' ');
            self.shown.push_str(&argument.to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    pub(crate) fn cargo<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::new("cargo").args(arguments)
    }

    /// Ends the child, as a failure, once it has run for `minutes`. The default is one minute.
    pub(crate) fn minutes(mut self, minutes: u64) -> Self {
        self.limit = Duration::from_secs(minutes * 60);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Runs it there, as `cargo test` runs a program of the package in that folder.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
        self
    }

    /// Runs it and shows what it prints.
    ///
    /// # Errors
    /// When it cannot be started, does not exit with 0, or runs out of time.
    pub(crate) fn run(self) -> Result<()> {
        self.run_counting(|_| ())
    }

    /// Runs it, shows what it prints, and counts the tests it reports.
    ///
    /// # Errors
    /// As [`Child::run`]; the count of a failed run is printed by the run itself.
    pub(crate) fn tests(self) -> Result<Tests> {
        let mut tests = Tests::default();
        self.run_counting(|line| tests.add_summary(line))?;
        Ok(tests)
    }

    /// Runs it and hands over each line that it prints, without showing it.
    ///
    /// # Errors
    /// As [`Child::run`].
    pub(crate) fn each_line(mut self, each_line: impl FnMut(&str)) -> Result<()> {
        println!("$ {}", self.shown);
        self.command.stdout(Stdio::piped());
        self.supervise(each_line)
    }

    fn run_counting(mut self, mut each_line: impl FnMut(&str)) -> Result<()> {
        println!("$ {}", self.shown);
        self.command.stdout(Stdio::piped());
        self.supervise(|line| {
            println!("{line}");
            each_line(line);
        })
    }

    /// Runs it and returns what it prints; nothing is shown unless it fails.
    ///
    /// # Errors
    /// As [`Child::run`], with its messages.
    pub(crate) fn text(mut self) -> Result<String> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut text = String::new();
        self.supervise(|line| {
            text.push_str(line);
            text.push('\n');
        })?;
        Ok(text)
    }

    fn supervise(mut self, mut each_line: impl FnMut(&str)) -> Result<()> {
        let mut child = self.command.spawn().with_context(|| format!("cannot start `{}`", self.shown))?;
        let messages = child.stderr.take().map(|stderr| {
            thread::spawn(move || {
                let mut text = String::new();
                // What is not text is not shown; the exit status judges.
                let _ = BufReader::new(stderr).read_to_string(&mut text);
                text
            })
        });
        let (send, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                    if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                        return;
                    }
                }
            });
        }
        let started = Instant::now();
        let status = loop {
            if started.elapsed() > self.limit {
                end_with_descendants(child.id());
                child.wait()?;
                bail!("`{}` ran out of time: {} minutes", self.shown, self.limit.as_secs() / 60);
            }
            match lines.recv_timeout(POLL) {
                Ok(line) => {
                    each_line(&line);
                    continue;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                // The output is closed, so nothing waits above any more.
                Err(mpsc::RecvTimeoutError::Disconnected) => thread::sleep(POLL),
            }
            if let Some(status) = child.try_wait()? {
                break status;
            }
        };
        loop {
            match lines.recv_timeout(self.trailing) {
                Ok(line) => each_line(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    bail!("`{}` ended and left a process behind that holds its output", self.shown)
                }
            }
        }
        if status.success() {
            return Ok(());
        }
        let messages = messages.and_then(|reader| reader.join().ok()).unwrap_or_default();
        match messages.trim() {
            "" => bail!("`{}` failed: {status}", self.shown),
            messages => bail!("`{}` failed: {status}\n{messages}", self.shown),
        }
    }
}

impl Tests {
    /// Adds those of another run.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Adds a line such as `test result: ok. 12 passed; 0 failed; 3 ignored; ...`; others count nothing.
    fn add_summary(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ").and_then(|(_, rest)| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split(';') {
            let Some((number, word)) = count.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

fn end_with_descendants(child: u32) {
    let mut all = descendants(child, &parents());
    all.push(child);
    for number in all {
        // A process may have ended by itself meanwhile: nothing is left to do then.
        let _ =
            Command::new("sh").arg("-c").arg(format!("kill -KILL {number}")).stderr(Stdio::null()).status();
    }
}

/// Every process and its parent. Empty where there is no `/proc`: only the child itself is ended there.
fn parents() -> BTreeMap<u32, u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter_map(|number| {
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
            // `number (name) state parent ...`; a name may hold spaces and parentheses.
            let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            Some((number, parent))
        })
        .collect()
}

fn descendants(ancestor: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(number, _)| *number));
        next += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        Child::new("sh").args(["-c", script])
    }

    #[test]
    fn summaries_add_up_over_binaries_and_other_lines_count_nothing() {
        let mut tests = Tests::default();
        tests.add_summary("running 5 tests");
        tests.add_summary("test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 2 filtered out; x");
        tests
            .add_summary("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; x");
        assert_eq!(tests, Tests { passed: 13, failed: 2, ignored: 3 });
    }

    #[test]
    fn a_child_that_fails_is_an_error_with_its_messages() {
        let error = shell("echo broken >&2; exit 3").text().unwrap_err().to_string();
        assert!(error.contains("broken") && error.contains('3'), "{error}");
        assert_eq!(shell("echo done").text().unwrap(), "done\n");
    }

    #[test]
    fn a_child_out_of_time_is_a_failure_and_takes_its_children_along() {
        let mut child = shell("sleep 600 & echo $!; wait");
        child.limit = Duration::from_millis(300);
        child.command.stdout(Stdio::piped());
        let mut grandchild = String::new();
        let error = child.supervise(|line| grandchild = line.to_owned()).unwrap_err();
        assert!(error.to_string().contains("ran out of time"), "{error}");
        let alive = fs::read_to_string(format!("/proc/{grandchild}/stat"))
            .is_ok_and(|stat| !stat.rsplit_once(") ").expect("a stat line").1.starts_with('Z'));
        assert!(!alive, "the sleep numbered {grandchild} outlived the time-out");
    }

    #[test]
    fn a_child_that_leaves_a_process_behind_with_its_output_is_a_failure() {
        let mut child = shell("sleep 2 & exit 0");
        child.trailing = Duration::from_millis(200);
        let error = child.text().unwrap_err().to_string();
        assert!(error.contains("left a process behind"), "{error}");
    }

    #[test]
    fn descendants_are_found_however_deep() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (9, 1)]);
        assert_eq!(descendants(2, &parents), [3, 4]);
    }
}
