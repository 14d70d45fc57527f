//! A Zeugma network in memory, with every proof that it can be shown by.
//!
//! Two eras: three blocks under the first committee, the last of which hands over, and one under the
//! second. A verifier that trusts this network may accept the proofs of [`Network::proofs`] and nothing
//! else, so acceptance of any other bytes is a forgery.

use crate::{Seed, seed};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use zeugma_proof::body::{
    Anchor, Body, ClientEvent, ClientStatus, Closed, LogView, Registered, Retraction, SplitView, Standing,
};
use zeugma_proof::testkit::{Keys, TestNetwork};
use zeugma_proof::{Certificate, Endorsement, Header, LeafFormat, Proof, Seal, TrustFile};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    BlockTime, ClientId, Encode, Epoch, Era, HashSuite, Height, LeafHash, LeafIndex, LeafPath, SealSuite,
    Sequence, TreeSize, UnixSeconds, Value,
};

/// The network, made once.
pub static NETWORK: LazyLock<Network> = LazyLock::new(Network::new);

/// What the packet commitment says.
pub const PACKET: [u8; 32] = [7; 32];

/// A network and all that it said.
pub struct Network {
    /// The chain itself, after its last block.
    pub chain: TestNetwork,
    /// The keys of both eras.
    pub keys: [Keys; 2],
    /// The hand-over with its body, under the block that says it.
    pub handover: Proof,
    /// Another block at the second height, certified by the same committee.
    pub fork: (Header, Certificate),
    /// Where verifiers start.
    pub trust_file: TrustFile,
    /// Encodings of all acceptable proofs: every leaf under every header that may show it, in both trees,
    /// under the certificate and under each quorum's seal, with and without its body.
    pub proofs: BTreeSet<Vec<u8>>,
    /// A few of them, of every kind.
    pub samples: Vec<Seed>,
}

/// The client of the packet and of the closing act.
#[must_use]
pub fn client_id() -> ClientId {
    ClientId::new("zeugma-0").expect("a valid identifier")
}

/// The path of the packet's commitment.
#[must_use]
pub fn packet_path() -> LeafPath {
    LeafPath::packet(&client_id(), PacketPath::Commitment, Sequence::new(1))
}

/// The path of the receipt that can never be written.
#[must_use]
pub fn receipt_path() -> LeafPath {
    LeafPath::packet(&client_id(), PacketPath::Receipt, Sequence::new(5))
}

/// A body of each namespace but the hand-over's.
#[must_use]
pub fn bodies() -> Vec<Body> {
    let view = |byte| LogView { size: TreeSize::new(9), root: [byte; 32] };
    let outbox = TestNetwork::new(3).outbox();
    let closed = Closed {
        client: client_id(),
        sequence: Sequence::new(5),
        commitment: Value::new([5; 32]),
        timeout: UnixSeconds::new(1_767_225_600),
    };
    let retraction = Retraction {
        index: LeafIndex::new(1),
        leaf: LeafHash::new([6; 32]),
        client: client_id(),
        height: Height::new(77),
    };
    let event = ClientEvent {
        client: client_id(),
        status: ClientStatus::Frozen,
        height: Height::new(77),
        at: BlockTime::new(1_767_225_600_000),
    };
    let registered =
        Registered { kind: 2, name: "rules".into(), digest: Some([8; 32]), from: Height::new(9) };
    let standing =
        Standing { epoch: Epoch::ZERO, height: Height::new(3), count: TreeSize::new(1), root: [9; 32] };
    vec![
        closed.into(),
        retraction.into(),
        Anchor { origin: "log.example/a".into(), log: outbox }.into(),
        SplitView { origin: "log.example/a".into(), suite: HashSuite::Sha256, one: view(1), other: view(2) }
            .into(),
        event.into(),
        registered.into(),
        standing.into(),
    ]
}

impl Network {
    fn new() -> Self {
        let mut chain = TestNetwork::new(1);
        let first = chain.keys.clone();
        let mut said: Vec<Option<Body>> = vec![None];
        chain.say(LeafFormat::Sha256, packet_path(), Value::new(PACKET));
        let bodies = bodies();
        let (early, late) = bodies.split_at(3);
        for body in early {
            said.push(Some(body.clone()));
            chain.say_body(body);
        }
        chain.close_block();

        let mut fork = chain.clone();
        fork.say(LeafFormat::Sha256, packet_path(), Value::new([66; 32]));
        fork.close_block();
        let fork = fork.headers.last().cloned().expect("a block was closed");

        for body in late {
            said.push(Some(body.clone()));
            chain.say(LeafFormat::Sm3, body.path(), body.value(HashSuite::Sm3));
        }
        chain.close_block();
        let (index, body) = chain.hand_over(2);
        let mut handover = chain.prove(index);
        handover.opening = Some(body.to_bytes());
        said.push(Some(body.into()));
        chain.close_block();

        let keys = [first, chain.keys.clone()];
        let trust_file = chain.trust_file();
        let mut network =
            Self { chain, keys, handover, fork, trust_file, proofs: BTreeSet::new(), samples: Vec::new() };
        for (at, (header, certificate)) in network.chain.headers.clone().iter().enumerate() {
            // What was said after the pin, under the retired key, no one believes.
            if at != 2 {
                network.add_proofs(header, *certificate, &said);
            }
        }
        network
    }

    fn add_proofs(&mut self, header: &Header, certificate: Certificate, said: &[Option<Body>]) {
        let retired = header.era == Era::ZERO;
        let keys = &self.keys[usize::from(!retired)];
        let mut endorsements = vec![Endorsement::Certificate(certificate)];
        for suite in [SealSuite::Secp256k1, SealSuite::Sm2] {
            endorsements.extend(self.quorums(keys, header, suite).into_iter().map(Endorsement::Seal));
        }
        for (index, body) in (0..header.outbox.size.get()).zip(said) {
            for suite in HashSuite::ALL {
                let mut proof = self.chain.prove_under(LeafIndex::new(index), *suite, header, certificate);
                proof.consistency = retired.then(|| self.chain.into_pin(header, *suite));
                let openings = [None, body.as_ref().map(Encode::to_bytes)];
                for (kind, endorsement) in endorsements.iter().enumerate() {
                    for opening in &openings {
                        proof.endorsement = endorsement.clone();
                        proof.opening.clone_from(opening);
                        let bytes = proof.to_bytes();
                        // The certificate, and for one leaf of each block the seal of all four.
                        let sample = opening.is_some() && (kind == 0 || (index == 1 && kind % 5 == 1));
                        if sample && !self.proofs.contains(&bytes) {
                            let name = format!("h{}-l{index}-{suite}-e{kind}", header.height.get());
                            self.samples.push(seed(name, bytes.clone()));
                        }
                        self.proofs.insert(bytes);
                    }
                }
            }
        }
    }

    /// The seals of all four members, and of each three of them.
    fn quorums(&self, keys: &Keys, header: &Header, suite: SealSuite) -> Vec<Seal> {
        let era = header.era.to_bytes();
        let digest = header.digest();
        let parts: [&[u8]; 3] = [header.network.as_bytes(), &era, digest.as_bytes()];
        let signatures: Vec<_> = (0_u16..)
            .zip(&keys.seals)
            .map(|(member, list)| {
                let (_, key) = list.iter().find(|(other, _)| *other == suite).expect("a key of every suite");
                (member, key.sign_seal(&parts).expect("a derived key signs"))
            })
            .collect();
        let without = |left_out: Option<u16>| {
            let quorum = signatures.iter().filter(|(member, _)| Some(*member) != left_out).cloned().collect();
            Seal::new(suite, quorum).expect("members ascend")
        };
        std::iter::once(None).chain((0..4).map(Some)).map(without).collect()
    }
}
