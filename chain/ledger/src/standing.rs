//! Saying things in the outbox, and keeping the list of what is in force.
//!
//! The latest leaf of every revocable path is kept in one of [`STANDING_BUCKETS`] buckets, chosen by the
//! hash of the path; at the end of an epoch the buckets together are the list behind the `Standing` leaf.
//! Revocable are client status and the registry. Split views are kept too: they are never taken back, but
//! who relies on an anchor wants proof that there is none.

use crate::block::Context;
use crate::bounded::{List, record};
use crate::event::{EpochEnded, Event};
use crate::halt::Run;
use crate::limits::{MAX_STANDING_BUCKET, STANDING_BUCKETS};
use crate::state::{self, Slot, View};
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_proof::body::{InForce, Said, StandingList};
use zeugma_proof::{Leaf, LeafFormat};
use zeugma_types::{Encode, HashSuite, LeafIndex, Namespace};

record! {
    /// The latest leaves of paths of one hash bucket, ascending by path.
    pub struct Bucket {
        /// The entries.
        pub entries: List<InForce, MAX_STANDING_BUCKET>,
    }
}

/// Says `body` in the outbox, with its bytes, and keeps its leaf as the latest of its path where that can be revoked.
pub(crate) fn say<B: Said>(view: &mut View<'_>, context: &Context, body: &B) -> Run<LeafIndex> {
    let (path, value) = (body.path(), body.value(HashSuite::Sha256));
    let opening = Some(body.to_bytes());
    let index = view.say(state::Said { path: path.clone(), value, opening })?;
    if !matches!(B::NAMESPACE, Namespace::Client | Namespace::Registry | Namespace::SplitView) {
        return Ok(index);
    }
    let leaf = Leaf {
        format: LeafFormat::Sha256,
        network: context.network,
        height: context.height,
        time: context.time,
        path: path.clone(),
        value,
    };
    let entry = InForce { leaf: leaf.hash(HashSuite::Sha256), path, index };
    let [first, ..] = sha256(&[&entry.path.to_bytes()]);
    let slot = Slot::Standing(first % STANDING_BUCKETS);
    let mut entries = match view.load::<Bucket>(slot)? {
        Some(bucket) => bucket.entries.into_vec(),
        None => Vec::new(),
    };
    match entries.binary_search_by(|known| known.path.cmp(&entry.path)) {
        Ok(place) => entries[place] = entry,
        Err(place) => entries.insert(place, entry),
    }
    view.save(slot, &Bucket { entries: List::new(entries)? });
    Ok(index)
}

/// What is in force now.
pub(crate) fn in_force(view: &View<'_>) -> Run<StandingList> {
    view.want((0..STANDING_BUCKETS).map(|bucket| Slot::Standing(bucket).key()))?;
    let mut entries = Vec::new();
    for bucket in 0..STANDING_BUCKETS {
        if let Some(bucket) = view.load::<Bucket>(Slot::Standing(bucket))? {
            entries.extend(bucket.entries.into_vec());
        }
    }
    Ok(StandingList::new(entries)?)
}

/// Says what is in force at the end of the epoch.
pub(crate) fn end_epoch(view: &mut View<'_>, context: &Context) -> Run<()> {
    let standing = in_force(view)?.standing(context.epoch, context.height);
    let index = say(view, context, &standing)?;
    view.tell(Event::EpochEnded(EpochEnded { standing: standing.count, index }));
    Ok(())
}
