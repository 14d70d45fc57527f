//! A writer of JSON views: members in the order in which they are written, numbers above 2^53 as text.
//!
//! A view is for people and programs that do not read the canonical bytes; nothing is judged by it.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;
use zeugma_types::BlockTime;

/// Largest number that every reader of JSON keeps exactly.
const EXACT: u64 = 1 << 53;

/// A JSON text being written.
#[derive(Debug, Default)]
pub(crate) struct Json {
    out: String,
}

impl Json {
    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn comma(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(['{', '[', ':']) {
            self.out.push(',');
        }
    }

    pub(crate) fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.comma();
        self.out.push('{');
        members(self);
        self.out.push('}');
    }

    fn name(&mut self, name: &str) {
        self.comma();
        let _ = write!(self.out, "\"{name}\":");
    }

    pub(crate) fn member(&mut self, name: &str, members: impl FnOnce(&mut Self)) {
        self.name(name);
        self.object(members);
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.string(value);
    }

    fn string(&mut self, value: &str) {
        self.out.push('"');
        for letter in value.chars() {
            match letter {
                '"' | '\\' => {
                    self.out.push('\\');
                    self.out.push(letter);
                }
                '\n' => self.out.push_str("\\n"),
                control if control.is_control() => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(control));
                }
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        // Whatever is written to a string is taken.
        let _ = if value <= EXACT { write!(self.out, "{value}") } else { write!(self.out, "\"{value}\"") };
    }

    pub(crate) fn null(&mut self, name: &str) {
        self.name(name);
        self.out.push_str("null");
    }

    pub(crate) fn hex(&mut self, name: &str, bytes: &[u8]) {
        self.text(name, &hex(bytes));
    }

    pub(crate) fn time(&mut self, name: &str, at: BlockTime) {
        self.text(name, &utc(at));
    }

    pub(crate) fn list<T>(&mut self, name: &str, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.name(name);
        self.out.push('[');
        for each in items {
            item(self, each);
        }
        self.out.push(']');
    }

    /// An item of a list that is text.
    pub(crate) fn item(&mut self, value: &str) {
        self.comma();
        self.string(value);
    }
}

/// Hexadecimal, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The instant in UTC, with milliseconds.
pub(crate) fn utc(at: BlockTime) -> String {
    let (seconds, millis) = (at.get() / 1_000, at.get() % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days of the civil calendar, counted in years that begin in March, from the year 0.
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_utc() {
        for (at, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_868_799_000, "2000-02-29T23:59:59.000Z"),
            (1_728_402_032_500, "2024-10-08T15:40:32.500Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(utc(BlockTime::new(at)), text);
        }
    }

    #[test]
    fn text_cannot_leave_its_quotes_and_large_numbers_are_text() {
        let mut json = Json::default();
        json.object(|json| {
            json.text("a", "x\"\\\n\u{1}\u{85}ä");
            json.number("b", u64::MAX);
            json.list("c", &[1_u64, 2], |json, number| json.object(|json| json.number("n", *number)));
            json.list("d", &["p", "q"], |json, text| json.item(text));
        });
        let expected = "{\"a\":\"x\\\"\\\\\\n\\u0001\\u0085ä\",\"b\":\"18446744073709551615\",\
                        \"c\":[{\"n\":1},{\"n\":2}],\"d\":[\"p\",\"q\"]}";
        assert_eq!(json.finish(), expected);
    }
}
