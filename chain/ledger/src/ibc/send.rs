//! Sending packets.
//!
//! Order: checks; sequence; commitment and its leaf; then the applications. An application that
//! refuses takes the whole transaction back.

use super::client::{counterparty, load_active, require_open, state_at, unknown};
use super::packet::{Packet, Payload, check_payloads};
use crate::app::{Router, Sender};
use crate::event::{Event, PacketSent};
use crate::halt::Run;
use crate::limits::MAX_TIMEOUT_AHEAD;
use crate::outcome::Effect;
use crate::state::{Said, Slot};
use crate::tx::SendPacket;
use crate::work::Work;
use alloc::vec::Vec;
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{ClientId, Code, Encode, LeafPath, Refusal, Sequence, UnixSeconds};

pub(crate) fn send_packet(work: &mut Work<'_>, message: &SendPacket) -> Run<Effect> {
    let packet = send(work, &message.client, message.timeout, message.payloads.as_slice().into())?;
    let sender = Sender { account: work.signer };
    for payload in packet.payloads() {
        let application = Router::of(&payload.source_port)?;
        let now = work.block.context().time;
        application.on_send(&mut application.room(&mut work.view, now), &packet, payload, &sender)?;
    }
    Ok(Effect::Applied)
}

/// Commits a packet of ours and says it. Applications that send on behalf of a packet received are
/// asked before, not here.
pub(crate) fn send(
    work: &mut Work<'_>,
    client: &ClientId,
    timeout: UnixSeconds,
    payloads: Vec<Payload>,
) -> Run<Packet> {
    work.view.want([Slot::Client(client).key(), Slot::Route(client).key(), Slot::NextSend(client).key()])?;
    check_payloads(&payloads)?;
    check_timeout(work.block.context().time.whole_seconds(), timeout)?;
    let loaded = load_active(work, client)?;
    let other = counterparty(work, client)?;
    require_open(work, client)?;
    // Timed out before it is sent, by the other chain's own clock as far as we know it.
    let newest = loaded.family.state_time(&state_at(work, client, loaded.now.latest)?)?.whole_seconds();
    if newest >= timeout {
        return Err(Refusal::new(Code::PacketTimedOut).needed(timeout.get()).found(newest.get()).into());
    }

    let sequence = work.view.load::<Sequence>(Slot::NextSend(client))?.ok_or_else(|| unknown(client))?;
    let next = sequence.next().ok_or_else(|| Refusal::new(Code::NumbersSpent))?;
    let packet = Packet::new(sequence, client.clone(), other.client, timeout, payloads)?;
    let commitment = packet.commitment();
    work.view.save(Slot::NextSend(client), &next);
    work.view.save_bytes(Slot::Commitment(client, sequence), commitment.to_bytes());
    let path = LeafPath::packet(client, PacketPath::Commitment, sequence);
    let index = work.view.say(Said { path, value: commitment, opening: None })?;
    work.view.tell(Event::PacketSent(PacketSent { packet: packet.clone(), index }));
    Ok(packet)
}

/// # Errors
/// [`Code::PacketTimedOut`] unless `timeout` lies after `now`, [`Code::TimeoutTooFar`].
fn check_timeout(now: UnixSeconds, timeout: UnixSeconds) -> Result<(), Refusal> {
    if timeout <= now {
        return Err(Refusal::new(Code::PacketTimedOut).needed(timeout.get()).found(now.get()));
    }
    let furthest = now.get().saturating_add(MAX_TIMEOUT_AHEAD);
    if timeout.get() > furthest {
        return Err(Refusal::new(Code::TimeoutTooFar).needed(furthest).found(timeout.get()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_lies_after_now_and_at_most_a_day_ahead() {
        let now = UnixSeconds::new(1_000);
        let check = |timeout| check_timeout(now, UnixSeconds::new(timeout)).map_err(|refusal| refusal.code);
        assert_eq!(check(0), Err(Code::PacketTimedOut));
        assert_eq!(check(1_000), Err(Code::PacketTimedOut));
        assert_eq!(check(1_001), Ok(()));
        assert_eq!(check(1_000 + 86_400), Ok(()));
        assert_eq!(check(1_001 + 86_400), Err(Code::TimeoutTooFar));
        assert_eq!(check(u64::MAX), Err(Code::TimeoutTooFar));
        assert_eq!(
            check_timeout(UnixSeconds::MAX, UnixSeconds::MAX),
            check_timeout(now, now)
                .map_err(|_| { Refusal::new(Code::PacketTimedOut).needed(u64::MAX).found(u64::MAX) })
        );
    }
}
