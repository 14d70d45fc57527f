//! The two networks: started once, ended with this process.

use crate::program::{Ran, program, zeugma};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use zeugma_peers::{Process, get, until};

/// Longest start of a network: four processes that make a key together, on a machine that is busy.
const START: Duration = Duration::from_secs(150);
/// Accounts of relayers: one for each watcher of each scenario.
const RELAYERS: usize = 12;
/// Whole seconds that a recovery waits.
pub(crate) const RECOVERY_DELAY: u64 = 5;

/// A running network.
pub(crate) struct Devnet {
    // Its guard ends it when this process ends, in whatever way.
    process: Process,
    pub(crate) nodes: Vec<String>,
    pub(crate) trust: PathBuf,
    token: PathBuf,
    account: PathBuf,
    relayers: Mutex<Vec<PathBuf>>,
    /// One account signs for all scenarios, one transaction after the other.
    turn: Mutex<()>,
}

/// The network that follows the foreign chains.
pub(crate) fn north() -> &'static Devnet {
    static NORTH: OnceLock<Devnet> = OnceLock::new();
    NORTH.get_or_init(|| Devnet::start("north", &[]))
}

/// The network that exchanges packets with the first.
pub(crate) fn south() -> &'static Devnet {
    static SOUTH: OnceLock<Devnet> = OnceLock::new();
    SOUTH.get_or_init(|| Devnet::start("south", &[]))
}

/// A file for what a process writes, emptied.
pub(crate) fn log(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("network-{name}.log"));
    fs::write(&path, "").unwrap();
    path
}

/// What the API of a node answers to anybody.
pub(crate) fn of(node: &str, path: &str) -> Value {
    let answer = get(node.strip_prefix("http://").unwrap().parse().unwrap(), path).unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

impl Devnet {
    /// Starts a network of this name; `more` are further flags of `zeugma devnet`.
    pub(crate) fn start(name: &str, more: &[&str]) -> Self {
        let (start, log) = (Instant::now(), log(name));
        let mut command = Command::new(program());
        command.args(["devnet", "--json", "--name", name]).args([
            "--relayers",
            &RELAYERS.to_string(),
            "--recovery-delay",
            &RECOVERY_DELAY.to_string(),
        ]);
        command.args(more);
        let mut process = Process::start(name, &mut command, &log).unwrap();
        let report: Value = until(&format!("the network {name}"), START, || {
            process.check()?;
            // Progress goes before it, and the one object is the last that is written.
            let text = fs::read_to_string(&log)?;
            Ok(text.find("\n{").and_then(|at| serde_json::from_str(&text[at..]).ok()))
        })
        .unwrap();
        let path = |value: &Value| PathBuf::from(value.as_str().unwrap());
        let account = path(&report["account"]);
        println!("network {name} after {:.1} s", start.elapsed().as_secs_f64());
        Self {
            process,
            nodes: report["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node.as_str().unwrap().into())
                .collect(),
            trust: path(&report["trust"]),
            token: account.with_file_name("token"),
            relayers: Mutex::new(report["relayers"].as_array().unwrap().iter().map(path).collect()),
            account,
            turn: Mutex::default(),
        }
    }

    /// A question by the command, to another node than writes go to.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Ran {
        zeugma(&[arguments, &["--node", &self.nodes[1]]].concat())
    }

    /// A transaction by the command, of the founding account.
    pub(crate) fn write(&self, arguments: &[&str]) -> Ran {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, account) = (self.token.to_str().unwrap(), self.account.to_str().unwrap());
        let fixed = ["--node", &self.nodes[0], "--token-file", token, "--key", account, "--wait", "60"];
        let ran = zeugma(&[arguments, &fixed].concat());
        self.everywhere();
        ran
    }

    /// Waits until what is final at the node that writes go to is so at those that are asked: final is no promise that
    /// every node has it at the same moment.
    fn everywhere(&self) {
        let height = |node: &str| of(node, "/v1/status")["height"].as_u64().unwrap();
        let written = height(&self.nodes[0]);
        for node in &self.nodes[1..] {
            until(&format!("{node} to have block {written}"), START, || {
                Ok((height(node) >= written).then_some(()))
            })
            .unwrap();
        }
    }

    /// What the API of the node that is asked answers.
    pub(crate) fn api(&self, path: &str) -> Value {
        of(&self.nodes[2], path)
    }

    /// How a client stands, over the API.
    pub(crate) fn client(&self, id: &str) -> Value {
        self.api(&format!("/v1/clients/{id}"))
    }

    /// The newest height that a client trusts, over the API.
    pub(crate) fn height(&self, id: &str) -> u64 {
        self.client(id)["latest"].as_u64().unwrap()
    }

    /// Waits until a client stands like this.
    #[track_caller]
    pub(crate) fn wait_for(
        &self,
        id: &str,
        what: &str,
        seconds: u64,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        self.becomes(id, what, seconds, holds).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// As [`Devnet::wait_for`], for those who expect that it never does.
    pub(crate) fn becomes(
        &self,
        id: &str,
        what: &str,
        seconds: u64,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let mut last = Value::Null;
        let found = until(&format!("{id} to be {what}"), Duration::from_secs(seconds), || {
            last = self.client(id);
            std::thread::sleep(Duration::from_millis(200));
            Ok(holds(&last).then(|| last.clone()))
        });
        found.with_context(|| format!("it is {last}"))
    }

    /// Ends every node of it, cleanly.
    pub(crate) fn stop(self) {
        self.process.stop().unwrap();
    }

    /// The key file of an account that nobody else has.
    pub(crate) fn relayer(&self) -> PathBuf {
        self.relayers.lock().unwrap().pop().expect("there is an account for each who asks")
    }

    /// The word that lets its holder submit.
    pub(crate) fn token(&self) -> String {
        fs::read_to_string(&self.token).unwrap().trim().to_owned()
    }

    /// One `[[hub]]` of a watcher's configuration, with an account that nobody else has.
    pub(crate) fn hub(&self, name: &str) -> String {
        self.hub_with(name, &self.token)
    }

    /// The same, with another file for the word that lets its holder submit.
    pub(crate) fn hub_with(&self, name: &str, token: &Path) -> String {
        let relayer = self.relayer();
        format!(
            "[[hub]]\nname = \"{name}\"\nendpoints = {:?}\ntoken_file = {token:?}\nkey_file = {relayer:?}\n",
            self.nodes
        )
    }
}
