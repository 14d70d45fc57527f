//! An event in words: what a person reads beside its canonical bytes.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use zeugma_ledger::Event;
use zeugma_ledger::ibc::Packet;
use zeugma_types::ClientId;

fn packet(packet: &Packet) -> Value {
    json!({
        "sequence": packet.sequence.get(),
        "source_client": packet.source_client.as_str(),
        "destination_client": packet.destination_client.as_str(),
        "timeout": packet.timeout.get(),
    })
}

fn routed(client: &ClientId, sequence: zeugma_types::Sequence) -> Vec<(&'static str, Value)> {
    vec![("client", json!(client.as_str())), ("sequence", json!(sequence.get()))]
}

/// The fields of an event. Payloads and acknowledgements stand in its bytes only.
pub(super) fn of(event: &Event) -> BTreeMap<&'static str, Value> {
    let words = match event {
        Event::PacketSent(e) => {
            let mut words = routed(&e.packet.source_client, e.packet.sequence);
            words.extend([("packet", packet(&e.packet)), ("index", json!(e.index.get()))]);
            words
        }
        Event::PacketReceived(e) => routed(&e.client, e.sequence),
        Event::AcknowledgementWritten(e) => {
            let mut words = routed(&e.client, e.sequence);
            words.extend([
                ("source_client", json!(e.source_client.as_str())),
                ("index", json!(e.index.get())),
            ]);
            words
        }
        Event::PacketAcknowledged(e) => {
            let mut words = routed(&e.client, e.sequence);
            words.push(("answered", json!(e.answered.name())));
            words
        }
        Event::PacketTimedOut(e) => routed(&e.client, e.sequence),
        Event::PacketClosed(e) => {
            let mut words = routed(&e.client, e.sequence);
            words.extend([
                ("source_client", json!(e.source_client.as_str())),
                ("timeout", json!(e.timeout.get())),
                ("index", json!(e.index.get())),
            ]);
            words
        }
        Event::PayloadRefused(e) => {
            let mut words = routed(&e.client, e.sequence);
            words.push(("refusal", json!(e.refusal.to_string())));
            words
        }
        Event::PacketHeld(e) => {
            let mut words = routed(&e.client, e.sequence);
            words.extend([("release_at", json!(e.release_at.get())), ("timeout", json!(e.timeout.get()))]);
            words
        }
        Event::HoldEnded(e) => {
            let mut words = routed(&e.client, e.sequence);
            words.extend([("end", json!(e.end.name())), ("order", json!(e.order.0.map(hex::encode)))]);
            words
        }
        Event::ClientCreated(e) => vec![
            ("client", json!(e.client.as_str())),
            ("family", json!(e.family)),
            ("client_height", json!(e.height.get())),
        ],
        Event::CounterpartyRegistered(e) => {
            vec![("client", json!(e.client.as_str())), ("counterparty", json!(e.counterparty.as_str()))]
        }
        Event::ClientUpdated(e) => {
            vec![("client", json!(e.client.as_str())), ("client_height", json!(e.height.get()))]
        }
        Event::ClientFrozen(e) => {
            vec![("client", json!(e.client.as_str())), ("client_height", json!(e.height.get()))]
        }
        Event::RecoveryProposed(e) => vec![
            ("client", json!(e.subject.as_str())),
            ("substitute", json!(e.substitute.as_str())),
            ("ready_at", json!(e.ready_at.get())),
        ],
        Event::RecoveryCancelled(e) => vec![("client", json!(e.subject.as_str()))],
        Event::ClientRecovered(e) => vec![
            ("client", json!(e.subject.as_str())),
            ("substitute", json!(e.substitute.as_str())),
            ("client_height", json!(e.height.get())),
        ],
        Event::OriginRegistered(e) => vec![("origin", json!(hex::encode(e.origin)))],
        Event::Anchored(e) => vec![
            ("origin", json!(hex::encode(e.origin))),
            ("size", json!(e.size.get())),
            ("index", json!(e.index.get())),
        ],
        Event::SplitViewRecorded(e) => {
            vec![("origin", json!(hex::encode(e.origin))), ("index", json!(e.index.get()))]
        }
        Event::RegistryChanged(e) => vec![
            ("kind", json!(e.kind.name())),
            ("entry", json!(e.name.as_str())),
            ("index", json!(e.index.get())),
        ],
        Event::ChangeProposed(e) => vec![("proposal", json!(e.proposal))],
        Event::ChangeScheduled(e) => {
            vec![("proposal", json!(e.proposal)), ("activation", json!(e.activation.get()))]
        }
        Event::ChangeActivated(e) => vec![("proposal", json!(e.proposal))],
        Event::ChangeRefused(e) => {
            vec![("proposal", json!(e.proposal)), ("refusal", json!(e.refusal.to_string()))]
        }
        Event::ChangeWithdrawn(e) => vec![("proposal", json!(e.proposal))],
        Event::EpochEnded(e) => {
            vec![("standing", json!(e.standing.get())), ("index", json!(e.index.get()))]
        }
    };
    words.into_iter().collect()
}
