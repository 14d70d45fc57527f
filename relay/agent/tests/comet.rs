//! A client of a real CometBFT network, on a network in memory whose ledger is the real one: kept fresh over a change of
//! validators by bisection; frozen when two real nodes commit two blocks of one height. Needs Go once, to build them.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

mod world;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use world::{InMemory, Network, secret};
use zeugma_adapter_cometbft::{Profile, State, Store, TrustLevel};
use zeugma_agent::client::CometWorker;
use zeugma_agent::metrics::Metrics;
use zeugma_agent::queue::Queue;
use zeugma_agent::submit::Submitter;
use zeugma_endpoint_cometbft::{Endpoint, Endpoints, Http, Source as _};
use zeugma_ledger::{Event, Message, Role};
use zeugma_peers::{CometNetwork, CometRpc, Options, Release};
use zeugma_types::{BlockTime, ClientId, Encode as _, Height, Span};

fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    BlockTime::new(u64::try_from(since.as_millis()).unwrap())
}

fn endpoint(rpc: CometRpc) -> Endpoint {
    Endpoint::new(Arc::new(Http::new(&rpc.url(), Duration::from_secs(20))))
}

struct Watched {
    hub: Arc<InMemory>,
    worker: CometWorker,
    submitter: Submitter,
    metrics: Arc<Metrics>,
    _dir: tempfile::TempDir,
}

/// A ledger with a client of the chain at height 2, and its watcher.
fn watched(chain: &str, nodes: Vec<Endpoint>) -> Watched {
    let header = nodes[0].signed_header(Height::new(2)).unwrap().header;
    let profile = Profile {
        chain_id: chain.into(),
        trust_level: TrustLevel::ONE_THIRD,
        trusting_period: Span::seconds(3_600),
        unbonding_period: Span::seconds(6_000),
        max_drift: Span::seconds(10),
        store: Store::Opaque,
    };
    let mut network = Network::new(3);
    to_the_present(&mut network);
    network.create(1, profile.to_bytes(), State::of(&header).to_bytes());
    let hub = InMemory::new("north", network);
    let dir = tempfile::tempdir().unwrap();
    let queue = Arc::new(Queue::open(&dir.path().join("q")).unwrap());
    let metrics = Arc::new(Metrics::default());
    let endpoints = Arc::new(Endpoints::new(chain, nodes));
    let client = ClientId::new("cometbft-0").unwrap();
    let worker = CometWorker::new(hub.clone(), client, endpoints, queue.clone(), metrics.clone(), 300_000);
    let submitter = Submitter::new(hub.clone(), secret(Role::Relayer), queue, metrics.clone());
    Watched { hub, worker, submitter, metrics, _dir: dir }
}

/// A ledger's clock is its blocks': the next one is made now.
fn to_the_present(network: &mut Network) {
    let behind = now().since(network.now()).unwrap_or(Span::ZERO);
    network.chain.wait(behind);
}

impl Watched {
    /// One round of the watcher, and a block.
    fn round(&mut self) {
        self.worker.tick(now()).unwrap();
        self.submitter.tick(now()).unwrap();
        let mut network = self.hub.lock();
        to_the_present(&mut network);
        network.block();
    }

    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.hub.lock().count(wanted)
    }
}

#[test]
fn a_client_is_led_over_a_change_of_validators_by_bisection() {
    let options = Options { spares: 3, ..Options::default() };
    let chain = CometNetwork::start(Release::V1_0, &[10, 10, 10, 10], &options).unwrap();
    let nodes = (0..2).map(|each| endpoint(chain.rpc(each))).collect();
    let mut watched = watched(chain.chain_id(), nodes);
    watched.round();
    assert_eq!(watched.count(|event| matches!(event, Event::ClientUpdated(_))), 0, "fresh, and the same set");

    chain.change_powers(&[(4, 10), (5, 10), (6, 10)]).unwrap();
    let change = chain.change_powers(&[(1, 0), (2, 0), (3, 0)]).unwrap();
    chain.rpc(0).wait_for_height(change.in_force + 2).unwrap();
    for _ in 0..4 {
        watched.round();
    }
    let network = watched.hub.lock();
    assert!(network.refused.is_empty(), "{:?}", network.refused);
    let updated = network.told.iter().flat_map(|told| &told.events).filter_map(|event| match event {
        Event::ClientUpdated(updated) => Some(updated.height.get()),
        _ => None,
    });
    let heights: Vec<u64> = updated.collect();
    assert!(heights.len() > 1, "{heights:?}: too much changed for one step");
    assert!(*heights.last().unwrap() >= change.in_force, "{heights:?}");
    println!("led from height 2 over {heights:?}");
}

fn equivocation_freezes_the_client(release: Release) {
    let options = Options { chain_id: "zeugma-fork".to_owned(), ..Options::default() };
    let mut chain = CometNetwork::start(release, &[70, 10, 10, 10], &options).unwrap();
    let twin = chain.fork(0).unwrap();
    let conflict = twin.conflict(chain.rpc(0)).unwrap().height;
    let mut watched = watched("zeugma-fork", vec![endpoint(chain.rpc(0)), endpoint(twin.rpc())]);
    let frozen =
        |event: &Event| matches!(event, Event::ClientFrozen(frozen) if frozen.height.get() == conflict);
    for _ in 0..3 {
        watched.round();
    }
    assert_eq!(watched.count(frozen), 1, "{:?}", watched.hub.lock().refused);
    let evidence = |message: &&Message| matches!(message, Message::SubmitMisbehaviour(_));
    assert_eq!(watched.hub.lock().done.iter().filter(evidence).count(), 1, "submitted once");
    let text = watched.metrics.text(now());
    for line in [
        "zeugma_relay_client_frozen{chain=\"north\",client=\"cometbft-0\"} 1",
        "zeugma_relay_misbehaviour_total{chain=\"zeugma-fork\"} 1",
        "zeugma_relay_endpoint_disagreements_total{chain=\"zeugma-fork\"} 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
}

#[test]
fn two_real_nodes_that_commit_two_blocks_of_one_height_freeze_the_client_0_38() {
    equivocation_freezes_the_client(Release::V0_38);
}

#[test]
fn two_real_nodes_that_commit_two_blocks_of_one_height_freeze_the_client_1_0() {
    equivocation_freezes_the_client(Release::V1_0);
}
