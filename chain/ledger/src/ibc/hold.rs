//! Packets that were received and take effect later: held, then released, or given back.
//!
//! An application may hold a packet that arrived until a time that it names. The receipt is written as always, so the
//! packet can be received once and never times out at the sender; its answer comes later.
//!
//! | block time | `release-hold`, by anyone | `reject-hold`, by who may halt a route |
//! |---|---|---|
//! | before the release time | refused, [`Code::HeldUntil`] | given back |
//! | from then on, before the packet's timeout | takes effect | given back |
//! | from the timeout on | given back | given back |
//!
//! Given back is the error acknowledgement: the sender's chain refunds on its proof. While a release is refused for a
//! reason that can pass (the route is halted, its client frozen for misbehaviour, an asset frozen, a limit reached),
//! the hold stays, and the timeout ends it. A reason that cannot pass gives it back at once. Giving back is refused
//! for no reason at all, so every hold ends.

use super::client::{load, require_open};
use super::packet::{Acknowledgements, Packet, Port};
use super::receive::{send_on, write_acknowledgements};
use super::record::{Held, HeldOf, HeldPacket, Link, Receipt};
#[cfg(feature = "planted")]
use crate::PlantedBug;
#[cfg(feature = "planted")]
use crate::app::transfer;
use crate::app::{Router, Taken};
use crate::bounded::{Bytes, List, Maybe};
use crate::event::{Event, HoldEnd, HoldEnded, PacketHeld, PayloadRefused};
use crate::halt::{Halt, Run};
use crate::outcome::{Effect, Recorded};
use crate::state::{Slot, View};
use crate::tx::{RejectHold, ReleaseHold};
use crate::work::Work;
use alloc::vec::Vec;
use zeugma_adapter_core::Status;
use zeugma_types::{BlockTime, ClientId, Code, Permanence, Refusal};

/// Holds a packet that was received just now.
///
/// # Errors
/// [`Code::TooMany`] on a route that holds as many as it may.
pub(super) fn keep(work: &mut Work<'_>, packet: &Packet, port: &Port, release_at: BlockTime) -> Run<()> {
    let (client, sequence, timeout) = (&packet.destination_client, packet.sequence, packet.timeout);
    let mut all = held_of(&work.view, client)?;
    all.push(HeldPacket { sequence, release_at });
    all.sort_by_key(|held| held.sequence);
    work.view.save(Slot::HeldOf(client), &HeldOf { packets: List::new(all)? });
    work.view.save(Slot::Held(client, sequence), &Held { port: port.clone(), release_at, timeout });
    let held = PacketHeld { client: client.clone(), sequence, release_at, timeout };
    work.view.tell(Event::PacketHeld(held));
    Ok(())
}

pub(crate) fn release_hold(work: &mut Work<'_>, message: &ReleaseHold) -> Run<Effect> {
    let link = Link { client: message.client.clone(), sequence: message.sequence };
    let Some(held) = held(work, &link)? else { return Ok(Effect::AlreadyDone) };
    let now = work.block.context().time;
    if now.whole_seconds() >= held.timeout {
        return give_back(work, &link, &held, HoldEnd::Lapsed, None);
    }
    #[cfg(feature = "planted")]
    let now = if work.families.plants(PlantedBug::ReleasedEarly) { now.max(held.release_at) } else { now };
    if now < held.release_at {
        return Err(Refusal::new(Code::HeldUntil).needed(held.release_at.get()).found(now.get()).into());
    }
    require_open(work, &link.client)?;
    // What a chain of two histories sent waits until it is known which of them counts.
    if load(work, &link.client)?.now.status == Status::Frozen {
        return Err(Refusal::new(Code::ClientFrozen).into());
    }
    let mark = work.view.mark();
    #[cfg(feature = "planted")]
    let kept = kept(work, &link)?;
    match take_effect(work, &link, &held) {
        Ok(()) => {
            #[cfg(feature = "planted")]
            if let Some((own, hold)) = kept {
                work.view.save(Slot::Held(&link.client, link.sequence), &held);
                work.view.save_bytes(Slot::Application(transfer::NUMBER, &own), hold);
            }
            Ok(Effect::Applied)
        }
        Err(Halt::Refused(refusal)) if refusal.code.permanence() == Permanence::Never => {
            work.view.rollback(mark);
            work.view.tell(Event::PayloadRefused(PayloadRefused {
                client: link.client.clone(),
                sequence: link.sequence,
                refusal: Recorded::from(&refusal),
            }));
            give_back(work, &link, &held, HoldEnd::Refused, None)
        }
        Err(halt) => Err(halt),
    }
}

pub(crate) fn reject_hold(work: &mut Work<'_>, message: &RejectHold) -> Run<Effect> {
    let link = Link { client: message.client.clone(), sequence: message.sequence };
    let Some(held) = held(work, &link)? else { return Ok(Effect::AlreadyDone) };
    give_back(work, &link, &held, HoldEnd::Rejected, Some(message.order))
}

/// The hold, or nothing when it ended before.
///
/// # Errors
/// [`Code::NotHeld`] for a packet that was not received.
fn held(work: &Work<'_>, link: &Link) -> Run<Option<Held>> {
    if let Some(held) = work.view.load::<Held>(Slot::Held(&link.client, link.sequence))? {
        return Ok(Some(held));
    }
    match work.view.load::<Receipt>(Slot::Receipt(&link.client, link.sequence))? {
        Some(Receipt::Received) => Ok(None),
        Some(Receipt::Closed) | None => Err(Refusal::new(Code::NotHeld).found(link.sequence.get()).into()),
    }
}

/// What a program that releases twice does not forget.
#[cfg(feature = "planted")]
fn kept(work: &Work<'_>, link: &Link) -> Run<Option<(Vec<u8>, Vec<u8>)>> {
    if !work.families.plants(PlantedBug::HoldReleasedTwice) {
        return Ok(None);
    }
    let own = transfer::hold_key(&link.client, link.sequence);
    let found = work.view.get(&Slot::Application(transfer::NUMBER, &own).key())?.map(<[u8]>::to_vec);
    Ok(found.map(|found| (own, found)))
}

fn take_effect(work: &mut Work<'_>, link: &Link, held: &Held) -> Run<()> {
    end(work, link, HoldEnd::Released, None)?;
    let (application, now) = (Router::of(&held.port)?, work.block.context().time);
    match application.on_release(&mut application.room(&mut work.view, now), link)? {
        #[cfg(feature = "planted")]
        Taken::Acknowledged(_) if work.families.plants(PlantedBug::RefundAfterRelease) => {
            write_acknowledgements(work, &link.client, link.sequence, &Acknowledgements::error())
        }
        Taken::Acknowledged(bytes) => {
            let acknowledgements = Acknowledgements::new(Vec::from([Bytes::new(bytes)?]))?;
            write_acknowledgements(work, &link.client, link.sequence, &acknowledgements)
        }
        Taken::Later(outgoing) => send_on(work, link, application, outgoing),
    }
}

fn give_back(
    work: &mut Work<'_>,
    link: &Link,
    held: &Held,
    how: HoldEnd,
    order: Option<[u8; 32]>,
) -> Run<Effect> {
    end(work, link, how, order)?;
    let (application, now) = (Router::of(&held.port)?, work.block.context().time);
    application.on_give_back(&mut application.room(&mut work.view, now), link)?;
    write_acknowledgements(work, &link.client, link.sequence, &Acknowledgements::error())?;
    Ok(Effect::Applied)
}

/// Forgets the hold before anything else happens: nothing can end it twice.
fn end(work: &mut Work<'_>, link: &Link, end: HoldEnd, order: Option<[u8; 32]>) -> Run<()> {
    let (client, sequence) = (&link.client, link.sequence);
    work.view.remove(Slot::Held(client, sequence));
    let mut all = held_of(&work.view, client)?;
    all.retain(|held| held.sequence != sequence);
    if all.is_empty() {
        work.view.remove(Slot::HeldOf(client));
    } else {
        work.view.save(Slot::HeldOf(client), &HeldOf { packets: List::new(all)? });
    }
    let ended = HoldEnded { client: client.clone(), sequence, end, order: Maybe(order) };
    work.view.tell(Event::HoldEnded(ended));
    Ok(())
}

fn held_of(view: &View<'_>, client: &ClientId) -> Run<Vec<HeldPacket>> {
    let all = view.load::<HeldOf>(Slot::HeldOf(client))?;
    Ok(all.map_or_else(Vec::new, |all| all.packets.into_vec()))
}
