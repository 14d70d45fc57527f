//! The workload in order: an evidence log, a client of another Zeugma network, packets both ways, stale absences, the
//! other network's next era and a header under the key that it retired, and what must be refused in a block. What stands in one group is submitted at once; the next group follows once all
//! of it is final.

use crate::genesis::{START, account};
use zeugma_adapter_core::MerklePath;
use zeugma_adapter_zeugma::{Certified, LeafProof, Profile, State, Update};
use zeugma_ledger::Message;
use zeugma_ledger::account_of;
use zeugma_ledger::app::message::{ENCODING, MessageBody, PORT, VERSION};
use zeugma_ledger::bounded::{Bytes, List, Maybe, Text};
use zeugma_ledger::evidence::LogKey;
use zeugma_ledger::ibc::{Acknowledgements, Packet, Payload, Port};
use zeugma_ledger::tx::{
    Acknowledge, AnchorLog, ClaimTimeout, CreateClient, Opaque, RecvPacket, RegisterCounterparty,
    RegisterOrigin, SendPacket, StoreProof, Timeout, UpdateClient,
};
use zeugma_proof::testkit::TestNetwork;
use zeugma_proof::tree::{Frontier, Node, consistency, leaf_hash};
use zeugma_proof::{LeafFormat, Proof};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    ClientId, Code, Encode as _, HashSuite, Height, LeafIndex, LeafPath, Sequence, Span, TreeSize,
    UnixSeconds, Value,
};

/// What must become of a transaction once it is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It takes effect.
    Done,
    /// It is refused with this code.
    Refused(Code),
    /// The moment decides, and the rules over all blocks judge.
    Either,
}

/// One transaction to be: the account, the messages, and what must become of it.
pub(crate) struct Planned {
    pub(crate) account: u8,
    pub(crate) messages: Vec<Message>,
    pub(crate) expect: Expect,
}

fn planned(account: u8, message: impl Into<Message>, expect: Expect) -> Planned {
    Planned { account, messages: vec![message.into()], expect }
}

fn client(name: &str) -> ClientId {
    ClientId::new(name).expect("a short name")
}

fn bytes<const MAX: usize>(bytes: impl Into<Vec<u8>>) -> Bytes<MAX> {
    Bytes::new(bytes.into()).expect("within the bound")
}

fn payload(sender: &[u8], body: &[u8]) -> Payload {
    let value = MessageBody { sender: bytes(sender), body: bytes(body) };
    let port = || Port::new(PORT).expect("a port of ours");
    Payload {
        source_port: port(),
        destination_port: port(),
        version: Text::new(VERSION).expect("a version of ours"),
        encoding: Text::new(ENCODING).expect("an encoding of ours"),
        value: bytes(value.to_bytes()),
    }
}

/// The other network: it says what its honest validators would, and one stale closing that they would not.
struct Foreign {
    network: TestNetwork,
}

impl Foreign {
    fn said(&self, index: LeafIndex, at: usize) -> StoreProof {
        let (header, certificate) = &self.network.headers[at];
        let proof = self.network.prove_under(index, HashSuite::Sha256, header, *certificate);
        let said = LeafProof { leaf: proof.leaf, inclusion: proof.inclusion };
        StoreProof { height: header.height, proof: bytes(said.to_bytes()) }
    }

    fn update(&self, at: usize) -> UpdateClient {
        self.update_over(Vec::new(), at)
    }

    fn update_over(&self, handovers: Vec<Proof>, at: usize) -> UpdateClient {
        let (header, certificate) = &self.network.headers[at];
        Self::update_to(handovers, Certified { header: header.clone(), certificate: *certificate })
    }

    fn update_to(handovers: Vec<Proof>, target: Certified) -> UpdateClient {
        let update = Update { handovers, target };
        UpdateClient { client: client("zeugma-0"), update: bytes(update.to_bytes()) }
    }

    fn commit(&mut self, packet: &Packet) -> LeafIndex {
        let path = LeafPath::packet(&packet.source_client, PacketPath::Commitment, packet.sequence);
        self.network.say(LeafFormat::Sha256, path, packet.commitment())
    }
}

/// A log with seven leaves, and its checkpoints.
struct Log {
    key: zeugma_crypto::ed25519::SecretKey,
}

impl Log {
    const ORIGIN: &'static str = "simulated.example/log";

    fn tree(size: u64) -> (Frontier, std::collections::BTreeMap<Node, [u8; 32]>) {
        let (mut tree, mut nodes) = (Frontier::new(HashSuite::Sha256), std::collections::BTreeMap::new());
        for number in 0..size {
            let note = |node: Node, hash: &[u8; 32]| {
                nodes.insert(node, *hash);
            };
            tree.append(leaf_hash(HashSuite::Sha256, &number.to_be_bytes()), note).expect("a small tree");
        }
        (tree, nodes)
    }

    /// The checkpoint of `size`, consistent with that of `old`.
    fn anchor(&self, old: u64, size: u64) -> AnchorLog {
        let (tree, nodes) = Self::tree(size);
        let text = format!("{}\n{size}\n{}\n", Self::ORIGIN, base64(&tree.root()));
        let id =
            zeugma_crypto::hash::sha256(&[Self::ORIGIN.as_bytes(), b"\n\x01", self.key.public().as_bytes()]);
        let mut line = id[..4].to_vec();
        line.extend_from_slice(&self.key.sign_foreign(text.as_bytes()));
        let note = format!("{text}\n\u{2014} {} {}\n", Self::ORIGIN, base64(&line));
        let path = match old {
            0 => Vec::new(),
            _ => consistency(HashSuite::Sha256, TreeSize::new(old), TreeSize::new(size.max(old)), &|node| {
                nodes.get(&node).copied()
            })
            .unwrap_or_default(),
        };
        AnchorLog {
            origin: Text::new(Self::ORIGIN).expect("a short name"),
            note: bytes(note.into_bytes()),
            consistency: List::new(path).expect("within the bound"),
            second: Maybe(None),
        }
    }
}

/// The standard alphabet, written plainly.
fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0_usize, |bits, place| (bits << 8) | usize::from(group.get(place).copied().unwrap_or(0)));
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 63;
            out.push(if place <= group.len() { char::from(alphabet[sextet]) } else { '=' });
        }
    }
    out
}

/// The groups of the workload.
pub(crate) fn groups() -> Vec<Vec<Planned>> {
    use Expect::{Done, Either, Refused};
    let seconds = START / 1_000;
    let (ours, theirs) = (client("zeugma-0"), client("theirs-7"));
    let sender = account_of(account(2).public().as_bytes());
    let toward = |sequence, timeout, body: &[u8]| {
        let payload = vec![payload(&[9; 32], body)];
        Packet::new(Sequence::new(sequence), theirs.clone(), ours.clone(), UnixSeconds::new(timeout), payload)
            .expect("a packet within bounds")
    };
    let from_us = |sequence, timeout, body: &[u8]| {
        let payload = vec![payload(sender.as_bytes(), body)];
        Packet::new(Sequence::new(sequence), ours.clone(), theirs.clone(), UnixSeconds::new(timeout), payload)
            .expect("a packet within bounds")
    };
    let (received, raced) = (toward(1, seconds + 3_000, b"received"), toward(2, seconds + 4, b"raced"));
    let missed = toward(4, seconds, b"missed");
    // The second times out ahead of our clock by less than the drift that the client allows.
    let (answered, lapsed) = (from_us(1, seconds + 3_000, b"answered"), from_us(2, seconds + 50, b"lapsed"));

    let mut foreign = Foreign { network: TestNetwork::new(3) };
    let (one, two) = (foreign.commit(&received), foreign.commit(&raced));
    let four = foreign.commit(&missed);
    let first = foreign.network.close_block();
    let answers = Acknowledgements::new(vec![bytes([7; 32])]).expect("one answer");
    let path = LeafPath::packet(&theirs, PacketPath::Acknowledgement, answered.sequence);
    let answer = foreign.network.say(LeafFormat::Sha256, path, answers.commitment());
    let closed = foreign.network.say(
        LeafFormat::Sha256,
        LeafPath::closed(&theirs, lapsed.sequence),
        Value::new([1; 32]),
    );
    foreign.network.close_block();
    let gap = (seconds + 50) * 1_000 - foreign.network.time().get();
    foreign.network.wait(Span::millis(gap));
    foreign.network.close_block();
    let retired = foreign.network.keys.clone();
    let (index, body) = foreign.network.hand_over(9);
    let handover = Proof { opening: Some(body.to_bytes()), ..foreign.network.prove(index) };
    foreign.network.close_block();

    let profile = Profile {
        network: foreign.network.network,
        trusting_period: Span::seconds(24 * 60 * 60),
        drift: Span::seconds(60),
    };
    let state = State::of(&first, retired.committee.group_key.clone());
    let create =
        CreateClient { family: 2, profile: bytes(profile.to_bytes()), state: bytes(state.to_bytes()) };
    let counterparty = RegisterCounterparty {
        client: ours.clone(),
        counterparty: theirs.clone(),
        prefix: MerklePath::new(vec![Vec::new()]).expect("one element"),
    };
    let log = Log { key: account(200) };
    let origin = RegisterOrigin {
        origin: Text::new(Log::ORIGIN).expect("a short name"),
        key: LogKey { ed25519: *log.key.public().as_bytes() },
        second: Maybe(None),
    };
    let send = |packet: &Packet| {
        let payloads = List::new(packet.payloads().to_vec()).expect("one payload");
        Message::from(SendPacket { client: ours.clone(), timeout: packet.timeout, payloads })
    };
    let sends = Planned { account: 2, messages: vec![send(&answered), send(&lapsed)], expect: Done };
    let recv = |packet: &Packet, index| RecvPacket { packet: packet.clone(), proof: foreign.said(index, 0) };
    let claim = ClaimTimeout { packet: raced.head(), proof: foreign.said(two, 0) };
    let close = ClaimTimeout { packet: missed.head(), proof: foreign.said(four, 0) };
    // Retired shares still sign: a header of the era before, later than anything.
    let revenant = {
        let mut header = foreign.network.headers[3].0.clone();
        (header.height, header.time) = (Height::new(99), foreign.network.time());
        let certificate = foreign.network.certify(&retired, &header);
        Foreign::update_to(Vec::new(), Certified { header, certificate })
    };
    let acknowledge = |at| Acknowledge {
        packet: answered.clone(),
        acknowledgements: answers.clone(),
        proof: foreign.said(answer, at),
    };
    let timeout = |at| Timeout { packet: lapsed.clone(), proof: foreign.said(closed, at) };
    let nowhere = StoreProof { height: Height::new(77), proof: bytes([0; 8]) };

    vec![
        vec![planned(1, origin, Done), planned(2, create, Done)],
        vec![planned(1, log.anchor(0, 3), Done), planned(2, counterparty, Done)],
        vec![
            planned(1, log.anchor(3, 7), Done),
            sends,
            planned(3, Opaque { payload: bytes([3; 900]) }, Done),
        ],
        vec![
            planned(2, recv(&received, one), Done),
            planned(3, recv(&received, one), Done),
            planned(1, log.anchor(7, 5), Refused(Code::CheckpointOlder)),
            planned(0, recv(&raced, two), Either),
        ],
        vec![
            planned(2, foreign.update(1), Done),
            planned(3, claim.clone(), Either),
            planned(0, close.clone(), Done),
            planned(1, close, Done),
            planned(
                1,
                RecvPacket { packet: toward(3, seconds + 900, b"unproved"), proof: nowhere },
                Refused(Code::NoStateAt),
            ),
        ],
        vec![
            planned(2, timeout(1), Refused(Code::TimeoutNotReached)),
            planned(0, recv(&missed, four), Refused(Code::PacketIsClosed)),
            planned(3, acknowledge(1), Done),
            planned(1, acknowledge(1), Done),
        ],
        vec![planned(2, foreign.update(2), Done), planned(0, recv(&raced, two), Either)],
        vec![
            planned(2, timeout(2), Done),
            planned(3, timeout(2), Done),
            planned(1, claim, Either),
            planned(0, foreign.update_over(vec![handover], 4), Done),
        ],
        vec![planned(1, revenant, Refused(Code::RetiredEra))],
    ]
}
