//! What became of a transaction, in words and JSON.

use crate::clock;
use crate::output::{Report, plain};
use crate::submit::{Done, Tried};
use serde_json::{Value, json};
use zeugma_ledger::{Effect, Event, Outcome};

/// Of one that is final.
pub(super) fn done(done: &Done) -> Report {
    let id = hex::encode(done.id);
    let effects: Vec<&str> = match &done.outcome {
        Outcome::Done { messages } => messages.iter().map(|effect| effect_name(*effect)).collect(),
        Outcome::Refused { .. } | Outcome::NotAdmitted { .. } => Vec::new(),
    };
    let text = format!(
        "final in block {}\ntransaction: {id}\n{}messages: {}\n",
        done.height,
        lines(&done.events),
        effects.join(", ")
    );
    let json = json!({
        "transaction": id,
        "height": done.height.get(),
        "asked": done.asked,
        "messages": effects,
        "events": done.events.iter().map(event).collect::<Vec<_>>(),
    });
    Report { text, json }
}

/// Of one that was not sent.
pub(super) fn tried(tried: &Tried) -> Report {
    let text = format!(
        "NOT SENT: it would take effect in a block after {}, by what this node tells\n{}messages: {}\nsize: {} bytes, \
         work: {} of at most {}\n",
        tried.after,
        lines(&tried.events),
        tried.asked.join(", "),
        tried.bytes,
        tried.cost,
        tried.most,
    );
    let json = json!({
        "dry_run": true,
        "transaction": hex::encode(tried.id),
        "after_height": tried.after.get(),
        "asked": tried.asked,
        "bytes": tried.bytes,
        "cost": tried.cost.get(),
        "most_cost": tried.most.get(),
        "events": tried.events.iter().map(event).collect::<Vec<_>>(),
    });
    Report { text, json }
}

fn lines(events: &[Event]) -> String {
    let line = |told: &Event| {
        let event = event(told);
        let parts = event.as_object().into_iter().flatten().filter(|(name, _)| *name != "name");
        let parts: Vec<String> = parts
            .map(|(name, value)| match value {
                Value::String(text) => format!("{} {text}", name.replace('_', " ")),
                other => format!("{} {other}", name.replace('_', " ")),
            })
            .collect();
        format!("{}: {}\n", told.name(), plain(&parts.join(", ")))
    };
    events.iter().map(line).collect()
}

const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Applied => "applied",
        Effect::AlreadyDone => "already done",
    }
}

/// An event with what the next command needs of it.
pub(in crate::command) fn event(event: &Event) -> Value {
    let mut json = match event {
        Event::PacketSent(sent) => json!({
            "client": sent.packet.source_client.as_str(),
            "sequence": sent.packet.sequence.get(),
            "leaf": sent.index.get(),
        }),
        Event::PacketReceived(received) => {
            json!({ "client": received.client.as_str(), "sequence": received.sequence.get() })
        }
        Event::AcknowledgementWritten(written) => json!({
            "client": written.client.as_str(),
            "sequence": written.sequence.get(),
            "leaf": written.index.get(),
        }),
        Event::PacketAcknowledged(answered) => json!({
            "client": answered.client.as_str(),
            "sequence": answered.sequence.get(),
            "answered": answered.answered.name(),
        }),
        Event::PacketTimedOut(late) => {
            json!({ "client": late.client.as_str(), "sequence": late.sequence.get() })
        }
        Event::PacketClosed(closed) => json!({
            "client": closed.client.as_str(),
            "sequence": closed.sequence.get(),
            "leaf": closed.index.get(),
        }),
        Event::PayloadRefused(refused) => json!({
            "client": refused.client.as_str(),
            "sequence": refused.sequence.get(),
            "refusal": refused.refusal.to_string(),
        }),
        Event::PacketHeld(held) => json!({
            "client": held.client.as_str(),
            "sequence": held.sequence.get(),
            "release_at": clock::show(held.release_at),
            "timeout": clock::show(clock::of_seconds(held.timeout)),
        }),
        Event::HoldEnded(ended) => json!({
            "client": ended.client.as_str(),
            "sequence": ended.sequence.get(),
            "end": ended.end.name(),
            "order": ended.order.0.map(hex::encode),
        }),
        Event::ClientCreated(created) => {
            json!({ "client": created.client.as_str(), "height": created.height.get() })
        }
        Event::CounterpartyRegistered(named) => {
            json!({ "client": named.client.as_str(), "counterparty": named.counterparty.as_str() })
        }
        Event::ClientUpdated(updated) => {
            json!({ "client": updated.client.as_str(), "height": updated.height.get() })
        }
        Event::ClientFrozen(frozen) => {
            json!({ "client": frozen.client.as_str(), "height": frozen.height.get() })
        }
        Event::RecoveryProposed(proposed) => json!({
            "client": proposed.subject.as_str(),
            "substitute": proposed.substitute.as_str(),
            "ready_at": clock::show(proposed.ready_at),
        }),
        Event::RecoveryCancelled(cancelled) => json!({ "client": cancelled.subject.as_str() }),
        Event::ClientRecovered(recovered) => json!({
            "client": recovered.subject.as_str(),
            "substitute": recovered.substitute.as_str(),
            "height": recovered.height.get(),
        }),
        Event::OriginRegistered(registered) => json!({ "origin_sha256": hex::encode(registered.origin) }),
        Event::Anchored(anchored) => json!({ "size": anchored.size.get(), "leaf": anchored.index.get() }),
        Event::SplitViewRecorded(split) => {
            json!({ "origin_sha256": hex::encode(split.origin), "leaf": split.index.get() })
        }
        Event::RegistryChanged(changed) => json!({
            "kind": changed.kind.name(),
            "of": changed.name.as_str(),
            "leaf": changed.index.get(),
        }),
        Event::ChangeProposed(change) => json!({ "proposal": change.proposal }),
        Event::ChangeScheduled(change) => {
            json!({ "proposal": change.proposal, "activation": change.activation.get() })
        }
        Event::ChangeActivated(change) => json!({ "proposal": change.proposal }),
        Event::ChangeRefused(change) => {
            json!({ "proposal": change.proposal, "refusal": change.refusal.to_string() })
        }
        Event::ChangeWithdrawn(change) => json!({ "proposal": change.proposal }),
        Event::EpochEnded(ended) => json!({ "standing": ended.standing.get(), "leaf": ended.index.get() }),
    };
    json["name"] = event.name().into();
    json
}
