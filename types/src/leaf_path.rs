//! The namespaces of leaves, and the one table of paths.
//!
//! | namespace | path |
//! |---|---|
//! | 1 `ibc` | ICS-24 v2: client identifier, one byte (1 commitment, 2 receipt, 3 acknowledgement), sequence `u64` |
//! | 2 `handover` | the era that begins, `u64` |
//! | 3 `standing` | the epoch that ended, `u64` |
//! | 4 `closed` | ICS-24 v2 path of the receipt that can never be written |
//! | 5 `retraction` | index of the leaf taken back, `u64` |
//! | 6 `anchor` | SHA-256 of the log's origin, size `u64` |
//! | 7 `split-view` | SHA-256 of the log's origin |
//! | 8 `client` | client identifier (its status) |
//! | 9 `registry` | kind `u8`, name |
//!
//! Source: `docs/byte-layout.md`, section 3; ICS-24 and ICS-04 of IBC v2.

use crate::codec::{Decode, Encode, Reader, put_bytes};
use crate::id::ClientId;
use crate::refusal::{Code, Refusal};
use crate::units::{Epoch, Era, LeafIndex, Sequence, TreeSize};
use alloc::vec::Vec;
use core::fmt;

macro_rules! namespaces {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What a leaf speaks of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Namespace {
            $($(#[$doc])* $name = $number,)*
        }

        impl Namespace {
            /// Every namespace, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in words and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

namespaces! {
    /// Packet commitments and acknowledgements, as stock IBC v2 peers read them.
    Ibc = 1, "ibc";
    /// The next era's key and members.
    Handover = 2, "handover";
    /// What is in force at the end of an epoch.
    Standing = 3, "standing";
    /// A packet that can never be received.
    Closed = 4, "closed";
    /// A leaf taken back after a foreign reorganization.
    Retraction = 5, "retraction";
    /// A checkpoint of an evidence log.
    Anchor = 6, "anchor";
    /// Two inconsistent checkpoints of one log.
    SplitView = 7, "split-view";
    /// Status of a light client.
    Client = 8, "client";
    /// A digest in force under a name.
    Registry = 9, "registry";
}

impl Namespace {
    /// The number in encodings.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Encode for Namespace {
    fn encode(&self, out: &mut Vec<u8>) {
        self.number().encode(out);
    }
}

impl Decode for Namespace {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let number = reader.u16()?;
        Self::ALL
            .iter()
            .copied()
            .find(|namespace| namespace.number() == number)
            .ok_or_else(|| Refusal::new(Code::UnknownTag).found(number))
    }
}

/// Where a leaf speaks: a namespace and 1 to [`LeafPath::MAX`] bytes in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafPath {
    namespace: Namespace,
    path: Vec<u8>,
}

/// The three kinds of ICS-24 v2 paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PacketPath {
    /// Commitment of a packet that was sent.
    Commitment = 1,
    /// Receipt of a packet that was received.
    Receipt = 2,
    /// Commitment of an acknowledgement.
    Acknowledgement = 3,
}

impl LeafPath {
    /// Longest path inside its namespace, in bytes. A client identifier (64), a kind and a sequence fit.
    pub const MAX: usize = 128;

    /// # Errors
    /// [`Code::Empty`] or [`Code::TooLong`].
    pub fn new(namespace: Namespace, path: &[u8]) -> Result<Self, Refusal> {
        if path.is_empty() {
            return Err(Refusal::new(Code::Empty).needed(1_u64).found(0_u64));
        }
        if path.len() > Self::MAX {
            return Err(Refusal::new(Code::TooLong).needed(Self::MAX).found(path.len()));
        }
        Ok(Self { namespace, path: path.into() })
    }

    /// ICS-24 v2 path of a packet sent, received or acknowledged under `client`.
    #[must_use]
    pub fn packet(client: &ClientId, kind: PacketPath, sequence: Sequence) -> Self {
        Self::made(Namespace::Ibc, packet_path(client, kind, sequence))
    }

    /// Path of the hand-over to `era`.
    #[must_use]
    pub fn handover(era: Era) -> Self {
        Self::made(Namespace::Handover, era.to_bytes())
    }

    /// Path of what was in force when `epoch` ended.
    #[must_use]
    pub fn standing(epoch: Epoch) -> Self {
        Self::made(Namespace::Standing, epoch.to_bytes())
    }

    /// Path of the closing of the packet that `client` would have received as `sequence`.
    #[must_use]
    pub fn closed(client: &ClientId, sequence: Sequence) -> Self {
        Self::made(Namespace::Closed, packet_path(client, PacketPath::Receipt, sequence))
    }

    /// Path of the retraction of the leaf at `index`.
    #[must_use]
    pub fn retraction(index: LeafIndex) -> Self {
        Self::made(Namespace::Retraction, index.to_bytes())
    }

    /// Path of a checkpoint of `size` of the log whose origin has this SHA-256.
    #[must_use]
    pub fn anchor(origin: &[u8; 32], size: TreeSize) -> Self {
        let mut path = origin.to_vec();
        size.encode(&mut path);
        Self::made(Namespace::Anchor, path)
    }

    /// Path of the split view of the log whose origin has this SHA-256.
    #[must_use]
    pub fn split_view(origin: &[u8; 32]) -> Self {
        Self::made(Namespace::SplitView, origin.to_vec())
    }

    /// Path of a client's status.
    #[must_use]
    pub fn client(client: &ClientId) -> Self {
        Self::made(Namespace::Client, client.as_str().as_bytes().to_vec())
    }

    /// Path of the registry's entry `name` of `kind`.
    ///
    /// # Errors
    /// [`Code::TooLong`] for a name of more than 127 bytes.
    pub fn registry(kind: u8, name: &str) -> Result<Self, Refusal> {
        let mut path = Vec::from([kind]);
        path.extend_from_slice(name.as_bytes());
        Self::new(Namespace::Registry, &path)
    }

    /// The namespace.
    #[must_use]
    pub const fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// The bytes inside the namespace.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    fn made(namespace: Namespace, path: Vec<u8>) -> Self {
        debug_assert!((1..=Self::MAX).contains(&path.len()), "paths of fixed parts fit");
        Self { namespace, path }
    }
}

/// The bare ICS-24 v2 path: client identifier, kind, sequence.
#[must_use]
pub fn packet_path(client: &ClientId, kind: PacketPath, sequence: Sequence) -> Vec<u8> {
    let mut path = client.as_str().as_bytes().to_vec();
    path.push(kind as u8);
    sequence.encode(&mut path);
    path
}

impl Encode for LeafPath {
    fn encode(&self, out: &mut Vec<u8>) {
        self.namespace.encode(out);
        put_bytes(out, &self.path);
    }
}

impl Decode for LeafPath {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let namespace = Namespace::decode(reader)?;
        Self::new(namespace, reader.bytes(Self::MAX)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_path_is_the_client_the_kind_and_the_sequence() {
        let client = ClientId::new("client-7").unwrap();
        let path = LeafPath::packet(&client, PacketPath::Acknowledgement, Sequence::new(0x0102));
        assert_eq!(path.path(), b"client-7\x03\0\0\0\0\0\0\x01\x02");
        assert_eq!(LeafPath::from_bytes(&path.to_bytes()).unwrap(), path);
    }

    #[test]
    fn an_empty_path_is_refused() {
        assert_eq!(LeafPath::new(Namespace::Ibc, b"").unwrap_err().code, Code::Empty);
        assert_eq!(LeafPath::from_bytes(&[0, 1, 0, 0, 0, 0]).unwrap_err().code, Code::Empty);
    }
}
