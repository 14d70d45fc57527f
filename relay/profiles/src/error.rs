//! What is wrong with a file, in its own words.

use std::path::PathBuf;
use zeugma_types::Refusal;

/// Why a file is no profile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The text is no TOML. The message has the line.
    #[error("the profile is no TOML: {0}")]
    Syntax(String),
    /// A key that no profile of this family has.
    #[error("`{key}` is no key of this profile; its keys are {known}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that there are.
        known: String,
    },
    /// A key that is not there.
    #[error("`{key}` is missing: needed {needed}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it would hold.
        needed: String,
    },
    /// A value of another type, outside its bounds, or in a relation to another value that does not hold.
    #[error("`{key}` is {found}: needed {needed}")]
    Value {
        /// The key.
        key: &'static str,
        /// What the file has.
        found: String,
        /// What holds for every profile, with the value it is compared with.
        needed: String,
    },
    /// The family refuses a profile that this reading took for good.
    #[error("the profile is refused: {0}")]
    Refused(Refusal),
}

impl Error {
    pub(crate) fn value(key: &'static str, found: impl ToString, needed: impl ToString) -> Self {
        Self::Value { key, found: found.to_string(), needed: needed.to_string() }
    }
}
