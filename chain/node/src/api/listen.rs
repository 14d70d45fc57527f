//! A bounded number of connections, each of which ends when nothing moves on it.

use axum::serve::Listener;
use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// A connection on which nothing was read or written for this long ends. Longer than the longest wait, and than
/// the pause between two signs of life of a stream.
const IDLE: Duration = Duration::from_secs(75);

/// A listener that accepts while fewer than so many connections are open.
pub(super) struct Limited {
    inner: TcpListener,
    permits: Arc<Semaphore>,
}

impl Limited {
    pub(super) fn new(inner: TcpListener, connections: usize) -> Self {
        Self { inner, permits: Arc::new(Semaphore::new(connections)) }
    }
}

impl Listener for Limited {
    type Io = Held;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Held, SocketAddr) {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let (io, address) = Listener::accept(&mut self.inner).await;
        // Without it a small answer may wait for the acknowledgement of the one before.
        let _ = io.set_nodelay(true);
        (Held { io, idle: Box::pin(tokio::time::sleep(IDLE)), _permit: permit }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// One connection.
pub(super) struct Held {
    io: TcpStream,
    idle: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    fn moved(&mut self) {
        self.idle.as_mut().reset(Instant::now() + IDLE);
    }

    fn or_idle<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.moved();
            return polled;
        }
        ready!(self.idle.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Held {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let held = self.get_mut();
        let polled = Pin::new(&mut held.io).poll_read(cx, into);
        held.or_idle(cx, polled)
    }
}

impl AsyncWrite for Held {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let held = self.get_mut();
        let polled = Pin::new(&mut held.io).poll_write(cx, bytes);
        held.or_idle(cx, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let held = self.get_mut();
        let polled = Pin::new(&mut held.io).poll_write_vectored(cx, bytes);
        held.or_idle(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

impl tonic::transport::server::Connected for Held {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}
