//! One node: what it says, read and not yet believed.

use crate::error::Error;
use crate::http::{Transport, result};
use crate::json::{self, Unreadable};
use serde_json::{Value, json};
use std::sync::Arc;
use zeugma_adapter_cometbft::SignedHeader;
use zeugma_adapter_cometbft::ics23::MAX_PROOF;
use zeugma_adapter_cometbft::proto;
use zeugma_adapter_cometbft::validators::{MAX_VALIDATORS, ValidatorSet};
use zeugma_types::{BlockTime, Code, Height, Refusal};

/// Validators of one page: the most that a node gives.
const PER_PAGE: usize = 100;
/// Longest value of a store that is read, in bytes.
const MAX_VALUE: usize = 1024 * 1024;

/// A header, its commit and the validators that made it: what a light client needs of one height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightBlock {
    /// Header and commit.
    pub signed_header: SignedHeader,
    /// The validators of the height.
    pub validators: ValidatorSet,
}

/// Where light blocks come from. What it gives is believed only as far as the adapter proves it.
pub trait Source {
    /// Header and commit of a height.
    ///
    /// # Errors
    /// [`Error`].
    fn signed_header(&self, height: Height) -> Result<SignedHeader, Error>;

    /// The validators of a height.
    ///
    /// # Errors
    /// [`Error`].
    fn validators(&self, height: Height) -> Result<ValidatorSet, Error>;

    /// The light block of a height.
    ///
    /// # Errors
    /// [`Error`].
    fn light_block(&self, height: Height) -> Result<LightBlock, Error> {
        Ok(LightBlock { signed_header: self.signed_header(height)?, validators: self.validators(height)? })
    }

    /// Who is asked, for messages.
    fn name(&self) -> &str;
}

/// How far a node is, as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// The chain it follows.
    pub chain_id: String,
    /// The newest height it has.
    pub latest: Height,
    /// The time of that block, in our unit.
    pub latest_time: BlockTime,
    /// The oldest height it has.
    pub earliest: Height,
    /// Whether it is still catching up.
    pub catching_up: bool,
}

/// A key of a named store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreKey {
    /// The store: `ibc`, `bank`.
    pub store: String,
    /// The key inside it.
    pub key: Vec<u8>,
}

/// What a store holds, with its proof, neither of them verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAnswer {
    /// The block after which the store was read; the root is in the header one above.
    pub height: Height,
    /// The value; empty where there is none.
    pub value: Vec<u8>,
    /// A `MerkleProof`, innermost tree first.
    pub proof: Vec<u8>,
}

/// One node.
#[derive(Clone)]
pub struct Endpoint {
    transport: Arc<dyn Transport>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Endpoint").field(&self.transport.address()).finish()
    }
}

impl Endpoint {
    /// The node behind `transport`.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &str {
        self.transport.address()
    }

    /// How far the node is.
    ///
    /// # Errors
    /// [`Error`].
    pub fn status(&self) -> Result<NodeStatus, Error> {
        self.ask("status", &json!({}), |status| {
            let sync = &status["sync_info"];
            Ok(NodeStatus {
                chain_id: json::text(&status["node_info"]["network"], "node_info.network")?.to_owned(),
                latest: json::height(&sync["latest_block_height"])?,
                latest_time: json::time(json::text(&sync["latest_block_time"], "latest_block_time")?)?
                    .millis(),
                earliest: json::height(&sync["earliest_block_height"])?,
                catching_up: sync["catching_up"].as_bool().ok_or(Unreadable::Layout("catching_up"))?,
            })
        })
    }

    /// What a store of the application held after the block of `height`, with a proof under the next header.
    ///
    /// # Errors
    /// [`Error`]; [`Code::TooLong`] for a value or a proof above its bound.
    pub fn store(&self, key: &StoreKey, height: Height) -> Result<StoreAnswer, Error> {
        let path = format!("store/{}/key", key.store);
        let params = json!({
            "path": path, "data": hex::encode(&key.key), "height": height.to_string(), "prove": true,
        });
        self.ask("abci_query", &params, |answer| {
            let response = &answer["response"];
            if response["code"].as_u64().unwrap_or(0) != 0 {
                return Err(Unreadable::Layout("the application refused the query"));
            }
            let value = json::bytes(&response["value"])?;
            bounded(value.len(), MAX_VALUE)?;
            let ops = response["proofOps"]["ops"].as_array().ok_or(Unreadable::Layout("proofOps"))?;
            let mut proof = Vec::new();
            for op in ops {
                let data = json::bytes(&op["data"])?;
                proto::put_always(&mut proof, 1, &data);
                bounded(proof.len(), MAX_PROOF)?;
            }
            Ok(StoreAnswer { height: json::height(&response["height"])?, value, proof })
        })
    }

    fn page(
        &self,
        height: Height,
        page: usize,
    ) -> Result<(Vec<zeugma_adapter_cometbft::validators::Validator>, usize), Error> {
        let params = json!({
            "height": height.to_string(), "page": page.to_string(), "per_page": PER_PAGE.to_string(),
        });
        self.ask("validators", &params, |answer| {
            let total: usize = json::number(&answer["total"], "total")?;
            if total > MAX_VALIDATORS {
                return Err(Refusal::new(Code::TooMany).needed(MAX_VALIDATORS).found(total).into());
            }
            let given = json::height(&answer["block_height"])?;
            if given != height {
                return Err(Refusal::new(Code::BadHeader).needed(height.get()).found(given.get()).into());
            }
            Ok((json::validators(&answer["validators"])?, total))
        })
    }

    fn ask<T>(
        &self,
        method: &str,
        params: &Value,
        read: impl FnOnce(&Value) -> Result<T, Unreadable>,
    ) -> Result<T, Error> {
        let answer = result(&*self.transport, method, params)?;
        read(&answer).map_err(|why| match why {
            Unreadable::Layout(what) => Error::Layout {
                endpoint: self.address().to_owned(),
                method: method.to_owned(),
                what: what.to_owned(),
            },
            Unreadable::Refused(refusal) => self.refused(refusal),
        })
    }

    pub(crate) fn refused(&self, refusal: Refusal) -> Error {
        Error::Refused { endpoint: self.address().to_owned(), refusal: Box::new(refusal) }
    }
}

impl Source for Endpoint {
    fn signed_header(&self, height: Height) -> Result<SignedHeader, Error> {
        let read = |answer: &Value| {
            let signed = json::signed_header(&answer["signed_header"])?;
            if signed.header.height != height {
                let found = signed.header.height.get();
                return Err(Refusal::new(Code::BadHeader).needed(height.get()).found(found).into());
            }
            Ok(signed)
        };
        self.ask("commit", &json!({"height": height.to_string()}), read)
    }

    fn validators(&self, height: Height) -> Result<ValidatorSet, Error> {
        let (mut all, total) = self.page(height, 1)?;
        let mut page = 1;
        // Each page must bring something new, so this ends after at most `total` pages.
        while all.len() < total {
            page += 1;
            let (more, _) = self.page(height, page)?;
            if more.is_empty() {
                break;
            }
            all.extend(more);
        }
        if all.len() != total {
            return Err(self.refused(Refusal::new(Code::WrongMembers).needed(total).found(all.len())));
        }
        ValidatorSet::sorted(all).map_err(|refusal| self.refused(refusal))
    }

    fn name(&self) -> &str {
        self.address()
    }
}

fn bounded(length: usize, bound: usize) -> Result<(), Refusal> {
    if length > bound {
        return Err(Refusal::new(Code::TooLong).needed(bound).found(length));
    }
    Ok(())
}
