//! The page of figures: each command owns one section, between two marks.

use crate::workspace;
use anyhow::{Context, Result};
use std::fs;

const PAGE: &str = "docs/benchmarks.md";
const HEAD: &str = "\
# Benchmarks

Each section is written by the command that it names, on the machine that it names. Figures move from run to run and
from machine to machine; ratios to a peer of the same run move less. `cargo xtask bench` explains itself in
`ops/xtask/src/bench`.
";

/// What one command found, as it is printed and written.
pub(super) struct Section {
    name: &'static str,
    text: String,
}

impl Section {
    pub(super) fn new(name: &'static str, title: &str, command: &str) -> Self {
        let text = format!("## {title}\n\n`{command}`\n\nOn {}.\n\n", machine());
        Self { name, text }
    }

    /// One paragraph, or what belongs to one.
    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str("\n\n");
    }

    /// One row of a table.
    pub(super) fn row(&mut self, cells: &[&str]) {
        self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }

    /// One row that judges.
    pub(super) fn verdict(&mut self, what: &str, measured: &str, target: &str, holds: bool) {
        self.row(&[what, measured, target, if holds { "met" } else { "**missed**" }]);
    }

    /// What a program printed.
    pub(super) fn verbatim(&mut self, text: &str) {
        self.text.push_str(&format!("```text\n{}\n```\n", text.trim_end()));
    }

    /// Prints it, and puts it in the place of the section of the same name, or at the end.
    pub(super) fn write(self) -> Result<()> {
        println!("{}", self.text);
        let path = workspace::root().join(PAGE);
        let page = match fs::read_to_string(&path) {
            Ok(page) => page,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => HEAD.to_owned(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {PAGE}")),
        };
        fs::write(&path, put(&page, self.name, &self.text)).with_context(|| format!("cannot write {PAGE}"))
    }
}

fn put(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->\n"));
    let section = format!("{begin}{}\n{end}", text.trim_end());
    let Some((before, rest)) = page.split_once(&begin) else {
        return format!("{}\n\n{section}", page.trim_end());
    };
    let after = rest.split_once(&end).map_or("", |(_, after)| after);
    format!("{before}{section}{after}")
}

/// The processor and how many of it there are, as the kernel tells.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, model)| model.trim());
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{count} cores of {model}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_own_and_no_other() {
        let one = put(HEAD, "one", "first");
        let both = put(&one, "two", "second");
        let again = put(&both, "one", "third");
        assert!(again.starts_with(HEAD.trim_end()) && again.contains("second") && again.contains("third"));
        assert!(!again.contains("first"));
        assert_eq!(put(&again, "two", "second"), again);
    }
}
