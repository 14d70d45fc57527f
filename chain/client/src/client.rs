//! The requests, one method for each route.

use crate::answer::{
    Batch, Block, Certified, Events, Fate, LightClient, NodeStatus, PacketSlots, ProofFile, TransactionId,
    TrustedState,
};
use crate::follow::Follow;
use crate::http::{Form, Http, absent, segment};
use crate::{Error, wire};
use std::time::{Duration, Instant};
use zeugma_ledger::account::Account;
use zeugma_ledger::bounded::Maybe;
use zeugma_ledger::registry::{Entry, Kind};
use zeugma_ledger::{Checked, Genesis, Key};
use zeugma_proof::{Certificate, EraStanding, Expected, Header, MAX_PROOF, Proof, Trust, verify_expected};
use zeugma_types::{AccountId, ClientId, Code, Decode as _, Height, LeafIndex, LeafPath, Refusal, Sequence};

/// Longest wait that a node grants one request.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// For the answer itself, after the wait.
const AFTER: Duration = Duration::from_secs(15);

/// Under which header a leaf is proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Under {
    /// The first certified header that covers it: the same proof for ever.
    #[default]
    First,
    /// The latest certified header.
    Latest,
}

impl Under {
    const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Latest => "latest",
        }
    }
}

/// One endpoint. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    trust: Option<Trust>,
}

impl Client {
    /// A client of the node at `endpoint`, such as `http://127.0.0.1:7780`. Nothing is sent yet.
    #[must_use]
    pub fn new(endpoint: &str) -> Self {
        Self { http: Http::new(endpoint), trust: None }
    }

    /// Shows `token` with every request.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.http.set_token(token);
        self
    }

    /// Sends what `trace` gives as the header `traceparent` (W3C Trace Context) with every request, so that the
    /// node's spans stand on the caller's trace.
    #[must_use]
    pub fn with_trace(mut self, trace: fn() -> Option<String>) -> Self {
        self.http.set_trace(trace);
        self
    }

    /// Verifies every certificate and proof under `trust`, and gives none that does not stand.
    #[must_use]
    pub fn with_trust(mut self, trust: Trust) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Where the node stands.
    ///
    /// # Errors
    /// [`Error`], as for every request.
    pub fn status(&self) -> Result<NodeStatus, Error> {
        self.http.ask::<wire::Node>("/v1/status")?.read()
    }

    /// The network's genesis, checked; with a trust, the genesis of that network.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Unproven`] for the genesis of another network.
    pub fn genesis(&self) -> Result<Genesis, Error> {
        let answer: wire::Canonical = self.http.ask("/v1/genesis")?;
        let genesis = Genesis::read(&wire::bytes("the genesis", &answer.bytes)?)
            .map_err(|refusal| Error::unreadable("the genesis", refusal))?;
        if let Some(trust) = &self.trust {
            require_network(trust, &genesis.network())?;
        }
        Ok(genesis)
    }

    /// Submits the canonical bytes of a transaction. Its form and signature are checked here first, so that the
    /// name it gets is not the node's word.
    ///
    /// # Errors
    /// [`Error::Refused`] with the rule, whether it broke here or there; else [`Error`].
    pub fn submit(&self, transaction: &[u8]) -> Result<TransactionId, Error> {
        let id = *Checked::new(transaction).map_err(Error::Refused)?.digest();
        let answer: wire::Submitted = self.http.post("/v1/transactions", transaction)?;
        if wire::digest("a transaction's id", &answer.id)? != id {
            return Err(Error::Unreadable("the node names another transaction".into()));
        }
        Ok(id)
    }

    /// Submits the canonical bytes of many transactions in one request, at most 1,024 of them and a mebibyte
    /// together. Each is taken or refused on its own. They are not checked here: who made them knows their names.
    ///
    /// # Errors
    /// [`Error`], when the batch as a whole was not taken.
    pub fn submit_all<T: AsRef<[u8]>>(&self, transactions: &[T]) -> Result<Batch, Error> {
        let total = transactions.iter().map(|one| 4 + one.as_ref().len()).sum();
        let mut body = Vec::with_capacity(total);
        for transaction in transactions {
            let transaction = transaction.as_ref();
            let length = u32::try_from(transaction.len())
                .map_err(|_| Error::Refused(Refusal::new(Code::TooLong).found(transaction.len())))?;
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(transaction);
        }
        self.http.post::<wire::Batch>("/v1/transactions/batch", &body)?.read(transactions.len())
    }

    /// What became of a transaction.
    ///
    /// # Errors
    /// [`Error`].
    pub fn fate(&self, id: &TransactionId) -> Result<Fate, Error> {
        self.fate_within(id, Duration::ZERO)
    }

    /// What became of a transaction once it is final or dropped, or how it stands after `time`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn wait(&self, id: &TransactionId, time: Duration) -> Result<Fate, Error> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let fate = self.fate_within(id, left.min(MAX_WAIT))?;
            if matches!(fate, Fate::Final { .. } | Fate::Dropped { .. }) || left <= MAX_WAIT {
                return Ok(fate);
            }
        }
    }

    fn fate_within(&self, id: &TransactionId, wait: Duration) -> Result<Fate, Error> {
        let mut path = format!("/v1/transactions/{}", hex::encode(id));
        if !wait.is_zero() {
            // A node counts whole seconds: round up, so that a short wait is one.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            path = format!("{path}?wait={seconds}");
        }
        let answer: Option<wire::Fate> = self.http.get_within(&path, wait + AFTER)?;
        answer.ok_or_else(|| absent(&path))?.read()
    }

    /// A final block with what it did, or nothing while the node has none of this height.
    ///
    /// # Errors
    /// [`Error`].
    pub fn block(&self, height: Height) -> Result<Option<Block>, Error> {
        let block: Option<wire::Block> = self.http.get(&format!("/v1/blocks/{height}"))?;
        let block = block.map(wire::Block::read).transpose()?;
        match block {
            Some(block) if block.header.height != height => Err(other("block")),
            block => Ok(block),
        }
    }

    /// The header of a final block, or nothing. A node's word: a certificate makes it more.
    ///
    /// # Errors
    /// [`Error`].
    pub fn header(&self, height: Height) -> Result<Option<Header>, Error> {
        match self.header_at(&height.to_string())? {
            Some(header) if header.height != height => Err(other("header")),
            header => Ok(header),
        }
    }

    /// The header of the last final block, or nothing before the first.
    ///
    /// # Errors
    /// [`Error`].
    pub fn latest_header(&self) -> Result<Option<Header>, Error> {
        self.header_at("latest")
    }

    fn header_at(&self, at: &str) -> Result<Option<Header>, Error> {
        let answer: Option<wire::Canonical> = self.http.get(&format!("/v1/headers/{at}"))?;
        answer.map(|answer| wire::canonical("a header", &answer.bytes)).transpose()
    }

    /// The first certified header at or above `height`, or nothing yet.
    ///
    /// # Errors
    /// [`Error::Unproven`] when its certificate does not stand; else [`Error`].
    pub fn certified(&self, height: Height) -> Result<Option<Certified>, Error> {
        match self.certified_at(&height.to_string())? {
            Some(found) if found.header.height < height => Err(other("header")),
            found => Ok(found),
        }
    }

    /// The latest certified header, or nothing before the first.
    ///
    /// # Errors
    /// [`Error::Unproven`] when its certificate does not stand; else [`Error`].
    pub fn latest_certified(&self) -> Result<Option<Certified>, Error> {
        self.certified_at("latest")
    }

    fn certified_at(&self, at: &str) -> Result<Option<Certified>, Error> {
        let answer: Option<wire::Certified> = self.http.get(&format!("/v1/certificates/{at}"))?;
        let Some(answer) = answer else { return Ok(None) };
        let certified = Certified {
            header: wire::canonical("a header", &answer.header)?,
            certificate: wire::canonical("a certificate", &answer.certificate)?,
        };
        if let Some(trust) = &self.trust {
            check(trust, &certified.header, &certified.certificate).map_err(Error::Unproven)?;
        }
        Ok(Some(certified))
    }

    /// The proof of a leaf by its position, or nothing while no certified header covers it.
    ///
    /// # Errors
    /// [`Error::Unproven`] when the proof does not stand; else [`Error`].
    pub fn proof(&self, index: LeafIndex, under: Under) -> Result<Option<ProofFile>, Error> {
        let found = self.proof_at(&format!("/v1/proofs/leaf/{index}?under={}", under.name()), None)?;
        match found {
            Some(file) if file.proof.inclusion.index != index => Err(other("leaf")),
            found => Ok(found),
        }
    }

    /// The proof of the latest leaf under a path, or nothing while no certified header covers one.
    ///
    /// # Errors
    /// [`Error::Unproven`] when the proof does not stand, or is of another path; else [`Error`].
    pub fn proof_of(&self, path: &LeafPath, under: Under) -> Result<Option<ProofFile>, Error> {
        let (namespace, own) = (path.namespace().name(), hex::encode(path.path()));
        self.proof_at(&format!("/v1/proofs/path/{namespace}/{own}?under={}", under.name()), Some(path))
    }

    fn proof_at(&self, at: &str, path: Option<&LeafPath>) -> Result<Option<ProofFile>, Error> {
        let Some(bytes) = self.http.fetch(at, Form::Bytes, AFTER)? else { return Ok(None) };
        if bytes.len() > MAX_PROOF {
            return Err(Error::Unreadable(format!("a proof of more than {MAX_PROOF} bytes")));
        }
        let proof = Proof::from_bytes(&bytes).map_err(|refusal| Error::unreadable("a proof", refusal))?;
        let proven = match &self.trust {
            Some(trust) => {
                let expected = Expected { path, value: None };
                Some(verify_expected(&bytes, trust, expected).map_err(Error::Unproven)?)
            }
            None if path.is_some_and(|path| *path != proof.leaf.path) => return Err(other("path")),
            None => None,
        };
        Ok(Some(ProofFile { bytes, proof, proven }))
    }

    /// The bytes under a key of the state, and after which block. A node's word.
    ///
    /// # Errors
    /// [`Error`].
    pub fn state(&self, key: &Key) -> Result<(Height, Option<Vec<u8>>), Error> {
        let answer: wire::Value = self.http.ask(&format!("/v1/state/{}", hex::encode(key.as_bytes())))?;
        let value = answer.value.map(|value| wire::bytes("a value", &value)).transpose()?;
        Ok((Height::new(answer.height), value))
    }

    /// A light client, or nothing if there is none of this name. A node's word.
    ///
    /// # Errors
    /// [`Error`].
    pub fn light_client(&self, id: &ClientId) -> Result<Option<LightClient>, Error> {
        let answer: Option<wire::LightClient> =
            self.http.get(&format!("/v1/clients/{}", segment(id.as_str())))?;
        answer.map(wire::LightClient::read).transpose()
    }

    /// The states that a light client trusts, ascending by height. A node's word.
    ///
    /// # Errors
    /// [`Error`].
    pub fn light_client_states(&self, id: &ClientId) -> Result<Option<Vec<TrustedState>>, Error> {
        let answer: Option<wire::States> =
            self.http.get(&format!("/v1/clients/{}/states", segment(id.as_str())))?;
        Ok(answer.map(wire::States::read))
    }

    /// The three slots of a packet. A node's word.
    ///
    /// # Errors
    /// [`Error`].
    pub fn packet(&self, client: &ClientId, sequence: Sequence) -> Result<PacketSlots, Error> {
        let path = format!("/v1/packets/{}/{sequence}", segment(client.as_str()));
        self.http.ask::<wire::Packet>(&path)?.read()
    }

    /// An account, or nothing if the network has none of this name. A node's word.
    ///
    /// # Errors
    /// [`Error`].
    pub fn account(&self, id: &AccountId) -> Result<Option<Account>, Error> {
        let answer: Option<wire::Canonical> = self.http.get(&format!("/v1/accounts/{id}"))?;
        answer.map(|answer| wire::canonical("an account", &answer.bytes)).transpose()
    }

    /// An entry of the registry, or nothing if there never was one. A node's word.
    ///
    /// # Errors
    /// [`Error`].
    pub fn registry(&self, kind: Kind, name: &str) -> Result<Option<Entry>, Error> {
        let answer: Option<wire::Entry> =
            self.http.get(&format!("/v1/registry/{}/{}", kind.name(), segment(name)))?;
        let Some(entry) = answer else { return Ok(None) };
        let digest = entry.digest.map(|digest| wire::digest("a digest", &digest)).transpose()?;
        Ok(Some(Entry { digest: Maybe(digest), from: Height::new(entry.from) }))
    }

    /// What happened in at most `limit` blocks from a height on. A node's word.
    ///
    /// # Errors
    /// [`Error`].
    pub fn events(&self, from: Height, limit: u32) -> Result<Events, Error> {
        let events =
            self.http.ask::<wire::Events>(&format!("/v1/events?from={from}&limit={limit}"))?.read()?;
        let heights = events.blocks.iter().map(|block| block.height);
        if !heights.clone().is_sorted()
            || heights.clone().any(|height| height < from || height >= events.next)
        {
            return Err(other("stretch of blocks"));
        }
        Ok(events)
    }

    /// Blocks as they become final, from a height on, or those to come.
    #[must_use]
    pub fn follow(&self, from: Option<Height>) -> Follow {
        Follow::new(self.http.clone(), from.map(|from| from.max(Height::new(1))))
    }

    /// The same, and each block names its transactions.
    #[must_use]
    pub fn follow_transactions(&self, from: Option<Height>) -> Follow {
        self.follow(from).naming_transactions()
    }

    /// Every metric of the node, in the text format of Prometheus.
    ///
    /// # Errors
    /// [`Error`].
    pub fn metrics(&self) -> Result<String, Error> {
        self.text("/metrics")
    }

    /// The document of the API: OpenAPI 3.1, JSON.
    ///
    /// # Errors
    /// [`Error`].
    pub fn openapi(&self) -> Result<String, Error> {
        self.text("/openapi.json")
    }

    /// Whether the node goes on.
    ///
    /// # Errors
    /// [`Error::Declined`] with the reason once it cannot; else [`Error`].
    pub fn healthy(&self) -> Result<(), Error> {
        self.text("/healthz").map(drop)
    }

    /// Whether the node has a final block to answer with.
    ///
    /// # Errors
    /// [`Error::Declined`] with the reason while it has not; else [`Error`].
    pub fn ready(&self) -> Result<(), Error> {
        self.text("/readyz").map(drop)
    }

    fn text(&self, path: &str) -> Result<String, Error> {
        let body = self.http.fetch(path, Form::Json, AFTER)?.ok_or_else(|| absent(path))?;
        String::from_utf8(body).map_err(|error| Error::unreadable(path, error))
    }
}

fn other(what: &str) -> Error {
    Error::Unreadable(format!("it is of another {what} than was asked for"))
}

fn require_network(trust: &Trust, found: &zeugma_types::NetworkId) -> Result<(), Error> {
    if found == trust.network() {
        return Ok(());
    }
    let (needed, found) = (*trust.network().as_bytes(), *found.as_bytes());
    Err(Error::Unproven(Refusal::new(Code::WrongNetwork).needed(needed).found(found)))
}

/// Verifies a certificate in the order of the one proof: network, era, epoch, signature. A header alone is believed
/// under the present key only: a retired one proves leaves into what it pinned, not headers.
fn check(trust: &Trust, header: &Header, certificate: &Certificate) -> Result<(), Refusal> {
    if header.network != *trust.network() {
        let (needed, found) = (*trust.network().as_bytes(), *header.network.as_bytes());
        return Err(Refusal::new(Code::WrongNetwork).needed(needed).found(found));
    }
    let present = trust.present().era();
    let era = trust.eras().iter().find(|known| known.era() == header.era);
    let era =
        era.ok_or_else(|| Refusal::new(Code::UnknownEra).needed(present.get()).found(header.era.get()))?;
    match era.standing() {
        EraStanding::Present => {}
        EraStanding::Expired => return Err(Refusal::new(Code::TrustExpired).found(header.era.get())),
        EraStanding::Retired => {
            return Err(Refusal::new(Code::RetiredEra).needed(present.get()).found(header.era.get()));
        }
    }
    if certificate.epoch != header.epoch {
        let (needed, found) = (header.epoch.get(), certificate.epoch.get());
        return Err(Refusal::new(Code::WrongEpoch).needed(needed).found(found));
    }
    certificate.verify(era.key(), &header.network, &header.digest())
}
