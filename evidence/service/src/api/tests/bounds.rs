//! What a call over gRPC may take: who it is, room, quota and time are those of REST, and come before its message.

use super::World;
use super::grpc::{by, channel, connect, one, record, refused, runtime};
use crate::access::{Grant, Role};
use crate::api::grpc::v1;
use crate::desk::now;
use std::time::{Duration, Instant};
use tonic::Code as Answered;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use zeugma_types::Code;

#[test]
fn who_may_not_ask_is_told_before_his_message_is_read() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = connect(&world).await;
        let started = Instant::now();
        let answer = client.verify_file(by("nobody", tokio_stream::pending())).await;
        refused(answer, Answered::Unauthenticated, Code::UnknownToken);
        assert!(started.elapsed() < world.api.longest, "it did not wait for the message");
        // One that may is waited for as long as a request may take.
        let answer = client.verify_file(by("party", tokio_stream::pending())).await;
        refused(answer, Answered::DeadlineExceeded, Code::RequestTooSlow);
        assert!(started.elapsed() >= world.api.longest);
    });
}

#[test]
fn a_message_takes_room_as_it_comes_and_gives_it_back() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = connect(&world).await;
        let all = world.api.arriving.available_permits();
        let held =
            world.api.arriving.clone().try_acquire_many_owned(u32::try_from(all - 2).unwrap()).unwrap();
        client.deposit(by("party", one(b"small"))).await.unwrap();
        let records = (0..60_u8).map(|number| record(&[number])).collect();
        let large = v1::DepositBatchRequest { records, idempotency_key: String::new() };
        let full = client.deposit_batch(by("party", large.clone())).await;
        refused(full, Answered::ResourceExhausted, Code::QueueFull);
        drop(held);
        client.deposit_batch(by("party", large)).await.unwrap();
        // A file takes no more than one message may, however long it is.
        let held =
            world.api.arriving.clone().try_acquire_many_owned(u32::try_from(all / 4).unwrap()).unwrap();
        let pieces = (0..40).map(|_| v1::VerifyFileRequest { piece: vec![7; 100_000].into(), time: None });
        let answer = client.verify_file(by("party", tokio_stream::iter(pieces))).await;
        refused(answer, Answered::NotFound, Code::NoSuchEntry);
        drop(held);
        assert_eq!(world.api.arriving.available_permits(), all);

        // What everyone may ask is small.
        let mut health = HealthClient::new(channel(&world).await);
        let long = HealthCheckRequest { service: "x".repeat(200_000) };
        refused(health.check(long).await, Answered::ResourceExhausted, Code::TooLong);
    });
}

#[test]
fn a_quota_is_one_whichever_door_is_taken() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = connect(&world).await;
        let position = Some(v1::Position { shard: 0, index: 0 });
        let mut ask = async || client.get_entry(by("spent", v1::GetEntryRequest { position })).await;
        refused(ask().await, Answered::PermissionDenied, Code::WrongRole);
        refused(ask().await, Answered::ResourceExhausted, Code::QuotaSpent);
        assert_eq!(world.by("spent", "GET", "/v1/tokens", &serde_json::Value::Null).status, 429);
    });
}

#[test]
fn a_stream_ends_at_the_callers_time_and_when_its_token_is_revoked() {
    let world = World::new();
    runtime().block_on(async {
        let mut client = connect(&world).await;
        let position =
            client.deposit(by("party", one(b"one"))).await.unwrap().into_inner().accepted.unwrap().position;
        let ask =
            |token: &str| by(token, v1::WatchEntryRequest { position, until: v1::State::Anchored.into() });
        let mut timed = ask("party");
        timed.metadata_mut().insert("grpc-timeout", "500m".parse().unwrap());
        let mut changes = client.watch_entry(timed).await.unwrap().into_inner();
        assert!(changes.message().await.unwrap().is_some());
        let late = changes.message().await.unwrap_err();
        assert_eq!(late.code(), Answered::DeadlineExceeded);

        let grant = Grant {
            tenant: "one".to_owned(),
            pseudonym: "one".to_owned(),
            role: Role::Judge,
            made_at: now(),
            expires_at: None,
        };
        let file = world.api.access.file().unwrap();
        let issued = file.add(grant).unwrap();
        let mut changes = client.watch_entry(ask(&issued.token)).await.unwrap().into_inner();
        assert!(changes.message().await.unwrap().is_some());
        file.revoke(&issued.row.id, now()).unwrap();
        let ended =
            tokio::time::timeout(Duration::from_secs(5), changes.message()).await.unwrap().unwrap_err();
        assert_eq!(ended.metadata().get("zeugma-refusal-name").unwrap(), "TokenEnded");

        let mut malformed = ask("party");
        malformed.metadata_mut().insert("grpc-timeout", "soon".parse().unwrap());
        refused(client.watch_entry(malformed).await, Answered::InvalidArgument, Code::BadRequest);
    });
}
