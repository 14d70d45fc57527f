//! What a store of a followed chain holds under a key, as a file that anyone verifies offline.
//!
//! ```text
//! start header  --its hash is what the verifier trusts-->  updates, each signed by the chain's validators
//!               -->  root of the last header  --ICS-23, store in root, key in store-->  value, or its absence
//! ```
//!
//! The start is the oldest state that the client still holds, the end its newest: nothing is proved beyond what the
//! network itself has verified. The verifier needs the file, the hash of the start header from somebody it trusts
//! (`zeugma client create` printed it), and the time at which it judges: a header is trusted for the profile's period.

use super::{Nodes, agent_failure, endpoint_failure, endpoints};
use crate::clock;
use crate::command::remote::Node;
use crate::command::tx::{parse_32, parse_client};
use crate::failure::{Failure, Rule};
use crate::files::{self, Readers};
use crate::output::{Report, plain};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeugma_adapter_cometbft::header::Header;
use zeugma_adapter_cometbft::{CometBft, Profile, Rules, State, Update, verify};
use zeugma_adapter_core::{Family as _, MerklePath};
use zeugma_agent::client::{load, load_state};
use zeugma_agent::remote::Remote;
use zeugma_client::Client;
use zeugma_endpoint_cometbft::{Followed, Source as _, StoreKey};
use zeugma_types::{BlockTime, ClientId, Code, Decode as _, Encode as _, Height, Refusal};

const FORMAT: &str = "zeugma-store-1";
/// Longest file, in bytes: some updates of the largest validator set, in hexadecimal.
const MAX: usize = 16 * 1024 * 1024;
/// Most updates between start and end.
const MAX_UPDATES: usize = 64;
/// Longest key and value, in bytes.
const MAX_KEY: usize = 4 * 1024;
const MAX_VALUE: usize = 1024 * 1024;

/// See [`super::Client::ProveKey`].
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    node: Node,
    /// Our client of the chain
    #[arg(value_parser = parse_client)]
    client: ClientId,
    /// The RPC of a node of the chain
    #[arg(long, value_name = "URL", required = true)]
    rpc: Vec<String>,
    /// The store: bank, ibc
    #[arg(long, value_name = "NAME")]
    store: String,
    /// The key inside it, in hexadecimal digits
    #[arg(long, value_name = "HEX")]
    key: String,
    /// Where the proof goes; a file that exists is not written over
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// See [`super::Client::VerifyKey`].
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The file of `zeugma client prove-key`
    proof: PathBuf,
    /// Hash of the header that you trust, from which the file starts
    #[arg(long, value_name = "HEX", value_parser = parse_32)]
    hash: Option<[u8; 32]>,
    /// The time at which it is judged, as 2026-11-21T12:45:00Z
    #[arg(long, default_value = "now", value_name = "TIME", value_parser = clock::parse)]
    time: BlockTime,
}

/// The file. Everything that is hexadecimal is in the adapter's canonical encoding; the header that it starts from is
/// CometBFT's own protobuf.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct StoreFile {
    format: String,
    profile: String,
    start: String,
    updates: Vec<String>,
    store: String,
    key: String,
    value: Option<String>,
    proof: String,
}

/// What a file shows.
#[derive(Clone, Debug)]
pub(in crate::command) struct Shown {
    pub(in crate::command) chain: String,
    pub(in crate::command) start: Height,
    pub(in crate::command) start_hash: [u8; 32],
    pub(in crate::command) steps: usize,
    pub(in crate::command) height: Height,
    pub(in crate::command) time: BlockTime,
    pub(in crate::command) store: String,
    pub(in crate::command) key: Vec<u8>,
    pub(in crate::command) value: Option<Vec<u8>>,
}

fn path_of(store: &str, key: &[u8]) -> Result<MerklePath, Refusal> {
    MerklePath::new(Vec::from([store.as_bytes().to_vec(), key.to_vec()]))
}

impl StoreFile {
    /// Proves a key under the newest state that `id` trusts. It verifies when it is given.
    pub(in crate::command) fn prove(
        node: &Client,
        id: &ClientId,
        rpcs: &[String],
        key: &StoreKey,
    ) -> Result<Self, Failure> {
        let hub = Remote::new("the network", node.clone());
        let ours = |error| agent_failure("the client", error);
        let client = load::<CometBft>(&hub, id).map_err(ours)?;
        let chain = client.profile.chain_id.clone();
        let subject = format!("chain {chain}");
        let failed = |error| endpoint_failure(&subject, error);
        let endpoints = endpoints(&chain, rpcs);
        let newest = load_state::<CometBft>(&hub, id, client.latest().height).map_err(ours)?;
        let first = client.stored().first().map_or(newest.height, |stored| stored.height);
        let start = endpoints.ask(super::now(), |node| node.signed_header(first)).map_err(failed)?.header;
        let begun = load_state::<CometBft>(&hub, id, first).map_err(ours)?;
        if State::of(&start) != begun {
            let refusal = Refusal::new(Code::WrongCommit).needed(begun.header_hash).found(start.hash());
            return Err(Failure::refused(subject, refusal));
        }
        let refused = |refusal| Failure::refused(&subject, refusal);
        let mut followed = Followed::new(client.profile.clone(), begun).map_err(refused)?;
        let updates = endpoints.walk(&mut followed, newest.height, super::now()).map_err(failed)?;
        if *followed.trusted() != newest {
            let refusal = Refusal::new(Code::WrongCommit)
                .needed(newest.header_hash)
                .found(followed.trusted().header_hash);
            return Err(refused(refusal));
        }
        // The root of the state after a block is in the header one above.
        let before = newest.height.previous().unwrap_or(Height::ZERO);
        let answer = endpoints.ask(super::now(), |node| node.store(key, before)).map_err(failed)?;
        let mut header = Vec::new();
        start.encode(&mut header);
        let file = Self {
            format: FORMAT.to_owned(),
            profile: hex::encode(client.profile.to_bytes()),
            start: hex::encode(&header),
            updates: updates.iter().map(|update| hex::encode(update.to_bytes())).collect(),
            store: key.store.clone(),
            key: hex::encode(&key.key),
            value: (!answer.value.is_empty()).then(|| hex::encode(&answer.value)),
            proof: hex::encode(&answer.proof),
        };
        file.verify(Some(start.hash()), super::now()).map_err(refused)?;
        Ok(file)
    }

    /// The file as it is written.
    pub(in crate::command) fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a file of text is JSON");
        text.push(b'\n');
        text
    }

    /// Reads a file.
    pub(in crate::command) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = files::read(path, MAX)?;
        let wrong = |why: String| {
            let todo = "it is written by `zeugma client prove-key`; fetch it again from where it came from";
            Failure::own(Rule::Declined, path.display(), why, todo)
        };
        if bytes.len() > MAX {
            return Err(wrong(format!("it has more than {MAX} bytes")));
        }
        let file: Self = serde_json::from_slice(&bytes).map_err(|why| wrong(why.to_string()))?;
        if file.format != FORMAT {
            return Err(wrong(format!("its format is not {FORMAT}")));
        }
        Ok(file)
    }

    /// Verifies the file at `now`, from the header of `hash`, or from the one that it brings.
    ///
    /// # Errors
    /// The rule that broke: of the encoding, of an update, or of the store proof.
    pub(in crate::command) fn verify(
        &self,
        hash: Option<[u8; 32]>,
        now: BlockTime,
    ) -> Result<Shown, Refusal> {
        let profile = Profile::from_bytes(&bytes(&self.profile, Profile::MAX_BYTES)?)?;
        profile.check()?;
        let start = Header::decode(&bytes(&self.start, Header::MAX_BYTES)?)?;
        let start_hash = start.hash();
        if let Some(needed) = hash.filter(|needed| *needed != start_hash) {
            return Err(Refusal::new(Code::WrongCommit).needed(needed).found(start_hash));
        }
        if start.chain_id != profile.chain_id {
            return Err(Refusal::new(Code::WrongChain).needed(profile.chain_id).found(start.chain_id));
        }
        if self.updates.len() > MAX_UPDATES {
            return Err(Refusal::new(Code::TooMany).needed(MAX_UPDATES).found(self.updates.len()));
        }
        let rules = Rules::of(&profile);
        let mut trusted = State::of(&start);
        for update in &self.updates {
            let update = Update::from_bytes(&bytes(update, Update::MAX_BYTES)?)?;
            // Its caller picks the state that an update starts from: here, the one that the last step led to.
            if update.trusted_height != trusted.height {
                let refusal = Refusal::new(Code::NoStateAt).needed(update.trusted_height.get());
                return Err(refusal.found(trusted.height.get()));
            }
            trusted = verify::update(&rules, &trusted, &update, now)?;
        }
        let end = trusted.time.millis().after(profile.trusting_period).unwrap_or(BlockTime::MAX);
        if now >= end {
            return Err(Refusal::new(Code::ClientExpired).needed(end.get()).found(now.get()));
        }
        let key = bytes(&self.key, MAX_KEY)?;
        let path = path_of(&self.store, &key)?;
        let proof = bytes(&self.proof, CometBft::MAX_PROOF)?;
        let value = self.value.as_deref().map(|value| bytes(value, MAX_VALUE)).transpose()?;
        match &value {
            Some(value) => CometBft::verify_membership(&profile, &trusted, &path, value, &proof)?,
            None => CometBft::verify_non_membership(&profile, &trusted, &path, &proof)?,
        }
        Ok(Shown {
            chain: profile.chain_id,
            start: start.height,
            start_hash,
            steps: self.updates.len(),
            height: trusted.height,
            time: trusted.time.millis(),
            store: self.store.clone(),
            key,
            value,
        })
    }
}

/// Bytes of hexadecimal digits, bounded before they are read.
fn bytes(text: &str, most: usize) -> Result<Vec<u8>, Refusal> {
    if text.len() > 2 * most {
        return Err(Refusal::new(Code::TooLong).needed(most).found(text.len() / 2));
    }
    hex::decode(text).map_err(|_| Refusal::new(Code::BadText).needed("hexadecimal digits"))
}

impl Shown {
    fn report(&self, trusted: bool) -> Report {
        let value = self.value.as_ref().map(hex::encode);
        let readable = self.value.as_ref().and_then(|value| String::from_utf8(value.clone()).ok());
        let json = json!({
            "chain": self.chain,
            "height": self.height.get(),
            "time": clock::show(self.time),
            "store": self.store,
            "key": hex::encode(&self.key),
            "present": value.is_some(),
            "value": value,
            "value_text": readable,
            "start_height": self.start.get(),
            "start_hash": hex::encode(self.start_hash),
            "start_hash_was_given": trusted,
            "updates": self.steps,
        });
        let held = match (&self.value, readable) {
            (None, _) => "nothing: the key is absent".to_owned(),
            (Some(_), Some(text)) => format!("\"{}\"", plain(&text)),
            (Some(value), None) => hex::encode(value),
        };
        let mut text = format!(
            "shown: chain {} held, after block {}, in store {} under key {}: {held}\nsaid by the header of height {} at \
             {}\nsteps to it, each signed by the chain's validators: {}, from the header of height {}\n",
            plain(&self.chain),
            self.height.get().saturating_sub(1),
            plain(&self.store),
            hex::encode(&self.key),
            self.height,
            clock::show(self.time),
            self.steps,
            self.start
        );
        let hash = hex::encode(self.start_hash);
        text.push_str(&if trusted {
            format!("from the header that you trust, {hash}\n")
        } else {
            format!("WARNING: from a header that the file brings; compare its hash, or give --hash: {hash}\n")
        });
        Report { text, json }
    }
}

impl Prove {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let key = hex::decode(&self.key)
            .map_err(|_| Failure::usage("the key is not hexadecimal", "give pairs of the digits 0-9 a-f"))?;
        let key = StoreKey { store: self.store, key };
        let nodes = Nodes { rpc: self.rpc, other: Vec::new() };
        let file = StoreFile::prove(&self.node.client()?, &self.client, &nodes.rpc, &key)?;
        let shown =
            file.verify(None, super::now()).map_err(|refusal| Failure::refused("the proof", refusal))?;
        files::write_new(&self.out, &file.to_json(), Readers::Anyone)?;
        let mut report = shown.report(true);
        report.text.push_str(&format!("wrote: {}\n", self.out.display()));
        report.json["wrote"] = self.out.display().to_string().into();
        Ok(report)
    }
}

impl Verify {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let file = StoreFile::read(&self.proof)?;
        let shown = file.verify(self.hash, self.time);
        let shown = shown.map_err(|refusal| match refusal.code {
            Code::ClientExpired => {
                let todo = "judge it at the time when it was made: --time 2026-11-21T12:45:00Z";
                let what = "the header is older than the chain's profile lets anybody trust";
                Failure::own(Rule::ClientExpired, self.proof.display(), what, todo)
            }
            _ => Failure::refused(self.proof.display(), refusal),
        })?;
        Ok(shown.report(self.hash.is_some()))
    }
}
