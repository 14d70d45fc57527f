//! The witness as a server.
//!
//! | route | answer |
//! |---|---|
//! | `POST /add-checkpoint` | C2SP `tlog-witness`: 200 with the cosignatures, 400, 403, 404, 409, 422 |
//! | `GET /metrics`, `/healthz` | for those who operate it |
//!
//! Nobody is asked who he is, unless `client_required` asks for an X.509 certificate: a checkpoint speaks by its log's
//! signature. What is wrong with a request stands in the answer in words. Connections are bounded in number and time as those
//! of the service are ([`crate::serve`]), and speak TLS by the same keys of the configuration.

use super::metrics::Metrics;
use super::{Home, Machine, NotCosigned, Witness, WitnessConfig, WitnessKeys};
use crate::config::ConfigError;
use crate::connections::Connections;
use crate::desk::now;
use crate::keys::KeysError;
use crate::run::{GRACE, HANDSHAKE};
use crate::serve::Limits;
use crate::store::RealDisk;
use crate::tls::{Tls, TlsError};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use zeugma_evidence_log::witness::{Declined, MAX_REQUEST, SIZE_TYPE};
use zeugma_types::{Code, Refusal};

const TEXT: &str = "text/plain; charset=utf-8";

/// Why a witness does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Its state.
    #[error("the witness's state: {0}")]
    State(Refusal),
    /// Another process signs.
    #[error("{}: another process holds it; one witness is one process", .0.display())]
    Held(PathBuf),
    /// Its TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A file or a port.
    #[error("{what}: {why}")]
    System {
        /// Which.
        what: String,
        /// Why.
        why: io::Error,
    },
}

fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> ServeError {
    let what = what.into();
    move |why| ServeError::System { what, why }
}

/// What was started.
#[derive(Clone, Debug)]
pub struct StartedWitness {
    /// Where it listens.
    pub address: std::net::SocketAddr,
    /// The same as a URL.
    pub url: String,
    /// The public keys, as text.
    pub keys: [String; 2],
    /// How many logs it follows.
    pub logs: usize,
}

impl WitnessConfig {
    /// Where the witness of this configuration lives, on this machine.
    ///
    /// # Errors
    /// When the system does not tell its start.
    pub fn home(&self) -> io::Result<Home> {
        let folder = self.witness.folder.clone();
        Ok(Home { disk: Arc::new(RealDisk), folder, machine: Machine::this()? })
    }

    /// The file with its keys.
    #[must_use]
    pub fn keys_file(&self) -> PathBuf {
        self.witness.folder.join("keys.json")
    }

    /// Reads its keys.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn keys(&self) -> Result<WitnessKeys, KeysError> {
        WitnessKeys::read(&self.keys_file(), &self.witness.name)
    }

    /// Holds the folder, so that no other process signs, until what is returned is dropped.
    ///
    /// # Errors
    /// [`ServeError::Held`], [`ServeError::System`].
    pub fn hold(&self) -> Result<File, ServeError> {
        let path = self.witness.folder.join("lock");
        let file = File::create(&path).map_err(system(path.display().to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(ServeError::Held(path)),
            Err(std::fs::TryLockError::Error(why)) => Err(system(path.display().to_string())(why)),
        }
    }
}

#[derive(Clone)]
struct Served {
    witness: Arc<Witness>,
    metrics: Arc<Metrics>,
    connections: Arc<Connections>,
    places: Arc<Semaphore>,
    longest: Duration,
}

/// Serves until `stop` says so. `started` is told once it listens.
///
/// # Errors
/// [`ServeError`] when it cannot start.
pub async fn serve(
    config: WitnessConfig,
    mut stop: watch::Receiver<bool>,
    started: impl FnOnce(&StartedWitness),
) -> Result<(), ServeError> {
    let keys = config.keys()?;
    let held = config.hold()?;
    let home = config.home().map_err(system("the start of this machine"))?;
    let followed = config.followed()?;
    let logs = followed.len();
    let reboots = config.witness.reboots;
    let witness = Witness::open(home, keys, followed, reboots).map_err(ServeError::State)?;
    let own = &config.witness;
    let tls = own.tls.as_ref().map(Tls::open).transpose()?;
    let listen = own.listen;
    let listener = TcpListener::bind(listen).await.map_err(system(listen.to_string()))?;
    let address = listener.local_addr().map_err(system("the listener"))?;
    let keys = witness.keys().public().map(|key| key.to_text());
    let url = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
    started(&StartedWitness { address, url, keys, logs });

    let connections = Arc::<Connections>::default();
    let served = Served {
        witness: Arc::new(witness),
        metrics: Arc::default(),
        connections: Arc::clone(&connections),
        places: Arc::new(Semaphore::new(own.requests)),
        longest: Duration::from_secs(own.request_seconds),
    };
    let router = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(from_fn_with_state(served.clone(), timely))
        .with_state(served);
    let following = tls.clone().map(|tls| tokio::spawn(tls.follow(Arc::clone(&connections), stop.clone())));
    let limits = Limits {
        connections: own.connections,
        handshake: HANDSHAKE,
        idle: Duration::from_secs(own.idle_seconds),
        grace: GRACE,
    };
    let ended = async move {
        // A sender that is gone asks for the end as well.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    crate::serve::serve(listener, router, tls, limits, connections, ended).await;
    drop(held);
    if let Some(following) = following {
        // It ends by the same signal; if it panicked, it has told so.
        let _ = following.await;
    }
    Ok(())
}

/// A request has its time, its body included.
async fn timely(State(served): State<Served>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(served.longest, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        served.metrics.answered(StatusCode::REQUEST_TIMEOUT.as_u16());
        let longest = format!("{} s", served.longest.as_secs());
        refused(StatusCode::REQUEST_TIMEOUT, &Refusal::new(Code::RequestTooSlow).needed(longest))
    })
}

async fn add_checkpoint(State(served): State<Served>, body: Bytes) -> Response {
    let Ok(place) = Arc::clone(&served.places).try_acquire_owned() else {
        served.metrics.answered(StatusCode::TOO_MANY_REQUESTS.as_u16());
        return ([(header::RETRY_AFTER, "1")], StatusCode::TOO_MANY_REQUESTS).into_response();
    };
    let witness = Arc::clone(&served.witness);
    let done = tokio::task::spawn_blocking(move || {
        let answer = witness.add_checkpoint(&body, now().whole_seconds());
        drop(place);
        answer
    });
    let response = match done.await {
        Ok(Ok(lines)) => ([(header::CONTENT_TYPE, TEXT)], lines).into_response(),
        Ok(Err(NotCosigned::Declined(Declined::Stale { known }))) => {
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, SIZE_TYPE)], format!("{known}\n")).into_response()
        }
        Ok(Err(NotCosigned::Declined(declined))) => {
            let status = StatusCode::from_u16(declined.status()).unwrap_or(StatusCode::BAD_REQUEST);
            refused(status, &declined.refusal())
        }
        Ok(Err(NotCosigned::Unable(refusal))) => {
            tracing::error!(%refusal, "nothing is cosigned");
            refused(StatusCode::SERVICE_UNAVAILABLE, &refusal)
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    served.metrics.answered(response.status().as_u16());
    response
}

fn refused(status: StatusCode, refusal: &Refusal) -> Response {
    let code = refusal.code;
    let text = format!("{} {}: {refusal}\n", code.number(), code.name());
    (status, [(header::CONTENT_TYPE, TEXT)], text).into_response()
}

async fn metrics(State(served): State<Served>) -> Response {
    let text = served.metrics.text(&served.witness, &served.connections);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
