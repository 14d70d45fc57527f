//! Who may ask, and how many at one time: the same at every door of the API.

use super::Inner;
use super::problem::Problem;
use super::request::token;
use axum::http::HeaderMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone who reaches the address: says nothing of the chain.
    Anyone,
    /// Readers, as configured.
    Reader,
    /// Who shows a token.
    Writer,
}

/// The places that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// Of [`super::ApiConfig::requests`].
    Requests,
    /// Of [`super::ApiConfig::streams`].
    Streams,
}

/// The place that a request holds. A stream keeps it until it ends.
pub(super) type Seat = Arc<OwnedSemaphorePermit>;

impl Inner {
    /// Whether who sent `headers` to the address `door` may ask.
    pub(super) fn allow(&self, door: SocketAddr, access: Access, headers: &HeaderMap) -> Result<(), Problem> {
        let asked = match access {
            Access::Anyone => false,
            Access::Reader => self.config.reads_need_token_at(door),
            Access::Writer => true,
        };
        if asked && !token(headers).is_some_and(|token| self.config.accepts(token)) {
            return Err(Problem::unauthorized());
        }
        Ok(())
    }

    /// Takes a place.
    pub(super) fn seat(&self, places: Places) -> Result<Seat, Problem> {
        let (seats, name) = match places {
            Places::Requests => (&self.requests, "this node's places for requests"),
            Places::Streams => (&self.streams, "this node's places for streams and waits"),
        };
        Arc::clone(seats).try_acquire_owned().map(Arc::new).map_err(|_| Problem::busy(name))
    }
}
