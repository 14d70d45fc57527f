//! Gathering facts path by path, as whoever knows them tells them.
//!
//! What a submitter declares comes as text beside his record; the kind of a path (`docs/rules.md`) says how the text
//! is read, so that the same record gives the same facts for ever.

use crate::bounds;
use crate::error::{Broken, kind};
use crate::facts::{Facts, Value};
use crate::schema;
use std::collections::BTreeMap;

/// What the paths of declared facts begin with.
pub const DECLARED: &str = "declared.";

/// Facts on their way.
#[derive(Clone, Debug, Default)]
pub struct Gathered(BTreeMap<String, Value>);

impl Gathered {
    /// Puts a value under a path that packs may ask for.
    ///
    /// # Errors
    /// [`Broken::Rule`] for a path that is not known, a value of another kind, or a path that is there already.
    pub fn put(&mut self, path: &str, value: Value) -> Result<(), Broken> {
        let wanted = schema::kind(path)
            .ok_or_else(|| Broken::rule(path, "no pack may ask for this fact; docs/rules.md lists them"))?;
        let fits = matches!(
            (wanted, &value),
            ("text", Value::Text(_)) | ("number", Value::Number(_)) | ("flag", Value::Flag(_))
        );
        if !fits {
            return Err(Broken::rule(path, format!("{wanted} is asked; found {}", kind(&value))));
        }
        let twice = || Broken::rule(path, "the fact, or one above it, is given twice");
        let mut names: Vec<&str> = path.split('.').collect();
        let last = names.pop().unwrap_or_default();
        let mut map = &mut self.0;
        for name in names {
            let below = map.entry(name.to_owned()).or_insert_with(|| Value::Map(BTreeMap::new()));
            let Value::Map(next) = below else { return Err(twice()) };
            map = next;
        }
        if map.contains_key(last) {
            return Err(twice());
        }
        map.insert(last.to_owned(), value);
        Ok(())
    }

    /// Puts what somebody declared as text under its path: a flag is `true` or `false`, a number is written in decimals.
    ///
    /// # Errors
    /// As [`Gathered::put`]; [`Broken::Rule`] for a path that is not declared, and for text that is not of the path's kind.
    pub fn declare(&mut self, path: &str, text: &[u8]) -> Result<(), Broken> {
        if !path.starts_with(DECLARED) {
            return Err(Broken::rule(path, "only what is below `declared` can be declared"));
        }
        let text = std::str::from_utf8(text).map_err(|_| Broken::rule(path, "text in UTF-8 is asked"))?;
        let value = match schema::kind(path) {
            Some("flag") => text.parse().ok().map(Value::Flag),
            Some("number") => text.parse().ok().map(Value::Number),
            _ => Some(Value::Text(text.to_owned())),
        };
        let shown: String = text.chars().take(bounds::NAME).collect();
        let value = value.ok_or_else(|| {
            let wanted = schema::kind(path).unwrap_or("text");
            Broken::rule(path, format!("{wanted} is asked; found {shown:?}"))
        })?;
        self.put(path, value)
    }

    /// Whether there is a value under the path.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let mut value = None;
        let mut map = Some(&self.0);
        for name in path.split('.') {
            value = map.and_then(|map| map.get(name));
            map = match value {
                Some(Value::Map(map)) => Some(map),
                _ => None,
            };
        }
        value.is_some()
    }

    /// The facts.
    ///
    /// # Errors
    /// As [`Facts::new`].
    pub fn facts(self) -> Result<Facts, Broken> {
        Facts::new(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_as_the_page_says() {
        let mut gathered = Gathered::default();
        gathered.declare("declared.provenance.lawful", b"true").unwrap();
        gathered.declare("declared.platform.filed_until", b"1795000000000").unwrap();
        gathered.declare("declared.notary.deed", b"2026-17").unwrap();
        gathered.declare("declared.custom.court.room", b"3").unwrap();
        gathered.put("shown.witnesses", Value::Number(2)).unwrap();
        assert!(gathered.has("declared.custom.court") && !gathered.has("declared.custom.court.hall"));
        let facts = gathered.facts().unwrap();
        assert_eq!(facts.get("declared.provenance.lawful"), Some(&Value::Flag(true)));
        assert_eq!(facts.get("declared.platform.filed_until"), Some(&Value::Number(1_795_000_000_000)));
        assert_eq!(facts.get("declared.custom.court.room"), Some(&Value::Text("3".to_owned())));
    }

    #[test]
    fn what_is_not_known_not_of_its_kind_or_there_twice_is_refused_with_its_path() {
        let mut gathered = Gathered::default();
        gathered.declare("declared.custom.a", b"x").unwrap();
        for (path, text, part) in [
            ("declared.nothing", b"x".as_slice(), "docs/rules.md"),
            ("shown.witnesses", b"3", "only what is below"),
            ("declared.provenance.lawful", b"yes", "flag is asked; found \"yes\""),
            ("declared.provenance.captured_at", b"1.5", "number is asked"),
            ("declared.notary.deed", b"\xff", "UTF-8"),
            ("declared.custom.a", b"y", "twice"),
            ("declared.custom.a.b", b"y", "twice"),
            ("declared.provenance", b"y", "docs/rules.md"),
        ] {
            let error = gathered.declare(path, text).unwrap_err().to_string();
            assert!(error.starts_with(path) && error.contains(part), "{path}: {error}");
        }
        assert!(gathered.put("shown.witnesses", Value::Text("2".to_owned())).is_err());
    }
}
