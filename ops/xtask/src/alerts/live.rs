//! A real Prometheus on loopback, with the configuration that is shipped, scraping series of a node, a
//! watcher, an evidence service and a witness that a small exporter serves.
//!
//! The series come in three steps: healthy, healthy twenty seconds later, sick. On the second every panel must show
//! something and no alert may be raised; on the third exactly [`RAISED`] must be.

use super::rules::Rules;
use super::{CONFIG, RULES, TESTS, panels::Panel, read};
use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child as Process, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the sick network must raise. The others need longer than a short run lasts.
const RAISED: [&str; 26] = [
    "AnchorsLate",
    "AuthorityClockDisagrees",
    "CertificatesRefused",
    "ClientExpired",
    "ClientExpiresQuarter",
    "ClientFrozen",
    "ClockOff",
    "CosignaturesLate",
    "DiskFillsSoon",
    "DiskLow",
    "EndpointDisagreement",
    "FinalitySlow",
    "IndexBehind",
    "LogForked",
    "MempoolFull",
    "NodeBehind",
    "OldestPacketTooOld",
    "QuarantineWaits",
    "QuorumMarginThin",
    "ReceiptsSlow",
    "StampsLate",
    "StoreRefuses",
    "ViewsNullified",
    "WebhookDisabled",
    "WebhooksLate",
    "WitnessRefusesLog",
];

/// What the shipped configuration says, and what a short run takes instead.
const PACE: [(&str, &str); 2] = [
    ("scrape_interval: 5s", "scrape_interval: 250ms"),
    ("evaluation_interval: 15s", "evaluation_interval: 250ms"),
];
/// The jobs of the shipped configuration with their targets, and the name of their series.
const JOBS: [(&str, &str); 4] = [
    ("127.0.0.1:7780", "node"),
    ("127.0.0.1:9464", "relay"),
    ("127.0.0.1:7470", "evidence"),
    ("127.0.0.1:7475", "witness"),
];

/// How long any one thing may take.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Runs it.
///
/// # Errors
/// With what Prometheus did not say, or said and should not have.
pub(crate) fn run(server: &Path, rules: &Rules, panels: &[Panel]) -> Result<()> {
    let home = workspace::target()?.join("alerts/live");
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
    }
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    let exporters = JOBS.map(|(_, name)| Exporter::start(name)).into_iter().collect::<Result<Vec<_>>>()?;
    let mut config = read(CONFIG)?;
    for (old, new) in PACE {
        config = replace_once(&config, old, new)?;
    }
    for ((target, _), exporter) in JOBS.into_iter().zip(&exporters) {
        config = replace_once(&config, target, &exporter.address.to_string())?;
    }
    fs::write(home.join("prometheus.yml"), config)?;
    fs::write(home.join("zeugma.rules.yml"), read(RULES)?)?;
    let serve = |step: &str| exporters.iter().try_for_each(|exporter| exporter.serve(step));

    serve("healthy-1")?;
    let prometheus = Prometheus::start(server, &home)?;
    prometheus.until("it is ready", || prometheus.get("/-/ready").map(|_| ()))?;
    prometheus.until("the first series are scraped", || scraped(&prometheus, "healthy-1"))?;
    serve("healthy-2")?;
    prometheus.until("the second series are scraped", || scraped(&prometheus, "healthy-2"))?;
    healthy(&prometheus, rules, panels)?;
    serve("sick")?;
    prometheus.until("the sick series are scraped", || scraped(&prometheus, "sick"))?;
    prometheus.until("the alerts of the sick series are raised", || sick(&prometheus, rules))?;
    println!(
        "{} panels show something; healthy series raise nothing, sick ones {}",
        panels.len(),
        RAISED.len()
    );
    Ok(())
}

fn replace_once(text: &str, old: &str, new: &str) -> Result<String> {
    let found = text.matches(old).count();
    ensure!(found == 1, "{CONFIG}: `{old}` stands there {found} times");
    Ok(text.replace(old, new))
}

/// Whether Prometheus has the sample that only this step's series hold.
fn scraped(prometheus: &Prometheus, step: &str) -> Result<()> {
    for (metric, job) in [
        ("zeugma_chain_height", "node"),
        ("zeugma_relay_client_expires_in_seconds{chain=\"hub\",client=\"cometbft-0\"}", "relay"),
        ("zeugma_evidence_log_size", "evidence"),
        ("zeugma_evidence_witness_size{origin=\"evidence.example/log\"}", "witness"),
    ] {
        let series = read(&format!("{TESTS}/series/{step}-{job}.prom"))?;
        let line = series.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        let wanted = line.with_context(|| format!("{step}: no {metric}"))?;
        let found = prometheus.query(&format!("{metric} == {wanted}"))?;
        ensure!(!found.is_empty(), "{metric} is not {wanted} yet");
    }
    Ok(())
}

fn healthy(prometheus: &Prometheus, rules: &Rules, panels: &[Panel]) -> Result<()> {
    // A rule that was evaluated on the first step only knows no second sample: wait for the next round.
    prometheus.until("healthy series raise nothing", || {
        let states = prometheus.rules()?;
        let loaded: BTreeSet<&str> = states.keys().map(String::as_str).collect();
        let shipped: BTreeSet<&str> = rules.alerts.iter().map(|alert| alert.name.as_str()).collect();
        ensure!(loaded == shipped, "Prometheus has {loaded:?}");
        let raised: Vec<_> = states.iter().filter(|(_, state)| *state != "inactive").collect();
        ensure!(raised.is_empty(), "{raised:?}");
        Ok(())
    })?;
    // A panel that shows nothing must be found.
    let planted = Panel { title: "planted".to_owned(), queries: vec!["zeugma_chain_nothing".to_owned()] };
    ensure!(empty(prometheus, &[planted])?.len() == 1, "a panel that shows nothing was not found");
    let empty = empty(prometheus, panels)?;
    ensure!(empty.is_empty(), "{}", empty.join("\n"));
    Ok(())
}

/// Queries that give no series.
fn empty(prometheus: &Prometheus, panels: &[Panel]) -> Result<Vec<String>> {
    let mut empty = Vec::new();
    for panel in panels {
        for query in &panel.queries {
            if prometheus.query(query).with_context(|| panel.title.clone())?.is_empty() {
                empty.push(format!("{}: `{query}` shows nothing", panel.title));
            }
        }
    }
    Ok(empty)
}

fn sick(prometheus: &Prometheus, rules: &Rules) -> Result<()> {
    let states = prometheus.rules()?;
    for alert in &rules.alerts {
        let state = states.get(&alert.name).map_or("not loaded", String::as_str);
        let wanted: &[&str] = match (RAISED.contains(&alert.name.as_str()), alert.waits) {
            (true, true) => &["pending", "firing"],
            (true, false) => &["firing"],
            (false, _) => &["inactive"],
        };
        ensure!(wanted.contains(&state), "{} is {state}", alert.name);
    }
    let raised = prometheus.get("/api/v1/alerts")?["data"]["alerts"].to_string();
    ensure!(!raised.contains("error expanding template") && !raised.contains("no value"), "{raised}");
    Ok(())
}

/// Serves the series of one job under `/metrics`, whatever is asked.
struct Exporter {
    name: &'static str,
    address: SocketAddr,
    text: Arc<Mutex<String>>,
}

impl Exporter {
    fn start(name: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port on loopback")?;
        let address = listener.local_addr()?;
        let text = Arc::new(Mutex::new(String::new()));
        let served = Arc::clone(&text);
        // The thread ends with the program; a connection that breaks is the reader's affair.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let body = served.lock().map(|text| text.clone()).unwrap_or_default();
                // The node's engine writes OpenMetrics, which ends by this mark; the watcher the older text.
                let form = if body.ends_with("# EOF\n") {
                    "application/openmetrics-text; version=1.0.0"
                } else {
                    "text/plain; version=0.0.4"
                };
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: {form}; charset=utf-8\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Ok(Self { name, address, text })
    }

    fn serve(&self, step: &str) -> Result<()> {
        let text = read(&format!("{TESTS}/series/{step}-{}.prom", self.name))?;
        *self.text.lock().ok().context("the exporter panicked")? = text;
        Ok(())
    }
}

/// A running Prometheus; it ends with this value.
struct Prometheus {
    process: Mutex<Process>,
    address: SocketAddr,
    log: std::path::PathBuf,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if let Ok(process) = self.process.get_mut() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Prometheus {
    fn start(server: &Path, home: &Path) -> Result<Self> {
        // Prometheus does not tell which port it took, so one is chosen that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = home.join("log");
        let out = fs::File::create(&log)?;
        let process = Command::new(server)
            .current_dir(home)
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"])
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {}", server.display()))?;
        Ok(Self { process: Mutex::new(process), address, log })
    }

    /// Tries until it works.
    fn until(&self, what: &str, mut works: impl FnMut() -> Result<()>) -> Result<()> {
        let started = Instant::now();
        loop {
            let Err(error) = works() else { return Ok(()) };
            let ended = self.process.lock().ok().and_then(|mut process| process.try_wait().ok().flatten());
            if ended.is_some() || started.elapsed() > LIMIT {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("waiting until {what}: {error:#}\n{log}");
            }
            thread::sleep(POLL);
        }
    }

    /// What it answers: JSON, or null for a page that is none.
    fn get(&self, path: &str) -> Result<Value> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        // Version 1.0, so that the answer comes in one piece and the connection ends with it.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer of HTTP")?;
        ensure!(head.lines().next().is_some_and(|line| line.contains(" 200 ")), "{path}: {body}");
        Ok(serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn query(&self, query: &str) -> Result<Vec<Value>> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = self.get(&format!("/api/v1/query?query={encoded}"))?;
        let found = &answer["data"]["result"];
        found.as_array().cloned().with_context(|| format!("`{query}` gives no series: {answer}"))
    }

    /// Every alert with its state; an error when one could not be evaluated.
    fn rules(&self) -> Result<BTreeMap<String, String>> {
        let answer = self.get("/api/v1/rules?type=alert")?;
        let groups = answer["data"]["groups"].as_array().context("no groups")?;
        let mut states = BTreeMap::new();
        for rule in groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten()) {
            let name = rule["name"].as_str().context("a rule without a name")?.to_owned();
            ensure!(rule["health"] == "ok", "{name}: {} {}", rule["health"], rule["lastError"]);
            states.insert(name, rule["state"].as_str().context("no state")?.to_owned());
        }
        Ok(states)
    }
}
