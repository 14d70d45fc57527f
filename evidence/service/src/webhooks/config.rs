//! How webhooks are called.

use super::address::{Guard, Network};
use crate::config::ConfigError;
use serde::Deserialize;
use std::path::PathBuf;

/// How webhooks are called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksConfig {
    /// Most webhooks of one tenant; 0: nobody registers any.
    pub per_tenant: usize,
    /// Calls at one time.
    pub calls: usize,
    /// Calls of one tenant at one time.
    pub calls_of_tenant: usize,
    /// How long a call may take, in seconds.
    pub timeout_seconds: u64,
    /// The longest rest after failures, in seconds; the first is one second, and each doubles it.
    pub rest_seconds: u64,
    /// After how long without a success a webhook is disabled, in seconds.
    pub disable_seconds: u64,
    /// Networks that may be called though they are not of the public internet, as `ADDRESS/BITS`.
    pub allow: Vec<String>,
    /// Whether plain HTTP may be called too.
    pub plain_http: bool,
    /// File with the X.509 certificates under which a receiver's name is believed, in PEM; without it the system's.
    pub ca: Option<PathBuf>,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            per_tenant: 8,
            calls: 16,
            calls_of_tenant: 2,
            timeout_seconds: 10,
            rest_seconds: 3_600,
            disable_seconds: 5 * 86_400,
            allow: Vec::new(),
            plain_http: false,
            ca: None,
        }
    }
}

impl WebhooksConfig {
    /// What may be called.
    ///
    /// # Errors
    /// In words, for what is no network.
    pub(super) fn guard(&self) -> Result<Guard, String> {
        let allowed = self.allow.iter().map(|text| text.parse::<Network>()).collect::<Result<_, _>>()?;
        Ok(Guard { allowed, plain: self.plain_http })
    }
}

/// Checks the relations.
///
/// # Errors
/// [`ConfigError`] with the key and both values.
pub(crate) fn check(config: &WebhooksConfig) -> Result<(), ConfigError> {
    let relation = |key: &str, rule: String| ConfigError::Relation { key: key.to_owned(), rule };
    for (key, bounds, found) in [
        ("webhooks.per_tenant", 0..=1_024, config.per_tenant as u64),
        ("webhooks.calls", 1..=256, config.calls as u64),
        ("webhooks.calls_of_tenant", 1..=256, config.calls_of_tenant as u64),
        ("webhooks.timeout_seconds", 1..=60, config.timeout_seconds),
        ("webhooks.rest_seconds", 1..=86_400, config.rest_seconds),
        ("webhooks.disable_seconds", 1..=365 * 86_400, config.disable_seconds),
    ] {
        if !bounds.contains(&found) {
            let rule = format!("{} to {} are asked, found {found}", bounds.start(), bounds.end());
            return Err(relation(key, rule));
        }
    }
    config.guard().map(drop).map_err(|rule| relation("webhooks.allow", rule))
}
