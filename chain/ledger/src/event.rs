//! What a step tells the node's streams and indexes. Nothing in the state depends on an event; what
//! others must be able to verify is a leaf.

use crate::bounded::{Bytes, List, Maybe, choice, numbered, record};
use crate::ibc::Packet;
use crate::limits::{MAX_ACKNOWLEDGEMENT, MAX_PAYLOADS};
use crate::outcome::Recorded;
use zeugma_types::{BlockTime, ClientId, Height, LeafIndex, Sequence, TreeSize, UnixSeconds};

choice! {
    /// One event, in the order in which it happened.
    pub enum Event {
        /// A packet was sent: what a relayer delivers.
        PacketSent(PacketSent) = 1, "packet-sent";
        /// A packet was received.
        PacketReceived(PacketReceived) = 2, "packet-received";
        /// An acknowledgement was written: what a relayer carries back.
        AcknowledgementWritten(AcknowledgementWritten) = 3, "acknowledgement-written";
        /// A packet of ours was acknowledged.
        PacketAcknowledged(PacketAcknowledged) = 4, "packet-acknowledged";
        /// A packet of ours timed out.
        PacketTimedOut(PacketTimedOut) = 5, "packet-timed-out";
        /// A packet toward us was closed: it can never be received.
        PacketClosed(PacketClosed) = 6, "packet-closed";
        /// An application refused a payload; the sender gets the error acknowledgement.
        PayloadRefused(PayloadRefused) = 7, "payload-refused";
        /// A packet was received and takes effect later, or not at all.
        PacketHeld(PacketHeld) = 8, "packet-held";
        /// A packet is held no longer.
        HoldEnded(HoldEnded) = 9, "hold-ended";
        /// A client was created.
        ClientCreated(ClientCreated) = 10, "client-created";
        /// A client's counterparty was registered.
        CounterpartyRegistered(CounterpartyRegistered) = 11, "counterparty-registered";
        /// A client holds a new trusted state.
        ClientUpdated(ClientUpdated) = 12, "client-updated";
        /// A client is frozen.
        ClientFrozen(ClientFrozen) = 13, "client-frozen";
        /// A recovery was proposed.
        RecoveryProposed(RecoveryProposed) = 14, "recovery-proposed";
        /// A recovery was cancelled.
        RecoveryCancelled(RecoveryCancelled) = 15, "recovery-cancelled";
        /// A client adopted its substitute's state.
        ClientRecovered(ClientRecovered) = 16, "client-recovered";
        /// A log was registered.
        OriginRegistered(OriginRegistered) = 20, "origin-registered";
        /// A checkpoint was anchored.
        Anchored(Anchored) = 21, "anchored";
        /// A log was shown to have signed two histories.
        SplitViewRecorded(SplitViewRecorded) = 22, "split-view-recorded";
        /// An entry of the registry changed.
        RegistryChanged(RegistryChanged) = 30, "registry-changed";
        /// A change was proposed.
        ChangeProposed(ChangeProposed) = 40, "change-proposed";
        /// A change was approved by enough governors and waits for its height.
        ChangeScheduled(ChangeScheduled) = 41, "change-scheduled";
        /// A change is in force.
        ChangeActivated(ChangeActivated) = 42, "change-activated";
        /// A change could not be applied at its height.
        ChangeRefused(ChangeRefused) = 43, "change-refused";
        /// A scheduled change was withdrawn.
        ChangeWithdrawn(ChangeWithdrawn) = 44, "change-withdrawn";
        /// An epoch ended.
        EpochEnded(EpochEnded) = 50, "epoch-ended";
    }
}

numbered! {
    /// How the other side answered a packet.
    pub enum Answered {
        /// Every payload was accepted.
        Success = 1, "success";
        /// The packet was refused there: the universal error acknowledgement.
        Error = 2, "error";
    }
}

numbered! {
    /// How a hold ended.
    pub enum HoldEnd {
        /// It took effect, or was sent on.
        Released = 1, "released";
        /// It was given back by order.
        Rejected = 2, "rejected";
        /// Nobody released it before its timeout, and it was given back.
        Lapsed = 3, "lapsed";
        /// It could not take effect any more, and was given back.
        Refused = 4, "refused";
    }
}

record! {
    /// See [`Event::PacketSent`].
    pub struct PacketSent {
        /// The packet.
        pub packet: Packet,
        /// The position of its commitment in the outbox.
        pub index: LeafIndex,
    }

    /// See [`Event::PacketReceived`].
    pub struct PacketReceived {
        /// Our client.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
    }

    /// See [`Event::AcknowledgementWritten`].
    pub struct AcknowledgementWritten {
        /// Our client.
        pub client: ClientId,
        /// The sender's client.
        pub source_client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
        /// One acknowledgement for each payload, or the one error acknowledgement.
        pub acknowledgements: List<Bytes<MAX_ACKNOWLEDGEMENT>, MAX_PAYLOADS>,
        /// The position of their commitment in the outbox.
        pub index: LeafIndex,
    }

    /// See [`Event::PacketAcknowledged`].
    pub struct PacketAcknowledged {
        /// Our client.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
        /// How.
        pub answered: Answered,
    }

    /// See [`Event::PacketTimedOut`].
    pub struct PacketTimedOut {
        /// Our client.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
    }

    /// See [`Event::PacketClosed`].
    pub struct PacketClosed {
        /// Our client.
        pub client: ClientId,
        /// The sender's client.
        pub source_client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
        /// The timeout that had passed.
        pub timeout: UnixSeconds,
        /// The position of the `Closed` leaf in the outbox.
        pub index: LeafIndex,
    }

    /// See [`Event::PayloadRefused`].
    pub struct PayloadRefused {
        /// Our client.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
        /// Why.
        pub refusal: Recorded,
    }

    /// See [`Event::PacketHeld`].
    pub struct PacketHeld {
        /// Our client.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
        /// From when on it may be released.
        pub release_at: BlockTime,
        /// From when on it can only be given back: the packet's own timeout.
        pub timeout: UnixSeconds,
    }

    /// See [`Event::HoldEnded`].
    pub struct HoldEnded {
        /// Our client.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
        /// How.
        pub end: HoldEnd,
        /// The digest of the order by which it was rejected.
        pub order: Maybe<[u8; 32]>,
    }

    /// See [`Event::ClientCreated`].
    pub struct ClientCreated {
        /// Its identifier.
        pub client: ClientId,
        /// Its family.
        pub family: u16,
        /// The height of its first trusted state.
        pub height: Height,
    }

    /// See [`Event::CounterpartyRegistered`].
    pub struct CounterpartyRegistered {
        /// Our client.
        pub client: ClientId,
        /// The other chain's client of us.
        pub counterparty: ClientId,
    }

    /// See [`Event::ClientUpdated`].
    pub struct ClientUpdated {
        /// The client.
        pub client: ClientId,
        /// The height of the new trusted state.
        pub height: Height,
    }

    /// See [`Event::ClientFrozen`].
    pub struct ClientFrozen {
        /// The client.
        pub client: ClientId,
        /// The foreign height at which two histories differ.
        pub height: Height,
    }

    /// See [`Event::RecoveryProposed`].
    pub struct RecoveryProposed {
        /// The client to recover.
        pub subject: ClientId,
        /// The client whose state it would adopt.
        pub substitute: ClientId,
        /// When it can be finished.
        pub ready_at: BlockTime,
    }

    /// See [`Event::RecoveryCancelled`].
    pub struct RecoveryCancelled {
        /// The client that was to recover.
        pub subject: ClientId,
    }

    /// See [`Event::ClientRecovered`].
    pub struct ClientRecovered {
        /// The client.
        pub subject: ClientId,
        /// Whose state it adopted.
        pub substitute: ClientId,
        /// The height of that state.
        pub height: Height,
    }

    /// See [`Event::OriginRegistered`].
    pub struct OriginRegistered {
        /// SHA-256 of its origin.
        pub origin: [u8; 32],
    }

    /// See [`Event::Anchored`].
    pub struct Anchored {
        /// SHA-256 of the log's origin.
        pub origin: [u8; 32],
        /// The size anchored.
        pub size: TreeSize,
        /// Whether the log had shown two histories before.
        pub history: crate::evidence::History,
        /// The position of the `Anchor` leaf in the outbox.
        pub index: LeafIndex,
    }

    /// See [`Event::SplitViewRecorded`].
    pub struct SplitViewRecorded {
        /// SHA-256 of the log's origin.
        pub origin: [u8; 32],
        /// The position of the `SplitView` leaf in the outbox.
        pub index: LeafIndex,
    }

    /// See [`Event::RegistryChanged`].
    pub struct RegistryChanged {
        /// The kind of entry.
        pub kind: crate::registry::Kind,
        /// Its name.
        pub name: crate::bounded::Text<{ crate::limits::MAX_NAME }>,
        /// The position of its leaf in the outbox.
        pub index: LeafIndex,
    }

    /// See [`Event::ChangeProposed`].
    pub struct ChangeProposed {
        /// The proposal's number.
        pub proposal: u64,
    }

    /// See [`Event::ChangeScheduled`].
    pub struct ChangeScheduled {
        /// The proposal's number.
        pub proposal: u64,
        /// The height at which it is in force.
        pub activation: Height,
    }

    /// See [`Event::ChangeActivated`].
    pub struct ChangeActivated {
        /// The proposal's number.
        pub proposal: u64,
    }

    /// See [`Event::ChangeRefused`].
    pub struct ChangeRefused {
        /// The proposal's number.
        pub proposal: u64,
        /// Why.
        pub refusal: Recorded,
    }

    /// See [`Event::ChangeWithdrawn`].
    pub struct ChangeWithdrawn {
        /// The proposal's number.
        pub proposal: u64,
    }

    /// See [`Event::EpochEnded`].
    pub struct EpochEnded {
        /// How many paths were in force.
        pub standing: TreeSize,
        /// The position of the `Standing` leaf in the outbox.
        pub index: LeafIndex,
    }
}
