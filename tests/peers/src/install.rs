//! Building a recipe once, into a cache outside the clone.
//!
//! The cache is `$ZEUGMA_PEERS_CACHE`, else `$XDG_CACHE_HOME/zeugma/peers`, else `~/.cache/zeugma/peers`. A build happens
//! beside its place and is renamed into it when complete, under a file lock: a build that was cut off leaves nothing that
//! looks finished, and two test runs build one program once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::process::tail;
use crate::recipe::{GoVersion, Recipe};

/// Symbols and debug tables are left out: they triple the size and no test reads them.
const FLAGS: [&str; 2] = ["-ldflags", "-s -w"];
/// Where Go is looked for; the second place is where its own archive is unpacked, often without being on PATH.
const GO: [&str; 2] = ["go", "/usr/local/go/bin/go"];
/// How often a long build says that it goes on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// A real program, built and ready to start.
#[derive(Clone, Debug)]
pub struct Peer {
    recipe: &'static Recipe,
    program: PathBuf,
}

impl Peer {
    /// Builds `recipe`, unless the cache holds it. Says on standard error what it does and how many minutes it took.
    ///
    /// # Errors
    /// When Go is missing or too old (the message names the package that brings it), when no place for the cache is
    /// known, or when the build fails (the message has the end of its output).
    pub fn install(recipe: &'static Recipe) -> Result<Self> {
        let go = Go::find(recipe, &GO)?;
        let cache = cache_dir()?;
        fs::create_dir_all(&cache).with_context(|| format!("cannot make the cache {}", cache.display()))?;
        let home = cache.join(format!("{}-{}", recipe.name, recipe.key(&go.release, &FLAGS)));
        let peer = Self { recipe, program: home.join(recipe.program) };
        if peer.program.is_file() {
            return Ok(peer);
        }
        let lock = File::create(cache.join(format!("{}.lock", recipe.name)))?;
        lock.lock().context("cannot lock the cache of peers")?;
        if !peer.program.is_file() {
            build(recipe, &go, &cache, &home)?;
        }
        Ok(peer)
    }

    /// Whether `recipe` is in the cache for the Go of this machine.
    ///
    /// # Errors
    /// As [`Peer::install`], except that nothing is built.
    pub fn is_installed(recipe: &'static Recipe) -> Result<bool> {
        let key = recipe.key(&Go::find(recipe, &GO)?.release, &FLAGS);
        Ok(cache_dir()?.join(format!("{}-{key}", recipe.name)).join(recipe.program).is_file())
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What it was built from.
    #[must_use]
    pub fn recipe(&self) -> &'static Recipe {
        self.recipe
    }

    /// Runs the program to its end and returns its standard output.
    ///
    /// # Errors
    /// When it cannot be started or ends with a failure; the message has what it wrote.
    pub(crate) fn run(&self, home: &Path, args: &[&str], input: &str) -> Result<String> {
        let say = || format!("{} {}", self.recipe.program, args.join(" "));
        let mut child = self
            .command(home)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(say)?;
        let mut stdin = child.stdin.take().expect("standard input was piped");
        // A program that ends without reading its input fails for a reason of its own, told below.
        let _ = io::Write::write_all(&mut stdin, input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().with_context(say)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(
            output.status.success(),
            "`{}` failed ({}):\n{}{}",
            say(),
            output.status,
            text(&output.stdout),
            text(&output.stderr)
        );
        Ok(text(&output.stdout))
    }

    /// The program as a command that sees nothing of this machine's user: all it reads and writes is in `home`.
    pub(crate) fn command(&self, home: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("TMPDIR", home)
            .current_dir(home);
        command
    }
}

/// Where built peers are kept.
///
/// # Errors
/// When neither `ZEUGMA_PEERS_CACHE` nor `XDG_CACHE_HOME` nor `HOME` is set.
pub fn cache_dir() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("ZEUGMA_PEERS_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("zeugma/peers")))
        .or_else(|| Some(set("HOME")?.join(".cache/zeugma/peers")))
        .context("no place to keep built peers: set ZEUGMA_PEERS_CACHE to a directory outside the clone")
}

/// The Go of this machine.
struct Go {
    program: PathBuf,
    /// As it names itself: `go1.26.8 linux/amd64`.
    release: String,
}

impl Go {
    fn find(recipe: &Recipe, places: &[&str]) -> Result<Self> {
        let oldest = recipe.oldest_go();
        for program in places.iter().map(PathBuf::from) {
            let asked = Command::new(&program).arg("version").env("GOTOOLCHAIN", "local").output();
            let output = match asked {
                Ok(output) => output,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error).with_context(|| format!("cannot run {}", program.display())),
            };
            let text = String::from_utf8_lossy(&output.stdout);
            let release = text.trim().trim_start_matches("go version ").to_owned();
            let version = GoVersion::parse(&release)
                .with_context(|| format!("`{} version` answered {text:?}", program.display()))?;
            ensure!(
                version >= oldest,
                "{} needs Go {oldest} or newer, and {} is {version}: {}",
                recipe.about,
                program.display(),
                advice(oldest)
            );
            return Ok(Self { program, release });
        }
        bail!(
            "`go` is not on PATH, and without it {} cannot be built and the tests cannot run: {}",
            recipe.about,
            advice(oldest)
        )
    }

    /// `go build` with everything that could differ between machines fixed.
    fn build(&self, cache: &Path) -> Command {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut command = Command::new("nice");
        command
            .args(["-n", "10"])
            .arg(&self.program)
            .args(["build", "-p", &cores.to_string()])
            .args(FLAGS)
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=readonly -buildvcs=false")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0");
        if std::env::var_os("HOME").is_none() {
            command.env("GOPATH", cache.join("go")).env("GOCACHE", cache.join("go/build"));
        }
        command
    }
}

fn advice(oldest: GoVersion) -> String {
    format!(
        "install Go {oldest} or newer (Debian and Ubuntu: package `golang-go`, from backports where the release is \
         older; Fedora: `golang`; Alpine and Arch: `go`; or the Go project's archive unpacked to /usr/local/go)"
    )
}

fn build(recipe: &'static Recipe, go: &Go, cache: &Path, home: &Path) -> Result<()> {
    eprintln!(
        "peers: building {} with {} (once; later runs take it from the cache)",
        recipe.about, go.release
    );
    let start = Instant::now();
    let workshop = tempfile::Builder::new()
        .prefix(&format!(".{}-", recipe.name))
        .tempdir_in(cache)
        .with_context(|| format!("cannot build in {}", cache.display()))?;
    for (name, content) in recipe.files {
        fs::write(workshop.path().join(name), content)?;
    }
    let log = workshop.path().join("build.log");
    let output = File::create(&log)?;
    let child = go
        .build(cache)
        .arg("-o")
        .arg(workshop.path().join(recipe.program))
        .arg(recipe.package)
        .current_dir(workshop.path())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("cannot start `nice go build`")?;
    let status = watch(child, recipe, start)?;
    ensure!(
        status.success(),
        "building {} failed ({status}). A first build fetches modules: it needs the Go module proxy that `go env \
         GOPROXY` names. The end of the output:\n{}",
        recipe.about,
        tail(&log, 30)
    );
    // The rename is last: what stands at `home` is complete.
    fs::rename(workshop.keep(), home)
        .with_context(|| format!("cannot move the build to {}", home.display()))?;
    eprintln!("peers: {} is ready, {}", recipe.about, minutes(start));
    Ok(())
}

fn watch(mut child: Child, recipe: &Recipe, start: Instant) -> Result<std::process::ExitStatus> {
    let mut said = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if said.elapsed() >= SIGN_OF_LIFE {
            said = Instant::now();
            eprintln!("peers: still building {}, {}", recipe.about, minutes(start));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn minutes(start: Instant) -> String {
    format!("{:.1} min", start.elapsed().as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::recipe::SIMD;

    #[test]
    fn without_go_the_package_that_brings_it_is_named() {
        let error = Go::find(&SIMD, &["/nonexistent/go"]).map(|go| go.release).unwrap_err().to_string();
        assert!(
            error.contains("`golang-go`") && error.contains("simd") && error.contains("1.25.9"),
            "{error}"
        );
    }

    #[test]
    fn a_go_that_is_too_old_is_refused_with_both_versions() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("go");
        fs::write(&old, "#!/bin/sh\necho go version go1.19.8 linux/amd64\n").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
        let error = Go::find(&SIMD, &[old.to_str().unwrap()]).map(|go| go.release).unwrap_err().to_string();
        assert!(error.contains("1.25.9 or newer") && error.contains("is 1.19.8"), "{error}");
    }
}
