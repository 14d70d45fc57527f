//! The gate before each method: access first, then a place, then time. The body is read after that.

use super::super::admission::{Access, Places, Seat};
use super::super::problem::Problem;
use super::super::{Api, MAX_WAIT};
use super::ending::Ending;
use super::status::status;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::net::SocketAddr;
use tokio::time::timeout;
use tracing::Instrument as _;

/// The gate of one address.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) api: Api,
    pub(super) door: SocketAddr,
}

/// How long an answer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// It is made at once.
    Short,
    /// It waits, if the message asks for that.
    Wait,
    /// It goes on.
    Stream,
}

/// The rule of a method. One that is not named here is for readers and short.
fn rule(method: &str) -> (Access, Length) {
    match method {
        "/zeugma.node.v1.Node/Submit" => (Access::Writer, Length::Short),
        "/zeugma.node.v1.Node/GetTransaction" => (Access::Reader, Length::Wait),
        "/zeugma.node.v1.Node/StreamBlocks"
        | "/grpc.health.v1.Health/Watch"
        | "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" => (Access::Reader, Length::Stream),
        "/grpc.health.v1.Health/Check" => (Access::Anyone, Length::Short),
        _ => (Access::Reader, Length::Short),
    }
}

pub(super) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    gate.answer(request, next).await.unwrap_or_else(|problem| status(problem).into_http())
}

impl Gate {
    async fn answer(&self, mut request: Request, next: Next) -> Result<Response, Problem> {
        let (access, length) = rule(request.uri().path());
        self.api.allow(self.door, access, request.headers())?;
        let span = tracing::debug_span!("api.grpc", method = request.uri().path());
        super::super::trace_on(&span, request.headers());
        let time = self.api.config.request_time();
        match length {
            Length::Short => {
                let _seat = self.api.seat(Places::Requests)?;
                timeout(time, next.run(request).instrument(span)).await.map_err(|_| Problem::late())
            }
            Length::Wait => {
                // The method holds it, and takes another place when it waits.
                request.extensions_mut().insert::<Seat>(self.api.seat(Places::Requests)?);
                let time = time.saturating_add(MAX_WAIT);
                timeout(time, next.run(request).instrument(span)).await.map_err(|_| Problem::late())
            }
            Length::Stream => {
                let seat = self.api.seat(Places::Streams)?;
                // This is the time to its beginning.
                let response = timeout(time, next.run(request).instrument(span)).await;
                let closing = self.api.closing.clone();
                Ok(response
                    .map_err(|_| Problem::late())?
                    .map(|body| Body::new(Ending::new(body, closing, seat))))
            }
        }
    }
}
