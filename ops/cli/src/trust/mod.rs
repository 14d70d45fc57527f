//! A trust file as it comes from outside: canonical bytes, or `trust.json` around them.
//!
//! The canonical bytes are the truth. The readable part of `trust.json` is made anew from them and
//! compared, white space apart, character by character: a file whose view says something else, says it
//! twice or in another order is refused, because a person may have read only the view.

pub(crate) mod view;

use crate::failure::{Failure, Rule};
use crate::files;
use crate::output::escaped;
use serde_json::Value;
use std::path::Path;
use view::Document;
use zeugma_proof::{MAX_TRUST_FILE, TrustFile};
use zeugma_types::{Decode, Encode};

/// Longest JSON form, in bytes: the canonical bytes in hexadecimal take two for one, and each field
/// of the view, as deep as it is indented, less than five.
const MAX_JSON: usize = 8 * MAX_TRUST_FILE;

/// Reads the trust file at `path`, in either form.
pub(crate) fn read(path: &Path) -> Result<TrustFile, Failure> {
    let bytes = files::read(path, MAX_JSON)?;
    let subject = path.display();
    let starts_as_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if !starts_as_json {
        return TrustFile::from_bytes(&bytes).map_err(|refusal| Failure::refused(subject, refusal));
    }
    let refuse = |what: &str| {
        Failure::own(Rule::NotTrustJson, path.display(), what, "get the file again from where it came from")
    };
    if bytes.len() > MAX_JSON {
        return Err(refuse("it is too long"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|why| refuse(&why.to_string()))?;
    let given: Value = serde_json::from_str(text).map_err(|why| refuse(&why.to_string()))?;
    let digits = given["canonical"].as_str().ok_or_else(|| refuse("it has no field `canonical`"))?;
    let canonical = hex::decode(digits).map_err(|why| refuse(&format!("canonical: {why}")))?;
    let file = TrustFile::from_bytes(&canonical).map_err(|refusal| Failure::refused(subject, refusal))?;
    match difference(text, &given, &file) {
        None => Ok(file),
        Some(what) => Err(Failure::own(
            Rule::ViewDiffers,
            path.display(),
            what,
            "do not rely on what the file shows; get it again, or compare the words with the paper: zeugma trust show",
        )),
    }
}

/// The JSON form of a trust file, ending in a line feed.
pub(crate) fn to_json(file: &TrustFile) -> String {
    let text = serde_json::to_string_pretty(&Document::of(file)).expect("a view has only text and numbers");
    escaped(&text) + "\n"
}

/// The file's canonical bytes.
pub(crate) fn to_bytes(file: &TrustFile) -> Vec<u8> {
    file.to_bytes()
}

/// Where the text differs from what is written for `file`.
fn difference(text: &str, given: &Value, file: &TrustFile) -> Option<String> {
    let document = Document::of(file);
    let expected = escaped(&serde_json::to_string(&document).expect("a view has only text and numbers"));
    if without_space(text) == expected {
        return None;
    }
    let expected: Value = serde_json::from_str(&expected).expect("what was just written");
    let what = first_difference(&expected, given, &mut String::new());
    Some(what.unwrap_or_else(|| {
        "the same fields stand there twice, in another order or in other characters".to_owned()
    }))
}

/// JSON without the white space between its parts.
fn without_space(text: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    text.chars()
        .filter(|character| {
            let keep = inside || !matches!(character, ' ' | '\t' | '\n' | '\r');
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = inside,
                '"' => inside = !inside,
                _ => {}
            }
            keep
        })
        .collect()
}

fn first_difference(expected: &Value, given: &Value, place: &mut String) -> Option<String> {
    let length = place.len();
    let mut below = |name: &str, expected: &Value, given: &Value| {
        place.truncate(length);
        place.push('/');
        place.push_str(name);
        first_difference(expected, given, place)
    };
    match (expected, given) {
        (Value::Object(one), Value::Object(other)) => {
            let missing = Value::Null;
            let known =
                one.iter().find_map(|(name, value)| below(name, value, other.get(name).unwrap_or(&missing)));
            let added = || other.keys().find(|name| !one.contains_key(*name));
            known.or_else(|| added().map(|name| format!("{place}/{name} does not belong there")))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| below(&index.to_string(), one, other))
        }
        (Value::Array(one), Value::Array(other)) => {
            Some(format!("{place}: the bytes have {}, the view {}", one.len(), other.len()))
        }
        _ if expected == given => None,
        _ => Some(format!("{place}: the bytes say {expected}, the view {given}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_counts_only_inside_of_text() {
        assert_eq!(without_space("{ \"a b\" :\n\t\"c \\\" d\" }"), "{\"a b\":\"c \\\" d\"}");
        assert_eq!(without_space("[ \"\\\\\" , 1 ]"), "[\"\\\\\",1]");
    }

    #[test]
    fn a_difference_is_told_by_its_place() {
        let one = serde_json::json!({"view": {"eras": [{"era": 0}], "n": 1}});
        let other = serde_json::json!({"view": {"eras": [{"era": 7}], "n": 1}});
        let told = first_difference(&one, &other, &mut String::new()).unwrap();
        assert_eq!(told, "/view/eras/0/era: the bytes say 0, the view 7");
        let more = serde_json::json!({"view": {"eras": [{"era": 0}], "n": 1, "truth": true}});
        let told = first_difference(&one, &more, &mut String::new()).unwrap();
        assert!(told.contains("/truth does not belong there"), "{told}");
    }
}
