//! `docs/law.md` says which test shows what the law asks: each test that it names stands in the room that it names.

use crate::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

const PAGE: &str = "docs/law.md";

/// # Errors
/// When the page names a test that is not in the room it names, or names none.
pub(crate) fn check() -> Result<()> {
    let page = fs::read_to_string(workspace::root().join(PAGE)).with_context(|| PAGE)?;
    let named = named(&page);
    ensure!(!named.is_empty(), "{PAGE} names no test");
    for (test, room) in named {
        let folder = workspace::root().join(room);
        ensure!(folder.is_dir(), "{PAGE} names the room {room}, which is not there");
        let found = holds(&folder, &format!("fn {test}("))?;
        ensure!(found, "{PAGE} names the test `{test}`, which is not in {room}");
    }
    println!("every test that {PAGE} names is there");
    Ok(())
}

/// Tests in the last cell of each row, with the room in brackets behind them.
fn named(page: &str) -> Vec<(&str, &str)> {
    let cells = page.lines().filter(|line| line.starts_with("| F-"));
    let cells = cells.filter_map(|line| line.trim_end().strip_suffix('|')?.rsplit('|').next());
    let mut found = Vec::new();
    for cell in cells {
        let mut waiting: Vec<&str> = Vec::new();
        let mut rest = cell;
        while let Some(at) = rest.find(['`', '(']) {
            let (end, is_room) = if rest.as_bytes()[at] == b'(' { (')', true) } else { ('`', false) };
            let Some(length) = rest[at + 1..].find(end) else { break };
            let text = &rest[at + 1..at + 1 + length];
            if is_room {
                found.extend(waiting.drain(..).map(|test| (test, text)));
            } else if text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            {
                waiting.push(text);
            }
            rest = &rest[at + 2 + length..];
        }
    }
    found
}

/// Whether a Rust source below a folder holds this.
fn holds(folder: &Path, text: &str) -> Result<bool> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let found = if path.is_dir() {
            holds(&path, text)?
        } else {
            path.extension().is_some_and(|end| end == "rs") && fs::read_to_string(&path)?.contains(text)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may")]

    use super::*;

    #[test]
    fn tests_are_read_with_their_rooms_and_one_that_is_not_there_is_found() {
        let page = "| feature | shown by |\n| F-ONE: a | b | `one`, `two` (a/b); `three` (c); `x/y.rs` |\n| other | `four` (d) |\n";
        assert_eq!(named(page), [("one", "a/b"), ("two", "a/b"), ("three", "c")]);
        let here = workspace::root().join("ops/xtask/src");
        assert!(
            holds(&here, "fn tests_are_read_with_their_rooms_and_one_that_is_not_there_is_found(").unwrap()
        );
        assert!(!holds(&here, &format!("fn {}(", "no_such_test")).unwrap());
        check().unwrap();
    }
}
