//! Split views: proof that a log signed two checkpoints that cannot be of one tree.
//!
//! Two signed notes suffice, and no state of ours is needed, so a log that anchors often cannot keep a
//! report from landing. Two roots for one size speak for themselves. For two sizes the report names a leaf:
//! one index, two different leaf hashes, each included in one of the trees. If one tree is not the beginning
//! of the other there is such a leaf, so every split view can be shown.

use super::anchor::{History, Origin};
use crate::bounded::{Bytes, List, Maybe, record};
use crate::event::{Event, SplitViewRecorded};
use crate::halt::Run;
use crate::limits::MAX_NOTE;
use crate::outcome::Effect;
use crate::standing::say;
use crate::state::Slot;
use crate::tx::ReportSplitView;
use crate::work::Work;
use zeugma_proof::body::{LogView, SplitView, origin_digest};
use zeugma_proof::tree::{Hash, MAX_INCLUSION, verify_inclusion};
use zeugma_types::{Code, HashSuite, LeafIndex, Refusal};

record! {
    /// Two checkpoints of one log and what makes them contradict each other.
    pub struct Contradiction {
        /// The tree in which they do.
        pub suite: HashSuite,
        /// A signed note; where one of the two was anchored, that one.
        pub one: Bytes<MAX_NOTE>,
        /// The other signed note.
        pub other: Bytes<MAX_NOTE>,
        /// A leaf in which the trees differ; missing when both have one size.
        pub conflict: Maybe<Conflict>,
    }

    /// One index and two leaves.
    pub struct Conflict {
        /// Where the trees differ.
        pub index: LeafIndex,
        /// The leaf hash there in the first tree.
        pub one_leaf: Hash,
        /// Hashes from it to the first root.
        pub one_path: List<Hash, MAX_INCLUSION>,
        /// The leaf hash there in the second tree.
        pub other_leaf: Hash,
        /// Hashes from it to the second root.
        pub other_path: List<Hash, MAX_INCLUSION>,
    }
}

impl Contradiction {
    /// Hashes that verifying it takes.
    #[must_use]
    pub fn hashes(&self) -> usize {
        self.conflict.as_ref().map_or(0, |conflict| conflict.one_path.len() + conflict.other_path.len())
    }
}

pub(crate) fn report(work: &mut Work<'_>, message: &ReportSplitView) -> Run<Effect> {
    let digest = origin_digest(message.origin.as_str());
    let origin: Origin = work.view.require(Slot::Origin(&digest), Code::UnknownOrigin)?;
    if origin.history == History::Split {
        return Ok(Effect::AlreadyDone);
    }
    let shown = &message.contradiction;
    let one = origin.open(shown.suite, shown.one.as_slice())?;
    let other = origin.open(shown.suite, shown.other.as_slice())?;
    require_contradiction(shown, &one, &other)?;
    record(work, &digest, origin, shown.suite, one, other)
}

fn require_contradiction(shown: &Contradiction, one: &LogView, other: &LogView) -> Result<(), Refusal> {
    let none = Refusal::new(Code::NoContradiction);
    let Some(conflict) = shown.conflict.as_ref() else {
        return if one.size == other.size && one.root != other.root { Ok(()) } else { Err(none) };
    };
    if conflict.one_leaf == conflict.other_leaf {
        return Err(none.found("one leaf"));
    }
    let included = |leaf: &Hash, path: &[Hash], view: &LogView| {
        verify_inclusion(shown.suite, leaf, conflict.index, view.size, path, &view.root)
    };
    included(&conflict.one_leaf, conflict.one_path.as_slice(), one)?;
    included(&conflict.other_leaf, conflict.other_path.as_slice(), other)
}

/// Records that the log has two histories, says it and tells it.
pub(super) fn record(
    work: &mut Work<'_>,
    digest: &[u8; 32],
    mut origin: Origin,
    suite: HashSuite,
    one: LogView,
    other: LogView,
) -> Run<Effect> {
    if origin.history == History::Split {
        return Ok(Effect::AlreadyDone);
    }
    origin.history = History::Split;
    let said = SplitView { origin: origin.origin.as_str().into(), suite, one, other };
    work.view.save(Slot::Origin(digest), &origin);
    let index = say(&mut work.view, work.block.context(), &said)?;
    work.view.tell(Event::SplitViewRecorded(SplitViewRecorded { origin: *digest, index }));
    Ok(Effect::Applied)
}
