//! `zeugma-client` against every route.

use super::fake::{FakeChain, Mood, account, client};
use super::{Served, TOKEN};
use std::sync::Arc;
use std::time::Duration;
use zeugma_client::{Client, Error, Fate, Standing, Under};
use zeugma_ledger::registry::Kind;
use zeugma_ledger::{Checked, Event, Slot};
use zeugma_proof::Reliance;
use zeugma_proof::testkit::TestNetwork;
use zeugma_types::{
    ClientId, Code, Encode as _, Height, LeafIndex, LeafPath, Refusal, Sequence, TreeSize, Value,
};

fn connect(served: &Served) -> Client {
    Client::new(&format!("http://{}/", served.server.address()))
        .with_token(TOKEN)
        .with_trust(served.chain.trust())
}

#[test]
fn a_batch_is_answered_one_by_one_and_its_transactions_are_named_in_the_stream() {
    let served = Served::new();
    let node = connect(&served);
    let batch = [served.chain.transaction(1), b"\x01".to_vec(), served.chain.transaction(2)];
    let answer = node.submit_all(&batch).unwrap();
    assert_eq!(answer.accepted, 2);
    let refused: Vec<_> = answer.refused.iter().map(|(number, refusal)| (*number, refusal.code)).collect();
    assert_eq!(refused, [(1, Code::Truncated)]);
    assert_eq!(node.submit_all::<Vec<u8>>(&[]).unwrap().accepted, 0);
    let height = served.chain.close();

    let named = node.follow_transactions(Some(height)).next().unwrap().unwrap();
    let mut ids: Vec<_> = named.transactions.iter().map(|one| (one.id, one.done)).collect();
    ids.sort_unstable();
    let mut expected: Vec<_> =
        [0, 2].map(|place: usize| (*Checked::new(&batch[place]).unwrap().digest(), true)).to_vec();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(node.follow(Some(height)).next().unwrap().unwrap().transactions, []);

    served.chain.set_mood(Mood::Fails);
    assert!(matches!(node.submit_all(&batch), Err(Error::Declined { status: 500, .. })));
    served.chain.set_mood(Mood::Takes);
    let most = vec![served.chain.transaction(3); 1_024];
    assert_eq!(node.submit_all(&most).unwrap().accepted, 1_024);
    let more = vec![b"x".to_vec(); 1_025];
    assert!(matches!(node.submit_all(&more), Err(Error::Declined { status: 400, .. })));
}

#[test]
fn a_client_reads_every_route_in_our_types() {
    let served = Served::new();
    let node = connect(&served);
    let genesis = node.genesis().unwrap();
    assert_eq!(genesis.network(), *served.chain.trust().network());
    node.healthy().unwrap();
    assert!(matches!(node.ready(), Err(Error::Declined { status: 503, .. })));
    assert_eq!((node.latest_header().unwrap(), node.latest_certified().unwrap()), (None, None));

    let transaction = served.chain.transaction(1);
    let id = node.submit(&transaction).unwrap();
    assert_eq!(id, *Checked::new(&transaction).unwrap().digest());
    assert_eq!(node.fate(&id).unwrap(), Fate::Waiting);
    assert_eq!(node.status().unwrap().waiting_transactions, 1);
    let chain = Arc::clone(&served.chain);
    let closer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        chain.close()
    });
    let Fate::Final { height, number: 0, outcome } = node.wait(&id, Duration::from_secs(20)).unwrap() else {
        panic!("it is final")
    };
    assert_eq!((height, outcome.is_done(), closer.join().unwrap()), (Height::new(1), true, height));
    assert_eq!(node.fate(&[0; 32]).unwrap(), Fate::Unknown);
    node.ready().unwrap();

    let status = node.status().unwrap();
    assert_eq!((status.network, status.height, status.waiting_bytes), (genesis.network(), height, 0));
    let block = node.block(height).unwrap().unwrap();
    assert_eq!((block.transactions[0].id, &block.transactions[0].bytes), (id, &transaction));
    assert!(matches!(block.events[0].event, Event::ClientUpdated(_)));
    let header = node.header(height).unwrap().unwrap();
    assert_eq!((&block.header, Some(&header)), (&header, node.latest_header().unwrap().as_ref()));
    let certified = node.certified(Height::ZERO).unwrap().unwrap();
    assert_eq!((&certified.header, Some(&certified)), (&header, node.latest_certified().unwrap().as_ref()));
    assert_eq!((node.block(Height::new(9)).unwrap(), node.certified(Height::new(9)).unwrap()), (None, None));

    let path = LeafPath::anchor(&[8; 32], TreeSize::new(1));
    for under in [Under::First, Under::Latest] {
        let by_index = node.proof(LeafIndex::new(0), under).unwrap().unwrap();
        let by_path = node.proof_of(&path, under).unwrap().unwrap();
        assert_eq!(by_index, by_path);
        assert_eq!(by_index.proven.unwrap().leaf().path, block.leaves[0].path);
    }
    assert_eq!(node.proof(LeafIndex::new(1), Under::First).unwrap(), None);

    let parameters = node.state(&Slot::Parameters.key()).unwrap();
    assert_eq!(parameters, (height, Some(genesis.parameters.to_bytes())));
    assert_eq!(node.state(&Slot::Proposal(1).key()).unwrap(), (height, None));
    let light = node.light_client(&client()).unwrap().unwrap();
    assert_eq!((light.status, light.family_name.as_str(), light.frozen), (Standing::Active, "zeugma", None));
    let states = node.light_client_states(&client()).unwrap().unwrap();
    assert_eq!(states.last().unwrap().height, light.latest);
    let unknown = ClientId::new("zeugma-9").unwrap();
    assert!(
        node.light_client(&unknown).unwrap().is_none()
            && node.light_client_states(&unknown).unwrap().is_none()
    );
    let packet = node.packet(&client(), Sequence::new(1)).unwrap();
    assert_eq!((packet.commitment, packet.acknowledgement), (Some(Value::new([7; 32])), None));
    assert_eq!(packet.receipt.unwrap().name(), "closed");
    assert_eq!(node.account(&account()).unwrap().unwrap().used.highest, 0);
    assert_eq!(node.registry(Kind::RulePack, "rules/1").unwrap().unwrap().digest.0, Some([9; 32]));
    assert_eq!(node.registry(Kind::Halt, "none").unwrap(), None);
    assert!(node.metrics().unwrap().contains("zeugma_chain_height"));
    assert!(node.openapi().unwrap().contains("3.1.0"));
}

#[test]
fn events_are_paged_and_followed_without_a_gap() {
    let served = Served::new();
    let node = connect(&served);
    for _ in 0..7 {
        served.chain.close();
    }
    let page = node.events(Height::new(2), 3).unwrap();
    let heights: Vec<_> = page.blocks.iter().map(|block| block.height.get()).collect();
    assert_eq!((heights, page.next.get(), page.tip.get()), (vec![2, 3, 4], 5, 7));
    assert_eq!(node.events(Height::new(8), 3).unwrap().next, Height::new(8));
    let mut follow = node.follow(Some(Height::new(5)));
    for height in 5..=7 {
        assert_eq!(follow.next().unwrap().unwrap().height, Height::new(height));
    }
    let new = served.chain.close();
    assert_eq!(follow.next().unwrap().unwrap().height, new);
    let address = served.server.address();
    served.server.stop().unwrap();
    assert!(matches!(follow.next(), Some(Err(Error::Unreachable { .. }))));
    // The same follower goes on when the node is there again.
    let config = super::ApiConfig { listen: address, ..super::ApiConfig::default() };
    let again = super::Server::start(config, served.chain.handle(), FakeChain::families()).unwrap();
    let newer = served.chain.close();
    assert_eq!(follow.next().unwrap().unwrap().height, newer);
    drop(again);
}

#[test]
fn a_client_believes_nothing_that_its_trust_does_not() {
    let served = Served::new();
    served.chain.close();
    let endpoint = format!("http://{}", served.server.address());
    let mut stranger = TestNetwork::new(9);
    let path = LeafPath::anchor(&[8; 32], TreeSize::new(1));
    let code = |error: Error| match error {
        Error::Unproven(refusal) => refusal.code,
        other => panic!("{other}"),
    };
    let node = Client::new(&endpoint).with_trust(stranger.trust(Reliance::Court));
    assert_eq!(code(node.genesis().unwrap_err()), Code::WrongNetwork);
    assert_eq!(code(node.latest_certified().unwrap_err()), Code::WrongNetwork);
    assert_eq!(code(node.proof_of(&path, Under::First).unwrap_err()), Code::WrongNetwork);
    // The same network's name under another key.
    stranger.network = *served.chain.trust().network();
    let node = Client::new(&endpoint).with_trust(stranger.trust(Reliance::Court));
    assert_eq!(code(node.certified(Height::new(1)).unwrap_err()), Code::BadSignature);
    assert_eq!(code(node.proof(LeafIndex::new(0), Under::First).unwrap_err()), Code::BadSignature);
    let mut late = served.chain.trust();
    late.expire();
    let node = Client::new(&endpoint).with_trust(late);
    assert_eq!(code(node.latest_certified().unwrap_err()), Code::TrustExpired);
    // Without a trust the bytes are given, and nothing is said to be proved.
    let file = Client::new(&endpoint).proof(LeafIndex::new(0), Under::First).unwrap().unwrap();
    assert_eq!(file.proven, None);
}

#[test]
fn refused_declined_unreachable_and_unreadable_are_told_apart() {
    let served = Served::new();
    let node = connect(&served);
    let transaction = served.chain.transaction(1);
    let refusal = Refusal::new(Code::SequenceAhead).needed(5_u64).found(9_u64);
    served.chain.set_mood(Mood::Refuses(refusal));
    match node.submit(&transaction).unwrap_err() {
        Error::Refused(found) => {
            assert_eq!(found.code, Code::SequenceAhead);
            assert_eq!((found.needed.to_string(), found.found.to_string()), ("5".into(), "9".into()));
        }
        other => panic!("{other}"),
    }
    // What our own check refuses is not sent.
    let mut forged = transaction.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert!(
        matches!(node.submit(&forged), Err(Error::Refused(refusal)) if refusal.code == Code::BadSignature)
    );
    served.chain.set_mood(Mood::Fails);
    let failed = node.submit(&transaction).unwrap_err();
    assert!(matches!(&failed, Error::Declined { status: 500, .. }) && failed.is_passing(), "{failed}");
    let stranger = Client::new(&format!("http://{}", served.server.address()));
    assert!(matches!(stranger.submit(&transaction), Err(Error::Declined { status: 401, .. })));

    let address = served.server.address();
    served.server.stop().unwrap();
    let gone = node.status().unwrap_err();
    assert!(matches!(gone, Error::Unreachable { .. }), "{gone}");
    // Something else listens there.
    let listener = std::net::TcpListener::bind(address).unwrap();
    let other = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for answer in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n"] {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 4_096]).unwrap();
            let page = format!("{answer}connection: close\r\ncontent-length: 6\r\n\r\n<html>");
            connection.write_all(page.as_bytes()).unwrap();
        }
    });
    assert!(matches!(node.status(), Err(Error::Unreadable(_))));
    assert!(matches!(node.header(Height::new(1)), Err(Error::Unreadable(_))));
    other.join().unwrap();
}
