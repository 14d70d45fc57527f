//! Transcripts of real nodes, for tests that run without any.
//!
//! A recorded file is the body of one RPC answer, byte for byte. Beside them stand `index.json`, which says what happened
//! at which height and what each proof shows, and a README with the command and the versions. A folder is replaced as a
//! whole or not at all.

mod network;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::rpc::{self, CometRpc};
use crate::{Release, SIMD};

/// The command that makes the transcripts again.
pub const COMMAND: &str = "cargo run -p zeugma-peers -- record cometbft";

/// Records CometBFT v0.38, v1.0 and simd into `out`/`v0.38`, `out`/`v1.0` and `out`/`simd`.
///
/// # Errors
/// When a peer cannot be built or does not do what the transcript is about. Folders already written stay.
pub fn cometbft(out: &Path) -> Result<()> {
    network::record(Release::V0_38, &out.join("v0.38"))?;
    network::record(Release::V1_0, &out.join("v1.0"))?;
    store::record(&SIMD, &out.join("simd"))
}

/// A folder of recorded answers in the making.
struct Folder {
    making: TempDir,
    place: PathBuf,
    files: usize,
}

impl Folder {
    fn new(place: &Path) -> Result<Self> {
        let parent = place.parent().context("a folder of vectors has a parent")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        let making = tempfile::Builder::new().prefix(".recording-").tempdir_in(parent)?;
        Ok(Self { making, place: place.to_owned(), files: 0 })
    }

    /// Saves the answer to `call` as the node sent it.
    fn answer(&mut self, name: &str, rpc: CometRpc, call: &str) -> Result<()> {
        let body = rpc.raw(call)?;
        let answer: Value =
            serde_json::from_str(&body).with_context(|| format!("`{call}` answered {body:?}"))?;
        ensure!(answer.get("result").is_some(), "`{call}` was refused: {}", answer["error"]);
        let places = [Some(std::env::temp_dir()), std::env::var_os("HOME").map(PathBuf::from)];
        for place in places.into_iter().flatten().map(|place| format!("{}/", place.display())) {
            // A home of `/` would be found everywhere.
            ensure!(place.len() < 4 || !body.contains(&place), "the answer to `{call}` names {place}");
        }
        self.files += 1;
        self.write(name, &body)
    }

    /// Saves header and commit of a height.
    fn commit(&mut self, under: &str, rpc: CometRpc, height: u64) -> Result<()> {
        rpc.wait_for_height(height + 1)?;
        self.answer(&format!("{under}{}", commit_file(height)), rpc, &rpc::commit(height))
    }

    /// Saves the validators of a height.
    fn validators(&mut self, under: &str, rpc: CometRpc, height: u64) -> Result<()> {
        self.answer(&format!("{under}{}", validators_file(height)), rpc, &rpc::validators(height))
    }

    /// Writes `index.json` and README, and puts the folder in its place.
    fn finish(self, index: &Value, readme: &str) -> Result<()> {
        let text = serde_json::to_string_pretty(index).expect("a JSON value can be written");
        self.write("index.json", &format!("{text}\n"))?;
        self.write("README.md", readme)?;
        let Self { making, place, files } = self;
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("cannot replace {}", place.display()))?;
        }
        fs::rename(making.keep(), &place)?;
        eprintln!("peers: recorded {files} answers into {}", place.display());
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.making.path().join(name);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

fn commit_file(height: u64) -> String {
    format!("commit-{height:03}.json")
}

fn validators_file(height: u64) -> String {
    format!("validators-{height:03}.json")
}
