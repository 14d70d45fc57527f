//! The configuration of a witness: one file of TOML, all relations checked at start.

use super::Followed;
use super::state::MAX_LOGS;
use crate::config::{ConfigError, TlsConfig};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use zeugma_evidence_log::VerifierKey;

/// The whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// The witness itself.
    pub witness: Own,
    /// The logs that it follows; of any other it knows nothing.
    #[serde(default)]
    pub log: Vec<LogConfig>,
}

/// The witness itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// The name under which it signs: a domain you hold, and a path.
    pub name: String,
    /// Keys, state and contradictions. On a disk of this machine, and in no backup.
    #[serde(default = "folder")]
    pub folder: PathBuf,
    /// Where it listens.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// What becomes of the state when the machine started anew.
    #[serde(default)]
    pub reboots: Reboots,
    /// Requests that are worked on at one time; more are told when to come back.
    #[serde(default = "requests")]
    pub requests: usize,
    /// How long a request may take, its body included, in seconds.
    #[serde(default = "request_seconds")]
    pub request_seconds: u64,
    /// Connections at one time; further ones wait to be accepted.
    #[serde(default = "connections")]
    pub connections: usize,
    /// How long a connection may stay on which nothing moves, in seconds.
    #[serde(default = "idle_seconds")]
    pub idle_seconds: u64,
    /// The X.509 certificate that it shows. Without it, it speaks plain HTTP.
    pub tls: Option<TlsConfig>,
}

/// What becomes of a state that was written before the machine started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reboots {
    /// The witness signs nothing until the operator says that the machine was not set back: right for a virtual machine,
    /// whose snapshots come back as a start.
    #[default]
    Refuse,
    /// It goes on: right for a machine that has no snapshots.
    Accept,
}

/// A log to be followed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// Its origin.
    pub origin: String,
    /// Its keys as its operator publishes them: one must sign, and each that signs must hold.
    pub keys: Vec<String>,
}

fn folder() -> PathBuf {
    "witness".into()
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7_475))
}

const fn requests() -> usize {
    64
}

const fn request_seconds() -> u64 {
    30
}

const fn connections() -> usize {
    1_024
}

const fn idle_seconds() -> u64 {
    75
}

impl WitnessConfig {
    /// Reads and checks.
    ///
    /// # Errors
    /// [`ConfigError`] with the key and both values.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.followed()?;
        if config.witness.requests == 0 {
            return Err(relation("witness.requests", "at least 1 is asked, found 0".to_owned()));
        }
        let Own { request_seconds, connections, idle_seconds, .. } = config.witness;
        for (key, bounds, found) in [
            ("witness.request_seconds", 1..=600, request_seconds),
            ("witness.connections", 1..=1 << 20, connections as u64),
            ("witness.idle_seconds", 5..=3_600, idle_seconds),
        ] {
            if !bounds.contains(&found) {
                let rule = format!("{} to {} are asked, found {found}", bounds.start(), bounds.end());
                return Err(relation(key, rule));
            }
        }
        if let Some(tls) = &config.witness.tls
            && tls.client_required
            && tls.client_ca.is_none()
        {
            let rule = "it needs witness.tls.client_ca, found none";
            return Err(relation("witness.tls.client_required", rule.to_owned()));
        }
        let unused = [[0; 32]; 2];
        super::WitnessKeys::of(&config.witness.name, &unused)
            .map_err(|refusal| relation("witness.name", refusal.to_string()))?;
        Ok(config)
    }

    /// The logs with their keys.
    ///
    /// # Errors
    /// [`ConfigError`] with the log and what is wrong of it.
    pub fn followed(&self) -> Result<Vec<Followed>, ConfigError> {
        if self.log.len() > MAX_LOGS {
            return Err(relation("log", format!("a witness follows {MAX_LOGS}, found {}", self.log.len())));
        }
        let mut followed: Vec<Followed> = Vec::new();
        for log in &self.log {
            let key = format!("log {}", log.origin);
            if log.origin.is_empty() || log.origin.len() > zeugma_proof::body::MAX_ORIGIN {
                return Err(relation(
                    &key,
                    format!("an origin has 1 to 255 bytes, found {}", log.origin.len()),
                ));
            }
            if followed.iter().any(|other| other.origin == log.origin) {
                return Err(relation(&key, "each origin stands once, found it twice".to_owned()));
            }
            if log.keys.is_empty() {
                return Err(relation(&key, "at least one key is asked, found none".to_owned()));
            }
            let keys = log.keys.iter().map(|text| VerifierKey::parse(text));
            let keys: Vec<_> =
                keys.collect::<Result<_, _>>().map_err(|refusal| relation(&key, refusal.to_string()))?;
            followed.push(Followed { origin: log.origin.clone(), keys });
        }
        Ok(followed)
    }
}

fn relation(key: &str, rule: String) -> ConfigError {
    ConfigError::Relation { key: key.to_owned(), rule }
}
