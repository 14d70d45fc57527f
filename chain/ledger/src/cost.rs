//! What a transaction costs, known from its sizes before any of its work is done.
//!
//! A unit is about a microsecond of one core. A message has two parts: its *carriage* (bytes hashed,
//! stored and sent to every validator), paid always; and its *work* (proofs and signatures), given back
//! when the message turns out to have been done before. Work of a client is what its family says for the
//! number of bytes; the family is read from the client's identifier, so no state is needed.

use crate::families::Families;
use crate::tx::{Checked, Message, Transaction};
use zeugma_adapter_core::Adapter;
use zeugma_types::{ClientId, Code, Cost, Encode, Refusal};

/// A signature of an account, and the reads and writes around it.
const SIGNED: u64 = 80;
/// An open payload: one hash.
const OPEN: u64 = 2;
/// Each started piece of this many bytes is a unit.
const BYTES_PER_UNIT: u64 = 128;
/// Reads and writes of one message.
const MESSAGE: u64 = 10;
/// One Ed25519 signature of a note.
const NOTE: u64 = 70;
/// One hash of a consistency or inclusion proof, twice.
const PROOF_HASH: u64 = 2;
/// Recovery reads and removes the trusted states of two clients.
const RECOVERY: u64 = 2_000;

/// The cost of one message, in two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageCost {
    /// Paid always.
    pub carriage: Cost,
    /// Given back when the message was done before.
    pub work: Cost,
}

/// The cost of carrying that many bytes.
#[must_use]
pub const fn bytes(length: usize) -> Cost {
    // A usize has at most 64 bits on every target Rust knows.
    Cost::new((length as u64).div_ceil(BYTES_PER_UNIT))
}

/// The cost of a whole transaction.
///
/// # Errors
/// [`Code::UnknownClient`] or [`Code::FamilyNotAllowed`] for a family this program does not have.
pub fn of_transaction(checked: &Checked, families: Families<'_>) -> Result<Cost, Refusal> {
    let carriage = bytes(checked.length());
    match checked.transaction() {
        Transaction::Open(_) => Ok(carriage.plus(Cost::new(OPEN))),
        Transaction::Signed { body, .. } => {
            let start = carriage.plus(Cost::new(SIGNED));
            body.messages.iter().try_fold(start, |sum, message| {
                let cost = of_message(message, families)?;
                Ok(sum.plus(cost.carriage).plus(cost.work))
            })
        }
    }
}

/// The cost of one message, without the bytes of its transaction.
///
/// # Errors
/// As [`of_transaction`].
pub fn of_message(message: &Message, families: Families<'_>) -> Result<MessageCost, Refusal> {
    let work = match message {
        Message::Opaque(_) => return Ok(MessageCost { carriage: Cost::ZERO, work: Cost::ZERO }),
        Message::CreateClient(create) => {
            let family = families
                .numbered(create.family)
                .ok_or_else(|| Refusal::new(Code::FamilyNotAllowed).found(create.family))?;
            family.update_cost(create.profile.as_slice().len() + create.state.as_slice().len())
        }
        Message::UpdateClient(update) => {
            family_of(&update.client, families)?.update_cost(update.update.as_slice().len())
        }
        Message::SubmitMisbehaviour(submit) => {
            // Two histories, each with a beginning of its own; their bytes count once.
            let family = family_of(&submit.client, families)?;
            family.update_cost(submit.evidence.as_slice().len()).plus(family.update_cost(0))
        }
        Message::RecvPacket(recv) => {
            let hashed = bytes(recv.packet.to_bytes().len());
            proof(&recv.packet.destination_client, recv.proof.proof.as_slice().len(), families)?.plus(hashed)
        }
        Message::Acknowledge(ack) => {
            let hashed = bytes(ack.packet.to_bytes().len());
            proof(&ack.packet.source_client, ack.proof.proof.as_slice().len(), families)?.plus(hashed)
        }
        Message::Timeout(timeout) => {
            let hashed = bytes(timeout.packet.to_bytes().len());
            proof(&timeout.packet.source_client, timeout.proof.proof.as_slice().len(), families)?.plus(hashed)
        }
        Message::ClaimTimeout(claim) => {
            proof(&claim.packet.destination_client, claim.proof.proof.as_slice().len(), families)?
        }
        Message::Anchor(anchor) => {
            let second = anchor.second.as_ref().map_or(0, |second| NOTE + hashes(second.consistency.len()));
            Cost::new(NOTE + hashes(anchor.consistency.len()) + second)
        }
        Message::ReportSplitView(report) => Cost::new(2 * NOTE + hashes(report.contradiction.hashes())),
        Message::ProposeRecovery(_) | Message::FinishRecovery(_) => Cost::new(RECOVERY),
        Message::RegisterCounterparty(_)
        | Message::CancelRecovery(_)
        | Message::SendPacket(_)
        | Message::ReleaseHold(_)
        | Message::RejectHold(_)
        | Message::RegisterOrigin(_)
        | Message::SetDigest(_)
        | Message::RevokeDigest(_)
        | Message::Propose(_)
        | Message::Approve(_) => Cost::ZERO,
    };
    Ok(MessageCost { carriage: Cost::new(MESSAGE), work })
}

const fn hashes(count: usize) -> u64 {
    PROOF_HASH * count as u64
}

fn family_of<'a>(client: &ClientId, families: Families<'a>) -> Result<&'a dyn Adapter, Refusal> {
    families
        .of_client(client)
        .ok_or_else(|| Refusal::new(Code::UnknownClient).found(alloc::string::String::from(client.as_str())))
}

fn proof(client: &ClientId, length: usize, families: Families<'_>) -> Result<Cost, Refusal> {
    family_of(client, families).map(|family| family.proof_cost(length))
}
