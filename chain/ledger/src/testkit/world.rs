//! A network in memory: genesis, blocks, accounts by role, the outbox and every outcome.

use super::{Peer, TestFamily, secret};
use crate::bounded::{Bytes, List, Text};
use crate::gov::Parameters;
use crate::ibc::{Packet, Payload, Port};
use crate::invariants;
use crate::state::{Key, Reads, Store};
use crate::tx::{CreateClient, Message, RegisterCounterparty, SignedBody, StoreProof, Until, UpdateClient};
use crate::{Checked, Transaction, account_of};
use crate::{
    Context, Event, Executed, Execution, Families, Founder, Genesis, Ledger, Outcome, PROGRAM, Place,
    Progress, Read, Role, Roles, Said, Validator,
};
use alloc::vec::Vec;
use zeugma_adapter_core::{Adapter, MerklePath, Of};
use zeugma_proof::body::Body;
use zeugma_proof::tree::Frontier;
use zeugma_proof::{Leaf, LeafFormat};
use zeugma_types::{
    AccountId, BlockTime, ClientId, Code, Cost, Encode, Epoch, Era, HashSuite, Height, LeafPath, Namespace,
    Span, TreeSize, UnixSeconds, Value,
};

static FAMILY: Of<TestFamily> = Of::new();
static TABLE: [&dyn Adapter; 1] = [&FAMILY];

/// How the node behind the ledger fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetching {
    /// What the ledger hints at, then what it asks for.
    Hinted,
    /// Nothing before it is asked for, and then one key at a time, the last first.
    OneByOne,
    /// Everything at once.
    Everything,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) genesis: Genesis,
    pub(crate) store: Store,
    pub(crate) height: u64,
    pub(crate) time: u64,
    pub(crate) epoch: u64,
    pub(crate) outbox: Vec<(LeafPath, Value)>,
    pub(crate) tree: Frontier,
    pub(crate) events: Vec<Event>,
    pub(crate) fetching: Fetching,
    pub(crate) program: u32,
    sequences: [u64; 256],
}

pub(crate) const START: u64 = 1_700_000_000_000;

/// The account of the tests that has one role.
pub(crate) fn key_of(role: Role) -> u8 {
    role.number() + 1
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Parameters {
            families: List::new([900].into()).unwrap(),
            recovery_delay: Span::seconds(1_000),
            notice: 2,
            ..Parameters::default()
        })
    }

    pub(crate) fn with(parameters: Parameters) -> Self {
        let mut accounts: Vec<Founder> = Role::ALL
            .iter()
            .map(|role| Founder {
                key: *secret(key_of(*role)).public().as_bytes(),
                roles: Roles::of(&[*role]),
            })
            .collect();
        // Two more governors, for changes that need several.
        for number in [100, 101] {
            let key = *secret(number).public().as_bytes();
            accounts.push(Founder { key, roles: Roles::of(&[Role::Governor]) });
        }
        accounts.sort_by_key(|founder| founder.key);
        let validator = Validator {
            name: Text::new("first").unwrap(),
            role: Text::new("court").unwrap(),
            key: *secret(50).public().as_bytes(),
        };
        let genesis = Genesis {
            version: Genesis::VERSION,
            name: Text::new("test").unwrap(),
            time: BlockTime::new(START),
            epoch_length: Genesis::USUAL_EPOCH_LENGTH,
            validators: List::new([validator].into()).unwrap(),
            accounts: List::new(accounts).unwrap(),
            parameters,
        };
        genesis.check().unwrap();
        let mut store = Store::default();
        store.apply(genesis.state());
        Self {
            genesis,
            store,
            height: 0,
            time: START,
            epoch: 0,
            outbox: Vec::new(),
            tree: Frontier::new(HashSuite::Sha256),
            events: Vec::new(),
            fetching: Fetching::Hinted,
            program: PROGRAM,
            sequences: [0; 256],
        }
    }

    pub(crate) fn ledger() -> Ledger<'static> {
        Ledger::new(Families::new(&TABLE))
    }

    pub(crate) fn account(role: Role) -> AccountId {
        account_of(secret(key_of(role)).public().as_bytes())
    }

    pub(crate) fn now(&self) -> BlockTime {
        BlockTime::new(self.time)
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.time / 1_000
    }

    /// Signs messages with the key of this number, under its next sequence.
    pub(crate) fn sign(&mut self, number: u8, messages: Vec<Message>) -> Transaction {
        self.sequences[usize::from(number)] += 1;
        self.sign_as(number, self.sequences[usize::from(number)], messages)
    }

    pub(crate) fn sign_as(&self, number: u8, sequence: u64, messages: Vec<Message>) -> Transaction {
        let key = secret(number);
        let body = SignedBody {
            network: self.genesis.network(),
            key: *key.public().as_bytes(),
            sequence,
            until: Until::NEVER,
            cost_limit: Cost::MAX,
            messages: List::new(messages).unwrap(),
        };
        Transaction::sign(body, &key)
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            network: self.genesis.network(),
            height: Height::new(self.height + 1),
            time: BlockTime::new(self.time + 1_000),
            era: Era::ZERO,
            epoch: Epoch::new(self.epoch),
            outbox: TreeSize::new(self.outbox.len() as u64),
            program: self.program,
        }
    }

    /// Executes a block without keeping it.
    pub(crate) fn execute(&self, transactions: &[Transaction], place: Place, fetching: Fetching) -> Executed {
        self.try_execute(transactions, place, fetching).unwrap()
    }

    pub(crate) fn try_execute(
        &self,
        transactions: &[Transaction],
        place: Place,
        fetching: Fetching,
    ) -> Result<Executed, Progress> {
        let checked: Vec<_> =
            transactions.iter().map(|each| Checked::new(&each.to_bytes()).unwrap()).collect();
        let mut execution = Execution::new(Self::ledger(), self.context(), place, &checked);
        let read = |key: &Key| match self.store.read(key) {
            Read::Value(value) => Some(value.to_vec()),
            _ => None,
        };
        let mut wanted = match fetching {
            Fetching::Hinted => execution.hints(),
            Fetching::OneByOne => Vec::new(),
            Fetching::Everything => self.store.iter().map(|(key, _)| key.clone()).collect(),
        };
        let mut known = alloc::collections::BTreeSet::new();
        loop {
            for key in wanted {
                let value = read(&key);
                execution.fetched(key.clone(), value);
                known.insert(key);
            }
            match execution.advance() {
                Progress::Done => return Ok(execution.finish()),
                Progress::Need(mut keys) => {
                    assert!(!keys.is_empty() && keys.iter().all(|key| !known.contains(key)), "asking ends");
                    wanted = match fetching {
                        Fetching::OneByOne => keys.pop().into_iter().collect(),
                        Fetching::Hinted | Fetching::Everything => keys,
                    };
                }
                other => return Err(other),
            }
        }
    }

    /// Executes and keeps a block, and checks every invariant.
    pub(crate) fn block(&mut self, transactions: &[Transaction]) -> Vec<Outcome> {
        self.block_at(transactions, Place::Within)
    }

    pub(crate) fn block_at(&mut self, transactions: &[Transaction], place: Place) -> Vec<Outcome> {
        let executed = self.execute(transactions, place, self.fetching);
        let context = self.context();
        let before = self.store.clone();
        self.store.apply(executed.writes);
        invariants::check(&self.store).unwrap();
        invariants::check_later(&before, &self.store).unwrap();
        for Said { path, value, opening } in executed.leaves {
            match &opening {
                None => assert_eq!(path.namespace(), Namespace::Ibc, "a leaf of our own carries its body"),
                Some(bytes) => {
                    let body = Body::decode_as(path.namespace(), bytes).unwrap();
                    assert_eq!((body.path(), body.value(HashSuite::Sha256)), (path.clone(), value));
                }
            }
            let leaf = Leaf {
                format: LeafFormat::Sha256,
                network: context.network,
                height: context.height,
                time: context.time,
                path: path.clone(),
                value,
            };
            let hash = *leaf.hash(HashSuite::Sha256).as_bytes();
            self.tree.append(hash, |_, _| {}).unwrap();
            self.outbox.push((path, value));
        }
        self.events.extend(executed.events.into_iter().map(|(_, event)| event));
        self.height = context.height.get();
        self.time = context.time.get();
        if place == Place::Last {
            self.epoch += 1;
        }
        executed.outcomes
    }

    /// One transaction of one account in a block of its own.
    pub(crate) fn submit(&mut self, number: u8, messages: Vec<Message>) -> Outcome {
        let transaction = self.sign(number, messages);
        self.block(&[transaction]).pop().unwrap()
    }

    pub(crate) fn run(&mut self, role: Role, message: impl Into<Message>) -> Outcome {
        self.submit(key_of(role), Vec::from([message.into()]))
    }

    /// The message must take effect.
    pub(crate) fn ok(&mut self, role: Role, message: impl Into<Message>) {
        let outcome = self.run(role, message);
        assert!(outcome.is_done(), "{outcome:?}");
    }

    /// The message must be refused with `code`, and leave nothing but the account's own bookkeeping.
    pub(crate) fn refused(&mut self, role: Role, message: impl Into<Message>, code: Code) {
        let before = (self.store.clone(), self.outbox.len());
        let outcome = self.run(role, message);
        assert_eq!(outcome.refusal().map(|refusal| refusal.code), Some(code), "{outcome:?}");
        assert_eq!(self.outbox.len(), before.1);
        let account = crate::Slot::Account(&Self::account(role)).key();
        let without = |store: &Store| -> Vec<_> {
            let others = store.iter().filter(|(key, _)| **key != account);
            others.map(|(key, value)| (key.clone(), value.to_vec())).collect()
        };
        assert_eq!(without(&self.store), without(&before.0), "a refused transaction left something");
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.time += seconds * 1_000;
        self.block(&[]);
    }

    /// A client of `peer`, whose client of us is `counterparty`.
    pub(crate) fn follow(&mut self, peer: &Peer, counterparty: &str) -> ClientId {
        let number = self.clients();
        self.ok(
            Role::Operator,
            CreateClient {
                family: 900,
                profile: Bytes::new(peer.profile().to_bytes()).unwrap(),
                state: Bytes::new(peer.state().to_bytes()).unwrap(),
            },
        );
        let client = ClientId::new(&alloc::format!("test-{number}")).unwrap();
        self.ok(
            Role::Operator,
            RegisterCounterparty {
                client: client.clone(),
                counterparty: ClientId::new(counterparty).unwrap(),
                prefix: MerklePath::new(Vec::from([b"ibc/".to_vec()])).unwrap(),
            },
        );
        client
    }

    fn clients(&self) -> usize {
        self.store.under(&[0x10]).count()
    }

    /// Seals the peer at our time and updates the client.
    pub(crate) fn update(&mut self, client: &ClientId, peer: &mut Peer) -> Height {
        peer.seal(self.now());
        self.ok(Role::Relayer, update(client, peer));
        peer.height()
    }

    /// That the peer holds, or does not hold, whatever is asked of its newest height.
    pub(crate) fn proof(peer: &Peer) -> StoreProof {
        StoreProof { height: peer.height(), proof: Bytes::new(peer.proof(peer.height())).unwrap() }
    }

    pub(crate) fn load<T: zeugma_types::Decode>(&self, slot: crate::Slot<'_>) -> Option<T> {
        self.store.get(&slot.key()).map(|bytes| T::from_bytes(bytes).unwrap())
    }
}

pub(crate) fn update(client: &ClientId, peer: &Peer) -> UpdateClient {
    UpdateClient { client: client.clone(), update: Bytes::new(peer.update(None).to_bytes()).unwrap() }
}

/// A payload between the `message` ports.
pub(crate) fn message(sender: &[u8], body: &[u8]) -> Payload {
    let value = crate::app::message::MessageBody {
        sender: Bytes::new(sender).unwrap(),
        body: Bytes::new(body).unwrap(),
    };
    Payload {
        source_port: Port::new("message").unwrap(),
        destination_port: Port::new("message").unwrap(),
        version: Text::new("zeugma-message-1").unwrap(),
        encoding: Text::new("application/x-zeugma").unwrap(),
        value: Bytes::new(value.to_bytes()).unwrap(),
    }
}

/// A packet from a peer, whose client of us is `source`, to our `client`.
pub(crate) fn packet(
    source: &str,
    client: &ClientId,
    sequence: u64,
    timeout: u64,
    payload: Payload,
) -> Packet {
    Packet::new(
        zeugma_types::Sequence::new(sequence),
        ClientId::new(source).unwrap(),
        client.clone(),
        UnixSeconds::new(timeout),
        Vec::from([payload]),
    )
    .unwrap()
}
