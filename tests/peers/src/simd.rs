//! A Cosmos SDK chain of one validator: IBC v1 and v2, and ICS-23 proofs of what its stores hold.
//!
//! Two accounts are funded at genesis, `alice` (who is also the validator) and `bob`. Any message of the SDK or of IBC can
//! be submitted as JSON with its `@type`; IBC v2 has no other way in.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::comet::Setting;
use crate::genesis::{self, Wiring};
use crate::http;
use crate::install::Peer;
use crate::ports::Port;
use crate::process::Process;
use crate::recipe::SIMD;
use crate::rpc::{CometRpc, Included};
use crate::wait;

const STARTING: Duration = Duration::from_secs(60);
/// What each account owns at genesis: the staking coin, and one more to send about.
const FUNDS: &str = "1000000000000stake,1000000000uzeu";
const STAKE: &str = "500000000000stake";
const KEYRING: [&str; 4] = ["--keyring-backend", "test", "--home", "."];
/// Enough for a client update; nothing is charged.
const GAS: &str = "3000000";

/// What a chain may differ in.
#[derive(Clone, Debug)]
pub struct SimdOptions {
    /// The chain's name. The number after its last `-` is the revision of its IBC heights.
    pub chain_id: String,
    /// Pause after each block.
    pub pace: Duration,
}

impl Default for SimdOptions {
    fn default() -> Self {
        Self { chain_id: "simd-1".to_owned(), pace: Duration::from_millis(300) }
    }
}

/// A running chain. Dropping it ends the node and removes its files.
#[derive(Debug)]
pub struct Simd {
    process: Process,
    peer: Peer,
    chain_id: String,
    rpc: Port,
    rest: Port,
    grpc: Port,
    _p2p: Port,
    home: TempDir,
}

/// A question to one of the application's stores.
#[derive(Clone, Copy, Debug)]
pub struct StoreQuery<'a> {
    /// The store: `bank`, `ibc`.
    pub store: &'a str,
    /// The key inside the store.
    pub key: &'a [u8],
    /// The state after this block; its root is the `app_hash` of the header one above.
    pub height: u64,
}

impl StoreQuery<'_> {
    /// The RPC call that answers it with a proof.
    pub(crate) fn call(&self) -> String {
        let Self { store, key, height } = self;
        format!(
            "abci_query?path=%22store/{store}/key%22&data=0x{}&height={height}&prove=true",
            hex::encode(key)
        )
    }
}

impl Simd {
    /// Starts a chain and waits for its second block.
    ///
    /// # Errors
    /// When simd cannot be built, or does not start; the message has what it wrote last.
    pub fn start(options: &SimdOptions) -> Result<Self> {
        let peer = Peer::install(&SIMD)?;
        let home = tempfile::Builder::new().prefix("zeugma-simd-").tempdir()?;
        let id = options.chain_id.as_str();
        let run = |args: &[&str]| peer.run(home.path(), args, "");
        run(&["init", "node0", "--chain-id", id, "--home", "."])?;
        for account in ["alice", "bob"] {
            run(&[&["keys", "add", account][..], &KEYRING].concat())?;
            run(&[&["genesis", "add-genesis-account", account, FUNDS][..], &KEYRING].concat())?;
        }
        run(&[&["genesis", "gentx", "alice", STAKE, "--chain-id", id][..], &KEYRING].concat())?;
        run(&["genesis", "collect-gentxs", "--home", "."])?;

        let [rpc, p2p, rest, grpc] = [Port::claim()?, Port::claim()?, Port::claim()?, Port::claim()?];
        let wiring = Wiring { moniker: "node0", rpc: &rpc, p2p: &p2p, peers: "" };
        let no_settings: [Setting; 0] = [];
        genesis::configure(home.path(), &wiring, options.pace, &no_settings)?;
        let mut command = peer.command(home.path());
        command
            .args(["start", "--home", ".", "--pruning", "nothing", "--api.enable", "--grpc-web.enable=false"])
            .args(["--api.address", &rest.tcp(), "--grpc.address", &grpc.address().to_string()]);
        let process = Process::start("simd", &mut command, &home.path().join("node.log"))?;
        let mut chain = Self { process, peer, chain_id: id.to_owned(), rpc, rest, grpc, _p2p: p2p, home };
        chain.wait_for_start()?;
        Ok(chain)
    }

    fn wait_for_start(&mut self) -> Result<()> {
        let rpc = self.rpc();
        wait::until("the second block of simd", STARTING, || {
            self.process.check()?;
            Ok(rpc.height().ok().filter(|height| *height >= 2))
        })?;
        // The REST gateway comes up after the first block.
        let rest = self.rest.address();
        wait::until("the REST gateway of simd", STARTING, || {
            Ok(http::get(rest, "/cosmos/base/tendermint/v1beta1/node_info")
                .ok()
                .filter(|answer| answer.status == 200))
        })?;
        Ok(())
    }

    /// The chain's name.
    #[must_use]
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// The revision in its IBC heights.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.chain_id.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
    }

    /// The node's public RPC.
    #[must_use]
    pub fn rpc(&self) -> CometRpc {
        CometRpc::at(self.rpc.address())
    }

    /// Where the SDK's REST gateway listens: `http://127.0.0.1:18002`.
    #[must_use]
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.rest.address())
    }

    /// Where gRPC listens: `http://127.0.0.1:18003`.
    #[must_use]
    pub fn grpc_url(&self) -> String {
        format!("http://{}", self.grpc.address())
    }

    /// GETs a path of the REST gateway: `/cosmos/bank/v1beta1/balances/cosmos1..`.
    ///
    /// # Errors
    /// When the gateway does not answer with success.
    pub fn rest(&self, path: &str) -> Result<Value> {
        let answer = http::get(self.rest.address(), path)?;
        ensure!(answer.status == 200, "{path} answered {}: {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).with_context(|| format!("{path} did not answer with JSON"))
    }

    /// The address of an account, `cosmos1..`.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn address(&self, account: &str) -> Result<String> {
        let shown = self.peer.run(
            self.home.path(),
            &[&["keys", "show", account, "-a"][..], &KEYRING].concat(),
            "",
        )?;
        Ok(shown.trim().to_owned())
    }

    /// Signs `messages` (each with its `@type`) as one transaction of `account`, and waits until a block holds it.
    ///
    /// # Errors
    /// When a message is malformed, or the chain refuses it; the message has the chain's words.
    pub fn submit(&self, account: &str, messages: &[Value]) -> Result<Included> {
        let node = self.rpc.tcp();
        let rest = ["--chain-id", &self.chain_id, "--node", &node, "--gas", GAS, "--yes", "--output", "json"];
        let args = [&["submit", "--from", account][..], &KEYRING, &rest].concat();
        let input = Value::from(messages).to_string();
        let printed = self.peer.run(self.home.path(), &args, &input)?;
        let answer: Value =
            serde_json::from_str(&printed).with_context(|| format!("simd submit printed {printed}"))?;
        let (Some(0), Some(hash)) = (answer["code"].as_u64(), answer["txhash"].as_str()) else {
            bail!("simd refused a transaction of {account}: {answer}");
        };
        self.rpc().included(hash)
    }

    /// Sends coins of `account`: `send("alice", &bob, 7, "uzeu")`.
    ///
    /// # Errors
    /// As [`Simd::submit`].
    pub fn send(&self, account: &str, to: &str, amount: u64, denomination: &str) -> Result<Included> {
        let message = json!({
            "@type": "/cosmos.bank.v1beta1.MsgSend",
            "from_address": self.address(account)?,
            "to_address": to,
            "amount": [{"denom": denomination, "amount": amount.to_string()}],
        });
        self.submit(account, &[message])
    }

    /// What a store held after a block, with the two-step ICS-23 proof (key in store, store in `app_hash` of the next
    /// header); waits for that header.
    ///
    /// # Errors
    /// When the node does not answer or refuses the query.
    pub fn prove(&self, query: &StoreQuery<'_>) -> Result<Value> {
        self.rpc().wait_for_height(query.height + 1)?;
        self.rpc().abci_query(query)
    }

    /// Ends the node cleanly.
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(self) -> Result<()> {
        let Self { process, home, .. } = self;
        let ended = process.stop();
        drop(home);
        ended
    }
}

/// The key in the store `bank` under which an account's balances stand, up to the denomination that ends it: a 2, the
/// length of the address, the address.
///
/// # Errors
/// When `address` is not of the form `cosmos1..`. Its checksum is the chain's to judge.
pub fn balances_key(address: &str) -> Result<Vec<u8>> {
    const ALPHABET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const CHECKSUM: usize = 6;
    let letters = address.rsplit_once('1').map(|(_, letters)| letters).unwrap_or_default();
    let data = letters.len().checked_sub(CHECKSUM).and_then(|end| letters.get(..end));
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_usize);
    for letter in data.with_context(|| format!("{address:?} is not a bech32 address"))?.chars() {
        let value =
            ALPHABET.find(letter).with_context(|| format!("{letter:?} is no letter of a bech32 address"))?;
        (held, bits) = ((held << 5 | value) & 0xfff, bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).expect("eight bits are a byte"));
        }
    }
    Ok([&[2, u8::try_from(bytes.len())?], &bytes[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_is_keyed_by_the_bytes_of_the_address() {
        // The module account `fee_collector`: the first 20 bytes of the SHA-256 of its name.
        let key = balances_key("cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta").unwrap();
        assert_eq!(hex::encode(key), "0214f1829676db577682e944fc3493d451b67ff3e29f");
        assert!(balances_key("cosmos1").is_err());
        assert!(balances_key("cosmos1bbbbbbbbbb").is_err());
    }
}
