//! That an entry is in the log, for whoever asks for no more than that.

use super::{Desk, Notes};
use crate::store::{Position, Tree};
use zeugma_evidence_log::LogProof;
use zeugma_types::{Code, Encode as _, LeafIndex, Refusal};

impl Desk {
    /// The notes of a checkpoint that covers an entry: the one that witnesses were asked about, else the published one.
    ///
    /// # Errors
    /// [`Code::NoSuchEntry`] while there is none; [`Code::StoreFailed`], [`Code::Damaged`].
    pub(super) fn covering(&self, position: Position) -> Result<Notes, Refusal> {
        let covers = |notes: &Notes| notes.size.get() > position.index;
        if let Some(settled) = self.witnessing.settled(position.shard).filter(covers) {
            return Ok(settled);
        }
        let published = self.notes(position.shard)?.filter(covers);
        published.ok_or_else(|| missing("a checkpoint that covers it", position))
    }

    /// That an entry is in its published log, as a C2SP `tlog-proof` with what witnesses said of its checkpoint, and the
    /// leaf that the proof is about.
    ///
    /// # Errors
    /// As [`Desk::stored`]; [`Code::NoSuchEntry`] while no checkpoint covers it, and for a tree that the log has not.
    pub fn proof(
        &self,
        tenant: &str,
        position: Position,
        tree: Tree,
    ) -> Result<(LogProof, Vec<u8>), Refusal> {
        let stored = self.stored(tenant, position)?;
        let notes = self.covering(position)?;
        let size = notes.size;
        let checkpoint = match tree {
            Tree::First => self.witnessing.cosigned(position.shard, size.get(), notes.first),
            Tree::Second => notes.second.ok_or_else(|| missing("a tree in SM3", position))?,
        };
        let proof = LogProof {
            suite: tree.suite(),
            extra: None,
            index: LeafIndex::new(position.index),
            path: self.log.inclusion(position, tree, size)?,
            checkpoint,
        };
        Ok((proof, stored.entry.to_bytes()))
    }
}

fn missing(needed: &'static str, position: Position) -> Refusal {
    Refusal::new(Code::NoSuchEntry).needed(needed).found(position.index)
}
