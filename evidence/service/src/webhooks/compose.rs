//! What a webhook tells next: read from what the log, the anchors, the time-stamps and the quarantine hold, so nothing need
//! be told to it when it happens, and nothing is lost that happened while the service was away.

use super::hook::{Delivery, Event, Hook, Moves, Stand};
use crate::desk::{Desk, now};
use crate::quarantine::{CaseId, State};
use crate::store::{Position, Term};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zeugma_types::{BlockTime, Code, Refusal};

/// Most entries of one delivery.
pub(super) const ENTRIES: usize = 256;

/// The checkpoint by which an entry reached a state, and what is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reached {
    size: u64,
    more: Vec<(&'static str, Value)>,
}

/// The next delivery, if there is something to tell.
///
/// # Errors
/// [`Code::StoreFailed`], [`Code::Damaged`], [`Code::IndexBehind`].
pub(super) fn next(desk: &Desk, hook: &mut Hook) -> Result<Option<Delivery>, Refusal> {
    for event in hook.turns() {
        let told = match event {
            Event::Quarantine => case(desk, hook)?,
            event => entries(desk, hook, event)?,
        };
        let Some((kind, data, moves)) = told else { continue };
        let made_at = now().get();
        hook.number += 1;
        let body = json!({ "type": kind, "at": made_at, "data": data }).to_string();
        let id = format!("{}-{}", hook.id, hook.number);
        return Ok(Some(Delivery { id, kind, body, made_at, moves }));
    }
    Ok(None)
}

type Told = (String, Value, Moves);

fn entries(desk: &Desk, hook: &Hook, event: Event) -> Result<Option<Told>, Refusal> {
    let Some(from) = hook.next.get(&event).copied().map(Position::from) else { return Ok(None) };
    let after = match from.index.checked_sub(1) {
        Some(index) => Some(Position { shard: from.shard, index }),
        None => from.shard.checked_sub(1).map(|shard| Position { shard, index: u64::MAX }),
    };
    // In the order of the log, which the index follows: whatever it has not yet lies behind all that it has.
    let positions = desk.log().positions(&hook.tenant, Term::All, after, ENTRIES)?;
    let mut look = Look { desk, event, known: BTreeMap::new() };
    let mut found: Option<(u32, Reached)> = None;
    let mut told = Vec::new();
    let mut last = from;
    for position in positions {
        let Some(reached) = look.reached(position)? else { break };
        match &found {
            None => found = Some((position.shard, reached)),
            // One delivery is of one checkpoint.
            Some((shard, first)) if *shard != position.shard || *first != reached => break,
            Some(_) => {}
        }
        told.push(position.index);
        last = position;
    }
    let Some((shard, reached)) = found else { return Ok(None) };
    let mut data = json!({
        "origin": desk.log().origin_of(shard)?,
        "shard": shard,
        "size": reached.size,
        "entries": told,
    });
    for (name, value) in reached.more {
        data[name] = value;
    }
    let kind = match event {
        Event::Anchored => "entries.anchored",
        Event::Stamped => "entries.stamped",
        Event::Logged | Event::Quarantine => "entries.logged",
    };
    let next = Position { shard: last.shard, index: last.index + 1 };
    Ok(Some((kind.to_owned(), data, Moves::Entries { event, next: next.into() })))
}

/// Looks at entries, each checkpoint once.
struct Look<'a> {
    desk: &'a Desk,
    event: Event,
    known: BTreeMap<(u32, u64), Option<Reached>>,
}

impl Look<'_> {
    fn reached(&mut self, position: Position) -> Result<Option<Reached>, Refusal> {
        let Position { shard, index } = position;
        let size = match self.event {
            Event::Logged | Event::Quarantine => {
                // Of a shard one look is enough: what is published since is told the next time.
                if let Some(((_, size), found)) = self.known.range((shard, 0)..=(shard, u64::MAX)).next() {
                    return Ok(found.clone().filter(|_| *size > index));
                }
                let size = self.desk.notes(shard)?.map_or(0, |notes| notes.size.get());
                self.known.insert((shard, size), Some(Reached { size, more: Vec::new() }));
                return self.reached(position);
            }
            Event::Anchored => self.desk.anchors().covering(shard, index),
            Event::Stamped => self.desk.stamped_size(position),
        };
        let Some(size) = size else { return Ok(None) };
        if let Some(known) = self.known.get(&(shard, size)) {
            return Ok(known.clone());
        }
        let found = match self.event {
            Event::Anchored => {
                let anchored = self.desk.anchored(position)?;
                let at = anchored.map(|(_, anchored)| anchored.at()).transpose()?;
                at.map(|at| Reached { size, more: vec![("anchored_at", at.get().into())] })
            }
            _ => self.stamped(shard, size)?,
        };
        self.known.insert((shard, size), found.clone());
        Ok(found)
    }

    /// By every authority that is configured; by one at least.
    fn stamped(&self, shard: u32, size: u64) -> Result<Option<Reached>, Refusal> {
        let stamping = self.desk.stamping();
        let legs = stamping.stood(shard, size)?;
        let asked =
            legs.iter().filter(|one| stamping.authorities().iter().any(|authority| one.leg.is_of(authority)));
        let mut stamps = Vec::new();
        for one in asked {
            let Some(got) = &one.leg.got else { return Ok(None) };
            stamps.push(json!({ "institution": one.leg.institution, "stamped_at": got.at.get() }));
        }
        Ok((!stamps.is_empty()).then(|| Reached { size, more: vec![("stamps", stamps.into())] }))
    }
}

/// The first case of which something else is to be told than was. Cases that are forgotten are forgotten here as well.
fn case(desk: &Desk, hook: &mut Hook) -> Result<Option<Told>, Refusal> {
    let stands = desk.quarantine().stands(&hook.tenant);
    let stands: BTreeMap<String, (CaseId, Stand)> =
        stands.into_iter().map(|(id, stand)| (id.to_string(), (id, stand))).collect();
    hook.cases.retain(|name, _| stands.contains_key(name));
    for (name, (id, stand)) in stands {
        if hook.cases.get(&name) == Some(&stand) {
            continue;
        }
        match told(desk, id, &hook.tenant) {
            Ok(Some((kind, data, stand))) if hook.cases.get(&name) != Some(&stand) => {
                return Ok(Some((kind, data, Moves::Case { case: name, stand })));
            }
            Ok(_) => {}
            // Forgotten since.
            Err(refusal) if refusal.code == Code::NoSuchCase => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(None)
}

fn told(desk: &Desk, id: CaseId, tenant: &str) -> Result<Option<(String, Value, Stand)>, Refusal> {
    let case = desk.quarantine().case(id, Some(tenant))?;
    let mut entries = Vec::new();
    let (at, stand) = match &case.state {
        State::Held => (case.received_at, Stand::Held),
        // It is told once its entries stand.
        State::Releasing(_) => return Ok(None),
        State::Released(ruling, positions) => {
            entries = positions.iter().map(|at| json!({ "shard": at.shard, "index": at.index })).collect();
            (ruling.at, Stand::Released)
        }
        State::Rejected(ruling) => (ruling.at, Stand::Ended),
        State::Lapsed(at) => (*at, Stand::Ended),
    };
    let data = json!({
        "case": id.to_string(),
        "received_at": case.received_at.get(),
        "state_at": BlockTime::get(at),
        "entries": entries,
    });
    Ok(Some((format!("case.{}", case.state.name()), data, stand)))
}
