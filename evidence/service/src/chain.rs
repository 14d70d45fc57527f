//! Anchoring: the newest published checkpoint goes to the relay chain every few seconds, and its one proof comes back.
//!
//! The chain may be away: then nothing is lost, since the next checkpoint covers all entries before it. What is on
//! its way is asked for again, never sent twice with another content: the chain takes the same checkpoint again without
//! effect, and one that is not consistent never.
//!
//! Order of writes: the notes that were sent stand on disk before they are sent, so that after a crash the proof that
//! comes back finds the notes that it is about; the anchor is kept when both are there.

use crate::anchors::Anchored;
use crate::desk::{Desk, Notes, now};
use crate::files::{self, Readers};
use crate::metrics::Metrics;
use crate::run::Chain;
use crate::store::Tree;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeugma_client::{Client, Fate, Under};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_evidence_verify::bundle::MAX_NOTE;
use zeugma_ledger::bounded::{Bytes, List, Maybe, Text};
use zeugma_ledger::evidence::LogKey;
use zeugma_ledger::tx::{AnchorLog, RegisterOrigin, SecondTree, SignedBody, Until};
use zeugma_ledger::{Message, Transaction, account_of};
use zeugma_proof::body::{Anchor, Said as _, origin_digest};
use zeugma_types::{
    BlockTime, Code, Cost, Decode as _, Encode as _, Height, LeafPath, NetworkId, Refusal, Span, TreeSize,
};

/// How long a transaction may wait for its block before it lapses.
const LAPSES: Span = Span::seconds(60);
/// How long one look at a fate waits.
const LOOK: Duration = Duration::from_secs(2);

/// Why a round ended early; the next begins anew.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChainError {
    /// The node did not answer, or not as it should.
    #[error("the relay chain: {0}")]
    Client(#[from] zeugma_client::Error),
    /// A rule broke.
    #[error("{what}: {refusal}")]
    Refused {
        /// What was refused.
        what: &'static str,
        /// Which rule.
        refusal: Refusal,
    },
    /// The disk.
    #[error("the anchors: {0}")]
    Disk(#[from] std::io::Error),
    /// The account is not known.
    #[error("the network has no account {0}: let a governor grant it the role that anchors")]
    NoAccount(String),
    /// It did not become final.
    #[error("the checkpoint of size {0} is not in a block yet")]
    NotYet(TreeSize),
}

fn refused(what: &'static str) -> impl Fn(Refusal) -> ChainError {
    move |refusal| ChainError::Refused { what, refusal }
}

/// Anchors one desk's log.
pub(crate) struct Anchorer {
    desk: Arc<Desk>,
    client: Client,
    account: SecretKey,
    metrics: Arc<Metrics>,
    network: Option<NetworkId>,
    last: u64,
    /// When the oldest checkpoint was seen that waits for its anchor.
    waits_since: Option<BlockTime>,
    /// Notes that were sent and whose proof is not here yet.
    pending: PathBuf,
}

impl Anchorer {
    pub(crate) fn new(desk: Arc<Desk>, chain: Chain, metrics: Arc<Metrics>, folder: &Path) -> Self {
        let Chain { client, account, .. } = chain;
        Self {
            desk,
            client,
            account,
            metrics,
            network: None,
            last: 0,
            waits_since: None,
            pending: folder.join("anchoring"),
        }
    }

    /// Anchors what is published and not anchored yet. Returns the size, if there was something.
    ///
    /// # Errors
    /// [`ChainError`]; what was done until then is kept.
    pub(crate) fn round(&mut self) -> Result<Option<TreeSize>, ChainError> {
        let began = now();
        // Wherever a round ends early, the next begins anew, and this one is counted.
        let done = self.step().inspect_err(|_| self.metrics.anchor_failed());
        self.waits_since = match (self.waits(), &done) {
            (false, _) => None,
            // What waits now was published after what was just anchored.
            (true, Ok(Some(_))) => Some(began),
            (true, _) => self.waits_since.or(Some(began)),
        };
        self.metrics.anchor_waits(self.waits_since);
        done
    }

    /// Whether a published checkpoint is not anchored.
    fn waits(&self) -> bool {
        (0..=self.desk.log().head().0).any(|shard| {
            let published = self.desk.notes(shard).ok().flatten().map_or(0, |notes| notes.size.get());
            published > self.desk.anchors().last(shard).unwrap_or(0)
        })
    }

    /// As [`Anchorer::round`], for one of several that send from one account: `last` is the highest number that any of them used.
    ///
    /// # Errors
    /// As [`Anchorer::round`].
    pub(crate) fn round_after(&mut self, last: &mut u64) -> Result<Option<TreeSize>, ChainError> {
        self.last = self.last.max(*last);
        let done = self.round();
        *last = self.last;
        done
    }

    /// The origin of its log.
    pub(crate) fn origin(&self) -> String {
        self.desk.origin()
    }

    fn step(&mut self) -> Result<Option<TreeSize>, ChainError> {
        let newest = self.desk.log().head().0;
        if let Some(notes) = self.pending()? {
            let (shard, origin) = self.shard_of(&notes, newest)?;
            self.desk.witnessing().hold(shard, notes.size.get());
            return self.collect(shard, &origin, &notes).map(Some);
        }
        // A closed shard first: its last checkpoint covers what nothing else will.
        let mut failed = None;
        for shard in 0..=newest {
            match self.anchor_newest(shard) {
                Ok(None) => {}
                Ok(Some(size)) => return Ok(Some(size)),
                // One shard that the chain does not take holds up no other.
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// The shard whose log a note is of.
    fn shard_of(&self, notes: &Notes, newest: u32) -> Result<(u32, String), ChainError> {
        for shard in 0..=newest {
            let origin = self.desk.log().origin_of(shard).map_err(refused("the origin"))?;
            if notes.first.split('\n').next() == Some(origin.as_str()) {
                return Ok((shard, origin));
            }
        }
        Err(ChainError::Refused { what: "the note on its way", refusal: Refusal::new(Code::WrongOrigin) })
    }

    fn anchor_newest(&mut self, shard: u32) -> Result<Option<TreeSize>, ChainError> {
        let origin = self.desk.log().origin_of(shard).map_err(refused("the origin"))?;
        let Some(notes) = self.desk.ripe(shard).map_err(refused("the published notes"))? else {
            return Ok(None);
        };
        let before = self.desk.anchors().last(shard);
        if before.is_some_and(|before| before >= notes.size.get()) || notes.size == TreeSize::ZERO {
            return Ok(None);
        }
        self.desk.witnessing().hold(shard, notes.size.get());
        self.send(shard, &origin, &notes)?;
        self.collect(shard, &origin, &notes).map(Some)
    }

    fn pending(&self) -> Result<Option<Notes>, ChainError> {
        let Some(bytes) = files::read(&self.pending, 3 * MAX_NOTE as u64)? else { return Ok(None) };
        let kept = Anchored::from_bytes(&bytes).map_err(refused("the notes on their way"))?;
        let size = crate::desk::size_of(&kept.first).map_err(refused("the note on its way"))?;
        Ok(Some(Notes { size, first: kept.first, second: kept.second }))
    }

    /// What the chain has of this log, if anything.
    fn standing(&self, origin: &str, size: TreeSize) -> Result<Option<(Anchor, Vec<u8>)>, ChainError> {
        let path = LeafPath::anchor(&origin_digest(origin), size);
        let Some(file) = self.client.proof_of(&path, Under::First)? else { return Ok(None) };
        let opening = file.proof.opening.clone().unwrap_or_default();
        let said = Anchor::from_bytes(&opening).map_err(refused("the opening of the anchor"))?;
        if said.path() != path {
            return Err(ChainError::Refused { what: "the anchor", refusal: Refusal::new(Code::WrongPath) });
        }
        Ok(Some((said, file.bytes)))
    }

    fn send(&mut self, shard: u32, origin: &str, notes: &Notes) -> Result<(), ChainError> {
        let kept = Anchored { first: notes.first.clone(), second: notes.second.clone(), proof: Vec::new() };
        files::replace(&self.pending, &kept.to_bytes(), Readers::Anyone)?;
        let mut messages = Vec::new();
        let before = self.desk.anchors().last(shard);
        if before.is_none() {
            messages.push(self.register(origin).map_err(refused("the origin"))?);
        }
        messages.push(self.anchor(shard, origin, notes, before).map_err(refused("the checkpoint"))?);
        match self.submit(messages) {
            // Registered in an earlier life of ours: the checkpoint alone.
            Err(ChainError::Refused { refusal, .. }) if refusal.code == Code::OriginKnown => {
                let message = self.anchor(shard, origin, notes, before).map_err(refused("the checkpoint"))?;
                self.submit(vec![message])
            }
            done => done,
        }
    }

    fn register(&self, origin: &str) -> Result<Message, Refusal> {
        let [first, second] = self.desk.keys().log_keys();
        let second = self.desk.has_second().then_some(LogKey { ed25519: second });
        Ok(Message::RegisterOrigin(RegisterOrigin {
            origin: Text::new(origin)?,
            key: LogKey { ed25519: first },
            second: Maybe(second),
        }))
    }

    fn anchor(
        &self,
        shard: u32,
        origin: &str,
        notes: &Notes,
        before: Option<u64>,
    ) -> Result<Message, Refusal> {
        let consistency = |tree| match before {
            None => Ok(List::default()),
            Some(before) => {
                let hashes = self.desk.log().consistency(shard, tree, TreeSize::new(before), notes.size)?;
                List::new(hashes)
            }
        };
        let second = match &notes.second {
            None => None,
            Some(note) => Some(SecondTree {
                note: Bytes::new(note.as_bytes())?,
                consistency: consistency(Tree::Second)?,
            }),
        };
        Ok(Message::Anchor(AnchorLog {
            origin: Text::new(origin)?,
            note: Bytes::new(notes.first.as_bytes())?,
            consistency: consistency(Tree::First)?,
            second: Maybe(second),
        }))
    }

    fn submit(&mut self, messages: Vec<Message>) -> Result<(), ChainError> {
        let network = match self.network {
            Some(network) => network,
            None => *self.network.insert(self.client.genesis()?.network()),
        };
        let key = &self.account;
        let account = account_of(key.public().as_bytes());
        let known =
            self.client.account(&account)?.ok_or_else(|| ChainError::NoAccount(account.to_string()))?;
        let sequence = known.used.highest.max(self.last).saturating_add(1);
        let body = SignedBody {
            network,
            key: *key.public().as_bytes(),
            sequence,
            until: Until { height: Height::MAX, time: now().after(LAPSES).unwrap_or(BlockTime::MAX) },
            cost_limit: Cost::MAX,
            messages: List::new(messages).map_err(refused("the transaction"))?,
        };
        let id = match self.client.submit(&Transaction::sign(body, key).to_bytes()) {
            Err(zeugma_client::Error::Refused(refusal)) => return Err(refused("the checkpoint")(refusal)),
            id => id?,
        };
        self.last = sequence;
        match self.client.wait(&id, LOOK)? {
            Fate::Final { outcome, .. } => match outcome.refusal() {
                Some(refusal) => Err(refused("the checkpoint")(refusal.to_refusal())),
                None => Ok(()),
            },
            Fate::Dropped { refusal } => Err(refused("the checkpoint")(refusal)),
            Fate::Unknown | Fate::Waiting => Ok(()),
        }
    }

    /// Fetches the proof of what was sent, and keeps both.
    fn collect(&mut self, shard: u32, origin: &str, notes: &Notes) -> Result<TreeSize, ChainError> {
        let Some((said, proof)) = self.standing(origin, notes.size)? else {
            // Lapsed or lost on the way: another round sends what is newest then.
            std::fs::remove_file(&self.pending).or_else(gone)?;
            return Err(ChainError::NotYet(notes.size));
        };
        if said.log.size != notes.size {
            let refusal =
                Refusal::new(Code::NotAnchoredSize).needed(notes.size.get()).found(said.log.size.get());
            return Err(ChainError::Refused { what: "the anchor", refusal });
        }
        let anchored = Anchored { first: notes.first.clone(), second: notes.second.clone(), proof };
        self.desk.anchors().keep(shard, notes.size.get(), &anchored)?;
        std::fs::remove_file(&self.pending).or_else(gone)?;
        self.metrics.anchored(now());
        Ok(notes.size)
    }
}

fn gone(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
