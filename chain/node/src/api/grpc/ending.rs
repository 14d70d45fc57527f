//! The body of a stream: it holds its place, and ends with a status when the API closes.

use super::super::admission::Seat;
use super::super::closed;
use super::status::leaving;
use axum::body::{Body, Bytes};
use futures::future::BoxFuture;
use http_body::{Body as HttpBody, Frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;

/// See the module.
pub(super) struct Ending {
    /// None once the stream was ended.
    inner: Option<Body>,
    closing: BoxFuture<'static, ()>,
    /// Given back when the stream ends, or when who reads it goes away.
    _seat: Seat,
}

impl Ending {
    pub(super) fn new(inner: Body, closing: watch::Receiver<bool>, seat: Seat) -> Self {
        Self { inner: Some(inner), closing: Box::pin(closed(closing)), _seat: seat }
    }
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(inner).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(self.closing.as_mut().poll(cx));
        self.inner = None;
        let trailers = leaving().into_http::<()>().into_parts().0.headers;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }
}
