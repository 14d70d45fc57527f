//! IBC v2: clients (ICS-02), packets (ICS-04 v2) and their paths (ICS-24 v2).
//!
//! A packet toward us is received once or closed once, never both: one receipt slot decides, and is never
//! cleared. What is received may be held and take effect later, or not at all. A packet of ours is resolved once: its commitment is removed before anything else happens.
//! What leaves (commitments, acknowledgements, closings) is said in the outbox as it is written.
//!
//! Source: cosmos/ibc, `spec/IBC_V2`; ibc-go v10 and v11, `modules/core/04-channel/v2/keeper`.

mod client;
mod hold;
mod packet;
mod receive;
mod record;
mod recovery;
mod resolve;
mod send;

pub(crate) use client::{create, register_counterparty, submit_misbehaviour, update};
pub(crate) use hold::{reject_hold, release_hold};
pub use packet::{Acknowledgements, Packet, PacketHead, Payload, Port, error_acknowledgement};
pub(crate) use receive::{claim_timeout, recv_packet};
pub use record::{ClientRecord, Counterparty, Held, HeldOf, HeldPacket, Link, Receipt, Recovery, Route};
pub(crate) use recovery::{cancel_recovery, finish_recovery, propose_recovery};
pub(crate) use resolve::{acknowledge, timeout};
pub(crate) use send::send_packet;
