//! Which node is asked, and as whom.

use crate::failure::{Failure, Rule};
use crate::keyfile::Key;
use crate::submit::Sender;
use crate::{clock, files, trust};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeugma_client::Client;
use zeugma_proof::{Reliance, TrustFile};

/// Longest token file, in bytes.
const MAX_TOKEN: usize = 1024;

/// A node.
#[derive(Clone, Debug, Args)]
pub(crate) struct Node {
    /// The node's API
    #[arg(long, env = "ZEUGMA_NODE", default_value = "http://127.0.0.1:7780", value_name = "URL")]
    node: String,
    /// The file of the token that the node asks for; or set ZEUGMA_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Verify every certificate and proof under this trust file
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

impl Node {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let mut client = Client::new(&self.node).with_trace(zeugma_telemetry::traceparent);
        if let Some(token) = self.token()? {
            client = client.with_token(&token);
        }
        match &self.trust {
            None => Ok(client),
            Some(path) => Ok(believing(client, &trust::read(path)?)),
        }
    }

    // Never from the command line itself: every account of the machine can read that.
    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.token_file else { return Ok(std::env::var("ZEUGMA_TOKEN").ok()) };
        let bytes = files::read(path, MAX_TOKEN)?;
        match String::from_utf8(bytes) {
            Ok(token) if token.len() <= MAX_TOKEN => Ok(Some(token.trim().to_owned())),
            _ => {
                let what = format!("{} does not hold a token", path.display());
                Err(Failure::usage(what, "name the file that holds the token alone"))
            }
        }
    }
}

/// A client that verifies under the keys of `file`, as another chain does.
pub(super) fn believing(client: Client, file: &TrustFile) -> Client {
    client.with_trust(file.at(clock::now(), Reliance::Destination))
}

/// An account at a node.
#[derive(Clone, Debug, Args)]
pub(crate) struct Account {
    #[command(flatten)]
    node: Node,
    /// The account's key file, of `zeugma keys new account`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Seconds to wait until it is final
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    wait: u64,
}

impl Account {
    pub(super) fn key(&self) -> Result<Key, Failure> {
        let key = Key::read(&self.key)?;
        if key.kind == crate::keyfile::Kind::Account {
            return Ok(key);
        }
        let todo = "name the key of an account; a node's key signs no transaction";
        Err(Failure::own(Rule::NotKeyFile, self.key.display(), "it is the key of a node", todo))
    }

    pub(super) fn sender<'k>(&self, key: &'k Key) -> Result<Sender<'k>, Failure> {
        Sender::new(self.node.client()?, key, self.patience())
    }

    pub(super) const fn patience(&self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

/// Another Zeugma network.
#[derive(Clone, Debug, Args)]
pub(crate) struct Other {
    /// The API of a node of the other network
    #[arg(long, value_name = "URL")]
    other: String,
    /// The other network's trust file: nothing is believed of its node without proof
    #[arg(long, value_name = "FILE")]
    other_trust: PathBuf,
}

impl Other {
    pub(super) fn trust(&self) -> Result<TrustFile, Failure> {
        trust::read(Path::new(&self.other_trust))
    }

    pub(super) fn client(&self) -> Result<Client, Failure> {
        Ok(believing(Client::new(&self.other), &self.trust()?))
    }
}
