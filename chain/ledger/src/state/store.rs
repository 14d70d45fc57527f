//! What a step reads from, and what it leaves to be written.

use super::Key;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// What a step wrote: the new value of each key, or `None` where the key is removed.
pub type Writes = BTreeMap<Key, Option<Vec<u8>>>;

/// The answer to one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// Not fetched yet: the step will ask for it.
    Unknown,
    /// The state has no such key.
    Absent,
    /// The value.
    Value(&'a [u8]),
}

impl<'a> Read<'a> {
    fn of(value: &'a Option<Vec<u8>>) -> Self {
        value.as_deref().map_or(Self::Absent, Read::Value)
    }
}

/// What has been read of the state so far. An answer other than [`Read::Unknown`] never changes during
/// one step.
pub trait Reads {
    /// The value under `key`, as far as it is known.
    fn read(&self, key: &Key) -> Read<'_>;
}

impl Reads for BTreeMap<Key, Option<Vec<u8>>> {
    fn read(&self, key: &Key) -> Read<'_> {
        self.get(key).map_or(Read::Unknown, Read::of)
    }
}

/// A block's writes so far, over what was fetched of the state before the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    fetched: BTreeMap<Key, Option<Vec<u8>>>,
    writes: Writes,
}

impl Overlay {
    /// Notes what the state before the block holds under `key`.
    pub fn fetched(&mut self, key: Key, value: Option<Vec<u8>>) {
        self.fetched.insert(key, value);
    }

    /// Lays the writes of one step over those before.
    pub fn apply(&mut self, writes: Writes) {
        self.writes.extend(writes);
    }

    /// The writes of all steps so far.
    #[must_use]
    pub const fn writes(&self) -> &Writes {
        &self.writes
    }

    /// The writes of all steps, given away.
    #[must_use]
    pub fn into_writes(self) -> Writes {
        self.writes
    }
}

impl Reads for Overlay {
    fn read(&self, key: &Key) -> Read<'_> {
        match self.writes.get(key) {
            Some(value) => Read::of(value),
            None => self.fetched.read(key),
        }
    }
}

/// A whole state in memory, for tests, simulations and tools. Nothing is unknown to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store(BTreeMap<Key, Vec<u8>>);

impl Store {
    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// Writes what a step left.
    pub fn apply(&mut self, writes: Writes) {
        for (key, value) in writes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }

    /// Every key and value, in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        self.0.iter().map(|(key, value)| (key, value.as_slice()))
    }

    /// Those whose key begins with `prefix`.
    pub fn under<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a Key, &'a [u8])> {
        self.iter().filter(move |(key, _)| key.as_bytes().starts_with(prefix))
    }
}

impl Reads for Store {
    fn read(&self, key: &Key) -> Read<'_> {
        self.get(key).map_or(Read::Absent, Read::Value)
    }
}
