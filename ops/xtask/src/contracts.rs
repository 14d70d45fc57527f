//! The Solidity verifier: its compiler and its EVM from the lock file of `proof/contracts`, its tests,
//! and the command that answers as the other verifiers do.

use crate::child::Child;
use crate::{tools, workspace};
use anyhow::Result;
use std::path::PathBuf;

const ROOM: &str = "proof/contracts";

/// Installs the compiler, forge and anvil, and compiles the contracts.
///
/// # Errors
/// When Node.js or npm is missing, with the package that brings it, or something does not install or build.
pub(crate) fn prepare() -> Result<()> {
    forge(&["build"])?.minutes(10).run()
}

/// Runs the tests of the contracts: the shared vectors among them.
///
/// # Errors
/// When one fails, the compiler warns, or the gas report is not what is found.
pub(crate) fn test() -> Result<()> {
    forge(&["test"])?.minutes(20).run()?;
    gas()?.run()
}

/// Writes the gas report anew.
///
/// # Errors
/// When a price is above its target.
pub(crate) fn write_gas() -> Result<()> {
    gas()?.env("ZEUGMA_GAS_WRITE", "true").run()
}

/// The gas report, held against what is found: the profile runs each call as a transaction of its own.
fn gas() -> Result<Child> {
    Ok(forge(&["test"])?.env("FOUNDRY_PROFILE", "gas").minutes(10))
}

/// The command line of the contract as a verifier of a stream, for `zeugma-verifiers`.
///
/// # Errors
/// When the folders are not known.
pub(crate) fn stream() -> Result<String> {
    let out = out()?;
    // The suites that no EVM chain checks: `docs/byte-layout.md`, section 5, leaves them to each verifier.
    Ok(format!("without=sm2,ml-dsa-44 node {ROOM}/tools/stream.mjs {}", out.display()))
}

/// Where the programs of the lock file are, for whoever starts [`stream`].
///
/// # Errors
/// As [`tools::npm`].
pub(crate) fn home() -> Result<PathBuf> {
    tools::npm(ROOM)
}

fn forge(arguments: &[&str]) -> Result<Child> {
    let build = workspace::target()?.join("contracts");
    Ok(Child::new("node")
        .args([format!("{ROOM}/tools/run.mjs")])
        .args(arguments.iter().copied())
        .env("ZEUGMA_CONTRACTS_TOOLS", home()?)
        .env("FOUNDRY_OUT", out()?)
        .env("FOUNDRY_CACHE_PATH", build.join("cache")))
}

fn out() -> Result<PathBuf> {
    Ok(workspace::target()?.join("contracts/out"))
}
