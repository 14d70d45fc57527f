//! Evaluates rule packs for another process, under a ceiling on memory: `zeugma-rules-worker MEBIBYTES`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(mebibytes) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        eprintln!("usage: zeugma-rules-worker MEBIBYTES");
        return ExitCode::from(2);
    };
    match zeugma_evidence_rules::worker::serve(mebibytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
