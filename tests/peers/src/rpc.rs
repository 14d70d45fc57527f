//! What a CometBFT node answers to anybody: its public RPC.
//!
//! Nothing here judges an answer. [`CometRpc::raw`] gives the bytes as the node sent them, which is what is recorded; the
//! rest gives the `result` member as JSON.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{http, wait};

/// How long a height or a transaction may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// The public RPC of one node.
#[derive(Clone, Copy, Debug)]
pub struct CometRpc {
    node: SocketAddr,
}

/// A transaction that a block holds.
#[derive(Clone, Debug)]
pub struct Included {
    /// Its SHA-256, in upper-case hexadecimal digits as the node writes it.
    pub hash: String,
    /// The block's height.
    pub height: u64,
    /// The whole answer of `tx`, with the Merkle proof into the block's `data_hash`.
    pub answer: Value,
}

impl CometRpc {
    /// The RPC that listens at `node`.
    #[must_use]
    pub fn at(node: SocketAddr) -> Self {
        Self { node }
    }

    /// `http://127.0.0.1:18000`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.node)
    }

    /// The whole answer to a call, as the node sent it. `call` is a route with its query: `commit?height=7`.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn raw(&self, call: &str) -> Result<String> {
        Ok(http::get(self.node, &format!("/{call}"))?.body)
    }

    /// The `result` of a call.
    ///
    /// # Errors
    /// When the node does not answer, or answers with an error; the message has the node's words.
    pub fn call(&self, call: &str) -> Result<Value> {
        let body = self.raw(call)?;
        let mut answer: Value = serde_json::from_str(&body)
            .with_context(|| format!("`{call}` of {} answered {body:?}", self.node))?;
        match answer.get_mut("result").map(Value::take) {
            Some(result) => Ok(result),
            None => bail!("`{call}` of {} was refused: {}", self.node, answer["error"]),
        }
    }

    /// `status`: versions, the node's own validator, how far it is.
    ///
    /// # Errors
    /// As [`CometRpc::call`].
    pub fn status(&self) -> Result<Value> {
        self.call("status")
    }

    /// The latest height.
    ///
    /// # Errors
    /// As [`CometRpc::call`].
    pub fn height(&self) -> Result<u64> {
        number(&self.status()?, "/sync_info/latest_block_height")
    }

    /// Waits until the chain has reached `height`; returns the latest.
    ///
    /// # Errors
    /// When it does not within a minute and a half, or the node stops answering.
    pub fn wait_for_height(&self, height: u64) -> Result<u64> {
        wait::until(&format!("height {height} at {}", self.node), PATIENCE, || {
            Ok(Some(self.height()?).filter(|latest| *latest >= height))
        })
    }

    /// The block's header.
    ///
    /// # Errors
    /// As [`CometRpc::call`].
    pub fn header(&self, height: u64) -> Result<Value> {
        Ok(self.call(&format!("header?height={height}"))?["header"].take())
    }

    /// Header and commit: `{"header": .., "commit": ..}`. Waits for the next block, which holds the commit for good; before
    /// that, a node shows the votes that it happened to see.
    ///
    /// # Errors
    /// As [`CometRpc::call`].
    pub fn signed_header(&self, height: u64) -> Result<Value> {
        self.wait_for_height(height + 1)?;
        Ok(self.call(&commit(height))?["signed_header"].take())
    }

    /// The validators whose votes commit `height`, in the set's order (up to 100).
    ///
    /// # Errors
    /// As [`CometRpc::call`].
    pub fn validators(&self, height: u64) -> Result<Value> {
        Ok(self.call(&validators(height))?["validators"].take())
    }

    /// Sends a transaction and waits until a block holds it.
    ///
    /// # Errors
    /// When the mempool or the application refuses it; the message has their words.
    pub fn broadcast_tx(&self, tx: &[u8]) -> Result<Included> {
        self.included(&self.send_tx(tx)?)
    }

    /// Gives a transaction to the node's mempool and returns its hash.
    ///
    /// # Errors
    /// When the mempool refuses it; the message has its words.
    pub fn send_tx(&self, tx: &[u8]) -> Result<String> {
        let answer = self.call(&format!("broadcast_tx_sync?tx=0x{}", hex::encode(tx)))?;
        accepted(&answer)?;
        Ok(answer["hash"].as_str().context("a broadcast answers with a hash")?.to_owned())
    }

    /// Waits until a block holds the transaction.
    ///
    /// # Errors
    /// When none does, or the application refused it there; the message has its words.
    pub fn included(&self, hash: &str) -> Result<Included> {
        let mut last = String::new();
        let found = wait::until(&format!("transaction {hash} at {}", self.node), PATIENCE, || {
            // Until it is indexed the node answers with an error, like the one for a wrong call: hence `last`.
            self.call(&tx_proof(hash)).map_or_else(
                |error| {
                    last = format!("{error:#}");
                    Ok(None)
                },
                |answer| Ok(Some(answer)),
            )
        });
        let answer = found.with_context(|| format!("the last answer was: {last}"))?;
        accepted(&answer["tx_result"])?;
        Ok(Included { hash: hash.to_owned(), height: number(&answer, "/height")?, answer })
    }

    /// Asks the application: the `response` of `abci_query`.
    ///
    /// # Errors
    /// As [`CometRpc::call`], or when the application refuses the query.
    pub fn abci_query(&self, query: &crate::StoreQuery<'_>) -> Result<Value> {
        let response = self.call(&query.call())?["response"].take();
        accepted(&response)?;
        Ok(response)
    }
}

/// The call for header and commit of a height.
pub(crate) fn commit(height: u64) -> String {
    format!("commit?height={height}")
}

/// The call for the validators of a height.
pub(crate) fn validators(height: u64) -> String {
    format!("validators?height={height}&per_page=100")
}

/// The call for a transaction with its inclusion proof.
pub(crate) fn tx_proof(hash: &str) -> String {
    format!("tx?hash=0x{hash}&prove=true")
}

/// Numbers of 64 bits are strings in these answers.
pub(crate) fn number(answer: &Value, pointer: &str) -> Result<u64> {
    let text = answer.pointer(pointer).and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).with_context(|| format!("no number at {pointer} of {answer}"))
}

fn accepted(answer: &Value) -> Result<()> {
    match answer["code"].as_u64() {
        Some(0) => Ok(()),
        _ => bail!("the application refused: {answer}"),
    }
}
