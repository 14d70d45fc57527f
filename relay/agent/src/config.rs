//! The configuration: one TOML, its relations checked together, with words.
//!
//! ```
//! let text = r#"
//! queue = "/var/lib/zeugma/relay.redb"
//! metrics = "127.0.0.1:9464"
//!
//! [[hub]]
//! name = "north"
//! endpoints = ["http://127.0.0.1:7780", "http://127.0.0.1:7781"]
//! key_file = "/etc/zeugma/relay-north.key"
//!
//! [[hub]]
//! name = "south"
//! endpoints = ["http://127.0.0.1:8780"]
//! key_file = "/etc/zeugma/relay-south.key"
//!
//! [[route]]
//! name = "north-south"
//! a = { hub = "north", client = "zeugma-0" }
//! b = { hub = "south", client = "zeugma-0" }
//!
//! [[cometbft]]
//! chain_id = "cosmoshub-4"
//! endpoints = ["http://127.0.0.1:26657", "http://127.0.0.1:36657"]
//! clients = [{ hub = "north", client = "cometbft-1" }]
//! "#;
//! zeugma_agent::Config::parse(text).unwrap();
//! ```

use crate::error::Error;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use zeugma_types::ClientId;

/// Longest configuration that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// Everything that an operator chooses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The file of the durable queue; made when it is not there. One agent uses it at a time.
    pub queue: PathBuf,
    /// Where metrics are served, on loopback: `127.0.0.1:9464`.
    pub metrics: SocketAddr,
    /// Milliseconds between two rounds of each worker.
    #[serde(default = "Config::default_poll")]
    pub poll_millis: u64,
    /// Milliseconds that one request to a node may take.
    #[serde(default = "Config::default_patience")]
    pub patience_millis: u64,
    /// Most messages of one transaction, the client update among them.
    #[serde(default = "Config::default_messages")]
    pub batch_messages: usize,
    /// Most bytes of one transaction.
    #[serde(default = "Config::default_bytes")]
    pub batch_bytes: usize,
    /// The Zeugma networks.
    #[serde(rename = "hub", default)]
    pub hubs: Vec<HubConfig>,
    /// Packets between two Zeugma networks; both clients are kept fresh too.
    #[serde(rename = "route", default)]
    pub routes: Vec<RouteConfig>,
    /// CometBFT chains, and the clients of them that are kept fresh.
    #[serde(rename = "cometbft", default)]
    pub cometbft: Vec<CometConfig>,
}

/// One Zeugma network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// Its name here: 1 to 32 of `a-z 0-9 -`.
    pub name: String,
    /// Its nodes' APIs, most preferred first. Two or more let misbehaviour be found.
    pub endpoints: Vec<String>,
    /// A file with the token that its nodes ask for, if they do.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// The key file of the account that submits there; nobody else may use that account.
    pub key_file: PathBuf,
}

/// A client on a Zeugma network.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// The network that holds it.
    pub hub: String,
    /// Its identifier: `zeugma-0`.
    pub client: String,
}

/// A route between two Zeugma networks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Its name here: 1 to 32 of `a-z 0-9 -`.
    pub name: String,
    /// One end: a network, and its client of the other.
    pub a: ClientConfig,
    /// The other end.
    pub b: ClientConfig,
}

/// A CometBFT chain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CometConfig {
    /// Its identifier.
    pub chain_id: String,
    /// The RPCs of its nodes, most preferred first. Two or more let misbehaviour be found.
    pub endpoints: Vec<String>,
    /// The clients of it.
    pub clients: Vec<ClientConfig>,
}

impl Config {
    const fn default_poll() -> u64 {
        1_000
    }

    const fn default_patience() -> u64 {
        10_000
    }

    const fn default_messages() -> usize {
        50
    }

    const fn default_bytes() -> usize {
        384 * 1024
    }

    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`Error::Config`] with the relation that does not hold.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let config: Self = toml::from_str(text).map_err(|why| Error::Config(why.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Reads and checks a file. Relative paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`Error::System`] when it cannot be read; as [`Config::parse`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |why: String| Error::system(path.display(), why);
        let length = std::fs::metadata(path).map_err(|why| unreadable(why.to_string()))?.len();
        if length > MAX {
            return Err(unreadable(format!("{length} bytes are more than a configuration has")));
        }
        let mut config =
            Self::parse(&std::fs::read_to_string(path).map_err(|why| unreadable(why.to_string()))?)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let files =
            config.hubs.iter_mut().flat_map(|hub| hub.token_file.iter_mut().chain([&mut hub.key_file]));
        files.chain([&mut config.queue]).for_each(|file| *file = folder.join(&*file));
        Ok(config)
    }

    fn check(&self) -> Result<(), Error> {
        let ensure =
            |holds: bool, relation: String| if holds { Ok(()) } else { Err(Error::Config(relation)) };
        ensure(self.metrics.ip().is_loopback(), "`metrics` listens on loopback only".into())?;
        ensure((10..=600_000).contains(&self.poll_millis), "`poll_millis` is 10 to 600000".into())?;
        ensure((100..=120_000).contains(&self.patience_millis), "`patience_millis` is 100 to 120000".into())?;
        let most = zeugma_ledger::limits::MAX_MESSAGES;
        ensure((2..=most).contains(&self.batch_messages), format!("`batch_messages` is 2 to {most}"))?;
        let most = zeugma_ledger::limits::MAX_TRANSACTION - 1024;
        ensure((65_536..=most).contains(&self.batch_bytes), format!("`batch_bytes` is 65536 to {most}"))?;
        ensure(!self.hubs.is_empty(), "there is a [[hub]]".into())?;
        ensure(
            !self.routes.is_empty() || !self.cometbft.is_empty(),
            "there is a [[route]] or a [[cometbft]] chain to watch".into(),
        )?;

        let mut hubs = BTreeSet::new();
        for hub in &self.hubs {
            ensure(is_name(&hub.name), format!("hub name {:?} is 1 to 32 of a-z 0-9 -", hub.name))?;
            ensure(hubs.insert(hub.name.as_str()), format!("hub {:?} stands once", hub.name))?;
            check_endpoints(&hub.name, &hub.endpoints)?;
        }
        let known = |end: &ClientConfig| {
            ensure(hubs.contains(end.hub.as_str()), format!("hub {:?} is among [[hub]]", end.hub))?;
            let client = ClientId::new(&end.client);
            ensure(client.is_ok(), format!("{:?} is a client's identifier", end.client))
        };
        let (mut names, mut ends) = (BTreeSet::new(), BTreeSet::new());
        for route in &self.routes {
            ensure(is_name(&route.name), format!("route name {:?} is 1 to 32 of a-z 0-9 -", route.name))?;
            ensure(names.insert(route.name.as_str()), format!("route {:?} stands once", route.name))?;
            ensure(route.a.hub != route.b.hub, format!("route {:?} joins two networks", route.name))?;
            for end in [&route.a, &route.b] {
                known(end)?;
                ensure(ends.insert(end), format!("client {} of {} has one worker", end.client, end.hub))?;
            }
        }
        let mut chains = BTreeSet::new();
        for chain in &self.cometbft {
            ensure(chains.insert(&chain.chain_id), format!("chain {:?} stands once", chain.chain_id))?;
            check_endpoints(&chain.chain_id, &chain.endpoints)?;
            ensure(!chain.clients.is_empty(), format!("chain {:?} has a client", chain.chain_id))?;
            for end in &chain.clients {
                known(end)?;
                ensure(ends.insert(end), format!("client {} of {} has one worker", end.client, end.hub))?;
            }
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn check_endpoints(of: &str, endpoints: &[String]) -> Result<(), Error> {
    if endpoints.is_empty() {
        return Err(Error::Config(format!("{of:?} has an endpoint")));
    }
    let distinct: BTreeSet<_> = endpoints.iter().collect();
    if distinct.len() != endpoints.len() {
        return Err(Error::Config(format!("the endpoints of {of:?} are different")));
    }
    match endpoints.iter().find(|endpoint| !endpoint.starts_with("http://")) {
        Some(other) => Err(Error::Config(format!("{other:?} is an address of http://; a proxy may end TLS"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        queue = "relay.redb"
        metrics = "127.0.0.1:9464"
        [[hub]]
        name = "north"
        endpoints = ["http://127.0.0.1:1"]
        key_file = "n.key"
        [[hub]]
        name = "south"
        endpoints = ["http://127.0.0.1:2"]
        key_file = "s.key"
        [[route]]
        name = "r"
        a = { hub = "north", client = "zeugma-0" }
        b = { hub = "south", client = "zeugma-0" }
        [[cometbft]]
        chain_id = "c-1"
        endpoints = ["http://127.0.0.1:3"]
        clients = [{ hub = "north", client = "cometbft-1" }]
    "#;

    #[test]
    fn relations_between_the_fields_are_checked_with_words() {
        Config::parse(GOOD).unwrap();
        for (old, new, word) in [
            ("127.0.0.1:9464", "0.0.0.0:9464", "loopback"),
            ("name = \"south\"", "name = \"north\"", "stands once"),
            ("hub = \"south\"", "hub = \"east\"", "among [[hub]]"),
            ("hub = \"south\"", "hub = \"north\"", "joins two networks"),
            ("client = \"cometbft-1\"", "client = \"zeugma-0\"", "one worker"),
            ("client = \"cometbft-1\"", "client = \"x\"", "identifier"),
            ("[\"http://127.0.0.1:3\"]", "[]", "has an endpoint"),
            ("[\"http://127.0.0.1:3\"]", "[\"https://127.0.0.1:3\"]", "http://"),
            ("queue =", "poll_millis = 1\nqueue =", "poll_millis"),
            ("queue =", "surprise = 1\nqueue =", "surprise"),
            ("name = \"r\"", "name = \"R/1\"", "route name"),
        ] {
            let text = GOOD.replacen(old, new, 1);
            assert_ne!(text, GOOD, "{old} is there");
            let refused = Config::parse(&text).unwrap_err().to_string();
            assert!(refused.contains(word), "{word}: {refused}");
        }
    }
}
