//! Connections: taken in a bounded number, spoken TLS with where that is configured, and given up when nothing moves.
//!
//! 1. A connection takes a place; while none is free, further ones wait to be accepted.
//! 2. With TLS, its first byte shows whether it speaks it. Who speaks plain HTTP is told so in plain HTTP, and the
//!    connection is closed. The handshake has its own time.
//! 3. The X.509 certificate that a client showed goes with each of its requests, as the head [`SHOWN`]; one of that name
//!    that a client sent is taken away, so it is the word of the connection.
//! 4. A request's head has [`Limits::idle`] to arrive, and so has the next request after an answer. A connection on which
//!    nothing was read or written for that long is closed, so who reads an answer slowly holds nothing for ever.
//! 5. When the service is told to stop, no new connection is taken, and those there finish what they are at.
//!
//! HTTP/1.1 and HTTP/2 are spoken on the one address, so REST and gRPC share places, TLS and time.

use crate::connections::Connections;
use crate::tls::Tls;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tower::ServiceExt as _;
use zeugma_crypto::hash::sha256;

/// First byte of a TLS record that begins a handshake (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// What a client is told that speaks plain HTTP where TLS is spoken.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 40\r\n\r\nthis address speaks TLS: ask by https://";
/// Most streams at one time on one connection of HTTP/2.
const MAX_STREAMS: u32 = 128;
/// Most bytes of the heads of one request over HTTP/2.
const MAX_HEADS: u32 = 16 * 1024;
/// Most bytes of the head of one request over HTTP/1.1; also what is read ahead.
const MAX_HEAD: usize = 16 * 1024;
/// The other side of a connection of HTTP/2 is asked for a sign of life this often, and has this long to give it.
const ALIVE: Duration = Duration::from_secs(15);
/// Before accepting is tried again, when the system had no room for another connection.
const REST: Duration = Duration::from_millis(200);

/// The head with the SHA-256, in hex, of the X.509 certificate in DER that the client of the connection showed.
pub(crate) const SHOWN: HeaderName = HeaderName::from_static("zeugma-client-x509");

/// How many connections, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections at one time.
    pub(crate) connections: usize,
    /// From the connection to the end of the handshake.
    pub(crate) handshake: Duration,
    /// For the head of a request, and for anything to move.
    pub(crate) idle: Duration,
    /// How long open requests may go on after the end was asked for.
    pub(crate) grace: Duration,
}

struct Served {
    router: Router,
    tls: Option<Tls>,
    limits: Limits,
    connections: Arc<Connections>,
    builder: Builder<TokioExecutor>,
}

/// Serves until `stop` is ready, and then until open requests are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    limits: Limits,
    connections: Arc<Connections>,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.idle).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADS);
    let served = Arc::new(Served { router, tls, limits, connections, builder });
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepting = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("the places are never closed");
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(REST).await;
                continue;
            }
        };
        // Without it a small answer may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let (served, watcher) = (Arc::clone(&served), graceful.watcher());
        tokio::spawn(async move {
            served.connections.changed(1);
            // On its own heap: a handshake is larger than what is left of it.
            Box::pin(connection(&served, stream, watcher)).await;
            served.connections.changed(-1);
            drop(place);
        });
    }
    drop(listener);
    if timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were cut off: the service is told to stop");
    }
}

async fn connection(served: &Arc<Served>, stream: TcpStream, watcher: Watcher) {
    let Some(tls) = &served.tls else {
        return speak(served, stream, None, watcher).await;
    };
    let begun = timeout(served.limits.handshake, Box::pin(handshake(tls, stream))).await;
    match begun {
        Ok(Ok((stream, shown))) => speak(served, stream, shown, watcher).await,
        Ok(Err(error)) => {
            served.connections.handshake_failed();
            tracing::debug!(%error, "a handshake failed");
        }
        Err(_) => {
            served.connections.handshake_failed();
            tracing::debug!("a handshake took too long");
        }
    }
}

async fn handshake(
    tls: &Tls,
    mut stream: TcpStream,
) -> io::Result<(tokio_rustls::server::TlsStream<TcpStream>, Option<HeaderValue>)> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE_RECORD {
        stream.write_all(SPEAK_TLS).await?;
        stream.shutdown().await?;
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"));
    }
    let stream = tls.acceptor().accept(stream).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let shown = shown.map(|certificate| hex::encode(sha256(&[certificate])));
    let shown = shown.map(|digest| HeaderValue::try_from(digest).expect("hex is the text of a head"));
    Ok((stream, shown))
}

async fn speak(
    served: &Arc<Served>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shown: Option<HeaderValue>,
    watcher: Watcher,
) {
    let service = served.router.clone().map_request(move |mut request: Request<_>| {
        match &shown {
            Some(shown) => request.headers_mut().insert(SHOWN, shown.clone()),
            None => request.headers_mut().remove(SHOWN),
        };
        request
    });
    let stream = TokioIo::new(Moving::new(stream, served.limits.idle));
    let connection = served.builder.serve_connection(stream, TowerToHyperService::new(service));
    // Who goes away in the middle of a request is no failure of the service.
    let _ = watcher.watch(connection.into_owned()).await;
}

/// A connection that ends when nothing moves on it.
struct Moving<Io> {
    io: Io,
    idle: Duration,
    still: Pin<Box<Sleep>>,
}

impl<Io> Moving<Io> {
    fn new(io: Io, idle: Duration) -> Self {
        Self { io, idle, still: Box::pin(sleep(idle)) }
    }

    fn or_still<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            let next = Instant::now() + self.idle;
            self.still.as_mut().reset(next);
            return polled;
        }
        ready!(self.still.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Moving<Io> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_read(cx, into);
        this.or_still(cx, polled)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Moving<Io> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.or_still(cx, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_flush(cx);
        this.or_still(cx, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_shutdown(cx);
        this.or_still(cx, polled)
    }
}
