//! `zeugma tx`: one transaction of an account, from typed arguments, and what became of it.
//!
//! A refusal by the network ends with its code, whether it was refused at the door or in a block.

use super::remote::{Account, Other};
use crate::failure::Failure;
use crate::output::{Output, Report};
use crate::submit::Done;
use crate::{clock, files, route};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use zeugma_ledger::bounded::{Bytes, List, Maybe, Text};
use zeugma_ledger::evidence::LogKey;
use zeugma_ledger::limits::{MAX_NOTE, MAX_OPAQUE};
use zeugma_ledger::tx::{AnchorLog, Opaque, RegisterOrigin};
use zeugma_ledger::{Effect, Event, Message, Outcome};
use zeugma_types::{ClientId, Refusal, Sequence, Span, UnixSeconds};

/// A transaction: it is signed here, submitted, and waited for
#[derive(Debug, Subcommand)]
pub(crate) enum Tx {
    /// Put bytes on the chain that it orders and does not read
    Opaque {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        payload: Payload,
    },
    /// Register an evidence log
    RegisterOrigin {
        #[command(flatten)]
        account: Account,
        /// The log's origin: the first line of its checkpoints
        #[arg(long, value_name = "TEXT")]
        origin: String,
        /// The log's Ed25519 public key, 64 hexadecimal digits
        #[arg(long, value_name = "HEX", value_parser = parse_32)]
        log_key: [u8; 32],
    },
    /// Anchor a checkpoint of an evidence log
    Anchor {
        #[command(flatten)]
        account: Account,
        /// The log's origin
        #[arg(long, value_name = "TEXT")]
        origin: String,
        /// The checkpoint: a signed note, as the log publishes it
        #[arg(long, value_name = "FILE")]
        note: PathBuf,
        /// The hashes of the RFC 9162 consistency proof from the size anchored last, in order
        #[arg(long, value_name = "HEX", value_parser = parse_32, value_delimiter = ',')]
        consistency: Vec<[u8; 32]>,
    },
    /// Follow another Zeugma network by light client, from its latest certified header on
    CreateClient {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        other: Other,
        /// Seconds for which its key is believed after the youngest header
        #[arg(long, default_value_t = 24 * 60 * 60, value_name = "SECONDS")]
        trusting_period: u64,
    },
    /// Name, once, the other network's client of this one
    RegisterCounterparty {
        #[command(flatten)]
        account: Account,
        /// Our client of the other network
        #[arg(long, value_name = "ID", value_parser = parse_client)]
        client: ClientId,
        /// The other network's client of us
        #[arg(long, value_name = "ID", value_parser = parse_client)]
        counterparty: ClientId,
    },
    /// Move a light client to the other network's latest certified header
    UpdateClient {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        other: Other,
        /// Our client of the other network
        #[arg(long, value_name = "ID", value_parser = parse_client)]
        client: ClientId,
    },
    /// Send a message to another network
    Send {
        #[command(flatten)]
        account: Account,
        /// Our client of the other network
        #[arg(long, value_name = "ID", value_parser = parse_client)]
        client: ClientId,
        /// Seconds from now until receiving is refused there
        #[arg(long, default_value_t = 60 * 60, value_name = "SECONDS")]
        timeout: u64,
        /// What is said
        #[arg(long)]
        text: String,
    },
    /// Bring a packet here that another network sent
    Receive {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        other: Other,
        #[command(flatten)]
        packet: PacketName,
    },
    /// Bring back here the answer to a packet that this network sent
    Acknowledge {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        other: Other,
        #[command(flatten)]
        packet: PacketName,
    },
    /// Close here a packet that another network sent and that came too late
    ClaimTimeout {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        other: Other,
        #[command(flatten)]
        packet: PacketName,
    },
    /// Take back here a packet that this network sent and that the other closed
    Timeout {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        other: Other,
        #[command(flatten)]
        packet: PacketName,
    },
}

/// Bytes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Payload {
    /// The bytes as text
    #[arg(long)]
    text: Option<String>,
    /// The file that holds the bytes, or - for stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// A packet.
#[derive(Debug, Args)]
pub(crate) struct PacketName {
    /// The sender's client of the receiver
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The packet's number under that client
    #[arg(long, value_name = "N")]
    sequence: u64,
}

pub(super) fn parse_32(text: &str) -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "it has 64 hexadecimal digits".to_owned())?;
    Ok(bytes)
}

pub(super) fn parse_client(text: &str) -> Result<ClientId, String> {
    ClientId::new(text).map_err(|refusal| refusal.to_string())
}

impl Tx {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let account = self.account();
        let (key, patience) = (account.key()?, account.patience());
        let sender = account.sender(&key)?;
        let here = sender.client();
        let messages = match &self {
            Self::Opaque { payload, .. } => {
                let bytes = match (&payload.text, &payload.file) {
                    (Some(text), _) => text.clone().into_bytes(),
                    (None, Some(file)) => files::read(file, MAX_OPAQUE)?,
                    (None, None) => {
                        return Err(Failure::usage("there is no payload", "give --text or --file"));
                    }
                };
                vec![Message::Opaque(Opaque { payload: Bytes::new(bytes).map_err(refused)? })]
            }
            Self::RegisterOrigin { origin, log_key, .. } => {
                let (origin, key) = (Text::new(origin).map_err(refused)?, LogKey { ed25519: *log_key });
                vec![Message::RegisterOrigin(RegisterOrigin { origin, key, second: Maybe(None) })]
            }
            Self::Anchor { origin, note, consistency, .. } => vec![Message::Anchor(AnchorLog {
                origin: Text::new(origin).map_err(refused)?,
                note: Bytes::new(files::read(note, MAX_NOTE)?).map_err(refused)?,
                consistency: List::new(consistency.clone()).map_err(refused)?,
                second: Maybe(None),
            })],
            Self::CreateClient { other, trusting_period, .. } => {
                // Longer than any profile allows, and refused as such, where it would not fit.
                let trusting = Span::millis(trusting_period.saturating_mul(1_000));
                vec![route::create_client(&other.client()?, &other.trust()?, trusting)?]
            }
            Self::RegisterCounterparty { client, counterparty, .. } => {
                vec![route::register_counterparty(client, counterparty)]
            }
            Self::UpdateClient { client, other, .. } => {
                vec![route::update_to_latest(client, &other.client()?)?]
            }
            Self::Send { client, timeout, text, .. } => {
                let timeout = UnixSeconds::new(clock::now().whole_seconds().get().saturating_add(*timeout));
                vec![route::send(client, &key.account(), timeout, text.as_bytes())?]
            }
            Self::Receive { other, packet, .. } => {
                let other = other.client()?;
                let packet = route::find_sent(&other, &packet.client, Sequence::new(packet.sequence))?;
                let proof =
                    route::proof(&other, &route::Paths::of(&packet).commitment, None, patience, None)?;
                route::receive(&packet, &proof.proof)?
            }
            Self::ClaimTimeout { other, packet, .. } => {
                let other = other.client()?;
                let packet = route::find_sent(&other, &packet.client, Sequence::new(packet.sequence))?;
                let proof =
                    route::proof(&other, &route::Paths::of(&packet).commitment, None, patience, None)?;
                route::claim_timeout(&packet, &proof.proof)?
            }
            Self::Acknowledge { other, packet, .. } => {
                let other = other.client()?;
                let packet = route::find_sent(here, &packet.client, Sequence::new(packet.sequence))?;
                let answer = route::find_answer(&other, &packet)?;
                let proof =
                    route::proof(&other, &route::Paths::of(&packet).acknowledgement, None, patience, None)?;
                route::acknowledge(&packet, &answer, &proof.proof)?
            }
            Self::Timeout { other, packet, .. } => {
                let other = other.client()?;
                let packet = route::find_sent(here, &packet.client, Sequence::new(packet.sequence))?;
                let proof = route::proof(&other, &route::Paths::of(&packet).closed, None, patience, None)?;
                route::timeout(&packet, &proof.proof)?
            }
        };
        let done = sender.send(messages)?;
        output.report(&report(&done));
        Ok(())
    }

    const fn account(&self) -> &Account {
        match self {
            Self::Opaque { account, .. }
            | Self::RegisterOrigin { account, .. }
            | Self::Anchor { account, .. }
            | Self::CreateClient { account, .. }
            | Self::RegisterCounterparty { account, .. }
            | Self::UpdateClient { account, .. }
            | Self::Send { account, .. }
            | Self::Receive { account, .. }
            | Self::Acknowledge { account, .. }
            | Self::ClaimTimeout { account, .. }
            | Self::Timeout { account, .. } => account,
        }
    }
}

fn refused(refusal: Refusal) -> Failure {
    Failure::refused("the message", refusal)
}

fn report(done: &Done) -> Report {
    let id = hex::encode(done.id);
    let events: Vec<Value> = done.events.iter().map(event).collect();
    let mut text = format!("final in block {}\ntransaction: {id}\n", done.height);
    for told in &done.events {
        let event = event(told);
        let parts = event.as_object().into_iter().flatten().filter(|(name, _)| *name != "name");
        let parts: Vec<String> = parts.map(|(name, value)| format!("{name} {value}")).collect();
        text.push_str(&format!("{}: {}\n", told.name(), crate::output::plain(&parts.join(", "))));
    }
    let effects: Vec<&str> = match &done.outcome {
        Outcome::Done { messages } => messages.iter().map(|effect| effect_name(*effect)).collect(),
        Outcome::Refused { .. } | Outcome::NotAdmitted { .. } => Vec::new(),
    };
    text.push_str(&format!("messages: {}\n", effects.join(", ")));
    let json =
        json!({ "transaction": id, "height": done.height.get(), "messages": effects, "events": events });
    Report { text, json }
}

const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Applied => "applied",
        Effect::AlreadyDone => "already done",
    }
}

/// An event with what the next command needs of it.
pub(super) fn event(event: &Event) -> Value {
    let mut json = json!({ "name": event.name() });
    let mut put = |name: &str, value: Value| json[name] = value;
    match event {
        Event::PacketSent(sent) => {
            put("client", sent.packet.source_client.as_str().into());
            put("sequence", sent.packet.sequence.get().into());
            put("leaf", sent.index.get().into());
        }
        Event::AcknowledgementWritten(written) => {
            put("client", written.client.as_str().into());
            put("sequence", written.sequence.get().into());
            put("leaf", written.index.get().into());
        }
        Event::PacketClosed(closed) => {
            put("client", closed.client.as_str().into());
            put("sequence", closed.sequence.get().into());
            put("leaf", closed.index.get().into());
        }
        Event::ClientCreated(created) => {
            put("client", created.client.as_str().into());
            put("height", created.height.get().into());
        }
        Event::ClientUpdated(updated) => {
            put("client", updated.client.as_str().into());
            put("height", updated.height.get().into());
        }
        Event::Anchored(anchored) => {
            put("size", anchored.size.get().into());
            put("leaf", anchored.index.get().into());
        }
        _ => {}
    }
    json
}
