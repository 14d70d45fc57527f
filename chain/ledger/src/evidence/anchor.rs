//! Anchoring checkpoints.
//!
//! A log is registered with its keys. Each checkpoint must be signed by its log and consistent with the one
//! anchored last (RFC 9162); with a second tree, both trees move together and have one size. The same
//! checkpoint again is no effect; another root for the size anchored last is itself a split view.

use super::note::{Checkpoint, SECOND_TREE_SUFFIX};
use super::split;
use crate::bounded::{Maybe, Text, numbered, record};
use crate::event::{Anchored, Event, OriginRegistered};
use crate::halt::Run;
use crate::limits::MAX_ORIGIN;
use crate::outcome::Effect;
use crate::standing::say;
use crate::state::Slot;
use crate::tx::{AnchorLog, RegisterOrigin};
use crate::work::Work;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::ed25519::PublicKey;
use zeugma_proof::Outbox;
use zeugma_proof::body::{Anchor, LogView, origin_digest};
use zeugma_proof::tree::{Hash, verify_consistency};
use zeugma_types::{AccountId, Code, HashSuite, OutboxRoot, Refusal};

numbered! {
    /// Whether a log has shown one history.
    pub enum History {
        /// As far as is known here.
        One = 1, "one";
        /// It signed two checkpoints that cannot be of one tree: whatever it anchors later is marked.
        Split = 2, "split";
    }
}

record! {
    /// The key of a log.
    pub struct LogKey {
        /// Its Ed25519 public key.
        pub ed25519: [u8; 32],
    }

    /// A log, and what was anchored of it last.
    pub struct Origin {
        /// Its origin.
        pub origin: Text<MAX_ORIGIN>,
        /// The key of its SHA-256 tree.
        pub key: LogKey,
        /// The key of its SM3 tree, if it has one.
        pub second: Maybe<LogKey>,
        /// Who registered it.
        pub registrar: AccountId,
        /// What was anchored last: size and roots.
        pub log: Maybe<Outbox>,
        /// Whether it has shown one history.
        pub history: History,
    }
}

impl Origin {
    /// Opens a note of this log's tree of `suite`.
    pub(super) fn open(&self, suite: HashSuite, note: &[u8]) -> Result<LogView, Refusal> {
        let second = || Refusal::new(Code::NoSuchRoot).needed(suite.name());
        let opened = match suite {
            HashSuite::Sha256 => Checkpoint::open(note, self.origin.as_str(), &self.key)?,
            HashSuite::Sm3 => {
                let key = self.second.as_ref().ok_or_else(second)?;
                Checkpoint::open(note, &format!("{}{SECOND_TREE_SUFFIX}", self.origin), key)?
            }
        };
        Ok(opened.view)
    }
}

pub(crate) fn register(work: &mut Work<'_>, message: &RegisterOrigin) -> Run<Effect> {
    for key in [Some(&message.key), message.second.as_ref()].into_iter().flatten() {
        PublicKey::parse_strict(&key.ed25519)?;
    }
    let digest = origin_digest(message.origin.as_str());
    if let Some(known) = work.view.load::<Origin>(Slot::Origin(&digest))? {
        return if known.key == message.key && known.second == message.second {
            Ok(Effect::AlreadyDone)
        } else {
            Err(Refusal::new(Code::OriginKnown).found(String::from(message.origin.as_str())).into())
        };
    }
    let record = Origin {
        origin: message.origin.clone(),
        key: message.key.clone(),
        second: message.second.clone(),
        registrar: work.signer,
        log: Maybe(None),
        history: History::One,
    };
    work.view.save(Slot::Origin(&digest), &record);
    work.view.tell(Event::OriginRegistered(OriginRegistered { origin: digest }));
    Ok(Effect::Applied)
}

pub(crate) fn anchor(work: &mut Work<'_>, message: &AnchorLog) -> Run<Effect> {
    let digest = origin_digest(message.origin.as_str());
    let mut record: Origin = work.view.require(Slot::Origin(&digest), Code::UnknownOrigin)?;
    let mut opened: Vec<(HashSuite, LogView, &[Hash])> = Vec::new();
    let view = record.open(HashSuite::Sha256, message.note.as_slice())?;
    opened.push((HashSuite::Sha256, view, message.consistency.as_slice()));
    match (record.second.as_ref(), message.second.as_ref()) {
        (None, None) => {}
        (Some(_), Some(second)) => {
            let view = record.open(HashSuite::Sm3, second.note.as_slice())?;
            opened.push((HashSuite::Sm3, view, second.consistency.as_slice()));
        }
        _ => return Err(Refusal::new(Code::SecondTreeNeeded).into()),
    }
    if opened.iter().any(|(_, each, _)| each.size != view.size) {
        return Err(Refusal::new(Code::SecondTreeNeeded).needed(view.size.get()).into());
    }
    if view.size.get() == 0 {
        return Err(Refusal::new(Code::Empty).needed("a tree with leaves").into());
    }
    if let Some(last) = record.log.as_ref() {
        if view.size < last.size {
            return Err(Refusal::new(Code::CheckpointOlder)
                .needed(last.size.get())
                .found(view.size.get())
                .into());
        }
        if view.size == last.size {
            return again(work, &digest, &record, last, &opened);
        }
    }
    for (suite, view, proof) in &opened {
        match record.log.as_ref() {
            Some(last) => {
                verify_consistency(*suite, (last.size, last.root(*suite)?), (view.size, &view.root), proof)?;
            }
            None if proof.is_empty() => {}
            None => return Err(Refusal::new(Code::PathLength).needed(0_u64).found(proof.len()).into()),
        }
    }
    let roots = opened.iter().map(|(suite, view, _)| (*suite, OutboxRoot::new(view.root))).collect();
    let log = Outbox::new(view.size, roots)?;
    let said = Anchor { origin: record.origin.as_str().into(), log: log.clone() };
    let index = say(&mut work.view, work.block.context(), &said)?;
    let history = record.history;
    record.log = Maybe(Some(log));
    work.view.save(Slot::Origin(&digest), &record);
    work.view.tell(Event::Anchored(Anchored { origin: digest, size: view.size, history, index }));
    Ok(Effect::Applied)
}

/// A checkpoint of the size anchored last: the same, or the log's second history.
fn again(
    work: &mut Work<'_>,
    digest: &[u8; 32],
    record: &Origin,
    last: &Outbox,
    opened: &[(HashSuite, LogView, &[Hash])],
) -> Run<Effect> {
    for (suite, view, _) in opened {
        let anchored = LogView { size: last.size, root: *last.root(*suite)? };
        if anchored != *view {
            return split::record(work, digest, record.clone(), *suite, anchored, *view);
        }
    }
    Ok(Effect::AlreadyDone)
}
