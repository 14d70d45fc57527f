//! The cases, each made by a network in memory.

use zeugma_proof::body::{
    Anchor, Body, ClientEvent, ClientStatus, Closed, Registered, Retraction, SplitView,
};
use zeugma_proof::body::{InForce, LogView, StandingList};
use zeugma_proof::testkit::{Keys, TestNetwork};
use zeugma_proof::{Certificate, Endorsement, Header, LeafFormat, Outbox, Proof, Reliance, Seal};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    BlockTime, ClientId, Code, Encode, Epoch, Era, HashSuite, Height, LeafHash, LeafIndex, LeafPath,
    NetworkId, OutboxRoot, SealSuite, Sequence, Span, TreeSize, UnixSeconds, Value, View,
};

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) trust: Vec<u8>,
    pub(crate) time: BlockTime,
    pub(crate) reliance: Reliance,
    pub(crate) path: Option<LeafPath>,
    pub(crate) value: Option<Value>,
    pub(crate) proof: Vec<u8>,
    pub(crate) refused: Option<Code>,
}

/// A network of three blocks of era 0, a hand-over, and one block of era 1.
struct Story {
    network: TestNetwork,
    before: TestNetwork,
    packet: LeafIndex,
    anchor: LeafIndex,
    sm3: LeafIndex,
    events: Vec<(&'static str, LeafIndex, Body)>,
    handover: (LeafIndex, Body),
}

fn client() -> ClientId {
    ClientId::new("07-tendermint-3").unwrap()
}

fn outbox_of_log(size: u64) -> Outbox {
    let roots =
        vec![(HashSuite::Sha256, OutboxRoot::new([0xa1; 32])), (HashSuite::Sm3, OutboxRoot::new([0xb2; 32]))];
    Outbox::new(TreeSize::new(size), roots).unwrap()
}

fn events() -> Vec<(&'static str, Body)> {
    let client = client();
    let in_force =
        InForce { path: LeafPath::client(&client), leaf: LeafHash::new([3; 32]), index: LeafIndex::new(1) };
    let list = StandingList::new(vec![in_force]).unwrap();
    vec![
        (
            "closed",
            Closed {
                client: client.clone(),
                sequence: Sequence::new(9),
                commitment: Value::new([9; 32]),
                timeout: UnixSeconds::new(1_767_225_700),
            }
            .into(),
        ),
        (
            "retraction",
            Retraction {
                index: LeafIndex::new(0),
                leaf: LeafHash::new([8; 32]),
                client: client.clone(),
                height: Height::new(77),
            }
            .into(),
        ),
        (
            "client frozen",
            ClientEvent {
                client,
                status: ClientStatus::Frozen,
                height: Height::new(78),
                at: BlockTime::new(1_767_225_600_000),
            }
            .into(),
        ),
        (
            "registered",
            Registered { kind: 1, name: "spc-art-16".into(), digest: Some([7; 32]), from: Height::new(2) }
                .into(),
        ),
        (
            "split view",
            SplitView {
                origin: "log.example/one".into(),
                suite: HashSuite::Sha256,
                one: LogView { size: TreeSize::new(5), root: [1; 32] },
                other: LogView { size: TreeSize::new(5), root: [2; 32] },
            }
            .into(),
        ),
        ("standing", list.standing(Epoch::new(0), Height::new(3)).into()),
    ]
}

impl Story {
    fn tell() -> Self {
        let mut network = TestNetwork::new(1);
        let path = LeafPath::packet(&client(), PacketPath::Commitment, Sequence::new(1));
        let packet = network.say(LeafFormat::Sha256, path, Value::new([0x11; 32]));
        network.close_block();
        let anchored = Anchor { origin: "log.example/one".into(), log: outbox_of_log(70_000) };
        let anchor = network.say_body(&anchored.into());
        let body =
            Body::from(Registered { kind: 2, name: "国密".into(), digest: None, from: Height::new(2) });
        let sm3 = network.say(LeafFormat::Sm3, body.path(), body.value(HashSuite::Sm3));
        network.close_block();
        let events = events().into_iter().map(|(name, body)| (name, network.say_body(&body), body)).collect();
        network.close_block();
        let before = network.clone();
        let (index, handover) = network.hand_over(2);
        Self { network, before, packet, anchor, sm3, events, handover: (index, handover.into()) }
    }

    /// The same network one block into the next era.
    fn later(&self) -> TestNetwork {
        let mut later = self.network.clone();
        later.say(LeafFormat::Sha256, LeafPath::standing(Epoch::new(9)), Value::new([5; 32]));
        later.close_block();
        later
    }

    fn case(name: &str, network: &TestNetwork, proof: &Proof) -> Case {
        let file = network.trust_file();
        Case {
            name: name.into(),
            trust: file.to_bytes(),
            time: file.issued_at,
            reliance: Reliance::Court,
            path: None,
            value: None,
            proof: proof.to_bytes(),
            refused: None,
        }
    }
}

fn opened(mut proof: Proof, body: &Body) -> Proof {
    proof.opening = Some(body.to_bytes());
    proof
}

fn header(network: &TestNetwork, number: usize) -> (Header, Certificate) {
    network.headers[number].clone()
}

pub(crate) fn golden() -> Vec<Case> {
    let story = Story::tell();
    let (before, later) = (&story.before, story.later());
    let mut cases = vec![
        Story::case("packet commitment under the present era", before, &before.prove(story.packet)),
        Story::case("anchored checkpoint without its body", before, &before.prove(story.anchor)),
    ];
    let mut expected =
        Story::case("packet commitment with path and value expected", before, &before.prove(story.packet));
    expected.path = Some(LeafPath::packet(&client(), PacketPath::Commitment, Sequence::new(1)));
    expected.value = Some(Value::new([0x11; 32]));
    expected.reliance = Reliance::Destination;
    cases.push(expected);
    for (name, index, body) in &story.events {
        cases.push(Story::case(name, before, &opened(before.prove(*index), body)));
    }
    let (first, certificate) = header(before, 0);
    let earliest = before.prove_under(story.packet, HashSuite::Sha256, &first, certificate);
    cases.push(Story::case("a tree of one leaf", before, &earliest));
    let (last, certificate) = header(before, 2);
    let sm3 = before.prove_under(story.packet, HashSuite::Sm3, &last, certificate);
    cases.push(Story::case("SM3 tree", before, &sm3));
    let body = Body::from(Registered { kind: 2, name: "国密".into(), digest: None, from: Height::new(2) });
    let sm3 = before.prove_under(story.sm3, HashSuite::Sm3, &last, certificate);
    cases.push(Story::case("SM3 value in the SM3 tree", before, &opened(sm3, &body)));
    let (index, handover) = &story.handover;
    let proof = opened(story.network.prove(*index), handover);
    cases.push(Story::case("hand-over under the key that hands over", before, &proof));
    let mut retired = before.prove_under(story.anchor, HashSuite::Sha256, &last, certificate);
    retired.consistency = Some(later.into_pin(&last, HashSuite::Sha256));
    cases.push(Story::case("retired era with its proof into the pin", &later, &retired));
    let mut retired = earliest;
    retired.consistency = Some(later.into_pin(&first, HashSuite::Sha256));
    cases.push(Story::case("retired era, an early header", &later, &retired));
    cases.push(Story::case(
        "an old leaf under the present key of a later era",
        &later,
        &later.prove(story.packet),
    ));
    for suite in SealSuite::ALL {
        let mut sealed = before.prove(story.packet);
        sealed.endorsement = Endorsement::Seal(before.seal(&before.keys, &last, *suite, 3));
        cases.push(Story::case(&format!("second seal {suite} of 3 of 4"), before, &sealed));
    }
    cases
}

pub(crate) fn negative() -> Vec<Case> {
    let story = Story::tell();
    let (before, later) = (&story.before, story.later());
    let good = before.prove(story.packet);
    let mut cases = Vec::new();
    let mut refuse = |name: &str, code: Code, network: &TestNetwork, proof: &Proof| {
        cases.push(Case { refused: Some(code), ..Story::case(name, network, proof) });
    };
    let changed = |change: &dyn Fn(&mut Proof)| {
        let mut proof = good.clone();
        change(&mut proof);
        proof
    };
    let certified = |change: &dyn Fn(&mut Header)| {
        let mut proof = good.clone();
        change(&mut proof.header);
        proof.endorsement = Endorsement::Certificate(before.certify(&before.keys, &proof.header));
        proof
    };
    let signed = |change: &dyn Fn(&mut Certificate)| {
        let (_, mut certificate) = before.headers[2].clone();
        change(&mut certificate);
        changed(&|proof| proof.endorsement = Endorsement::Certificate(certificate))
    };

    let other = TestNetwork::new(9);
    refuse(
        "header of another network",
        Code::WrongNetwork,
        before,
        &changed(&|proof| proof.header.network = other.network),
    );
    refuse(
        "leaf of another network",
        Code::WrongNetwork,
        before,
        &changed(&|proof| proof.leaf.network = NetworkId::new([0; 32])),
    );
    refuse("an era nobody listed", Code::UnknownEra, before, &certified(&|header| header.era = Era::new(7)));
    refuse(
        "leaf higher than its header",
        Code::LeafAhead,
        before,
        &changed(&|proof| proof.leaf.height = Height::new(4)),
    );
    refuse(
        "leaf later than its header",
        Code::LeafAhead,
        before,
        &changed(&|proof| proof.leaf.time = proof.header.time.after(Span::millis(1)).unwrap()),
    );
    refuse("a root the header does not have", Code::NoSuchRoot, before, &{
        let roots = vec![good.header.outbox.roots()[0]];
        let size = good.header.outbox.size;
        let mut proof = certified(&|header| header.outbox = Outbox::new(size, roots.clone()).unwrap());
        proof.inclusion.suite = HashSuite::Sm3;
        proof
    });
    refuse(
        "index at the size of the tree",
        Code::IndexOutOfTree,
        before,
        &changed(&|proof| proof.inclusion.index = LeafIndex::new(proof.header.outbox.size.get())),
    );
    refuse(
        "one hash too many",
        Code::PathLength,
        before,
        &changed(&|proof| proof.inclusion.path.push([0; 32])),
    );
    refuse(
        "one hash too few",
        Code::PathLength,
        before,
        &changed(&|proof| {
            proof.inclusion.path.pop();
        }),
    );
    refuse(
        "empty path in a tree of many",
        Code::PathLength,
        before,
        &changed(&|proof| proof.inclusion.path.clear()),
    );
    refuse("siblings swapped", Code::NotIncluded, before, &changed(&|proof| proof.inclusion.path.swap(0, 1)));
    refuse(
        "neighbour's index",
        Code::NotIncluded,
        before,
        &changed(&|proof| proof.inclusion.index = LeafIndex::new(1)),
    );
    refuse(
        "another value in the leaf",
        Code::NotIncluded,
        before,
        &changed(&|proof| proof.leaf.value = Value::new([0x12; 32])),
    );
    refuse(
        "another format of the leaf",
        Code::NotIncluded,
        before,
        &changed(&|proof| proof.leaf.format = LeafFormat::Sm3),
    );
    refuse(
        "SHA-256 path under the SM3 root",
        Code::NotIncluded,
        before,
        &changed(&|proof| proof.inclusion.suite = HashSuite::Sm3),
    );
    refuse("an outbox that was never certified", Code::BadSignature, before, &{
        let mut forged = TestNetwork::new(1);
        forged.say(LeafFormat::Sha256, good.leaf.path.clone(), Value::new([0x66; 32]));
        forged.keys = Keys::derive(66, 4);
        forged.close_block();
        forged.prove(LeafIndex::ZERO)
    });
    refuse(
        "header's time changed",
        Code::BadSignature,
        before,
        &changed(&|proof| proof.header.time = proof.header.time.after(Span::millis(1)).unwrap()),
    );
    refuse(
        "certificate of another header",
        Code::BadSignature,
        before,
        &changed(&|proof| proof.endorsement = Endorsement::Certificate(before.headers[1].1)),
    );
    refuse(
        "certificate moved to another view",
        Code::BadSignature,
        before,
        &signed(&|certificate| certificate.view = View::new(99)),
    );
    refuse(
        "certificate with another parent view",
        Code::BadSignature,
        before,
        &signed(&|certificate| certificate.parent_view = View::new(0)),
    );
    refuse(
        "certificate of another epoch",
        Code::WrongEpoch,
        before,
        &signed(&|certificate| certificate.epoch = Epoch::new(1)),
    );
    refuse(
        "signature at infinity",
        Code::BadSignature,
        before,
        &signed(&|certificate| {
            certificate.signature = [0; 48];
            certificate.signature[0] = 0xc0;
        }),
    );
    refuse(
        "signature that is no point",
        Code::BadSignature,
        before,
        &signed(&|certificate| certificate.signature = [0xff; 48]),
    );
    refuse(
        "signature of another key",
        Code::BadSignature,
        before,
        &changed(&|proof| {
            proof.endorsement = Endorsement::Certificate(before.certify(&Keys::derive(3, 4), &proof.header));
        }),
    );
    refuse(
        "consistency path under the present key",
        Code::ConsistencyUnneeded,
        before,
        &changed(&|proof| proof.consistency = Some(vec![])),
    );
    refuse(
        "opening of a packet commitment",
        Code::WrongOpening,
        before,
        &changed(&|proof| proof.opening = Some(vec![1])),
    );

    let (_, index, body) = &story.events[0];
    refuse("body with bytes left over", Code::TrailingBytes, before, &{
        let mut proof = opened(before.prove(*index), body);
        proof.opening.as_mut().unwrap().push(0);
        proof
    });
    let closed = |sequence, commitment| {
        Body::from(Closed {
            client: client(),
            sequence: Sequence::new(sequence),
            commitment: Value::new([commitment; 32]),
            timeout: UnixSeconds::new(1_767_225_700),
        })
    };
    refuse("body of another path", Code::WrongPath, before, &opened(before.prove(*index), &closed(10, 9)));
    refuse(
        "body of another value",
        Code::WrongOpening,
        before,
        &opened(before.prove(*index), &closed(9, 10)),
    );

    for (suite, at) in SealSuite::ALL.iter().zip(0_u8..) {
        let sealed = |signers| before.seal(&before.keys, &good.header, *suite, signers);
        let with = |seal: Seal| changed(&|proof| proof.endorsement = Endorsement::Seal(seal.clone()));
        refuse(&format!("second seal {suite} of 2 of 4"), Code::QuorumNotReached, before, &with(sealed(2)));
        if at == 0 {
            let bytes = sealed(3).to_bytes();
            let length = suite.signature_length();
            let outside = Seal::new(*suite, (3..6_u16).map(|i| (i, bytes[7..7 + length].to_vec())).collect());
            refuse("seal of the wrong signer", Code::BadSignature, before, &with(outside.unwrap()));
            let stranger = Seal::new(*suite, vec![(4, bytes[7..7 + length].to_vec())]);
            refuse(
                "seal of a signer outside the committee",
                Code::UnknownSigner,
                before,
                &with(stranger.unwrap()),
            );
        }
        let other = before.seal(&before.keys, &before.headers[1].0, *suite, 3);
        refuse(&format!("second seal {suite} of another header"), Code::BadSignature, before, &with(other));
    }

    let (last, certificate) = header(before, 2);
    let old = before.prove_under(story.anchor, HashSuite::Sha256, &last, certificate);
    refuse("retired era without its proof into the pin", Code::ConsistencyMissing, &later, &old);
    refuse("retired era with an empty proof into the pin of another size", Code::PathLength, &later, &{
        let (first, certificate) = header(before, 0);
        let mut early = before.prove_under(story.packet, HashSuite::Sha256, &first, certificate);
        early.consistency = Some(vec![]);
        early
    });
    let (index, handover) = &story.handover;
    refuse("retired era beyond its pin", Code::BeyondPin, &later, &{
        let (last, certificate) = header(&story.network, 3);
        let proof = story.network.prove_under(*index, HashSuite::Sha256, &last, certificate);
        let mut proof = opened(proof, handover);
        proof.consistency = Some(vec![]);
        proof
    });
    refuse("retired shares sign another history", Code::NotConsistent, &later, &{
        let mut fork = TestNetwork::new(1);
        fork.say(LeafFormat::Sha256, good.leaf.path.clone(), Value::new([0x66; 32]));
        fork.close_block();
        let mut proof = fork.prove(LeafIndex::ZERO);
        proof.consistency = Some(later.into_pin(&header(before, 0).0, HashSuite::Sha256));
        proof
    });

    let mut destination = Story::case("a destination accepts no retired key", &later, &old);
    destination.reliance = Reliance::Destination;
    destination.refused = Some(Code::RetiredEra);
    let mut stale = Story::case("a trust file past its trusting period", before, &good);
    stale.time = stale.time.after(Span::seconds(86_400)).unwrap();
    stale.refused = Some(Code::TrustExpired);
    let mut path = Story::case("another path than expected", before, &good);
    path.path = Some(LeafPath::packet(&client(), PacketPath::Commitment, Sequence::new(2)));
    path.refused = Some(Code::WrongPath);
    let mut value = Story::case("another value than expected", before, &good);
    value.value = Some(Value::new([0x12; 32]));
    value.refused = Some(Code::WrongValue);
    let mut bytes = vec![destination, stale, path, value];
    let raw = |name: &str, code, change: &dyn Fn(&mut Vec<u8>)| {
        let mut case = Story::case(name, before, &good);
        change(&mut case.proof);
        Case { refused: Some(code), ..case }
    };
    bytes.push(raw("no bytes", Code::Truncated, &|proof| proof.clear()));
    bytes.push(raw("bytes left over", Code::TrailingBytes, &|proof| proof.push(0)));
    bytes.push(raw("another kind of file", Code::BadMagic, &|proof| proof[7] = b'2'));
    bytes.push(raw("another version of the header", Code::UnknownTag, &|proof| proof[9] = 2));
    bytes.push(raw("cut in the middle", Code::Truncated, &|proof| proof.truncate(300)));
    cases.extend(bytes);
    cases
}
