//! `zeugma-conformance SUITE PATH...`: runs a published suite through the product's own functions.
//!
//! Exit: 0 all cases passed, 1 a case failed or none was found, 2 wrong usage or a path that cannot be read.

use std::io::{BufWriter, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let suite = arguments.next().map(|name| name.to_string_lossy().into_owned());
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let Some(suite) = suite.filter(|_| !paths.is_empty()) else {
        eprintln!("usage: cargo conformance SUITE PATH...\nsuites: {}", zeugma_conformance::names());
        return ExitCode::from(2);
    };
    match zeugma_conformance::run(&suite, &paths, &mut BufWriter::new(stdout().lock())) {
        Ok(totals) if totals.is_clean() => ExitCode::SUCCESS,
        Ok(totals) => {
            if totals == zeugma_conformance::Totals::default() {
                eprintln!("no case was found");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
