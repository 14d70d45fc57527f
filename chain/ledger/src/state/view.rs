//! The state as one step sees it: reads below, its own writes above, undone in reverse.
//!
//! A view never gives a partial effect away: [`View::rollback`] returns to a [`Mark`] exactly, writes,
//! leaves and events together.

use super::{Key, Read, Reads, Said, Slot, Writes};
use crate::event::Event;
use crate::halt::{Halt, Run};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cell::RefCell;
use zeugma_types::{Code, Decode, Encode, LeafIndex, Refusal, TreeSize};

/// A point to return to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    undo: usize,
    leaves: usize,
    events: usize,
}

/// The state under a step's own writes.
pub(crate) struct View<'a> {
    reads: &'a dyn Reads,
    writes: Writes,
    /// What each write replaced in `writes`; the outer `None` when there was nothing.
    undo: Vec<(Key, Option<Option<Vec<u8>>>)>,
    leaves: Vec<Said>,
    events: Vec<Event>,
    outbox: TreeSize,
    missing: RefCell<BTreeSet<Key>>,
    /// The bug that a test planted in the program.
    #[cfg(feature = "planted")]
    pub(crate) planted: Option<crate::PlantedBug>,
}

/// What a step leaves, all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The new values of keys.
    pub writes: Writes,
    /// What is said in the outbox, in this order.
    pub leaves: Vec<Said>,
    /// For streams and indexes.
    pub events: Vec<Event>,
}

impl<'a> View<'a> {
    /// `outbox` is the number of leaves before this step.
    pub(crate) fn new(reads: &'a dyn Reads, outbox: TreeSize) -> Self {
        Self {
            reads,
            writes: Writes::new(),
            undo: Vec::new(),
            leaves: Vec::new(),
            events: Vec::new(),
            outbox,
            missing: RefCell::default(),
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// Names keys that will be read, so that all that are missing are asked for at once.
    pub(crate) fn want(&self, keys: impl IntoIterator<Item = Key>) -> Run<()> {
        for key in keys {
            if !self.writes.contains_key(&key) && self.reads.read(&key) == Read::Unknown {
                self.missing.borrow_mut().insert(key);
            }
        }
        self.settled()
    }

    /// Nothing that was looked at is missing.
    pub(crate) fn settled(&self) -> Run<()> {
        if self.missing.borrow().is_empty() { Ok(()) } else { Err(Halt::Missing) }
    }

    /// The bytes under `key`.
    pub(crate) fn get(&self, key: &Key) -> Run<Option<&[u8]>> {
        if let Some(value) = self.writes.get(key) {
            return Ok(value.as_deref());
        }
        match self.reads.read(key) {
            Read::Value(value) => Ok(Some(value)),
            Read::Absent => Ok(None),
            Read::Unknown => {
                self.missing.borrow_mut().insert(key.clone());
                Err(Halt::Missing)
            }
        }
    }

    /// The record in `slot`.
    pub(crate) fn load<T: Decode>(&self, slot: Slot<'_>) -> Run<Option<T>> {
        let key = slot.key();
        match self.get(&key)? {
            None => Ok(None),
            Some(bytes) => T::from_bytes(bytes).map(Some).map_err(|_| Halt::Corrupt(key)),
        }
    }

    /// The record in `slot`, or a refusal with `code`.
    pub(crate) fn require<T: Decode>(&self, slot: Slot<'_>, code: Code) -> Run<T> {
        self.load(slot)?.ok_or_else(|| Halt::Refused(Refusal::new(code)))
    }

    /// Whether `slot` holds something.
    pub(crate) fn holds(&self, slot: Slot<'_>) -> Run<bool> {
        self.get(&slot.key()).map(|value| value.is_some())
    }

    /// Writes a record.
    pub(crate) fn save(&mut self, slot: Slot<'_>, record: &impl Encode) {
        self.put(slot.key(), Some(record.to_bytes()));
    }

    /// Writes bytes that are already encoded.
    pub(crate) fn save_bytes(&mut self, slot: Slot<'_>, bytes: Vec<u8>) {
        self.put(slot.key(), Some(bytes));
    }

    /// Removes what `slot` holds.
    pub(crate) fn remove(&mut self, slot: Slot<'_>) {
        self.put(slot.key(), None);
    }

    fn put(&mut self, key: Key, value: Option<Vec<u8>>) {
        let before = self.writes.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    /// Says this in the outbox.
    pub(crate) fn say(&mut self, said: Said) -> Result<LeafIndex, Refusal> {
        let index = self
            .outbox
            .get()
            .checked_add(self.leaves.len() as u64)
            .ok_or_else(|| Refusal::new(Code::OutOfRange))?;
        self.leaves.push(said);
        Ok(LeafIndex::new(index))
    }

    /// Tells the node's streams and indexes.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The point to return to.
    pub(crate) fn mark(&self) -> Mark {
        Mark { undo: self.undo.len(), leaves: self.leaves.len(), events: self.events.len() }
    }

    /// Takes back everything since `mark`.
    pub(crate) fn rollback(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            let (key, before) = self.undo.pop().expect("the journal is longer than the mark");
            match before {
                Some(value) => self.writes.insert(key, value),
                None => self.writes.remove(&key),
            };
        }
        self.leaves.truncate(mark.leaves);
        self.events.truncate(mark.events);
    }

    /// The keys that were missing.
    pub(crate) fn missing(&self) -> Vec<Key> {
        self.missing.borrow().iter().cloned().collect()
    }

    /// All that the step leaves.
    pub(crate) fn finish(self) -> Effects {
        Effects { writes: self.writes, leaves: self.leaves, events: self.events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Store;

    #[test]
    fn a_rollback_takes_back_exactly_what_came_after_the_mark() {
        let store = Store::default();
        let mut view = View::new(&store, TreeSize::ZERO);
        view.save(Slot::Proposal(1), &1_u8);
        view.save(Slot::Proposal(2), &2_u8);
        let mark = view.mark();
        view.save(Slot::Proposal(1), &9_u8);
        view.remove(Slot::Proposal(2));
        view.save(Slot::Proposal(3), &3_u8);
        view.rollback(mark);
        assert_eq!(view.load::<u8>(Slot::Proposal(1)).unwrap(), Some(1));
        assert_eq!(view.load::<u8>(Slot::Proposal(2)).unwrap(), Some(2));
        assert_eq!(view.finish().writes.len(), 2);
    }

    #[test]
    fn a_key_that_was_not_read_is_asked_for_and_not_taken_as_absent() {
        let reads = Writes::new();
        let view = View::new(&reads, TreeSize::ZERO);
        assert_eq!(view.load::<u8>(Slot::Proposal(1)), Err(Halt::Missing));
        view.want([Slot::Proposal(2).key()]).unwrap_err();
        assert_eq!(view.missing(), [Slot::Proposal(1).key(), Slot::Proposal(2).key()]);
    }

    #[test]
    fn bytes_that_were_never_written_by_us_are_told_as_corrupt() {
        let reads = Writes::from([(Slot::Counters.key(), Some([1, 2, 3].into()))]);
        let view = View::new(&reads, TreeSize::ZERO);
        assert_eq!(view.load::<u8>(Slot::Counters), Err(Halt::Corrupt(Slot::Counters.key())));
    }
}
