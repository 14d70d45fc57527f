//! Quarantine: deposits that a mandatory rule pack did not pass wait here for a role, outside of the log.
//!
//! ```text
//! <root>/quarantine/<case>      the case in the canonical encoding, and a check of 16 bytes; replaced as a whole
//! ```
//!
//! 1. A deposit is judged before it is logged. When every mandatory pack finds what is needed, it is logged at once. When the
//!    evaluation is aborted there is no verdict, and the deposit answers *not yet*: nothing is kept, and it is made again.
//! 2. Otherwise the whole request is held: durable here, with its records, its idempotency key and the verdicts, and the
//!    depositor is told the name of the case. It has no position and no receipt.
//! 3. A role releases or rejects it. A release is durable before anything is logged; then the records are logged as a request of
//!    their tenant, under its idempotency key; then their positions are written down and the records are taken out.
//!    A crash between any two of these is finished by the next life: the log knows records it has.
//! 4. What nobody ruled on lapses after the configured days. What is held is bounded in cases and bytes; above that a
//!    deposit is told to come back.
//!
//! The same deposit made again gets the same case; once it is released, its entries; once it is rejected, that refusal,
//! until the case is as old as it may get. An idempotency key that stands here with another body is a conflict.
//!
//! A released entry's receipt counts from its release: before that nothing was promised. When it first came is told beside it.

mod case;
mod metrics;
#[cfg(test)]
mod tests;

pub(crate) use case::{Case, CaseId, MAX_RECORDS, MAX_WHY, MAX_WORDS, Ruling, State, Why, id_of};
pub(crate) use metrics::text;

use crate::config::QuarantineConfig;
use crate::desk::now;
use crate::keys::random;
use crate::run::pause;
use crate::store::{Batch, Deposit, Disk, IdempotencyKey, Log, Position, disk};
use crate::webhooks::Stand;
use case::check;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeugma_evidence_log::Seed;
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _, Refusal, Span};

/// Longest file of a case, in bytes: 1,024 records, and verdicts.
const LONGEST: usize = 64 * 1024 * 1024;
/// Between two looks for what a crash left, or what lapsed.
const LOOK: Duration = Duration::from_secs(1);

/// What stands in memory of a case.
#[derive(Clone, Debug)]
struct Row {
    tenant: String,
    key: Option<String>,
    received_at: BlockTime,
    bytes: u64,
    is_open: bool,
    is_releasing: bool,
    /// When it was ruled on or lapsed; of a case with entries nothing, for it stays as long as they do.
    ended: Option<BlockTime>,
}

#[derive(Debug, Default)]
struct Held {
    rows: BTreeMap<CaseId, Row>,
    /// Entries that were released, by their position.
    released: BTreeMap<Position, CaseId>,
}

/// The quarantine of one log.
pub(crate) struct Quarantine {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    bounds: QuarantineConfig,
    /// Locked while a case changes, and while it is decided whether a deposit is one: a release in between would log it twice.
    held: Mutex<Held>,
}

impl std::fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Quarantine({})", self.root.display())
    }
}

/// How many are held, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) cases: u64,
    pub(crate) bytes: u64,
    /// When the oldest came.
    pub(crate) oldest: Option<BlockTime>,
}

fn failed(error: &io::Error) -> Refusal {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StoreFull,
        _ => Code::StoreFailed,
    };
    Refusal::new(code).found(error.to_string())
}

impl Quarantine {
    /// Opens the folder and reads every case in it.
    ///
    /// # Errors
    /// [`Code::StoreFailed`]; [`Code::Damaged`] with the file: what is held is nowhere else.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        bounds: &QuarantineConfig,
    ) -> Result<Self, Refusal> {
        let root = folder.join("quarantine");
        disk.create_dir(&root).map_err(|error| failed(&error))?;
        disk.sync_dir(folder).map_err(|error| failed(&error))?;
        let quarantine = Self { disk, root, bounds: bounds.clone(), held: Mutex::default() };
        let names = quarantine.disk.list(&quarantine.root).map_err(|error| failed(&error))?;
        let mut held = quarantine.held();
        for id in names.iter().filter_map(|name| CaseId::read(name)) {
            let (case, bytes) = quarantine.read(id)?;
            note(&mut held, id, &case, bytes);
        }
        drop(held);
        Ok(quarantine)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // It is changed after the disk, in one step.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: CaseId) -> PathBuf {
        self.root.join(id.to_string())
    }

    fn read(&self, id: CaseId) -> Result<(Case, u64), Refusal> {
        let path = self.path(id);
        let damaged = |why: String| Refusal::new(Code::Damaged).found(format!("{}: {why}", path.display()));
        let bytes = match disk::read(&*self.disk, &path, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Refusal::new(Code::NoSuchCase).found(id.to_string()));
            }
            read => read.map_err(|error| failed(&error))?,
        };
        let (content, stored) = bytes.split_last_chunk::<16>().ok_or_else(|| damaged("cut short".into()))?;
        if check(content) != *stored {
            return Err(damaged("check".into()));
        }
        let case = Case::from_bytes(content).map_err(|refusal| damaged(refusal.to_string()))?;
        Ok((case, bytes.len() as u64))
    }

    /// Writes a case, durably, and then into memory.
    fn write(&self, held: &mut Held, id: CaseId, case: &Case) -> Result<(), Refusal> {
        let mut bytes = case.to_bytes();
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        disk::replace(&*self.disk, &self.path(id), &bytes).map_err(|error| failed(&error))?;
        note(held, id, case, bytes.len() as u64);
        Ok(())
    }

    /// What stands against a deposit: a case of the same records, or of the same key.
    ///
    /// # Errors
    /// [`Code::Quarantined`] while it is held, [`Code::QuarantineRejected`] once it was rejected or lapsed, both with the name of
    /// the case; [`Code::KeyReused`] for a key that stands here with another body.
    pub(crate) fn require_new(&self, tenant: &str, id: CaseId, key: Option<&str>) -> Result<(), Refusal> {
        Self::against(&self.held(), tenant, id, key)
    }

    fn against(held: &Held, tenant: &str, id: CaseId, key: Option<&str>) -> Result<(), Refusal> {
        let same = |row: &Row| key.is_some() && row.tenant == tenant && row.key.as_deref() == key;
        if held.rows.iter().any(|(other, row)| *other != id && same(row)) {
            return Err(Refusal::new(Code::KeyReused).found(key.unwrap_or_default().to_owned()));
        }
        match held.rows.get(&id) {
            Some(row) if row.is_open => Err(Refusal::new(Code::Quarantined).found(id.to_string())),
            Some(row) if row.ended.is_some() => {
                Err(Refusal::new(Code::QuarantineRejected).found(id.to_string()))
            }
            // Released: the log answers for its entries.
            _ => Ok(()),
        }
    }

    /// Holds a deposit. Always refuses: [`Code::Quarantined`] with the name of the case, once it is durable.
    ///
    /// `is_new` is asked again under the lock: whether the log still lacks any of it.
    ///
    /// # Errors
    /// Besides that, those of [`Quarantine::require_new`]; [`Code::QuarantineFull`], [`Code::StoreFailed`], [`Code::StoreFull`]:
    /// nothing is held. `Ok` when it was logged in between.
    pub(crate) fn hold(
        &self,
        case: &Case,
        is_new: impl FnOnce() -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        let mut held = self.held();
        let id = case.id();
        Self::against(&held, &case.tenant, id, case.key.as_deref())?;
        if !is_new()? {
            return Ok(());
        }
        let load = load(&held);
        let bytes = case.to_bytes().len() as u64 + 16;
        let most = self.bounds.mebibytes.saturating_mul(1024 * 1024);
        if load.cases >= self.bounds.cases || load.bytes + bytes > most {
            return Err(Refusal::new(Code::QuarantineFull).needed(self.bounds.cases).found(load.cases));
        }
        self.write(&mut held, id, case)?;
        Err(Refusal::new(Code::Quarantined).found(id.to_string()))
    }

    /// The cases of a tenant, or all of them, the oldest first.
    pub(crate) fn list(&self, tenant: Option<&str>) -> Vec<CaseId> {
        let held = self.held();
        let of = held.rows.iter().filter(|(_, row)| tenant.is_none_or(|tenant| row.tenant == tenant));
        let mut found: Vec<_> = of.map(|(id, row)| (row.received_at, *id)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// The cases of a tenant, as far as a webhook tells them; one that is being released is held still.
    pub(crate) fn stands(&self, tenant: &str) -> Vec<(CaseId, Stand)> {
        let held = self.held();
        let own = held.rows.iter().filter(|(_, row)| row.tenant == tenant);
        own.map(|(id, row)| {
            let stand = match (row.is_open, row.ended) {
                (true, _) => Stand::Held,
                (false, Some(_)) => Stand::Ended,
                (false, None) => Stand::Released,
            };
            (*id, stand)
        })
        .collect()
    }

    /// A case, of this tenant or of any.
    ///
    /// # Errors
    /// [`Code::NoSuchCase`], also for a case of another tenant; [`Code::Damaged`].
    pub(crate) fn case(&self, id: CaseId, tenant: Option<&str>) -> Result<Case, Refusal> {
        let (case, _) = self.read(id)?;
        if tenant.is_some_and(|tenant| tenant != case.tenant) {
            return Err(Refusal::new(Code::NoSuchCase).found(id.to_string()));
        }
        Ok(case)
    }

    /// The case from which an entry was released, if it was.
    pub(crate) fn of(&self, position: Position) -> Option<CaseId> {
        self.held().released.get(&position).copied()
    }

    /// Whether there is no case at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.held().rows.is_empty()
    }

    pub(crate) fn load(&self) -> Load {
        load(&self.held())
    }

    /// Releases a case: logs its records. The same ruling made again is answered the same.
    ///
    /// # Errors
    /// [`Code::NoSuchCase`]; [`Code::CaseRuled`] when it was rejected or lapsed; those of the log, when the ruling is durable and
    /// the records are not logged yet: that is done later.
    pub(crate) fn release(&self, log: &Log, id: CaseId, ruling: Ruling) -> Result<Case, Refusal> {
        let mut held = self.held();
        let (mut case, _) = self.read(id)?;
        match case.state {
            State::Held => {
                case.state = State::Releasing(ruling);
                self.write(&mut held, id, &case)?;
            }
            State::Releasing(_) => {}
            State::Released(..) => return Ok(case),
            State::Rejected(_) | State::Lapsed(_) => {
                return Err(Refusal::new(Code::CaseRuled).found(case.state.name()));
            }
        }
        self.log(&mut held, log, id, case)
    }

    /// Logs what was released, and writes down where it stands.
    fn log(&self, held: &mut Held, log: &Log, id: CaseId, mut case: Case) -> Result<Case, Refusal> {
        let State::Releasing(ruling) = case.state.clone() else { return Ok(case) };
        if !log.wait_ready(Duration::from_secs(2)) {
            return Err(Refusal::new(Code::IndexBehind));
        }
        let received_at = now().get();
        let items = case.records.iter().map(|record| {
            let no_random =
                |error: getrandom::Error| Refusal::new(Code::StoreFailed).found(error.to_string());
            let seed = Seed::new(random().map_err(no_random)?);
            let tenant = case.tenant.clone();
            log.prepare(Deposit { tenant, record: record.clone(), seed, received_at })
        });
        let items = items.collect::<Result<Vec<_>, _>>()?;
        let key = case.key.clone().map(|key| IdempotencyKey { tenant: case.tenant.clone(), key });
        let outcomes = log.append(Batch { items, key })?;
        let positions = outcomes.iter().map(|outcome| outcome.position).collect();
        case.state = State::Released(ruling, positions);
        case.records = Vec::new();
        self.write(held, id, &case)?;
        Ok(case)
    }

    /// Rejects a case; its records are gone, and why it was held stays until it is as old as it may get.
    ///
    /// # Errors
    /// [`Code::NoSuchCase`]; [`Code::CaseRuled`] when it was released or lapsed.
    pub(crate) fn reject(&self, id: CaseId, ruling: Ruling) -> Result<Case, Refusal> {
        let mut held = self.held();
        let (mut case, _) = self.read(id)?;
        match case.state {
            State::Held => {}
            State::Rejected(_) => return Ok(case),
            _ => return Err(Refusal::new(Code::CaseRuled).found(case.state.name())),
        }
        case.state = State::Rejected(ruling);
        case.records = Vec::new();
        self.write(&mut held, id, &case)?;
        Ok(case)
    }

    /// Finishes what a crash left, lets lapse what nobody ruled on, and forgets what is older than may be kept. Returns how
    /// many cases changed.
    ///
    /// # Errors
    /// The first that broke; the others are done.
    pub(crate) fn tidy(&self, log: &Log, now: BlockTime) -> Result<usize, Refusal> {
        let most = Span::seconds(self.bounds.days.saturating_mul(86_400));
        let old = |since: BlockTime| now.since(since).is_some_and(|age| age > most);
        let mut held = self.held();
        let due: Vec<(CaseId, Row)> = held
            .rows
            .iter()
            .filter(|(_, row)| {
                row.is_releasing || (row.is_open && old(row.received_at)) || row.ended.is_some_and(old)
            })
            .map(|(id, row)| (*id, row.clone()))
            .collect();
        let (mut changed, mut failure) = (0, None);
        for (id, row) in due {
            let done = if row.is_releasing {
                self.read(id).and_then(|(case, _)| self.log(&mut held, log, id, case)).map(drop)
            } else if row.is_open {
                self.read(id).and_then(|(mut case, _)| {
                    case.state = State::Lapsed(now);
                    case.records = Vec::new();
                    self.write(&mut held, id, &case)
                })
            } else {
                self.forget(&mut held, id)
            };
            match done {
                Ok(()) => changed += 1,
                Err(refusal) => failure = failure.or(Some(refusal)),
            }
        }
        failure.map_or(Ok(changed), Err)
    }

    fn forget(&self, held: &mut Held, id: CaseId) -> Result<(), Refusal> {
        self.disk.remove(&self.path(id)).map_err(|error| failed(&error))?;
        self.disk.sync_dir(&self.root).map_err(|error| failed(&error))?;
        held.rows.remove(&id);
        Ok(())
    }

    /// Takes away why an entry was held, when its record is erased: reasons may quote what was declared.
    ///
    /// # Errors
    /// [`Code::StoreFailed`], [`Code::Damaged`].
    pub(crate) fn erase(&self, position: Position) -> Result<(), Refusal> {
        let mut held = self.held();
        let Some(id) = held.released.get(&position).copied() else { return Ok(()) };
        let (mut case, _) = self.read(id)?;
        let State::Released(_, positions) = &case.state else { return Ok(()) };
        let item = positions.iter().position(|other| *other == position);
        let item = item.and_then(|item| u32::try_from(item).ok());
        case.why.retain(|why| Some(why.item) != item);
        self.write(&mut held, id, &case)
    }
}

fn load(held: &Held) -> Load {
    let open = held.rows.values().filter(|row| row.is_open);
    open.fold(Load::default(), |load, row| Load {
        cases: load.cases + 1,
        bytes: load.bytes + row.bytes,
        oldest: Some(load.oldest.map_or(row.received_at, |oldest| oldest.min(row.received_at))),
    })
}

/// Takes a case into memory.
fn note(held: &mut Held, id: CaseId, case: &Case, bytes: u64) {
    let ended = match &case.state {
        State::Rejected(ruling) => Some(ruling.at),
        State::Lapsed(at) => Some(*at),
        State::Held | State::Releasing(_) | State::Released(..) => None,
    };
    if let State::Released(_, positions) = &case.state {
        held.released.extend(positions.iter().map(|position| (*position, id)));
    }
    let row = Row {
        tenant: case.tenant.clone(),
        key: case.key.clone(),
        received_at: case.received_at,
        bytes,
        is_open: case.state.is_open(),
        is_releasing: matches!(case.state, State::Releasing(_)),
        ended,
    };
    held.rows.insert(id, row);
}

/// Tidies until it is told to stop.
pub(crate) async fn keep(desk: Arc<crate::desk::Desk>, mut stop: tokio::sync::watch::Receiver<bool>) {
    loop {
        let own = Arc::clone(&desk);
        let done = tokio::task::spawn_blocking(move || own.quarantine().tidy(own.log(), now())).await;
        match done {
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => tracing::warn!(%refusal, "the quarantine is not tidy yet"),
            Err(_) => return,
        }
        if !pause(LOOK, &mut stop).await {
            return;
        }
    }
}
