//! A witness of logs: C2SP `tlog-witness`, as a committee member runs it beside its node, with a key of its own.
//!
//! ```text
//! <folder>/keys.json            the two keys, made by `init` together with the state, and never again
//! <folder>/state                what was cosigned last, of every log: one file, replaced as a whole
//! <folder>/contradictions/…     pairs of checkpoints that a log signed and that cannot be, or were not shown to be, of one tree
//! <folder>/lock                 held by the one process that signs
//! ```
//!
//! What a cosignature promises is that no two of one witness are inconsistent. So:
//!
//! 1. One request is judged at a time, against the last state. Judging is [`zeugma_evidence_log::witness`].
//! 2. The new state is on disk, synced, under its name, before a signature is made. A crash in between leaves a state that
//!    is ahead of what left: the log asks again from there.
//! 3. **State never comes from a backup.** The file names the machine, its start and the file itself (inode and moment of
//!    birth), so a copy of it is not the state, wherever it stands; a lost one cannot be made anew under the same
//!    keys. The operator takes a state that was moved as the newest there is by an express act ([`Witness::adopt`]), and
//!    a witness whose state is lost is retired: the next has other keys.
//!
//! No file tells of a machine that was set back to a snapshot with its memory running. Do not run a witness on one.
//!
//! | file | what |
//! |---|---|
//! | `state` | the state's bytes, where it was written, contradictions |
//! | `keys` | the keys |
//! | `config` | the configuration |
//! | `serve` | the API |
//! | `metrics` | what an operator sees |

mod config;
mod keys;
mod metrics;
mod serve;
mod state;
#[cfg(test)]
mod tests;

pub use config::{LogConfig, Own, Reboots, WitnessConfig};
pub use keys::WitnessKeys;
pub use serve::{ServeError, StartedWitness, serve};
pub use state::{Machine, Seen};

use crate::store::{Disk, Identity};
use state::{Held, State};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeugma_evidence_log::VerifierKey;
use zeugma_evidence_log::witness::{AddCheckpoint, Declined, Growth, judge};
use zeugma_types::{Code, Refusal, UnixSeconds};

/// A log that the witness follows.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Its origin.
    pub origin: String,
    /// The keys of which one must sign.
    pub keys: Vec<VerifierKey>,
}

/// Why a request has no cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCosigned {
    /// A rule of `tlog-witness`.
    Declined(Declined),
    /// The witness itself cannot now: its disk or its clock.
    Unable(Refusal),
}

/// Where and as what a witness runs.
#[derive(Clone)]
pub struct Home {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The folder.
    pub folder: PathBuf,
    /// The machine.
    pub machine: Machine,
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Home({})", self.folder.display())
    }
}

/// A state that was looked at and not opened.
#[derive(Clone, Debug)]
pub struct Looked {
    /// Why a witness would not open it, if so.
    pub refusal: Option<Refusal>,
    /// What it holds, by origin.
    pub seen: Vec<(String, Seen)>,
}

/// An open witness.
#[derive(Debug)]
pub struct Witness {
    home: Home,
    keys: WitnessKeys,
    logs: Vec<Followed>,
    state: Mutex<State>,
}

fn failed(error: &io::Error) -> Refusal {
    crate::store::io_refusal(error)
}

fn missing(path: &Path) -> Refusal {
    Refusal::new(Code::WitnessStateMissing).needed(path.display().to_string())
}

impl Witness {
    /// Makes the state of a witness that never signed. What it is to be: a folder without a state.
    ///
    /// # Errors
    /// [`Code::FileExists`]; [`Code::StoreFull`], [`Code::StoreFailed`].
    pub fn init(home: &Home, keys: &WitnessKeys) -> Result<(), Refusal> {
        if state::read(home)?.is_some() {
            let path = state::path(&home.folder);
            return Err(Refusal::new(Code::FileExists).found(path.display().to_string()));
        }
        home.disk.create_dir(&home.folder).map_err(|error| failed(&error))?;
        let held = Held { keys: keys.fingerprint(), logs: std::collections::BTreeMap::new() };
        state::write(home, &held).map(drop)
    }

    /// Takes the state that stands in the folder as the newest there is, though it was written elsewhere: by the
    /// operator's word, since no file can show it.
    ///
    /// # Errors
    /// [`Code::WitnessStateMissing`], [`Code::Damaged`], [`Code::WitnessStateMoved`] for the state of other keys.
    pub fn adopt(home: &Home, keys: &WitnessKeys) -> Result<(), Refusal> {
        let state = state::read(home)?.ok_or_else(|| missing(&state::path(&home.folder)))?;
        state.require_keys(keys)?;
        state::write(home, &state.held).map(drop)
    }

    /// Opens the state.
    ///
    /// # Errors
    /// [`Code::WitnessStateMissing`]; [`Code::Damaged`]; [`Code::WitnessStateMoved`] when it was written by other keys, on
    /// another machine, as another file, or before the machine started, unless `reboots` accepts that.
    pub fn open(
        home: Home,
        keys: WitnessKeys,
        logs: Vec<Followed>,
        reboots: Reboots,
    ) -> Result<Self, Refusal> {
        let mut state = state::read(&home)?.ok_or_else(|| missing(&state::path(&home.folder)))?;
        state.require_keys(&keys)?;
        state.require_place(&home.machine, reboots)?;
        if state.place.boot != home.machine.boot {
            state = state::write(&home, &state.held)?;
        }
        Ok(Self { home, keys, logs, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A state is replaced as a whole, after it is durable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The public keys.
    #[must_use]
    pub const fn keys(&self) -> &WitnessKeys {
        &self.keys
    }

    /// What was cosigned last, by origin.
    #[must_use]
    pub fn seen(&self) -> Vec<(String, Seen)> {
        self.state().held.logs.iter().map(|(origin, seen)| (origin.clone(), seen.clone())).collect()
    }

    /// `add-checkpoint`: the lines of the cosignatures. Blocks until the new state is durable.
    ///
    /// # Errors
    /// [`NotCosigned`]; then nothing was signed.
    pub fn add_checkpoint(&self, body: &[u8], now: UnixSeconds) -> Result<String, NotCosigned> {
        let declined = NotCosigned::Declined;
        let request =
            AddCheckpoint::parse(body).map_err(|refusal| declined(Declined::BadRequest(refusal)))?;
        let log = self.logs.iter().find(|log| log.origin == request.origin()).ok_or_else(|| {
            let refusal = Refusal::new(Code::UnknownOrigin).found(request.origin().to_owned());
            declined(Declined::UnknownLog(refusal))
        })?;
        // Held from the look at the last state until the next is durable: two requests are never judged by one state.
        let mut state = self.state();
        let seen = state.held.logs.get(&log.origin);
        let grown = judge(&request, &log.keys, seen.map(|seen| &seen.view)).map_err(|why| {
            if let Some(seen) = seen {
                self.keep_contradiction(&log.origin, seen, &why, body);
            }
            declined(why)
        })?;
        if let Some(seen) = seen.filter(|seen| seen.at > now) {
            let refusal = Refusal::new(Code::ClockWentBack).needed(seen.at.get()).found(now.get());
            return Err(NotCosigned::Unable(refusal));
        }
        let mut held = state.held.clone();
        let last = Seen { view: grown.checkpoint().view, at: now, note: grown.note().to_owned() };
        held.logs.insert(log.origin.clone(), last);
        // The state first. What is made of it after a failure is old or new; nothing was signed for the new one, so
        // going on from the old is the same as if it had never been asked for.
        *state = state::write(&self.home, &held).map_err(NotCosigned::Unable)?;
        drop(state);
        self.sign(&grown, now).map_err(NotCosigned::Unable)
    }

    fn sign(&self, grown: &Growth, at: UnixSeconds) -> Result<String, Refusal> {
        let [first, second] = self.keys.signers();
        Ok(first.cosign(grown.checkpoint(), at)? + second.cosign(grown.checkpoint(), at)?.as_str())
    }

    fn keep_contradiction(&self, origin: &str, seen: &Seen, why: &Declined, body: &[u8]) {
        let kept = match why {
            Declined::Forked { note, .. } => state::keep(&self.home, origin, seen, (note, true), body),
            Declined::NotShown { note, .. } => state::keep(&self.home, origin, seen, (note, false), body),
            _ => return,
        };
        match kept {
            Ok(Some(path)) => {
                tracing::error!(origin, path = %path.display(), "the log signed what was not shown to be of its tree");
            }
            Ok(None) => {}
            Err(refusal) => tracing::error!(origin, %refusal, "a contradiction is not kept"),
        }
    }

    /// Contradictions that are kept: those of one size, and checkpoints whose proof did not hold.
    #[must_use]
    pub fn contradictions(&self) -> (usize, usize) {
        Self::contradictions_in(&self.home)
    }

    /// As [`Witness::contradictions`], of a witness that may be running elsewhere.
    #[must_use]
    pub fn contradictions_in(home: &Home) -> (usize, usize) {
        state::contradictions(home)
    }

    /// Looks at a state, of a witness that may be running elsewhere.
    ///
    /// # Errors
    /// [`Code::WitnessStateMissing`]; [`Code::Damaged`].
    pub fn look(home: &Home, keys: &WitnessKeys, reboots: Reboots) -> Result<Looked, Refusal> {
        let state = state::read(home)?.ok_or_else(|| missing(&state::path(&home.folder)))?;
        let standing = state.require_keys(keys).and_then(|()| state.require_place(&home.machine, reboots));
        Ok(Looked { refusal: standing.err(), seen: state.held.logs.into_iter().collect() })
    }
}

/// What names a file beyond its path.
impl From<Identity> for state::FileName {
    fn from(identity: Identity) -> Self {
        Self { number: identity.number, born: identity.born }
    }
}
