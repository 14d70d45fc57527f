//! The evidence service on one machine: takes digests, answers when they are durable, publishes a log that anyone reads,
//! anchors it on a relay chain, and gives bundles that anyone verifies.
//!
//! | module | what |
//! |---|---|
//! | [`store`] | the log on disk |
//! | [`desk`] | deposits, receipts, standing, bundles |
//! | [`access`], [`audit`] | who may do what, and who did |
//! | [`run`](mod@run) | all of it as one service, with its API |
//! | [`witness`] | cosigning the logs of others, as a server of its own |
//!
//! It is a hand: what it says is signed, and what it shows is proved to whoever verifies the bundle.
#![forbid(unsafe_code)]

pub mod access;
mod anchors;
mod api;
pub mod audit;
mod calling;
mod chain;
pub mod config;
mod connections;
pub mod desk;
mod files;
mod health;
pub mod judging;
pub mod keys;
mod metrics;
mod quarantine;
mod quota;
mod receipts;
pub mod run;
mod serve;
mod stamping;
pub mod store;
pub mod tls;
mod webhooks;
pub mod witness;
mod witnessing;

pub use api::grpc;
pub use api::verifying::shown as report_json;
pub use config::{AuthorityConfig, Config, PackConfig};
pub use run::{Chain, RunError, Started, run, run_with};
pub use webhooks::WebhooksConfig;
pub use witnessing::{CosignerConfig, WitnessingConfig};
