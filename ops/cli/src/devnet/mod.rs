//! A network of validators on this machine: real processes of this program, on loopback, in one folder.
//!
//! ```text
//! DIR/trust.json          the trust file, signed by two of three institutions made for this network
//! DIR/genesis.bin         the genesis
//! DIR/account.json        the key of the founding account, which has every role
//! DIR/relayer-N.json      keys of accounts that may bring proofs: each watcher signs with one of its own
//! DIR/token               what a write to any node's API must show
//! DIR/node-N/             configuration, identity, share, storage and log of each validator
//! ```
//!
//! The group key is made by the validators' own key generation, unless a dealer is asked for by name. The
//! network ends with its [`Network`], and its processes end by themselves should this one be killed.

mod files;
mod links;
mod process;

use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::keyfile::{Key, random};
use crate::{clock, families, trust};
use files::{Paths, Seat};
use process::Process;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use zeugma_client::Client;
use zeugma_ledger::bounded::List;
use zeugma_ledger::gov::Parameters;
use zeugma_ledger::{Genesis, Role, Roles};
use zeugma_node::dkg::{self, KeyFile};
use zeugma_proof::{Reliance, TrustFile};
use zeugma_types::Height;

/// Longest time for the key generation of a network on one machine.
const DKG: Duration = Duration::from_secs(120);
/// Longest time until every node has final blocks.
const FIRST_BLOCKS: Duration = Duration::from_secs(90);
/// A network works once this height is final everywhere: a block was built on another.
const WORKS: Height = Height::new(2);
const LOOK: Duration = Duration::from_millis(100);

/// Who makes the group key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyMaking {
    /// The validators, together.
    Together,
    /// One dealer, who then could sign alone.
    InsecureDealer,
}

/// What network to make.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'p> {
    /// Its name, for people.
    pub(crate) name: &'p str,
    /// How many validators.
    pub(crate) validators: u8,
    /// Who makes the group key.
    pub(crate) key: KeyMaking,
    /// How many accounts of relayers there are beside the founding one.
    pub(crate) relayers: u8,
    /// What the network agrees on at its beginning.
    pub(crate) parameters: Parameters,
    /// Public keys of further accounts, each a member: a network that is measured has them. Anyone may submit
    /// payloads there, and no account's allowance bounds it.
    pub(crate) load: &'p [[u8; 32]],
    /// What a byte takes from one validator to another, beside what this machine takes.
    pub(crate) delay: Duration,
}

impl<'p> Plan<'p> {
    /// A network of that name, with nothing unusual.
    pub(crate) fn new(name: &'p str, validators: u8, key: KeyMaking) -> Self {
        // Clients of every family that this program follows; the rest as usual.
        let families = List::new(families::numbers()).expect("a program has few families");
        let parameters = Parameters { families, ..Parameters::default() };
        Self { name, validators, key, relayers: 0, parameters, load: &[], delay: Duration::ZERO }
    }
}

/// A running network.
#[derive(Debug)]
pub(crate) struct Network {
    genesis: Genesis,
    trust: TrustFile,
    transcript: Option<String>,
    token: String,
    account: Key,
    endpoints: Vec<SocketAddr>,
    paths: Paths,
    nodes: Vec<Process>,
    _links: Option<links::Links>,
}

impl Network {
    /// Fewest and most validators of a network on one machine.
    pub(crate) const VALIDATORS: std::ops::RangeInclusive<u8> = 4..=16;

    /// Makes the network in `folder`, which exists and is empty, and waits until it works.
    pub(crate) fn start(
        plan: &Plan<'_>,
        folder: &Path,
        interrupt: &Interrupt,
        tell: &dyn Fn(&str),
    ) -> Result<Self, Failure> {
        tell(&format!("{}: keys, genesis and configurations of {} validators", plan.name, plan.validators));
        let paths = Paths::new(folder);
        let account = Key::generate(crate::keyfile::Kind::Account)?;
        account.write(&paths.account())?;
        let token = hex::encode(*random()?);
        files::write_secret(&paths.token(), token.as_bytes())?;
        let seats = files::seats(plan)?;
        let relayers = files::relayers(&paths, plan.relayers)?;
        let genesis = files::genesis(plan, &seats, &account, &relayers)?;
        let (endpoints, links) = files::write(plan, &paths, &genesis, &seats, &token)?;

        let transcript = match plan.key {
            KeyMaking::Together => {
                tell(&format!("{}: the validators make the group key together", plan.name));
                Some(generate(&paths, &seats, interrupt)?)
            }
            KeyMaking::InsecureDealer => {
                tell(&format!("{}: WARNING: a dealer makes the group key, and could sign alone", plan.name));
                deal(&paths, &genesis)?;
                None
            }
        };
        let share = KeyFile::read(&paths.share(0)).map_err(|why| fault("the first share", why))?;
        let trust = files::trust(&genesis, &share)?;
        crate::files::write_new(
            &paths.trust(),
            trust::to_json(&trust).as_bytes(),
            crate::files::Readers::Anyone,
        )?;

        tell(&format!("{}: {} nodes start", plan.name, plan.validators));
        let nodes = (0..seats.len())
            .map(|place| {
                let config = paths.config(place);
                let arguments =
                    ["node".as_ref(), "--with-parent".as_ref(), "--config".as_ref(), config.as_os_str()];
                Process::start(&format!("{} node {place}", plan.name), &arguments, &paths.log(place))
            })
            .collect::<Result<_, _>>()?;
        let mut network =
            Self { genesis, trust, transcript, token, account, endpoints, paths, nodes, _links: links };
        network.wait_until_final(WORKS, interrupt)?;
        Ok(network)
    }

    /// Waits until every node has this height.
    fn wait_until_final(&mut self, height: Height, interrupt: &Interrupt) -> Result<(), Failure> {
        let end = Instant::now() + FIRST_BLOCKS;
        for place in 0..self.nodes.len() {
            let client = self.client(place);
            // Not reachable is no failure yet: the node may still be opening its storage.
            while !client.status().is_ok_and(|status| status.height >= height) {
                self.check()?;
                if Instant::now() >= end {
                    let what =
                        format!("node {place} has no block {height} after {} s", FIRST_BLOCKS.as_secs());
                    let todo = format!("read {}", self.paths.log(place).display());
                    return Err(Failure::own(Rule::TooSlow, "the network", what, todo));
                }
                interrupt.pause(LOOK)?;
            }
        }
        Ok(())
    }

    /// Fails when a node has ended by itself.
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        self.nodes.iter_mut().try_for_each(Process::check)
    }

    /// The processes of the validators.
    pub(crate) fn processes(&self) -> Vec<u32> {
        self.nodes.iter().map(Process::id).collect()
    }

    /// A client of one node, which may write and which verifies what it is told under the trust file.
    pub(crate) fn client(&self, place: usize) -> Client {
        Client::new(&self.endpoint(place))
            .with_token(&self.token)
            .with_trust(self.trust.at(clock::now(), Reliance::Destination))
    }

    /// Where the API of one node is.
    pub(crate) fn endpoint(&self, place: usize) -> String {
        format!("http://{}", self.endpoints[place % self.endpoints.len()])
    }

    /// Where the APIs are.
    pub(crate) fn endpoints(&self) -> Vec<String> {
        (0..self.endpoints.len()).map(|place| self.endpoint(place)).collect()
    }

    /// The genesis.
    pub(crate) const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The trust file.
    pub(crate) const fn trust(&self) -> &TrustFile {
        &self.trust
    }

    /// Digest of the key generation's transcript; none if a dealer made the key.
    pub(crate) fn transcript(&self) -> Option<&str> {
        self.transcript.as_deref()
    }

    /// What a write must show.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The founding account.
    pub(crate) const fn account(&self) -> &Key {
        &self.account
    }

    /// Where the founding account's key is.
    pub(crate) fn account_file(&self) -> std::path::PathBuf {
        self.paths.account()
    }

    /// Where the keys of the relayers are.
    pub(crate) fn relayer_files(&self) -> Vec<std::path::PathBuf> {
        let relayers = Roles::of(&[Role::Relayer]);
        let count = self.genesis.accounts.iter().filter(|founder| founder.roles == relayers).count();
        (0..count).map(|place| self.paths.relayer(place)).collect()
    }

    /// Where the token is.
    pub(crate) fn token_file(&self) -> std::path::PathBuf {
        self.paths.token()
    }

    /// Where the trust file is.
    pub(crate) fn trust_file(&self) -> std::path::PathBuf {
        self.paths.trust()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // All are asked before any is waited for.
        self.nodes.iter_mut().for_each(Process::ask_to_end);
    }
}

/// Runs the key generation as one process a validator, and gives the digest that all of them name.
fn generate(paths: &Paths, seats: &[Seat], interrupt: &Interrupt) -> Result<String, Failure> {
    let mut running = (0..seats.len())
        .map(|place| {
            let config = paths.config(place);
            let arguments = [
                "dkg".as_ref(),
                "--json".as_ref(),
                "--with-parent".as_ref(),
                "--config".as_ref(),
                config.as_os_str(),
            ];
            Process::start(&format!("the key generation of validator {place}"), &arguments, &paths.log(place))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let end = Instant::now() + DKG;
    let mut said = Vec::new();
    for (place, process) in running.iter_mut().enumerate() {
        let answer = loop {
            interrupt.check()?;
            if let Some(answer) = process.finished()? {
                break answer;
            }
            if Instant::now() >= end {
                let what = format!("validator {place} has none after {} s", DKG.as_secs());
                let todo = format!("read {}", paths.log(place).display());
                return Err(Failure::own(Rule::NoGroupKey, "the key generation", what, todo));
            }
            std::thread::sleep(LOOK / 5);
        };
        let answer: Value =
            serde_json::from_str(&answer).map_err(|why| fault("the key generation's answer", why))?;
        let transcript =
            answer["transcript"].as_str().ok_or_else(|| fault("the key generation's answer", "none"))?;
        said.push(transcript.to_owned());
    }
    let first = said.first().cloned().ok_or_else(|| fault("the key generation", "nobody took part"))?;
    if said.iter().any(|other| *other != first) {
        let what = format!("the validators name different transcripts: {}", said.join(", "));
        return Err(Failure::own(
            Rule::NoGroupKey,
            "the key generation",
            what,
            "keep the folder and report this",
        ));
    }
    Ok(first)
}

fn deal(paths: &Paths, genesis: &Genesis) -> Result<(), Failure> {
    let shares = dkg::insecure_dealer(genesis, *random()?).map_err(|why| fault("the dealer", why))?;
    for (place, share) in shares.iter().enumerate() {
        share.write(&paths.share(place)).map_err(|why| fault("a share", why))?;
    }
    Ok(())
}

/// What cannot be unless this program is wrong.
fn fault(subject: &str, what: impl std::fmt::Display) -> Failure {
    Failure::own(Rule::Unexpected, subject, what, "keep the folder and report this")
}
