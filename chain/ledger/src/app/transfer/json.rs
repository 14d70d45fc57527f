//! Just enough JSON for packets of stock peers: an object's members as they stand in the text.
//!
//! Strict where it matters: RFC 8259 and nothing more, no member twice, nothing after the end. Depth is
//! bounded; no number is ever read as one.

use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Most values inside each other.
const MAX_DEPTH: usize = 16;
/// Most members of an object.
const MAX_MEMBERS: usize = 32;

/// The members of the object that `text` is, each with the text of its value.
///
/// # Errors
/// [`Code::BadText`] for what is no object in JSON, [`Code::TooMany`], [`Code::NotSorted`] for a member that
/// stands twice.
pub(super) fn object(text: &str) -> Result<Vec<(String, &str)>, Refusal> {
    let mut scan = Scan { text, at: 0 };
    let members = scan.object(0)?;
    scan.space();
    if scan.at != text.len() { Err(bad("nothing after the object")) } else { Ok(members) }
}

/// The string that `text` is.
///
/// # Errors
/// [`Code::BadText`].
pub(super) fn string(text: &str) -> Result<String, Refusal> {
    let mut scan = Scan { text, at: 0 };
    let read = scan.string()?;
    if scan.at != text.len() { Err(bad("a string")) } else { Ok(read) }
}

/// Writes a string, with the escapes it needs.
pub(super) fn put_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                let digit = |nibble: u32| char::from_digit(nibble, 16).expect("a nibble is a hex digit");
                out.push_str("\\u00");
                out.push(digit(u32::from(control) >> 4));
                out.push(digit(u32::from(control) & 0xf));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn bad(needed: &'static str) -> Refusal {
    Refusal::new(Code::BadText).needed(needed)
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, byte: u8, needed: &'static str) -> Result<(), Refusal> {
        if self.take(byte) { Ok(()) } else { Err(bad(needed)) }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<(String, &'t str)>, Refusal> {
        self.space();
        self.need(b'{', "an object")?;
        let mut members: Vec<(String, &'t str)> = Vec::new();
        self.space();
        if self.take(b'}') {
            return Ok(members);
        }
        loop {
            if members.len() == MAX_MEMBERS {
                return Err(Refusal::new(Code::TooMany).needed(MAX_MEMBERS));
            }
            self.space();
            let name = self.string()?;
            if members.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::new(Code::NotSorted).needed("each member once").found(name));
            }
            self.space();
            self.need(b':', "a colon after the name")?;
            self.space();
            let begin = self.at;
            self.value(depth)?;
            members.push((name, &self.text[begin..self.at]));
            self.space();
            if self.take(b'}') {
                return Ok(members);
            }
            self.need(b',', "a comma or the end of the object")?;
        }
    }

    /// Passes over one value of any kind.
    fn value(&mut self, depth: usize) -> Result<(), Refusal> {
        if depth == MAX_DEPTH {
            return Err(Refusal::new(Code::TooMany).needed(MAX_DEPTH));
        }
        match self.peek() {
            Some(b'{') => self.object(depth + 1).map(drop),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Refusal> {
        self.need(b'[', "an array")?;
        self.space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.space();
            self.value(depth)?;
            self.space();
            if self.take(b']') {
                return Ok(());
            }
            self.need(b',', "a comma or the end of the array")?;
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), Refusal> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(bad("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Refusal> {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == begin { Err(bad("a value")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), Refusal> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Refusal> {
        self.need(b'"', "a string")?;
        let mut read = String::new();
        loop {
            let rest = &self.text[self.at..];
            let character = rest.chars().next().ok_or_else(|| bad("the end of a string"))?;
            self.at += character.len_utf8();
            match character {
                '"' => return Ok(read),
                '\\' => read.push(self.escape()?),
                control if u32::from(control) < 0x20 => return Err(bad("no control character in a string")),
                other => read.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        let byte = self.peek().ok_or_else(|| bad("an escape"))?;
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(bad("an escape")),
        })
    }

    fn unicode(&mut self) -> Result<char, Refusal> {
        let lone = || bad("a character, not half of one");
        let first = self.unit()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or_else(lone);
        }
        if first >= 0xdc00 || !self.take(b'\\') || !self.take(b'u') {
            return Err(lone());
        }
        match self.unit()? {
            second @ 0xdc00..0xe000 => {
                char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(lone)
            }
            _ => Err(lone()),
        }
    }

    fn unit(&mut self) -> Result<u32, Refusal> {
        let mut unit = 0;
        for _ in 0..4 {
            let byte = self.peek().ok_or_else(|| bad("four hex digits"))?;
            unit = unit << 4 | char::from(byte).to_digit(16).ok_or_else(|| bad("four hex digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_are_found_with_the_text_of_their_values() {
        let members =
            object(" {\"a\" : \"x\\u00e9\\ud83d\\ude00\\/\" ,\"b\":{\"c\":[1,-0.5e+3,true,null]} } ")
                .unwrap();
        assert_eq!(members[0].0, "a");
        assert_eq!(string(members[0].1).unwrap(), "x\u{e9}\u{1f600}/");
        assert_eq!(members[1], ("b".into(), "{\"c\":[1,-0.5e+3,true,null]}"));
        assert_eq!(object("{}").unwrap(), []);
    }

    #[test]
    fn what_is_no_object_of_json_is_refused() {
        for text in [
            "",
            "[]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":1e}",
            "{\"a\":nul}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\udc00\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\\",
            "{\"a\":\"",
            "{} {}",
            "{\"a\":\"\\ud800\\u0041\"}",
            "\u{feff}{}",
        ] {
            assert_eq!(object(text).unwrap_err().code, Code::BadText, "{text}");
        }
        assert_eq!(object("{\"a\":1,\"\\u0061\":2}").unwrap_err().code, Code::NotSorted);
        let deep = alloc::format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(object(&deep).unwrap_err().code, Code::TooMany);
    }

    proptest! {
        #[test]
        fn a_string_that_is_written_is_read_again(text in ".{0,40}", more in any::<String>()) {
            for text in [text, more] {
                let mut out = String::new();
                put_string(&mut out, &text);
                prop_assert_eq!(string(&out), Ok(text));
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[{}\\[\\]\":,\\\\u0-9a-f\u{e9} ]{0,60}") {
            let _ = object(&text);
            let _ = string(&text);
        }
    }
}
