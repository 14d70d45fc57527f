//! One webhook: whom it tells what, how far it told, and what it tells now.

use crate::store::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// Attempts that are kept of each.
pub(super) const KEPT: usize = 64;

/// What is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Event {
    /// A published checkpoint covers entries.
    Logged,
    /// The relay chain anchored them.
    Anchored,
    /// Every time authority that is configured stamped them.
    Stamped,
    /// A deposit is held, released, rejected, or lapsed.
    Quarantine,
}

/// What became of a case, as far as a webhook tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stand {
    /// It waits for a role.
    Held,
    /// Its entries are logged.
    Released,
    /// It was rejected, or nobody ruled in time.
    Ended,
}

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct At {
    shard: u32,
    index: u64,
}

impl From<Position> for At {
    fn from(Position { shard, index }: Position) -> Self {
        Self { shard, index }
    }
}

impl From<At> for Position {
    fn from(At { shard, index }: At) -> Self {
        Self { shard, index }
    }
}

/// What is told once a delivery has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Moves {
    /// Entries before this one.
    Entries { event: Event, next: At },
    /// A case.
    Case { case: String, stand: Stand },
}

/// A delivery that is on its way: the same bytes under the same name until they have arrived.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Delivery {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) body: String,
    pub(super) made_at: u64,
    pub(super) moves: Moves,
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Attempt {
    pub(super) delivery: String,
    pub(super) kind: String,
    pub(super) at: u64,
    pub(super) milliseconds: u64,
    /// What was answered, if anything.
    pub(super) status: Option<u16>,
    /// Why it has not arrived.
    pub(super) why: Option<String>,
}

impl Attempt {
    pub(super) fn has_arrived(&self) -> bool {
        self.why.is_none()
    }
}

/// Since when it is not called any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Disabled {
    pub(super) at: u64,
    pub(super) why: String,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hook {
    pub(super) id: String,
    pub(super) tenant: String,
    pub(super) url: String,
    /// In their order, each once.
    pub(super) events: Vec<Event>,
    pub(super) made_at: u64,
    pub(super) disabled: Option<Disabled>,
    /// When it failed first since it last succeeded, and how often since.
    pub(super) failing_since: Option<u64>,
    pub(super) failures: u32,
    /// Not called before.
    pub(super) next_at: u64,
    /// Deliveries that were made.
    pub(super) number: u64,
    /// Which entry is told next.
    pub(super) next: BTreeMap<Event, At>,
    /// What was told of cases.
    pub(super) cases: BTreeMap<String, Stand>,
    /// What was told last, so that each has its turn.
    pub(super) last: Option<Event>,
    pub(super) pending: Option<Delivery>,
    pub(super) attempts: VecDeque<Attempt>,
}

impl Hook {
    /// Its events, the one after that which was told last first.
    pub(super) fn turns(&self) -> Vec<Event> {
        let mut turns = self.events.clone();
        let after = self.last.and_then(|last| turns.iter().position(|event| *event == last));
        turns.rotate_left(after.map_or(0, |at| at + 1) % self.events.len().max(1));
        turns
    }

    /// Takes in what became of an attempt. The rest doubles from one second to `longest`; `true` when it is disabled by this.
    pub(super) fn attempted(&mut self, attempt: Attempt, (longest, disable): (u64, u64)) -> bool {
        let (at, arrived, status) = (attempt.at, attempt.has_arrived(), attempt.status);
        let ended = at.saturating_add(attempt.milliseconds);
        let why = attempt.why.clone().unwrap_or_default();
        self.attempts.push_back(attempt);
        while self.attempts.len() > KEPT {
            self.attempts.pop_front();
        }
        if arrived {
            if let Some(Delivery { moves, .. }) = self.pending.take() {
                match moves {
                    Moves::Entries { event, next } => {
                        self.next.insert(event, next);
                        self.last = Some(event);
                    }
                    Moves::Case { case, stand } => {
                        self.cases.insert(case, stand);
                        self.last = Some(Event::Quarantine);
                    }
                }
            }
            (self.failing_since, self.failures, self.next_at) = (None, 0, 0);
            return false;
        }
        let since = *self.failing_since.get_or_insert(at);
        let rest = 1_u64.checked_shl(self.failures.min(63)).unwrap_or(u64::MAX).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.next_at = ended.saturating_add(rest.saturating_mul(1_000));
        let gone = status == Some(410);
        if gone || at.saturating_sub(since) >= disable.saturating_mul(1_000) {
            let why = if gone { "it answered 410: gone".to_owned() } else { why };
            self.disabled = Some(Disabled { at, why });
            return true;
        }
        false
    }

    /// As it is shown.
    pub(crate) fn view(&self) -> Value {
        let disabled = self.disabled.as_ref();
        let state = match (disabled, self.failing_since) {
            (Some(_), _) => "disabled",
            (None, Some(_)) => "failing",
            (None, None) => "active",
        };
        json!({
            "id": self.id,
            "url": self.url,
            "events": self.events,
            "made_at": self.made_at,
            "state": state,
            "disabled_at": disabled.map(|disabled| disabled.at),
            "disabled_for": disabled.map(|disabled| &disabled.why),
            "failing_since": self.failing_since,
            "next_attempt_at": self.pending.as_ref().filter(|_| disabled.is_none()).map(|_| self.next_at),
            "pending": self.pending.as_ref().map(|pending| json!({
                "delivery": pending.id, "type": pending.kind, "made_at": pending.made_at,
            })),
        })
    }

    /// The attempts that are kept, the newest first.
    pub(crate) fn attempts(&self) -> Vec<Value> {
        let newest = self.attempts.iter().rev();
        newest
            .map(|one| {
                json!({
                    "delivery": one.delivery,
                    "type": one.kind,
                    "at": one.at,
                    "milliseconds": one.milliseconds,
                    "delivered": one.has_arrived(),
                    "status": one.status,
                    "why": one.why,
                })
            })
            .collect()
    }
}
