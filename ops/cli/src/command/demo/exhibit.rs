//! The evidence service takes a file: receipt, checkpoint, anchor, bundle, rule verdict, and the verification of it all.
//!
//! The service is the product's, in a folder of its own, with the demo's network as its relay chain.

use super::evidence::Exhibit;
use super::{PATIENCE, Stage, unexpected};
use crate::clock;
use crate::command::evidence::{At, Service};
use crate::command::{rules, verify};
use crate::devnet::Network;
use crate::failure::{Failure, Rule};
use crate::files::{Readers, write_new};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use zeugma_evidence_service::{Chain, Config, RunError, Started, run_with};
use zeugma_evidence_verify::report::Integrity;

/// Between two looks at where an entry stands.
const LOOK: Duration = Duration::from_millis(100);
/// How often the demo's service anchors.
const EVERY: Duration = Duration::from_millis(500);
/// The pack that judges the exhibit.
const PACK: &str = "spc-online-litigation";

/// The running service.
struct Running {
    started: Started,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Running {
    fn start(folder: &Path, network: &Network) -> Result<Self, Failure> {
        let mut config = Config::default();
        folder.clone_into(&mut config.log.folder);
        config.log.origin = "evidence.example/demo".to_owned();
        config.log.publish_milliseconds = 100;
        config.api.listen.set_port(0);
        let chain =
            Chain { client: network.client(0), account: network.account().secret().clone(), every: EVERY };
        let (stop, stopped) = watch::channel(false);
        let (send, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = runtime.map_err(|why| RunError::System { what: "the runtime".to_owned(), why })?;
            // The receiver waits for one message, and gives up only with the whole demo.
            let started = |started: &Started| drop(send.send(started.clone()));
            runtime.block_on(run_with(config, Some(chain), stopped, started))
        });
        match told.recv_timeout(PATIENCE) {
            Ok(started) => Ok(Self { started, stop, thread: Some(thread) }),
            Err(_) => Err(unexpected("the evidence service did not start")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // What it could not do was told where it mattered.
            let _ = thread.join();
        }
    }
}

/// Deposits the exhibit, follows it to its anchor, and writes the bundle with all that judges it.
pub(super) fn play(stage: &Stage<'_>, network: &Network, exhibit: &Exhibit) -> Result<Value, Failure> {
    let story = stage.story;
    let running = Running::start(&stage.trash.join("evidence"), network)?;
    let token = running.started.token_file.clone().ok_or_else(|| unexpected("the service made no token"))?;
    let service = Service::new(&At::new(format!("http://{}", running.started.address), token))?;
    story.line(&format!("{} takes deposits; only digests are sent to it", running.started.origin));

    let file = exhibit.file(stage.out);
    let size = std::fs::metadata(&file).map_err(|why| Failure::unreadable(&file, &why))?.len();
    let item = json!({
        "digests": { "sha256": exhibit.digest() },
        "media_type": "application/octet-stream",
        "size": size,
        "origin": "the demo",
        "custom": {},
    });
    let asked = Instant::now();
    let answer = service.json("POST", "/v1/deposits", None, Some(&json!({ "items": [item] })))?;
    let deposited = &answer["items"][0];
    let entry = format!("{}/{}", deposited["shard"], deposited["index"]);
    let took = asked.elapsed().as_secs_f64() * 1_000.0;
    story.line(&format!(
        "entry {entry} is on disk, and a signed receipt promises it to the log: {took:.1} ms"
    ));

    for state in ["logged", "anchored"] {
        wait(stage, &service, &entry, state, asked)?;
    }
    let bundle = service.bytes(&format!("/v1/entries/{entry}/bundle"))?;
    let policy = service.bytes("/v1/policy")?;
    for (name, bytes) in [("exhibit.bundle", &bundle), ("policy.zeugma", &policy)] {
        write_new(&stage.out.join(name), bytes, Readers::Anyone)?;
    }
    story.line(&format!(
        "exhibit.bundle written, {} bytes: record, salts, log proof, one proof",
        bundle.len()
    ));
    drop(running);

    let start = Instant::now();
    let judge = |file: &Path| verify::judge_bundle(&bundle, file, &policy, network.trust(), clock::now());
    let report = judge(&file)?;
    if report.integrity != Integrity::Proven {
        return Err(unexpected("the bundle does not show that the file is unchanged"));
    }
    let took = start.elapsed().as_secs_f64() * 1_000.0;
    story.line(&format!(
        "verified offline, the service being gone, in {took:.1} ms: the file is the one deposited"
    ));
    let other = stage.trash.join("other");
    write_new(&other, b"another file", Readers::Owner)?;
    if judge(&other)?.integrity != Integrity::Refuted {
        return Err(unexpected("the bundle was accepted for another file"));
    }
    story.line(&format!(
        "for another file the same bundle is refused: {} FileDiffers",
        Rule::FileDiffers.number()
    ));

    let verdict = rules::judge(PACK, &facts(&service_times(&report)))?;
    write_new(&stage.out.join("exhibit.verdict"), &verdict.bytes(), Readers::Anyone)?;
    for head in verdict.to_json()["heads"].as_object().into_iter().flatten() {
        story.line(&format!(
            "{PACK}: {} {}",
            head.0,
            head.1.as_str().unwrap_or("not asked").replace('_', " ")
        ));
    }
    Ok(json!({ "entry": entry, "bundle": stage.out.join("exhibit.bundle").display().to_string() }))
}

fn wait(
    stage: &Stage<'_>,
    service: &Service,
    entry: &str,
    state: &str,
    since: Instant,
) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        stage.interrupt.check()?;
        let standing = service.json("GET", &format!("/v1/entries/{entry}"), None, None)?;
        if standing["state"] == state || standing["state"] == "anchored" {
            let took = since.elapsed().as_secs_f64();
            stage.story.line(&format!("{state} {took:.1} s after the deposit"));
            return Ok(());
        }
        if Instant::now() > end {
            let todo = "run it again with --keep and read the nodes' logs";
            return Err(Failure::own(Rule::TooSlow, "the exhibit", format!("it is not {state} yet"), todo));
        }
        std::thread::sleep(LOOK);
    }
}

/// When it was received and anchored, in milliseconds.
fn service_times(report: &zeugma_evidence_verify::Report) -> (Option<u64>, Option<u64>) {
    let received = report.received.as_ref().map(|moment| moment.at.get());
    (received, report.anchored.first().map(|moment| moment.at.get()))
}

/// What the report showed, as facts for rules; nothing is declared.
fn facts((received, anchored): &(Option<u64>, Option<u64>)) -> Value {
    let mut times = serde_json::Map::new();
    for (name, time) in [("received_at", received), ("anchored_at", anchored)] {
        if let Some(time) = time {
            times.insert(name.to_owned(), (*time).into());
        }
    }
    json!({
        "shown": {
            "content": "same",
            "log": { "inclusion": true },
            "anchor": { "certified": anchored.is_some() },
            "times": times,
            "algorithms": { "living": true },
        }
    })
}
