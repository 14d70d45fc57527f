//! Collecting cosignatures: each published checkpoint goes to every configured witness, while deposits go on.
//!
//! 1. The newest published checkpoint becomes the *target*: one at a time, so that all witnesses cosign the same sizes.
//! 2. Each witness has a hand of its own, which shows it the way from the size that it has to the target, and keeps its
//!    cosignatures beside the log. A witness that stalls or refuses holds up nobody; it is asked again, after a rest that
//!    doubles up to a bound.
//! 3. The target is *settled* when every witness has answered, or when the patience is over. A settled checkpoint is what
//!    is anchored and stamped; cosignatures that come later still are of it. Then the next is taken.
//!
//! The published checkpoint and the bundles carry what is there when they are asked for.
//!
//! | file | what |
//! |---|---|
//! | `config` | the configured witnesses |
//! | `files` | cosignatures on disk |
//! | `hand` | taking targets, asking witnesses |
//! | `metrics` | what an operator sees |

mod config;
mod files;
mod hand;
mod metrics;

pub(crate) use config::check;
pub use config::{CosignerConfig, WitnessingConfig};
pub(crate) use hand::start;

use crate::calling::https;
use crate::config::Config;
use crate::desk::Notes;
use files::Files;
use metrics::Numbers;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeugma_evidence_anchors::Https;
use zeugma_evidence_log::{NoteBounds, VerifierKey};
use zeugma_types::{BlockTime, Code, Refusal};

/// Targets whose cosignatures stay, though nothing rests on them.
const KEPT: usize = 16;

/// A witness that is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) institution: String,
    pub(crate) url: String,
    pub(crate) keys: Vec<VerifierKey>,
    /// How `https` is spoken with it, where its address asks for that.
    pub(crate) https: Option<Https>,
}

/// A checkpoint that witnesses are asked about.
#[derive(Clone, Debug)]
struct Target {
    shard: u32,
    notes: Notes,
    since: Instant,
    /// Which witnesses have answered, whatever they did.
    answered: BTreeSet<usize>,
    /// Which have cosigned.
    cosigned: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Stand {
    target: Option<Target>,
    /// By shard, the checkpoint that was settled last.
    settled: BTreeMap<u32, Notes>,
    /// Past targets of this process whose files may go.
    past: VecDeque<(u32, u64)>,
    /// Checkpoints that are on their way into an anchor.
    held: BTreeSet<(u32, u64)>,
    numbers: Vec<Numbers>,
}

/// The witnesses of one log.
#[derive(Debug)]
pub(crate) struct Witnessing {
    witnesses: Vec<Asked>,
    files: Files,
    patience: Duration,
    stand: Mutex<Stand>,
}

/// The witnesses of a checked configuration.
///
/// # Errors
/// [`Code::BadKey`] with what is no key; those of [`https`].
fn asked(witnesses: &[CosignerConfig], config: &WitnessingConfig) -> Result<Vec<Asked>, Refusal> {
    let shown = config.certificate.as_deref().zip(config.key.as_deref());
    let each = witnesses.iter().map(|one| {
        let keys = one.keys.iter().map(|key| VerifierKey::parse(key)).collect::<Result<_, _>>()?;
        let secured = one.url.starts_with("https://").then(|| https(one.ca.as_deref(), shown));
        let (institution, url) = (one.institution.clone(), one.url.clone());
        Ok(Asked { institution, url, keys, https: secured.transpose()? })
    });
    each.collect()
}

impl Witnessing {
    /// Opens the folder.
    ///
    /// # Errors
    /// [`Code::StoreFailed`]; [`Code::BadKey`]; [`Code::BadX509`].
    pub(crate) fn open(config: &Config, folder: &Path) -> Result<Self, Refusal> {
        let witnesses = asked(&config.witness, &config.witnessing)?;
        let files = Files::open(folder).map_err(|error| failed(&error))?;
        let numbers = vec![Numbers::default(); witnesses.len()];
        let patience = Duration::from_millis(config.witnessing.patience_milliseconds);
        let stand = Mutex::new(Stand { numbers, ..Stand::default() });
        Ok(Self { witnesses, files, patience, stand })
    }

    fn stand(&self) -> MutexGuard<'_, Stand> {
        // Every change is one assignment: it is whole after any panic.
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn witnesses(&self) -> &[Asked] {
        &self.witnesses
    }

    /// The settled checkpoint of a shard.
    pub(crate) fn settled(&self, shard: u32) -> Option<Notes> {
        self.stand().settled.get(&shard).cloned()
    }

    /// Keeps the cosignatures of a checkpoint that is on its way into an anchor.
    pub(crate) fn hold(&self, shard: u32, size: u64) {
        let mut stand = self.stand();
        stand.held.retain(|(of, _)| *of != shard);
        stand.held.insert((shard, size));
    }

    /// A note of the first tree with the cosignatures that are there for it.
    pub(crate) fn cosigned(&self, shard: u32, size: u64, note: String) -> String {
        let lines = self.files.read(shard, size).unwrap_or_else(|error| {
            tracing::warn!(shard, size, %error, "the cosignatures cannot be read");
            Vec::new()
        });
        with_lines(note, &lines)
    }

    /// Takes the next target, if the last is settled and this is newer.
    fn begin(&self, shard: u32, notes: Notes, now: BlockTime) -> bool {
        let mut stand = self.stand();
        let size = notes.size;
        let newer = stand.settled.get(&shard).is_none_or(|settled| settled.size < size);
        if stand.target.is_some() || !newer {
            return false;
        }
        for numbers in &mut stand.numbers {
            numbers.waiting_since.get_or_insert(now);
        }
        let (answered, cosigned) = (BTreeSet::new(), BTreeSet::new());
        stand.target = Some(Target { shard, notes, since: Instant::now(), answered, cosigned });
        true
    }

    /// Settles the target when nothing more is waited for. What was settled stays asked for until there is a newer one.
    fn settle(&self) -> Option<(u32, u64)> {
        let mut stand = self.stand();
        let all = self.witnesses.len();
        let over = |target: &Target| target.answered.len() == all || target.since.elapsed() >= self.patience;
        let target = stand.target.take_if(|target| over(target))?;
        let key = (target.shard, target.notes.size.get());
        stand.settled.insert(target.shard, target.notes);
        stand.past.push_back(key);
        Some(key)
    }

    /// Removes the files of past targets that nothing rests on.
    fn tidy(&self, rests: impl Fn(u32, u64) -> bool) {
        let gone: Vec<(u32, u64)> = {
            let mut stand = self.stand();
            let beyond = stand.past.len().saturating_sub(KEPT);
            let old: Vec<_> = stand.past.drain(..beyond).collect();
            let held = &stand.held;
            old.into_iter()
                .filter(|(shard, size)| !held.contains(&(*shard, *size)) && !rests(*shard, *size))
                .collect()
        };
        for (shard, size) in gone {
            if let Err(error) = self.files.remove(shard, size) {
                tracing::warn!(shard, size, %error, "old cosignatures are not removed");
            }
        }
    }

    /// What a witness is to be asked about next: the target, else the newest settled checkpoint that it has not cosigned.
    fn task(&self, witness: usize, newest: u32) -> Option<(u32, Notes)> {
        let stand = self.stand();
        if let Some(target) = stand.target.as_ref().filter(|target| !target.answered.contains(&witness)) {
            return Some((target.shard, target.notes.clone()));
        }
        if stand.target.is_some() {
            return None;
        }
        let done = stand.numbers[witness].cosigned;
        let settled = stand.settled.get(&newest).map(|notes| (newest, notes.clone()));
        settled.filter(|(shard, notes)| done.is_none_or(|done| done < (*shard, notes.size.get())))
    }

    /// A witness cosigned: its lines are kept, and what it did is noted.
    fn cosigned_by(
        &self,
        witness: usize,
        (shard, notes): (u32, &Notes),
        lines: &[String],
    ) -> Result<(), Refusal> {
        let size = notes.size.get();
        self.files.add(shard, size, lines).map_err(|error| failed(&error))?;
        let mut stand = self.stand();
        let numbers = &mut stand.numbers[witness];
        numbers.total += 1;
        numbers.last = None;
        numbers.cosigned = numbers.cosigned.max(Some((shard, size)));
        numbers.waiting_since = None;
        if let Some(target) = &mut stand.target
            && (target.shard, target.notes.size) == (shard, notes.size)
        {
            target.cosigned.insert(witness);
            target.answered.insert(witness);
        }
        Ok(())
    }

    fn refused_by(&self, witness: usize, refusal: &Refusal) {
        let one = &self.witnesses[witness];
        tracing::warn!(institution = one.institution, url = one.url, %refusal, "no cosignature yet");
        let mut stand = self.stand();
        let numbers = &mut stand.numbers[witness];
        *numbers.refusals.entry(refusal.code).or_default() += 1;
        numbers.last = Some(refusal.clone());
        if let Some(target) = &mut stand.target {
            target.answered.insert(witness);
        }
    }

    /// A witness that rests answers nothing: nobody waits for it.
    fn rests(&self, witness: usize) {
        if let Some(target) = &mut self.stand().target {
            target.answered.insert(witness);
        }
    }

    /// How each witness does.
    pub(crate) fn doing(&self) -> Vec<(Asked, Numbers)> {
        self.witnesses.iter().cloned().zip(self.stand().numbers.clone()).collect()
    }

    /// The metrics, in the text format of Prometheus.
    pub(crate) fn text(&self, now: BlockTime) -> String {
        metrics::text(&self.doing(), now)
    }
}

fn failed(error: &io::Error) -> Refusal {
    Refusal::new(Code::StoreFailed).found(error.to_string())
}

/// A note with lines after its own, as far as every reader takes them.
fn with_lines(mut note: String, lines: &[String]) -> String {
    let NoteBounds { bytes, lines: most } = NoteBounds::USUAL;
    let mut count = note.matches('\n').count();
    for line in lines {
        // A line that is there already would be counted twice.
        if note.len() + line.len() > bytes || count + 1 > most || note.contains(line.as_str()) {
            continue;
        }
        note.push_str(line);
        count += 1;
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_after_a_note_once_and_never_beyond_what_is_read() {
        let note = "log.example/one\n5\nAAAA\n\n\u{2014} log.example/one AAAAAAA=\n".to_owned();
        let line = "\u{2014} witness.example/w BBBBBBB=\n".to_owned();
        let twice = [line.clone(), line.clone()];
        assert_eq!(with_lines(note.clone(), &twice), format!("{note}{line}"));
        let many: Vec<String> = (0..100).map(|at| format!("\u{2014} w{at} BBBBBBB=\n")).collect();
        assert_eq!(with_lines(note.clone(), &many).matches('\n').count(), NoteBounds::USUAL.lines);
        let long = format!("\u{2014} w {}\n", "B".repeat(NoteBounds::USUAL.bytes));
        assert_eq!(with_lines(note.clone(), &[long]), note);
    }
}
