//! A chain in memory that answers like a node: for tests of routing and of the shape of answers only. Its headers,
//! certificates and proofs are real ones under a key of the test.

use crate::handle::{Certified, Entered, Error, FinalBlock, NodeHandle, Query, Status, Under};
use crate::outbox::{BlockRecord, Said};
use crate::stream::Finalized;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{broadcast, watch};
use zeugma_adapter_core::{Adapter, Of};
use zeugma_adapter_zeugma::{Profile, State, Zeugma};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::account::Account;
use zeugma_ledger::bounded::{Bytes as Bounded, List, Maybe, Text};
use zeugma_ledger::event::{ClientUpdated, EpochEnded};
use zeugma_ledger::gov::Parameters;
use zeugma_ledger::ibc::{ClientRecord, Receipt};
use zeugma_ledger::registry::{Entry, Kind};
use zeugma_ledger::tx::{Opaque, SignedBody, Until};
use zeugma_ledger::{
    Checked, Families, Founder, Genesis, Key, Outcome, Role, Roles, Slot, Store, Transaction, Validator,
    account_of,
};
use zeugma_proof::testkit::TestNetwork;
use zeugma_proof::{LeafFormat, Proof, Reliance, Trust};
use zeugma_types::{
    AccountId, BlockTime, ClientId, Code, Cost, Encode as _, Height, LeafIndex, LeafPath, NetworkId, Refusal,
    Sequence, Span, TreeSize, Value,
};

/// The families that the served API knows.
pub(super) static FAMILIES: &[&dyn Adapter] = &[&Of::<Zeugma>::new()];

/// What [`FakeChain::submit`] answers.
#[derive(Clone, Debug)]
pub(super) enum Mood {
    Takes,
    Refuses(Refusal),
    Fails,
}

struct Inner {
    network: TestNetwork,
    blocks: Vec<FinalBlock>,
    state: Store,
    waiting: BTreeMap<[u8; 32], Bytes>,
    dropped: BTreeMap<[u8; 32], Refusal>,
    mood: Mood,
}

/// See the module.
pub(super) struct FakeChain {
    genesis: Genesis,
    inner: Mutex<Inner>,
    news: broadcast::Sender<Finalized>,
    stopped: watch::Sender<Option<String>>,
}

fn key() -> SecretKey {
    SecretKey::from_seed(&[3; 32])
}

pub(super) fn account() -> AccountId {
    account_of(key().public().as_bytes())
}

/// A client whose identifier has every character that a path must escape.
pub(super) fn client() -> ClientId {
    ClientId::new("zeugma-0#[<+>]").unwrap()
}

fn genesis() -> Genesis {
    let key = *key().public().as_bytes();
    let text = |text| Text::new(text).unwrap();
    Genesis {
        version: Genesis::VERSION,
        name: text("a network of one test"),
        time: BlockTime::new(1_767_225_600_000),
        epoch_length: Genesis::USUAL_EPOCH_LENGTH,
        validators: List::new(vec![Validator { name: text("a court"), role: text("court"), key }]).unwrap(),
        accounts: List::new(vec![Founder { key, roles: Roles::of(&[Role::Governor, Role::Member]) }])
            .unwrap(),
        parameters: Parameters::default(),
    }
}

impl FakeChain {
    pub(super) fn new() -> Arc<Self> {
        let genesis = genesis();
        let mut network = TestNetwork::new(1);
        network.network = genesis.network();
        let mut state = Store::default();
        state.apply(genesis.state());
        let inner = Inner {
            network,
            blocks: Vec::new(),
            state,
            waiting: BTreeMap::new(),
            dropped: BTreeMap::new(),
            mood: Mood::Takes,
        };
        let chain = Self {
            genesis,
            inner: Mutex::new(inner),
            news: broadcast::Sender::new(4),
            stopped: watch::Sender::new(None),
        };
        chain.fill();
        Arc::new(chain)
    }

    pub(super) fn handle(self: &Arc<Self>) -> NodeHandle {
        NodeHandle::new(Arc::clone(self))
    }

    pub(super) fn families() -> Families<'static> {
        Families::new(FAMILIES)
    }

    pub(super) fn trust(&self) -> Trust {
        self.inner().network.trust(Reliance::Court)
    }

    pub(super) fn stop(&self, why: &str) {
        self.stopped.send_replace(Some(why.into()));
    }

    pub(super) fn set_mood(&self, mood: Mood) {
        self.inner().mood = mood;
    }

    pub(super) fn drop_transaction(&self, id: [u8; 32], refusal: Refusal) {
        let mut inner = self.inner();
        inner.waiting.remove(&id);
        inner.dropped.insert(id, refusal);
    }

    /// A transaction of the founder.
    pub(super) fn transaction(&self, sequence: u64) -> Vec<u8> {
        let payload = Bounded::new(*b"payload").unwrap();
        let body = SignedBody {
            network: self.genesis.network(),
            key: *key().public().as_bytes(),
            sequence,
            until: Until::NEVER,
            cost_limit: Cost::new(1_000),
            messages: List::new(vec![Opaque { payload }.into()]).unwrap(),
        };
        Transaction::sign(body, &key()).to_bytes()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Records that the ledger would have written.
    fn fill(&self) {
        let mut inner = self.inner();
        let mut foreign = TestNetwork::new(2);
        let header = foreign.close_block();
        let profile = Profile {
            network: foreign.network,
            trusting_period: Span::seconds(86_400),
            drift: Span::seconds(10),
        };
        let state = State::of(&header, foreign.keys.committee.group_key.clone());
        let created =
            Of::<Zeugma>::new().create(&profile.to_bytes(), &state.to_bytes(), header.time).unwrap();
        let record = ClientRecord {
            family: Of::<Zeugma>::new().number(),
            client: Bounded::new(created.client).unwrap(),
        };
        let (client, one, name) = (client(), Sequence::new(1), Text::new("rules/1").unwrap());
        let entry = Entry { digest: Maybe(Some([9; 32])), from: Height::new(1) };
        let parameters = Parameters::default();
        let account_record = Account::new(Roles::of(&[Role::Member]), &parameters, BlockTime::new(5));
        let writes = [
            (Slot::Client(&client), record.to_bytes()),
            (Slot::Commitment(&client, one), vec![7; 32]),
            (Slot::Receipt(&client, one), Receipt::Closed.to_bytes()),
            (Slot::Registry(Kind::RulePack.number(), &name), entry.to_bytes()),
            (Slot::Account(&account()), account_record.to_bytes()),
        ];
        inner.state.apply(writes.into_iter().map(|(slot, bytes)| (slot.key(), Some(bytes))).collect());
    }

    /// Makes a block of all that waits. It says one leaf and tells two events.
    pub(super) fn close(&self) -> Height {
        let mut inner = self.inner();
        let height = Height::new(inner.blocks.len() as u64 + 1);
        let first_leaf = inner.blocks.len() as u64;
        let path = LeafPath::anchor(&[8; 32], TreeSize::new(height.get()));
        let value = Value::new([4; 32]);
        let time = inner.network.time();
        let index = inner.network.say(LeafFormat::Sha256, path.clone(), value);
        let header = inner.network.close_block();
        let waiting = std::mem::take(&mut inner.waiting);
        let done = || Outcome::Done { messages: List::default() };
        let record = BlockRecord {
            height,
            digest: header.digest(),
            time,
            first_leaf,
            first_transaction: 0,
            said: vec![Said { path, value, opening: None }],
            transactions: waiting.keys().map(|id| (*id, done())).collect(),
            events: vec![
                (Some(0), ClientUpdated { client: client(), height: Height::new(9) }.into()),
                (None, EpochEnded { standing: TreeSize::ZERO, index }.into()),
            ],
        };
        let finalized = Finalized { header: header.clone(), record: Arc::new(record.clone()) };
        inner.blocks.push(FinalBlock { header, transactions: waiting.into_values().collect(), record });
        drop(inner);
        let _ = self.news.send(finalized);
        height
    }

    fn certified_where(&self, wanted: impl Fn(Height) -> bool) -> Option<Certified> {
        let inner = self.inner();
        let found = inner.network.headers.iter().find(|(header, _)| wanted(header.height));
        found.map(|(header, certificate)| Certified { header: header.clone(), certificate: *certificate })
    }
}

impl Query for Arc<FakeChain> {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    fn network(&self) -> NetworkId {
        self.genesis.network()
    }

    fn submit(&self, bytes: Bytes) -> BoxFuture<'_, Result<[u8; 32], Error>> {
        let mut inner = self.inner();
        let answer = match inner.mood.clone() {
            Mood::Refuses(refusal) => Err(Error::Refused(refusal)),
            Mood::Fails => Err(Error::Storage("the disk is full".into())),
            Mood::Takes => Checked::new(&bytes).map_err(Error::Refused).map(|checked| {
                inner.waiting.insert(*checked.digest(), bytes);
                *checked.digest()
            }),
        };
        ready(answer).boxed()
    }

    fn submit_all(&self, batch: Vec<Bytes>) -> BoxFuture<'_, Result<Vec<Entered>, Error>> {
        async move {
            let mut all = Vec::new();
            for bytes in batch {
                all.push(match self.submit(bytes).await {
                    Ok(id) => Ok(id),
                    Err(Error::Refused(refusal)) => Err(refusal),
                    Err(error) => return Err(error),
                });
            }
            Ok(all)
        }
        .boxed()
    }

    fn status(&self, id: [u8; 32]) -> BoxFuture<'_, Result<Status, Error>> {
        let inner = self.inner();
        let found = inner.blocks.iter().find_map(|block| {
            let number = block.record.transactions.iter().position(|(other, _)| *other == id)?;
            let outcome = block.record.transactions[number].1.clone();
            Some(Status::Final {
                height: block.header.height,
                number: u32::try_from(number).unwrap(),
                outcome,
            })
        });
        let status = match (found, inner.dropped.get(&id)) {
            (Some(found), _) => found,
            (None, Some(refusal)) => Status::Dropped { refusal: refusal.clone() },
            (None, None) if inner.waiting.contains_key(&id) => Status::Waiting,
            (None, None) => Status::Unknown,
        };
        ready(Ok(status)).boxed()
    }

    fn height(&self) -> BoxFuture<'_, Result<Height, Error>> {
        ready(Ok(Height::new(self.inner().blocks.len() as u64))).boxed()
    }

    fn block(&self, height: Height) -> BoxFuture<'_, Result<Option<FinalBlock>, Error>> {
        let block = self.inner().blocks.iter().find(|block| block.header.height == height).cloned();
        ready(Ok(block)).boxed()
    }

    fn header(&self, height: Height) -> BoxFuture<'_, Result<Option<zeugma_proof::Header>, Error>> {
        self.block(height).map(|block| Ok(block?.map(|block| block.header))).boxed()
    }

    fn certified(&self, from: Height) -> BoxFuture<'_, Result<Option<Certified>, Error>> {
        ready(Ok(self.certified_where(|height| height >= from))).boxed()
    }

    fn latest(&self) -> BoxFuture<'_, Result<Option<Certified>, Error>> {
        let last = self.inner().network.headers.last().map(|(header, _)| header.height);
        ready(Ok(self.certified_where(|height| Some(height) == last))).boxed()
    }

    fn prove(&self, index: LeafIndex, _: Under) -> BoxFuture<'_, Result<Option<Proof>, Error>> {
        let inner = self.inner();
        let known = index.get() < inner.blocks.len() as u64;
        ready(Ok(known.then(|| inner.network.prove(index)))).boxed()
    }

    fn find<'a>(&'a self, path: &'a LeafPath) -> BoxFuture<'a, Result<Option<LeafIndex>, Error>> {
        let inner = self.inner();
        let place = inner.blocks.iter().position(|block| block.record.said[0].path == *path);
        ready(Ok(place.map(|place| LeafIndex::new(place as u64)))).boxed()
    }

    fn read(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<(Height, Vec<Option<Bytes>>), Error>> {
        let inner = self.inner();
        let values = keys.iter().map(|key| inner.state.get(key).map(Bytes::copy_from_slice)).collect();
        ready(Ok((Height::new(inner.blocks.len() as u64), values))).boxed()
    }

    fn blocks(&self) -> broadcast::Receiver<Finalized> {
        self.news.subscribe()
    }

    fn stopped(&self) -> watch::Receiver<Option<String>> {
        self.stopped.subscribe()
    }

    fn waiting(&self) -> (usize, usize) {
        let inner = self.inner();
        (inner.waiting.len(), inner.waiting.values().map(Bytes::len).sum())
    }

    fn peers(&self) -> Vec<crate::PeerStatus> {
        let height = Some(Height::new(3));
        let heard = crate::PeerStatus { index: 0, connected: true, height };
        vec![heard, crate::PeerStatus { index: 2, connected: false, height: None }]
    }

    fn metrics(&self) -> String {
        "# TYPE zeugma_chain_height gauge\nzeugma_chain_height 1\n# EOF\n".into()
    }
}

/// A refusal of each way in which a submission is answered.
pub(super) fn refusals() -> [(Refusal, u16); 4] {
    [
        (Refusal::new(Code::SequenceUsed).needed(5_u64).found(3_u64), 422),
        (Refusal::new(Code::UnknownAccount), 409),
        (Refusal::new(Code::AllowanceSpent).needed(10_u64).found(1_u64), 429),
        (Refusal::new(Code::BlockFull), 503),
    ]
}
