//! The verifiers of the one proof that are not Rust on this machine: WebAssembly under Node.js, and Go.
//! Each runs the shared vectors, and all are held against the Rust verifier on mutated proofs.

use crate::child::{Child, Tests};
use crate::{built, tools, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Mutated proofs in the gate; `--all` takes the full number.
const MUTATED: &str = "3000";
const MUTATED_ALL: &str = "100000";
/// The seed of the mutations: the same proofs in each run.
const SEED: &str = "1";

/// Builds the WebAssembly module, the Go command and the program that compares them.
///
/// # Errors
/// When Node.js or Go is missing, with the package that brings it, or something does not build.
pub(crate) fn prepare() -> Result<()> {
    for (command, flag, package) in
        [("node", "--version", "nodejs"), ("go", "version", "golang (1.25.9 or newer)")]
    {
        if Child::new(command).args([flag]).text().is_err() {
            bail!("`{command}` is missing: install the package {package}");
        }
    }
    tools::clang()?;
    tools::target("wasm32-unknown-unknown")?;
    let packages = ["--package", "zeugma-proof-wasm", "--package", "zeugma-evidence-wasm"];
    let wasm = ["build", "--release", "--target", "wasm32-unknown-unknown"];
    Child::cargo(wasm.into_iter().chain(packages)).minutes(20).run()?;
    built::all()?;
    let out = go_command()?;
    let build = ["build", "-C", "proof/go", "-o"].map(Into::into);
    Child::new("go")
        .args(build.into_iter().chain([out.into_os_string(), "./cmd/zeugma-verify".into()]))
        .env("CGO_ENABLED", "0")
        .minutes(20)
        .run()
}

/// Runs the vectors under each verifier, then the comparison.
///
/// # Errors
/// When a verifier fails a vector or differs from another.
pub(crate) fn run(all: bool) -> Result<Tests> {
    let module = workspace::target()?.join("wasm32-unknown-unknown/release/zeugma_proof_wasm.wasm");
    Child::new("node")
        .args(["--test", "proof/wasm/js/vectors.test.mjs"])
        .env("ZEUGMA_WASM", module.clone())
        .minutes(5)
        .run()?;
    let bundles = workspace::target()?.join("wasm32-unknown-unknown/release/zeugma_evidence_wasm.wasm");
    Child::new("node")
        .args(["--test", "evidence/verify/wasm/js/vectors.test.mjs"])
        .env("ZEUGMA_WASM", bundles)
        .minutes(5)
        .run()?;
    Child::new("go").args(["vet", "-C", "proof/go", "./..."]).minutes(10).run()?;
    Child::new("go").args(["test", "-C", "proof/go", "./..."]).env("CGO_ENABLED", "0").minutes(20).run()?;
    let compare = built::all()?.binary("zeugma-verifiers")?;
    let wasm = format!("node proof/wasm/js/stream.mjs {}", module.display());
    let go = format!("{} --stream", go_command()?.display());
    let count = if all { MUTATED_ALL } else { MUTATED };
    Child::new(compare).args([count, SEED, wasm.as_str(), go.as_str()]).minutes(60).run()?;
    let passed = count.parse().context("a number of mutated proofs")?;
    Ok(Tests { passed, ..Tests::default() })
}

fn go_command() -> Result<PathBuf> {
    Ok(workspace::target()?.join("zeugma-verify-go"))
}
