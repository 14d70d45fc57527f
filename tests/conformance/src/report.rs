//! The lines a run prints, and its totals.

use anyhow::Result;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::Write;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cases that were decided as the suite expects.
    pub passed: usize,
    /// Cases that were not, and files that could not be run.
    pub failed: usize,
}

impl Totals {
    /// Whether there was a case, and none failed.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

/// Writes the lines of a run.
pub struct Report<'a> {
    out: &'a mut dyn Write,
    totals: Totals,
    notes: BTreeSet<String>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, totals: Totals::default(), notes: BTreeSet::new() }
    }

    /// Counts a case and writes its line: ok when `got` is what the suite expects.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn case<T: PartialEq + Display>(&mut self, name: &str, expected: &T, got: &T) -> Result<()> {
        self.verdict(name, expected == got, expected, got)
    }

    /// Counts a case whose two sides are not compared as they print.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn verdict(
        &mut self,
        name: &str,
        holds: bool,
        expected: &dyn Display,
        got: &dyn Display,
    ) -> Result<()> {
        if holds {
            self.totals.passed += 1;
            writeln!(self.out, "ok {}", line(name))?;
        } else {
            self.totals.failed += 1;
            let (expected, got) = (expected.to_string(), got.to_string());
            writeln!(self.out, "FAIL {}: expected {}, got {}", line(name), line(&expected), line(&got))?;
        }
        Ok(())
    }

    /// Counts a file, or a part of one, that the suite does not know: it fails.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn unknown(&mut self, name: &str, why: &dyn Display) -> Result<()> {
        self.verdict(name, false, &"what this suite knows", why)
    }

    /// Names a case that is not run because it tests the inside of another library.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn exempt(&mut self, name: &str, reason: &str) -> Result<()> {
        Ok(writeln!(self.out, "exempt {}: {}", line(name), line(reason))?)
    }

    /// States a policy that decides cases the suite leaves open. Written once.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn policy(&mut self, text: &str) -> Result<()> {
        if self.notes.insert(text.to_owned()) {
            writeln!(self.out, "policy: {text}")?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Totals> {
        writeln!(self.out, "{} passed, {} failed", self.totals.passed, self.totals.failed)?;
        self.out.flush()?;
        Ok(self.totals)
    }
}

/// Text of a suite, made to stay on its line.
fn line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
