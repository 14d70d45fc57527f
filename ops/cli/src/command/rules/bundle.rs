//! Replaying from a bundle alone: the facts are made again from what it holds.

use super::{differs, told};
use crate::failure::Failure;
use crate::output::Report;
use std::path::Path;
use zeugma_evidence_rules::replay::replay;
use zeugma_evidence_rules::{Pack, Verdict};
use zeugma_evidence_service::judging::facts::{When, of_bundle};
use zeugma_evidence_verify::Bundle;
use zeugma_types::Decode as _;

/// What every bundle begins with.
const MAGIC: &[u8] = b"ZGBUNDL";

/// Whether a file is a bundle.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Gives the pack's verdict in a bundle again, on the facts that the bundle itself gives.
pub(super) fn replayed(file: &Path, bytes: &[u8], pack: &Pack) -> Result<Report, Failure> {
    let refused = |refusal| Failure::refused(file.display(), refusal);
    let bundle = Bundle::from_bytes(bytes).map_err(refused)?;
    let mut recorded = None;
    for verdict in &bundle.verdicts {
        let read = Verdict::from_bytes(&verdict.statement).map_err(refused)?;
        if read.pack == pack.digest() {
            recorded = Some(read);
        }
    }
    let recorded = recorded.ok_or_else(|| {
        let what = format!(
            "no verdict of {} verdicts in it is of the pack {}",
            bundle.verdicts.len(),
            hex::encode(pack.digest())
        );
        differs(file, what, "give the pack of a digest that `zeugma verify` shows")
    })?;
    // The verdict names its facts by their digest, and so says when it was given.
    let mut facts = of_bundle(&bundle, When::Received).map_err(refused)?;
    if facts.digest() != recorded.facts && bundle.proof.is_some() && bundle.receipt.is_some() {
        facts = of_bundle(&bundle, When::Anchored).map_err(refused)?;
    }
    let replayed =
        replay(&recorded, pack, &facts).map_err(|broken| super::pack::broken(&pack.name, &broken))?;
    told(file, &recorded, &replayed)
}
