//! The service as a whole: desk, publication, anchoring and API, until it is told to stop.

use crate::access::{Access, Role, Tenant};
use crate::api::{Api, Bounds, router};
use crate::audit::{Audit, TokenWatch};
use crate::chain::Anchorer;
use crate::config::Config;
use crate::desk::{Desk, now};
use crate::files::{self, Readers};
use crate::health::{self, Health};
use crate::keys::{Keys, KeysError, random};
use crate::metrics::Metrics;
use crate::quota::Quota;
use crate::serve::{self, Limits};
use crate::stamping::{Hand, Source};
use crate::store::RealDisk;
use crate::tls::{Tls, TlsError};
use crate::webhooks::Hooks;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use zeugma_client::Client;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_evidence_verify::policy::log_of;
use zeugma_proof::TrustFile;
use zeugma_types::{Decode as _, Refusal};

/// Longest file with a token, in bytes.
const LONGEST_TOKEN: u64 = 4_096;
/// Of so many rounds of anchoring one is of the audit log as well: nobody waits for an act's anchor, and each takes time that
/// entries wait for theirs.
const OTHERS: u32 = 12;
/// Between two looks at what became of the tokens, for the audit log.
const TOKENS: Duration = Duration::from_secs(1);

/// From a connection to the end of its TLS handshake.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long open requests may go on after the service was told to stop: longer than the longest wait.
pub(crate) const GRACE: Duration = Duration::from_secs(35);

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Its log.
    #[error("the log: {0}")]
    Log(Refusal),
    /// A file or a port.
    #[error("{what}: {why}")]
    System {
        /// Which.
        what: String,
        /// Why.
        why: io::Error,
    },
    /// Its TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The webhooks.
    #[error("the webhooks: {0}")]
    Webhooks(Refusal),
    /// The trust file.
    #[error("{}: {refusal}", path.display())]
    Trust {
        /// Which.
        path: PathBuf,
        /// Which rule it breaks.
        refusal: Refusal,
    },
}

fn system(what: String) -> impl Fn(io::Error) -> RunError {
    move |why| RunError::System { what: what.clone(), why }
}

/// What was started.
#[derive(Clone, Debug)]
pub struct Started {
    /// Where the API listens.
    pub address: std::net::SocketAddr,
    /// The same as a URL.
    pub url: String,
    /// The log's origin.
    pub origin: String,
    /// The file with the token of the tenant `local`, if that one was made.
    pub token_file: Option<PathBuf>,
    /// The account that anchors, so that a governor can grant it its role.
    pub account: String,
}

/// The relay chain of a service.
#[derive(Clone, Debug)]
pub struct Chain {
    /// A node.
    pub client: Client,
    /// The account that anchors.
    pub account: SecretKey,
    /// How often.
    pub every: Duration,
}

/// Runs until `stop` says so, with the relay chain that the configuration names. `started` is told once everything
/// listens.
///
/// # Errors
/// [`RunError`] when it cannot start. Once it runs, what fails is told by metrics and the log, and tried again.
pub async fn run(
    config: Config,
    stop: watch::Receiver<bool>,
    started: impl FnOnce(&Started),
) -> Result<(), RunError> {
    let folder = config.log.folder.clone();
    files::make_dir(&folder).map_err(system(folder.display().to_string()))?;
    let account = Keys::open(&folder.join("keys.json"))?.account;
    let chain = match &config.chain {
        Some(chain) => {
            let every = Duration::from_secs(chain.anchor_seconds);
            Some(Chain { client: client(chain)?, account, every })
        }
        None => None,
    };
    run_with(config, chain, stop, started).await
}

/// As [`run`], with this relay chain, whatever the configuration names.
///
/// # Errors
/// As [`run`].
pub async fn run_with(
    config: Config,
    chain: Option<Chain>,
    mut stop: watch::Receiver<bool>,
    started: impl FnOnce(&Started),
) -> Result<(), RunError> {
    let folder = config.log.folder.clone();
    files::make_dir(&folder).map_err(system(folder.display().to_string()))?;
    let keys = Keys::open(&folder.join("keys.json"))?;
    let anchors = chain.as_ref().map_or(&keys.account, |chain| &chain.account);
    let account = zeugma_ledger::account_of(anchors.public().as_bytes()).to_string();
    let (access, token_file) = access(&config, &folder)?;
    let audit = Arc::new(Audit::open(&config, &keys).map_err(RunError::Log)?);
    let desk = Arc::new(Desk::open(&config, keys).map_err(RunError::Log)?);
    let metrics = Arc::new(Metrics::new(now()));
    let webhooks = Hooks::open(Arc::new(RealDisk), &folder, &config.webhooks).map_err(RunError::Webhooks)?;
    let webhooks = Arc::new(webhooks);
    let trusted = config.chain.as_ref().map(trust).transpose()?.flatten().map(Arc::new);
    let tls = config.api.tls.as_ref().map(Tls::open).transpose()?;
    let listener =
        TcpListener::bind(config.api.listen).await.map_err(system(config.api.listen.to_string()))?;
    let address = listener.local_addr().map_err(system("the listener".to_owned()))?;
    let url = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
    started(&Started { address, url, origin: desk.origin(), token_file, account });

    let mut tasks = Vec::new();
    let every = Duration::from_millis(config.log.publish_milliseconds);
    tasks.push(tokio::spawn(publish(Arc::clone(&desk), Arc::clone(&metrics), every, stop.clone())));
    let (audited, counted) = (Arc::clone(audit.desk()), Arc::clone(audit.metrics()));
    tasks.push(tokio::spawn(publish(audited, counted, every, stop.clone())));
    tasks.push(tokio::spawn(TokenWatch::new(Arc::clone(&audit), &folder).run(TOKENS, stop.clone())));
    let source = match &chain {
        Some(_) => Source::Anchored,
        None => Source::Published(Duration::from_secs(config.stamping.every_seconds)),
    };
    tasks.extend(Hand::start(&desk, source, &config.stamping, &stop));
    tasks.extend(crate::witnessing::start(&desk, &config.witnessing, &stop));
    let asked = chain
        .as_ref()
        .map(|chain| (chain.client.clone(), Duration::from_secs(config.rules.standing_seconds)));
    tasks.push(tokio::spawn(crate::quarantine::keep(Arc::clone(&desk), stop.clone())));
    tasks.extend(crate::judging::start(&desk, asked, &stop));
    if let Some(chain) = chain {
        let every = chain.every;
        let (audited, counted) = (Arc::clone(audit.desk()), Arc::clone(audit.metrics()));
        let acts = Anchorer::new(audited, chain.clone(), counted, &folder.join("audit"));
        let log = Anchorer::new(Arc::clone(&desk), chain, Arc::clone(&metrics), &folder);
        tasks.push(tokio::spawn(anchor(vec![log, acts], every, stop.clone())));
    }
    if let Some(tls) = tls.clone() {
        tasks.push(tokio::spawn(tls.follow(Arc::clone(metrics.connections()), stop.clone())));
    }
    tasks.push(crate::webhooks::start(&webhooks, &desk, &audit, &stop).map_err(RunError::Webhooks)?);
    let health = Health::default();
    tasks.push(tokio::spawn(health::watch(Arc::clone(&desk), health.clone(), stop.clone())));
    let bounds = Bounds {
        requests: config.api.requests,
        reads: config.api.reads,
        arriving_bytes: config.api.arriving_bytes,
    };
    let [places, readers, arriving] = bounds.places();
    let own = config.tenant.iter().filter_map(|tenant| Some((tenant.name.clone(), tenant.quota.clone()?)));
    let quota = Arc::new(Quota::new(config.quota.clone(), own.collect()));
    let api = Api {
        desk,
        access: Arc::new(access),
        metrics: Arc::clone(&metrics),
        audit,
        operator: log_of(&config.log.origin).into(),
        places,
        readers,
        arriving,
        quota,
        bounds,
        streams: Arc::new(tokio::sync::Semaphore::new(config.api.requests)),
        trust: trusted,
        stop: stop.clone(),
        body_bytes: config.api.body_bytes,
        longest: Duration::from_secs(config.api.request_seconds),
        health,
        webhooks,
    };
    let ended = async move {
        // A sender that is gone asks for the end as well.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let limits = Limits {
        connections: config.api.connections,
        handshake: HANDSHAKE,
        idle: Duration::from_secs(config.api.idle_seconds),
        grace: GRACE,
    };
    let routes = router(api).map_err(RunError::Log)?;
    serve::serve(listener, routes, tls, limits, Arc::clone(metrics.connections()), ended).await;
    for task in tasks {
        // All end by the same signal; one that panicked has told so.
        let _ = task.await;
    }
    Ok(())
}

/// The configured tenants, or the one whose token is made here.
fn access(config: &Config, folder: &Path) -> Result<(Access, Option<PathBuf>), RunError> {
    if !config.tenant.is_empty() {
        return Ok((Access::of(&config.tenant).with_file_in(folder), None));
    }
    let path = folder.join("token");
    let failed = system(path.display().to_string());
    let token = match files::read(&path, LONGEST_TOKEN).map_err(&failed)? {
        Some(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        None => {
            let token = hex::encode(random().map_err(KeysError::Random)?);
            files::replace(&path, format!("{token}\n").as_bytes(), Readers::Owner).map_err(&failed)?;
            token
        }
    };
    let tenant = Tenant {
        name: "local".to_owned(),
        pseudonym: "local".to_owned(),
        role: Role::Party,
        token: "config".to_owned(),
    };
    Ok((Access::default().with(&token, tenant).with_file_in(folder), Some(path)))
}

fn client(chain: &crate::config::ChainConfig) -> Result<Client, RunError> {
    let mut client = Client::new(&chain.node);
    if let Some(path) = &chain.token_file {
        let failed = system(path.display().to_string());
        let token = files::read(path, LONGEST_TOKEN).map_err(&failed)?;
        let token = token.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        client = client.with_token(String::from_utf8_lossy(&token).trim());
    }
    if let Some(file) = trust(chain)? {
        client = client.with_trust(file.at(now(), zeugma_proof::Reliance::Destination));
    }
    Ok(client)
}

/// The trust file that the configuration names.
fn trust(chain: &crate::config::ChainConfig) -> Result<Option<TrustFile>, RunError> {
    let Some(path) = &chain.trust else { return Ok(None) };
    let failed = system(path.display().to_string());
    let bytes = files::read(path, zeugma_proof::MAX_TRUST_FILE as u64).map_err(&failed)?;
    let bytes = bytes.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let broken = |refusal| RunError::Trust { path: path.clone(), refusal };
    TrustFile::from_bytes(&bytes).map_err(broken).map(Some)
}

/// Sleeps, or returns `false` at once when it is time to end.
pub(crate) async fn pause(every: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(every) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}

async fn publish(desk: Arc<Desk>, metrics: Arc<Metrics>, every: Duration, mut stop: watch::Receiver<bool>) {
    let mut goes_on = true;
    while goes_on {
        goes_on = pause(every, &mut stop).await;
        // Once more at the end, so that what was acknowledged last is logged too.
        let publisher = Arc::clone(&desk);
        let done = tokio::task::spawn_blocking(move || publisher.publish()).await;
        if let Ok(Err(refusal)) = done {
            metrics.publish_failed();
            tracing::warn!(%refusal, "the checkpoint was not published");
        }
    }
}

/// One log after the other: they send from one account, whose transactions are numbered.
async fn anchor(mut anchorers: Vec<Anchorer>, every: Duration, mut stop: watch::Receiver<bool>) {
    let mut round = 0_u32;
    while pause(every, &mut stop).await {
        round = round.wrapping_add(1);
        let now = if round.is_multiple_of(OTHERS) { anchorers.len() } else { 1 };
        let rounds = tokio::task::spawn_blocking(move || {
            let mut last = 0;
            let each = anchorers.iter_mut().take(now);
            let done: Vec<_> = each.map(|anchorer| anchorer.round_after(&mut last)).collect();
            (anchorers, done)
        });
        let Ok((back, rounds)) = rounds.await else { return };
        anchorers = back;
        for (anchorer, done) in anchorers.iter().zip(rounds) {
            match done {
                Ok(Some(size)) => {
                    tracing::info!(%size, origin = anchorer.origin(), "the checkpoint is anchored")
                }
                Ok(None) => {}
                Err(why) => {
                    tracing::warn!(%why, origin = anchorer.origin(), "the checkpoint is not anchored yet")
                }
            }
        }
    }
}
