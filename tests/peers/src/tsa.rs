//! A time authority (RFC 3161) over HTTP that shares no code with OpenSSL: the package of Digitorus reads the requests and makes
//! the time-stamps.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::http;
use crate::install::Peer;
use crate::ports::Port;
use crate::process::Process;
use crate::recipe::GO_TSA;
use crate::wait;

const STARTING: Duration = Duration::from_secs(30);

/// A running authority with a new root. It ends when it is dropped.
#[derive(Debug)]
pub struct GoTsa {
    process: Process,
    port: Port,
    home: TempDir,
}

impl GoTsa {
    /// Builds it, unless the cache holds it, and starts it.
    ///
    /// # Errors
    /// As [`Peer::install`]; when it does not listen.
    pub fn start() -> Result<Self> {
        let peer = Peer::install(&GO_TSA)?;
        let (home, port) = (tempfile::tempdir()?, Port::claim()?);
        let address = port.address();
        let mut command = peer.command(home.path());
        command.args([&address.to_string(), "."]);
        let mut process = Process::start("go-tsa", &mut command, &home.path().join("log"))?;
        wait::until("the time authority to listen", STARTING, || {
            process.check()?;
            // What has no such path answers all the same.
            Ok(http::get(address, "/").ok().map(drop))
        })?;
        Ok(Self { process, port, home })
    }

    /// Where it stamps as it should, or where it lies: `tsa`, `stranger`, `nonce`, `imprint`.
    #[must_use]
    pub fn url(&self, manner: &str) -> String {
        format!("http://{}/{manner}", self.port.address())
    }

    /// The X.509 certificate of its root, in PEM.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.home.path().join("root.pem")
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}
