//! A Zeugma network whose committee certified two histories: each validator's files stand twice, and the copies are kept
//! apart. Whoever compares their nodes freezes the client that follows it.

use crate::program::program;
use crate::world::{Devnet, log, north, of};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use zeugma_peers::{Port, Process, copy_tree, until};

const VALIDATORS: usize = 4;
/// Longest start of four validators that have their key, on a machine that is busy.
const START: Duration = Duration::from_secs(120);

/// One history: four processes over the files in a folder.
struct History {
    nodes: Vec<String>,
    _processes: Vec<Process>,
    _ports: Vec<Port>,
}

impl History {
    /// Starts the validators whose files stand in `home`, each where nobody else listens.
    fn go_on(name: &str, home: &Path) -> Self {
        let file = |place: usize| home.join(format!("node-{place}")).join("node.toml");
        let read = |place| fs::read_to_string(file(place)).unwrap().parse::<toml::Table>().unwrap();
        let mut configs: Vec<toml::Table> = (0..VALIDATORS).map(read).collect();
        let mut ports: BTreeMap<String, Port> = BTreeMap::new();
        let mut moved = |address: &mut toml::Value| {
            let old = address.as_str().unwrap().to_owned();
            let port = ports.entry(old).or_insert_with(|| Port::claim().unwrap());
            *address = port.address().to_string().into();
        };
        let mut nodes = Vec::new();
        for config in &mut configs {
            moved(&mut config["network"]["listen"]);
            for peer in config["network"]["peers"].as_array_mut().unwrap() {
                moved(&mut peer["address"]);
            }
            moved(&mut config["api"]["listen"]);
            nodes.push(format!("http://{}", config["api"]["listen"].as_str().unwrap()));
        }
        let start = |(place, config): (usize, &toml::Table)| {
            fs::write(file(place), config.to_string()).unwrap();
            let mut command = Command::new(program());
            command.arg("node").arg("--config").arg(file(place));
            let name = format!("twins-{name}-{place}");
            Process::start(&name, &mut command, &log(&name)).unwrap()
        };
        let processes = configs.iter().enumerate().map(start).collect();
        Self { nodes, _processes: processes, _ports: ports.into_values().collect() }
    }

    /// Waits until every node is above a height.
    fn beyond(&self, height: u64) {
        for node in &self.nodes {
            until(&format!("{node} to be above block {height}"), START, || {
                // Until it listens there is no answer.
                let up =
                    zeugma_peers::get(node.strip_prefix("http://").unwrap().parse().unwrap(), "/v1/status");
                Ok((up.is_ok() && of(node, "/v1/status")["height"].as_u64().unwrap() > height).then_some(()))
            })
            .unwrap();
        }
    }
}

#[test]
fn two_certified_histories_of_a_zeugma_network_freeze_the_client() {
    // First: networks that start at the same moment look for free ports at the same moment.
    let north = north();
    let folder = tempfile::tempdir().unwrap();
    let homes: [PathBuf; 2] = ["one", "other"].map(|name| folder.path().join(name));
    let net = Devnet::start("twins", &["--dir", homes[0].to_str().unwrap()]);
    let trust = net.trust.clone();
    until("a few blocks", START, || {
        Ok((net.api("/v1/status")["height"].as_u64().unwrap() >= 3).then_some(()))
    })
    .unwrap();
    net.stop();
    copy_tree(&homes[0], &homes[1]).unwrap();
    let [one, other] = [0, 1].map(|place: usize| History::go_on(&place.to_string(), &homes[place]));
    let shared = of_both(&one, &other);

    let begin = ["client", "create", "--profile", "local-zeugma", "--other", &one.nodes[0], "--other-trust"];
    let created = north.write(&[&begin[..], &[trust.to_str().unwrap()]].concat()).done();
    let client = created["client"].as_str().unwrap();
    let compare = |node: &str| {
        north.write(&["client", "misbehaviour", client, "--other", &one.nodes[0], "--other", node])
    };
    compare(&one.nodes[1]).refused("NotThere");
    assert_eq!(north.client(client)["status"], "active");

    // A block is final without a certificate of its own where a later one has it: then the next are compared.
    until("one height with two certificates", Duration::from_secs(60), || {
        let ran = compare(&other.nodes[0]);
        if !ran.is_done() {
            ran.refused("NotThere");
            return Ok(None);
        }
        Ok(Some(()))
    })
    .unwrap();
    let frozen = north.client(client);
    assert_eq!(frozen["status"], "frozen", "{frozen}");
    assert!(frozen["frozen"]["height"].as_u64().unwrap() > shared, "{frozen}");
}

/// The last height at which both have one block, once both are beyond it.
fn of_both(one: &History, other: &History) -> u64 {
    let header = |history: &History, height: u64| of(&history.nodes[0], &format!("/v1/headers/{height}"));
    for height in 3..200 {
        for history in [one, other] {
            history.beyond(height);
        }
        if header(one, height) != header(other, height) {
            return height - 1;
        }
    }
    panic!("the two are not apart");
}
