//! The messages of a ceremony. All carry the ceremony they belong to.

use crate::consensus::{Digest, PublicKey};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, Read, ReadExt, Write};
use commonware_cryptography::bls12381::dkg::feldman_desmedt::{
    DealerPrivMsg, DealerPubMsg, PlayerAck, SignedDealerLog,
};
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_cryptography::ed25519;
use std::num::NonZeroU32;

/// Longest message, in bytes: a signed log of 128 members (a point of 96 bytes and an acknowledgement of 64 for
/// each, with their keys) fits several times.
pub const MAX_MESSAGE: u32 = 256 * 1024;

/// One step of a ceremony.
#[derive(Clone, Debug)]
pub struct Message {
    /// Which ceremony.
    pub ceremony: Digest,
    /// Which step.
    pub body: Body,
}

/// See [`Message`].
#[derive(Clone, Debug)]
pub enum Body {
    /// A dealer's commitment, and the receiver's share of its secret.
    Deal {
        /// For everyone.
        commitment: DealerPubMsg<MinSig>,
        /// For the receiver alone.
        share: DealerPrivMsg,
    },
    /// The receiver made the dealing durable.
    Ack(PlayerAck<PublicKey>),
    /// A dealer's log, acknowledged by all.
    Log(SignedDealerLog<MinSig, PublicKey>),
    /// The sender computed this transcript.
    Confirm {
        /// Digest of the transcript.
        transcript: Digest,
        /// Over ceremony and digest.
        signature: ed25519::Signature,
        /// How many confirmations the sender holds, its own included.
        held: u32,
    },
}

impl Write for Message {
    fn write(&self, out: &mut impl BufMut) {
        self.ceremony.write(out);
        match &self.body {
            Body::Deal { commitment, share } => {
                out.put_u8(0);
                commitment.write(out);
                share.write(out);
            }
            Body::Ack(ack) => {
                out.put_u8(1);
                ack.write(out);
            }
            Body::Log(log) => {
                out.put_u8(2);
                log.write(out);
            }
            Body::Confirm { transcript, signature, held } => {
                out.put_u8(3);
                transcript.write(out);
                signature.write(out);
                out.put_u32(*held);
            }
        }
    }
}

impl EncodeSize for Message {
    fn encode_size(&self) -> usize {
        let body = match &self.body {
            Body::Deal { commitment, share } => commitment.encode_size() + share.encode_size(),
            Body::Ack(ack) => ack.encode_size(),
            Body::Log(log) => log.encode_size(),
            Body::Confirm { transcript, signature, .. } => {
                transcript.encode_size() + signature.encode_size() + 4
            }
        };
        self.ceremony.encode_size() + 1 + body
    }
}

impl Read for Message {
    /// The number of members: no list is longer.
    type Cfg = NonZeroU32;

    fn read_cfg(reader: &mut impl Buf, members: &NonZeroU32) -> Result<Self, Error> {
        let ceremony = Digest::read(reader)?;
        let body = match u8::read(reader)? {
            0 => Body::Deal { commitment: Read::read_cfg(reader, members)?, share: ReadExt::read(reader)? },
            1 => Body::Ack(ReadExt::read(reader)?),
            2 => Body::Log(Read::read_cfg(reader, members)?),
            3 => Body::Confirm {
                transcript: ReadExt::read(reader)?,
                signature: ReadExt::read(reader)?,
                held: u32::read(reader)?,
            },
            tag => return Err(Error::InvalidEnum(tag)),
        };
        Ok(Self { ceremony, body })
    }
}
