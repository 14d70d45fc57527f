//! The parts of the documents that are made from the source: the table of refusal codes, for people
//! and for the verifiers in other languages (Solidity's constants among them), and the domains of the signing purposes.
//!
//! A page keeps its generated parts between two marker comments; all else in it is written by hand and
//! left alone.

use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use std::fmt::Write as _;
use std::fs;
use zeugma_types::{Code, Permanence, Purpose};

const BYTE_LAYOUT: &str = "docs/byte-layout.md";
const REFUSALS: &str = "docs/refusals.json";
const SOLIDITY: &str = "proof/contracts/src/verify/Code.sol";

/// Pages written by hand that lead through the code: each function they link stands in the file they link.
const WALKS: [&str; 1] = ["docs/life-of-a-packet.md"];

const END: &str = "<!-- end -->";

/// Writes the generated pages.
pub(crate) fn write() -> Result<()> {
    for (path, text) in pages()? {
        let file = workspace::root().join(path);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("wrote {path}");
    }
    Ok(())
}

/// # Errors
/// When a generated page would change, or a page links a function that is not where it says.
pub(crate) fn check() -> Result<()> {
    let mut stale = String::new();
    for page in WALKS {
        let text = fs::read_to_string(workspace::root().join(page)).with_context(|| page)?;
        let links = links(&text);
        ensure!(!links.is_empty(), "{page} links no function");
        for (function, file) in links {
            let path = workspace::root().join("docs").join(file);
            let source = fs::read_to_string(&path).with_context(|| format!("{page} links {file}"))?;
            ensure!(has_function(&source, function), "{page} links `{function}`, which is not in {file}");
        }
    }
    crate::law::check()?;
    for (path, text) in pages()? {
        let found = fs::read_to_string(workspace::root().join(path)).unwrap_or_default();
        if let Some(line) = first_difference(&found, &text) {
            write!(stale, "\n  {path}, line {line}")?;
        }
    }
    ensure!(stale.is_empty(), "generated pages are not those of the source; run `cargo xtask docs`:{stale}");
    println!("generated pages are those of the source");
    Ok(())
}

/// Each generated page with its whole text.
fn pages() -> Result<Vec<(&'static str, String)>> {
    let file = workspace::root().join(BYTE_LAYOUT);
    let mut byte_layout = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => new_byte_layout(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    for (part, table) in [("refusal codes", refusal_table()), ("purposes", purpose_table())] {
        byte_layout = replace(&byte_layout, part, &table).with_context(|| BYTE_LAYOUT)?;
    }
    Ok(vec![(BYTE_LAYOUT, byte_layout), (REFUSALS, refusals_json()), (SOLIDITY, refusals_solidity())])
}

/// The functions that a page links, as `` [`function`](file.rs) ``, each with its file.
fn links(page: &str) -> Vec<(&str, &str)> {
    let parts = page.split("[`").skip(1);
    let link = |part: &'_ str| -> Option<(usize, usize, usize)> {
        let name = part.find("`](")?;
        let file = name + "`](".len();
        Some((name, file, file + part[file..].find(')')?))
    };
    parts.filter_map(|part| link(part).map(|(name, file, end)| (&part[..name], &part[file..end]))).collect()
}

fn has_function(source: &str, name: &str) -> bool {
    let begins = format!("fn {name}");
    source
        .match_indices(&begins)
        .any(|(at, _)| matches!(source[at + begins.len()..].chars().next(), Some('(' | '<')))
}

fn begin(part: &str) -> String {
    format!("<!-- generated: {part} -->")
}

fn new_byte_layout() -> String {
    let (purposes, codes) = (begin("purposes"), begin("refusal codes"));
    format!(
        "# Byte layout\n\n## Purposes and their domains\n\n{purposes}\n{END}\n\n## Refusal codes\n\n{codes}\n{END}\n"
    )
}

/// Puts `text` between the markers of `part`, which must stand in the page exactly once.
fn replace(page: &str, part: &str, text: &str) -> Result<String> {
    let begin = begin(part);
    let Some((before, rest)) = page.split_once(&begin) else {
        bail!("the page has no marker `{begin}`");
    };
    ensure!(!rest.contains(&begin), "the page has the marker `{begin}` twice");
    let Some((old, after)) = rest.split_once(END) else {
        bail!("the marker `{begin}` is not followed by `{END}`");
    };
    ensure!(!old.contains("<!-- generated:"), "the marker `{begin}` is not followed by its own `{END}`");
    Ok(format!("{before}{begin}\n{text}{END}{after}"))
}

fn permanence(code: Code) -> &'static str {
    match code.permanence() {
        Permanence::Never => "never",
        Permanence::NotYet => "not yet",
    }
}

fn refusal_table() -> String {
    let mut table = String::from("| code | name | permanence | English | 中文 |\n|---|---|---|---|---|\n");
    for code in Code::ALL {
        let (number, name) = (code.number(), code.name());
        writeln!(table, "| {number} | {name} | {} | {} | {} |", permanence(*code), code.en(), code.zh())
            .expect("a string takes all that is written");
    }
    table
}

fn purpose_table() -> String {
    let mut table = String::from("| purpose | domain | frame |\n|---|---|---|\n");
    for purpose in Purpose::ALL {
        let frame: String = purpose.frame().iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(table, "| {purpose:?} | `{}` | `{frame}` |", purpose.domain())
            .expect("a string takes all that is written");
    }
    table
}

/// One line for each code: a change of one shows as one line in a diff.
fn refusals_json() -> String {
    let lines: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            format!(
                r#"  {{"number": {}, "name": {}, "permanence": {}, "en": {}, "zh": {}}}"#,
                code.number(),
                quoted(code.name()),
                quoted(permanence(*code)),
                quoted(code.en()),
                quoted(code.zh()),
            )
        })
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// The same table for the contracts.
fn refusals_solidity() -> String {
    let mut text = String::from(
        "// SPDX-License-Identifier: MIT OR Apache-2.0\n// Made by `cargo xtask docs`; not edited by hand.\n\
         pragma solidity ^0.8.30;\n\n/// The refusal codes: one table for every verifier.\nlibrary Code {\n",
    );
    for code in Code::ALL {
        let (number, name) = (code.number(), code.name());
        writeln!(
            text,
            "    /// {} ({})\n    uint16 internal constant {name} = {number};",
            code.en(),
            permanence(*code)
        )
        .expect("a string takes all that is written");
    }
    text.push_str("}\n");
    text
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The number of the first line in which the two differ.
fn first_difference(a: &str, b: &str) -> Option<usize> {
    if a == b {
        return None;
    }
    let same = a.split('\n').zip(b.split('\n')).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = "top\n<!-- generated: purposes -->\nold\n<!-- end -->\nmiddle\n<!-- generated: refusal codes -->\n<!-- end -->\nend\n";
        let replaced = replace(page, "purposes", "new\n").unwrap();
        assert_eq!(replaced, page.replace("old", "new"));
        assert_eq!(replace(&replaced, "purposes", "new\n").unwrap(), replaced);
    }

    #[test]
    fn a_linked_function_must_stand_in_its_file_under_its_whole_name() {
        let page =
            "see [`send`](../a/send.rs), not [README](../README.md) nor `code`, then [`on_recv`](b.rs).";
        assert_eq!(links(page), [("send", "../a/send.rs"), ("on_recv", "b.rs")]);
        for source in ["fn send(", "pub(crate) fn send<T>(", "async fn send("] {
            assert!(has_function(source, "send"), "{source}");
        }
        for source in ["fn send_packet(", "send(", "// fn sends", ""] {
            assert!(!has_function(source, "send"), "{source}");
        }
    }

    #[test]
    fn a_page_without_its_markers_is_an_error() {
        for page in [
            "no marker",
            "<!-- generated: purposes -->\nno end",
            "<!-- generated: purposes -->\n<!-- generated: refusal codes -->\n<!-- end -->",
            "<!-- generated: purposes --><!-- end --><!-- generated: purposes --><!-- end -->",
        ] {
            assert!(replace(page, "purposes", "").is_err(), "{page}");
        }
    }

    #[test]
    fn every_code_has_a_row_and_the_json_says_the_same() {
        let json: serde_json::Value = serde_json::from_str(&refusals_json()).unwrap();
        let json = json.as_array().unwrap();
        assert_eq!(json.len(), Code::ALL.len());
        let table = refusal_table();
        for (code, entry) in Code::ALL.iter().zip(json) {
            assert_eq!(entry["number"], code.number());
            assert_eq!(entry["zh"], code.zh());
            let row = format!("| {} | {} | ", code.number(), code.name());
            assert_eq!(table.matches(&row).count(), 1);
        }
    }

    #[test]
    fn a_table_has_no_cell_that_breaks_it() {
        for code in Code::ALL {
            assert!(!code.en().contains(['|', '\n']) && !code.zh().contains(['|', '\n']), "{code:?}");
        }
    }

    #[test]
    fn the_first_difference_is_found_by_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("", "a\n"), Some(1));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
    }
}
