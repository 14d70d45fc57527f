//! Everything that a bundle speaks of, in memory: a network, a log of two trees with its witnesses, a service
//! with a receipt key, two time authorities. Keys and times follow from constants, so the bytes are the same
//! in every run. Nothing here is compiled into a product crate.

pub mod authority;
pub mod key;
pub mod responder;

use crate::bundle::{
    AnchorKind, Bundle, Digests, InForce, Logged, Logging, OtherAnchor, Receipt, RuleVerdict, Stamp,
    stamped_message,
};
use crate::policy::{Authority, Network, Policy, Witness};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use authority::TestAuthority;
use zeugma_crypto::hash::{sha256, sm3};
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_evidence_log::checkpoint::Checkpoint;
use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::record::{CustomField, Field};
use zeugma_evidence_log::{
    Committer, CosignerSigner, Disclosure, Entry, LogSigner, Record, Seed, second_origin,
};
use zeugma_proof::body::{Anchor, Body, InForce as Latest, LogView, Registered, StandingList};
use zeugma_proof::testkit::{TestNetwork, institutions};
use zeugma_proof::tree::{self, leaf_hash};
use zeugma_proof::{Outbox, Signatures, Sunset, TrustFile};
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{
    BlockTime, Encode, Epoch, HashSuite, Height, LeafIndex, LeafPath, OutboxRoot, Purpose, Span, TreeSize,
    UnixSeconds,
};

/// The log's origin.
pub const ORIGIN: &str = "log.example/evidence";
/// The file that was deposited.
pub const FILE: &[u8] = b"a contract, scanned\n";
/// When the service took it.
pub const RECEIVED: BlockTime = BlockTime::new(1_767_225_590_000);
/// When the log signed the checkpoint.
pub const LOGGED: UnixSeconds = UnixSeconds::new(1_767_225_592);
/// When the time authorities saw it.
pub const STAMPED: BlockTime = BlockTime::new(1_767_225_605_250);
/// When it is judged.
pub const JUDGED: BlockTime = BlockTime::new(1_767_229_200_000);
/// Where the entry stands, and how many the log has.
const INDEX: u64 = 4;
const SIZE: u64 = 7;

/// All who say something in a bundle, and the bundle.
#[derive(Clone, Debug)]
pub struct World {
    /// The network that anchors.
    pub network: TestNetwork,
    /// The first authority; it states a policy and its institution is `Time Office`.
    pub office: TestAuthority,
    /// The second; its institution is `Observatory`.
    pub observatory: TestAuthority,
    /// Whose word counts.
    pub policy: Policy,
    /// What is believed of the network.
    pub trust: TrustFile,
    /// The record that was deposited, with the seed of its salts.
    pub record: Record,
    /// The seed.
    pub seed: Seed,
    /// The bundle with everything in it, sealed.
    pub bundle: Bundle,
}

/// One tree of the log with all its nodes.
struct Tree {
    suite: HashSuite,
    frontier: tree::Frontier,
    nodes: BTreeMap<tree::Node, tree::Hash>,
}

impl Tree {
    fn of(suite: HashSuite, leaves: &[Vec<u8>]) -> Self {
        let mut tree = Self { suite, frontier: tree::Frontier::new(suite), nodes: BTreeMap::new() };
        for leaf in leaves {
            let nodes = &mut tree.nodes;
            let keep = |node, hash: &tree::Hash| {
                nodes.insert(node, *hash);
            };
            tree.frontier.append(leaf_hash(suite, leaf), keep).expect("a small tree");
        }
        tree
    }

    fn view(&self) -> LogView {
        LogView { size: TreeSize::new(SIZE), root: self.frontier.root() }
    }

    fn path(&self) -> Vec<tree::Hash> {
        let get = |node| self.nodes.get(&node).copied();
        tree::inclusion(self.suite, LeafIndex::new(INDEX), TreeSize::new(SIZE), &get).expect("all kept")
    }
}

fn secret(of: &str) -> ed25519::SecretKey {
    ed25519::SecretKey::from_seed(&sha256(&[b"evidence", of.as_bytes()]))
}

fn pq(of: &str) -> mldsa44::SecretKey {
    mldsa44::SecretKey::from_seed(&sha256(&[b"evidence pq", of.as_bytes()]))
}

/// A record of [`FILE`].
///
/// # Panics
/// Never: the fields keep the rules.
#[must_use]
pub fn record() -> Record {
    let case = CustomField { name: "case".into(), value: "(2026) 京 0491 民初 12".as_bytes().to_vec() };
    Record::new(vec![
        Field::Sha256(sha256(&[FILE])),
        Field::Sm3(sm3(&[FILE])),
        Field::MediaType("application/pdf".into()),
        Field::Size(FILE.len() as u64),
        Field::Submitter("party-17".into()),
        Field::Source("scanner 4, registry".into()),
        Field::Custom(case),
    ])
    .expect("the fields keep the rules")
}

/// A statement as the rules engine writes it, with one finding: rule, head, outcome.
#[must_use]
pub fn statement(findings: &[(&str, u8, u8)]) -> Vec<u8> {
    let mut out = Vec::new();
    1_u16.encode(&mut out);
    for text in ["engine 1", "spc-online-litigation", "1"] {
        put_bytes(&mut out, text.as_bytes());
    }
    sha256(&[b"pack"]).encode(&mut out);
    sha256(&[b"facts"]).encode(&mut out);
    put_list(&mut out, findings, |out, (rule, head, outcome)| {
        put_bytes(out, rule.as_bytes());
        out.extend([*head, *outcome]);
        put_bytes(out, b"reason");
        // One argument: a number.
        1_u32.encode(out);
        put_bytes(out, b"n");
        out.push(1);
        7_u64.encode(out);
    });
    out
}

impl World {
    /// The world as it is when everything went well.
    #[must_use]
    pub fn new() -> Self {
        Self::of(record(), Suites::Both)
    }

    /// The world of another record, or of a log with another number of trees.
    #[must_use]
    pub fn of(record: Record, suites: Suites) -> Self {
        Self::under(record, suites, ORIGIN)
    }

    /// The world of a shard of the log: everything is said of that origin, and the policy names the log's own.
    #[must_use]
    pub fn of_shard(origin: &str) -> Self {
        Self::under(record(), Suites::Both, origin)
    }

    fn under(record: Record, suites: Suites, origin: &str) -> Self {
        let seed = Seed::new(sha256(&[b"seed"]));
        let entry = Committer::new(suites).entry(&record, &seed);
        let office = TestAuthority::new("Time Office Root", "Time Office Signer");
        let observatory = TestAuthority::new("Observatory Root", "Observatory Signer");
        let mut world = Self {
            network: TestNetwork::new(1),
            policy: policy(&office, &observatory),
            trust: TestNetwork::new(1).trust_file(),
            bundle: Bundle {
                entry,
                disclosure: Disclosure::of(&record, &seed, suites, |_| true),
                logging: logging(&entry, suites, origin),
                receipt: Some(receipt(&entry, origin)),
                proof: None,
                stamps: Vec::new(),
                verdicts: Vec::new(),
                anchors: vec![OtherAnchor { kind: AnchorKind::OpenTimestamps, bytes: b"pending".to_vec() }],
                renewals: Vec::new(),
                seal: Digests { sha256: [0; 32], sm3: [0; 32] },
            },
            office,
            observatory,
            record,
            seed,
        };
        world.anchor(origin);
        world.stamp();
        world.judge(&[("origin-is-named", 1, 1), ("consent-is-there", 2, 3)]);
        world.bundle = world.bundle.sealed();
        world
    }

    /// What the bundle's time-stamps are over.
    ///
    /// # Panics
    /// Never: the notes were made here.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let text = |logged: &Logged| -> String {
            let end = logged.note.find("\n\n").expect("a note has an empty line");
            logged.note[..=end].into()
        };
        let logging = &self.bundle.logging;
        stamped_message(&text(&logging.first), logging.second.as_ref().map(text).as_deref())
    }

    /// The network records the checkpoint.
    fn anchor(&mut self, origin: &str) {
        let mut roots = self.trees().map(|tree| (tree.suite, OutboxRoot::new(tree.frontier.root()))).to_vec();
        roots.truncate(1 + usize::from(self.bundle.logging.second.is_some()));
        let log = Outbox::new(TreeSize::new(SIZE), roots).expect("suites ascend");
        let body = Body::Anchor(Anchor { origin: origin.into(), log });
        let index = self.network.say_body(&body);
        self.network.close_block();
        let mut proof = self.network.prove(index);
        proof.opening = Some(body.to_bytes());
        self.bundle.proof = Some(proof.to_bytes());
        self.trust = self.network.trust_file();
    }

    fn trees(&self) -> [Tree; 2] {
        let leaves = leaves(&self.bundle.entry);
        [HashSuite::Sha256, HashSuite::Sm3].map(|suite| Tree::of(suite, &leaves))
    }

    /// Both authorities stamp the checkpoint; the office sends its revocation list along.
    fn stamp(&mut self) {
        let message = self.message();
        let until = STAMPED.after(Span::seconds(86_400)).expect("not the end of time");
        let list =
            authority::revocation_list("Time Office Root", &self.office.root_key, (STAMPED, until), &[]);
        let office = Stamp {
            token: self.office.stamp(&message, STAMPED),
            certificates: Vec::new(),
            revocation: vec![list],
        };
        let observatory = self.stamp_of(&self.observatory, &message, STAMPED);
        self.bundle.stamps = vec![office, observatory];
    }

    /// The time-stamp of an authority over any message.
    #[must_use]
    pub fn stamp_of(&self, authority: &TestAuthority, message: &[u8], at: BlockTime) -> Stamp {
        Stamp { token: authority.stamp(message, at), certificates: Vec::new(), revocation: Vec::new() }
    }

    /// A rule pack judges the entry.
    pub fn judge(&mut self, findings: &[(&str, u8, u8)]) {
        self.judge_at(findings, RECEIVED);
    }

    /// A rule pack judges the entry then.
    pub fn judge_at(&mut self, findings: &[(&str, u8, u8)], at: BlockTime) {
        let mut verdict = RuleVerdict { at, statement: statement(findings), signature: [0; 64] };
        let signed = verdict.signed(&self.bundle.entry.to_bytes());
        verdict.signature = secret("service").sign(Purpose::RuleVerdict, &[&signed]);
        self.bundle.verdicts = vec![verdict];
    }

    /// The network registers `digest` under the name of the pack that judged, ends an epoch, and shows both; with the
    /// times of the two leaves.
    ///
    /// # Panics
    /// Never: the list has the pack.
    #[must_use]
    pub fn in_force(&self, kind: u8, digest: Option<[u8; 32]>) -> (InForce, [BlockTime; 2]) {
        let mut network = self.network.clone();
        let since = network.time();
        let height = network.headers.last().map_or(Height::new(0), |(header, _)| header.height);
        let from = height.next().expect("a short chain");
        let name = String::from("spc-online-litigation");
        let body = Body::Registered(Registered { kind, name, digest, from });
        let index = network.say_body(&body);
        network.close_block();
        let mut registered = network.prove(index);
        registered.opening = Some(body.to_bytes());
        let (path, leaf) = (registered.leaf.path.clone(), registered.leaf.hash(HashSuite::Sha256));
        let other = |kind: u8| {
            let path = LeafPath::registry(kind, "another").expect("a short name");
            Latest { path, leaf, index }
        };
        let entries = vec![other(1), other(3), Latest { path: path.clone(), leaf, index }];
        let list = StandingList::new(entries).expect("no path twice");
        let until = network.time();
        let said = list.standing(Epoch::new(0), from);
        let body = Body::Standing(said);
        let at = network.say_body(&body);
        network.close_block();
        let mut standing = network.prove(at);
        standing.opening = Some(body.to_bytes());
        let place = list.entries().iter().position(|one| one.path == path);
        let neighbour = place.and_then(|place| list.neighbour(place)).expect("the list has it");
        let shown = InForce { registered: registered.to_bytes(), standing: standing.to_bytes(), neighbour };
        (shown, [since, until])
    }

    /// Signs a receipt for the place before the one at which the entry stands; returns the key that signed.
    ///
    /// # Panics
    /// Never: the bundle has a receipt.
    pub fn break_promise(&mut self) -> [u8; 32] {
        let entry = self.bundle.entry.to_bytes();
        let receipt = self.bundle.receipt.as_mut().expect("the bundle has a receipt");
        receipt.first = LeafIndex::new(INDEX - 2);
        let leaf = leaf_hash(HashSuite::Sha256, &entry);
        let root = tree::included_root(HashSuite::Sha256, &leaf, receipt.place, receipt.size, &receipt.path)
            .expect("the batch is as it was");
        receipt.signature = secret("service").sign(Purpose::Receipt, &[&receipt.signed(&root)]);
        *secret("service").public().as_bytes()
    }

    /// A trust file with sunsets, signed anew.
    ///
    /// # Panics
    /// Never: indices ascend.
    #[must_use]
    pub fn trust_with(&self, sunsets: &[(&str, BlockTime)]) -> TrustFile {
        let mut trust = self.trust.clone();
        trust.sunsets =
            sunsets.iter().map(|(name, at)| Sunset { algorithm: (*name).into(), at: *at }).collect();
        trust.sunsets.sort_by(|a, b| a.algorithm.cmp(&b.algorithm));
        let fingerprint = trust.fingerprint();
        let secrets = institutions().0;
        let signatures =
            (0..2_u16).map(|index| (index, secrets[usize::from(index)].sign_foreign(&fingerprint)));
        trust.signatures = Signatures::new(signatures.collect()).expect("indices ascend");
        trust
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// The leaves of the log, the entry among them.
fn leaves(entry: &Entry) -> Vec<Vec<u8>> {
    let other = |at: u64| Entry { sha256: sha256(&[b"entry", &at.to_be_bytes()]), sm3: Some([7; 32]) };
    (0..SIZE).map(|at| if at == INDEX { entry.to_bytes() } else { other(at).to_bytes() }).collect()
}

fn log_signer(origin: &str) -> LogSigner {
    LogSigner::new(origin, secret("log"), Some(pq("log"))).expect("a good origin")
}

fn witnesses() -> [CosignerSigner; 2] {
    [
        CosignerSigner::ed25519("court.example/witness", secret("court")).expect("a good name"),
        CosignerSigner::mldsa44("notary.example/witness", pq("notary")).expect("a good name"),
    ]
}

fn logging(entry: &Entry, suites: Suites, origin: &str) -> Logging {
    let leaves = leaves(entry);
    let logged = |suite, origin: &str| {
        let tree = Tree::of(suite, &leaves);
        let mut note = log_signer(origin).sign(tree.view(), LOGGED);
        if suite == HashSuite::Sha256 {
            for (witness, later) in witnesses().iter().zip(1..) {
                let at = UnixSeconds::new(LOGGED.get() + later);
                let checkpoint = Checkpoint::new(origin, tree.view());
                note.push_str(&witness.cosign(&checkpoint, at).expect("a time of our days"));
            }
        }
        Logged { note, path: tree.path() }
    };
    Logging {
        index: LeafIndex::new(INDEX),
        first: logged(HashSuite::Sha256, origin),
        second: (suites == Suites::Both).then(|| logged(HashSuite::Sm3, &second_origin(origin))),
    }
}

/// The receipt of a batch of three, the entry its second.
fn receipt(entry: &Entry, origin: &str) -> Receipt {
    let suite = HashSuite::Sha256;
    let hashes = [b"one".to_vec(), entry.to_bytes(), b"three".to_vec()].map(|leaf| leaf_hash(suite, &leaf));
    let root = tree::node_hash(suite, &tree::node_hash(suite, &hashes[0], &hashes[1]), &hashes[2]);
    let mut receipt = Receipt {
        origin: origin.into(),
        received_at: RECEIVED,
        due_at: RECEIVED.after(Span::seconds(60)).expect("not the end of time"),
        first: LeafIndex::new(INDEX - 1),
        size: TreeSize::new(3),
        place: LeafIndex::new(1),
        path: vec![hashes[0], hashes[2]],
        signature: [0; 64],
    };
    receipt.signature = secret("service").sign(Purpose::Receipt, &[&receipt.signed(&root)]);
    receipt
}

fn policy(office: &TestAuthority, observatory: &TestAuthority) -> Policy {
    let keys = |signer: &LogSigner| {
        vec![signer.key().to_text(), signer.second_key().expect("the log has a second key").to_text()]
    };
    let [court, notary] = witnesses();
    let witness = |institution: &str, signer: &CosignerSigner| Witness {
        institution: institution.into(),
        key: signer.key().to_text(),
    };
    Policy {
        origin: ORIGIN.into(),
        operator: "Evidence Platform".into(),
        log_keys: keys(&log_signer(ORIGIN)),
        second_keys: keys(&log_signer(&second_origin(ORIGIN))),
        service_key: Some(*secret("service").public().as_bytes()),
        witnesses: vec![witness("Court", &court), witness("Notary", &notary)],
        authorities: vec![
            Authority {
                institution: "Time Office".into(),
                anchor: office.root.clone(),
                policies: vec![authority::POLICY.into()],
            },
            Authority {
                institution: "Observatory".into(),
                anchor: observatory.root.clone(),
                policies: Vec::new(),
            },
        ],
        witnesses_needed: 1,
        authorities_needed: 2,
        institutions_needed: 4,
        network: Network::Optional,
        later: None,
    }
}
