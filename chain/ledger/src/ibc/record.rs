//! The records of clients and packets.

use super::packet::Port;
use crate::bounded::{Bytes, List, Maybe, numbered, record};
use crate::limits::{MAX_HELD, MAX_PROFILE};
use zeugma_adapter_core::{MAX_STORED, MerklePath};
use zeugma_types::{AccountId, BlockTime, ClientId, Sequence, UnixSeconds};

/// Longest encoded client, in bytes: its profile, 24 bytes for each trusted state, and lengths.
const MAX_CLIENT: usize = MAX_PROFILE + 24 * MAX_STORED + 64;

record! {
    /// A light client; its trusted states lie beside it by height.
    pub struct ClientRecord {
        /// Number of its family.
        pub family: u16,
        /// In the encoding of the seam: profile, whether frozen, heights and times of trusted states.
        pub client: Bytes<MAX_CLIENT>,
    }

    /// Where packets under a client go.
    pub struct Route {
        /// The account that created the client.
        pub creator: AccountId,
        /// The other side, once registered.
        pub counterparty: Maybe<Counterparty>,
    }

    /// The other side of a route.
    pub struct Counterparty {
        /// The other chain's client of us.
        pub client: ClientId,
        /// Where its store keeps ICS-24 keys.
        pub prefix: MerklePath,
    }

    /// A recovery that waits.
    pub struct Recovery {
        /// The client whose state will be adopted.
        pub substitute: ClientId,
        /// From when on.
        pub ready_at: BlockTime,
        /// Who proposed it.
        pub proposer: AccountId,
    }

    /// Another packet, by the client of ours it is under.
    pub struct Link {
        /// Our client.
        pub client: ClientId,
        /// The packet's sequence.
        pub sequence: Sequence,
    }
}

record! {
    /// A packet that was received and takes effect later, or not at all. Its application keeps what it said.
    pub struct Held {
        /// The application that holds it.
        pub port: Port,
        /// From when on anyone may release it; at least a minute before `timeout`.
        pub release_at: BlockTime,
        /// From when on it can only be given back: the packet's own timeout.
        pub timeout: UnixSeconds,
    }

    /// All that is held on a route, ascending by sequence.
    pub struct HeldOf {
        /// The packets.
        pub packets: List<HeldPacket, MAX_HELD>,
    }

    /// One of them.
    pub struct HeldPacket {
        /// The packet's sequence.
        pub sequence: Sequence,
        /// From when on anyone may release it.
        pub release_at: BlockTime,
    }
}

numbered! {
    /// What became of a packet toward us. Never removed.
    pub enum Receipt {
        /// It was received, once.
        Received = 1, "received";
        /// It was closed: it was not received, and cannot be any more.
        Closed = 2, "closed";
    }
}
