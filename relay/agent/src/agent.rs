//! Everything together: one thread a worker, until it is told to stop.

use crate::client::{CometWorker, ZeugmaWorker};
use crate::config::{ClientConfig, Config, HubConfig};
use crate::error::Error;
use crate::hub::{Hub, Hubs};
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::remote::Remote;
use crate::route::{Bounds, End, Route};
use crate::submit::Submitter;
use crate::{key, listener};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeugma_endpoint_cometbft::{Endpoint, Endpoints, Http};
use zeugma_types::{BlockTime, ClientId};

/// Longest token that is read, in bytes.
const MAX_TOKEN: usize = 4 * 1024;
/// How often a sleeping worker looks whether it is to stop.
const NAP: Duration = Duration::from_millis(50);

/// Our clock, for what no chain's clock decides: what is due, and what to sign as the last good time.
pub(crate) fn clock() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    BlockTime::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A running agent. Dropping it stops it; what was persisted goes on with the next one.
pub struct Agent {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    metrics: Arc<Metrics>,
    listening: SocketAddr,
}

impl Agent {
    /// Opens the queue, binds the port of the metrics, and starts the workers.
    ///
    /// # Errors
    /// [`Error::System`] for a key, a token or a port; [`Error::Queue`] when another agent has the queue open.
    pub fn start(config: &Config) -> Result<Self, Error> {
        let queue = Arc::new(Queue::open(&config.queue)?);
        let metrics = Arc::new(Metrics::default());
        let listener = listener::bind(config.metrics)?;
        let listening = listener.local_addr().map_err(|why| Error::system(config.metrics, why))?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers: Vec<(String, Tick)> = Vec::new();

        let mut hubs: BTreeMap<&str, Arc<Hubs>> = BTreeMap::new();
        for hub in &config.hubs {
            let nodes = Arc::new(connect(hub)?);
            hubs.insert(&hub.name, Arc::clone(&nodes));
            let key = key::read(&hub.key_file)?;
            let mut submitter = Submitter::new(nodes, key, Arc::clone(&queue), Arc::clone(&metrics));
            workers.push((format!("submit/{}", hub.name), Box::new(move |now| submitter.tick(now))));
        }
        let end = |end: &ClientConfig| -> Result<(Arc<Hubs>, ClientId), Error> {
            let unknown = || Error::Config(format!("hub {:?} is among [[hub]]", end.hub));
            let hub = hubs.get(end.hub.as_str()).cloned().ok_or_else(unknown)?;
            Ok((hub, ClientId::new(&end.client)?))
        };
        for route in &config.routes {
            let ends = [end(&route.a)?, end(&route.b)?];
            for (own, other) in [(0, 1), (1, 0)] {
                let (hub, client) = ends[own].clone();
                let name = format!("client/{}/{client}", hub.name());
                let of = Arc::clone(&ends[other].0);
                let worker = ZeugmaWorker::new(hub, client, of, Arc::clone(&queue), Arc::clone(&metrics));
                workers.push((name, Box::new(move |now| worker.tick(now))));
            }
            let bounds = Bounds { messages: config.batch_messages, bytes: config.batch_bytes };
            let ends = ends.map(|(hub, client)| End { hub, client });
            let worker = Route::new(&route.name, ends, Arc::clone(&queue), Arc::clone(&metrics), bounds);
            workers.push((format!("route/{}", route.name), Box::new(move |now| worker.tick(now))));
        }
        let patience = Duration::from_millis(config.patience_millis);
        for chain in &config.cometbft {
            let nodes = chain.endpoints.iter().map(|url| Endpoint::new(Arc::new(Http::new(url, patience))));
            let endpoints = Arc::new(Endpoints::new(&chain.chain_id, nodes.collect()));
            for client in &chain.clients {
                let (hub, client) = end(client)?;
                let name = format!("client/{}/{client}", hub.name());
                let worker = CometWorker::new(
                    hub,
                    client,
                    Arc::clone(&endpoints),
                    Arc::clone(&queue),
                    Arc::clone(&metrics),
                    config.batch_bytes,
                );
                workers.push((name, Box::new(move |now| worker.tick(now))));
            }
        }

        let mut agent = Self { stop, threads: Vec::new(), metrics, listening };
        let (metrics, stop) = (Arc::clone(&agent.metrics), Arc::clone(&agent.stop));
        agent.spawn("metrics", move || listener::serve(&listener, &metrics, clock, &stop))?;
        let pause = Duration::from_millis(config.poll_millis);
        for (name, tick) in workers {
            let (metrics, stop) = (Arc::clone(&agent.metrics), Arc::clone(&agent.stop));
            let thread = name.clone();
            agent.spawn(&thread, move || work(&name, tick, pause, &metrics, &stop))?;
        }
        Ok(agent)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let thread = std::thread::Builder::new().name(name.to_owned());
        self.threads.push(thread.spawn(run).map_err(|why| Error::system(name, why))?);
        Ok(())
    }

    /// Where metrics are served.
    #[must_use]
    pub const fn listening(&self) -> SocketAddr {
        self.listening
    }

    /// Everything that is served there, as of now.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.metrics.text(clock())
    }

    /// Whether every worker is alive. A worker ends only by a panic: then the process should too.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.threads.iter().all(|thread| !thread.is_finished())
    }

    /// Stops every worker after its round, and waits for them.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker had panicked");
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.end();
    }
}

type Tick = Box<dyn FnMut(BlockTime) -> Result<(), Error> + Send>;

fn work(name: &str, mut tick: Tick, pause: Duration, metrics: &Metrics, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        if let Err(error) = tick(clock()) {
            metrics.failed(name);
            tracing::warn!(worker = name, %error, "a round ended early");
        }
        let mut left = pause;
        while !left.is_zero() && !stop.load(Ordering::Relaxed) {
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
    }
}

pub(crate) fn connect(hub: &HubConfig) -> Result<Hubs, Error> {
    let token = match &hub.token_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|why| Error::system(path.display(), why))?;
            let token = text.trim().to_owned();
            if token.is_empty() || token.len() > MAX_TOKEN {
                return Err(Error::system(path.display(), "it holds no token"));
            }
            Some(token)
        }
    };
    let node = |url: &String| -> Arc<dyn Hub> {
        let client = zeugma_client::Client::new(url);
        let client = match &token {
            Some(token) => client.with_token(token),
            None => client,
        };
        Arc::new(Remote::new(&hub.name, client))
    };
    Ok(Hubs::new(&hub.name, hub.endpoints.iter().map(node).collect(), clock))
}

/// Runs an agent until `stop` is set, or a worker panicked.
///
/// # Errors
/// As [`Agent::start`]; [`Error::System`] after a panic.
pub fn run(config: &Config, stop: &AtomicBool) -> Result<(), Error> {
    let agent = Agent::start(config)?;
    tracing::info!(metrics = %agent.listening(), "the watcher runs");
    while !stop.load(Ordering::Relaxed) {
        if !agent.is_whole() {
            return Err(Error::system("a worker", "it panicked; see the log"));
        }
        std::thread::sleep(NAP);
    }
    agent.stop();
    Ok(())
}
