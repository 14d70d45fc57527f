//! What moves a client, what freezes it, and what proves a key of its store.
//!
//! An update is *trusted slot, committee, message*. The message is what a beacon node serves, byte for
//! byte (`LightClientUpdate` or `LightClientFinalityUpdate` in SSZ); the committee is the one that signed
//! it, which the trusted state knows by its root. In Gloas a beacon header names its execution block by hash
//! alone, and the block's header comes along.

use crate::block::BlockHeader;
use crate::committee::Committee;
use crate::container::{Kind, LightUpdate};
use crate::fork::Fork;
use crate::trie::MAX_NODES;
use alloc::vec::Vec;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{Code, Decode, Encode, Height, Reader, Refusal};

/// Longest message, in bytes: a committee, two headers with payloads of 900 bytes, and branches.
const MAX_MESSAGE: usize = Committee::MAX_BYTES + 8 * 1024;

/// A light client's message, and where its verification starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Slot of the trusted state that the verification starts from.
    pub trusted_height: Height,
    /// The fork in whose layout the message is.
    pub fork: Fork,
    /// Whether the message brings a committee.
    pub kind: Kind,
    /// The committee that signed.
    pub committee: Committee,
    /// The header of the finalized header's execution block, from Gloas on.
    pub block: Option<Vec<u8>>,
    bytes: Vec<u8>,
    message: LightUpdate,
}

impl Update {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize =
        8 + 2 + 4 + Committee::MAX_BYTES + 1 + 4 + BlockHeader::MAX_BYTES + 4 + MAX_MESSAGE;

    /// An update of a message as a beacon node serves it.
    ///
    /// # Errors
    /// A refusal of the 100s when the message is not of this kind in the layout of this fork, or marks as
    /// absent what its kind is for.
    pub fn new(
        trusted_height: Height,
        fork: Fork,
        kind: Kind,
        committee: Committee,
        block: Option<Vec<u8>>,
        bytes: Vec<u8>,
    ) -> Result<Self, Refusal> {
        let message = LightUpdate::read(&bytes, kind, fork, committee.seats())?;
        let complete = message.finality.is_some() && (kind == Kind::Full) == message.next.is_some();
        if kind == Kind::Optimistic || !complete {
            return Err(Refusal::new(Code::NotCanonical).needed("the kind that fits what is there"));
        }
        Ok(Self { trusted_height, fork, kind, committee, block, bytes, message })
    }

    /// The message.
    #[must_use]
    pub const fn message(&self) -> &LightUpdate {
        &self.message
    }

    /// The message as it was served.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Encode for Update {
    fn encode(&self, out: &mut Vec<u8>) {
        self.trusted_height.encode(out);
        self.fork.encode(out);
        out.push(match self.kind {
            Kind::Full => 1,
            Kind::Finality | Kind::Optimistic => 2,
        });
        put_bytes(out, self.committee.as_bytes());
        put_option(out, self.block.as_ref(), |out, block| put_bytes(out, block));
        put_bytes(out, &self.bytes);
    }
}

impl Decode for Update {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let trusted_height = Height::decode(reader)?;
        let fork = Fork::decode(reader)?;
        let kind = match reader.u8()? {
            1 => Kind::Full,
            2 => Kind::Finality,
            tag => return Err(Refusal::new(Code::UnknownTag).needed(2_u64).found(tag)),
        };
        let committee = Committee::new(reader.bytes(Committee::MAX_BYTES)?)?;
        let block = reader.option(|r| Ok(Vec::from(r.bytes(BlockHeader::MAX_BYTES)?)))?;
        let bytes = Vec::from(reader.bytes(MAX_MESSAGE)?);
        Self::new(trusted_height, fork, kind, committee, block, bytes)
    }
}

/// Two messages that cannot both be of the chain, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Each with the trusted state from which it is verified.
    pub updates: [Update; 2],
}

impl Evidence {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 2 * Update::MAX_BYTES;
}

impl Encode for Evidence {
    fn encode(&self, out: &mut Vec<u8>) {
        self.updates.iter().for_each(|update| update.encode(out));
    }
}

impl Decode for Evidence {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { updates: [Update::decode(reader)?, Update::decode(reader)?] })
    }
}

/// A proof of one slot of the router: the answer to `eth_getProof`, without what is recomputed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreProof {
    /// The nodes from the state's root to the router's account.
    pub account: Vec<Vec<u8>>,
    /// The nodes from the account's storage root to the slot.
    pub storage: Vec<Vec<u8>>,
}

impl StoreProof {
    /// Longest node, in bytes: a branch of sixteen hashes has 532.
    pub const MAX_NODE: usize = 576;
    /// Longest encoding, in bytes: two tries of seventeen full branches and more.
    pub const MAX_BYTES: usize = 65_536;
}

impl Encode for StoreProof {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.account, |out, node| put_bytes(out, node));
        put_list(out, &self.storage, |out, node| put_bytes(out, node));
    }
}

impl Decode for StoreProof {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let nodes =
            |reader: &mut Reader<'_>| reader.list(MAX_NODES, |r| Ok(Vec::from(r.bytes(Self::MAX_NODE)?)));
        Ok(Self { account: nodes(reader)?, storage: nodes(reader)? })
    }
}
