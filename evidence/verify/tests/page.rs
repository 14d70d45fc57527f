//! The table of the report's sentences in `docs/byte-layout.md` is that of the source.
//!
//! `ZEUGMA_BLESS=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fmt::Write as _;
use std::path::Path;
use zeugma_evidence_verify::report::Word;

const START: &str = "<!-- generated: report words -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_sentences_of_the_page_are_those_of_the_source() {
    let mut table = String::from("| word | name | English | 中文 |\n|---|---|---|---|\n");
    for word in Word::ALL {
        writeln!(table, "| {} | {} | {} | {} |", *word as u16, word.name(), word.en(), word.zh()).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/byte-layout.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).expect("the page has the mark");
    let (found, after) = rest.split_once(END).expect("the page has the end of the mark");
    if std::env::var_os("ZEUGMA_BLESS").is_some() && found != table {
        std::fs::write(&path, format!("{before}{START}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(found, table, "docs/byte-layout.md is not that of the source: ZEUGMA_BLESS=1");
}
