//! Judging: each configured rule pack judges each entry, and the verdict is kept beside it.
//!
//! 1. An entry is durable, or, for a pack that asks for it, anchored.
//! 2. Its facts are made from its record alone, and from its anchor: [`facts`]. Nothing else reaches a rule, so that
//!    whoever has the bundle makes the same facts.
//! 3. A child process evaluates the pack (`pool`), under ceilings on memory and time that may only abort. What was
//!    aborted is tried again, and after five times the entry is told to have no verdict, with the reason.
//! 4. The verdict is signed together with the entry's leaf, and written durably (`files`), in the order of the log. A crash
//!    leaves entries that are not judged yet, and they are judged then.
//! 5. Whether the pack was in force is asked of the relay chain (`force`), and its proofs are kept. Where they are not
//!    there, the verdict is said to be not confirmed in force.
//!
//! A verdict is about what was declared and shown, never about the truth of a content.

pub mod facts;
mod files;
mod force;
mod hand;
mod metrics;
mod pool;
#[cfg(test)]
mod tests;

pub(crate) use files::Given;
pub(crate) use force::Shown;
pub(crate) use hand::start;
pub(crate) use pool::Pool;

use crate::config::{Config, PackConfig, RulesConfig};
use crate::quarantine::{MAX_WHY, Why};
use crate::store::{Log, Position};
use facts::When;
use files::Files;
use force::Force;
use metrics::Numbers;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_evidence_log::Record;
use zeugma_evidence_rules::{Head, Outcome, Pack, Verdict, shipped};
use zeugma_evidence_verify::bundle::{AnchorKind, MAX_ANCHOR, OtherAnchor, RuleVerdict, Statement};
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _, Purpose, Refusal};

/// Longest file of a pack, in bytes.
const LONGEST_PACK: u64 = 1024 * 1024;

/// What a mandatory pack must find before an entry is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The head is met.
    Head(Head),
    /// The rule is met.
    Rule(String),
}

/// A pack that judges here.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    pub(crate) pack: Pack,
    pub(crate) digest: [u8; 32],
    pub(crate) when: When,
    /// Empty: the pack judges, and nothing depends on it.
    pub(crate) needs: Vec<Need>,
}

impl Judge {
    /// Reads a configured pack.
    ///
    /// # Errors
    /// [`Code::BadRulePack`] with what is wrong: a file that cannot be read, another digest than configured, a need that
    /// names no rule of the pack.
    fn read(config: &PackConfig) -> Result<Self, Refusal> {
        let broken = |why: String| Refusal::new(Code::BadRulePack).found(why);
        let shipped = shipped::FILES.iter().find(|(name, ..)| Path::new(name) == config.file);
        let text = match shipped {
            Some((_, text, _)) => (*text).to_owned(),
            None => {
                let read = crate::files::read(&config.file, LONGEST_PACK);
                let bytes = read.map_err(|error| broken(error.to_string()))?;
                let bytes = bytes.ok_or_else(|| broken(format!("{} is not there", config.file.display())))?;
                String::from_utf8(bytes).map_err(|_| broken("text in UTF-8 is asked".to_owned()))?
            }
        };
        let pack = Pack::from_toml(&text).map_err(|why| broken(why.to_string()))?;
        // What does not compile would be found by every entry.
        zeugma_evidence_rules::Engine::new().compile(pack.clone()).map_err(|why| broken(why.to_string()))?;
        let digest = pack.digest();
        if config.digest != hex::encode(digest) {
            let (needed, found) = (config.digest.clone(), hex::encode(digest));
            return Err(Refusal::new(Code::BadRulePack).needed(needed).found(found));
        }
        let needs = config.needed.iter().map(|name| need(&pack, name)).collect::<Result<_, _>>()?;
        Ok(Self { pack, digest, when: config.when, needs })
    }

    /// Whether an entry waits for what this pack finds.
    pub(crate) fn is_mandatory(&self) -> bool {
        !self.needs.is_empty()
    }

    /// Whether it found what is needed.
    pub(crate) fn passes(&self, verdict: &Verdict) -> bool {
        self.needs.iter().all(|need| match need {
            Need::Head(head) => verdict.head(*head) == Some(Outcome::Met),
            Need::Rule(rule) => {
                let of = verdict.findings.iter().find(|finding| finding.rule == *rule);
                of.is_some_and(|finding| finding.outcome == Outcome::Met)
            }
        })
    }
}

fn need(pack: &Pack, name: &str) -> Result<Need, Refusal> {
    let head = Head::ALL.into_iter().find(|head| head.name() == name);
    let head = head.filter(|head| pack.rules.iter().any(|rule| rule.head == *head));
    match head {
        Some(head) => Ok(Need::Head(head)),
        None if pack.rule(name).is_some() => Ok(Need::Rule(name.to_owned())),
        None => {
            let needed = format!("a head or a rule of {}", pack.name);
            Err(Refusal::new(Code::BadRulePack).needed(needed).found(name.to_owned()))
        }
    }
}

/// A verdict on an entry, with what is known of its pack.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) digest: [u8; 32],
    pub(crate) given: Given,
    /// The proofs that the pack was in force when the verdict was given, if they are there.
    pub(crate) force: Option<Shown>,
}

/// The packs of one log, and what they found.
#[derive(Debug)]
pub(crate) struct Judging {
    judges: Vec<Judge>,
    pool: Pool,
    files: Files,
    force: Force,
    key: SecretKey,
    numbers: Mutex<Vec<Numbers>>,
    /// Read while entries are judged, written while one is erased: no verdict outlives its record.
    turn: RwLock<()>,
}

impl Judging {
    /// Reads the packs and opens the folder. Nothing is judged yet.
    ///
    /// # Errors
    /// [`Code::BadRulePack`]; [`Code::StoreFailed`], [`Code::Damaged`] for the folder.
    pub(crate) fn open(config: &Config, log: &Log, key: SecretKey) -> Result<Self, Refusal> {
        let RulesConfig { pack, .. } = &config.rules;
        let judges = pack.iter().map(Judge::read).collect::<Result<Vec<_>, _>>()?;
        let files = Files::open(&config.log.folder)?;
        let (shard, _, size) = log.head();
        for judge in &judges {
            // A pack begins with what is deposited after it was configured.
            files.begin(&judge.digest, Position { shard, index: size.get() })?;
        }
        let force = Force::open(&config.log.folder)?;
        let numbers = Mutex::new(vec![Numbers::default(); judges.len()]);
        Ok(Self {
            judges,
            pool: Pool::new(&config.rules)?,
            files,
            force,
            key,
            numbers,
            turn: RwLock::new(()),
        })
    }

    pub(crate) fn judges(&self) -> &[Judge] {
        &self.judges
    }

    fn numbers(&self) -> MutexGuard<'_, Vec<Numbers>> {
        // Numbers are whole after any panic.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a record whose facts no pack could be given, while any judges.
    ///
    /// # Errors
    /// [`Code::BadFacts`] with the field.
    pub(crate) fn require_facts(&self, record: &Record) -> Result<(), Refusal> {
        if self.judges.is_empty() { Ok(()) } else { facts::of(record.fields().iter(), None).map(drop) }
    }

    /// Whether deposits wait for any pack.
    pub(crate) fn is_gate(&self) -> bool {
        self.judges.iter().any(Judge::is_mandatory)
    }

    /// Judges the new records of a deposit by every mandatory pack, and says why it is not let through: nothing when it is.
    ///
    /// # Errors
    /// [`Code::NoVerdict`] when an evaluation was aborted: the deposit is neither let through nor held;
    /// [`Code::BadFacts`], [`Code::BadRulePack`].
    pub(crate) fn gate(&self, records: &[Record], fresh: &[bool]) -> Result<Vec<Why>, Refusal> {
        let mut why = Vec::new();
        for (item, (record, _)) in records.iter().zip(fresh).enumerate().filter(|(_, (_, fresh))| **fresh) {
            let facts = facts::of(record.fields().iter(), None)?;
            for judge in self.judges.iter().filter(|judge| judge.is_mandatory()) {
                let verdict = self.pool.evaluate(&judge.pack, &facts);
                let verdict = verdict.map_err(|aborted| pool::refusal(&aborted))?;
                // The first findings say enough of a large request.
                if !judge.passes(&verdict) && why.len() < MAX_WHY {
                    let item = u32::try_from(item).unwrap_or(u32::MAX);
                    why.push(Why { item, statement: verdict.to_bytes() });
                }
            }
        }
        Ok(why)
    }

    /// The service's signature makes a verdict one on this entry.
    fn sign(&self, verdict: &Verdict, entry: &[u8], at: BlockTime) -> RuleVerdict {
        let unsigned = RuleVerdict { at, statement: verdict.to_bytes(), signature: [0; 64] };
        let signature = self.key.sign(Purpose::RuleVerdict, &[&unsigned.signed(entry)]);
        RuleVerdict { signature, ..unsigned }
    }

    /// What every pack found of an entry, by digest of the pack.
    ///
    /// # Errors
    /// [`Code::StoreFailed`], [`Code::Damaged`] with the file.
    pub(crate) fn told(&self, position: Position) -> Result<Vec<Told>, Refusal> {
        let found = self.files.of(position)?;
        let told = found.into_iter().map(|(digest, given)| {
            let force = match &given {
                Given::Verdict(verdict) => self.force.covering(&digest, verdict.at)?,
                Given::None { .. } => None,
            };
            Ok(Told { digest, given, force })
        });
        told.collect()
    }

    /// Whether a pack will judge an entry that it has not judged: it began at or before it.
    pub(crate) fn will(&self, judge: &Judge, position: Position) -> bool {
        self.files.next(&judge.digest) <= position
    }

    /// The verdicts that a bundle carries, ascending by the digest of their pack.
    ///
    /// # Errors
    /// As [`Judging::told`].
    pub(crate) fn verdicts(&self, position: Position) -> Result<Vec<RuleVerdict>, Refusal> {
        let found = self.files.of(position)?.into_iter().filter_map(|(_, given)| match given {
            Given::Verdict(verdict) => Some(verdict),
            Given::None { .. } => None,
        });
        Ok(found.take(zeugma_evidence_verify::bundle::MAX_VERDICTS).collect())
    }

    /// The proofs that packs were in force when they gave these verdicts, each once, as a bundle carries them.
    ///
    /// # Errors
    /// [`Code::StoreFailed`], [`Code::Damaged`] with the file.
    pub(crate) fn in_force(&self, verdicts: &[RuleVerdict]) -> Result<Vec<OtherAnchor>, Refusal> {
        let mut found = BTreeSet::new();
        for verdict in verdicts {
            let pack = Statement::from_bytes(&verdict.statement)?.pack_digest;
            if let Some(shown) = self.force.covering(&pack, verdict.at)? {
                found.insert(shown.anchor()?.to_bytes());
            }
        }
        let fits = |bytes: &Vec<u8>| bytes.len() <= MAX_ANCHOR;
        let anchors = found.into_iter().filter(fits);
        Ok(anchors.map(|bytes| OtherAnchor { kind: AnchorKind::InForce, bytes }).collect())
    }

    /// Erases an entry's record, and what packs found of it: reasons may quote what was declared.
    ///
    /// # Errors
    /// Those of `record`, and [`Code::StoreFailed`]: erasing again does the rest.
    pub(crate) fn erase(
        &self,
        position: Position,
        record: impl FnOnce() -> Result<u64, Refusal>,
    ) -> Result<u64, Refusal> {
        let _turn = self.turn.write().unwrap_or_else(PoisonError::into_inner);
        let erased = record()?;
        self.files.erase(position)?;
        Ok(erased)
    }

    /// The metrics, in the text format of Prometheus.
    pub(crate) fn text(&self, log: &Log) -> String {
        let behind = |judge: &Judge| {
            let next = self.files.next(&judge.digest);
            let (shard, _, size) = log.head();
            // Of the open shard: what is left of a closed one is judged first.
            if next.shard == shard { size.get().saturating_sub(next.index) } else { size.get() }
        };
        let numbers = self.numbers().clone();
        metrics::text(self.judges.iter().zip(numbers).map(|(judge, numbers)| {
            (judge.pack.name.as_str(), numbers, behind(judge), self.force.is_confirmed(&judge.digest))
        }))
    }
}
