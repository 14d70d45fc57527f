//! Readers and a witness of C2SP logs, as their authors ship them.
//!
//! | peer | what it does |
//! |---|---|
//! | [`TlogReader`] | Go's `sumdb/note` and `sumdb/tlog` open the checkpoint and prove entries and growth from tiles |
//! | [`TesseraFsck`] | rebuilds the tree from the entry bundles and compares every tile |
//! | [`Omniwitness`] | a C2SP `tlog-witness`: cosigns a checkpoint that grew from the last it saw |
//! | [`WitnessClient`] | asks a witness to cosign, and verifies what was cosigned |

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Response};
use crate::install::Peer;
use crate::ports::Port;
use crate::process::{Process, tail};
use crate::recipe::{OMNIWITNESS, TESSERA_FSCK, TLOG_READER, WITNESS_CLIENT};
use crate::wait;

const STARTING: Duration = Duration::from_secs(30);
/// Files that fsck fetches at one time.
const WORKERS: &str = "4";

/// Go's own packages for transparency logs, as a program.
#[derive(Debug)]
pub struct TlogReader {
    peer: Peer,
    home: TempDir,
}

impl TlogReader {
    /// Builds it, unless the cache holds it.
    ///
    /// # Errors
    /// As [`Peer::install`].
    pub fn install() -> Result<Self> {
        Ok(Self { peer: Peer::install(&TLOG_READER)?, home: tempfile::tempdir()? })
    }

    /// Reads the log at `url`: proves every `step`th entry and those at the edges of tiles, and that each of the
    /// `older` signed checkpoints is of the same log. Says what it read.
    ///
    /// # Errors
    /// When a signature, a tile, a bundle or a proof does not hold; the message has what the package said.
    pub fn read(&self, url: &str, key: &str, step: u64, older: &[&str]) -> Result<Value> {
        let (mut names, step) = (Vec::new(), step.to_string());
        for (at, note) in older.iter().enumerate() {
            names.push(format!("older-{at}"));
            fs::write(self.home.path().join(&names[at]), note)?;
        }
        let mut args = vec!["read", url, key, &step];
        args.extend(names.iter().map(String::as_str));
        let said = self.peer.run(self.home.path(), &args, "")?;
        serde_json::from_str(&said).with_context(|| format!("the reader said {said:?}"))
    }

    /// The consistency proof from a size to the newest checkpoint, which nobody checked: a hash in base64 each.
    ///
    /// # Errors
    /// When the checkpoint or a tile does not hold, or the log is smaller.
    pub fn prove(&self, url: &str, key: &str, size: u64) -> Result<Vec<String>> {
        let said = self.peer.run(self.home.path(), &["prove", url, key, &size.to_string()], "")?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    pub(crate) fn new_key(&self, name: &str) -> Result<(String, String)> {
        let said = self.peer.run(self.home.path(), &["keygen", name], "")?;
        let (secret, public) = said.trim().split_once('\n').context("a key has two lines")?;
        Ok((secret.to_owned(), public.to_owned()))
    }
}

/// Tessera's `fsck`.
#[derive(Debug)]
pub struct TesseraFsck {
    peer: Peer,
    home: TempDir,
}

impl TesseraFsck {
    /// Builds it, unless the cache holds it.
    ///
    /// # Errors
    /// As [`Peer::install`].
    pub fn install() -> Result<Self> {
        Ok(Self { peer: Peer::install(&TESSERA_FSCK)?, home: tempfile::tempdir()? })
    }

    /// Checks the whole log at `url`, `http://…/` or `file:///…/`, and gives the size it found sound.
    ///
    /// # Errors
    /// When it found a fault or did not say that all is well; the message has what it wrote.
    pub fn check(&self, url: &str, key: &str) -> Result<u64> {
        let (home, log) = (self.home.path(), self.home.path().join("log"));
        fs::write(home.join("key"), key)?;
        let mut command = self.peer.command(home);
        command.args(["-ui=false", "-N", WORKERS, "-public_key", "key", "-storage_url", url]);
        let ended = command.stderr(fs::File::create(&log)?).status().context("fsck")?;
        let said = tail(&log, 40);
        ensure!(ended.success() && !said.contains("fsck failed"), "fsck: {ended}\n{said}");
        // It ends with success whatever it found, so only its own sentence counts.
        let (_, rest) = said
            .split_once("Successfully fsck'd log with size ")
            .with_context(|| format!("fsck:\n{said}"))?;
        let size = rest.split(' ').next().and_then(|size| size.parse().ok());
        size.with_context(|| format!("fsck:\n{said}"))
    }
}

/// A log that a witness knows.
#[derive(Clone, Debug)]
pub struct KnownLog {
    /// Its origin.
    pub origin: String,
    /// Its key, as a `vkey`.
    pub key: String,
}

/// A running omniwitness with a database of its own. Dropping it ends it.
#[derive(Debug)]
pub struct Omniwitness {
    process: Process,
    peer: Peer,
    port: Port,
    home: TempDir,
    key: String,
}

impl Omniwitness {
    /// Starts a witness of these logs under this name, with a new key that `reader` made.
    ///
    /// # Errors
    /// When it cannot be built or does not listen.
    pub fn start(name: &str, logs: &[KnownLog], reader: &TlogReader) -> Result<Self> {
        let peer = Peer::install(&OMNIWITNESS)?;
        let home = tempfile::tempdir()?;
        let (secret, key) = reader.new_key(name)?;
        fs::write(home.path().join("secret"), secret)?;
        let mut known = "Logs:\n".to_owned();
        for log in logs {
            known.push_str(&format!("  - Origin: {}\n    PublicKey: {}\n", log.origin, log.key));
        }
        fs::write(home.path().join("logs.yaml"), known)?;
        let port = Port::claim()?;
        let process = Self::run(&peer, home.path(), &port)?;
        Ok(Self { process, peer, port, home, key })
    }

    fn run(peer: &Peer, home: &Path, port: &Port) -> Result<Process> {
        let address = port.address();
        let mut command = peer.command(home);
        command.args(["-listen", &address.to_string(), "-metrics_listen", "", "-db_file", "witness.db"]);
        command.args(["-private_key_path", "secret", "-additional_logs", "logs.yaml"]);
        let mut process = Process::start("omniwitness", &mut command, &log(home))?;
        wait::until("the witness to listen", STARTING, || {
            process.check()?;
            // What has no such path answers all the same.
            Ok(http::get(address, "/").ok().map(drop))
        })?;
        Ok(process)
    }

    /// Ends it and starts it again: what it has seen is in its database.
    ///
    /// # Errors
    /// When it does not end or start.
    pub fn restart(self) -> Result<Self> {
        let Self { process, peer, port, home, key } = self;
        process.stop()?;
        let process = Self::run(&peer, home.path(), &port)?;
        Ok(Self { process, peer, port, home, key })
    }

    /// Its public key as Go's `note` writes it: type 1, as of a log. Its cosignatures are of type 4.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// `add-checkpoint` of `tlog-witness`: 200 with the cosignature lines, 409 with the size that it has or for another
    /// root at that size, 422 for a proof that does not hold, 403 without the log's signature, 404 for no log of its.
    ///
    /// # Errors
    /// When it does not answer, or ended.
    pub fn add_checkpoint(&mut self, old_size: u64, proof: &[String], checkpoint: &str) -> Result<Response> {
        self.process.check()?;
        let mut body = format!("old {old_size}\n");
        for hash in proof {
            body.push_str(hash);
            body.push('\n');
        }
        body.push('\n');
        body.push_str(checkpoint);
        let answer = http::post(self.address(), "/add-checkpoint", &[], body.as_bytes())?;
        if answer.status >= 500 {
            bail!(
                "the witness answered {}; it wrote last:\n{}",
                answer.status,
                tail(&log(self.home.path()), 25)
            );
        }
        Ok(answer)
    }
}

/// The client of the transparency-dev project, as a program.
#[derive(Debug)]
pub struct WitnessClient {
    peer: Peer,
    home: TempDir,
}

impl WitnessClient {
    /// Builds it, unless the cache holds it.
    ///
    /// # Errors
    /// As [`Peer::install`].
    pub fn install() -> Result<Self> {
        Ok(Self { peer: Peer::install(&WITNESS_CLIENT)?, home: tempfile::tempdir()? })
    }

    /// Asks the witness at `url` to cosign. What the client makes of the answer: `cosigned` with the lines, `stale` with the
    /// size that the witness has, `root mismatch`, `invalid proof`, `no valid signature`, `unknown log`, `old size invalid`.
    ///
    /// # Errors
    /// When the witness does not answer, or not as the specification says.
    pub fn update(&self, url: &str, old: u64, proof: &[String], checkpoint: &str) -> Result<String> {
        fs::write(self.home.path().join("checkpoint"), checkpoint)?;
        let input: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
        self.peer.run(self.home.path(), &["update", url, &old.to_string(), "checkpoint"], &input)
    }

    /// Opens a checkpoint with keys of logs and witnesses, each of which must have signed it.
    ///
    /// # Errors
    /// When one did not, or its signature does not hold.
    pub fn verify(&self, checkpoint: &str, keys: &[&str]) -> Result<String> {
        fs::write(self.home.path().join("checkpoint"), checkpoint)?;
        let args: Vec<&str> = ["verify", "checkpoint"].into_iter().chain(keys.iter().copied()).collect();
        self.peer.run(self.home.path(), &args, "")
    }
}

fn log(home: &Path) -> PathBuf {
    home.join("log")
}
