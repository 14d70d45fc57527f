//! Asking a network to do something, and waiting until it is final.

mod dry;

pub(crate) use dry::Tried;

use crate::clock;
use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::keyfile::Key;
use std::cell::Cell;
use std::time::{Duration, Instant};
use zeugma_client::{Client, Fate, TransactionId};
use zeugma_ledger::bounded::List;
use zeugma_ledger::tx::{SignedBody, Until};
use zeugma_ledger::{Event, Message, Outcome, Transaction};
use zeugma_types::{BlockTime, Cost, Encode as _, Height, NetworkId, Span};

/// How long a transaction may wait for its block before it lapses.
const LAPSES: Span = Span::seconds(10 * 60);
/// How long one request waits: between two, a wish to end is noticed.
const SLICE: Duration = Duration::from_secs(1);

/// What became of a transaction that took effect.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// Its name.
    pub(crate) id: TransactionId,
    /// Its block.
    pub(crate) height: Height,
    /// The names of its messages.
    pub(crate) asked: Vec<&'static str>,
    /// What became of each message.
    pub(crate) outcome: Outcome,
    /// What it told.
    pub(crate) events: Vec<Event>,
}

/// A signed transaction.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// Its canonical bytes.
    bytes: Vec<u8>,
    sequence: u64,
    asked: Vec<&'static str>,
    /// The same in words.
    subject: String,
}

/// An account at a node.
pub(crate) struct Sender<'k> {
    client: Client,
    key: &'k Key,
    network: NetworkId,
    last: Cell<u64>,
    patience: Duration,
    interrupt: Option<Interrupt>,
}

impl<'k> Sender<'k> {
    /// Asks the node for its network.
    pub(crate) fn new(client: Client, key: &'k Key, patience: Duration) -> Result<Self, Failure> {
        let genesis = client.genesis().map_err(|error| Failure::client("the genesis", error))?;
        let network = genesis.network();
        Ok(Self { client, key, network, last: Cell::new(0), patience, interrupt: None })
    }

    /// Gives up waiting on a wish to end.
    pub(crate) fn with_interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = Some(interrupt.clone());
        self
    }

    /// The node.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The account's key.
    pub(crate) const fn key(&self) -> &Key {
        self.key
    }

    /// Submits the messages as one transaction, and waits until it is final.
    ///
    /// # Errors
    /// The refusal, wherever it was made; that it is not final in time.
    pub(crate) fn send(&self, messages: Vec<Message>) -> Result<Done, Failure> {
        self.submit(&self.sign(messages)?)
    }

    /// Signs the messages as the account's next transaction.
    ///
    /// # Errors
    /// The account is not known; the messages are too many or too long.
    pub(crate) fn sign(&self, messages: Vec<Message>) -> Result<Signed, Failure> {
        let asked: Vec<&'static str> = messages.iter().map(Message::name).collect();
        let subject = asked.join(", ");
        let account = self.client.account(&self.key.account());
        let account = account.map_err(|error| Failure::client("the account", error))?.ok_or_else(|| {
            let what = format!("the network has no account {}", self.key.account());
            let todo = "use the key of an account that the network knows, or let a governor make this one: zeugma tx \
                        propose roles --of ACCOUNT --grant ROLE";
            Failure::own(Rule::NotThere, "the account", what, todo)
        })?;
        // The node may answer with a state from before our own last transaction.
        let sequence = account.used.highest.max(self.last.get()).saturating_add(1);
        let body = SignedBody {
            network: self.network,
            key: self.key.public(),
            sequence,
            until: Until { height: Height::MAX, time: clock::now().after(LAPSES).unwrap_or(BlockTime::MAX) },
            cost_limit: Cost::MAX,
            messages: List::new(messages).map_err(|refusal| Failure::refused(&subject, refusal))?,
        };
        let bytes = Transaction::sign(body, self.key.secret()).to_bytes();
        Ok(Signed { bytes, sequence, asked, subject })
    }

    /// Submits what was signed, and waits until it is final.
    ///
    /// # Errors
    /// As [`Sender::send`].
    #[tracing::instrument(name = "transaction.submit", level = "debug", skip_all, fields(asked = %signed.subject))]
    pub(crate) fn submit(&self, signed: &Signed) -> Result<Done, Failure> {
        let subject = &signed.subject;
        let id = self.client.submit(&signed.bytes).map_err(|error| Failure::client(subject, error))?;
        self.last.set(signed.sequence);
        let (height, number, outcome) = self.wait(&id, subject)?;
        if let Some(refusal) = outcome.refusal() {
            return Err(Failure::refused(format!("{subject} in block {height}"), refusal.to_refusal()));
        }
        let block = self.client.block(height).map_err(|error| Failure::client("the block", error))?;
        let told = block.map(|block| block.events).unwrap_or_default();
        let events = told.into_iter().filter(|told| told.transaction == Some(number)).map(|told| told.event);
        Ok(Done { id, height, asked: signed.asked.clone(), outcome, events: events.collect() })
    }

    fn wait(&self, id: &TransactionId, subject: &str) -> Result<(Height, u32, Outcome), Failure> {
        let end = Instant::now() + self.patience;
        loop {
            if let Some(interrupt) = &self.interrupt {
                interrupt.check()?;
            }
            let fate = self.client.wait(id, SLICE.min(end.saturating_duration_since(Instant::now())));
            match fate.map_err(|error| Failure::client(subject, error))? {
                Fate::Final { height, number, outcome } => return Ok((height, number, outcome)),
                Fate::Dropped { refusal } => return Err(Failure::refused(subject, refusal)),
                Fate::Unknown | Fate::Waiting if Instant::now() >= end => {
                    let what = format!("transaction {} is not in a block yet", hex::encode(id));
                    let todo = format!("ask later: zeugma query tx {}", hex::encode(id));
                    return Err(Failure::own(Rule::TooSlow, subject, what, todo));
                }
                Fate::Unknown | Fate::Waiting => {}
            }
        }
    }
}
