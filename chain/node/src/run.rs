//! Running a node, or a key generation, as a process: what the commands `zeugma node` and `zeugma dkg` call.

use crate::config::{NodeConfig, Prepared};
use crate::dkg::{self, KeyFile};
use crate::engine::{self, Production};
use crate::handle::NodeHandle;
use crate::metrics::Disk;
use anyhow::{Context as _, Result, bail, ensure};
use commonware_runtime::{Runner as _, Supervisor as _, tokio};
use std::any::Any;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeugma_ledger::Families;
use zeugma_proof::KeyOrigin;
use zeugma_types::TranscriptDigest;

/// The storage, in the data folder.
const STORAGE: &str = "storage";

fn runner(config: &NodeConfig) -> tokio::Runner {
    tokio::Runner::new(
        tokio::Config::new()
            .with_storage_directory(config.node.data.join(STORAGE))
            .with_worker_threads(config.runtime.workers)
            .with_tcp_nodelay(Some(true)),
    )
}

/// Makes the folder of the storage, durably: the storage syncs what lies in it, and nobody else its own name. Without
/// it a power cut soon after the first start could take the whole folder, and with it what this validator signed.
fn runtime_folder(config: &NodeConfig) -> Result<()> {
    let folder = config.node.data.join(STORAGE);
    let missing: Vec<PathBuf> =
        folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for folder in holders(&folder, &missing) {
        let synced = std::fs::File::open(&folder).and_then(|folder| folder.sync_all());
        synced.with_context(|| format!("cannot make the folder {} durable", folder.display()))?;
    }
    Ok(())
}

/// The folders whose entries lead to `storage`: that of the data, that which holds it, and those of all that were
/// `missing`. The first two each time: the start that made them may have ended before it synced them.
fn holders(storage: &Path, missing: &[PathBuf]) -> BTreeSet<PathBuf> {
    let always = storage.ancestors().skip(1).take(2);
    let made = missing.iter().filter_map(|folder| folder.parent());
    let named =
        |folder: &Path| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.into() };
    always.chain(made).map(named).collect()
}

/// The words of a panic. The engine ends a node that cannot write or read its storage with one: nothing may follow
/// from what is not durable.
fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

/// Runs `work` on a thread whose stack holds the start of a node, whatever the caller's stack.
fn on_own_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    const STACK: usize = 16 * 1024 * 1024;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("zeugma-node".into()).stack_size(STACK);
        match thread.spawn_scoped(scope, work).context("cannot start a thread")?.join() {
            Ok(done) => done,
            Err(panic) => bail!("the node stopped: {}", words(&*panic)),
        }
    })
}

/// Runs a node until `until` ends or the node cannot go on. Blocks the thread; must not be called inside another
/// runtime. `until` runs inside the node's runtime, which is tokio's: it may serve an interface, wait for a signal,
/// submit, read. With it the node ends; what was acknowledged is durable.
///
/// # Errors
/// What is wrong with the configuration, in words that say what to do; why the node could not go on.
pub fn run<F, Fut>(config: &NodeConfig, families: Families<'static>, until: F) -> Result<()>
where
    F: FnOnce(NodeHandle) -> Fut + Send + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let Prepared { genesis, identity, me, peers } = config.prepare()?;
    ensure!(
        config.node.share.exists(),
        "{} is not there: all validators run `zeugma dkg` once, together, before the first start",
        config.node.share.display()
    );
    let share = KeyFile::read(&config.node.share).map_err(anyhow::Error::msg)?;
    let scheme = share.scheme(&genesis).map_err(anyhow::Error::msg)?;
    if share.origin == KeyOrigin::InsecureDealer {
        tracing::warn!("the group key was made by a dealer, who could sign alone: for trials only");
    }
    runtime_folder(config)?;
    let megabyte = 1024 * 1024;
    let (listen, bounds, storage) = (config.network.listen, config.mempool, config.storage);
    let network_id = genesis.network();
    let data = config.node.data.clone();
    let work = || {
        runner(config).start(|context| async move {
            let disk = Disk::new(&context, data);
            let network = Production::new(&context, &network_id, identity, listen, &peers)
                .map_err(anyhow::Error::msg)?;
            let (channels, oracle, connections) = network.node();
            let engine = engine::Config {
                genesis,
                scheme,
                me,
                peers: oracle.clone(),
                blocker: oracle,
                partition: "node".into(),
                mempool_transactions: bounds.transactions,
                mempool_bytes: bounds.megabytes.saturating_mul(megabyte),
                cache_pages: storage.cache_megabytes.saturating_mul(megabyte) / 4_096,
            };
            // The root context itself: the names of metrics have nothing in front.
            let (consensus, handle) =
                engine::start(context, engine, families, channels).await.map_err(anyhow::Error::msg)?;
            let mut stopped = handle.stopped();
            tracing::info!(network = %network_id, "the node runs");
            ::tokio::select! {
                ended = until(handle) => ended,
                why = why_stopped(&mut stopped) => bail!("the node stopped: {why}"),
                ended = consensus => bail!("consensus ended: {ended:?}"),
                () = disk.watch() => bail!("the watch of the disk ended"),
                ended = connections => bail!("the network ended: {ended:?}"),
            }
        })
    };
    on_own_thread(work)
}

async fn why_stopped(stopped: &mut ::tokio::sync::watch::Receiver<Option<String>>) -> String {
    match stopped.wait_for(Option::is_some).await {
        Ok(why) => why.clone().unwrap_or_default(),
        Err(_) => "its tasks are gone".into(),
    }
}

/// What a key generation made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The group's public key.
    pub group_key: [u8; 96],
    /// Digest of the public transcript: the members compare it by voice.
    pub transcript: TranscriptDigest,
}

/// Generates the group key of the genesis together with all other validators, who run the same at the same time, and
/// writes this validator's share. Blocks the thread; must not be called inside another runtime. A run that was
/// ended goes on where it was when it is started again with the same `attempt`.
///
/// # Errors
/// What is wrong with the configuration; why there is no key: then all repeat it with the next `attempt`. When
/// `patience` ends, who was not heard.
pub fn generate(config: &NodeConfig, attempt: u64, patience: Duration) -> Result<Generated> {
    let Prepared { genesis, identity, peers, .. } = config.prepare()?;
    ensure!(
        !config.node.share.exists(),
        "{} is there: a key is generated once; move it away to make another network",
        config.node.share.display()
    );
    runtime_folder(config)?;
    let members = crate::members(&genesis).map_err(anyhow::Error::msg)?;
    let network_id = genesis.network();
    let (listen, file) = (config.network.listen, config.node.share.clone());
    let work = || {
        runner(config).start(|context| async move {
        let network = Production::new(&context, &network_id, identity.clone(), listen, &peers)
            .map_err(anyhow::Error::msg)?;
        let (channel, connections) = network.dkg();
        let ceremony = dkg::Config {
            network: network_id,
            attempt,
            members,
            me: identity,
            partition: "dkg".into(),
            tick: Duration::from_millis(500),
            linger: Duration::from_secs(30),
        };
        let outcome = ::tokio::time::timeout(patience, dkg::run(context.child("dkg"), ceremony, channel)).await;
        // Our last words must leave before the connections end.
        ::tokio::time::sleep(Duration::from_millis(300)).await;
        connections.abort();
        match outcome {
            Ok(outcome) => outcome.map_err(anyhow::Error::from),
            Err(_) => bail!("not all validators took part within {patience:?}; start it again, the same attempt goes on"),
        }
    })
    };
    let outcome = on_own_thread(work)?;
    let key_file = KeyFile::new(network_id, &outcome);
    key_file.write(&file).map_err(anyhow::Error::msg)?;
    let committee = key_file.committee(&genesis).map_err(anyhow::Error::msg)?;
    Ok(Generated { group_key: *committee.group_key.as_bytes(), transcript: outcome.transcript })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_whose_entries_lead_to_the_storage_is_synced() {
        let named = |folders: &[&str]| folders.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
        let storage = Path::new("/a/b/data/storage");
        assert_eq!(holders(storage, &[]), named(&["/a/b/data", "/a/b"]));
        let missing: Vec<PathBuf> = ["/a/b/data/storage", "/a/b/data", "/a/b"].map(PathBuf::from).into();
        assert_eq!(holders(storage, &missing), named(&["/a/b/data", "/a/b", "/a"]));
        assert_eq!(holders(Path::new("data/storage"), &[]), named(&["data", "."]));
    }

    #[test]
    fn a_node_that_ends_with_a_panic_says_why() {
        let ended = on_own_thread(|| -> Result<()> { panic!("no room for {} bytes", 7) });
        assert_eq!(ended.unwrap_err().to_string(), "the node stopped: no room for 7 bytes");
        let ended = on_own_thread(|| -> Result<()> { panic!("no room") });
        assert_eq!(ended.unwrap_err().to_string(), "the node stopped: no room");
    }
}
