//! Suites about Ethereum: its consensus light client, proofs of its state, and its receipts.

mod api;
mod chain;
mod execution;
mod json;
mod receipts;
mod specification;
mod state;

pub(crate) use receipts::Receipts;
pub(crate) use state::Eip1186;

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::Result;
use execution::Kind;

/// Cases of light clients: the tests of the consensus specifications, and what beacon nodes serve as JSON.
pub(crate) struct ConsensusLightClient;

impl Suite for ConsensusLightClient {
    fn name(&self) -> &'static str {
        "consensus-light-client"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        let extension = file.path.extension().unwrap_or_default().to_string_lossy().into_owned();
        match extension.as_str() {
            "json" => api::run(file, report),
            "yaml" | "yml" | "ssz_snappy" => specification::run(file, report),
            _ => report.unknown(&file.name, &"neither JSON nor YAML nor SSZ"),
        }
    }
}

/// A file that this suite does not run: named as another suite's, or reported as nobody's.
fn elsewhere(file: &File, kind: Option<Kind>, report: &mut Report<'_>) -> Result<()> {
    let extension = file.path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let kind = match (kind, extension.as_str()) {
        (None, "yaml" | "yml" | "ssz_snappy") => Kind::LightClient,
        (None, _) => Kind::Unknown,
        (Some(kind), _) => kind,
    };
    if kind == Kind::Unknown {
        return report.unknown(&file.name, &"a file of no case");
    }
    report.policy(&format!("files of the suite {} are left to it", kind.suite()))
}
