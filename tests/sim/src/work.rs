//! The workload at work: submits to nodes that run, submits again what a crash took, knows what became of each.

use crate::genesis::{ACCOUNTS, account};
use crate::network::Net;
use crate::plan::draw;
use crate::script::{Expect, Planned, groups};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::VecDeque;
use zeugma_ledger::bounded::{Bytes, List};
use zeugma_ledger::tx::{Opaque, OpenPayload, SignedBody, Until};
use zeugma_ledger::{Genesis, Message, Transaction};
use zeugma_node::{Error, NodeHandle, Status};
use zeugma_types::{Code, Cost, Encode as _};

/// A transaction that was submitted.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its digest.
    pub id: [u8; 32],
    /// What must become of it.
    pub expect: Expect,
    bytes: Vec<u8>,
}

/// See the module.
pub(crate) struct Work {
    genesis: Genesis,
    rng: ChaCha20Rng,
    groups: VecDeque<Vec<Planned>>,
    sequences: [u64; ACCOUNTS as usize],
    /// Everything that must become final.
    pub(crate) sent: Vec<Sent>,
    /// Of those, the present group.
    present: Vec<Sent>,
    /// Of those, the ones not yet seen final.
    open: Vec<Sent>,
    /// Bad submissions that were refused at once, as they must.
    pub(crate) refused: u64,
    /// What a node did that it must not.
    pub(crate) findings: Vec<String>,
}

fn sign(genesis: &Genesis, number: u8, sequence: u64, messages: Vec<Message>) -> Vec<u8> {
    let key = account(number);
    let body = SignedBody {
        network: genesis.network(),
        key: *key.public().as_bytes(),
        sequence,
        until: Until::NEVER,
        cost_limit: Cost::MAX,
        messages: List::new(messages).expect("few messages"),
    };
    Transaction::sign(body, &key).to_bytes()
}

fn opaque(rng: &mut ChaCha20Rng) -> Vec<Message> {
    let payload = Bytes::new(rng.next_u64().to_be_bytes()).expect("eight bytes");
    vec![Opaque { payload }.into()]
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    *zeugma_ledger::Checked::new(bytes).expect("the workload signs well").digest()
}

impl Work {
    pub(crate) fn new(net: &Net) -> Self {
        Self {
            genesis: net.genesis.clone(),
            rng: ChaCha20Rng::seed_from_u64(net.seed ^ 0x776f_726b),
            groups: groups().into(),
            sequences: [0; ACCOUNTS as usize],
            sent: Vec::new(),
            present: Vec::new(),
            open: Vec::new(),
            refused: 0,
            findings: Vec::new(),
        }
    }

    /// Whether the script has ended and all of it is final.
    pub(crate) fn is_over(&self) -> bool {
        self.groups.is_empty() && self.open.is_empty()
    }

    fn next(&mut self, planned: Planned) -> Sent {
        let sequence = &mut self.sequences[usize::from(planned.account)];
        *sequence += 1;
        let bytes = sign(&self.genesis, planned.account, *sequence, planned.messages);
        Sent { id: digest(&bytes), expect: planned.expect, bytes }
    }

    /// One round: the next group when the present one is final, a payload, something bad, and what was lost again.
    pub(crate) async fn round(&mut self, nodes: &[&NodeHandle], fresh: bool) {
        if nodes.is_empty() {
            return;
        }
        self.settle(nodes).await;
        let pending = |sent: &Sent| self.open.iter().any(|open| open.id == sent.id);
        if !self.present.iter().any(pending)
            && let Some(group) = self.groups.pop_front()
        {
            self.present = group.into_iter().map(|planned| self.next(planned)).collect();
            for sent in self.present.clone() {
                self.enter(nodes, sent).await;
            }
        }
        if fresh {
            let messages = opaque(&mut self.rng);
            let sent = self.next(Planned { account: 0, messages, expect: Expect::Done });
            self.enter(nodes, sent).await;
            let payload = Bytes::new(self.rng.next_u64().to_be_bytes()).expect("eight bytes");
            let open = OpenPayload { network: self.genesis.network(), until: Until::NEVER, payload };
            let bytes = Transaction::Open(open).to_bytes();
            self.enter(nodes, Sent { id: digest(&bytes), expect: Expect::Done, bytes }).await;
            self.bad(nodes).await;
        }
    }

    async fn enter(&mut self, nodes: &[&NodeHandle], sent: Sent) {
        self.sent.push(sent.clone());
        self.open.push(sent.clone());
        self.submit(nodes, &sent).await;
    }

    fn any<'n>(&mut self, nodes: &[&'n NodeHandle]) -> &'n NodeHandle {
        nodes[usize::try_from(draw(&mut self.rng, nodes.len() as u64)).expect("below a usize")]
    }

    async fn submit(&mut self, nodes: &[&NodeHandle], sent: &Sent) {
        let node = self.any(nodes);
        match node.submit(sent.bytes.clone()).await {
            Ok(id) if id == sent.id => {}
            Ok(id) => {
                self.findings.push(format!("a node named {} as {}", hex::encode(sent.id), hex::encode(id)))
            }
            Err(error) => self.findings.push(format!("a good transaction was not taken: {error}")),
        }
    }

    /// Takes note of what is final, and submits again what no node that runs knows.
    async fn settle(&mut self, nodes: &[&NodeHandle]) {
        for sent in std::mem::take(&mut self.open) {
            let mut unknown = 0;
            let mut is_final = false;
            for node in nodes {
                match node.status(&sent.id).await {
                    Ok(Status::Final { .. }) => is_final = true,
                    Ok(Status::Unknown) => unknown += 1,
                    Ok(Status::Waiting) => {}
                    Ok(Status::Dropped { refusal }) => {
                        self.findings.push(format!("a good transaction was dropped: {refusal}"));
                    }
                    Err(error) => self.findings.push(format!("no status: {error}")),
                }
            }
            if !is_final {
                if unknown == nodes.len() {
                    self.submit(nodes, &sent).await;
                }
                self.open.push(sent);
            }
        }
    }

    /// What must be refused before any block.
    async fn bad(&mut self, nodes: &[&NodeHandle]) {
        let node = self.any(nodes);
        let ahead = self.sequences[0] + 1_000_000;
        let messages = opaque(&mut self.rng);
        let (bytes, code) = match draw(&mut self.rng, 5) {
            0 => {
                let mut bytes = sign(&self.genesis, 1, 900, messages);
                *bytes.last_mut().expect("a transaction has bytes") ^= 1;
                (bytes, Code::BadSignature)
            }
            1 => (sign(&self.genesis, 0, ahead, messages), Code::SequenceAhead),
            2 => (Vec::new(), Code::Truncated),
            3 => {
                let mut other = self.genesis.clone();
                other.time = zeugma_types::BlockTime::new(other.time.get() + 1);
                (sign(&other, 0, ahead, messages), Code::TransactionElsewhere)
            }
            _ => {
                let mut bytes = sign(&self.genesis, 1, 900, messages);
                bytes.push(0);
                (bytes, Code::TrailingBytes)
            }
        };
        match node.submit(bytes).await {
            Err(Error::Refused(refusal)) if refusal.code == code => self.refused += 1,
            other => self.findings.push(format!("needed {code:?} for a bad transaction, found {other:?}")),
        }
    }
}
