//! Digests that say what they hash. Each is 32 bytes; none converts into another.

use crate::codec::{Decode, Encode, Reader};
use crate::refusal::Refusal;
use alloc::vec::Vec;
use core::fmt;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Wraps bytes that were computed, or read, as this digest.
            #[must_use]
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
                reader.array().map(Self)
            }
        }
    };
}

digest!(/// Names one Zeugma network: the digest of its genesis.
    NetworkId);
digest!(/// Digest of a block's header: the payload of its certificate.
    HeaderDigest);
digest!(/// RFC 9162 leaf hash of an encoded leaf, under the suite at hand.
    LeafHash);
digest!(/// RFC 9162 root of the outbox, under the suite at hand.
    OutboxRoot);
digest!(/// RFC 9162 root of a block's transactions.
    BodyRoot);
digest!(/// Root of the authenticated state after a block.
    StateRoot);
digest!(/// What a leaf says of its path: a commitment, never content.
    Value);
digest!(/// Digest of the public transcript of a distributed key generation.
    TranscriptDigest);
digest!(/// Digest of the list of members of a committee.
    CommitteeDigest);
