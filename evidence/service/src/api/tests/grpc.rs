//! Every method over gRPC, its refusals, reflection and health, by a client made from the same proto file; and that both
//! doors give the same.

use super::disk::Fault;
use super::{World, deposit};
use crate::api::grpc::v1;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code as Answered, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use v1::evidence_client::EvidenceClient;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::LogProof;
use zeugma_evidence_log::note::VerifierKey;
use zeugma_evidence_verify::{Bundle, Policy};
use zeugma_types::{Code, Decode as _};

pub(super) async fn channel(world: &World) -> Channel {
    Endpoint::from_shared(format!("http://{}", world.address)).unwrap().connect().await.unwrap()
}

pub(super) async fn connect(world: &World) -> EvidenceClient<Channel> {
    EvidenceClient::new(channel(world).await).max_decoding_message_size(64 * 1024 * 1024)
}

/// A request that shows a token.
pub(super) fn by<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

pub(super) fn record(content: &[u8]) -> v1::Record {
    v1::Record {
        sha256: sha256(&[content]).to_vec().into(),
        sm3: Vec::new().into(),
        media_type: "text/plain".into(),
        size: content.len() as u64,
        origin: "a contract archive".into(),
        custom: HashMap::from([("case".to_owned(), "2026-17".to_owned())]),
    }
}

pub(super) fn one(content: &[u8]) -> v1::DepositRequest {
    v1::DepositRequest { record: Some(record(content)), idempotency_key: String::new() }
}

/// The code of the rule that a status carries.
fn code(status: &Status) -> Option<u16> {
    status.metadata().get("zeugma-refusal-code")?.to_str().unwrap().parse().ok()
}

#[track_caller]
pub(super) fn refused<T: std::fmt::Debug>(
    answer: Result<tonic::Response<T>, Status>,
    answered: Answered,
    rule: Code,
) {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), code(&status)), (answered, Some(rule.number())), "{status:?}");
    assert_eq!(status.metadata().get("zeugma-refusal-name").unwrap(), rule.name());
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn what_is_deposited_by_one_door_is_known_at_the_other_and_both_give_the_same() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = connect(&world).await;
        let first = client.deposit(by("party", one(b"one"))).await.unwrap().into_inner().accepted.unwrap();
        assert!(!first.known);
        let rest = world.by("party", "POST", "/v1/deposits", &deposit(b"one")).json()["items"][0].clone();
        assert_eq!((&rest["known"], &rest["index"]), (&Value::Bool(true), &0.into()));
        assert_eq!(rest["receipt"], hex::encode(&first.receipt));

        let records = vec![record(b"one"), record(b"two")];
        let batch = v1::DepositBatchRequest { records, idempotency_key: "k".into() };
        let accepted = client.deposit_batch(by("party", batch.clone())).await.unwrap().into_inner().accepted;
        assert_eq!(accepted.iter().map(|one| one.known).collect::<Vec<_>>(), [true, false]);
        let again = client.deposit_batch(by("party", batch)).await.unwrap().into_inner().accepted;
        assert_eq!(again[1].position, accepted[1].position);
        let other = v1::DepositBatchRequest { records: vec![record(b"x")], idempotency_key: "k".into() };
        refused(client.deposit_batch(by("party", other)).await, Answered::AlreadyExists, Code::KeyReused);

        world.api.desk.publish().unwrap();
        let position = first.position;
        let receipt = v1::GetReceiptRequest { position };
        let receipt = client.get_receipt(by("party", receipt)).await.unwrap().into_inner().receipt;
        assert_eq!(receipt, first.receipt);
        let bundle = v1::GetBundleRequest { position };
        let bundle = client.get_bundle(by("party", bundle)).await.unwrap().into_inner().bundle;
        assert_eq!(bundle, world.by("party", "GET", "/v1/entries/0/0/bundle", &Value::Null).body);
        Bundle::from_bytes(&bundle).unwrap();

        let status = client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
        assert_eq!(
            (status.origin.as_str(), status.durable, status.published),
            ("log.example/one", 2, Some(2))
        );
        let policy = client.get_policy(v1::GetPolicyRequest::default()).await.unwrap().into_inner().policy;
        assert_eq!(policy, world.ask("GET", "/v1/policy", &[], b"").body);

        let policy = Policy::from_bytes(&policy).unwrap();
        for (tree, key, origin, path) in [
            (v1::Tree::Sha256, &policy.log_keys[0], "log.example/one", "proof"),
            (v1::Tree::Sm3, &policy.second_keys[0], "log.example/one/sm3", "proof?tree=sm3"),
        ] {
            let asked = v1::GetProofRequest { position, tree: tree.into() };
            let found = client.get_proof(by("party", asked)).await.unwrap().into_inner();
            let proof = LogProof::parse(found.proof.as_bytes()).unwrap();
            proof.verify(&found.leaf, origin, &VerifierKey::parse(key).unwrap()).unwrap();
            assert!(proof.verify(b"another", origin, &VerifierKey::parse(key).unwrap()).is_err());
            let rest = world.by("party", "GET", &format!("/v1/entries/0/0/{path}"), &Value::Null);
            assert_eq!(String::from_utf8(rest.body).unwrap(), found.proof);
        }

        let question = v1::VerifyRequest {
            what: Some(v1::verify_request::What::Bundle(bundle.clone())),
            sha256: sha256(&[b"one"]).to_vec().into(),
            time: Some(1_800_000_000_000),
            ..v1::VerifyRequest::default()
        };
        let report = client.verify(by("party", question.clone())).await.unwrap().into_inner().report;
        let path = format!("/v1/verify?time=1800000000000&sha256={}", hex::encode(sha256(&[b"one"])));
        let rest = world.ask("POST", &path, &[("Authorization", "Bearer party")], &bundle);
        assert_eq!((rest.status, String::from_utf8(rest.body).unwrap()), (200, report));
        let what = Some(v1::verify_request::What::Entry(position.unwrap()));
        let by_entry = client.verify(by("party", v1::VerifyRequest { what, ..question })).await.unwrap();
        let by_entry: Value = serde_json::from_str(&by_entry.into_inner().report).unwrap();
        assert_eq!(by_entry["integrity"], "proven");

        let file = [b"o".as_slice(), b"n", b"", b"e"].map(|piece| v1::VerifyFileRequest {
            piece: piece.to_vec().into(),
            time: Some(1_800_000_000_000),
        });
        let by_file =
            client.verify_file(by("party", tokio_stream::iter(file))).await.unwrap().into_inner().report;
        let rest = world.ask(
            "POST",
            "/v1/verify/file?time=1800000000000",
            &[("Authorization", "Bearer party")],
            b"one",
        );
        assert_eq!((rest.status, String::from_utf8(rest.body).unwrap()), (200, by_file));

        searched(&world, &mut client).await;
        client.erase(by("party", v1::EraseRequest { position })).await.unwrap();
        let gone = client.get_bundle(by("party", v1::GetBundleRequest { position })).await;
        refused(gone, Answered::FailedPrecondition, Code::RecordErased);
    });
}

/// Search and history by both doors, field by field.
async fn searched(world: &World, client: &mut EvidenceClient<Channel>) {
    let digest = sha256(&[b"one"]);
    let asked = v1::SearchRequest { digest: digest.to_vec().into(), ..v1::SearchRequest::default() };
    let found = client.search(by("party", asked)).await.unwrap().into_inner();
    assert!(found.complete && found.cursor.is_empty());
    let rest =
        world.by("party", "GET", &format!("/v1/search?digest={}", hex::encode(digest)), &Value::Null).json();
    let (entry, other) = (&found.entries[0], &rest["entries"][0]);
    assert_eq!((found.entries.len(), rest["entries"].as_array().unwrap().len()), (1, 1));
    assert_eq!(entry.record, Some(record(b"one")));
    assert_eq!(
        (entry.submitter.as_str(), entry.position),
        ("one", Some(v1::Position { shard: 0, index: 0 }))
    );
    assert_eq!(other["received_at"], entry.received_at);
    let page = |cursor: String| v1::SearchRequest { limit: 1, cursor, ..v1::SearchRequest::default() };
    let first = client.search(by("party", page(String::new()))).await.unwrap().into_inner();
    let second = client.search(by("party", page(first.cursor.clone()))).await.unwrap().into_inner();
    assert_eq!(second.entries[0].position, Some(v1::Position { shard: 0, index: 1 }));
    refused(client.search(by("other", page(first.cursor))).await, Answered::InvalidArgument, Code::BadCursor);

    let position = entry.position;
    let history =
        client.get_history(by("party", v1::GetHistoryRequest { position })).await.unwrap().into_inner();
    let rest = world.by("party", "GET", "/v1/entries/0/0/history", &Value::Null).json();
    assert_eq!(history.entry.as_ref(), Some(entry));
    let what: Vec<_> = history.events.iter().map(|event| event.what()).collect();
    assert_eq!(what, [v1::State::Received, v1::State::Logged]);
    for (event, told) in history.events.iter().zip(rest["events"].as_array().unwrap()) {
        assert_eq!(event.at, told["at"].as_u64());
        assert_eq!(event.size, told["size"].as_u64());
    }
    assert_eq!(hex::encode(&history.receipt), rest["events"][0]["receipt"].as_str().unwrap());
    let missing = client.get_history(by("other", v1::GetHistoryRequest { position })).await;
    refused(missing, Answered::NotFound, Code::NoSuchEntry);
}

#[test]
fn a_watch_tells_each_change_until_it_is_as_far_as_was_asked_for() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = connect(&world).await;
        let position =
            client.deposit(by("party", one(b"one"))).await.unwrap().into_inner().accepted.unwrap().position;
        let ask = |until: v1::State| v1::WatchEntryRequest { position, until: until.into() };
        let mut changes = client.watch_entry(by("party", ask(v1::State::Logged))).await.unwrap().into_inner();
        let told = changes.message().await.unwrap().unwrap().standing.unwrap();
        assert_eq!((told.state(), told.logged_size), (v1::State::Received, None));
        let quiet = tokio::time::timeout(Duration::from_millis(700), changes.message()).await;
        assert!(quiet.is_err(), "nothing changed: {quiet:?}");
        world.api.desk.publish().unwrap();
        let told = changes.message().await.unwrap().unwrap().standing.unwrap();
        assert_eq!((told.state(), told.logged_size), (v1::State::Logged, Some(1)));
        assert_eq!(changes.message().await.unwrap(), None);

        let got = client.get_entry(by("party", v1::GetEntryRequest { position })).await.unwrap();
        assert_eq!(got.into_inner().standing.unwrap(), told);
        let nobody = client.watch_entry(by("nobody", ask(v1::State::Logged))).await;
        assert_eq!(nobody.unwrap_err().code(), Answered::Unauthenticated);
        let wrong = client.watch_entry(by("party", ask(v1::State::Received))).await;
        assert_eq!(code(&wrong.unwrap_err()), Some(Code::BadRequest.number()));

        // Streams have places of their own, and one that is given up gives its place back.
        let anchored = ask(v1::State::Anchored);
        let mut held = Vec::new();
        for _ in 0..8 {
            held.push(client.watch_entry(by("party", anchored)).await.unwrap());
        }
        refused(
            client.watch_entry(by("party", anchored)).await,
            Answered::ResourceExhausted,
            Code::QueueFull,
        );
        drop(held);
        for _ in 0..50 {
            if client.watch_entry(by("party", anchored)).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the places were not given back");
    });
}

#[test]
fn a_refusal_is_a_status_with_the_code_of_rest() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = connect(&world).await;
        let position =
            client.deposit(by("party", one(b"one"))).await.unwrap().into_inner().accepted.unwrap().position;
        let entry = || v1::GetEntryRequest { position };
        refused(client.get_entry(entry()).await, Answered::Unauthenticated, Code::UnknownToken);
        refused(client.get_entry(by("nobody", entry())).await, Answered::Unauthenticated, Code::UnknownToken);
        refused(client.get_entry(by("operator", entry())).await, Answered::PermissionDenied, Code::WrongRole);
        refused(client.get_entry(by("other", entry())).await, Answered::NotFound, Code::NoSuchEntry);
        let unnamed = v1::GetEntryRequest { position: None };
        refused(client.get_entry(by("party", unnamed)).await, Answered::InvalidArgument, Code::BadRequest);
        refused(client.deposit(by("judge", one(b"x"))).await, Answered::PermissionDenied, Code::WrongRole);
        let empty = v1::DepositRequest::default();
        refused(client.deposit(by("party", empty)).await, Answered::InvalidArgument, Code::Empty);
        let short = v1::Record { sha256: vec![0; 20].into(), ..record(b"x") };
        let short = v1::DepositRequest { record: Some(short), ..one(b"x") };
        refused(client.deposit(by("party", short)).await, Answered::InvalidArgument, Code::OutOfRange);
        let unlogged = v1::GetProofRequest { position, tree: 0 };
        refused(client.get_proof(by("party", unlogged)).await, Answered::NotFound, Code::NoSuchEntry);
        let what = Some(v1::verify_request::What::Bundle(vec![0; 64].into()));
        let broken =
            client.verify(by("party", v1::VerifyRequest { what, ..v1::VerifyRequest::default() })).await;
        assert_eq!(broken.unwrap_err().code(), Answered::InvalidArgument);

        let held = world.hold(b"held");
        let answer = client.deposit(by("party", one(b"held"))).await;
        assert_eq!(
            answer.as_ref().unwrap_err().metadata().get("zeugma-refusal-found").unwrap(),
            held.as_str()
        );
        refused(answer, Answered::FailedPrecondition, Code::Quarantined);

        // A message above the bound is refused before it is read.
        let long = v1::Record { origin: "x".repeat(1024 * 1024 + 2_000), ..record(b"x") };
        let long = client.deposit(by("party", v1::DepositRequest { record: Some(long), ..one(b"x") })).await;
        assert_eq!(long.unwrap_err().code(), Answered::OutOfRange);

        let places = world.api.places.clone();
        let held = places.try_acquire_many(8).unwrap();
        refused(client.get_entry(by("party", entry())).await, Answered::ResourceExhausted, Code::QueueFull);
        drop(held);
        let metrics = String::from_utf8(world.ask("GET", "/metrics", &[], b"").body).unwrap();
        assert!(metrics.contains("zeugma_evidence_refusals_total{code=\"714\"} 2"), "{metrics}");
    });
}

#[test]
fn health_flips_when_the_store_cannot_write_and_back_when_it_can() {
    let world = World::new();
    world.until_ready(true);
    runtime().block_on(async {
        let mut health = HealthClient::new(channel(&world).await);
        let service = "zeugma.evidence.v1.Evidence".to_owned();
        let mut changes =
            health.watch(HealthCheckRequest { service: service.clone() }).await.unwrap().into_inner();
        let mut client = connect(&world).await;
        for (number, fault, serving) in [
            (0, Fault::None, ServingStatus::Serving),
            (1, Fault::Full, ServingStatus::NotServing),
            (2, Fault::None, ServingStatus::Serving),
        ] {
            world.disk.turn(fault);
            let mut told = changes.message().await.unwrap().unwrap().status();
            while told != serving {
                told = changes.message().await.unwrap().unwrap().status();
            }
            let checked = health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
            assert_eq!(checked.into_inner().status(), serving);
            let answer = client.deposit(by("party", one(&[number]))).await;
            match fault {
                Fault::None => assert!(answer.is_ok(), "{answer:?}"),
                _ => refused(answer, Answered::Unavailable, Code::StoreFull),
            }
        }
    });
}

#[test]
fn reflection_names_the_services_and_describes_every_message() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = ServerReflectionClient::new(channel(&world).await);
        let mut ask = async |message: MessageRequest| {
            let request = ServerReflectionRequest { host: String::new(), message_request: Some(message) };
            let mut stream =
                client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
            stream.message().await.unwrap().unwrap().message_response.unwrap()
        };
        let MessageResponse::ListServicesResponse(listed) =
            ask(MessageRequest::ListServices(String::new())).await
        else {
            panic!("services were asked for")
        };
        let names: Vec<_> = listed.service.into_iter().map(|one| one.name).collect();
        for name in ["zeugma.evidence.v1.Evidence", "grpc.health.v1.Health"] {
            assert!(names.iter().any(|found| found == name), "{names:?}");
        }
        let symbol = MessageRequest::FileContainingSymbol("zeugma.evidence.v1.Standing".into());
        assert!(matches!(ask(symbol).await, MessageResponse::FileDescriptorResponse(_)));
    });
}
