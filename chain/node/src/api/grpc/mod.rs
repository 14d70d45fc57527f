//! The API over gRPC: the service `zeugma.node.v1.Node`, with reflection and health.
//!
//! It answers what REST answers, from the same functions, behind the same rules: a write needs a token in the
//! metadata `authorization`, reads follow [`super::ApiConfig::reads`] at the address of this door, and requests,
//! waits and streams take places from the same counts. A refusal is a status whose metadata `zeugma-refusal-*`
//! carry the code and both sides. Off unless `[api.grpc]` is set.
//!
//! `grpc.health.v1.Health/Check` is answered to anyone and says `NOT_SERVING` once the node cannot go on. All that
//! streams is for readers, so that a stranger cannot hold the places of streams.
//!
//! Source: `proto/zeugma/node/v1/node.proto`.

mod convert;
mod ending;
mod gate;
mod node;
mod status;
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)] // Generated: its source is the proto file.
pub mod v1 {
    //! What the proto file declares, as generated from it: messages, the client, the server.
    tonic::include_proto!("zeugma.node.v1");

    /// The encoded descriptors of the proto file.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/node.bin"));
}

use super::listen::Limited;
use super::{Api, closed};
use axum::middleware::from_fn_with_state;
use axum::serve::Listener as _;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tonic::server::NamedService as _;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use v1::node_server::NodeServer;
use zeugma_ledger::limits::MAX_TRANSACTION;

/// Longest message that is read: the longest transaction, and room for what is around it.
const MAX_MESSAGE: usize = MAX_TRANSACTION + 1_024;
/// Most calls at one time on one connection.
const MAX_CALLS: u32 = 128;
/// Most bytes of metadata of one call.
const MAX_METADATA: u32 = 16 * 1_024;
/// The other side is asked for a sign of life this often, and has this long to answer.
const ALIVE: Duration = Duration::from_secs(15);

/// How gRPC is served. The rest of [`super::ApiConfig`] holds for it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrpcConfig {
    /// The address to listen on; `127.0.0.1:7781`. Put a proxy that ends TLS before any other.
    pub listen: SocketAddr,
    /// Most connections at one time; 256. Further ones wait to be accepted.
    pub connections: usize,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7781)), connections: 256 }
    }
}

/// Serves until the API closes.
pub(super) async fn serve(listener: Limited, door: SocketAddr, api: Api) -> std::io::Result<()> {
    let (health, health_service) = tonic_health::server::health_reporter();
    let service = NodeServer::new(node::Service::new(api.clone())).max_decoding_message_size(MAX_MESSAGE);
    let name = NodeServer::<node::Service>::NAME;
    health.set_service_status(name, ServingStatus::Serving).await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(v1::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(std::io::Error::other)?;
    let mut stopped = api.node.stopped();
    let telling = async move {
        // Its sender lives as long as the node; if it is gone, so is the node.
        let _ = stopped.wait_for(Option::is_some).await;
        for service in ["", name] {
            health.set_service_status(service, ServingStatus::NotServing).await;
        }
        std::future::pending::<Infallible>().await
    };
    let closing = closed(api.closing.clone());
    let routes = Routes::new(service)
        .add_service(reflection)
        .add_service(health_service)
        .into_axum_router()
        .layer(from_fn_with_state(gate::Gate { api, door }, gate::pass));
    let incoming = futures::stream::unfold(listener, async |mut listener| {
        let (connection, _) = listener.accept().await;
        Some((Ok::<_, Infallible>(connection), listener))
    });
    let serving = Server::builder()
        .max_concurrent_streams(MAX_CALLS)
        .http2_max_header_list_size(MAX_METADATA)
        .http2_keepalive_interval(Some(ALIVE))
        .http2_keepalive_timeout(Some(ALIVE))
        .add_routes(Routes::from(routes))
        .serve_with_incoming_shutdown(incoming, closing);
    tokio::select! {
        ended = serving => ended.map_err(std::io::Error::other),
        never = telling => match never {},
    }
}
