//! The published verifiers as judges: nothing of ours decides here.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ics23::commitment_proof::Proof;
use ics23::{CommitmentProof, HostFunctionsManager};
use prost::Message as _;
use serde_json::Value;

/// The value that a two-step proof shows for `key` under `root` (the `app_hash`, in hexadecimal digits).
pub(crate) fn member(answer: &Value, store: &str, key: &[u8], root: &str) -> Result<Vec<u8>> {
    let [inner, outer] = steps(answer)?;
    let value = STANDARD.decode(answer["value"].as_str().context("no value")?)?;
    let store_root = store_root(&outer, store, root)?;
    ensure!(
        ics23::verify_membership::<HostFunctionsManager>(
            &inner,
            &ics23::iavl_spec(),
            &store_root,
            key,
            &value
        ),
        "the key is not in the store"
    );
    Ok(value)
}

/// That a two-step proof shows no value for `key` under `root`.
pub(crate) fn absent(answer: &Value, store: &str, key: &[u8], root: &str) -> Result<()> {
    let [inner, outer] = steps(answer)?;
    ensure!(answer["value"].is_null(), "an absent key has a value: {}", answer["value"]);
    let store_root = store_root(&outer, store, root)?;
    ensure!(
        ics23::verify_non_membership::<HostFunctionsManager>(&inner, &ics23::iavl_spec(), &store_root, key),
        "the absence is not shown"
    );
    Ok(())
}

fn steps(answer: &Value) -> Result<[CommitmentProof; 2]> {
    let ops = answer["proofOps"]["ops"].as_array().context("no proof")?;
    let kinds: Vec<_> = ops.iter().map(|op| op["type"].as_str().unwrap_or_default()).collect();
    ensure!(kinds == ["ics23:iavl", "ics23:simple"], "the steps are {kinds:?}");
    let decode = |op: &Value| -> Result<CommitmentProof> {
        Ok(CommitmentProof::decode(&STANDARD.decode(op["data"].as_str().context("no data")?)?[..])?)
    };
    Ok([decode(&ops[0])?, decode(&ops[1])?])
}

/// The second step: the store's own root, as a value under the store's name.
fn store_root(outer: &CommitmentProof, store: &str, root: &str) -> Result<Vec<u8>> {
    let Some(Proof::Exist(leaf)) = &outer.proof else {
        anyhow::bail!("the second step is no existence proof")
    };
    let (root, spec) = (hex::decode(root)?, ics23::tendermint_spec());
    let shown =
        ics23::verify_membership::<HostFunctionsManager>(outer, &spec, &root, store.as_bytes(), &leaf.value);
    ensure!(shown, "the store is not under the root");
    Ok(leaf.value.clone())
}
