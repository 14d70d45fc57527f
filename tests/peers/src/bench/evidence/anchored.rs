//! From a deposit to its anchored bundle: a service, and four validators that it anchors with.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::load::millis;
use super::service::{Service, Settings};
use super::wire::Wire;
use crate::process::{Process, tail};
use crate::wait;

const STARTING: Duration = Duration::from_secs(120);
/// Deposits that are followed, and how far they lie apart.
const FOLLOWED: u64 = 200;
const APART: Duration = Duration::from_millis(97);
/// Entries before them, so that the first anchor, which also registers the origin, is not among what is measured.
const BEFORE: u64 = 1_000;

pub(super) fn run(program: &Path, home: &Path) -> Result<Value> {
    fs::create_dir_all(home)?;
    let log = home.join("devnet.log");
    let mut command = Command::new(program);
    command.args(["devnet", "--json", "--insecure-dealer", "--dir"]).arg(home.join("devnet"));
    let mut network = Process::start("the devnet", &mut command, &log)?;
    let told = wait::until("a devnet", STARTING, || {
        network.check()?;
        Ok(told(&fs::read_to_string(&log)?))
    })
    .with_context(|| tail(&log, 20))?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("the devnet says it otherwise");
    let (node, account) = (text(&told["nodes"][0])?, text(&told["account"])?);
    let token_file = home.join("token");
    fs::write(&token_file, text(&told["token"])?)?;
    let account: Value = serde_json::from_slice(&fs::read(account)?)?;
    let settings = Settings {
        publish_milliseconds: Some(250),
        account: Some(text(&account["secret"])?),
        more: format!("[chain]\nnode = {node:?}\ntoken_file = {token_file:?}\nanchor_seconds = 1\n"),
        ..Settings::default()
    };
    let service = Service::start(program, &home.join("service"), &settings)?;
    ensure!(service.deposit(0, BEFORE)?.0 == 201, "the first deposit");
    bundled(&service, BEFORE - 1)?;
    let start = Instant::now();
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..FOLLOWED)
            .map(|number| {
                let service = &service;
                scope.spawn(move || -> Result<Duration> {
                    let due = start + APART * u32::try_from(number).expect("few are followed");
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let (status, answer) = service.deposit(BEFORE + number, 1)?;
                    ensure!(status == 201, "{status}: {answer}");
                    bundled(service, answer["items"][0]["index"].as_u64().context("no position")?)?;
                    Ok(due.elapsed())
                })
            })
            .collect();
        threads.into_iter().map(|one| one.join().expect("a follower does not panic")).collect::<Result<_>>()
    })?;
    service.stop()?;
    network.stop()?;
    let found = json!({
        "validators": 4,
        "deposits": took.len(),
        "anchor_seconds": 1,
        "publish_milliseconds": 250,
        "p50_ms": millis(&mut took, 500),
        "p99_ms": millis(&mut took, 990),
    });
    eprintln!("zeugma, anchored bundle: {found}");
    Ok(found)
}

/// Waits until an entry is anchored, and fetches its bundle.
fn bundled(service: &Service, index: u64) -> Result<()> {
    let mut wire = Wire::open(service.address())?;
    let path = format!("/v1/entries/0/{index}?wait=30&for=anchored");
    let (status, standing) = service.ask_on(&mut wire, "GET", &path, "")?;
    let standing: Value = serde_json::from_slice(&standing)?;
    ensure!(status == 200 && standing["anchored_at"].is_u64(), "not anchored in 30 s: {standing}");
    let (status, bundle) = service.ask_on(&mut wire, "GET", &format!("/v1/entries/0/{index}/bundle"), "")?;
    ensure!(status == 200 && bundle.len() > 1_000, "no bundle: {status}");
    Ok(())
}

/// The one JSON object among lines for people.
fn told(log: &str) -> Option<Value> {
    let from = log.find("{\n").or_else(|| log.find("{\""))?;
    serde_json::Deserializer::from_str(&log[from..]).into_iter().next()?.ok()
}
