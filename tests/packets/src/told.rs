//! What a chain tells of its packets, in the words that ledgers and banks share.

use zeugma_ledger::Event;
use zeugma_ledger::event::{Answered, HoldEnd};
use zeugma_ledger::ibc::{Acknowledgements, Packet};
use zeugma_types::ClientId;

/// One thing that happened to a packet. The client is the chain's own, except where the packet itself is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// It was sent.
    Sent(Packet),
    /// It was received.
    Received(ClientId, u64),
    /// It was answered.
    Answered(ClientId, u64, Acknowledgements),
    /// It was closed.
    Closed(ClientId, u64),
    /// It is held until this time, in milliseconds.
    Held(ClientId, u64, u64),
    /// It is held no longer.
    HoldEnded(ClientId, u64, HoldEnd),
    /// The chain that sent it has its answer: whether it took effect.
    Acknowledged(ClientId, u64, bool),
    /// The chain that sent it took it back.
    TimedOut(ClientId, u64),
}

/// What an event of a ledger says of a packet.
///
/// # Panics
/// When a ledger told of an acknowledgement that cannot be.
#[must_use]
pub fn told(event: Event) -> Option<Told> {
    Some(match event {
        Event::PacketSent(sent) => Told::Sent(sent.packet),
        Event::PacketReceived(got) => Told::Received(got.client, got.sequence.get()),
        Event::AcknowledgementWritten(written) => {
            let each = Acknowledgements::new(written.acknowledgements.into_vec());
            let each = each.expect("a ledger writes acknowledgements that can be");
            Told::Answered(written.client, written.sequence.get(), each)
        }
        Event::PacketClosed(closed) => Told::Closed(closed.client, closed.sequence.get()),
        Event::PacketHeld(held) => Told::Held(held.client, held.sequence.get(), held.release_at.get()),
        Event::HoldEnded(ended) => Told::HoldEnded(ended.client, ended.sequence.get(), ended.end),
        Event::PacketAcknowledged(done) => {
            Told::Acknowledged(done.client, done.sequence.get(), done.answered == Answered::Success)
        }
        Event::PacketTimedOut(done) => Told::TimedOut(done.client, done.sequence.get()),
        _ => return None,
    })
}
