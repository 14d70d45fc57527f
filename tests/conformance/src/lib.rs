//! Published conformance suites, run through the same public functions that the product uses.
//!
//! `cargo conformance SUITE PATH...` prints a line per case, `ok NAME` or
//! `FAIL NAME: expected ..., got ...`, and at the end `N passed, N failed`. Every expectation is read
//! from the suite: a copy with inverted expectations fails case by case. Files that a suite does not
//! know are listed, and fail. Nothing found is a failure too.
//!
//! A suite is one module that implements [`Suite`], and one line of [`SUITES`].

mod cometbft_mbt;
mod cose;
mod ethereum;
mod files;
mod ics23;
mod merkle;
mod report;
mod suite;
mod tlog_tiles;
mod tsp;
mod wycheproof;

use anyhow::{Result, bail};
use std::io::Write;
use std::path::PathBuf;

pub use files::File;
pub use report::{Report, Totals};
pub use suite::Suite;

/// Every suite, by name.
pub const SUITES: &[&dyn Suite] = &[
    &cometbft_mbt::CometbftMbt,
    &ethereum::ConsensusLightClient,
    &ethereum::Eip1186,
    &ethereum::Receipts,
    &cose::Cose,
    &ics23::Ics23,
    &merkle::Merkle,
    &tlog_tiles::TlogTiles,
    &tsp::Tsp,
    &wycheproof::Wycheproof,
];

/// Runs the suite called `name` on `paths` and writes its lines to `out`.
///
/// # Errors
/// When there is no such suite, a path cannot be read, or `out` cannot be written. A case that fails is
/// no error: it is counted in the totals.
pub fn run(name: &str, paths: &[PathBuf], out: &mut dyn Write) -> Result<Totals> {
    let Some(suite) = SUITES.iter().find(|suite| suite.name() == name) else {
        bail!("no suite is called {name}; there are: {}", names());
    };
    let mut report = Report::new(out);
    for path in paths {
        for file in files::under(path)? {
            suite.run(&file, &mut report)?;
        }
    }
    report.finish()
}

/// The names of all suites, separated by commas.
#[must_use]
pub fn names() -> String {
    SUITES.iter().map(|suite| suite.name()).collect::<Vec<_>>().join(", ")
}
