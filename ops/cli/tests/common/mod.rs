//! Runs the built command in a folder of its own, and reads the shared vectors.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may; each test file uses some of these")]

pub(crate) mod service;

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Fails the test unless the command ended so.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// What it printed under `--json`.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}", self.out))
    }
}

/// A folder in which the command runs, so that names in its reports are the same everywhere.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let done = Command::new(env!("CARGO_BIN_EXE_zeugma"))
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
    }
}

/// A network of real node processes; it ends with this value.
pub(crate) struct Net {
    owner: Child,
    folder: String,
    /// What `zeugma devnet --json` told.
    pub(crate) said: Value,
}

impl Net {
    /// Starts it in the folder `name` of the desk, its key made by a dealer.
    pub(crate) fn start(desk: &Desk, name: &str, more: &[&str]) -> Self {
        Self::start_with(desk, name, more, &[])
    }

    /// The same in another environment.
    pub(crate) fn start_with(desk: &Desk, name: &str, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut owner = Command::new(env!("CARGO_BIN_EXE_zeugma"))
            .args(["devnet", "--insecure-dealer", "--json", "--name", name, "--dir", name])
            .args(more)
            .envs(environment.iter().copied())
            .current_dir(desk.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut report = String::new();
        for line in BufReader::new(owner.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            report.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let said = serde_json::from_str(&report).unwrap_or_else(|why| panic!("{name}: {why}: {report}"));
        Self { owner, folder: name.to_owned(), said }
    }

    /// Where the API of a node is.
    pub(crate) fn node(&self, place: usize) -> &str {
        self.said["nodes"][place].as_str().unwrap()
    }

    /// `zeugma tx` of its founding account, at its first node.
    pub(crate) fn tx(&self, desk: &Desk, arguments: &[&str]) -> Ran {
        self.tx_of(desk, &format!("{}/account.json", self.folder), arguments)
    }

    /// `zeugma tx` of another account.
    pub(crate) fn tx_of(&self, desk: &Desk, key: &str, arguments: &[&str]) -> Ran {
        let token = format!("{}/token", self.folder);
        let fixed = ["--node", self.node(0), "--token-file", &token, "--key", key, "--json"];
        desk.run(&[&["tx"], arguments, &fixed].concat())
    }

    /// `zeugma query`, at its first node.
    pub(crate) fn query(&self, desk: &Desk, arguments: &[&str]) -> Ran {
        desk.run(&[&["query"], arguments, &["--node", self.node(0), "--json"]].concat())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // Its nodes end when their owner does.
        let _ = self.owner.kill();
        let _ = self.owner.wait();
    }
}

/// One case of the vectors that every verifier shares.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) trust: Vec<u8>,
    pub(crate) proof: Vec<u8>,
    pub(crate) arguments: Vec<String>,
    pub(crate) code: Option<u64>,
}

/// The cases of `tests/vectors/proof/NAME`.
pub(crate) fn cases(name: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/proof").join(name);
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let case = |case: &Value| {
        let seconds = case["time"].as_u64().unwrap();
        let mut arguments = vec!["--time".to_owned(), rfc3339(seconds)];
        if case["reliance"] == "destination" {
            arguments.push("--destination".to_owned());
        }
        if let Some(path) = case["path"].as_str() {
            let (number, inside) = (path[..4].to_owned(), &path[12..]);
            arguments.extend(["--path".to_owned(), format!("{}:0x{inside}", namespace(&number))]);
        }
        if let Some(value) = case["value"].as_str() {
            arguments.extend(["--value".to_owned(), value.to_owned()]);
        }
        Case {
            name: case["name"].as_str().unwrap().to_owned(),
            trust: bytes(&all["trust_files"][case["trust"].as_str().unwrap()]),
            proof: bytes(&case["proof"]),
            arguments,
            code: case["code"].as_u64(),
        }
    };
    all["cases"].as_array().unwrap().iter().map(case).collect()
}

/// The case of that name.
pub(crate) fn case(file: &str, name: &str) -> Case {
    cases(file).into_iter().find(|case| case.name == name).unwrap()
}

fn namespace(number: &str) -> &'static str {
    let names =
        ["ibc", "handover", "standing", "closed", "retraction", "anchor", "split-view", "client", "registry"];
    names[usize::from_str_radix(number, 16).unwrap() - 1]
}

/// All vectors lie in January 2026.
fn rfc3339(millis: u64) -> String {
    let since = millis.checked_sub(1_767_225_600_000).unwrap();
    let (day, rest) = (since / 86_400_000, since % 86_400_000);
    assert!(day < 31);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!("2026-01-{:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", day + 1, rest % 1_000)
}
