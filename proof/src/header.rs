//! A block's header: what the committee certifies.

use crate::tree::Hash;
use alloc::vec::Vec;
use zeugma_crypto::hash::framed;
use zeugma_types::codec::put_list;
use zeugma_types::{
    BlockTime, BodyRoot, Code, Decode, Encode, Epoch, Era, HashSuite, HeaderDigest, Height, NetworkId,
    OutboxRoot, Purpose, Reader, Refusal, StateRoot, TreeSize, View,
};

/// Most roots of one outbox, each under another hash suite.
pub const MAX_ROOTS: usize = 4;

/// The only version of this layout.
const VERSION: u16 = 1;

/// Where in consensus a block was proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The view of the proposal. A certificate may carry a later one: a block proposed again at the
    /// end of an epoch keeps its header.
    pub view: View,
    /// The view of the parent.
    pub parent_view: View,
    /// The proposer's Ed25519 key.
    pub leader: [u8; 32],
}

/// The state after the block, and the range of its log of operations that a new node must fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateTarget {
    /// Root of the authenticated state.
    pub root: StateRoot,
    /// First operation still needed.
    pub begin: u64,
    /// One past the last operation.
    pub end: u64,
}

/// The outbox after the block: one tree of leaves, with a root for each hash suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    /// Leaves in the tree.
    pub size: TreeSize,
    /// Ascending by suite, SHA-256 first; at most [`MAX_ROOTS`].
    roots: Vec<(HashSuite, OutboxRoot)>,
}

impl Outbox {
    /// # Errors
    /// [`Code::TooMany`]; [`Code::NotSorted`] unless the suites ascend; [`Code::NoSuchRoot`] without SHA-256.
    pub fn new(size: TreeSize, roots: Vec<(HashSuite, OutboxRoot)>) -> Result<Self, Refusal> {
        if roots.len() > MAX_ROOTS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_ROOTS).found(roots.len()));
        }
        if roots.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Refusal::new(Code::NotSorted));
        }
        if roots.first().is_none_or(|(suite, _)| *suite != HashSuite::Sha256) {
            return Err(Refusal::new(Code::NoSuchRoot).needed(HashSuite::Sha256.name()));
        }
        Ok(Self { size, roots })
    }

    /// The roots, ascending by suite.
    #[must_use]
    pub fn roots(&self) -> &[(HashSuite, OutboxRoot)] {
        &self.roots
    }

    /// The root under `suite`.
    ///
    /// # Errors
    /// [`Code::NoSuchRoot`].
    pub fn root(&self, suite: HashSuite) -> Result<&Hash, Refusal> {
        match self.roots.iter().find(|(other, _)| *other == suite) {
            Some((_, root)) => Ok(root.as_bytes()),
            None => Err(Refusal::new(Code::NoSuchRoot).needed(suite.name())),
        }
    }
}

/// A block's header. Its digest is the payload of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The network.
    pub network: NetworkId,
    /// The era whose group key certifies the block.
    pub era: Era,
    /// The engine's epoch.
    pub epoch: Epoch,
    /// The height; genesis is 0.
    pub height: Height,
    /// Greater than the parent's.
    pub time: BlockTime,
    /// Where in consensus the block was proposed.
    pub context: Context,
    /// Digest of the parent's header.
    pub parent: HeaderDigest,
    /// RFC 9162 root of the transactions.
    pub body: BodyRoot,
    /// The state after the block.
    pub state: StateTarget,
    /// The outbox after the block.
    pub outbox: Outbox,
}

impl Header {
    /// Longest encoded header, in bytes.
    pub const MAX: usize = 2 + 32 + 4 * 8 + 8 + 8 + 32 + 32 + 32 + 32 + 8 + 8 + 8 + 4 + MAX_ROOTS * 33;

    /// The digest that the certificate signs.
    #[must_use]
    pub fn digest(&self) -> HeaderDigest {
        HeaderDigest::new(framed(Purpose::Header, &[&self.to_bytes()]))
    }
}

impl Encode for Outbox {
    fn encode(&self, out: &mut Vec<u8>) {
        self.size.encode(out);
        put_list(out, &self.roots, |out, (suite, root)| {
            suite.encode(out);
            root.encode(out);
        });
    }
}

impl Decode for Outbox {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let size = TreeSize::decode(reader)?;
        let roots = reader.list(MAX_ROOTS, |r| Ok((HashSuite::decode(r)?, OutboxRoot::decode(r)?)))?;
        Self::new(size, roots)
    }
}

impl Encode for Header {
    fn encode(&self, out: &mut Vec<u8>) {
        VERSION.encode(out);
        self.network.encode(out);
        self.era.encode(out);
        self.epoch.encode(out);
        self.height.encode(out);
        self.time.encode(out);
        self.context.view.encode(out);
        self.context.parent_view.encode(out);
        self.context.leader.encode(out);
        self.parent.encode(out);
        self.body.encode(out);
        self.state.root.encode(out);
        self.state.begin.encode(out);
        self.state.end.encode(out);
        self.outbox.encode(out);
    }
}

impl Decode for Header {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let version = reader.u16()?;
        if version != VERSION {
            return Err(Refusal::new(Code::UnknownTag).needed(VERSION).found(version));
        }
        Ok(Self {
            network: NetworkId::decode(reader)?,
            era: Era::decode(reader)?,
            epoch: Epoch::decode(reader)?,
            height: Height::decode(reader)?,
            time: BlockTime::decode(reader)?,
            context: Context {
                view: View::decode(reader)?,
                parent_view: View::decode(reader)?,
                leader: reader.array()?,
            },
            parent: HeaderDigest::decode(reader)?,
            body: BodyRoot::decode(reader)?,
            state: StateTarget { root: StateRoot::decode(reader)?, begin: reader.u64()?, end: reader.u64()? },
            outbox: Outbox::decode(reader)?,
        })
    }
}
