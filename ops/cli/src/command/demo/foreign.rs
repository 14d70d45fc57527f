//! Real chains of another kind, for `--with cometbft`: four CometBFT validators, and a Cosmos chain whose stores are
//! proved by ICS-23.
//!
//! They are built with Go and started by `zeugma-peers`, the program of this clone that does so for the tests: the
//! product links nothing of it. Each runs as its child, and ends when its standard input closes, so also when this
//! process is killed.

use super::{Stage, unexpected};
use crate::command::client::{Begin, Pace, StoreFile, create_comet, update_comet};
use crate::failure::Failure;
use crate::files::{Readers, write_new};
use crate::route;
use crate::submit::Sender;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use zeugma_endpoint_cometbft::StoreKey;
use zeugma_profiles::Profile;
use zeugma_types::ClientId;

/// Longest start of a chain that is built already, on a busy machine; building adds to it, and tells of itself.
const START: Duration = Duration::from_secs(20 * 60);
/// Longest end of all its nodes.
const CLOSING: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);
/// What the account owns of at the genesis of the Cosmos chain, and what it does not.
const OWNED: &[u8] = b"uzeu";
const NOT_OWNED: &[u8] = b"tin";

/// The program that builds and starts real chains.
struct Peers(PathBuf);

impl Peers {
    /// Built anew where cargo runs this demo; else the one beside this program. It says at once if Go is missing.
    fn find(stage: &Stage<'_>) -> Result<Self, Failure> {
        let own = std::env::current_exe().map_err(|why| unexpected(&why.to_string()))?;
        let program = own.with_file_name("zeugma-peers");
        if let Some(cargo) = std::env::var_os("CARGO") {
            stage.story.line("cargo builds zeugma-peers, the program that starts real chains");
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
            let mut build = Command::new(cargo);
            build.args(["build", "--quiet", "--package", "zeugma-peers", "--bin", "zeugma-peers"]);
            build.arg("--manifest-path").arg(root).stdout(Stdio::null());
            if own.parent().is_some_and(|folder| folder.ends_with("release")) {
                build.arg("--release");
            }
            if !build.status().is_ok_and(|status| status.success()) {
                return Err(absent("zeugma-peers does not build", "cargo build -p zeugma-peers"));
            }
        }
        if !program.exists() {
            return Err(absent(
                &format!("{} is not there", program.display()),
                "run it from a clone: cargo demo --with cometbft",
            ));
        }
        // Without Go, or with one that is too old, it names the package that brings it.
        let listed = Command::new(&program).arg("list").stdin(Stdio::null()).output();
        let listed = listed.map_err(|why| absent(&why.to_string(), "cargo build -p zeugma-peers"))?;
        if !listed.status.success() {
            let said = String::from_utf8_lossy(&listed.stderr).trim().to_owned();
            return Err(absent(&said, "install Go as it says, and run the demo again; or leave out --with"));
        }
        Ok(Self(program))
    }

    fn start(&self, chain: &str) -> Result<Starting, Failure> {
        let mut child = Command::new(&self.0)
            .args(["start", chain, "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| absent(&why.to_string(), "check: ulimit -u"))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (sender, said) = channel();
        if let (Some(out), Some(err)) = (out, err) {
            let to = sender.clone();
            // They end with the child's pipes.
            std::thread::spawn(move || {
                BufReader::new(err)
                    .lines()
                    .map_while(Result::ok)
                    .try_for_each(|line| to.send(Said::Word(line)))
            });
            std::thread::spawn(move || {
                BufReader::new(out)
                    .lines()
                    .map_while(Result::ok)
                    .try_for_each(|line| sender.send(Said::Answer(line)))
            });
        }
        Ok(Starting { chain: chain.to_owned(), running: Running(child), said })
    }
}

fn absent(what: &str, todo: &str) -> Failure {
    Failure::unreachable(format!("--with cometbft: {what}"), todo)
}

enum Said {
    /// Progress, or why it failed.
    Word(String),
    /// Where the chain is.
    Answer(String),
}

/// A child that is ended by closing its input.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let end = Instant::now() + CLOSING;
        while matches!(self.0.try_wait(), Ok(None)) {
            if Instant::now() >= end {
                // Its nodes have guards of their own.
                let _ = self.0.kill();
                let _ = self.0.wait();
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// A chain on its way.
struct Starting {
    chain: String,
    running: Running,
    said: Receiver<Said>,
}

/// A chain that runs.
struct Chain {
    id: String,
    about: String,
    rpcs: Vec<String>,
    told: Value,
    _running: Running,
}

impl Starting {
    fn wait(mut self, stage: &Stage<'_>) -> Result<Chain, Failure> {
        let end = Instant::now() + START;
        let mut last = "it says nothing".to_owned();
        loop {
            match self.said.recv_timeout(LOOK) {
                Ok(Said::Answer(line)) => {
                    let told: Value =
                        serde_json::from_str(&line).map_err(|why| unexpected(&format!("{line}: {why}")))?;
                    return Chain::of(told, self.running).ok_or_else(|| unexpected(&line));
                }
                Ok(Said::Word(line)) => {
                    stage.story.line(&line);
                    last = line;
                }
                Err(_) => {
                    stage.interrupt.check()?;
                    if !matches!(self.running.0.try_wait(), Ok(None)) || Instant::now() >= end {
                        let what = format!("{} does not run: {last}", self.chain);
                        return Err(absent(
                            &what,
                            "put right what it says; cargo run -p zeugma-peers -- install",
                        ));
                    }
                }
            }
        }
    }
}

impl Chain {
    fn of(told: Value, running: Running) -> Option<Self> {
        let rpcs = told["rpc"].as_array()?.iter().map(|url| url.as_str().map(str::to_owned));
        Some(Self {
            id: told["chain_id"].as_str()?.to_owned(),
            about: told["about"].as_str()?.to_owned(),
            rpcs: rpcs.collect::<Option<_>>()?,
            told,
            _running: running,
        })
    }
}

/// Both chains, on their way while other chapters are told.
pub(super) struct Foreign {
    comet: Starting,
    simd: Starting,
}

impl Foreign {
    /// Begins to start them.
    pub(super) fn begin(stage: &Stage<'_>) -> Result<Self, Failure> {
        let peers = Peers::find(stage)?;
        stage.story.line(
            "a CometBFT network and a Cosmos chain begin to start beside; Go builds them the first time",
        );
        Ok(Self { comet: peers.start("cometbft-1.0")?, simd: peers.start("simd")? })
    }

    /// Follows both from network A, and proves keys of the latter.
    pub(super) fn play(self, stage: &Stage<'_>, account: &Sender<'_>) -> Result<Value, Failure> {
        let story = stage.story;
        story.chapter("A chain of another kind is followed: CometBFT");
        let comet = self.comet.wait(stage)?;
        story.line(&format!(
            "{}: {} validators run as processes, chain {}, key-value application",
            comet.about,
            comet.rpcs.len(),
            comet.id
        ));
        let comet_client = follow(stage, account, &comet, "local-cometbft")?;

        story.chapter("A Cosmos chain is followed, and one of its keys is proved by ICS-23");
        let simd = self.simd.wait(stage)?;
        story.line(&format!("{}: chain {}", simd.about, simd.id));
        let simd_client = follow(stage, account, &simd, "local-simd")?;
        let balances = simd.told["balances_key"].as_str().and_then(|key| hex::decode(key).ok());
        let balances = balances.ok_or_else(|| unexpected("simd names no account"))?;
        let owner = simd.told["account"].as_str().unwrap_or_default().to_owned();
        let key =
            |denomination: &[u8]| StoreKey { store: "bank".into(), key: [&balances, denomination].concat() };

        let held = prove(stage, account, &simd_client, &simd, &key(OWNED), "simd-balance.json")?;
        let amount = held.value.and_then(|value| String::from_utf8(value).ok());
        let amount = amount.ok_or_else(|| unexpected("the balance is no text"))?;
        story.line(&format!("so {owner} owned {amount} uzeu after block {}", held.height.get() - 1));
        let absent = prove(stage, account, &simd_client, &simd, &key(NOT_OWNED), "simd-absent.json")?;
        if absent.value.is_some() {
            return Err(unexpected("a coin that nobody made is owned"));
        }
        story.line("and no tin: the absence of the key is proved as strictly as the presence of the other");
        let code = flip(stage, "simd-balance.json", held.start_hash)?;
        let hash = hex::encode(held.start_hash);
        drop((comet, simd));
        story.line("both chains have ended");
        Ok(json!({
            "cometbft_client": comet_client.as_str(),
            "simd_client": simd_client.as_str(),
            "account": owner,
            "balance": amount,
            "header_hash": hash,
            "judged_at": crate::clock::show(crate::clock::now()),
            "flipped": code,
        }))
    }
}

/// A client of `chain` on network A, from its second header on to the newest.
fn follow(
    stage: &Stage<'_>,
    account: &Sender<'_>,
    chain: &Chain,
    shipped: &str,
) -> Result<ClientId, Failure> {
    let story = stage.story;
    let text = zeugma_profiles::shipped(shipped).ok_or_else(|| unexpected("a profile is not shipped"))?;
    let Ok(Profile::CometBft(profile)) = zeugma_profiles::parse(text, None) else {
        return Err(unexpected("a shipped profile is not of a CometBFT chain"));
    };
    let (message, header) = create_comet(profile, &chain.rpcs, &Begin::FirstUse { height: Some(2) })?;
    let client = route::created(&account.send(vec![message])?.events)?;
    story.line(&format!(
        "A follows it as {client} from header {}; this demo started the chain and believes its first header, elsewhere \
         an operator gives its hash",
        header.height
    ));
    let moved = update_comet(account, &client, &chain.rpcs, None, Pace::Skipping, &|_| {})?;
    story.line(&format!(
        "A moves it from header {} to {} in {} step{}: A's validators checked that more than two thirds of the power signed",
        moved.from,
        moved.to,
        moved.steps,
        if moved.steps == 1 { "" } else { "s" }
    ));
    Ok(client)
}

/// Writes the proof of a key, and verifies it from the file alone.
fn prove(
    stage: &Stage<'_>,
    account: &Sender<'_>,
    client: &ClientId,
    chain: &Chain,
    key: &StoreKey,
    name: &str,
) -> Result<crate::command::client::Shown, Failure> {
    let file = StoreFile::prove(account.client(), client, &chain.rpcs, key)?;
    let (path, bytes) = (stage.out.join(name), file.to_json());
    write_new(&path, &bytes, Readers::Anyone)?;
    stage.story.line(&format!("{name} written, {} bytes", bytes.len()));
    let start = Instant::now();
    let refused = |refusal| Failure::refused(name, refusal);
    let hash = file.verify(None, crate::clock::now()).map_err(refused)?.start_hash;
    let shown = StoreFile::read(&path)?.verify(Some(hash), crate::clock::now()).map_err(refused)?;
    stage.story.line(&format!(
        "verified offline in {:.1} ms: key in store, store in the root that header {} carries, header signed by the \
         chain's validators",
        start.elapsed().as_secs_f64() * 1_000.0,
        shown.height
    ));
    Ok(shown)
}

/// Another value under the same proof is refused.
fn flip(stage: &Stage<'_>, name: &str, hash: [u8; 32]) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(stage.out.join(name)).map_err(|why| unexpected(&why.to_string()))?;
    let mut file: Value = serde_json::from_str(&text).map_err(|why| unexpected(&why.to_string()))?;
    let value = file["value"].as_str().ok_or_else(|| unexpected("the proof is of no value"))?;
    // The amount with another first digit.
    let other = if value.starts_with("31") { "39" } else { "31" }.to_owned() + &value[2..];
    file["value"] = other.into();
    let path = stage.trash.join(name);
    write_new(&path, file.to_string().as_bytes(), Readers::Owner)?;
    match StoreFile::read(&path)?.verify(Some(hash), crate::clock::now()) {
        Ok(_) => Err(unexpected("another balance was accepted under the same proof")),
        Err(refusal) => {
            let code = refusal.code;
            stage.story.line(&format!(
                "another amount under the same proof is refused: {} {}, {}",
                code.number(),
                code.name(),
                code.en()
            ));
            Ok(json!({ "code": code.number(), "name": code.name() }))
        }
    }
}

/// How each of its files is verified again: at the time of the demo, since a header is trusted for a period only.
pub(super) fn commands(program: &str, out: &Path, told: &Value) -> Vec<String> {
    let at = |name: &str| told[name].as_str().unwrap_or_default();
    let (hash, time) = (at("header_hash"), at("judged_at"));
    ["simd-balance.json", "simd-absent.json"]
        .map(|name| {
            format!("{program} client verify-key {} --hash {hash} --time {time}", out.join(name).display())
        })
        .into()
}
