//! The keys that a transaction names by its bytes alone, so that most steps need one fetch.

use crate::bounded::Text;
use crate::ibc::Packet;
use crate::registry::Kind;
use crate::state::{Key, Slot};
use crate::tx::{Checked, Message, Transaction};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use zeugma_proof::body::origin_digest;
use zeugma_types::{ClientId, Height};

pub(crate) fn of(checked: &Checked) -> Vec<Key> {
    let mut keys = BTreeSet::new();
    if let Some(account) = checked.account() {
        keys.insert(Slot::Account(account).key());
    }
    if let Transaction::Signed { body, .. } = checked.transaction() {
        body.messages.iter().for_each(|message| name(message, &mut keys));
    }
    keys.into_iter().collect()
}

fn name(message: &Message, keys: &mut BTreeSet<Key>) {
    let mut add = |slot: Slot<'_>| {
        keys.insert(slot.key());
    };
    match message {
        Message::Opaque(_) => {}
        Message::CreateClient(_) | Message::Propose(_) => add(Slot::Counters),
        Message::RegisterCounterparty(message) => add(Slot::Route(&message.client)),
        // Which trusted states they start from, the client's own record says.
        Message::UpdateClient(message) => add(Slot::Client(&message.client)),
        Message::SubmitMisbehaviour(message) => add(Slot::Client(&message.client)),
        Message::ProposeRecovery(message) => {
            add(Slot::Recovery(&message.subject));
            add(Slot::Client(&message.subject));
            add(Slot::Client(&message.substitute));
        }
        Message::CancelRecovery(message) => add(Slot::Recovery(&message.subject)),
        Message::FinishRecovery(message) => {
            add(Slot::Recovery(&message.subject));
            add(Slot::Client(&message.subject));
        }
        Message::SendPacket(message) => {
            add(Slot::Client(&message.client));
            add(Slot::Route(&message.client));
            add(Slot::NextSend(&message.client));
            halt(&message.client, keys);
        }
        Message::RecvPacket(message) => {
            let client = &message.packet.destination_client;
            add(Slot::Receipt(client, message.packet.sequence));
            proof(client, message.proof.height, keys);
            halt(client, keys);
        }
        Message::ClaimTimeout(message) => {
            let client = &message.packet.destination_client;
            add(Slot::Receipt(client, message.packet.sequence));
            proof(client, message.proof.height, keys);
        }
        Message::Acknowledge(message) => sent(&message.packet, message.proof.height, keys),
        Message::Timeout(message) => sent(&message.packet, message.proof.height, keys),
        Message::ReleaseHold(message) => {
            add(Slot::Held(&message.client, message.sequence));
            add(Slot::HeldOf(&message.client));
            add(Slot::Client(&message.client));
            add(Slot::Route(&message.client));
            halt(&message.client, keys);
        }
        Message::RejectHold(message) => {
            add(Slot::Held(&message.client, message.sequence));
            add(Slot::HeldOf(&message.client));
            add(Slot::Route(&message.client));
        }
        Message::RegisterOrigin(message) => add(Slot::Origin(&origin_digest(message.origin.as_str()))),
        Message::Anchor(message) => add(Slot::Origin(&origin_digest(message.origin.as_str()))),
        Message::ReportSplitView(message) => add(Slot::Origin(&origin_digest(message.origin.as_str()))),
        Message::SetDigest(message) => add(Slot::Registry(message.kind.number(), &message.name)),
        Message::RevokeDigest(message) => add(Slot::Registry(message.kind.number(), &message.name)),
        Message::Approve(message) => {
            add(Slot::Proposal(message.proposal));
            add(Slot::Schedule);
        }
    }
}

fn proof(client: &ClientId, height: Height, keys: &mut BTreeSet<Key>) {
    keys.insert(Slot::Client(client).key());
    keys.insert(Slot::Route(client).key());
    keys.insert(Slot::ClientState(client, height).key());
}

fn sent(packet: &Packet, height: Height, keys: &mut BTreeSet<Key>) {
    let client = &packet.source_client;
    keys.insert(Slot::Commitment(client, packet.sequence).key());
    keys.insert(Slot::Parent(client, packet.sequence).key());
    proof(client, height, keys);
}

fn halt(client: &ClientId, keys: &mut BTreeSet<Key>) {
    if let Ok(name) = Text::new(client.as_str()) {
        keys.insert(Slot::Registry(Kind::Halt.number(), &name).key());
    }
}
