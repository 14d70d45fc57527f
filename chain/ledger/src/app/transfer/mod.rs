//! The `transfer` port: assets between chains, ICS-20 over IBC v2.
//!
//! The hub holds no asset of its own: what it knows came in through a client and is held by an account, or went on
//! through another client and is held in escrow. A packet that arrives credits its receiver, the 64 hex digits of an
//! account; or its memo orders that the asset be sent on (its member `forward`), and then the answer is the outcome of the second
//! packet, and an error or a timeout there undoes both steps. A large amount may be held before either: see
//! [`SetDelay`]. What was sent from here comes back to its sender on an
//! error and on a timeout, never otherwise.
//!
//! Source: ICS-20 with IBC v2 payloads (`ics20-1`); DESIGN section 4.

mod amount;
mod book;
mod data;
mod delay;
mod denom;
mod hold;
mod json;
mod limit;
mod memo;
mod order;

pub use amount::Amount;
pub(crate) use book::check;
pub use book::{Escrow, Holding, escrow_key, held_key, supply_key};
pub use data::{ABI, JSON, MAX_ADDRESS, MAX_MEMO, PROTOBUF, TransferData, VERSION};
pub use delay::{SetDelay, delay_key};
pub use denom::{Denom, MAX_DENOM};
pub use hold::{Credited, Hold, Onward, Then, hold_key};
pub use limit::{Limit, SetLimit, limit_key};
pub use order::{LISTED, account_name, asset_name};

use super::{Answer, Application, Arrived, Received, Room, Sender, Taken, wrong_payload};
use crate::block::Context;
use crate::bounded::{Bytes, Text};
use crate::halt::Run;
use crate::ibc::{Link, Packet, Payload, Port};
use crate::limits::HOP_SECONDS;
use crate::state::{Store, View};
use alloc::collections::BTreeSet;
use limit::{Cause, Way};
use memo::{Forward, Whence};
use zeugma_types::{AccountId, BlockTime, ClientId, Code, Decode as _, Refusal, Sequence, UnixSeconds};

/// The port.
pub const PORT: &str = "transfer";
/// The number of its room ([`crate::Slot::Application`]).
pub const NUMBER: u8 = 3;
/// The acknowledgement of a transfer that was taken, as stock peers write it.
pub const TAKEN: &[u8] = br#"{"result":"AQ=="}"#;

/// See the module.
pub(crate) struct TransferPort;

/// Brings a limit into force that governance decided.
pub(crate) fn set_limit(view: &mut View<'_>, now: BlockTime, set: SetLimit) {
    let application: &dyn Application = &TransferPort;
    limit::set(&mut application.room(view, now), set);
}

/// Brings a delay into force that governance decided.
pub(crate) fn set_delay(view: &mut View<'_>, now: BlockTime, set: &SetDelay) {
    let application: &dyn Application = &TransferPort;
    delay::set(&mut application.room(view, now), set);
}

/// The packets of which a room holds an amount.
///
/// # Errors
/// A record that is none.
pub(crate) fn held(state: &Store, room: &[u8]) -> Result<BTreeSet<(ClientId, Sequence)>, Refusal> {
    let holds = [room, &[hold::HOLD]].concat();
    let records = state.under(&holds);
    records.map(|(_, value)| Hold::from_bytes(value).map(|hold| (hold.client, hold.sequence))).collect()
}

impl Application for TransferPort {
    fn port(&self) -> &'static str {
        PORT
    }

    fn number(&self) -> u8 {
        NUMBER
    }

    fn on_send(
        &self,
        room: &mut Room<'_, '_>,
        packet: &Packet,
        payload: &Payload,
        sender: &Sender,
    ) -> Run<()> {
        let data = read(payload)?;
        if account(&data.sender)? != sender.account {
            return Err(Refusal::new(Code::WrongSender).needed(*sender.account.as_bytes()).into());
        }
        // An order in it is for the next hub; our own member is not the sender's to write.
        memo::read(&data.memo)?;
        order::require_free_account(room, &sender.account)?;
        book::debit(room, &sender.account, &data.denom, data.amount)?;
        book::cross(room, &packet.source_client, &data.denom, data.amount, (Way::Out, Cause::Moved))
    }

    fn on_recv(&self, room: &mut Room<'_, '_>, _: &Context, arrived: &Arrived<'_>) -> Run<Received> {
        let (packet, payload) = (arrived.packet, arrived.payload);
        let data = read(payload)?;
        // What the sender's chain knows through its client of us comes back under the name it has here.
        let denom = match data.denom.without(payload.source_port.as_str(), &packet.source_client) {
            // What is at home there never went there from here, so it cannot come back.
            Some(denom) if denom.is_home_at(&packet.destination_client) => {
                return Err(Refusal::new(Code::MoreThanLocked).needed("0").into());
            }
            Some(denom) => denom,
            None => data.denom.through(&packet.destination_client)?,
        };
        // What cannot be done later is refused now, not held.
        let then = match memo::read(&data.memo)? {
            None => Then::Credit(Credited { account: account(&data.receiver)? }),
            Some(order) => Then::SendOn(onward(arrived, &data, &denom, order)?),
        };
        let client = &packet.destination_client;
        book::cross(room, client, &denom, data.amount, (Way::In, Cause::Moved))?;
        let deadline = match &then {
            Then::Credit(_) => packet.timeout,
            Then::SendOn(next) => next.timeout,
        };
        match delay::release_at(room, client, &denom, data.amount, deadline)? {
            None => hold::settle(room, &denom, data.amount, then).map(Received::Taken),
            Some(release_at) => {
                let TransferData { amount, sender, .. } = data;
                let (client, sequence) = (client.clone(), packet.sequence);
                hold::keep(room, &Hold { client, sequence, denom, amount, sender, then });
                Ok(Received::Held { release_at })
            }
        }
    }

    fn on_release(&self, room: &mut Room<'_, '_>, held: &Link) -> Run<Taken> {
        hold::release(room, held)
    }

    fn on_give_back(&self, room: &mut Room<'_, '_>, held: &Link) -> Run<()> {
        hold::give_back(room, held)
    }

    fn on_acknowledge(
        &self,
        room: &mut Room<'_, '_>,
        packet: &Packet,
        payload: &Payload,
        behalf: Option<&Link>,
        answer: Answer,
    ) -> Run<Answer> {
        match answer {
            Answer::Success(_) => Ok(Answer::Success(TAKEN.into())),
            Answer::Error => undo(room, packet, payload, behalf),
        }
    }

    fn on_timeout(
        &self,
        room: &mut Room<'_, '_>,
        packet: &Packet,
        payload: &Payload,
        behalf: Option<&Link>,
    ) -> Run<Answer> {
        undo(room, packet, payload, behalf)
    }
}

/// The next packet of an asset that is sent on; no account holds it in between.
fn onward(
    arrived: &Arrived<'_>,
    data: &TransferData,
    denom: &Denom,
    order: Forward,
) -> Result<Onward, Refusal> {
    let packet = arrived.packet;
    let whence = Whence {
        client: &packet.destination_client,
        height: arrived.height,
        finality: arrived.finality,
        sender: data.sender.as_str(),
    };
    let memo = memo::write(&whence, &order.next);
    if memo.len() > MAX_MEMO {
        return Err(Refusal::new(Code::TooLong).needed(MAX_MEMO).found(memo.len()));
    }
    let next = TransferData { denom: denom.clone(), receiver: order.receiver, memo, ..data.clone() };
    let payload = Payload {
        source_port: Port::new(PORT)?,
        destination_port: Port::new(PORT)?,
        version: Text::new(VERSION)?,
        encoding: Text::new(ABI)?,
        value: Bytes::new(next.to_abi())?,
    };
    let timeout = UnixSeconds::new(packet.timeout.get().saturating_sub(HOP_SECONDS));
    Ok(Onward { client: order.client, timeout, payload })
}

/// Takes back what a packet of ours sent: to its sender, or, sent on behalf of another packet, out the way it came.
fn undo(room: &mut Room<'_, '_>, packet: &Packet, payload: &Payload, behalf: Option<&Link>) -> Run<Answer> {
    let data = read(payload)?;
    book::cross(room, &packet.source_client, &data.denom, data.amount, (Way::In, Cause::Undone))?;
    match behalf {
        None => book::credit(room, &account(&data.sender)?, &data.denom, data.amount)?,
        Some(first) => book::cross(room, &first.client, &data.denom, data.amount, (Way::Out, Cause::Undone))?,
    }
    Ok(Answer::Error)
}

fn read(payload: &Payload) -> Result<TransferData, Refusal> {
    if payload.source_port.as_str() != PORT || payload.destination_port.as_str() != PORT {
        return Err(wrong_payload("from port transfer to port transfer"));
    }
    TransferData::read(payload)
}

/// The account that an address names here: its 64 hex digits, in lower case.
fn account(address: &Text<MAX_ADDRESS>) -> Result<AccountId, Refusal> {
    let refused =
        || Refusal::new(Code::BadIdentifier).needed("the 64 hex digits of an account, in lower case");
    let digits = address.as_str().as_bytes();
    if digits.len() != 64 {
        return Err(refused());
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let nibble = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return Err(refused()),
            };
            *byte = *byte << 4 | nibble;
        }
    }
    Ok(AccountId::new(bytes))
}
