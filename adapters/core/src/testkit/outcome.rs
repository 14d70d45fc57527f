//! What one call gave.

use super::Expect;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zeugma_types::Refusal;

/// A value, a refusal, or a panic.
pub(super) enum Outcome<T> {
    Accepted(T),
    Refused(Refusal),
    Panicked,
}

pub(super) fn attempt<T>(call: impl FnOnce() -> Result<T, Refusal>) -> Outcome<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Outcome::Accepted(value),
        Ok(Err(refusal)) => Outcome::Refused(refusal),
        Err(_) => Outcome::Panicked,
    }
}

impl<T: Debug> Outcome<T> {
    /// `None` when the outcome is the expected refusal, else what is wrong.
    pub(super) fn unless_refused(self, expect: Option<Expect>) -> Option<String> {
        match self {
            Self::Panicked => Some("panicked".to_owned()),
            Self::Accepted(value) => Some(brief(&format!("accepted: {value:?}"))),
            Self::Refused(refusal) => match expect {
                Some(expect) if !expect.admits(&refusal) => {
                    Some(format!("expected {expect:?}, got {refusal}"))
                }
                _ => None,
            },
        }
    }
}

pub(super) fn brief(text: &str) -> String {
    text.chars().take(160).collect()
}
