//! A network in memory, to make proofs for tests and vectors.
//!
//! Its group key is one secret that the test holds: a threshold signature of a committee is the same
//! bytes. Nothing here is compiled into a product crate.

use crate::body::Body;
use crate::{
    Certificate, Committee, Context, Endorsement, EraEntry, GroupKey, Header, Inclusion, Institution,
    Institutions, KeyOrigin, Leaf, LeafFormat, Member, Outbox, Proof, Reliance, Seal, Signatures,
    StateTarget, Substitute, Trust, TrustFile,
};
use crate::{body, tree};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use zeugma_crypto::bls::{Ciphersuite, min_sig};
use zeugma_crypto::hash::sha256;
use zeugma_crypto::{ed25519, seal};
use zeugma_types::{
    BlockTime, BodyRoot, Encode, Epoch, Era, HashSuite, HeaderDigest, Height, LeafIndex, LeafPath, NetworkId,
    OutboxRoot, SealSuite, Span, StateRoot, TranscriptDigest, TreeSize, Value, View,
};

/// One tree of the outbox with all its perfect nodes.
#[derive(Clone, Debug)]
struct Tree {
    frontier: tree::Frontier,
    nodes: BTreeMap<tree::Node, tree::Hash>,
}

impl Tree {
    fn new(suite: HashSuite) -> Self {
        Self { frontier: tree::Frontier::new(suite), nodes: BTreeMap::new() }
    }

    fn append(&mut self, leaf: &Leaf) {
        let hash = *leaf.hash(self.frontier.suite()).as_bytes();
        let nodes = &mut self.nodes;
        self.frontier
            .append(hash, |node, hash| {
                nodes.insert(node, *hash);
            })
            .expect("a test's tree is small");
    }

    fn get(&self) -> impl Fn(tree::Node) -> Option<tree::Hash> + '_ {
        |node| self.nodes.get(&node).copied()
    }
}

/// The secrets of one era.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The group's secret.
    pub group: min_sig::SecretKey,
    /// Each member's secrets of the second seals, in the order of the members.
    pub seals: Vec<Vec<(SealSuite, seal::SecretKey)>>,
    /// The public side.
    pub committee: Committee,
}

impl Keys {
    /// The keys of `members` members that follow from `seed`.
    #[must_use]
    pub fn derive(seed: u8, members: u8) -> Self {
        let group = min_sig::SecretKey::derive(&sha256(&[b"group", &[seed]])).expect("32 bytes are enough");
        let mut pairs: Vec<_> = (0..members).map(|index| Self::member(seed, index)).collect();
        pairs.sort_by_key(|(member, _)| member.key);
        let (list, seals): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let key = GroupKey::parse(&group.public().to_bytes()).expect("a derived key is valid");
        let transcript = TranscriptDigest::new(sha256(&[b"transcript", &[seed]]));
        let committee = Committee::new(key, KeyOrigin::Distributed { transcript }, list)
            .expect("derived members are distinct");
        Self { group, seals, committee }
    }

    fn member(seed: u8, index: u8) -> (Member, Vec<(SealSuite, seal::SecretKey)>) {
        let secret = |what: &[u8]| sha256(&[what, &[seed, index]]);
        let seals: Vec<_> = SealSuite::ALL
            .iter()
            .map(|suite| {
                let key = seal::SecretKey::parse(*suite, &secret(suite.name().as_bytes()));
                (*suite, key.expect("a digest is a secret key"))
            })
            .collect();
        let member = Member {
            name: format!("member {seed}.{index}"),
            role: "operator".into(),
            key: *ed25519::SecretKey::from_seed(&secret(b"engine")).public().as_bytes(),
            seal_keys: seals.iter().map(|(suite, key)| (*suite, key.public().to_bytes())).collect(),
        };
        (member, seals)
    }
}

/// A network in memory.
#[derive(Clone, Debug)]
pub struct TestNetwork {
    /// Its identifier.
    pub network: NetworkId,
    /// The secrets of its present era.
    pub keys: Keys,
    /// Entries of the trust file so far; the last is the present era.
    pub eras: Vec<EraEntry>,
    /// Certified headers, ascending by height from 1.
    pub headers: Vec<(Header, Certificate)>,
    leaves: Vec<Leaf>,
    trees: Vec<Tree>,
    era: Era,
    height: Height,
    time: BlockTime,
}

impl TestNetwork {
    /// A network whose secrets follow from `seed`, of four members, with a tree for each hash suite.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        let keys = Keys::derive(seed, 4);
        let first = EraEntry { era: Era::ZERO, committee: keys.committee.clone(), pin: None };
        Self {
            network: NetworkId::new(sha256(&[b"network", &[seed]])),
            keys,
            eras: Vec::from([first]),
            headers: Vec::new(),
            leaves: Vec::new(),
            trees: HashSuite::ALL.iter().map(|suite| Tree::new(*suite)).collect(),
            era: Era::ZERO,
            height: Height::new(1),
            time: BlockTime::new(1_767_225_600_000),
        }
    }

    /// Says `value` under `path` in the block being made; returns its position.
    pub fn say(&mut self, format: LeafFormat, path: LeafPath, value: Value) -> LeafIndex {
        let (network, height, time) = (self.network, self.height, self.time);
        let leaf = Leaf { format, network, height, time, path, value };
        self.trees.iter_mut().for_each(|tree| tree.append(&leaf));
        self.leaves.push(leaf);
        LeafIndex::new(self.leaves.len() as u64 - 1)
    }

    /// Says what `body` says.
    pub fn say_body(&mut self, body: &Body) -> LeafIndex {
        self.say(LeafFormat::Sha256, body.path(), body.value(HashSuite::Sha256))
    }

    /// The outbox as it is now.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        let roots =
            self.trees.iter().map(|tree| (tree.frontier.suite(), OutboxRoot::new(tree.frontier.root())));
        let size = TreeSize::new(self.leaves.len() as u64);
        Outbox::new(size, roots.collect()).expect("suites ascend from SHA-256")
    }

    /// Closes the block and certifies it.
    pub fn close_block(&mut self) -> Header {
        let parent = self.headers.last().map_or(HeaderDigest::new([0; 32]), |(header, _)| header.digest());
        let header = Header {
            network: self.network,
            era: self.era,
            epoch: Epoch::new(self.era.get()),
            height: self.height,
            time: self.time,
            context: Context {
                view: View::new(self.height.get()),
                parent_view: View::new(self.height.get() - 1),
                leader: self.keys.committee.members()[0].key,
            },
            parent,
            body: BodyRoot::new(sha256(&[b"body", &self.height.to_bytes()])),
            state: StateTarget { root: StateRoot::new(sha256(&[b"state"])), begin: 0, end: 1 },
            outbox: self.outbox(),
        };
        let certificate = self.certify(&self.keys, &header);
        self.headers.push((header.clone(), certificate));
        self.height = self.height.next().expect("a test is short");
        self.time = self.time.after(Span::seconds(1)).expect("a test is short");
        header
    }

    /// A certificate of `keys` over any header.
    #[must_use]
    pub fn certify(&self, keys: &Keys, header: &Header) -> Certificate {
        let mut certificate = Certificate {
            epoch: header.epoch,
            view: header.context.view,
            parent_view: header.context.parent_view,
            signature: [0; 48],
        };
        let signed = certificate.signed_bytes(&header.network, &header.digest());
        certificate.signature = keys.group.sign_foreign(Ciphersuite::ProofOfPossession, &signed);
        certificate
    }

    /// A seal of the first `signers` members over any header.
    #[must_use]
    pub fn seal(&self, keys: &Keys, header: &Header, suite: SealSuite, signers: usize) -> Seal {
        let era = header.era.to_bytes();
        let digest = header.digest();
        let parts: [&[u8]; 3] = [header.network.as_bytes(), &era, digest.as_bytes()];
        let sign = |index: usize| {
            let (_, key) = keys.seals[index].iter().find(|(other, _)| *other == suite).expect("all suites");
            let signature = key.sign_seal(&parts).expect("a derived key signs");
            (u16::try_from(index).expect("a small committee"), signature)
        };
        Seal::new(suite, (0..signers).map(sign).collect()).expect("indices ascend")
    }

    /// The proof of a leaf under the last certified header.
    #[must_use]
    pub fn prove(&self, index: LeafIndex) -> Proof {
        let (header, certificate) = self.headers.last().expect("a block was closed");
        self.prove_under(index, HashSuite::Sha256, header, *certificate)
    }

    /// The proof of a leaf under any header of this network.
    #[must_use]
    pub fn prove_under(
        &self,
        index: LeafIndex,
        suite: HashSuite,
        header: &Header,
        certificate: Certificate,
    ) -> Proof {
        let path = tree::inclusion(suite, index, header.outbox.size, &self.tree(suite).get())
            .expect("every node is kept");
        Proof {
            header: header.clone(),
            endorsement: Endorsement::Certificate(certificate),
            leaf: self.leaves[usize::try_from(index.get()).expect("a small tree")].clone(),
            inclusion: Inclusion { suite, index, path },
            opening: None,
            consistency: None,
        }
    }

    /// The consistency path from the outbox of `header` into the one that its era's hand-over pinned.
    #[must_use]
    pub fn into_pin(&self, header: &Header, suite: HashSuite) -> Vec<tree::Hash> {
        let entry = self.eras.iter().find(|entry| entry.era == header.era).expect("a known era");
        let pin = entry.pin.as_ref().expect("a retired era");
        tree::consistency(suite, header.outbox.size, pin.size, &self.tree(suite).get())
            .expect("every node is kept")
    }

    /// Hands over to a new committee that follows from `seed`; returns the position of the leaf, proved
    /// under the block that this closes.
    pub fn hand_over(&mut self, seed: u8) -> (LeafIndex, body::Handover) {
        let next = Keys::derive(seed, 4);
        let era = self.era.next().expect("a test is short");
        let outbox = self.outbox();
        let handover = body::Handover {
            era,
            committee: next.committee.clone(),
            height: self.height,
            outbox: outbox.clone(),
        };
        let index = self.say_body(&Body::Handover(handover.clone()));
        self.close_block();
        self.eras.last_mut().expect("there is always an era").pin = Some(outbox);
        self.eras.push(EraEntry { era, committee: next.committee.clone(), pin: None });
        (self.keys, self.era) = (next, era);
        (index, handover)
    }

    /// A trust file over all eras so far, signed by two of three institutions.
    #[must_use]
    pub fn trust_file(&self) -> TrustFile {
        let (secrets, institutions) = institutions();
        let mut file =
            TrustFile::new(self.network, self.time, Span::seconds(86_400), self.eras.clone(), institutions)
                .expect("eras follow each other");
        let fingerprint = file.fingerprint();
        file.signatures = sign(&secrets[..2], &fingerprint);
        file
    }

    /// The keys believed by someone who reads that file at once.
    #[must_use]
    pub fn trust(&self, reliance: Reliance) -> Trust {
        let file = self.trust_file();
        file.at(file.issued_at, reliance)
    }

    /// A substitute for the present era, signed by two of three institutions, with its secrets.
    #[must_use]
    pub fn substitute(&self, seed: u8) -> (Substitute, Keys) {
        let keys = Keys::derive(seed, 4);
        let mut substitute = Substitute {
            network: self.network,
            era: self.era.next().expect("a test is short"),
            committee: keys.committee.clone(),
            outbox: self.outbox(),
            signatures: Signatures::default(),
        };
        substitute.signatures = sign(&institutions().0[..2], &substitute.digest());
        (substitute, keys)
    }

    /// The time of the block being made.
    #[must_use]
    pub const fn time(&self) -> BlockTime {
        self.time
    }

    /// Moves the time of the block being made.
    pub fn wait(&mut self, span: Span) {
        self.time = self.time.after(span).expect("a test is short");
    }

    /// Continues under the secrets of a substitute.
    pub fn continue_under(&mut self, keys: Keys) {
        (self.keys, self.era) = (keys, self.era.next().expect("a test is short"));
    }

    fn tree(&self, suite: HashSuite) -> &Tree {
        self.trees.iter().find(|tree| tree.frontier.suite() == suite).expect("a tree for each suite")
    }
}

/// Three institutions, two of which must sign.
///
/// # Panics
/// Never: the keys are distinct.
#[must_use]
pub fn institutions() -> (Vec<ed25519::SecretKey>, Institutions) {
    let secrets: Vec<_> =
        (0..3_u8).map(|index| ed25519::SecretKey::from_seed(&sha256(&[b"institution", &[index]]))).collect();
    let list = secrets.iter().enumerate().map(|(index, secret)| Institution {
        name: format!("institution {index}"),
        key: *secret.public().as_bytes(),
    });
    let institutions = Institutions::new(2, list.collect()).expect("distinct keys");
    (secrets, institutions)
}

fn sign(secrets: &[ed25519::SecretKey], digest: &[u8; 32]) -> Signatures {
    let signatures = secrets.iter().enumerate().map(|(index, secret)| {
        (u16::try_from(index).expect("few institutions"), secret.sign_foreign(digest))
    });
    Signatures::new(signatures.collect()).expect("indices ascend")
}
