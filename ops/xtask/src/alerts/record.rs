//! Records the series of a real network in trouble, and writes them as a test of the rules.
//!
//! Two networks of four validators and a watcher between them run as processes of the program. Each node of the
//! first and the watcher are scraped as Prometheus does, every [`EVERY`]. What happens, in seconds:
//!
//! ```text
//!    0  all is well
//!   60  someone submits a client update with a forged certificate; validator 3 is killed; the second network is
//!       killed, so that the clients of it can no longer be kept fresh
//!  330  validator 2 is killed: no quorum is left
//!  450  the end
//! ```
//!
//! What must be raised, and when, follows from this list and the rules' own times by plain arithmetic,
//! never from what Prometheus said.

use super::{RULES, TESTS, names, read, rules::Rules};
use crate::child::Child;
use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child as Process, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Between two scrapes.
const EVERY: u64 = 5;
/// Prometheus looks at the rules so often.
const EVALUATION: u64 = 15;
/// When trouble begins, when it grows, and the end.
const TROUBLE: u64 = 60;
const NO_QUORUM: u64 = 330;
const END: u64 = 450;
/// Trusting period of the clients. A quarter of it is longer than the minute for which half of it must hold.
const TRUSTING: u64 = 400;
/// Where the watcher tells.
const WATCHER: &str = "127.0.0.1:29464";
/// How long any one thing may take to begin.
const LIMIT: Duration = Duration::from_secs(90);

/// Alerts that this recording says nothing of, and why.
const UNDECIDED: [(&str, &str); 2] = [
    ("FinalitySlow", "how long the turn of a dead leader takes is a matter of the machine"),
    ("ViewsNullified", "it must hold for ten minutes: longer than the recording"),
];

/// Runs a network into trouble and writes `tests/alerts/recorded.yml`; about nine minutes.
///
/// # Errors
/// When the network does not come up.
pub(crate) fn run() -> Result<()> {
    Child::cargo(["build", "--package", "zeugma"]).minutes(60).run()?;
    let program = workspace::target()?.join("debug/zeugma");
    let home = workspace::target()?.join("alerts/record");
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
    }
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    let stage = Stage { program, home };

    let mut one = stage.network("one")?;
    let mut two = stage.network("two")?;
    let client = stage.connect(&one, &two)?;
    let watcher = stage.watcher()?;
    let mut targets: Vec<Target> = (one.urls.iter().enumerate())
        .map(|(place, url)| Target::new("zeugma-node", &format!("node-{place}"), url))
        .collect();
    targets.push(Target::new("zeugma-relay", "watcher", &format!("http://{WATCHER}")));
    let begin = Instant::now();
    while targets.iter().any(|target| target.scrape().is_none_or(|text| !text.contains("zeugma_"))) {
        ensure!(begin.elapsed() < LIMIT, "not every program tells its metrics: {}", stage.home.display());
        thread::sleep(Duration::from_millis(200));
    }

    let used: BTreeSet<String> = names::names_in(&read(RULES)?).collect();
    let mut recording = Recording { used, ticks: 0, series: BTreeMap::new() };
    let start = Instant::now();
    for at in (0..=END).step_by(usize::try_from(EVERY)?) {
        thread::sleep(Duration::from_secs(at).saturating_sub(start.elapsed()));
        if at == TROUBLE {
            stage.forge(&two, &client)?;
            one.kill(3)?;
            (0..two.nodes.len()).try_for_each(|place| two.kill(place))?;
        }
        if at == NO_QUORUM {
            one.kill(2)?;
        }
        recording.take(&targets);
        if at % 60 == 0 {
            println!("{at} of {END} s, {} series", recording.series.len());
        }
    }
    drop((watcher, one, two));
    let rules = Rules::parse(&read(RULES)?)?;
    let file = workspace::root().join(TESTS).join("recorded.yml");
    fs::write(&file, recording.test(&rules)?).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{} written; `cargo xtask alerts` runs it", file.display());
    Ok(())
}

/// A process that ends with this value, and by itself when this one is gone: it holds the other end of its stdin.
struct Owned(Process);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Stage {
    program: PathBuf,
    home: PathBuf,
}

/// The running validators of a network.
struct Network {
    name: &'static str,
    urls: Vec<String>,
    nodes: Vec<Option<Owned>>,
}

impl Network {
    fn kill(&mut self, place: usize) -> Result<()> {
        drop(self.nodes[place].take().with_context(|| format!("{} node {place} is gone", self.name))?);
        Ok(())
    }
}

impl Stage {
    fn start(&self, name: &str, arguments: &[&str]) -> Result<Owned> {
        let log = fs::File::create(self.home.join(format!("{name}.log")))?;
        let process = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        Ok(Owned(process))
    }

    /// Makes a network by `zeugma devnet`, ends that, and runs each validator as a process of our own.
    fn network(&self, name: &'static str) -> Result<Network> {
        let fixed =
            ["devnet", "--insecure-dealer", "--json", "--name", name, "--dir", name, "--relayers", "1"];
        let mut maker = self.start(name, &fixed)?;
        let mut report = String::new();
        for line in BufReader::new(maker.0.stdout.take().context("its report")?).lines() {
            let line = line?;
            report.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let report: Value = serde_json::from_str(&report).with_context(|| format!("{name}: {report:?}"))?;
        let urls: Vec<String> = report["nodes"]
            .as_array()
            .context("nodes")?
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        // As Ctrl-C would: the storage is closed.
        Child::new("kill").args(["-TERM".to_owned(), maker.0.id().to_string()]).run()?;
        maker.0.wait()?;
        let nodes = (0..urls.len())
            .map(|place| {
                let config = format!("{name}/node-{place}/node.toml");
                self.start(&format!("{name}-{place}"), &["node", "--with-parent", "--config", &config])
                    .map(Some)
            })
            .collect::<Result<Vec<_>>>()?;
        let network = Network { name, urls, nodes };
        let begin = Instant::now();
        for url in &network.urls {
            while self.ask(&["query", "status", "--node", url]).is_err() {
                ensure!(
                    begin.elapsed() < LIMIT,
                    "{name}: {url} does not answer; see {}",
                    self.home.display()
                );
                thread::sleep(Duration::from_millis(200));
            }
        }
        Ok(network)
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let done =
            Command::new(&self.program).args(arguments).arg("--json").current_dir(&self.home).output()?;
        ensure!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        Ok(serde_json::from_slice(&done.stdout)?)
    }

    fn tx(&self, at: &Network, arguments: &[&str]) -> Result<Value> {
        let (key, token) = (format!("{}/account.json", at.name), format!("{}/token", at.name));
        let fixed = ["--node", &at.urls[0], "--key", &key, "--token-file", &token];
        self.ask(&[&["tx"], arguments, &fixed].concat())
    }

    /// A client on each of the other; gives that on the first.
    fn connect(&self, one: &Network, two: &Network) -> Result<String> {
        let trusting = TRUSTING.to_string();
        let create = |at: &Network, of: &Network| -> Result<String> {
            let trust = format!("{}/trust.json", of.name);
            let more = ["--other", &of.urls[0], "--other-trust", &trust, "--trusting-period", &trusting];
            let made = self.tx(at, &[&["create-client"][..], &more].concat())?;
            let mut events = made["events"].as_array().into_iter().flatten();
            let created = events.find(|event| event["name"] == "client-created").context("no client")?;
            Ok(created["client"].as_str().context("no client")?.to_owned())
        };
        let (of_two, of_one) = (create(one, two)?, create(two, one)?);
        self.tx(one, &["register-counterparty", "--client", &of_two, "--counterparty", &of_one])?;
        self.tx(two, &["register-counterparty", "--client", &of_one, "--counterparty", &of_two])?;
        let hub = |network: &Network| {
            format!(
                "[[hub]]\nname = \"{0}\"\nendpoints = [\"{1}\"]\nkey_file = \"{0}/relayer-0.json\"\ntoken_file = \"{0}/token\"\n\n",
                network.name, network.urls[0]
            )
        };
        let text = format!(
            "queue = \"watcher.redb\"\nmetrics = \"{WATCHER}\"\n\n{}{}[[route]]\nname = \"one-two\"\na = {{ hub = \"one\", \
             client = \"{of_two}\" }}\nb = {{ hub = \"two\", client = \"{of_one}\" }}\n",
            hub(one),
            hub(two)
        );
        fs::write(self.home.join("relay.toml"), text)?;
        Ok(of_two)
    }

    fn watcher(&self) -> Result<Owned> {
        self.start("watcher", &["relay", "run", "--config", "relay.toml"])
    }

    /// Submits an update of the first network's client whose certificate has one bit changed.
    fn forge(&self, two: &Network, client: &str) -> Result<()> {
        let text = get(&two.urls[0], "/v1/certificates/latest").context("no certificate")?;
        let found: Value = serde_json::from_str(&text)?;
        let hex = |name: &str| found[name].as_str().map(str::to_owned).context("no bytes");
        // No hand-over, the header, its certificate; the signature is the certificate's end.
        let digits = format!("00000000{}{}", hex("header")?, hex("certificate")?);
        let mut update = (0..digits.len() / 2)
            .map(|at| Ok(u8::from_str_radix(&digits[2 * at..2 * at + 2], 16)?))
            .collect::<Result<Vec<u8>>>()?;
        *update.last_mut().context("no signature")? ^= 1;
        fs::write(self.home.join("forged.bin"), update)?;
        let one = Network { name: "one", urls: vec![self.first_url()?], nodes: Vec::new() };
        match self.tx(&one, &["update-client", "--client", client, "--update", "forged.bin"]) {
            Ok(_) => bail!("a forged update was accepted"),
            Err(error) => {
                println!("forged: {}", error.to_string().lines().next().unwrap_or_default());
                Ok(())
            }
        }
    }

    fn first_url(&self) -> Result<String> {
        let config = fs::read_to_string(self.home.join("relay.toml"))?;
        let line = config.lines().find_map(|line| line.strip_prefix("endpoints = [\"")?.strip_suffix("\"]"));
        Ok(line.context("no endpoint")?.to_owned())
    }
}

/// One page by HTTP, or nothing when nobody answers.
fn get(url: &str, path: &str) -> Option<String> {
    let address = url.strip_prefix("http://")?.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(4))).ok()?;
    // Version 1.0, so that the answer comes in one piece and the connection ends with it.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.lines().next()?.contains(" 200 ").then(|| body.to_owned())
}

/// What is scraped.
struct Target {
    job: &'static str,
    instance: String,
    url: String,
}

impl Target {
    fn new(job: &'static str, instance: &str, url: &str) -> Self {
        Self { job, instance: instance.to_owned(), url: url.to_owned() }
    }

    fn scrape(&self) -> Option<String> {
        get(&self.url, "/metrics")
    }

    /// A series' name with the labels that Prometheus adds.
    fn named(&self, name: &str, labels: &str) -> String {
        let comma = if labels.is_empty() { "" } else { ", " };
        format!(
            "{name}{{job=\"{}\", instance=\"{}\"{comma}{}}}",
            self.job,
            self.instance,
            labels.replace(",", ", ")
        )
    }
}

/// Samples by series; nothing where a scrape had none.
struct Recording {
    used: BTreeSet<String>,
    ticks: usize,
    series: BTreeMap<String, Vec<Option<String>>>,
}

impl Recording {
    fn take(&mut self, targets: &[Target]) {
        for target in targets {
            let text = target.scrape();
            self.put(target.named("up", ""), if text.is_some() { "1" } else { "0" });
            for line in text.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#')) {
                let Some((series, value)) = line.rsplit_once(' ') else { continue };
                let (name, labels) = series
                    .split_once('{')
                    .map_or((series, ""), |(name, rest)| (name, rest.trim_end_matches('}')));
                if self.used.contains(name) {
                    self.put(target.named(name, labels), value);
                }
            }
        }
        self.ticks += 1;
    }

    fn put(&mut self, series: String, value: &str) {
        let samples = self.series.entry(series).or_default();
        samples.resize(self.ticks, None);
        samples.push(Some(value.to_owned()));
    }

    /// The second at which every series of a metric is first at or below `bound` of another of the same labels.
    fn falls_to(&self, part: &str, whole: f64, bound: f64) -> Result<u64> {
        let at = self.series.iter().filter(|(name, _)| name.starts_with(part)).map(|(_, samples)| {
            samples.iter().position(|sample| {
                let value = sample.as_deref().and_then(|sample| sample.parse::<f64>().ok());
                value.is_some_and(|value| value / whole <= bound)
            })
        });
        let last = at.collect::<Option<Vec<usize>>>().and_then(|at| at.into_iter().max());
        Ok(u64::try_from(last.with_context(|| format!("{part} never falls to {bound} of {whole}"))?)? * EVERY)
    }

    /// What must be raised at which second: from the list of what was done, the rules' own times, and one look at the
    /// rules after each.
    fn expected(&self) -> Result<Vec<(u64, Vec<&'static str>)>> {
        let look = EVALUATION + EVERY;
        // Half holds for a minute before it is told, and ends where a quarter begins.
        let expires = "zeugma_relay_client_expires_in_seconds";
        let left = |bound: f64| self.falls_to(expires, TRUSTING as f64, bound);
        let (half, quarter, expired) = (left(0.5)? + 60 + look, left(0.25)? + look, left(0.0)? + look);
        let raised = [
            ("CertificatesRefused", TROUBLE + look, END),
            ("NodeDown", TROUBLE + 60 + look, END),
            // A validator is heard for ten seconds after its last vote.
            ("QuorumMarginThin", TROUBLE + 10 + 120 + look, END),
            ("ClientExpiresHalf", half, left(0.25)? - EVERY),
            ("ClientExpiresQuarter", quarter, left(0.0)? - EVERY),
            ("ClientExpired", expired, END),
            ("ChainHalted", NO_QUORUM + 60 + 30 + look, END),
        ];
        let mut looks: BTreeSet<u64> = raised.iter().map(|(_, from, _)| *from).collect();
        looks.extend([TROUBLE - EVERY, END]);
        let at = |time: u64| raised.iter().filter(move |(_, from, until)| (*from..=*until).contains(&time));
        // Between the end of one state and the first look at the next, nothing is said.
        let unsure = |time: u64| {
            let begins = [
                TROUBLE,
                TROUBLE + 60,
                TROUBLE + 130,
                half - look,
                quarter - look,
                expired - look,
                NO_QUORUM + 90,
            ];
            begins.iter().any(|begin| (*begin..begin + look).contains(&time))
        };
        Ok(looks
            .into_iter()
            .filter(|time| *time <= END && !unsure(*time))
            .map(|time| (time, at(time).map(|(name, ..)| *name).collect()))
            .collect())
    }

    /// The file that `promtool test rules` reads.
    fn test(&self, rules: &Rules) -> Result<String> {
        let undecided: Vec<&str> = UNDECIDED.iter().map(|(name, _)| *name).collect();
        for name in &undecided {
            ensure!(rules.alerts.iter().any(|alert| alert.name == *name), "there is no alert {name}");
        }
        let mut text = String::from(
            "# Recorded, not written: `cargo xtask alerts --record` ran two networks and a watcher into trouble and scraped\n\
             # them. ops/xtask/src/alerts/record.rs tells what was done at which second, and why each alert must be raised.\n",
        );
        for (name, why) in UNDECIDED {
            writeln!(text, "# Nothing is said of {name}: {why}.")?;
        }
        write!(
            text,
            "rule_files:\n  - ../../{RULES}\nevaluation_interval: {EVALUATION}s\n\ntests:\n  - name: a real network in trouble\n    \
             interval: {EVERY}s\n    input_series:\n"
        )?;
        for (series, samples) in &self.series {
            writeln!(text, "      - series: '{series}'\n        values: '{}'", values(samples, self.ticks))?;
        }
        text.push_str("    promql_expr_test:\n");
        for (time, raised) in self.expected()? {
            write!(
                text,
                "      - expr: 'group by (alertname) (ALERTS{{alertstate=\"firing\", alertname!~\"{}\"}})'\n        \
                 eval_time: {time}s\n        exp_samples:",
                undecided.join("|")
            )?;
            if raised.is_empty() {
                text.push_str(" []");
            }
            for name in raised {
                write!(text, "\n          - {{ labels: '{{alertname=\"{name}\"}}', value: 1 }}")?;
            }
            text.push('\n');
        }
        Ok(text)
    }
}

/// Samples as promtool reads them: equal ones together, and one that is gone marked as Prometheus marks it.
fn values(samples: &[Option<String>], ticks: usize) -> String {
    let mut words: Vec<(String, usize)> = Vec::new();
    let mut before = false;
    for at in 0..ticks {
        let sample = samples.get(at).and_then(Option::as_ref);
        let word = match sample {
            Some(value) => value.clone(),
            None if before => "stale".to_owned(),
            None => "_".to_owned(),
        };
        before = sample.is_some();
        match words.last_mut() {
            Some((last, count)) if *last == word => *count += 1,
            _ => words.push((word, 1)),
        }
    }
    let word = |(word, count): &(String, usize)| match (word.as_str(), count) {
        (word, 1) => word.to_owned(),
        ("_", count) => format!("_x{count}"),
        // A repetition counts what comes after the first.
        (word, count) => format!("{word}x{}", count - 1),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_promtool_reads_them() {
        let sample = |text: &str| (text != "-").then(|| text.to_owned());
        let samples: Vec<_> = "- - 3 3 3 4 - - - 5".split(' ').map(sample).collect();
        assert_eq!(values(&samples, 12), "_x2 3x2 4 stale _x2 5 stale _");
    }

    #[test]
    fn what_is_expected_follows_from_what_was_done() {
        let mut recording = Recording { used: BTreeSet::new(), ticks: 0, series: BTreeMap::new() };
        for at in (0..=END).step_by(5) {
            // Created ten seconds before, and never moved: half is left at 190 s, a quarter at 290 s, nothing at 390 s.
            let left = i64::try_from(TRUSTING).unwrap() - i64::try_from(at).unwrap() - 10;
            recording.put("zeugma_relay_client_expires_in_seconds{chain=\"one\"}".into(), &left.to_string());
            recording.ticks += 1;
        }
        let expected = recording.expected().unwrap();
        let at = |time: u64| expected.iter().rev().find(|(from, _)| *from <= time).unwrap().1.clone();
        assert!(at(55).is_empty());
        assert_eq!(at(200), ["CertificatesRefused", "NodeDown"]);
        assert_eq!(
            at(END),
            ["CertificatesRefused", "NodeDown", "QuorumMarginThin", "ClientExpired", "ChainHalted"]
        );
        for name in ["ClientExpiresHalf", "ClientExpiresQuarter"] {
            assert!(expected.iter().any(|(_, raised)| raised.contains(&name)), "{name}: {expected:?}");
        }
    }
}
