//! Four validators on the production runtime and network: key generation, blocks, restart.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test stops where its ground is not as it thinks"
)]

mod support;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;
use support::{genesis, opaque, seed_of};
use tokio::sync::mpsc;
use zeugma_ledger::Families;
use zeugma_node::{NodeConfig, NodeHandle, Status, dkg, generate, run};
use zeugma_types::Encode as _;

fn free_addresses(count: usize) -> Vec<SocketAddr> {
    // Held together, so that no two are the same.
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

fn prepare(folder: &Path) -> Vec<NodeConfig> {
    let genesis = genesis(4);
    std::fs::write(folder.join("genesis.bin"), genesis.to_bytes()).unwrap();
    let addresses = free_addresses(4);
    let peers: String = genesis
        .validators
        .iter()
        .zip(&addresses)
        .map(|(validator, address)| {
            format!("[[network.peers]]\nkey = \"{}\"\naddress = \"{address}\"\n", hex::encode(validator.key))
        })
        .collect();
    (0..4)
        .map(|place| {
            let own = folder.join(format!("{place}"));
            std::fs::create_dir(&own).unwrap();
            let seed = hex::encode(seed_of(&genesis, place));
            dkg::write_secret(&own.join("identity.key"), seed.as_bytes()).unwrap();
            let text = format!(
                "[node]\ndata = \"data\"\ngenesis = \"../genesis.bin\"\nidentity = \"identity.key\"\nshare = \"share.key\"\n\
                 [network]\nlisten = \"{}\"\n{peers}",
                addresses[place],
            );
            std::fs::write(own.join("node.toml"), text).unwrap();
            NodeConfig::read(&own.join("node.toml")).unwrap()
        })
        .collect()
}

/// Runs all validators until `until` is done with their handles.
fn together(configs: &[NodeConfig], until: impl AsyncFnOnce(Vec<NodeHandle>)) {
    let (handles, mut started) = mpsc::channel(4);
    let (end, ended) = tokio::sync::watch::channel(false);
    let threads: Vec<_> = configs
        .iter()
        .cloned()
        .enumerate()
        .map(|(place, config)| {
            let (handles, mut ended) = (handles.clone(), ended.clone());
            std::thread::spawn(move || {
                run(&config, Families::new(&[]), move |handle| async move {
                    handles.send((place, handle)).await?;
                    ended.wait_for(|ended| *ended).await?;
                    Ok(())
                })
            })
        })
        .collect();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut all = Vec::new();
        for _ in configs {
            all.push(started.recv().await.unwrap());
        }
        all.sort_by_key(|(place, _)| *place);
        until(all.into_iter().map(|(_, handle)| handle).collect()).await;
    });
    end.send(true).unwrap();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
}

async fn final_on(node: &NodeHandle, id: &[u8; 32]) {
    for _ in 0..600 {
        if matches!(node.status(id).await.unwrap(), Status::Final { .. }) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not final after 30 s: {:?}", node.status(id).await);
}

#[test]
fn four_validators_generate_a_key_run_and_start_again() {
    let folder = tempfile::tempdir().unwrap();
    let configs = prepare(folder.path());
    let threads: Vec<_> = configs
        .iter()
        .cloned()
        .map(|config| std::thread::spawn(move || generate(&config, 1, Duration::from_secs(60))))
        .collect();
    let made: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
    assert!(made.iter().all(|other| *other == made[0]));
    for config in &configs {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&config.node.share).unwrap().permissions().mode() & 0o777, 0o600);
    }

    let genesis = genesis(4);
    let (first, second) = (opaque(&genesis, 0, 1), opaque(&genesis, 0, 2));
    let mut height = 0;
    together(&configs, async |nodes| {
        let id = nodes[0].submit(first.clone()).await.unwrap();
        final_on(&nodes[3], &id).await;
        height = nodes[3].height().await.unwrap().get();
        let metrics = nodes[1].metrics();
        for name in ["zeugma_chain_height", "zeugma_chain_validators_heard", "zeugma_node_disk_free_bytes"] {
            let positive = metrics
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
                .is_some_and(|value| value.parse::<u64>().unwrap() > 0);
            assert!(positive, "{name} in {metrics}");
        }
    });
    assert!(height > 0);
    together(&configs, async |nodes| {
        // What was final is still there, and the network goes on.
        let id = nodes[2].submit(first.clone()).await.unwrap();
        assert!(matches!(nodes[2].status(&id).await.unwrap(), Status::Final { .. }));
        let id = nodes[1].submit(second.clone()).await.unwrap();
        final_on(&nodes[0], &id).await;
        assert!(nodes[0].height().await.unwrap().get() > height);
    });
}

#[test]
fn a_configuration_that_does_not_hold_together_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let configs = prepare(folder.path());
    let refused = |change: &dyn Fn(&mut NodeConfig)| {
        let mut config = configs[0].clone();
        change(&mut config);
        run(&config, Families::new(&[]), |_| async { Ok(()) }).unwrap_err().to_string()
    };
    assert!(refused(&|_| ()).contains("run `zeugma dkg` once"));
    assert!(refused(&|config| drop(config.network.peers.pop())).contains("at least 4"));
    assert!(
        refused(&|config| config.network.peers[1].key = config.network.peers[0].key.clone())
            .contains("twice")
    );
    assert!(refused(&|config| config.runtime.workers = 0).contains("runtime.workers"));
    assert!(
        refused(&|config| config.node.share = config.node.identity.clone()).contains("must be two places")
    );
    assert!(NodeConfig::parse("[node]\nunknown = 1").unwrap_err().to_string().contains("unknown"));
}

/// Names the configuration that a child process runs.
const CHILD: &str = "ZEUGMA_TEST_NODE";

/// Not a test of its own: what the processes of the next test run.
#[test]
fn a_child_process_runs_a_node() {
    use std::io::Write as _;
    let Ok(path) = std::env::var(CHILD) else { return };
    let config = NodeConfig::read(Path::new(&path)).unwrap();
    run(&config, Families::new(&[]), |handle| async move {
        let tell = |height: u64, digest: &[u8]| {
            let line = format!("\nFINAL {height} {}\n", hex::encode(digest));
            std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
        };
        let (mut told, mut sequence) = (0, 0);
        loop {
            // All of the chain from its start, so that each start says again what earlier ones said.
            let height = handle.height().await?.get();
            for height in told + 1..=height {
                let header = handle.header(zeugma_types::Height::new(height)).await?.unwrap();
                tell(height, header.digest().as_bytes());
            }
            told = height;
            sequence += 1;
            // Another process may have sent it: then it is refused, and the next is not.
            let _ = handle.submit(opaque(handle.genesis(), 0, height * 8 + sequence % 8 + 1)).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .unwrap();
}

struct Processes {
    configs: Vec<NodeConfig>,
    children: Vec<Option<std::process::Child>>,
    told: mpsc::UnboundedReceiver<(usize, u64, String)>,
    tell: mpsc::UnboundedSender<(usize, u64, String)>,
    chain: std::collections::BTreeMap<u64, String>,
    heights: [u64; 4],
}

impl Processes {
    fn start(&mut self, folder: &Path, place: usize) {
        use std::io::BufRead as _;
        use std::process::{Command, Stdio};
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_child_process_runs_a_node", "--nocapture"])
            .env(CHILD, folder.join(format!("{place}/node.toml")))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let tell = self.tell.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // A line that the kill cut short has fewer digits.
                let mut words = line.split(' ');
                let said = (words.next(), words.next().and_then(|word| word.parse().ok()), words.next());
                if let (Some("FINAL"), Some(height), Some(digest)) = said
                    && digest.len() == 64
                {
                    let _ = tell.send((place, height, digest.to_owned()));
                }
            }
        });
        self.children[place] = Some(child);
        self.heights[place] = 0;
    }

    /// SIGKILL: the process does nothing more, whatever it was doing.
    fn kill(&mut self, place: usize) {
        let mut child = self.children[place].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// What was said up to now: one header at each height, whoever says it and however often.
    fn listen(&mut self) {
        while let Ok((place, height, digest)) = self.told.try_recv() {
            let known = self.chain.entry(height).or_insert_with(|| digest.clone());
            assert_eq!(*known, digest, "validator {place} says another header at height {height}");
            self.heights[place] = self.heights[place].max(height);
        }
        for place in 0..self.configs.len() {
            if let Some(child) = &mut self.children[place] {
                assert!(child.try_wait().unwrap().is_none(), "validator {place} ended by itself");
            }
        }
    }

    /// Waits until all say so many blocks more than anyone did.
    fn go_on(&mut self, blocks: u64) {
        self.listen();
        let goal = self.chain.keys().next_back().copied().unwrap_or(0) + blocks;
        for _ in 0..1_800 {
            self.listen();
            if self.heights.iter().all(|height| *height >= goal) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no progress to height {goal}: {:?}", self.heights);
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn processes_that_are_killed_at_any_moment_start_to_the_same_state() {
    use rand_core::{Rng as _, SeedableRng as _};
    let folder = tempfile::tempdir().unwrap();
    let configs = prepare(folder.path());
    let genesis = genesis(4);
    for (config, share) in configs.iter().zip(dkg::insecure_dealer(&genesis, [3; 32]).unwrap()) {
        share.write(&config.node.share).unwrap();
    }
    let (tell, told) = mpsc::unbounded_channel();
    let children = (0..4).map(|_| None).collect();
    let mut network = Processes { configs, children, told, tell, chain: Default::default(), heights: [0; 4] };
    for place in 0..4 {
        network.start(folder.path(), place);
    }
    network.go_on(2);
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
    for round in 0..6 {
        std::thread::sleep(Duration::from_millis(rng.next_u64() % 1_200));
        // One, some, at last all; also while they start.
        let victims: Vec<usize> = match round {
            5 => (0..4).collect(),
            _ => (0..4).filter(|_| rng.next_u32() % 2 == 0).collect(),
        };
        for again in [true, rng.next_u32() % 2 == 0] {
            victims.iter().filter(|_| again).for_each(|place| network.kill(*place));
            victims.iter().filter(|_| again).for_each(|place| network.start(folder.path(), *place));
            std::thread::sleep(Duration::from_millis(rng.next_u64() % 100));
        }
        network.go_on(2);
    }
    println!("{} blocks over 6 rounds of kills", network.chain.len());
}
