//! The node's API: REST with JSON, server-sent events, and the metrics; gRPC beside it, if asked for ([`grpc`]).
//!
//! It is a hand: it holds a [`NodeHandle`] and nothing else, so what it answers can be late or missing and still
//! nobody is deceived who verifies the proofs. It is closed by default: it listens on this machine, a write needs
//! a token, and every body, wait, stream and connection has its bound ([`ApiConfig`]).
//!
//! | route | answer |
//! |---|---|
//! | `GET /v1/status` | where the node stands |
//! | `GET /v1/genesis` | the genesis, canonical bytes and in words |
//! | `POST /v1/transactions` | takes canonical bytes, or `{"bytes": hex}`; gives the transaction's id |
//! | `POST /v1/transactions/batch` | takes up to 1,024 at once, each its length in four bytes and its bytes |
//! | `GET /v1/transactions/{id}` | where a transaction stands; `?wait=SECONDS` waits until it is final or dropped |
//! | `GET /v1/blocks/{height}` | header, transactions with outcomes, leaves, events |
//! | `GET /v1/headers/{height}` | a header; `latest` |
//! | `GET /v1/certificates/{height}` | the first certified header from there on; `latest` |
//! | `GET /v1/proofs/leaf/{index}` | the proof file of a leaf; `?under=first`, `latest` |
//! | `GET /v1/proofs/path/{namespace}/{path}` | the proof file of the latest leaf under a path |
//! | `GET /v1/state/{key}` | the bytes under a key of the state |
//! | `GET /v1/clients/{id}`, `GET /v1/clients/{id}/states` | a light client; the states it trusts |
//! | `GET /v1/packets/{client}/{sequence}` | the three slots of a packet |
//! | `GET /v1/accounts/{id}` | an account |
//! | `GET /v1/registry/{kind}/{name}` | a digest in force |
//! | `GET /v1/events` | what happened, block by block: `?from=HEIGHT&limit=BLOCKS` |
//! | `GET /v1/stream/blocks` | the same as it happens, as server-sent events; resumes by `Last-Event-ID` |
//! | `GET /metrics`, `/healthz`, `/readyz`, `/openapi.json` | for those who operate it |
//!
//! Errors are `application/problem+json` with the code of [`zeugma_types::refusal`] where a rule of ours broke.
//! The document `/openapi.json` and the table of routes are compared by a test.

mod admission;
mod chain;
mod config;
mod follow;
pub mod grpc;
mod ledger;
mod listen;
mod problem;
mod request;
mod routes;
#[cfg(test)]
mod tests;
mod transactions;
mod view;
mod words;

pub use config::{ApiConfig, MAX_WAIT, Reads, TokenDigest};

use crate::handle::NodeHandle;
use grpc::GrpcConfig;
use listen::Limited;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use zeugma_ledger::Families;

/// How long open requests may go on after the API was told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Threads that serve the API when it has a runtime of its own: the work is waiting and encoding.
const THREADS: usize = 2;

/// Why the API is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A relation between settings does not hold.
    #[error("the settings of the api: {0}")]
    Config(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; set {setting} to a free address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
        /// Why not.
        error: std::io::Error,
    },
    /// The operating system refused a thread or a socket.
    #[error("the api stopped: {0}")]
    Io(#[from] std::io::Error),
    /// The thread that served it ended by a fault of ours.
    #[error("the api stopped by a fault in it")]
    Fault,
}

/// What every handler has.
#[derive(Clone)]
struct Api(Arc<Inner>);

struct Inner {
    node: NodeHandle,
    families: Families<'static>,
    config: ApiConfig,
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
    /// Answers by the first digit of their status.
    answers: [AtomicU64; 6],
}

impl std::ops::Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Binds the configured address, so that a wrong one is told before anything runs. That of gRPC is bound by
/// [`serve()`]; here it is only tried.
///
/// # Errors
/// [`Error::Config`], [`Error::Listen`], [`Error::Io`].
pub fn listen(config: &ApiConfig) -> Result<std::net::TcpListener, Error> {
    config.check().map_err(Error::Config)?;
    let listener = bind(config.listen, "api.listen")?;
    if let Some(grpc) = config.grpc {
        bind_grpc(grpc)?;
    }
    Ok(listener)
}

/// Lets a request's span go on the trace that its headers name: of REST, and of gRPC as metadata.
fn trace_on(span: &tracing::Span, headers: &axum::http::HeaderMap) {
    if let Some(Ok(named)) = headers.get(zeugma_telemetry::TRACEPARENT).map(|header| header.to_str()) {
        zeugma_telemetry::follow(span, named);
    }
}

fn bind(address: SocketAddr, setting: &'static str) -> Result<std::net::TcpListener, Error> {
    let failed = |error| Error::Listen { address, setting, error };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn bind_grpc(grpc: GrpcConfig) -> Result<std::net::TcpListener, Error> {
    bind(grpc.listen, "api.grpc.listen")
}

/// Serves the API, gRPC too if that is configured, on the runtime of the caller, which must be tokio's with its timers and sockets (that of
/// [`crate::run()`] is), until `shutdown` is ready. The listener is that of [`listen()`].
///
/// # Errors
/// [`Error::Config`], [`Error::Listen`] for the address of gRPC, [`Error::Io`].
pub async fn serve(
    listener: std::net::TcpListener,
    config: ApiConfig,
    node: NodeHandle,
    families: Families<'static>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    config.check().map_err(Error::Config)?;
    let grpc = config.grpc.map(bind_grpc).transpose()?;
    serve_at(listener, grpc, config, node, families, shutdown).await
}

async fn serve_at(
    listener: std::net::TcpListener,
    grpc: Option<std::net::TcpListener>,
    config: ApiConfig,
    node: NodeHandle,
    families: Families<'static>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let listener = Limited::new(tokio::net::TcpListener::from_std(listener)?, config.connections);
    let grpc = match (grpc, config.grpc) {
        (Some(listener), Some(GrpcConfig { listen, connections })) => {
            Some((Limited::new(tokio::net::TcpListener::from_std(listener)?, connections), listen))
        }
        _ => None,
    };
    let (close, closing) = watch::channel(false);
    let api = Api(Arc::new(Inner {
        node,
        families,
        requests: Arc::new(Semaphore::new(config.requests)),
        streams: Arc::new(Semaphore::new(config.streams)),
        config,
        closing: closing.clone(),
        answers: Default::default(),
    }));
    let told = async move {
        shutdown.await;
        close.send_replace(true);
    };
    let late = async move {
        closed(closing).await;
        tokio::time::sleep(GRACE).await;
    };
    let rest = axum::serve(listener, routes::router(api.clone())).with_graceful_shutdown(told);
    let grpc = async {
        match grpc {
            Some((listener, door)) => grpc::serve(listener, door, api).await,
            None => Ok(()),
        }
    };
    let serving = async { tokio::try_join!(rest, grpc) };
    tokio::select! {
        ended = serving => {
            ended?;
        }
        () = late => tracing::warn!("requests were cut off: the api is told to stop"),
    }
    Ok(())
}

/// Ready once the API is told to stop.
async fn closed(mut closing: watch::Receiver<bool>) {
    // Its sender lives as long as the API is served; if it is gone, so is the API.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// The API on a thread of its own. Stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    grpc: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<Result<(), Error>>>,
}

impl Server {
    /// Listens, and serves from now on. The node may run on any runtime.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Listen`], [`Error::Io`].
    pub fn start(config: ApiConfig, node: NodeHandle, families: Families<'static>) -> Result<Self, Error> {
        config.check().map_err(Error::Config)?;
        let listener = bind(config.listen, "api.listen")?;
        let grpc_listener = config.grpc.map(bind_grpc).transpose()?;
        let address = listener.local_addr()?;
        let grpc = grpc_listener.as_ref().map(std::net::TcpListener::local_addr).transpose()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("zeugma-api")
            .enable_all()
            .build()?;
        let (stop, mut stopped) = watch::channel(false);
        let shutdown = async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let thread = std::thread::Builder::new().name("zeugma-api".into()).spawn(move || {
            runtime.block_on(serve_at(listener, grpc_listener, config, node, families, shutdown))
        })?;
        tracing::info!(%address, ?grpc, "the api is served");
        Ok(Self { address, grpc, stop, thread: Some(thread) })
    }

    /// The address it listens on, with the port that was chosen.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of gRPC, where that is served.
    #[must_use]
    pub const fn grpc_address(&self) -> Option<SocketAddr> {
        self.grpc
    }

    /// Stops, after the requests that are under way.
    ///
    /// # Errors
    /// Why it had stopped before.
    pub fn stop(mut self) -> Result<(), Error> {
        self.stop.send_replace(true);
        let thread = self.thread.take().expect("only this function takes it, and it takes the server");
        thread.join().map_err(|_| Error::Fault)?
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
