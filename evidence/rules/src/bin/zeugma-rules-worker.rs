//! Evaluates rule packs for another process, under a ceiling on memory: `zeugma-rules-worker MEBIBYTES`.

fn main() -> std::process::ExitCode {
    zeugma_evidence_rules::worker::program()
}
