//! Everything that can be asked of the ledger.

use crate::bounded::{Bytes, List, Maybe, Text, choice, record};
use crate::evidence::{Contradiction, LogKey};
use crate::gov::Change;
use crate::ibc::{Acknowledgements, Packet, PacketHead, Payload};
use crate::limits::{
    MAX_CLIENT_STATE, MAX_EVIDENCE, MAX_NAME, MAX_NOTE, MAX_OPAQUE, MAX_ORIGIN, MAX_PAYLOADS, MAX_PROFILE,
    MAX_PROOF, MAX_UPDATE,
};
use crate::registry::Kind;
use zeugma_adapter_core::MerklePath;
use zeugma_proof::tree::{Hash, MAX_CONSISTENCY};
use zeugma_types::{ClientId, Height, Sequence, UnixSeconds};

choice! {
    /// One thing asked of the ledger.
    pub enum Message {
        /// Bytes that the ledger orders and does not read.
        Opaque(Opaque) = 1, "opaque";
        /// Start a light client of another chain.
        CreateClient(CreateClient) = 10, "create-client";
        /// Name the other chain's client of us, once.
        RegisterCounterparty(RegisterCounterparty) = 11, "register-counterparty";
        /// Move a client by the other chain's own proof.
        UpdateClient(UpdateClient) = 12, "update-client";
        /// Freeze a client by proof that its chain has two histories.
        SubmitMisbehaviour(SubmitMisbehaviour) = 13, "submit-misbehaviour";
        /// Ask that a client adopt the state of a substitute after the delay.
        ProposeRecovery(ProposeRecovery) = 14, "propose-recovery";
        /// Stop a recovery before it is finished.
        CancelRecovery(CancelRecovery) = 15, "cancel-recovery";
        /// Adopt the substitute's state after the delay.
        FinishRecovery(FinishRecovery) = 16, "finish-recovery";
        /// Send a packet through the ports its payloads name.
        SendPacket(SendPacket) = 20, "send-packet";
        /// Receive a packet.
        RecvPacket(RecvPacket) = 21, "recv-packet";
        /// Bring back the acknowledgement of a packet we sent.
        Acknowledge(Acknowledge) = 22, "acknowledge";
        /// Show that a packet we sent was not received in time and never will be.
        Timeout(Timeout) = 23, "timeout";
        /// Close a packet toward us that was not received in time.
        ClaimTimeout(ClaimTimeout) = 24, "claim-timeout";
        /// Let a packet that is held take effect, from its release time on; or give it back, from its timeout on.
        ReleaseHold(ReleaseHold) = 25, "release-hold";
        /// Give a packet back that is held.
        RejectHold(RejectHold) = 26, "reject-hold";
        /// Register an evidence log.
        RegisterOrigin(RegisterOrigin) = 30, "register-origin";
        /// Anchor a checkpoint of a log.
        Anchor(AnchorLog) = 31, "anchor";
        /// Show that a log signed two histories.
        ReportSplitView(ReportSplitView) = 32, "report-split-view";
        /// Put a digest in force under a name.
        SetDigest(SetDigest) = 40, "set-digest";
        /// Put the digest under a name out of force.
        RevokeDigest(RevokeDigest) = 41, "revoke-digest";
        /// Propose a change of the network, and approve it.
        Propose(Propose) = 50, "propose";
        /// Approve a proposed change.
        Approve(Approve) = 51, "approve";
    }
}

record! {
    /// See [`Message::Opaque`].
    pub struct Opaque {
        /// The bytes.
        pub payload: Bytes<MAX_OPAQUE>,
    }

    /// See [`Message::CreateClient`].
    pub struct CreateClient {
        /// Number of the family.
        pub family: u16,
        /// The family's canonical profile: what never changes while the client lives.
        pub profile: Bytes<MAX_PROFILE>,
        /// The one state that is trusted without proof.
        pub state: Bytes<MAX_CLIENT_STATE>,
    }

    /// See [`Message::RegisterCounterparty`].
    pub struct RegisterCounterparty {
        /// Our client.
        pub client: ClientId,
        /// The other chain's client of us.
        pub counterparty: ClientId,
        /// Where its store keeps ICS-24 keys: the key is appended to the last element.
        pub prefix: MerklePath,
    }

    /// See [`Message::UpdateClient`].
    pub struct UpdateClient {
        /// The client.
        pub client: ClientId,
        /// In the family's encoding.
        pub update: Bytes<MAX_UPDATE>,
    }

    /// See [`Message::SubmitMisbehaviour`].
    pub struct SubmitMisbehaviour {
        /// The client.
        pub client: ClientId,
        /// In the family's encoding.
        pub evidence: Bytes<MAX_EVIDENCE>,
    }

    /// See [`Message::ProposeRecovery`].
    pub struct ProposeRecovery {
        /// The frozen or expired client.
        pub subject: ClientId,
        /// An active client of the same chain.
        pub substitute: ClientId,
    }

    /// See [`Message::CancelRecovery`].
    pub struct CancelRecovery {
        /// The client that was to recover.
        pub subject: ClientId,
    }

    /// See [`Message::FinishRecovery`].
    pub struct FinishRecovery {
        /// The client that recovers.
        pub subject: ClientId,
    }

    /// A proof in the store of another chain.
    pub struct StoreProof {
        /// The height of the trusted state it leads to.
        pub height: Height,
        /// In the family's encoding.
        pub proof: Bytes<MAX_PROOF>,
    }

    /// See [`Message::SendPacket`].
    pub struct SendPacket {
        /// Our client of the receiver.
        pub client: ClientId,
        /// Receiving at or after this second is refused there.
        pub timeout: UnixSeconds,
        /// What is said.
        pub payloads: List<Payload, MAX_PAYLOADS>,
    }

    /// See [`Message::RecvPacket`].
    pub struct RecvPacket {
        /// The packet.
        pub packet: Packet,
        /// That the sender's chain holds its commitment.
        pub proof: StoreProof,
    }

    /// See [`Message::Acknowledge`].
    pub struct Acknowledge {
        /// The packet we sent.
        pub packet: Packet,
        /// The answer.
        pub acknowledgements: Acknowledgements,
        /// That the receiver's chain holds the answer's commitment.
        pub proof: StoreProof,
    }

    /// See [`Message::Timeout`].
    pub struct Timeout {
        /// The packet we sent.
        pub packet: Packet,
        /// That the receiver's chain, at or after the timeout, holds no receipt.
        pub proof: StoreProof,
    }

    /// See [`Message::ClaimTimeout`].
    pub struct ClaimTimeout {
        /// The packet toward us, its payloads as a digest.
        pub packet: PacketHead,
        /// That the sender's chain holds its commitment.
        pub proof: StoreProof,
    }

    /// See [`Message::ReleaseHold`].
    pub struct ReleaseHold {
        /// Our client, under which it was received.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
    }

    /// See [`Message::RejectHold`].
    pub struct RejectHold {
        /// Our client, under which it was received.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
        /// The digest of the order that stands for it.
        pub order: [u8; 32],
    }

    /// See [`Message::RegisterOrigin`].
    pub struct RegisterOrigin {
        /// The log's origin, as the first line of its checkpoints.
        pub origin: Text<MAX_ORIGIN>,
        /// The key that signs its checkpoints.
        pub key: LogKey,
        /// The key that signs the checkpoints of its SM3 tree, if it has one.
        pub second: Maybe<LogKey>,
    }

    /// See [`Message::Anchor`].
    pub struct AnchorLog {
        /// The log's origin.
        pub origin: Text<MAX_ORIGIN>,
        /// The checkpoint as a signed note.
        pub note: Bytes<MAX_NOTE>,
        /// RFC 9162 consistency from the size anchored last; empty the first time.
        pub consistency: List<Hash, MAX_CONSISTENCY>,
        /// The same of the SM3 tree, for a log that has it.
        pub second: Maybe<SecondTree>,
    }

    /// The checkpoint of a log's second tree.
    pub struct SecondTree {
        /// The checkpoint as a signed note; its origin ends in `/sm3`.
        pub note: Bytes<MAX_NOTE>,
        /// RFC 9162 consistency from the size anchored last; empty the first time.
        pub consistency: List<Hash, MAX_CONSISTENCY>,
    }

    /// See [`Message::ReportSplitView`].
    pub struct ReportSplitView {
        /// The log's origin.
        pub origin: Text<MAX_ORIGIN>,
        /// Two checkpoints that cannot be of one tree, and why.
        pub contradiction: Contradiction,
    }

    /// See [`Message::SetDigest`].
    pub struct SetDigest {
        /// The kind of entry.
        pub kind: Kind,
        /// Its name.
        pub name: Text<MAX_NAME>,
        /// The digest in force from now on.
        pub digest: [u8; 32],
    }

    /// See [`Message::RevokeDigest`].
    pub struct RevokeDigest {
        /// The kind of entry.
        pub kind: Kind,
        /// Its name.
        pub name: Text<MAX_NAME>,
    }

    /// See [`Message::Propose`].
    pub struct Propose {
        /// What should change.
        pub change: Change,
        /// Not before this height.
        pub activation: Height,
    }

    /// See [`Message::Approve`].
    pub struct Approve {
        /// The proposal's number.
        pub proposal: u64,
    }
}
