//! Evaluates rule packs for a service that is not started by the `zeugma` command: `zeugma-evidence-rules-worker MEBIBYTES`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(mebibytes) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        eprintln!("usage: zeugma-evidence-rules-worker MEBIBYTES");
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
