//! A dry run: everything that the agent would use is looked at once, and nothing is submitted.
//!
//! Looked at, in the order of the configuration: each node of each network and the account that signs there; each
//! endpoint of each foreign chain; each client, whether it is of the chain that the configuration says and how long it
//! lasts. A finding that is wrong says what was needed and what is there.

use crate::agent::{clock, connect};
use crate::client::load;
use crate::client::state::{Known, Signers, due};
use crate::config::{ClientConfig, Config};
use crate::error::Error;
use crate::hub::{self, Hub, Hubs};
use crate::key;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use zeugma_adapter_cometbft::CometBft;
use zeugma_adapter_core::{Client, Family, Status};
use zeugma_adapter_zeugma::Zeugma;
use zeugma_endpoint_cometbft::{Endpoint, Http};
use zeugma_ledger::account::Account;
use zeugma_ledger::ibc::Route;
use zeugma_ledger::{Role, Slot, account_of};
use zeugma_types::{BlockTime, ClientId, Height, NetworkId};

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of what: `hub north, http://127.0.0.1:7780`.
    pub subject: String,
    /// How it stands, or what is wrong with it.
    pub state: Result<String, String>,
}

/// Looks at everything that `config` names.
///
/// # Errors
/// [`Error`] for a key or a token that cannot be read: nothing can be looked at without them.
pub fn check(config: &Config) -> Result<Vec<Finding>, Error> {
    let now = clock();
    let mut found = Vec::new();
    let mut note = |subject: String, state: Result<String, String>| found.push(Finding { subject, state });
    let mut hubs: BTreeMap<&str, (Arc<Hubs>, Option<NetworkId>)> = BTreeMap::new();
    for hub in &config.hubs {
        let nodes = Arc::new(connect(hub)?);
        let account = account_of(key::read(&hub.key_file)?.public().as_bytes());
        let mut network = None;
        for (node, url) in nodes.each().zip(&hub.endpoints) {
            note(format!("hub {}, {url}", hub.name), look_at_node(&**node, &mut network));
        }
        note(format!("hub {}, account {account}", hub.name), look_at_account(&*nodes, &account));
        hubs.insert(&hub.name, (nodes, network));
    }
    let patience = Duration::from_millis(config.patience_millis);
    for chain in &config.cometbft {
        let mut tip = None;
        for url in &chain.endpoints {
            let endpoint = Endpoint::new(Arc::new(Http::new(url, patience)));
            note(
                format!("chain {}, {url}", chain.chain_id),
                look_at_endpoint(&endpoint, &chain.chain_id, &mut tip),
            );
        }
        for client in &chain.clients {
            let Some((hub, _)) = hubs.get(client.hub.as_str()) else { continue };
            let looked = look_at_client::<CometBft>(&**hub, client, tip, now, |profile| {
                agrees("chain", &chain.chain_id, &profile.chain_id)
            });
            note(format!("client {} of {}", client.client, client.hub), looked);
        }
    }
    for route in &config.routes {
        for (own, other) in [(&route.a, &route.b), (&route.b, &route.a)] {
            let (Some((hub, _)), Some((of, network))) =
                (hubs.get(own.hub.as_str()), hubs.get(other.hub.as_str()))
            else {
                continue;
            };
            let tip = of.latest().ok().flatten().map(|certified| certified.header.height);
            let looked = look_at_client::<Zeugma>(&**hub, own, tip, now, |profile| match network {
                Some(network) => agrees("network", network, &profile.network),
                None => Ok(()),
            });
            let looked = looked.and_then(|state| counterparty(&**hub, own, other).map(|()| state));
            note(format!("client {} of {}", own.client, own.hub), looked);
        }
    }
    Ok(found)
}

fn agrees<T: PartialEq + std::fmt::Display>(what: &str, needed: &T, found: &T) -> Result<(), String> {
    if needed == found { Ok(()) } else { Err(format!("{what} {needed} is needed, and it is of {found}")) }
}

fn look_at_node(node: &dyn Hub, network: &mut Option<NetworkId>) -> Result<String, String> {
    let found = node.network().map_err(|error| error.to_string())?;
    agrees("network", network.get_or_insert(found), &found)?;
    let latest = node.latest().map_err(|error| error.to_string())?;
    match latest {
        Some(latest) => Ok(format!("network {found}, certified up to block {}", latest.header.height)),
        None => Err(format!("network {found} has no certified header yet")),
    }
}

fn look_at_account(hub: &dyn Hub, id: &zeugma_types::AccountId) -> Result<String, String> {
    let account: Option<Account> = hub::load(hub, Slot::Account(id)).map_err(|error| error.to_string())?;
    match account {
        None => Err("the network does not know it".into()),
        Some(account) if !account.roles.has(Role::Relayer) => {
            Err("it is not a relayer: no update, packet or acknowledgement of it is admitted".into())
        }
        Some(account) => Ok(format!("a relayer, highest sequence used {}", account.used.highest)),
    }
}

fn look_at_endpoint(endpoint: &Endpoint, chain: &str, tip: &mut Option<Height>) -> Result<String, String> {
    let status = endpoint.status().map_err(|error| error.to_string())?;
    agrees("chain", &chain.to_owned(), &status.chain_id)?;
    if status.catching_up {
        return Err(format!("it is catching up, and has height {}", status.latest));
    }
    *tip = (*tip).max(Some(status.latest));
    Ok(format!("height {}", status.latest))
}

fn look_at_client<F: Family>(
    hub: &dyn Hub,
    client: &ClientConfig,
    tip: Option<Height>,
    now: BlockTime,
    of: impl FnOnce(&F::Profile) -> Result<(), String>,
) -> Result<String, String> {
    let id = ClientId::new(&client.client).map_err(|refusal| refusal.to_string())?;
    let client: Client<F::Profile> = load::<F>(hub, &id).map_err(|error| error.to_string())?;
    of(&client.profile)?;
    let latest = client.latest();
    let left =
        client.expires_at::<F>().map_or(i128::MAX, |end| i128::from(end.get()) - i128::from(now.get()));
    match client.status::<F>(now) {
        Status::Active => {}
        Status::Frozen => {
            return Err("it is frozen: misbehaviour was shown; recover it by a substitute".into());
        }
        Status::Expired => {
            return Err(format!("it expired {} s ago; recover it by a substitute", -left / 1_000));
        }
    }
    let known = Known {
        trusted_at: latest.time,
        trusting: F::trusting_period(&client.profile),
        chain_is_ahead: tip.is_some_and(|tip| tip > latest.height),
        signers: Signers::Same,
    };
    let due = if due(&known, now).is_some() { "due for an update" } else { "fresh" };
    Ok(format!("{due}, at height {}, expires in {} s", latest.height, left / 1_000))
}

/// Packets go only between two clients that name each other.
fn counterparty(hub: &dyn Hub, own: &ClientConfig, other: &ClientConfig) -> Result<(), String> {
    let id = ClientId::new(&own.client).map_err(|refusal| refusal.to_string())?;
    let route: Option<Route> = hub::load(hub, Slot::Route(&id)).map_err(|error| error.to_string())?;
    match route.and_then(|route| route.counterparty.0) {
        None => Err(format!("it has no counterparty yet; {} is needed", other.client)),
        Some(named) => agrees("counterparty", &other.client, &named.client.to_string()),
    }
}
