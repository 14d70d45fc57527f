//! Real CometBFT networks and a real Cosmos chain, followed and caught. Needs Go once, to build them.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeugma_adapter_cometbft::{Profile, Store, TrustLevel, verify};
use zeugma_endpoint_cometbft::{
    Comparison, Endpoint, Endpoints, Finding, Followed, Http, Source as _, StoreKey,
};
use zeugma_peers::{CometNetwork, CometRpc, Options, Release, Simd, SimdOptions, balances_key};
use zeugma_types::{BlockTime, Height, Span};

fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    BlockTime::new(u64::try_from(since.as_millis()).unwrap())
}

fn endpoint(rpc: CometRpc) -> Endpoint {
    Endpoint::new(Arc::new(Http::new(&rpc.url(), Duration::from_secs(20))))
}

fn followed(endpoint: &Endpoint, chain_id: &str, store: Store) -> Followed {
    let profile = Profile {
        chain_id: chain_id.into(),
        trust_level: TrustLevel::ONE_THIRD,
        trusting_period: Span::seconds(3_600),
        unbonding_period: Span::seconds(6_000),
        max_drift: Span::seconds(10),
        store,
    };
    let first = endpoint.signed_header(Height::new(2)).unwrap().header.hash();
    Followed::begin(profile, endpoint, Height::new(2), first).unwrap()
}

fn followed_in_order_and_by_skipping(release: Release) {
    let options = Options { spares: 3, ..Options::default() };
    let network = CometNetwork::start(release, &[10, 10, 10, 10], &options).unwrap();
    let node = endpoint(network.rpc(0));
    let start = followed(&node, network.chain_id(), Store::Opaque);

    // Three of four leave, three others come: fewer than a third of the first set's power stays.
    network.change_powers(&[(4, 10), (5, 10), (6, 10)]).unwrap();
    let change = network.change_powers(&[(1, 0), (2, 0), (3, 0)]).unwrap();
    let target = change.in_force + 2;
    network.rpc(0).wait_for_height(target + 1).unwrap();
    let target = Height::new(target);

    let mut sequential = start.clone();
    for height in start.trusted().height.get() + 1..=target.get() {
        assert_eq!(sequential.walk(&node, Height::new(height), now()).unwrap().len(), 1);
    }
    let endpoints =
        Endpoints::new(network.chain_id(), (0..4).map(|each| endpoint(network.rpc(each))).collect());
    let mut skipping = start.clone();
    let steps = endpoints.walk(&mut skipping, target, now()).unwrap();
    assert_eq!(skipping.trusted(), sequential.trusted());
    let between = usize::try_from(target.get() - start.trusted().height.get()).unwrap();
    assert!(steps.len() > 1, "the set changed too much for one step");
    assert!(steps.len() < between, "{} steps over {between} headers is no skipping", steps.len());
    assert_eq!(endpoints.compare(target, now()).unwrap(), Comparison::Agreed { endpoints: 4 });
    assert_eq!(endpoints.disagreements(), 0);
    println!("{release:?}: {between} headers in {} steps", steps.len());
    network.stop().unwrap();
}

#[test]
fn a_network_whose_validators_change_is_followed_in_order_and_by_skipping_0_38() {
    followed_in_order_and_by_skipping(Release::V0_38);
}

#[test]
fn a_network_whose_validators_change_is_followed_in_order_and_by_skipping_1_0() {
    followed_in_order_and_by_skipping(Release::V1_0);
}

fn equivocation_is_found(release: Release) {
    let options = Options { chain_id: "zeugma-fork".to_owned(), ..Options::default() };
    let mut network = CometNetwork::start(release, &[70, 10, 10, 10], &options).unwrap();
    let twin = network.fork(0).unwrap();
    let conflict = twin.conflict(network.rpc(0)).unwrap().height;
    let endpoints = Endpoints::new("zeugma-fork", vec![endpoint(network.rpc(0)), endpoint(twin.rpc())]);
    let start = followed(&endpoints.list()[0].endpoint, "zeugma-fork", Store::Opaque);

    let (common, answering) = endpoints.common_height(now()).unwrap();
    assert_eq!(answering, 2);
    assert!(common.get() >= conflict);
    assert_eq!(endpoints.compare(common, now()).unwrap(), Comparison::Differ { one: 0, other: 1 });
    let trusted = [start.trusted().clone()];
    let found = endpoints.examine(start.profile(), &trusted, (0, 1), common, now()).unwrap();
    let Finding::Misbehaviour { updates, evidence, at } = found else { panic!("{found:?}") };
    assert_eq!(at.height, Height::new(conflict));
    assert!(updates.is_empty());
    verify::misbehaviour(start.rules(), [start.trusted(); 2], &evidence, now()).unwrap();
    println!("{release:?}: two commits at height {conflict} found from height {}", start.trusted().height);
}

#[test]
fn two_real_nodes_that_commit_two_blocks_of_one_height_are_found_and_the_evidence_verifies_0_38() {
    equivocation_is_found(Release::V0_38);
}

#[test]
fn two_real_nodes_that_commit_two_blocks_of_one_height_are_found_and_the_evidence_verifies_1_0() {
    equivocation_is_found(Release::V1_0);
}

#[test]
fn a_balance_of_a_cosmos_chain_is_read_with_its_proof_and_so_is_its_absence() {
    let chain = Simd::start(&SimdOptions::default()).unwrap();
    let node = endpoint(chain.rpc());
    let mut light = followed(&node, chain.chain_id(), Store::Cosmos);
    // A Cosmos chain proves nothing of the states before its second block.
    let reached = Height::new(chain.rpc().wait_for_height(4).unwrap());
    light.walk(&node, reached, now()).unwrap();

    let owner = balances_key(&chain.address("bob").unwrap()).unwrap();
    let key = |denomination: &[u8]| StoreKey { store: "bank".into(), key: [&owner, denomination].concat() };
    let balance = light.read(&node, &key(b"uzeu")).unwrap().expect("bob was funded at genesis");
    assert_eq!(balance, b"1000000000");
    assert_eq!(light.read(&node, &key(b"tin")).unwrap(), None);
}
