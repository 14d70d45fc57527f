//! Packets, payloads and acknowledgements, and their commitments, byte for byte as stock IBC v2 peers
//! compute them.
//!
//! Source: ibc-go v10 and v11, `modules/core/04-channel/v2/types/commitment.go` (`CommitPacket`,
//! `CommitAcknowledgement`) and `acknowledgement.go`; the tests hold that repository's own vectors.

use crate::bounded::{Bytes, List, Text, record};
use crate::limits::{MAX_ACKNOWLEDGEMENT, MAX_PACKET, MAX_PAYLOAD_WORD, MAX_PAYLOADS, MAX_PORT};
use alloc::vec::Vec;
use zeugma_crypto::hash::{Hasher, sha256};
use zeugma_types::{
    ClientId, Code, Decode, Encode, HashSuite, Reader, Refusal, Sequence, UnixSeconds, Value,
};

/// The acknowledgement of a packet that was received and refused: SHA-256 of
/// `UNIVERSAL_ERROR_ACKNOWLEDGEMENT`.
#[must_use]
pub fn error_acknowledgement() -> [u8; 32] {
    sha256(&[b"UNIVERSAL_ERROR_ACKNOWLEDGEMENT"])
}

/// Name of an application's port: 2 to 128 characters of `a-z A-Z 0-9 . _ + - # [ ] < >` (ICS-24).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(Text<MAX_PORT>);

impl Port {
    /// # Errors
    /// [`Code::BadIdentifier`].
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let fits = (2..=MAX_PORT).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-#[]<>".contains(&byte));
        if !fits {
            return Err(Refusal::new(Code::BadIdentifier).needed("2 to 128 characters of ICS-24"));
        }
        Text::new(text).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Encode for Port {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Port {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(Text::<MAX_PORT>::decode(reader)?.as_str())
    }
}

record! {
    /// What one application says to another.
    pub struct Payload {
        /// The application that sends.
        pub source_port: Port,
        /// The application that receives.
        pub destination_port: Port,
        /// The version of their protocol.
        pub version: Text<MAX_PAYLOAD_WORD>,
        /// How the value is encoded.
        pub encoding: Text<MAX_PAYLOAD_WORD>,
        /// What is said; not empty.
        pub value: Bytes<MAX_PACKET>,
    }
}

/// A packet from one chain to another: 1 to 8 payloads that take effect together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Counted from 1 for each source client.
    pub sequence: Sequence,
    /// The sender's client of the receiver.
    pub source_client: ClientId,
    /// The receiver's client of the sender.
    pub destination_client: ClientId,
    /// Receiving at or after this second is refused.
    pub timeout: UnixSeconds,
    payloads: List<Payload, MAX_PAYLOADS>,
}

impl Packet {
    /// # Errors
    /// [`Code::Empty`] without payloads, for a payload without value, for sequence or timeout 0;
    /// [`Code::TooMany`]; [`Code::TooLong`] when the values together are above [`MAX_PACKET`].
    pub fn new(
        sequence: Sequence,
        source_client: ClientId,
        destination_client: ClientId,
        timeout: UnixSeconds,
        payloads: Vec<Payload>,
    ) -> Result<Self, Refusal> {
        check_payloads(&payloads)?;
        if sequence == Sequence::ZERO || timeout == UnixSeconds::ZERO {
            return Err(Refusal::new(Code::Empty).needed("a sequence and a timeout"));
        }
        Ok(Self { sequence, source_client, destination_client, timeout, payloads: List::new(payloads)? })
    }

    /// What is said.
    #[must_use]
    pub fn payloads(&self) -> &[Payload] {
        self.payloads.as_slice()
    }

    /// The packet without its payloads.
    #[must_use]
    pub fn head(&self) -> PacketHead {
        PacketHead {
            sequence: self.sequence,
            source_client: self.source_client.clone(),
            destination_client: self.destination_client.clone(),
            timeout: self.timeout,
            payloads: payloads_digest(self.payloads()),
        }
    }

    /// The commitment that the sender's chain holds.
    #[must_use]
    pub fn commitment(&self) -> Value {
        self.head().commitment()
    }
}

/// # Errors
/// As [`Packet::new`].
pub(crate) fn check_payloads(payloads: &[Payload]) -> Result<(), Refusal> {
    if payloads.is_empty() || payloads.iter().any(|payload| payload.value.as_slice().is_empty()) {
        return Err(Refusal::new(Code::Empty).needed("payloads with values"));
    }
    let length = payloads.iter().map(|payload| payload.value.as_slice().len()).sum::<usize>();
    if length > MAX_PACKET {
        return Err(Refusal::new(Code::TooLong).needed(MAX_PACKET).found(length));
    }
    Ok(())
}

impl Encode for Packet {
    fn encode(&self, out: &mut Vec<u8>) {
        self.sequence.encode(out);
        self.source_client.encode(out);
        self.destination_client.encode(out);
        self.timeout.encode(out);
        self.payloads.encode(out);
    }
}

impl Decode for Packet {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(
            Sequence::decode(reader)?,
            ClientId::decode(reader)?,
            ClientId::decode(reader)?,
            UnixSeconds::decode(reader)?,
            List::<Payload, MAX_PAYLOADS>::decode(reader)?.into_vec(),
        )
    }
}

record! {
    /// A packet with the digest of its payloads in their place: enough to know its commitment. So a
    /// packet whose payloads this program cannot take, by size or form, can still be closed.
    pub struct PacketHead {
        /// Counted from 1 for each source client.
        pub sequence: Sequence,
        /// The sender's client of the receiver.
        pub source_client: ClientId,
        /// The receiver's client of the sender.
        pub destination_client: ClientId,
        /// Receiving at or after this second is refused.
        pub timeout: UnixSeconds,
        /// SHA-256 of the payloads' digests, joined.
        pub payloads: [u8; 32],
    }
}

impl PacketHead {
    /// The commitment that the sender's chain holds: SHA-256 of `0x02`, then the digests of the
    /// destination client, of the timeout as eight bytes, and of the payloads.
    #[must_use]
    pub fn commitment(&self) -> Value {
        let destination = sha256(&[self.destination_client.as_str().as_bytes()]);
        let timeout = sha256(&[&self.timeout.get().to_be_bytes()]);
        Value::new(sha256(&[&[2], &destination, &timeout, &self.payloads]))
    }
}

fn payloads_digest(payloads: &[Payload]) -> [u8; 32] {
    let mut hasher = Hasher::new(HashSuite::Sha256);
    for payload in payloads {
        hasher.update(&sha256(&[
            &sha256(&[payload.source_port.as_str().as_bytes()]),
            &sha256(&[payload.destination_port.as_str().as_bytes()]),
            &sha256(&[payload.version.as_str().as_bytes()]),
            &sha256(&[payload.encoding.as_str().as_bytes()]),
            &sha256(&[payload.value.as_slice()]),
        ]));
    }
    hasher.finish()
}

/// How the receiver answered: one acknowledgement for each payload, or one error for the whole packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgements(List<Bytes<MAX_ACKNOWLEDGEMENT>, MAX_PAYLOADS>);

impl Acknowledgements {
    /// # Errors
    /// [`Code::Empty`] for none, or an empty one; [`Code::TooMany`], [`Code::TooLong`];
    /// [`Code::WrongAcknowledgement`] when the error stands beside others.
    pub fn new(each: Vec<Bytes<MAX_ACKNOWLEDGEMENT>>) -> Result<Self, Refusal> {
        if each.is_empty() || each.iter().any(|one| one.as_slice().is_empty()) {
            return Err(Refusal::new(Code::Empty).needed("an acknowledgement"));
        }
        let error = error_acknowledgement();
        if each.len() > 1 && each.iter().any(|one| one.as_slice() == error) {
            return Err(Refusal::new(Code::WrongAcknowledgement).found("an error beside others"));
        }
        List::new(each).map(Self)
    }

    /// The packet was refused.
    #[must_use]
    pub fn error() -> Self {
        let error = Bytes::new(error_acknowledgement()).expect("a digest is within the bound");
        Self(List::new(Vec::from([error])).expect("one is within the bound"))
    }

    /// Whether this is the error acknowledgement.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.0.as_slice().first().is_some_and(|first| first.as_slice() == error_acknowledgement())
    }

    /// One for each payload, or the error.
    #[must_use]
    pub const fn each(&self) -> &List<Bytes<MAX_ACKNOWLEDGEMENT>, MAX_PAYLOADS> {
        &self.0
    }

    /// The commitment that the receiver's chain holds: SHA-256 of `0x02`, then the digest of each.
    #[must_use]
    pub fn commitment(&self) -> Value {
        let mut hasher = Hasher::new(HashSuite::Sha256);
        hasher.update(&[2]);
        self.0.iter().for_each(|one| hasher.update(&sha256(&[one.as_slice()])));
        Value::new(hasher.finish())
    }
}

impl Encode for Acknowledgements {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Acknowledgements {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(List::<_, MAX_PAYLOADS>::decode(reader)?.into_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn acknowledgement(bytes: &[u8]) -> Acknowledgements {
        Acknowledgements::new(Vec::from([Bytes::new(bytes).unwrap()])).unwrap()
    }

    // Vectors of ibc-go, 04-channel/v2/types/commitment_test.go.
    #[test]
    fn a_packet_commits_as_stock_peers_commit_it() {
        let value =
            br#"{"denom":"uatom","amount":"1000000","sender":"sender","receiver":"receiver","memo":"memo"}"#;
        let payload = Payload {
            source_port: Port::new("transfer").unwrap(),
            destination_port: Port::new("transfer").unwrap(),
            version: Text::new("ics20-1").unwrap(),
            encoding: Text::new("application/json").unwrap(),
            value: Bytes::new(value.as_slice()).unwrap(),
        };
        let packet = Packet::new(
            Sequence::new(1),
            ClientId::new("07-tendermint-0").unwrap(),
            ClientId::new("07-tendermint-1").unwrap(),
            UnixSeconds::new(100),
            Vec::from([payload]),
        )
        .unwrap();
        let expected = "a096722aa6534040a0efbdae05765132a7b223ad306d6512f3734821bd046505";
        assert_eq!(packet.commitment().to_string(), expected);
        assert_eq!(Packet::from_bytes(&packet.to_bytes()).unwrap(), packet);
    }

    #[test]
    fn acknowledgements_commit_as_stock_peers_commit_them() {
        let expected = "f03b4667413e56aaf086663267913e525c442b56fa1af4fa3f3dab9f37044c5b";
        assert_eq!(acknowledgement(b"some bytes").commitment().to_string(), expected);
        let expected = "e2fb30dfbf7abdeaca82d426534d2b3a9d5444dd2a87fa16d38b77ba1a13ced7";
        assert_eq!(Acknowledgements::error().commitment().to_string(), expected);
        assert!(Acknowledgements::error().is_error() && !acknowledgement(b"some bytes").is_error());
    }

    #[test]
    fn an_error_never_stands_beside_another_acknowledgement() {
        let error = Bytes::new(error_acknowledgement()).unwrap();
        let two = Vec::from([Bytes::new(*b"ok").unwrap(), error]);
        assert_eq!(Acknowledgements::new(two).unwrap_err().code, Code::WrongAcknowledgement);
        assert_eq!(Acknowledgements::new(Vec::new()).unwrap_err().code, Code::Empty);
    }
}
