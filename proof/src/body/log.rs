//! Evidence logs: anchored checkpoints and split views.

use super::{Said, text_in};
use crate::header::Outbox;
use crate::tree::Hash;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_types::codec::put_bytes;
use zeugma_types::{
    Code, Decode, Encode, HashSuite, LeafPath, Namespace, Purpose, Reader, Refusal, TreeSize,
};

/// Longest origin of a log, in bytes.
pub const MAX_ORIGIN: usize = 255;

/// The SHA-256 of a log's origin, as paths carry it.
#[must_use]
pub fn origin_digest(origin: &str) -> [u8; 32] {
    sha256(&[origin.as_bytes()])
}

/// A checkpoint of an evidence log that was consistent with the last one anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The log's origin, as its checkpoints name it.
    pub origin: String,
    /// The log's size and roots at the checkpoint: SHA-256, and SM3 where the log has that tree.
    pub log: Outbox,
}

impl Said for Anchor {
    const NAMESPACE: Namespace = Namespace::Anchor;
    const PURPOSE: Purpose = Purpose::Anchor;

    fn path(&self) -> LeafPath {
        LeafPath::anchor(&origin_digest(&self.origin), self.log.size)
    }
}

impl Encode for Anchor {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.origin.as_bytes());
        self.log.encode(out);
    }
}

impl Decode for Anchor {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { origin: text_in(reader, MAX_ORIGIN)?, log: Outbox::decode(reader)? })
    }
}

/// One of the two histories of a split view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogView {
    /// The size the log signed.
    pub size: TreeSize,
    /// The root it signed for that size.
    pub root: Hash,
}

/// A log signed two checkpoints that cannot be of one tree. Everything it anchors later is marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitView {
    /// The log's origin.
    pub origin: String,
    /// The tree in which the two differ.
    pub suite: HashSuite,
    /// One of them.
    pub one: LogView,
    /// The other.
    pub other: LogView,
}

impl Said for SplitView {
    const NAMESPACE: Namespace = Namespace::SplitView;
    const PURPOSE: Purpose = Purpose::SplitView;

    fn path(&self) -> LeafPath {
        LeafPath::split_view(&origin_digest(&self.origin))
    }
}

impl Encode for LogView {
    fn encode(&self, out: &mut Vec<u8>) {
        self.size.encode(out);
        self.root.encode(out);
    }
}

impl Decode for LogView {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { size: TreeSize::decode(reader)?, root: reader.array()? })
    }
}

impl Encode for SplitView {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.origin.as_bytes());
        self.suite.encode(out);
        self.one.encode(out);
        self.other.encode(out);
    }
}

impl Decode for SplitView {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let split = Self {
            origin: text_in(reader, MAX_ORIGIN)?,
            suite: HashSuite::decode(reader)?,
            one: LogView::decode(reader)?,
            other: LogView::decode(reader)?,
        };
        if split.one == split.other {
            return Err(Refusal::new(Code::NoMisbehaviour));
        }
        Ok(split)
    }
}
