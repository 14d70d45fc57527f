//! The API over gRPC: the service `zeugma.evidence.v1.Evidence`, with reflection and health, at the address of REST.
//!
//! It answers what REST answers, from the same functions, behind the same rules: the same tokens as metadata
//! `authorization`, the same X.509 certificates, the same roles, audit, quotas, places, room and time. A refusal is a status whose
//! metadata `zeugma-refusal-*` carry the code and both sides.
//!
//! `grpc.health.v1.Health` says `NOT_SERVING` while deposits are not taken, as `/readyz` does.
//!
//! Source: `proto/zeugma/evidence/v1/evidence.proto`.

mod bounded;
mod convert;
mod service;
mod status;
mod watching;
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)] // Generated: its source is the proto file.
pub mod v1 {
    //! What the proto file declares, as generated from it: messages, the client, the server.
    tonic::include_proto!("zeugma.evidence.v1");

    /// The encoded descriptors of the proto file.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/evidence.bin"));
}

use super::Api;
use axum::Router;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use v1::evidence_server::EvidenceServer;
use zeugma_types::{Code, Refusal};

/// Room beside what the bound of a body counts, in bytes.
const AROUND: usize = 1_024;
/// Under which path the methods of the service are.
const EVIDENCE: &str = "/zeugma.evidence.v1.Evidence";

/// The routes of gRPC.
///
/// # Errors
/// [`Code::StoreFailed`] when the descriptors cannot be served: they are made with the program.
pub(crate) fn router(api: Api) -> Result<Router, Refusal> {
    let (health, health_service) = tonic_health::server::health_reporter();
    let failed =
        |error: tonic_reflection::server::Error| Refusal::new(Code::StoreFailed).found(error.to_string());
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(v1::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(failed)?;
    let service = EvidenceServer::new(service::Service::new(api.clone()))
        .max_decoding_message_size(api.body_bytes.saturating_add(AROUND));
    let mut changes = api.health.changes();
    tokio::spawn(async move {
        loop {
            let serving = match changes.borrow_and_update().is_ok() {
                true => ServingStatus::Serving,
                false => ServingStatus::NotServing,
            };
            for name in ["", EvidenceServer::<service::Service>::NAME] {
                health.set_service_status(name, serving).await;
            }
            // Its sender lives as long as the API.
            if changes.changed().await.is_err() {
                return;
            }
        }
    });
    Ok(Router::new()
        .route_service(&under(&service), service)
        .route_service(&under(&reflection), reflection)
        .route_service(&under(&health_service), health_service)
        .layer(from_fn_with_state(api, bounded::bounded)))
}

/// Where the methods of a service are.
fn under<S: NamedService>(_: &S) -> String {
    format!("/{}/{{*method}}", S::NAME)
}

/// The heads of a call: whose token, and which X.509 certificate the connection showed.
fn heads<T>(request: &tonic::Request<T>) -> HeaderMap {
    request.metadata().clone().into_headers()
}
