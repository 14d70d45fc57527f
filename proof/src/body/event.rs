//! Single events: a packet closed, a leaf taken back, a client's status, a registered digest.

use super::{Said, text_in};
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::codec::{put_bytes, put_option};
use zeugma_types::{
    BlockTime, ClientId, Code, Decode, Encode, Height, LeafHash, LeafIndex, LeafPath, Namespace, Purpose,
    Reader, Refusal, Sequence, UnixSeconds, Value,
};

/// A packet toward this network that was not received in time and can never be: its receipt slot
/// holds a tombstone. True under every later header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The client under which the packet would have been received.
    pub client: ClientId,
    /// The packet's sequence.
    pub sequence: Sequence,
    /// The commitment that its sender's chain was shown to hold.
    pub commitment: Value,
    /// The timeout that had passed.
    pub timeout: UnixSeconds,
}

impl Said for Closed {
    const NAMESPACE: Namespace = Namespace::Closed;
    const PURPOSE: Purpose = Purpose::Closed;

    fn path(&self) -> LeafPath {
        LeafPath::closed(&self.client, self.sequence)
    }
}

impl Encode for Closed {
    fn encode(&self, out: &mut Vec<u8>) {
        self.client.encode(out);
        self.sequence.encode(out);
        self.commitment.encode(out);
        self.timeout.encode(out);
    }
}

impl Decode for Closed {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            client: ClientId::decode(reader)?,
            sequence: Sequence::decode(reader)?,
            commitment: Value::decode(reader)?,
            timeout: UnixSeconds::decode(reader)?,
        })
    }
}

/// An earlier leaf rested on foreign history that was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retraction {
    /// The position of the leaf taken back.
    pub index: LeafIndex,
    /// Its SHA-256 leaf hash.
    pub leaf: LeafHash,
    /// The client whose chain was reorganized.
    pub client: ClientId,
    /// The lowest foreign height that was undone.
    pub height: Height,
}

impl Said for Retraction {
    const NAMESPACE: Namespace = Namespace::Retraction;
    const PURPOSE: Purpose = Purpose::Retraction;

    fn path(&self) -> LeafPath {
        LeafPath::retraction(self.index)
    }
}

impl Encode for Retraction {
    fn encode(&self, out: &mut Vec<u8>) {
        self.index.encode(out);
        self.leaf.encode(out);
        self.client.encode(out);
        self.height.encode(out);
    }
}

impl Decode for Retraction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            index: LeafIndex::decode(reader)?,
            leaf: LeafHash::decode(reader)?,
            client: ClientId::decode(reader)?,
            height: Height::decode(reader)?,
        })
    }
}

/// What a client's event leaf says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ClientStatus {
    /// Created, or recovered by a substitute.
    Active = 1,
    /// Misbehaviour was shown.
    Frozen = 2,
}

/// A change of a light client's status. Expiry is no event: it follows from the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEvent {
    /// The client.
    pub client: ClientId,
    /// Its status from now on.
    pub status: ClientStatus,
    /// The foreign height concerned.
    pub height: Height,
    /// Our time of the event.
    pub at: BlockTime,
}

impl Said for ClientEvent {
    const NAMESPACE: Namespace = Namespace::Client;
    const PURPOSE: Purpose = Purpose::ClientEvent;

    fn path(&self) -> LeafPath {
        LeafPath::client(&self.client)
    }
}

impl Encode for ClientEvent {
    fn encode(&self, out: &mut Vec<u8>) {
        self.client.encode(out);
        out.push(self.status as u8);
        self.height.encode(out);
        self.at.encode(out);
    }
}

impl Decode for ClientEvent {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            client: ClientId::decode(reader)?,
            status: match reader.u8()? {
                1 => ClientStatus::Active,
                2 => ClientStatus::Frozen,
                tag => return Err(Refusal::new(Code::UnknownTag).found(tag)),
            },
            height: Height::decode(reader)?,
            at: BlockTime::decode(reader)?,
        })
    }
}

/// A digest in force under a name of the registry (a rule pack, an allow-list), or its revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The kind of thing; the ledger lists them.
    pub kind: u8,
    /// The name, 1 to 64 bytes.
    pub name: String,
    /// The digest in force, or `None` once revoked.
    pub digest: Option<[u8; 32]>,
    /// The height from which it is so.
    pub from: Height,
}

impl Registered {
    /// Longest name, in bytes.
    pub const MAX_NAME: usize = 64;
}

impl Said for Registered {
    const NAMESPACE: Namespace = Namespace::Registry;
    const PURPOSE: Purpose = Purpose::Registry;

    fn path(&self) -> LeafPath {
        LeafPath::registry(self.kind, &self.name).expect("a kind and 64 bytes fit a path")
    }
}

impl Encode for Registered {
    fn encode(&self, out: &mut Vec<u8>) {
        self.kind.encode(out);
        put_bytes(out, self.name.as_bytes());
        put_option(out, self.digest.as_ref(), |out, digest| digest.encode(out));
        self.from.encode(out);
    }
}

impl Decode for Registered {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            kind: reader.u8()?,
            name: text_in(reader, Self::MAX_NAME)?,
            digest: reader.option(Reader::array)?,
            from: Height::decode(reader)?,
        })
    }
}
