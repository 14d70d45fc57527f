//! The audit log: who read or changed what, and when, in a log of its own beside the evidence.
//!
//! It is the same machinery under the origin `<origin>/audit`, in the folder `audit`: the same segments, trees, checkpoints,
//! anchors, and the same `fsck`. An act is a record whose content is a line of JSON:
//!
//! ```text
//! { "n": "<this start>-<number>", "at": ms, "tenant": …, "role": …, "token": …, "what": "entry.bundle",
//!   "entry": "0/17" | "query": "<SHA-256>" | "name": …, "outcome": "done" | "begun" | "<code> <name>" }
//! ```
//!
//! The public leaf holds salted commitments alone; the line stays with the service and in the bundle that an auditor
//! fetches. An answer leaves when its act is durable, and not without; what changes something is told before it is done
//! (`begun`) and after. Acts that wait at one time share one sync.

use crate::access::{Role, Tenant, TokenFile};
use crate::config::Config;
use crate::desk::{Desk, now};
use crate::files::{self, Readers};
use crate::keys::{Keys, random};
use crate::metrics::{Metrics, head};
use crate::store::{Batch, Deposit, Disk, Position, RealDisk};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::{CustomField, Field, Record, Seed};
use zeugma_types::{Code, Refusal, Side};

/// The tenant under which acts are logged.
const TENANT: &str = "audit";
/// The custom field with the line.
const ACT: &str = "act";
/// The media type of the line.
const MEDIA_TYPE: &str = "application/vnd.zeugma.act+json";
/// Longest text from outside in a line, in bytes: with all of them the line is a custom field still.
const LONGEST_TEXT: usize = 256;
/// How often and how long an act waits for an index that is being rebuilt.
const TRIES: u32 = 100;
const TRY: Duration = Duration::from_millis(20);
/// Longest file with the tokens that were told of, in bytes.
const LONGEST_SEEN: u64 = 16 * 1024 * 1024;

/// What an act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The service as a whole.
    Service,
    /// An entry.
    Entry(Position),
    /// A search, by the SHA-256 of what was asked.
    Query([u8; 32]),
    /// Something with a name.
    Name(String),
}

/// How an act ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is about to be done.
    Begun,
    /// It was done.
    Done,
    /// It was not, for this.
    Refused(String),
}

/// Who did it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'a> {
    /// Who showed a token.
    Tenant(&'a Tenant),
    /// Whoever may write the service's folder.
    Machine,
}

/// The audit log of a service.
#[derive(Debug)]
pub(crate) struct Audit {
    desk: Arc<Desk>,
    metrics: Arc<Metrics>,
    /// Of this start: no two acts are the same record.
    start: String,
    number: AtomicU64,
    recorded: AtomicU64,
    failed: AtomicU64,
}

/// The configuration of the audit log beside a log of this configuration.
fn beside(config: &Config) -> Config {
    let mut own = Config { log: config.log.clone(), ..Config::default() };
    own.log.folder = config.log.folder.join("audit");
    own.log.twin = config.log.twin.as_ref().map(|twin| twin.join("audit"));
    own.log.origin = origin_of(&config.log.origin);
    own
}

/// The origin of the audit log beside this log.
#[must_use]
pub fn origin_of(origin: &str) -> String {
    format!("{origin}/audit")
}

/// Opens the audit log beside the log of this configuration, or makes one. When the log goes on under another origin, so does
/// this one.
///
/// # Errors
/// As [`Desk::open`].
pub fn open_desk(config: &Config, keys: &Keys) -> Result<Desk, Refusal> {
    open_desk_on(config, keys, &(Arc::new(RealDisk) as Arc<dyn Disk>))
}

fn open_desk_on(config: &Config, keys: &Keys, disk: &Arc<dyn Disk>) -> Result<Desk, Refusal> {
    let open = |config: &Config| Desk::open_beside(config, keys.clone(), Arc::clone(disk));
    let own = beside(config);
    let folder = &own.log.folder;
    files::make_dir(folder).map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))?;
    match open(&own) {
        Err(Refusal { code: Code::WrongOrigin, needed: Side::Text(old), .. }) => {
            let mut before = own.clone();
            before.log.origin = old;
            let desk = open(&before)?;
            // What stands under the old name is published under it before that shard is closed.
            desk.publish()?;
            desk.log().roll(&own.log.origin)?;
            drop(desk);
            open(&own)
        }
        opened => opened,
    }
}

/// At most so much of a text from outside, cut between characters.
fn bounded(text: &str) -> &str {
    let end = (0..=text.len().min(LONGEST_TEXT)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

fn text(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::StoreFailed).found(format!("the audit log: {error}"))
}

impl Audit {
    /// Opens it beside the log of this configuration.
    ///
    /// # Errors
    /// As [`open_desk`].
    pub(crate) fn open(config: &Config, keys: &Keys) -> Result<Self, Refusal> {
        Self::open_on(config, keys, &(Arc::new(RealDisk) as Arc<dyn Disk>))
    }

    /// As [`Audit::open`], on this disk.
    pub(crate) fn open_on(config: &Config, keys: &Keys, disk: &Arc<dyn Disk>) -> Result<Self, Refusal> {
        let start = random().map_err(text)?;
        Ok(Self {
            desk: Arc::new(open_desk_on(config, keys, disk)?),
            metrics: Arc::new(Metrics::new(now())),
            start: hex::encode(&start[..8]),
            number: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    /// The desk under which the acts stand.
    pub(crate) const fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Of the publication and the anchors of this log.
    pub(crate) const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Records an act. It is durable when this returns.
    ///
    /// # Errors
    /// [`Code::StoreFull`], [`Code::StoreFailed`], [`Code::QueueFull`], [`Code::IndexBehind`]: then it may not be told
    /// to whoever asked either.
    pub(crate) async fn record(
        &self,
        who: Who<'_>,
        what: &str,
        about: &About,
        ended: &Ended,
    ) -> Result<(), Refusal> {
        let recorded = self.append(who, what, about, ended).await;
        match &recorded {
            Ok(()) => self.recorded.fetch_add(1, Ordering::Relaxed),
            Err(refusal) => {
                tracing::error!(%refusal, what, "an act could not be told to the audit log; it is refused");
                self.failed.fetch_add(1, Ordering::Relaxed)
            }
        };
        recorded
    }

    async fn append(&self, who: Who<'_>, what: &str, about: &About, ended: &Ended) -> Result<(), Refusal> {
        let at = now();
        let (tenant, role, token) = match who {
            Who::Tenant(tenant) => (tenant.name.as_str(), Role::name(tenant.role), tenant.token.as_str()),
            Who::Machine => ("", "machine", ""),
        };
        let mut act = json!({
            "n": format!("{}-{}", self.start, self.number.fetch_add(1, Ordering::Relaxed)),
            "at": at.get(),
            "tenant": bounded(tenant),
            "role": role,
            "token": bounded(token),
            "what": what,
            "outcome": match ended {
                Ended::Begun => "begun",
                Ended::Done => "done",
                Ended::Refused(why) => bounded(why),
            },
        });
        match about {
            About::Service => {}
            About::Entry(position) => act["entry"] = json!(format!("{}/{}", position.shard, position.index)),
            About::Query(digest) => act["query"] = json!(hex::encode(digest)),
            About::Name(name) => act["name"] = json!(bounded(name)),
        }
        let line = act.to_string().into_bytes();
        let record = Record::new(vec![
            Field::Sha256(sha256(&[&line])),
            Field::MediaType(MEDIA_TYPE.to_owned()),
            Field::Size(line.len() as u64),
            Field::Submitter("service".to_owned()),
            Field::Source(self.desk.origin()),
            Field::Custom(CustomField { name: ACT.to_owned(), value: line }),
        ])?;
        let seed = Seed::new(random().map_err(text)?);
        let log = self.desk.log();
        let item = log.prepare(Deposit { tenant: TENANT.to_owned(), record, seed, received_at: at.get() })?;
        let mut tries = 0;
        loop {
            let (send, answer) = oneshot::channel();
            log.submit(Batch { items: vec![item.clone()], key: None }, move |outcomes| {
                // Whoever asked may have gone; the act is logged all the same.
                let _ = send.send(outcomes.map(drop));
            });
            let done = answer.await.map_err(|_| Refusal::new(Code::StoreFailed))?;
            match done {
                Err(refusal) if refusal.code == Code::IndexBehind && tries < TRIES => tries += 1,
                done => return done,
            }
            tokio::time::sleep(TRY).await;
        }
    }

    /// Acts from a position on, at most `most`, and where the next stands. One that is damaged is named in its place.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`] when the log has no such shard.
    pub(crate) fn page(&self, from: Position, most: usize) -> Result<(Vec<Value>, Position), Refusal> {
        let log = self.desk.log();
        let (open, _, size) = log.head();
        let end = if from.shard == open { size.get() } else { log.size_of(from.shard)?.get() };
        let mut acts = Vec::new();
        let mut next = from;
        while acts.len() < most && next.index < end {
            let mut act = match log.stored(next) {
                Ok(stored) => act_of(&stored.record).unwrap_or(Value::Null),
                Err(refusal) => json!({ "refusal": refusal.to_string() }),
            };
            act["shard"] = json!(next.shard);
            act["index"] = json!(next.index);
            acts.push(act);
            next.index += 1;
        }
        if next.index >= end && next.shard < open {
            next = Position { shard: next.shard + 1, index: 0 };
        }
        Ok((acts, next))
    }

    /// The bundle of an act: its line with all that shows that it was logged.
    ///
    /// # Errors
    /// As [`Desk::bundle`].
    pub(crate) fn bundle(&self, position: Position) -> Result<zeugma_evidence_verify::Bundle, Refusal> {
        self.desk.bundle(TENANT, position)
    }

    /// The metrics, in the text format of Prometheus.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let size = self.desk.log().head().2.get();
        let [age, anchors, publications] = self.metrics.behind(now());
        for (name, kind, help, value) in [
            (
                "zeugma_evidence_audit_acts_total",
                "counter",
                "Acts that were recorded in the audit log",
                self.recorded.load(Ordering::Relaxed),
            ),
            (
                "zeugma_evidence_audit_failures_total",
                "counter",
                "Acts that could not be recorded and were refused",
                self.failed.load(Ordering::Relaxed),
            ),
            ("zeugma_evidence_audit_log_size", "gauge", "Durable acts of the open shard", size),
            (
                "zeugma_evidence_audit_anchor_age_seconds",
                "gauge",
                "Since the audit log was anchored, or since the start",
                age,
            ),
            (
                "zeugma_evidence_audit_anchor_failures_total",
                "counter",
                "Rounds of anchoring the audit log that ended early",
                anchors,
            ),
            (
                "zeugma_evidence_audit_publish_failures_total",
                "counter",
                "Publications of the audit log that failed",
                publications,
            ),
        ] {
            text += &head(name, kind, help);
            writeln!(text, "{name} {value}").expect("a string takes every line");
        }
        text
    }
}

/// The line of an act.
fn act_of(record: &Record) -> Option<Value> {
    record.fields().iter().find_map(|field| match field {
        Field::Custom(custom) if custom.name == ACT => serde_json::from_slice(&custom.value).ok(),
        _ => None,
    })
}

/// Tokens that the audit log was told of, and which of them are revoked.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Seen(BTreeMap<String, bool>);

/// Tells the audit log of tokens that were made or revoked by whoever may write the folder.
pub(crate) struct TokenWatch {
    audit: Arc<Audit>,
    file: TokenFile,
    path: PathBuf,
    seen: Seen,
}

impl TokenWatch {
    /// In the service's folder. What was told before the service stopped is not told again.
    pub(crate) fn new(audit: Arc<Audit>, folder: &Path) -> Self {
        let path = folder.join("audit").join("tokens-seen.json");
        let read = files::read(&path, LONGEST_SEEN).ok().flatten();
        let seen = read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { audit, file: TokenFile::in_folder(folder), path, seen }
    }

    /// Until it is time to end.
    pub(crate) async fn run(mut self, every: Duration, mut stop: watch::Receiver<bool>) {
        while crate::run::pause(every, &mut stop).await {
            if let Err(refusal) = self.round().await {
                tracing::warn!(%refusal, "changed tokens are told to the audit log later");
            }
        }
    }

    async fn round(&mut self) -> Result<(), Refusal> {
        let file = self.file.clone();
        let rows = tokio::task::spawn_blocking(move || file.rows()).await.map_err(text)?;
        let mut told = false;
        for row in rows.map_err(text)? {
            let about = About::Name(format!("{} of {} as {}", row.id, row.tenant, row.role.name()));
            let revoked = row.revoked_at.is_some();
            if !self.seen.0.contains_key(&row.id) {
                self.audit.record(Who::Machine, "token.made", &about, &Ended::Done).await?;
                self.seen.0.insert(row.id.clone(), false);
                told = true;
            }
            if revoked && self.seen.0.get(&row.id) == Some(&false) {
                self.audit.record(Who::Machine, "token.revoked", &about, &Ended::Done).await?;
                self.seen.0.insert(row.id, true);
                told = true;
            }
        }
        if told {
            // After a crash before this they are told once more.
            let bytes = serde_json::to_vec(&self.seen).map_err(text)?;
            files::replace(&self.path, &bytes, Readers::Owner).map_err(text)?;
        }
        Ok(())
    }
}
