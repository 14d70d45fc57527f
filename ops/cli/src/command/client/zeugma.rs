//! Clients of other Zeugma networks.

use super::{agent_failure, now, refused};
use crate::failure::{Failure, Rule};
use crate::output::Report;
use crate::submit::Sender;
use std::sync::Arc;
use zeugma_adapter_core::Family as _;
use zeugma_adapter_zeugma::{Profile, State, Zeugma};
use zeugma_agent::client::{contradiction, update_to_latest};
use zeugma_agent::hub::{Hub, Hubs};
use zeugma_agent::remote::Remote;
use zeugma_client::Client;
use zeugma_ledger::Message;
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::tx::CreateClient;
use zeugma_proof::TrustFile;
use zeugma_types::{ClientId, Encode as _, Height};

/// The message that starts a client at the other network's latest certified header, and that header's height.
pub(super) fn create(
    profile: Profile,
    other: &Client,
    trust: &TrustFile,
) -> Result<(Message, Height), Failure> {
    let certified = other.latest_certified().map_err(|error| Failure::client("the other network", error))?;
    let certified = certified.ok_or_else(|| {
        let what = "it has no certified header yet";
        Failure::own(Rule::NotThere, "the other network", what, "wait for its first block")
    })?;
    let present = trust.eras().last().expect("a trust file has an era");
    let state = State::of(&certified.header, present.committee.group_key.clone());
    let message = Message::CreateClient(CreateClient {
        family: Zeugma::NUMBER,
        profile: Bytes::new(profile.to_bytes()).map_err(refused)?,
        state: Bytes::new(state.to_bytes()).map_err(refused)?,
    });
    Ok((message, certified.header.height))
}

/// The nodes. They are not believed: whatever comes of them is proved under what the client trusts.
fn nodes(urls: &[String]) -> Hubs {
    let node =
        |url: &String| -> Arc<dyn Hub> { Arc::new(Remote::new("the other network", Client::new(url))) };
    Hubs::new("the other network", urls.iter().map(node).collect(), now)
}

/// Moves a client to the other network's latest certified header.
pub(super) fn update(sender: &Sender<'_>, id: &ClientId, urls: &[String]) -> Result<Report, Failure> {
    let hub = Remote::new("the network", sender.client().clone());
    let found = update_to_latest(&hub, id, &nodes(urls), now());
    match found.map_err(|error| agent_failure("the client", error))? {
        Some(update) => super::send(sender, id, vec![update.into()], "moved to the latest certified header"),
        None => {
            let what = "the client stands at the latest certified header";
            Err(Failure::own(Rule::NotThere, id, what, "there is nothing to submit"))
        }
    }
}

/// Compares the nodes, and submits two certified histories where there are.
pub(super) fn misbehaviour(sender: &Sender<'_>, id: &ClientId, urls: &[String]) -> Result<Report, Failure> {
    if urls.len() < 2 {
        return Err(Failure::usage("one node has one history", "give --other URL of two nodes or more"));
    }
    let hub = Remote::new("the network", sender.client().clone());
    let found = contradiction(&hub, id, &nodes(urls), now());
    match found.map_err(|error| agent_failure("the client", error))? {
        Some(evidence) => super::send(sender, id, vec![evidence.into()], "frozen: two certified histories"),
        None => {
            let todo = "there is nothing to submit; the client stays as it is";
            Err(Failure::own(
                Rule::NotThere,
                "the other network",
                "its nodes do not contradict each other",
                todo,
            ))
        }
    }
}
