//! The check that keeps the pure ring pure.
//!
//! What a court and another chain must trust is a function of bytes. Four looks at each pure crate, and
//! any of them fails the build:
//!
//! 1. [`rooms`]: our crates link only inward, along the table of rooms;
//! 2. [`closure`]: nothing in its dependency closure is a runtime, a clock, a socket or a source of
//!    randomness;
//! 3. [`source`]: its own source names no such thing, keeps no hash-map order, has no float;
//! 4. [`wasm`]: it builds for `wasm32-unknown-unknown`, and for `wasm32v1-none`, where there is no std
//!    for any dependency to reach.
//!
//! Each look is tested with a planted violation that it must find.
//!
//! Source: `ARCHITECTURE.md`, "Two rings".

mod closure;
mod rooms;
mod source;
mod wasm;

use crate::workspace::{self, Package};
use anyhow::{Result, bail, ensure};
use rooms::Ring;

/// Installs what the builds for wasm need.
pub(crate) fn prepare() -> Result<()> {
    wasm::prepare()
}

/// Runs the check.
///
/// # Errors
/// Every violation found, one a line.
pub(crate) fn run() -> Result<String> {
    let packages = workspace::packages()?;
    let mut violations = rooms::violations(&packages);
    let pure: Vec<&Package> =
        packages.iter().filter(|package| rooms::ring(&package.room) == Some(Ring::Pure)).collect();
    ensure!(!pure.is_empty(), "the workspace has no pure crate: the table of rooms is wrong");
    let (mut files, mut outside) = (0, std::collections::BTreeSet::new());
    for package in &pure {
        let scan = source::scan_crate(package)?;
        files += scan.files;
        violations.extend(scan.violations);
        let closure = closure::of(package)?;
        violations.extend(closure.violations(&package.name));
        outside.extend(closure.names());
    }
    if !violations.is_empty() {
        bail!("the pure ring is not pure:\n  {}", violations.join("\n  "));
    }
    wasm::build(&pure)?;
    let ours: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    outside.retain(|name| !ours.contains(&name.as_str()));
    Ok(format!(
        "rings: {} pure crates, {files} files, {} crates of others in their closure, built for {}",
        pure.len(),
        outside.len(),
        wasm::TARGETS.join(" and "),
    ))
}
