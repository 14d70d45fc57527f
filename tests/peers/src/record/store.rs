//! The transcript of a Cosmos SDK chain: headers of one validator, and what its stores held, proved by ICS-23.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{COMMAND, Folder};
use crate::recipe::Recipe;
use crate::rpc;
use crate::simd::{Simd, SimdOptions, StoreQuery, balances_key};

/// What a recorded proof shows of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// A value.
    Present,
    /// That there is none.
    Absent,
    /// Nothing: ICS-23 has no proof of this absence.
    Nothing,
}

impl Shows {
    fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Nothing => "nothing",
        }
    }
}

struct Question {
    name: &'static str,
    meaning: &'static str,
    shows: Shows,
    store: &'static str,
    key: Vec<u8>,
    height: u64,
}

/// Records a run into `place`.
pub(super) fn record(recipe: &Recipe, place: &Path) -> Result<()> {
    eprintln!("peers: recording {}", recipe.about);
    let mut folder = Folder::new(place)?;
    let chain = Simd::start(&SimdOptions::default())?;
    let rpc = chain.rpc();
    let (alice, bob) = (chain.address("alice")?, chain.address("bob")?);

    // Two clients of the chain itself, each the other's counterparty: enough for a packet to be committed.
    let clients = ["07-tendermint-0", "07-tendermint-1"];
    let trusted = rpc.height()?;
    let create = create_client(&chain, trusted, &alice)?;
    chain.submit("alice", &[create.clone(), create])?;
    let introduce = |client: &str, counterparty: &str| {
        json!({
            "@type": "/ibc.core.client.v2.MsgRegisterCounterparty",
            "client_id": client,
            "counterparty_merkle_prefix": [STANDARD.encode("ibc"), ""],
            "counterparty_client_id": counterparty,
            "signer": alice,
        })
    };
    chain.submit("alice", &[introduce(clients[0], clients[1]), introduce(clients[1], clients[0])])?;
    let sent = chain.send("alice", &bob, 7, "uzeu")?.height;
    let packet_tx = chain.submit("alice", &[send_packet(&chain, clients[0], &alice, &bob)?])?;
    let packet = packet_tx.height;

    let account = balances_key(&bob)?;
    let balance = [&account[..], b"uzeu"].concat();
    let consensus = format!("clients/{}/consensusStates/{}-{trusted}", clients[0], chain.revision());
    let ask = |name, meaning, shows, store, key: &[u8], height| Question {
        name,
        meaning,
        shows,
        store,
        key: key.to_vec(),
        height,
    };
    let (yes, no) = (Shows::Present, Shows::Absent);
    let (bank, ibc) = ("bank", "ibc");
    let questions = [
        ask("balance-before", "bob's uzeu before alice sent 7", yes, bank, &balance, sent - 1),
        ask("balance", "bob's uzeu after alice sent 7", yes, bank, &balance, packet),
        ask(
            "client-state",
            "a light client's state",
            yes,
            ibc,
            client_state_key(clients[0]).as_bytes(),
            packet,
        ),
        ask("consensus-state", "what the client trusts", yes, ibc, consensus.as_bytes(), packet),
        ask("packet-commitment", "IBC v2: a packet was sent", yes, ibc, &packet_key(clients[0], 1), packet),
        ask("no-balance", "bob owns no tin", no, bank, &[&account[..], b"tin"].concat(), packet),
        ask("no-receipt", "IBC v2: the packet was not received", no, ibc, &packet_key(clients[1], 2), packet),
        ask(
            "no-client",
            "a client that was never made",
            no,
            ibc,
            client_state_key("07-tendermint-9").as_bytes(),
            packet,
        ),
        ask("before-the-first", "a key below every key of the store", no, ibc, &[0], packet),
        ask("after-the-last", "a key above every key of the store", no, ibc, &[0xff], packet),
        ask(
            "beside-an-empty-value",
            "absent, but its right neighbour has an empty value",
            Shows::Nothing,
            bank,
            &[2, 0xff],
            packet,
        ),
    ];

    let last = packet + 1;
    rpc.wait_for_height(last + 1)?;
    for height in 1..=last {
        folder.commit("", rpc, height)?;
        folder.validators("", rpc, height)?;
    }
    folder.validators("", rpc, last + 1)?;
    folder.answer("status.json", rpc, "status")?;
    folder.answer("packet.json", rpc, &rpc::tx_proof(&packet_tx.hash))?;
    let mut proofs = Vec::new();
    let mut table = String::new();
    for Question { name, meaning, shows, store, key, height } in &questions {
        let file = format!("proof-{name}.json");
        folder.answer(&file, rpc, &StoreQuery { store, key, height: *height }.call())?;
        writeln!(table, "| `{file}` | {store} | {} | {height} | {meaning} |", shows.word())?;
        proofs.push(json!({
            "file": file,
            "store": store,
            "key": hex::encode(key),
            "shows": shows.word(),
            "height": height,
            "proved_at": height + 1,
            "meaning": meaning,
        }));
    }
    let index = json!({
        "peer": recipe.about,
        "run": {"chain_id": chain.chain_id(), "revision": chain.revision(), "first": 1, "last": last},
        "packet": {"file": "packet.json", "height": packet, "client": clients[0], "counterparty": clients[1], "sequence": 1},
        "proofs": proofs,
    });
    let readme = format!(
        "# {about}\n\n\
         Recorded by `{COMMAND}`. Every `.json` file but `index.json` is the body of one RPC answer, byte for byte.\n\n\
         One validator, chain `{chain}`, heights 1 to {last}: `commit-001.json` (header and commit), `validators-001.json` \
         (up to height {beyond}), `status.json`; `packet.json`: the transaction of height {packet} that sent an IBC v2 packet, \
         with its events.\n\n\
         A proof is an answer of `abci_query` with `prove=true` about the state after a height; its two steps (`ics23:iavl`: \
         the key in its store; `ics23:simple`: the store in the application) end in the `app_hash` of the header one above. \
         `index.json` has each key in hexadecimal digits.\n\n\
         | file | store | shows | state after | meaning |\n|---|---|---|---|---|\n{table}\n\
         The one that shows nothing is no fault of the recording: an ICS-23 leaf must have a value, the bank's index of \
         holders has empty ones, so no verifier accepts an absence next to them.\n",
        about = recipe.about,
        chain = chain.chain_id(),
        beyond = last + 1,
    );
    folder.finish(&index, &readme)
}

/// A client of the chain itself that trusts its header at `height`.
fn create_client(chain: &Simd, height: u64, signer: &str) -> Result<Value> {
    let header = chain.rpc().header(height)?;
    let root = hex::decode(header["app_hash"].as_str().context("a header has an app_hash")?)?;
    let step = |child_size: u32, min_prefix_length: u32, max_prefix_length: u32| {
        json!({
            "leaf_spec": {
                "hash": "SHA256", "prehash_key": "NO_HASH", "prehash_value": "SHA256", "length": "VAR_PROTO", "prefix": "AA==",
            },
            "inner_spec": {
                "child_order": [0, 1], "child_size": child_size, "min_prefix_length": min_prefix_length,
                "max_prefix_length": max_prefix_length, "hash": "SHA256",
            },
        })
    };
    Ok(json!({
        "@type": "/ibc.core.client.v1.MsgCreateClient",
        "client_state": {
            "@type": "/ibc.lightclients.tendermint.v1.ClientState",
            "chain_id": chain.chain_id(),
            "trust_level": {"numerator": "1", "denominator": "3"},
            "trusting_period": "1209600s",
            "unbonding_period": "1814400s",
            "max_clock_drift": "10s",
            "latest_height": {"revision_number": chain.revision().to_string(), "revision_height": height.to_string()},
            "proof_specs": [step(33, 4, 12), step(32, 1, 1)],
            "upgrade_path": ["upgrade", "upgradedIBCState"],
        },
        "consensus_state": {
            "@type": "/ibc.lightclients.tendermint.v1.ConsensusState",
            "timestamp": header["time"],
            "root": {"hash": STANDARD.encode(root)},
            "next_validators_hash": header["next_validators_hash"],
        },
        "signer": signer,
    }))
}

/// A transfer of 7 uzeu to the counterparty of `client`, open for an hour of the chain's own time.
fn send_packet(chain: &Simd, client: &str, sender: &str, receiver: &str) -> Result<Value> {
    let block = chain.rest("/cosmos/base/tendermint/v1beta1/blocks/latest")?;
    let time = block["block"]["header"]["time"].as_str().context("a block has a time")?;
    let value = json!({"denom": "uzeu", "amount": "7", "sender": sender, "receiver": receiver, "memo": ""});
    Ok(json!({
        "@type": "/ibc.core.channel.v2.MsgSendPacket",
        "source_client": client,
        "timeout_timestamp": (unix_seconds(time)? + 3600).to_string(),
        "payloads": [{
            "source_port": "transfer",
            "destination_port": "transfer",
            "version": "ics20-1",
            "encoding": "application/json",
            "value": STANDARD.encode(value.to_string()),
        }],
        "signer": sender,
    }))
}

fn client_state_key(client: &str) -> String {
    format!("clients/{client}/clientState")
}

/// ICS-24 v2: the client, one byte (1 commitment, 2 receipt, 3 acknowledgement), the sequence; here the first packet.
fn packet_key(client: &str, kind: u8) -> Vec<u8> {
    [client.as_bytes(), &[kind], &1_u64.to_be_bytes()].concat()
}

/// Seconds since 1970 of `2026-11-21T12:00:00.5Z`.
fn unix_seconds(time: &str) -> Result<u64> {
    let field = |range: std::ops::Range<usize>| -> Result<u64> {
        time.get(range)
            .and_then(|digits| digits.parse().ok())
            .with_context(|| format!("{time} is not a time"))
    };
    let (year, month, day) = (field(0..4)?, field(5..7)?, field(8..10)?);
    // Days since the 1st of March of year 0, whose leap day ends a year.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719_468;
    Ok(days * 86_400 + field(11..13)? * 3600 + field(14..16)? * 60 + field(17..19)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_from_1970() {
        for (time, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59.9Z", 951_868_799),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2026-11-21T12:00:00.123456789Z", 1_795_262_400),
        ] {
            assert_eq!(unix_seconds(time).unwrap(), seconds, "{time}");
        }
    }
}
