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
    assert!(refused(&|config| config.node.share = config.node.identity.clone()).contains("different places"));
    assert!(NodeConfig::parse("[node]\nunknown = 1").unwrap_err().to_string().contains("unknown"));
}
