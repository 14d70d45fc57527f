//! The test programs of the workspace: built once, with one set of features, and run suite by suite.
//!
//! `cargo test --package` chooses features package by package, so that a gate which calls it for each suite
//! builds the same crates several times. Here cargo builds them together and says what it made; a suite then
//! runs the programs of its own packages, each in the folder of its package, as cargo would.
//!
//! `zeugma-sim` is not among them: its planted bugs are features of the rooms below, and what the other suites
//! test must not hold them.

use crate::child::{Child, Tests};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The package that is built apart, and why: see the head of this file.
pub(crate) const APART: &str = "zeugma-sim";

/// What one call of cargo made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Built {
    tests: Vec<Program>,
    binaries: Vec<Program>,
}

/// A program of a package.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    /// The folder of its package.
    folder: PathBuf,
    /// What cargo calls it: the name of the library, the binary or the file of tests.
    name: String,
    executable: PathBuf,
}

/// Where every property test of the gate begins, so that one tree has one verdict. The long run leaves it out,
/// and with it each run looks elsewhere; a case that it finds becomes a test of its own.
const PROPERTY_SEED: (&str, &str) = ("PROPTEST_RNG_SEED", "6962");

static BUILT: OnceLock<Built> = OnceLock::new();

/// Builds the tests of every package but [`APART`], once in the life of this process.
///
/// # Errors
/// When something does not build.
pub(crate) fn all() -> Result<&'static Built> {
    if let Some(built) = BUILT.get() {
        return Ok(built);
    }
    let mut built = Built::default();
    // Not `test --no-run`: that builds a program only beside a file of tests.
    let build = ["build", "--workspace", "--exclude", APART, "--lib", "--bins", "--tests"];
    let build = Child::cargo(build).args(["--message-format", "json-render-diagnostics"]);
    let mut unread = None;
    build.minutes(60).each_line(|line| {
        if let Err(error) = built.add(line) {
            unread.get_or_insert(error);
        }
    })?;
    if let Some(error) = unread {
        return Err(error);
    }
    ensure!(!built.tests.is_empty(), "cargo built no tests");
    Ok(BUILT.get_or_init(|| built))
}

impl Built {
    fn add(&mut self, line: &str) -> Result<()> {
        let message: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
        let (Some("compiler-artifact"), Some(executable)) =
            (message["reason"].as_str(), message["executable"].as_str())
        else {
            return Ok(());
        };
        let manifest = message["manifest_path"].as_str().context("an artifact without its manifest")?;
        let program = Program {
            folder: Path::new(manifest).parent().context("a manifest without a folder")?.to_path_buf(),
            name: message["target"]["name"].as_str().context("an artifact without a name")?.to_owned(),
            executable: executable.into(),
        };
        if message["profile"]["test"] == true { &mut self.tests } else { &mut self.binaries }.push(program);
        Ok(())
    }

    /// Runs the tests of the packages whose folder below the root `chosen` takes; a failed program does not keep
    /// the others from running.
    ///
    /// # Errors
    /// When a program fails or runs out of time, with the names of all that did.
    pub(crate) fn run(&self, chosen: impl Fn(&Path) -> bool, long: bool) -> Result<Tests> {
        let root = crate::workspace::root();
        let minutes = if long { 240 } else { 60 };
        let mut sum = Tests::default();
        let mut failed = Vec::new();
        for program in
            self.tests.iter().filter(|program| program.folder.strip_prefix(&root).is_ok_and(&chosen))
        {
            let child = Child::new(&program.executable).folder(&program.folder);
            let child = child.args(long.then_some("--include-ignored")).minutes(minutes);
            let child = if long { child } else { child.env(PROPERTY_SEED.0, PROPERTY_SEED.1) };
            match child.tests() {
                Ok(tests) => sum.add(tests),
                Err(error) => {
                    failed.push(format!("{} of {}: {error:#}", program.name, program.folder.display()))
                }
            }
        }
        if failed.is_empty() { Ok(sum) } else { bail!("{}", failed.join("\n")) }
    }

    /// The program `name` that was built beside the tests.
    ///
    /// # Errors
    /// When no package has it.
    pub(crate) fn binary(&self, name: &str) -> Result<&Path> {
        let found = self.binaries.iter().find(|program| program.name == name);
        Ok(&found.with_context(|| format!("cargo built no program `{name}`"))?.executable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = r#"{"reason":"compiler-artifact","manifest_path":"/a/types/Cargo.toml",
        "target":{"name":"zeugma_types"},"profile":{"test":true},"executable":"/t/types-1"}"#;
    const BINARY: &str = r#"{"reason":"compiler-artifact","manifest_path":"/a/cli/Cargo.toml",
        "target":{"name":"zeugma"},"profile":{"test":false},"executable":"/t/zeugma"}"#;
    const LIBRARY: &str = r#"{"reason":"compiler-artifact","manifest_path":"/a/types/Cargo.toml",
        "target":{"name":"zeugma_types"},"profile":{"test":false},"executable":null}"#;

    #[test]
    fn tests_and_programs_are_told_apart_and_libraries_are_neither() {
        let mut built = Built::default();
        for line in [TEST, BINARY, LIBRARY, r#"{"reason":"build-finished","success":true}"#] {
            built.add(line).unwrap();
        }
        assert_eq!(built.tests.len(), 1);
        assert_eq!(built.tests[0].folder, Path::new("/a/types"));
        assert_eq!(built.binary("zeugma").unwrap(), Path::new("/t/zeugma"));
        assert!(built.binary("zeugma_types").is_err());
    }

    #[test]
    fn a_line_that_is_not_a_message_of_cargo_is_an_error() {
        assert!(Built::default().add("warning: unused").is_err());
    }

    #[test]
    fn a_program_that_fails_is_named_and_the_others_are_run() {
        let folder = crate::workspace::root().join("types");
        let program = |name: &str, executable: &str| Program {
            folder: folder.clone(),
            name: name.to_owned(),
            executable: executable.into(),
        };
        let built = Built {
            tests: vec![program("first", "false"), program("second", "true"), program("third", "false")],
            binaries: Vec::new(),
        };
        let error = built.run(|room| room == Path::new("types"), false).unwrap_err().to_string();
        assert!(
            error.contains("first of") && error.contains("third of") && !error.contains("second"),
            "{error}"
        );
        assert_eq!(built.run(|room| room == Path::new("crypto"), false).unwrap(), Tests::default());
    }
}
