//! The `merkle` suite: inclusion and consistency proofs of RFC 6962 trees, good and bad.
//!
//! One case a file. Which kind it is follows from its fields. Hashes are of SHA-256; an expected error
//! is any refusal, and a leaf's hash or a step of another length than 32 bytes can only be refused.

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fmt;
use zeugma_proof::tree::{Hash, verify_consistency, verify_inclusion};
use zeugma_types::{HashSuite, LeafIndex, Refusal, TreeSize};

/// RFC 6962 proofs in the layout of transparency-dev/merkle's `testdata`.
pub(crate) struct Merkle;

impl Suite for Merkle {
    fn name(&self) -> &'static str {
        "merkle"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        match Case::read(&file.bytes) {
            Ok(case) => report.case(&file.name, &Verdict(case.refused), &Verdict(!case.holds)),
            Err(why) => report.unknown(&file.name, &format!("{why:#}")),
        }
    }
}

#[derive(PartialEq)]
struct Verdict(bool);

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "refused" } else { "accepted" })
    }
}

struct Case {
    /// What the suite expects.
    refused: bool,
    /// What the product's function says.
    holds: bool,
}

impl Case {
    fn read(bytes: &[u8]) -> Result<Self> {
        let case: Value = serde_json::from_slice(bytes).context("not JSON")?;
        let refused = case["wantErr"].as_bool().context("no wantErr")?;
        let holds = if case.get("leafIdx").is_some() {
            inclusion(&case)?
        } else {
            ensure!(case.get("size1").is_some(), "neither an inclusion nor a consistency case");
            consistency(&case)?
        };
        Ok(Self { refused, holds })
    }
}

fn inclusion(case: &Value) -> Result<bool> {
    let (index, size) = (number(case, "leafIdx")?, number(case, "treeSize")?);
    let (leaf, root, path) = (hash(case, "leafHash")?, hash(case, "root")?, path(case)?);
    let (Some(leaf), Some(root), Some(path)) = (leaf, root, path) else { return Ok(false) };
    let verdict: Result<(), Refusal> =
        verify_inclusion(HashSuite::Sha256, &leaf, LeafIndex::new(index), TreeSize::new(size), &path, &root);
    Ok(verdict.is_ok())
}

fn consistency(case: &Value) -> Result<bool> {
    let (old, new) = (TreeSize::new(number(case, "size1")?), TreeSize::new(number(case, "size2")?));
    let (old_root, new_root) = (root(case, "root1")?, root(case, "root2")?);
    let Some(path) = path(case)? else { return Ok(false) };
    Ok(verify_consistency(HashSuite::Sha256, (old, &old_root), (new, &new_root), &path).is_ok())
}

fn number(case: &Value, field: &str) -> Result<u64> {
    case[field].as_u64().with_context(|| format!("{field} is not a number"))
}

/// A hash, or `None` for bytes of another length.
fn hash(case: &Value, field: &str) -> Result<Option<Hash>> {
    decode(&case[field]).with_context(|| format!("{field} is not base64"))
}

/// A root. The suite also compares roots of trees of equal size that are no hashes at all; the product's
/// roots are 32 bytes by type. The hash of such bytes stands for them: equal exactly when they are, and
/// never the root of a tree that a proof leads to.
fn root(case: &Value, field: &str) -> Result<Hash> {
    if let Some(root) = hash(case, field)? {
        return Ok(root);
    }
    let text = case[field].as_str().unwrap_or_default();
    Ok(zeugma_crypto::hash::sha256(&[b"not a root: ", text.as_bytes()]))
}

fn path(case: &Value) -> Result<Option<Vec<Hash>>> {
    match &case["proof"] {
        Value::Null => Ok(Some(Vec::new())),
        Value::Array(hashes) => hashes.iter().map(decode).collect(),
        _ => Err(anyhow::anyhow!("proof is not a list")),
    }
}

fn decode(value: &Value) -> Result<Option<Hash>> {
    // Go writes no bytes as null.
    let text = if value.is_null() { "" } else { value.as_str().context("not text")? };
    Ok(STANDARD.decode(text)?.try_into().ok())
}
