//! The one table of routes, and the gate before each.

use super::admission::{Access, Places, Seat};
use super::problem::Problem;
use super::{Api, MAX_WAIT, chain, follow, ledger, transactions};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tracing::Instrument as _;

/// How long an answer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// It is made at once.
    Short,
    /// It waits, if the request asks for that.
    Wait,
    /// It goes on.
    Stream,
}

/// One route.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) access: Access,
    length: Length,
    handler: MethodRouter<Api>,
}

/// Every route.
pub(super) fn table() -> Vec<Route> {
    use Access::{Anyone, Reader, Writer};
    use Length::{Short, Stream, Wait};
    let read = |path, handler| Route { method: "get", path, access: Reader, length: Short, handler };
    let open = |path, handler| Route { method: "get", path, access: Anyone, length: Short, handler };
    vec![
        read("/v1/status", get(chain::status)),
        read("/v1/genesis", get(chain::genesis)),
        Route {
            method: "post",
            path: "/v1/transactions",
            access: Writer,
            length: Short,
            handler: post(transactions::submit),
        },
        Route {
            method: "post",
            path: "/v1/transactions/batch",
            access: Writer,
            length: Short,
            handler: post(transactions::submit_all),
        },
        Route { length: Wait, ..read("/v1/transactions/{id}", get(transactions::status)) },
        read("/v1/blocks/{height}", get(chain::block)),
        read("/v1/headers/{height}", get(chain::header)),
        read("/v1/certificates/{height}", get(chain::certificate)),
        read("/v1/proofs/leaf/{index}", get(chain::proof_by_index)),
        read("/v1/proofs/path/{namespace}/{path}", get(chain::proof_by_path)),
        read("/v1/state/{key}", get(ledger::state)),
        read("/v1/clients/{id}", get(ledger::client)),
        read("/v1/clients/{id}/states", get(ledger::client_states)),
        read("/v1/packets/{client}/{sequence}", get(ledger::packet)),
        read("/v1/accounts/{id}", get(ledger::account)),
        read("/v1/registry/{kind}/{name}", get(ledger::registry)),
        read("/v1/events", get(follow::events)),
        Route { length: Stream, ..read("/v1/stream/blocks", get(follow::blocks)) },
        read("/metrics", get(chain::metrics)),
        open("/healthz", get(chain::healthy)),
        open("/readyz", get(chain::ready)),
        open("/openapi.json", get(chain::openapi)),
    ]
}

#[derive(Clone)]
struct Gate {
    api: Api,
    method: &'static str,
    path: &'static str,
    access: Access,
    length: Length,
}

/// The routes as axum serves them.
pub(super) fn router(api: Api) -> Router {
    let mut router = Router::new();
    for route in table() {
        let gate = Gate {
            api: api.clone(),
            method: route.method,
            path: route.path,
            access: route.access,
            length: route.length,
        };
        router = router.route(route.path, route.handler.route_layer(from_fn_with_state(gate, pass)));
    }
    let counting = api.clone();
    router
        .fallback(async || Problem::Plain {
            status: axum::http::StatusCode::NOT_FOUND,
            name: "no-route",
            detail: "no such route; the routes are in /openapi.json".into(),
        })
        .method_not_allowed_fallback(async || Problem::Plain {
            status: axum::http::StatusCode::METHOD_NOT_ALLOWED,
            name: "method-not-allowed",
            detail: "the route has another method; see /openapi.json".into(),
        })
        .layer(from_fn(move |request: Request, next: Next| {
            let api = counting.clone();
            async move {
                let response = next.run(request).await;
                let class = usize::from(response.status().as_u16() / 100);
                if let Some(counter) = api.answers.get(class) {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                response
            }
        }))
        .with_state(api)
}

async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let seat = match gate.admit(&request) {
        Ok(seat) => seat,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(Arc::clone(&seat));
    let span = tracing::debug_span!("api.request", method = gate.method, path = gate.path);
    super::trace_on(&span, request.headers());
    let answered = tokio::time::timeout(gate.time(), next.run(request).instrument(span)).await;
    drop(seat);
    answered.unwrap_or_else(|_| Problem::late().into_response())
}

impl Gate {
    fn admit(&self, request: &Request) -> Result<Seat, Problem> {
        self.api.allow(self.api.config.listen, self.access, request.headers())?;
        let long = match self.length {
            Length::Short => false,
            Length::Wait => request.uri().query().is_some_and(|query| query.contains("wait=")),
            Length::Stream => true,
        };
        self.api.seat(if long { Places::Streams } else { Places::Requests })
    }

    fn time(&self) -> Duration {
        let request = self.api.config.request_time();
        match self.length {
            Length::Wait => request.saturating_add(MAX_WAIT),
            // Of a stream this is the time to its first byte.
            Length::Short | Length::Stream => request,
        }
    }
}
