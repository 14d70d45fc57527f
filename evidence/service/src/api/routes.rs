//! The one table of routes. The document `openapi.json` describes each, and a test asks each.

use super::cors::for_everyone;
use super::problem::around;
use super::{
    Api, audit, deposits, entries, grpc, operate, plain, quarantine, search, tenants, tiles, verifying,
    webhooks,
};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post};
use zeugma_types::Refusal;

/// The document of all routes, OpenAPI 3.1.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// Who reaches a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everyone, from any web page.
    Everyone,
    /// Whoever reaches the address.
    Here,
    /// A tenant, who shows who it is.
    Tenant,
}

/// One route.
pub(super) struct Route {
    #[cfg_attr(not(test), expect(dead_code, reason = "the document is compared with it"))]
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) reach: Reach,
    handler: MethodRouter<Api>,
}

const DEPOSITS: &str = "/v1/deposits";
const ENTRY: &str = "/v1/entries/{shard}/{index}";
const RECEIPT: &str = "/v1/entries/{shard}/{index}/receipt";
const HISTORY: &str = "/v1/entries/{shard}/{index}/history";
const VERIFY: &str = "/v1/verify";
const PROOF: &str = "/v1/entries/{shard}/{index}/proof";
const BUNDLE: &str = "/v1/entries/{shard}/{index}/bundle";

/// Every route.
pub(super) fn table() -> Vec<Route> {
    use Reach::{Everyone, Here, Tenant};
    let row = |method, path, reach, handler| Route { method, path, reach, handler };
    vec![
        row("post", DEPOSITS, Tenant, post(deposits::deposit)),
        row("get", ENTRY, Tenant, get(entries::standing)),
        row("delete", ENTRY, Tenant, delete(entries::erase)),
        row("get", RECEIPT, Tenant, get(entries::receipt)),
        row("get", BUNDLE, Tenant, get(entries::bundle)),
        row("get", PROOF, Tenant, get(entries::proof)),
        row("get", HISTORY, Tenant, get(search::history)),
        row("get", "/v1/search", Tenant, get(search::search)),
        row("get", "/v1/quarantine", Tenant, get(quarantine::list)),
        row("get", "/v1/quarantine/{case}", Tenant, get(quarantine::case)),
        row("post", "/v1/quarantine/{case}/release", Tenant, post(quarantine::release)),
        row("post", "/v1/quarantine/{case}/reject", Tenant, post(quarantine::reject)),
        row("get", "/v1/tenants", Tenant, get(tenants::tenants)),
        row("get", "/v1/tokens", Tenant, get(tenants::tokens)),
        row("delete", "/v1/tokens/{id}", Tenant, delete(tenants::revoke)),
        row("get", "/v1/audit", Tenant, get(audit::acts)),
        row("get", "/v1/audit/{shard}/{index}/bundle", Tenant, get(audit::bundle)),
        row("get", "/v1/audit/policy", Everyone, get(audit::policy)),
        row("post", "/v1/backups", Tenant, post(operate::backup)),
        row("post", "/v1/shards", Tenant, post(operate::roll)),
        row("post", VERIFY, Tenant, post(verifying::by_bundle)),
        row("get", VERIFY, Tenant, get(verifying::by_digest)),
        row("post", "/v1/verify/file", Tenant, post(verifying::by_file)),
        row("post", "/v1/webhooks", Tenant, post(webhooks::register)),
        row("get", "/v1/webhooks", Tenant, get(webhooks::list)),
        row("get", "/v1/webhooks/{id}", Tenant, get(webhooks::one)),
        row("delete", "/v1/webhooks/{id}", Tenant, delete(webhooks::remove)),
        row("post", "/v1/webhooks/{id}/enable", Tenant, post(webhooks::enable)),
        row("get", "/v1/webhooks/{id}/attempts", Tenant, get(webhooks::attempts)),
        row("get", "/v1/webhooks/key", Everyone, get(webhooks::key)),
        row("get", "/v1/policy", Everyone, get(plain::policy)),
        row("get", "/v1/status", Everyone, get(plain::status)),
        row("get", "/log/{shard}/{*path}", Everyone, get(tiles::file)),
        row("get", "/audit/{shard}/{*path}", Everyone, get(tiles::audit_file)),
        row("get", "/openapi.json", Everyone, get(plain::openapi)),
        row("get", "/metrics", Here, get(plain::metrics)),
        row("get", "/healthz", Here, get(plain::alive)),
        row("get", "/readyz", Here, get(plain::ready)),
    ]
}

/// The routes as they are served, those of gRPC beside them.
///
/// # Errors
/// As [`grpc::router`].
pub(crate) fn router(api: Api) -> Result<Router, Refusal> {
    let mut router = Router::new();
    for Route { path, reach, handler, .. } in table() {
        let handler = match reach {
            Reach::Everyone => handler.layer(from_fn(for_everyone)),
            Reach::Here | Reach::Tenant => handler,
        };
        router = router.route(path, handler);
    }
    let rest = router
        // Named, for of two routers that have none it would be the other's that is kept.
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::max(api.body_bytes))
        .layer(from_fn_with_state(api.clone(), around))
        .with_state(api.clone());
    Ok(rest.merge(grpc::router(api)?))
}
