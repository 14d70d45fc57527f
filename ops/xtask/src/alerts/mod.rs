//! The dashboard and the alert rules, held against the code and run by a real Prometheus.
//!
//! 1. Every metric that a rule, a panel or a test series names is registered in the code, or stands in the
//!    list of those that are awaited ([`names`]).
//! 2. Every alert has a severity, a summary and a page that says what to do; no page is left over.
//! 3. `promtool` accepts the rules and the example configuration, and every alert fires on its series and is
//!    silent on the others. To show that this can fail, each alert is broken in two ways, one that never
//!    fires and one that always does, and the tests must find both.
//! 4. A live Prometheus scrapes a small exporter: every panel shows something, no alert is raised by healthy
//!    series, and those of a sick network raise theirs ([`live`]).

mod live;
mod names;
mod panels;
pub(crate) mod record;
mod rules;

use crate::child::{Child, Tests};
use crate::{tools, workspace};
use anyhow::{Context, Result, bail, ensure};
use rules::Rules;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const RULES: &str = "ops/deploy/prometheus/zeugma.rules.yml";
const CONFIG: &str = "ops/deploy/prometheus/prometheus.yml";
const DASHBOARDS: [&str; 2] =
    ["ops/deploy/grafana/zeugma-chain.json", "ops/deploy/grafana/zeugma-evidence.json"];
const PAGES: &str = "docs/alerts";
const TESTS: &str = "tests/alerts";

/// What every page answers.
const HEADINGS: [&str; 4] = ["## Meaning", "## How to look", "## What to do", "## When to escalate"];

/// Finds Prometheus.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn prepare() -> Result<()> {
    tools::prometheus().map(|_| ())
}

/// Runs all of it.
///
/// # Errors
/// With the first finding.
pub(crate) fn run() -> Result<Tests> {
    let prometheus = tools::prometheus()?;
    let rules = Rules::parse(&read(RULES)?)?;
    let mut panels = Vec::new();
    for dashboard in DASHBOARDS {
        panels.extend(panels::parse(&read(dashboard)?).context(dashboard)?);
    }
    println!("{}", names::check(&[&[RULES][..], &DASHBOARDS].concat())?);
    pages(&rules)?;

    let promtool = || Child::new(&prometheus.promtool).minutes(5);
    promtool().args(["check", "config", CONFIG]).run()?;
    promtool().args(["check", "rules", RULES]).run()?;
    let files = test_files()?;
    promtool().args(["test", "rules"]).args(&files).run()?;
    let planted = planted(&prometheus.promtool, &rules, &files)?;
    println!("{planted} broken rules were planted, and found");
    live::run(&prometheus.server, &rules, &panels)?;
    let passed = planted + rules.alerts.len() + panels.len();
    Ok(Tests { passed: u64::try_from(passed)?, ..Tests::default() })
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(workspace::root().join(path)).with_context(|| format!("cannot read {path}"))
}

fn test_files() -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(workspace::root().join(TESTS)).context(TESTS)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "yml") {
            files.push(format!("{TESTS}/{name}"));
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{TESTS} holds no test of rules");
    Ok(files)
}

/// Every alert has its page, every page answers the four questions and belongs to an alert.
fn pages(rules: &Rules) -> Result<()> {
    let mut wanted = BTreeSet::new();
    for alert in &rules.alerts {
        let page = read(&alert.runbook).with_context(|| alert.name.clone())?;
        ensure!(page.contains(&alert.name), "{} does not name the alert {}", alert.runbook, alert.name);
        for heading in HEADINGS {
            let found = page.lines().filter(|line| *line == heading).count();
            ensure!(found == 1, "{}: `{heading}` stands there {found} times", alert.runbook);
        }
        wanted.insert(alert.runbook.clone());
    }
    for entry in fs::read_dir(workspace::root().join(PAGES)).context(PAGES)? {
        let page = format!("{PAGES}/{}", entry?.file_name().to_string_lossy());
        ensure!(page.ends_with("/README.md") || wanted.contains(&page), "{page}: no alert leads to it");
    }
    Ok(())
}

/// Breaks each alert in two ways and runs the test file that speaks of it; returns how many were broken.
fn planted(promtool: &Path, rules: &Rules, files: &[String]) -> Result<usize> {
    let home = workspace::target()?.join("alerts/planted");
    // The tests name the rules by their relative path, so the copy has the folders of the clone.
    let copy = home.join(RULES);
    for folder in [copy.parent().context("the rules stand in a folder")?, &home.join(TESTS)] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut planted = 0;
    for alert in &rules.alerts {
        let Some(file) = first_with(files, &format!("alertname: {}", alert.name))? else {
            bail!("no file in {TESTS} tests the alert {}", alert.name);
        };
        fs::write(home.join(&file), read(&file)?)?;
        for (broken, how) in [("vector(0) > 1", "never fires"), ("vector(1)", "always fires")] {
            fs::write(&copy, rules.with_expression(alert, broken))?;
            let test = Child::new(promtool).args(["test", "rules"]).args([home.join(&file)]).minutes(5);
            // A broken rule shows as a failed test, not as a tool that could not run.
            match test.text() {
                Ok(_) => bail!("{file} passes although {} {how}", alert.name),
                Err(error) => {
                    let said = error.to_string();
                    ensure!(said.contains("FAILED") && said.contains(&alert.name), "{}: {said}", alert.name);
                }
            }
            planted += 1;
        }
    }
    Ok(planted)
}

fn first_with(files: &[String], text: &str) -> Result<Option<String>> {
    for file in files {
        let found = read(file)?;
        let mut rest = found.as_str();
        while let Some((_, after)) = rest.split_once(text) {
            // `ClientExpired` is no mention of `ClientExpiresHalf`'s name, nor the other way round.
            if !after.starts_with(|next: char| next.is_ascii_alphanumeric()) {
                return Ok(Some(file.clone()));
            }
            rest = after;
        }
    }
    Ok(None)
}
