//! What a node answers, in our types.

use crate::{Error, wire};
use zeugma_ledger::ibc::{ClientRecord, Receipt};
use zeugma_ledger::{Event, Outcome};
use zeugma_proof::{Certificate, Header, Proof, Proven};
use zeugma_types::{
    BlockTime, ClientId, Epoch, Era, Height, LeafIndex, LeafPath, Namespace, NetworkId, Refusal, TreeSize,
    Value,
};

/// Names a transaction.
pub type TransactionId = [u8; 32];

/// Where a node stands. Its own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// The network.
    pub network: NetworkId,
    /// The network's name, for people.
    pub name: String,
    /// The last final block whose effects can be read; 0 before the first.
    pub height: Height,
    /// Era of the latest certified header.
    pub era: Era,
    /// Epoch of the latest certified header.
    pub epoch: Epoch,
    /// The version of the program.
    pub program: u32,
    /// Height and time of the latest certified header.
    pub certified: Option<(Height, BlockTime)>,
    /// Transactions that wait there.
    pub waiting_transactions: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// The other validators as the node hears them, by index.
    pub peers: Vec<Peer>,
    /// Why the node cannot go on, once it cannot.
    pub stopped: Option<String>,
}

/// Another validator, as a node hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its index in the genesis.
    pub index: u32,
    /// Its name in the genesis.
    pub name: String,
    /// Whether a vote of it came lately.
    pub connected: bool,
    /// The greatest height it voted for, as far as the node heard since it started.
    pub height: Option<Height>,
}

/// What became of a transaction, by the word of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not known there.
    Unknown,
    /// It waits there for a block.
    Waiting,
    /// Dropped there before it was in a block: it can never be admitted.
    Dropped {
        /// Why.
        refusal: Refusal,
    },
    /// In a final block.
    Final {
        /// The block.
        height: Height,
        /// Its number in the block, from 0.
        number: u32,
        /// What became of it.
        outcome: Outcome,
    },
}

/// A header and its certificate. Verified, if the client has a trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The header.
    pub header: Header,
    /// The certificate over its digest.
    pub certificate: Certificate,
}

/// A proof file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The same, decoded.
    pub proof: Proof,
    /// What it proves: there if the client has a trust.
    pub proven: Option<Proven>,
}

/// A transaction in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InBlock {
    /// Its name.
    pub id: TransactionId,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A leaf that a block said. A node's word: its proof is another request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidLeaf {
    /// Its position in the outbox.
    pub index: LeafIndex,
    /// Of what.
    pub path: LeafPath,
    /// The commitment.
    pub value: Value,
    /// The body behind it, where there is one.
    pub opening: Option<Vec<u8>>,
}

/// An event, with the number of the transaction it belongs to, or none at the edges of its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The transaction's number in the block, from 0.
    pub transaction: Option<u32>,
    /// The event.
    pub event: Event,
}

/// A final block with what it did. A node's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its header.
    pub header: Header,
    /// Its transactions.
    pub transactions: Vec<InBlock>,
    /// What it said in the outbox.
    pub leaves: Vec<SaidLeaf>,
    /// What it told.
    pub events: Vec<Told>,
}

/// What a follower hears of a block. A node's word: a hint to ask for proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// The block's height.
    pub height: Height,
    /// The block's time.
    pub time: BlockTime,
    /// Leaves of the outbox after it.
    pub outbox: TreeSize,
    /// What it told.
    pub events: Vec<Told>,
    /// Its transactions in their order, where the follower asked for them.
    pub transactions: Vec<Passed>,
}

/// A transaction of a final block, as a follower hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Its name.
    pub id: TransactionId,
    /// Whether it took effect.
    pub done: bool,
}

/// What became of a batch at the door of a node. A node's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many were taken.
    pub accepted: usize,
    /// The others: the place in the batch, from 0, and why.
    pub refused: Vec<(usize, Refusal)>,
}

/// A page of what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// Where to go on.
    pub next: Height,
    /// The newest height then.
    pub tip: Height,
    /// Blocks with an event, ascending; all others below `next` have none.
    pub blocks: Vec<Happened>,
}

/// Standing of a light client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Updates and proofs are verified.
    Active,
    /// Misbehaviour was shown.
    Frozen,
    /// The latest state is too old.
    Expired,
}

/// A light client as the network holds it. A node's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightClient {
    /// Number of its family.
    pub family: u16,
    /// Name of its family.
    pub family_name: String,
    /// What can be done with it.
    pub status: Standing,
    /// Height of its newest trusted state.
    pub latest: Height,
    /// From when on it is expired.
    pub expires_at: Option<BlockTime>,
    /// The height at which two histories were shown, and our time then.
    pub frozen: Option<(Height, BlockTime)>,
    /// Why its states are final, in words.
    pub finality: String,
    /// The other chain's client of us, once registered.
    pub counterparty: Option<ClientId>,
    /// The record in the state.
    pub record: ClientRecord,
}

/// A state that a light client trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedState {
    /// The foreign height.
    pub height: Height,
    /// The foreign chain's own time.
    pub time: BlockTime,
    /// Our time when it was verified.
    pub verified_at: BlockTime,
}

/// The three slots of a packet. A node's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketSlots {
    /// After this block.
    pub height: Height,
    /// Of a packet of ours that is not resolved.
    pub commitment: Option<Value>,
    /// Of a packet toward us.
    pub receipt: Option<Receipt>,
    /// Of the acknowledgement we wrote.
    pub acknowledgement: Option<Value>,
}

impl wire::Node {
    pub(crate) fn read(self) -> Result<NodeStatus, Error> {
        Ok(NodeStatus {
            network: NetworkId::new(wire::digest("the network", &self.network)?),
            name: self.name,
            height: Height::new(self.height),
            era: Era::new(self.era),
            epoch: Epoch::new(self.epoch),
            program: self.program,
            certified: self.certified.map(wire::Point::read),
            waiting_transactions: self.mempool.transactions,
            waiting_bytes: self.mempool.bytes,
            peers: self.peers.into_iter().map(wire::Peer::read).collect(),
            stopped: self.stopped,
        })
    }
}

impl wire::Peer {
    fn read(self) -> Peer {
        let height = self.height.map(Height::new);
        Peer { index: self.index, name: self.name, connected: self.connected, height }
    }
}

impl wire::Point {
    const fn read(self) -> (Height, BlockTime) {
        (Height::new(self.height), BlockTime::new(self.time))
    }
}

impl wire::Fate {
    pub(crate) fn read(self) -> Result<Fate, Error> {
        let missing = |what: &str| Error::Unreadable(format!("a {} transaction has no {what}", self.status));
        match self.status.as_str() {
            "unknown" => Ok(Fate::Unknown),
            "waiting" => Ok(Fate::Waiting),
            "dropped" => {
                let refusal = self.refusal.ok_or_else(|| missing("refusal"))?.read()?;
                Ok(Fate::Dropped { refusal })
            }
            "final" => Ok(Fate::Final {
                height: Height::new(self.height.ok_or_else(|| missing("height"))?),
                number: self.number.ok_or_else(|| missing("number"))?,
                outcome: match &self.outcome {
                    Some(outcome) => wire::canonical("an outcome", &outcome.bytes)?,
                    None => return Err(missing("outcome")),
                },
            }),
            other => Err(Error::Unreadable(format!("a transaction is {other}"))),
        }
    }
}

impl wire::Event {
    fn read(self) -> Result<Told, Error> {
        Ok(Told { transaction: self.transaction, event: wire::canonical("an event", &self.bytes)? })
    }
}

impl wire::Leaf {
    fn read(self) -> Result<SaidLeaf, Error> {
        let namespace = Namespace::ALL.iter().copied().find(|one| one.name() == self.namespace);
        let namespace =
            namespace.ok_or_else(|| Error::Unreadable(format!("namespace {}", self.namespace)))?;
        let path = LeafPath::new(namespace, &wire::bytes("a path", &self.path)?);
        Ok(SaidLeaf {
            index: LeafIndex::new(self.index),
            path: path.map_err(|refusal| Error::unreadable("a path", refusal))?,
            value: Value::new(wire::digest("a value", &self.value)?),
            opening: self.opening.map(|body| wire::bytes("a body", &body)).transpose()?,
        })
    }
}

impl wire::Block {
    pub(crate) fn read(self) -> Result<Block, Error> {
        let transaction = |one: wire::Transaction| {
            Ok(InBlock {
                id: wire::digest("a transaction's id", &one.id)?,
                bytes: wire::bytes("a transaction", &one.bytes)?,
                outcome: wire::canonical("an outcome", &one.outcome.bytes)?,
            })
        };
        Ok(Block {
            header: wire::canonical("a header", &self.header.bytes)?,
            transactions: self.transactions.into_iter().map(transaction).collect::<Result<_, Error>>()?,
            leaves: self.leaves.into_iter().map(wire::Leaf::read).collect::<Result<_, _>>()?,
            events: self.events.into_iter().map(wire::Event::read).collect::<Result<_, _>>()?,
        })
    }
}

impl wire::Happened {
    pub(crate) fn read(self) -> Result<Happened, Error> {
        Ok(Happened {
            height: Height::new(self.height),
            time: BlockTime::new(self.time),
            outbox: TreeSize::new(self.outbox),
            events: self.events.into_iter().map(wire::Event::read).collect::<Result<_, _>>()?,
            transactions: passed(&self.ids.unwrap_or_default(), &self.refused.unwrap_or_default())?,
        })
    }
}

/// Transactions by name, and the numbers of those that did not take effect, ascending.
fn passed(ids: &[String], refused: &[usize]) -> Result<Vec<Passed>, Error> {
    let mut refused = refused.iter().copied().peekable();
    let passed = ids.iter().enumerate().map(|(number, id)| {
        let done = refused.next_if_eq(&number).is_none();
        Ok(Passed { id: wire::digest("a transaction's id", id)?, done })
    });
    let passed = passed.collect::<Result<_, _>>()?;
    match refused.next() {
        None => Ok(passed),
        Some(number) => Err(Error::Unreadable(format!("transaction {number} is refused and not named"))),
    }
}

impl wire::Batch {
    pub(crate) fn read(self, sent: usize) -> Result<Batch, Error> {
        let refused = self.refused.into_iter().map(|one| Ok((one.number, one.refusal.read()?)));
        let refused: Vec<_> = refused.collect::<Result<_, Error>>()?;
        let known = refused.iter().all(|(number, _)| *number < sent);
        if !known || self.accepted.checked_add(refused.len()) != Some(sent) {
            return Err(Error::Unreadable(format!("it does not answer for {sent} transactions")));
        }
        Ok(Batch { accepted: self.accepted, refused })
    }
}

impl wire::Events {
    pub(crate) fn read(self) -> Result<Events, Error> {
        Ok(Events {
            next: Height::new(self.next),
            tip: Height::new(self.tip),
            blocks: self.blocks.into_iter().map(wire::Happened::read).collect::<Result<_, _>>()?,
        })
    }
}

impl wire::LightClient {
    pub(crate) fn read(self) -> Result<LightClient, Error> {
        let status = match self.status.as_str() {
            "active" => Standing::Active,
            "frozen" => Standing::Frozen,
            "expired" => Standing::Expired,
            other => return Err(Error::Unreadable(format!("a client is {other}"))),
        };
        let counterparty = self.counterparty.map(|id| ClientId::new(&id)).transpose();
        Ok(LightClient {
            family: self.family,
            family_name: self.family_name,
            status,
            latest: Height::new(self.latest),
            expires_at: self.expires_at.map(BlockTime::new),
            frozen: self.frozen.map(wire::Point::read),
            finality: self.finality,
            counterparty: counterparty.map_err(|refusal| Error::unreadable("a client", refusal))?,
            record: wire::canonical("a client's record", &self.bytes)?,
        })
    }
}

impl wire::States {
    pub(crate) fn read(self) -> Vec<TrustedState> {
        let read = |stored: wire::Stored| TrustedState {
            height: Height::new(stored.height),
            time: BlockTime::new(stored.time),
            verified_at: BlockTime::new(stored.verified_at),
        };
        self.states.into_iter().map(read).collect()
    }
}

impl wire::Packet {
    pub(crate) fn read(self) -> Result<PacketSlots, Error> {
        let value = |text: Option<String>| {
            text.map(|text| wire::digest("a commitment", &text).map(Value::new)).transpose()
        };
        let receipt = |name: String| {
            Receipt::named(&name).ok_or_else(|| Error::Unreadable(format!("a receipt is {name}")))
        };
        Ok(PacketSlots {
            height: Height::new(self.height),
            commitment: value(self.commitment)?,
            receipt: self.receipt.map(receipt).transpose()?,
            acknowledgement: value(self.acknowledgement)?,
        })
    }
}
