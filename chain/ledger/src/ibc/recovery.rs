//! Recovery of a frozen or expired client by a substitute.
//!
//! Two steps, so that no single key moves a client: a guardian proposes, everyone can look for the
//! length of the delay, a governor can cancel, and only then the subject adopts the substitute's newest
//! state. What must hold, both when it is proposed and when it is finished:
//!
//! 1. the subject is frozen or expired, the substitute active, both of one family;
//! 2. their profiles are equal, byte for byte: the profile names the chain and what is trusted of it, so a
//!    substitute with another profile would be a client of something else;
//! 3. the substitute's newest height is not below the subject's: recovery never goes back;
//! 4. the two histories agree: at every height that both hold the trusted states are equal, and time
//!    with height across both.
//!
//! Of a frozen subject, 3 and 4 look only below the height of the misbehaviour: what lies above may be
//! forged, at a height no honest substitute will ever reach.
//!
//! The subject keeps its identifier, counterparty, commitments and receipts; its old trusted states go, so
//! nothing is ever proved again against a state that may have been forged.
//!
//! Source: ibc-go ADR-026, with the delay and check 4 added.

use super::client::{Loaded, load, load_active, save_client, say_status, state_at};
use super::record::Recovery;
use crate::event::{ClientRecovered, Event, RecoveryCancelled, RecoveryProposed};
use crate::halt::Run;
use crate::limits::MAX_PROFILE;
use crate::outcome::Effect;
use crate::state::Slot;
use crate::tx::{CancelRecovery, FinishRecovery, ProposeRecovery};
use crate::work::Work;
use alloc::vec::Vec;
use zeugma_adapter_core::{Client, Status, Stored};
use zeugma_proof::body::ClientStatus;
use zeugma_types::{BlockTime, ClientId, Code, Decode, Height, Reader, Refusal};

/// A profile as bytes: what equality needs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Profile(Vec<u8>);

impl Decode for Profile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.take(reader.remaining()).map(|bytes| Self(bytes.into()))
    }
}

pub(crate) fn propose_recovery(work: &mut Work<'_>, message: &ProposeRecovery) -> Run<Effect> {
    let (subject, substitute) = (&message.subject, &message.substitute);
    work.view.want([
        Slot::Client(subject).key(),
        Slot::Client(substitute).key(),
        Slot::Recovery(subject).key(),
    ])?;
    if let Some(waiting) = work.view.load::<Recovery>(Slot::Recovery(subject))? {
        return if waiting.substitute == *substitute {
            Ok(Effect::AlreadyDone)
        } else {
            Err(Refusal::new(Code::RecoveryProposed).into())
        };
    }
    require_continuity(work, subject, substitute)?;
    let delay = work.block.parameters().recovery_delay;
    let now = work.block.context().time;
    let ready_at = now.after(delay).ok_or_else(|| Refusal::new(Code::OutOfRange).found(delay.get()))?;
    let recovery = Recovery { substitute: substitute.clone(), ready_at, proposer: work.signer };
    work.view.save(Slot::Recovery(subject), &recovery);
    work.view.tell(Event::RecoveryProposed(RecoveryProposed {
        subject: subject.clone(),
        substitute: substitute.clone(),
        ready_at,
    }));
    Ok(Effect::Applied)
}

pub(crate) fn cancel_recovery(work: &mut Work<'_>, message: &CancelRecovery) -> Run<Effect> {
    let subject = &message.subject;
    if !work.view.holds(Slot::Recovery(subject))? {
        return Ok(Effect::AlreadyDone);
    }
    work.view.remove(Slot::Recovery(subject));
    work.view.tell(Event::RecoveryCancelled(RecoveryCancelled { subject: subject.clone() }));
    Ok(Effect::Applied)
}

pub(crate) fn finish_recovery(work: &mut Work<'_>, message: &FinishRecovery) -> Run<Effect> {
    let subject = &message.subject;
    let recovery: Recovery = work.view.require(Slot::Recovery(subject), Code::NoRecovery)?;
    let now = work.block.context().time;
    if now < recovery.ready_at {
        return Err(Refusal::new(Code::TooEarly).needed(recovery.ready_at.get()).found(now.get()).into());
    }
    let substitute = &recovery.substitute;
    let Pair { before, after } = require_continuity(work, subject, substitute)?;

    let height = after.loaded.now.latest;
    let state = state_at(work, substitute, height)?;
    let profile = &after.client.profile;
    let made = after.loaded.family.create(&profile.0, &state, now)?;
    for stored in before.client.stored() {
        work.view.remove(Slot::ClientState(subject, stored.height));
    }
    work.view.save_bytes(Slot::ClientState(subject, height), made.state.1);
    save_client(work, subject, before.loaded.record.family, made.client)?;
    work.view.remove(Slot::Recovery(subject));
    say_status(work, subject, ClientStatus::Active, height)?;
    work.view.tell(Event::ClientRecovered(ClientRecovered {
        subject: subject.clone(),
        substitute: substitute.clone(),
        height,
    }));
    Ok(Effect::Applied)
}

struct Pair<'w> {
    before: Opened<'w>,
    after: Opened<'w>,
}

struct Opened<'w> {
    loaded: Loaded<'w>,
    client: Client<Profile>,
}

impl<'w> Opened<'w> {
    fn new(loaded: Loaded<'w>) -> Result<Self, Refusal> {
        let client = Client::decode_with(loaded.bytes(), MAX_PROFILE)?;
        Ok(Self { loaded, client })
    }
}

fn require_continuity<'w>(work: &Work<'w>, subject: &ClientId, substitute: &ClientId) -> Run<Pair<'w>> {
    let before = Opened::new(load(work, subject)?)?;
    if before.loaded.now.status == Status::Active {
        return Err(Refusal::new(Code::StillActive).into());
    }
    let after = Opened::new(load_active(work, substitute)?)?;
    if before.loaded.record.family != after.loaded.record.family {
        return Err(Refusal::new(Code::WrongFamily)
            .needed(before.loaded.record.family)
            .found(after.loaded.record.family)
            .into());
    }
    let broken = |rule: &'static str| Refusal::new(Code::NotContinuous).needed(rule);
    if before.client.profile != after.client.profile {
        return Err(broken("equal profiles").into());
    }
    let honest_below = before.client.frozen.map_or(Height::MAX, |frozen| frozen.height);
    let old: Vec<Stored> =
        before.client.stored().iter().filter(|stored| stored.height < honest_below).copied().collect();
    if old.last().is_some_and(|newest| after.loaded.now.latest < newest.height) {
        return Err(broken("a newest height not below the client's")
            .found(after.loaded.now.latest.get())
            .into());
    }
    let shared: Vec<Height> = old
        .iter()
        .map(|stored| stored.height)
        .filter(|height| after.client.stored_at(*height).is_ok())
        .collect();
    work.view.want(shared.iter().flat_map(|height| {
        [Slot::ClientState(subject, *height).key(), Slot::ClientState(substitute, *height).key()]
    }))?;
    for height in shared {
        if state_at(work, subject, height)? != state_at(work, substitute, height)? {
            return Err(broken("equal states at a height that both hold").found(height.get()).into());
        }
    }
    if !time_grows(&old, after.client.stored()) {
        return Err(broken("time that never shrinks with height across both").into());
    }
    Ok(Pair { before, after })
}

/// Whether time never shrinks as height grows over both lists together; a height in both has one time.
fn time_grows(one: &[Stored], other: &[Stored]) -> bool {
    let mut points: Vec<(Height, BlockTime)> =
        one.iter().chain(other).map(|stored| (stored.height, stored.time)).collect();
    points.sort_unstable();
    points.dedup();
    points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1)
}
