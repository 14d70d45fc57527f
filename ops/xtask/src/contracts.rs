//! The Solidity verifier: its compiler and its EVM from the lock file of `proof/contracts`, its tests,
//! and the command that answers as the other verifiers do.

use crate::child::Child;
use crate::{tools, workspace};
use anyhow::{Context, Result, bail};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

const ROOM: &str = "proof/contracts";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];
/// Written when everything is installed: a folder without it was cut off.
const COMPLETE: &str = ".complete";

/// Installs the compiler, forge and anvil, and compiles the contracts.
///
/// # Errors
/// When Node.js or npm is missing, with the package that brings it, or something does not install or build.
pub(crate) fn prepare() -> Result<()> {
    for (command, package) in [("node", "nodejs (20 or newer)"), ("npm", "npm")] {
        if Child::new(command).args(["--version"]).text().is_err() {
            bail!("`{command}` is missing: install the package {package}");
        }
    }
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
/// When they do not install.
pub(crate) fn home() -> Result<PathBuf> {
    let root = workspace::root().join(ROOM);
    let home = tools::cache()?.join("tools").join(format!("contracts-{:016x}", recipe(&root)?));
    if home.join(COMPLETE).is_file() {
        return Ok(home);
    }
    println!("installing the compiler and the EVM of {ROOM} into {}", home.display());
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    for file in FILES {
        fs::copy(root.join(file), home.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    // Nothing of a package runs at its installation: the programs come built.
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    Child::new("npm").args(install).folder(&home).minutes(15).run()?;
    fs::write(home.join(COMPLETE), "").context("cannot mark the installation as complete")?;
    Ok(home)
}

/// A number of the recipe and of the Node.js that runs it: another recipe is another folder.
fn recipe(root: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for file in FILES {
        fs::read(root.join(file)).with_context(|| format!("cannot read {ROOM}/{file}"))?.hash(&mut hasher);
    }
    std::env::consts::ARCH.hash(&mut hasher);
    Ok(hasher.finish())
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
