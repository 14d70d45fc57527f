//! What the gate needs beside cargo: pinned, kept outside the clone, installed where a package manager
//! can do it. What cannot be installed is named with the package that brings it, and that is a failure.

use crate::child::Child;
use anyhow::{Context, Result, bail};
use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const CARGO_DENY: &str = "0.20.2";
const TYPOS: &str = "1.52.0";

/// The folder kept between runs and between clones.
fn cache() -> Result<PathBuf> {
    let base = match (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")) {
        (Some(cache), _) if !cache.is_empty() => PathBuf::from(cache),
        (_, Some(home)) if !home.is_empty() => Path::new(&home).join(".cache"),
        _ => bail!("neither XDG_CACHE_HOME nor HOME is set: there is no place to keep tools"),
    };
    Ok(base.join("zeugma"))
}

/// cargo-deny, of one version.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    cargo_tool("cargo-deny", "cargo-deny", CARGO_DENY)
}

/// typos, of one version.
pub(crate) fn typos() -> Result<PathBuf> {
    cargo_tool("typos-cli", "typos", TYPOS)
}

/// Installs a tool of an exact version into a folder named by it, so that another version is another
/// folder; builds it away from the target folder of the clone, which may be in use.
fn cargo_tool(package: &str, binary: &str, version: &str) -> Result<PathBuf> {
    let home = cache()?.join("tools").join(format!("{package}-{version}"));
    let program = home.join("bin").join(binary);
    if answers(&program, version) {
        return Ok(program);
    }
    println!("installing {package} {version} into {}", home.display());
    let build = home.join("build");
    Child::cargo(["install", "--quiet", "--locked", "--version", version, "--root"])
        .args([home.as_os_str(), package.as_ref()])
        .env("CARGO_TARGET_DIR", &build)
        .minutes(40)
        .run()?;
    fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    if !answers(&program, version) {
        bail!("{} is not {package} {version}", program.display());
    }
    Ok(program)
}

fn answers(program: &Path, version: &str) -> bool {
    Child::new(program).args(["--version"]).text().is_ok_and(|text| text.trim_end().ends_with(version))
}

/// The packages of a room's lock file, installed into a folder of their own for each content of it; its
/// `node_modules`' parent. Nothing of a package runs when it is installed.
///
/// # Errors
/// When Node.js or npm is missing, with the package that brings it; when they do not install.
pub(crate) fn npm(room: &str) -> Result<PathBuf> {
    const FILES: [&str; 2] = ["package.json", "package-lock.json"];
    const COMPLETE: &str = ".complete";
    for (command, package) in [("node", "nodejs (20 or newer)"), ("npm", "npm")] {
        if Child::new(command).args(["--version"]).text().is_err() {
            bail!("`{command}` is missing: install the package {package}");
        }
    }
    let root = crate::workspace::root().join(room);
    let mut recipe = DefaultHasher::new();
    for file in FILES {
        fs::read(root.join(file)).with_context(|| format!("cannot read {room}/{file}"))?.hash(&mut recipe);
    }
    // Some packages come built for one kind of machine.
    env::consts::ARCH.hash(&mut recipe);
    let name = room.replace('/', "-");
    let home = cache()?.join("tools").join(format!("{name}-{:016x}", recipe.finish()));
    if home.join(COMPLETE).is_file() {
        return Ok(home);
    }
    println!("installing the packages of {room} into {}", home.display());
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    for file in FILES {
        fs::copy(root.join(file), home.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    Child::new("npm").args(install).folder(&home).minutes(15).run()?;
    // Last: a folder without it was cut off.
    fs::write(home.join(COMPLETE), "").with_context(|| format!("cannot write into {}", home.display()))?;
    Ok(home)
}

/// The standard library of another target.
pub(crate) fn target(triple: &str) -> Result<()> {
    let listed = Child::new("rustup")
        .args(["target", "list", "--installed"])
        .text()
        .with_context(|| format!("the target {triple} is needed: install Rust by rustup, which brings it"))?;
    if listed.lines().any(|line| line.trim() == triple) {
        return Ok(());
    }
    Child::new("rustup").args(["target", "add", triple]).minutes(10).run()
}

/// A C compiler for wasm: blst is C.
pub(crate) fn clang() -> Result<()> {
    if Child::new("clang").args(["--version"]).text().is_ok() {
        return Ok(());
    }
    if !can_install_packages() {
        bail!("clang is missing: install the package `clang` (Debian, Ubuntu, Fedora, Arch, Alpine)");
    }
    apt_get(["update", "--quiet"])?;
    apt_get(["install", "--quiet", "--yes", "--no-install-recommends", "clang"])
}

/// A Prometheus server and the tool that checks its files.
pub(crate) struct Prometheus {
    pub(crate) server: PathBuf,
    pub(crate) promtool: PathBuf,
}

/// Prometheus: the one that is installed, or Debian's package, unpacked beside our other tools. Installing the
/// package would start it as a service.
pub(crate) fn prometheus() -> Result<Prometheus> {
    let works = |folder: &Path| {
        let found = Prometheus { server: folder.join("prometheus"), promtool: folder.join("promtool") };
        let answers = |program: &Path| Child::new(program).args(["--version"]).text().is_ok();
        (answers(&found.server) && answers(&found.promtool)).then_some(found)
    };
    let home = cache()?.join("tools/prometheus");
    let bin = home.join("usr/bin");
    if let Some(found) = works(Path::new("")).or_else(|| works(&bin)) {
        return Ok(found);
    }
    if !can_install_packages() {
        bail!("prometheus is missing: install the package `prometheus` (Debian, Ubuntu, Arch, Alpine)");
    }
    println!("unpacking the package prometheus into {}", home.display());
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    apt_get(["update", "--quiet"])?;
    // It downloads into the current folder and chooses the name.
    let script = "cd \"$0\" && rm -f ./*.deb && apt-get download --quiet prometheus && dpkg-deb -x ./*.deb . && rm ./*.deb";
    Child::new("sh").args(["-c".as_ref(), script.as_ref(), home.as_os_str()]).minutes(15).run()?;
    works(&bin).with_context(|| format!("{} holds no prometheus that runs", bin.display()))
}

fn can_install_packages() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root && Child::new("apt-get").args(["--version"]).text().is_ok()
}

fn apt_get<const N: usize>(arguments: [&str; N]) -> Result<()> {
    Child::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").minutes(15).run()
}
