//! Coverage-guided fuzzing: `cargo xtask fuzz SECONDS [TARGET]`.
//!
//! Targets are the programs of `fuzz/`, a workspace of its own, built here with LLVM's coverage pass (which
//! the stable compiler has) and libFuzzer. Each starts from its committed seeds and a fixed random seed,
//! and keeps its corpus, its log and what it finds in the target folder, outside the clone where that is.
//!
//! A crash, a hang, memory above the limit, a target that ran nothing, and seeds that are not what the
//! code writes today are failures. So is a bug planted in the target `planted` that is *not* found: it lies behind
//! four exact bytes, so a build without coverage or traced comparisons is told from one with them.

use crate::child::Child;
use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The self-test; it has no share of the time, and must crash.
const PLANTED: &str = "planted";
/// Most seconds until the planted bug is found. It takes under one.
const PLANTED_SECONDS: u64 = 30;

/// Longest input, in bytes. Every seed fits twice; longer inputs find little and cost speed.
const MAX_LEN: &str = "-max_len=32768";

/// Only what the fuzzer needs beside the profile of `fuzz/Cargo.toml`: edges with counters and their
/// places, and the two sides of comparisons. Without `--cfg fuzzing`, under which some libraries
/// weaken their checks: what runs here is what the product runs.
const RUSTFLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// What the command line chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// Run all targets, or one, for these seconds together.
    Run { seconds: u64, target: Option<&'a str> },
    /// Write the committed seeds anew.
    Seeds,
}

impl<'a> Command<'a> {
    /// Reads what follows `fuzz`, or `None` when it is not understood.
    pub(crate) fn parse(words: &[&'a str]) -> Option<Self> {
        let seconds = |word: &str| word.parse().ok().filter(|seconds| *seconds > 0);
        match words {
            ["--seeds"] => Some(Self::Seeds),
            [number] => Some(Self::Run { seconds: seconds(number)?, target: None }),
            [number, target] => Some(Self::Run { seconds: seconds(number)?, target: Some(*target) }),
            _ => None,
        }
    }

    /// Builds the targets and does it.
    ///
    /// # Errors
    /// What was found, or why nothing could be.
    pub(crate) fn run(self) -> Result<()> {
        let fuzz = Fuzz::find()?;
        fuzz.build()?;
        match self {
            Self::Seeds => fuzz.write_seeds(),
            Self::Run { seconds, target } => fuzz.run(seconds, target),
        }
    }
}

/// Builds the targets.
///
/// # Errors
/// When one does not build.
pub(crate) fn prepare() -> Result<()> {
    Fuzz::find()?.build()
}

/// Where everything lies.
struct Fuzz {
    /// The workspace of the targets.
    sources: PathBuf,
    /// What is built and found.
    products: PathBuf,
    /// The triple of this machine. Naming it keeps the flags from build scripts and procedural macros.
    host: String,
    targets: Vec<String>,
}

/// What one target did.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Report {
    executions: u64,
    per_second: u64,
    /// Edges reached.
    coverage: u64,
    /// Edges that the seeds alone reach.
    from_seeds: u64,
    /// Inputs kept because each reaches something that the others do not.
    corpus: u64,
}

impl Fuzz {
    fn find() -> Result<Self> {
        let sources = workspace::root().join("fuzz");
        let version = Child::new("rustc").args(["-vV"]).text()?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc does not name its host")?.to_owned();
        let mut targets = Vec::new();
        for entry in fs::read_dir(sources.join("src/bin")).context("fuzz/src/bin")? {
            let path = entry?.path();
            let name =
                path.file_stem().and_then(|name| name.to_str()).context("a target's name is no text")?;
            targets.push(name.to_owned());
        }
        targets.sort();
        ensure!(targets.iter().any(|target| target == PLANTED), "the self-test `{PLANTED}` is missing");
        Ok(Self { sources, products: workspace::target()?.join("fuzz"), host, targets })
    }

    fn build(&self) -> Result<()> {
        if Child::new("c++").args(["--version"]).text().is_err() {
            bail!(
                "a C++ compiler is missing: install the package `g++` (Debian, Ubuntu), `gcc-c++` (Fedora)"
            );
        }
        Child::cargo(["build", "--release", "--bins", "--locked", "--manifest-path", "fuzz/Cargo.toml"])
            .args(["--target", &self.host])
            .env("CARGO_TARGET_DIR", &self.products)
            .env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\u{1f}"))
            .minutes(40)
            .run()
    }

    fn program(&self, target: &str) -> PathBuf {
        self.products.join(&self.host).join("release").join(target)
    }

    /// A folder of this name for a target, empty.
    fn fresh(&self, name: &str, target: &str) -> Result<PathBuf> {
        let folder = self.products.join(name).join(target);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    fn run(&self, seconds: u64, only: Option<&str>) -> Result<()> {
        let chosen: Vec<&str> = match only {
            Some(target) => vec![target],
            None => self.targets.iter().map(String::as_str).filter(|target| *target != PLANTED).collect(),
        };
        for target in &chosen {
            ensure!(
                self.targets.iter().any(|known| known == target),
                "there is no target `{target}`: {:?}",
                self.targets
            );
            self.check_seeds(target)?;
        }
        self.find_planted()?;
        // A share is whole seconds, at least one.
        let share = (seconds / chosen.len() as u64).max(1);
        println!("{}", row(["target", "executions", "per second", "coverage", "of seeds", "corpus"]));
        let mut failures = Vec::new();
        for target in chosen.into_iter().filter(|target| *target != PLANTED) {
            match self.fuzz(target, share) {
                Ok(report) => println!("{}", report.row(target)),
                Err(error) => {
                    println!("{target:<16} FAILED: {error:#}");
                    failures.push(target);
                }
            }
        }
        ensure!(failures.is_empty(), "findings or failures in: {}", failures.join(", "));
        Ok(())
    }

    /// Runs one target; a crash is an error with the input that causes it.
    fn fuzz(&self, target: &str, seconds: u64) -> Result<Report> {
        let found = self.fresh("found", target)?;
        let (log, done) = self.start(target, seconds, &found)?;
        if let Some(artifact) = files(&found)?.into_keys().next() {
            bail!("{}", finding(&found.join(artifact), &log)?);
        }
        done.with_context(|| format!("see {}", self.log(target).display()))?;
        let report = Report::parse(&log).with_context(|| format!("see {}", self.log(target).display()))?;
        ensure!(report.executions > 0 && report.coverage > 0, "nothing was run or nothing is counted");
        Ok(report)
    }

    /// The harness can fail: the planted bug is found, by its four bytes.
    fn find_planted(&self) -> Result<()> {
        let found = self.fresh("found", PLANTED)?;
        let (_, done) = self.start(PLANTED, PLANTED_SECONDS, &found)?;
        let magic = |bytes: &Vec<u8>| bytes.starts_with(b"ZGB!");
        ensure!(
            done.is_err() && files(&found)?.values().any(magic),
            "the planted bug was not found in {PLANTED_SECONDS} s: the build has no coverage; see {}",
            self.log(PLANTED).display()
        );
        Ok(())
    }

    fn log(&self, target: &str) -> PathBuf {
        self.products.join("logs").join(format!("{target}.log"))
    }

    /// Runs libFuzzer; gives what it wrote, and whether it ended well.
    fn start(&self, target: &str, seconds: u64, found: &Path) -> Result<(String, Result<()>)> {
        let corpus = self.fresh("corpus", target)?;
        let log = self.log(target);
        fs::create_dir_all(self.products.join("logs"))?;
        let text = |path: &Path| path.display().to_string();
        // libFuzzer reports on standard error, which grows with its findings: into a file.
        let done = Child::new("sh")
            .args(["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "fuzz"])
            .args([text(&log), text(&self.program(target))])
            .args(["-seed=1", MAX_LEN, "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"])
            .args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", found.display())])
            // New inputs go into the first folder.
            .args([text(&corpus), text(&self.seeds(target))])
            // The limit counts executions only: reading the seeds, and the last input, come on top.
            .minutes(seconds / 60 + 3)
            .text();
        let log = fs::read(&log).with_context(|| format!("{target} wrote no log"))?;
        Ok((String::from_utf8_lossy(&log).into_owned(), done.map(|_| ())))
    }

    fn seeds(&self, target: &str) -> PathBuf {
        self.sources.join("seeds").join(target)
    }

    /// What a target starts from, by name, as the code writes it today.
    fn made(&self, target: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let folder = self.fresh("made", target)?;
        Child::new(self.program(target)).env("ZEUGMA_FUZZ_SEEDS", &folder).text()?;
        let seeds = files(&folder)?;
        ensure!(!seeds.is_empty(), "{target} has no seeds");
        Ok(seeds)
    }

    fn check_seeds(&self, target: &str) -> Result<()> {
        let committed = files(&self.seeds(target)).unwrap_or_default();
        ensure!(
            committed == self.made(target)?,
            "fuzz/seeds/{target} is not what the code writes: run `cargo xtask fuzz --seeds`"
        );
        Ok(())
    }

    fn write_seeds(&self) -> Result<()> {
        for target in &self.targets {
            let (folder, seeds) = (self.seeds(target), self.made(target)?);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
            for (name, bytes) in &seeds {
                fs::write(folder.join(name), bytes)?;
            }
            println!("{target}: {} seeds", seeds.len());
        }
        Ok(())
    }
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, fs::read(entry.path())?);
    }
    Ok(files)
}

/// A finding in words: what was claimed, the input's file, and the input itself where it is short.
fn finding(artifact: &Path, log: &str) -> Result<String> {
    const SHOWN: usize = 8 * 1024;
    let input = fs::read(artifact)?;
    // A panic's message is on the line after `panicked at`, anything else in libFuzzer's summary.
    let mut lines = log.lines();
    let panic = lines.by_ref().find(|line| line.contains("panicked at")).map(|place| {
        let message = lines.next().unwrap_or_default();
        format!("{place} {message}")
    });
    let what = panic.or_else(|| log.lines().find(|line| line.starts_with("SUMMARY")).map(str::to_owned));
    let encoded = if input.len() <= SHOWN { base64(&input) } else { "(long)".to_owned() };
    Ok(format!(
        "{}\n  input of {} bytes: {}\n  base64: {encoded}",
        what.unwrap_or_else(|| "no reason given".to_owned()),
        input.len(),
        artifact.display(),
    ))
}

impl Report {
    /// Reads libFuzzer's log: `#123 DONE cov: 9 ft: 12 corp: 3/5b ...` and its final statistics.
    fn parse(log: &str) -> Result<Self> {
        let event = |name: &str| log.lines().rev().find(|line| line.starts_with('#') && line.contains(name));
        let seeds = event("INITED").context("the fuzzer did not start")?;
        let last = event("DONE").context("the fuzzer did not end by itself")?;
        let statistic = |name: &str| {
            let value = log.lines().find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
            value
                .and_then(|value| value.trim().parse().ok())
                .with_context(|| format!("no statistic `{name}`"))
        };
        Ok(Self {
            executions: statistic("number_of_executed_units")?,
            per_second: statistic("average_exec_per_sec")?,
            coverage: after(last, "cov: ").context("no coverage at the end")?,
            from_seeds: after(seeds, "cov: ").context("no coverage at the start")?,
            corpus: after(last, "corp: ").context("no corpus at the end")?,
        })
    }

    fn row(&self, target: &str) -> String {
        let Self { executions, per_second, coverage, from_seeds, corpus } = self;
        let numbers = [executions, per_second, coverage, from_seeds, corpus].map(u64::to_string);
        let [executions, per_second, coverage, from_seeds, corpus] = numbers.each_ref().map(String::as_str);
        row([target, executions, per_second, coverage, from_seeds, corpus])
    }
}

/// The number behind `word` in `line`.
fn after(line: &str, word: &str) -> Option<u64> {
    let (_, rest) = line.split_once(word)?;
    rest.split(|each: char| !each.is_ascii_digit()).next()?.parse().ok()
}

fn row([target, executions, per_second, coverage, seeds, corpus]: [&str; 6]) -> String {
    format!("{target:<16} {executions:>11} {per_second:>11} {coverage:>9} {seeds:>9} {corpus:>7}")
}

/// The standard alphabet with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let byte = |at: usize| usize::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let symbol = |at: usize| {
            if at <= group.len() { char::from(ALPHABET[bits >> (18 - 6 * at) & 63]) } else { '=' }
        };
        [0, 1, 2, 3].map(symbol)
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
#5\tINITED cov: 9 ft: 9 corp: 2/9b exec/s: 0 rss: 27Mb
#77\tNEW    cov: 12 ft: 14 corp: 3/5b lim: 4 exec/s: 0 rss: 27Mb L: 4/4 MS: 1 CMP-
#1024\tDONE   cov: 13 ft: 15 corp: 4/6b lim: 4096 exec/s: 512 rss: 30Mb
stat::number_of_executed_units: 1024
stat::average_exec_per_sec:     512
";

    #[test]
    fn the_log_of_a_run_is_read() {
        let report = Report { executions: 1024, per_second: 512, coverage: 13, from_seeds: 9, corpus: 4 };
        assert_eq!(Report::parse(LOG).unwrap(), report);
        assert!(Report::parse(&LOG.replace("DONE", "NEW ")).is_err(), "a run that did not end");
    }

    #[test]
    fn the_command_line_takes_seconds_and_a_target() {
        assert_eq!(Command::parse(&["60"]), Some(Command::Run { seconds: 60, target: None }));
        let one = Command::Run { seconds: 5, target: Some("tree") };
        assert_eq!(Command::parse(&["5", "tree"]), Some(one));
        assert_eq!(Command::parse(&["--seeds"]), Some(Command::Seeds));
        for wrong in [&["0"][..], &[], &["tree"], &["1", "tree", "more"]] {
            assert_eq!(Command::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn base64_is_the_standard_one() {
        assert_eq!(base64(b"ZGB!"), "WkdCIQ==");
        assert_eq!(base64(b"abc"), "YWJj");
        assert_eq!(base64(&[0xff, 0xfe]), "//4=");
    }
}
