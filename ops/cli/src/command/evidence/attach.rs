//! What others say of an entry goes into its bundle: a COSE receipt of another transparency service.
//!
//! The receipt is read here, and judged by whoever verifies the bundle under a policy that names the service. The
//! bundle's seal is made anew; nothing goes into a bundle that was renewed, since a renewal is over all before it.

use super::written;
use crate::failure::{Failure, Rule};
use crate::files;
use crate::output::Output;
use clap::Args;
use std::path::PathBuf;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::note::NoteBounds;
use zeugma_evidence_verify::bundle::{AnchorKind, OtherAnchor, stamped_message};
use zeugma_evidence_verify::cose::{MAX_RECEIPT, Receipt};
use zeugma_evidence_verify::{Bundle, MAX_BUNDLE};
use zeugma_types::{Decode as _, Encode as _, Refusal};

/// See the module.
#[derive(Debug, Args)]
pub(crate) struct Attach {
    /// The bundle
    bundle: PathBuf,
    /// The receipt (RFC 9942): of what `--message` writes, or of the entry's own bytes
    #[arg(long, value_name = "FILE", requires = "out")]
    receipt: Option<PathBuf>,
    /// Where to write the bundle with the receipt in it; a file that exists is not written over
    #[arg(long, value_name = "FILE", requires = "receipt")]
    out: Option<PathBuf>,
    /// Where to write the text that time-stamps are over, to register it elsewhere
    #[arg(long, value_name = "FILE", required_unless_present = "receipt", conflicts_with = "receipt")]
    message: Option<PathBuf>,
}

impl Attach {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let refused = |refusal: Refusal| Failure::refused(self.bundle.display(), refusal);
        let bundle = Bundle::from_bytes(&files::read(&self.bundle, MAX_BUNDLE)?).map_err(refused)?;
        if let Some(message) = &self.message {
            let text = |note: &str| -> Result<String, Refusal> {
                Ok(SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL)?.note().text.to_owned())
            };
            let first = text(&bundle.logging.first.note).map_err(refused)?;
            let second = bundle.logging.second.as_ref().map(|second| text(&second.note));
            let second = second.transpose().map_err(refused)?;
            return written(output, message, &stamped_message(&first, second.as_deref()));
        }
        let (Some(receipt), Some(out)) = (&self.receipt, &self.out) else {
            return Err(Failure::usage(
                "neither a receipt nor a message is asked for",
                "give --receipt and --out",
            ));
        };
        let bytes = files::read(receipt, MAX_RECEIPT)?;
        Receipt::parse(&bytes).map_err(|refusal| Failure::refused(receipt.display(), refusal))?;
        let bundle = attached(bundle, bytes).map_err(|(rule, what)| {
            Failure::own(rule, self.bundle.display(), what, "attach to the bundle as it was fetched")
        })?;
        written(output, out, &bundle.to_bytes())
    }
}

fn attached(mut bundle: Bundle, bytes: Vec<u8>) -> Result<Bundle, (Rule, &'static str)> {
    if !bundle.renewals.is_empty() {
        return Err((Rule::WrongRenewal, "it was renewed: a renewal is over all that was there"));
    }
    let anchor = OtherAnchor { kind: AnchorKind::Cose, bytes };
    if bundle.anchors.contains(&anchor) {
        return Err((Rule::FileExists, "it holds this receipt"));
    }
    bundle.anchors.push(anchor);
    bundle.anchors.sort();
    Ok(bundle.sealed())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may")]

    use super::*;
    use serde_json::Value;
    use std::path::Path;

    fn golden(name: &str) -> Bundle {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/evidence/golden.json");
        let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let case = file["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
        Bundle::from_bytes(&hex::decode(case["bundle"].as_str().unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn a_receipt_attached_makes_the_bundle_of_the_vectors_and_nothing_goes_in_twice_or_after_a_renewal() {
        let whole = golden("a receipt over the checkpoint");
        let mut before = whole.clone();
        let receipt = before.anchors.pop().unwrap();
        assert_eq!(receipt.kind, AnchorKind::Cose);
        let with = attached(before.sealed(), receipt.bytes.clone()).unwrap();
        assert_eq!(with.to_bytes(), whole.to_bytes());
        assert_eq!(attached(with, receipt.bytes.clone()).unwrap_err().0, Rule::FileExists);
        let renewed = golden("lapsed and renewed before");
        assert_eq!(attached(renewed, receipt.bytes).unwrap_err().0, Rule::WrongRenewal);
    }
}
