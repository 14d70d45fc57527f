//! Evaluates rule packs for a service that is not started by the `zeugma` command: `zeugma-evidence-rules-worker MEBIBYTES`.

fn main() -> std::process::ExitCode {
    zeugma_evidence_rules::worker::program()
}
