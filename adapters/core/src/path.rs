//! Keys in the stores of other chains.

use alloc::vec::Vec;
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

/// A key as a path through nested stores, outermost first, as IBC v2's `MerklePath`.
///
/// A Cosmos chain has two elements (store, key); our own chain has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerklePath(Vec<Vec<u8>>);

impl MerklePath {
    /// Most elements of a path.
    pub const MAX_ELEMENTS: usize = 4;
    /// Longest element, in bytes.
    pub const MAX_ELEMENT: usize = 512;

    /// # Errors
    /// [`Code::Empty`] without elements, [`Code::TooMany`], [`Code::TooLong`].
    pub fn new(elements: Vec<Vec<u8>>) -> Result<Self, Refusal> {
        if elements.is_empty() {
            return Err(Refusal::new(Code::Empty).needed(1_u64).found(0_u64));
        }
        if elements.len() > Self::MAX_ELEMENTS {
            return Err(Refusal::new(Code::TooMany).needed(Self::MAX_ELEMENTS).found(elements.len()));
        }
        match elements.iter().find(|element| element.len() > Self::MAX_ELEMENT) {
            Some(long) => Err(Refusal::new(Code::TooLong).needed(Self::MAX_ELEMENT).found(long.len())),
            None => Ok(Self(elements)),
        }
    }

    /// The path under a counterparty's prefix: `key` is appended to the prefix's last element.
    ///
    /// Source: ICS-24 of IBC v2, `applyPrefix`.
    ///
    /// # Errors
    /// As [`MerklePath::new`].
    pub fn under(prefix: &Self, key: &[u8]) -> Result<Self, Refusal> {
        let mut elements = prefix.0.clone();
        elements.last_mut().expect("a path has at least one element").extend_from_slice(key);
        Self::new(elements)
    }

    /// The elements, outermost first; at least one.
    #[must_use]
    pub fn elements(&self) -> &[Vec<u8>] {
        &self.0
    }
}

impl Encode for MerklePath {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.0, |out, element| put_bytes(out, element));
    }
}

impl Decode for MerklePath {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(reader.list(Self::MAX_ELEMENTS, |r| Ok(r.bytes(Self::MAX_ELEMENT)?.into()))?)
    }
}
