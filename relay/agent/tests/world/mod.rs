//! Zeugma networks in memory: the real ledger's steps, certificates of a test committee, and a fuse that blows the agent
//! between any two of its calls.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test ends where something is not as claimed; each uses a part"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use zeugma_adapter_cometbft::CometBft;
use zeugma_adapter_core::{Adapter, MerklePath, Of};
use zeugma_adapter_zeugma::{Certified, Profile, State, Zeugma};
use zeugma_agent::hub::{Error, Fate, Hub, Page, Told, Under};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::account::Account;
use zeugma_ledger::app::message::MessageBody;
use zeugma_ledger::bounded::{Bytes, List, Text};
use zeugma_ledger::gov::Parameters;
use zeugma_ledger::ibc::{Payload, Port};
use zeugma_ledger::tx::{CreateClient, RegisterCounterparty, SendPacket, SignedBody, Until};
use zeugma_ledger::{
    Checked, Context, Event, Execution, Families, Founder, Genesis, Key, Ledger, Message, Outcome, PROGRAM,
    Place, Progress, Role, Roles, Said, Slot, Store, Transaction, Validator, account_of,
};
use zeugma_proof::testkit::TestNetwork;
use zeugma_proof::{LeafFormat, Proof};
use zeugma_types::{
    BlockTime, ClientId, Cost, Decode as _, Encode as _, Epoch, Era, Height, LeafIndex, LeafPath, NetworkId,
    Refusal, Span, UnixSeconds,
};

static COMET: Of<CometBft> = Of::new();
static ZEUGMA: Of<Zeugma> = Of::new();
static TABLE: [&dyn Adapter; 2] = [&COMET, &ZEUGMA];

pub(crate) fn secret(role: Role) -> SecretKey {
    SecretKey::from_seed(&[role.number() + 1; 32])
}

/// A network in memory.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) chain: TestNetwork,
    pub(crate) store: Store,
    pub(crate) waiting: Vec<Checked>,
    pub(crate) known: BTreeMap<[u8; 32], (Height, Outcome)>,
    pub(crate) told: Vec<Told>,
    pub(crate) done: Vec<Message>,
    pub(crate) refused: Vec<Outcome>,
    paths: BTreeMap<LeafPath, LeafIndex>,
    included: BTreeSet<[u8; 32]>,
}

impl Network {
    pub(crate) fn new(seed: u8) -> Self {
        let chain = TestNetwork::new(seed);
        let founder =
            |role: &Role| Founder { key: *secret(*role).public().as_bytes(), roles: Roles::of(&[*role]) };
        let mut accounts: Vec<Founder> = Role::ALL.iter().map(founder).collect();
        accounts.sort_by_key(|founder| founder.key);
        let genesis = Genesis {
            version: Genesis::VERSION,
            name: Text::new("test").unwrap(),
            time: chain.time(),
            epoch_length: Genesis::USUAL_EPOCH_LENGTH,
            validators: List::new(vec![Validator {
                name: Text::new("first").unwrap(),
                role: Text::new("court").unwrap(),
                key: *secret(Role::Governor).public().as_bytes(),
            }])
            .unwrap(),
            accounts: List::new(accounts).unwrap(),
            parameters: Parameters { families: List::new(vec![1, 2]).unwrap(), ..Parameters::default() },
        };
        genesis.check().unwrap();
        let mut store = Store::default();
        store.apply(genesis.state());
        Self {
            chain,
            store,
            waiting: vec![],
            known: BTreeMap::new(),
            told: vec![],
            done: vec![],
            refused: vec![],
            paths: BTreeMap::new(),
            included: BTreeSet::new(),
        }
    }

    pub(crate) fn now(&self) -> BlockTime {
        self.chain.time()
    }

    /// Executes what waits, says its leaves, certifies.
    pub(crate) fn block(&mut self) {
        let transactions = std::mem::take(&mut self.waiting);
        let height = Height::new(self.chain.headers.len() as u64 + 1);
        let time = self.chain.time();
        let context = Context {
            network: self.chain.network,
            height,
            time,
            era: Era::ZERO,
            epoch: Epoch::ZERO,
            outbox: self.chain.outbox().size,
            program: PROGRAM,
        };
        let ledger = Ledger::new(Families::new(&TABLE));
        let mut execution = Execution::new(ledger, context, Place::Within, &transactions);
        let mut wanted = execution.hints();
        loop {
            for key in wanted {
                let value = self.store.get(&key).map(<[u8]>::to_vec);
                execution.fetched(key, value);
            }
            match execution.advance() {
                Progress::Need(keys) => wanted = keys,
                Progress::Done => break,
                other => panic!("{other:?}"),
            }
        }
        let executed = execution.finish();
        self.store.apply(executed.writes);
        for Said { path, value, .. } in executed.leaves {
            let index = self.chain.say(LeafFormat::Sha256, path.clone(), value);
            self.paths.insert(path, index);
        }
        for (checked, outcome) in transactions.iter().zip(&executed.outcomes) {
            assert!(self.included.insert(*checked.digest()), "a transaction stands in one block only");
            self.known.insert(*checked.digest(), (height, outcome.clone()));
            if let (Outcome::Done { .. }, Transaction::Signed { body, .. }) = (outcome, checked.transaction())
            {
                self.done.extend(body.messages.iter().cloned());
            } else {
                self.refused.push(outcome.clone());
            }
        }
        let events = executed.events.into_iter().map(|(_, event)| event).collect();
        self.told.push(Told { height, time, events });
        self.chain.close_block();
    }

    pub(crate) fn account(&self, role: Role) -> Account {
        let id = account_of(secret(role).public().as_bytes());
        Account::from_bytes(self.store.get(&Slot::Account(&id).key()).unwrap()).unwrap()
    }

    /// One transaction of a role in a block of its own, which must take effect.
    pub(crate) fn run(&mut self, role: Role, message: impl Into<Message>) {
        let key = secret(role);
        let body = SignedBody {
            network: self.chain.network,
            key: *key.public().as_bytes(),
            sequence: self.account(role).used.highest + 1,
            until: Until::NEVER,
            cost_limit: Cost::MAX,
            messages: List::new(vec![message.into()]).unwrap(),
        };
        let checked = Checked::new(&Transaction::sign(body, &key).to_bytes()).unwrap();
        let id = *checked.digest();
        self.waiting.push(checked);
        self.block();
        let (_, outcome) = &self.known[&id];
        assert!(outcome.is_done(), "{outcome:?}");
    }

    /// A client of `other`, with a counterparty.
    pub(crate) fn follow(&mut self, other: &Self, trusting: Span) -> ClientId {
        let (header, _) = other.chain.headers.last().unwrap();
        let profile =
            Profile { network: other.chain.network, trusting_period: trusting, drift: Span::seconds(30) };
        let state = State::of(header, other.chain.keys.committee.group_key.clone());
        self.create(2, profile.to_bytes(), state.to_bytes());
        let client = ClientId::new("zeugma-0").unwrap();
        let prefix = MerklePath::new(vec![vec![]]).unwrap();
        let counterparty = client.clone();
        self.run(Role::Operator, RegisterCounterparty { client: client.clone(), counterparty, prefix });
        client
    }

    pub(crate) fn create(&mut self, family: u16, profile: Vec<u8>, state: Vec<u8>) {
        let (profile, state) = (Bytes::new(profile).unwrap(), Bytes::new(state).unwrap());
        self.run(Role::Operator, CreateClient { family, profile, state });
    }

    /// Sends a message that times out this many seconds from now.
    pub(crate) fn send(&mut self, client: &ClientId, ahead: u64, text: &str) {
        let sender = account_of(secret(Role::Member).public().as_bytes());
        let body = MessageBody {
            sender: Bytes::new(sender.as_bytes().to_vec()).unwrap(),
            body: Bytes::new(text.as_bytes().to_vec()).unwrap(),
        };
        let port = Port::new("message").unwrap();
        let payload = Payload {
            source_port: port.clone(),
            destination_port: port,
            version: Text::new("zeugma-message-1").unwrap(),
            encoding: Text::new("application/x-zeugma").unwrap(),
            value: Bytes::new(body.to_bytes()).unwrap(),
        };
        let timeout = UnixSeconds::new(self.now().whole_seconds().get() + ahead);
        let payloads = List::new(vec![payload]).unwrap();
        self.run(Role::Member, SendPacket { client: client.clone(), timeout, payloads });
    }

    /// How often an event that `wanted` picks was told.
    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.told.iter().flat_map(|told| &told.events).filter(|event| wanted(event)).count()
    }
}

/// A network as a hub.
pub(crate) struct InMemory {
    name: String,
    network: Mutex<Network>,
}

impl InMemory {
    pub(crate) fn new(name: &str, network: Network) -> Arc<Self> {
        Arc::new(Self { name: name.into(), network: Mutex::new(network) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap()
    }
}

impl Hub for InMemory {
    fn name(&self) -> &str {
        &self.name
    }

    fn network(&self) -> Result<NetworkId, Error> {
        Ok(self.lock().chain.network)
    }

    fn latest(&self) -> Result<Option<Certified>, Error> {
        let last = self.lock().chain.headers.last().cloned();
        Ok(last.map(|(header, certificate)| Certified { header, certificate }))
    }

    fn certified(&self, from: Height) -> Result<Option<Certified>, Error> {
        let network = self.lock();
        let found = network.chain.headers.iter().find(|(header, _)| header.height >= from).cloned();
        Ok(found.map(|(header, certificate)| Certified { header, certificate }))
    }

    fn proof(&self, path: &LeafPath, _: Under) -> Result<Option<Proof>, Error> {
        let network = self.lock();
        Ok(network.paths.get(path).map(|index| network.chain.prove(*index)))
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock().store.get(key).map(<[u8]>::to_vec))
    }

    fn events(&self, from: Height, limit: u32) -> Result<Page, Error> {
        let network = self.lock();
        let blocks = network.told.iter().filter(|told| told.height >= from).take(limit as usize);
        let blocks: Vec<_> = blocks.cloned().collect();
        let next = blocks.last().map_or(from, |last| last.height.next().unwrap());
        Ok(Page { next, blocks })
    }

    fn submit(&self, transaction: &[u8]) -> Result<(), Error> {
        let refused =
            |refusal: Refusal| Error::Refused { hub: self.name.clone(), refusal: Box::new(refusal) };
        let checked = Checked::new(transaction).map_err(refused)?;
        let mut network = self.lock();
        let id = *checked.digest();
        if network.known.contains_key(&id) || network.waiting.iter().any(|other| *other.digest() == id) {
            return Ok(());
        }
        if let Transaction::Signed { body, .. } = checked.transaction() {
            network.account(Role::Relayer).used.take(body.sequence).map_err(refused)?;
        }
        network.waiting.push(checked);
        Ok(())
    }

    fn fate(&self, id: &[u8; 32]) -> Result<Fate, Error> {
        let network = self.lock();
        if let Some((height, outcome)) = network.known.get(id) {
            return Ok(Fate::Final { height: *height, outcome: outcome.clone() });
        }
        let waits = network.waiting.iter().any(|checked| checked.digest() == id);
        Ok(if waits { Fate::Waiting } else { Fate::Unknown })
    }
}

/// Blows at one boundary: before or after one call of the agent to any chain. From then on it is dead.
pub(crate) struct Fuse {
    at: u64,
    passed: AtomicU64,
}

impl Fuse {
    pub(crate) fn at(at: u64) -> Arc<Self> {
        Arc::new(Self { at, passed: AtomicU64::new(0) })
    }

    pub(crate) fn is_blown(&self) -> bool {
        self.passed.load(Ordering::Relaxed) > self.at
    }

    fn pass(&self) -> Result<(), Error> {
        if self.passed.fetch_add(1, Ordering::Relaxed) >= self.at {
            return Err(Error::Silent { hub: "fuse".into(), why: "the agent is dead".into() });
        }
        Ok(())
    }

    fn around<T>(&self, call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.pass()?;
        let answer = call()?;
        // The call had its effect; the agent never hears of it.
        self.pass()?;
        Ok(answer)
    }
}

/// A hub behind a fuse.
pub(crate) struct Fused {
    pub(crate) hub: Arc<InMemory>,
    pub(crate) fuse: Arc<Fuse>,
}

impl Hub for Fused {
    fn name(&self) -> &str {
        self.hub.name()
    }

    fn network(&self) -> Result<NetworkId, Error> {
        self.fuse.around(|| self.hub.network())
    }

    fn latest(&self) -> Result<Option<Certified>, Error> {
        self.fuse.around(|| self.hub.latest())
    }

    fn certified(&self, from: Height) -> Result<Option<Certified>, Error> {
        self.fuse.around(|| self.hub.certified(from))
    }

    fn proof(&self, path: &LeafPath, under: Under) -> Result<Option<Proof>, Error> {
        self.fuse.around(|| self.hub.proof(path, under))
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        self.fuse.around(|| self.hub.state(key))
    }

    fn events(&self, from: Height, limit: u32) -> Result<Page, Error> {
        self.fuse.around(|| self.hub.events(from, limit))
    }

    fn submit(&self, transaction: &[u8]) -> Result<(), Error> {
        self.fuse.around(|| self.hub.submit(transaction))
    }

    fn fate(&self, id: &[u8; 32]) -> Result<Fate, Error> {
        self.fuse.around(|| self.hub.fate(id))
    }
}
