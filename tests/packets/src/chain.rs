//! A ledger as a chain: each attempt is a block of its own.

use crate::mirror::{Content, Mirror, Profile, State, bytes_of};
use crate::told::{Told, told};
use std::collections::BTreeMap;
use zeugma_adapter_core::Family as _;
use zeugma_adapter_core::{Adapter, MerklePath, Of};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::sha256;
use zeugma_ledger::bounded::{Bytes, List, Text};
use zeugma_ledger::gov::{Change, Parameters};
use zeugma_ledger::ibc::{Acknowledgements, Packet};
use zeugma_ledger::tx::{
    Acknowledge, ClaimTimeout, CreateClient, Propose, RecvPacket, RegisterCounterparty, RejectHold,
    ReleaseHold, SignedBody, StoreProof, Timeout, Until, UpdateClient,
};
use zeugma_ledger::{
    Checked, Context, Effect, Execution, Families, Founder, Genesis, Ledger, Message, Outcome, PROGRAM,
    Place, PlantedBug, Progress, Read, Reads as _, Role, Roles, Store, Transaction, Validator, account_of,
};
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{
    AccountId, BlockTime, ClientId, Cost, Decode as _, Encode as _, Epoch, Era, Height, Sequence, TreeSize,
};

static FAMILY: Of<Mirror> = Of::new();
static TABLE: [&dyn Adapter; 1] = [&FAMILY];

/// Accounts that hold assets.
pub const USERS: u8 = 2;
/// The account with every role, which relays, governs and guards.
const ADMIN: u8 = USERS;
/// Milliseconds between two blocks.
const BLOCK: u64 = 1_000;

/// A height of a chain as others see it.
#[derive(Clone)]
pub struct Sealed {
    /// The height.
    pub height: u64,
    /// The chain's own time, in milliseconds.
    pub time: u64,
    /// What it held.
    pub content: Content,
    /// The same as bytes: the proof of all of it.
    pub proof: Vec<u8>,
}

impl Sealed {
    /// What a chain holds.
    #[must_use]
    pub fn of(height: u64, time: u64, content: Content) -> Self {
        let proof = bytes_of(&content);
        Self { height, time, content, proof }
    }

    fn state(&self) -> State {
        State {
            height: Height::new(self.height),
            time: BlockTime::new(self.time),
            root: sha256(&[&self.proof]),
        }
    }
}

/// See the module.
#[derive(Clone)]
pub struct Chain {
    genesis: Genesis,
    /// The state.
    pub store: Store,
    height: u64,
    /// The time of the last block, in milliseconds.
    pub time: u64,
    outbox: u64,
    sequences: [u64; ADMIN as usize + 1],
    planted: Option<PlantedBug>,
    seals: u64,
    told: Vec<Told>,
}

fn key(chain: u8, account: u8) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"packets", &[chain, account]]))
}

impl Chain {
    /// The ledger of this number, empty.
    ///
    /// # Panics
    /// Never: its genesis is within its bounds.
    #[must_use]
    pub fn new(number: u8, time: u64) -> Self {
        let text = |text: &str| Text::new(text).expect("a short word");
        let mut accounts: Vec<Founder> = (0..=ADMIN)
            .map(|account| {
                let roles = if account == ADMIN { Roles::of(Role::ALL) } else { Roles::of(&[Role::Member]) };
                Founder { key: *key(number, account).public().as_bytes(), roles }
            })
            .collect();
        accounts.sort_by_key(|founder| founder.key);
        let validator =
            Validator { name: text("one"), role: text("court"), key: *key(number, 99).public().as_bytes() };
        let genesis = Genesis {
            version: Genesis::VERSION,
            name: text(&format!("ledger-{number}")),
            time: BlockTime::new(time),
            epoch_length: Genesis::USUAL_EPOCH_LENGTH,
            validators: List::new(vec![validator]).expect("one validator"),
            accounts: List::new(accounts).expect("few accounts"),
            parameters: Parameters {
                families: List::new(vec![Mirror::NUMBER]).expect("one family"),
                notice: 1,
                ..Parameters::default()
            },
        };
        genesis.check().expect("its relations hold");
        let mut store = Store::default();
        store.apply(genesis.state());
        Self {
            genesis,
            store,
            height: 0,
            time,
            outbox: 0,
            sequences: [0; ADMIN as usize + 1],
            planted: None,
            seals: 0,
            told: Vec::new(),
        }
    }

    /// From now on its program has this bug.
    pub fn plant(&mut self, bug: Option<PlantedBug>) {
        self.planted = bug;
    }

    /// The account of a user.
    #[must_use]
    pub fn account(number: u8, user: u8) -> AccountId {
        account_of(key(number, user).public().as_bytes())
    }

    /// What it told since it was asked last.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// The time of the next block, in milliseconds.
    #[must_use]
    pub const fn next_time(&self) -> u64 {
        self.time + BLOCK
    }

    /// Time passes.
    pub fn pass(&mut self, millis: u64) {
        self.time += millis;
    }

    fn sign(&mut self, number: u8, account: u8, messages: Vec<Message>) -> Transaction {
        let sequence = &mut self.sequences[usize::from(account)];
        *sequence += 1;
        let key = key(number, account);
        let body = SignedBody {
            network: self.genesis.network(),
            key: *key.public().as_bytes(),
            sequence: *sequence,
            until: Until::NEVER,
            cost_limit: Cost::MAX,
            messages: List::new(messages).expect("few messages"),
        };
        Transaction::sign(body, &key)
    }

    /// One transaction in a block of its own; nothing when there is none.
    fn block(&mut self, transactions: &[Transaction]) -> Option<Outcome> {
        let checked: Vec<Checked> = transactions
            .iter()
            .map(|each| Checked::new(&each.to_bytes()).expect("it was signed here"))
            .collect();
        let context = Context {
            network: self.genesis.network(),
            height: Height::new(self.height + 1),
            time: BlockTime::new(self.next_time()),
            era: Era::ZERO,
            epoch: Epoch::ZERO,
            outbox: TreeSize::new(self.outbox),
            program: PROGRAM,
        };
        let families = Families::new(&TABLE).with_planted(self.planted);
        let mut execution = Execution::new(Ledger::new(families), context, Place::Within, &checked);
        let mut wanted = execution.hints();
        loop {
            for key in wanted {
                let value = match self.store.read(&key) {
                    Read::Value(value) => Some(value.to_vec()),
                    Read::Absent | Read::Unknown => None,
                };
                execution.fetched(key, value);
            }
            match execution.advance() {
                Progress::Need(keys) => wanted = keys,
                Progress::Done => break,
                Progress::Upgrade { .. } | Progress::Corrupt(_) => {
                    panic!("a ledger stopped: {transactions:?}")
                }
            }
        }
        let executed = execution.finish();
        self.store.apply(executed.writes);
        self.height += 1;
        self.time = self.next_time();
        self.outbox += u64::try_from(executed.leaves.len()).expect("few leaves");
        self.told.extend(executed.events.into_iter().filter_map(|(_, event)| told(event)));
        executed.outcomes.into_iter().next()
    }

    /// Whether a message of an account took effect.
    pub fn tries(&mut self, number: u8, account: Account, message: impl Into<Message>) -> bool {
        let transaction = self.sign(number, account.place(), vec![message.into()]);
        match self.block(&[transaction]) {
            Some(Outcome::Done { messages }) => messages.as_slice() == [Effect::Applied],
            _ => false,
        }
    }

    /// What cannot be refused.
    ///
    /// # Panics
    /// When it is.
    pub fn must(&mut self, number: u8, message: impl Into<Message>) {
        let transaction = self.sign(number, ADMIN, vec![message.into()]);
        let outcome = self.block(&[transaction]);
        assert!(matches!(outcome, Some(Outcome::Done { .. })), "{outcome:?}");
    }

    /// A client of another chain, and whose client of us it answers.
    ///
    /// # Panics
    /// Never: the parts are within their bounds.
    pub fn follow(&mut self, number: u8, other: u8, sealed: &Sealed, counterparty: &ClientId) -> ClientId {
        let count = self.store.under(&[0x10]).count();
        let create = CreateClient {
            family: Mirror::NUMBER,
            profile: Bytes::new(Profile(other).to_bytes()).expect("a byte"),
            state: Bytes::new(sealed.state().to_bytes()).expect("a state"),
        };
        self.must(number, create);
        let client = ClientId::new(&format!("mirror-{count}")).expect("a name");
        let prefix = MerklePath::new(vec![b"ibc/".to_vec()]).expect("one element");
        let register =
            RegisterCounterparty { client: client.clone(), counterparty: counterparty.clone(), prefix };
        self.must(number, register);
        client
    }

    /// A client learns of a new height.
    ///
    /// # Panics
    /// When a true update is refused.
    pub fn learn(&mut self, number: u8, client: &ClientId, sealed: &Sealed) {
        let update = Bytes::new(sealed.state().to_bytes()).expect("a state");
        self.must(number, UpdateClient { client: client.clone(), update });
    }

    /// A change that governance decides, in force at once.
    pub fn change(&mut self, number: u8, change: Change) {
        self.must(number, Propose { change, activation: Height::ZERO });
        self.block(&[]);
    }

    /// See [`RecvPacket`].
    pub fn receive(&mut self, number: u8, packet: &Packet, under: &Sealed) -> bool {
        self.tries(number, Account::Admin, RecvPacket { packet: packet.clone(), proof: proof(under) })
    }

    /// See [`ClaimTimeout`].
    pub fn close(&mut self, number: u8, packet: &Packet, under: &Sealed) -> bool {
        self.tries(number, Account::Admin, ClaimTimeout { packet: packet.head(), proof: proof(under) })
    }

    /// See [`Acknowledge`].
    pub fn acknowledge(
        &mut self,
        number: u8,
        packet: &Packet,
        answer: &Acknowledgements,
        under: &Sealed,
    ) -> bool {
        let (packet, acknowledgements) = (packet.clone(), answer.clone());
        self.tries(number, Account::Admin, Acknowledge { packet, acknowledgements, proof: proof(under) })
    }

    /// See [`Timeout`].
    pub fn time_out(&mut self, number: u8, packet: &Packet, under: &Sealed) -> bool {
        self.tries(number, Account::Admin, Timeout { packet: packet.clone(), proof: proof(under) })
    }

    /// See [`ReleaseHold`].
    pub fn release(&mut self, number: u8, packet: &Packet) -> bool {
        let (client, sequence) = (packet.destination_client.clone(), packet.sequence);
        self.tries(number, Account::User(0), ReleaseHold { client, sequence })
    }

    /// See [`RejectHold`].
    pub fn reject(&mut self, number: u8, packet: &Packet) -> bool {
        let (client, sequence) = (packet.destination_client.clone(), packet.sequence);
        self.tries(number, Account::Admin, RejectHold { client, sequence, order: [7; 32] })
    }

    /// The chain as others see it now: commitments, receipts and acknowledgements of all its clients.
    ///
    /// # Panics
    /// When a key of packets names no packet.
    pub fn seal(&mut self) -> Sealed {
        let mut content = Content::new();
        for (tag, kind) in
            [(0x21, PacketPath::Commitment), (0x22, PacketPath::Receipt), (0x23, PacketPath::Acknowledgement)]
        {
            for (key, value) in self.store.under(&[tag]) {
                // A tombstone is no receipt: to another chain a closed path is absent, for ever.
                if tag == 0x22 && value != [1] {
                    continue;
                }
                let (client, sequence) = packet_of(key.as_bytes());
                let path = packet_path(&client, kind, sequence);
                content.insert([b"ibc/", path.as_slice()].concat(), value.to_vec());
            }
        }
        self.seals += 1;
        Sealed::of(self.seals, self.time, content)
    }

    /// What is still to come: packets sent and not resolved, answers that wait for another, holds.
    #[must_use]
    pub fn unfinished(&self) -> BTreeMap<&'static str, usize> {
        let count = |tag: u8| self.store.under(&[tag]).count();
        [("sent", 0x21), ("awaited", 0x24), ("sent on", 0x25), ("held", 0x26)]
            .into_iter()
            .map(|(name, tag)| (name, count(tag)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Account {
    /// Who holds assets.
    User(u8),
    /// Who has every role.
    Admin,
}

impl Account {
    const fn place(self) -> u8 {
        match self {
            Self::User(user) => user,
            Self::Admin => ADMIN,
        }
    }
}

fn proof(under: &Sealed) -> StoreProof {
    StoreProof {
        height: Height::new(under.height),
        proof: Bytes::new(under.proof.clone()).expect("a small store"),
    }
}

/// The packet in a key: a tag, a client with its length, a sequence.
fn packet_of(key: &[u8]) -> (ClientId, Sequence) {
    let (client, sequence) = key[2..].split_at(usize::from(key[1]));
    let client = ClientId::new(std::str::from_utf8(client).expect("a name")).expect("a name");
    (client, Sequence::from_bytes(sequence).expect("eight bytes"))
}
