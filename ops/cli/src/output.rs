//! What goes to stdout and to stderr: words or JSON, English or Chinese.
//!
//! Names come from files that others wrote, so characters that could steer a terminal or turn the
//! direction of the text are written as their escapes ([`plain`]).

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write as _;

/// The language of words that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Lang {
    /// The phrase in this language.
    pub(crate) fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

/// How every command speaks.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Style {
    /// Print one JSON object instead of words
    #[arg(long, global = true)]
    json: bool,
    /// Language of the words
    #[arg(long, global = true, value_enum, default_value = "en", value_name = "LANG")]
    lang: Lang,
}

/// What a command found, once for people and once for programs.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Words, ending in a line feed.
    pub(crate) text: String,
    /// The same for programs.
    pub(crate) json: Value,
}

/// Where a command's results go.
#[derive(Debug)]
pub(crate) struct Output {
    style: Style,
    reported: Cell<bool>,
}

impl Output {
    pub(crate) const fn new(style: Style) -> Self {
        Self { style, reported: Cell::new(false) }
    }

    /// The language asked for.
    pub(crate) const fn lang(&self) -> Lang {
        self.style.lang
    }

    /// Tells how far a long work is: on stdout for people, on stderr while a program reads stdout.
    pub(crate) fn progress(&self, line: &str) {
        let line = format!("{line}\n");
        if self.style.json {
            // Nothing can be told when stderr itself is gone.
            let _ = std::io::stderr().write_all(line.as_bytes());
        } else {
            print(&line);
        }
    }

    /// Prints what was found.
    pub(crate) fn report(&self, report: &Report) {
        self.reported.set(true);
        if self.style.json { print_json(&report.json) } else { print(&report.text) }
    }

    /// Prints why the command failed: always for people on stderr; with `--json` also as the one object
    /// on stdout, unless a report stands there already.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.style.json && !self.reported.get() {
            print_json(&failure.json());
        }
        // Nothing can be told when stderr itself is gone.
        let _ = std::io::stderr().write_all(failure.text(self.style.lang).as_bytes());
    }
}

fn print_json(value: &Value) {
    print(&(escaped(&format!("{value:#}")) + "\n"));
}

/// Writes to stdout. A reader that went away (`zeugma verify … | head`) is no failure.
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Text from outside, with what could steer a terminal written as escapes.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || turns_direction(character) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// JSON in which what could steer a terminal is written as JSON's own escapes: the same values.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && (character.is_control() || turns_direction(character)) {
            // Writing to a string cannot fail. All of these have four digits or fewer.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// Unicode's invisible marks of direction, and separators that end a line.
const fn turns_direction(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(plain("court \u{1b}[2J\u{202e}x"), "court \\u{1b}[2J\\u{202e}x");
        let json = serde_json::json!(["\u{9b}2J \u{202e}x \u{1b} \n"]);
        let text = escaped(&format!("{json:#}"));
        assert!(
            !text.contains(|one: char| one != '\n' && (one.is_control() || turns_direction(one))),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json);
        assert_eq!(plain("杭州互联网法院 Zürich"), "杭州互联网法院 Zürich");
    }
}
