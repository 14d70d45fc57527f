//! How the demo tells what it does, and how long it took.

use crate::output::{Output, plain};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Instant;

/// The story so far.
pub(super) struct Story<'o> {
    output: &'o Output,
    start: Instant,
    chapters: RefCell<Vec<(String, f64)>>,
}

impl<'o> Story<'o> {
    pub(super) fn begin(output: &'o Output) -> Self {
        Self { output, start: Instant::now(), chapters: RefCell::default() }
    }

    /// Seconds since it began.
    pub(super) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Begins a chapter.
    pub(super) fn chapter(&self, title: &str) {
        let number = {
            let mut chapters = self.chapters.borrow_mut();
            chapters.push((title.to_owned(), self.seconds()));
            chapters.len()
        };
        self.output.progress(&format!("\n{number}. {title}"));
    }

    /// Tells one thing.
    pub(super) fn line(&self, line: &str) {
        self.output.progress(&format!("{:7.1} s  {}", self.seconds(), plain(line)));
    }

    /// The chapters and when each began.
    pub(super) fn chapters(&self) -> Vec<Value> {
        let chapters = self.chapters.borrow();
        chapters.iter().map(|(title, at)| json!({ "title": title, "began_at_seconds": at })).collect()
    }
}
