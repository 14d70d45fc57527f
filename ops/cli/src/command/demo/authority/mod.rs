//! The demo's time authority (RFC 3161): OpenSSL where the machine has it, else one of our own. Its key was made a
//! moment ago and nobody vouches for it, so the demo's policy does not name it, and the report says so.

mod openssl;
mod own;

use super::{Stage, unexpected};
use crate::failure::Failure;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What makes the time-stamps.
#[derive(Debug)]
enum Stamper {
    Openssl(openssl::Openssl),
    Own(Box<own::Own>),
}

/// A running authority on loopback. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Authority {
    address: SocketAddr,
    anchor: PathBuf,
    made_by: &'static str,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Authority {
    /// Makes the keys in a folder of the demo's, and listens.
    ///
    /// # Errors
    /// When the folder cannot be written, or nothing can listen on loopback.
    pub(super) fn start(stage: &Stage<'_>) -> Result<Self, Failure> {
        let folder = stage.trash.join("authority");
        std::fs::create_dir(&folder).map_err(|why| Failure::unreadable(&folder, &why))?;
        let (stamper, made_by) = match openssl::Openssl::new(&folder) {
            Some(openssl) => (Stamper::Openssl(openssl), "OpenSSL"),
            None => {
                (Stamper::Own(Box::new(own::Own::new(&folder)?)), "the demo itself, for there is no OpenSSL")
            }
        };
        let anchor = folder.join("root");
        let failed = |why: std::io::Error| unexpected(&format!("the time authority did not start: {why}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let bound = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = bound.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, mut stopped) = watch::channel(false);
        let app = Router::new().route("/", post(answer)).with_state(Arc::new(stamper));
        let thread = std::thread::spawn(move || {
            let ended = async move { drop(stopped.wait_for(|stop| *stop).await) };
            // Whoever asks sees that it is away.
            drop(runtime.block_on(axum::serve(listener, app).with_graceful_shutdown(ended).into_future()));
        });
        Ok(Self { address, anchor, made_by, stop, thread: Some(thread) })
    }

    /// Where it is asked.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// File with the root's X.509 certificate.
    pub(super) fn anchor(&self) -> PathBuf {
        self.anchor.clone()
    }

    /// What made its key.
    pub(super) const fn made_by(&self) -> &'static str {
        self.made_by
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}

async fn answer(State(stamper): State<Arc<Stamper>>, query: Bytes) -> Response {
    let made = match &*stamper {
        Stamper::Openssl(openssl) => openssl.reply(&query),
        Stamper::Own(own) => own.reply(&query),
    };
    match made {
        Some(reply) => ([(header::CONTENT_TYPE, "application/timestamp-reply")], reply).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}
