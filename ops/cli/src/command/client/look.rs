//! How clients stand, by the word of one node.

use super::agent_failure;
use crate::clock;
use crate::failure::{Failure, Rule};
use crate::output::{Report, plain};
use serde_json::{Map, Value, json};
use zeugma_adapter_cometbft::{CometBft, Store};
use zeugma_adapter_core::Family as _;
use zeugma_adapter_zeugma::Zeugma;
use zeugma_agent::client::{load, load_state};
use zeugma_agent::hub;
use zeugma_agent::remote::Remote;
use zeugma_client::{Client, LightClient, Standing};
use zeugma_ledger::Slot;
use zeugma_ledger::gov::Counters;
use zeugma_ledger::ibc::Recovery;
use zeugma_types::ClientId;

const fn word(status: Standing) -> &'static str {
    match status {
        Standing::Active => "active",
        Standing::Frozen => "frozen",
        Standing::Expired => "expired",
    }
}

fn ask(node: &Client, id: &ClientId) -> Result<Option<LightClient>, Failure> {
    node.light_client(id).map_err(|error| Failure::client("the client", error))
}

fn require(node: &Client, id: &ClientId) -> Result<LightClient, Failure> {
    ask(node, id)?.ok_or_else(|| {
        let todo = "the names are in `zeugma client list`";
        Failure::own(Rule::NotThere, "the node", format!("it has no client {id}"), todo)
    })
}

fn brief(id: &ClientId, client: &LightClient) -> Value {
    json!({
        "client": id.as_str(),
        "family": client.family_name,
        "status": word(client.status),
        "latest_height": client.latest.get(),
        "expires_at": client.expires_at.map(clock::show),
        "frozen_at_height": client.frozen.map(|(height, _)| height.get()),
        "counterparty": client.counterparty.as_ref().map(ClientId::as_str),
    })
}

/// One line for each member that is there.
fn lines(json: &Value) -> String {
    let mut text = String::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        let name = name.replace('_', " ");
        match value {
            Value::Null => {}
            Value::Object(parts) => {
                text.push_str(&format!("{name}:\n"));
                for (part, value) in parts {
                    text.push_str(&format!("  {}: {}\n", part.replace('_', " "), shown(value)));
                }
            }
            Value::Array(each) => {
                text.push_str(&format!("{name}: {}\n", each.len()));
                for one in each {
                    let parts = one.as_object().into_iter().flatten();
                    let parts: Vec<String> = parts
                        .map(|(part, value)| format!("{} {}", part.replace('_', " "), shown(value)))
                        .collect();
                    text.push_str(&format!("  {}\n", parts.join(", ")));
                }
            }
            other => text.push_str(&format!("{name}: {}\n", shown(other))),
        }
    }
    text
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        other => other.to_string(),
    }
}

/// `zeugma client status`.
pub(super) fn status(node: &Client, id: &ClientId) -> Result<Report, Failure> {
    let json = brief(id, &require(node, id)?);
    Ok(Report { text: lines(&json), json })
}

/// `zeugma client list`.
pub(super) fn list(node: &Client) -> Result<Report, Failure> {
    let hub = Remote::new("the network", node.clone());
    let counters: Option<Counters> =
        hub::load(&hub, Slot::Counters).map_err(|error| agent_failure("the clients", error.into()))?;
    let mut clients = Vec::new();
    for number in 0..counters.map_or(0, |counters| counters.next_client) {
        // A client's name is its family's with its number.
        for family in [CometBft::NAME, Zeugma::NAME] {
            let id = ClientId::new(&format!("{family}-{number}"))
                .map_err(|refusal| Failure::refused("a client's name", refusal))?;
            if let Some(client) = ask(node, &id)? {
                clients.push(brief(&id, &client));
                break;
            }
        }
    }
    let mut text = String::new();
    for client in &clients {
        let at = |name: &str| shown(&client[name]);
        text.push_str(&format!(
            "{}: {}, at height {}, expires at {}\n",
            at("client"),
            at("status"),
            at("latest_height"),
            at("expires_at")
        ));
    }
    if clients.is_empty() {
        text.push_str("there is none\n");
    }
    Ok(Report { text, json: json!({ "clients": clients }) })
}

/// The recovery of a client that waits.
pub(super) fn recovery(node: &Client, id: &ClientId) -> Result<Option<Recovery>, Failure> {
    let hub = Remote::new("the network", node.clone());
    hub::load(&hub, Slot::Recovery(id)).map_err(|error| agent_failure("the recovery", error.into()))
}

/// `zeugma client show`.
pub(super) fn show(node: &Client, id: &ClientId) -> Result<Report, Failure> {
    let client = require(node, id)?;
    let hub = Remote::new("the network", node.clone());
    let ours = |error| agent_failure("the client", error);
    let mut json = brief(id, &client);
    json["finality"] = client.finality.clone().into();
    json["profile"] = match client.family {
        CometBft::NUMBER => {
            let held = load::<CometBft>(&hub, id).map_err(ours)?;
            let newest = load_state::<CometBft>(&hub, id, held.latest().height).map_err(ours)?;
            json["latest_hash"] = hex::encode(newest.header_hash).into();
            let profile = held.profile;
            let (numerator, denominator) =
                (profile.trust_level.numerator(), profile.trust_level.denominator());
            json!({
                "chain_id": profile.chain_id,
                "trust_level": format!("{numerator}/{denominator}"),
                "trusting_period_seconds": profile.trusting_period.get() / 1_000,
                "unbonding_period_seconds": profile.unbonding_period.get() / 1_000,
                "max_drift_seconds": profile.max_drift.get() / 1_000,
                "store": match profile.store {
                    Store::Cosmos => "cosmos",
                    Store::Simple => "simple",
                    Store::Opaque => "opaque",
                },
            })
        }
        Zeugma::NUMBER => {
            let profile = load::<Zeugma>(&hub, id).map_err(ours)?.profile;
            json!({
                "network": profile.network.to_string(),
                "trusting_period_seconds": profile.trusting_period.get() / 1_000,
                "max_drift_seconds": profile.drift.get() / 1_000,
            })
        }
        _ => Value::Object(Map::new()),
    };
    json["recovery"] = recovery(node, id)?.map_or(Value::Null, |waiting| {
        json!({ "substitute": waiting.substitute.as_str(), "ready_at": clock::show(waiting.ready_at) })
    });
    let states =
        node.light_client_states(id).map_err(|error| Failure::client("the client's states", error))?;
    let states = states.unwrap_or_default();
    json["trusted_states"] = states
        .iter()
        .map(|state| {
            json!({
                "height": state.height.get(),
                "time": clock::show(state.time),
                "verified_at": clock::show(state.verified_at),
            })
        })
        .collect();
    Ok(Report { text: lines(&json), json })
}
