//! What a relayer asks CometBFT nodes, and how far it believes them: not at all.
//!
//! Guaranteed: nothing that an endpoint says is used before the adapter's predicates verified it from a trusted
//! state. An endpoint that lies or fails costs time: it rests ([`Breaker`]), another one is asked, and the
//! disagreement is counted. Every answer is bounded before it is read.
//!
//! | module | what |
//! |---|---|
//! | [`Transport`], [`Http`] | one call of JSON-RPC over plain HTTP |
//! | [`json`] | the answers, read strictly into the adapter's types |
//! | [`Endpoint`] | one node: status, commits, validators of all pages, store proofs |
//! | [`Breaker`] | when a node that failed is asked again |
//! | [`Followed`] | a light client: skipping, then halving where trust is too thin |
//! | [`Endpoints`] | several nodes of one chain: fail-over, comparison, evidence |
//!
//! Source: CometBFT `rpc/openapi/openapi.yaml`, `spec/light-client/verification` [LCV-FUNC-MAIN.2], `spec/light-client/detection`
//! [LCD-FUNC-DETECTOR.2].
#![forbid(unsafe_code)]

mod breaker;
mod detect;
mod endpoint;
mod endpoints;
mod error;
mod followed;
mod http;
pub mod json;

pub use breaker::{Breaker, Jitter};
pub use detect::Finding;
pub use endpoint::{Endpoint, LightBlock, NodeStatus, Source, StoreAnswer, StoreKey};
pub use endpoints::{Comparison, Endpoints, Wary};
pub use error::Error;
pub use followed::{Followed, MAX_STEPS};
pub use http::{Http, MAX_ANSWER, Transport};
