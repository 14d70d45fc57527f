//! Applications behind ports, as a closed table.
//!
//! An application is pure and never calls the core: it is given what happened and a room of the state
//! that is its own, and says what should follow. So the core cannot be re-entered, and an application
//! cannot touch a commitment, a receipt or another application's records.
//!
//! [`message`] is a message and ping between two Zeugma networks; [`forward`] sends a message on to
//! a third chain; [`transfer`] moves assets.

pub mod forward;
pub mod message;
pub mod transfer;

use crate::block::Context;
use crate::bounded::Text;
use crate::halt::{Halt, Run};
use crate::ibc::{Link, Packet, Payload, Port};
use crate::limits::MAX_NAME;
use crate::registry::{self, Kind};
use crate::state::{Slot, View};
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::{
    AccountId, BlockTime, ClientId, Code, Decode, Encode, FinalityClass, Height, Refusal, UnixSeconds,
};

/// Every application.
const APPLICATIONS: &[&dyn Application] =
    &[&message::MessagePort, &forward::ForwardPort, &transfer::TransferPort];

/// Finds the application of a port.
pub(crate) struct Router;

impl Router {
    /// # Errors
    /// [`Code::UnknownPort`].
    pub(crate) fn of(port: &Port) -> Result<&'static dyn Application, Refusal> {
        APPLICATIONS
            .iter()
            .copied()
            .find(|application| application.port() == port.as_str())
            .ok_or_else(|| Refusal::new(Code::UnknownPort).found(String::from(port.as_str())))
    }
}

/// A payload that arrived, and how it is known.
pub(crate) struct Arrived<'p> {
    /// The packet.
    pub(crate) packet: &'p Packet,
    /// Which of its payloads.
    pub(crate) place: u8,
    /// That payload.
    pub(crate) payload: &'p Payload,
    /// The foreign height under which it was proved.
    pub(crate) height: Height,
    /// Why that height is final.
    pub(crate) finality: FinalityClass,
}

/// Who asks for a packet to be sent.
pub(crate) struct Sender {
    pub(crate) account: AccountId,
}

/// What an application makes of a payload it received.
pub(crate) enum Received {
    /// It took effect.
    Taken(Taken),
    /// It takes effect when it is released, at this time or later; or it is given back.
    Held { release_at: BlockTime },
}

/// How a payload that took effect is answered.
pub(crate) enum Taken {
    /// By this acknowledgement, not empty.
    Acknowledged(Vec<u8>),
    /// By the outcome of another packet.
    Later(Outgoing),
}

/// A packet that an application wants sent.
pub(crate) struct Outgoing {
    pub(crate) client: ClientId,
    pub(crate) timeout: UnixSeconds,
    pub(crate) payload: Payload,
}

/// How the other side answered one payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The acknowledgement.
    Success(Vec<u8>),
    /// The packet was refused there, or timed out.
    Error,
}

/// One application. It refuses what it does not read; what it refuses on arrival becomes the error
/// acknowledgement. It must not refuse an answer or a timeout of a payload that it accepted to send, unless the
/// other chain contradicts what it said before.
pub(crate) trait Application: Sync {
    /// The port.
    fn port(&self) -> &'static str;

    /// The number of its room; never reused.
    fn number(&self) -> u8;

    /// A packet with this payload was committed; refusing takes it back.
    fn on_send(
        &self,
        room: &mut Room<'_, '_>,
        packet: &Packet,
        payload: &Payload,
        sender: &Sender,
    ) -> Run<()>;

    /// A payload arrived.
    fn on_recv(&self, room: &mut Room<'_, '_>, context: &Context, arrived: &Arrived<'_>) -> Run<Received>;

    /// A payload that it held takes effect. A refusal of [`zeugma_types::Permanence::Never`] gives it back; any other
    /// leaves it held. An application that holds nothing is never asked.
    fn on_release(&self, room: &mut Room<'_, '_>, held: &Link) -> Run<Taken> {
        let _ = room;
        Err(Refusal::new(Code::NotHeld).found(held.sequence.get()).into())
    }

    /// A payload that it held goes back where it came from. It must not refuse.
    fn on_give_back(&self, room: &mut Room<'_, '_>, held: &Link) -> Run<()> {
        let _ = room;
        Err(Refusal::new(Code::NotHeld).found(held.sequence.get()).into())
    }

    /// The other side answered. What is returned answers `behalf`, the packet received on whose behalf this one
    /// was sent, if there is one. An application that keeps nothing passes it on.
    fn on_acknowledge(
        &self,
        room: &mut Room<'_, '_>,
        packet: &Packet,
        payload: &Payload,
        behalf: Option<&Link>,
        answer: Answer,
    ) -> Run<Answer> {
        let _ = (room, packet, payload, behalf);
        Ok(answer)
    }

    /// The packet timed out. What is returned answers `behalf`, as in [`Application::on_acknowledge`].
    fn on_timeout(
        &self,
        room: &mut Room<'_, '_>,
        packet: &Packet,
        payload: &Payload,
        behalf: Option<&Link>,
    ) -> Run<Answer> {
        let _ = (room, packet, payload, behalf);
        Ok(Answer::Error)
    }
}

impl dyn Application {
    /// The part of the state that is this application's.
    pub(crate) fn room<'r, 'v>(&self, view: &'r mut View<'v>, now: BlockTime) -> Room<'r, 'v> {
        Room { view, number: self.number(), now }
    }
}

/// The part of the state that is one application's.
pub(crate) struct Room<'r, 'v> {
    view: &'r mut View<'v>,
    number: u8,
    now: BlockTime,
}

impl Room<'_, '_> {
    /// The block's time.
    pub(crate) const fn now(&self) -> BlockTime {
        self.now
    }

    /// Whether the program has this bug.
    #[cfg(feature = "planted")]
    pub(crate) fn plants(&self, bug: crate::PlantedBug) -> bool {
        self.view.planted == Some(bug)
    }

    /// The digest in force under a name of the registry.
    pub(crate) fn in_force(&self, kind: Kind, name: &Text<MAX_NAME>) -> Run<Option<[u8; 32]>> {
        registry::in_force(self.view, kind, name)
    }

    /// The record under the application's own key.
    pub(crate) fn load<T: Decode>(&self, own: &[u8]) -> Run<Option<T>> {
        self.view.load(Slot::Application(self.number, own))
    }

    /// The record under the application's own key, which it wrote before.
    pub(crate) fn owned<T: Decode>(&self, own: &[u8]) -> Run<T> {
        let found = self.load(own)?;
        found.ok_or_else(|| Halt::Corrupt(Slot::Application(self.number, own).key()))
    }

    /// Removes the record under the application's own key.
    pub(crate) fn remove(&mut self, own: &[u8]) {
        self.view.remove(Slot::Application(self.number, own));
    }

    /// Writes a record under the application's own key.
    pub(crate) fn save(&mut self, own: &[u8], record: &impl Encode) {
        self.view.save(Slot::Application(self.number, own), record);
    }
}

/// The refusal of a payload that is not as the port reads it.
pub(crate) fn wrong_payload(needed: &'static str) -> Refusal {
    Refusal::new(Code::WrongPayload).needed(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_rooms_are_distinct() {
        for (at, one) in APPLICATIONS.iter().enumerate() {
            for other in &APPLICATIONS[..at] {
                assert_ne!(one.port(), other.port());
                assert_ne!(one.number(), other.number());
            }
            assert_eq!(Router::of(&Port::new(one.port()).unwrap()).unwrap().number(), one.number());
        }
    }
}
