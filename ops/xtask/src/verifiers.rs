//! The verifiers of proofs and of evidence bundles that are not Rust on this machine: WebAssembly under Node.js,
//! Go, and for proofs Solidity on an EVM. Each runs the shared vectors, and all are held against the Rust verifier on mutated proofs and bundles;
//! a comparison with planted faults must find them. Reports are the same bytes under any locale and zone.

use crate::child::{Child, Tests};
use crate::{built, contracts, tools, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Mutated proofs in the gate; `--all` takes the full number.
const MUTATED: &str = "3000";
const MUTATED_ALL: &str = "100000";
/// Mutated bundles: one takes all three verifiers together some 25 ms of a core.
const BUNDLES: &str = "1200";
const BUNDLES_ALL: &str = "50000";
/// Inputs of a comparison with planted faults, and the code that is taken for good there.
const PLANTED: &str = "300";
const FAULT: &str = "202";
/// The seed of the mutations: the same inputs in each run.
const SEED: &str = "1";

/// Builds the WebAssembly module, the Go command, the contracts and the program that compares them.
///
/// # Errors
/// When Node.js, npm or Go is missing, with the package that brings it, or something does not build.
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
    contracts::prepare()?;
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
    let wasm = |name: &str| -> Result<PathBuf> {
        Ok(workspace::target()?.join("wasm32-unknown-unknown/release").join(format!("{name}.wasm")))
    };
    let (proofs, bundles) = (wasm("zeugma_proof_wasm")?, wasm("zeugma_evidence_wasm")?);
    for (test, module) in [("proof/wasm", &proofs), ("evidence/verify/wasm", &bundles)] {
        Child::new("node")
            .args(["--test".into(), format!("{test}/js/vectors.test.mjs")])
            .env("ZEUGMA_WASM", module.clone())
            .minutes(5)
            .run()?;
    }
    Child::new("go").args(["vet", "-C", "proof/go", "./..."]).minutes(10).run()?;
    let mut tests = Child::new("go").args(["test", "-C", "proof/go", "./..."]).env("CGO_ENABLED", "0");
    if all {
        tests = tests.env("ZEUGMA_EVERY_BIT", "1");
    }
    tests.minutes(60).run()?;
    contracts::test()?;
    let go = format!("{} --stream", go_command()?.display());
    let mut passed = 0;
    for (kind, folder, module, count) in [
        ("proofs", "proof/wasm", &proofs, if all { MUTATED_ALL } else { MUTATED }),
        ("bundles", "evidence/verify/wasm", &bundles, if all { BUNDLES_ALL } else { BUNDLES }),
    ] {
        let wasm = format!("node {folder}/js/stream.mjs {}", module.display());
        let compare =
            || -> Result<Child> { Ok(Child::new(built::all()?.binary("zeugma-verifiers")?).minutes(60)) };
        compare()?.args([kind, PLANTED, SEED, "--fault", FAULT, wasm.as_str(), go.as_str()]).run()?;
        let mut verifiers = vec![wasm, go.clone()];
        if kind == "proofs" {
            verifiers.push(contracts::stream()?);
        }
        compare()?
            .args([kind, count, SEED])
            .args(verifiers)
            .env("ZEUGMA_CONTRACTS_TOOLS", contracts::home()?)
            .minutes(120)
            .run()?;
        passed += count.parse::<u64>().context("a number of mutated inputs")?;
    }
    let (compare, zeugma) = (built::all()?.binary("zeugma-verifiers")?, built::all()?.binary("zeugma")?);
    Child::new(compare)
        .args(["reports".as_ref(), zeugma.as_os_str(), go_command()?.as_os_str()])
        .minutes(20)
        .run()?;
    Ok(Tests { passed, ..Tests::default() })
}

fn go_command() -> Result<PathBuf> {
    Ok(workspace::target()?.join("zeugma-verify-go"))
}
