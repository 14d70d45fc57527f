//! Light clients: create, name the counterparty, update, freeze.
//!
//! The identifier of a client is its family's name, a hyphen and a number that is never reused.
//! Freezing takes effect: evidence that freezes is a done transaction, not a refused one.

use super::record::{ClientRecord, Counterparty, Route};
use crate::bounded::{Bytes, Maybe, Text};
use crate::event::{ClientCreated, ClientFrozen, ClientUpdated, CounterpartyRegistered, Event};
use crate::gov::counters;
use crate::halt::Run;
use crate::outcome::Effect;
use crate::registry::{self, Kind};
use crate::standing::say;
use crate::state::Slot;
use crate::tx::{CreateClient, RegisterCounterparty, SubmitMisbehaviour, UpdateClient};
use crate::work::Work;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_adapter_core::{Adapter, Described, MerklePath, Misbehaviour, Status, Transition};
use zeugma_proof::body::{ClientEvent, ClientStatus};
use zeugma_types::{ClientId, Code, Height, Refusal, Sequence};

/// A client as loaded.
pub(super) struct Loaded<'w> {
    pub(super) family: &'w dyn Adapter,
    pub(super) record: ClientRecord,
    pub(super) now: Described,
}

impl Loaded<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        self.record.client.as_slice()
    }
}

pub(super) fn unknown(client: &ClientId) -> Refusal {
    Refusal::new(Code::UnknownClient).found(String::from(client.as_str()))
}

pub(super) fn load<'w>(work: &Work<'w>, client: &ClientId) -> Run<Loaded<'w>> {
    let record = work.view.load::<ClientRecord>(Slot::Client(client))?.ok_or_else(|| unknown(client))?;
    let family = work
        .families
        .numbered(record.family)
        .ok_or_else(|| Refusal::new(Code::FamilyNotAllowed).found(record.family))?;
    let now = family.describe(record.client.as_slice(), work.block.context().time)?;
    Ok(Loaded { family, record, now })
}

/// The client, if proofs can be verified under it now.
pub(super) fn load_active<'w>(work: &Work<'w>, client: &ClientId) -> Run<Loaded<'w>> {
    let loaded = load(work, client)?;
    match loaded.now.status {
        Status::Active => Ok(loaded),
        Status::Frozen => Err(Refusal::new(Code::ClientFrozen).into()),
        Status::Expired => Err(Refusal::new(Code::ClientExpired)
            .needed(loaded.now.expires_at.map_or(u64::MAX, zeugma_types::BlockTime::get))
            .found(work.block.context().time.get())
            .into()),
    }
}

/// The other side of a client's route.
pub(super) fn counterparty(work: &Work<'_>, client: &ClientId) -> Run<Counterparty> {
    let route = work.view.load::<Route>(Slot::Route(client))?.ok_or_else(|| unknown(client))?;
    route.counterparty.0.ok_or_else(|| Refusal::new(Code::NoCounterparty).into())
}

/// The other side, which must be `named`.
pub(super) fn require_counterparty(
    work: &Work<'_>,
    client: &ClientId,
    named: &ClientId,
) -> Run<Counterparty> {
    let counterparty = counterparty(work, client)?;
    if counterparty.client != *named {
        return Err(Refusal::new(Code::WrongCounterparty)
            .needed(String::from(counterparty.client.as_str()))
            .found(String::from(named.as_str()))
            .into());
    }
    Ok(counterparty)
}

/// Nothing new is taken on a route that was halted by order; what is in flight can still end.
pub(super) fn require_open(work: &Work<'_>, client: &ClientId) -> Run<()> {
    let name = Text::new(client.as_str()).expect("a client identifier is a name of at most 64 bytes");
    match registry::in_force(&work.view, Kind::Halt, &name)? {
        Some(order) => Err(Refusal::new(Code::RouteHalted).found(order).into()),
        None => Ok(()),
    }
}

/// The trusted state of exactly this height, encoded.
pub(super) fn state_at(work: &Work<'_>, client: &ClientId, height: Height) -> Run<Vec<u8>> {
    match work.view.get(&Slot::ClientState(client, height).key())? {
        Some(state) => Ok(state.into()),
        None => Err(Refusal::new(Code::NoStateAt).needed(height.get()).into()),
    }
}

/// A key of ICS-24 as a path in the other side's store.
pub(super) fn path_under(counterparty: &Counterparty, key: &[u8]) -> Result<MerklePath, Refusal> {
    MerklePath::under(&counterparty.prefix, key)
}

pub(crate) fn create(work: &mut Work<'_>, message: &CreateClient) -> Run<Effect> {
    if !work.block.parameters().families.iter().any(|allowed| *allowed == message.family) {
        return Err(Refusal::new(Code::FamilyNotAllowed).found(message.family).into());
    }
    let family = work
        .families
        .numbered(message.family)
        .ok_or_else(|| Refusal::new(Code::FamilyNotAllowed).found(message.family))?;
    let mut numbers = counters(&work.view)?;
    let number = numbers.next_client;
    numbers.next_client = number.checked_add(1).ok_or_else(|| Refusal::new(Code::NumbersSpent))?;
    let client = ClientId::new(&format!("{}-{number}", family.name()))?;

    let now = work.block.context().time;
    let made = family.create(message.profile.as_slice(), message.state.as_slice(), now)?;
    let (height, state) = made.state;
    work.view.save(Slot::Counters, &numbers);
    work.view.save(
        Slot::Client(&client),
        &ClientRecord { family: message.family, client: Bytes::new(made.client)? },
    );
    work.view.save_bytes(Slot::ClientState(&client, height), state);
    work.view.save(Slot::Route(&client), &Route { creator: work.signer, counterparty: Maybe(None) });
    work.view.save(Slot::NextSend(&client), &Sequence::new(1));
    say_status(work, &client, ClientStatus::Active, height)?;
    work.view.tell(Event::ClientCreated(ClientCreated { client, family: message.family, height }));
    Ok(Effect::Applied)
}

pub(crate) fn register_counterparty(work: &mut Work<'_>, message: &RegisterCounterparty) -> Run<Effect> {
    let client = &message.client;
    let mut route = work.view.load::<Route>(Slot::Route(client))?.ok_or_else(|| unknown(client))?;
    let named = Counterparty { client: message.counterparty.clone(), prefix: message.prefix.clone() };
    match &route.counterparty.0 {
        Some(known) if *known == named => return Ok(Effect::AlreadyDone),
        Some(_) => return Err(Refusal::new(Code::CounterpartySet).into()),
        None => {}
    }
    if route.creator != work.signer {
        return Err(Refusal::new(Code::NotCreator)
            .needed(*route.creator.as_bytes())
            .found(*work.signer.as_bytes())
            .into());
    }
    route.counterparty = Maybe(Some(named));
    work.view.save(Slot::Route(client), &route);
    work.view.tell(Event::CounterpartyRegistered(CounterpartyRegistered {
        client: client.clone(),
        counterparty: message.counterparty.clone(),
    }));
    Ok(Effect::Applied)
}

pub(crate) fn update(work: &mut Work<'_>, message: &UpdateClient) -> Run<Effect> {
    let client = &message.client;
    let loaded = load_active(work, client)?;
    let trusted =
        state_at(work, client, loaded.family.trusted_height(loaded.bytes(), message.update.as_slice())?)?;
    let transition = {
        let view = &work.view;
        // A state that is not read yet is noted by the view; the verdict is then thrown away below.
        let known =
            |height| view.get(&Slot::ClientState(client, height).key()).ok().flatten().map(<[u8]>::to_vec);
        let now = work.block.context().time;
        loaded.family.update(loaded.bytes(), &trusted, &known, message.update.as_slice(), now)
    };
    work.view.settled()?;
    match transition? {
        Transition::Known => Ok(Effect::AlreadyDone),
        Transition::Advanced { now, pruned } => {
            let (height, state) = now.state;
            save_client(work, client, loaded.record.family, now.client)?;
            work.view.save_bytes(Slot::ClientState(client, height), state);
            if let Some(pruned) = pruned {
                work.view.remove(Slot::ClientState(client, pruned));
            }
            work.view.tell(Event::ClientUpdated(ClientUpdated { client: client.clone(), height }));
            Ok(Effect::Applied)
        }
        Transition::Froze { client: frozen, misbehaviour } => {
            freeze(work, client, loaded.record.family, frozen, misbehaviour)
        }
    }
}

pub(crate) fn submit_misbehaviour(work: &mut Work<'_>, message: &SubmitMisbehaviour) -> Run<Effect> {
    let client = &message.client;
    let loaded = load(work, client)?;
    if loaded.now.status == Status::Frozen {
        // Several watchers find the same evidence; the first froze the client.
        return Ok(Effect::AlreadyDone);
    }
    let [one, other] = loaded.family.evidence_heights(loaded.bytes(), message.evidence.as_slice())?;
    work.view.want([Slot::ClientState(client, one).key(), Slot::ClientState(client, other).key()])?;
    let (one, other) = (state_at(work, client, one)?, state_at(work, client, other)?);
    let now = work.block.context().time;
    let (frozen, misbehaviour) =
        loaded.family.submit_evidence(loaded.bytes(), [&one, &other], message.evidence.as_slice(), now)?;
    freeze(work, client, loaded.record.family, frozen, misbehaviour)
}

fn freeze(
    work: &mut Work<'_>,
    client: &ClientId,
    family: u16,
    frozen: Vec<u8>,
    misbehaviour: Misbehaviour,
) -> Run<Effect> {
    save_client(work, client, family, frozen)?;
    say_status(work, client, ClientStatus::Frozen, misbehaviour.height)?;
    work.view.tell(Event::ClientFrozen(ClientFrozen { client: client.clone(), height: misbehaviour.height }));
    Ok(Effect::Applied)
}

pub(super) fn save_client(work: &mut Work<'_>, client: &ClientId, family: u16, bytes: Vec<u8>) -> Run<()> {
    let record = ClientRecord { family, client: Bytes::new(bytes)? };
    work.view.save(Slot::Client(client), &record);
    Ok(())
}

pub(super) fn say_status(
    work: &mut Work<'_>,
    client: &ClientId,
    status: ClientStatus,
    height: Height,
) -> Run<()> {
    let context = work.block.context();
    let event = ClientEvent { client: client.clone(), status, height, at: context.time };
    say(&mut work.view, context, &event).map(drop)
}
