//! The evidence service takes a file: receipt, checkpoint, anchor, rule verdict, time-stamp, bundle, and the verification of it all.
//!
//! The service is the product's, in a folder of its own, with the demo's network as its relay chain.

use super::authority::Authority;
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
use zeugma_evidence_rules::Verdict;
use zeugma_evidence_service::judging::facts::When;
use zeugma_evidence_service::{AuthorityConfig, Chain, Config, PackConfig, RunError, Started, run_with};
use zeugma_evidence_verify::report::{Integrity, Word};
use zeugma_evidence_verify::{Bundle, Policy};
use zeugma_types::{Decode as _, Encode as _};

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
    fn start(folder: &Path, network: &Network, authority: &Authority) -> Result<Self, Failure> {
        let mut config = Config::default();
        folder.clone_into(&mut config.log.folder);
        config.log.origin = "evidence.example/demo".to_owned();
        config.log.publish_milliseconds = 100;
        config.api.listen.set_port(0);
        config.rules.pack.push(PackConfig {
            file: PACK.into(),
            digest: hex::encode(rules::pack::read(PACK)?.digest()),
            when: When::Anchored,
            needed: Vec::new(),
        });
        config.authority.push(AuthorityConfig {
            institution: "the demo's time authority".to_owned(),
            url: authority.url(),
            anchor: authority.anchor(),
            ca: None,
            policies: Vec::new(),
        });
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
    let authority = Authority::start(stage)?;
    let running = Running::start(&stage.trash.join("evidence"), network, &authority)?;
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

    for step in Step::ALL {
        wait(stage, &service, &entry, step, asked)?;
    }
    let made_by = authority.made_by();
    story.line(&format!(
        "its authority was made a moment ago by {made_by}: the demo's policy does not believe it"
    ));
    let bytes = service.bytes(&format!("/v1/entries/{entry}/bundle"))?;
    let policy = unbelieving(&service.bytes("/v1/policy")?)?;
    for (name, bytes) in [("exhibit.bundle", &bytes), ("policy.zeugma", &policy)] {
        write_new(&stage.out.join(name), bytes, Readers::Anyone)?;
    }
    story.line(&format!(
        "exhibit.bundle written, {} bytes: record, salts, log proof, one proof, time-stamp, verdict",
        bytes.len()
    ));
    drop((running, authority));

    let start = Instant::now();
    let judge = |file: &Path| verify::judge_bundle(&bytes, file, &policy, network.trust(), clock::now());
    let report = judge(&file)?;
    if report.integrity != Integrity::Proven {
        return Err(unexpected("the bundle does not show that the file is unchanged"));
    }
    if !report.not_shown.iter().any(|line| line.word == Word::UnknownAuthority) {
        return Err(unexpected("the report does not say that the time authority is not believed"));
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

    tell_verdicts(stage, &bytes)?;
    Ok(json!({ "entry": entry, "bundle": stage.out.join("exhibit.bundle").display().to_string() }))
}

/// What happens to an entry after its receipt.
#[derive(Clone, Copy, Debug)]
enum Step {
    Logged,
    Anchored,
    Judged,
    Stamped,
}

impl Step {
    const ALL: [Self; 4] = [Self::Logged, Self::Anchored, Self::Judged, Self::Stamped];

    const fn name(self) -> &'static str {
        match self {
            Self::Logged => "logged",
            Self::Anchored => "anchored",
            Self::Judged => "judged by the rule pack",
            Self::Stamped => "stamped by a time authority",
        }
    }

    /// Whether an entry that stands so is there.
    fn is_done(self, standing: &Value) -> bool {
        let all = |list: &str, member: &str| {
            let of = standing[list].as_array();
            of.is_some_and(|of| !of.is_empty() && of.iter().all(|one| !one[member].is_null()))
        };
        match self {
            Self::Logged => standing["state"] != "received",
            Self::Anchored => standing["state"] == "anchored",
            Self::Judged => all("verdicts", "given_at"),
            Self::Stamped => all("stamps", "stamped_at"),
        }
    }
}

fn wait(
    stage: &Stage<'_>,
    service: &Service,
    entry: &str,
    step: Step,
    since: Instant,
) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        stage.interrupt.check()?;
        let standing = service.json("GET", &format!("/v1/entries/{entry}"), None, None)?;
        if step.is_done(&standing) {
            let took = since.elapsed().as_secs_f64();
            stage.story.line(&format!("{} {took:.1} s after the deposit", step.name()));
            return Ok(());
        }
        if Instant::now() > end {
            let found = format!("it is not {} yet", step.name());
            let todo = "run it again with --keep and read the nodes' logs";
            return Err(Failure::own(Rule::TooSlow, "the exhibit", found, todo));
        }
        std::thread::sleep(LOOK);
    }
}

/// The service's policy without the authority that the demo made for itself.
fn unbelieving(policy: &[u8]) -> Result<Vec<u8>, Failure> {
    let read = Policy::from_bytes(policy).map_err(|refusal| Failure::refused("the policy", refusal))?;
    Ok(Policy { authorities: Vec::new(), ..read }.to_bytes())
}

/// Tells the heads of each verdict in the bundle.
fn tell_verdicts(stage: &Stage<'_>, bundle: &[u8]) -> Result<(), Failure> {
    let refused = |refusal| Failure::refused("the bundle", refusal);
    for verdict in Bundle::from_bytes(bundle).map_err(refused)?.verdicts {
        let verdict = Verdict::from_bytes(&verdict.statement).map_err(refused)?.to_json();
        for (head, found) in verdict["heads"].as_object().into_iter().flatten() {
            let found = found.as_str().unwrap_or("not asked").replace('_', " ");
            stage.story.line(&format!("{PACK}: {head} {found}"));
        }
    }
    Ok(())
}
