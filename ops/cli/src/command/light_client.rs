//! `zeugma light-client follow PROFILE`: a light client of its own. No relay chain, no account: a profile, where trust
//! begins, and nodes that are not believed.
//!
//! A family plugs in as a [`Follower`]: it takes what nodes say through the family's own rules, the same that the
//! ledger runs, and gives the heads that they accept.

use super::client::{Begin, endpoint_failure, endpoints, follow_comet, read_profile};
use super::remote::believing;
use super::tx::parse_32;
use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::output::{Output, Report};
use crate::{clock, trust};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use zeugma_adapter_cometbft::CometBft;
use zeugma_adapter_core::Family as _;
use zeugma_adapter_zeugma::{Certified, State, Update, Zeugma};
use zeugma_client::Client;
use zeugma_endpoint_cometbft::{Endpoints, Followed};
use zeugma_profiles::Profile;
use zeugma_types::{BlockTime, Height};

/// A light client of its own
#[derive(Debug, Subcommand)]
pub(crate) enum LightClient {
    /// Follow a chain by its profile, and print each head that is proved
    Follow(Follow),
}

/// See [`LightClient::Follow`].
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// The profile: a TOML file, or the name of one that comes with the program (cosmoshub-4, local-cometbft, ...)
    profile: PathBuf,
    /// CometBFT: the RPC of a node, most preferred first; may be given several times
    #[arg(long, value_name = "URL", conflicts_with = "other")]
    rpc: Vec<String>,
    /// Zeugma: the API of a node
    #[arg(long, value_name = "URL")]
    other: Option<String>,
    /// Zeugma: the network's trust file, from which the client starts
    #[arg(long, value_name = "FILE", requires = "other")]
    other_trust: Option<PathBuf>,
    /// CometBFT: height of the first header that is trusted
    #[arg(long, value_name = "N", requires = "rpc")]
    height: Option<u64>,
    /// CometBFT: its hash, as you have it from somebody you trust
    #[arg(long, value_name = "HEX", value_parser = parse_32, requires_all = ["rpc", "height"])]
    hash: Option<[u8; 32]>,
    /// CometBFT: believe what the nodes given say of the first header; its hash is printed, compare it elsewhere
    #[arg(long, requires = "rpc", conflicts_with = "hash")]
    first_use: bool,
    /// Heads to print before it ends; without it, until Ctrl-C
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    heads: Option<u64>,
    /// Milliseconds between two looks
    #[arg(long, value_name = "MILLIS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..))]
    every: u64,
}

/// A head that was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    height: Height,
    time: BlockTime,
    hash: String,
}

/// A chain of one family, followed.
trait Follower {
    /// The family.
    fn family(&self) -> &'static str;

    /// The head that is trusted now.
    fn head(&self) -> Head;

    /// Goes to the newest head that the nodes prove; whether there was a newer one.
    ///
    /// # Errors
    /// What the nodes said is refused, or they do not answer.
    fn advance(&mut self, now: BlockTime) -> Result<bool, Failure>;
}

struct Comet {
    endpoints: Endpoints,
    followed: Followed,
    subject: String,
}

impl Follower for Comet {
    fn family(&self) -> &'static str {
        CometBft::NAME
    }

    fn head(&self) -> Head {
        let state = self.followed.trusted();
        Head { height: state.height, time: CometBft::time(state), hash: hex::encode(state.header_hash) }
    }

    fn advance(&mut self, now: BlockTime) -> Result<bool, Failure> {
        let failed = |error| endpoint_failure(&self.subject, error);
        let newest = self.endpoints.status(now).map_err(failed)?.latest;
        if newest <= self.followed.trusted().height {
            return Ok(false);
        }
        let steps = self.endpoints.walk(&mut self.followed, newest, now).map_err(failed)?;
        Ok(!steps.is_empty())
    }
}

struct Network {
    client: Client,
    profile: zeugma_adapter_zeugma::Profile,
    trusted: State,
}

impl Follower for Network {
    fn family(&self) -> &'static str {
        Zeugma::NAME
    }

    fn head(&self) -> Head {
        let State { height, time, digest, .. } = &self.trusted;
        Head { height: *height, time: *time, hash: digest.to_string() }
    }

    fn advance(&mut self, now: BlockTime) -> Result<bool, Failure> {
        let newest = self.client.latest_certified().map_err(|error| Failure::client("the network", error))?;
        let Some(newest) = newest.filter(|newest| newest.header.height > self.trusted.height) else {
            return Ok(false);
        };
        let target = Certified { header: newest.header, certificate: newest.certificate };
        let update = Update { handovers: Vec::new(), target };
        let verified = Zeugma::verify_update(&self.profile, &self.trusted, &update, now);
        self.trusted = verified.map_err(|refusal| Failure::refused("a header", refusal))?;
        Ok(true)
    }
}

impl LightClient {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let Self::Follow(follow) = self;
        follow.run(output)
    }
}

impl Follow {
    fn run(&self, output: &Output) -> Result<(), Failure> {
        let interrupt = Interrupt::listen()?;
        let mut follower = self.begin()?;
        let mut heads: Vec<Value> = Vec::new();
        let begin = follower.head();
        output.progress(&format!(
            "{}: trusted from height {}, {}, hash {}",
            follower.family(),
            begin.height,
            clock::show(begin.time),
            begin.hash
        ));
        let most = usize::try_from(self.heads.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        while heads.len() < most {
            if follower.advance(clock::now())? {
                let Head { height, time, hash } = follower.head();
                output.progress(&format!("proved: height {height}, {}, hash {hash}", clock::show(time)));
                // Without an end nothing is kept of what was said.
                if self.heads.is_some() {
                    heads.push(json!({ "height": height.get(), "time": clock::show(time), "hash": hash }));
                }
            }
            if heads.len() < most && interrupt.pause(Duration::from_millis(self.every)).is_err() {
                break;
            }
        }
        let last = follower.head();
        let text = format!("at height {}, {}\n", last.height, clock::show(last.time));
        let json = json!({
            "family": follower.family(),
            "trusted_from": { "height": begin.height.get(), "hash": begin.hash },
            "heads": heads,
            "height": last.height.get(),
            "time": clock::show(last.time),
            "hash": last.hash,
        });
        output.report(&Report { text, json });
        Ok(())
    }

    /// Where trust begins.
    fn begin(&self) -> Result<Box<dyn Follower>, Failure> {
        let file = self.other_trust.as_deref().map(trust::read).transpose()?;
        match read_profile(&self.profile, file.as_ref().map(|file| file.network))? {
            Profile::CometBft(profile) => {
                if self.rpc.is_empty() {
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
                let subject = format!("chain {}", profile.chain_id);
                let endpoints = endpoints(&profile.chain_id, &self.rpc);
                let followed = follow_comet(profile, &self.rpc, &begin)?;
                Ok(Box::new(Comet { endpoints, followed, subject }))
            }
            Profile::Zeugma(profile) => {
                let (Some(url), Some(file)) = (&self.other, &file) else {
                    let todo = "give --other URL and --other-trust FILE";
                    return Err(Failure::usage("the profile is of a Zeugma network", todo));
                };
                let client = believing(Client::new(url), file);
                let first =
                    client.latest_certified().map_err(|error| Failure::client("the network", error))?;
                let first = first.ok_or_else(|| {
                    let what = "it has no certified header yet";
                    Failure::own(Rule::NotThere, "the network", what, "wait for its first block")
                })?;
                let present = file.eras().last().expect("a trust file has an era");
                let trusted = State::of(&first.header, present.committee.group_key.clone());
                // From here on the family's own rules judge, and not the client of the API.
                Ok(Box::new(Network { client: Client::new(url), profile, trusted }))
            }
            Profile::Ethereum(_) => {
                let todo =
                    "this command reads no beacon node; it follows CometBFT chains and Zeugma networks";
                Err(Failure::usage("the profile is of an Ethereum chain", todo))
            }
        }
    }
}
