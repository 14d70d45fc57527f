//! Tessera's POSIX log on the same disk: loaded from inside its own process, which costs it no HTTP, and over HTTP.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::load::Asked;
use super::wire::{Wire, request};
use crate::install::Peer;
use crate::ports::Port;
use crate::process::Process;
use crate::recipe::TESSERA;
use crate::tlog::TlogReader;

const STARTING: Duration = Duration::from_secs(30);
/// Bytes of an entry: as long as a leaf of ours.
const ENTRY: usize = 71;

/// Tessera, built, and a key for its log.
#[derive(Debug)]
pub(super) struct Tessera {
    peer: Peer,
    home: PathBuf,
}

impl Tessera {
    pub(super) fn install(home: &Path) -> Result<Self> {
        let peer = Peer::install(&TESSERA)?;
        fs::create_dir_all(home)?;
        let (secret, _) = TlogReader::install()?.new_key("log.example/tessera")?;
        fs::write(home.join("key"), secret)?;
        Ok(Self { peer, home: home.to_owned() })
    }

    fn flags<'f>(&self, name: &'f str, more: &[&'f str]) -> Vec<&'f str> {
        [&["-dir", name, "-key", "key"], more].concat()
    }

    /// Loads a log of this name from inside, and removes it. Returns what it found, with the flags.
    pub(super) fn load(&self, name: &str, flags: &[&str]) -> Result<Value> {
        let flags = self.flags(name, flags);
        let said = self.peer.run(&self.home, &flags, "")?;
        let mut found: Value = serde_json::from_str(&said).with_context(|| format!("it said {said:?}"))?;
        found["flags"] = flags.join(" ").into();
        fs::remove_dir_all(self.home.join(name))?;
        Ok(found)
    }

    /// Starts a log of this name as a server.
    pub(super) fn serve(&self, name: &str) -> Result<Server> {
        let port = Port::claim()?;
        let address = port.address().to_string();
        let flags = self.flags(name, &["-listen", &address]);
        let mut command = self.peer.command(&self.home);
        command.args(&flags);
        let mut process = Process::start("tessera", &mut command, &self.home.join(format!("{name}.log")))?;
        let start = Instant::now();
        while Wire::open(port.address()).is_err() {
            process.check()?;
            ensure!(start.elapsed() < STARTING, "tessera does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Server { process, port, folder: self.home.join(name), flags: flags.join(" ") })
    }
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    process: Process,
    port: Port,
    folder: PathBuf,
    pub(super) flags: String,
}

impl Server {
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it and removes its log.
    pub(super) fn remove(self) -> Result<()> {
        // It keeps nothing that is looked at again.
        self.process.kill()?;
        Ok(fs::remove_dir_all(self.folder)?)
    }
}

impl Asked for Server {
    fn server(&self) -> SocketAddr {
        self.port.address()
    }

    fn request(&self, first: u64, count: u64, out: &mut Vec<u8>) {
        assert_eq!(count, 1, "one request is one entry");
        request(out, ("POST", "/add"), "", ENTRY, |out| {
            let before = out.len();
            out.extend_from_slice(format!("{first:020}").as_bytes());
            out.resize(before + ENTRY, b'.');
        });
    }

    fn acknowledged(&self, (status, body): (u16, &[u8]), _: u64) -> Result<Option<()>> {
        match status {
            200 => Ok(Some(())),
            429 => Ok(None),
            _ => bail!("{status}: {}", String::from_utf8_lossy(body)),
        }
    }
}
