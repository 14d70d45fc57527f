//! What the battery found.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// One named check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Number in the catalogue; 0 for what must be accepted.
    pub item: u8,
    /// What was tried.
    pub name: &'static str,
    /// How many cases were tried.
    pub cases: usize,
    /// What went wrong, in words.
    pub failures: Vec<String>,
}

/// Every check of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The checks, in the order in which they ran.
    pub checks: Vec<Check>,
}

impl Report {
    /// The checks that found something.
    #[must_use]
    pub fn failed(&self) -> Vec<&Check> {
        self.checks.iter().filter(|check| !check.failures.is_empty()).collect()
    }

    /// The catalogue's numbers of the checks that found something.
    #[must_use]
    pub fn failed_items(&self) -> BTreeSet<u8> {
        self.failed().into_iter().map(|check| check.item).collect()
    }

    /// # Panics
    /// When a check found something, with all that was found.
    pub fn require_clean(&self) {
        assert!(self.failed().is_empty(), "the family does not pass its contract:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let verdict = if check.failures.is_empty() { "ok" } else { "FAIL" };
            writeln!(f, "{verdict:4} {:2} {} ({} cases)", check.item, check.name, check.cases)?;
            for failure in check.failures.iter().take(5) {
                writeln!(f, "        {failure}")?;
            }
            if let Some(more) = check.failures.len().checked_sub(6) {
                writeln!(f, "        and {} more", more + 1)?;
            }
        }
        Ok(())
    }
}
