//! Webhooks: a tenant's own addresses are told when its entries got further, by signed requests.
//!
//! ```text
//! <folder>/webhooks/<id>      one webhook: a line with a check, and JSON; replaced as a whole
//! ```
//!
//! 1. What is told is read from what the log, the anchors, the time-stamps and the quarantine hold ([`compose`]). A webhook keeps
//!    how far it told of each; it begins at what was not logged when it was registered.
//! 2. A delivery is durable, under its name, before it is sent first. It is sent, the same bytes under the same name,
//!    until it is answered with 2xx; then how far it told is durable. A crash in between sends it again: **at least once**,
//!    and a receiver knows it by its name. One webhook has one delivery on its way, so they come in order.
//! 3. After a failure it rests, one second and each time twice as long, up to a bound. What failed without a success for
//!    `disable_seconds`, or answered 410, is disabled: it is called no more until its tenant enables it, and then goes on where
//!    it was. An operator sees it in the metrics.
//! 4. Only addresses of the public internet are called, by https, unless the configuration allows others ([`address`]). No
//!    redirect is followed, and of an answer no more is read than its head.
//! 5. Calls are bounded in number and time, for all and for each tenant: who is slow holds up himself.
//!
//! A request is signed as Standard Webhooks has it, with the key that signs receipts: `docs/adr/0013`.
//!
//! | file | what |
//! |---|---|
//! | `address` | what may be called |
//! | `compose` | what is told next |
//! | `hook` | the state of one |
//! | `hand` | the calls |
//! | `metrics` | what an operator sees |

mod address;
mod compose;
mod config;
mod hand;
mod hook;
mod metrics;
#[cfg(test)]
mod tests;

pub use config::WebhooksConfig;
pub(crate) use config::check;
pub(crate) use hand::start;
pub(crate) use hook::{Event, Hook, Stand};

use crate::desk::{Desk, now};
use crate::keys::random;
use crate::store::{Disk, Position, io_refusal, replace};
use address::Guard;
use hook::At;
use metrics::Numbers;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeugma_crypto::hash::sha256;
use zeugma_types::{BlockTime, Code, Refusal};

/// Longest file of a webhook, in bytes: what it told of a hundred thousand cases, and a delivery.
const LONGEST: usize = 16 * 1024 * 1024;
/// Most webhooks of all tenants.
const MOST: usize = 10_000;

/// All webhooks of a service.
pub(crate) struct Hooks {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    config: WebhooksConfig,
    guard: Arc<Guard>,
    numbers: Numbers,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    hooks: BTreeMap<String, Hook>,
    /// Those that are called now.
    busy: BTreeSet<String>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hooks({})", self.root.display())
    }
}

impl Hooks {
    /// Opens the folder, and reads each.
    ///
    /// # Errors
    /// [`Code::StoreFailed`]; [`Code::Damaged`] with the file: what is registered stands nowhere else.
    pub(crate) fn open(disk: Arc<dyn Disk>, folder: &Path, config: &WebhooksConfig) -> Result<Self, Refusal> {
        let root = folder.join("webhooks");
        disk.create_dir(&root).map_err(|error| io_refusal(&error))?;
        disk.sync_dir(folder).map_err(|error| io_refusal(&error))?;
        let guard = config.guard().map_err(|why| Refusal::new(Code::BadText).found(why))?;
        let (numbers, guard) = (Numbers::default(), Arc::new(guard));
        let hooks = Self { disk, root, config: config.clone(), guard, numbers, held: Mutex::default() };
        let names = hooks.disk.list(&hooks.root).map_err(|error| io_refusal(&error))?;
        for name in names.iter().filter(|name| is_id(name)) {
            let hook = hooks.read(name)?;
            hooks.held().hooks.insert(hook.id.clone(), hook);
        }
        Ok(hooks)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // It is changed after the disk, in one step.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, id: &str) -> Result<Hook, Refusal> {
        let path = self.root.join(id);
        let damaged = |why: &str| Refusal::new(Code::Damaged).found(format!("{}: {why}", path.display()));
        let bytes = crate::store::read(&*self.disk, &path, LONGEST).map_err(|error| io_refusal(&error))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged("no text"))?;
        let (check, json) = text.split_once('\n').ok_or_else(|| damaged("cut short"))?;
        if check != hex::encode(sha256(&[json.as_bytes()])) {
            return Err(damaged("check"));
        }
        let hook: Hook = serde_json::from_str(json).map_err(|why| damaged(&why.to_string()))?;
        if hook.id != id {
            return Err(damaged("another's file"));
        }
        Ok(hook)
    }

    /// Writes it, durably, and then into memory.
    fn write(&self, held: &mut Held, hook: Hook) -> Result<(), Refusal> {
        let json = serde_json::to_string(&hook).expect("a webhook is JSON");
        let bytes = format!("{}\n{json}", hex::encode(sha256(&[json.as_bytes()])));
        replace(&*self.disk, &self.root.join(&hook.id), bytes.as_bytes())
            .map_err(|error| io_refusal(&error))?;
        held.hooks.insert(hook.id.clone(), hook);
        Ok(())
    }

    /// Registers one, for what is not logged yet. Blocks: its name is resolved. The same one again is the one that is there;
    /// `true` when it is new.
    ///
    /// # Errors
    /// [`Code::AddressRefused`]; [`Code::Empty`] without an event; [`Code::TooMany`]; those of the disk.
    pub(crate) fn register(
        &self,
        desk: &Desk,
        tenant: &str,
        url: &str,
        events: &[Event],
    ) -> Result<(Hook, bool), Refusal> {
        if events.is_empty() {
            return Err(Refusal::new(Code::Empty).needed("an event"));
        }
        let events: BTreeSet<Event> = events.iter().copied().collect();
        let events: Vec<Event> = events.into_iter().collect();
        let uri = self.guard.parse(url)?;
        self.guard.resolve(&uri)?;
        // What is logged by now is behind it: whatever is published while this goes on is told.
        let next = begin(desk)?;
        let cases = desk.quarantine().stands(tenant);
        let id = random().map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))?;
        let mut held = self.held();
        let own = || held.hooks.values().filter(|hook| hook.tenant == tenant);
        if let Some(there) = own().find(|hook| hook.url == url && hook.events == events) {
            return Ok((there.clone(), false));
        }
        let (most, count) = (self.config.per_tenant, own().count());
        if count >= most || held.hooks.len() >= MOST {
            return Err(Refusal::new(Code::TooMany).needed(most).found(count));
        }
        let hook = Hook {
            id: hex::encode(&id[..16]),
            tenant: tenant.to_owned(),
            url: url.to_owned(),
            next: events.iter().map(|event| (*event, next)).collect(),
            events,
            made_at: now().get(),
            disabled: None,
            failing_since: None,
            failures: 0,
            next_at: 0,
            number: 0,
            cases: cases.into_iter().map(|(id, stand)| (id.to_string(), stand)).collect(),
            last: None,
            pending: None,
            attempts: VecDeque::new(),
        };
        self.write(&mut held, hook.clone())?;
        Ok((hook, true))
    }

    /// The webhooks of a tenant, the oldest first.
    pub(crate) fn list(&self, tenant: &str) -> Vec<Hook> {
        let held = self.held();
        let mut own: Vec<_> = held.hooks.values().filter(|hook| hook.tenant == tenant).cloned().collect();
        own.sort_by(|one, other| (one.made_at, &one.id).cmp(&(other.made_at, &other.id)));
        own
    }

    /// One webhook of a tenant.
    ///
    /// # Errors
    /// [`Code::NoSuchName`], also for another's.
    pub(crate) fn get(&self, tenant: &str, id: &str) -> Result<Hook, Refusal> {
        Self::own(&self.held(), tenant, id)
    }

    fn own(held: &Held, tenant: &str, id: &str) -> Result<Hook, Refusal> {
        let found = held.hooks.get(id).filter(|hook| hook.tenant == tenant).cloned();
        found.ok_or_else(|| Refusal::new(Code::NoSuchName).found(id.chars().take(64).collect::<String>()))
    }

    /// Takes one away. A call that is under way goes on to its end.
    ///
    /// # Errors
    /// [`Code::NoSuchName`]; those of the disk.
    pub(crate) fn remove(&self, tenant: &str, id: &str) -> Result<(), Refusal> {
        let mut held = self.held();
        let hook = Self::own(&held, tenant, id)?;
        self.disk.remove(&self.root.join(&hook.id)).map_err(|error| io_refusal(&error))?;
        self.disk.sync_dir(&self.root).map_err(|error| io_refusal(&error))?;
        held.hooks.remove(id);
        Ok(())
    }

    /// Calls one again that was disabled, from where it was.
    ///
    /// # Errors
    /// [`Code::NoSuchName`]; those of the disk.
    pub(crate) fn enable(&self, tenant: &str, id: &str) -> Result<Hook, Refusal> {
        let mut held = self.held();
        let mut hook = Self::own(&held, tenant, id)?;
        if hook.disabled.take().is_some() {
            (hook.failing_since, hook.failures, hook.next_at) = (None, 0, 0);
            self.write(&mut held, hook.clone())?;
        }
        Ok(hook)
    }

    /// Takes those that may be called now; each is given back by [`Hooks::give_back`].
    fn take(&self, now: BlockTime) -> Vec<Hook> {
        let mut held = self.held();
        let Held { hooks, busy } = &mut *held;
        let due = hooks
            .values()
            .filter(|hook| hook.disabled.is_none() && hook.next_at <= now.get() && !busy.contains(&hook.id));
        let due: Vec<Hook> = due.cloned().collect();
        busy.extend(due.iter().map(|hook| hook.id.clone()));
        due
    }

    fn give_back(&self, id: &str) {
        self.held().busy.remove(id);
    }

    /// Writes what a call changed, unless the webhook is gone since.
    fn keep(&self, hook: Hook) -> Result<(), Refusal> {
        let mut held = self.held();
        if !held.hooks.contains_key(&hook.id) {
            return Err(Refusal::new(Code::NoSuchName).found(hook.id));
        }
        self.write(&mut held, hook)
    }

    /// The metrics, in the text format of Prometheus.
    pub(crate) fn text(&self, now: BlockTime) -> String {
        self.numbers.text(self.held().hooks.values(), now)
    }
}

fn is_id(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The first place that no published checkpoint covers.
fn begin(desk: &Desk) -> Result<At, Refusal> {
    let open = desk.log().head().0;
    let mut begin = Position { shard: open, index: 0 };
    // Of a shard that was just closed the last checkpoint may not be out yet.
    for shard in 0..=open {
        let size = desk.log().size_of(shard)?.get();
        let published = desk.notes(shard)?.map_or(0, |notes| notes.size.get());
        begin = Position { shard, index: published };
        if published < size {
            break;
        }
    }
    Ok(begin.into())
}
