//! One transaction: a client update and the messages whose proofs stand under it.
//!
//! Everything is verified here as the chain will verify it, before it is kept: a node that gives a wrong proof costs
//! this round, not a refused transaction.

use super::Route;
use super::state::{Answer, Record, Step};
use crate::client::{Light, update_claim, update_to};
use crate::error::Error;
use crate::hub::{Hub, Under};
use crate::queue::Work;
use zeugma_adapter_core::{Family as _, MerklePath, Status};
use zeugma_adapter_zeugma::{Certified, LeafProof, State, Zeugma};
use zeugma_ledger::Message;
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::ibc::Packet;
use zeugma_ledger::tx::{
    Acknowledge, ClaimTimeout, RecvPacket, ReleaseHold, StoreProof, Timeout, UpdateClient,
};
use zeugma_proof::{Endorsement, Header, Proof};
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{BlockTime, Code, Encode as _, Height, LeafPath, Refusal};

/// How often proofs under an older header are asked for again.
const ROUNDS: usize = 3;

/// One message in the making.
struct Part {
    step: Step,
    claim: String,
    record: Record,
    proof: Proof,
}

impl Part {
    fn packet(&self) -> Option<&Packet> {
        self.record.sent.as_ref().map(|(_, packet)| packet)
    }
}

/// The leaf that a step needs, on the chain that proves it; a release needs none.
fn leaf_of(step: Step, packet: &Packet) -> Option<LeafPath> {
    Some(match step {
        Step::Release => return None,
        Step::Receive | Step::Close => {
            LeafPath::packet(&packet.source_client, PacketPath::Commitment, packet.sequence)
        }
        Step::Acknowledge => {
            LeafPath::packet(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence)
        }
        Step::TimeOut => LeafPath::closed(&packet.destination_client, packet.sequence),
    })
}

fn release(packet: &Packet) -> Message {
    ReleaseHold { client: packet.destination_client.clone(), sequence: packet.sequence }.into()
}

impl Route {
    /// Asks for what is due at `to`, in as many batches as it takes.
    pub(super) fn deliver(&self, from: usize, to: usize, now: BlockTime) -> Result<(), Error> {
        let due = self.due(from, to, now)?;
        let (held, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|(step, ..)| *step == Step::Release);
        self.release(to, held)?;
        if due.is_empty() {
            return Ok(());
        }
        let target = &self.ends[to];
        let claim = update_claim(&target.client);
        if self.queue.is_claimed(target.hub.name(), &claim)?
            || self.queue.rests(target.hub.name(), &claim, now)?
        {
            // The update under way moves the client; this round's proofs would ask for another.
            return Ok(());
        }
        let light = Light::load(&*target.hub, &target.client)?;
        if light.client.status::<Zeugma>(now) != Status::Active {
            tracing::warn!(route = self.name, client = %target.client, "the client is not active: nothing is delivered");
            return Ok(());
        }
        let source = &*self.ends[from].hub;
        let mut parts = Vec::new();
        for (step, claim, record) in due.into_iter().take(self.bounds.messages - 1) {
            let leaf = record.sent.as_ref().and_then(|(_, packet)| leaf_of(step, packet));
            let Some(leaf) = leaf else { continue };
            // No proof yet: no certified header covers the leaf, or it was never said.
            if let Some(proof) = source.proof(&leaf, Under::Latest)? {
                parts.push(Part { step, claim, record, proof });
            }
        }
        let parts = align(source, parts)?;
        let Some(header) = parts.first().map(|part| part.proof.header.clone()) else { return Ok(()) };
        let (state, mut works) = self.reach(source, to, &light, &parts, &header, now)?;
        let mut length: usize = works.iter().map(|work| work.message.to_bytes().len()).sum();
        let before = works.len();
        for part in parts {
            let claim = part.claim.clone();
            match message(&light, &state, part) {
                Ok(message) => {
                    length += message.to_bytes().len();
                    if length > self.bounds.bytes && works.len() > before {
                        break;
                    }
                    works.push(Work { claim, message });
                }
                // The node's proof does not hold: another round, perhaps another node.
                Err(refusal) => {
                    tracing::warn!(route = self.name, claim, %refusal, "a proof does not hold");
                    self.metrics.disagreed(source.name());
                }
            }
        }
        if works.len() > before {
            tracing::info!(
                route = self.name,
                to = target.hub.name(),
                messages = works.len(),
                "packet.deliver"
            );
            self.queue.push(target.hub.name(), works)?;
        }
        Ok(())
    }

    /// Asks that what is held at `to` and whose time is over take effect: nothing is proved for it.
    fn release(&self, to: usize, held: Vec<(Step, String, Record)>) -> Result<(), Error> {
        let works = held.into_iter().take(self.bounds.messages).filter_map(|(_, claim, record)| {
            let (_, packet) = record.sent?;
            Some(Work { claim, message: release(&packet) })
        });
        let works: Vec<Work> = works.collect();
        if works.is_empty() {
            return Ok(());
        }
        let hub = self.ends[to].hub.name();
        tracing::info!(route = self.name, to = hub, messages = works.len(), "packet.release");
        self.queue.push(hub, works)?;
        Ok(())
    }

    /// The state under which the proofs stand, and the update that leads there, unless the client holds it already.
    fn reach(
        &self,
        source: &dyn Hub,
        to: usize,
        light: &Light,
        parts: &[Part],
        header: &Header,
        now: BlockTime,
    ) -> Result<(State, Vec<Work>), Error> {
        let target = &self.ends[to];
        if light.client.stored_at(header.height).is_ok() {
            let state = crate::client::load_state::<Zeugma>(&*target.hub, &target.client, header.height)?;
            return Ok((state, Vec::new()));
        }
        let endorsed = parts.iter().find_map(|part| match &part.proof.endorsement {
            Endorsement::Certificate(certificate) => Some(*certificate),
            Endorsement::Seal(_) => None,
        });
        let certificate = endorsed.ok_or_else(|| Refusal::new(Code::UnsupportedSuite))?;
        let certified = Certified { header: header.clone(), certificate };
        let (update, state) = update_to(source, light, certified, now)?;
        let message =
            UpdateClient { client: target.client.clone(), update: Bytes::new(update.to_bytes())? }.into();
        Ok((state, Vec::from([Work { claim: update_claim(&target.client), message }])))
    }
}

/// Brings all proofs under the newest of their headers; what does not get there waits for the next round.
fn align(source: &dyn Hub, mut parts: Vec<Part>) -> Result<Vec<Part>, Error> {
    for _ in 0..ROUNDS {
        let newest = newest(&parts);
        let behind = |part: &Part| part.proof.header.height < newest;
        if !parts.iter().any(behind) {
            return Ok(parts);
        }
        for part in parts.iter_mut().filter(|part| part.proof.header.height < newest) {
            let leaf = part.packet().and_then(|packet| leaf_of(part.step, packet));
            if let Some(leaf) = leaf
                && let Some(proof) = source.proof(&leaf, Under::Latest)?
            {
                part.proof = proof;
            }
        }
    }
    let newest = newest(&parts);
    parts.retain(|part| part.proof.header.height == newest);
    Ok(parts)
}

fn newest(parts: &[Part]) -> Height {
    parts.iter().map(|part| part.proof.header.height).max().unwrap_or(Height::ZERO)
}

/// The message of one part, its proof verified as the chain will.
fn message(light: &Light, state: &State, part: Part) -> Result<Message, Refusal> {
    let Part { step, record, proof, .. } = part;
    let missing = || Refusal::new(Code::WrongPacket).found("a packet whose sending was not seen");
    let (_, packet) = record.sent.ok_or_else(missing)?;
    let profile = &light.client.profile;
    let leaf = LeafProof { leaf: proof.leaf, inclusion: proof.inclusion }.to_bytes();
    let path = |kind, client| MerklePath::new(Vec::from([packet_path(client, kind, packet.sequence)]));
    match step {
        Step::Release => return Ok(release(&packet)),
        Step::Receive | Step::Close => {
            let path = path(PacketPath::Commitment, &packet.source_client)?;
            let commitment = packet.commitment();
            Zeugma::verify_membership(profile, state, &path, commitment.as_bytes(), &leaf)?;
        }
        Step::Acknowledge => {
            let path = path(PacketPath::Acknowledgement, &packet.destination_client)?;
            let Some(Answer::Acknowledged(each)) = &record.answer else { return Err(missing()) };
            Zeugma::verify_membership(profile, state, &path, each.commitment().as_bytes(), &leaf)?;
        }
        Step::TimeOut => {
            let path = path(PacketPath::Receipt, &packet.destination_client)?;
            Zeugma::verify_non_membership(profile, state, &path, &leaf)?;
        }
    }
    let proof = StoreProof { height: state.height, proof: Bytes::new(leaf)? };
    Ok(match (step, record.answer) {
        (Step::Receive, _) => RecvPacket { packet, proof }.into(),
        (Step::Release, _) => release(&packet),
        (Step::Close, _) => ClaimTimeout { packet: packet.head(), proof }.into(),
        (Step::Acknowledge, Some(Answer::Acknowledged(acknowledgements))) => {
            Acknowledge { packet, acknowledgements, proof }.into()
        }
        (Step::TimeOut, _) => Timeout { packet, proof }.into(),
        (Step::Acknowledge, _) => return Err(missing()),
    })
}
