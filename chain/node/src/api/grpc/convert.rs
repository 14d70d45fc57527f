//! Our values as messages.

use super::super::view::{NodeView, PeerView};
use super::v1;
use crate::handle::{Certified, FinalBlock, Status};
use crate::outbox::BlockRecord;
use crate::stream::Finalized;
use zeugma_ledger::Outcome;
use zeugma_proof::Header;
use zeugma_types::{Encode as _, Permanence, Refusal, Side};

impl From<&Refusal> for v1::Refusal {
    fn from(refusal: &Refusal) -> Self {
        let side = |side: &Side| (*side != Side::Nothing).then(|| side.to_string());
        let permanence = match refusal.permanence() {
            Permanence::Never => v1::Permanence::Never,
            Permanence::NotYet => v1::Permanence::NotYet,
        };
        Self {
            code: refusal.code.number().into(),
            name: refusal.code.name().into(),
            permanence: permanence.into(),
            needed: side(&refusal.needed),
            found: side(&refusal.found),
        }
    }
}

impl From<&Status> for v1::GetTransactionResponse {
    fn from(status: &Status) -> Self {
        let bare = |fate: v1::Fate| Self { fate: fate.into(), ..Self::default() };
        match status {
            Status::Unknown => bare(v1::Fate::Unknown),
            Status::Waiting => bare(v1::Fate::Waiting),
            Status::Dropped { refusal } => Self { refusal: Some(refusal.into()), ..bare(v1::Fate::Dropped) },
            Status::Final { height, number, outcome } => {
                let (result, message) = match outcome {
                    Outcome::Done { .. } => (v1::Result::Done, None),
                    Outcome::Refused { message, .. } => (v1::Result::Refused, Some(u32::from(*message))),
                    Outcome::NotAdmitted { .. } => (v1::Result::NotAdmitted, None),
                };
                Self {
                    height: Some(height.get()),
                    number: Some(*number),
                    result: result.into(),
                    message,
                    refusal: outcome.refusal().map(|recorded| (&recorded.to_refusal()).into()),
                    outcome: outcome.to_bytes().into(),
                    ..bare(v1::Fate::Final)
                }
            }
        }
    }
}

/// A count of things in memory.
fn count(number: usize) -> u64 {
    u64::try_from(number).expect("a count of things in memory is below 2^64")
}

impl From<NodeView> for v1::GetStatusResponse {
    fn from(view: NodeView) -> Self {
        Self {
            network: view.network,
            name: view.name,
            height: view.height,
            era: view.era,
            epoch: view.epoch,
            program: view.program,
            certified_height: view.certified.as_ref().map(|point| point.height),
            certified_time: view.certified.as_ref().map(|point| point.time),
            waiting_transactions: count(view.mempool.transactions),
            waiting_bytes: count(view.mempool.bytes),
            stopped: view.stopped,
            peers: view.peers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<PeerView> for v1::Peer {
    fn from(peer: PeerView) -> Self {
        Self { index: peer.index, name: peer.name, connected: peer.connected, height: peer.height }
    }
}

impl From<&Header> for v1::GetHeaderResponse {
    fn from(header: &Header) -> Self {
        Self { height: header.height.get(), header: header.to_bytes().into() }
    }
}

impl From<&Certified> for v1::GetCertificateResponse {
    fn from(Certified { header, certificate }: &Certified) -> Self {
        Self {
            height: header.height.get(),
            header: header.to_bytes().into(),
            certificate: certificate.to_bytes().into(),
        }
    }
}

impl From<&FinalBlock> for v1::Block {
    fn from(block: &FinalBlock) -> Self {
        happened(&block.header, &block.record)
    }
}

impl From<&Finalized> for v1::Block {
    fn from(block: &Finalized) -> Self {
        happened(&block.header, &block.record)
    }
}

fn happened(header: &Header, record: &BlockRecord) -> v1::Block {
    let events = record.events.iter().map(|(transaction, event)| v1::Event {
        transaction: *transaction,
        name: event.name().into(),
        event: event.to_bytes().into(),
    });
    v1::Block {
        height: header.height.get(),
        time: header.time.get(),
        outbox_size: header.outbox.size.get(),
        transactions: count(record.transactions.len()),
        events: events.collect(),
    }
}
