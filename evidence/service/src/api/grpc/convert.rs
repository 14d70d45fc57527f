//! Our values as messages, and messages as ours.

use super::super::deposits::stated;
use super::super::entries::{Reached, Seen, pending_age};
use super::super::problem::Problem;
use super::super::{search, verdicts};
use super::v1;
use crate::desk::Accepted;
use crate::stamping::Stood;
use crate::store::{Position, Stored};
use serde_json::Value;
use zeugma_evidence_log::{CustomField, Field, FileDigests, Record};
use zeugma_types::{BlockTime, Encode as _, Permanence, Refusal, TreeSize};

impl From<&Refusal> for v1::Refusal {
    fn from(refusal: &Refusal) -> Self {
        let permanence = match refusal.permanence() {
            Permanence::Never => v1::Permanence::Never,
            Permanence::NotYet => v1::Permanence::NotYet,
        };
        Self {
            code: refusal.code.number().into(),
            name: refusal.code.name().into(),
            permanence: permanence.into(),
            detail: refusal.to_string(),
        }
    }
}

impl From<Position> for v1::Position {
    fn from(Position { shard, index }: Position) -> Self {
        Self { shard, index }
    }
}

/// The position of a message, which must name one.
pub(super) fn position(named: Option<v1::Position>) -> Result<Position, Problem> {
    let v1::Position { shard, index } = named.ok_or_else(|| Problem::bad_request("a position"))?;
    Ok(Position { shard, index })
}

/// Digests of a message: those that are not empty.
pub(super) fn digests(sha256: &[u8], sm3: &[u8]) -> Result<FileDigests, Refusal> {
    let mut digests = FileDigests::default();
    for (algorithm, bytes) in [("sha256", sha256), ("sm3", sm3)] {
        if !bytes.is_empty() {
            digests.add(algorithm, bytes)?;
        }
    }
    Ok(digests)
}

/// The record of a message under the tenant's pseudonym.
pub(super) fn record(record: v1::Record, submitter: &str) -> Result<Record, Refusal> {
    let v1::Record { sha256, sm3, media_type, size, origin, custom } = record;
    let digests = digests(&sha256, &sm3)?;
    let mut fields = Vec::new();
    fields.extend(digests.sha256.map(Field::Sha256));
    fields.extend(digests.sm3.map(Field::Sm3));
    fields.push(Field::MediaType(media_type));
    fields.push(Field::Size(size));
    fields.push(Field::Submitter(submitter.to_owned()));
    fields.push(Field::Source(stated(origin)));
    // By name, as REST has them: one record has one encoding.
    let custom: std::collections::BTreeMap<_, _> = custom.into_iter().collect();
    let custom = custom.into_iter().map(|(name, value)| CustomField { name, value: value.into_bytes() });
    fields.extend(custom.map(Field::Custom));
    Record::new(fields)
}

impl From<&Accepted> for v1::Accepted {
    fn from(accepted: &Accepted) -> Self {
        Self {
            position: Some(accepted.position.into()),
            known: accepted.known,
            received_at: accepted.receipt.received_at.get(),
            due_at: accepted.receipt.due_at.get(),
            receipt: accepted.receipt.to_bytes().into(),
        }
    }
}

/// What a rule pack found, or that it will judge.
fn verdict(row: &Value) -> v1::Verdict {
    let digest = row["pack"]["digest"].as_str().and_then(|text| hex::decode(text).ok());
    v1::Verdict {
        pack: digest.unwrap_or_default().into(),
        pending: verdicts::is_pending(row),
        given_at: row["given_at"].as_u64(),
        json: row.to_string(),
    }
}

/// Where an entry stands.
pub(super) fn standing(position: Position, seen: &Seen) -> v1::Standing {
    let Seen { standing, legs, verdicts, released } = seen;
    let state = match (standing.logged, standing.anchored) {
        (_, Some(_)) => v1::State::Anchored,
        (Some(_), None) => v1::State::Logged,
        (None, None) => v1::State::Received,
    };
    v1::Standing {
        position: Some(position.into()),
        state: state.into(),
        received_at: standing.received_at.get(),
        logged_size: standing.logged.map(|size| size.get()),
        anchored_size: standing.anchored.map(|(size, _)| size.get()),
        anchored_at: standing.anchored.map(|(_, at)| at.get()),
        stamps: legs.iter().map(Into::into).collect(),
        verdicts: verdicts.iter().map(verdict).collect(),
        released: released["case"].as_str().unwrap_or_default().to_owned(),
    }
}

/// An entry as it was deposited.
pub(super) fn entry(position: Position, stored: &Stored) -> v1::Entry {
    let (mut record, mut submitter) = (v1::Record::default(), String::new());
    for field in stored.record.fields() {
        match field {
            Field::Sha256(digest) => record.sha256 = digest.to_vec().into(),
            Field::Sm3(digest) => record.sm3 = digest.to_vec().into(),
            Field::MediaType(text) => record.media_type.clone_from(text),
            Field::Size(size) => record.size = *size,
            Field::Submitter(text) => submitter.clone_from(text),
            Field::Source(text) => record.origin.clone_from(text),
            Field::Custom(custom) => {
                record.custom.insert(custom.name.clone(), search::text(custom));
            }
        }
    }
    let received_at = stored.received_at;
    v1::Entry { position: Some(position.into()), record: Some(record), submitter, received_at }
}

/// All that happened to an entry.
pub(super) fn history(position: Position, told: &search::Told) -> v1::GetHistoryResponse {
    let event = |what: v1::State, at: Option<BlockTime>, size: Option<TreeSize>| v1::Event {
        what: what.into(),
        at: at.map(BlockTime::get),
        size: size.map(TreeSize::get),
        institution: String::new(),
    };
    let standing = &told.standing;
    let mut events = vec![event(v1::State::Received, Some(standing.received_at), None)];
    events.extend(standing.logged.map(|size| event(v1::State::Logged, None, Some(size))));
    events.extend(standing.anchored.map(|(size, at)| event(v1::State::Anchored, Some(at), Some(size))));
    for one in &told.legs {
        let Some(got) = &one.leg.got else { continue };
        let institution = one.leg.institution.clone();
        events.push(v1::Event { institution, ..event(v1::State::Stamped, Some(got.at), None) });
    }
    events.extend(told.judged.iter().map(|at| event(v1::State::Judged, Some(*at), None)));
    v1::GetHistoryResponse {
        entry: Some(entry(position, &told.stored)),
        receipt: told.receipt.to_bytes().into(),
        events,
        pending: told.legs.iter().filter(|one| one.leg.got.is_none()).map(Into::into).collect(),
        same_digest: told.same.iter().map(|other| (*other).into()).collect(),
    }
}

impl From<&Stood> for v1::Leg {
    fn from(one: &Stood) -> Self {
        Self {
            institution: one.leg.institution.clone(),
            stamped_at: one.leg.got.as_ref().map(|got| got.at.get()),
            pending_age_seconds: pending_age(one),
            refusal: one.refusal.as_ref().map(Into::into),
        }
    }
}

/// What is waited for.
pub(super) fn reached(state: i32) -> Result<Reached, Problem> {
    match v1::State::try_from(state) {
        Ok(v1::State::Unspecified | v1::State::Logged) => Ok(Reached::Logged),
        Ok(v1::State::Anchored) => Ok(Reached::Anchored),
        Ok(v1::State::Stamped) => Ok(Reached::Stamped),
        Ok(v1::State::Judged) => Ok(Reached::Judged),
        Ok(v1::State::Received) | Err(_) => {
            Err(Problem::bad_request("STATE_LOGGED, STATE_ANCHORED, STATE_STAMPED or STATE_JUDGED"))
        }
    }
}
