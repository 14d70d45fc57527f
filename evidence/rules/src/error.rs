//! What can go wrong before and around a verdict. What goes wrong inside a rule is a finding, not an error.

use crate::facts::Value;
use zeugma_types::Refusal;

/// Why a pack, facts or a file of cases cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The text is not the format's.
    #[error("not a {what}: {why}")]
    Text {
        /// What it should have been.
        what: &'static str,
        /// What the reader said, with the place.
        why: String,
    },
    /// The bytes are not the canonical encoding.
    #[error("not a {what} in the canonical encoding: {refusal}")]
    Bytes {
        /// What they should have been.
        what: &'static str,
        /// Which rule of the encoding they break.
        refusal: Refusal,
    },
    /// A rule of the format is broken.
    #[error("{at}: {rule}")]
    Rule {
        /// Which part: a rule's id, a fact's path.
        at: String,
        /// What is asked, with what was found.
        rule: String,
    },
    /// A script does not compile.
    #[error("rule {rule}: the script does not compile: {why}")]
    Script {
        /// The rule's id.
        rule: String,
        /// The message of the compiler, with line and column.
        why: String,
    },
    /// A fact that no rule can be given: fractions differ between machines, and null says nothing.
    #[error("{at}: {found} is not a fact: use text, a whole number, true or false, a list or a map")]
    NotAFact {
        /// Its path.
        at: String,
        /// What it is.
        found: &'static str,
    },
}

impl Broken {
    pub(crate) fn rule(at: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Rule { at: at.into(), rule: rule.into() }
    }

    pub(crate) fn bound(at: impl Into<String>, what: &str, found: usize, bound: usize) -> Self {
        Self::rule(at, format!("{what}: {found} is more than {bound}"))
    }
}

/// Why there is no verdict. None of these says anything about the exhibit.
#[derive(Debug, thiserror::Error)]
pub enum Aborted {
    /// The deadline passed; the child was ended.
    #[error("aborted without a verdict: the rules ran longer than {milliseconds} ms")]
    Deadline {
        /// The deadline.
        milliseconds: u64,
    },
    /// The child died: its memory ceiling is the usual cause.
    #[error("aborted without a verdict: the worker ended ({how}); its memory is capped at {mebibytes} MiB")]
    Worker {
        /// How it ended.
        how: String,
        /// The ceiling.
        mebibytes: u64,
    },
    /// The pack or the facts cannot be used.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The child could not be started or spoken to.
    #[error("the worker cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
}

/// The name of a value's kind, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Flag(_) => "true or false",
        Value::Number(_) => "a number",
        Value::Text(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}
