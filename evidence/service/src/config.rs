//! The configuration: one file of TOML, all relations checked at start. Everything has a default, so that
//! `zeugma evidence serve` alone is a working service.

use crate::judging::facts::When;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use zeugma_evidence_verify::bundle::{MAX_STAMPS, MAX_VERDICTS};
use zeugma_types::Span;

/// Longest name of an institution, in bytes, as in a policy file.
const MAX_INSTITUTION: usize = 64;

/// Longest wait of one request for an entry's next state, in seconds.
pub(crate) const LONGEST_WAIT: u64 = 30;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or a key that is not known.
    #[error("the configuration cannot be read: {0}")]
    Text(#[from] toml::de::Error),
    /// Two values do not go together.
    #[error("{key}: {rule}")]
    Relation {
        /// Which key.
        key: String,
        /// What is asked, with both values.
        rule: String,
    },
}

/// The whole.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The log.
    pub log: LogConfig,
    /// The API.
    pub api: ApiConfig,
    /// What each tenant may ask for.
    pub quota: QuotaConfig,
    /// The relay chain; without it nothing is anchored.
    pub chain: Option<ChainConfig>,
    /// How time authorities are asked.
    pub stamping: StampingConfig,
    /// The rule packs, and how they are evaluated. Without a pack nothing is judged.
    pub rules: RulesConfig,
    /// What a mandatory rule pack did not pass.
    pub quarantine: QuarantineConfig,
    /// How webhooks of tenants are called.
    pub webhooks: crate::webhooks::WebhooksConfig,
    /// The time authorities. Empty: nothing is stamped.
    pub authority: Vec<AuthorityConfig>,
    /// How witnesses are asked.
    pub witnessing: crate::witnessing::WitnessingConfig,
    /// The witnesses. Empty: nobody cosigns.
    pub witness: Vec<crate::witnessing::CosignerConfig>,
    /// Who may use it. Empty: one tenant `local`, whose token is made at the first start.
    pub tenant: Vec<TenantConfig>,
}

/// The log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Where everything stands: segments, index, tiles, keys, anchors.
    pub folder: PathBuf,
    /// A folder with a second copy of every segment, best on another disk.
    pub twin: Option<PathBuf>,
    /// The folder in which operators may ask for backups; without it the running service makes none.
    pub backups: Option<PathBuf>,
    /// The log's name, as its checkpoints begin: a domain you hold, and a path.
    pub origin: String,
    /// Whether a new log has the second tree, in SM3.
    pub second: bool,
    /// Goes on after a lost tail, under another origin.
    pub after_loss: bool,
    /// How often what is durable is signed and published, in milliseconds.
    pub publish_milliseconds: u64,
    /// By when a checkpoint holds an acknowledged entry, in seconds: what receipts promise.
    pub promise_seconds: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            folder: "evidence".into(),
            twin: None,
            backups: None,
            origin: "evidence.example/log".to_owned(),
            second: true,
            after_loss: false,
            publish_milliseconds: 1_000,
            promise_seconds: 60,
        }
    }
}

impl LogConfig {
    /// The promise of a receipt.
    #[must_use]
    pub const fn promise(&self) -> Span {
        Span::seconds(self.promise_seconds)
    }
}

/// The API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Where it listens. Loopback unless it speaks TLS, or something that does stands before it.
    pub listen: SocketAddr,
    /// Longest body of a request, in bytes.
    pub body_bytes: usize,
    /// Requests that are worked on at one time; more are told when to come back.
    pub requests: usize,
    /// How long a request may take, its body and its wait included, in seconds.
    pub request_seconds: u64,
    /// Connections at one time; further ones wait to be accepted.
    pub connections: usize,
    /// How long a connection may stay on which nothing moves, in seconds.
    pub idle_seconds: u64,
    /// Reads of the public log that are worked on at one time, beside the requests.
    pub reads: usize,
    /// Bodies that are on their way at one time, all together, in bytes.
    pub arriving_bytes: usize,
    /// How TLS is spoken; without it, plain HTTP is.
    pub tls: Option<TlsConfig>,
}

/// TLS. The files are read again each second, and new connections speak what they say then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// File with the service's X.509 certificate and those that lead to its root, in PEM.
    pub certificate: PathBuf,
    /// File with its key, in PEM.
    pub key: PathBuf,
    /// File with the roots under which a client's X.509 certificate is believed, in PEM. Without it none is asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without an X.509 certificate is turned away.
    #[serde(default)]
    pub client_required: bool,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7_470)),
            body_bytes: 4 * 1024 * 1024,
            requests: 1_024,
            request_seconds: 60,
            connections: 4_096,
            idle_seconds: 75,
            reads: 256,
            arriving_bytes: 256 * 1024 * 1024,
            tls: None,
        }
    }
}

/// What each tenant may ask for; 0 is no bound.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaConfig {
    /// Requests a second.
    pub requests_per_second: u64,
    /// Records deposited a second.
    pub items_per_second: u64,
    /// Bytes of bodies a second.
    pub bytes_per_second: u64,
    /// How many seconds of each may come at once.
    pub burst_seconds: u64,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self { requests_per_second: 0, items_per_second: 0, bytes_per_second: 0, burst_seconds: 10 }
    }
}

/// The relay chain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// API of a node.
    pub node: String,
    /// File with the token for its writes.
    pub token_file: Option<PathBuf>,
    /// The trust file under which its proofs are believed; without it they are checked by whoever verifies the bundle.
    pub trust: Option<PathBuf>,
    /// How often a checkpoint is anchored, in seconds.
    #[serde(default = "anchor_seconds")]
    pub anchor_seconds: u64,
}

const fn anchor_seconds() -> u64 {
    5
}

/// How time authorities are asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StampingConfig {
    /// Without a relay chain: how often the newest checkpoint goes to them, in seconds. With one, each anchored one does.
    pub every_seconds: u64,
    /// How long an answer may take, in seconds.
    pub timeout_seconds: u64,
    /// The longest rest after failures, in seconds; the first is one second, and each doubles it.
    pub rest_seconds: u64,
    /// How far an authority's clock and ours may lie apart beyond its accuracy, in milliseconds.
    pub clock_milliseconds: u64,
    /// How many institutions the published policy asks for.
    pub needed: u16,
    /// Whether OCSP answers and revocation lists are gathered when a time-stamp arrives, and from where.
    pub revocation: RevocationConfig,
}

/// Where revocation data is gathered: the addresses stand in the X.509 certificates of the authorities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevocationConfig {
    /// Nowhere: reports say that none was carried.
    None,
    /// At addresses of the public network.
    #[default]
    Public,
    /// At any address: for authorities in the operator's own network.
    Anywhere,
}

impl Default for StampingConfig {
    fn default() -> Self {
        Self {
            every_seconds: 60,
            timeout_seconds: 10,
            rest_seconds: 300,
            clock_milliseconds: 5_000,
            needed: 0,
            revocation: RevocationConfig::default(),
        }
    }
}

/// How entries are judged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesConfig {
    /// The program that evaluates and its arguments, which calls `zeugma_evidence_rules::worker::serve`. Empty: this
    /// program, as `rules worker`.
    pub worker: Vec<String>,
    /// How many of it run.
    pub workers: usize,
    /// How long one verdict may take, in seconds.
    pub deadline_seconds: u64,
    /// Memory of each, in MiB.
    pub memory_mebibytes: u64,
    /// How often the relay chain is asked which packs are in force, in seconds.
    pub standing_seconds: u64,
    /// The packs.
    pub pack: Vec<PackConfig>,
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self {
            worker: Vec::new(),
            workers: 2,
            deadline_seconds: 5,
            memory_mebibytes: 64,
            standing_seconds: 30,
            pack: Vec::new(),
        }
    }
}

/// What a mandatory rule pack did not pass.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuarantineConfig {
    /// Most deposits that wait for a role.
    pub cases: u64,
    /// Most bytes of them together, in MiB.
    pub mebibytes: u64,
    /// After how many days what nobody ruled on lapses, and what was rejected is forgotten.
    pub days: u64,
}

impl Default for QuarantineConfig {
    fn default() -> Self {
        Self { cases: 1_000, mebibytes: 256, days: 30 }
    }
}

/// One rule pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackConfig {
    /// Its file, in TOML, or the name of a shipped pack.
    pub file: PathBuf,
    /// Its digest, in hex, as `zeugma rules lint` tells it: another pack is refused.
    pub digest: String,
    /// When it judges.
    #[serde(default)]
    pub when: crate::judging::facts::When,
    /// The heads and rules that must be met before an entry is logged. Empty: it judges, and nothing depends on it.
    #[serde(default)]
    pub needed: Vec<String>,
}

/// One time authority.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityConfig {
    /// The institution that it counts for.
    pub institution: String,
    /// Where it is asked.
    pub url: String,
    /// File with the X.509 certificate that is believed, in PEM or DER.
    pub anchor: PathBuf,
    /// File with the X.509 certificates under which its name is believed for `https`, in PEM; without it the system's.
    pub ca: Option<PathBuf>,
    /// Policies under which its time-stamps count, as dotted identifiers; empty: under any.
    #[serde(default)]
    pub policies: Vec<String>,
}

/// One tenant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// Its name.
    pub name: String,
    /// What entries call it.
    pub pseudonym: String,
    /// What it may do.
    pub role: crate::access::Role,
    /// SHA-256 of its token, in hex.
    pub token_sha256: Option<String>,
    /// SHA-256 of the X.509 certificate that it shows instead, in DER, in hex.
    pub certificate_sha256: Option<String>,
    /// What it may ask for, in place of the usual.
    pub quota: Option<QuotaConfig>,
}

impl Config {
    /// Reads and checks.
    ///
    /// # Errors
    /// [`ConfigError`] with the key and both values.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let relation = |key: &str, rule: String| ConfigError::Relation { key: key.to_owned(), rule };
        let log = &self.log;
        if !(10..=60_000).contains(&log.publish_milliseconds) {
            let rule = format!("10 to 60000 are asked, found {}", log.publish_milliseconds);
            return Err(relation("log.publish_milliseconds", rule));
        }
        let published = log.publish_milliseconds.div_ceil(1_000);
        if log.promise_seconds < 2 * published {
            let rule = format!(
                "a promise takes at least two publications, {} s; found {} s",
                2 * published,
                log.promise_seconds
            );
            return Err(relation("log.promise_seconds", rule));
        }
        if log.twin.as_ref() == Some(&log.folder) {
            let rule = format!("the twin needs a folder of its own, found {} twice", log.folder.display());
            return Err(relation("log.twin", rule));
        }
        if let Some(chain) = &self.chain
            && chain.anchor_seconds == 0
        {
            return Err(relation("chain.anchor_seconds", "at least 1 is asked, found 0".to_owned()));
        }
        self.check_api()?;
        self.check_stamping()?;
        crate::witnessing::check(&self.witness, &self.witnessing)?;
        self.check_rules()?;
        crate::webhooks::check(&self.webhooks)?;
        for (at, tenant) in self.tenant.iter().enumerate() {
            let earlier = &self.tenant[..at];
            let key = format!("tenant {}", tenant.name);
            if earlier.iter().any(|other| other.name == tenant.name) {
                return Err(relation(&key, "each name stands once, found it twice".to_owned()));
            }
            let proofs = |one: &TenantConfig| [one.token_sha256.clone(), one.certificate_sha256.clone()];
            let own: Vec<String> = proofs(tenant).into_iter().flatten().collect();
            if own.is_empty() {
                let rule = "token_sha256 or certificate_sha256 is asked, found neither".to_owned();
                return Err(relation(&key, rule));
            }
            if earlier.iter().flat_map(proofs).flatten().any(|other| own.contains(&other)) {
                return Err(relation(
                    &key,
                    "each tenant has a token and an X.509 certificate of its own, found one shared"
                        .to_owned(),
                ));
            }
            for digest in &own {
                if hex::decode_to_slice(digest, &mut [0; 32]).is_err() {
                    let rule = format!("a SHA-256 is 64 hex digits, found {} characters", digest.len());
                    return Err(relation(&key, rule));
                }
            }
            let believed = self.api.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
            if tenant.certificate_sha256.is_some() && !believed {
                let rule = "certificate_sha256 needs api.tls.client_ca, found none".to_owned();
                return Err(relation(&key, rule));
            }
        }
        Ok(())
    }

    fn check_api(&self) -> Result<(), ConfigError> {
        let relation = |key: &str, rule: String| Err(ConfigError::Relation { key: key.to_owned(), rule });
        let ApiConfig { requests, request_seconds, connections, idle_seconds, .. } = self.api;
        let ApiConfig { reads, body_bytes, arriving_bytes, .. } = self.api;
        if reads == 0 {
            return relation("api.reads", "at least 1 is asked, found 0".to_owned());
        }
        if arriving_bytes < body_bytes || arriving_bytes > 1 << 40 {
            let rule = format!(
                "at least api.body_bytes, {body_bytes}, and at most 2^40 are asked; found {arriving_bytes}"
            );
            return relation("api.arriving_bytes", rule);
        }
        let own = self.tenant.iter().filter_map(|tenant| tenant.quota.as_ref());
        for quota in core::iter::once(&self.quota).chain(own) {
            if !(1..=86_400).contains(&quota.burst_seconds) {
                let rule = format!("1 to 86400 are asked, found {}", quota.burst_seconds);
                return relation("quota.burst_seconds", rule);
            }
        }
        if !(1..=1 << 20).contains(&connections) {
            return relation("api.connections", format!("1 to 1048576 are asked, found {connections}"));
        }
        if !(5..=3_600).contains(&idle_seconds) {
            return relation("api.idle_seconds", format!("5 to 3600 are asked, found {idle_seconds}"));
        }
        if let Some(tls) = &self.api.tls
            && tls.client_required
            && tls.client_ca.is_none()
        {
            return relation("api.tls.client_required", "it needs api.tls.client_ca, found none".to_owned());
        }
        if requests == 0 {
            return relation("api.requests", "at least 1 is asked, found 0".to_owned());
        }
        if !(LONGEST_WAIT + 5..=600).contains(&request_seconds) {
            let rule = format!(
                "{} to 600 are asked, five more than the longest wait; found {request_seconds}",
                LONGEST_WAIT + 5
            );
            return relation("api.request_seconds", rule);
        }
        Ok(())
    }

    fn check_rules(&self) -> Result<(), ConfigError> {
        let relation = |key: &str, rule: String| Err(ConfigError::Relation { key: key.to_owned(), rule });
        let rules = &self.rules;
        for (key, bounds, found) in [
            ("rules.workers", 1..=64, rules.workers as u64),
            ("rules.deadline_seconds", 1..=60, rules.deadline_seconds),
            ("rules.memory_mebibytes", 32..=4_096, rules.memory_mebibytes),
            ("rules.standing_seconds", 1..=86_400, rules.standing_seconds),
            ("quarantine.cases", 1..=100_000, self.quarantine.cases),
            ("quarantine.mebibytes", 1..=65_536, self.quarantine.mebibytes),
            ("quarantine.days", 1..=3_650, self.quarantine.days),
        ] {
            if !bounds.contains(&found) {
                let rule = format!("{} to {} are asked, found {found}", bounds.start(), bounds.end());
                return relation(key, rule);
            }
        }
        if rules.pack.len() > MAX_VERDICTS {
            let rule = format!("a bundle has room for {MAX_VERDICTS}, found {}", rules.pack.len());
            return relation("rules.pack", rule);
        }
        for (at, pack) in rules.pack.iter().enumerate() {
            let key = format!("rules.pack {}", pack.file.display());
            if rules.pack[..at].iter().any(|other| other.digest == pack.digest) {
                return relation(&key, "each pack stands once, found it twice".to_owned());
            }
            if !pack.needed.is_empty() && pack.when == When::Anchored {
                let rule =
                    "what is needed before an entry is logged is judged when it is received, found anchored";
                return relation(&key, rule.to_owned());
            }
            let trusted = self.chain.as_ref().is_some_and(|chain| chain.trust.is_some());
            if pack.when == When::Anchored && !trusted {
                let rule = "to judge what is anchored takes chain.trust, found none";
                return relation(&key, rule.to_owned());
            }
        }
        Ok(())
    }

    fn check_stamping(&self) -> Result<(), ConfigError> {
        let relation = |key: &str, rule: String| Err(ConfigError::Relation { key: key.to_owned(), rule });
        let stamping = &self.stamping;
        for (key, seconds) in [
            ("stamping.every_seconds", stamping.every_seconds),
            ("stamping.timeout_seconds", stamping.timeout_seconds),
            ("stamping.rest_seconds", stamping.rest_seconds),
        ] {
            if !(1..=86_400).contains(&seconds) {
                return relation(key, format!("1 to 86400 are asked, found {seconds}"));
            }
        }
        if self.authority.len() > MAX_STAMPS {
            let rule = format!("a bundle has room for {MAX_STAMPS}, found {}", self.authority.len());
            return relation("authority", rule);
        }
        for (at, one) in self.authority.iter().enumerate() {
            let key = format!("authority {}", one.url);
            if one.institution.is_empty() || one.institution.len() > MAX_INSTITUTION {
                let rule = format!(
                    "an institution has 1 to {MAX_INSTITUTION} bytes, found {}",
                    one.institution.len()
                );
                return relation(&key, rule);
            }
            let scheme = ["http://", "https://"].into_iter().find(|scheme| one.url.starts_with(scheme));
            if scheme.is_none() || one.url.contains(['@', '"']) {
                return relation(&key, "http:// or https:// without a user is asked".to_owned());
            }
            if one.ca.is_some() && scheme != Some("https://") {
                return relation(&key, "a ca is for https://, found http://".to_owned());
            }
            if self.authority[..at].iter().any(|other| other.url == one.url) {
                return relation(&key, "each address stands once, found it twice".to_owned());
            }
        }
        let mut institutions: Vec<_> = self.authority.iter().map(|one| &one.institution).collect();
        institutions.sort();
        institutions.dedup();
        if usize::from(stamping.needed) > institutions.len() {
            let rule = format!(
                "no more are needed than there are institutions, {}; found {}",
                institutions.len(),
                stamping.needed
            );
            return relation("stamping.needed", rule);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
