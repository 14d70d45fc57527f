//! The transcript of a CometBFT network: one run whose validator set turns over, one run that is forked.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{COMMAND, Folder, commit_file};
use crate::rpc::{self, Included};
use crate::{Change, CometNetwork, CometRpc, Options, Release, ValidatorKey};

/// Records both runs into `place`.
pub(super) fn record(release: Release, place: &Path) -> Result<()> {
    let about = release.recipe().about;
    eprintln!("peers: recording {about}");
    let mut folder = Folder::new(place)?;
    let turnover = turnover(release, &mut folder)?;
    let fork = fork(release, &mut folder)?;
    let index = json!({"peer": about, "run": turnover, "fork": fork});
    let readme = readme(about, release, &index);
    folder.finish(&index, &readme)
}

fn options(release: Release) -> Options {
    let mut options = Options::default();
    if release == Release::V1_0 {
        // Block time by the proposer's clock, as new chains of this release have it; v0.38 takes the median of the votes.
        options.genesis.push(("/consensus_params/feature/pbts_enable_height".to_owned(), json!("1")));
    }
    options
}

/// Four validators; one is down for a while, one grows, one leaves, one joins, then two are exchanged, until fewer than a
/// third of the first set's power is left.
fn turnover(release: Release, folder: &mut Folder) -> Result<Value> {
    let mut network =
        CometNetwork::start(release, &[10, 10, 10, 10], &Options { spares: 3, ..options(release) })?;
    let rpc = network.rpc(0);
    let tx = rpc.broadcast_tx(b"exhibit=7")?;

    let down = rpc.height()?;
    network.halt(3)?;
    // Long enough for its turn to propose to come: a height of a second round.
    let later_round = first_later_round(rpc, down)?;
    network.resume(3)?;

    let mut events = vec![json!({"what": "down", "validator": network.validator(3).address, "after": down})];
    let mut step = |what: &str, changes: &[(usize, u64)]| -> Result<Change> {
        let change = network.change_powers(changes)?;
        let who = |(node, power): &(usize, u64)| json!({"validator": network.validator(*node).address, "power": power});
        events.push(json!({
            "what": what,
            "changes": changes.iter().map(who).collect::<Value>(),
            "included_by": change.included,
            "in_force": change.in_force,
        }));
        Ok(change)
    };
    step("power", &[(1, 25)])?;
    step("leave", &[(3, 0)])?;
    step("join", &[(4, 10)])?;
    let last = step("exchange", &[(1, 0), (2, 0), (5, 10), (6, 10)])?.in_force + 1;

    for height in 1..=last {
        folder.commit("", rpc, height)?;
        folder.validators("", rpc, height)?;
    }
    folder.validators("", rpc, last + 1)?;
    folder.answer("status.json", rpc, "status")?;
    folder.answer("tx.json", rpc, &rpc::tx_proof(&tx.hash))?;
    let genesis: Vec<&ValidatorKey> = (0..4).map(|node| network.validator(node)).collect();
    Ok(run(network.chain_id(), last, &genesis, &tx, later_round, &events))
}

fn run(
    chain_id: &str,
    last: u64,
    genesis: &[&ValidatorKey],
    tx: &Included,
    later_round: u64,
    events: &[Value],
) -> Value {
    json!({
        "chain_id": chain_id,
        "first": 1,
        "last": last,
        "genesis": genesis.iter().map(|key| &key.address).collect::<Vec<_>>(),
        "tx": {"file": "tx.json", "height": tx.height, "hash": tx.hash},
        "later_round": later_round,
        "events": events,
    })
}

/// The first height after `height` that was not committed in its first round.
fn first_later_round(rpc: CometRpc, height: u64) -> Result<u64> {
    (height + 1..height + 12)
        .find_map(|height| match rpc.signed_header(height) {
            Ok(signed) if signed["commit"]["round"] == 0 => None,
            Ok(_) => Some(Ok(height)),
            Err(error) => Some(Err(error)),
        })
        .context("no height needed a second round while a validator was down")?
}

/// A validator with 70 of 100 and its twin commit two blocks at one height.
fn fork(release: Release, folder: &mut Folder) -> Result<Value> {
    let options = Options { chain_id: "zeugma-fork".to_owned(), ..options(release) };
    let mut network = CometNetwork::start(release, &[70, 10, 10, 10], &options)?;
    network.rpc(0).wait_for_height(4)?;
    let twin = network.fork(0)?;
    let (one, other) = (network.rpc(0), twin.rpc());
    let height = twin.conflict(one)?.height;
    for common in 1..height {
        folder.commit("fork/", one, common)?;
    }
    for common in 1..=height {
        folder.validators("fork/", one, common)?;
    }
    for (branch, rpc) in [("fork/one/", one), ("fork/other/", other)] {
        for height in [height, height + 1] {
            folder.commit(branch, rpc, height)?;
            folder.validators(branch, rpc, height + 1)?;
        }
    }
    Ok(json!({
        "chain_id": network.chain_id(),
        "first": 1,
        "conflict": height,
        "branches": ["one", "other"],
        "shared_key": network.validator(0).address,
    }))
}

fn readme(about: &str, release: Release, index: &Value) -> String {
    let (run, fork) = (&index["run"], &index["fork"]);
    let events: String = run["events"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| match event["what"].as_str() {
            Some("down") => format!(
                "- after height {} validator `{}` is down for a while; height {} needs a second round\n",
                event["after"],
                event["validator"].as_str().unwrap_or_default(),
                run["later_round"]
            ),
            what => format!(
                "- {}: in a block by height {}, in force from height {}\n",
                what.unwrap_or_default(),
                event["included_by"],
                event["in_force"]
            ),
        })
        .collect();
    let clock = match release {
        Release::V0_38 => "the median of the votes",
        Release::V1_0 => "the proposer's clock (`pbts_enable_height` is 1)",
    };
    format!(
        "# {about}, four validators, key-value application\n\n\
         Recorded by `{COMMAND}`. Every `.json` file but `index.json` is the body of one RPC answer, byte for byte.\n\
         Block time is {clock}.\n\n\
         ## The run (`{chain}`, heights 1 to {last})\n\n\
         `{commit}`: header and commit (`commit?height=1`). `validators-001.json`: the set that commits that height \
         (up to height {beyond}). `status.json`; `tx.json`: a transaction of height {tx} with its proof into `data_hash`.\n\n\
         {events}\n\
         From the end of the run back to height 1 fewer than a third of the first set's power is left, so a client that \
         trusts height 1 cannot skip to the last height.\n\n\
         ## The fork (`fork/`, chain `{fork_chain}`)\n\n\
         Two real nodes hold the key of `{shared}`, 70 of 100. They share heights 1 to {before} (`fork/`) and were kept \
         apart then. Height {conflict} was committed twice, by `fork/one` (with the other validators) and by `fork/other` \
         (alone); the next height of each branch is there too.\n",
        chain = run["chain_id"].as_str().unwrap_or_default(),
        last = run["last"],
        beyond = run["last"].as_u64().unwrap_or_default() + 1,
        commit = commit_file(1),
        tx = run["tx"]["height"],
        fork_chain = fork["chain_id"].as_str().unwrap_or_default(),
        shared = fork["shared_key"].as_str().unwrap_or_default(),
        before = fork["conflict"].as_u64().unwrap_or_default().saturating_sub(1),
        conflict = fork["conflict"],
    )
}
