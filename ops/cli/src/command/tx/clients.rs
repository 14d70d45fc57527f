//! Light clients of other chains: their beginning, their updates, their misbehaviour, their recovery.
//!
//! A Zeugma network is followed from its API and its trust file. A client of any family can be made, moved and frozen
//! from the family's own bytes, which another program wrote: they go as they are, and the ledger judges them.

use super::{Ask, Desk, parse_client, refused};
use crate::failure::Failure;
use crate::{files, route, trust};
use clap::{ArgGroup, Args};
use std::path::{Path, PathBuf};
use zeugma_adapter_zeugma::{Certified, Evidence};
use zeugma_client::Client;
use zeugma_ledger::Message;
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::limits::{MAX_CLIENT_STATE, MAX_EVIDENCE, MAX_PROFILE, MAX_UPDATE};
use zeugma_ledger::tx::{
    CancelRecovery, CreateClient, FinishRecovery, ProposeRecovery, SubmitMisbehaviour, UpdateClient,
};
use zeugma_proof::{Endorsement, MAX_PROOF, Proof, TrustFile};
use zeugma_types::{ClientId, Code, Decode as _, Encode as _, Refusal, Span};

/// The bytes of a file, within their bound.
fn bytes<const MAX: usize>(path: &Path) -> Result<Bytes<MAX>, Failure> {
    Bytes::new(files::read(path, MAX)?).map_err(|refusal| Failure::refused(path.display(), refusal))
}

/// Another Zeugma network, where a message may come from it.
fn other(url: &str, trust_file: &Path) -> Result<(Client, TrustFile), Failure> {
    let file = trust::read(trust_file)?;
    Ok((super::super::remote::believing(Client::new(url), &file), file))
}

/// See [`Message::CreateClient`].
#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("from").required(true)))]
pub(crate) struct Create {
    /// The API of a node of the other Zeugma network
    #[arg(long, value_name = "URL", group = "from", requires = "other_trust")]
    other: Option<String>,
    /// The other network's trust file: nothing is believed of its node without proof
    #[arg(long, value_name = "FILE", requires = "other")]
    other_trust: Option<PathBuf>,
    /// Seconds for which its key is believed after the youngest header
    #[arg(long, default_value_t = 24 * 60 * 60, value_name = "SECONDS")]
    trusting_period: u64,
    /// Instead of --other: the number of the family, and its own bytes
    #[arg(long, value_name = "N", group = "from", requires_all = ["profile", "state"])]
    family: Option<u16>,
    /// The family's canonical profile
    #[arg(long, value_name = "FILE", requires = "family")]
    profile: Option<PathBuf>,
    /// The state that is trusted without proof
    #[arg(long, value_name = "FILE", requires = "family")]
    state: Option<PathBuf>,
}

impl Ask for Create {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        match (&self.other, &self.other_trust, self.family, &self.profile, &self.state) {
            (Some(url), Some(trust_file), ..) => {
                let (client, file) = other(url, trust_file)?;
                // Longer than any profile allows, and refused as such, where it would not fit.
                let trusting = Span::millis(self.trusting_period.saturating_mul(1_000));
                Ok(vec![route::create_client(&client, &file, trusting)?])
            }
            (.., Some(family), Some(profile), Some(state)) => {
                let (profile, state) = (bytes::<MAX_PROFILE>(profile)?, bytes::<MAX_CLIENT_STATE>(state)?);
                Ok(vec![Message::CreateClient(CreateClient { family, profile, state })])
            }
            _ => Err(from_where()),
        }
    }
}

fn from_where() -> Failure {
    Failure::usage(
        "it is not said where the other chain's word comes from",
        "give --other and --other-trust, or the family's own bytes",
    )
}

/// See [`Message::RegisterCounterparty`].
#[derive(Debug, Args)]
pub(crate) struct Counterparty {
    /// Our client of the other network
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The other network's client of us
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    counterparty: ClientId,
}

impl Ask for Counterparty {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        Ok(vec![route::register_counterparty(&self.client, &self.counterparty)])
    }
}

/// See [`Message::UpdateClient`].
#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("from").required(true)))]
pub(crate) struct Update {
    /// Our client of the other network
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The API of a node of the other Zeugma network
    #[arg(long, value_name = "URL", group = "from", requires = "other_trust")]
    other: Option<String>,
    /// The other network's trust file: nothing is believed of its node without proof
    #[arg(long, value_name = "FILE", requires = "other")]
    other_trust: Option<PathBuf>,
    /// Instead of --other: the update in the family's own bytes
    #[arg(long, value_name = "FILE", group = "from")]
    update: Option<PathBuf>,
}

impl Ask for Update {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        match (&self.other, &self.other_trust, &self.update) {
            (Some(url), Some(trust_file), _) => {
                Ok(vec![route::update_to_latest(&self.client, &other(url, trust_file)?.0)?])
            }
            (_, _, Some(update)) => Ok(vec![Message::UpdateClient(UpdateClient {
                client: self.client.clone(),
                update: bytes::<MAX_UPDATE>(update)?,
            })]),
            _ => Err(from_where()),
        }
    }
}

/// See [`Message::SubmitMisbehaviour`].
#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("from").required(true)))]
pub(crate) struct Misbehaviour {
    /// Our client of the chain that has two histories
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// Of a Zeugma network: two proof files whose headers one committee cannot both have certified honestly
    #[arg(long, value_name = "PROOF", group = "from", num_args = 2)]
    proofs: Vec<PathBuf>,
    /// Of any family: the evidence in the family's own bytes
    #[arg(long, value_name = "FILE", group = "from")]
    evidence: Option<PathBuf>,
}

/// The header of a proof file with its certificate.
fn certified(path: &Path) -> Result<Certified, Failure> {
    let refused = |refusal| Failure::refused(path.display(), refusal);
    let proof = Proof::from_bytes(&files::read(path, MAX_PROOF)?).map_err(refused)?;
    match proof.endorsement {
        Endorsement::Certificate(certificate) => Ok(Certified { header: proof.header, certificate }),
        Endorsement::Seal(_) => Err(refused(Refusal::new(Code::UnsupportedSuite))),
    }
}

impl Ask for Misbehaviour {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let evidence = match (self.proofs.as_slice(), &self.evidence) {
            ([one, other], _) => {
                let evidence = Evidence { one: certified(one)?, other: certified(other)? };
                Bytes::<MAX_EVIDENCE>::new(evidence.to_bytes()).map_err(refused)?
            }
            (_, Some(path)) => bytes(path)?,
            _ => {
                return Err(Failure::usage(
                    "there is no evidence",
                    "give --proofs ONE OTHER, or --evidence FILE",
                ));
            }
        };
        Ok(vec![Message::SubmitMisbehaviour(SubmitMisbehaviour { client: self.client.clone(), evidence })])
    }
}

/// See [`Message::ProposeRecovery`].
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// The frozen or expired client; it keeps its name and its packets
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// An active client of the same chain with an equal profile, whose state it is to adopt
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    substitute: ClientId,
}

impl Ask for Recover {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let (subject, substitute) = (self.client.clone(), self.substitute.clone());
        Ok(vec![Message::ProposeRecovery(ProposeRecovery { subject, substitute })])
    }
}

/// See [`Message::CancelRecovery`].
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The client that was to recover
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
}

impl Ask for Cancel {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        Ok(vec![Message::CancelRecovery(CancelRecovery { subject: self.client.clone() })])
    }
}

/// See [`Message::FinishRecovery`].
#[derive(Debug, Args)]
pub(crate) struct Finish {
    /// The client that recovers
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
}

impl Ask for Finish {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        Ok(vec![Message::FinishRecovery(FinishRecovery { subject: self.client.clone() })])
    }
}
