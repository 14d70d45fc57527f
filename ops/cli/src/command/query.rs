//! `zeugma query`: where things stand, by the word of one node; with `--trust`, proofs are verified first.

mod ledger;

use super::remote::Node;
use super::tx::{event, in_force, parse_32, parse_client, parse_denom};
use crate::failure::{Failure, Rule};
use crate::files::{Readers, write_new};
use crate::output::{Output, Report, plain};
use crate::{clock, parameters, path_text};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use zeugma_client::{Client, Fate, ProofFile, Standing, Under};
use zeugma_ledger::Outcome;
use zeugma_ledger::app::transfer::Denom;
use zeugma_ledger::registry::Kind;
use zeugma_types::{AccountId, ClientId, Height, LeafIndex, LeafPath, Sequence};

/// Questions to a node
#[derive(Debug, Subcommand)]
pub(crate) enum Query {
    /// Where the node stands
    Status {
        #[command(flatten)]
        node: Node,
    },
    /// What a block holds and did
    Block {
        #[command(flatten)]
        node: Node,
        /// Its height
        height: u64,
    },
    /// What became of a transaction
    Tx {
        #[command(flatten)]
        node: Node,
        /// Its name, 64 hexadecimal digits
        #[arg(value_parser = parse_32)]
        id: [u8; 32],
        /// Seconds to wait until it is final
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        wait: u64,
    },
    /// How a light client stands
    Client {
        #[command(flatten)]
        node: Node,
        /// Its name
        #[arg(value_parser = parse_client)]
        client: ClientId,
    },
    /// How a packet stands here
    Packet {
        #[command(flatten)]
        node: Node,
        /// This network's client under which it was sent or is received
        #[arg(value_parser = parse_client)]
        client: ClientId,
        /// Its number
        sequence: u64,
    },
    /// What is held of the packets that came in by a client, and until when
    Holds {
        #[command(flatten)]
        node: Node,
        /// This network's client under which they were received
        #[arg(value_parser = parse_client)]
        client: ClientId,
    },
    /// A packet that is held: what it brought, when it may be released, and when it goes back
    Hold {
        #[command(flatten)]
        node: Node,
        /// This network's client under which it was received
        #[arg(value_parser = parse_client)]
        client: ClientId,
        /// Its number
        sequence: u64,
    },
    /// An account: its roles and its allowance
    Account {
        #[command(flatten)]
        node: Node,
        /// Its name, 64 hexadecimal digits
        #[arg(value_parser = parse_32)]
        id: [u8; 32],
    },
    /// An asset of another chain: all that is here of it, what an account holds, what went out by a client
    Asset {
        #[command(flatten)]
        node: Node,
        /// Its name here: transfer/CLIENT/NAME
        #[arg(value_parser = parse_denom)]
        denom: Denom,
        /// What this account holds of it, 64 hexadecimal digits
        #[arg(long, value_name = "ACCOUNT", value_parser = parse_32)]
        account: Option<[u8; 32]>,
        /// What went out by this client, and how much may go now
        #[arg(long, value_name = "ID", value_parser = parse_client)]
        client: Option<ClientId>,
    },
    /// What is in force under a name of the registry
    Registry {
        #[command(flatten)]
        node: Node,
        /// The kind of entry
        #[arg(value_parser = ledger::parse_kind)]
        kind: Kind,
        /// Its name
        name: String,
    },
    /// The network's parameters in force
    Parameters {
        #[command(flatten)]
        node: Node,
    },
    /// A proposal that gathers approvals
    Proposal {
        #[command(flatten)]
        node: Node,
        /// Its number
        number: u64,
    },
    /// The changes that wait for their height
    Schedule {
        #[command(flatten)]
        node: Node,
    },
    /// The recovery that is proposed for a light client
    Recovery {
        #[command(flatten)]
        node: Node,
        /// The client that is to recover
        #[arg(value_parser = parse_client)]
        client: ClientId,
    },
    /// The proof of a leaf, for `zeugma verify`
    Proof {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        leaf: Leaf,
        /// Prove it under the latest certified header instead of the first that covers it
        #[arg(long)]
        latest: bool,
        /// Where the proof goes; a file that exists is not written over
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// A leaf.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Leaf {
    /// Its position in the outbox
    #[arg(long, value_name = "N")]
    index: Option<u64>,
    /// Its path, as anchor:ORIGIN@SIZE or ibc:CLIENT/commitment/SEQUENCE
    #[arg(long, value_parser = path_text::parse)]
    path: Option<LeafPath>,
}

impl Query {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let report = match self {
            Self::Status { node } => status(&node.client()?)?,
            Self::Block { node, height } => block(&node.client()?, Height::new(height))?,
            Self::Tx { node, id, wait } => transaction(&node.client()?, &id, Duration::from_secs(wait))?,
            Self::Client { node, client } => light_client(&node.client()?, &client)?,
            Self::Packet { node, client, sequence } => {
                packet(&node.client()?, &client, Sequence::new(sequence))?
            }
            Self::Holds { node, client } => ledger::holds(&node.client()?, &client)?,
            Self::Hold { node, client, sequence } => {
                ledger::hold(&node.client()?, &client, Sequence::new(sequence))?
            }
            Self::Account { node, id } => ledger::account(&node.client()?, &AccountId::new(id))?,
            Self::Asset { node, denom, account, client } => {
                let account = account.map(AccountId::new);
                ledger::asset(&node.client()?, &denom, account.as_ref(), client.as_ref())?
            }
            Self::Registry { node, kind, name } => ledger::registry(&node.client()?, kind, &name)?,
            Self::Parameters { node } => lines(parameters::show(&in_force(&node.client()?)?)),
            Self::Proposal { node, number } => ledger::proposal(&node.client()?, number)?,
            Self::Schedule { node } => ledger::schedule(&node.client()?)?,
            Self::Recovery { node, client } => ledger::recovery(&node.client()?, &client)?,
            Self::Proof { node, leaf, latest, out } => {
                let under = if latest { Under::Latest } else { Under::First };
                let found = leaf.fetch(&node.client()?, under)?;
                write_new(&out, &found.bytes, Readers::Anyone)?;
                proof(&found, &out.display().to_string())
            }
        };
        output.report(&report);
        Ok(())
    }
}

impl Leaf {
    fn fetch(&self, client: &Client, under: Under) -> Result<ProofFile, Failure> {
        let found = match (self.index, &self.path) {
            (Some(index), _) => client.proof(LeafIndex::new(index), under),
            (None, Some(path)) => client.proof_of(path, under),
            (None, None) => return Err(Failure::usage("no leaf is named", "give --index or --path")),
        };
        found
            .map_err(|error| Failure::client("the proof", error))?
            .ok_or_else(|| absent("a certified leaf of this name"))
    }
}

fn absent(what: &str) -> Failure {
    Failure::own(
        Rule::NotThere,
        "the node",
        format!("it has not {what}"),
        "check the name, or ask again later",
    )
}

/// One line for each member of a flat object, and the object.
fn lines(json: Value) -> Report {
    let mut text = String::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        let shown = match value {
            Value::String(shown) => shown.clone(),
            Value::Null => continue,
            Value::Array(many) => {
                for one in many {
                    text.push_str(&format!("{}: {}\n", name.replace('_', " "), plain(&one.to_string())));
                }
                continue;
            }
            other => other.to_string(),
        };
        text.push_str(&format!("{}: {}\n", name.replace('_', " "), plain(&shown)));
    }
    Report { text, json }
}

fn status(client: &Client) -> Result<Report, Failure> {
    let status = client.status().map_err(|error| Failure::client("the status", error))?;
    Ok(lines(json!({
        "network": status.network.to_string(),
        "name": status.name,
        "height": status.height.get(),
        "certified_height": status.certified.map(|(height, _)| height.get()),
        "certified_time": status.certified.map(|(_, time)| clock::show(time)),
        "era": status.era.get(),
        "epoch": status.epoch.get(),
        "program": status.program,
        "waiting_transactions": status.waiting_transactions,
        "stopped": status.stopped,
    })))
}

fn block(client: &Client, height: Height) -> Result<Report, Failure> {
    let found = client.block(height).map_err(|error| Failure::client("the block", error))?;
    let block = found.ok_or_else(|| absent("a final block of this height"))?;
    let transactions = block.transactions.iter();
    let transactions =
        transactions.map(|one| json!({ "id": hex::encode(one.id), "outcome": outcome(&one.outcome) }));
    let leaves = block.leaves.iter().map(|leaf| {
        json!({ "index": leaf.index.get(), "path": path_text::show(&leaf.path), "value": leaf.value.to_string() })
    });
    Ok(lines(json!({
        "height": block.header.height.get(),
        "time": clock::show(block.header.time),
        "digest": block.header.digest().to_string(),
        "outbox": block.header.outbox.size.get(),
        "transactions": transactions.collect::<Vec<_>>(),
        "leaves": leaves.collect::<Vec<_>>(),
        "events": block.events.iter().map(|told| event(&told.event)).collect::<Vec<_>>(),
    })))
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome.refusal() {
        None => json!("done"),
        Some(refusal) => json!({
            "refused": refusal.code.name(),
            "code": refusal.code.number(),
            "needed": refusal.needed(),
            "found": refusal.found(),
        }),
    }
}

fn transaction(client: &Client, id: &[u8; 32], wait: Duration) -> Result<Report, Failure> {
    let fate = client.wait(id, wait).map_err(|error| Failure::client("the transaction", error))?;
    Ok(lines(match fate {
        Fate::Unknown => json!({ "status": "unknown" }),
        Fate::Waiting => json!({ "status": "waiting" }),
        Fate::Dropped { refusal } => {
            json!({ "status": "dropped", "refused": refusal.code.name(), "code": refusal.code.number() })
        }
        Fate::Final { height, number, outcome: became } => {
            json!({ "status": "final", "height": height.get(), "number": number, "outcome": outcome(&became) })
        }
    }))
}

fn light_client(client: &Client, id: &ClientId) -> Result<Report, Failure> {
    let found = client.light_client(id).map_err(|error| Failure::client("the client", error))?;
    let found = found.ok_or_else(|| absent("a light client of this name"))?;
    let status = match found.status {
        Standing::Active => "active",
        Standing::Frozen => "frozen",
        Standing::Expired => "expired",
    };
    Ok(lines(json!({
        "client": id.as_str(),
        "family": found.family_name,
        "status": status,
        "latest_height": found.latest.get(),
        "expires_at": found.expires_at.map(clock::show),
        "frozen_at_height": found.frozen.map(|(height, _)| height.get()),
        "finality": found.finality,
        "counterparty": found.counterparty.map(|id| id.as_str().to_owned()),
    })))
}

fn packet(client: &Client, id: &ClientId, sequence: Sequence) -> Result<Report, Failure> {
    let slots = client.packet(id, sequence).map_err(|error| Failure::client("the packet", error))?;
    Ok(lines(json!({
        "after_block": slots.height.get(),
        "commitment": slots.commitment.map(|value| value.to_string()),
        "receipt": slots.receipt.map(|receipt| receipt.name()),
        "acknowledgement": slots.acknowledgement.map(|value| value.to_string()),
    })))
}

fn proof(found: &ProofFile, out: &str) -> Report {
    let leaf = &found.proof.leaf;
    lines(json!({
        "wrote": out,
        "bytes": found.bytes.len(),
        "leaf": found.proof.inclusion.index.get(),
        "path": path_text::show(&leaf.path),
        "value": leaf.value.to_string(),
        "time": clock::show(leaf.time),
        "under_block": found.proof.header.height.get(),
        "verified": found.proven.is_some(),
    }))
}
