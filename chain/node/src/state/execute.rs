//! Running the ledger over a batch of the database: fetch what a step needs, ask again, write at the end.

use super::{Batch, Databases, Sealed, Tip, Value, place, tip_key};
use crate::consensus::Runtime;
use crate::mempool::Candidate;
use crate::outbox::Said;
use commonware_glue::stateful::db::Unmerkleized as _;
use std::collections::HashSet;
use zeugma_ledger::{
    Block, Context, Edge, Event, Genesis, Key, Ledger, Outcome, Overlay, PROGRAM, Place, Read, Reads as _,
    Step,
};
use zeugma_proof::tree::Frontier;
use zeugma_proof::{Leaf, LeafFormat, Outbox};
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _, Epoch, Era, HashSuite, Height, OutboxRoot};

/// What consensus says of the block to be executed.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) genesis: &'a Genesis,
    pub(crate) ledger: Ledger<'a>,
    pub(crate) network: zeugma_types::NetworkId,
    pub(crate) era: Era,
    pub(crate) epoch: Epoch,
    pub(crate) height: Height,
    pub(crate) time: BlockTime,
    pub(crate) place: Place,
}

/// Why a block cannot be executed here, whatever the block.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The database failed.
    #[error("state storage: {0}")]
    Storage(String),
    /// The state is not what this program writes.
    #[error("the state holds bytes under {0:?} that this program never wrote")]
    Corrupt(Key),
    /// The state is of another block than the parent.
    #[error("the state is of height {found}, the parent's is {needed}")]
    WrongTip {
        /// The parent's height.
        needed: u64,
        /// The state's.
        found: u64,
    },
    /// The network decided on newer rules.
    #[error("program version {needed} is needed from this height on; this is version {PROGRAM}")]
    Upgrade {
        /// The version that is needed.
        needed: u32,
    },
}

/// What a block left.
pub(crate) struct Executed<E: Runtime> {
    pub(crate) sealed: Sealed<E>,
    pub(crate) outbox: Outbox,
    /// Leaves of the outbox before the block.
    pub(crate) first_leaf: u64,
    pub(crate) said: Vec<Said>,
    /// One for each transaction of the block.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) events: Vec<(Option<u32>, Event)>,
}

/// Which transactions stand in the block.
pub(crate) enum Transactions<'a> {
    /// These, whatever becomes of them.
    Given(&'a [Candidate]),
    /// Those of these that are admitted; the others are reported.
    Chosen {
        from: Vec<Candidate>,
        into: &'a mut Vec<Candidate>,
        refused: &'a mut Vec<(Candidate, zeugma_types::Refusal)>,
    },
}

/// Transactions that found no room in a block, after which it is taken to be full.
const MOST_MISSES: usize = 16;

struct Run<'a, E: Runtime> {
    environment: Environment<'a>,
    batch: &'a Batch<E>,
    overlay: Overlay,
    said: Vec<Said>,
    outcomes: Vec<Outcome>,
    events: Vec<(Option<u32>, Event)>,
}

/// Executes a block on the state of its parent.
pub(crate) async fn execute<E: Runtime>(
    environment: Environment<'_>,
    transactions: Transactions<'_>,
    mut batch: Batch<E>,
) -> Result<Executed<E>, Fault> {
    let parent = environment.height.previous().unwrap_or(Height::ZERO);
    let mut tip = match get::<E>(&batch, &tip_key()).await? {
        None => Tip::GENESIS,
        Some(bytes) => Tip::from_bytes(&bytes).map_err(|refusal| Fault::Storage(refusal.to_string()))?,
    };
    if tip.height != parent {
        return Err(Fault::WrongTip { needed: parent.get(), found: tip.height.get() });
    }
    let first_leaf = tip.outbox.size();
    let mut run = Run::<E> {
        environment,
        batch: &batch,
        overlay: Overlay::default(),
        said: Vec::new(),
        outcomes: Vec::new(),
        events: Vec::new(),
    };
    if parent == Height::ZERO {
        // The database of a new network is empty: block 1 brings what the genesis says.
        run.overlay.apply(environment.genesis.state());
    }
    let context = Context {
        network: environment.network,
        height: environment.height,
        time: environment.time,
        era: environment.era,
        epoch: environment.epoch,
        outbox: first_leaf,
        program: PROGRAM,
    };
    let mut block = run.begin(&context).await?;
    match transactions {
        Transactions::Given(given) => {
            for candidate in given {
                run.step(&mut block, candidate, Admission::Any).await?;
            }
        }
        Transactions::Chosen { from, into, refused } => {
            // An account that cannot pay for one saves for it: what it sent after would spend what refills, and a
            // block that is full of what cannot be paid for costs one look an account.
            let (mut passed, mut misses) = (HashSet::new(), 0);
            for candidate in from {
                let account = candidate.checked.account().copied();
                if account.is_some_and(|account| passed.contains(&account)) {
                    continue;
                }
                let Some(refusal) = run.step(&mut block, &candidate, Admission::Needed).await? else {
                    into.push(candidate);
                    continue;
                };
                match refusal.code {
                    // It begins a later block; what is smaller, of others, goes into what is left of this one.
                    Code::BlockFull => {
                        misses += 1;
                        if misses == MOST_MISSES {
                            break;
                        }
                        passed.extend(account);
                    }
                    code => {
                        if code == Code::AllowanceSpent {
                            passed.extend(account);
                        }
                        refused.push((candidate, refusal));
                    }
                }
            }
        }
    }
    run.end(&block).await?;
    let Run { overlay, said, outcomes, events, .. } = run;

    for (key, value) in overlay.into_writes() {
        batch = batch.write(place(&key), value.map(|bytes| Value(bytes.into())));
    }
    append(&mut tip.outbox, environment, &said)?;
    tip.height = environment.height;
    let outbox = outbox_of(&tip.outbox);
    batch = batch.write(tip_key(), Some(Value(tip.to_bytes().into())));
    let sealed = batch.merkleize().await.map_err(|error| Fault::Storage(error.to_string()))?;
    Ok(Executed { sealed, outbox, first_leaf: first_leaf.get(), said, outcomes, events })
}

/// Whether a transaction that is not admitted leaves its outcome in the block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    Any,
    Needed,
}

impl<E: Runtime> Run<'_, E> {
    async fn begin(&mut self, context: &Context) -> Result<Block, Fault> {
        loop {
            match self.environment.ledger.begin_block(context, &self.overlay) {
                Edge::Need(keys) => self.fetch(keys).await?,
                Edge::Done((block, effects)) => {
                    self.take(None, effects);
                    return Ok(block);
                }
                Edge::Corrupt(key) => return Err(Fault::Corrupt(key)),
                Edge::Upgrade { needed } => return Err(Fault::Upgrade { needed }),
            }
        }
    }

    /// Runs one transaction; says why it was left out, if it was.
    async fn step(
        &mut self,
        block: &mut Block,
        candidate: &Candidate,
        admission: Admission,
    ) -> Result<Option<zeugma_types::Refusal>, Fault> {
        self.fetch(self.environment.ledger.hints(&candidate.checked)).await?;
        let done = loop {
            match self.environment.ledger.step(block, &candidate.checked, &self.overlay) {
                Step::Need(keys) => self.fetch(keys).await?,
                Step::Done(done) => break done,
                Step::Corrupt(key) => return Err(Fault::Corrupt(key)),
            }
        };
        if admission == Admission::Needed
            && let Outcome::NotAdmitted { refusal } = &done.outcome
        {
            return Ok(Some(refusal.to_refusal()));
        }
        block
            .advance(&done.effects, done.cost)
            .map_err(|refusal| Fault::Storage(format!("the outbox is full: {refusal}")))?;
        let number = u32::try_from(self.outcomes.len()).expect("a block's transactions are bounded");
        self.outcomes.push(done.outcome);
        self.take(Some(number), done.effects);
        Ok(None)
    }

    async fn end(&mut self, block: &Block) -> Result<(), Fault> {
        loop {
            match self.environment.ledger.end_block(block, self.environment.place, &self.overlay) {
                Edge::Need(keys) => self.fetch(keys).await?,
                Edge::Done(effects) => {
                    self.take(None, effects);
                    return Ok(());
                }
                Edge::Corrupt(key) => return Err(Fault::Corrupt(key)),
                Edge::Upgrade { needed } => return Err(Fault::Upgrade { needed }),
            }
        }
    }

    async fn fetch(&mut self, keys: Vec<Key>) -> Result<(), Fault> {
        for key in keys {
            if self.overlay.read(&key) == Read::Unknown {
                let value = get::<E>(self.batch, &place(&key)).await?;
                self.overlay.fetched(key, value.map(|bytes| bytes.to_vec()));
            }
        }
        Ok(())
    }

    fn take(&mut self, transaction: Option<u32>, effects: zeugma_ledger::Effects) {
        self.overlay.apply(effects.writes);
        self.said.extend(effects.leaves);
        self.events.extend(effects.events.into_iter().map(|event| (transaction, event)));
    }
}

async fn get<E: Runtime>(
    batch: &<Databases<E> as commonware_glue::stateful::db::DatabaseSet<E>>::Unmerkleized,
    key: &crate::consensus::Digest,
) -> Result<Option<bytes::Bytes>, Fault> {
    let value = batch.get(key).await.map_err(|error| Fault::Storage(error.to_string()))?;
    Ok(value.map(|value| value.0))
}

fn append(tree: &mut Frontier, environment: Environment<'_>, said: &[Said]) -> Result<(), Fault> {
    for said in said {
        let leaf = leaf_of(environment.network, environment.height, environment.time, said);
        tree.append(*leaf.hash(HashSuite::Sha256).as_bytes(), |_, _| ())
            .map_err(|refusal| Fault::Storage(format!("the outbox is full: {refusal}")))?;
    }
    Ok(())
}

/// The leaf that says this in a block.
pub(crate) fn leaf_of(
    network: zeugma_types::NetworkId,
    height: Height,
    time: BlockTime,
    said: &Said,
) -> Leaf {
    Leaf { format: LeafFormat::Sha256, network, height, time, path: said.path.clone(), value: said.value }
}

/// The outbox of a header, from its frontier.
pub(crate) fn outbox_of(tree: &Frontier) -> Outbox {
    Outbox::new(tree.size(), vec![(HashSuite::Sha256, OutboxRoot::new(tree.root()))])
        .expect("one root, of the suite that is always there")
}
