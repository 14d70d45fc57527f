//! Cases that a pack ships with: facts, and what each rule must find on them.

use crate::engine::Engine;
use crate::error::Broken;
use crate::facts::Facts;
use crate::pack::Pack;
use crate::verdict::Finding;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A file of cases.
#[derive(Clone, Debug)]
pub struct Cases(pub Vec<Case>);

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it claims.
    pub name: String,
    /// The facts.
    pub facts: Facts,
    /// By rule: the outcome and the reason, as `met anchored`. Rules that are not listed are not judged.
    pub expect: BTreeMap<String, String>,
}

/// What a case gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// Each rule that found something else: rule, expected, found.
    pub differ: Vec<(String, String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<FileCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCase {
    name: String,
    #[serde(default)]
    facts: toml::Table,
    expect: BTreeMap<String, String>,
}

impl Cases {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// [`Broken`] with the place.
    pub fn from_toml(text: &str) -> Result<Self, Broken> {
        let file: File = toml::from_str(text)
            .map_err(|error| Broken::Text { what: "file of cases", why: error.to_string() })?;
        let cases = file.case.into_iter().map(|case| {
            let facts = Facts::from_toml(&case.facts)?;
            Ok(Case { name: case.name, facts, expect: case.expect })
        });
        Ok(Self(cases.collect::<Result<_, Broken>>()?))
    }

    /// Runs every case.
    ///
    /// # Errors
    /// [`Broken`] when the pack does not compile.
    pub fn run(&self, pack: &Pack) -> Result<Vec<CaseResult>, Broken> {
        let mut engine = Engine::new();
        let compiled = engine.compile(pack.clone())?;
        Ok(self
            .0
            .iter()
            .map(|case| {
                let verdict = engine.evaluate(&compiled, &case.facts);
                let found: BTreeMap<_, _> =
                    verdict.findings.iter().map(|finding| (finding.rule.as_str(), answer(finding))).collect();
                let differ = case.expect.iter().filter_map(|(rule, expected)| {
                    let found = found.get(rule.as_str()).map_or("no such rule", String::as_str);
                    (found != expected).then(|| (rule.clone(), expected.clone(), found.to_owned()))
                });
                CaseResult { name: case.name.clone(), differ: differ.collect() }
            })
            .collect())
    }

    /// Reasons of the pack that no case expects: rule and reason.
    #[must_use]
    pub fn unreached(&self, pack: &Pack) -> Vec<(String, String)> {
        let reached: BTreeSet<(&str, &str)> = self
            .0
            .iter()
            .flat_map(|case| &case.expect)
            .filter_map(|(rule, answer)| Some((rule.as_str(), answer.split_once(' ')?.1)))
            .collect();
        let all = pack.rules.iter().flat_map(|rule| rule.reasons.iter().map(move |reason| (rule, reason)));
        all.filter(|(rule, reason)| !reached.contains(&(rule.id.as_str(), reason.id.as_str())))
            .map(|(rule, reason)| (rule.id.clone(), reason.id.clone()))
            .collect()
    }
}

fn answer(finding: &Finding) -> String {
    format!("{} {}", finding.outcome.name(), finding.reason)
}
