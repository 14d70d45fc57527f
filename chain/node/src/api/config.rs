//! How the API is served, and the relations of its settings.

use super::grpc::GrpcConfig;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use zeugma_crypto::hash::sha256;

/// Longest wait for a transaction's status. A client that waits longer asks again.
pub const MAX_WAIT: Duration = Duration::from_secs(30);

/// Who may read. Writes always need a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// Anyone on this machine; from elsewhere a token is needed, which is decided by the address listened on.
    #[default]
    OpenOnLoopback,
    /// Who has a token.
    Token,
    /// Anyone who reaches the address.
    Open,
}

impl Reads {
    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenOnLoopback => "open-on-loopback",
            Self::Token => "token",
            Self::Open => "open",
        }
    }
}

/// SHA-256 of a token, in hexadecimal. The token itself is never kept.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(sha256(&[token.as_bytes()]))
    }
}

impl std::fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for TokenDigest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for TokenDigest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let mut digest = [0; 32];
        hex::decode_to_slice(&text, &mut digest).map_err(|_| {
            serde::de::Error::custom("a token digest is 64 hexadecimal digits: SHA-256 of the token")
        })?;
        Ok(Self(digest))
    }
}

/// How the API is served. Closed unless opened: without any setting it listens on this machine only, answers
/// readers there, and takes no transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// The address to listen on; `127.0.0.1:7780`. Put a proxy that ends TLS before any other.
    pub listen: SocketAddr,
    /// SHA-256 digests of the tokens that may write, at most 64; none.
    pub tokens: Vec<TokenDigest>,
    /// Who may read; `open-on-loopback`.
    pub reads: Reads,
    /// Most connections at one time; 1024. Further ones wait to be accepted.
    pub connections: usize,
    /// Most requests answered at one time; 256. Further ones are told to come again.
    pub requests: usize,
    /// Most streams, and most waits for a transaction, open at one time; 128.
    pub streams: usize,
    /// Seconds that a request may take, its body included; 10. Waits and streams are longer.
    pub request_seconds: u64,
    /// How gRPC is served beside it, `[api.grpc]`; not at all unless that table stands there. Tokens, reads,
    /// requests, streams and request_seconds hold for both together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcConfig>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7780)),
            tokens: Vec::new(),
            reads: Reads::default(),
            connections: 1_024,
            requests: 256,
            streams: 128,
            request_seconds: 10,
            grpc: None,
        }
    }
}

impl ApiConfig {
    /// Most tokens: each is compared with every token that is shown.
    pub const MAX_TOKENS: usize = 64;

    /// Checks the relations of the settings.
    ///
    /// # Errors
    /// In words, the relation that does not hold, with what was found.
    pub fn check(&self) -> Result<(), String> {
        let (tokens, both) = (self.tokens.len(), self.requests.saturating_add(self.streams));
        let grpc = self.grpc;
        let relations = [
            (
                tokens <= Self::MAX_TOKENS,
                format!("api.tokens has at most {} entries, found {tokens}", Self::MAX_TOKENS),
            ),
            (
                !self.reads_need_token() || tokens > 0,
                format!(
                    "api.reads = \"{}\" asks for a token at api.listen = {}, so api.tokens must name one",
                    self.reads.name(),
                    self.listen
                ),
            ),
            (
                self.requests > 0 && self.streams > 0,
                format!(
                    "api.requests and api.streams are at least 1, found {} and {}",
                    self.requests, self.streams
                ),
            ),
            (
                self.connections >= both,
                format!(
                    "api.connections is at least api.requests and api.streams together, {both}, found {}",
                    self.connections
                ),
            ),
            // Far above any need, and below what a counter of permits can hold.
            (
                self.connections <= 1 << 20,
                format!("api.connections is at most 1048576, found {}", self.connections),
            ),
            (
                (1..=600).contains(&self.request_seconds),
                format!("api.request_seconds is between 1 and 600, found {}", self.request_seconds),
            ),
            (
                grpc.is_none_or(|grpc| (1..=1 << 20).contains(&grpc.connections)),
                format!(
                    "api.grpc.connections is between 1 and 1048576, found {}",
                    grpc.map_or(0, |grpc| grpc.connections)
                ),
            ),
            (
                grpc.is_none_or(|grpc| grpc.listen.port() == 0 || grpc.listen != self.listen),
                format!("api.grpc.listen is another address than api.listen, both are {}", self.listen),
            ),
            (
                grpc.is_none_or(|grpc| !self.reads_need_token_at(grpc.listen)) || tokens > 0,
                format!(
                    "api.reads = \"{}\" asks for a token at api.grpc.listen = {}, so api.tokens must name one",
                    self.reads.name(),
                    grpc.map_or(self.listen, |grpc| grpc.listen)
                ),
            ),
        ];
        relations.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, relation)| Err(relation))
    }

    /// Whether a reader must show a token.
    #[must_use]
    pub fn reads_need_token(&self) -> bool {
        self.reads_need_token_at(self.listen)
    }

    /// Whether a reader must show a token who comes by the address `listen`.
    #[must_use]
    pub fn reads_need_token_at(&self, listen: SocketAddr) -> bool {
        match self.reads {
            Reads::Open => false,
            Reads::Token => true,
            Reads::OpenOnLoopback => !listen.ip().is_loopback(),
        }
    }

    /// Whether `token` is one of ours. Every digest is compared, each in constant time.
    #[must_use]
    pub fn accepts(&self, token: &str) -> bool {
        let shown = TokenDigest::of(token);
        let found = self.tokens.iter().fold(subtle::Choice::from(0), |found, known| {
            found | known.0.as_slice().ct_eq(shown.0.as_slice())
        });
        found.into()
    }

    pub(super) const fn request_time(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_and_are_closed() {
        let config: ApiConfig = toml::from_str("").unwrap();
        assert_eq!(config, ApiConfig::default());
        config.check().unwrap();
        assert!(config.listen.ip().is_loopback() && config.tokens.is_empty());
        assert!(!config.accepts(""));
    }

    #[test]
    fn a_setting_that_is_not_known_is_refused() {
        toml::from_str::<ApiConfig>("listn = '127.0.0.1:1'").unwrap_err();
        toml::from_str::<ApiConfig>("tokens = ['secret']").unwrap_err();
    }

    #[test]
    fn another_address_than_loopback_needs_a_token_to_read() {
        let mut config = ApiConfig { listen: "0.0.0.0:7780".parse().unwrap(), ..ApiConfig::default() };
        config.check().unwrap_err();
        config.tokens.push(TokenDigest::of("secret"));
        config.check().unwrap();
        assert!(config.reads_need_token());
        assert!(config.accepts("secret") && !config.accepts("Secret"));
    }

    #[test]
    fn grpc_is_off_unless_its_table_stands_there_and_is_closed_like_the_rest() {
        assert_eq!(ApiConfig::default().grpc, None);
        let config: ApiConfig = toml::from_str("[grpc]").unwrap();
        config.check().unwrap();
        assert!(config.grpc.unwrap().listen.ip().is_loopback());
        toml::from_str::<ApiConfig>("[grpc]\nlistn = '127.0.0.1:1'").unwrap_err();
        for (table, relation) in [
            ("listen = '0.0.0.0:7781'", "api.reads = \"open-on-loopback\" asks"),
            ("listen = '127.0.0.1:7780'", "api.grpc.listen is another"),
            ("connections = 0", "api.grpc.connections is"),
        ] {
            let config: ApiConfig = toml::from_str(&format!("[grpc]\n{table}")).unwrap();
            assert!(config.check().unwrap_err().starts_with(relation), "{table}");
        }
    }
}
