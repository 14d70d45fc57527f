//! The pure ring builds where there is nothing to reach.

use crate::child::Child;
use crate::tools;
use crate::workspace::Package;
use anyhow::Result;

/// The first is where browsers and other chains run the verifiers. It has a std, whose clock and files
/// fail only when called; the second has none, so a dependency that names std does not build there.
pub(crate) const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32v1-none"];

/// Installs a C compiler for wasm and both targets.
pub(crate) fn prepare() -> Result<()> {
    tools::clang()?;
    TARGETS.into_iter().try_for_each(tools::target)
}

/// Builds every pure crate for each target.
pub(crate) fn build(pure: &[&Package]) -> Result<()> {
    prepare()?;
    for triple in TARGETS {
        let packages = pure.iter().flat_map(|package| ["--package", package.name.as_str()]);
        Child::cargo(["build", "--lib", "--target", triple]).args(packages).minutes(20).run()?;
    }
    Ok(())
}
