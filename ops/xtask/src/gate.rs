//! The gate: `cargo xtask test`. Every suite runs even after one failed; none is skipped, none is run
//! again. A suite that runs out of time has failed, and so has a suite of tests that found no test.
//!
//! Ends with a table and, alone on the last line, `N passed, N failed`, counting suites.

use crate::child::{Child, Tests};
use crate::{alerts, built, fuzz, model, pages, rings, sim, tools, verifiers};
use anyhow::{Result, ensure};
use std::path::Path;
use std::time::{Duration, Instant};

/// What the command line chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Run the tests marked `#[ignore]` too.
    all: bool,
    /// Run only these suites, by their place in the table; empty: all of them.
    only: u32,
}

impl Options {
    /// Reads the flags of `test`, or `None` for one that it does not know.
    pub(crate) fn parse(flags: &[&str]) -> Option<Self> {
        let mut options = Self::default();
        for flag in flags {
            match *flag {
                "--all" => options.all = true,
                flag => {
                    let name = flag.strip_prefix("--")?;
                    options.only |= 1 << SUITES.iter().position(|suite| suite.name == name)?;
                }
            }
        }
        Some(options)
    }
}

/// One line of the table.
struct Suite {
    name: &'static str,
    /// Installs and builds: long on a cold machine, nothing on a warm one.
    prepare: fn() -> Result<()>,
    run: fn(Options) -> Result<Option<Tests>>,
}

/// Of all fuzz targets together, in the gate; longer by `cargo xtask fuzz`.
const FUZZ_SECONDS: u64 = 60;

const SUITES: &[Suite] = &[
    Suite {
        name: "fmt",
        prepare: || Ok(()),
        run: |_| {
            uncounted(Child::cargo(["fmt", "--all", "--check"]).minutes(5))?;
            uncounted(Child::cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]).minutes(5))
        },
    },
    Suite {
        name: "clippy",
        prepare: || Ok(()),
        run: |_| {
            let clippy = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
            uncounted(Child::cargo(clippy).minutes(45))
        },
    },
    Suite {
        name: "rings",
        prepare: rings::prepare,
        run: |_| {
            println!("{}", rings::run()?);
            Ok(None)
        },
    },
    Suite {
        name: "deny",
        prepare: || tools::cargo_deny().map(|_| ()),
        run: |_| {
            for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
                let what = ["--workspace", "--config", "deny.toml", "--manifest-path", manifest];
                let check = ["check", "bans", "licenses", "sources"];
                uncounted(Child::new(tools::cargo_deny()?).args(what).args(check).minutes(10))?;
            }
            Ok(None)
        },
    },
    Suite {
        name: "typos",
        prepare: || tools::typos().map(|_| ()),
        run: |_| uncounted(Child::new(tools::typos()?).minutes(5)),
    },
    Suite { name: "unit", prepare: built, run: unit },
    Suite { name: "conformance", prepare: built, run: |options| tests("tests/conformance", options) },
    Suite { name: "peers", prepare: built, run: |options| tests("tests/peers", options) },
    Suite {
        name: "verifiers",
        prepare: verifiers::prepare,
        run: |options| verifiers::run(options.all).map(Some),
    },
    Suite { name: "sim", prepare: sim::prepare, run: |_| sim::run().map(Some) },
    Suite {
        name: "fuzz",
        prepare: fuzz::prepare,
        run: |_| {
            fuzz::Command::Run { seconds: FUZZ_SECONDS, target: None }.run()?;
            Ok(None)
        },
    },
    Suite { name: "model", prepare: model::prepare, run: |_| model::run().map(Some) },
    Suite { name: "alerts", prepare: alerts::prepare, run: |_| alerts::run().map(Some) },
    Suite {
        name: "doc",
        prepare: || Ok(()),
        run: |_| {
            let doc = Child::cargo(["doc", "--workspace", "--no-deps"]);
            uncounted(doc.env("RUSTDOCFLAGS", "-D warnings").minutes(20))
        },
    },
    Suite {
        name: "pages",
        prepare: || Ok(()),
        run: |_| {
            pages::check()?;
            Ok(None)
        },
    },
];

/// Rooms whose tests are a suite of their own.
const SUITE_ROOMS: [&str; 2] = ["tests/conformance", "tests/peers"];

fn built() -> Result<()> {
    built::all().map(|_| ())
}

/// The tests beside the code, those of each crate's own `tests` folder, and the examples of the documentation.
fn unit(options: Options) -> Result<Option<Tests>> {
    let programs =
        built::all()?.run(|room| !SUITE_ROOMS.iter().any(|suite| room == Path::new(suite)), options.all);
    let examples = ["test", "--workspace", "--exclude", built::APART, "--doc", "--no-fail-fast"];
    let examples = Child::cargo(examples).minutes(30).tests();
    let mut sum = programs?;
    sum.add(examples?);
    counted(sum)
}

/// The tests of one room. The long ones have their own limit: `--all` is started by hand or by night.
fn tests(room: &str, options: Options) -> Result<Option<Tests>> {
    counted(built::all()?.run(|of| of == Path::new(room), options.all)?)
}

fn counted(tests: Tests) -> Result<Option<Tests>> {
    ensure!(tests.passed + tests.failed > 0, "no test was found");
    Ok(Some(tests))
}

fn uncounted(child: Child) -> Result<Option<Tests>> {
    child.run()?;
    Ok(None)
}

/// Runs the gate; true when every suite passed.
///
/// # Errors
/// Never: what a suite says is in the table.
pub(crate) fn run(options: Options) -> Result<bool> {
    let chosen = |place: usize| options.only == 0 || options.only & (1 << place) != 0;
    let suites = SUITES.iter().enumerate().filter(|(place, _)| chosen(*place));
    let ended: Vec<Ended> = suites.map(|(_, suite)| Ended::of(suite, options)).collect();
    let (table, passed) = summary(&ended);
    println!("{table}");
    Ok(passed)
}

struct Ended {
    name: &'static str,
    prepared: Duration,
    ran: Duration,
    result: Result<Option<Tests>>,
}

impl Ended {
    fn of(suite: &Suite, options: Options) -> Self {
        println!("\n=== {}", suite.name);
        let started = Instant::now();
        let ready = (suite.prepare)();
        let prepared = started.elapsed();
        let result = ready.and_then(|()| (suite.run)(options));
        if let Err(error) = &result {
            println!("{}: FAILED: {error:#}", suite.name);
        }
        Self { name: suite.name, prepared, ran: started.elapsed() - prepared, result }
    }
}

fn summary(ended: &[Ended]) -> (String, bool) {
    let heads = ["suite", "result", "tests", "ignored", "set-up min", "run min"];
    let mut lines = vec![String::new(), row(heads.map(str::to_owned))];
    for suite in ended {
        let count = |of: fn(&Tests) -> u64| match &suite.result {
            Ok(Some(tests)) => of(tests).to_string(),
            Ok(None) | Err(_) => "-".to_owned(),
        };
        lines.push(row([
            suite.name.to_owned(),
            if suite.result.is_ok() { "ok" } else { "FAILED" }.to_owned(),
            count(|tests| tests.passed),
            count(|tests| tests.ignored),
            minutes(suite.prepared),
            minutes(suite.ran),
        ]));
    }
    for suite in ended {
        if let Err(error) = &suite.result {
            lines.push(format!("\n{}: {error:#}", suite.name));
        }
    }
    let failed = ended.iter().filter(|suite| suite.result.is_err()).count();
    lines.push(format!("\n{} passed, {failed} failed", ended.len() - failed));
    (lines.join("\n"), failed == 0)
}

fn row([name, result, tests, ignored, prepared, ran]: [String; 6]) -> String {
    format!("{name:<12} {result:<7} {tests:>7} {ignored:>8} {prepared:>11} {ran:>8}")
}

fn minutes(span: Duration) -> String {
    format!("{:.2}", span.as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    fn ended(name: &'static str, result: Result<Option<Tests>>) -> Ended {
        Ended { name, prepared: Duration::from_secs(240), ran: Duration::from_secs(90), result }
    }

    #[test]
    fn the_last_line_counts_suites_and_stands_alone() {
        let some = Tests { passed: 7, failed: 0, ignored: 2 };
        let (table, passed) = summary(&[ended("fmt", Ok(None)), ended("unit", Ok(Some(some)))]);
        assert!(passed);
        assert_eq!(table.lines().last(), Some("2 passed, 0 failed"));
        assert!(table.contains("unit         ok            7        2        4.00     1.50"), "{table}");
    }

    #[test]
    fn one_failed_suite_fails_the_gate_and_says_why() {
        let (table, passed) = summary(&[ended("fmt", Ok(None)), ended("deny", Err(anyhow!("out of time")))]);
        assert!(!passed);
        assert_eq!(table.lines().last(), Some("1 passed, 1 failed"));
        assert!(table.contains("deny: out of time"), "{table}");
    }

    #[test]
    fn a_suite_that_finds_no_test_has_failed() {
        assert!(counted(Tests::default()).is_err());
        assert!(counted(Tests { passed: 1, ..Tests::default() }).is_ok());
    }

    #[test]
    fn an_unknown_flag_is_not_taken() {
        let unit = SUITES.iter().position(|suite| suite.name == "unit").expect("there is a suite `unit`");
        assert_eq!(Options::parse(&["--all", "--unit"]), Some(Options { all: true, only: 1 << unit }));
        assert_eq!(Options::parse(&["--fmt", "--pages"]).map(|options| options.only.count_ones()), Some(2));
        assert_eq!(Options::parse(&["--fast"]), None);
    }
}
