//! Planted bugs: each is found in the running network, under the plans of the gate's own seeds; and each rule can fail,
//! on forged answers of a node.

#![allow(clippy::unwrap_used, reason = "a test that does not get its network has failed")]

use commonware_runtime::{Clock as _, Runner as _, deterministic};
use std::time::{Duration, UNIX_EPOCH};
use zeugma_ledger::Event;
use zeugma_proof::Trust;
use zeugma_proof::testkit::Keys;
use zeugma_sim::genesis::START;
use zeugma_sim::network::Net;
use zeugma_sim::plan::Weather;
use zeugma_sim::suite::hunt;
use zeugma_sim::view::View;
use zeugma_sim::{Plan, Planted, rules, run, trust};
use zeugma_types::{Decode as _, Encode as _, StateRoot};

fn calm(seed: u64, validators: usize) -> Plan {
    Plan {
        seed,
        validators,
        epoch_length: 25,
        weather: Weather::FAIR,
        villains: std::collections::BTreeMap::new(),
        late: Vec::new(),
        faults: Vec::new(),
        storm: 3_000,
    }
}

fn start<T>(seed: u64, go: impl AsyncFnOnce(deterministic::Context) -> T) -> T {
    let config = deterministic::Config::new()
        .with_seed(seed)
        .with_start_time(UNIX_EPOCH + Duration::from_millis(START))
        .with_timeout(Some(Duration::from_secs(600)));
    deterministic::Runner::new(config).start(async move |context| go(context).await)
}

/// Two of four tell each of the honest another story, which a third of the committee never could.
#[test]
fn twins_beyond_a_third_fork_the_chain_and_are_found() {
    let findings = start(5, async |context| {
        let plan = calm(5, 4);
        let mut net = Net::new(context, &plan, Planted::Nothing).await;
        net.boot(0).await;
        net.boot(1).await;
        // Each half of the twins is with one of the honest, who do not hear each other.
        net.boot_twins(2, [vec![0], vec![1]]).await;
        net.boot_twins(3, [vec![0], vec![1]]).await;
        net.cut(0, 1).await;
        net.context.sleep(Duration::from_secs(30)).await;
        let mut views = Vec::new();
        let mut lowest = u64::MAX;
        for place in [0, 1] {
            lowest = lowest.min(net.node(place).unwrap().height().await.unwrap().get());
        }
        for place in [0, 1] {
            views.push(View::read(&net, place, lowest, false).await.unwrap());
        }
        assert!(lowest > 0, "neither half made a block");
        rules::one_history(&views)
    });
    assert!(findings.iter().any(|finding| finding.contains("two final headers at height")), "{findings:?}");
}

#[track_caller]
fn assert_found(planted: Planted) {
    let Some(found) = hunt(planted) else {
        panic!("{planted:?} was planted, and no seed of the gate shows it")
    };
    println!("{planted:?} is found at seed {}: {}", found.seed, found.findings.join("; "));
}

#[test]
fn a_quorum_minus_one_is_found_within_the_seeds_of_the_gate() {
    assert_found(Planted::QuorumMinusOne);
}

#[test]
fn votes_that_were_not_synced_are_found_within_the_seeds_of_the_gate() {
    assert_found(Planted::VotesLost);
}

#[test]
fn a_receipt_that_is_skipped_is_found_within_the_seeds_of_the_gate() {
    assert_found(Planted::ReceiptSkipped);
}

#[test]
fn an_absence_without_its_tombstone_is_found_within_the_seeds_of_the_gate() {
    assert_found(Planted::TombstoneSkipped);
}

#[test]
fn a_retired_key_that_is_accepted_is_found_within_the_seeds_of_the_gate() {
    assert_found(Planted::RetiredKeyAccepted);
}

/// A network that ran, and what its nodes say; then each forgery must be found.
#[test]
fn forged_answers_break_the_rule_that_they_are_against() {
    start(9, async |context| {
        let plan = calm(9, 4);
        let mut net = Net::new(context, &plan, Planted::Nothing).await;
        for place in 0..4 {
            net.boot(place).await;
        }
        net.context.sleep(Duration::from_secs(10)).await;
        let mut views = Vec::new();
        for place in 0..2 {
            views.push(View::read(&net, place, 4, true).await.unwrap());
        }
        let (network, trusted) = (net.genesis.network(), trust(&net));
        let clean = rules::all(&views, &net.committee, network, &trusted, &[]);
        assert_eq!(clean, Vec::<String>::new(), "nothing is wrong before it is forged");
        forge(&net, &views, &trusted);
    });
}

fn forge(net: &Net, views: &[View], trusted: &Trust) {
    let network = net.genesis.network();
    let judge = |views: &[View], needed: &str| {
        let findings = rules::all(views, &net.committee, network, trusted, &[]);
        assert!(
            findings.iter().any(|finding| finding.contains(needed)),
            "needed {needed:?}, found {findings:?}"
        );
    };

    let mut forged = views.to_vec();
    forged[1].blocks[2].block.header.time = zeugma_types::BlockTime::new(START + 999_999);
    judge(&forged, "two final headers at height 3");
    judge(&forged, "height 4 does not follow its parent");

    let mut forged = views.to_vec();
    forged[1].blocks[0].block.header.state.root = StateRoot::new([1; 32]);
    judge(&forged, "two state roots at height 1");

    // A quorum minus one, or any other key, makes no certificate.
    let mut forged = views.to_vec();
    let said = forged[0].blocks.iter_mut().find(|said| said.certificate.is_some()).unwrap();
    let keys = Keys::derive(77, 4);
    let certificate = said.certificate.as_mut().unwrap();
    let signed = certificate.signed_bytes(&network, &said.block.header.digest());
    certificate.signature =
        keys.group.sign_foreign(zeugma_crypto::bls::Ciphersuite::ProofOfPossession, &signed);
    judge(&forged, "is not the committee's");

    let mut forged = views.to_vec();
    forged[0].blocks.iter_mut().for_each(|said| said.certificate = None);
    judge(&forged, "has no certificate");

    // A leaf that is left out, and one that changes later.
    let mut forged = views.to_vec();
    forged[0].blocks[0].block.record.said.pop().unwrap();
    judge(&forged, "the outbox of height 1");
    let mut forged = views.to_vec();
    forged[0].blocks[0].block.record.said[0].value = zeugma_types::Value::new([4; 32]);
    judge(&forged, "the outbox root of height 1 is not of its leaves");

    let mut forged = views.to_vec();
    forged[0].proofs[0] = None;
    judge(&forged, "leaf 0 has no proof");
    let mut forged = views.to_vec();
    forged[0].proofs[0].as_mut().unwrap().header = views[0].blocks[3].block.header.clone();
    judge(&forged, "leaf 0 is proved under height 4");

    let mut forged = views.to_vec();
    forged[0].blocks[1].block.transactions.push(bytes::Bytes::from_static(b"smuggled"));
    judge(&forged, "the body root of height 2");
}

/// The packet rules on what ledgers would tell that end a packet twice, or one that nobody sent.
#[test]
fn a_packet_that_ends_twice_is_found() {
    start(11, async |context| {
        let plan = calm(11, 4);
        let mut net = Net::new(context, &plan, Planted::Nothing).await;
        for place in 0..4 {
            net.boot(place).await;
        }
        net.context.sleep(Duration::from_secs(3)).await;
        let view = View::read(&net, 0, 1, false).await.unwrap();
        let client = zeugma_types::ClientId::new("zeugma-0").unwrap();
        let sequence = zeugma_types::Sequence::new(1);
        let received = || {
            Event::PacketReceived(zeugma_ledger::event::PacketReceived { client: client.clone(), sequence })
        };
        let lapsed = || {
            Event::PacketTimedOut(zeugma_ledger::event::PacketTimedOut { client: client.clone(), sequence })
        };
        let with = |events: Vec<Event>| {
            let mut view = view.clone();
            let bytes: Vec<_> = events.iter().map(|event| event.to_bytes()).collect();
            // What a node would have kept: the bytes, read again.
            let events = bytes.iter().map(|bytes| (Some(0), Event::from_bytes(bytes).unwrap()));
            view.blocks[0].block.record.events.extend(events);
            rules::packets(&view)
        };
        assert!(with(vec![received()]).is_empty());
        assert_eq!(with(vec![received(), received()]).len(), 1, "a receipt that was skipped");
        assert_eq!(with(vec![lapsed()]).len(), 1, "a packet that was never sent is refunded");
        let closed = Event::PacketClosed(zeugma_ledger::event::PacketClosed {
            client: client.clone(),
            source_client: client.clone(),
            sequence,
            timeout: zeugma_types::UnixSeconds::new(1),
            index: zeugma_types::LeafIndex::new(0),
        });
        assert_eq!(with(vec![received(), closed]).len(), 1, "closed after it was received");
    });
}

/// Determinism is not that everything is the same.
#[test]
fn the_same_seed_gives_the_same_history_and_another_seed_another() {
    let plan = Plan::draw(3, 4, 2_500);
    let (one, two) = (run(&plan, Planted::Nothing), run(&plan, Planted::Nothing));
    assert_eq!(one, two);
    assert_ne!(one.state, run(&Plan { seed: 4, ..plan }, Planted::Nothing).state);
}

/// The tree of the rules against the published vectors of the empty tree and of small ones.
#[test]
fn the_plain_tree_is_that_of_the_standard() {
    use zeugma_proof::tree::{Frontier, leaf_hash};
    use zeugma_types::HashSuite;
    let empty = hex::encode(rules::tree_hash(&[]));
    assert_eq!(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let (mut tree, mut leaves) = (Frontier::new(HashSuite::Sha256), Vec::new());
    for number in 0..40_u8 {
        let leaf = leaf_hash(HashSuite::Sha256, &[number]);
        tree.append(leaf, |_, _| ()).unwrap();
        leaves.push(leaf);
        assert_eq!(rules::tree_hash(&leaves), tree.root(), "{} leaves", leaves.len());
    }
}
