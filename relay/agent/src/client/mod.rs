//! One worker a client: it keeps it fresh, and looks for two histories of its chain.
//!
//! What the next update must be is computed from the chain's own state at each tick, never from what was sent before.

mod comet;
pub mod state;
mod zeugma;

pub use comet::CometWorker;
pub(crate) use zeugma::{Light, update_to};
pub use zeugma::{ZeugmaWorker, contradiction, update_to_latest};

use crate::error::Error;
use crate::hub::{self, Hub};
use crate::metrics::Metrics;
use crate::queue::Queue;
use zeugma_adapter_core::{Client, Family, Status};
use zeugma_ledger::Slot;
use zeugma_ledger::ibc::ClientRecord;
use zeugma_types::{BlockTime, ClientId, Code, Decode as _, Height, Refusal};

/// The claim of a client's update.
pub(crate) fn update_claim(client: &ClientId) -> String {
    format!("update/{client}")
}

/// The claim of evidence against a client's chain.
pub(crate) fn evidence_claim(client: &ClientId) -> String {
    format!("misbehaviour/{client}")
}

/// Whether a piece of work is under way, or rests after the network refused it: trying at each tick would fill blocks.
pub(crate) fn is_busy(queue: &Queue, hub: &dyn Hub, claim: &str, now: BlockTime) -> Result<bool, Error> {
    Ok(queue.is_claimed(hub.name(), claim)? || queue.rests(hub.name(), claim, now)?)
}

/// A client as its network holds it.
///
/// # Errors
/// [`Error`]; [`Code::UnknownClient`], [`Code::WrongFamily`].
pub fn load<F: Family>(hub: &dyn Hub, id: &ClientId) -> Result<Client<F::Profile>, Error> {
    let record: Option<ClientRecord> = hub::load(hub, Slot::Client(id))?;
    let unknown = || Refusal::new(Code::UnknownClient).found(id.as_str().to_owned());
    let record = record.ok_or_else(unknown)?;
    if record.family != F::NUMBER {
        return Err(Refusal::new(Code::WrongFamily).needed(F::NUMBER).found(record.family).into());
    }
    Ok(Client::decode_with(record.client.as_slice(), F::MAX_PROFILE)?)
}

/// A trusted state of a client.
///
/// # Errors
/// [`Error`]; [`Code::NoStateAt`].
pub fn load_state<F: Family>(hub: &dyn Hub, id: &ClientId, height: Height) -> Result<F::State, Error> {
    let bytes = hub.state(&Slot::ClientState(id, height).key())?;
    let bytes = bytes.ok_or_else(|| Refusal::new(Code::NoStateAt).needed(height.get()))?;
    if bytes.len() > F::MAX_STATE {
        return Err(Refusal::new(Code::TooLong).needed(F::MAX_STATE).found(bytes.len()).into());
    }
    Ok(F::State::from_bytes(&bytes)?)
}

/// Shows a client to the operator; gives what can be done with it.
pub(crate) fn show<F: Family>(
    metrics: &Metrics,
    hub: &dyn Hub,
    id: &ClientId,
    client: &Client<F::Profile>,
    now: BlockTime,
) -> Status {
    let status = client.status::<F>(now);
    let trusting = F::trusting_period(&client.profile);
    metrics.client(hub.name(), id.as_str(), client.expires_at::<F>(), trusting, status == Status::Frozen);
    status
}
