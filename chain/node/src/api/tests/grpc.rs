//! Every method over gRPC, its rules, reflection and health, by a client made from the same proto file.

use super::super::grpc::GrpcConfig;
use super::super::grpc::v1;
use super::fake::{FakeChain, Mood, refusals};
use super::{ApiConfig, Reads, Served, TOKEN};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code as Answered, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use v1::node_client::NodeClient;
use zeugma_ledger::limits::MAX_TRANSACTION;
use zeugma_ledger::{Checked, Event};
use zeugma_proof::{Certificate, Header, Proof};
use zeugma_types::{Code, Decode as _, Encode as _, LeafPath, Refusal, TreeSize};

fn served_with(change: impl FnOnce(&mut ApiConfig)) -> Served {
    Served::with(|config| {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.grpc = Some(GrpcConfig { listen, ..GrpcConfig::default() });
        change(config);
    })
}

async fn channel(served: &Served) -> Channel {
    let address = served.server.grpc_address().unwrap();
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

async fn connect(served: &Served) -> NodeClient<Channel> {
    NodeClient::new(channel(served).await)
}

/// A request that shows a token.
fn shown<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn submission(bytes: Vec<u8>) -> Request<v1::SubmitRequest> {
    shown(TOKEN, v1::SubmitRequest { transaction: bytes.into() })
}

fn said<'a>(status: &'a Status, key: &str) -> Option<&'a str> {
    status.metadata().get(key).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_write_needs_a_token_of_this_node_and_a_read_where_it_is_configured_so() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    let transaction = served.chain.transaction(1);
    let bare = v1::SubmitRequest { transaction: transaction.clone().into() };
    assert_eq!(node.submit(bare.clone()).await.unwrap_err().code(), Answered::Unauthenticated);
    assert_eq!(node.submit(shown("wrong", bare)).await.unwrap_err().code(), Answered::Unauthenticated);
    let id = node.submit(submission(transaction.clone())).await.unwrap().into_inner().id;
    assert_eq!(id.as_ref(), Checked::new(&transaction).unwrap().digest());
    node.get_status(v1::GetStatusRequest {}).await.unwrap();

    let served = served_with(|config| config.reads = Reads::Token);
    let mut node = connect(&served).await;
    let refused = node.get_status(v1::GetStatusRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Answered::Unauthenticated);
    assert!(node.stream_blocks(v1::StreamBlocksRequest::default()).await.is_err());
    node.get_status(shown(TOKEN, v1::GetStatusRequest {})).await.unwrap();
    // Whoever watches over the process needs none.
    HealthClient::new(channel(&served).await).check(HealthCheckRequest::default()).await.unwrap();
}

#[test]
fn without_its_table_grpc_is_not_served() {
    assert_eq!(Served::new().server.grpc_address(), None);
}

#[tokio::test]
async fn a_transaction_is_followed_to_its_end() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    let id = node.submit(submission(served.chain.transaction(1))).await.unwrap().into_inner().id;
    let ask = |wait_seconds| v1::GetTransactionRequest { id: id.clone(), wait_seconds };
    let now = node.get_transaction(ask(0)).await.unwrap().into_inner();
    assert_eq!(now.fate(), v1::Fate::Waiting);
    let chain = Arc::clone(&served.chain);
    let closer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        chain.close()
    });
    let started = Instant::now();
    let found = node.get_transaction(ask(25)).await.unwrap().into_inner();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!((found.fate(), found.result()), (v1::Fate::Final, v1::Result::Done));
    assert_eq!((found.height, found.number, found.refusal), (Some(1), Some(0), None));
    closer.await.unwrap();

    let other = served.chain.transaction(2);
    let id = node.submit(submission(other)).await.unwrap().into_inner().id;
    let refusal = Refusal::new(Code::SequenceUsed).needed(5_u64).found(3_u64);
    served.chain.drop_transaction(id.as_ref().try_into().unwrap(), refusal.clone());
    let ask = v1::GetTransactionRequest { id, wait_seconds: 20 };
    let found = node.get_transaction(ask).await.unwrap().into_inner();
    assert_eq!((found.fate(), found.result()), (v1::Fate::Dropped, v1::Result::Unspecified));
    let why = found.refusal.unwrap();
    assert_eq!((why.code, why.name.as_str()), (u32::from(refusal.code.number()), refusal.code.name()));
    assert_eq!((why.needed.as_deref(), why.found.as_deref()), (Some("5"), Some("3")));
    assert_eq!(why.permanence(), v1::Permanence::Never);
    let unknown = v1::GetTransactionRequest { id: vec![0; 32].into(), wait_seconds: 0 };
    assert_eq!(node.get_transaction(unknown).await.unwrap().into_inner().fate(), v1::Fate::Unknown);
    let short = v1::GetTransactionRequest { id: vec![0; 31].into(), wait_seconds: 0 };
    assert_eq!(node.get_transaction(short).await.unwrap_err().code(), Answered::InvalidArgument);
}

#[tokio::test]
async fn a_refusal_is_a_status_with_its_code_and_both_sides() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    let codes = [
        Answered::InvalidArgument,
        Answered::FailedPrecondition,
        Answered::ResourceExhausted,
        Answered::ResourceExhausted,
    ];
    for ((refusal, _), code) in refusals().into_iter().zip(codes) {
        served.chain.set_mood(Mood::Refuses(refusal.clone()));
        let status = node.submit(submission(b"anything".to_vec())).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, refusal.to_string().as_str()));
        let number = refusal.code.number().to_string();
        assert_eq!(said(&status, "zeugma-refusal-code"), Some(number.as_str()));
        assert_eq!(said(&status, "zeugma-refusal-name"), Some(refusal.code.name()));
    }
    let text = Refusal::new(Code::BadText).needed("words").found(7_u64);
    served.chain.set_mood(Mood::Refuses(text));
    let status = node.submit(submission(b"anything".to_vec())).await.unwrap_err();
    assert_eq!(said(&status, "zeugma-refusal-permanence"), Some("never"));
    assert_eq!(said(&status, "zeugma-refusal-needed"), Some("words"));
    assert_eq!(said(&status, "zeugma-refusal-found"), Some("7"));
    served.chain.set_mood(Mood::Fails);
    let status = node.submit(submission(b"anything".to_vec())).await.unwrap_err();
    assert_eq!((status.code(), said(&status, "zeugma-refusal-code")), (Answered::Internal, None));
}

#[tokio::test]
async fn a_message_above_the_bound_is_refused() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    let status = node.submit(submission(vec![1; MAX_TRANSACTION + 1])).await.unwrap_err();
    let number = Code::TooLong.number().to_string();
    assert_eq!(status.code(), Answered::ResourceExhausted);
    assert_eq!(said(&status, "zeugma-refusal-code"), Some(number.as_str()));
    // The longest is read, and refused for what it says.
    let status = node.submit(submission(vec![9; MAX_TRANSACTION])).await.unwrap_err();
    let number = Code::UnknownTag.number().to_string();
    assert_eq!(said(&status, "zeugma-refusal-code"), Some(number.as_str()));
    // Far above, nothing of it is kept.
    let status = node.submit(submission(vec![1; 4 * MAX_TRANSACTION])).await.unwrap_err();
    assert_eq!(status.code(), Answered::OutOfRange);
}

#[tokio::test]
async fn headers_certificates_and_proofs_are_those_of_the_chain() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    let none = node.get_certificate(v1::GetCertificateRequest::default()).await.unwrap_err();
    assert_eq!(none.code(), Answered::NotFound);
    served.chain.close();
    served.chain.close();
    let status = node.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.height, status.certified_height, status.stopped), (2, Some(2), None));
    assert_eq!(status.network, served.chain.trust().network().to_string());

    let one = v1::GetHeaderRequest { height: Some(1) };
    let header = node.get_header(one).await.unwrap().into_inner();
    let found = Header::from_bytes(&header.header).unwrap();
    assert_eq!((found.height.get(), header.height), (1, 1));
    let latest = node.get_header(v1::GetHeaderRequest::default()).await.unwrap().into_inner();
    assert_eq!(latest.height, 2);
    let missing = v1::GetHeaderRequest { height: Some(9) };
    assert_eq!(node.get_header(missing).await.unwrap_err().code(), Answered::NotFound);
    let from = v1::GetCertificateRequest { from: Some(0) };
    let certified = node.get_certificate(from).await.unwrap().into_inner();
    assert_eq!((certified.height, certified.header), (1, header.header));
    Certificate::from_bytes(&certified.certificate).unwrap();

    use v1::get_proof_request::Leaf;
    let path = LeafPath::anchor(&[8; 32], TreeSize::new(1));
    let path = v1::LeafPath { namespace: path.namespace().name().into(), path: path.path().to_vec().into() };
    for under in [v1::Under::Unspecified, v1::Under::First, v1::Under::Latest] {
        let mut files = Vec::new();
        for leaf in [Leaf::Index(0), Leaf::Path(path.clone())] {
            let request = v1::GetProofRequest { leaf: Some(leaf), under: under.into() };
            files.push(node.get_proof(request).await.unwrap().into_inner().proof);
        }
        assert_eq!(files[0], files[1]);
        let proof = Proof::from_bytes(&files[0]).unwrap();
        assert_eq!(proof.to_bytes(), files[0].as_ref());
        zeugma_proof::verify(&files[0], &served.chain.trust()).unwrap();
    }
    let other = v1::LeafPath { namespace: "none".into(), ..path };
    for (leaf, under, code) in [
        (Some(Leaf::Index(2)), 1, Answered::NotFound),
        (Some(Leaf::Index(0)), 7, Answered::InvalidArgument),
        (Some(Leaf::Path(other)), 1, Answered::InvalidArgument),
        (None, 1, Answered::InvalidArgument),
    ] {
        let request = v1::GetProofRequest { leaf, under };
        assert_eq!(node.get_proof(request.clone()).await.unwrap_err().code(), code, "{request:?}");
    }
}

fn heights(blocks: &[v1::Block]) -> Vec<u64> {
    blocks.iter().map(|block| block.height).collect()
}

#[tokio::test]
async fn events_are_paged() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    for _ in 0..7 {
        served.chain.close();
    }
    let page = node.get_events(v1::GetEventsRequest { from: 2, limit: 3 }).await.unwrap().into_inner();
    assert_eq!((heights(&page.blocks), page.next, page.tip), (vec![2, 3, 4], 5, 7));
    let events = &page.blocks[0].events;
    assert_eq!((events[0].transaction, events[1].transaction), (Some(0), None));
    assert!(matches!(Event::from_bytes(&events[0].event).unwrap(), Event::ClientUpdated(_)));
    assert_eq!(events[1].name, "epoch-ended");
    let all = node.get_events(v1::GetEventsRequest::default()).await.unwrap().into_inner();
    assert_eq!((heights(&all.blocks).len(), all.next), (7, 8));
}

async fn read(node: &mut NodeClient<Channel>, from: Option<u64>, blocks: usize) -> Vec<u64> {
    let mut stream = node.stream_blocks(v1::StreamBlocksRequest { from }).await.unwrap().into_inner();
    let mut heights = Vec::new();
    while heights.len() < blocks {
        heights.push(stream.message().await.unwrap().unwrap().height);
    }
    heights
}

#[tokio::test]
async fn a_stream_resumes_after_the_block_that_came_last() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    for _ in 0..3 {
        served.chain.close();
    }
    assert_eq!(read(&mut node, Some(1), 2).await, [1, 2]);
    // More blocks than a follower may lag behind.
    for _ in 0..9 {
        served.chain.close();
    }
    assert_eq!(read(&mut node, Some(3), 10).await, (3..=12).collect::<Vec<_>>());
    let mut stream = node.stream_blocks(v1::StreamBlocksRequest::default()).await.unwrap().into_inner();
    served.chain.close();
    assert_eq!(stream.message().await.unwrap().unwrap().height, 13);
}

#[tokio::test]
async fn streams_and_waits_above_the_bound_are_told_to_come_again() {
    let served = served_with(|config| config.streams = 1);
    let mut node = connect(&served).await;
    let held = node.stream_blocks(v1::StreamBlocksRequest::default()).await.unwrap();
    let refused = node.stream_blocks(v1::StreamBlocksRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Answered::ResourceExhausted);
    // The places are those of REST too.
    assert_eq!(served.get("/v1/stream/blocks?from=1").status, 503);
    let wait = |wait_seconds| v1::GetTransactionRequest { id: vec![0; 32].into(), wait_seconds };
    assert_eq!(node.get_transaction(wait(1)).await.unwrap_err().code(), Answered::ResourceExhausted);
    node.get_transaction(wait(0)).await.unwrap();
    drop(held);
    let end = Instant::now() + Duration::from_secs(10);
    while node.stream_blocks(v1::StreamBlocksRequest::default()).await.is_err() {
        assert!(Instant::now() < end, "the place of a stream that ended is given back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn reflection_lists_the_service() {
    let served = served_with(|_| ());
    let mut reflection = ServerReflectionClient::new(channel(&served).await);
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let questions = futures::stream::iter([question]);
    let mut answers = reflection.server_reflection_info(questions).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in ["zeugma.node.v1.Node", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[tokio::test]
async fn health_says_serving_until_the_node_stops() {
    let served = served_with(|_| ());
    let mut health = HealthClient::new(channel(&served).await);
    let ask = |service: &str| HealthCheckRequest { service: service.into() };
    for service in ["", "zeugma.node.v1.Node"] {
        let answer = health.check(ask(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    assert_eq!(health.check(ask("none")).await.unwrap_err().code(), Answered::NotFound);
    let mut watch = health.watch(ask("")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    served.chain.stop("program 2 is needed");
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_its_streams_and_waits() {
    let served = served_with(|_| ());
    let mut node = connect(&served).await;
    let mut blocks = node.stream_blocks(v1::StreamBlocksRequest::default()).await.unwrap().into_inner();
    let mut health = HealthClient::new(channel(&served).await);
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap();
    let started = Instant::now();
    let server = served.server;
    let stopping = tokio::task::spawn_blocking(move || server.stop());
    assert_eq!(blocks.message().await.unwrap_err().code(), Answered::Unavailable);
    assert_eq!(watch.message().await.unwrap_err().code(), Answered::Unavailable);
    drop((node, health, blocks, watch));
    stopping.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn the_addresses_of_both_doors_are_told_apart_when_one_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let grpc = Some(GrpcConfig { listen, ..GrpcConfig::default() });
    let config = ApiConfig { listen: free, grpc, ..ApiConfig::default() };
    for error in [
        crate::api::listen(&config).unwrap_err(),
        super::Server::start(config, FakeChain::new().handle(), FakeChain::families()).unwrap_err(),
    ] {
        assert!(error.to_string().contains("set api.grpc.listen to a free address"), "{error}");
    }
}
