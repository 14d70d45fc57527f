//! A relay chain in memory that answers as a node does: the product's own ledger executes every transaction, and its
//! leaves are proved under real certificates of a test's key. Each transaction has a block of its own.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::bounded::{List, Text};
use zeugma_ledger::gov::Parameters;
use zeugma_ledger::tx::{SignedBody, Until};
use zeugma_ledger::{
    Checked, Context, Execution, Families, Founder, Genesis, Ledger, Message, Outcome, PROGRAM, Place,
    Progress, Read, Reads as _, Role, Roles, Store, Transaction, Validator, account_of,
};
use zeugma_proof::testkit::TestNetwork;
use zeugma_proof::{Certificate, Header, LeafFormat};
use zeugma_types::{
    BlockTime, Cost, Encode as _, Epoch, Era, LeafIndex, LeafPath, Namespace, Span, TreeSize,
};

/// What was said: under which path, where, and the body behind it.
type Leaves = Vec<(LeafPath, LeafIndex, Option<Vec<u8>>)>;

struct Inner {
    genesis: Genesis,
    network: TestNetwork,
    store: Store,
    leaves: Leaves,
    outcomes: BTreeMap<[u8; 32], Outcome>,
    epoch: Epoch,
    sequence: u64,
}

/// See the module.
pub(crate) struct Chain {
    inner: Arc<Mutex<Inner>>,
    address: SocketAddr,
    away: Arc<AtomicBool>,
}

/// The account of the tests themselves.
pub(crate) fn governor() -> SecretKey {
    SecretKey::from_seed(&[9; 32])
}

fn now() -> BlockTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    BlockTime::new(u64::try_from(since.as_millis()).unwrap())
}

impl Chain {
    /// A network whose founders are the tests and this account, both with every role.
    pub(crate) fn start(account: &SecretKey) -> Self {
        let founder =
            |key: &SecretKey| Founder { key: *key.public().as_bytes(), roles: Roles::of(Role::ALL) };
        let mut accounts = vec![founder(&governor()), founder(account)];
        accounts.sort_by_key(|founder| founder.key);
        let text = |text| Text::new(text).unwrap();
        let key = *SecretKey::from_seed(&[50; 32]).public().as_bytes();
        let mut network = TestNetwork::new(4);
        // A trust file of the past: whoever reads it at once is behind no one.
        let before = BlockTime::new(now().get() - 60_000);
        network.wait(before.since(network.time()).unwrap());
        let genesis = Genesis {
            version: Genesis::VERSION,
            name: text("test"),
            time: network.time(),
            epoch_length: Genesis::USUAL_EPOCH_LENGTH,
            validators: List::new(vec![Validator { name: text("a court"), role: text("court"), key }])
                .unwrap(),
            accounts: List::new(accounts).unwrap(),
            parameters: Parameters::default(),
        };
        genesis.check().unwrap();
        network.network = genesis.network();
        let mut store = Store::default();
        store.apply(genesis.state());
        network.wait(Span::seconds(1));
        let inner = Inner {
            genesis,
            network,
            store,
            leaves: Vec::new(),
            outcomes: BTreeMap::new(),
            epoch: Epoch::ZERO,
            sequence: 0,
        };
        let inner = Arc::new(Mutex::new(inner));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let away = Arc::new(AtomicBool::new(false));
        let (shared, gone) = (Arc::clone(&inner), Arc::clone(&away));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, gone) = (Arc::clone(&shared), Arc::clone(&gone));
                std::thread::spawn(move || {
                    // A client that goes away ends its own answer.
                    let _ = answer(stream, &shared, &gone);
                });
            }
        });
        Self { inner, address, away }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A node that answers nothing, or one that does.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn trust_file(&self) -> zeugma_proof::TrustFile {
        self.inner().network.trust_file()
    }

    /// One message of the tests' own account; it must take effect.
    pub(crate) fn submit(&self, message: Message) {
        let mut inner = self.inner();
        inner.sequence += 1;
        let key = governor();
        let body = SignedBody {
            network: inner.genesis.network(),
            key: *key.public().as_bytes(),
            sequence: inner.sequence,
            until: Until::NEVER,
            cost_limit: Cost::MAX,
            messages: List::new(vec![message]).unwrap(),
        };
        let transaction = Transaction::sign(body, &key).to_bytes();
        let outcome = inner.block(Some(&transaction), Place::Within).unwrap();
        assert!(outcome.refusal().is_none(), "{outcome:?}");
    }

    /// Waits until the machine's clock has passed that of the chain, whose blocks are a second apart at least.
    pub(crate) fn settle(&self) {
        while now() <= self.inner().network.time() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Ends the epoch: what is in force is said.
    pub(crate) fn end_epoch(&self) {
        let mut inner = self.inner();
        inner.block(None, Place::Last);
        // A header of the next epoch, as a node would have.
        inner.block(None, Place::Within);
    }

    /// How many leaves say that a checkpoint was anchored.
    pub(crate) fn anchored(&self) -> usize {
        self.inner().leaves.iter().filter(|(path, ..)| path.namespace() == Namespace::Anchor).count()
    }
}

impl Inner {
    /// Executes a block with at most one transaction.
    fn block(&mut self, transaction: Option<&[u8]>, place: Place) -> Option<Outcome> {
        let checked: Vec<Checked> =
            transaction.map(|bytes| Checked::new(bytes).unwrap()).into_iter().collect();
        // Blocks are as old as the machine says: receipts and verdicts are compared with them.
        if let Some(ahead) = now().since(self.network.time()) {
            self.network.wait(ahead);
        }
        let context = Context {
            network: self.genesis.network(),
            height: zeugma_types::Height::new(self.network.headers.len() as u64 + 1),
            time: self.network.time(),
            era: Era::ZERO,
            epoch: self.epoch,
            outbox: TreeSize::new(self.leaves.len() as u64),
            program: PROGRAM,
        };
        let mut execution = Execution::new(Ledger::new(Families::new(&[])), context, place, &checked);
        let executed = loop {
            match execution.advance() {
                Progress::Done => break execution.finish(),
                Progress::Need(keys) => {
                    for key in keys {
                        let value = match self.store.read(&key) {
                            Read::Value(value) => Some(value.to_vec()),
                            _ => None,
                        };
                        execution.fetched(key, value);
                    }
                }
                other => panic!("{other:?}"),
            }
        };
        self.store.apply(executed.writes);
        for said in executed.leaves {
            let index = self.network.say(LeafFormat::Sha256, said.path.clone(), said.value);
            self.leaves.push((said.path, index, said.opening));
        }
        let mut header = self.network.close_block();
        header.epoch = self.epoch;
        let certificate = self.network.certify(&self.network.keys, &header);
        *self.network.headers.last_mut().unwrap() = (header, certificate);
        if place == Place::Last {
            self.epoch = Epoch::new(self.epoch.get() + 1);
        }
        let outcome = executed.outcomes.into_iter().next();
        if let (Some(checked), Some(outcome)) = (checked.first(), &outcome) {
            self.outcomes.insert(*checked.digest(), outcome.clone());
        }
        outcome
    }

    fn proof(&self, path: &LeafPath) -> Option<Vec<u8>> {
        let (_, index, opening) = self.leaves.iter().rev().find(|(other, ..)| other == path)?;
        let (header, certificate): &(Header, Certificate) =
            self.network.headers.iter().find(|(header, _)| header.outbox.size.get() > index.get())?;
        let mut proof =
            self.network.prove_under(*index, zeugma_types::HashSuite::Sha256, header, *certificate);
        proof.opening = opening.clone();
        Some(proof.to_bytes())
    }

    fn get(&self, path: &str) -> Option<Result<Vec<u8>, Value>> {
        let parts: Vec<&str> = path.split('?').next()?.trim_start_matches('/').split('/').collect();
        let canonical = |bytes: Vec<u8>| Some(Err(json!({ "bytes": hex::encode(bytes) })));
        match parts[..] {
            ["v1", "genesis"] => canonical(self.genesis.to_bytes()),
            ["v1", "accounts", id] => {
                let known = [governor().public()].into_iter().map(|key| account_of(key.as_bytes()));
                let known = known.chain(self.genesis.accounts.iter().map(|founder| account_of(&founder.key)));
                let account = known.into_iter().find(|account| account.to_string() == id)?;
                canonical(self.store.get(&zeugma_ledger::Slot::Account(&account).key())?.to_vec())
            }
            ["v1", "transactions", id] => {
                let mut digest = [0; 32];
                hex::decode_to_slice(id, &mut digest).ok()?;
                let outcome = self.outcomes.get(&digest)?;
                let outcome = json!({ "bytes": hex::encode(outcome.to_bytes()) });
                Some(Err(json!({ "status": "final", "height": 1, "number": 0, "outcome": outcome })))
            }
            ["v1", "certificates", "latest"] => {
                let (header, certificate) = self.network.headers.last()?;
                Some(Err(json!({
                    "header": hex::encode(header.to_bytes()),
                    "certificate": hex::encode(certificate.to_bytes()),
                })))
            }
            ["v1", "state", key] => {
                let wanted = hex::decode(key).ok()?;
                let found = self.store.iter().find(|(key, _)| key.as_bytes() == wanted);
                let value = found.map(|(_, value)| hex::encode(value));
                Some(Err(json!({ "height": self.network.headers.len(), "value": value })))
            }
            ["v1", "proofs", "path", namespace, own] => {
                let namespace = Namespace::ALL.iter().copied().find(|one| one.name() == namespace)?;
                self.proof(&LeafPath::new(namespace, &hex::decode(own).ok()?).ok()?).map(Ok)
            }
            _ => None,
        }
    }
}

fn answer(mut stream: TcpStream, inner: &Mutex<Inner>, away: &AtomicBool) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut head = String::new();
            reader.read_line(&mut head)?;
            if head.trim().is_empty() {
                break;
            }
            if let Some(value) = head.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        if away.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or("").to_owned());
        let mut chain = inner.lock().unwrap();
        let found = if method == "POST" {
            let digest = hex::encode(Checked::new(&body).unwrap().digest());
            chain.block(Some(&body), Place::Within);
            Some(Err(json!({ "id": digest })))
        } else {
            chain.get(&path)
        };
        drop(chain);
        let (status, kind, bytes) = match found {
            Some(Ok(bytes)) => (200, "application/octet-stream", bytes),
            Some(Err(json)) => (200, "application/json", json.to_string().into_bytes()),
            None => (
                404,
                "application/problem+json",
                b"{\"name\":\"not-found\",\"detail\":\"it is not there\"}".to_vec(),
            ),
        };
        let head =
            format!("HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", bytes.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&bytes)?;
    }
}
