//! Whole networks on the deterministic runtime, started through the same [`engine::start`] as production.

#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test stops where its ground is not as it thinks")]

use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519;
use commonware_p2p::Manager as _;
use commonware_p2p::simulated::{self, Link, Network, Oracle};
use commonware_runtime::{Clock as _, Handle, Quota, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU32, NZUsize, probability};
use std::time::Duration;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::bounded::{Bytes, List, Text};
use zeugma_ledger::gov::{OpenSubmission, Parameters};
use zeugma_ledger::tx::{Opaque, OpenPayload, SignedBody, Until};
use zeugma_ledger::{Families, Founder, Genesis, Message, Role, Roles, Transaction, Validator};
use zeugma_node::consensus::{PublicKey, Scheme};
use zeugma_node::engine::{self, Channels};
use zeugma_node::{NodeHandle, dkg};
use zeugma_proof::{Committee, EraEntry, Institution, Institutions, Reliance, Trust, TrustFile};
use zeugma_types::{BlockTime, Cost, Encode as _, Era, Span};

pub const QUOTA: Quota = Quota::per_second(NZU32!(10_000));

/// Seed of a validator's key; `place` is not its index, which follows from the key.
fn seed(place: u8) -> [u8; 32] {
    [place + 1; 32]
}

pub fn account(number: u8) -> SecretKey {
    SecretKey::from_seed(&[200 + number; 32])
}

pub fn genesis(validators: u8) -> Genesis {
    genesis_of(validators, Genesis::USUAL_EPOCH_LENGTH)
}

pub fn genesis_of(validators: u8, epoch_length: u64) -> Genesis {
    let text = |text: &str| Text::new(text).unwrap();
    let mut validators: Vec<_> = (0..validators)
        .map(|place| Validator {
            name: text(&format!("validator-{place}")),
            role: text("operator"),
            key: *SecretKey::from_seed(&seed(place)).public().as_bytes(),
        })
        .collect();
    validators.sort_by_key(|validator| validator.key);
    let mut accounts: Vec<_> = (0..4)
        .map(|number| Founder { key: *account(number).public().as_bytes(), roles: Roles::of(Role::ALL) })
        .collect();
    accounts.sort_by_key(|founder| founder.key);
    let genesis = Genesis {
        version: Genesis::VERSION,
        name: text("simulated"),
        time: BlockTime::ZERO,
        epoch_length,
        validators: List::new(validators).unwrap(),
        accounts: List::new(accounts).unwrap(),
        parameters: Parameters { open_submission: OpenSubmission::Accepted, ..Parameters::default() },
    };
    genesis.check().unwrap();
    genesis
}

pub fn signed(genesis: &Genesis, number: u8, sequence: u64, message: impl Into<Message>) -> Vec<u8> {
    let key = account(number);
    let body = SignedBody {
        network: genesis.network(),
        key: *key.public().as_bytes(),
        sequence,
        until: Until::NEVER,
        cost_limit: Cost::MAX,
        messages: List::new(vec![message.into()]).unwrap(),
    };
    Transaction::sign(body, &key).to_bytes()
}

pub fn opaque(genesis: &Genesis, number: u8, sequence: u64) -> Vec<u8> {
    signed(genesis, number, sequence, Opaque { payload: Bytes::new(sequence.to_be_bytes()).unwrap() })
}

pub fn open(genesis: &Genesis, payload: &[u8]) -> Vec<u8> {
    let payload = Bytes::new(payload).unwrap();
    Transaction::Open(OpenPayload { network: genesis.network(), until: Until::NEVER, payload }).to_bytes()
}

/// One validator: its key, its share, its node if it runs.
pub struct Validator4 {
    pub key: PublicKey,
    pub scheme: Scheme,
    runs: u64,
    running: Option<(Handle<()>, NodeHandle)>,
}

/// A simulated network.
pub struct Sim {
    pub context: deterministic::Context,
    pub oracle: Oracle<PublicKey, deterministic::Context>,
    pub genesis: Genesis,
    pub committee: Committee,
    pub nodes: Vec<Validator4>,
    pub link: Link,
}

impl Sim {
    pub async fn new(context: deterministic::Context, validators: u8, epoch_length: u64) -> Self {
        let genesis = genesis_of(validators, epoch_length);
        let files = dkg::insecure_dealer(&genesis, [7; 32]).unwrap();
        let members = zeugma_node::members(&genesis).unwrap();
        let config = simulated::Config {
            max_size: engine::max_message(),
            max_peers_per_set: NZUsize!(64),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) = Network::new(context.child("network"), config);
        network.start();
        oracle.manager().track(0, members.clone());
        let link = Link {
            latency: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            success_rate: probability!(1.0),
        };
        for from in members.iter() {
            for to in members.iter().filter(|to| *to != from) {
                oracle.add_link(from.clone(), to.clone(), link.clone()).await.unwrap();
            }
        }
        let nodes = members
            .iter()
            .zip(&files)
            .map(|(key, file)| Validator4 {
                key: key.clone(),
                scheme: file.scheme(&genesis).unwrap(),
                runs: 0,
                running: None,
            })
            .collect();
        let committee = files[0].committee(&genesis).unwrap();
        Self { context, oracle, genesis, committee, nodes, link }
    }

    pub async fn boot(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        assert!(node.running.is_none(), "validator {place} runs already");
        let control = self.oracle.control(node.key.clone());
        let mut channels = Vec::new();
        for number in 0..Channels::<(), ()>::COUNT {
            channels.push(control.register(number, QUOTA).await.unwrap());
        }
        let mut channels = channels.into_iter();
        let mut next = || channels.next().unwrap();
        let channels = Channels {
            votes: next(),
            certificates: next(),
            resolver: next(),
            backfill: next(),
            broadcast: next(),
            gossip: next(),
        };
        let config = engine::Config {
            genesis: self.genesis.clone(),
            scheme: node.scheme.clone(),
            me: node.key.clone(),
            peers: self.oracle.manager(),
            blocker: control,
            partition: format!("v{place}"),
            mempool_transactions: 10_000,
            mempool_bytes: 16 << 20,
            cache_pages: 1_024,
        };
        let context =
            self.context.child("validator").with_attribute("place", place).with_attribute("run", node.runs);
        node.runs += 1;
        let (sender, receiver) = futures::channel::oneshot::channel();
        // One task holds the whole node: aborting it is a crash.
        let task = context.spawn(move |context| async move {
            let (consensus, handle) =
                engine::start(context, config, Families::new(&[]), channels).await.unwrap();
            assert!(sender.send(handle).is_ok(), "the simulation waits for the handle");
            consensus.await.unwrap();
        });
        node.running = Some((task, receiver.await.unwrap()));
    }

    pub async fn crash(&mut self, place: usize) {
        let (task, handle) = self.nodes[place].running.take().expect("it runs");
        drop(handle);
        task.abort();
        let _ = task.await;
    }

    pub fn node(&self, place: usize) -> &NodeHandle {
        &self.nodes[place].running.as_ref().expect("it runs").1
    }

    pub fn runs(&self, place: usize) -> bool {
        self.nodes[place].running.is_some()
    }

    pub async fn sleep(&self, time: Duration) {
        self.context.sleep(time).await;
    }

    pub async fn height(&self, place: usize) -> u64 {
        self.node(place).height().await.unwrap().get()
    }

    /// Waits until a node holds `height`.
    pub async fn reach(&self, place: usize, height: u64) {
        for _ in 0..600 {
            if self.height(place).await >= height {
                return;
            }
            self.sleep(Duration::from_millis(200)).await;
        }
        panic!("validator {place} is at {} and does not reach {height}", self.height(place).await);
    }

    /// What a court starts from.
    pub fn trust(&self) -> Trust {
        let institution = Institution { name: "court".into(), key: *account(0).public().as_bytes() };
        let institutions = Institutions::new(1, vec![institution]).unwrap();
        let era = EraEntry { era: Era::ZERO, committee: self.committee.clone(), pin: None };
        let file = TrustFile::new(
            self.genesis.network(),
            BlockTime::ZERO,
            Span::seconds(365 * 24 * 60 * 60),
            vec![era],
            institutions,
        );
        file.unwrap().at(BlockTime::new(1), Reliance::Court)
    }
}

/// The seed of a validator's key.
pub fn seed_of(genesis: &Genesis, place: usize) -> [u8; 32] {
    let wanted = genesis.validators.as_slice()[place].key;
    let found = (0..64_u8).map(seed).find(|seed| *SecretKey::from_seed(seed).public().as_bytes() == wanted);
    found.expect("the genesis names simulated validators")
}

/// The key of a validator, for tests that speak for one.
pub fn identity(genesis: &Genesis, place: usize) -> ed25519::PrivateKey {
    let wanted = genesis.validators.as_slice()[place].key;
    (0..64_u8)
        .map(|place| {
            use commonware_codec::DecodeExt as _;
            ed25519::PrivateKey::decode(bytes::Bytes::copy_from_slice(&seed(place))).unwrap()
        })
        .find(|key| key.public_key().as_ref() == wanted)
        .expect("the genesis names simulated validators")
}
