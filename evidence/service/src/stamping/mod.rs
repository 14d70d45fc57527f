//! Trusted time: each anchored checkpoint goes to every configured time authority, and its time-stamps go into the
//! bundles of all entries that it covers.
//!
//! 1. A checkpoint is anchored, or, where nothing is anchored, published and its turn has come.
//! 2. It is written down with one *leg* for each authority, none of which has an answer.
//! 3. Each authority has a hand of its own, which asks for its oldest pending leg, verifies the answer in full, and
//!    writes it beside the leg. What failed is tried again, after a rest that doubles up to a bound.
//!
//! A pending leg is named with its age, in the metrics, in the status, and at the entry: nothing is ever silently
//! without the time-stamp that was promised for it. A bundle carries what is there at that moment; a later one has more.
//!
//! | file | what |
//! |---|---|
//! | `files` | the checkpoints and their legs on disk |
//! | `hand` | taking up checkpoints, asking authorities |
//! | `metrics` | what an operator sees |

mod files;
mod hand;
mod metrics;
#[cfg(test)]
mod tests;

pub(crate) use files::{Checkpoint, Got, Leg};
pub(crate) use hand::{Hand, Source};

use crate::calling::https;
use crate::config::Config;
use files::Files;
use metrics::Numbers;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_evidence_anchors::{Authority, Offset};
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::note::NoteBounds;
use zeugma_evidence_verify::bundle::stamped_message;
use zeugma_types::{BlockTime, Code, Refusal};

/// How one authority does.
#[derive(Clone, Debug)]
pub(crate) struct Doing {
    pub(crate) institution: String,
    pub(crate) url: String,
    /// Legs without an answer.
    pub(crate) pending: u64,
    /// When the oldest of them was taken up.
    pub(crate) oldest: Option<BlockTime>,
    pub(crate) numbers: Numbers,
}

/// A leg of the checkpoint that covers an entry.
#[derive(Clone, Debug)]
pub(crate) struct Stood {
    pub(crate) leg: Leg,
    /// When its checkpoint was taken up.
    pub(crate) since: BlockTime,
    /// Why the authority's last answer was refused, if its last was.
    pub(crate) refusal: Option<Refusal>,
}

/// The time-stamps of one log.
#[derive(Debug)]
pub(crate) struct Stamping {
    authorities: Vec<Authority>,
    files: Files,
    numbers: Mutex<Vec<Numbers>>,
    /// How far clocks may lie apart beyond what accuracy explains, in milliseconds.
    bound: u64,
}

impl Stamping {
    /// Opens the folder, and reads the authorities' X.509 certificates.
    ///
    /// # Errors
    /// [`Code::StoreFailed`] for the folder and for a certificate file that cannot be read; the refusals of
    /// [`Authority::new`].
    pub(crate) fn open(config: &Config, folder: &Path) -> Result<Self, Refusal> {
        let failed = |error: std::io::Error| Refusal::new(Code::StoreFailed).found(error.to_string());
        let mut authorities: Vec<Authority> = Vec::new();
        for one in &config.authority {
            let bound = zeugma_evidence_anchors::authority::MAX_FILE as u64;
            let read = crate::files::read(&one.anchor, bound).map_err(failed)?;
            let file = read.ok_or_else(|| {
                Refusal::new(Code::StoreFailed)
                    .needed("an X.509 certificate of the time authority")
                    .found(one.anchor.display().to_string())
            })?;
            let mut authority = Authority::new(&one.institution, &one.url, &file, &one.policies)?;
            if one.url.starts_with("https://") {
                authority = authority.with_https(https(one.ca.as_deref(), None)?);
            }
            if authorities.iter().any(|other| other.anchor() == authority.anchor()) {
                // A time-stamp that leads to it would not say whose it is.
                let both = format!("the X.509 certificate of {} twice", one.institution);
                return Err(Refusal::new(Code::RepeatedMember).found(both));
            }
            authorities.push(authority);
        }
        let numbers = Mutex::new(vec![Numbers::default(); authorities.len()]);
        let files = Files::open(folder, &authorities).map_err(failed)?;
        Ok(Self { authorities, files, numbers, bound: config.stamping.clock_milliseconds })
    }

    pub(crate) fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    pub(crate) const fn files(&self) -> &Files {
        &self.files
    }

    fn numbers(&self) -> MutexGuard<'_, Vec<Numbers>> {
        // Numbers are whole after any panic.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an authority answered, and compares its time with ours.
    fn granted(&self, authority: usize, offset: Offset) {
        let one = &self.authorities[authority];
        let alarms = offset.exceeds(self.bound);
        self.numbers()[authority].granted(offset, alarms);
        if alarms {
            tracing::warn!(
                institution = one.institution(),
                url = one.url(),
                offset_milliseconds = offset.millis(),
                bound_milliseconds = self.bound,
                "the time authority's clock and ours disagree: one of the two is wrong"
            );
        }
    }

    fn refused(&self, authority: usize, refusal: &Refusal) {
        let one = &self.authorities[authority];
        self.numbers()[authority].refused(refusal);
        tracing::warn!(institution = one.institution(), url = one.url(), %refusal, "no time-stamp yet");
    }

    /// How each authority does.
    pub(crate) fn doing(&self) -> Vec<Doing> {
        let numbers = self.numbers().clone();
        let each = self.authorities.iter().zip(numbers).enumerate();
        each.map(|(at, (authority, numbers))| {
            let (pending, oldest) = self.files.pending(at);
            Doing {
                institution: authority.institution().to_owned(),
                url: authority.url().to_owned(),
                pending,
                oldest,
                numbers,
            }
        })
        .collect()
    }

    /// The legs of a checkpoint, if it was taken up.
    ///
    /// # Errors
    /// [`Code::Damaged`].
    pub(crate) fn stood(&self, shard: u32, size: u64) -> Result<Vec<Stood>, Refusal> {
        let Some(checkpoint) = self.read(shard, size)? else { return Ok(Vec::new()) };
        let numbers = self.numbers().clone();
        let legs = checkpoint.legs.into_iter().map(|leg| {
            let at = self.authorities.iter().position(|authority| leg.is_of(authority));
            let refusal = at.and_then(|at| numbers[at].last.clone()).filter(|_| leg.got.is_none());
            Stood { leg, since: checkpoint.since, refusal }
        });
        Ok(legs.collect())
    }

    /// A checkpoint that was taken up, or `None`.
    ///
    /// # Errors
    /// [`Code::Damaged`].
    pub(crate) fn read(&self, shard: u32, size: u64) -> Result<Option<Checkpoint>, Refusal> {
        let damaged = |error: std::io::Error| Refusal::new(Code::Damaged).found(error.to_string());
        self.files.read(shard, size).map_err(damaged)
    }

    /// The metrics, in the text format of Prometheus.
    pub(crate) fn text(&self, now: BlockTime) -> String {
        metrics::text(&self.doing(), now)
    }
}

/// What the time-stamps of a checkpoint are over.
///
/// # Errors
/// The refusals of notes.
pub(crate) fn message(first: &str, second: Option<&str>) -> Result<Vec<u8>, Refusal> {
    let text = |note: &str| -> Result<String, Refusal> {
        Ok(SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL)?.note().text.into())
    };
    let second = second.map(text).transpose()?;
    Ok(stamped_message(&text(first)?, second.as_deref()))
}
