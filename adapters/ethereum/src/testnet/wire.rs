//! Messages of light clients as beacon nodes write them: the other way round of [`crate::container`].

use crate::container::{Bootstrap, Kind, LightUpdate};
use crate::fork::Fork;
use crate::header::{Execution, LightHeader, Payload};
use crate::ssz::{Root, ZERO, depth};
use alloc::vec;
use alloc::vec::Vec;

/// A container in the making: its fixed part, and the parts of variable length.
#[derive(Default)]
struct Writer {
    fixed: Vec<u8>,
    /// Where in the fixed part an offset stands, and what it leads to.
    parts: Vec<(usize, Vec<u8>)>,
}

impl Writer {
    fn put(&mut self, bytes: &[u8]) {
        self.fixed.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    fn roots(&mut self, roots: &[Root]) {
        roots.iter().for_each(|root| self.put(root));
    }

    fn part(&mut self, bytes: Vec<u8>) {
        self.parts.push((self.fixed.len(), bytes));
        self.put(&[0; 4]);
    }

    fn header(&mut self, header: &LightHeader, fork: Fork) {
        let bytes = light_header(header, fork);
        match LightHeader::is_fixed(fork) {
            Some(_) => self.put(&bytes),
            None => self.part(bytes),
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let mut at = self.fixed.len();
        for (place, bytes) in &self.parts {
            let offset = u32::try_from(at).expect("a message is short");
            self.fixed[*place..*place + 4].copy_from_slice(&offset.to_le_bytes());
            at += bytes.len();
        }
        self.parts.iter().for_each(|(_, bytes)| self.fixed.extend_from_slice(bytes));
        self.fixed
    }
}

/// A payload's header in the layout of `fork`.
#[must_use]
pub fn payload(payload: &Payload, fork: Fork) -> Vec<u8> {
    let mut out = Writer::default();
    out.put(&payload.parent_hash);
    out.put(&payload.fee_recipient);
    out.put(&payload.state_root);
    out.put(&payload.receipts_root);
    out.put(&payload.logs_bloom[..]);
    out.put(&payload.prev_randao);
    for number in [payload.block_number, payload.gas_limit, payload.gas_used, payload.timestamp] {
        out.number(number);
    }
    out.part(payload.extra_data.clone());
    out.put(&payload.base_fee_per_gas);
    out.put(&payload.block_hash);
    out.put(&payload.transactions_root);
    out.put(&payload.withdrawals_root);
    if fork >= Fork::Deneb {
        out.number(payload.blob_gas_used);
        out.number(payload.excess_blob_gas);
    }
    out.finish()
}

/// A header in the layout of `fork`.
#[must_use]
pub fn light_header(header: &LightHeader, fork: Fork) -> Vec<u8> {
    let mut out = Writer::default();
    let beacon = &header.beacon;
    out.number(beacon.slot);
    out.number(beacon.proposer_index);
    out.roots(&[beacon.parent_root, beacon.state_root, beacon.body_root]);
    match &header.execution {
        Execution::Unproved => {}
        Execution::Payload { payload: inside, branch } => {
            out.part(payload(inside, fork));
            out.roots(branch);
        }
        Execution::Hash { block_hash, branch } => {
            out.put(block_hash);
            out.roots(branch);
        }
    }
    out.finish()
}

/// A bootstrap in the layout of `fork`.
#[must_use]
pub fn bootstrap(bootstrap: &Bootstrap, fork: Fork) -> Vec<u8> {
    let mut out = Writer::default();
    out.header(&bootstrap.header, fork);
    out.put(bootstrap.committee.as_bytes());
    out.roots(&bootstrap.branch);
    out.finish()
}

/// An update of this kind in the layout of `fork`; what is not there is marked by zeros.
#[must_use]
pub fn update(update: &LightUpdate, kind: Kind, fork: Fork) -> Vec<u8> {
    let indices = fork.indices();
    let seats = update.signed.len();
    let mut out = Writer::default();
    out.header(&update.attested, fork);
    if kind == Kind::Full {
        match &update.next {
            Some((committee, branch)) => {
                out.put(committee.as_bytes());
                out.roots(branch);
            }
            None => {
                out.put(&vec![0; (seats + 1) * 48]);
                out.roots(&vec![ZERO; depth(indices.next)]);
            }
        }
    }
    if kind != Kind::Optimistic {
        match &update.finality {
            Some((header, branch)) => {
                out.header(header, fork);
                out.roots(branch);
            }
            None => {
                out.header(&LightHeader::empty(fork), fork);
                out.roots(&vec![ZERO; depth(indices.finalized)]);
            }
        }
    }
    let bits = update
        .signed
        .chunks(8)
        .map(|eight| eight.iter().enumerate().fold(0, |byte, (bit, signed)| byte | u8::from(*signed) << bit));
    out.put(&bits.collect::<Vec<u8>>());
    out.put(&update.signature);
    out.number(update.signature_slot);
    out.finish()
}
