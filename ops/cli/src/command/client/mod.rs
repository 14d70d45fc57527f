//! `zeugma client`: light clients of other chains, from the first header to recovery.
//!
//! What the other chain's nodes say is proved here first, as the network will prove it again: a wrong endpoint costs
//! time. Only where a client begins is something believed, and the operator says what: a header by its hash, or a
//! trust file. Each chain goes by its family, which the profile or the client itself names; the watcher
//! (`zeugma relay run`) does by itself what is done here by hand.

mod comet;
mod key;
mod look;
mod zeugma;

pub(super) use comet::{
    Begin, Pace, create as create_comet, endpoints, follow as follow_comet, update as update_comet,
};
pub(super) use key::{Shown, StoreFile};

use super::remote::{Account, Node, believing};
use super::tx::{parse_32, parse_client};
use crate::clock;
use crate::failure::{Failure, Rule};
use crate::output::{Output, Report};
use crate::submit::{Done, Sender};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use zeugma_agent::hub;
use zeugma_ledger::Message;
use zeugma_ledger::tx::{CancelRecovery, FinishRecovery, ProposeRecovery};
use zeugma_profiles::Profile;
use zeugma_types::{BlockTime, ClientId, Refusal};

/// A light client of another chain
#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// Start a client by a profile: of a CometBFT chain from a header whose hash you give, of a Zeugma network from its
    /// trust file
    Create(Create),
    /// Move a client to the other chain's newest header, or to one in between
    Update(Update),
    /// Whether a client is active, frozen or expired, and until when
    Status {
        #[command(flatten)]
        node: Node,
        /// Its name
        #[arg(value_parser = parse_client)]
        client: ClientId,
    },
    /// Every client of the network
    List {
        #[command(flatten)]
        node: Node,
    },
    /// All that the network holds of a client: profile, trusted states, a recovery that waits
    Show {
        #[command(flatten)]
        node: Node,
        /// Its name
        #[arg(value_parser = parse_client)]
        client: ClientId,
    },
    /// Compare the other chain's nodes; where they prove two histories, submit that, which freezes the client
    Misbehaviour {
        #[command(flatten)]
        account: Account,
        /// The client
        #[arg(value_parser = parse_client)]
        client: ClientId,
        #[command(flatten)]
        nodes: Nodes,
    },
    /// Recover a frozen or expired client by a substitute, in two steps with a delay between
    #[command(subcommand)]
    Recover(Recover),
    /// Prove what a store of the other chain holds under a key: a file that anyone verifies offline
    ProveKey(key::Prove),
    /// Verify such a file offline
    VerifyKey(key::Verify),
}

/// See [`Client::Create`].
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    account: Account,
    /// The profile: a TOML file, or the name of one that comes with the program (cosmoshub-4, local-cometbft, ...)
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    #[command(flatten)]
    nodes: Nodes,
    /// CometBFT: height of the first header that is trusted; the newest if nothing is said
    #[arg(long, value_name = "N", requires = "rpc")]
    height: Option<u64>,
    /// CometBFT: its hash, as you have it from somebody you trust
    #[arg(long, value_name = "HEX", value_parser = parse_32, requires_all = ["rpc", "height"])]
    hash: Option<[u8; 32]>,
    /// CometBFT: believe what the nodes given say of the first header; its hash is printed, compare it elsewhere
    #[arg(long, requires = "rpc", conflicts_with = "hash")]
    first_use: bool,
    /// Zeugma: the other network's trust file, from which the client starts
    #[arg(long, value_name = "FILE", requires = "other")]
    other_trust: Option<PathBuf>,
}

/// The other chain's nodes.
#[derive(Clone, Debug, Args)]
#[group(id = "nodes", required = true, multiple = true)]
pub(crate) struct Nodes {
    /// The RPC of a node of the CometBFT chain, most preferred first; may be given several times
    #[arg(long, value_name = "URL", group = "nodes", conflicts_with = "other")]
    rpc: Vec<String>,
    /// The API of a node of the other Zeugma network; may be given several times
    #[arg(long, value_name = "URL", group = "nodes")]
    other: Vec<String>,
}

/// See [`Client::Update`].
#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    account: Account,
    /// The client
    #[arg(value_parser = parse_client)]
    client: ClientId,
    #[command(flatten)]
    nodes: Nodes,
    /// CometBFT: not further than this height
    #[arg(long, value_name = "N", requires = "rpc")]
    to: Option<u64>,
    /// CometBFT: verify every header on the way instead of skipping as far as trust reaches
    #[arg(long, requires = "rpc")]
    every_header: bool,
}

/// See [`Client::Recover`].
#[derive(Debug, Subcommand)]
pub(crate) enum Recover {
    /// Ask, as a guardian, that a client adopt the state of a substitute after the network's delay
    Propose {
        #[command(flatten)]
        account: Account,
        /// The frozen or expired client
        #[arg(value_parser = parse_client)]
        client: ClientId,
        /// An active client of the same chain with the same profile
        #[arg(long, value_name = "ID", value_parser = parse_client)]
        substitute: ClientId,
    },
    /// Take a recovery back that waits
    Cancel {
        #[command(flatten)]
        account: Account,
        /// The client that was to recover
        #[arg(value_parser = parse_client)]
        client: ClientId,
    },
    /// Adopt the substitute's state once the delay is over
    Finish {
        #[command(flatten)]
        account: Account,
        /// The client that recovers
        #[arg(value_parser = parse_client)]
        client: ClientId,
    },
}

impl Client {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let report = match self {
            Self::Create(create) => create.run()?,
            Self::Update(update) => update.run(output)?,
            Self::Status { node, client } => look::status(&node.client()?, &client)?,
            Self::List { node } => look::list(&node.client()?)?,
            Self::Show { node, client } => look::show(&node.client()?, &client)?,
            Self::Misbehaviour { account, client, nodes } => {
                let key = account.key()?;
                let sender = account.sender(&key)?;
                match nodes {
                    Nodes { rpc, other } if other.is_empty() => comet::misbehaviour(&sender, &client, &rpc)?,
                    Nodes { other, .. } => zeugma::misbehaviour(&sender, &client, &other)?,
                }
            }
            Self::Recover(recover) => recover.run()?,
            Self::ProveKey(prove) => prove.run()?,
            Self::VerifyKey(verify) => verify.run()?,
        };
        output.report(&report);
        Ok(())
    }
}

impl Create {
    fn run(self) -> Result<Report, Failure> {
        let key = self.account.key()?;
        let sender = self.account.sender(&key)?;
        let trust = self.other_trust.as_deref().map(crate::trust::read).transpose()?;
        let profile = read_profile(&self.profile, trust.as_ref().map(|trust| trust.network))?;
        match profile {
            Profile::CometBft(profile) => {
                if self.nodes.rpc.is_empty() {
                    return Err(Failure::usage("the profile is of a CometBFT chain", "give --rpc URL"));
                }
                let begin = match (self.height, self.hash, self.first_use) {
                    (Some(height), Some(hash), _) => Begin::At { height, hash },
                    (height, _, true) => Begin::FirstUse { height },
                    _ => {
                        let todo = "give --height N and --hash HEX from somebody you trust; or --first-use, and compare \
                                    the hash that is printed";
                        return Err(Failure::usage("it is not said which header is trusted", todo));
                    }
                };
                let (message, header) = create_comet(profile, &self.nodes.rpc, &begin)?;
                let done = sender.send(vec![message])?;
                let client = crate::route::created(&done.events)?;
                Ok(begun(&done, &client, "cometbft", header.height.get(), Some(hex::encode(header.hash()))))
            }
            Profile::Ethereum(_) => {
                let todo =
                    "this command reads no beacon node yet; it follows CometBFT chains and Zeugma networks";
                Err(Failure::usage("the profile is of an Ethereum chain", todo))
            }
            Profile::Zeugma(profile) => {
                let (Some(url), Some(trust)) = (self.nodes.other.first(), &trust) else {
                    let todo = "give --other URL and --other-trust FILE";
                    return Err(Failure::usage("the profile is of a Zeugma network", todo));
                };
                let (message, height) =
                    zeugma::create(profile, &believing(zeugma_client::Client::new(url), trust), trust)?;
                let done = sender.send(vec![message])?;
                let client = crate::route::created(&done.events)?;
                Ok(begun(&done, &client, "zeugma", height.get(), None))
            }
        }
    }
}

fn begun(done: &Done, client: &ClientId, family: &str, height: u64, hash: Option<String>) -> Report {
    let mut text =
        format!("client: {client}\nfollows from height: {height}\nfinal in block: {}\n", done.height);
    if let Some(hash) = &hash {
        text.push_str(&format!("hash of its first header: {hash}\n"));
    }
    let json = json!({
        "client": client.as_str(),
        "family": family,
        "height": height,
        "hash": hash,
        "block": done.height.get(),
        "transaction": hex::encode(done.id),
    });
    Report { text, json }
}

impl Update {
    fn run(self, output: &Output) -> Result<Report, Failure> {
        let key = self.account.key()?;
        let sender = self.account.sender(&key)?;
        if !self.nodes.other.is_empty() {
            return zeugma::update(&sender, &self.client, &self.nodes.other);
        }
        let pace = if self.every_header { Pace::EveryHeader } else { Pace::Skipping };
        let tell = |line: &str| output.progress(line);
        let moved = update_comet(&sender, &self.client, &self.nodes.rpc, self.to, pace, &tell)?;
        let text = format!(
            "client: {}\nfrom height: {}\nto height: {}\nsteps: {}\ntransactions: {}\n",
            self.client, moved.from, moved.to, moved.steps, moved.transactions
        );
        let json = json!({
            "client": self.client.as_str(),
            "from": moved.from.get(),
            "to": moved.to.get(),
            "steps": moved.steps,
            "transactions": moved.transactions,
        });
        Ok(Report { text, json })
    }
}

impl Recover {
    fn run(self) -> Result<Report, Failure> {
        let (account, subject, message) = match self {
            Self::Propose { account, client, substitute } => {
                let subject = client.clone();
                (account, subject, Message::from(ProposeRecovery { subject: client, substitute }))
            }
            Self::Cancel { account, client } => {
                (account, client.clone(), Message::from(CancelRecovery { subject: client }))
            }
            Self::Finish { account, client } => {
                (account, client.clone(), Message::from(FinishRecovery { subject: client }))
            }
        };
        let key = account.key()?;
        let sender = account.sender(&key)?;
        let done = sender.send(vec![message])?;
        let ready = look::recovery(sender.client(), &subject)?.map(|waiting| waiting.ready_at);
        let mut text = format!("client: {subject}\nfinal in block: {}\n", done.height);
        if let Some(ready) = ready {
            text.push_str(&format!("recovery can be finished at: {}\n", clock::show(ready)));
        }
        let json = json!({
            "client": subject.as_str(),
            "block": done.height.get(),
            "transaction": hex::encode(done.id),
            "recovery_ready_at": ready.map(clock::show),
        });
        Ok(Report { text, json })
    }
}

/// The profile in a file, or one that comes with the program.
pub(super) fn read_profile(
    path: &std::path::Path,
    network: Option<zeugma_types::NetworkId>,
) -> Result<Profile, Failure> {
    let shipped = path.to_str().filter(|_| !path.exists()).and_then(zeugma_profiles::shipped);
    let read = match shipped {
        Some(text) => zeugma_profiles::parse(text, network),
        None => zeugma_profiles::read(path, network),
    };
    read.map_err(|error| match error {
        zeugma_profiles::Error::Refused(refusal) => Failure::refused(path.display(), refusal),
        error => Failure::usage(
            format!("{}: {error}", path.display()),
            "correct the profile; adapters/profiles has examples that explain every key",
        ),
    })
}

/// Sends messages as one transaction, or says that there is nothing to do.
fn send(
    sender: &Sender<'_>,
    client: &ClientId,
    messages: Vec<Message>,
    what: &str,
) -> Result<Report, Failure> {
    let done = sender.send(messages)?;
    let text = format!("client: {client}\n{what}\nfinal in block: {}\n", done.height);
    let json = json!({
        "client": client.as_str(),
        "done": what,
        "block": done.height.get(),
        "transaction": hex::encode(done.id),
    });
    Ok(Report { text, json })
}

/// Why a client, as its network holds it, or the other chain could not be read or proved.
pub(super) fn agent_failure(subject: &str, error: zeugma_agent::Error) -> Failure {
    use zeugma_agent::Error;
    match error {
        Error::Hub(hub::Error::Refused { refusal, .. }) | Error::Refused(refusal) => {
            Failure::refused(subject, *refusal)
        }
        Error::Hub(error @ hub::Error::Silent { .. }) => {
            Failure::unreachable(format!("{subject}: {error}"), "start the node, or name another")
        }
        Error::Hub(error @ hub::Error::Odd { .. }) => {
            Failure::own(Rule::Declined, subject, error, "check that the address is the API of a Zeugma node")
        }
        Error::Comet(error) => endpoint_failure(subject, error),
        error @ (Error::Queue(_) | Error::Config(_) | Error::System { .. }) => {
            Failure::usage(format!("{subject}: {error}"), "put right what it says")
        }
    }
}

/// Why the nodes of a CometBFT chain gave nothing that is proved.
pub(super) fn endpoint_failure(subject: &str, error: zeugma_endpoint_cometbft::Error) -> Failure {
    use zeugma_endpoint_cometbft::Error;
    match error {
        Error::Refused { endpoint, refusal } => Failure::refused(format!("{subject}, {endpoint}"), *refusal),
        Error::TooFar { .. } => {
            Failure::own(Rule::Declined, subject, error, "go there in parts: --to HEIGHT, several times")
        }
        error => Failure::unreachable(
            format!("{subject}: {error}"),
            "check that the address is the RPC of a CometBFT node, or name another with --rpc http://HOST:PORT",
        ),
    }
}

fn refused(refusal: Refusal) -> Failure {
    Failure::refused("the message", refusal)
}

fn now() -> BlockTime {
    clock::now()
}
