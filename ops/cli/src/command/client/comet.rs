//! Clients of CometBFT chains.

use super::{agent_failure, endpoint_failure, now, refused};
use crate::failure::{Failure, Rule};
use crate::output::Report;
use crate::submit::Sender;
use std::sync::Arc;
use std::time::Duration;
use zeugma_adapter_cometbft::header::Header;
use zeugma_adapter_cometbft::{CometBft, Profile, State, Update};
use zeugma_adapter_core::Family as _;
use zeugma_agent::client::{load, load_state};
use zeugma_agent::remote::Remote;
use zeugma_endpoint_cometbft::{Comparison, Endpoint, Endpoints, Finding, Followed, Http, Source as _};
use zeugma_ledger::Message;
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::tx::{CreateClient, SubmitMisbehaviour, UpdateClient};
use zeugma_types::{ClientId, Code, Encode as _, Height, Refusal};

/// For one answer of a node.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most messages and most bytes of them in one transaction: well inside the ledger's bounds, so that one transaction
/// does not spend what an account has saved up.
const MESSAGES: usize = 16;
const BYTES: usize = 300 * 1024;

/// Which header is trusted without proof.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) enum Begin {
    /// The one of this hash.
    At {
        /// Its height.
        height: u64,
        /// Its hash.
        hash: [u8; 32],
    },
    /// Whatever all the nodes say of this height, or of the newest.
    FirstUse {
        /// The height.
        height: Option<u64>,
    },
}

/// How a client goes to a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Pace {
    /// As far at once as trust reaches.
    Skipping,
    /// Over every header.
    EveryHeader,
}

/// Where an update led.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) struct Moved {
    pub(in crate::command) from: Height,
    pub(in crate::command) to: Height,
    pub(in crate::command) steps: usize,
    pub(in crate::command) transactions: usize,
}

/// The nodes of a chain.
pub(in crate::command) fn endpoints(chain: &str, rpcs: &[String]) -> Endpoints {
    let endpoint = |url: &String| Endpoint::new(Arc::new(Http::new(url, PATIENCE)));
    Endpoints::new(chain, rpcs.iter().map(endpoint).collect())
}

fn subject(chain: &str) -> String {
    format!("chain {chain}")
}

/// The message that starts a client, and the header that it starts from.
pub(in crate::command) fn create(
    profile: Profile,
    rpcs: &[String],
    begin: &Begin,
) -> Result<(Message, Header), Failure> {
    let chain = profile.chain_id.clone();
    let subject = subject(&chain);
    let failed = |error| endpoint_failure(&subject, error);
    let endpoints = endpoints(&chain, rpcs);
    let newest = endpoints.status(now()).map_err(failed)?.latest;
    let (height, hash) = match *begin {
        Begin::At { height, hash } => (Height::new(height), Some(hash)),
        // The one before the newest: every node has it with its commit.
        Begin::FirstUse { height } => {
            let height = height.map_or(newest.previous().unwrap_or(newest), Height::new);
            if let Comparison::Differ { .. } = endpoints.compare(height, now()).map_err(failed)? {
                let what = format!("the nodes name two headers of height {height}");
                let todo = "find out which chain is meant, and give its header with --height and --hash";
                return Err(Failure::own(Rule::Declined, &subject, what, todo));
            }
            (height, None)
        }
    };
    let header = endpoints.ask(now(), |node| node.signed_header(height)).map_err(failed)?.header;
    if let Some(hash) = hash.filter(|hash| *hash != header.hash()) {
        let refusal = Refusal::new(Code::WrongCommit).needed(hash).found(header.hash());
        return Err(Failure::refused(format!("{subject}, header {height}"), refusal));
    }
    if header.chain_id != chain {
        let refusal = Refusal::new(Code::WrongChain).needed(chain).found(header.chain_id);
        return Err(Failure::refused(subject, refusal));
    }
    let message = Message::CreateClient(CreateClient {
        family: CometBft::NUMBER,
        profile: Bytes::new(profile.to_bytes()).map_err(refused)?,
        state: Bytes::new(State::of(&header).to_bytes()).map_err(refused)?,
    });
    Ok((message, header))
}

/// The chain followed from where `begin` says, for nobody but ourselves.
pub(in crate::command) fn follow(
    profile: Profile,
    rpcs: &[String],
    begin: &Begin,
) -> Result<Followed, Failure> {
    let (_, header) = create(profile.clone(), rpcs, begin)?;
    Followed::new(profile, State::of(&header)).map_err(refused)
}

/// Moves a client to the newest header, or as far as `to`, in as many transactions as it takes.
pub(in crate::command) fn update(
    sender: &Sender<'_>,
    id: &ClientId,
    rpcs: &[String],
    to: Option<u64>,
    pace: Pace,
    tell: &dyn Fn(&str),
) -> Result<Moved, Failure> {
    let hub = Remote::new("the network", sender.client().clone());
    let ours = |error| agent_failure("the client", error);
    let client = load::<CometBft>(&hub, id).map_err(ours)?;
    let from = client.latest().height;
    let trusted = load_state::<CometBft>(&hub, id, from).map_err(ours)?;
    let subject = subject(&client.profile.chain_id);
    let failed = |error| endpoint_failure(&subject, error);
    let endpoints = endpoints(&client.profile.chain_id, rpcs);
    let newest = endpoints.status(now()).map_err(failed)?.latest;
    let target = to.map_or(newest, Height::new);
    let mut followed = Followed::new(client.profile, trusted).map_err(refused)?;
    let goals = match pace {
        Pace::Skipping => target.get()..=target.get(),
        Pace::EveryHeader => from.get().saturating_add(1)..=target.get(),
    };
    let (mut waiting, mut length) = (Vec::new(), 0);
    let mut moved = Moved { from, to: from, steps: 0, transactions: 0 };
    let submit = |moved: &mut Moved, waiting: &mut Vec<Update>| -> Result<(), Failure> {
        let Some(last) = waiting.last() else { return Ok(()) };
        moved.to = last.signed_header.header.height;
        moved.steps += waiting.len();
        let messages = waiting.drain(..).map(|step| message(id, &step)).collect::<Result<Vec<_>, _>>()?;
        sender.send(messages)?;
        moved.transactions += 1;
        tell(&format!("{id} is at height {}", moved.to));
        Ok(())
    };
    for goal in goals {
        for step in endpoints.walk(&mut followed, Height::new(goal), now()).map_err(failed)? {
            let bytes = step.to_bytes().len();
            if waiting.len() == MESSAGES || length + bytes > BYTES {
                submit(&mut moved, &mut waiting)?;
                length = 0;
            }
            length += bytes;
            waiting.push(step);
        }
    }
    submit(&mut moved, &mut waiting)?;
    Ok(moved)
}

fn message(id: &ClientId, step: &Update) -> Result<Message, Failure> {
    let update = Bytes::new(step.to_bytes()).map_err(refused)?;
    Ok(UpdateClient { client: id.clone(), update }.into())
}

/// Compares the nodes, and submits two histories where they prove them.
pub(super) fn misbehaviour(sender: &Sender<'_>, id: &ClientId, rpcs: &[String]) -> Result<Report, Failure> {
    if rpcs.len() < 2 {
        return Err(Failure::usage("one node has one history", "give --rpc URL of two nodes or more"));
    }
    let hub = Remote::new("the network", sender.client().clone());
    let ours = |error| agent_failure("the client", error);
    let client = load::<CometBft>(&hub, id).map_err(ours)?;
    let subject = subject(&client.profile.chain_id);
    let failed = |error| endpoint_failure(&subject, error);
    let endpoints = endpoints(&client.profile.chain_id, rpcs);
    let nothing = |what: String| {
        Failure::own(Rule::NotThere, &subject, what, "there is nothing to submit; the client stays as it is")
    };
    let Some((height, 2..)) = endpoints.common_height(now()) else {
        return Err(Failure::unreachable(format!("{subject}: fewer than two nodes answer"), "name others"));
    };
    let Comparison::Differ { one, other } = endpoints.compare(height, now()).map_err(failed)? else {
        return Err(nothing(format!("the nodes agree on height {height}")));
    };
    let mut trusted = Vec::new();
    for stored in client.stored() {
        trusted.push(load_state::<CometBft>(&hub, id, stored.height).map_err(ours)?);
    }
    let found = endpoints.examine(&client.profile, &trusted, (one, other), height, now()).map_err(failed)?;
    match found {
        Finding::Agreed => Err(nothing(format!("the nodes agree on height {height} after all"))),
        Finding::Lied { endpoint, refusal } => {
            let liar = rpcs.get(endpoint).cloned().unwrap_or_default();
            Err(nothing(format!("what {liar} says is not the chain's: {refusal}")))
        }
        Finding::Misbehaviour { updates, evidence, at } => {
            let mut messages =
                updates.iter().map(|step| message(id, step)).collect::<Result<Vec<_>, Failure>>()?;
            let evidence = Bytes::new(evidence.to_bytes()).map_err(refused)?;
            messages.push(SubmitMisbehaviour { client: id.clone(), evidence }.into());
            super::send(sender, id, messages, &format!("frozen: two headers of height {}", at.height))
        }
    }
}
