//! A network in memory for the contract: good cases, and what the forgeries are made from.

use crate::forgeries;
use crate::group::Group;
use std::marker::PhantomData;
use zeugma_adapter_core::testkit::{EvidenceCase, Fixture, Forgery, ProofCase, Threshold, UpdateCase};
use zeugma_adapter_core::{Family, MerklePath};
use zeugma_adapter_zeugma::{Certified, Evidence, LeafProof, Profile, State, Update};
use zeugma_proof::body::{Body, Closed, Handover};
use zeugma_proof::testkit::{Keys, TestNetwork};
use zeugma_proof::{Certificate, Committee, Header, LeafFormat, Proof};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    BlockTime, ClientId, Code, Encode, Era, HashSuite, Height, LeafIndex, LeafPath, NetworkId, Sequence,
    Span, UnixSeconds, Value,
};

/// The height every verification starts from, unless its case says otherwise.
pub(crate) const TRUSTED: u64 = 1;

/// A network of three eras, one block after the other:
///
/// | height | era | says |
/// |---|---|---|
/// | 1 | 0 | packet 1 |
/// | 2 | 0 | packets 2 and 3, an acknowledgement |
/// | 3 | 0 | packet 4, the closing of packet 9 |
/// | 4 | 0 | the hand-over to era 1 |
/// | 5 | 1 | packet 5 |
/// | 6 | 1 | the hand-over to era 2 |
/// | 7 | 2 | packet 6 |
pub(crate) struct Net<F> {
    pub(crate) chain: TestNetwork,
    /// The network before its third block, where the forks begin.
    pub(crate) early: TestNetwork,
    /// The secrets of each era.
    pub(crate) keys: Vec<Keys>,
    /// The proofs of the hand-overs to eras 1 and 2.
    pub(crate) handovers: Vec<Proof>,
    family: PhantomData<F>,
}

pub(crate) fn client() -> ClientId {
    ClientId::new("theirs-3").expect("a short name")
}

pub(crate) fn commitment(sequence: u64) -> LeafPath {
    LeafPath::packet(&client(), PacketPath::Commitment, Sequence::new(sequence))
}

/// The value that every leaf about this packet commits to.
pub(crate) fn value(sequence: u64) -> Value {
    Value::new([u8::try_from(sequence).expect("few packets"); 32])
}

pub(crate) fn say(chain: &mut TestNetwork, path: LeafPath, sequence: u64) {
    chain.say(LeafFormat::Sha256, path, value(sequence));
}

/// The path of a leaf as the counterparty asks for it.
pub(crate) fn key(path: &LeafPath) -> MerklePath {
    MerklePath::new(vec![path.path().to_vec()]).expect("a short path")
}

/// The secrets of an era whose members have no seal keys, which keeps its hand-over short.
pub(crate) fn plain_keys(seed: u8) -> Keys {
    let mut keys = Keys::derive(seed, 4);
    let mut members = keys.committee.members().to_vec();
    members.iter_mut().for_each(|member| member.seal_keys.clear());
    let (key, origin) = (keys.committee.group_key.clone(), keys.committee.origin);
    keys.committee = Committee::new(key, origin, members).expect("the same members");
    keys
}

/// What hands over to `next` in the block being made.
pub(crate) fn handover_body(chain: &TestNetwork, era: u64, next: &Keys) -> Handover {
    Handover {
        era: Era::new(era),
        committee: next.committee.clone(),
        height: Height::new(chain.headers.len() as u64 + 1),
        outbox: chain.outbox(),
    }
}

/// Closes the block being made with this hand-over as its last leaf; gives its proof, which carries the body.
pub(crate) fn hand_over(chain: &mut TestNetwork, body: Handover) -> Proof {
    let index = chain.say_body(&Body::Handover(body.clone()));
    chain.close_block();
    let mut proof = chain.prove(index);
    proof.opening = Some(body.to_bytes());
    proof
}

impl<F> Net<F> {
    pub(crate) fn new() -> Self {
        let mut chain = TestNetwork::new(7);
        say(&mut chain, commitment(1), 1);
        chain.close_block();
        say(&mut chain, commitment(2), 2);
        say(&mut chain, commitment(3), 3);
        let answer = LeafPath::packet(&client(), PacketPath::Acknowledgement, Sequence::new(1));
        say(&mut chain, answer, 1);
        chain.close_block();
        let early = chain.clone();
        say(&mut chain, commitment(4), 4);
        chain.say_body(&closed(9).into());
        chain.close_block();
        let mut keys = vec![chain.keys.clone()];
        let mut handovers = Vec::new();
        for era in 1..=2 {
            let next = plain_keys(40 + era);
            let body = handover_body(&chain, u64::from(era), &next);
            handovers.push(hand_over(&mut chain, body));
            chain.continue_under(next.clone());
            keys.push(next);
            say(&mut chain, commitment(4 + u64::from(era)), 4 + u64::from(era));
            chain.close_block();
        }
        Self { chain, early, keys, handovers, family: PhantomData }
    }

    pub(crate) fn good_profile(&self) -> Profile {
        profile_of(self.chain.network)
    }

    pub(crate) fn certified(&self, height: u64) -> Certified {
        let (header, certificate) = &self.chain.headers[index_of(height)];
        Certified { header: header.clone(), certificate: *certificate }
    }

    /// What is believed of this height.
    pub(crate) fn state(&self, height: u64) -> State {
        let header = self.certified(height).header;
        let era = usize::try_from(header.era.get()).expect("few eras");
        State::of(&header, self.keys[era].committee.group_key.clone())
    }

    /// A good update from `trusted` over these hand-overs to `height`.
    pub(crate) fn case(
        &self,
        name: &'static str,
        trusted: u64,
        handovers: &[Proof],
        height: u64,
    ) -> UpdateCase {
        let update = Update { handovers: handovers.to_vec(), target: self.certified(height) };
        UpdateCase {
            name,
            trusted: self.state(trusted).to_bytes(),
            now: just_after(&update.target.header),
            update: update.to_bytes(),
            gives: self.state(height).to_bytes(),
        }
    }

    /// A case whose target is another header of the first era, by its own key.
    pub(crate) fn forged(&self, name: &'static str, header: &Header) -> UpdateCase {
        let certificate = self.chain.certify(&self.keys[0], header);
        self.of_target(name, Certified { header: header.clone(), certificate })
    }

    pub(crate) fn of_target(&self, name: &'static str, target: Certified) -> UpdateCase {
        let gives = State::of(&target.header, self.keys[0].committee.group_key.clone());
        UpdateCase {
            name,
            trusted: self.state(TRUSTED).to_bytes(),
            now: just_after(&target.header),
            update: Update { handovers: vec![], target }.to_bytes(),
            gives: gives.to_bytes(),
        }
    }

    pub(crate) fn accuse(&self, name: &'static str, one: Certified, other: Certified) -> EvidenceCase {
        let trusted = self.state(TRUSTED).to_bytes();
        let now = just_after(&one.header).max(just_after(&other.header));
        EvidenceCase {
            name,
            trusted: [trusted.clone(), trusted],
            evidence: Evidence { one, other }.to_bytes(),
            now,
        }
    }

    /// A proof of a leaf in the outbox of `height`.
    pub(crate) fn leaf(&self, height: u64, index: u64, suite: HashSuite) -> LeafProof {
        let (header, certificate) = &self.chain.headers[index_of(height)];
        let proof = self.chain.prove_under(LeafIndex::new(index), suite, header, *certificate);
        LeafProof { leaf: proof.leaf, inclusion: proof.inclusion }
    }

    /// A good proof of packet 3's commitment, in the middle of the third block's outbox.
    pub(crate) fn there(&self) -> ProofCase {
        self.proved("", 3, 2, HashSuite::Sha256, &commitment(3), Some(3))
    }

    fn proved(
        &self,
        name: &'static str,
        height: u64,
        index: u64,
        suite: HashSuite,
        path: &LeafPath,
        holds: Option<u64>,
    ) -> ProofCase {
        ProofCase {
            name,
            state: self.state(height).to_bytes(),
            path: key(path),
            value: holds.map(|sequence| value(sequence).as_bytes().to_vec()),
            proof: self.leaf(height, index, suite).to_bytes(),
        }
    }

    /// Another third block, which the committee of the first era signed too.
    pub(crate) fn fork(&self) -> Certified {
        let mut chain = self.early.clone();
        say(&mut chain, commitment(4), 44);
        chain.close_block();
        last(&chain)
    }
}

pub(crate) fn profile_of(network: NetworkId) -> Profile {
    Profile { network, trusting_period: Span::seconds(3_600), drift: Span::seconds(10) }
}

pub(crate) fn last(chain: &TestNetwork) -> Certified {
    let (header, certificate) = chain.headers.last().expect("a block was closed");
    Certified { header: header.clone(), certificate: *certificate }
}

pub(crate) fn closed(sequence: u64) -> Closed {
    Closed {
        client: client(),
        sequence: Sequence::new(sequence),
        commitment: value(sequence),
        timeout: UnixSeconds::new(1),
    }
}

fn index_of(height: u64) -> usize {
    usize::try_from(height - 1).expect("a short chain")
}

/// A second after the time of that header.
pub(crate) fn just_after(header: &Header) -> BlockTime {
    header.time.after(Span::seconds(1)).expect("a test is short")
}

impl<F> Fixture for Net<F>
where
    F: Family<Profile = Profile, State = State, Update = Update, Evidence = Evidence>,
{
    type Family = F;

    fn profile(&self) -> Vec<u8> {
        self.good_profile().to_bytes()
    }

    fn other_chain(&self) -> Vec<u8> {
        profile_of(NetworkId::new([8; 32])).to_bytes()
    }

    fn updates(&self) -> Vec<UpdateCase> {
        // The same header, finalized in a later view: a certificate of its own.
        let mut again = self.certified(2);
        again.certificate = recertified(&self.keys[0], &again.header, 90);
        vec![
            self.case("the next header", TRUSTED, &[], 2),
            self.case("skipping", TRUSTED, &[], 4),
            self.case("an earlier header of the same era", 3, &[], 2),
            self.case("over a hand-over", TRUSTED, &self.handovers[..1], 5),
            self.case("over two hand-overs", TRUSTED, &self.handovers, 7),
            UpdateCase { name: "finalized in a later view", ..self.of_target("", again) },
        ]
    }

    fn conflicts(&self) -> Vec<[UpdateCase; 2]> {
        let first = self.case("one side", TRUSTED, &[], 3);
        // An update starts from the latest state: once the first was taken, that is the first's.
        let from_there = |case: UpdateCase| UpdateCase { trusted: first.gives.clone(), ..case };
        let mut unhurried = self.certified(4).header;
        unhurried.time = self.certified(2).header.time;
        let fork = from_there(self.of_target("the other side of a fork", self.fork()));
        let unhurried = from_there(self.forged("a header further up that is not later", &unhurried));
        vec![
            [first.clone(), fork],
            [first, UpdateCase { now: just_after(&self.certified(4).header), ..unhurried }],
        ]
    }

    fn evidence(&self) -> Vec<EvidenceCase> {
        let sign = |header: Header| {
            let certificate = self.chain.certify(&self.keys[0], &header);
            Certified { header, certificate }
        };
        let mut unhurried = self.certified(3).header;
        unhurried.time = self.certified(2).header.time;
        let mut shrunk = self.certified(3).header;
        shrunk.outbox = self.certified(1).header.outbox;
        vec![
            self.accuse("a fork", self.certified(3), self.fork()),
            self.accuse("time that does not grow", self.certified(2), sign(unhurried)),
            self.accuse("an outbox that shrinks, the later header first", sign(shrunk), self.certified(2)),
        ]
    }

    fn proofs(&self) -> Vec<ProofCase> {
        let (sha256, sm3) = (HashSuite::Sha256, HashSuite::Sm3);
        let answer = LeafPath::packet(&client(), PacketPath::Acknowledgement, Sequence::new(1));
        // An absence is asked for by the path of the receipt, which is that of the closing.
        let receipt = LeafPath::packet(&client(), PacketPath::Receipt, Sequence::new(9));
        vec![
            self.proved("the only leaf", 1, 0, sha256, &commitment(1), Some(1)),
            self.proved("the first leaf", 3, 0, sha256, &commitment(1), Some(1)),
            self.proved("a middle leaf", 3, 2, sha256, &commitment(3), Some(3)),
            self.proved("a middle leaf in the other tree", 3, 2, sm3, &commitment(3), Some(3)),
            self.proved("the last leaf of an even block", 2, 3, sha256, &answer, Some(1)),
            self.proved("a leaf of an earlier era", 7, 4, sha256, &commitment(4), Some(4)),
            self.proved("a closing act", 3, 5, sha256, &receipt, None),
            self.proved("a closing act in the other tree", 3, 5, sm3, &receipt, None),
        ]
    }

    fn thresholds(&self) -> Vec<Threshold<'_>> {
        vec![Threshold {
            name: "shares that make the group's signature",
            enough: |signers, members| signers + signers + signers > members + members,
            make: Box::new(move |members, signers| {
                let group = Group::of(members);
                let header = self.certified(2).header;
                let target = Certified { certificate: group.certify(&header, signers), header };
                let case = self.of_target("", target);
                UpdateCase { trusted: State::of(&self.certified(1).header, group.key).to_bytes(), ..case }
            }),
            refusal: Code::BadSignature,
        }]
    }

    fn forgeries(&self) -> Vec<Forgery> {
        forgeries::all(self)
    }

    fn not_applicable(&self) -> Vec<(u8, &'static str)> {
        vec![(
            21,
            "a threshold key has members of one share each: no power stands in anything that is verified",
        )]
    }
}

/// The certificate that the same committee makes when it finalizes the header in another view.
pub(crate) fn recertified(keys: &Keys, header: &Header, view: u64) -> Certificate {
    use zeugma_crypto::bls::Ciphersuite;
    let mut certificate = Certificate {
        epoch: header.epoch,
        view: zeugma_types::View::new(view),
        parent_view: zeugma_types::View::new(view - 1),
        signature: [0; 48],
    };
    let signed = certificate.signed_bytes(&header.network, &header.digest());
    certificate.signature = keys.group.sign_foreign(Ciphersuite::ProofOfPossession, &signed);
    certificate
}
