//! One `zeugma evidence serve` as a process, loaded through its HTTP API.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::load::Asked;
use super::wire::{Wire, request};
use crate::ports::Port;
use crate::process::{Process, tail};
use crate::wait;

const STARTING: Duration = Duration::from_secs(60);
/// Largest body of a request that is sent here, in bytes.
const BODY: usize = 8 * 1024 * 1024;

/// How a service is configured beside the defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// With one tree in place of two.
    pub(super) one_tree: bool,
    pub(super) publish_milliseconds: Option<u64>,
    /// The rest of the configuration file.
    pub(super) more: String,
    /// The account that anchors, if it is not to be a new one: its seed, in hex.
    pub(super) account: Option<String>,
}

/// A running service.
#[derive(Debug)]
pub(super) struct Service {
    process: Process,
    port: Port,
    program: PathBuf,
    folder: PathBuf,
    bearer: String,
}

impl Service {
    /// Starts one in a new folder.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub(super) fn start(program: &Path, folder: &Path, settings: &Settings) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let port = Port::claim()?;
        let log = folder.join("log");
        let mut text = format!("[log]\nfolder = {log:?}\norigin = \"log.example/bench\"\n");
        if settings.one_tree {
            text.push_str("second = false\n");
        }
        if let Some(every) = settings.publish_milliseconds {
            text.push_str(&format!("publish_milliseconds = {every}\n"));
        }
        text.push_str(&format!(
            "[api]\nlisten = \"{}\"\nbody_bytes = {BODY}\n{}",
            port.address(),
            settings.more
        ));
        fs::write(folder.join("evidence.toml"), text)?;
        if let Some(account) = &settings.account {
            fs::create_dir_all(&log)?;
            let mut keys = json!({ "format": "zeugma-evidence-keys-1", "account": account });
            for (at, name) in
                ["log", "log_mldsa44", "second", "second_mldsa44", "desk"].into_iter().enumerate()
            {
                keys[name] = json!(format!("{:064x}", 0xbe9c + at));
            }
            let mut file = fs::OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(log.join("keys.json"))?;
            std::io::Write::write_all(&mut file, keys.to_string().as_bytes())?;
        }
        let process = Self::spawn(program, folder)?;
        let mut service = Self {
            process,
            port,
            program: program.to_owned(),
            folder: folder.to_owned(),
            bearer: String::new(),
        };
        service.listening()?;
        let token = fs::read_to_string(log.join("token")).context("the service made no token")?;
        service.bearer = format!("Authorization: Bearer {}\r\n", token.trim());
        Ok(service)
    }

    fn spawn(program: &Path, folder: &Path) -> Result<Process> {
        let mut command = Command::new(program);
        command.args(["evidence", "serve", "--json", "--config"]).arg(folder.join("evidence.toml"));
        Process::start("the evidence service", &mut command, &folder.join("stderr"))
    }

    fn listening(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            self.process.check()?;
            if Wire::open(self.address()).is_ok() {
                return Ok(());
            }
            ensure!(
                start.elapsed() < STARTING,
                "the service does not listen:\n{}",
                tail(&self.folder.join("stderr"), 20)
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it as a power cut would end the process, starts it again, and says how long it took until it listened
    /// and until it knew this entry again, which it was deposited as before.
    pub(super) fn restart(self, number: u64) -> Result<(Self, [Duration; 2])> {
        let Self { process, port, program, folder, bearer } = self;
        process.kill()?;
        let start = Instant::now();
        let process = Self::spawn(&program, &folder)?;
        let mut service = Self { process, port, program, folder, bearer };
        service.listening()?;
        let listening = start.elapsed();
        let known = wait::until("the service to take deposits again", STARTING, || {
            let answer = service.deposit(number, 1)?;
            Ok((answer.0 == 200).then_some(answer.1))
        })?;
        let taken = start.elapsed();
        ensure!(known["items"][0]["known"] == true, "an acknowledged entry is not known: {known}");
        Ok((service, [listening, taken]))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks once, on a connection of its own.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> Result<(u16, Vec<u8>)> {
        let mut wire = Wire::open(self.address())?;
        self.ask_on(&mut wire, method, path, body)
    }

    /// Asks on this connection.
    pub(super) fn ask_on(
        &self,
        wire: &mut Wire,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, Vec<u8>)> {
        let mut asking = Vec::new();
        request(&mut asking, (method, path), &self.bearer, body.len(), |out| {
            out.extend_from_slice(body.as_bytes());
        });
        let (status, body) = wire.ask(&asking)?;
        Ok((status, body.to_vec()))
    }

    /// Deposits these and returns the whole answer.
    pub(super) fn deposit(&self, first: u64, count: u64) -> Result<(u16, Value)> {
        let mut asking = Vec::new();
        self.request(first, count, &mut asking);
        let mut wire = Wire::open(self.address())?;
        let (status, body) = wire.ask(&asking)?;
        Ok((status, serde_json::from_slice(body)?))
    }

    /// What `GET /v1/status` says.
    pub(super) fn status(&self) -> Result<Value> {
        let (status, body) = self.ask("GET", "/v1/status", "")?;
        ensure!(status == 200, "status: {status}");
        Ok(serde_json::from_slice(&body)?)
    }

    /// Waits until a checkpoint covers so many entries.
    pub(super) fn published(&self, size: u64) -> Result<()> {
        wait::until(&format!("a checkpoint of {size} entries"), STARTING, || {
            Ok((self.status()?["published"].as_u64() >= Some(size)).then_some(()))
        })
    }

    /// Bytes on disk: segments, tiles and checkpoints, the index.
    pub(super) fn bytes(&self) -> Result<Bytes> {
        let log = self.folder.join("log");
        let (mut segments, mut public) = (0, 0);
        for shard in fs::read_dir(log.join("shards"))? {
            let shard = shard?.path();
            segments += below(&shard.join("segments"))?;
            public += below(&shard.join("public"))?;
        }
        Ok(Bytes { segments, public, index: below(&log.join("index"))? })
    }

    /// Ends it cleanly.
    pub(super) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// What a log takes on disk, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes {
    pub(super) segments: u64,
    pub(super) public: u64,
    pub(super) index: u64,
}

impl Bytes {
    #[expect(clippy::cast_precision_loss, reason = "bytes of a disk are below 2^53")]
    pub(super) fn json(self, entries: u64) -> Value {
        let each = |bytes: u64| (bytes as f64 / entries as f64 * 10.0).round() / 10.0;
        json!({
            "segments_per_entry": each(self.segments),
            "public_per_entry": each(self.public),
            "index_per_entry": each(self.index),
            "per_entry": each(self.segments + self.public + self.index),
        })
    }
}

/// Blocks of all files below a folder, in bytes.
pub(super) fn below(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        // A file may be renamed while we look.
        let Ok(meta) = entry.metadata() else { continue };
        bytes += if meta.is_dir() { below(&entry.path())? } else { meta.blocks() * 512 };
    }
    Ok(bytes)
}

/// An item before and after the digits of its number.
const ITEM: [&str; 2] = [
    "{\"digests\":{\"sha256\":\"",
    "b7d0a3f6c91e5824b7d0a3f6c91e5824b7d0a3f6c91e5824\"},\"media_type\":\"application/pdf\",\"size\":482113,\
     \"origin\":\"a contract archive\"}",
];
const DIGITS: usize = 16;

impl Asked for Service {
    fn server(&self) -> SocketAddr {
        self.address()
    }

    fn request(&self, first: u64, count: u64, out: &mut Vec<u8>) {
        let each = ITEM[0].len() + DIGITS + ITEM[1].len();
        let count = usize::try_from(count).expect("a batch is small");
        let length = 12 + count * each + count.saturating_sub(1);
        request(out, ("POST", "/v1/deposits"), &self.bearer, length, |out| {
            out.extend_from_slice(b"{\"items\":[");
            for (at, number) in (first..).take(count).enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(ITEM[0].as_bytes());
                out.extend_from_slice(&digits(number));
                out.extend_from_slice(ITEM[1].as_bytes());
            }
            out.extend_from_slice(b"]}");
        });
    }

    fn acknowledged(&self, (status, body): (u16, &[u8]), count: u64) -> Result<Option<()>> {
        match status {
            201 => {}
            429 | 503 => return Ok(None),
            _ => bail!("{status}: {}", String::from_utf8_lossy(&body[..body.len().min(500)])),
        }
        // The whole text would be parsed for every answer, in the time that is measured: of each, its ends.
        let ends = body.starts_with(b"{\"items\":[{") && body.ends_with(b"}]}");
        let longer = body.len() as u64 > count * 300;
        ensure!(ends && longer, "an answer of {} bytes for {count} entries", body.len());
        Ok(Some(()))
    }
}

/// A number as digits of a digest, spread over all its values.
fn digits(number: u64) -> [u8; DIGITS] {
    let mut left = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut digits = [0; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[usize::try_from(left & 15).expect("four bits")];
        left >>= 4;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_are_two_digests() {
        let all: std::collections::BTreeSet<_> = (0..10_000).map(digits).collect();
        assert_eq!(all.len(), 10_000);
        assert_eq!(digits(0), [b'0'; DIGITS]);
    }
}
