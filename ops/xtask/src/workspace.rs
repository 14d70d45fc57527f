//! The workspace as cargo sees it: its root, its crates, the room each stands in, what each uses.

use crate::child::Child;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The root of the clone that this program was built from.
pub(crate) fn root() -> PathBuf {
    // This crate stands in `ops/xtask`, two below the root.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("ops/xtask has a root").to_path_buf()
}

/// The folder that cargo builds into.
///
/// # Errors
/// When cargo does not say.
pub(crate) fn target() -> Result<PathBuf> {
    let text = Child::cargo(["metadata", "--no-deps", "--format-version", "1"]).text()?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    metadata["target_directory"].as_str().map(PathBuf::from).context("cargo metadata names no target folder")
}

/// One crate of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name in Cargo.toml.
    pub(crate) name: String,
    /// Its folder below the root, as DESIGN and ARCHITECTURE write it: `adapters/core`.
    pub(crate) room: String,
    /// What it links: normal and build dependencies. Development dependencies are not here.
    pub(crate) uses: Vec<Use>,
    /// Its features, each with what it turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// Whether it runs a build script.
    pub(crate) build_script: bool,
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) name: String,
    /// The features asked for here.
    pub(crate) features: Vec<String>,
}

/// Every crate of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let text = Child::cargo(["metadata", "--no-deps", "--format-version", "1"]).text()?;
    parse(&text, &root())
}

fn parse(metadata: &str, root: &Path) -> Result<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    ensure!(!packages.is_empty(), "the workspace has no crates");
    packages.iter().map(|package| parse_package(package, root)).collect()
}

fn parse_package(package: &Value, root: &Path) -> Result<Package> {
    let name = package["name"].as_str().context("a crate without a name")?.to_owned();
    let manifest = package["manifest_path"].as_str().context("a crate without a manifest")?;
    let room = Path::new(manifest)
        .parent()
        .and_then(|folder| folder.strip_prefix(root).ok())
        .and_then(Path::to_str)
        .with_context(|| format!("{name} stands outside {}", root.display()))?
        .to_owned();
    let uses = list(&package["dependencies"])
        .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
        .filter_map(|dependency| {
            let name = dependency["name"].as_str()?.to_owned();
            Some(Use { name, features: texts(&dependency["features"]) })
        })
        .collect();
    let features = package["features"].as_object().into_iter().flatten();
    let features = features.map(|(feature, turns_on)| (feature.clone(), texts(turns_on))).collect();
    let build_script =
        list(&package["targets"]).flat_map(|target| list(&target["kind"])).any(|kind| kind == "custom-build");
    Ok(Package { name, room, uses, features, build_script })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crate_links_is_read_and_what_only_its_tests_use_is_not() {
        let metadata = r#"{"packages": [{
            "name": "zeugma-proof", "manifest_path": "/clone/proof/Cargo.toml",
            "dependencies": [
                {"name": "zeugma-types", "kind": null, "features": ["arbitrary"]}, {"name": "proptest", "kind": "dev"},
                {"name": "cc", "kind": "build"}],
            "features": {"test-utils": ["zeugma-crypto/test-utils"]},
            "targets": [{"kind": ["lib"]}, {"kind": ["custom-build"]}]}]}"#;
        let packages = parse(metadata, Path::new("/clone")).unwrap();
        assert_eq!(
            packages,
            [Package {
                name: "zeugma-proof".into(),
                room: "proof".into(),
                uses: vec![
                    Use { name: "zeugma-types".into(), features: vec!["arbitrary".into()] },
                    Use { name: "cc".into(), features: vec![] },
                ],
                features: BTreeMap::from([("test-utils".into(), vec!["zeugma-crypto/test-utils".into()])]),
                build_script: true,
            }]
        );
    }

    #[test]
    fn this_very_workspace_is_read() {
        let packages = packages().unwrap();
        assert!(packages.iter().any(|package| package.room == "types" && package.name == "zeugma-types"));
        assert!(packages.iter().any(|package| package.room == "ops/xtask"));
    }
}
