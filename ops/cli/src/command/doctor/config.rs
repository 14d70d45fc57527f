//! What a configuration names: its relations, the keys, the genesis, the share, the peers.

use super::Finding;
use crate::{clock, files};
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;
use zeugma_client::Client;
use zeugma_ledger::{Genesis, PROGRAM};
use zeugma_node::{NodeConfig, dkg};

/// How long a peer may take to take a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// The configuration, read, and its relations.
pub(super) fn read(path: &Path) -> (Option<NodeConfig>, Finding) {
    const CHECK: &str = "configuration";
    let shown = path.display();
    let fix = format!("correct {shown}; ops/config/zeugma.toml explains every field");
    match NodeConfig::read(path) {
        Err(why) => (None, Finding::bad(CHECK, format!("{why:#}"), fix)),
        Ok(config) => match config.check() {
            Err(why) => {
                let finding = Finding::bad(CHECK, format!("{shown}: {why:#}"), fix);
                (Some(config), finding)
            }
            Ok(()) => (Some(config), Finding::good(CHECK, format!("{shown}: every relation holds"))),
        },
    }
}

/// Everything that a configuration names but the machine's own limits and its addresses.
pub(super) fn all(config: &NodeConfig, path: &Path) -> Vec<Finding> {
    let mut findings = vec![secret("identity permissions", &config.node.identity), identity(config)];
    let genesis = genesis(config);
    findings.push(match &genesis {
        Ok(genesis) => {
            let found = format!(
                "{}, network {}, {} validators",
                genesis.name,
                genesis.network(),
                genesis.validators.len()
            );
            Finding::good("genesis", found)
        }
        Err(finding) => finding.clone(),
    });
    if let Ok(genesis) = &genesis {
        findings.push(fits(config, path));
        findings.push(share(config, genesis, path));
    }
    if config.node.share.exists() {
        findings.push(secret("share permissions", &config.node.share));
    }
    findings
}

/// Whether others may read a file that holds a secret, or stand in for it.
fn secret(check: &'static str, path: &Path) -> Finding {
    let shown = path.display();
    let about = match std::fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(why) => {
            let fix = format!("zeugma keys new node --out {shown}, or restore it from a backup");
            return Finding::bad(check, format!("{shown}: {why}"), fix);
        }
    };
    if !about.is_file() {
        return Finding::bad(check, format!("{shown} is not a plain file"), format!("ls -l {shown}"));
    }
    let mode = about.mode() & 0o777;
    if mode & 0o077 != 0 {
        let found = format!("{shown}: others may read it (mode {mode:o}, needed 600)");
        return Finding::bad(check, found, format!("chmod 600 {shown}"));
    }
    let me = rustix::process::geteuid().as_raw();
    if about.uid() != me {
        let found = format!("{shown} belongs to user {}, this is user {me}", about.uid());
        return Finding::bad(check, found, format!("sudo chown \"$(id -un)\" {shown}"));
    }
    Finding::good(check, format!("{shown}, mode {mode:o}"))
}

fn identity(config: &NodeConfig) -> Finding {
    match dkg::read_identity(&config.node.identity) {
        Ok(_) => {
            Finding::good("identity", format!("{} is the key of a node", config.node.identity.display()))
        }
        Err(why) => {
            let fix = format!(
                "zeugma keys new node --out {}.new, or the chmod told",
                config.node.identity.display()
            );
            Finding::bad("identity", why, fix)
        }
    }
}

fn genesis(config: &NodeConfig) -> Result<Genesis, Finding> {
    let path = &config.node.genesis;
    let fix = format!("take the genesis that the other validators have: sha256sum {}", path.display());
    let bytes = files::read(path, zeugma_ledger::limits::MAX_GENESIS).map_err(|why| {
        Finding::bad("genesis", why.text(crate::output::Lang::En).trim().to_owned(), fix.clone())
    })?;
    Genesis::read(&bytes)
        .map_err(|refusal| Finding::bad("genesis", format!("{}: {refusal}", path.display()), fix))
}

/// Whether identity, genesis and peers are of one network.
fn fits(config: &NodeConfig, path: &Path) -> Finding {
    match config.examine() {
        Ok(()) => Finding::good("validators", "identity and peers are those of the genesis"),
        Err(why) => {
            let fix = format!("correct [[network.peers]] and node.identity in {}", path.display());
            Finding::bad("validators", format!("{why:#}"), fix)
        }
    }
}

fn share(config: &NodeConfig, genesis: &Genesis, path: &Path) -> Finding {
    const CHECK: &str = "share";
    let share = &config.node.share;
    if !share.exists() {
        let found = format!("{} is not there: the group key is not made yet", share.display());
        return Finding::bad(CHECK, found, format!("zeugma dkg --config {}", path.display()));
    }
    let read = dkg::KeyFile::read(share).and_then(|file| file.scheme(genesis).map(|_| file));
    match read {
        Ok(file) => {
            let made = match file.origin {
                zeugma_proof::KeyOrigin::Distributed { transcript } => format!("transcript {transcript}"),
                zeugma_proof::KeyOrigin::InsecureDealer => {
                    let found = "made by one dealer, who could sign alone: for trials only";
                    return Finding::note(CHECK, found, format!("zeugma dkg --config {}", path.display()));
                }
            };
            Finding::good(CHECK, format!("{} is of this genesis, {made}", share.display()))
        }
        Err(why) => {
            let fix = format!("restore {} from its backup; it cannot be made again", share.display());
            Finding::bad(CHECK, why, fix)
        }
    }
}

/// Whether the other validators take a connection. All are asked at once.
pub(super) fn peers(config: &NodeConfig) -> Vec<Finding> {
    const CHECK: &str = "peer";
    let own = config.network.listen;
    let addresses: BTreeSet<SocketAddr> =
        config.network.peers.iter().map(|peer| peer.address).filter(|address| *address != own).collect();
    let asked: Vec<_> = addresses
        .into_iter()
        .map(|address| (address, thread::spawn(move || TcpStream::connect_timeout(&address, CONNECT))))
        .collect();
    let finding =
        |(address, asked): (SocketAddr, thread::JoinHandle<std::io::Result<TcpStream>>)| match asked.join() {
            Ok(Ok(_)) => Finding::good(CHECK, format!("{address} takes a connection")),
            Ok(Err(why)) => Finding::note(
                CHECK,
                format!("{address}: {why}; a network goes on while a third or more is not missing"),
                format!("nc -vz {} {}, and ask who runs it", address.ip(), address.port()),
            ),
            Err(_) => Finding::note(CHECK, format!("{address} was not asked"), "zeugma doctor"),
        };
    asked.into_iter().map(finding).collect()
}

/// The node that runs under this configuration, if it does: its version, its clock, whether it goes on.
pub(super) fn running(config: &NodeConfig) -> Option<Finding> {
    const CHECK: &str = "running node";
    let url = format!("http://{}", config.api.listen);
    let mut client = Client::new(&url);
    if let Ok(token) = std::env::var("ZEUGMA_TOKEN") {
        client = client.with_token(&token);
    }
    let status = client.status().ok()?;
    if let Some(why) = status.stopped {
        return Some(Finding::bad(
            CHECK,
            format!("{url}: it stopped: {why}"),
            "put right what it says, start it again",
        ));
    }
    if status.program != PROGRAM {
        let found = format!("{url}: it is version {} of the rules, this command {PROGRAM}", status.program);
        return Some(Finding::bad(CHECK, found, "install one version of zeugma, start the node again"));
    }
    let certified = status.certified.map_or_else(
        || "no certified header yet".to_owned(),
        |(height, time)| format!("certified height {height} of {}", clock::show(time)),
    );
    Some(Finding::good(
        CHECK,
        format!("{url}: rules version {PROGRAM}, height {}, {certified}", status.height),
    ))
}
